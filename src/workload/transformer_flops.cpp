#include <algorithm>
#include <cmath>

#include "workload/shape.hpp"
#include "workload/transformer.hpp"

namespace headroom::workload {
namespace {

FlopsPerToken per_token(double flops) { return flops * flop / token; }

double window_of(const Model& m, const LayerClass& c) { return c.global ? 0 : m.window; }

/// Tokens a token attends to, on average over a sequence that starts empty.
double mean_span(const Model& m, const LayerClass& c, double s, AttentionCount convention) {
  if (s <= 0) return 0;
  const double window = window_of(m, c);
  if (m.bidirectional || convention == AttentionCount::full) {
    return window > 0 ? std::min(s, window) : s;
  }
  return attention_pairs(s, 0, window) / s;
}

double head_flops(const Model& m) { return m.head ? 2.0 * m.vocab * m.hidden : 0; }

double linear_flops(const Model& m) {
  double sum = 0;
  for (const auto& c : layer_classes(m)) sum += c.count * 2 * layer_matmul_weights(m, c);
  return sum;
}

/// FLOPs of a (query, key) pair when queries are projected into the latent space.
double absorbed_pair_flops(const Model& m) {
  if (!m.is_latent()) return pair_flops(m);
  return 2.0 * m.heads * (2.0 * m.mla.kv_rank + m.mla.rope_dim);
}

double whole_heads(int heads, int ranks) { return std::ceil(double(heads) / std::max(ranks, 1)); }

}  // namespace

double attention_pairs(double fresh, double cached, double window) {
  const double all = fresh * cached + fresh * (fresh + 1) / 2;
  if (window <= 0 || cached + fresh <= window) return all;
  // The first `growing` fresh tokens still see everything, the others a full window.
  const double growing = std::clamp(window - cached, 0.0, fresh);
  return growing * cached + growing * (growing + 1) / 2 + (fresh - growing) * window;
}

std::string_view attention_count_name(AttentionCount convention) {
  return convention == AttentionCount::causal ? "causal" : "full";
}

std::string_view recompute_name(Recompute recompute) {
  switch (recompute) {
    case Recompute::none:
      return "none";
    case Recompute::selective:
      return "selective";
    case Recompute::full:
      return "full";
  }
  return "none";
}

TokenFlops forward_flops(const Model& model, double sequence, AttentionCount convention) {
  double attention = 0;
  for (const auto& c : layer_classes(model)) {
    attention += c.count * pair_flops(model) * mean_span(model, c, sequence, convention);
  }
  return {per_token(linear_flops(model)), per_token(attention), per_token(head_flops(model))};
}

Flops prefill_flops(const Model& model, double fresh, double cached) {
  double sum = fresh * linear_flops(model) + (fresh > 0 ? head_flops(model) : 0);
  for (const auto& c : layer_classes(model)) {
    sum += c.count * pair_flops(model) * attention_pairs(fresh, cached, window_of(model, c));
  }
  return sum * flop;
}

TokenFlops decode_flops(const Model& model, double context) {
  double attention = 0;
  for (const auto& c : layer_classes(model)) {
    attention +=
        c.count * absorbed_pair_flops(model) * attention_pairs(1, context, window_of(model, c));
  }
  return {per_token(linear_flops(model)), per_token(attention), per_token(head_flops(model))};
}

TokenFlops training_flops(const Model& model, double sequence, AttentionCount convention,
                          Recompute recompute) {
  const TokenFlops f = forward_flops(model, sequence, convention);
  const double layers = recompute == Recompute::full ? 4 : 3;
  const double core = recompute == Recompute::none ? 3 : 4;
  return {f.linear * layers, f.attention * core, f.head * 3};
}

FlopsPerToken six_nd(const Model& model) { return per_token(6 * active_parameters(model).total()); }

AttentionWork attention_work(const Model& model, const LayerClass& layer, double queries,
                             double cached, Precision kv, int tensor) {
  const double window = window_of(model, layer);
  const double pairs = attention_pairs(queries, cached, window);
  const double each = queries > 1 ? pair_flops(model) : absorbed_pair_flops(model);
  const double share = model.heads > 0 ? whole_heads(model.heads, tensor) / model.heads : 0;
  const double seen = cached + queries;
  const double read = window > 0 ? std::min(seen, window + queries - 1) : seen;
  const double kv_share = model.is_latent() || model.kv_head_count() == 0
                              ? 1.0
                              : whole_heads(model.kv_head_count(), tensor) / model.kv_head_count();
  return {pairs * each * share * flop,
          read * kv_values_per_layer(model) * kv_share * bytes_per_element(kv) * byte};
}

// --- Matrix products -----------------------------------------------------------------

namespace {

using Gemms = std::vector<Gemm>;

void add_latent_attention(Gemms& out, const Model& m, double tokens, double heads) {
  const auto& a = m.mla;
  const double q_in = a.q_rank > 0 ? a.q_rank : m.hidden;
  out.push_back(
      {"qkv-down", tokens, double(a.q_rank) + a.kv_rank + a.rope_dim, double(m.hidden), 1, true});
  out.push_back({"q-up", tokens, heads * (a.nope_dim + a.rope_dim), q_in, 1, true});
  out.push_back({"kv-up", tokens, heads * (a.nope_dim + a.value_dim), double(a.kv_rank), 1, true});
  out.push_back({"out", tokens, double(m.hidden), heads * a.value_dim, 1, false});
}

void add_attention(Gemms& out, const Model& m, double tokens, int tensor) {
  const double heads = whole_heads(m.heads, tensor);
  if (m.is_latent()) return add_latent_attention(out, m, tokens, heads);
  const double width = m.head_width();
  const double kv = whole_heads(m.kv_head_count(), tensor);
  out.push_back({"qkv", tokens, (heads + 2 * kv) * width, double(m.hidden), 1, true});
  out.push_back({"out", tokens, double(m.hidden), heads * width, 1, false});
}

void add_ffn(Gemms& out, const Model& m, std::string_view up, std::string_view down, double tokens,
             double width, double count) {
  if (width <= 0 || count <= 0) return;
  out.push_back({up, tokens, (m.gated ? 2 : 1) * width, double(m.hidden), count, true});
  out.push_back({down, tokens, double(m.hidden), width, count, false});
}

void add_experts(Gemms& out, const Model& m, double tokens, const Split& split) {
  const int tensor = std::max(split.tensor, 1), expert = std::max(split.expert, 1);
  const int cut = split.expert_tensor > 0 ? split.expert_tensor : (expert == 1 ? tensor : 1);
  const double met = tokens * split.gather;
  const double visited = experts_visited(m, met);
  out.push_back({"router", tokens, double(m.moe.experts), double(m.hidden), 1, true});
  add_ffn(out, m, "shared-up", "shared-down", tokens, shared_width(m) / tensor, 1);
  if (visited <= 0) return;
  add_ffn(out, m, "expert-up", "expert-down", met * m.moe.active / visited, double(m.moe.ffn) / cut,
          visited / expert);
}

}  // namespace

std::vector<Gemm> layer_gemms(const Model& model, const LayerClass& layer, double tokens,
                              const Split& split) {
  Gemms out;
  const int tensor = std::max(split.tensor, 1);
  if (model.heads > 0) add_attention(out, model, tokens, tensor);
  if (layer.mixture)
    add_experts(out, model, tokens, split);
  else
    add_ffn(out, model, "ffn-up", "ffn-down", tokens, double(model.ffn) / tensor, 1);
  return out;
}

Gemm head_gemm(const Model& model, double tokens, const Split& split) {
  const double rows = model.head ? double(model.vocab) / std::max(split.tensor, 1) : 0;
  return {"head", tokens, rows, double(model.hidden), 1, true};
}

}  // namespace headroom::workload
