#include "train/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace headroom::train {
namespace {

TEST(StageLayers, Llama405BGivesUpOneLayerAtBothEnds) {
  // arXiv 2407.21783 sec. 3.3.2: 126 layers on 16 ranks, one layer fewer first and last.
  const auto s = stage_layers(126, 16, 8, 0.66);
  EXPECT_TRUE(s.legal);
  EXPECT_EQ(s.first, 7);
  EXPECT_EQ(s.middle, 8);
  EXPECT_EQ(s.last, 7);
}

TEST(StageLayers, EvenSplitStaysEvenWithoutAHead) {
  const auto s = stage_layers(96, 8, 3);
  EXPECT_EQ(s.first, 12);
  EXPECT_EQ(s.last, 12);
  EXPECT_TRUE(s.even(96, 8));
}

TEST(StageLayers, AHeavyHeadTakesLayersFromTheLastRank) {
  // A head worth three layers on 8 ranks of 4: five of 35 units each is better than 4 + 3.
  const auto s = stage_layers(32, 8, 1, 3);
  EXPECT_LE(std::max({double(s.first), double(s.middle), s.last + 3.0}), 5);
}

TEST(StageLayers, ImpossibleSplitsAreIllegal) {
  EXPECT_FALSE(stage_layers(4, 8, 1).legal);
  EXPECT_FALSE(stage_layers(32, 1, 2).legal);
  EXPECT_FALSE(stage_layers(32, 0, 1).legal);
  EXPECT_FALSE(stage_layers(8, 8, 4).legal);
}

RC_GTEST_PROP(StageLayers, ConserveLayers, ()) {
  const int layers = *rc::gen::inRange(1, 200), pp = *rc::gen::inRange(1, 65);
  const int vpp = *rc::gen::inRange(1, 9);
  const double head = *rc::gen::inRange(0, 80) / 10.0;
  const auto s = stage_layers(layers, pp, vpp, head);
  if (!s.legal) return;
  const int sum = pp == 1 ? s.first : s.first + s.last + (pp - 2) * s.middle;
  RC_ASSERT(sum == layers);
  RC_ASSERT(s.first >= 1 && s.last >= 0);
}

TEST(StageLayers, GivenEndsLeaveTheRestToTheRanksBetween) {
  ParallelPlan p;
  p.pp = 4, p.first_layers = 4;
  const auto one = stage_layers(p, 61, 0.5);
  EXPECT_TRUE(one.legal);
  EXPECT_EQ(one.first, 4);
  EXPECT_EQ(one.middle, 19);
  EXPECT_EQ(one.last, 19);
  p.last_layers = 3;
  const auto both = stage_layers(p, 61, 0.5);
  EXPECT_TRUE(both.legal);
  EXPECT_EQ(both.middle, 27);
  p.vpp = 2;
  EXPECT_FALSE(stage_layers(p, 61, 0.5).legal);  // 27 is no multiple of two chunks
  p.pp = 2, p.vpp = 1;
  EXPECT_FALSE(stage_layers(p, 61, 0.5).legal);
}

TEST(ExpertRanks, FollowExpertTensorParallelism) {
  ParallelPlan p;
  p.tp = 4, p.cp = 2, p.dp = 16;
  EXPECT_EQ(p.expert_tensor(), 4);
  EXPECT_EQ(p.expert_data(), 32);
  p.ep = 8;
  EXPECT_EQ(p.expert_tensor(), 1);
  EXPECT_EQ(p.expert_data(), 16);
  p.etp = 2;
  EXPECT_EQ(p.expert_data(), 8);
  EXPECT_EQ(p.shard_ranks(), 32);
  p.hsdp = 4;
  EXPECT_EQ(p.shard_ranks(), 4);
  EXPECT_EQ(p.expert_shard_ranks(), 4);
}

TEST(PlanSummary, NamesWhatDiffersFromTheUsual) {
  ParallelPlan p;
  p.tp = 2, p.dp = 4, p.zero = Zero::full, p.recompute = Recompute::full;
  EXPECT_EQ(summary(p), "TP 2 x PP 1 x DP 4, micro-batch 1 x 1, FSDP, full recompute");
}

}  // namespace
}  // namespace headroom::train
