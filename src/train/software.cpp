#include "train/software.hpp"

#include <string_view>

#include "catalog/catalog.hpp"

namespace headroom::train {
namespace {

using catalog::AttentionKernel;
using catalog::TrainingSoftware;

// The first FlashAttention in Triton: 0.53 of version 2 on Hopper and Blackwell, 0.70 of the best
// kernel on Ampere. Our fit to llm-foundry's runs (docs/models/train.md names it as fitted on rows
// of the validation set); version 2's paper plots about 120 against 190 TFLOP/s, 0.63, on an A100
// (arXiv 2307.08691, figure 4).
constexpr double triton_share = 0.53;
constexpr double triton_on_ampere = 0.7;

double share(const Value<Scalar>& v, double fallback) { return v.or_else(fallback).si(); }

MemoryHabits habits(const catalog::MemoryHabits& c) {
  MemoryHabits m;
  m.logit_bytes = share(c.logit_bytes, m.logit_bytes);
  m.split_logit_bytes = share(c.split_logit_bytes, m.logit_bytes);
  m.bucket_bytes = c.bucket.or_else(Information{}).in(byte);
  m.usable_share = share(c.usable_share, m.usable_share);
  m.stage_outputs = c.stage_outputs, m.gradient_copy = c.gradient_copy;
  m.step_gradients = c.step_gradients, m.fp32_shards = c.fp32_shards;
  m.narrow_inputs = c.narrow_inputs, m.unused_outputs = c.unused_outputs;
  m.op_selective = c.op_selective;
  return m;
}

Software named(std::string_view id) {
  const auto* entry = catalog::Catalog::builtin().find<TrainingSoftware>(id);
  return entry != nullptr ? make_software(*entry) : Software{};
}

/// The entry whose calibration serves: its own, or that of what stands in for it.
const TrainingSoftware* calibration_of(const TrainingSoftware& entry) {
  if (entry.calibration) return &entry;
  return catalog::Catalog::builtin().find<TrainingSoftware>(
      entry.stands_in.empty() ? std::string_view("any") : std::string_view(entry.stands_in));
}

}  // namespace

Software make_software(const TrainingSoftware& e, bool calibrated) {
  Software s;
  s.id = e.id;
  s.tensor_overlap = share(e.tensor_overlap, s.tensor_overlap);
  s.expert_overlap = share(e.expert_overlap, s.expert_overlap);
  s.pipeline_overlap = share(e.pipeline_overlap, s.pipeline_overlap);
  s.data_overlap = e.data_overlap;
  s.host_per_layer_s = e.cuda_graphs ? 0 : e.host_per_layer.or_else(Time{}).si();
  s.stream_passes = share(e.stream_passes, s.stream_passes);
  s.flash = e.attention != AttentionKernel::unfused;
  s.dropout = e.dropout;
  s.early_stop = e.early_stop;
  s.node_dedupe = e.node_dedupe;
  s.contention = share(e.contention, s.contention);
  s.jitter_per_doubling = share(e.jitter, s.jitter_per_doubling);
  s.kernels = share(e.kernels, s.kernels);
  s.optimiser_passes = share(e.optimiser_passes, s.optimiser_passes);
  s.selective_products = share(e.selective_products, s.selective_products);
  s.whole_reduce = e.whole_reduce;
  s.sequence_parallel = e.sequence_parallel;
  s.balanced = e.balanced;
  s.sharded_optimiser = e.sharded_optimiser;
  s.reserve_share = share(e.reserve_share, s.reserve_share);
  s.memory = habits(e.memory);
  if (!calibrated) return s;
  const auto* from = calibration_of(e);
  if (from == nullptr || !from->calibration) return s;
  const Number& n = from->calibration;
  s.efficiency = n.likely;
  s.efficiency_low = n.ranged() ? n.low : n.likely;
  s.efficiency_high = n.ranged() ? n.high : n.likely;
  s.calibrated = from == &e;
  return s;
}

double attention_rate(AttentionKernel kernel, const catalog::Accelerator& a) {
  if (kernel == AttentionKernel::tuned || kernel == AttentionKernel::unfused) return 1;
  // FlashAttention 2 on an H100 reaches 35 % of peak where version 3 reaches 57 % (fp16, head 128,
  // 16k; arXiv 2407.08608, figure 5). On Blackwell it runs on the same legacy path: 350 of
  // 1,160 TFLOP/s assumed. On Ampere it is the best there is.
  const bool hopper = a.architecture == "Hopper";
  const bool blackwell = a.architecture.rfind("Blackwell", 0) == 0;
  const double flash2 = hopper ? 0.61 : blackwell ? 0.3 : 1;
  if (kernel == AttentionKernel::flash2) return flash2;
  return hopper || blackwell ? triton_share * flash2 : triton_on_ampere;
}

Software make_software(const TrainingSoftware& e, const catalog::Accelerator& a, bool calibrated) {
  Software s = make_software(e, calibrated);
  s.attention_rate = attention_rate(e.attention, a);
  s.even_heads = e.attention == AttentionKernel::triton;
  return s;
}

Software current_software() { return named("megatron-core"); }
Software classic_software() { return named("megatron-lm-2021"); }
Software fsdp_software() { return named("torchtitan-eager"); }

}  // namespace headroom::train
