#include "serving/engine.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

namespace headroom::serving {

std::string_view refusal_text(Refusal refusal) {
  constexpr std::string_view texts[] = {
      "taken",
      "the prompt is empty",
      "a length is negative",
      "prompt and answer are longer than max_model_len",
      "it needs more KV blocks than the replica has",
      "the prompt exceeds max_num_batched_tokens and prompts are not chunked"};
  return texts[static_cast<int>(refusal)];
}

void Tally::add(const Tally& o) {
  submitted += o.submitted;
  finished += o.finished;
  rejected += o.rejected;
  lost += o.lost;
  handed_over += o.handed_over;
  steps += o.steps;
  busy_s += o.busy_s;
  decoded_tokens += o.decoded_tokens;
  prompt_tokens += o.prompt_tokens;
  prefilled_tokens += o.prefilled_tokens;
  recomputed_tokens += o.recomputed_tokens;
  cached_tokens += o.cached_tokens;
  loaded_tokens += o.loaded_tokens;
  preemptions += o.preemptions;
  drafted_tokens += o.drafted_tokens;
  accepted_tokens += o.accepted_tokens;
  adapter_loads += o.adapter_loads;
  kv_block_s += o.kv_block_s;
  kv_peak = std::max(kv_peak, o.kv_peak);
  running_s += o.running_s;
  waiting_s += o.waiting_s;
  transfer_s += o.transfer_s;
}

// One step at a time, every sequence by itself.
class Engine::State {
 public:
  struct Sequence {
    Outcome outcome;
    std::int32_t prompt, output, made = 0, computed = 0, blocks = 0;
    std::int16_t priority = 0;
    double ready_s = 0, last_s = 0;
    std::int32_t tokens() const { return prompt + made; }
  };

  State(const infer::StepOracle& o, const EngineConfig& c)
      : oracle(&o), config(c), total(std::floor(c.kv_blocks)), free(total) {}

