#include "infer/step.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "compute/kernel.hpp"
#include "fabric/path.hpp"
#include "infer/step_kernels.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

double bits_per_weight(Precision p) { return 8 * workload::stored_bytes_per_weight(p); }

double or_else(const Value<Scalar>& v, double otherwise) { return v ? v.get().si() : otherwise; }
double or_else(const Value<Time>& v, double otherwise) { return v ? v.get().si() : otherwise; }

fabric::ReduceKernels reduce_kernels(const catalog::ServingSoftware& s) {
  return s.engine == "TensorRT-LLM" ? fabric::ReduceKernels::tensorrt_llm
                                    : fabric::ReduceKernels::vllm;
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

StepModel::StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
                     const fabric::Path& path, const Layout& layout, Engine engine)
    : StepModel(model, accelerator, path, layout, software_of(engine)) {}

StepModel::StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
                     const fabric::Path& path, const Layout& layout,
                     const catalog::ServingSoftware& software, Use use)
    : layout_(layout),
      kernels_(std::make_shared<const StepKernels>(
          model, accelerator,
          fabric::for_serving(path, accelerator.scale_up.link, reduce_kernels(software)), layout)) {
  set_device(accelerator);
  set_weights(model);
  set_attention(model);
  set_terms(model, accelerator, software, use);
}

void StepModel::set_device(const catalog::Accelerator& accelerator) {
  peak_ =
      compute::peak(accelerator, executed(accelerator, layout_.weights, layout_.weight_only)).si();
  bandwidth_bits_ = accelerator.memory_bandwidth.or_else(Bandwidth{}).si();
  memory_bits_ = accelerator.memory.or_else(Information{}).si();
}

