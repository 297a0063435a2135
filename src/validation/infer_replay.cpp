#include "validation/infer_replay.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "requests/request.hpp"
#include "serving/engine_settings.hpp"

namespace headroom::validation {
namespace {

using requests::Request;
using serving::Engine;
using serving::EngineConfig;
using serving::Fate;
using serving::Outcome;

constexpr int block = 16;  // tokens of vLLM's KV blocks

std::int32_t whole(double tokens) { return std::int32_t(std::clamp(std::round(tokens), 1.0, 1e7)); }

/// Steps of an engine, to tell when it took a request in.
class Boundaries {
 public:
  void watch(Engine& engine) {
    engine.trace([this](const serving::StepEvent& e) { steps_.push_back(e); });
  }
  /// Start of the first step at or after `t`; `t` when the engine was idle.
  double taken_in(double t) const {
    const auto at = std::partition_point(steps_.begin(), steps_.end(),
                                         [t](const auto& e) { return e.end_s <= t; });
    if (at == steps_.end() || at->start_s >= t) return t;
    // Within a run of equal steps the next boundary is a whole number of them on.
    const double each = (at->end_s - at->start_s) / double(std::max<std::int64_t>(1, at->steps));
    return each > 0 ? at->start_s + each * std::ceil((t - at->start_s) / each) : t;
  }

 private:
  std::vector<serving::StepEvent> steps_;
};

Seen seen_of(const Outcome& o, double from_s) {
  return {o.first_token_s - from_s, o.tpot_s(), o.end_s - from_s};
}

/// Linear congruential draws in [0, 1): the same on every machine.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 2862933555777941757ull + 3037000493ull) {}
  double next() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return double(state_ >> 11) * 0x1.0p-53;
  }

 private:
  std::uint64_t state_;
};

std::uint64_t hash_of(std::uint64_t kind, std::uint64_t who, std::uint64_t at) {
  std::uint64_t h = kind * 0x9e3779b97f4a7c15ull ^ who * 0xc2b2ae3d27d4eb4full ^ (at + 1);
  h ^= h >> 33, h *= 0xff51afd7ed558ccdull, h ^= h >> 33, h *= 0xc4ceb9fe1a85ec53ull;
  return h ^ (h >> 33);
}

/// Hashes of a user's prompt: the system prompt's blocks are the group's, the rest its own.
std::vector<std::uint64_t> prompt_hashes(int user, int group, double system, double prompt) {
  std::vector<std::uint64_t> out;
  const int shared = int(system / block), all = int(prompt / block);
  for (int i = 0; i < all; ++i)
    out.push_back(i < shared ? hash_of(1, std::uint64_t(group), std::uint64_t(i))
                             : hash_of(2, std::uint64_t(user), std::uint64_t(i)));
  return out;
}

/// The hashes of the prompts that an open-loop client sends in turn. A mean length that is whole in
/// hundredths, over thousands of requests and the same in all stages of a run, is that of passes
/// over 100 prompts that have nothing in common; otherwise one prompt a session, system prompts
/// shared.
std::vector<std::vector<std::uint64_t>> client_prompts(const InferRow& row, double length) {
  const auto whole_number = [&](const char* key) {
    return int(std::clamp(row.facts.number(key).value_or(1), 1.0, 1e4));
  };
  constexpr int independent = 100;
  std::vector<std::vector<std::uint64_t>> out;
  const double sum = row.facts.number("stage.prompt_tokens_mean").value_or(0) * independent;
  if (sum > 0 && std::abs(sum - std::round(sum)) < 1e-9 * sum) {
    for (int i = 0; i < independent; ++i) out.push_back(prompt_hashes(i, i, 0, length));
    return out;
  }
  const int groups = whole_number("workload.unique_system_prompts");
  const int users = groups * whole_number("workload.users_per_system_prompt");
  const double system = row.facts.number("workload.system_prompt_len").value_or(0);
  for (int u = 0; u < users; ++u) out.push_back(prompt_hashes(u, u % groups, system, length));
  return out;
}

