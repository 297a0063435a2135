// What a scenario says of a training job: pre-training, full fine-tuning, LoRA.
//
//   - {name: pretrain, kind: train, model: llama-3.1-405b, tokens: 15.6e12 token,
//      sequence: 8192 token, global_batch: 16.8e6 token, on: gpu, finish_within: 90 d}
//
// Everything but the model and the tokens has a default that the layer can
// defend and shows: sequence from the model's context, global batch from the
// model's size, precision bf16, Adam, the fastest legal parallel plan.
//
// Values of 0 and unset Values mean "the planner decides".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/precision.hpp"
#include "spec/fields.hpp"
#include "train/plan.hpp"
#include "workload/training_memory.hpp"

namespace headroom::train {

/// qlora: adapters over base weights held in 4 bits (NF4, doubly quantised scales) and widened
/// by a pass of their own before each product (Dettmers et al. 2023).
enum class Method : unsigned char { pretrain, full_finetune, lora, qlora };
std::span<const std::string_view> method_names();

/// `by_precision`: bf16 -> bf16 with fp32 gradients, fp16 -> fp16, narrower -> bf16
/// state beside a narrow copy of the weights that the kernels read.
enum class StatePrecision : unsigned char {
  by_precision,
  bf16,
  bf16_bf16_grads,
  fp16,
  bf16_pure,
  fp8,
  fp32,
  bf16_moments,  ///< as bf16 with bf16 moments (Megatron-Core's precision-aware optimiser)
  bf16_lean      ///< bf16 gradients and moments, master as 16-bit remainder of the weight
};

/// What of the plan is fixed by the user. 0: the planner decides.
struct PlanSpec {
  int tp = 0, pp = 0, vpp = 0, dp = 0, cp = 0, ep = 0, micro_batch = 0;
  int zero = -1;      ///< ZeRO stage 0 to 3; -1: the planner decides
  int recompute = 0;  ///< 0: the planner decides, else 1 + train::Recompute
  // What the planner leaves alone unless it is given (plan.hpp says what each means).
  int etp = 0, hsdp = 0;
  int context = 0;   ///< train::ContextKind
  int schedule = 0;  ///< 0: 1f1b (finer searches vary it), else 1 + train::Schedule
  Modules recompute_modules;
  int recompute_layers = 0;
  int first_layers = 0, last_layers = 0;
  Value<Scalar> offload_activations, offload_optimiser;

  /// Writes those last into a plan, as they are; modules make it selective, a number of
  /// layers full, where `recompute` is left open.
  void apply(ParallelPlan& plan) const;
  void fields(spec::Fields& f);
};

struct CheckpointSpec {
  Value<Time> interval;       ///< unset: Young/Daly, by the cluster layer
  Value<Time> allowed_stall;  ///< longest time a save may hold the step up
  bool async = true;          ///< state is copied to host memory, written behind the steps
  void fields(spec::Fields& f);
};

struct LoraSpec {
  int rank = 16;
  workload::LoraTargets targets = workload::LoraTargets::linear;
  void fields(spec::Fields& f);
};

/// Overrides of how well the software uses the machine (software.hpp).
struct EfficiencySpec {
  Value<Scalar> mfu;             ///< fixes MFU (causal attention) and skips the step model
  Value<Scalar> software;        ///< factor on the modelled step rate; 1 = as modelled
  Value<Scalar> tensor_overlap;  ///< share of tensor-parallel communication hidden
  Value<Scalar> expert_overlap;  ///< share of expert all-to-all hidden
  Value<Scalar> imbalance;       ///< tokens of the hottest expert rank over the mean
  Value<Scalar> attention_rate;  ///< fused attention's rate over the device's best kernel
  Value<Scalar> jitter;          ///< step time lost to stragglers, per doubling of GPUs
  int host_threads = 0;          ///< of a rank (OMP_NUM_THREADS); 0: enough to fill host memory
  bool cuda_graphs = false;      ///< kernels are replayed, the host launches nothing
  bool flash_attention = true;
  void fields(spec::Fields& f);
};

struct JobSpec {
  std::string model;  ///< id of a catalogue model, or of one the scenario brings along
  Method method = Method::pretrain;

  std::string framework;  ///< training-software of the catalogue; empty: megatron-core

  Value<Tokens> tokens;        ///< to be trained on, all epochs together
  Value<Tokens> sequence;      ///< of one sample; unset: the model's context, at most 8,192
  Value<Tokens> global_batch;  ///< of one optimiser step; unset: a rule (assess.hpp)
  Precision precision = Precision::bf16;
  StatePrecision state = StatePrecision::by_precision;
  workload::Optimiser optimiser = workload::Optimiser::adam;
  LoraSpec lora;
  Value<Scalar> capacity_factor;  ///< unset: dropless
  PlanSpec plan;
  CheckpointSpec checkpoint;
  EfficiencySpec efficiency;
  Value<Time> finish_within;
  int gpus = 0;  ///< of those on offer; 0: all

  void fields(spec::Fields& f);
};

/// State precision after `by_precision` is resolved.
workload::TrainingPrecision training_state(StatePrecision state, Precision compute);

}  // namespace headroom::train
