#include "infer/step.hpp"

#include <algorithm>
#include <cmath>

#include "compute/kernel.hpp"
#include "fabric/path.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

// Fitted together to 544 published serving results on A100, L40S, GH200, H100, H200, B200 and
// B300 (InferenceX runs via aiconfigurator's silicon_sample.csv, 2026; TensorRT-LLM performance
// overview v0.17, 2025-02; inference-sim's vLLM runs on H100, 2026-02): median error 8 %, p90
// 25 to 31 %. docs/models/infer.md tells how. A triple is of 16, 8 and 4 bits: narrower weights
// reach less of the bandwidth, since their tiles are smaller and activations are narrowed too.
struct ByWidth {
  double bits16, bits8, bits4;
};
constexpr ByWidth fit_gemm{0.76, 0.70, 0.43};
constexpr ByWidth fit_stream{0.90, 0.73, 0.61};
constexpr ByWidth fit_expert_stream{1.0, 0.83, 0.83};
constexpr double fit_expert = 0.66, fit_decode = 0.72, fit_flash = 0.57;
constexpr double fit_activation_bytes = 37;  // a token, layer and channel
// What kernel tables say of the devices behind that fit; others are scaled from it.
constexpr double fitted_stream_share = 0.84, fitted_gemm_share = 0.80;

// llama.cpp unpacks four-bit blocks as it reads them: Llama 3 8B Q4_K_M on an RTX 4090 makes 131
// token/s and Llama 2 7B Q4_0 on an M3 Max 63 (GPU-Benchmarks-on-LLM-Inference, 2024-05), 0.80 of
// what 16-bit weights reach of the same bandwidth.
constexpr double unpacking_stream = 0.80;

double bits_per_weight(Precision p) { return 8 * workload::stored_bytes_per_weight(p); }

bool four_bit(Precision p) { return element_bits(p) <= 6; }

/// Peak rate products run at. Four-bit weights on a device without a four-bit unit are
/// widened to 16 bit (AWQ, GPTQ, MXFP4 by Marlin kernels), not multiplied in 8 bit.
double executed_peak(const catalog::Accelerator& a, Precision weights) {
  if (four_bit(weights) && !compute::resolve(a, weights).native) {
    return compute::peak(a, Precision::bf16).si();
  }
  return compute::peak(a, weights).si();
}

/// The entry of a triple for weights as they are multiplied (compute) or read (memory).
double at_width(const ByWidth& v, Precision weights) {
  if (element_bits(weights) >= 16) return v.bits16;
  return four_bit(weights) ? v.bits4 : v.bits8;
}

double gemm_share(const catalog::Accelerator& a, Precision weights) {
  return compute::resolve(a, weights).native ? at_width(fit_gemm, weights) : fit_gemm.bits16;
}

/// Devices outside the fit reach as much less as their own kernels do.
void scale_to_device(const catalog::Accelerator& a, Efficiency& e) {
  if (a.gemm.empty() && a.gemm_efficiency) {
    e.gemm = std::min(e.gemm, e.gemm * a.gemm_efficiency.get() / fitted_gemm_share);
    e.gemm_16 = std::min(e.gemm_16, e.gemm_16 * a.gemm_efficiency.get() / fitted_gemm_share);
  }
  if (!a.stream_efficiency) return;
  if (a.device_class != catalog::DeviceClass::datacenter) {
    e.stream = e.stream_16 = a.stream_efficiency.get();
    e.expert_stream = 1;
    e.decode = a.decode_efficiency.or_else(Scalar(fit_decode));
  } else if (a.gemm.empty()) {
    const double scale = std::min(1.0, a.stream_efficiency.get() / fitted_stream_share);
    e.stream *= scale;
    e.stream_16 *= scale;
  }
}

}  // namespace

std::string_view engine_name(Engine engine) {
  constexpr std::string_view names[] = {"vLLM", "TensorRT-LLM", "TensorRT-LLM 0.17", "SGLang",
                                        "llama.cpp"};
  return names[static_cast<int>(engine)];
}

const catalog::ServingSoftware& software_of(Engine engine) {
  constexpr std::string_view ids[] = {"vllm-v1", "tensorrt-llm-1", "tensorrt-llm-0.17",
                                      "sglang-0.5", "llama.cpp"};
  return catalog::serving_software(catalog::Catalog::builtin(), ids[static_cast<int>(engine)]);
}

namespace {
HostCost host_of(const catalog::ServingSoftware& s) {
  return {s.per_step.or_else(Time{}), s.per_layer.or_else(Time{}), s.per_sequence.or_else(Time{})};
}
}  // namespace

HostCost host_cost(Engine engine) { return host_of(software_of(engine)); }

Efficiency efficiency(const catalog::Accelerator& accelerator, Precision weights, Engine engine) {
  Efficiency e;
  e.gemm = gemm_share(accelerator, weights);
  e.gemm_16 = fit_gemm.bits16;
  e.expert = fit_expert;
  e.stream = at_width(fit_stream, weights);
  e.stream_16 = fit_stream.bits16;
  e.expert_stream = at_width(fit_expert_stream, weights);
  e.decode = fit_decode;
  e.flash = fit_flash;
  scale_to_device(accelerator, e);
  if (engine == Engine::llama_cpp && four_bit(weights)) e.stream *= unpacking_stream;
  return e;
}

