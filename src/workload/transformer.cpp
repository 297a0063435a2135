#include "workload/transformer.hpp"

#include <algorithm>
#include <cmath>

#include "workload/shape.hpp"

namespace headroom::workload {
namespace {

using catalog::Norm;

double norm_weights(const Model& m, double width) {
  return m.norm == Norm::layer ? 2 * width : width;
}

/// Per-layer weights that are neither projections nor FFN: norms of all kinds.
double layer_norms(const Model& m) {
  double count = m.norms_per_layer * norm_weights(m, m.hidden);
  if (m.qk_norm) count += 2.0 * m.head_width();
  if (m.is_latent()) count += m.mla.q_rank + m.mla.kv_rank;
  return count;
}

double attention_biases(const Model& m) {
  double count = 0;
  if (m.qkv_bias) count += m.head_width() * (m.heads + 2.0 * m.kv_head_count());
  if (m.output_bias) count += m.hidden;
  if (m.sinks) count += m.heads;
  return count;
}

double ffn_biases(const Model& m, double width) { return (m.gated ? 2 * width : width) + m.hidden; }

double dense_ffn(const Model& m) {
  return ffn_weights(m, m.ffn) + (m.ffn_bias ? ffn_biases(m, m.ffn) : 0);
}

double expert(const Model& m) {
  return ffn_weights(m, m.moe.ffn) + (m.moe.bias ? ffn_biases(m, m.moe.ffn) : 0);
}

double router(const Model& m) {
  return (m.hidden + (m.moe.router_bias ? 1.0 : 0.0)) * m.moe.experts;
}

void add_layers(const Model& m, const LayerClass& c, double experts_counted, Parameters& p) {
  p.attention +=
      c.count * (attention_weights(m) + cross_attention_weights(m) + attention_biases(m));
  p.norms += c.count * layer_norms(m);
  if (!c.mixture) {
    p.dense_ffn += c.count * dense_ffn(m);
    return;
  }
  p.experts += c.count * experts_counted * expert(m);
  p.shared_ffn += c.count * ffn_weights(m, shared_width(m));
  p.router += c.count * router(m);
}

Parameters count(const Model& m, double experts_counted) {
  Parameters p;
  p.embedding = (double(m.vocab) + m.learned_positions + m.token_types) * m.hidden;
  p.head = m.head && !m.tied ? double(m.vocab) * m.hidden : 0;
  for (const auto& c : layer_classes(m)) add_layers(m, c, experts_counted, p);
  p.norms += (int(m.embedding_norm) + int(m.final_norm)) * norm_weights(m, m.hidden);
  p.other = m.other_parameters.or_else(0);
  if (m.pooler) p.other += (m.hidden + 1.0) * m.hidden;
  return p;
}

}  // namespace

// --- Shape helpers (shape.hpp) ---------------------------------------------------

double cross_attention_weights(const Model& m) {
  return m.diffusion.cross_tokens > 0 ? 4.0 * m.hidden * m.hidden : 0;
}

double attention_weights(const Model& m) {
  if (m.is_latent()) {
    const auto& a = m.mla;
    const double q_out = double(m.heads) * (a.nope_dim + a.rope_dim);
    const double q = a.q_rank > 0 ? a.q_rank * (m.hidden + q_out) : m.hidden * q_out;
    const double kv = double(m.hidden) * (a.kv_rank + a.rope_dim) +
                      double(a.kv_rank) * m.heads * (a.nope_dim + a.value_dim);
    return q + kv + double(m.heads) * a.value_dim * m.hidden;
  }
  const double width = m.head_width();
  return m.hidden * width * (2.0 * m.heads + 2.0 * m.kv_head_count());
}

double ffn_weights(const Model& m, double width) {
  return (m.gated ? 3.0 : 2.0) * m.hidden * width;
}

double shared_width(const Model& m) {
  if (!m.is_mixture()) return 0;
  return m.moe.shared_ffn > 0 ? m.moe.shared_ffn : double(m.moe.shared) * m.moe.ffn;
}

double layer_matmul_weights(const Model& m, const LayerClass& layer) {
  if (!layer.mixture) return attention_weights(m) + ffn_weights(m, m.ffn);
  return attention_weights(m) + ffn_weights(m, shared_width(m)) +
         m.moe.active * ffn_weights(m, m.moe.ffn) + double(m.hidden) * m.moe.experts;
}

double score_width(const Model& m) {
  return m.is_latent() ? m.mla.nope_dim + m.mla.rope_dim : m.head_width();
}

double value_width(const Model& m) { return m.is_latent() ? m.mla.value_dim : m.head_width(); }

// --- Parameters ------------------------------------------------------------------

double Parameters::blocks() const {
  return attention + dense_ffn + shared_ffn + experts + router + norms;
}

double Parameters::total() const { return embedding + head + blocks() + other; }

Parameters parameters(const Model& model) { return count(model, model.moe.experts); }

Parameters active_parameters(const Model& model) { return count(model, model.moe.active); }

double mtp_parameters(const Model& model) {
  if (model.mtp_layers == 0 || model.layers == 0) return 0;
  Parameters p;
  const LayerClass last{model.layer_is_mixture(model.layers - 1), true, 1};
  add_layers(model, last, model.moe.experts, p);
  const double h = model.hidden;
  return model.mtp_layers * (p.blocks() + 2 * h * h + 3 * norm_weights(model, h));
}

double matmul_parameters(const Model& model) {
  double sum = model.head ? double(model.vocab) * model.hidden : 0;
  for (const auto& c : layer_classes(model)) sum += c.count * layer_matmul_weights(model, c);
  return sum;
}

std::vector<LayerClass> layer_classes(const Model& model) {
  std::vector<LayerClass> out;
  for (int i = 0; i < model.layers; ++i) {
    const LayerClass c{model.layer_is_mixture(i), model.layer_is_global(i), 1};
    const auto same = std::find_if(out.begin(), out.end(), [&](const LayerClass& o) {
      return o.mixture == c.mixture && o.global == c.global;
    });
    if (same == out.end())
      out.push_back(c);
    else
      ++same->count;
  }
  return out;
}

// --- KV cache ----------------------------------------------------------------------

double kv_values_per_layer(const Model& model) {
  if (model.is_latent()) return model.mla.kv_rank + model.mla.rope_dim;
  return 2.0 * model.kv_head_count() * model.head_width();
}

InformationPerToken kv_bytes_per_token(const Model& model, Precision precision) {
  const double bytes = kv_values_per_layer(model) * model.layers * bytes_per_element(precision);
  return bytes * byte / token;
}

Information kv_bytes(const Model& model, double context, Precision precision) {
  double held = 0;
  for (const auto& c : layer_classes(model)) {
    held += c.count * (c.global ? context : std::min<double>(context, model.window));
  }
  return kv_values_per_layer(model) * held * bytes_per_element(precision) * byte;
}

// --- Weights -----------------------------------------------------------------------

WeightFormat released_format(const Model& model) {
  return {model.weights, Precision::bf16, model.weights_experts_only};
}

double stored_bytes_per_weight(Precision precision) {
  const double bytes = bytes_per_element(precision);
  // One fp32 scale a 128 x 128 block: DeepSeek-V3 technical report, sec. 3.3.
  if (precision == Precision::fp8) return bytes + 4.0 / (128 * 128);
  // fp16 scale and a 4-bit zero point a group of 128: the default of AutoAWQ and GPTQ.
  if (precision == Precision::int4) return bytes + 2.5 / 128;
  return bytes;
}

namespace {

/// Weights in the format's low precision; the rest stays at `rest`.
double quantised_weights(const Parameters& p, const WeightFormat& format) {
  return format.experts_only ? p.experts : p.attention + p.dense_ffn + p.shared_ffn + p.experts;
}

Information stored(const Parameters& p, const WeightFormat& format) {
  const double low = quantised_weights(p, format);
  return (low * stored_bytes_per_weight(format.precision) +
          (p.total() - low) * stored_bytes_per_weight(format.rest)) *
         byte;
}

}  // namespace

Information weight_bytes(const Model& model, const WeightFormat& format) {
  return stored(parameters(model), format);
}

double experts_visited(const Model& model, double tokens) {
  if (!model.is_mixture()) return 0;
  const double share = double(model.moe.active) / model.moe.experts;
  if (share >= 1) return model.moe.experts;
  // -expm1(n log1p(-p)) = 1 - (1 - p)^n without cancellation for small n p.
  return -model.moe.experts * std::expm1(std::max(tokens, 0.0) * std::log1p(-share));
}

Information weight_bytes_read(const Model& model, double tokens, const WeightFormat& format) {
  Parameters p = count(model, experts_visited(model, tokens));
  if (model.head && model.tied) p.head = double(model.vocab) * model.hidden;
  p.embedding = 0;
  p.other = 0;
  return stored(p, format);
}

}  // namespace headroom::workload
