#include "train/search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;

TEST(Search, EveryAnswerIsLegalAndFits) {
  for (const char* id : {"llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b"}) {
    const auto b = bench(id, "h100-sxm", 128, 4096, 1024);
    const auto found = search(b.job);
    ASSERT_TRUE(found.fits()) << id;
    for (const auto& c : found.best) {
      EXPECT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
      EXPECT_LE(c.memory.total(), usable_bytes(b.job));
      EXPECT_LE(c.plan.gpus(), 128);
      EXPECT_DOUBLE_EQ(c.plan.global_batch(), 1024);
    }
  }
}

TEST(Search, FindsTheBestOfAnIndependentEnumeration) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 64);
  const auto found = search(b.job);
  ASSERT_TRUE(found.fits());
  double best = 0;
  for (int tp : {1, 2, 4, 8})
    for (int pp : {1, 2, 4, 8, 16})
      for (int vpp : {1, 2, 4, 8, 16, 32})
        for (int mbs : {1, 2, 4, 8, 16})
          for (int r : {0, 1, 2})
            for (int z : {1, 3}) {
              if (16 % (tp * pp) != 0 || (pp > 1 && z == 3)) continue;
              auto p = plan(tp, pp, vpp, 16 / (tp * pp), 1);
              p.micro_batch = mbs;
              if (64 % (p.dp * mbs) != 0) continue;
              p.micro_batches = 64 / (p.dp * mbs);
              p.recompute = Recompute(r);
              p.zero = Zero(z);
              if (!illegal(b.job, p).empty()) continue;
              const auto c = evaluate(b.job, p);
              if (c.memory.total() <= usable_bytes(b.job)) best = std::max(best, c.tokens_per_s);
            }
  EXPECT_GE(found.best[0].tokens_per_s, best * (1 - 1e-9));
}

TEST(Search, KeepsTensorParallelismInsideTheDomain) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 1024, 8192, 512);
  for (const auto& c : search(b.job, {{}, 20}).best) EXPECT_LE(c.plan.tp, 8);
}

TEST(Search, HonoursEveryFixedPart) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  PlanSpec fixed;
  fixed.tp = 8, fixed.pp = 16, fixed.dp = 128;
  const auto found = search(b.job, {fixed, 1});
  ASSERT_TRUE(found.fits());
  EXPECT_EQ(found.best[0].plan.tp, 8);
  EXPECT_EQ(found.best[0].plan.pp, 16);
  EXPECT_EQ(found.best[0].plan.dp, 128);
}

TEST(Search, NamesTheNearestLegalChoice) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  PlanSpec fixed;
  fixed.tp = 7;
  const auto found = search(b.job, {fixed, 1});
  EXPECT_EQ(found.legal, 0);
  EXPECT_NE(found.obstacle.find("tp 7 does not divide 64 heads; nearest is 4 or 8"),
            std::string::npos)
      << found.obstacle;
}

TEST(Search, ReportsTheLeastPlanWhenNothingFits) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16, 8192, 64);
  const auto found = search(b.job);
  EXPECT_FALSE(found.fits());
  ASSERT_GT(found.legal, 0);
  // 405.9e9 x 18 B over 16 GPUs is 457 GB at least.
  EXPECT_GT(found.least_memory.memory.total(), 405.85e9 * 18 / 16);
  EXPECT_LT(found.least_memory.memory.total(), 1.3 * 405.85e9 * 18 / 16);
}

TEST(Search, TheLargestJobsTakeMilliseconds) {
  for (int gpus : {16384, 100000}) {
    auto b = bench("llama-3.1-405b", "h100-sxm", gpus, 8192, 2048);
    b.job.batch_fixed = false;
    const auto start = std::chrono::steady_clock::now();
    const auto found = search(b.job);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(found.fits());
    EXPECT_LT(took.count(), 0.25);  // about 3 ms in a Release build; loose for sanitizers
  }
}

RC_GTEST_PROP(SearchProperties, MoreMemoryIsNeverSlower, ()) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 128);
  const double gb = *rc::gen::inRange(40, 160);
  b.job.memory_bytes = gb * 1e9;
  const auto small = search(b.job);
  b.job.memory_bytes = (gb + 20) * 1e9;
  const auto large = search(b.job);
  if (!small.fits()) return;
  RC_ASSERT(large.fits());
  RC_ASSERT(large.best[0].tokens_per_s >= small.best[0].tokens_per_s * (1 - 1e-9));
}

RC_GTEST_PROP(SearchProperties, NoGpuCountCrashesIt, ()) {
  auto b = bench("mixtral-8x7b", "h100-sxm", *rc::gen::inRange(0, 3000), 4096, 1024);
  b.job.batch_fixed = *rc::gen::arbitrary<bool>();
  const auto found = search(b.job);
  for (const auto& c : found.best) RC_ASSERT(std::isfinite(c.tokens_per_s) && c.tokens_per_s > 0);
  RC_ASSERT(found.legal > 0 || !found.obstacle.empty());
}

}  // namespace
}  // namespace headroom::train
