#include "api/train_options.hpp"

#include <vector>

namespace headroom::api {

std::span<const OptionPath> option_paths() {
  using P = OptionPlace;
  // Options with no path are read by api/train.cpp itself.
  static constexpr OptionPath table[] = {
      {{"--model", "Job", "Catalogue model, e.g. llama-3.1-405b (headroom catalog model)"},
       P::work,
       "model",
       ""},
      {{"--hf", "Job", "Hugging Face config.json in place of --model"}, P::own, "", ""},
      {{"--method", "Job", "pretrain, full-finetune, lora, qlora or rl"}, P::work, "method", ""},
      {{"--tokens", "Job", "Tokens to train on, e.g. 15.6e12"}, P::work, "tokens", "token"},
      {{"--sequence", "Job", "Tokens of a sample; the model's context, at most 8,192"},
       P::work,
       "sequence",
       "token"},
      {{"--global-batch", "Job", "Sequences of a step (2048), or tokens with a unit (16 Mtoken)"},
       P::own,
       "",
       ""},
      {{"--precision", "Job", "bf16, fp16, fp8, fp8-block, mxfp8, nvfp4"},
       P::work,
       "precision",
       ""},
      {{"--state", "Job", "by-precision, bf16, bf16-bf16-grads, fp16, bf16-pure, fp8, fp32"},
       P::work,
       "state",
       ""},
      {{"--optimiser", "Job", "adam, adam-8bit, adafactor, lion, muon, sgd-momentum, sgd"},
       P::work,
       "optimiser",
       ""},
      {{"--lora-rank", "Job", "Rank of LoRA's adapters"}, P::work, "lora.rank", ""},
      {{"--lora-targets", "Job", "query-value, attention or linear"}, P::work, "lora.targets", ""},
      {{"--finish-within", "Job", "Longest time of the run, e.g. 90d"},
       P::work,
       "finish_within",
       ""},
      {{"--checkpoint-interval", "Job", "Time between checkpoints; by failures when left out"},
       P::work,
       "checkpoint.interval",
       ""},
      {{"--gpus", "Machine", "GPUs of the job"}, P::own, "", ""},
      {{"--system", "Machine", "Catalogue system, e.g. dgx-h100 (headroom catalog system)"},
       P::cluster,
       "system",
       ""},
      {{"--gpu", "Machine", "Catalogue accelerator in place of --system, e.g. h100-sxm"},
       P::own,
       "",
       ""},
      {{"--domain", "Machine", "With --gpu: GPUs that share NVLink or its like; 8"},
       P::own,
       "",
       ""},
      {{"--nic", "Machine", "With --gpu: network of a GPU in Gb/s; 400"}, P::own, "", ""},
      {{"--oversubscription", "Machine", "Of the network, down : up; 1"},
       P::cluster,
       "fabric.oversubscription",
       ""},
      {{"--gpu-mtbf", "Machine", "GPU time between interruptions, e.g. 50000h"},
       P::cluster,
       "gpu_mtbf",
       ""},
      {{"--tp", "Plan", "Tensor parallelism"}, P::work, "plan.tp", ""},
      {{"--pp", "Plan", "Pipeline stages"}, P::work, "plan.pp", ""},
      {{"--vpp", "Plan", "Virtual stages on a pipeline rank"}, P::work, "plan.vpp", ""},
      {{"--dp", "Plan", "Data-parallel replicas"}, P::work, "plan.dp", ""},
      {{"--cp", "Plan", "Context parallelism"}, P::work, "plan.cp", ""},
      {{"--ep", "Plan", "Expert parallelism"}, P::work, "plan.ep", ""},
      {{"--micro-batch", "Plan", "Sequences of a micro-batch"}, P::work, "plan.micro_batch", ""},
      {{"--zero", "Plan", "ZeRO stage 0 to 3 (3 is FSDP)"}, P::work, "plan.zero", ""},
      {{"--etp", "Plan", "Expert-tensor parallelism"}, P::work, "plan.etp", ""},
      {{"--hsdp", "Plan", "GPUs that share one sharded copy; replicas beyond"},
       P::work,
       "plan.hsdp",
       ""},
      {{"--context", "Plan", "Context parallelism by ring, all-to-all (Ulysses) or all-gather"},
       P::work,
       "plan.context",
       ""},
      {{"--schedule", "Plan", "Order of passes: 1f1b, gpipe, zb-h1, zb-v or dualpipe"},
       P::work,
       "plan.schedule",
       ""},
      {{"--recompute-modules", "Plan", "core_attn,layernorm,moe_act,mlp,...: with selective"},
       P::work,
       "plan.recompute_modules",
       ""},
      {{"--recompute-layers", "Plan", "Layers of a stage's chunk, with full"},
       P::work,
       "plan.recompute_layers",
       ""},
      {{"--first-layers", "Plan", "Layers of the first pipeline stage"},
       P::work,
       "plan.first_layers",
       ""},
      {{"--last-layers", "Plan", "Layers of the last pipeline stage"},
       P::work,
       "plan.last_layers",
       ""},
      {{"--offload-activations", "Plan", "Share of the layers whose activations go to the host, %"},
       P::work,
       "plan.offload_activations",
       "%"},
      {{"--offload-optimiser", "Plan", "Share of optimiser state kept by the host, %"},
       P::work,
       "plan.offload_optimiser",
       "%"},
      {{"--recompute", "Plan", "none, selective or full"}, P::work, "plan.recompute", ""},
      {{"--framework", "Software", "Training software (headroom catalog training-software)"},
       P::work,
       "framework",
       ""},
      {{"--mfu", "Software", "Fixes MFU (causal attention) in %, in place of the step model"},
       P::work,
       "efficiency.mfu",
       "%"},
      {{"--software-efficiency", "Software", "Factor on the modelled rate, from your own steps"},
       P::work,
       "efficiency.software",
       ""},
      {{"--tensor-overlap", "Software", "Tensor-parallel communication hidden, %"},
       P::work,
       "efficiency.tensor_overlap",
       "%"},
      {{"--expert-overlap", "Software", "Expert all-to-all hidden, %"},
       P::work,
       "efficiency.expert_overlap",
       "%"},
      {{"--imbalance", "Software", "Tokens of the hottest expert rank over the mean"},
       P::work,
       "efficiency.imbalance",
       ""},
      {{"--attention-rate", "Software", "Attention's rate over the GPU's best kernel"},
       P::work,
       "efficiency.attention_rate",
       ""},
      {{"--jitter", "Software", "Step time lost to stragglers a doubling of GPUs, %"},
       P::work,
       "efficiency.jitter",
       "%"},
      {{"--cuda-graphs", "Software", "Kernels are replayed, the host never limits", true},
       P::work,
       "efficiency.cuda_graphs",
       ""},
      {{"--no-flash-attention", "Software", "Attention that stores its scores", true},
       P::work,
       "efficiency.flash_attention",
       ""},
      {{"--sync-checkpoints", "Software", "Training waits until a checkpoint is written", true},
       P::work,
       "checkpoint.async",
       ""},
      {{"--region", "Place", "Catalogue region: price and carbon of electricity, e.g. us-iowa"},
       P::site,
       "region",
       ""},
      {{"--electricity", "Place", "Price of electricity, e.g. 60 USD/MWh"},
       P::money,
       "energy_price",
       "USD/MWh"},
      {{"--pue", "Place", "Overhead of the building"}, P::cluster, "pue", ""},
      {{"--price", "Place", "USD of a GPU-hour; the catalogue's rent when left out"},
       P::own,
       "",
       ""},
      {{"--as-of", "Place", "Day of the study, YYYY-MM-DD"}, P::root, "as_of", ""},
      {{"--prompts", "Reinforcement learning (--method rl)", "Prompts of an iteration; 512"},
       P::work,
       "rl.prompts",
       ""},
      {{"--samples", "Reinforcement learning (--method rl)", "Answers to a prompt; 16"},
       P::work,
       "rl.samples",
       ""},
      {{"--prompt-length", "Reinforcement learning (--method rl)",
        "Mean tokens of a prompt; 1,024"},
       P::work,
       "rl.prompt",
       "token"},
      {{"--response-length", "Reinforcement learning (--method rl)",
        "Mean tokens of an answer; 4,096"},
       P::work,
       "rl.response",
       "token"},
      {{"--response-cv", "Reinforcement learning (--method rl)",
        "Spread of answers' lengths over their mean; 0.8"},
       P::work,
       "rl.response_cv",
       ""},
      {{"--longest-response", "Reinforcement learning (--method rl)",
        "Tokens at which an answer is cut; 4 x the mean"},
       P::work,
       "rl.longest",
       "token"},
      {{"--updates", "Reinforcement learning (--method rl)", "Optimiser steps of an iteration; 1"},
       P::work,
       "rl.updates",
       ""},
      {{"--no-reference", "Reinforcement learning (--method rl)",
        "No frozen reference model scores the answers", true},
       P::work,
       "rl.reference",
       ""},
      {{"--reward-model", "Reinforcement learning (--method rl)",
        "Catalogue model that scores; rules when left out"},
       P::work,
       "rl.reward_model",
       ""},
      {{"--environment-time", "Reinforcement learning (--method rl)",
        "Time of tools and tests in an iteration, e.g. 60s"},
       P::work,
       "rl.environment",
       "s"},
      {{"--placement", "Reinforcement learning (--method rl)", "best, colocated or disaggregated"},
       P::work,
       "rl.placement",
       ""},
      {{"--generation-precision", "Reinforcement learning (--method rl)",
        "Weights while generating; bf16"},
       P::work,
       "rl.generation_precision",
       ""},
      {{"--generation-gpus", "Reinforcement learning (--method rl)",
        "Fixes the split when disaggregated"},
       P::work,
       "rl.generation_gpus",
       ""},
      {{"--iterations", "Reinforcement learning (--method rl)", "Iterations of the run; 1,000"},
       P::work,
       "rl.iterations",
       ""},
  };
  return table;
}

std::span<const TrainOptionInfo> train_options() {
  static const auto infos = [] {
    std::vector<TrainOptionInfo> out;
    for (const auto& p : option_paths()) out.push_back(p.info);
    return out;
  }();
  return infos;
}

const OptionPath* find_option(std::string_view name) {
  for (const auto& p : option_paths())
    if (p.info.name == name) return &p;
  return nullptr;
}

namespace {

spec::Node scalar(std::string text) {
  spec::Node node;
  node.kind = spec::Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}

/// "a,b" as a list.
spec::Node words(const std::string& text) {
  spec::Node list;
  list.kind = spec::Node::Kind::sequence;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    list.items.push_back(scalar(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return list;
}

spec::Node& child(spec::Node& map, std::string_view key) {
  map.kind = spec::Node::Kind::map;
  if (spec::Node* there = map.get(key)) return *there;
  map.items.push_back(scalar(std::string(key)));
  map.items.emplace_back();
  return map.items.back();
}

}  // namespace

void put_map(spec::Node& map, std::string_view key) {
  child(map, key).kind = spec::Node::Kind::map;
}

void put(spec::Node& map, std::string_view path, std::string text) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    child(map, path) = path.ends_with("modules") ? words(text) : scalar(std::move(text));
    return;
  }
  put(child(map, path.substr(0, dot)), path.substr(dot + 1), std::move(text));
}

spec::Node& element(spec::Node& map, std::string_view list, std::string_view name) {
  spec::Node& items = child(map, list);
  items.kind = spec::Node::Kind::sequence;
  for (auto& item : items.items) {
    const spec::Node* label = item.get("name");
    if (label != nullptr && label->text == name) return item;
  }
  items.items.emplace_back();
  put(items.items.back(), "name", std::string(name));
  return items.items.back();
}

}  // namespace headroom::api
