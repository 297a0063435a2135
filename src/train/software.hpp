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

namespace headroom::train {

struct Software {
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
  bool dropout = false;  ///< dropout masks are kept (GPT-3 era)
  /// Tokens cross to a node once and fan out there (DeepEP, hybrid-EP).
  bool node_dedupe = true;
  /// Step time added per doubling of GPUs beyond 8 by stragglers.
  double jitter_per_doubling = 0.005;
  /// Slow-down of compute while a collective runs beside it (SMs and memory it takes).
  double contention = 0.15;
  /// Reserved over allocated memory of the caching allocator, minus one.
  double reserve_share = 0.08;
  /// Factor on the rate of the whole step: what kernel tables and closed forms leave out
  /// (sustained clocks below those of short kernel benchmarks, skew between streams, gaps
  /// between kernels). One figure for all hardware and software; see `software.cpp`.
  double efficiency = 1;
};

/// Megatron-Core, NeMo and torchtitan from 2024 on: fused attention, sequence
/// parallelism, distributed optimiser with overlap, tensor overlap by user buffers.
Software current_software();
/// Megatron-LM and Megatron-DeepSpeed of 2021-2022: attention that stores its scores,
/// dropout, no overlap of tensor or data communication.
Software classic_software();
/// FSDP trainers in eager PyTorch (llm-foundry, torchtitan without compile).
Software fsdp_software();

}  // namespace headroom::train
