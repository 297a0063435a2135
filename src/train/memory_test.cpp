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

// --- By rank -----------------------------------------------------------------------------

TEST(Memory, TheWorstRankIsTheLargestOfAllRanks) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  for (int vpp : {1, 2, 5})
    for (int pp : {1, 2, 4, 8}) {
      if (pp == 1 && vpp > 1) continue;
      const auto p = plan(4, pp, vpp, 2, 32);
      const auto ranks = memory_by_rank(b.job, p);
      ASSERT_EQ(ranks.size(), std::size_t(pp));
      double most = 0;
      for (int r = 0; r < pp; ++r) {
        EXPECT_EQ(ranks[std::size_t(r)].rank, r);
        most = std::max(most, ranks[std::size_t(r)].total());
      }
      EXPECT_DOUBLE_EQ(memory(b.job, p).total(), most) << "pp " << pp << " vpp " << vpp;
      EXPECT_EQ(ranks.back().last_stage, pp > 1);
      EXPECT_EQ(ranks.front().head > 0, pp == 1);
      EXPECT_GT(ranks.back().head, 0);
    }
}

TEST(Memory, AllocatedReservedAndTotalAreApart) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  const auto m = memory(b.job, plan(2, 1, 1, 4, 2));
  EXPECT_DOUBLE_EQ(m.reserved() - m.allocated(), m.reserve);
  EXPECT_DOUBLE_EQ(m.total() - m.reserved(), m.communicators + m.framework);
  EXPECT_GT(m.reserve, 0);
  EXPECT_LT(usable_bytes(b.job), b.job.memory_bytes);
}

TEST(Memory, SchedulesHoldWhatTheySay) {
  auto p = plan(1, 8, 1, 1, 32);
  EXPECT_EQ(in_flight(p, 7), 1);
  p.schedule = Schedule::gpipe;
  EXPECT_EQ(in_flight(p, 7), 32);
  p.schedule = Schedule::zero_bubble_v;
  EXPECT_EQ(in_flight(p, 7), 8);
}

// --- Recomputation -----------------------------------------------------------------------

TEST(Memory, ModulesFreeWhatTheyAre) {
  // Llama 3.1 8B, one layer and token: products' inputs after two norms 4 h; the FFN's gate, up
  // and product 6 f; its product alone 2 f.
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  auto p = plan(1, 1, 1, 8, 1);
  const double none = memory(b.job, p).activations;
  p.recompute = Recompute::selective;
  const auto freed = [&](Module m) {
    p.modules = Modules{}.with(m);
    return (none - memory(b.job, p).activations) / (32 * 8192.0);
  };
  EXPECT_NEAR(freed(Module::layernorm), 4 * 4096, 1);
  EXPECT_NEAR(freed(Module::moe_act), 2 * 14336, 1);
  EXPECT_NEAR(freed(Module::mlp), 6 * 14336, 1);
  EXPECT_NEAR(freed(Module::core_attn), 4 * 32, 1);
}

TEST(Memory, RecomputedLayersLieBetweenNoneAndAll) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  auto p = plan(1, 1, 1, 8, 1);
  const double none = memory(b.job, p).activations;
  p.recompute = Recompute::full;
  const double all = memory(b.job, p).activations;
  double before = none;
  for (int n : {1, 8, 16, 31}) {
    p.recompute_layers = n;
    const double some = memory(b.job, p).activations;
    EXPECT_NEAR(some, none + (all - none) * n / 32, 1e-6 * none);
    EXPECT_LT(some, before);
    before = some;
  }
}

// --- Groups, offload, adapters -----------------------------------------------------------

TEST(Memory, ShardGroupsHoldAReplicaEach) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  auto p = plan(1, 1, 1, 64, 1);
  p.zero = Zero::full;
  const auto wide = memory(b.job, p);
  p.hsdp = 8;
  const auto narrow = memory(b.job, p);
  EXPECT_NEAR(narrow.optimiser, 8 * wide.optimiser, 1);
  EXPECT_NEAR(narrow.weights, 8 * wide.weights, 1);
  p.hsdp = 64;
  EXPECT_DOUBLE_EQ(memory(b.job, p).total(), wide.total());
}

TEST(Memory, ExpertTensorParallelismCutsExpertsOnly) {
  const auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  auto p = plan(4, 1, 1, 16, 4);
  p.ep = 8;
  const double whole = memory(b.job, p).weights;
  p.etp = 2;
  const auto s = sizes(b.job);
  EXPECT_NEAR(whole - memory(b.job, p).weights, 2 * 32 * s.layer_experts / 8 / 2, 1e3);
}

TEST(Memory, TheHottestExpertRankDecides) {
  auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  auto p = plan(1, 1, 1, 64, 1);
  p.ep = 8;
  const double even = memory(b.job, p).activations;
  b.job.imbalance = 1.2;
  const double hot = memory(b.job, p).activations;
  EXPECT_GT(hot, even);
  b.job.capacity_factor = 1;  // tokens beyond the mean are dropped
  EXPECT_DOUBLE_EQ(memory(b.job, p).activations, even);
}

TEST(Memory, OffloadMovesWhatItSays) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  auto p = plan(8, 1, 1, 8, 8);
  const auto here = memory(b.job, p);
  p.offload_optimiser = 0.25;
  // Moments are 8 of the 12 bytes; the master stays.
  EXPECT_NEAR(memory(b.job, p).optimiser, (1 - 0.25 * 8 / 12) * here.optimiser, 1);
  p.offload_activations = 0.5;  // two of 80 layers are always under way
  EXPECT_NEAR(memory(b.job, p).activations, (0.5 + 2.0 / 80) * here.activations, 1e3);
  p.offload_activations = 0.01;
  EXPECT_LE(memory(b.job, p).activations, here.activations);
}

TEST(Memory, QuantisedBaseWeightsTakeHalfAByte) {
  // QLoRA, sec. 3: 4.127 bits a parameter; embedding and head stay in bf16.
  auto b = bench("llama-3.1-8b", "h100-sxm", 1, 4096, 8);
  b.job.method = Method::lora;
  const double wide = memory(b.job, plan(1, 1, 1, 1, 8)).weights;
  b.job.method = Method::qlora;
  const auto narrow = memory(b.job, plan(1, 1, 1, 1, 8));
  const auto s = sizes(b.job);
  const double one_matrix = 2.0 * 4096 * 14336;
  EXPECT_NEAR(wide - narrow.weights, 32 * s.layer_dense * (2 - 4.127 / 8) - one_matrix, 2e6);
  EXPECT_LT(narrow.gradients + narrow.optimiser, 1e9);
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
