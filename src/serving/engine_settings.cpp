#include "serving/engine_settings.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {

double kv_token_bits(const infer::StepModel& step, double context) {
  const double tokens = std::max(1.0, context);
  return step.kv_per_gpu(tokens).si() / tokens;
}

EngineConfig engine_config(const infer::StepModel& step, const infer::EngineLimits& limits,
                           const infer::Memory& memory, const EngineAsk& ask) {
  constexpr double unbounded = 1e9;
  EngineConfig e;
  e.max_num_seqs = static_cast<int>(std::clamp(limits.max_batch, 1.0, 1e6));
  e.max_num_batched_tokens = static_cast<int>(std::clamp(limits.budget, 1.0, 1e9));
  e.max_model_len = static_cast<int>(std::clamp(ask.max_model_len, 0.0, 2e9));
  e.block_tokens = ask.block_tokens;
  e.prefix_cache = ask.prefix_cache;
  e.delivery_steps = ask.delivery_steps;
  e.speculation.length = static_cast<int>(limits.speculation);
  e.speculation.acceptance = limits.acceptance;
  e.speculation.draft_cost = limits.draft_cost;
  const double block_bits = kv_token_bits(step, ask.context) * ask.block_tokens;
  const double free_bits = std::max(0.0, memory.kv_free().si() - ask.taken_bits);
  e.kv_blocks = block_bits > 0 ? std::floor(free_bits / block_bits) : unbounded;
  return e;
}

}  // namespace headroom::serving
