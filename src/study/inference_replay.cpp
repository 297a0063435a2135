// The engine's word on the finalists: the asked traffic at its peak, request by request.
#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "infer/search_pools.hpp"
#include "requests/request.hpp"
#include "serving/replay.hpp"
#include "study/inference_parts.hpp"

namespace headroom::study {

namespace {

using infer::Candidate;
using infer::Load;

constexpr int most_replicas = 4;  // a sample of a larger fleet, at the same rate a replica
constexpr double most_requests = 40000;
constexpr int block_tokens = 16;

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
  serving::EngineConfig e;
  const auto& l = replica.limits();
  e.max_num_seqs = int(l.max_batch);
  e.max_num_batched_tokens = int(l.budget);
  e.max_model_len = int(longest);
  e.block_tokens = block_tokens;
  e.prefix_cache = load.cached > 0;
  e.delivery_steps = infer::delivery_steps;
  // Sliding windows hold less than a full context: tokens as a mean sequence takes them.
  const double context = std::max(1.0, load.context());
  const double each = replica.step().kv_per_gpu(context).si() / context * block_tokens;
  e.kv_blocks = each > 0 ? std::floor(replica.memory().kv_free().si() / each) : 1e9;
  e.speculation = {int(l.speculation), l.acceptance, l.draft_cost, 0};
  return e;
}

TimesRow times(const char* key, const char* label, const serving::Percentiles& p) {
  return {key, label, p.mean, p.p50, p.p90, p.p99};
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

void replay_finalists(const ServingJob& job, const std::vector<Candidate>& best,
                      const InferenceOptions& options, InferenceRun& out) {
  const int n = std::min<int>(options.finalists, int(best.size()));
  for (int i = 0; i < n; ++i)
    out.replays.push_back(replay_one(job, best[std::size_t(i)], options.replay_requests));
}

}  // namespace headroom::study
