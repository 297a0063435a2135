// Cost of a plan's finer settings: what modules, kinds of context parallelism, expert-tensor
// parallelism, offload and 4-bit weights add to a layer and a step. Inner header of this layer;
// cost.cpp and step.cpp call it.
//
//   modules     the forward time of exactly the parts that the backward pass repeats
//   all-to-all  DeepSpeed-Ulysses: four exchanges of q, k, v and the output, (cp - 1) / cp of
//               a rank's tokens each, before and behind attention: nothing hides them
//   all-gather  K and V gathered before attention, their gradients reduced behind it
//   expert-tensor  routed tokens gathered over the ranks that share an expert, and their
//               outputs reduced back
//   activations to host  out beside the forward, in beside the backward pass, over the host
//               link; what takes longer than the pass is exposed
//   optimiser on host  fused AdamW reads and writes 28 B a parameter at the rate of host memory
//               that a rank's threads reach, min(threads x 20 GB/s, its share of the node's),
//               behind one copy each way over the host link. Megatron-Core's HybridDeviceOptimizer
//               waits for all three in turn; its --overlap-cpu-optimizer-d2h-h2d gains 7 % of a
//               step (Megatron-Bridge, memory.yaml mb-opt-offload) and is left out
//   4-bit weights  read and widened by a pass of their own before each product
#pragma once

#include "train/cost.hpp"

namespace headroom::train {

/// Who narrows the input of a forward product. Per-tensor recipes scale inside the kernel that
/// wrote it. With scales for every 128 values the norm or activation writes bf16, and a pass of its
/// own reads that and writes two narrow copies: along rows for this product, along columns for the
/// product by weights (Transformer Engine, pytorch/csrc/extensions/normalization.cpp: block scales
/// are quantised behind the norm; quantizer.cpp: rowwise and columnwise data; read 2026-11).
compute::Operands forward_input(Precision run);

/// What the context-parallel group exchanges for one layer and micro-batch, seconds.
struct ContextExchange {
  double forward = 0, backward = 0;  ///< exposed
  double hidden = 0;                 ///< behind attention, both passes
};
/// `attention_f` and `attention_b`: what a ring can hide behind.
ContextExchange context_exchange(const Job& job, const ParallelPlan& plan, double attention_f,
                                 double attention_b);

/// Forward seconds of plan.modules in a layer of this class, whose whole cost is `cost`.
double modules_s(const Job& job, const ParallelPlan& plan, const workload::LayerClass& layer,
                 const LayerCost& cost);

/// Exposed seconds of a pass in which the ranks that share an expert gather routed tokens and
/// reduce outputs; 0 where experts are whole, or cut exactly as the dense layers are.
double expert_tensor_s(const Job& job, const ParallelPlan& plan);

/// Exposed seconds of a micro-batch on a rank of `layers` whose passes take f and b seconds.
double activation_offload_s(const Job& job, const ParallelPlan& plan, double layers, double f,
                            double b);

/// Seconds that a step waits for the host to update its share of `parameters`.
double optimiser_offload_s(const Job& job, const ParallelPlan& plan, double parameters);

/// Seconds to widen the 4-bit weights of a layer once; 0 unless the method is qlora.
double dequantise_s(const Job& job, const ParallelPlan& plan, const workload::LayerClass& layer);

}  // namespace headroom::train
