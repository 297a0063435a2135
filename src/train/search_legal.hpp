// Rules: whether a plan can be laid out, asked of millions of plans. Inner header of search.
//
// One table holds each rule once, as a test and as a sentence, so `legal` (under 50 ns) and
// `why` cannot disagree. Constructing it reads the model once; the job must outlive it.
//
// SOURCES. sequence % (2 cp) and (sequence / cp) % tp: NVIDIA-NeMo/RL pull 3563 (2026-08), from
// megatron/core/utils.py and tensor_parallel/mappings.py. Key-value heads that tp neither divides
// nor copies: Megatron-Core 0.16; before, tp had to divide them (ms-swift issue 8219, 2026-03).
// ep with tp needs sequence parallelism: Megatron-Core's configuration check. Heads % tp, FFN % tp,
// experts % ep and interleaving in multiples of pp: Megatron-Core, recalled. ZeRO 3 beside a
// pipeline is legal: torchtitan does it (DeepSpeed refuses).
#pragma once

#include <string>
#include <vector>

#include "train/search.hpp"

namespace headroom::train {

class Rules {
 public:
  Rules(const Job& job, bool all_gpus);

  bool legal(const ParallelPlan& plan) const;
  /// All that does not depend on ZeRO and recompute; then what of the finer settings is left.
  bool layout_legal(const ParallelPlan& plan) const;
  bool options_legal(const ParallelPlan& plan) const;
  static bool positive(const ParallelPlan& plan);  ///< no part is below one
  std::vector<std::string> why(const ParallelPlan& plan) const;

  // What single rules ask, for the search space to list choices by.
  bool heads_split(int tp) const;  ///< heads, key-value heads
  bool ffn_splits(const ParallelPlan& plan) const;
  bool bars_schedule(const ParallelPlan& plan) const;  ///< pipeline_plan.hpp's schedule_problem
  bool stages_split(const ParallelPlan& plan) const;
  /// The layers of the ranks, as memory and step lay them out.
  StageLayers stages(const ParallelPlan& plan) const;

  const Job& job() const { return job_; }
  bool all_gpus() const { return all_gpus_; }

 private:
  const Job& job_;
  bool all_gpus_;
  bool dense_layers_ = false;
  double head_layers_ = 0;
};

/// The plan has settings beyond the layout (options.hpp).
bool has_options(const ParallelPlan& plan);

/// Nearest numbers below and above `value` for which `ok` holds, within 1..most, in words:
/// "4", "4 or 8"; "none" when there is none.
template <class Predicate>
std::string nearest(int value, int most, Predicate ok) {
  int below = std::min(value - 1, most), above = std::max(1, value + 1);
  while (below > 0 && !ok(below)) --below;
  while (above <= most && !ok(above)) ++above;
  if (below > 0 && above <= most) return std::to_string(below) + " or " + std::to_string(above);
  if (below > 0) return std::to_string(below);
  return above <= most ? std::to_string(above) : "none";
}

}  // namespace headroom::train
