// The compiled-in data files: written by tools/pack at build time, read here.
//
// Layout, all numbers little-endian base-128:
//   count of files, then a file each:
//     name (length, bytes), e.g. "catalog/model/llama.yaml"
//     count of parts, then a part each: label (length, bytes), length, packed Node
// A catalogue file has one part "sources" and one part a entry, labelled by its
// id, so that an entry is found and decoded without touching the others. Any
// other file is one part with an empty label.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/node.hpp"

namespace headroom::spec {

struct PackedPart {
  std::string_view label;
  std::string_view bytes;
  Node decode() const;
};

struct PackedFile {
  std::string_view name;
  std::vector<PackedPart> parts;
};

/// Reads the index; the bytes must outlive the result. O(parts).
std::vector<PackedFile> read_pack(std::string_view bytes);

/// Appends one parsed file. `is_catalogue` splits it into parts.
void write_packed_file(const std::string& name, const Node& root, bool is_catalogue,
                       std::string& out);
/// The head that precedes the files.
std::string pack_head(std::size_t files);

}  // namespace headroom::spec
