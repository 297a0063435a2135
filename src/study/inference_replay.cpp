// The engine's word on the finalists: the asked traffic at its peak, request by request. A finalist
// that breaks an SLO there is not the answer: the next that holds is, or the same configuration
// with more replicas where that is better by the objective.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "base/units.hpp"
#include "infer/search_pools.hpp"
#include "requests/request.hpp"
#include "serving/engine_settings.hpp"
#include "serving/replay.hpp"
#include "study/inference_parts.hpp"

namespace headroom::study {

namespace {

using infer::Candidate;
using infer::Load;

constexpr int most_replicas = 4;  // a sample of a larger fleet, at the same rate a replica
constexpr double most_requests = 40000;

/// Gaps of mean 1 and the given coefficient of variation: a constant and an exponential below 1,
/// one of two exponentials of balanced means above.
double gap(const headroom::Stream& random, std::uint64_t i, double cv) {
  if (cv <= 1) return 1 - cv + (cv > 0 ? random.exponential(cv, i, 0) : 0);
  const double c2 = cv * cv;
  const double p = 0.5 * (1 + std::sqrt((c2 - 1) / (c2 + 1)));
  const bool often = random.uniform(i, 1) < p;
  return random.exponential(1 / (2 * (often ? p : 1 - p)), i, 0);
}

double length(const headroom::Stream& random, std::uint64_t i, double mean, double cv) {
  if (cv <= 0) return std::max(1.0, std::round(mean));
  const double v = std::log1p(cv * cv);
  return std::max(1.0, std::round(mean * std::exp(std::sqrt(v) * random.normal(i, 0) - v / 2)));
}

/// Lengths of the i-th request.
requests::Request request_of(const Load& load, std::uint64_t i, double longest) {
  const headroom::Stream inputs(7, "infer.input"), outputs(7, "infer.output");
  requests::Request r;
  const double output = std::min(length(outputs, i, load.output, load.output_cv), 0.9 * longest);
  r.output = std::int32_t(output);
  r.prompt = std::int32_t(
      std::max(1.0, std::min(length(inputs, i, load.input, load.input_cv), longest - output)));
  if (load.cached > 0) {
    r.shared = 0;
    r.shared_tokens = std::int32_t(load.cached / load.input * r.prompt);
  }
  return r;
}

requests::Stream stream_of(const Load& load, double rate_s, double count, double longest) {
  const headroom::Stream gaps(7, "infer.arrivals");
  requests::Stream s;
  s.name = "synthetic, the asked traffic at its peak";
  double now = 0;
  for (std::uint64_t i = 0; i < std::uint64_t(count); ++i) {
    auto r = request_of(load, i, longest);
    now += gap(gaps, i, load.arrival_cv) / rate_s;
    r.arrival_s = now;
    s.requests.push_back(r);
  }
  return s;
}

/// So many users of whom each sends the next request when the last one ended. They begin spread
/// over `spread_s`, so that their prompts do not come in one wave.
requests::Stream closed_stream(const Load& load, double users, double each, double spread_s,
                               double longest) {
  requests::Stream s;
  s.name = "synthetic, a closed loop";
  const auto n = std::uint64_t(users);
  for (std::uint64_t i = 0; i < n * std::uint64_t(each); ++i) {
    auto r = request_of(load, i, longest);
    if (i < n)
      r.arrival_s = spread_s * double(i) / double(n);
    else
      r.after = std::uint32_t(i - n);
    s.requests.push_back(r);
  }
  return s;
}

serving::EngineConfig engine_of(const infer::Replica& replica, const Load& load, double longest) {
  return serving::engine_config(
      replica.step(), replica.limits(), replica.memory(),
      {.context = load.context(), .max_model_len = longest, .prefix_cache = load.cached > 0});
}

TimesRow times(const char* key, const char* label, const serving::Percentiles& p) {
  return {key, label, p.mean, p.p50, p.p90, p.p99, p.at_slo};
}

bool holds(const serving::Summary& s, const infer::Targets& t) {
  const auto within = [](double slo, const serving::Percentiles& p) {
    return slo <= 0 || p.at_slo <= slo;
  };
  return !s.overloaded && within(t.ttft_s, s.ttft) && within(t.tpot_s, s.tpot) &&
         within(t.e2e_s, s.e2e);
}

ReplayRow replay_one(const ServingJob& job, const Candidate& c, double least) {
  const auto& device = job.space.devices[std::size_t(c.device)];
  const auto& load = job.asked.load;
  const double longest = std::max(job.asked.longest, double(job.model->context));
  const infer::Replica serve = infer::serve_replica(job.asked, device, c.serve);
  const infer::StepOracle oracle(serve.step());
  serving::Deployment d;
  d.oracle = &oracle;
  d.engine = engine_of(serve, load, longest);
  d.progress = job.search.progress;
  d.percentile = job.asked.targets.percentile;
  double sample = std::min(1.0, most_replicas / c.serve.replicas);
  d.replicas = int(std::max(1.0, std::round(sample * c.serve.replicas)));
  sample = d.replicas / c.serve.replicas;
  std::optional<infer::StepOracle> prefill;
  if (c.disaggregated) {
    const infer::Replica reads = infer::prefill_replica(job.asked, device, c.prefill);
    prefill.emplace(reads.step());
    sample = 1;
    serving::Pool first, rest;
    const serving::Link link{device.path.scale_out.si(), 1e-5};
    first.name = "prefill", first.oracle = &*prefill;
    first.engine = engine_of(reads, load, longest);
    first.engine.role = serving::Role::prefill, first.engine.link = link;
    first.replicas = int(c.prefill.replicas), first.gpus = c.prefill.layout.gpus();
    rest.name = "decode", rest.oracle = &oracle;
    rest.engine = d.engine;
    rest.engine.role = serving::Role::decode, rest.engine.link = link;
    rest.replicas = int(c.serve.replicas), rest.gpus = c.serve.layout.gpus();
    d.pools = {first, rest};
  }
  const double rate = sample * job.asked.peak_s;
  const double count = std::clamp(20 * c.e2e_s * rate, least, most_requests);
  const auto& t = job.asked.targets;
  const auto r =
      serving::replay(stream_of(load, rate, count, longest), d, {t.ttft_s, t.tpot_s, t.e2e_s});
  const auto& s = r.summary;
  ReplayRow row;
  row.summary = summary_of(c, device);
  row.requests = double(s.requests);
  row.attained = s.attained;
  // A finite stream ends in a queue that empties: the share that was good, at the asked rate.
  row.goodput_s = s.overloaded ? s.goodput_s / sample : s.attained * job.asked.peak_s;
  row.busy = s.busy, row.kv_used = s.kv_used, row.preemptions = s.preemptions;
  row.overloaded = s.overloaded;
  row.times = {times("ttft", "time to first token", s.ttft),
               times("tpot", "time per output token", s.tpot),
               times("itl", "gap between two tokens", s.itl), times("e2e", "end to end", s.e2e)};
  row.holds = holds(s, t);
  return row;
}

/// The SLO that a row of times is held against; 0: none.
double slo_of(const std::string& key, const infer::Targets& t) {
  return key == "ttft" ? t.ttft_s : key == "tpot" ? t.tpot_s : key == "e2e" ? t.e2e_s : 0;
}

/// A finalist near an SLO is replayed with ten times the requests: 40 of 4,000 say little of a
/// 99th percentile.
ReplayRow weighed(const ServingJob& job, const Candidate& c, double least) {
  constexpr double near = 0.05;
  auto row = replay_one(job, c, least);
  for (const auto& time : row.times) {
    const double slo = slo_of(time.key, job.asked.targets);
    if (slo > 0 && std::abs(time.at_slo / slo - 1) < near)
      return replay_one(job, c, std::max(least, std::min(10 * least, most_requests)));
  }
  return row;
}

/// What the engine saw break, in words.
std::string broken(const ReplayRow& row, const infer::Targets& t) {
  if (row.overloaded) return "the queue grows";
  std::string out;
  for (const auto& time : row.times) {
    const double slo = slo_of(time.key, t);
    if (slo <= 0 || time.at_slo <= slo) continue;
    out +=
        fmt::format("{}{} of {} at p{:g}, {} asked", out.empty() ? "" : ", ", time.label,
                    format_scaled(time.at_slo, "s"), 100 * t.percentile, format_scaled(slo, "s"));
  }
  return out;
}

/// The same configuration with the fewest more replicas that hold, up to twice as many.
std::optional<Candidate> grown(const ServingJob& job, const Candidate& c, double least,
                               std::vector<ReplayRow>& replays) {
  if (c.disaggregated) return std::nullopt;
  const auto& device = job.space.devices[std::size_t(c.device)];
  for (double n = c.serve.replicas; n < 2 * c.serve.replicas;) {
    n += std::max(1.0, std::floor(n / 10));
    Candidate more = infer::evaluate(job.asked, device, c.serve.layout, c.serve.limits, n);
    more.device = c.device, more.place = c.place;
    if (!more.feasible) return std::nullopt;
    auto row = weighed(job, more, least);
    if (!row.holds) continue;
    replays.push_back(std::move(row));
    return more;
  }
  return std::nullopt;
}

}  // namespace

namespace {

/// Values of which percentiles are wanted.
class Sample {
 public:
  void add(double x) { values_.push_back(x), sum_ += x; }
  std::size_t size() const { return values_.size(); }
  TimesRow row(const char* key, const char* label) {
    if (values_.empty()) return {key, label};
    std::sort(values_.begin(), values_.end());
    const auto at = [&](double p) {
      return values_[std::size_t(std::ceil(p * double(size()))) - 1];  // nearest rank
    };
    return {key, label, sum_ / double(size()), at(0.5), at(0.9), at(0.99)};
  }