StepModel::StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
                     const fabric::Path& path, const Layout& layout, Engine engine)
    : StepModel(model, accelerator, path, layout, software_of(engine)) {}

StepModel::StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
                     const fabric::Path& path, const Layout& layout,
                     const catalog::ServingSoftware& software)
    : layout_(layout),
      path_(fabric::for_serving(path, accelerator.scale_up.link)),
      host_(host_of(software)),
      eff_(efficiency(accelerator, layout.weights,
                      software.id == "llama.cpp" ? Engine::llama_cpp : Engine::vllm)) {
  set_device(accelerator);
  set_weights(model);
  set_attention(model);
}

void StepModel::set_device(const catalog::Accelerator& accelerator) {
  peak_ = executed_peak(accelerator, layout_.weights);
  peak16_ = compute::peak(accelerator, Precision::bf16).si();
  bandwidth_bits_ = accelerator.memory_bandwidth.or_else(Bandwidth{}).si();
  memory_bits_ = accelerator.memory.or_else(Information{}).si();
}

void StepModel::set_weights(const catalog::Model& model) {
  const auto p = workload::parameters(model);
  // GPT-OSS ships MXFP4 experts beside bf16 attention.
  const bool experts_only = layout_.weights == Precision::mxfp4 && model.is_mixture();
  const double low = bits_per_weight(layout_.weights), rest = bits_per_weight(Precision::bf16);
  const double shard = layout_.tp;
  layers_ = model.layers;
  linear_params_ = (p.attention + p.dense_ffn + p.shared_ffn + p.router) / shard;
  linear_bits_ = ((p.attention + p.dense_ffn + p.shared_ffn) * (experts_only ? rest : low) +
                  (p.router + p.norms) * rest) /
                 shard;
  head_params_ = model.head ? double(model.vocab) * model.hidden / shard : 0;
  head_bits_ = head_params_ * rest;
  if (model.is_mixture()) {
    experts_ = model.moe.experts;
    active_ = model.moe.active;
    expert_bits_ = p.experts * low / shard;
    expert_params_ = p.experts / shard * active_ / experts_;
  }
  const workload::WeightFormat format{layout_.weights, Precision::bf16, experts_only};
  weight_bits_ = workload::weight_bytes(model, format).si() / layout_.gpus();
  activation_bits_ = 8 * fit_activation_bytes * layers_ * model.hidden;
  message_bits_ = 16.0 * model.hidden;
}

void StepModel::set_attention(const catalog::Model& model) {
  double global = 0, local = 0;
  for (const auto& layer : workload::layer_classes(model)) {
    (layer.global ? global : local) += layer.count;
  }
  window_ = model.window;
  // Latent cache is held whole by every rank; grouped heads are split until one is left.
  const double ranks = model.is_latent() ? 1 : std::min(layout_.tp, model.kv_head_count());
  const double kv_bits =
      workload::kv_values_per_layer(model) * 8 * bytes_per_element(layout_.kv) / ranks;
  kv_global_bits_ = kv_bits * global;
  kv_local_bits_ = kv_bits * local;
  const double heads = double(model.heads) / layout_.tp;
  const double width = model.is_latent()
                           ? (model.mla.nope_dim + model.mla.rope_dim + model.mla.value_dim) / 2.0
                           : model.head_width();
  attention_flops_global_ = 4 * heads * width * global;
  attention_flops_local_ = 4 * heads * width * local;
  // Absorbed latent attention scores and sums in the latent space.
  const double decode_width =
      model.is_latent() ? model.mla.kv_rank + model.mla.rope_dim / 2.0 : width;
  decode_flops_ = 4 * heads * decode_width;
  global_layers_ = global;
  local_layers_ = local;
}

double StepModel::smooth(double flops, double bits, double peak, double gemm, double stream) const {
  const double c = peak > 0 ? flops / (peak * gemm) : 0;
  const double m = bandwidth_bits_ > 0 ? bits / (bandwidth_bits_ * stream) : 0;
  const double top = std::max(c, m);
  if (top <= 0) return 0;
  // The 3-norm keeps 26 % at the knee, where neither side hides the other.
  const double ratio = std::min(c, m) / top;
  return top * std::cbrt(1 + ratio * ratio * ratio);
}

double StepModel::visited(double tokens) const {
  if (experts_ <= 0) return 0;
  return experts_ * -std::expm1(tokens * std::log1p(-std::min(active_ / experts_, 1 - 1e-12)));
}

double StepModel::all_reduce_s(double tokens) const {
  if (layout_.tp <= 1) return 0;
  const auto bytes = Information::from_si(tokens * message_bits_);
  return fabric::all_reduce(path_, bytes, layout_.tp, std::min<double>(layout_.tp, path_.domain))
      .si();
}

