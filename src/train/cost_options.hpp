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
//   optimiser on host  CPU Adam, 1.55 ns a parameter (NVIDIA-NeMo/RL pull request 3628, 2026:
//               Qwen3-0.6B on an H100, 0.752 s a step without and 1.678 s with offload), or
//               the link where that is slower
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
