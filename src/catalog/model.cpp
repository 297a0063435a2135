#include "catalog/model.hpp"

#include <algorithm>
#include <cctype>

#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 4> family_names = {"decoder", "embedding", "diffusion-video",
                                                          "diffusion-image"};
constexpr std::array<std::string_view, 2> norm_names = {"rms", "layer"};

/// "owner/name" of letters, digits, '-', '_' and '.'.
bool is_repository(std::string_view text) {
  const auto slash = text.find('/');
  const auto legal = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
  };
  return slash != std::string_view::npos && legal(text.substr(0, slash)) &&
         legal(text.substr(slash + 1));
}

}  // namespace

std::string_view family_name(ModelFamily family) {
  return family_names[static_cast<std::size_t>(family)];
}

bool Model::layer_is_mixture(int layer) const {
  const int period = moe.period > 0 ? moe.period : 1;
  return is_mixture() && layer >= moe.first_dense && (layer + 1) % period == 0;
}

bool Model::layer_is_global(int layer) const {
  return window <= 0 || (global_every > 0 && (layer + 1) % global_every == 0);
}

void LatentAttention::fields(spec::Fields& f) {
  f.integer("q_rank", q_rank, "Rank of the query projection; 0 projects queries directly")
      .at_least(0);
  f.integer("kv_rank", kv_rank, "Rank of the latent that the KV cache holds").at_least(0);
  f.integer("nope_dim", nope_dim, "Width of a head's query and key without rotary position")
      .at_least(0);
  f.integer("rope_dim", rope_dim, "Width of the rotary key that all heads share").at_least(0);
  f.integer("value_dim", value_dim, "Width of a head's value").at_least(0);
}

void Experts::fields(spec::Fields& f) {
  f.integer("experts", experts, "Routed experts in a mixture layer; 0 means a dense model")
      .at_least(0);
  f.integer("active", active, "Routed experts that a token visits (top-k)").at_least(0);
  f.integer("shared", shared, "Shared experts that every token visits").at_least(0);
  f.integer("ffn", ffn, "Intermediate width of one routed expert").at_least(0);
  f.integer("shared_ffn", shared_ffn,
            "Total intermediate width of the shared experts; default shared x ffn")
      .at_least(0);
  f.integer("first_dense", first_dense, "Leading layers that keep a dense FFN").at_least(0);
  f.integer("period", period, "Every period-th layer is a mixture, the others are dense")
      .at_least(1);
  f.flag("bias", bias, "The experts' projections have biases");
  f.flag("router_bias", router_bias, "The router has one learned bias for each expert");
}

void Diffusion::fields(spec::Fields& f) {
  f.integer("steps", steps, "Denoising steps of the published default sampler").at_least(0);
  f.integer("passes", passes, "Network passes per step; 2 with classifier-free guidance")
      .at_least(1);
  f.integer("spatial", spatial, "Compression of the autoencoder in height and in width")
      .at_least(1);
  f.integer("temporal", temporal, "Compression of the autoencoder in time").at_least(1);
  f.integer("patch", patch, "Latent pixels per token in height and in width").at_least(1);
  f.integer("patch_time", patch_time, "Latent frames per token").at_least(1);
  f.integer("width", width, "Default output width in pixels").at_least(0);
  f.integer("height", height, "Default output height in pixels").at_least(0);
  f.integer("frames", frames, "Default output frames").at_least(1);
  f.integer("text_tokens", text_tokens, "Text tokens that join the self-attention").at_least(0);
  f.integer("cross_tokens", cross_tokens,
            "Text tokens that a cross-attention in every block reads; default none")
      .at_least(0);
  f.number("frame_rate", frame_rate, "1/s", "Frames per second of output; images have none")
      .above(0);
  f.number("pass_flops", pass_flops, "FLOP",
           "FLOPs of one pass at the default size, for networks that are not plain transformers")
      .above(0);
}