double StepModel::boundary_s(double tokens) const {
  if (layout_.pp <= 1) return 0;
  const auto bytes = Information::from_si(tokens * message_bits_ / layout_.tp);
  const bool inside = layout_.gpus() <= path_.domain;
  return (layout_.pp - 1) * fabric::point_to_point(path_, bytes, inside).si();
}

Time StepModel::attention(const Batch& b) const {
  const double seen = window_ > 0 ? std::min(b.context, window_) : b.context;
  const double bits = b.decodes * (b.context * kv_global_bits_ + seen * kv_local_bits_);
  const double read = bandwidth_bits_ > 0 ? bits / (bandwidth_bits_ * eff_.decode) : 0;
  if (peak16_ <= 0) return read * second;
  const double rate = peak16_ * eff_.flash;
  const double scores =
      b.decodes * decode_flops_ * (b.context * global_layers_ + seen * local_layers_) / rate;
  const double keys_local = window_ > 0 ? std::min(b.prefill_keys, window_) : b.prefill_keys;
  const double fresh =
      b.prefill * (b.prefill_keys * attention_flops_global_ + keys_local * attention_flops_local_) /
      rate;
  return (std::max(read, scores) + fresh) * second;
}

StepTime StepModel::parts(const Batch& whole) const {
  StepTime t;
  if (whole.decodes <= 0 && whole.prefill <= 0) return t;
  const double pp = layout_.pp;
  const Batch b{whole.decodes / pp, whole.context, whole.prefill / pp, whole.prefill_keys};
  const double tokens = b.decodes + b.prefill;
  const double linear =
      smooth(2 * linear_params_ * tokens, linear_bits_, peak_, eff_.gemm, eff_.stream);
  const double head =
      smooth(2 * head_params_ * b.decodes, head_bits_, peak16_, eff_.gemm_16, eff_.stream_16);
  t.linear = (linear + head) * second;
  if (experts_ > 0) {
    const double bits = expert_bits_ * visited(tokens) / experts_;
    t.experts = smooth(2 * expert_params_ * tokens, bits, peak_, eff_.gemm * eff_.expert,
                       eff_.stream * eff_.expert_stream) *
                second;
  }
  t.attention = attention(b);
  if (bandwidth_bits_ > 0) {
    t.activations = tokens * activation_bits_ / (bandwidth_bits_ * eff_.stream_16) * second;
  }
  t.collectives = (2 * layers_ * all_reduce_s(tokens) + boundary_s(tokens)) * second;
  t.host = pp * host_.per_step + layers_ * host_.per_layer + b.decodes * host_.per_sequence;
  return t;
}

Time StepModel::prefill(double tokens, double cached, const Batch& beside, double budget) const {
  if (tokens <= 0) return Time{};
  const double chunks = std::max(1.0, tokens / std::max(budget, 1.0));
  Batch with = beside;
  with.prefill = tokens / chunks;
  with.prefill_keys = cached + tokens / 2;
  return chunks * (step(with) - step(beside));
}

Information StepModel::kv_per_gpu(double context) const {
  const double seen = window_ > 0 ? std::min(context, window_) : context;
  return Information::from_si((context * kv_global_bits_ + seen * kv_local_bits_) / layout_.pp);
}

Information StepModel::bytes_read(const Batch& whole) const {
  const double pp = layout_.pp;
  const double tokens = (whole.decodes + whole.prefill) / pp;
  if (tokens <= 0) return {};
  const double seen = window_ > 0 ? std::min(whole.context, window_) : whole.context;
  const double kv = whole.decodes / pp * (whole.context * kv_global_bits_ + seen * kv_local_bits_);
  const double experts = experts_ > 0 ? expert_bits_ * visited(tokens) / experts_ : 0;
  return Information::from_si(linear_bits_ + head_bits_ + experts + kv);
}

Flops StepModel::flops(const Batch& whole) const {
  const double pp = layout_.pp;
  const double d = whole.decodes / pp, f = whole.prefill / pp;
  const double keys_local =
      window_ > 0 ? std::min(whole.prefill_keys, window_) : whole.prefill_keys;
  const double seen = window_ > 0 ? std::min(whole.context, window_) : whole.context;
  return Flops::from_si(
      2 * (linear_params_ + expert_params_) * (d + f) + 2 * head_params_ * d +
      d * decode_flops_ * (whole.context * global_layers_ + seen * local_layers_) +
      f * (whole.prefill_keys * attention_flops_global_ + keys_local * attention_flops_local_));
}

double tokens_per_verification(double acceptance, int length) {
  const double a = std::clamp(acceptance, 0.0, 1.0);
  const int g = std::max(length, 0);
  if (a >= 1 - 1e-9) return g + 1;
  return (1 - std::pow(a, g + 1)) / (1 - a);
}

double speculative_speedup(double acceptance, int length, double draft_cost) {
  return tokens_per_verification(acceptance, length) /
         (1 + std::max(length, 0) * std::max(draft_cost, 0.0));
}

}  // namespace headroom::infer