 private:
  std::vector<double> values_;
  double sum_ = 0;
};

}  // namespace

ReplayRow replay_closed(const ServingJob& job, const infer::Device& device,
                        const infer::Replica& replica, double concurrency, double each) {
  const auto& load = job.asked.load;
  const auto& t = job.asked.targets;
  const double longest = std::max(job.asked.longest, double(job.model->context));
  const infer::StepOracle oracle(replica.step());
  serving::Deployment d;
  d.oracle = &oracle;
  d.engine = engine_of(replica, load, longest);
  d.progress = job.search.progress;
  d.percentile = t.percentile;
  d.replicas = 1;
  const auto mean = replica.closed_loop(concurrency, load);
  const auto stream = closed_stream(load, concurrency, each, mean.e2e.si(), longest);
  const auto r = serving::replay(stream, d, {t.ttft_s, t.tpot_s, t.e2e_s});
  // Between the last user's start and the first one's end everyone is there.
  const double begin = mean.e2e.si(), end = begin + 0.6 * (r.summary.span_s - begin);
  Sample ttft, tpot, e2e;
  double good = 0, tokens = 0;
  for (const auto& o : r.outcomes) {
    if (o.fate != serving::Fate::finished || o.end_s < begin || o.end_s > end) continue;
    ttft.add(o.ttft_s()), e2e.add(o.e2e_s());
    if (o.output > 1) tpot.add(o.tpot_s());
    tokens += o.output;
    const auto within = [](double slo, double reached) { return slo <= 0 || reached <= slo; };
    good +=
        within(t.ttft_s, o.ttft_s()) && within(t.tpot_s, o.tpot_s()) && within(t.e2e_s, o.e2e_s());
  }
  ReplayRow row;
  row.summary = device.name;
  row.requests = double(ttft.size());
  row.attained = good / std::max(row.requests, 1.0);
  row.goodput_s = good / (end - begin), row.output_s = tokens / (end - begin);
  row.busy = r.summary.busy, row.kv_used = r.summary.kv_used;
  row.preemptions = r.summary.preemptions;
  row.times = {ttft.row("ttft", "time to first token"), tpot.row("tpot", "time per output token"),
               e2e.row("e2e", "end to end")};
  row.holds = row.attained >= t.percentile;
  return row;
}

Judged judge_finalists(const ServingJob& job, infer::SearchResult& result,
                       const InferenceOptions& options) {
  Judged out;
  const bool any = result.found();
  if (options.finalists <= 0 || (!any && (result.nearest.device < 0 || result.nearest.rate_s <= 0)))
    return out;
  const std::vector<Candidate> all = any ? result.best : std::vector{result.nearest};
  std::size_t holds = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool asked = int(i) < options.finalists;
    if (!asked && (!any || holds < all.size())) break;
    out.replays.push_back(weighed(job, all[i], options.replay_requests));
    if (out.replays.back().holds) holds = std::min(holds, i);
  }
  if (!any || holds == 0) return out;
  const ReplayRow first = out.replays.front();
  const std::string why = broken(first, job.asked.targets);
  auto more = grown(job, all.front(), options.replay_requests, out.replays);
  const bool next = holds < all.size();
  if (more && next && infer::better(all[holds], *more, job.search.objective)) more.reset();
  for (std::size_t i = 0; i < std::min(holds, result.best.size()); ++i)
    result.best[i].feasible = false;  // the engine's word against the closed form's
  if (more) {
    result.best.insert(result.best.begin(), *more);
  } else if (next) {
    std::rotate(result.best.begin(), result.best.begin() + std::ptrdiff_t(holds),
                result.best.begin() + std::ptrdiff_t(holds) + 1);
  } else {
    out.none_holds = fmt::format("in the engine's replay no finalist keeps the SLOs: {} with {}",
                                 why, first.summary);
    return out;
  }
  out.remark = fmt::format(
      "the closed form's first choice, {}, does not keep the SLOs in the engine's replay ({}); {}",
      first.summary, why, more ? "it has more replicas here" : "the next best that does is chosen");
  return out;
}

}  // namespace headroom::study
