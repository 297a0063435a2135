#include "workload/training_memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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

void keep_attention(const Model& m, const LayerClass& c, const ActivationOptions& o, Kept& k) {
  const double heads = m.heads;
  const double q = heads * score_width(m), v_out = heads * value_width(m);
  // Latent attention expands keys and values to all heads before the product.
  const double kv_heads = m.is_latent() ? heads : m.kv_head_count();
  const double keys = kv_heads * score_width(m), values = kv_heads * value_width(m);
  k.replicated += wide * m.hidden;          // input of the projections
  k.divided += wide * (q + keys + values);  // operands of the product
  k.divided += wide * v_out;                // input of the output projection
  if (m.is_latent()) k.replicated += wide * (m.mla.q_rank + m.mla.kv_rank + m.mla.rope_dim);
  if (o.flash) {
    k.divided += 4 * heads;  // log-sum-exp, fp32
  } else if (o.recompute != Recompute::selective) {
    const double span = c.global ? o.sequence : std::min(o.sequence, double(m.window));
    k.divided += heads * span * (o.dropout ? 2 * wide + mask : wide);
  }
  if (o.dropout) k.replicated += mask * m.hidden;
}

double ffn_kept(const Model& m, double width) { return wide * width * (m.gated ? 3 : 2); }

void keep_ffn(const Model& m, const LayerClass& c, const ActivationOptions& o, Kept& k) {
  k.replicated += wide * m.hidden;  // input of the first product
  if (!c.mixture) {
    k.divided += ffn_kept(m, m.ffn);
  } else {
    k.divided += ffn_kept(m, shared_width(m)) + m.moe.active * ffn_kept(m, m.moe.ffn);
    // Each routed copy of the token is an input of its own; router scores in fp32.
    k.replicated += m.moe.active * wide * m.hidden + 4.0 * m.moe.experts;
  }
  if (o.dropout) k.replicated += mask * m.hidden;
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
