// Memory of one GPU while training, by item and pipeline rank.
//
//   weights      parameters on the rank x bytes; divided by the shard group with FSDP
//   gradients    the same, divided with ZeRO-2 and FSDP
//   optimiser    master copy and moments, divided from ZeRO-1 on, less what the host keeps
//   activations  per layer and token (workload::activation_bytes) x layers x tokens of a
//                micro-batch x micro-batches in flight, hot experts' share included. Rank r of
//                p keeps min(m, p - r) under 1F1B, and under interleaving
//                (2 (p - r - 1) + (v - 1) p + 1) / v (Megatron-LM theoretical_memory_usage.py).
//                Recomputed layers keep their inputs only. What is offloaded leaves two layers
//                behind, one on its way out and one on its way in.
//   working      the one layer whose backward pass runs: what was recomputed, gradients, and
//                sequence-parallel inputs gathered again; only what is more than `head`, since
//                loss and layers take turns
//   head         logits through the loss, forward and backward (MemoryHabits::logit_bytes)
//   buffers      FSDP's gathered layers and gradients, all-to-all buffers of experts, buckets
//   reserve      the caching allocator's gap between reserved and allocated
//   communicators  NCCL's own buffers, outside the allocator
//   framework    CUDA context and libraries
//
// allocated() and reserved() are what torch.cuda.max_memory_allocated and _reserved report
// (torchtitan logs the latter); total() is what nvidia-smi shows.
//
// Routed experts divide by expert-data parallelism tp cp dp / (ep etp).
//
// SAFE. A plan is called safe when total() is at most usable_bytes(): the share of the data
// sheet's capacity that the framework's allocator can be trusted with, by the runs that are
// known to have failed. BLOOM's sweep ran out of memory at a modelled 66 GB of 80, and 58.8 GB
// allocated ran out on an 80 GB H100 (Megatron-Bridge, memory-tuning guide), where others ran
// at 79 GB: what lies between fits, but is not safe.
//
// VALIDITY. BLOOM's sweep (nvidia-smi) and torchtitan (reserved): docs/models/train.md.
//
// Complexity: O(1) after `ActivationBytes`, no allocation; memory_by_rank is O(pp).
#pragma once

#include <vector>

#include "train/cost.hpp"

namespace headroom::train {

/// Bytes.
struct MemoryItems {
  double weights = 0;
  double gradients = 0;
  double optimiser = 0;
  double activations = 0;
  double working = 0;
  double head = 0;
  double buffers = 0;
  double communicators = 0;
  double framework = 0;
  double reserve = 0;
  int rank = 0;             ///< pipeline rank
  bool last_stage = false;  ///< of more than one

  double allocated() const {
    return weights + gradients + optimiser + activations + working + head + buffers;
  }
  double reserved() const { return allocated() + reserve; }
  double total() const { return reserved() + communicators + framework; }
};

/// Name and bytes of an item, in display order.
struct MemoryItem {
  const char* name;
  double bytes;
};
/// The largest item and its share; for messages.
MemoryItem largest(const MemoryItems& items);

/// Bytes a token leaves in a mean layer until its backward pass, for one
/// (tp, sequence_parallel, recompute, modules); computed once and reused by search.
struct ActivationBytes {
  double kept = 0;     ///< with the plan's recompute
  double whole = 0;    ///< without any
  double working = 0;  ///< needed for the moment in which its backward pass runs
  double head = 0;     ///< of the output head and loss
  /// Inputs of routed experts, for each rank that shares an expert beyond the first.
  double routed_input = 0;
};
ActivationBytes activation_bytes(const Job& job, const ParallelPlan& plan);

/// The pipeline rank that needs most: the first, the second or the last.
MemoryItems memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                   const ParallelPlan& plan);
MemoryItems memory(const Job& job, const ParallelPlan& plan);
/// Every pipeline rank, in order.
std::vector<MemoryItems> memory_by_rank(const Job& job, const ParallelPlan& plan);

/// Bytes of a GPU that a plan may count on; see SAFE above.
double usable_bytes(const Job& job);

/// Layers' worth of micro-batch activations that a pipeline rank holds, over its
/// own layers: 1 without a pipeline.
double in_flight(const ParallelPlan& plan, int rank = 0);

/// Routed tokens of the hottest expert rank in its worst step, over the mean: twice the excess
/// of Job::imbalance, or the capacity factor when tokens beyond it are dropped.
double hottest(const Job& job);

}  // namespace headroom::train
