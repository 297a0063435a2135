// Software: how well a training framework uses the machine.
//
// Physics sets the kernel, link and memory times; a framework decides how much
// of the communication hides behind compute, how many passes over memory the
// small operators take, and how long the host needs to launch a layer. These
// figures differ between generations of software by more than the hardware does
// (Qwen3-30B on the same H100s went from 5,113 to 9,058 tokens/s/GPU in one
// release of Megatron-Bridge), so they stand here, named, and not inside a
// formula.
#pragma once

#include <string>

#include "catalog/accelerator.hpp"
#include "catalog/training_software.hpp"

namespace headroom::train {

/// catalog::MemoryHabits in plain numbers.
struct MemoryHabits {
  double logit_bytes = 8;        ///< bf16 logit and its gradient, fp32 softmax in place
  double split_logit_bytes = 8;  ///< with the vocabulary cut by tp
  double bucket_bytes = 0;
  double usable_share = 0.95;  ///< of the data sheet's capacity
  bool stage_outputs = false, gradient_copy = false, step_gradients = false, fp32_shards = false;
  bool narrow_inputs = false, op_selective = false, unused_outputs = false;
};

struct Software {
  std::string id;  ///< catalogue entry it was made from
  /// Share of tensor-parallel collectives hidden behind the matrix products
  /// (Transformer Engine's user buffers, async TP). 0 = all exposed.
  double tensor_overlap = 0;
  double expert_overlap = 0;    ///< the same for the expert all-to-all
  double pipeline_overlap = 0;  ///< the same for sends between stages
  bool data_overlap = true;     ///< gradient buckets are reduced during the backward pass
  /// Host time to launch one layer's kernels for one micro-batch, forward and
  /// backward together; a layer cannot run faster. 0 with CUDA graphs.
  double host_per_layer_s = 0;
  /// Passes over the residual stream (bf16, read or write) of one layer's
  /// forward: norms, residual adds, dropout and biases that no GEMM absorbs.
  double stream_passes = 8;
  bool flash = true;  ///< fused attention
  /// Fused attention's rate over that of the device's fit (FlashAttention 3 and cuDNN 9
  /// on Hopper and later). FlashAttention 2 reaches 35 % of an H100 where 3 reaches 57 %.
  double attention_rate = 1;
  /// The kernel reaches the same rate at head size 64 as at 128 (the Triton one).
  bool even_heads = false;
  /// Full recomputation ends once all saved tensors are there again, before the last product
  /// (torch.utils.checkpoint without reentry).
  bool early_stop = false;
  bool dropout = false;  ///< dropout masks are kept (GPT-3 era)
  /// Tokens cross to a node once and fan out there (DeepEP, hybrid-EP).
  bool node_dedupe = true;
  /// Step time added per doubling of GPUs beyond 8 by stragglers.
  double jitter_per_doubling = 0.005;
  /// Slow-down of compute while a collective runs beside it (SMs and memory it takes).
  double contention = 0.15;
  /// Small kernels of a dense layer's forward; each costs the device's launch, and the backward
  /// pass has twice as many.
  double kernels = 8;
  /// Share of forward products that selective recomputation runs again: torchtitan's op-level
  /// policy saves every second one; Megatron's modules run none.
  double selective_products = 0;
  /// Passes of the optimiser over its state: 1 when fused.
  double optimiser_passes = 1;
  /// ZeRO 1 reduces whole gradients on every rank (all-reduce) and gathers weights after it.
  bool whole_reduce = false;
  /// Reserved over allocated memory of the caching allocator, minus one.
  double reserve_share = 0.08;
  MemoryHabits memory;
  /// Factor on the rate of the whole step, from measured runs of this framework and
  /// generation: what mechanisms leave out. 1 = as modelled.
  double efficiency = 1;
  double efficiency_low = 0.7, efficiency_high = 1.2;  ///< 80 % of its measured runs lie between
  bool sequence_parallel = true, balanced = true, sharded_optimiser = true;
  bool calibrated = false;  ///< the scalar rests on measured runs of this very generation
};

/// The mechanisms of one catalogue entry; calibration is applied when `calibrated`.
Software make_software(const catalog::TrainingSoftware& entry, bool calibrated = true);
/// Rate of an attention kernel over the best one of that accelerator's generation.
double attention_rate(catalog::AttentionKernel kernel, const catalog::Accelerator& accelerator);
/// `make_software`, with what depends on the accelerator.
Software make_software(const catalog::TrainingSoftware& entry,
                       const catalog::Accelerator& accelerator, bool calibrated = true);

/// Entry `megatron-core`: Megatron-Core, NeMo and Megatron-Bridge of today. What a job gets
/// that names no software.
Software current_software();
/// Entry `megatron-lm-2021`: attention that stores its scores, dropout, no overlap of tensor
/// or data communication.
Software classic_software();
/// Entry `torchtitan-eager`: FSDP trainers in eager PyTorch.
Software fsdp_software();

}  // namespace headroom::train
