#include "api/train_options.hpp"

#include <array>

namespace headroom::api {

const std::array<OptionPath, 45>& option_paths() {
  using P = OptionPlace;
  // Options with no path are read by api/train.cpp itself.
  static constexpr std::array<OptionPath, 45> table = {{
      {{"--model", "Job", "Catalogue model, e.g. llama-3.1-405b (headroom catalog model)"},
       P::work,
       "model",
       ""},
      {{"--hf", "Job", "Hugging Face config.json in place of --model"}, P::own, "", ""},
      {{"--method", "Job", "pretrain, full-finetune or lora"}, P::work, "method", ""},
      {{"--tokens", "Job", "Tokens to train on, e.g. 15.6e12"}, P::work, "tokens", "token"},
      {{"--sequence", "Job", "Tokens of a sample; the model's context, at most 8,192"},
       P::work,
       "sequence",
       "token"},
      {{"--global-batch", "Job", "Sequences of a step (2048), or tokens with a unit (16 Mtoken)"},
       P::own,
       "",
       ""},
      {{"--precision", "Job", "bf16, fp16, fp8, mxfp8, nvfp4"}, P::work, "precision", ""},
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
  }};
  return table;
}

std::span<const TrainOptionInfo> train_options() {
  static const auto infos = [] {
    std::array<TrainOptionInfo, std::tuple_size_v<std::decay_t<decltype(option_paths())>>> out;
    std::size_t i = 0;
    for (const auto& p : option_paths()) out[i++] = p.info;
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

spec::Node& child(spec::Node& map, std::string_view key) {
  map.kind = spec::Node::Kind::map;
  if (spec::Node* there = map.get(key)) return *there;
  map.items.push_back(scalar(std::string(key)));
  map.items.emplace_back();
  return map.items.back();
}

}  // namespace

void put(spec::Node& map, std::string_view path, std::string text) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    child(map, path) = scalar(std::move(text));
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
