// Memory of one GPU while training, by item.
//
//   weights      parameters on the rank x bytes; divided by dp with FSDP
//   gradients    same, divided by dp with ZeRO-2 and FSDP
//   optimiser    master copy and moments, divided by dp from ZeRO-1 on
//   activations  per layer and token (workload::activation_bytes) x layers x tokens
//                of a micro-batch x micro-batches in flight. Pipeline rank r of p
//                keeps min(m, p - r) under 1F1B; interleaving keeps
//                (2 (p - 1) + (v - 1) p + 1) / v, about p (1 + (p - 1) / (p v)), on rank 0
//                (Megatron-LM theoretical_memory_usage.py). With full recompute
//                only layer inputs stay, plus one working layer.
//   head         fp32 logits and their gradient on the last rank
//   buffers      communication buffers of NCCL, FSDP's gathered layers,
//                all-to-all buffers of experts
//   framework    CUDA context, cuBLAS and NCCL code
//   reserve      the allocator's gap between reserved and allocated
//
// Routed experts divide by expert-data parallelism (tp cp dp / ep). The first, the
// second and the last pipeline rank are evaluated; the result is the largest.
//
// VALIDITY. Against 33 nvidia-smi readings of BLOOM's sweep and torchtitan's
// allocator peaks: docs/models/train.md.
//
// Complexity: O(1) after `ActivationTable`, no allocation.
#pragma once

#include "train/cost.hpp"

namespace headroom::train {

/// Bytes.
struct MemoryItems {
  double weights = 0;
  double gradients = 0;
  double optimiser = 0;
  double activations = 0;
  double head = 0;
  double buffers = 0;
  double framework = 0;
  double reserve = 0;
  bool last_stage = false;  ///< the worst rank is the last stage, else the first or second

  double allocated() const {
    return weights + gradients + optimiser + activations + head + buffers;
  }
  double total() const { return allocated() + framework + reserve; }
};

/// Name and bytes of an item, in display order.
struct MemoryItem {
  const char* name;
  double bytes;
};
/// The largest item and its share; for messages.
MemoryItem largest(const MemoryItems& items);

/// Bytes a token leaves in a mean layer until its backward pass, for one
/// (tp, sequence_parallel, recompute); computed once and reused by search.
struct ActivationBytes {
  double kept = 0;     ///< with the plan's recompute
  double working = 0;  ///< without recompute: the layer being computed
  double head = 0;     ///< of the output head
};
ActivationBytes activation_bytes(const Job& job, const ParallelPlan& plan);

MemoryItems memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                   const ParallelPlan& plan);
MemoryItems memory(const Job& job, const ParallelPlan& plan);

/// Layers' worth of micro-batch activations that pipeline rank 0 holds, over its
/// own layers: 1 without a pipeline.
double in_flight(const ParallelPlan& plan);

}  // namespace headroom::train
