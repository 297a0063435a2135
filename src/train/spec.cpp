#include "train/spec.hpp"

#include <algorithm>
#include <array>

namespace headroom::train {
namespace {

constexpr std::array<std::string_view, 4> methods = {"pretrain", "full-finetune", "lora", "qlora"};
constexpr std::array<std::string_view, 9> states = {
    "by-precision", "bf16", "bf16-bf16-grads", "fp16",     "bf16-pure",
    "fp8",          "fp32", "bf16-moments",    "bf16-lean"};
constexpr std::array<std::string_view, 7> optimisers = {"adam", "adam-8bit",    "adafactor", "lion",
                                                        "muon", "sgd-momentum", "sgd"};
constexpr std::array<std::string_view, 3> targets_names = {"query-value", "attention", "linear"};
constexpr std::array<std::string_view, 4> recomputes = {"auto", "none", "selective", "full"};

constexpr std::array<std::string_view, 3> contexts = {"ring", "all-to-all", "all-gather"};

// After "auto" in the order of Schedule.
constexpr std::array<std::string_view, 6> schedules = {"auto",  "gpipe", "1f1b",
                                                       "zb-h1", "zb-v",  "dualpipe"};

enum class Choice : int {};

std::string known_modules() {
  std::string out;
  for (const auto name : module_names()) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

void module_field(spec::Fields& f, Modules& modules) {
  const auto known = module_names();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (modules.has(static_cast<Module>(i))) names.emplace_back(known[i]);
  f.texts("recompute_modules", names,
          "Parts of a layer that the backward pass computes again, by Megatron-Core's names "
          "(core_attn, layernorm, mla_up_proj, moe_act, mlp, moe, shared_experts) or torchtitan's "
          "op; what selective recomputation means when left out");
  modules = {};
  for (const auto& name : names) {
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end())
      f.mistake("recompute_modules", "no module is called '" + name + "'",
                "one of " + known_modules());
    else
      modules = modules.with(static_cast<Module>(at - known.begin()));
  }
}

/// Rules between the fields of a plan that no job is needed for.
void contradictions(const PlanSpec& p, spec::Fields& f) {
  const int full = 1 + static_cast<int>(Recompute::full);
  const int selective = 1 + static_cast<int>(Recompute::selective);
  if (!p.recompute_modules.empty() && p.recompute > 0 && p.recompute != selective)
    f.mistake("recompute_modules", "modules are recomputed by selective recomputation only",
              "say `recompute: selective`, or leave one of the two out");
  if (p.recompute_layers > 0 && p.recompute > 0 && p.recompute != full)
    f.mistake("recompute_layers", "a number of layers is recomputed by full recomputation only",
              "say `recompute: full`, or leave one of the two out");
  if (p.recompute_layers > 0 && !p.recompute_modules.empty())
    f.mistake("recompute_layers", "whole layers and modules cannot both be recomputed",
              "leave one of the two out");
  if ((p.first_layers > 0 || p.last_layers > 0) && p.pp == 1)
    f.mistake("first_layers", "layers of the first and last stage need a pipeline",
              "say `pp: 2` or more, or leave it out");
  const bool other = p.schedule > 0 && p.schedule != 1 + static_cast<int>(Schedule::one_f_one_b);
  if (other && p.vpp > 1)
    f.mistake("schedule",
              "only 1f1b runs virtual stages that are given; the others place their own",
              "say `schedule: 1f1b`, or leave `vpp` out");
  if (other && p.pp == 1)
    f.mistake("schedule", "one pipeline stage has nothing to schedule",
              "say `pp: 2` or more, or leave `schedule` out");
  if (p.hsdp > 0 && p.zero == 0)
    f.mistake("hsdp", "nothing is sharded under ZeRO stage 0", "say `zero: 3`, or leave it out");
}

}  // namespace

std::span<const std::string_view> method_names() { return methods; }

void PlanSpec::fields(spec::Fields& f) {
  f.integer("tp", tp, "Tensor-parallel degree; the planner decides when left out").between(0, 1024);
  f.integer("pp", pp, "Pipeline stages; the planner decides when left out").between(0, 1024);
  f.integer("vpp", vpp, "Virtual stages on a pipeline rank; the planner decides when left out")
      .between(0, 1024);
  f.integer("dp", dp, "Data-parallel replicas; the planner decides when left out")
      .between(0, 1'000'000);
  f.integer("cp", cp, "Context-parallel degree; the planner decides when left out")
      .between(0, 1024);
  f.integer("ep", ep, "Expert-parallel degree; the planner decides when left out").between(0, 1024);
  f.integer("micro_batch", micro_batch,
            "Sequences of a micro-batch; the planner decides when left out")
      .between(0, 65'536);
  f.integer("zero", zero, "ZeRO stage 0 to 3 (3 is FSDP); the planner decides when -1")
      .between(-1, 3);
  auto choice = static_cast<Choice>(recompute);
  f.choice("recompute", choice, recomputes, "Activations that the backward pass computes again");
  recompute = static_cast<int>(choice);
  module_field(f, recompute_modules);
  f.integer("recompute_layers", recompute_layers,
            "Layers of a stage's chunk that are fully recomputed; every layer when left out")
      .between(0, 10'000);
  f.integer("etp", etp,
            "Expert-tensor-parallel degree; tp without expert parallelism, else 1, when left out")
      .between(0, 1024);
  f.integer("hsdp", hsdp,
            "GPUs that share one sharded copy of the state, with replicas beyond; all "
            "data-parallel ones when left out")
      .between(0, 1'000'000);
  auto kind = static_cast<Choice>(context);
  f.choice("context", kind, contexts, "How context-parallel ranks exchange keys and values");
  context = static_cast<int>(kind);
  auto order = static_cast<Choice>(schedule);
  f.choice(
      "schedule", order, schedules,
      "Order of a pipeline's forward and backward passes: 1f1b (interleaved where vpp says "
      "so), gpipe, zero bubble H1 or V, or DualPipe, which holds weights twice; 1f1b when auto");
  schedule = static_cast<int>(order);
  f.integer("first_layers", first_layers,
            "Layers of the first pipeline stage; the planner decides when left out")
      .between(0, 10'000);
  f.integer("last_layers", last_layers,
            "Layers of the last pipeline stage; the planner decides when left out")
      .between(0, 10'000);
  f.number("offload_activations", offload_activations, "%",
           "Share of a stage's layers whose activations wait in host memory; none when left out")
      .between(0, 100);
  f.number("offload_optimiser", offload_optimiser, "%",
           "Share of optimiser state that the host keeps and updates; none when left out")
      .between(0, 100);
  contradictions(*this, f);
}

void PlanSpec::apply(ParallelPlan& plan) const {
  plan.etp = etp, plan.hsdp = hsdp;
  plan.context = static_cast<ContextKind>(context);
  if (schedule > 0) plan.schedule = static_cast<Schedule>(schedule - 1);
  plan.modules = recompute_modules, plan.recompute_layers = recompute_layers;
  plan.first_layers = first_layers, plan.last_layers = last_layers;
  plan.offload_activations = offload_activations.or_else(0.0).si();
  plan.offload_optimiser = offload_optimiser.or_else(0.0).si();
  if (recompute == 0 && !recompute_modules.empty()) plan.recompute = Recompute::selective;
  if (recompute == 0 && recompute_layers > 0) plan.recompute = Recompute::full;
}

void CheckpointSpec::fields(spec::Fields& f) {
  f.number("interval", interval, "h",
           "Time between checkpoints; by failures and save time (Young/Daly) when left out")
      .above(0);
  f.number("allowed_stall", allowed_stall, "s",
           "Longest time a save may hold training up; not checked when left out")
      .above(0);
  f.flag("async", async, "State is copied to host memory and written behind the next steps");
}

void LoraSpec::fields(spec::Fields& f) {
  f.integer("rank", rank, "Rank of the adapters").between(1, 4096);
  f.choice("targets", targets, targets_names, "Matrices that carry adapters");
}

void EfficiencySpec::fields(spec::Fields& f) {
  f.number("mfu", mfu, "%", "Fixes MFU, causal attention; the step model decides when left out")
      .above(0)
      .at_most(100);
  f.number("software", software, "",
           "Factor on the modelled rate, from your own measured steps; 1 when left out")
      .above(0)
      .at_most(2);
  f.number("tensor_overlap", tensor_overlap, "%",
           "Share of tensor-parallel communication hidden behind compute")
      .between(0, 100);
  f.number("expert_overlap", expert_overlap, "%",
           "Share of the expert all-to-all hidden behind compute")
      .between(0, 100);
  f.number("imbalance", imbalance, "", "Tokens of the hottest expert rank over the mean")
      .at_least(1);
  f.number("attention_rate", attention_rate, "",
           "Rate of fused attention over the accelerator's best kernel; about 0.6 for "
           "FlashAttention 2 on Hopper, 1 when left out")
      .above(0)
      .at_most(1.5);
  f.number("jitter", jitter, "%", "Step time lost to stragglers per doubling of GPUs beyond 8")
      .between(0, 20);
  f.integer("host_threads", host_threads,
            "Threads of a rank on the host, OMP_NUM_THREADS, which an offloaded optimiser runs on: "
            "torchrun and Ray set 1; enough to fill host memory when left out")
      .between(0, 1024);
  f.flag("cuda_graphs", cuda_graphs, "Kernels are replayed from graphs, so the host never limits");
  f.flag("flash_attention", flash_attention, "Fused attention that never stores its scores");
}

void JobSpec::fields(spec::Fields& f) {
  f.reference("model", model, "model", "Catalogue model to train").required();
  f.reference("framework", framework, "training-software",
              "Training framework and its generation; today's Megatron-Core when left out");
  f.choice("method", method, methods,
           "Pre-training, full fine-tuning, LoRA, or LoRA over 4-bit weights");
  f.number("tokens", tokens, "token",
           "Tokens to train on, all epochs together; the model's own "
           "published count when left out")
      .above(0);
  f.number("sequence", sequence, "token",
           "Tokens of one sample; the model's context, at most 8,192, when left out")
      .above(0)
      .at_most(1e8);
  f.number("global_batch", global_batch, "token",
           "Tokens of one optimiser step; a rule by model size when left out")
      .above(0);
  f.choice("precision", precision, precision_names(), "Format in which matrices are multiplied");
  f.choice("state", state, states, "Formats of weights, gradients and optimiser state");
  f.choice("optimiser", optimiser, optimisers, "Optimiser, which decides its state's bytes");
  f.object("lora", lora, "Adapters, for methods lora and qlora");
  f.number("capacity_factor", capacity_factor, "",
           "Tokens an expert accepts over the mean, those beyond are dropped; all are kept when "
           "left out")
      .at_least(1)
      .at_most(100);
  f.object("plan", plan, "Parts of the parallel plan that are fixed");
  f.object("checkpoint", checkpoint, "How often state is saved, and how long it may take");
  f.object("efficiency", efficiency, "How well the software uses the machine");
  f.number("finish_within", finish_within, "d", "Longest time the run may take").above(0);
  f.integer("gpus", gpus, "GPUs of the cluster to use; all when left out").at_least(0);
}

workload::TrainingPrecision training_state(StatePrecision state, Precision compute) {
  using workload::TrainingPrecision;
  switch (state) {
    case StatePrecision::by_precision:
      break;
    case StatePrecision::bf16:
      return TrainingPrecision::bf16;
    case StatePrecision::bf16_bf16_grads:
      return TrainingPrecision::bf16_bf16_grads;
    case StatePrecision::fp16:
      return TrainingPrecision::fp16;
    case StatePrecision::bf16_pure:
      return TrainingPrecision::bf16_pure;
    case StatePrecision::fp8:
      return TrainingPrecision::fp8;
    case StatePrecision::fp32:
      return TrainingPrecision::fp32;
    case StatePrecision::bf16_moments:
      return TrainingPrecision::bf16_moments;
    case StatePrecision::bf16_lean:
      return TrainingPrecision::bf16_lean;
  }
  if (compute == Precision::fp16) return TrainingPrecision::fp16;
  if (compute == Precision::fp32 || compute == Precision::tf32) return TrainingPrecision::fp32;
  return TrainingPrecision::bf16;
}

}  // namespace headroom::train