void StepModel::set_weights(const catalog::Model& model) {
  const auto p = workload::parameters(model);
  const auto f = formats_of(model, layout_);
  const double rest = bits_per_weight(Precision::bf16);
  const double shard = layout_.tp;
  layers_ = model.layers;
  const double ffn = p.dense_ffn + p.shared_ffn;
  linear_params_ = (p.attention + ffn + p.router) / shard;
  linear_bits_ = (p.attention * bits_per_weight(f.attention) + ffn * bits_per_weight(f.ffn) +
                  (p.router + p.norms) * rest) /
                 shard;
  head_params_ = model.head ? double(model.vocab) * model.hidden / shard : 0;
  head_bits_ = head_params_ * rest;
  if (model.is_mixture()) {
    experts_ = model.moe.experts;
    active_ = model.moe.active;
    expert_bits_ = p.experts * bits_per_weight(f.experts) / layout_.stage_ranks();
    expert_params_ = p.experts / layout_.stage_ranks() * active_ / experts_;
  }
  const double kept = (p.embedding + p.head + p.other) * rest / shard;
  weight_bits_ = (linear_bits_ + expert_bits_ + kept) / layout_.pp;
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

void StepModel::set_terms(const catalog::Model& model, const catalog::Accelerator& accelerator,
                          const catalog::ServingSoftware& s, Use use) {
  const auto f = formats_of(model, layout_);
  // Four bits without a figure take that of the format they multiply in.
  const auto factor = [&](Precision p, Value<Scalar> catalog::KernelFactor::*part) {
    const auto generation = generation_of(accelerator);
    const Precision runs = executed(accelerator, p, layout_.weight_only);
    for (const auto format : {factor_format(p, f), name(p), factor_format(runs, f)}) {
      const auto* k = s.factor(format, generation);
      if (k != nullptr && k->*part) return (k->*part).get().si();
    }
    return 1.0;
  };
  using Factor = catalog::KernelFactor;
  terms_.products = factor(f.ffn, &Factor::products);
  terms_.prompt_products = factor(f.ffn, &Factor::prompts);
  terms_.experts = factor(f.experts, &Factor::experts);
  terms_.prompt_experts = factor(f.experts, &Factor::expert_prompts);
  terms_.collectives = or_else(s.collectives, 1);
  terms_.passes = or_else(s.stream_passes, 8);
  terms_.small = layers_ * or_else(s.small_kernels, 6) * kernels_->launch_s;
  terms_.per_step = layout_.pp * or_else(s.per_step, 0) + layers_ * or_else(s.per_layer, 0);
  terms_.per_sequence = or_else(s.per_sequence, 0);
  terms_.per_prompt = or_else(s.per_prompt, 0);
  if (!layout_.graphs) terms_.eager = layers_ * or_else(s.eager_layer, 0);
  mixed_ = s.mixed;
  joint_ = s.joint_attention;
  if (s.unseen) range_ = {s.unseen.low, s.unseen.likely, s.unseen.high, s.rows, false};
  if (use == Use::raw) return;
  const auto* c = s.calibration(model.id, accelerator.id, name(layout_.weights));
  if (c == nullptr) return;
  terms_.kernels = or_else(c->products, 1);
  terms_.caches = or_else(c->caches, 1);
  terms_.prompts = or_else(c->prompts, 1);
  terms_.per_step = or_else(c->per_step, terms_.per_step);
  terms_.links = or_else(c->links, terms_.kernels);
  terms_.prompt_links = or_else(c->links, terms_.prompts);
  terms_.per_sequence = or_else(c->per_sequence, terms_.per_sequence);
  terms_.per_prompt = or_else(c->per_prompt, terms_.per_prompt);
  if (c->residual) {
    range_ = {c->residual.low, c->residual.likely, c->residual.high, c->rows, true};
  }
}

double StepModel::visited(double tokens) const {
  if (experts_ <= 0) return 0;
  return experts_ * -std::expm1(tokens * std::log1p(-std::min(active_ / experts_, 1 - 1e-12)));
}

// K, the kernels over tokens, at the decodes alone and with the prompts: the difference is what
// prompts cost. A step without decodes still pays for reading the weights once.
StepModel::Parts StepModel::split(const Batch& b) const {
  Parts t;
  if (b.decodes <= 0 && b.prefill <= 0) return t;
  if (!mixed_ && b.decodes > 0 && b.prefill > 0) {  // a step each
    Batch decode = b, prompt = b;
    decode.prefill = decode.prefill_keys = decode.prompts = 0;
    prompt.decodes = prompt.context = prompt.verify = 0;
    const Parts d = split(decode), p = split(prompt);
    return {d.linear + p.linear, d.experts + p.experts,         d.attention + p.attention,
            d.passes + p.passes, d.collectives + p.collectives, d.host + p.host};
  }
  const StepKernels& k = *kernels_;
  const double share = 1.0 / (layout_.pp * layout_.attention_dp);
  const double decodes = b.decodes * share;
  const double prompts = b.prefill > 0 ? std::max(b.prompts, 1.0) : 0;
  // A prompt stays with one attention replica; the others wait for the fullest.
  const double holders = std::min<double>(layout_.attention_dp, std::max(prompts, 1.0));
  const double fresh = b.prefill / layout_.pp / holders;
  const double checked = decodes * (1 + b.verify);
  const double base = fresh > 0 ? std::max(checked, 1.0) : checked, all = checked + fresh;
  const double meet = checked + b.prefill * share;

  const double kernels = terms_.kernels, extra = terms_.prompts;
  const auto mixed = [&](const TokenCurve& curve, double high, double factor, double prompt) {
    const double first = curve.at(base);
    return kernels * factor * first + extra * prompt * std::max(0.0, curve.at(high) - first);
  };
  t.linear = mixed(k.products, all, terms_.products, terms_.prompt_products) +
             kernels * k.head.at(checked + prompts / layout_.pp / holders);
  if (experts_ > 0) {
    t.experts = mixed(k.experts, std::max(base, meet), terms_.experts, terms_.prompt_experts);
  }
  const double alone = k.reduce.at(base), more = std::max(0.0, k.reduce.at(all) - alone);
  t.collectives = terms_.collectives * (terms_.links * alone + terms_.prompt_links * more);
  const double pass = terms_.passes * k.pass_s + k.activation_s;
  t.passes = kernels * (terms_.small + base * pass) + extra * std::max(0.0, all - base) * pass;
  if (b.adapters > 0) {
    t.linear += std::min(b.adapters, b.decodes + prompts) * k.adapter_s +
                k.adapter_kernels * k.launch_s + all * k.adapter_token_s;
  }

  const double seen = window_ > 0 ? std::min(b.context, window_) : b.context;
  const bool joint = joint_ && fresh > 0;
  const double global = (joint ? k.joint_global_s : k.key_global_s) + b.verify * k.verify_global_s;
  const double local = (joint ? k.joint_local_s : k.key_local_s) + b.verify * k.verify_local_s;
  t.attention = terms_.caches * decodes * (b.context * global + seen * local);
  if (fresh > 0) {
    const double near = window_ > 0 ? std::min(b.prefill_keys, window_) : b.prefill_keys;
    const double keys = b.prefill_keys + k.pair_local_ratio * (near - b.prefill_keys);
    t.attention += extra * fresh * keys * k.prompt_s.at(b.prefill / prompts);
  }
  t.host =
      terms_.per_step + terms_.per_sequence * b.decodes / layout_.pp + terms_.per_prompt * prompts;
  if (terms_.eager > 0) t.host += std::max(0.0, terms_.eager - (t.total() - t.host));
  return t;
}

double StepModel::step_s(const Batch& batch) const { return split(batch).total(); }

StepTime StepModel::parts(const Batch& batch) const {
  const Parts p = split(batch);
  return {p.linear * second, p.experts * second,     p.attention * second,
          p.passes * second, p.collectives * second, p.host * second};
}

double StepModel::linear_run_s(const Batch& batch, int from, int to) const {
  const auto at = [&](int i) {
    Batch b = batch;
    b.context += i;
    return step_s(b);
  };
  return (to - from) * (at(from) + at(to - 1)) / 2;
}

// Time is linear in the keys but for two kinks: where contexts fill the window, and where the GPU
// outlasts a host without graphs. The first is known; around the second halves are summed.
double StepModel::run_s(const Batch& batch, int steps) const {
  if (steps <= 0) return 0;
  const auto whole = [&](int from, int to) { return linear_run_s(batch, from, to); };
  const auto halved = [&](auto&& self, int from, int to) -> double {
    if (from >= to) return 0;
    if (terms_.eager <= 0 || to - from <= 2) return whole(from, to);
    const int middle = (from + to) / 2;
    Batch b = batch;
    const auto at = [&](int i) {
      b.context = batch.context + i;
      return step_s(b);
    };
    const double first = at(from), last = at(to - 1), mid = at(middle);
    const double straight = first + (last - first) * (middle - from) / (to - 1 - from);
    if (std::abs(mid - straight) <= 1e-6 * mid) return whole(from, to);
    return self(self, from, middle) + self(self, middle, to);
  };
  const int kink =
      window_ > batch.context
          ? static_cast<int>(std::min<double>(steps, std::ceil(window_ - batch.context)))
          : 0;
  return halved(halved, 0, kink) + halved(halved, kink, steps);
}

Time StepModel::prefill(double tokens, double cached, const Batch& beside, double budget) const {
  if (tokens <= 0) return Time{};
  const double chunks = std::max(1.0, tokens / std::max(budget, 1.0));
  Batch with = mixed_ ? beside : Batch{};
  with.prefill = tokens / chunks;
  with.prefill_keys = cached + tokens / 2;
  with.prompts = 1;
  const double without = mixed_ ? step_s(beside) : 0;
  return chunks * (step_s(with) - without) * second;
}

Information StepModel::kv_per_gpu(double context) const {
  const double seen = window_ > 0 ? std::min(context, window_) : context;
  return Information::from_si((context * kv_global_bits_ + seen * kv_local_bits_) /
                              (layout_.pp * layout_.attention_dp));
}

Information StepModel::bytes_read(const Batch& whole) const {
  const double share = 1.0 / (layout_.pp * layout_.attention_dp);
  const double tokens = (whole.decodes * (1 + whole.verify) + whole.prefill) / layout_.pp;
  if (tokens <= 0) return {};
  const double seen = window_ > 0 ? std::min(whole.context, window_) : whole.context;
  const double kv =
      whole.decodes * share * (whole.context * kv_global_bits_ + seen * kv_local_bits_);
  const double experts = experts_ > 0 ? expert_bits_ * visited(tokens) / experts_ : 0;
  return Information::from_si(linear_bits_ + head_bits_ + experts + kv);
}

Flops StepModel::flops(const Batch& whole) const {
  const double share = 1.0 / (layout_.pp * layout_.attention_dp);
  const double d = whole.decodes * (1 + whole.verify) * share, f = whole.prefill * share;
  const double keys_local =
      window_ > 0 ? std::min(whole.prefill_keys, window_) : whole.prefill_keys;
  const double seen = window_ > 0 ? std::min(whole.context, window_) : whole.context;
  return Flops::from_si(
      2 * (linear_params_ + expert_params_ * layout_.attention_dp) * (d + f) +
      2 * head_params_ * d +
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
