// The table of catalogue kinds: how to make, read and forget an entry of each.
// Internal to catalog.
#pragma once

#include <span>
#include <string_view>

#include "spec/fields.hpp"

namespace headroom::catalog {

struct KindInfo {
  std::string_view name;  ///< folder below data/catalog
  void* (*create)();
  void (*destroy)(void*);
  spec::ObjectRef (*object)(void*);
  void* (*prototype)();  ///< one default entry, shared
};

std::span<const KindInfo> kind_table();
const KindInfo* find_kind(std::string_view name);

}  // namespace headroom::catalog
