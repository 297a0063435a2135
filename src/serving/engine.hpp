// Engine: one replica of a serving engine, step by step, with the semantics of vLLM V1.
//
//   Engine engine(oracle, config);
//   engine.submit(0, request, blocks, now);
//   engine.run_until(t, ended);          // every step that starts before t
//
// Time is simulated; the engine knows no wall clock, no randomness beyond its seed and no other
// replica. Routing, failures and scaling are the fleet's (fleet.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/oracle.hpp"
#include "requests/request.hpp"

namespace headroom::serving {

struct EngineConfig {
  int max_num_seqs = 256;
  int max_num_batched_tokens = 8192;
  int max_model_len = 0;  ///< 0: no limit
  int block_tokens = 16;  ///< of the paged KV cache
  double kv_blocks = 0;   ///< that fit beside the weights
  bool prefix_cache = true;
  bool chunked_prefill = true;
  bool priorities = false;       ///< --scheduling-policy priority
  bool static_batching = false;  ///< a batch is filled, run to its end, and replaced
};

/// What became of a request. Times in seconds of the stream.
enum class Fate : unsigned char { finished, rejected, lost, in_flight };

struct Outcome {
  std::uint32_t request = 0;  ///< index into the stream
  double arrival_s = 0, scheduled_s = 0, first_token_s = 0, end_s = 0;
  std::int32_t prompt = 0, output = 0, cached = 0;  ///< cached: prompt tokens found in the cache
  std::int32_t longest_gap_us = 0;                  ///< largest gap between two tokens
  std::uint16_t replica = 0, preemptions = 0;
  Fate fate = Fate::in_flight;

  double ttft_s() const { return first_token_s - arrival_s; }
  /// Time per output token, first one not counted; 0 for answers of one token.
  double tpot_s() const { return output > 1 ? (end_s - first_token_s) / (output - 1) : 0; }
  double e2e_s() const { return end_s - arrival_s; }
};

}  // namespace headroom::serving
