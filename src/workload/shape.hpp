// Weight counts of one layer's parts, shared by this layer's sources.
#pragma once

#include "workload/transformer.hpp"

namespace headroom::workload {

/// Projection weights of one layer's attention, without biases and norms.
double attention_weights(const Model& model);
/// Weights of one block's cross-attention to text (diffusion models), or zero. Its key and
/// value halves multiply text tokens, its query and output halves image tokens.
double cross_attention_weights(const Model& model);
/// Weights of an FFN of this intermediate width: 3 h w gated, 2 h w otherwise.
double ffn_weights(const Model& model, double width);
/// Total intermediate width of the shared experts.
double shared_width(const Model& model);
/// Weights that multiply one token in a layer of this class.
double layer_matmul_weights(const Model& model, const LayerClass& layer);
/// Width over which a head's scores are summed, and width of a head's value.
double score_width(const Model& model);
double value_width(const Model& model);
/// FLOPs of attention for one (query, key) pair in one layer: 2 heads (score + value).
inline double pair_flops(const Model& model) {
  return 2.0 * model.heads * (score_width(model) + value_width(model));
}
/// (query, key) pairs of `fresh` tokens behind `cached` ones, when each sees at most
/// `window` tokens including itself (0 = all).
double attention_pairs(double fresh, double cached, double window);

}  // namespace headroom::workload
