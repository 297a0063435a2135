// Hugging Face configs: the same model as the catalogue's, or a message that helps.
#include "workload/huggingface.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <fstream>

#include "catalog/catalog.hpp"
#include "workload/transformer.hpp"

namespace headroom::workload {
namespace {

using catalog::Model;

struct Case {
  const char* id;  ///< catalogue entry that must have the same parameters
  const char* config;
};

// The keys that matter of the published files, written anew.
const Case cases[] = {
    {"llama-3.1-70b", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
      "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
      "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 128256,
      "max_position_embeddings": 131072, "attention_bias": false, "mlp_bias": false,
      "tie_word_embeddings": false, "torch_dtype": "bfloat16"})"},
    {"mistral-7b-v0.1", R"({"model_type": "mistral", "hidden_size": 4096,
      "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
      "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768,
      "sliding_window": 4096})"},
    {"mixtral-8x7b", R"({"model_type": "mixtral", "hidden_size": 4096,
      "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
      "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768,
      "num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": null})"},
    {"qwen-2.5-72b", R"({"model_type": "qwen2", "hidden_size": 8192,
      "intermediate_size": 29568, "num_hidden_layers": 80, "num_attention_heads": 64,
      "num_key_value_heads": 8, "vocab_size": 152064, "max_position_embeddings": 131072,
      "sliding_window": 131072, "use_sliding_window": false, "tie_word_embeddings": false})"},
    {"qwen3-235b-a22b", R"({"model_type": "qwen3_moe", "hidden_size": 4096,
      "intermediate_size": 12288, "num_hidden_layers": 94, "num_attention_heads": 64,
      "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "num_experts": 128,
      "num_experts_per_tok": 8, "moe_intermediate_size": 1536, "decoder_sparse_step": 1,
      "max_position_embeddings": 40960, "tie_word_embeddings": false})"},
    {"deepseek-v3", R"({"model_type": "deepseek_v3", "hidden_size": 7168,
      "intermediate_size": 18432, "num_hidden_layers": 61, "num_attention_heads": 128,
      "num_key_value_heads": 128, "vocab_size": 129280, "q_lora_rank": 1536,
      "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
      "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8,
      "moe_intermediate_size": 2048, "first_k_dense_replace": 3, "moe_layer_freq": 1,
      "num_nextn_predict_layers": 1, "max_position_embeddings": 163840,
      "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})"},
    {"gemma-2-9b", R"({"model_type": "gemma2", "hidden_size": 3584,
      "intermediate_size": 14336, "num_hidden_layers": 42, "num_attention_heads": 16,
      "num_key_value_heads": 8, "head_dim": 256, "vocab_size": 256000,
      "max_position_embeddings": 8192, "sliding_window": 4096})"},
    {"gemma-3-1b", R"({"model_type": "gemma3_text", "hidden_size": 1152,
      "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4,
      "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262144,
      "max_position_embeddings": 32768, "sliding_window": 512, "sliding_window_pattern": 6})"},
    {"phi-4", R"({"model_type": "phi3", "hidden_size": 5120, "intermediate_size": 17920,
      "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 10,
      "vocab_size": 100352, "max_position_embeddings": 16384, "sliding_window": null})"},
    {"gpt-oss-120b", R"({"model_type": "gpt_oss", "hidden_size": 2880,
      "intermediate_size": 2880, "num_hidden_layers": 36, "num_attention_heads": 64,
      "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 201088,
      "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128,
      "layer_types": ["sliding_attention", "full_attention", "sliding_attention",
      "full_attention"], "max_position_embeddings": 131072,
      "quantization_config": {"quant_method": "mxfp4"}})"},
    {"gpt-2-xl", R"({"model_type": "gpt2", "n_embd": 1600, "n_layer": 48, "n_head": 25,
      "n_positions": 1024, "vocab_size": 50257})"},
    {"gpt-neox-20b", R"({"model_type": "gpt_neox", "hidden_size": 6144,
      "intermediate_size": 24576, "num_hidden_layers": 44, "num_attention_heads": 64,
      "vocab_size": 50432, "max_position_embeddings": 2048, "tie_word_embeddings": false})"},
    {"falcon-40b", R"({"model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60,
      "num_attention_heads": 128, "num_kv_heads": 8, "new_decoder_architecture": true,
      "vocab_size": 65024, "bias": false, "parallel_attn": true})"},
    {"falcon-7b", R"({"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32,
      "num_attention_heads": 71, "multi_query": true, "new_decoder_architecture": false,
      "vocab_size": 65024, "bias": false, "parallel_attn": true})"},
    {"bloom-176b", R"({"model_type": "bloom", "n_embed": 14336, "n_layer": 70,
      "num_attention_heads": 112, "vocab_size": 250880, "seq_length": 2048})"},
    {"bge-large", R"({"architectures": ["BertModel"], "model_type": "bert",
      "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
      "num_attention_heads": 16, "vocab_size": 30522, "max_position_embeddings": 512,
      "type_vocab_size": 2, "torch_dtype": "float32"})"},
    {"bge-m3", R"({"architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta",
      "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
      "num_attention_heads": 16, "vocab_size": 250002, "max_position_embeddings": 8194,
      "type_vocab_size": 1})"},
    {"e5-mistral-7b", R"({"architectures": ["MistralModel"], "model_type": "mistral",
      "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
      "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000,
      "max_position_embeddings": 32768})"},
    {"llama-4-maverick", R"({"model_type": "llama4", "text_config": {"model_type": "llama4_text",
      "hidden_size": 5120, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
      "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8,
      "head_dim": 128, "vocab_size": 202048, "num_local_experts": 128,
      "num_experts_per_tok": 1, "interleave_moe_layer_step": 2, "attention_chunk_size": 8192,
      "max_position_embeddings": 1048576}, "vision_config": {"hidden_size": 1408}})"},
    {"glm-4.5", R"({"model_type": "glm4_moe", "hidden_size": 5120, "intermediate_size": 12288,
      "num_hidden_layers": 92, "num_attention_heads": 96, "num_key_value_heads": 8,
      "head_dim": 128, "vocab_size": 151552, "attention_bias": true, "use_qk_norm": true,
      "n_routed_experts": 160, "n_shared_experts": 1, "num_experts_per_tok": 8,
      "moe_intermediate_size": 1536, "first_k_dense_replace": 3,
      "num_nextn_predict_layers": 1, "max_position_embeddings": 131072})"},
};

