#include "api/load_predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "api/replay_options.hpp"
#include "requests/stats.hpp"

namespace headroom::api {
namespace {

/// One mistake a line, without the closing count.
std::string told(const Diagnostics& list) {
  std::string out;
  for (const auto& d : list.all()) out += (out.empty() ? "" : "; ") + d.file + ": " + d.message;
  return out;
}

study::ReplayOptions options_of(const LoadRequest& request, study::Loaded& brought,
                                Diagnostics& mistakes) {
  ReplayRequest replay;
  for (const auto& [name, value] : request.deployment) replay.options.push_back({name, value});
  study::ReplayOptions options;
  TraceOptions trace;
  parse_replay_options(replay, options, trace, mistakes);
  constexpr const char* id = "from-hf";
  if (!trace.hugging_face.empty() && study::bring_model(brought, trace.hugging_face, id, mistakes))
    options.model = id;
  // A URL is one server unless told otherwise; the search for a count has no place here.
  if (options.replicas == 0) options.replicas = 1;
  return options;
}

void add(LoadAnswer& a, const char* name, const LoadPercentiles& measured,
         const serving::Percentiles& predicted) {
  const auto one = [&](const char* which, double m, double p) {
    a.comparison.push_back({fmt::format("{} {}", name, which), "s", m, p});
  };
  one("mean", measured.mean, predicted.mean);
  one("p50", measured.p50, predicted.p50);
  one("p90", measured.p90, predicted.p90);
  one("p99", measured.p99, predicted.p99);
}

/// The sample whose end made room for each sample of a closed loop; -1: none.
std::vector<int> room_makers(const std::vector<const LoadSample*>& samples) {
  std::vector<int> maker(samples.size(), -1);
  using End = std::pair<double, int>;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!ends.empty() && ends.top().first <= samples[i]->sent_s) {
      maker[i] = ends.top().second;
      ends.pop();
    }
    ends.emplace(samples[i]->end_s, static_cast<int>(i));
  }
  return maker;
}

}  // namespace

Diagnostics check_deployment(const LoadRequest& request, const catalog::Catalog& catalog) {
  Diagnostics mistakes;
  if (request.deployment.empty()) return mistakes;
  study::Loaded brought;
  const auto options = options_of(request, brought, mistakes);
  if (!mistakes.empty()) return mistakes;
  requests::Stream probe;
  requests::Request r;
  r.prompt = r.output = 1;
  probe.requests.push_back(r);
  const auto answer = study::replay_trace(probe, options, catalog, brought);
  if (!answer) mistakes.add(answer.error());
  return mistakes;
}

requests::Stream sent_stream(const requests::Stream& stream, const std::vector<LoadSample>& samples,
                             bool closed) {
  requests::Stream out;
  out.name = stream.name;
  out.block_tokens = stream.block_tokens;
  out.classes = stream.classes;
  out.models = stream.models;
  std::vector<const LoadSample*> good;
  for (const auto& s : samples)
    if (s.fate == LoadFate::good) good.push_back(&s);
  const auto maker = closed ? room_makers(good) : std::vector<int>(good.size(), -1);
  std::vector<std::uint32_t> place(stream.requests.size(), requests::no_request);
  for (std::size_t i = 0; i < good.size(); ++i) {
    const auto& s = *good[i];
    const auto& asked = stream.requests[s.request];
    requests::Request r = asked;
    r.prompt = std::max(1, s.prompt_counted > 0 ? s.prompt_counted : s.prompt);
    r.output = std::max(1, s.tokens());
    r.shared_tokens = std::min(r.shared_tokens, r.prompt);
    r.arrival_s = s.sent_s;
    r.after = requests::no_request;
    if (maker[i] >= 0) {
      r.after = static_cast<std::uint32_t>(maker[i]);
      r.arrival_s = s.sent_s - good[r.after]->end_s;
    } else if (!closed && asked.after != requests::no_request &&
               place[asked.after] != requests::no_request) {
      r.after = place[asked.after];
      r.arrival_s = asked.arrival_s;
    }
    const auto blocks = stream.blocks_of(asked);
    r.first_block = r.blocks > 0 ? static_cast<std::uint32_t>(out.hashes.size()) : 0;
    out.hashes.insert(out.hashes.end(), blocks.begin(), blocks.end());
    place[s.request] = static_cast<std::uint32_t>(out.requests.size());
    out.requests.push_back(r);
  }
  return out;
}

void compare(const LoadRequest& request, const catalog::Catalog& catalog,
             const requests::Stream& stream, LoadAnswer& answer) {
  if (request.deployment.empty() || answer.summary.good == 0) return;
  Diagnostics mistakes;
  study::Loaded brought;
  const auto options = options_of(request, brought, mistakes);
  const auto sent = sent_stream(stream, answer.samples, request.closed);
  const auto predicted = study::replay_trace(sent, options, catalog, brought);
  if (!predicted) {
    answer.notes.push_back("no prediction: " + told(predicted.error()));
    return;
  }
  const auto& p = predicted->run.summary;
  const auto& m = answer.summary;
  answer.deployment =
      fmt::format("{}, {}, {}", predicted->model, predicted->machine, predicted->layout);
  add(answer, "TTFT", m.ttft, p.ttft);
  add(answer, "TPOT", m.tpot, p.tpot);
  add(answer, "ITL", m.itl, p.itl);
  add(answer, "end to end", m.e2e, p.e2e);
  if (p.span_s > 0)
    answer.comparison.push_back({"output", "token/s", m.output_per_s, p.output_tokens / p.span_s});
  if (m.tokens_per_event > 1.005)
    answer.notes.push_back(
        fmt::format("an event carries {:.2f} tokens: measured ITL is between events, predicted ITL "
                    "between tokens",
                    m.tokens_per_event));
  if (p.overloaded)
    answer.notes.push_back("prediction: the queue of this deployment grows at this rate");
}

}  // namespace headroom::api
