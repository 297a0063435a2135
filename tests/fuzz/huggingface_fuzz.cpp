// Any text as a Hugging Face config.json; what is read can be counted.
#include <cmath>

#include "fuzz/fuzz.hpp"
#include "workload/huggingface.hpp"
#include "workload/transformer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headroom::Diagnostics diagnostics;
  const auto model =
      headroom::workload::read_huggingface(fuzz::text(data, size), "config.json", diagnostics);
  fuzz::require(model.has_value() == diagnostics.empty(), "read or refused with a reason");
  (void)render(diagnostics);
  if (!model) return 0;
  const double parameters = headroom::workload::parameters(*model).total();
  fuzz::require(std::isfinite(parameters) && parameters > 0, "a model has parameters");
  const double active = headroom::workload::active_parameters(*model).total();
  fuzz::require(active > 0 && active <= parameters, "a token passes no more than there is");
  return 0;
}
