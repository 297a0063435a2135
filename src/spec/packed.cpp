#include "spec/packed.hpp"

namespace headroom::spec {
namespace {

void put(std::string& out, std::size_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

std::size_t get(std::string_view in, std::size_t& at) {
  std::size_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto c = static_cast<unsigned char>(in[at++]);
    value |= static_cast<std::size_t>(c & 0x7f) << shift;
    if (c < 0x80) return value;
  }
}

std::string_view get_text(std::string_view in, std::size_t& at) {
  const std::size_t size = get(in, at);
  at += size;
  return in.substr(at - size, size);
}

void put_part(std::string& out, std::string_view label, const Node& node) {
  std::string bytes;
  pack(node, bytes);
  put(out, label);
  put(out, bytes);
}

}  // namespace

Node PackedPart::decode() const {
  std::size_t at = 0;
  return unpack(bytes, at);
}

std::vector<PackedFile> read_pack(std::string_view bytes) {
  std::size_t at = 0;
  std::vector<PackedFile> files(get(bytes, at));
  for (auto& file : files) {
    file.name = get_text(bytes, at);
    file.parts.resize(get(bytes, at));
    for (auto& part : file.parts) {
      part.label = get_text(bytes, at);
      part.bytes = get_text(bytes, at);
    }
  }
  return files;
}

std::string pack_head(std::size_t files) {
  std::string out;
  put(out, files);
  return out;
}

void write_packed_file(const std::string& name, const Node& root, bool is_catalogue,
                       std::string& out) {
  put(out, name);
  if (!is_catalogue) {
    put(out, std::size_t{1});
    put_part(out, "", root);
    return;
  }
  const Node none;
  const Node* sources = root.get("sources");
  const Node* entries = root.get("entries");
  put(out, std::size_t{1} + (entries != nullptr ? entries->items.size() : 0));
  put_part(out, "sources", sources != nullptr ? *sources : none);
  if (entries == nullptr) return;
  for (const auto& entry : entries->items) {
    const Node* id = entry.get("id");
    put_part(out, id != nullptr ? id->text : "", entry);
  }
}

}  // namespace headroom::spec
