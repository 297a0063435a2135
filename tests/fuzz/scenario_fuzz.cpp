// Any text as a scenario: read without a mistake, or refused with reasons that
// can be shown.
#include "fuzz/memory_file.hpp"
#include "study/scenario.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  const auto loaded = headroom::study::load(file.path(), {}, headroom::catalog::Catalog::builtin());
  if (loaded) return 0;
  fuzz::require(!loaded.error().empty(), "a refused scenario has a reason");
  (void)render(loaded.error());
  return 0;
}
