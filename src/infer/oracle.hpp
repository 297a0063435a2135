// StepOracle: how long one step of an engine takes, for any composition of its batch.
//
// The engine (serving/engine.hpp), the closed forms (capacity.hpp) and the validation of both ask
// this one object. It is StepModel with everything that does not change between steps worked out
// in the constructor.
//
//   StepOracle oracle(step_model);
//   double s = oracle.step_s({.decodes = 64, .keys = 64 * 1500.0});
//
// `run_s` is the time of `steps` steps in a row in which every decoding sequence gains one
// token and nothing else changes: what lets an engine skip ahead. It equals the sum of `step_s`
// over the run within 1e-4 (tested).
//
// Complexity: O(1), no allocation, < 1 us. Thread-safe (const).
#pragma once

#include "infer/step.hpp"

namespace headroom::infer {

/// What one step holds. Sums over sequences, so that an engine can keep them up to date.
struct StepLoad {
  double decodes = 0;        ///< sequences that get a token
  double keys = 0;           ///< tokens in their caches, summed
  double prefill = 0;        ///< fresh prompt tokens
  double prefill_pairs = 0;  ///< keys that each of those attends to, summed
  double prompts = 0;        ///< prompts or parts of prompts those belong to
  double verify = 0;         ///< draft tokens checked beside each decode (speculation)
  double adapters = 0;       ///< distinct LoRA adapters among the sequences
};

class StepOracle {
 public:
  explicit StepOracle(const StepModel& model);

  double step_s(const StepLoad& load) const;
  double run_s(const StepLoad& load, int steps) const;
  /// Bytes of KV cache one token takes on one GPU, sliding windows aside (SI: bit).
  double kv_bits_per_token() const;

  const StepModel& model() const { return model_; }

 private:
  StepModel model_;
};

}  // namespace headroom::infer
