#include "spec/beside.hpp"

#include <filesystem>
#include <system_error>

namespace headroom::spec {

Beside beside(const std::string& file, const std::string& name, const char* what) {
  namespace fs = std::filesystem;
  if (file == nowhere)
    return {"", "'" + name + "' is a file, and this scenario lies in no folder",
            "open the scenario from its folder, e.g. headroom ui FILE"};
  std::error_code error;
  fs::path folder = fs::path(file).parent_path();
  folder = fs::weakly_canonical(folder.empty() ? fs::path(".") : folder, error);
  const fs::path full = fs::weakly_canonical(folder / name, error);
  const auto relative = full.lexically_relative(folder);
  if (fs::path(name).is_absolute() || relative.empty() || *relative.begin() == "..")
    return {"", "'" + name + "' lies outside the scenario's folder",
            std::string("copy the ") + what + " beside the scenario and give its name"};
  return {full.string(), "", ""};
}

}  // namespace headroom::spec