void Model::fields(spec::Fields& f) {
  entry_fields(f);
  f.choice("family", family, family_names, "What the model is; default decoder");
  f.text("licence", licence, "Licence as its publisher names it");
  f.date("released", released, "Date of the public release");
  f.text("hugging_face", hugging_face,
         "Repository of the published weights on the Hugging Face Hub, owner/name; the one that "
         "follows instructions where there are two");
  if (!hugging_face.empty() && !is_repository(hugging_face))
    f.mistake("hugging_face", "'" + hugging_face + "' is no repository",
              "owner/name, for example meta-llama/Llama-3.1-8B-Instruct");
  f.integer("layers", layers, "Transformer layers").between(0, 10000);
  f.integer("hidden", hidden, "Width of the residual stream").at_least(0);
  f.integer("vocab", vocab, "Rows of the token embedding").at_least(0);
  f.integer("context", context, "Longest supported context in tokens").at_least(0);
  f.integer("heads", heads, "Query heads").at_least(0);
  f.integer("kv_heads", kv_heads, "Key and value heads; default as many as query heads")
      .at_least(0);
  f.integer("head_dim", head_dim, "Width of a head; default hidden / heads").at_least(0);
  f.flag("qkv_bias", qkv_bias, "Query, key and value projections have biases");
  f.flag("output_bias", output_bias, "The attention's output projection has a bias");
  f.flag("qk_norm", qk_norm, "Queries and keys are normed with one weight per head channel");
  f.flag("sinks", sinks, "One learned attention-sink logit per head");
  f.flag("bidirectional", bidirectional, "Attention has no causal mask");
  f.integer("window", window, "Tokens that a local layer sees; default all layers are global")
      .at_least(0);
  f.integer("global_every", global_every,
            "With a window, every n-th layer is global; default none is")
      .at_least(0);
  f.object("mla", mla, "Multi-head latent attention; default ordinary heads");
  f.integer("ffn", ffn, "Intermediate width of a dense FFN").at_least(0);
  f.flag("gated", gated, "The FFN is gated (three matrices); default true");
  f.flag("ffn_bias", ffn_bias, "The FFN's projections have biases");
  f.object("moe", moe, "Mixture of experts; default a dense model");
  f.choice("norm", norm, norm_names, "RMS norm (weights) or layer norm (weights and biases)");
  f.integer("norms_per_layer", norms_per_layer, "Norms of hidden width per layer; default 2")
      .at_least(0);
  f.flag("embedding_norm", embedding_norm, "A norm follows the embedding");
  f.flag("final_norm", final_norm, "A norm follows the last layer; default true");
  f.integer("learned_positions", learned_positions, "Rows of a learned position table").at_least(0);
  f.integer("token_types", token_types, "Rows of a token type table").at_least(0);
  f.flag("tied", tied, "The output head shares the token embedding");
  f.flag("head", head, "Has a language-model head; default true");
  f.flag("pooler", pooler, "Has a dense pooling layer over the first token");
  f.integer("embedding_dim", embedding_dim,
            "Length of an embedding model's vector; default the hidden width")
      .at_least(0);
  f.choice("weights", weights, precision_names(), "Precision of the published weights");
  f.flag("weights_experts_only", weights_experts_only,
         "That precision applies to the routed experts only; the rest is bf16");
  f.integer("mtp_layers", mtp_layers, "Multi-token prediction modules, outside the total")
      .at_least(0);
  f.object("diffusion", diffusion, "Sampling and latent geometry of a diffusion model");
  f.number("other_parameters", other_parameters, "",
           "Parameters outside the text transformer, such as a vision tower")
      .at_least(0);
  f.number("total_parameters", total_parameters, "", "Published parameter count").above(0);
  f.number("active_parameters", active_parameters, "", "Published active parameters of a mixture")
      .above(0);
  f.number("training_tokens", training_tokens, "token", "Published pre-training tokens").above(0);
}

}  // namespace headroom::catalog
