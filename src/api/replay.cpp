#include "api/replay.hpp"

#include <fmt/format.h>

#include "api/catalogue.hpp"
#include "api/replay_options.hpp"

namespace headroom::api {
namespace {

constexpr const char* brought_id = "from-hf";

void scale_rate(requests::Stream& stream, double factor) {
  if (factor == 1) return;
  for (auto& r : stream.requests)
    if (r.after == requests::no_request) r.arrival_s /= factor;
}

}  // namespace

Result<study::ReplayAnswer> replay(const ReplayRequest& request) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  study::ReplayOptions options;
  TraceOptions trace;
  parse_replay_options(request, options, trace, mistakes);
  study::Loaded brought;
  if (!trace.hugging_face.empty() &&
      study::bring_model(brought, trace.hugging_face, brought_id, mistakes))
    options.model = brought_id;
  requests::ReadReport report;
  auto stream = requests::read(request.trace, trace.read, &report);
  if (!stream) mistakes.add(stream.error());
  // Names that the catalogue does not have are told beside the mistakes found so far.
  if (!mistakes.empty()) {
    const requests::Stream none;
    auto names = study::replay_trace(none, options, catalog->get(), brought);
    if (!names) mistakes.add(names.error());
    return failure(std::move(mistakes));
  }
  scale_rate(*stream, trace.rate_scale);
  auto answer = study::replay_trace(*stream, options, catalog->get(), brought);
  if (!answer) return answer;
  for (const auto& note : report.notes) answer->remarks.push_back(note);
  if (report.skipped > 0)
    answer->remarks.push_back(fmt::format("{} malformed rows were left out", report.skipped));
  if (report.failed > 0)
    answer->remarks.push_back(
        fmt::format("{} requests that the log calls failed were left out", report.failed));
  return answer;
}

}  // namespace headroom::api
