// Options: which of a plan's finer settings a job can have.
//
// search.hpp's illegal() checks how ranks are laid out; this one checks what ParallelPlan
// says beyond that: expert-tensor parallelism, shard groups, kinds of context parallelism,
// modules and layers to recompute, stages given by hand, offload. Messages say what was
// wrong, what was expected and the nearest legal choice.
//
// Complexity: a few comparisons; no allocation when the plan is legal.
#pragma once

#include <string>

#include "train/cost.hpp"

namespace headroom::train {

/// Why the finer settings of a plan are impossible for this job; empty when they are fine.
std::string illegal_options(const Job& job, const ParallelPlan& plan);

/// The divisor of `n` nearest to `wanted`; the smaller of two as near.
int nearest_divisor(int n, int wanted);

}  // namespace headroom::train
