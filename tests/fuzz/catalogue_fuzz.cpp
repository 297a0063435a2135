// Any text as a catalogue file of any kind (the first byte chooses which), laid
// over the built-in catalogue.
#include <filesystem>
#include <fstream>

#include "catalog/catalog.hpp"
#include "fuzz/fuzz.hpp"
#include "spec/walk.hpp"

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using headroom::catalog::Catalog;

/// A folder of this process, removed when it ends.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("headroom-fuzz-" + std::to_string(getpid()));
  ~Folder() {
    std::error_code error;
    fs::remove_all(path, error);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  if (size == 0) return 0;
  const auto kinds = Catalog::kinds();
  const std::string& kind = kinds[data[0] % kinds.size()];
  fs::create_directories(folder.path / kind);
  const fs::path file = folder.path / kind / "fuzz.yaml";
  std::ofstream(file, std::ios::binary) << fuzz::text(data + 1, size - 1);

  headroom::Diagnostics diagnostics;
  const auto catalog = Catalog::with_overlay(folder.path.string(), diagnostics);
  (void)render(diagnostics);
  if (diagnostics.empty()) {
    for (const auto& id : catalog->ids(kind))
      (void)headroom::spec::leaves(catalog->find_object(kind, id));
  }
  fs::remove_all(folder.path / kind);
  return 0;
}
