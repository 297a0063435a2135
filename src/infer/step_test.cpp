#include "infer/step.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "infer/fixtures.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {
namespace {

using namespace test;

StepModel model_of(const catalog::Model& m, int tp = 1, Precision weights = Precision::bf16,
                   Precision kv = Precision::bf16, int pp = 1) {
  return StepModel(m, h100(), hgx(), Layout{tp, pp, weights, kv});
}

// A decode step of one sequence can never beat reading every weight once at full bandwidth,
// and for 8B in bf16 it should be within a factor of two of that.
TEST(Step, DecodeOfOneIsBoundByReadingWeights) {
  const auto step = model_of(llama_8b());
  // 7.50e9 weights of blocks and head (8.03e9 less the 0.525e9 of the embedding) x 2 B.
  const double bytes = 7.504e9 * 2;
  const double bound_s = bytes / 3.35e12;
  const double t = step.decode(1, 1000).si();
  EXPECT_GT(t, bound_s);
  EXPECT_LT(t, 2.2 * bound_s);
  EXPECT_NEAR(step.bytes_read({1, 0, 0, 0}).in(gigabyte), bytes / 1e9, 0.1);
}

// 7B in fp16 read at 90 GB/s with no loss gives 90/14 = 6.4 token/s (the bound of a laptop).
TEST(Step, LaptopBoundOfSevenBillion) {
  const double bytes = 7e9 * 2;
  EXPECT_NEAR(90e9 / bytes, 6.4, 0.05);
  const auto laptop = accelerator("laptop", 10, 0, 32, 90);
  const StepModel step(llama2_7b(), laptop, fabric::Path{}, Layout{}, Engine::llama_cpp);
  const double tokens_s = 1 / step.decode(1, 128).si();
  EXPECT_LT(tokens_s, 90e9 / (6.6e9 * 2));  // 6.6e9 weights are read, the embedding is not
  EXPECT_GT(tokens_s, 0.7 * 90e9 / (6.6e9 * 2));
}

// Llama-3.1-70B, fp8, 8 x H100, published by TensorRT-LLM 0.17 at 128/2048: 17,061 token/s with
// a full batch. One step of 1,024 sequences must give that within 25 %.
TEST(Step, SeventyBillionOnEightH100NearPublished) {
  const StepModel step(llama_70b(), h100(), hgx(), Layout{8, 1, Precision::fp8, Precision::fp8},
                       Engine::tensorrt_017);
  const double t = step.decode(1024, 128 + 1024).si();
  EXPECT_NEAR(1024 / t / 17062, 1.0, 0.25);
}

TEST(Step, EmptyStepTakesNoTime) {
  EXPECT_EQ(model_of(llama_8b()).step({}).si(), 0);
  EXPECT_EQ(model_of(llama_8b()).prefill(0, 0, {}, 8192).si(), 0);
}

// Prefill of 8B: 2 x 7e9 FLOPs a token at 989 TFLOP/s is 14 us; kernels reach 60-80 %.
TEST(Step, PrefillIsBoundByCompute) {
  const auto step = model_of(llama_8b());
  const double t = step.prefill(8192, 0, {}, 8192).si();
  const double ideal = 2 * 6.98e9 * 8192 / 989e12;
  EXPECT_GT(t, ideal);
  EXPECT_LT(t, 2.2 * ideal);
}

// E (1 - (1 - k/E)^T): Mixtral at one token reads 2 of 8 experts, at 64 all of them.
TEST(Step, ExpertsReadGrowWithTheBatch) {
  const auto step = model_of(mixtral(), 2);
  const double one = step.bytes_read({1, 0, 0, 0}).si();
  const double many = step.bytes_read({64, 0, 0, 0}).si();
  const double expert = 3.0 * 4096 * 14336 * 32 * 16 / 2;  // bits of one expert, all layers
  EXPECT_NEAR(many - one, 6 * expert, 0.02 * 6 * expert);
}

// Latent attention caches 512 + 64 values a layer: 61 x 576 x 2 B = 70.3 kB a token, on every rank.
TEST(Step, LatentCacheIsHeldByEveryRank) {
  EXPECT_NEAR(model_of(deepseek(), 1).kv_per_gpu(1).in(byte), 61 * 576 * 2, 1);
  EXPECT_NEAR(model_of(deepseek(), 8).kv_per_gpu(1).in(byte), 61 * 576 * 2, 1);
  // Grouped heads are split: Llama-3.1-70B 80 x 2 x 8 x 128 x 2 B = 327,680 over 8 ranks.
  EXPECT_NEAR(model_of(llama_70b(), 8).kv_per_gpu(1).in(byte), 327680 / 8, 1);
}

TEST(Step, KvHeadsAreNotSplitBelowOne) {
  EXPECT_EQ(model_of(llama_70b(), 8).kv_per_gpu(1).si(),
            model_of(llama_70b(), 16).kv_per_gpu(1).si());
}

TEST(Step, WindowedLayersReadTheirWindowOnly) {
  auto m = llama_8b();
  m.window = 1024;
  m.global_every = 0;
  const auto step = model_of(m);
  EXPECT_EQ(step.kv_per_gpu(1024).si(), step.kv_per_gpu(100000).si());
}

TEST(Step, WeightsAreHeldInTheirFormat) {
  const double bf16 = model_of(llama_70b(), 8).weights_per_gpu().in(gigabyte);
  const double fp8 = model_of(llama_70b(), 8, Precision::fp8).weights_per_gpu().in(gigabyte);
  EXPECT_NEAR(bf16, 70.6 * 2 / 8, 0.2);
  // Blocks halve, embedding and head (2 x 1.05e9) stay at 16 bit.
  EXPECT_NEAR(fp8, (68.5 + 2 * 2.1) / 8, 0.2);
}

TEST(Step, PipelineStagesHoldTheirShareAndPassEveryToken) {
  const auto one = model_of(llama_8b());
  const auto two = model_of(llama_8b(), 1, Precision::bf16, Precision::bf16, 2);
  EXPECT_NEAR(two.weights_per_gpu() / one.weights_per_gpu(), 0.5, 1e-9);
  EXPECT_GE(two.decode(1, 100).si(), 0.99 * one.decode(1, 100).si());
}

TEST(Step, FourBitWeightsOnHopperMultiplyAtSixteenBit) {
  const auto step = model_of(llama_70b(), 2, Precision::int4);
  EXPECT_NEAR(step.peak().in(teraflop_per_second), 989, 1);
}

// a = 0.8, g = 4: E = (1 - 0.8^5) / 0.2 = 3.36; with a draft at 5 % of a step, 3.36/1.2 = 2.8.
TEST(Speculation, LeviathanFormula) {
  EXPECT_NEAR(tokens_per_verification(0.8, 4), 3.3616, 1e-4);
  EXPECT_NEAR(speculative_speedup(0.8, 4, 0.05), 2.80, 0.005);
  EXPECT_EQ(tokens_per_verification(0, 4), 1);
  EXPECT_EQ(tokens_per_verification(1, 4), 5);
  EXPECT_EQ(tokens_per_verification(0.5, 0), 1);
}

RC_GTEST_PROP(StepProperty, MoreWorkNeverTakesLess, ()) {
  const auto step = model_of(*rc::gen::elementOf(std::vector{llama_8b(), mixtral(), deepseek()}), 4,
                             Precision::fp8, Precision::fp8);
  const Batch a{double(*rc::gen::inRange(1, 2000)), double(*rc::gen::inRange(1, 30000)),
                double(*rc::gen::inRange(0, 8000)), double(*rc::gen::inRange(0, 8000))};
  Batch b = a;
  b.decodes += *rc::gen::inRange(0, 500);
  b.context += *rc::gen::inRange(0, 5000);
  b.prefill += *rc::gen::inRange(0, 4000);
  b.prefill_keys += *rc::gen::inRange(0, 4000);
  RC_ASSERT(step.step(b).si() >= step.step(a).si() * (1 - 1e-12));
  RC_ASSERT(step.bytes_read(b).si() >= step.bytes_read(a).si());
  RC_ASSERT(step.flops(b).si() >= step.flops(a).si());
}

// Nothing runs faster than its bytes at full bandwidth or its FLOPs at full peak.
RC_GTEST_PROP(StepProperty, NeverBeatsSpeedOfLight, ()) {
  const auto step =
      model_of(*rc::gen::elementOf(std::vector{llama_8b(), mixtral(), llama_70b()}), 8);
  const Batch b{double(*rc::gen::inRange(1, 3000)), double(*rc::gen::inRange(1, 30000)),
                double(*rc::gen::inRange(0, 16000)), 4000};
  const double t = step.step(b).si();
  RC_ASSERT(t >= step.bytes_read(b).si() / step.bandwidth().si());
  RC_ASSERT(t >= step.flops(b).si() / step.peak().si());
}

}  // namespace
}  // namespace headroom::infer
