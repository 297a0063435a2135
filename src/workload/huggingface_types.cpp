// One function a model family: which keys its config uses, and what its modelling code
// does that the config does not say (biases, norms, tied heads).
#include <algorithm>
#include <array>
#include <cmath>

#include "workload/huggingface.hpp"
#include "workload/huggingface_config.hpp"

namespace headroom::workload {
namespace {

using catalog::Model;
using catalog::ModelFamily;
using catalog::Norm;

// Every sum over layers walks them, so a typing mistake must not make them a billion.
constexpr int most_layers = 10000;

void read_shape(Config& c, Model& m) {
  m.layers = c.need({"num_hidden_layers", "n_layer"});
  if (m.layers > most_layers) {
    c.mistake("num_hidden_layers", std::to_string(m.layers) + " layers: expected at most " +
                                       std::to_string(most_layers));
  }
  m.hidden = c.need({"hidden_size", "n_embd", "n_embed"});
  m.vocab = c.need({"vocab_size"});
  m.heads = c.need({"num_attention_heads", "n_head"});
  m.kv_heads = c.get({"num_key_value_heads"}, m.heads, 1);
  m.head_dim = c.get({"head_dim"}, 0);
  m.context = c.get({"max_position_embeddings", "n_positions", "seq_length"}, 0);
}

/// "layer_types" as a period of global layers; a pattern without one keeps its number.
void read_layer_types(Config& c, Model& m) {
  const auto* types = c.find("layer_types");
  if (!types || !types->is_array() || m.window == 0) return;
  int global = 0, first = -1, i = 0;
  for (const auto& t : *types) {
    if (t.is_string() && t.get<std::string>() == "full_attention") {
      if (first < 0) first = i;
      ++global;
    }
    ++i;
  }
  if (global == i)
    m.window = 0;
  else if (global > 0 && i / (first + 1) == global)
    m.global_every = first + 1;
  else if (global > 0)
    m.global_every = std::max(1, int(std::lround(double(i) / global)));
  else
    m.global_every = 0;
}

void read_window(Config& c, Model& m, int global_every) {
  const int window = c.get({"sliding_window"}, 0);
  if (window == 0 || (m.context > 0 && window >= m.context)) return;
  m.window = window;
  m.global_every = global_every;
  read_layer_types(c, m);
}

void llama(Config& c, Model& m) {
  read_shape(c, m);
  m.ffn = c.need({"intermediate_size"});
  m.tied = c.flag("tie_word_embeddings", false);
  if (c.flag("attention_bias", false)) m.qkv_bias = m.output_bias = true;
  m.ffn_bias = c.flag("mlp_bias", false);
}

void mistral(Config& c, Model& m) {
  llama(c, m);
  read_window(c, m, 0);
}

void qwen2(Config& c, Model& m) {
  llama(c, m);
  m.qkv_bias = true;
  if (c.flag("use_sliding_window", false)) read_window(c, m, 0);
}

void qwen3(Config& c, Model& m) {
  llama(c, m);
  if (m.head_dim == 0) m.head_dim = 128;
  m.qkv_bias = m.output_bias = c.flag("attention_bias", false);
  m.qk_norm = true;
  if (c.flag("use_sliding_window", false)) read_window(c, m, 0);
}

void phi3(Config& c, Model& m) {
  llama(c, m);
  read_window(c, m, 0);
}

void mixtral(Config& c, Model& m) {
  read_shape(c, m);
  m.tied = c.flag("tie_word_embeddings", false);
  m.moe.experts = c.need({"num_local_experts"});
  m.moe.active = c.need({"num_experts_per_tok"});
  m.moe.ffn = c.need({"intermediate_size"});
  read_window(c, m, 0);
}

void read_qwen_experts(Config& c, Model& m) {
  m.moe.experts = c.need({"num_experts"});
  m.moe.active = c.need({"num_experts_per_tok"});
  m.moe.ffn = c.need({"moe_intermediate_size"});
  m.moe.period = c.get({"decoder_sparse_step"}, 1, 1);
}

void qwen2_moe(Config& c, Model& m) {
  qwen2(c, m);
  read_qwen_experts(c, m);
  m.moe.shared = 1;
  m.moe.shared_ffn = c.need({"shared_expert_intermediate_size"});
}

void qwen3_moe(Config& c, Model& m) {
  qwen3(c, m);
  read_qwen_experts(c, m);
}

void read_shared_experts(Config& c, Model& m) {
  m.moe.experts = c.get({"n_routed_experts"}, 0);
  if (m.moe.experts == 0) return;
  m.moe.active = c.need({"num_experts_per_tok"});
  m.moe.ffn = c.need({"moe_intermediate_size"});
  m.moe.shared = c.get({"n_shared_experts"}, 0);
  m.moe.first_dense = c.get({"first_k_dense_replace"}, 0);
  m.moe.period = c.get({"moe_layer_freq"}, 1, 1);
  m.mtp_layers = c.get({"num_nextn_predict_layers"}, 0);
}

void deepseek(Config& c, Model& m) {
  llama(c, m);
  m.kv_heads = 0;
  m.head_dim = 0;
  m.mla.q_rank = c.get({"q_lora_rank"}, 0);
  m.mla.kv_rank = c.need({"kv_lora_rank"});
  m.mla.nope_dim = c.need({"qk_nope_head_dim"});
  m.mla.rope_dim = c.need({"qk_rope_head_dim"});
  m.mla.value_dim = c.need({"v_head_dim"});
  read_shared_experts(c, m);
}

void deepseek_v3(Config& c, Model& m) {
  deepseek(c, m);
  m.moe.router_bias = true;
}

void glm4_moe(Config& c, Model& m) {
  llama(c, m);
  m.output_bias = false;
  m.qk_norm = c.flag("use_qk_norm", false);
  read_shared_experts(c, m);
  m.moe.router_bias = true;
}

void llama4(Config& c, Model& m) {
  read_shape(c, m);
  m.tied = c.flag("tie_word_embeddings", false);
  m.ffn = c.need({"intermediate_size_mlp"});
  m.moe.experts = c.need({"num_local_experts"});
  m.moe.active = c.need({"num_experts_per_tok"});
  m.moe.ffn = c.need({"intermediate_size"});
  m.moe.shared = 1;
  m.moe.period = c.get({"interleave_moe_layer_step"}, 1, 1);
  m.window = c.get({"attention_chunk_size"}, 0);
  m.global_every = m.window > 0 ? 4 : 0;
}

void gpt_oss(Config& c, Model& m) {
  read_shape(c, m);
  m.tied = c.flag("tie_word_embeddings", false);
  m.qkv_bias = m.output_bias = m.sinks = true;
  m.moe.experts = c.need({"num_local_experts", "num_experts"});
  m.moe.active = c.need({"num_experts_per_tok", "experts_per_token"});
  m.moe.ffn = c.need({"intermediate_size"});
  m.moe.bias = m.moe.router_bias = true;
  read_window(c, m, 2);
}

void gemma(Config& c, Model& m) {
  llama(c, m);
  m.tied = c.flag("tie_word_embeddings", true);
  if (m.head_dim == 0) m.head_dim = 256;
}

void gemma2(Config& c, Model& m) {
  gemma(c, m);
  m.norms_per_layer = 4;
  read_window(c, m, 2);
}

void gemma3(Config& c, Model& m) {
  gemma(c, m);
  m.norms_per_layer = 4;
  m.qk_norm = true;
  read_window(c, m, c.get({"sliding_window_pattern", "_sliding_window_pattern"}, 6, 1));
}

/// What GPT-2 and its kin share: biases everywhere, layer norms, two FFN matrices.
void gpt(Config& c, Model& m) {
  read_shape(c, m);
  m.gated = false;
  m.qkv_bias = m.output_bias = m.ffn_bias = true;
  m.norm = Norm::layer;
  m.ffn = c.get({"intermediate_size", "n_inner"}, 4 * m.hidden, 1);
  m.tied = c.flag("tie_word_embeddings", true);
}

void gpt2(Config& c, Model& m) {
  gpt(c, m);
  m.learned_positions = m.context;
}

void gpt_neox(Config& c, Model& m) {
  gpt(c, m);
  m.tied = c.flag("tie_word_embeddings", false);
}

void bloom(Config& c, Model& m) {
  gpt(c, m);
  m.ffn = 4 * m.hidden;
  m.embedding_norm = true;
}

void falcon(Config& c, Model& m) {
  gpt(c, m);
  const bool bias = c.flag("bias", false);
  m.qkv_bias = m.output_bias = m.ffn_bias = bias;
  m.ffn = c.get({"ffn_hidden_size"}, 4 * m.hidden, 1);
  const bool two_norms = c.flag("new_decoder_architecture", false);
  if (two_norms)
    m.kv_heads = c.get({"num_kv_heads", "n_head_kv"}, m.heads, 1);
  else if (c.flag("multi_query", true))
    m.kv_heads = 1;
  m.norms_per_layer = two_norms || !c.flag("parallel_attn", true) ? 2 : 1;
}

void bert(Config& c, Model& m) {
  gpt(c, m);
  m.family = ModelFamily::embedding;
  m.bidirectional = m.embedding_norm = m.pooler = true;
  m.head = m.final_norm = false;
  m.learned_positions = m.context;
  m.token_types = c.get({"type_vocab_size"}, 2);
}

void roberta(Config& c, Model& m) {
  bert(c, m);
  m.context -= std::min(m.context, 2);  // two position rows are padding
}

struct Type {
  const char* name;
  void (*fill)(Config&, Model&);
};

constexpr Type types[] = {
    {"bert", bert},
    {"bloom", bloom},
    {"deepseek_v2", deepseek},
    {"deepseek_v3", deepseek_v3},
    {"falcon", falcon},
    {"gemma", gemma},
    {"gemma2", gemma2},
    {"gemma3", gemma3},
    {"gemma3_text", gemma3},
    {"glm4_moe", glm4_moe},
    {"gpt2", gpt2},
    {"gpt_neox", gpt_neox},
    {"gpt_oss", gpt_oss},
    {"kimi_k2", deepseek_v3},
    {"llama", llama},
    {"llama4", llama4},
    {"llama4_text", llama4},
    {"mistral", mistral},
    {"mixtral", mixtral},
    {"phi3", phi3},
    {"qwen2", qwen2},
    {"qwen2_moe", qwen2_moe},
    {"qwen3", qwen3},
    {"qwen3_moe", qwen3_moe},
    {"roberta", roberta},
    {"xlm-roberta", roberta},
};

}  // namespace

std::vector<std::string> huggingface_types() {
  std::vector<std::string> out;
  for (const auto& t : types) out.emplace_back(t.name);
  return out;
}

bool fill_model(const std::string& type, Config& config, Model& model) {
  for (const auto& t : types) {
    if (type != t.name) continue;
    t.fill(config, model);
    return true;
  }
  return false;
}

}  // namespace headroom::workload
