// FLOPs, caches, weights and matrix shapes against published figures and closed forms.
#include "workload/transformer.hpp"

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

double gflop(FlopsPerToken f) { return f.in(flop / token) / 1e9; }

rc::Gen<const Model*> any_decoder() {
  return rc::gen::elementOf(std::vector<const Model*>{
      &model("llama-3.1-8b"), &model("gpt-3-175b"), &model("mixtral-8x7b"), &model("gemma-3-27b"),
      &model("gpt-oss-120b"), &model("qwen3-235b-a22b"), &model("falcon-7b")});
}

TEST(Flops, Llama70bTrainingMatchesBothPublishedConventions) {
  // NeMo and Megatron logs: 481 GFLOP/token counting full attention, 449 counting causal.
  const Model& m = model("llama-3-70b");
  EXPECT_NEAR(gflop(training_flops(m, 8192, AttentionCount::full).total()), 481, 1);
  EXPECT_NEAR(gflop(training_flops(m, 8192, AttentionCount::causal).total()), 449, 1);
}

TEST(Flops, Gpt3WithRecomputeIsNarayanansFormula) {
  // Narayanan et al. 2021: 96 B s l h^2 (1 + s/6h + V/16lh), with activation recomputation.
  const Model& m = model("gpt-3-175b");
  const double l = 96, h = 12288, s = 2048, v = 50257;
  const double expected = 96 * l * h * h * (1 + s / (6 * h) + v / (16 * l * h));
  EXPECT_DOUBLE_EQ(training_flops(m, s, AttentionCount::full, Recompute::full).total().si(),
                   expected);
}

TEST(Flops, SixNdGivesLlama405bPublishedBudget) {
  // The Llama 3 Herd of Models, sec. 1: 3.8e25 FLOPs on 15.6T tokens.
  const Model& m = model("llama-3.1-405b");
  EXPECT_NEAR((six_nd(m) * m.training_tokens.get()).si() / 3.8e25, 1, 0.01);
  const double exact = training_flops(m, 8192, AttentionCount::causal).total().si();
  EXPECT_NEAR(exact / six_nd(m).si(), 1, 0.1);
}

TEST(Flops, RecomputeAddsAForwardPassOrTheAttentionCore) {
  const Model& m = model("gpt-22b");
  const TokenFlops f = forward_flops(m, 2048, AttentionCount::full);
  const auto at = [&](Recompute r) {
    return training_flops(m, 2048, AttentionCount::full, r).total().si();
  };
  EXPECT_NEAR(at(Recompute::selective) - at(Recompute::none), f.attention.si(), 1);
  EXPECT_NEAR(at(Recompute::full) - at(Recompute::none), (f.linear + f.attention).si(), 1);
}

TEST(Flops, BidirectionalModelsAreAlwaysFull) {
  const Model& m = model("bge-large");
  EXPECT_EQ(forward_flops(m, 512, AttentionCount::causal).total().si(),
            forward_flops(m, 512, AttentionCount::full).total().si());
  EXPECT_EQ(forward_flops(m, 512).head.si(), 0);
}

TEST(Flops, WindowBoundsAttention) {
  // One mistral layer sees 4,096 tokens at most, so decode at 4,096 costs as at 32,768.
  const Model& m = model("mistral-7b-v0.1");
  EXPECT_DOUBLE_EQ(decode_flops(m, 8192).total().si(), decode_flops(m, 32768).total().si());
  EXPECT_LT(decode_flops(m, 1024).total().si(), decode_flops(m, 4096).total().si());
}

TEST(Flops, AbsorbedLatentDecodeIsTheLatentProduct) {
  // Per pair: 2 x 128 heads x (512 + 64 scored + 512 summed).
  const Model& m = model("deepseek-v3");
  const double expected = 61 * 1001 * 2.0 * 128 * (512 + 64 + 512);
  EXPECT_DOUBLE_EQ(decode_flops(m, 1000).attention.si(), expected);
}

RC_GTEST_PROP(FlopsProperty, PrefillIsTheSumOfItsDecodes, ()) {
  const Model& m = **any_decoder();
  const int cached = *rc::gen::inRange(0, 3000), fresh = *rc::gen::inRange(1, 40);
  double sum = 0;
  for (int i = 0; i < fresh; ++i) {
    const TokenFlops f = decode_flops(m, cached + i);
    sum += (f.linear + f.attention).si();
  }
  const double head = decode_flops(m, 0).head.si();
  RC_ASSERT(std::abs(prefill_flops(m, fresh, cached).si() - sum - head) < 1e-9 * sum);
}