  std::int32_t blocks_for(std::int32_t tokens) const {
    return (tokens + config.block_tokens - 1) / config.block_tokens;
  }
  Refusal refusal(const requests::Request& r) const {
    if (r.prompt < 0 || r.output < 0) return Refusal::negative_length;
    if (r.prompt == 0) return Refusal::empty_prompt;
    if (config.max_model_len > 0 && r.prompt + r.output > config.max_model_len) {
      return Refusal::too_long;
    }
    if (blocks_for(r.prompt + std::max(r.output, 1) - 1) > total) return Refusal::beyond_memory;
    if (!config.chunked_prefill && r.prompt > config.max_num_batched_tokens) {
      return Refusal::beyond_budget;
    }
    return Refusal::none;
  }
  void submit(std::uint32_t id, const requests::Request& r, double now_s) {
    Sequence s{};
    s.outcome.request = id;
    s.outcome.arrival_s = now_s;
    s.outcome.prompt = r.prompt;
    s.prompt = r.prompt;
    s.output = r.output;
    s.priority = r.priority;
    s.ready_s = now_s + config.intake_s + config.intake_token_s * r.prompt;
    tally.submitted += 1;
    s.outcome.refusal = refusal(r);
    if (s.outcome.refusal != Refusal::none) {
      s.outcome.fate = Fate::rejected;
      s.outcome.end_s = now_s;
      tally.rejected += 1;
      refused.push_back(s.outcome);
      return;
    }
    incoming.push_back(s);
  }
  double next_step_s() const {
    if (!running.empty() || !waiting.empty()) return clock;
    double first = never;
    for (const auto& s : incoming) first = std::min(first, s.ready_s);
    return std::max(first, clock);
  }
  void let_in(double now) {
    for (std::size_t i = 0; i < incoming.size();) {
      if (incoming[i].ready_s > now) {
        ++i;
        continue;
      }
      const auto s = incoming[i];
      incoming.erase(incoming.begin() + static_cast<std::ptrdiff_t>(i));
      auto at = waiting.end();
      if (config.priorities) {
        at = std::find_if(waiting.begin(), waiting.end(),
                          [&](const Sequence& w) { return w.priority > s.priority; });
      }
      waiting.insert(at, s);
    }
  }
  bool preempt(std::size_t& current) {
    std::size_t victim = running.size() - 1;
    if (config.priorities) {
      for (std::size_t i = 0; i < running.size(); ++i) {
        if (running[i].priority > running[victim].priority) victim = i;
      }
    }
    auto s = running[victim];
    free += s.blocks;
    s.blocks = s.computed = 0;
    ++s.outcome.preemptions;
    tally.preemptions += 1;
    const auto chunk = chunks[victim];
    budget += chunk;
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(victim));
    chunks.erase(chunks.begin() + static_cast<std::ptrdiff_t>(victim));
    waiting.push_front(s);
    const bool self = victim == current;
    if (victim < current) --current;
    return !self;
  }
  bool take(Sequence& s, std::int32_t tokens) {
    const auto need = blocks_for(s.computed + tokens) - s.blocks;
    if (need > free) return false;
    free -= need;
    s.blocks += need;
    return true;
  }
  void compose() {
    budget = config.max_num_batched_tokens;
    chunks.assign(running.size(), 0);
    bool preempted = false, stop = false;
    for (std::size_t i = 0; i < running.size() && budget > 0 && !stop; ++i) {
      const auto n = std::min<std::int32_t>(running[i].tokens() - running[i].computed, budget);
      while (!take(running[i], n)) {
        preempted = true;
        if (!preempt(i)) {
          stop = true;
          break;
        }
      }
      if (stop) break;
      chunks[i] = n;
      budget -= n;
    }
    while (!preempted && !waiting.empty() && budget > 0 &&
           static_cast<int>(running.size()) < config.max_num_seqs) {
      auto& s = waiting.front();
      const auto all = s.tokens() - s.computed;
      if (!config.chunked_prefill && all > budget) break;
      const auto n = std::min<std::int32_t>(all, budget);
      if (!take(s, n)) break;
      if (s.outcome.scheduled_s == 0) s.outcome.scheduled_s = clock;
      tally.waiting_s += clock - s.ready_s;
      running.push_back(s);
      chunks.push_back(n);
      waiting.pop_front();
      budget -= n;
    }
  }
  double load_s() const {
    infer::StepLoad load;
    for (std::size_t i = 0; i < running.size(); ++i) {
      const auto& s = running[i];
      const double n = chunks[i];
      if (n <= 0) continue;
      if (s.made > 0 && s.computed + 1 == s.tokens()) {
        load.decodes += 1;
        load.keys += s.tokens();
      } else {
        load.prefill += n;
        load.prefill_pairs += n * s.computed + n * (n + 1) / 2;
        load.prompts += 1;
      }
    }
    return oracle->step_s(load);
  }
  void step(std::vector<Outcome>& ended) {
    compose();
    const double took = load_s(), start = clock, end = clock + took;
    const double shown = end + config.delivery_s + config.delivery_steps * took;
    tally.steps += 1;
    tally.busy_s += took;
    tally.kv_block_s += (total - free) * took;
    tally.kv_peak = std::max(tally.kv_peak, total - free);
    tally.running_s += took * static_cast<double>(running.size());
    clock = end;
    const int decodes = static_cast<int>(running.size());
    for (std::size_t i = 0; i < running.size();) {
      auto& s = running[i];
      s.computed += chunks[i];
      if (chunks[i] > 0 && s.computed == s.tokens()) {
        if (s.made == 0) {
          s.outcome.first_token_s = shown;
          tally.prompt_tokens += s.prompt;
        } else {
          gaps.add(end - s.last_s);
          s.outcome.longest_gap_us =
              std::max(s.outcome.longest_gap_us, static_cast<std::int32_t>((end - s.last_s) * 1e6));
        }
        s.last_s = end;
        if (s.output > 0) {
          ++s.made;
          tally.decoded_tokens += 1;
        }
        if (s.made >= s.output) {
          s.outcome.end_s = shown;
          s.outcome.output = s.made;
          s.outcome.fate = Fate::finished;
          tally.finished += 1;
          free += s.blocks;
          ended.push_back(s.outcome);
          running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
          chunks.erase(chunks.begin() + static_cast<std::ptrdiff_t>(i));
          continue;
        }
      }
      ++i;
    }
    if (trace) {
      StepEvent e;
      e.start_s = start;
      e.end_s = end;
      e.decodes = decodes;
      e.running = static_cast<int>(running.size());
      e.waiting = static_cast<int>(waiting.size());
      e.free_blocks = free;
      trace(e);
    }
  }
  void run_until(double t, std::vector<Outcome>& ended) {
    ended.insert(ended.end(), refused.begin(), refused.end());
    refused.clear();
    for (double next = next_step_s(); next < t; next = next_step_s()) {
      clock = next;
      let_in(clock);
      step(ended);
    }
  }

