#include "catalog/packed_data.hpp"

// Laid down by cmake/Catalog.cmake.
extern "C" {
extern const char headroom_pack_begin[];
extern const char headroom_pack_end[];
}

namespace headroom::catalog {

const std::vector<spec::PackedFile>& packed_files() {
  static const auto files = spec::read_pack(
      {headroom_pack_begin, static_cast<std::size_t>(headroom_pack_end - headroom_pack_begin)});
  return files;
}

spec::Node packed_document(std::string_view name) {
  for (const auto& file : packed_files()) {
    if (file.name == name) return file.parts.front().decode();
  }
  return {};
}

}  // namespace headroom::catalog
