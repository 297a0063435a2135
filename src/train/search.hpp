// Search: the fastest parallel plan that fits the memory.
//
// Enumerates every legal (tp, pp, vpp, cp, ep, dp, micro-batch, ZeRO, recompute):
//   tp    divides heads and FFN width, and stays inside a scale-up domain unless fixed
//   pp    powers of two and divisors of the layer count, stages of stage_layers()
//   vpp   chunks of at least one layer, micro-batches a multiple of pp (Megatron-Core)
//   cp    powers of two that leave at least 4,096 tokens a rank
//   ep    powers of two that divide the experts and tp x cp x dp
//   dp    the largest that the GPUs and the global batch allow
//   ZeRO  optimiser sharding, and FSDP without a pipeline
//   recompute  the least that fits: none, selective, full
//
// A fixed global batch must be a multiple of dp x micro-batch, so a plan may leave
// GPUs idle; `Candidate::plan.gpus()` says how many it uses. A batch that the
// user left open (Job::batch_fixed == false) moves by at most a quarter.
//
// Fastest means most tokens a second; ties fall to fewer pipeline stages, then
// smaller tp, so the answer does not depend on the order of enumeration.
//
// Complexity: about 1 us a plan; Llama 3.1 405B on 16,384 or 100,000 GPUs needs a
// few thousand plans, below 5 ms. Deterministic, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "train/step.hpp"

namespace headroom::train {

struct Candidate {
  ParallelPlan plan;
  StepTime time;
  MemoryItems memory;
  double tokens_per_s = 0;
};

struct SearchResult {
  std::vector<Candidate> best;  ///< fitting plans, fastest first, at most `keep`
  Candidate least_memory;       ///< the legal plan that needs least; valid when legal > 0
  long legal = 0;               ///< plans that could be laid out
  long fitting = 0;             ///< and fit the memory
  std::string obstacle;         ///< why nothing is legal; empty otherwise

  bool fits() const { return !best.empty(); }
};

struct SearchOptions {
  PlanSpec fixed;
  int keep = 3;
};

SearchResult search(const Job& job, const SearchOptions& options = {});

/// One plan, as given. Does not check legality.
Candidate evaluate(const Job& job, const ParallelPlan& plan);

/// Why a plan cannot be laid out for this job, with the nearest legal choice; empty
/// when it can.
std::string illegal(const Job& job, const ParallelPlan& plan);

}  // namespace headroom::train
