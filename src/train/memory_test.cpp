#include "train/memory.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;

TEST(Memory, OneGpuHoldsEighteenBytesAParameter) {
  // bf16 weight 2 + fp32 gradient 4 + master 4 + moments 8 (Megatron-LM theoretical_memory_usage).
  const auto b = bench("llama-3.1-8b", "h100-sxm", 1, 8192, 1);
  const auto m = memory(b.job, plan(1, 1, 1, 1, 1));
  EXPECT_NEAR((m.weights + m.gradients + m.optimiser) / 8.03e9, 18, 0.05);
}

TEST(Memory, ZeroStagesDivideWhatTheySay) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  auto p = plan(1, 1, 1, 8, 1);
  p.zero = Zero::replicated;
  const auto none = memory(b.job, p);
  p.zero = Zero::optimizer;
  const auto one = memory(b.job, p);
  p.zero = Zero::gradients;
  const auto two = memory(b.job, p);
  p.zero = Zero::full;
  const auto three = memory(b.job, p);
  EXPECT_DOUBLE_EQ(one.optimiser, none.optimiser / 8);
  EXPECT_DOUBLE_EQ(one.gradients, none.gradients);
  EXPECT_DOUBLE_EQ(two.gradients, none.gradients / 8);
  EXPECT_DOUBLE_EQ(three.weights, none.weights / 8);
}

TEST(Memory, InFlightFollows1F1BAndItsInterleavedForm) {
  EXPECT_EQ(in_flight(plan(1, 1, 1, 1, 64)), 1);
  EXPECT_EQ(in_flight(plan(1, 8, 1, 1, 64)), 8);
  EXPECT_EQ(in_flight(plan(1, 8, 1, 1, 3)), 3);
  // Megatron-LM: 1 + (p - 1)/(p v) more than plain 1F1B; here 8 (1 + 7/24) = 10.33, and one chunk
  // of it is the one that runs.
  EXPECT_NEAR(in_flight(plan(1, 8, 3, 1, 64)), 8 * (1 + 7.0 / 24), 8.0 / 24 + 1e-9);
}

TEST(Memory, KorthikantiFullRecomputationOf22B) {
  // GPT 22B, tp 8, micro-batch 4, fp16: weights and optimiser 45.56 GiB printed in arXiv 2205.05198
  // Fig. 1 (18 B a parameter over 8 ranks).
  auto b = bench("gpt-3-175b", "a100-sxm-80gb", 8, 2048, 4);
  catalog::Model m = *b.job.model;
  m.layers = 48, m.hidden = 6144, m.heads = 64, m.kv_heads = 64, m.head_dim = 96, m.ffn = 24576;
  m.vocab = 51200, m.tied = true;
  b.job.model = &m;
  auto p = plan(8, 1, 1, 1, 1);
  p.micro_batch = 4;
  p.zero = Zero::replicated;
  const auto got = memory(b.job, p);
  EXPECT_NEAR((got.weights + got.gradients + got.optimiser) / 1073741824.0, 45.56, 0.03 * 45.56);
}

TEST(Memory, Bloom181BAgainstNvidiaSmi) {
  // bigscience chronicles: 72 layers of 14,336, tp 8, pp 12, dp 4, micro-batch 2, full
  // recomputation, fp16: 37 GB with ZeRO-1 and 72 GB without.
  auto b = bench("bloom-176b", "a100-sxm-80gb", 384, 2048, 2048);
  catalog::Model m = *b.job.model;
  m.layers = 72, m.hidden = 14336, m.heads = 112, m.kv_heads = 112, m.ffn = 4 * 14336,
  m.head_dim = 0;
  b.job.model = &m;
  b.job.software = classic_software();
  b.job.state = workload::TrainingPrecision::fp16;
  auto p = plan(8, 12, 1, 4, 256);
  p.micro_batch = 2, p.sequence_parallel = false, p.balanced = false, p.recompute = Recompute::full;
  EXPECT_NEAR(memory(b.job, p).total() / 1e9, 37, 0.15 * 37);
  p.zero = Zero::replicated;
  EXPECT_NEAR(memory(b.job, p).total() / 1e9, 72, 0.25 * 72);
}

TEST(Memory, SelectiveRecomputationLiesBetweenNoneAndFull) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  auto p = plan(8, 16, 8, 128, 16);
  const double none = memory(b.job, p).activations;
  p.recompute = Recompute::selective;
  const double selective = memory(b.job, p).activations;
  p.recompute = Recompute::full;
  const double full = memory(b.job, p).activations;
  EXPECT_LT(full, 0.2 * none);
  EXPECT_LT(selective, 0.8 * none);
  EXPECT_GT(selective, full);
}

TEST(Memory, ExpertsDivideByExpertParallelism) {
  const auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  auto p = plan(1, 1, 1, 64, 1);
  const double whole = memory(b.job, p).weights;
  p.ep = 8;
  const double split = memory(b.job, p).weights;
  const auto s = sizes(b.job);
  EXPECT_NEAR(whole - split, 2 * 32 * s.layer_experts * 7 / 8, 1e6);
}

RC_GTEST_PROP(MemoryProperties, MoreTensorParallelismNeedsNoMore, ()) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 512, 8192, 512);
  const int k = *rc::gen::inRange(1, 4), pp = 1 << *rc::gen::inRange(0, 4);
  auto narrow = plan(1 << k, pp, 1, 8, 32), wide = plan(1 << (k - 1), pp, 1, 8, 32);
  wide.sequence_parallel = true;
  const auto a = memory(b.job, narrow), c = memory(b.job, wide);
  RC_ASSERT(a.weights <= c.weights && a.activations <= c.activations);
}

}  // namespace
}  // namespace headroom::train