RC_GTEST_PROP(FlopsProperty, CausalNeverExceedsFullAndBothGrow, ()) {
  const Model& m = **any_decoder();
  const double s = *rc::gen::inRange(1, 200000);
  const auto causal = forward_flops(m, s, AttentionCount::causal).total().si();
  const auto full = forward_flops(m, s, AttentionCount::full).total().si();
  RC_ASSERT(causal <= full * (1 + 1e-12));
  RC_ASSERT(full <= forward_flops(m, s + 1, AttentionCount::full).total().si());
}

TEST(KvCache, MatchesTheTableOfTheDeepSeekHardwarePaper) {
  // Insights into DeepSeek-V3 (ISCA 2025), Table 1: KB per token at bf16.
  const auto kb = [](std::string_view id) {
    return kv_bytes_per_token(model(id), Precision::bf16).in(byte / token) / 1000;
  };
  EXPECT_DOUBLE_EQ(kb("deepseek-v3"), 70.272);
  EXPECT_DOUBLE_EQ(kb("qwen-2.5-72b"), 327.680);
  EXPECT_DOUBLE_EQ(kb("llama-3.1-405b"), 516.096);
}

TEST(KvCache, MultiQueryAndPrecision) {
  EXPECT_DOUBLE_EQ(kv_values_per_layer(model("falcon-7b")), 2 * 64);
  const Model& m = model("llama-3-8b");
  EXPECT_DOUBLE_EQ(kv_bytes(m, 8192, Precision::fp8).si() * 2,
                   kv_bytes(m, 8192, Precision::bf16).si());
  EXPECT_DOUBLE_EQ(kv_bytes(m, 8192, Precision::bf16).in(gibibyte), 1.0);
}

TEST(KvCache, LocalLayersStopAtTheirWindow) {
  // Gemma 3 27B: 10 of 62 layers are global, 52 keep 1,024 tokens.
  const Model& m = model("gemma-3-27b");
  const double layer = 2 * 16 * 128 * 2;
  EXPECT_DOUBLE_EQ(kv_bytes(m, 131072, Precision::bf16).in(byte),
                   layer * (10 * 131072.0 + 52 * 1024.0));
  EXPECT_DOUBLE_EQ(kv_bytes(m, 1000, Precision::bf16).in(byte), layer * 62 * 1000.0);
}

TEST(Weights, GptOssCheckpointsHaveTheirPublishedSizes) {
  // Model card, Table 1: 60.8 GiB and 12.8 GiB.
  const auto gib = [](std::string_view id) {
    return weight_bytes(model(id), released_format(model(id))).in(gibibyte);
  };
  EXPECT_NEAR(gib("gpt-oss-120b"), 60.8, 0.6);
  EXPECT_NEAR(gib("gpt-oss-20b"), 12.8, 0.15);
}

TEST(Weights, BytesFollowThePrecision) {
  const Model& m = model("llama-3.1-70b");
  const double bf16 = weight_bytes(m).in(gigabyte);
  EXPECT_NEAR(bf16, 141.1, 0.1);
  const double fp8 = weight_bytes(m, {Precision::fp8}).in(gigabyte);
  const double nvfp4 = weight_bytes(m, {Precision::nvfp4}).in(gigabyte);
  const double int4 = weight_bytes(m, {Precision::int4}).in(gigabyte);
  EXPECT_NEAR(fp8, 72.7, 0.1);    // 68.5e9 x 1.00024 + 2.1e9 x 2
  EXPECT_NEAR(nvfp4, 42.7, 0.1);  // 68.5e9 x 0.5625 + 2.1e9 x 2
  EXPECT_LT(int4, nvfp4);
  EXPECT_GT(int4, 0.5 * fp8);
}