class HuggingFace : public testing::TestWithParam<Case> {};

TEST_P(HuggingFace, EqualsTheCatalogue) {
  Diagnostics d;
  const auto read = read_huggingface(GetParam().config, "config.json", d);
  ASSERT_TRUE(read) << render(d);
  const Model* known = catalog::Catalog::builtin().find<Model>(GetParam().id);
  ASSERT_TRUE(known);
  EXPECT_DOUBLE_EQ(parameters(*read).total(), parameters(*known).total());
  EXPECT_DOUBLE_EQ(active_parameters(*read).total(), active_parameters(*known).total());
  EXPECT_DOUBLE_EQ(mtp_parameters(*read), mtp_parameters(*known));
  EXPECT_DOUBLE_EQ(kv_bytes(*read, 20000, Precision::bf16).si(),
                   kv_bytes(*known, 20000, Precision::bf16).si());
  EXPECT_DOUBLE_EQ(decode_flops(*read, 20000).total().si(),
                   decode_flops(*known, 20000).total().si());
  EXPECT_EQ(read->family, known->family);
}

INSTANTIATE_TEST_SUITE_P(Published, HuggingFace, testing::ValuesIn(cases), [](const auto& info) {
  std::string name = info.param.id;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

std::string complain(std::string_view text) {
  Diagnostics d;
  const auto read = read_huggingface(text, "config.json", d);
  EXPECT_FALSE(read);
  EXPECT_FALSE(d.empty());
  return render(d);
}

TEST(HuggingFaceMistakes, MissingFieldNamesTheNearestKey) {
  const std::string said = complain(R"({"model_type": "llama", "hidden_size": 64,
    "intermediate_sise": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "vocab_size": 100})");
  EXPECT_NE(said.find("'intermediate_size' is missing"), said.npos) << said;
  EXPECT_NE(said.find("intermediate_sise"), said.npos) << said;
}

TEST(HuggingFaceMistakes, AllOfThemInOnePassWithTheirLines) {
  Diagnostics d;
  read_huggingface(
      "{\n \"model_type\": \"llama\",\n \"hidden_size\": 100,\n"
      " \"num_attention_heads\": 7,\n \"num_key_value_heads\": 2,\n"
      " \"num_hidden_layers\": -3,\n \"vocab_size\": \"many\",\n"
      " \"intermediate_size\": 1.5\n}",
      "config.json", d);
  std::vector<int> lines;
  for (const auto& x : d.all()) lines.push_back(x.line);
  EXPECT_EQ(lines, (std::vector<int>{6, 7, 8, 4, 5})) << render(d);
}

TEST(HuggingFaceMistakes, HeadsGetTheNearestLegalNumber) {
  const std::string said = complain(R"({"model_type": "llama", "hidden_size": 4096,
    "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 32,
    "num_key_value_heads": 5, "vocab_size": 100})");
  EXPECT_NE(said.find("nearest that does: 4"), said.npos) << said;
}

