// Model: the shape of a neural network, exact enough to count its parameters.
//
// A Model is what a published `config.json` or paper table says: layers, widths,
// heads, experts. Everything that headroom says about a model (parameters,
// FLOPs, KV cache, weight bytes) is computed from this shape by
// `workload/transformer.hpp`; the published parameter counts stand beside it so
// that the arithmetic can be checked against them.
//
// The shape's integers carry the entry's source (`Entry::origin`); the published
// counts carry their own.
//
// Conventions
//   heads x head_dim may differ from hidden (Gemma, Qwen3, GPT-OSS).
//   A layer is attention + FFN. Layer i (from 0) is a mixture layer when
//   i >= first_dense and (i + 1) % period == 0; it attends globally when there is no
//   window, or when global_every > 0 and (i + 1) % global_every == 0.
//   A diffusion transformer is described by its blocks the same way; what its
//   conditioning adds is in the published count only.
#pragma once

#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/catalog.hpp"
#include "catalog/precision.hpp"

namespace headroom::catalog {

enum class ModelFamily : unsigned char {
  decoder,          ///< autoregressive language model, dense or mixture of experts
  embedding,        ///< text encoder that yields one vector a passage
  diffusion_video,  ///< diffusion transformer over video latents
  diffusion_image,  ///< diffusion network over image latents
};

enum class Norm : unsigned char {
  rms,    ///< one weight a channel
  layer,  ///< weight and bias a channel
};

/// DeepSeek's multi-head latent attention. Active when kv_rank > 0.
struct LatentAttention {
  int q_rank = 0;     ///< q_lora_rank; 0 = queries are projected directly
  int kv_rank = 0;    ///< kv_lora_rank: what the KV cache holds, beside the rotary key
  int nope_dim = 0;   ///< qk_nope_head_dim
  int rope_dim = 0;   ///< qk_rope_head_dim, one rotary key shared by all heads
  int value_dim = 0;  ///< v_head_dim
  void fields(spec::Fields& f);
};

/// Mixture of experts. Active when experts > 0.
struct Experts {
  int experts = 0;           ///< routed experts in a mixture layer
  int active = 0;            ///< routed experts a token visits (top-k)
  int shared = 0;            ///< shared experts every token visits
  int ffn = 0;               ///< intermediate width of one routed expert
  int shared_ffn = 0;        ///< total width of the shared experts; 0 = shared x ffn
  int first_dense = 0;       ///< leading layers with a dense FFN
  int period = 1;            ///< every period-th layer is a mixture, the others dense
  bool bias = false;         ///< experts' projections have biases
  bool router_bias = false;  ///< one learned bias an expert in the router
  void fields(spec::Fields& f);
};

/// How a diffusion model turns a clip into tokens and passes.
struct Diffusion {
  int steps = 0;              ///< denoising steps of the published default sampler
  int passes = 1;             ///< network passes a step: 2 with classifier-free guidance
  int spatial = 8;            ///< VAE compression in height and in width
  int temporal = 1;           ///< VAE compression in time (first frame kept apart)
  int patch = 2;              ///< latent pixels to a token in height and in width
  int patch_time = 1;         ///< latent frames to a token
  int width = 0, height = 0;  ///< default output, pixels
  int frames = 1;             ///< default output, frames
  int text_tokens = 0;        ///< text tokens that join the self-attention (MM-DiT); else 0
  int cross_tokens = 0;       ///< text tokens that a cross-attention in every block reads; else 0
  Value<Rate> frame_rate;     ///< frames a second of output; images have none
  Value<Flops> pass_flops;    ///< measured FLOPs of one pass at the default size, for U-Nets
  void fields(spec::Fields& f);
};

struct Model : Entry {
  static constexpr std::string_view kind = "model";

  ModelFamily family = ModelFamily::decoder;
  std::string licence;   ///< as its publisher names it
  std::string released;  ///< YYYY-MM-DD
  /// Repository of the published weights on the Hugging Face Hub, "owner/name"; the one that
  /// follows instructions where there are two. Empty: not known.
  std::string hugging_face;

  int layers = 0;
  int hidden = 0;
  int vocab = 0;
  int context = 0;  ///< longest supported context, tokens

  int heads = 0;
  int kv_heads = 0;  ///< 0 = heads (multi-head); 1 = multi-query
  int head_dim = 0;  ///< 0 = hidden / heads
  bool qkv_bias = false;
  bool output_bias = false;    ///< of the attention's output projection
  bool qk_norm = false;        ///< RMS norm over each head's query and key
  bool sinks = false;          ///< one learned attention-sink logit a head
  bool bidirectional = false;  ///< no causal mask
  int window = 0;              ///< tokens a local layer sees; 0 = all layers are global
  int global_every = 0;        ///< 0 with a window: every layer is local
  LatentAttention mla;

  int ffn = 0;        ///< intermediate width of a dense FFN
  bool gated = true;  ///< SwiGLU/GeGLU: three matrices instead of two
  bool ffn_bias = false;
  Experts moe;

  Norm norm = Norm::rms;
  int norms_per_layer = 2;
  bool embedding_norm = false;
  bool final_norm = true;
  int learned_positions = 0;  ///< rows of a learned position table
  int token_types = 0;
  bool tied = false;      ///< output head shares the token embedding
  bool head = true;       ///< has a language-model head
  bool pooler = false;    ///< BERT's dense pooling layer
  int embedding_dim = 0;  ///< embedding models: length of the vector; 0 = hidden

  Precision weights = Precision::bf16;  ///< as published
  bool weights_experts_only = false;    ///< the precision applies to routed experts only

  int mtp_layers = 0;  ///< multi-token prediction modules; not in the total
  Diffusion diffusion;

  Value<Scalar> other_parameters;   ///< outside the text transformer: vision tower, conditioning
  Value<Scalar> total_parameters;   ///< as published
  Value<Scalar> active_parameters;  ///< as published, mixtures only
  Value<Tokens> training_tokens;    ///< as published

  bool is_mixture() const { return moe.experts > 0; }
  bool is_latent() const { return mla.kv_rank > 0; }
  bool is_diffusion() const { return family >= ModelFamily::diffusion_video; }
  int kv_head_count() const { return kv_heads > 0 ? kv_heads : heads; }
  int head_width() const { return head_dim > 0 ? head_dim : (heads > 0 ? hidden / heads : 0); }
  bool layer_is_mixture(int layer) const;
  bool layer_is_global(int layer) const;

  void fields(spec::Fields& f);
};

/// "decoder", "embedding", "diffusion-video", "diffusion-image".
std::string_view family_name(ModelFamily family);

}  // namespace headroom::catalog
