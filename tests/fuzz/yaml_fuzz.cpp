// Any bytes as YAML: parsed or refused, never more. What was parsed survives
// packing and unpacking unchanged.
#include "fuzz/fuzz.hpp"
#include "spec/node.hpp"

namespace {

bool same(const headroom::spec::Node& a, const headroom::spec::Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.quoted != b.quoted || a.line != b.line ||
      a.column != b.column || a.items.size() != b.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same(a.items[i], b.items[i])) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headroom::Diagnostics diagnostics;
  const auto document =
      headroom::spec::parse_yaml("fuzz.yaml", fuzz::text(data, size), diagnostics);
  fuzz::require(document.has_value() == diagnostics.empty(), "parsed or refused with a reason");
  (void)render(diagnostics);
  if (!document) return 0;
  std::string packed;
  headroom::spec::pack(document->root, packed);
  std::size_t at = 0;
  fuzz::require(same(headroom::spec::unpack(packed, at), document->root), "unpack(pack(x)) == x");
  fuzz::require(at == packed.size(), "unpack reads all that pack wrote");
  return 0;
}
