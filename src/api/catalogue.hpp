// The catalogue of a request: the shared one, or an own one with a folder over it.
// Internal to api.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "catalog/catalog.hpp"

namespace headroom::api {

struct Catalogue {
  std::unique_ptr<catalog::Catalog> own;
  const catalog::Catalog& get() const { return own ? *own : catalog::Catalog::builtin(); }
};

/// `folder` may be empty.
Result<Catalogue> catalogue(const std::string& folder);

}  // namespace headroom::api
