// Memory of a training run: state bytes a parameter, activations, checkpoints, LoRA.
//
// State. With Adam and mixed precision a parameter owns
//   bf16 weight 2 + gradient 2 or 4 + fp32 master 4 + two fp32 moments 8 = 16 or 18 B
// (Rajbhandari et al. 2020, ZeRO). Every other figure follows from optimiser and
// precision; nothing here is a constant of the trade.
//
// Activations are itemised tensor by tensor; for a GPT block (multi-head, GELU, f = 4h,
// dropout) the sum is Korthikanti et al. 2022, eq. 1: s b h (34 + 5 a s / h) bytes. With
// FlashAttention the 5 a s / h term is replaced by one fp32 log-sum-exp a head.
//
// Complexity O(layers); pure functions.
#pragma once

#include <string_view>

#include "base/quantity.hpp"
#include "catalog/model.hpp"
#include "workload/transformer.hpp"

namespace headroom::workload {

enum class Optimiser : unsigned char {
  adam,       ///< AdamW: two moments
  adam_8bit,  ///< block-wise 8-bit moments (Dettmers et al. 2022), 2 x (1 + 4/2048) B
  adafactor,  ///< factored second moment, no first moment (Shazeer & Stern 2018)
  lion,       ///< one moment (Chen et al. 2023)
  muon,       ///< one momentum buffer (Jordan 2024)
  sgd_momentum,
  sgd,
};
std::string_view optimiser_name(Optimiser optimiser);

enum class TrainingPrecision : unsigned char {
  bf16,             ///< bf16 weights and fp32 gradients, master and moments (Megatron-LM)
  bf16_bf16_grads,  ///< the same with bf16 gradients (ZeRO's 16 B)
  fp16,             ///< fp16 weights and gradients, fp32 master and moments
  bf16_pure,        ///< everything bf16, no master copy
  fp8,              ///< DeepSeek-V3: fp8 compute copy, fp32 master and gradient, bf16 moments
  fp32,             ///< everything fp32, no separate master copy
  bf16_moments,     ///< bf16 with bf16 moments: Megatron-Core's precision-aware optimiser, 14 B
  bf16_lean,        ///< and bf16 gradients, master kept as a 16-bit remainder beside the weight
};
std::string_view training_precision_name(TrainingPrecision precision);

/// Bytes of one weight in NF4 with doubly quantised scales: 4 bits, an 8-bit scale for every 64
/// weights and an fp32 scale for every 256 of those (QLoRA, Dettmers et al. 2023, sec. 3): 0.5159.
inline constexpr double nf4_bytes = 0.5 + 1.0 / 64 + 4.0 / (64 * 256);

/// Bytes one trainable parameter takes, by part. FP8 keeps a 1 B compute copy.
struct ParameterState {
  Information weight;  ///< the copy the kernels multiply with
  Information gradient;
  Information master;   ///< high-precision copy; zero when there is none
  Information moments;  ///< optimiser state

  Information total() const { return weight + gradient + master + moments; }
  Information optimiser() const { return master + moments; }
  /// What a resumable checkpoint holds: weight, master and moments; never gradients.
  /// Adam in bf16: 2 + 4 + 4 + 4 = 14 B.
  Information checkpoint() const { return weight + master + moments; }
};
ParameterState parameter_state(Optimiser optimiser, TrainingPrecision precision);

// --- Activations -----------------------------------------------------------------

/// Parts of a layer that the backward pass computes again, by Megatron-Core's names for
/// --recompute-modules; `op` is torchtitan's policy of that name: every second matrix product
/// and everything that no product or attention wrote.
enum class Module : unsigned char {
  core_attn,       ///< scores, softmax, values; with fused attention only its log-sum-exp
  layernorm,       ///< both norms' outputs
  mla_up_proj,     ///< latent attention's up-projections and rotary embedding
  moe_act,         ///< the activation between the experts' (and the FFN's) two products
  mlp,             ///< the dense FFN
  moe,             ///< the mixture: router, dispatch, experts, combine
  shared_experts,  ///< the shared experts alone
  op,
};
inline constexpr int module_count = 8;

/// A set of modules.
struct Modules {
  unsigned char bits = 0;

  constexpr bool has(Module m) const { return (bits >> static_cast<int>(m) & 1) != 0; }
  constexpr bool empty() const { return bits == 0; }
  constexpr Modules with(Module m) const {
    return {static_cast<unsigned char>(bits | 1 << static_cast<int>(m))};
  }
  friend bool operator==(const Modules&, const Modules&) = default;
};

struct ActivationOptions {
  double sequence = 4096;         ///< tokens of one sequence
  int tensor = 1;                 ///< tensor-parallel degree
  bool sequence_parallel = true;  ///< norms and dropouts are split too
  bool flash = true;              ///< no attention matrix in memory
  bool dropout = false;           ///< keeps one-byte masks
  Recompute recompute = Recompute::none;
  Modules modules{};            ///< recomputed with `selective`; empty: core attention
  double routed = 1;            ///< routed tokens of this rank over the mean (hot experts)
  double expert_tensor = 0;     ///< ranks that share an expert; 0: tensor
  bool narrow_inputs = false;   ///< products keep their inputs in 1 byte (Transformer Engine, fp8)
  bool unused_outputs = false;  ///< `op` keeps products that no gradient reads (eager PyTorch)
};
/// Bytes one token leaves in one layer on one tensor rank until its backward pass.
/// Context parallelism divides the tokens a rank holds, not this figure.
InformationPerToken activation_bytes(const Model& model, const LayerClass& layer,
                                     const ActivationOptions& options);
/// The same, summed over all layers of the model.
InformationPerToken activation_bytes(const Model& model, const ActivationOptions& options);
/// Bytes that one token of a layer's backward pass needs for a moment beside what the layer
/// keeps: the gradients that flow into and out of its widest product.
InformationPerToken backward_bytes(const Model& model, const LayerClass& layer,
                                   const ActivationOptions& options);
/// Bytes a token leaves in the head: fp32 logits, their bf16 copy is freed (Korthikanti
/// sec. 4.3), plus the input and output of the last norm.
InformationPerToken head_activation_bytes(const Model& model, const ActivationOptions& options);

// --- LoRA ------------------------------------------------------------------------

enum class LoraTargets : unsigned char {
  query_value,  ///< the paper's choice (Hu et al. 2021)
  attention,    ///< q, k, v and output
  linear,       ///< every linear layer (QLoRA, Dettmers et al. 2023); dense FFNs and all experts
};
std::string_view lora_targets_name(LoraTargets targets);

struct Lora {
  int rank = 16;
  LoraTargets targets = LoraTargets::linear;
};
/// Trainable parameters: sum of rank x (in + out) over the target matrices.
double lora_parameters(const Model& model, const Lora& lora);
/// Training FLOPs of a token: forward and the backward pass by activations over the frozen
/// weights (4 N instead of 6 N, so about two thirds), 6 x the adapter's own parameters.
/// Attention itself still costs 3 x forward.
TokenFlops lora_training_flops(const Model& model, const Lora& lora, double sequence,
                               AttentionCount convention, Recompute recompute = Recompute::none);

}  // namespace headroom::workload