  const infer::StepOracle* oracle;
  EngineConfig config;
  double total, free, clock = 0;
  std::int32_t budget = 0;
  std::deque<Sequence> incoming, waiting;
  std::vector<Sequence> running;
  std::vector<std::int32_t> chunks;
  std::vector<Outcome> refused;
  Tally tally;
  Gaps gaps;
  StepTrace trace;
};

Engine::Engine(const infer::StepOracle& oracle, const EngineConfig& config)
    : state_(std::make_unique<State>(oracle, config)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::submit(std::uint32_t id, const requests::Request& request,
                    std::span<const std::uint64_t>, double now_s) {
  state_->submit(id, request, now_s);
}
void Engine::run_until(double t, std::vector<Outcome>& ended) { state_->run_until(t, ended); }
double Engine::next_step_s() const { return state_->next_step_s(); }
double Engine::next_change_s() { return state_->next_step_s(); }
int Engine::running() const { return static_cast<int>(state_->running.size()); }
int Engine::waiting() const {
  return static_cast<int>(state_->waiting.size() + state_->incoming.size());
}
double Engine::kv_used() const { return state_->total > 0 ? 1 - state_->free / state_->total : 0; }
double Engine::queued_tokens() const {
  double sum = 0;
  for (const auto& s : state_->incoming) sum += s.prompt;
  for (const auto& s : state_->waiting) sum += s.tokens();
  for (const auto& s : state_->running) sum += s.made > 0 ? 0 : s.prompt - s.computed;
  return sum;
}
std::int32_t Engine::prefix_match(const requests::Request&, std::span<const std::uint64_t>) const {
  return 0;
}
void Engine::in_flight(std::vector<Outcome>& inside) const {
  const auto put = [&](const State::Sequence& s) {
    inside.push_back(s.outcome);
    inside.back().output = s.made;
  };
  for (const auto& s : state_->running) put(s);
  for (const auto& s : state_->waiting) put(s);
  for (const auto& s : state_->incoming) put(s);
}
void Engine::fail(double now_s, std::vector<Outcome>& lost) {
  const auto first = lost.size();
  in_flight(lost);
  for (auto i = first; i < lost.size(); ++i) {
    lost[i].fate = Fate::lost;
    lost[i].end_s = now_s;
  }
  state_->tally.lost += static_cast<double>(lost.size() - first);
  state_->running.clear();
  state_->waiting.clear();
  state_->incoming.clear();
  state_->free = state_->total;
  state_->clock = now_s;
}
const Tally& Engine::tally() const { return state_->tally; }
const Gaps& Engine::gaps() const { return state_->gaps; }
const EngineConfig& Engine::config() const { return state_->config; }
double Engine::total_blocks() const { return state_->total; }
double Engine::free_blocks() const { return state_->free; }
void Engine::trace(StepTrace trace) { state_->trace = std::move(trace); }

}  // namespace headroom::serving
