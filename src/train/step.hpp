// Step: the time of one optimiser step, taken apart.
//
// A pipeline of p ranks, v chunks each, m micro-batches. Rank r needs S_r for a
// micro-batch, forward and backward: its layers, and the embedding (first) or the
// output head and loss (last). The slowest rank sets the pace, m S_max; fill, drain and
// sends are the closed form of the plan's schedule (pipeline.hpp), which for equal stages
// of 1F1B is m S (1 + (p - 1) / (v m)), Narayanan et al. 2021. Then
//
//   step = (pipeline + sends + exposed data-parallel + contention + optimiser)
//          x (1 + jitter) / efficiency
//
// contention: what is hidden slows the compute beside it (software.hpp).
//
// Data-parallel traffic (gradients reduce-scattered and weights gathered, or
// all-reduced without ZeRO) runs behind the last micro-batch's backward pass and
// the next step's first forward pass; what does not fit is exposed, and so is the
// last bucket. ZeRO 2 reduces gradients into their shard at every micro-batch (interleaved:
// every pp of them, since a chunk runs its backward pass for so many in a row), each behind
// its own backward pass as far as it fits; what replicas of a shard group add up (HSDP)
// they do once. FSDP gathers every layer twice and reduces it once a micro-batch, each
// behind the neighbouring layer.
//
// MFU = model FLOPs (no recomputation) / (time x GPUs x dense peak of the job's
// precision), given for causal (s/2) and full (s) attention; HFU counts recomputation.
//
// VALIDITY and errors by source: docs/models/train.md. Complexity: O(1), about
// 1 us after layer_cost and end_cost; no allocation.
#pragma once

#include <array>

#include "train/cost.hpp"
#include "train/memory.hpp"
#include "train/pipeline.hpp"

namespace headroom::train {

/// Seconds of communication that compute hides; not part of the step's total.
struct HiddenTime {
  double tensor = 0, expert = 0, context = 0, data = 0;
};

/// Seconds; the parts sum to `total()`.
struct StepTime {
  double gemm = 0;  ///< matrix products of the slowest rank's layers
  double attention = 0;
  double stream = 0;  ///< norms, activations, residuals, adapters
  double recompute = 0;
  double ends = 0;        ///< embedding, output head and loss on that rank
  double launch = 0;      ///< GPU idle because the host launches too slowly
  double tensor = 0;      ///< exposed tensor-parallel collectives
  double expert = 0;      ///< exposed expert all-to-all
  double context = 0;     ///< exposed context-parallel exchange
  double bubble = 0;      ///< fill and drain of the pipeline
  double sends = 0;       ///< exposed sends between stages
  double data = 0;        ///< exposed data-parallel traffic
  double contention = 0;  ///< compute slowed while data-parallel traffic runs beside it
  double optimiser = 0;
  double offload = 0;   ///< waiting for the host link, and for the host's share of the optimiser
  double jitter = 0;    ///< waiting for the slowest GPU
  double software = 0;  ///< what the efficiency factor adds (or takes)
  HiddenTime hidden;

  double total() const;
  /// Matrix products, attention and passes over memory: when GPUs draw full power.
  double busy() const { return gemm + attention + stream + recompute + ends + optimiser; }
};

/// One line of the breakdown, for reports.
struct StepPart {
  const char* name;
  double seconds;
};
inline constexpr int step_part_count = 17;
/// All parts in display order; exactly step_part_count.
std::array<StepPart, step_part_count> parts(const StepTime& t);

/// What search reuses between plans of the same (tp, cp, ep, micro_batch).
struct PlanCosts {
  Sizes sizes;
  LayerCost layer;
  EndCost ends;
};
PlanCosts plan_costs(const Job& job, const ParallelPlan& plan);

/// Time of the plan's pipeline, nothing but zeros without one. ZeRO and offload do not change it.
PipelineTime plan_pipeline_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan);

StepTime step_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan);
/// The same with that time at hand.
StepTime step_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan,
                   const PipelineTime& pipe);
StepTime step_time(const Job& job, const ParallelPlan& plan);

/// Multi-token prediction modules are model FLOPs of pre-training: a layer, the projection and the
/// head again, for each.
struct StepFlops {
  double model_causal = 0;  ///< of the whole step, all GPUs
  double model_full = 0;
  double hardware = 0;  ///< causal, with what is recomputed
};
StepFlops step_flops(const Job& job, const ParallelPlan& plan);

/// flops / (seconds x GPUs x peak); 0 when any of them is.
double utilisation(const Job& job, const ParallelPlan& plan, double flops, double seconds);

}  // namespace headroom::train
