#include "serving/engine.hpp"

#include <algorithm>

#include "serving/engine_state.hpp"

namespace headroom::serving {

std::string_view refusal_text(Refusal refusal) {
  constexpr std::string_view texts[] = {
      "taken",
      "the prompt is empty",
      "a length is negative",
      "prompt and answer are longer than max_model_len",
      "it needs more KV blocks than the replica has",
      "the prompt exceeds max_num_batched_tokens and prompts are not chunked",
      "no pool serves their model and class",
      "no pool stands in a region where their class may be served"};
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

Tally Tally::since(const Tally& b) const {
  Tally t = *this;
  t.submitted -= b.submitted;
  t.finished -= b.finished;
  t.rejected -= b.rejected;
  t.lost -= b.lost;
  t.handed_over -= b.handed_over;
  t.steps -= b.steps;
  t.busy_s -= b.busy_s;
  t.decoded_tokens -= b.decoded_tokens;
  t.prompt_tokens -= b.prompt_tokens;
  t.prefilled_tokens -= b.prefilled_tokens;
  t.recomputed_tokens -= b.recomputed_tokens;
  t.cached_tokens -= b.cached_tokens;
  t.loaded_tokens -= b.loaded_tokens;
  t.preemptions -= b.preemptions;
  t.drafted_tokens -= b.drafted_tokens;
  t.accepted_tokens -= b.accepted_tokens;
  t.adapter_loads -= b.adapter_loads;
  t.kv_block_s -= b.kv_block_s;
  t.running_s -= b.running_s;
  t.waiting_s -= b.waiting_s;
  t.transfer_s -= b.transfer_s;
  return t;
}

Engine::Engine(const infer::StepOracle& oracle, const EngineConfig& config)
    : state_(std::make_unique<State>(oracle, config)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::submit(std::uint32_t id, const requests::Request& request,
                    std::span<const std::uint64_t> blocks, double now_s) {
  state_->submit(id, request, blocks, now_s);
}
void Engine::run_until(double t, std::vector<Outcome>& ended) { state_->run_until(t, ended); }
void Engine::use(const infer::StepOracle& oracle) { state_->use(oracle); }
double Engine::next_step_s() const { return state_->next_step_s(); }
double Engine::next_change_s() { return state_->next_change_s(); }
int Engine::running() const { return state_->running(); }
int Engine::waiting() const { return state_->waiting(); }
bool Engine::idle() const { return state_->idle(); }
double Engine::kv_used() const {
  return total_blocks() > 0 ? 1 - free_blocks() / total_blocks() : 0;
}
double Engine::queued_tokens() const { return state_->queued_tokens(); }
std::int32_t Engine::prefix_match(const requests::Request& request,
                                  std::span<const std::uint64_t> blocks) const {
  return state_->prefix_match(request, blocks);
}
void Engine::fail(double now_s, std::vector<Outcome>& lost) { state_->fail(now_s, lost); }
void Engine::in_flight(std::vector<Outcome>& inside) const { state_->in_flight(inside); }
const Tally& Engine::tally() const { return state_->tally(); }
const Gaps& Engine::gaps() const { return state_->gaps(); }
const EngineConfig& Engine::config() const { return state_->config(); }
double Engine::total_blocks() const { return static_cast<double>(state_->cache().total()); }
double Engine::free_blocks() const { return static_cast<double>(state_->cache().free()); }
std::string Engine::audit() const { return state_->audit(); }
void Engine::trace(StepTrace trace) { state_->trace(std::move(trace)); }

}  // namespace headroom::serving
