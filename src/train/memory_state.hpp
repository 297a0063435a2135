// Weights, gradients and optimiser state of one pipeline rank: what memory.hpp adds
// activations to. Inner header of this layer.
#pragma once

#include "train/memory.hpp"

namespace headroom::train {

/// One pipeline rank of a plan.
struct Stage {
  double layers = 0;
  bool first = false, last = false;
  double flight = 1;  ///< micro-batches' worth of activations that it holds
  int rank = 0;
};

/// Fills weights, gradients and optimiser of `out`.
void add_state(const Job& job, const Sizes& sizes, const ParallelPlan& plan, const Stage& stage,
               MemoryItems& out);

}  // namespace headroom::train
