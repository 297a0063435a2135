// A document and assignments to it: first the `--set` lines, then a line of
// three dashes, then the YAML text.
#include <sstream>

#include "fuzz/fuzz.hpp"
#include "spec/node.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  const std::size_t dashes = text.find("\n---\n");
  headroom::Diagnostics diagnostics;
  auto document = headroom::spec::parse_yaml(
      "fuzz.yaml",
      dashes == std::string::npos ? "a: {b: [1, 2], c: {name: x}}" : text.substr(dashes + 5),
      diagnostics);
  if (!document) return 0;
  std::istringstream lines(text.substr(0, dashes));
  for (std::string line; std::getline(lines, line);) {
    headroom::Diagnostics mine;
    const bool done = headroom::spec::apply_set(*document, line, mine);
    fuzz::require(done == mine.empty(), "an assignment is made or refused with a reason");
  }
  std::string packed;
  headroom::spec::pack(document->root, packed);
  return 0;
}
