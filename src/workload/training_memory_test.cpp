// Training memory against ZeRO, Korthikanti et al. and published LoRA counts.
#include "workload/training_memory.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/catalog.hpp"

namespace headroom::workload {
namespace {

const Model& model(std::string_view id) {
  const Model* m = catalog::Catalog::builtin().find<Model>(id);
  if (!m) throw std::runtime_error("no model " + std::string(id));
  return *m;
}

double bytes(Information i) { return i.in(byte); }
double bytes(InformationPerToken i) { return i.in(byte / token); }

TEST(ParameterState, AdamInMixedPrecision) {
  const auto megatron = parameter_state(Optimiser::adam, TrainingPrecision::bf16);
  EXPECT_DOUBLE_EQ(bytes(megatron.total()), 18);
  EXPECT_DOUBLE_EQ(bytes(megatron.checkpoint()), 14);
  const auto zero = parameter_state(Optimiser::adam, TrainingPrecision::fp16);
  EXPECT_DOUBLE_EQ(bytes(zero.total()), 16);  // Rajbhandari et al. 2020, sec. 3.1
  EXPECT_DOUBLE_EQ(bytes(zero.optimiser()), 12);
  const auto plain = parameter_state(Optimiser::adam, TrainingPrecision::fp32);
  EXPECT_DOUBLE_EQ(bytes(plain.total()), 16);
  EXPECT_DOUBLE_EQ(bytes(plain.checkpoint()), 12);
}

TEST(ParameterState, OtherOptimisersKeepLess) {
  const auto total = [](Optimiser o) {
    return bytes(parameter_state(o, TrainingPrecision::bf16).total());
  };
  EXPECT_DOUBLE_EQ(total(Optimiser::lion), 14);
  EXPECT_DOUBLE_EQ(total(Optimiser::muon), 14);
  EXPECT_DOUBLE_EQ(total(Optimiser::sgd), 10);
  EXPECT_DOUBLE_EQ(total(Optimiser::adafactor), 10);
  EXPECT_NEAR(total(Optimiser::adam_8bit), 12, 0.01);
  EXPECT_DOUBLE_EQ(bytes(parameter_state(Optimiser::adam, TrainingPrecision::fp8).total()),
                   1 + 4 + 4 + 4);
  EXPECT_DOUBLE_EQ(bytes(parameter_state(Optimiser::adam, TrainingPrecision::bf16_pure).total()),
                   8);
}

TEST(ParameterState, GradientsAreNeverInACheckpoint) {
  for (int o = 0; o <= int(Optimiser::sgd); ++o) {
    for (int p = 0; p <= int(TrainingPrecision::fp32); ++p) {
      const auto s = parameter_state(Optimiser(o), TrainingPrecision(p));
      EXPECT_DOUBLE_EQ(bytes(s.total()), bytes(s.checkpoint()) + bytes(s.gradient));
      EXPECT_GT(bytes(s.checkpoint()), 0);
      EXPECT_FALSE(optimiser_name(Optimiser(o)).empty());
      EXPECT_FALSE(training_precision_name(TrainingPrecision(p)).empty());
    }
  }
}

/// Korthikanti et al. 2022, eqs. 1, 2 and 4, and sec. 5, per token and layer.
TEST(Activations, GptBlocksFollowKorthikanti) {
  for (const char* id : {"gpt-22b", "gpt-3-175b", "mt-nlg-530b", "gpt-1t"}) {
    const Model& m = model(id);
    const double h = m.hidden, a = m.heads, s = 2048;
    const LayerClass layer = layer_classes(m).front();
    ActivationOptions o{.sequence = s, .tensor = 1, .flash = false, .dropout = true};
    EXPECT_NEAR(bytes(activation_bytes(m, layer, o)), h * (34 + 5 * a * s / h), 1e-6 * h);
    o.tensor = 8;
    EXPECT_NEAR(bytes(activation_bytes(m, layer, o)), h / 8 * (34 + 5 * a * s / h), 1e-6 * h);
    o.sequence_parallel = false;
    EXPECT_NEAR(bytes(activation_bytes(m, layer, o)), h * (10 + 24.0 / 8 + 5 * a * s / (8 * h)),
                1e-6 * h);
    o.sequence_parallel = true;
    o.recompute = Recompute::selective;
    EXPECT_NEAR(bytes(activation_bytes(m, layer, o)), h * 34.0 / 8, 1e-6 * h);
    o.recompute = Recompute::full;
    EXPECT_NEAR(bytes(activation_bytes(m, layer, o)), h * 2.0 / 8, 1e-6 * h);
  }
}

TEST(Activations, LlamaBlockByHand) {
  // Llama 3 8B, bf16, flash, no dropout, in bytes: norms 4h, qkv input 2h, q 2h, k and v
  // 2 x 2 x 1024, output input 2h, lse 4 x 32, FFN input 2h, gate, up, product 6 x 14336.
  const Model& m = model("llama-3-8b");
  const double h = 4096;
  const double expected = 4 * h + 2 * h + 2 * h + 4 * 1024 + 2 * h + 128 + 2 * h + 6 * 14336;
  EXPECT_DOUBLE_EQ(bytes(activation_bytes(m, layer_classes(m).front(), {})), expected);
  EXPECT_DOUBLE_EQ(bytes(activation_bytes(m, {})), 32 * expected);
}

TEST(Activations, MixturesKeepACopyForEveryExpertVisited) {
  const Model& m = model("mixtral-8x7b");
  Model one = m;
  one.moe.active = 1;
  const double each = 2.0 * m.hidden + 6.0 * m.moe.ffn;
  const LayerClass c = layer_classes(m).front();
  EXPECT_DOUBLE_EQ(bytes(activation_bytes(m, c, {})) - bytes(activation_bytes(one, c, {})), each);
}

TEST(Activations, HeadKeepsFp32Logits) {
  const Model& m = model("llama-3-8b");
  EXPECT_DOUBLE_EQ(bytes(head_activation_bytes(m, {.tensor = 1})), 4.0 * 128256 + 4 * 4096);
  EXPECT_DOUBLE_EQ(bytes(head_activation_bytes(m, {.tensor = 8})), (4.0 * 128256 + 4 * 4096) / 8);
}

RC_GTEST_PROP(ActivationsProperty, MoreRecomputeAndMoreRanksNeverKeepMore, ()) {
  const auto id =
      *rc::gen::element("llama-3.1-70b", "mixtral-8x22b", "deepseek-v3", "gpt-1t", "gemma-3-27b");
  const Model& m = model(id);
  ActivationOptions o;
  o.sequence = *rc::gen::inRange(1, 131072);
  o.tensor = 1 << *rc::gen::inRange(0, 4);
  o.flash = *rc::gen::arbitrary<bool>();
  o.sequence_parallel = *rc::gen::arbitrary<bool>();
  const auto kept = [&](Recompute r) {
    ActivationOptions x = o;
    x.recompute = r;
    return activation_bytes(m, x).si();
  };
  RC_ASSERT(kept(Recompute::full) <= kept(Recompute::selective));
  RC_ASSERT(kept(Recompute::selective) <= kept(Recompute::none));
  ActivationOptions wider = o;
  wider.tensor *= 2;
  RC_ASSERT(activation_bytes(m, wider).si() <= activation_bytes(m, o).si());
}

TEST(Lora, CountsArePublishedOnes) {
  // peft prints 4,194,304 for Llama 7B, r 8, q and v; 39,976,960 for r 16 on all linear
  // layers; 41,943,040 for Mistral 7B. Hu et al. 2021, Table 4: GPT-3 4.7M and 37.7M.
  EXPECT_EQ(lora_parameters(model("llama-2-7b"), {8, LoraTargets::query_value}), 4194304);
  EXPECT_EQ(lora_parameters(model("llama-2-7b"), {16, LoraTargets::linear}), 39976960);
  EXPECT_EQ(lora_parameters(model("mistral-7b"), {16, LoraTargets::linear}), 41943040);
  EXPECT_NEAR(lora_parameters(model("gpt-3-175b"), {1, LoraTargets::query_value}), 4.7e6, 5e4);
  EXPECT_NEAR(lora_parameters(model("gpt-3-175b"), {8, LoraTargets::query_value}), 37.7e6, 1e5);
}

TEST(Lora, TrainingCostsAboutTwoThirds) {
  const Model& m = model("llama-3.1-70b");
  const auto full = training_flops(m, 4096, AttentionCount::causal).total();
  const auto lora =
      lora_training_flops(m, {16, LoraTargets::linear}, 4096, AttentionCount::causal).total();
  EXPECT_GT(lora / full, 0.66);
  EXPECT_LT(lora / full, 0.69);
}

TEST(Lora, MixturesAdaptEveryExpertButComputeOnlyTheActive) {
  const Model& m = model("mixtral-8x7b");
  const Lora linear{16, LoraTargets::linear}, attention{16, LoraTargets::attention};
  const double experts = 32 * 16 * 8 * 3.0 * (4096 + 14336);
  EXPECT_DOUBLE_EQ(lora_parameters(m, linear) - lora_parameters(m, attention), experts);
  const auto cost = [&](const Lora& l) {
    return lora_training_flops(m, l, 4096, AttentionCount::causal).linear.si();
  };
  EXPECT_NEAR(cost(linear) - cost(attention), 6 * experts * 2 / 8, 1e3);
}

TEST(Lora, LatentAttentionHasItsOwnProjections) {
  // Per layer q down and up, kv down and up, output: by hand from the config.
  const double sums =
      (7168 + 1536) + (1536 + 128 * 192) + (7168 + 576) + (512 + 128 * 256) + (128 * 128 + 7168);
  EXPECT_DOUBLE_EQ(lora_parameters(model("deepseek-v3"), {4, LoraTargets::attention}),
                   61 * 4 * sums);
}

}  // namespace
}  // namespace headroom::workload
