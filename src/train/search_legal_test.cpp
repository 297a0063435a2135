#include "train/search_legal.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;
using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

/// The only complaint about the plan is `message`.
AssertionResult says(const Job& job, const ParallelPlan& p, const std::string& message,
                     bool all_gpus = false) {
  const auto all = illegalities(job, p, all_gpus);
  if (all.size() == 1 && all[0] == message) return AssertionSuccess();
  auto out = AssertionFailure() << summary(p) << " has " << all.size() << " complaints";
  for (const auto& one : all) out << "\n  " << one;
  return out;
}

/// Llama 3.1 70B: 64 heads, 8 key-value heads, FFN 28,672, 80 layers. Batch 64 on 64 GPUs.
test::Bench dense() { return bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64); }
/// Mixtral 8x7B: 8 experts, 32 layers, 32 heads.
test::Bench mixture() { return bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64); }

TEST(Legal, APlanThatSuitsHasNoComplaint) {
  EXPECT_TRUE(illegalities(dense().job, plan(8, 4, 2, 2, 32), true).empty());
  EXPECT_TRUE(illegalities(dense().job, plan(8, 4, 2, 1, 64), false).empty());
}

TEST(Legal, TooManyGpus) {
  EXPECT_TRUE(says(dense().job, plan(8, 4, 1, 4, 16),
                   "tp 8 x pp 4 x cp 1 x dp 4 is 128 GPUs, and there are 64; dp 2 uses them all"));
  EXPECT_TRUE(says(bench("llama-3.1-70b", "h100-sxm", 24, 8192, 64).job, plan(8, 4, 1, 1, 64),
                   "tp 8 x pp 4 x cp 1 x dp 1 is 32 GPUs, and there are 24; tp x pp x cp alone "
                   "needs 32"));
}

TEST(Legal, GpusThatWouldIdleWhenNoneMay) {
  EXPECT_TRUE(says(dense().job, plan(8, 4, 1, 1, 64),
                   "tp 8 x pp 4 x cp 1 x dp 1 is 32 GPUs, not 64; dp 2 uses them all", true));
  EXPECT_TRUE(says(dense().job, plan(8, 5, 1, 1, 64),
                   "tp 8 x pp 5 x cp 1 x dp 1 is 40 GPUs, not 64; nearest is dp 1, 40 GPUs; "
                   "tp x pp x cp = 40 does not divide 64",
                   true));
}

TEST(Legal, Heads) {
  auto p = plan(6, 1, 1, 1, 64);
  p.sequence_parallel = false;
  const auto all = illegalities(dense().job, p);
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0], "tp 6 does not divide 64 heads; nearest is 4 or 8");
  // Above the largest there is only one neighbour.
  EXPECT_EQ(illegalities(bench("llama-3.1-70b", "h100-sxm", 128, 8192, 64).job,
                         plan(128, 1, 1, 1, 64))[0],
            "tp 128 does not divide 64 heads; nearest is 64");
}

TEST(Legal, KeyValueHeadsMayBeCopiedButNotTorn) {
  // 64 heads over 16 ranks: each of 8 key-value heads lies on two ranks.
  EXPECT_EQ(illegal(dense().job, plan(16, 1, 1, 1, 64)), "");
  auto odd = *dense().job.model;
  odd.heads = 48, odd.kv_heads = 12, odd.ffn = 28800;
  auto b = dense();
  b.job.model = &odd;
  EXPECT_EQ(illegal(b.job, plan(12, 1, 1, 1, 64)).substr(0, 8), "sequence");
  EXPECT_EQ(illegal(b.job, plan(8, 1, 1, 1, 64)),
            "tp 8 neither divides 12 key-value heads nor is a multiple of them; nearest is 6 or "
            "12");
}

TEST(Legal, FfnWidth) {
  auto odd = *dense().job.model;
  odd.ffn = 28676;
  auto b = dense();
  b.job.model = &odd;
  EXPECT_TRUE(
      says(b.job, plan(8, 1, 1, 1, 64), "tp 8 does not divide the FFN width 28676; nearest is 4"));
  EXPECT_EQ(illegal(b.job, plan(4, 1, 1, 1, 64)), "");
  auto experts = *mixture().job.model;
  experts.moe.ffn = 14340;
  auto m = mixture();
  m.job.model = &experts;
  EXPECT_TRUE(
      says(m.job, plan(8, 1, 1, 1, 64), "tp 8 does not divide the FFN width 14340; nearest is 4"));
  auto whole = plan(8, 1, 1, 1, 64);  // experts stay whole under expert parallelism
  whole.ep = 2;
  EXPECT_EQ(illegal(m.job, whole), "");
}

