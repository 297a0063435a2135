// Transformer arithmetic: what a model's shape costs.
//
// Everything here is a closed form of `catalog::Model`: parameters, FLOPs, KV cache,
// stored weight bytes, matrix shapes. No hardware, no time: those belong to compute,
// train and infer. Memory of a training run is in training_memory.hpp.
//
// FLOPs count one multiply-add as two operations and only matrix products (linear
// layers, attention scores and values, output head); norms, activations, softmax and
// embedding look-ups are left out, as in Narayanan et al. 2021 and the MLPerf and
// Megatron counters.
//
// Attention over a sequence is counted in one of two conventions, and published MFU
// figures differ by which (Llama-3 70B at 8k: 481 against 449 GFLOP/token):
//   causal  the lower triangle, what a FlashAttention kernel executes: (s + 1)/2 a token
//   full    the square, as in Megatron-LM's formula before 2025: s a token
//
// Complexity: O(layers), at most a microsecond. All functions are pure and
// thread-safe. A model without layers costs zero everywhere.
#pragma once

#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/model.hpp"
#include "catalog/precision.hpp"

namespace headroom::workload {

using catalog::Model;

// --- Parameters ----------------------------------------------------------------

/// Parameter counts by part. All are pure counts.
struct Parameters {
  double embedding = 0;   ///< token table, learned positions, token types
  double head = 0;        ///< output projection when not tied
  double attention = 0;   ///< projections, their biases, sinks
  double dense_ffn = 0;   ///< dense FFN of all layers that have one
  double shared_ffn = 0;  ///< shared experts
  double experts = 0;     ///< routed experts, all of them
  double router = 0;
  double norms = 0;
  double other = 0;  ///< vision tower, conditioning, pooler: outside the blocks

  double total() const;
  /// In the blocks' linear layers and norms, without embeddings and head.
  double blocks() const;
};

/// All parameters of the model; multi-token prediction modules are not in it.
Parameters parameters(const Model& model);
/// Parameters a token passes: as `parameters` with top-k of the routed experts.
Parameters active_parameters(const Model& model);
/// Parameters of the multi-token prediction modules (one layer, a 2h x h projection
/// and three norms each; embedding and head are shared with the main model).
double mtp_parameters(const Model& model);
/// Active parameters that multiply a token in a forward pass: linear layers and the
/// head (tied or not); neither embedding look-up, nor norms, nor biases.
double matmul_parameters(const Model& model);

// --- FLOPs ---------------------------------------------------------------------

enum class AttentionCount : unsigned char { causal, full };
std::string_view attention_count_name(AttentionCount convention);

/// What the backward pass computes again.
enum class Recompute : unsigned char {
  none,
  selective,  ///< the attention core (scores, softmax, values), Korthikanti et al. 2022
  full,       ///< the forward pass of every layer
};
std::string_view recompute_name(Recompute recompute);

/// FLOPs of one token by part.
struct TokenFlops {
  FlopsPerToken linear;     ///< projections, FFN, experts, router
  FlopsPerToken attention;  ///< scores and values
  FlopsPerToken head;
  FlopsPerToken total() const { return linear + attention + head; }
};

/// Forward FLOPs of a token, averaged over a sequence of `sequence` tokens that starts
/// empty (training, prefill). Local layers see at most their window. A bidirectional
/// model is always counted full.
TokenFlops forward_flops(const Model& model, double sequence,
                         AttentionCount convention = AttentionCount::causal);
/// Forward FLOPs of `fresh` tokens that follow `cached` tokens already in the KV cache
/// (chunked prefill, prefix reuse), total over the fresh tokens. The head is applied to
/// the last token only, as serving engines do.
Flops prefill_flops(const Model& model, double fresh, double cached = 0);
/// Forward FLOPs of one generated token with `context` tokens in the cache. Latent
/// attention is counted in its absorbed form (scores and values in the latent space).
TokenFlops decode_flops(const Model& model, double context);
/// Training FLOPs of a token: 3 x forward (the backward pass costs twice the forward).
/// Recomputation is left out unless named: with `none` this is *model* FLOPs (MFU),
/// with the run's own setting it is *hardware* FLOPs (HFU).
TokenFlops training_flops(const Model& model, double sequence, AttentionCount convention,
                          Recompute recompute = Recompute::none);
/// The 6ND rule: 6 x active parameters (Kaplan et al. 2020; here N includes embeddings,
/// as published totals do). Within 10 % of the exact count when s << 6 h.
FlopsPerToken six_nd(const Model& model);

// --- KV cache ------------------------------------------------------------------

/// Values a token leaves in the cache of one layer: 2 x kv heads x head width, or
/// latent rank + rotary width for MLA.
double kv_values_per_layer(const Model& model);
/// Cache of one more token while no window is full: values x layers x bytes.
InformationPerToken kv_bytes_per_token(const Model& model, Precision precision);
/// Cache of one sequence at `context` tokens; local layers hold at most their window.
Information kv_bytes(const Model& model, double context, Precision precision);

// --- Weights -------------------------------------------------------------------

/// How weights are stored. Low precisions apply to the linear layers of the blocks (or
/// to the routed experts only); embeddings, head, norms, router and biases stay at `rest`.
struct WeightFormat {
  Precision precision = Precision::bf16;
  Precision rest = Precision::bf16;
  bool experts_only = false;  ///< as GPT-OSS ships: MXFP4 experts, BF16 attention
};

/// The format the model is published in.
WeightFormat released_format(const Model& model);

/// Bytes one stored weight takes: `bytes_per_element`, which counts the scales that the
/// hardware formats define (mxfp8, mxfp4, nvfp4, fp6), and the scales of software formats:
///   fp8   1 + 4/16384    one fp32 scale a 128 x 128 block (DeepSeek-V3)
///   int4  0.5 + 2.5/128  fp16 scale and 4-bit zero a group of 128 (AWQ, GPTQ)
double stored_bytes_per_weight(Precision precision);
/// Bytes of all weights.
Information weight_bytes(const Model& model, const WeightFormat& format = {});
/// Bytes of weights a decode step of `tokens` tokens reads from memory: all but the
/// embedding table, and of the routed experts those expected to be visited when
/// routing is uniform: E (1 - (1 - k/E)^tokens).
Information weight_bytes_read(const Model& model, double tokens, const WeightFormat& format = {});
/// Distinct routed experts `tokens` tokens are expected to visit in one layer.
double experts_visited(const Model& model, double tokens);

// --- Layers and their matrix products ------------------------------------------

/// Layers that cost the same.
struct LayerClass {
  bool mixture = false;  ///< FFN is a mixture of experts
  bool global = true;    ///< attends to the whole context
  int count = 0;
};
/// The distinct kinds of layers with their counts; the counts sum to `layers`.
std::vector<LayerClass> layer_classes(const Model& model);

/// C[m x n] = A[m x k] B[k x n], `count` times. B is the weight.
struct Gemm {
  std::string_view name;  ///< "qkv", "out", "ffn-up", "ffn-down", "expert-up", ...
  double m = 0, n = 0, k = 0;
  double count = 1;
  bool column_parallel = false;  ///< n was divided by the tensor degree (else k was)

