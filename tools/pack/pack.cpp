// headroom_pack ROOT OUT FILE...: parses YAML data files once, at build time,
// and writes them in the compact form that src/spec/packed.hpp describes.
#include <cstdio>
#include <fstream>

#include "spec/packed.hpp"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string root = std::string(argv[1]) + "/";
  headroom::Diagnostics diagnostics;
  std::string out = headroom::spec::pack_head(static_cast<std::size_t>(argc - 3));
  for (int i = 3; i < argc; ++i) {
    const std::string path = argv[i];
    const auto document = headroom::spec::load_yaml(path, diagnostics);
    if (!document) continue;
    const std::string name = path.starts_with(root) ? path.substr(root.size()) : path;
    headroom::spec::write_packed_file(name, document->root, name.starts_with("catalog/"), out);
  }
  if (!diagnostics.empty()) {
    std::fputs(render(diagnostics).c_str(), stderr);
    return 1;
  }
  std::ofstream(argv[2], std::ios::binary) << out;
  return 0;
}
