// JSON Schema (draft 7) and reference pages from field lists.
#pragma once

#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace headroom::spec {

/// A schema of the whole document, as JSON text. `title` and `id` head it.
std::string json_schema(ObjectRef object, const std::string& id, const std::string& title);

/// A Markdown page: a table a struct, nested structs as sections in the order
/// in which they are met.
std::string reference_page(ObjectRef object, const std::string& title,
                           const std::string& introduction);

}  // namespace headroom::spec