TEST(Legal, SequenceParallelism) {
  auto b = dense();
  b.job.sequence = 8100;
  EXPECT_TRUE(says(b.job, plan(8, 1, 1, 1, 64),
                   "sequence parallelism over tp 8 does not divide 8100 tokens of a sequence on a "
                   "rank; nearest tp is 4, or switch it off"));
  auto off = plan(8, 1, 1, 1, 64);
  off.sequence_parallel = false;
  EXPECT_EQ(illegal(b.job, off), "");
}

TEST(Legal, ChunksWithoutAPipeline) {
  EXPECT_TRUE(says(dense().job, plan(8, 1, 4, 1, 64),
                   "vpp 4 needs a pipeline: set pp to 2 or more, or vpp to 1"));
}

TEST(Legal, Stages) {
  EXPECT_TRUE(says(bench("llama-3.1-70b", "h100-sxm", 128, 8192, 64).job, plan(1, 100, 1, 1, 64),
                   "pp 100 is more than 80 layers; nearest is 80"));
  EXPECT_TRUE(says(dense().job, plan(1, 16, 6, 1, 64),
                   "pp 16 x vpp 6 does not split 80 layers; nearest pp is 15, nearest vpp "
                   "is 5"));
}

TEST(Legal, InterleavingTakesWholeRounds) {
  EXPECT_TRUE(says(bench("llama-3.1-70b", "h100-sxm", 64, 8192, 20).job, plan(8, 8, 2, 1, 20),
                   "interleaving needs micro-batches (20) in multiples of pp (8); nearest is 16 "
                   "(batch 16) or 24 (batch 24)"));
}

TEST(Legal, Experts) {
  auto p = plan(1, 1, 1, 8, 8);
  p.ep = 2;
  EXPECT_TRUE(says(dense().job, p,
                   "ep 2 needs a mixture of experts, and Llama 3.1 70B is dense; use ep 1"));
  p = plan(1, 1, 1, 32, 2), p.ep = 16;
  EXPECT_TRUE(says(mixture().job, p, "ep 16 does not divide 8 experts; nearest is 8"));
  p = plan(1, 1, 1, 2, 32), p.ep = 8;
  EXPECT_TRUE(says(mixture().job, p, "ep 8 does not divide tp x cp x dp = 2; nearest is 2"));
  p = plan(2, 1, 1, 4, 16), p.ep = 8, p.sequence_parallel = false;
  EXPECT_TRUE(says(mixture().job, p,
                   "ep 8 beside tp 2 needs sequence parallelism: switch it on, or use tp 1"));
}

TEST(Legal, Schedules) {
  auto p = plan(2, 8, 1, 4, 16);
  const auto with = [&](Schedule s) {
    p.schedule = s;
    return p;
  };
  for (auto s : {Schedule::gpipe, Schedule::one_f_one_b, Schedule::zero_bubble_h1,
                 Schedule::zero_bubble_v, Schedule::dualpipe})
    EXPECT_EQ(illegal(dense().job, with(s)), "") << schedule_name(s);
  p = plan(2, 8, 1, 8, 8);
  EXPECT_TRUE(says(bench("llama-3.1-70b", "h100-sxm", 128, 8192, 64).job, with(Schedule::dualpipe),
                   "dualpipe needs an even number of at least 16 micro-batches: 8 given, take 16"));
  p = plan(2, 5, 1, 1, 64);
  EXPECT_TRUE(says(dense().job, with(Schedule::dualpipe),
                   "dualpipe pairs ranks from both ends: 5 is odd, take 4 or 6"));
  p = plan(8, 4, 2, 2, 32);
  EXPECT_TRUE(says(dense().job, with(Schedule::zero_bubble_h1),
                   "zb-h1 places chunks itself: take 1 chunk a rank, or 1f1b for 2"));
  p = plan(8, 1, 1, 2, 32);
  EXPECT_TRUE(says(dense().job, with(Schedule::gpipe),
                   "gpipe needs a pipeline: set pp to 2 or more, or take 1f1b"));
}

