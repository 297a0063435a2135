// Any scenario that reads: a verdict whose every figure is a number, in every
// form it is printed in.
#include <cmath>

#include "api/headroom.hpp"
#include "fuzz/memory_file.hpp"
#include "report/report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  headroom::api::Request request;
  request.file = file.path();
  const auto verdict = headroom::api::check(request);
  if (!verdict) {
    fuzz::require(!verdict.error().empty(), "a refused scenario has a reason");
    (void)headroom::report::json(verdict.error());
    return 0;
  }
  bool all_hold = true;
  for (const auto& m : verdict->margins) {
    fuzz::require(!std::isnan(m.need) && !std::isnan(m.have) && !std::isnan(m.headroom()),
                  ("a limit is a number: " + m.id).c_str());
    all_hold = all_hold && m.holds();
  }
  fuzz::require(verdict->fits == all_hold, "it fits when every limit holds");
  for (const auto& node : verdict->trace.nodes()) {
    fuzz::require(!std::isnan(node.si), ("a traced figure is a number: " + node.id).c_str());
  }
  (void)headroom::report::text(*verdict, {false, 80, true});
  (void)headroom::report::json(*verdict);
  (void)headroom::report::csv(*verdict);
  return 0;
}
