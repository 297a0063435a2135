// Engine settings from a replica as the closed form knows it: the one place where limits and
// memory of infer/capacity.hpp become an EngineConfig.
//
//   EngineConfig e = engine_config(step, limits, infer::replica_memory(step, limits, model),
//                                  {.context = input + output / 2});
//
//   kv_blocks = floor((memory free for KV - `taken_bits`) / (block_tokens x bits of a token)), both
//   of one GPU; 1e9 where the model caches nothing. Below zero counts as zero.
//
// A token's bits are those of a mean sequence (`context` tokens): sliding windows hold less than
// a full context. What callers add beside this is theirs to say: roles, tiers, adapters' slots,
// priorities, the stream's hash size, and for logs of a server no delivery to a client.
//
// Pure, O(1).
#pragma once

#include "infer/capacity.hpp"
#include "serving/engine.hpp"

namespace headroom::serving {

/// What a replica's limits do not tell.
struct EngineAsk {
  double context = 1;        ///< tokens of a mean sequence while it decodes
  double max_model_len = 0;  ///< 0: no limit
  int block_tokens = 16;     ///< vLLM's block size
  bool prefix_cache = true;
  double taken_bits = 0;                          ///< of one GPU's KV memory, by adapters
  double delivery_steps = infer::delivery_steps;  ///< to a client
};

/// Bits that a token of a sequence of `context` tokens takes on one GPU.
double kv_token_bits(const infer::StepModel& step, double context);

EngineConfig engine_config(const infer::StepModel& step, const infer::EngineLimits& limits,
                           const infer::Memory& memory, const EngineAsk& ask);

}  // namespace headroom::serving
