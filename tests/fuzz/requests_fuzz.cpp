// Any text as a trace: what is read is a stream that an engine may take, what is refused has
// reasons.
#include <cmath>

#include "fuzz/fuzz.hpp"
#include "requests/reader.hpp"
#include "requests/stats.hpp"

namespace {

using namespace headroom::requests;

void check(const Stream& stream) {
  fuzz::require(!stream.requests.empty(), "a stream that was read has requests");
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    const auto& r = stream.requests[i];
    fuzz::require(r.prompt >= 1 && r.output >= 1, "lengths are 1 or more");
    fuzz::require(std::isfinite(r.arrival_s), "arrivals are finite");
    fuzz::require(r.after == no_request || r.after < i, "`after` points backwards");
    fuzz::require(
        r.blocks <= stream.hashes.size() && r.first_block <= stream.hashes.size() - r.blocks,
        "blocks lie within the hashes");
    fuzz::require(r.traffic_class < stream.classes.size() && r.model < stream.models.size(),
                  "classes and models have names");
  }
  (void)stats(stream);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  for (const bool lenient : {false, true}) {
    ReadOptions options;
    options.skip_bad = options.sort = lenient;
    const auto stream = read_text(text, "fuzz", options);
    if (stream)
      check(*stream);
    else
      fuzz::require(!render(stream.error()).empty(), "a refused trace has a reason");
  }
  return 0;
}
