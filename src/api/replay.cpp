#include "api/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "api/catalogue.hpp"
#include "api/replay_options.hpp"
#include "api/stoppable.hpp"
#include "study/replay_fleet.hpp"

namespace headroom::api {
namespace {

constexpr const char* brought_id = "from-hf";

/// Two lists of requests as one in order of arrival. Followers come right after the request before
/// them in their own list; `after` of `more` counts in `more`.
std::vector<requests::Request> merged(const std::vector<requests::Request>& own,
                                      const std::vector<requests::Request>& more) {
  std::vector<requests::Request> out;
  out.reserve(own.size() + more.size());
  std::vector<std::uint32_t> own_at(own.size()), more_at(more.size());
  std::size_t i = 0, j = 0;
  const auto take = [&](const requests::Request& r, std::vector<std::uint32_t>& at,
                        std::size_t& index) {
    at[index++] = static_cast<std::uint32_t>(out.size());
    out.push_back(r);
    if (r.after != requests::no_request) out.back().after = at[r.after];
  };
  const auto first = [](const std::vector<requests::Request>& list, std::size_t index) {
    if (index >= list.size()) return std::numeric_limits<double>::infinity();
    const auto& r = list[index];
    return r.after != requests::no_request ? -1 : r.arrival_s;
  };
  while (i < own.size() || j < more.size()) {
    if (j >= more.size() || (i < own.size() && first(own, i) <= first(more, j)))
      take(own[i], own_at, i);
    else
      take(more[j], more_at, j);
  }
  return out;
}

/// Adds the requests of `more` as a class of its own.
void add_offline(requests::Stream& stream, requests::Stream more, Diagnostics& mistakes) {
  if (!stream.hashes.empty() && !more.hashes.empty() && stream.block_tokens != more.block_tokens)
    return mistakes.add({"--offline " + more.name, 0, 0, "",
                         fmt::format("hashes blocks of {} tokens, and the trace blocks of {}",
                                     more.block_tokens, stream.block_tokens),
                         "traces with the same block size, or one without hashes", ""});
  if (stream.hashes.empty()) stream.block_tokens = more.block_tokens;
  std::uint32_t sessions = 0, groups = 0;
  for (const auto& r : stream.requests) {
    if (r.session != requests::no_request) sessions = std::max(sessions, r.session + 1);
    if (r.shared != requests::no_request) groups = std::max(groups, r.shared + 1);
  }
  const auto blocks = static_cast<std::uint32_t>(stream.hashes.size());
  const auto offline = static_cast<std::uint16_t>(stream.classes.size());
  stream.classes.emplace_back("offline");
  stream.hashes.insert(stream.hashes.end(), more.hashes.begin(), more.hashes.end());
  for (auto& r : more.requests) {
    if (r.session != requests::no_request) r.session += sessions;
    if (r.shared != requests::no_request) r.shared += groups;
    r.first_block += blocks;
    r.traffic_class = offline;
    r.model = 0;
  }
  stream.requests = merged(stream.requests, more.requests);
}

Result<requests::Stream> arriving(const ReplayRequest& request, const TraceOptions& trace,
                                  const catalog::Catalog& catalog, requests::ReadReport& report) {
  const Stage stage(request.progress, "reading the requests", 0);
  if (!request.trace.empty()) return requests::read(request.trace, trace.read, &report);
  if (trace.synthetic.empty()) return failure(Diagnostics{});  // told with the options
  auto stream = requests::traffic(trace.synthetic, &catalog, &report);
  if (stream && stream->name.empty()) stream->name = "synthetic load";
  return stream;
}

}  // namespace

Result<study::ReplayAnswer> replay(const ReplayRequest& request) {
  Diagnostics mistakes;
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  study::ReplayOptions options;
  TraceOptions trace;
  parse_replay_options(request, options, trace, mistakes);
  if (request.trace.empty() && trace.synthetic.empty())
    mistakes.add({"TRACE", 0, 0, "", "which requests?",
                  "a trace, or a synthetic load: --like azure-conv-2023 --rate 5/s --duration 1h",
                  ""});
  study::Loaded brought;
  if (!trace.hugging_face.empty() &&
      study::bring_model(brought, trace.hugging_face, brought_id, mistakes))
    options.model = brought_id;
  std::optional<study::Fleet> fleet;
  if (!trace.fleet.empty()) {
    auto read = study::load_fleet(trace.fleet, catalog->get(), brought);
    if (read)
      options.fleet = &fleet.emplace(std::move(*read));
    else
      mistakes.add(read.error());
  }
  requests::ReadReport report;
  auto stream = arriving(request, trace, catalog->get(), report);
  if (!stream && !(request.trace.empty() && trace.synthetic.empty())) mistakes.add(stream.error());
  if (stream) requests::scale_rate(*stream, trace.rate_scale);
  if (stream && !trace.offline.empty()) {
    requests::ReadOptions read = trace.read;
    read.format.clear();
    auto more = requests::read(trace.offline, read);
    if (!more)
      mistakes.add(more.error());
    else
      add_offline(*stream, std::move(*more), mistakes);
    options.offline = {static_cast<int>(stream->classes.size()) - 1};
  }
  if (stream && fleet) study::place_requests(*stream, fleet->spec, options.seed);
  // Names that the catalogue does not have are told beside the mistakes found so far.
  if (!mistakes.empty()) {
    requests::Stream none;
    none.classes = stream ? stream->classes : std::vector<std::string>{};
    if (!trace.fleet.empty() && !fleet) return failure(std::move(mistakes));
    auto names = study::replay_trace(none, options, catalog->get(), brought);
    if (!names) mistakes.add(names.error());
    return failure(std::move(mistakes));
  }
  constexpr std::size_t many = 1000000;
  options.keep_outcomes = request.rows || stream->requests.size() <= many;
  options.progress = request.progress;
  auto answer =
      stoppable([&] { return study::replay_trace(*stream, options, catalog->get(), brought); });
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
