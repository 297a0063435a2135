#include "workload/training_memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "workload/shape.hpp"

namespace headroom::workload {
namespace {

constexpr std::array<std::string_view, 7> optimiser_names = {
    "adam", "adam-8bit", "adafactor", "lion", "muon", "sgd-momentum", "sgd"};
constexpr std::array<std::string_view, 8> precision_labels = {
    "bf16", "bf16-bf16-grads", "fp16", "bf16-pure", "fp8", "fp32", "bf16-moments", "bf16-lean"};
constexpr std::array<std::string_view, 3> target_names = {"query-value", "attention", "linear"};

/// Full-width moments an optimiser keeps for every parameter.
double moment_count(Optimiser o) {
  switch (o) {
    case Optimiser::adam:
    case Optimiser::adam_8bit:
      return 2;
    case Optimiser::lion:
    case Optimiser::muon:
    case Optimiser::sgd_momentum:
      return 1;
    case Optimiser::adafactor:  // rows and columns only: below 0.1 % of the parameters
    case Optimiser::sgd:
      return 0;
  }
  return 0;
}

struct Widths {
  double weight, gradient, master, moment;
};

Widths widths(TrainingPrecision p) {
  switch (p) {
    case TrainingPrecision::bf16:
      return {2, 4, 4, 4};
    case TrainingPrecision::bf16_bf16_grads:
    case TrainingPrecision::fp16:
      return {2, 2, 4, 4};
    case TrainingPrecision::bf16_pure:
      return {2, 2, 0, 2};
    case TrainingPrecision::fp8:
      return {1, 4, 4, 2};  // DeepSeek-V3 report, sec. 3.3.3
    case TrainingPrecision::fp32:
      return {4, 4, 0, 4};
    case TrainingPrecision::bf16_moments:
      return {2, 4, 4, 2};
    case TrainingPrecision::bf16_lean:
      return {2, 2, 2, 2};  // Transformer Engine FusedAdam, store_param_remainders
  }
  return {4, 4, 0, 4};
}

}  // namespace

std::string_view optimiser_name(Optimiser o) { return optimiser_names[std::size_t(o)]; }
std::string_view training_precision_name(TrainingPrecision p) {
  return precision_labels[std::size_t(p)];
}
std::string_view lora_targets_name(LoraTargets t) { return target_names[std::size_t(t)]; }

ParameterState parameter_state(Optimiser optimiser, TrainingPrecision precision) {
  const Widths w = widths(precision);
  // Block-wise quantisation keeps one fp32 scale for every 2,048 values (Dettmers et al.
  // 2022, sec. 2.1).
  const double moment = optimiser == Optimiser::adam_8bit ? 1 + 4.0 / 2048 : w.moment;
  return {w.weight * byte, w.gradient * byte, w.master * byte,
          moment_count(optimiser) * moment * byte};
}

// --- Activations -----------------------------------------------------------------------

namespace {

/// Bytes one token keeps, apart by whether tensor parallelism alone divides them.
struct Kept {
  double replicated = 0;  ///< norms, layer inputs, dropout masks
  double divided = 0;
};

// Activations are kept in 2 bytes (bf16 or fp16); masks in 1.
constexpr double wide = 2, mask = 1;

struct Attention {
  double q, keys, values, out;  ///< widths before tensor parallelism
  double latent = 0;            ///< compressed inputs of MLA's up-projections
};

Attention widths_of(const Model& m) {
  const double heads = m.heads, kv = m.is_latent() ? heads : m.kv_head_count();
  Attention a{heads * score_width(m), kv * score_width(m), kv * value_width(m),
              heads * value_width(m)};
  // Latent attention expands keys and values to all heads before the product.
  if (m.is_latent()) a.latent = m.mla.q_rank + m.mla.kv_rank + m.mla.rope_dim;
  return a;
}

/// What the options recompute: modules only count under `selective`.
bool again(const ActivationOptions& o, Module module) {
  return o.recompute == Recompute::selective && o.modules.has(module);
}

bool scores_kept(const ActivationOptions& o) {
  return o.recompute != Recompute::selective || !(o.modules.empty() || again(o, Module::core_attn));
}

void keep_attention(const Model& m, const LayerClass& c, const ActivationOptions& o, Kept& k) {
  const auto a = widths_of(m);
  const double input = o.narrow_inputs ? 1 : wide;
  if (!again(o, Module::layernorm)) k.replicated += input * m.hidden;  // input of the projections
  if (!again(o, Module::mla_up_proj)) k.divided += wide * (a.q + a.keys + a.values);  // operands
  // The output is kept by attention, and once more where its product narrows its input.
  k.divided += (wide + (o.narrow_inputs ? input : 0)) * a.out;
  k.replicated += wide * a.latent;
  if (o.flash) {
    if (!again(o, Module::core_attn)) k.divided += 4.0 * m.heads;  // log-sum-exp, fp32
  } else if (scores_kept(o)) {
    const double span = c.global ? o.sequence : std::min(o.sequence, double(m.window));
    k.divided += m.heads * span * (o.dropout ? 2 * wide + mask : wide);
  }
  if (o.dropout) k.replicated += mask * m.hidden;
}

/// An FFN of one width: its one or two first products, and the input of the second.
double ffn_kept(const Model& m, const ActivationOptions& o, double width) {
  const double second = again(o, Module::moe_act) ? 0 : (o.narrow_inputs ? 1 : wide);
  return width * (wide * (m.gated ? 2 : 1) + second);
}

void keep_mixture(const Model& m, const ActivationOptions& o, Kept& k) {
  if (again(o, Module::moe)) return;
  if (!again(o, Module::shared_experts)) k.divided += ffn_kept(m, o, shared_width(m));
  const double copies = m.moe.active * o.routed, input = o.narrow_inputs ? 1 : wide;
  // An expert cut over fewer ranks than the dense layers keeps more of its width on each, of
  // as many fewer tokens: a rank's share of all copies is 1 / tensor either way.
  k.divided += copies * ffn_kept(m, o, m.moe.ffn);
  // Each routed copy of the token is an input of its own, whole on every rank that shares the
  // expert; router scores in fp32.
  const double cut = o.expert_tensor > 0 ? o.expert_tensor : std::max(o.tensor, 1);
  k.divided += copies * m.hidden * input * cut;
  k.replicated += 4.0 * m.moe.experts;
}

void keep_ffn(const Model& m, const LayerClass& c, const ActivationOptions& o, Kept& k) {
  // Norm output, input of the first product. What is checkpointed keeps its own input.
  const double input = o.narrow_inputs ? 1 : wide;
  const bool inside = c.mixture ? again(o, Module::moe) : again(o, Module::mlp);
  if (inside || !again(o, Module::layernorm)) k.replicated += (inside ? wide : input) * m.hidden;
  if (c.mixture)
    keep_mixture(m, o, k);
  else if (!again(o, Module::mlp))
    k.divided += ffn_kept(m, o, m.ffn);
  if (o.dropout) k.replicated += mask * m.hidden;
}

/// torchtitan's `op`: the layer's input, every second product from the first on, attention.
void keep_every_second(const Model& m, const LayerClass& c, const ActivationOptions& o, Kept& k) {
  const auto a = widths_of(m);
  struct Product {
    double width;
    bool replicated;
    bool unused;  ///< no gradient reads it: a residual is added to it
  };
  std::vector<Product> products;
  if (m.is_latent()) {
    if (m.mla.q_rank > 0) products.push_back({double(m.mla.q_rank), true, false});
    products.push_back({a.q, false, false});
    products.push_back({double(m.mla.kv_rank + m.mla.rope_dim), true, false});
    products.push_back({a.keys + a.values, false, false});
  } else {
    products = {{a.q, false, false}, {a.keys, false, false}, {a.values, false, false}};
  }
  products.push_back({double(m.hidden), true, true});
  // Experts run as grouped products, which the policy does not count.
  const double width = c.mixture ? shared_width(m) : m.ffn;
  for (int i = 0; width > 0 && i < (m.gated ? 2 : 1); ++i)
    products.push_back({width, false, false});
  if (width > 0) products.push_back({double(m.hidden), true, true});
  k.replicated += wide * m.hidden;
  for (std::size_t i = 0; i < products.size(); i += 2) {
    const auto& p = products[i];
    if (p.unused && !o.unused_outputs) continue;
    (p.replicated ? k.replicated : k.divided) += wide * p.width;
  }
  k.divided += wide * a.out + 4.0 * m.heads;
}

double per_rank(const Kept& k, const ActivationOptions& o) {
  const double tensor = std::max(o.tensor, 1);
  return k.replicated / (o.sequence_parallel ? tensor : 1) + k.divided / tensor;
}

}  // namespace

InformationPerToken activation_bytes(const Model& model, const LayerClass& layer,
                                     const ActivationOptions& options) {
  Kept k;
  if (options.recompute == Recompute::full) {
    k.replicated = wide * model.hidden;
  } else if (again(options, Module::op)) {
    keep_every_second(model, layer, options, k);
  } else {
    k.replicated = wide * 2 * model.hidden;  // inputs of the two norms
    keep_attention(model, layer, options, k);
    keep_ffn(model, layer, options, k);
  }
  return per_rank(k, options) * byte / token;
}

InformationPerToken activation_bytes(const Model& model, const ActivationOptions& options) {
  InformationPerToken sum;
  for (const auto& c : layer_classes(model)) sum += c.count * activation_bytes(model, c, options);
  return sum;
}

InformationPerToken backward_bytes(const Model& model, const LayerClass& layer,
                                   const ActivationOptions& options) {
  Kept k;
  const double gate = model.gated ? 2 : 1;
  double width = model.ffn;
  if (layer.mixture)
    width = shared_width(model) + model.moe.active * options.routed * model.moe.ffn;
  // Gradients of the FFN's first products and of the input of its second, and two of the stream.
  k.divided = wide * width * (gate + 1);
  if (!options.flash)  // gradient of the scores
    k.divided +=
        wide * model.heads *
        (layer.global ? options.sequence : std::min(options.sequence, double(model.window)));
  k.replicated = 2 * wide * model.hidden;
  return per_rank(k, options) * byte / token;
}

InformationPerToken head_activation_bytes(const Model& model, const ActivationOptions& options) {
  Kept k;
  k.replicated = wide * 2 * model.hidden;
  k.divided = model.head ? 4.0 * model.vocab : 0;
  return per_rank(k, options) * byte / token;
}

// --- LoRA --------------------------------------------------------------------------------

namespace {

/// Sum of (in + out) over a layer's target matrices.
struct AdapterSums {
  double all = 0;     ///< every copy
  double active = 0;  ///< copies one token visits
};

double ordinary_attention(const Model& m, LoraTargets t) {
  const double h = m.hidden, q = double(m.heads) * m.head_width();
  const double kv = double(m.kv_head_count()) * m.head_width();
  const double query_value = (h + q) + (h + kv);
  return t == LoraTargets::query_value ? query_value : query_value + (h + kv) + (q + h);
}

double latent_attention(const Model& m, LoraTargets t) {
  const auto& a = m.mla;
  const double h = m.hidden, q_out = double(m.heads) * (a.nope_dim + a.rope_dim);
  const double q = a.q_rank > 0 ? (h + a.q_rank) + (a.q_rank + q_out) : h + q_out;
  const double kv_up = a.kv_rank + double(m.heads) * (a.nope_dim + a.value_dim);
  if (t == LoraTargets::query_value) return q + kv_up;
  return q + kv_up + (h + a.kv_rank + a.rope_dim) + (double(m.heads) * a.value_dim + h);
}

AdapterSums adapter_sums(const Model& m, const LayerClass& c, LoraTargets t) {
  const double attention = m.is_latent() ? latent_attention(m, t) : ordinary_attention(m, t);
  AdapterSums s{attention, attention};
  if (t != LoraTargets::linear) return s;
  const auto ffn = [&](double width) {
    return width > 0 ? (m.gated ? 3.0 : 2.0) * (m.hidden + width) : 0.0;
  };
  const double fixed = c.mixture ? ffn(shared_width(m)) : ffn(m.ffn);
  s.all += fixed + (c.mixture ? m.moe.experts * ffn(m.moe.ffn) : 0);
  s.active += fixed + (c.mixture ? m.moe.active * ffn(m.moe.ffn) : 0);
  return s;
}

AdapterSums adapter_parameters(const Model& m, const Lora& lora) {
  AdapterSums sum;
  for (const auto& c : layer_classes(m)) {
    const AdapterSums s = adapter_sums(m, c, lora.targets);
    sum.all += c.count * lora.rank * s.all;
    sum.active += c.count * lora.rank * s.active;
  }
  return sum;
}

}  // namespace

double lora_parameters(const Model& model, const Lora& lora) {
  return adapter_parameters(model, lora).all;
}

TokenFlops lora_training_flops(const Model& model, const Lora& lora, double sequence,
                               AttentionCount convention, Recompute recompute) {
  const TokenFlops f = forward_flops(model, sequence, convention);
  const double layers = recompute == Recompute::full ? 3 : 2;
  const double core = recompute == Recompute::none ? 3 : 4;
  const double adapters =
      (recompute == Recompute::full ? 8 : 6) * adapter_parameters(model, lora).active;
  return {f.linear * layers + adapters * flop / token, f.attention * core, f.head * 2};
}

}  // namespace headroom::workload