TEST(HuggingFaceMistakes, UnknownTypeOffersKnownOnes) {
  EXPECT_NE(complain(R"({"model_type": "lama"})").find("'llama'"), std::string::npos);
  EXPECT_NE(complain(R"({"hidden_size": 4})").find("'model_type' is missing"), std::string::npos);
}

TEST(HuggingFaceMistakes, BrokenJsonHasAPlace) {
  Diagnostics d;
  read_huggingface("{\n  \"model_type\": \"llama\",\n  \"hidden_size\": 64 \"x\"\n}", "c.json", d);
  ASSERT_EQ(d.count(), 1u);
  EXPECT_EQ(d.all()[0].line, 3);
  EXPECT_NE(complain("[1, 2]").find("JSON object"), std::string::npos);
  EXPECT_NE(complain("").find("not valid JSON"), std::string::npos);
  EXPECT_NE(complain(std::string(5 << 20, ' ')).find("4 MiB"), std::string::npos);
  EXPECT_NE(complain(std::string(100000, '[')).find("not valid JSON"), std::string::npos);
  EXPECT_NE(complain("{\"model_type\": 1e999}").find("not valid JSON"), std::string::npos);
}

TEST(HuggingFaceMistakes, ATokenCannotVisitMoreExpertsThanThereAre) {
  EXPECT_NE(complain(R"({"model_type": "mixtral", "hidden_size": 64, "intermediate_size": 128,
    "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100,
    "num_local_experts": 4, "num_experts_per_tok": 5})")
                .find("cannot visit 5 of 4"),
            std::string::npos);
}

TEST(HuggingFaceMistakes, ABillionLayersAreRefused) {
  const std::string said = complain(R"({"model_type": "bloom", "n_embed": 268435456,
    "num_hidden_layers": 100000000, "num_attention_heads": 1, "vocab_size": 100})");
  EXPECT_NE(said.find("expected at most 10000"), said.npos) << said;
}

TEST(HuggingFaceFile, IsReadFromDiskAndAbsenceIsSaid) {
  const std::string path = testing::TempDir() + "/headroom_config.json";
  std::ofstream(path) << cases[0].config;
  Diagnostics d;
  const auto read = load_huggingface(path, d);
  ASSERT_TRUE(read) << render(d);
  EXPECT_EQ(read->layers, 80);
  EXPECT_EQ(read->origin.source->trust, Trust::user);
  std::remove(path.c_str());
  EXPECT_FALSE(load_huggingface(path, d));
  EXPECT_NE(render(d).find("cannot read"), std::string::npos);
  EXPECT_FALSE(load_huggingface(testing::TempDir(), d));
}

RC_GTEST_PROP(HuggingFaceProperty, AnyTruncationIsRefusedWithAMessage, ()) {
  const Case& c = *rc::gen::elementOf(std::vector<Case>(std::begin(cases), std::end(cases)));
  const std::string text = c.config;
  const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() - 1);
  Diagnostics d;
  RC_ASSERT(!read_huggingface(text.substr(0, cut), "c.json", d));
  RC_ASSERT(d.count() >= 1u);
}

RC_GTEST_PROP(HuggingFaceProperty, AnyChangedByteIsReadOrRefused, ()) {
  const Case& c = *rc::gen::elementOf(std::vector<Case>(std::begin(cases), std::end(cases)));
  std::string text = c.config;
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = char(*rc::gen::inRange(0, 256));
  Diagnostics d;
  const auto read = read_huggingface(text, "c.json", d);
  RC_ASSERT(read.has_value() == d.empty());
  if (read) RC_ASSERT(std::isfinite(parameters(*read).total()));
}

}  // namespace
}  // namespace headroom::workload
