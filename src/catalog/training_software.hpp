// TrainingSoftware: how a training framework of one generation uses the machine.
//
// Physics sets the kernel, link and memory times of a training step; the framework
// decides how much communication hides behind compute, how many passes over memory the
// small operators take and how long the host needs to launch a layer. Those figures
// differ between generations by more than hardware does (Qwen3-30B on the same H100s
// went from 5,113 to 9,058 tokens/s/GPU in one release of Megatron-Bridge).
//
// `calibration` is the one scalar that a (framework, generation) may have: measured rate
// over modelled rate, median of its validated rows, with the range that holds 80 % of
// them. `headroom validate train` prints it, with and without (docs/validation.md).
// Unset: nobody measured this generation, the entry `any` stands in.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// Fused attention kernels by the instructions they use. `tuned`: of the accelerator's own
/// generation (FlashAttention 3 on Hopper, cuDNN). `flash2`: Ampere's instructions, the full
/// rate there and 35 of 57 % on Hopper (arXiv 2407.08608). `triton`: the first FlashAttention
/// written in Triton, and what came with PyTorch 2.0.
enum class AttentionKernel : unsigned char { tuned, flash2, triton, unfused };

/// Attention FLOPs that a framework's printed TFLOP/s count: half of the square, or all of it.
enum class FlopsCount : unsigned char { unknown, causal, full };

/// Measured runs of one source on this generation, and what they cover: the validated domain.
struct ValidatedRuns {
  std::string group;  ///< source of the rows, as their ids begin: "mpt"
  int rows = 0;
  Value<Scalar> rate;  ///< measured over modelled rate: median, range of 80 % of the rows
  std::vector<std::string> accelerators;
  std::vector<std::string> precisions;
  int gpus = 0;          ///< most of one run
  int sequence = 0;      ///< longest
  bool dense = false;    ///< has runs of dense models
  bool mixture = false;  ///< has runs of mixtures of experts

  void fields(spec::Fields& f);
};

/// What a framework holds in memory beside weights, gradients, optimiser state and activations.
struct MemoryHabits {
  /// Bytes for each logit of a rank while the loss runs forward and backward: 16-bit logits,
  /// fp32 copies, gradients. `split`: the same where tensor ranks share the vocabulary.
  Value<Scalar> logit_bytes, split_logit_bytes;
  Value<Information> bucket;    ///< flat buffers for gradients on their way to a collective
  Value<Scalar> usable_share;   ///< of the data sheet's capacity that no known run failed below
  bool stage_outputs = false;   ///< a stage keeps its output until the micro-batch comes back
  bool gradient_copy = false;   ///< 16-bit gradients stay beside the fp32 ones they are added to
  bool step_gradients = false;  ///< the step widens its shard of 16-bit gradients to fp32
  bool fp32_shards = false;     ///< FSDP: the sharded weight is the fp32 master itself
  bool narrow_inputs = false;   ///< fp8 products keep their inputs in fp8
  bool unused_outputs = false;  ///< op-level recomputation keeps outputs no gradient reads

  void fields(spec::Fields& f);
};

struct TrainingSoftware : Entry {
  static constexpr std::string_view kind = "training-software";

  std::string framework;             ///< "Megatron-Core"
  std::vector<std::string> matches;  ///< texts by which a measured row's source names it
  std::vector<std::string> when;     ///< facts of a row: "compile=false", "gpu~h100|h200" (has)
  std::string from, until;           ///< release dates of the generation
  std::string stands_in;             ///< entry whose calibration serves when this has none

  Value<Scalar> tensor_overlap;    ///< share of tensor-parallel communication hidden
  Value<Scalar> expert_overlap;    ///< share of the expert all-to-all hidden
  Value<Scalar> pipeline_overlap;  ///< share of sends between stages hidden
  bool data_overlap = true;        ///< gradient buckets are reduced during the backward pass
  Value<Time> host_per_layer;      ///< host time to launch a layer, forward and backward
  bool cuda_graphs = false;        ///< layers are replayed from graphs: the host never limits
  Value<Scalar> stream_passes;     ///< passes over the residual stream a layer, forward
  AttentionKernel attention = AttentionKernel::tuned;
  bool early_stop = false;   ///< full recomputation ends before the layer's last product
  bool dropout = false;      ///< dropout masks are kept
  bool node_dedupe = true;   ///< tokens cross to a node once and fan out there
  Value<Scalar> contention;  ///< slow-down of compute over the time communication runs beside it
  Value<Scalar> jitter;      ///< step time lost to stragglers per doubling of GPUs beyond 8
  Value<Scalar> kernels;     ///< small kernels of a layer's forward, each costs a launch
  Value<Scalar> optimiser_passes;    ///< passes of the optimiser over its state; 1 when fused
  Value<Scalar> selective_products;  ///< share of products that selective recomputation repeats
  bool whole_reduce = false;         ///< ZeRO 1 reduces whole gradients everywhere before it shards
  bool sequence_parallel = true;     ///< norms are split over tensor-parallel ranks
  bool balanced = true;              ///< the last stage gives up layers for the output head
  bool sharded_optimiser = true;     ///< ZeRO 1 at least
  Value<Scalar> reserve_share;       ///< reserved over allocated memory, minus one
  MemoryHabits memory;

  FlopsCount flops_count = FlopsCount::unknown;

  Value<Scalar> calibration;        ///< measured over modelled rate, with the range of 80 % of rows
  int rows = 0;                     ///< measured rows behind the calibration
  std::vector<ValidatedRuns> runs;  ///< the same by source

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
