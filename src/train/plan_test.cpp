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

TEST(MegatronFlags, SayThePlan) {
  ParallelPlan p;
  p.tp = 8, p.pp = 16, p.vpp = 8, p.dp = 128, p.micro_batches = 16;
  const auto flags = megatron_flags(p, 126, 2048, 8192, "bf16", 0.66);
  for (const char* want : {"--tensor-model-parallel-size 8", "--pipeline-model-parallel-size 16",
                           "--num-virtual-stages-per-pipeline-rank 8", "--global-batch-size 2048",
                           "--decoder-first-pipeline-num-layers 7", "--sequence-parallel",
                           "--use-distributed-optimizer", "--bf16"})
    EXPECT_NE(flags.find(want), std::string::npos) << want << " in " << flags;
  EXPECT_EQ(flags.find("recompute"), std::string::npos);
}

TEST(PlanSummary, NamesWhatDiffersFromTheUsual) {
  ParallelPlan p;
  p.tp = 2, p.dp = 4, p.zero = Zero::full, p.recompute = Recompute::full;
  EXPECT_EQ(summary(p), "TP 2 x PP 1 x DP 4, micro-batch 1 x 1, FSDP, full recompute");
}

}  // namespace
}  // namespace headroom::train