TEST(Legal, ContextSplitsTheSequenceInPairsOfBlocks) {
  auto p = plan(1, 1, 1, 1, 64);
  p.cp = 3;
  EXPECT_TRUE(says(dense().job, p,
                   "cp 3 needs a sequence in multiples of 2 cp = 6, and it is 8192; nearest cp is "
                   "2 or 4"));
}

TEST(Legal, Batch) {
  EXPECT_TRUE(says(dense().job, plan(1, 1, 1, 24, 3),
                   "dp 24 x micro-batch 1 does not divide a batch of 64 sequences; nearest batch "
                   "is 48 or 72"));
  EXPECT_TRUE(says(dense().job, plan(1, 1, 1, 8, 4),
                   "dp 8 x micro-batch 1 x 4 micro-batches is 32 sequences, not 64; 8 "
                   "micro-batches make the batch"));
  auto open = dense();
  open.job.batch_fixed = false;
  EXPECT_EQ(illegal(open.job, plan(1, 1, 1, 24, 3)), "");
}

TEST(Legal, PartsBelowOneAreNamedAlone) {
  auto p = plan(0, 1, 1, -2, 64);
  EXPECT_TRUE(says(dense().job, p, "every part of a plan is 1 or more, not tp 0, dp -2"));
}

TEST(Legal, AllComplaintsComeAtOnce) {
  auto p = plan(6, 1, 4, 100, 1);
  p.ep = 2, p.cp = 3;
  const auto all = illegalities(dense().job, p);
  EXPECT_GE(all.size(), 6u);
  EXPECT_EQ(illegal(dense().job, p), all[0]);
}

RC_GTEST_PROP(LegalProperties, TheTestAndTheWordsAgree, ()) {
  const auto b = *rc::gen::arbitrary<bool>() ? dense() : mixture();
  const auto any = [](int most) { return *rc::gen::inRange(0, most); };
  auto p = plan(any(18), any(18), any(5), any(9), any(70));
  p.cp = any(5), p.ep = any(10), p.micro_batch = any(4);
  p.sequence_parallel = any(2) > 0, p.balanced = any(2) > 0;
  p.schedule = static_cast<Schedule>(any(5));
  const bool all = any(2) > 0;
  const Rules rules(b.job, all);
  RC_ASSERT(rules.legal(p) == rules.why(p).empty());
  for (const auto& words : rules.why(p)) RC_ASSERT(words.size() > 10);
}

/// A legal plan can be priced: memory and step are finite and positive.
TEST(Legal, TwoChunksOnEachRankMustHoldTheLayers) {
  // 32 layers do not lie on ten stages that differ at the ends only; on eight they do.
  auto p = plan(1, 5, 1, 1, 64);
  p.schedule = Schedule::zero_bubble_v, p.balanced = false;
  EXPECT_NE(illegal(mixture().job, p).find("take 4 ranks"), std::string::npos)
      << illegal(mixture().job, p);
  p.pp = 4;
  EXPECT_TRUE(illegal(mixture().job, p).empty()) << illegal(mixture().job, p);
}

RC_GTEST_PROP(LegalProperties, WhatIsLegalHasAFiniteCost, ()) {
  const auto b = *rc::gen::arbitrary<bool>() ? dense() : mixture();
  auto p =
      plan(1 << *rc::gen::inRange(0, 5), *rc::gen::inRange(1, 17), *rc::gen::inRange(1, 5), 1, 64);
  p.cp = 1 << *rc::gen::inRange(0, 3), p.balanced = *rc::gen::arbitrary<bool>();
  p.schedule = static_cast<Schedule>(*rc::gen::inRange(0, 5));
  if (!illegal(b.job, p).empty()) return;
  const auto c = evaluate(b.job, p);
  RC_ASSERT(std::isfinite(c.tokens_per_s) && c.tokens_per_s > 0);
  RC_ASSERT(c.memory.total() > 0);
  // No plan computes faster than its GPUs can.
  RC_ASSERT(utilisation(b.job, p, step_flops(b.job, p).model_causal, c.time.total()) < 1);
}

}  // namespace
}  // namespace headroom::train