/// Arrival times of inference-perf's "constant" load: exponential gaps, stretched so that all of
/// them fill the stage (its ConstantLoadTimer).
std::vector<double> constant_load(std::uint32_t count, double duration_s, std::uint64_t seed) {
  Draw draw(seed);
  std::vector<double> at(count);
  double sum = 0;
  for (auto& t : at) t = sum -= std::log1p(-draw.next());
  for (auto& t : at) t *= duration_s / sum;
  return at;
}

infer::Load load_of(const InferCase& c) {
  infer::Load l;
  l.rate_s = c.rate_s, l.input = c.input, l.output = c.output, l.arrival_cv = 0;
  l.cached = c.cached;
  return l;
}

}  // namespace

std::optional<double> statistic(const std::vector<Seen>& seen, const std::string& metric) {
  const auto at = metric.find('_');
  const auto what = metric.substr(0, at);
  const auto how = at == std::string::npos ? std::string("mean") : metric.substr(at + 1);
  std::vector<double> values;
  for (const auto& s : seen) {
    if (what == "ttft") values.push_back(s.ttft_s);
    if ((what == "tpot" || what == "itl") && s.tpot_s > 0) values.push_back(s.tpot_s);
    if (what == "e2e" || what == "latency") values.push_back(s.e2e_s);
  }
  if (values.empty()) return std::nullopt;
  if (how == "mean") {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / double(values.size());
  }
  if (how.size() < 2 || how[0] != 'p') return std::nullopt;
  const auto share = parse_number(how.substr(1));
  if (!share) return std::nullopt;
  return quantile(std::move(values), *share / 100);
}

std::vector<Seen> seen_of(const RequestLog& log) {
  std::vector<Seen> out;
  for (const auto& r : log.requests) {
    if (r.output < 1) continue;
    const double tpot = r.output > 1 ? (r.last_token_s - r.first_token_s) / (r.output - 1) : 0;
    out.push_back({r.first_token_s - r.queued_s, tpot, r.last_token_s - r.queued_s});
  }
  return out;
}

EngineConfig engine_of(const InferCase& c, const infer::StepModel& step) {
  const auto memory = infer::replica_memory(step, c.limits, *c.model);
  auto e = serving::engine_config(step, c.limits, memory,
                                  {.context = c.input + c.output / 2, .delivery_steps = 0});
  e.hash_tokens = e.block_tokens;
  return e;
}

std::vector<Seen> replay_log(const InferCase& c, const infer::StepModel& step) {
  const infer::StepOracle oracle(step);
  Engine engine(oracle, engine_of(c, step));
  Boundaries steps;
  steps.watch(engine);
  std::vector<Outcome> ended;
  const auto& log = c.row->log->requests;
  for (std::size_t i = 0; i < log.size(); ++i) {
    Request r;
    r.arrival_s = log[i].arrival_s;
    r.prompt = whole(log[i].input), r.output = whole(log[i].output);
    engine.run_until(r.arrival_s, ended);
    engine.submit(std::uint32_t(i), r, {}, r.arrival_s);
  }
  engine.run_until(Engine::never, ended);
  std::vector<Seen> out;
  for (const auto& o : ended)
    if (o.fate == Fate::finished) out.push_back(seen_of(o, steps.taken_in(o.arrival_s)));
  return out;
}

