// Files that a scenario names (a model's configuration, hours of a profile): they lie in the
// scenario's own folder or below it, so a scenario from elsewhere reads nothing else.
#pragma once

#include <string>
#include <string_view>

namespace headroom::spec {

/// Name of a scenario that lies in no folder (typed into the page): it reads no file at all.
inline constexpr std::string_view nowhere = "<page>";

struct Beside {
  std::string path;           ///< the file; empty when it may not be read
  std::string message, hint;  ///< why not
};

/// `name` as the scenario `file` gives it; `what` is "file" or "configuration". Links are followed
/// before the folder is compared.
Beside beside(const std::string& file, const std::string& name, const char* what);

}  // namespace headroom::spec
