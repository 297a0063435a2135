// Job: a training job with every input resolved to plain numbers, and the cost
// of one transformer layer of it on one GPU.
//
// This is the layer's inner interface: assess.hpp makes a Job from a scenario,
// tests and validation make one by hand, memory.hpp, step.hpp and search.hpp
// evaluate plans on it. Doubles are SI with the unit in the name; bytes are bytes.
//
// LAYER. A rank holds T = micro_batch x sequence / cp tokens. Per layer and pass:
//   products   every matrix product of workload::layer_gemms; the backward pass
//              runs each twice, by activations (m,k,n) and by weights (n,k,m).
//              Frozen weights (LoRA) have no product by weights.
//   attention  compute::Device; backward as the device says (2.5 x FLOPs).
//   stream     small operators: passes over memory (software.hpp).
//   tensor     with sequence parallelism 2 all-gathers + 2 reduce-scatters of T h
//              elements forward, as many backward, else 2 + 2 all-reduces.
//   expert     all-to-all to the experts and back, forward and backward.
//   context    ring exchange of keys and values, hidden behind attention.
// Layers of different classes (dense, mixture; local, global) are averaged by
// count, since stages mix them.
//
// Complexity: layer_cost about 2-5 us (some twenty kernel evaluations); it
// depends on (tp, cp, ep, micro_batch) only, and search keeps a table of it.
#pragma once

#include "catalog/model.hpp"
#include "compute/kernel.hpp"
#include "fabric/collective.hpp"
#include "train/plan.hpp"
#include "train/software.hpp"
#include "train/spec.hpp"

namespace headroom::train {

struct Job {
  const catalog::Model* model = nullptr;
  const compute::Device* device = nullptr;
  std::string accelerator;  ///< catalogue id of the device, for the validated domain; may be empty
  fabric::Path path;
  int gpus = 1;             ///< on offer
  int domain = 8;           ///< GPUs of a scale-up domain
  double memory_bytes = 0;  ///< of one GPU, as the data sheet says
  double sequence = 4096;   ///< tokens
  double sequences = 1;     ///< global batch, in sequences
  bool batch_fixed = true;  ///< false: the planner may move `sequences` by a quarter
  Precision precision = Precision::bf16;
  workload::TrainingPrecision state = workload::TrainingPrecision::bf16;
  workload::Optimiser optimiser = workload::Optimiser::adam;
  Method method = Method::pretrain;
  workload::Lora lora;
  double imbalance = 1;  ///< tokens of the hottest expert rank over the mean
  /// Tokens an expert accepts over the mean; those beyond are dropped. 0: dropless.
  double capacity_factor = 0;
  double host_link = 55e9;  ///< bytes/s between a GPU and its host, each way, as reached
  /// A rank's share of host memory, bytes/s: 2 x 8 channels of DDR5-4800 (DGX H100) over eight
  /// GPUs, 80 % of it reached (assumed).
  double host_memory = 61e9;
  double host_threads = 0;  ///< of a rank on the host; 0: enough to fill host_memory
  Software software;

  bool adapters_only() const { return method == Method::lora || method == Method::qlora; }
};

/// Parameter counts that plans divide, once a job.
struct Sizes {
  double layer_dense = 0;    ///< a layer's mean without routed experts
  double layer_experts = 0;  ///< a layer's mean of routed experts
  double embedding = 0;      ///< token table (and positions)
  double head = 0;           ///< output projection, also when tied: the last stage's copy
  double adapters = 0;       ///< LoRA parameters a layer
  double head_layers = 0;    ///< work of head, loss and MTP modules over that of a layer
  double mtp = 0;            ///< multi-token prediction modules, on the last stage
  double mtp_experts = 0;    ///< of which routed experts
};
Sizes sizes(const Job& job);

/// Seconds of one mean layer for one micro-batch, by part; f forward, b backward.
struct LayerCost {
  double gemm_f = 0, gemm_b = 0;
  double attention_f = 0, attention_b = 0;
  double stream_f = 0, stream_b = 0;
  double tensor_f = 0, tensor_b = 0;    ///< exposed
  double expert_f = 0, expert_b = 0;    ///< exposed
  double context_f = 0, context_b = 0;  ///< exposed
  double adapter_f = 0, adapter_b = 0;  ///< LoRA's own products
  double again_f = 0;                   ///< forward time of the plan's modules
  double last_f = 0;                    ///< of gemm_f: the product that ends the layer
  double tensor_hidden = 0, expert_hidden = 0, context_hidden = 0;  ///< behind compute, f + b
  double floor_f = 0, floor_b = 0;  ///< added where the host is slower than the GPU

  double compute_f() const { return gemm_f + attention_f + stream_f + adapter_f; }
  double compute_b() const { return gemm_b + attention_b + stream_b + adapter_b; }
  double forward() const { return compute_f() + tensor_f + expert_f + context_f + floor_f; }
  double backward() const { return compute_b() + tensor_b + expert_b + context_b + floor_b; }
};
LayerCost layer_cost(const Job& job, const ParallelPlan& plan);

/// Seconds of the output head and loss (last stage) and of the embedding (first
/// stage) for one micro-batch.
struct EndCost {
  double head_f = 0, head_b = 0;
  double embedding_f = 0, embedding_b = 0;
};
EndCost end_cost(const Job& job, const ParallelPlan& plan);

/// Ranks of a group that share a scale-up domain, when `inside` neighbouring ranks
/// belong to inner groups: clamp(domain / inside, 1, ranks).
double per_domain(const Job& job, double inside, double ranks);

/// Tokens of a micro-batch on one rank.
inline double rank_tokens(const Job& job, const ParallelPlan& plan) {
  return plan.micro_batch * job.sequence / plan.cp;
}

}  // namespace headroom::train