  Flops flops() const { return 2 * m * n * k * count * flop; }
  double weights() const { return n * k * count; }
};

/// How a layer's matrices are cut over ranks.
struct Split {
  int tensor = 1;         ///< tensor-parallel degree of attention, dense and shared FFN
  int expert = 1;         ///< expert-parallel degree: a rank holds experts / expert
  int expert_tensor = 0;  ///< cut of each expert; 0 = tensor when expert is 1, else 1
  double gather = 1;      ///< ranks of data-parallel attention whose tokens meet in the experts
};

/// The weight matrix products that one rank runs for `tokens` of its own tokens in one
/// layer. Gate and up are one product. Query heads are rounded up to whole heads a rank;
/// KV heads are replicated when there are fewer than `tensor`, latent down-projections and
/// the router always. Experts are those expected to be visited by the tokens that meet,
/// with an even share each, so that both FLOPs and weights read are right for a decode
/// step of a few tokens. Summed over ranks: 2 x matmul parameters x tokens plus replicas.
std::vector<Gemm> layer_gemms(const Model& model, const LayerClass& layer, double tokens,
                              const Split& split = {});
/// The output head's product.
Gemm head_gemm(const Model& model, double tokens, const Split& split = {});

/// What attention itself (no weights) does in one layer.
struct AttentionWork {
  Flops flops;             ///< scores and values
  Information cache_read;  ///< KV bytes read
};
/// `queries` fresh tokens of one sequence attending to `cached` earlier ones and causally
/// to each other, on one of `tensor` ranks. One query is a decode step (latent attention
/// then runs absorbed). The cache, with the fresh tokens, is read once.
AttentionWork attention_work(const Model& model, const LayerClass& layer, double queries,
                             double cached, Precision kv, int tensor = 1);

}  // namespace headroom::workload