TEST(Weights, ADecodeStepReadsTheExpertsItVisits) {
  const Model& m = model("mixtral-8x7b");
  EXPECT_NEAR(experts_visited(m, 1), 2, 1e-12);
  EXPECT_NEAR(experts_visited(m, 2), 8 * (1 - 0.75 * 0.75), 1e-12);
  EXPECT_NEAR(experts_visited(m, 1e4), 8, 1e-9);
  EXPECT_EQ(experts_visited(model("llama-3-8b"), 5), 0);
  const Parameters p = active_parameters(m);
  EXPECT_NEAR(weight_bytes_read(m, 1).in(byte), 2 * (p.total() - p.embedding), 1);
  EXPECT_NEAR(weight_bytes_read(m, 1e5).in(byte),
              2 * (parameters(m).total() - parameters(m).embedding), 1e3);
  // A tied head is read although it is stored once.
  const Model& tied = model("gemma-2-9b");
  EXPECT_NEAR(weight_bytes_read(tied, 1).in(byte), weight_bytes(tied).in(byte), 1);
}

double sum_flops(const std::vector<Gemm>& gemms) {
  double sum = 0;
  for (const auto& g : gemms) sum += g.flops().si();
  return sum;
}

TEST(Gemms, TheyAddUpToTheModelsMatmuls) {
  for (const Model* m : catalog::Catalog::builtin().all<Model>()) {
    double sum = head_gemm(*m, 512).flops().si();
    for (const auto& c : layer_classes(*m)) sum += c.count * sum_flops(layer_gemms(*m, c, 512));
    EXPECT_NEAR(sum, 2 * 512 * matmul_parameters(*m), 1e-9 * sum + 1) << m->id;
  }
}

TEST(Gemms, Llama70bShapesAtTensorDegreeEight) {
  const Model& m = model("llama-3.1-70b");
  const auto g = layer_gemms(m, layer_classes(m).front(), 1024, {.tensor = 8});
  ASSERT_EQ(g.size(), 4u);
  EXPECT_EQ(g[0].name, "qkv");
  EXPECT_EQ(g[0].n, (8 + 2) * 128);
  EXPECT_EQ(g[0].k, 8192);
  EXPECT_EQ(g[1].k, 8 * 128);
  EXPECT_EQ(g[2].n, 2 * 28672 / 8);
  EXPECT_EQ(g[3].k, 28672 / 8);
  EXPECT_EQ(g[3].n, 8192);
  for (const auto& x : g) EXPECT_EQ(x.m, 1024);
}

TEST(Gemms, KeyHeadsAreReplicatedBeyondTheirNumber) {
  const Model& m = model("llama-3.1-70b");
  const auto c = layer_classes(m).front();
  EXPECT_EQ(layer_gemms(m, c, 1, {.tensor = 16})[0].n, (4 + 2) * 128);
  const Information at8 = attention_work(m, c, 1, 999, Precision::bf16, 8).cache_read;
  EXPECT_DOUBLE_EQ(at8.in(byte), 1000 * 2 * 128 * 2);
  EXPECT_EQ(attention_work(m, c, 1, 999, Precision::bf16, 16).cache_read.si(), at8.si());
}

TEST(Gemms, ExpertsShareTheTokensThatMeet) {
  // 32 ranks of DeepSeek-V3 with 64 tokens each: 2,048 meet; every rank holds 8 experts
  // and each gets 2,048 x 8 / 256 = 64 tokens.
  const Model& m = model("deepseek-v3");
  const LayerClass mixture{true, true, 58};
  const auto gemms = layer_gemms(m, mixture, 64, {.tensor = 1, .expert = 32, .gather = 32});
  for (const auto& g : gemms) {
    if (g.name != "expert-up") continue;
    EXPECT_NEAR(g.count, 8, 1e-6);
    EXPECT_NEAR(g.m, 64, 1e-6);
    EXPECT_EQ(g.n, 2 * 2048);
    return;
  }
  FAIL() << "no expert product";
}

TEST(Gemms, AttentionWorkAgreesWithTheTotals) {
  for (const char* id : {"llama-3-8b", "gemma-3-27b", "deepseek-v3", "gpt-oss-20b"}) {
    const Model& m = model(id);
    double decode = 0, prefill = 0;
    for (const auto& c : layer_classes(m)) {
      decode += c.count * attention_work(m, c, 1, 5000, Precision::bf16).flops.si();
      prefill += c.count * attention_work(m, c, 700, 5000, Precision::bf16).flops.si();
    }
    EXPECT_NEAR(decode, decode_flops(m, 5000).attention.si(), 1e-9 * decode) << id;
    const double rest = 700 * decode_flops(m, 0).linear.si() + decode_flops(m, 0).head.si();
    EXPECT_NEAR(prefill, prefill_flops(m, 700, 5000).si() - rest, 1e-9 * rest) << id;
  }
}

}  // namespace
}  // namespace headroom::workload