namespace {

/// One draw of a run's arrivals through one engine; what was seen goes to the stages' results.
void replay_draw(const std::vector<const InferCase*>& stages, const infer::StepOracle& oracle,
                 const EngineConfig& config, std::uint64_t draw, std::vector<StageResult>& out) {
  Engine engine(oracle, config);
  const auto hashes = client_prompts(*stages.front()->row, stages.front()->input);
  double start = 0;
  std::uint32_t id = 0;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const auto* c = stages[s];
    constexpr double longest = 7200;
    const double duration =
        std::clamp(c->row->facts.number("stage.duration_s").value_or(600), 1.0, longest);
    const auto count = std::uint32_t(std::clamp(std::round(duration * c->rate_s), 1.0, 1e6));
    const auto arrivals = constant_load(count, duration, draw * stages.size() + s + 1);
    std::vector<Outcome> ended;
    for (std::uint32_t i = 0; i < count; ++i, ++id) {
      Request r;
      r.arrival_s = start + arrivals[i];
      r.prompt = whole(c->input), r.output = whole(c->output);
      const auto& blocks = hashes[i % hashes.size()];
      r.blocks = std::uint32_t(blocks.size());
      engine.run_until(r.arrival_s, ended);
      engine.submit(id, r, blocks, r.arrival_s);
    }
    engine.run_until(Engine::never, ended);
    start += duration;
    for (const auto& e : ended) {
      start = std::max(start, e.end_s);
      if (e.fate == Fate::finished) out[s].seen.push_back(seen_of(e, e.arrival_s));
    }
  }
}

}  // namespace

std::vector<StageResult> replay_stages(const std::vector<const InferCase*>& stages,
                                       const infer::StepModel& step) {
  std::vector<StageResult> out(stages.size());
  if (stages.empty()) return out;
  bool steady = true;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const infer::Replica replica(*stages[s]->model, step, stages[s]->limits);
    const auto o = replica.operate(load_of(*stages[s]), 0.5);
    out[s].overloaded = !o.stable, out[s].saturation_s = o.saturation_s;
    steady = steady && o.stable;
  }
  const infer::StepOracle oracle(step);
  auto config = engine_of(*stages.front(), step);
  config.schedule_ahead = 1;  // the first of the steps of delivery: vLLM schedules asynchronously
  config.delivery_steps = infer::delivery_steps - 1;
  // Which gaps a run drew is not known: a stage near its limit waits by their chance.
  const std::uint64_t draws = steady ? 16 : 1;
  for (std::uint64_t draw = 0; draw < draws; ++draw) replay_draw(stages, oracle, config, draw, out);
  return out;
}

std::vector<Seen> replay_closed(const InferCase& c, const infer::StepModel& step) {
  const infer::StepOracle oracle(step);
  auto config = engine_of(c, step);
  config.delivery_steps = infer::delivery_steps;
  Engine engine(oracle, config);
  const auto users = std::uint32_t(std::clamp(c.concurrency, 1.0, 2e4));
  constexpr std::uint32_t prompts_a_user = 10;  // InferenceX: num_prompts = 10 x concurrency
  Draw draw(users);
  const auto next = [&] {
    Request r;
    // Lengths are uniform in 0.8 to 1.0 of the nominal; the case holds the mean, 0.9 of it.
    const double in = c.drawn ? (0.8 + 0.2 * draw.next()) / 0.9 : 1;
    const double out = c.drawn ? (0.8 + 0.2 * draw.next()) / 0.9 : 1;
    r.prompt = whole(c.input * in), r.output = whole(c.output * out);
    return r;
  };
  std::uint32_t sent = 0;
  for (; sent < users; ++sent) engine.submit(sent, next(), {}, 0);
  std::vector<Outcome> ended;
  std::vector<Seen> out;
  double now = 0;
  for (std::size_t read = 0; read < std::size_t(users) * prompts_a_user;) {
    const double t = engine.next_step_s();
    if (t == Engine::never && read == ended.size()) break;
    now = std::max(now, std::nextafter(t, Engine::never));
    engine.run_until(now, ended);
    for (; read < ended.size(); ++read) {
      const auto o = ended[read];
      if (o.fate == Fate::finished) out.push_back(seen_of(o, o.arrival_s));
      if (sent >= users * prompts_a_user) continue;
      now = std::max(now, o.end_s);
      engine.submit(sent++, next(), {}, now);
    }
  }
  return out;
}

}  // namespace headroom::validation
