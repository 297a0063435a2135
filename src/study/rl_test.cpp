// Reinforcement learning: sums, limits and monotonicity of what joins generation and training.
#include "study/rl.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "catalog/catalog.hpp"
#include "catalog/system.hpp"
#include "fabric/path.hpp"

namespace headroom::study {
namespace {

RlDemand demand(int gpus, const char* model = "qwen3-32b") {
  const auto& all = catalog::Catalog::builtin();
  const auto* system = all.find<catalog::System>("dgx-h100");
  RlDemand d;
  d.model = all.find<catalog::Model>(model);
  d.accelerator = all.find<catalog::Accelerator>(system->accelerator);
  fabric::ScaleOut out;
  out.per_gpu = 400 * gigabit_per_second;
  d.path = fabric::make_path(*system, *d.accelerator, out);
  d.gpus = gpus;
  d.job.model = model;
  d.job.method = train::Method::full_finetune;
  d.training.scope = "rl";
  d.training.model = d.model;
  d.training.accelerator = d.accelerator;
  d.training.gpus = gpus;
  d.training.path = d.path;
  return d;
}

RlSpec small() {
  RlSpec s;
  s.prompts = 256, s.samples = 8;
  s.response = {2048 * token, assumed("test")};
  return s;
}

TEST(Rl, IterationIsTheSumOrTheSlowerSide) {
  const auto r = plan_rl(small(), demand(64));
  ASSERT_EQ(r.plans.size(), 2u);
  for (const auto& plan : r.plans) {
    ASSERT_TRUE(plan.fits) << plan.why;
    double sum = 0, make = 0, use = 0, sync = 0;
    for (const auto& p : plan.phases) {
      sum += p.seconds;
      if (p.name == "generate" || p.name == "environment") make += p.seconds;
      if (p.name == "score" || p.name == "train") use += p.seconds;
      if (p.name == "sync weights") sync += p.seconds;
    }
    if (plan.placement == Placement::colocated) {
      EXPECT_NEAR(plan.iteration_s, sum, 1e-9 * sum);
    } else {
      EXPECT_NEAR(plan.iteration_s, std::max(make, use) + sync, 1e-9 * sum);
      EXPECT_EQ(plan.generation_gpus + plan.training_gpus, 64);
    }
    EXPECT_GE(plan.idle_share, -1e-9);
    EXPECT_LE(plan.idle_share, 1);
  }
  EXPECT_LE(r.plans[0].iteration_s, r.plans[1].iteration_s);
}

TEST(Rl, TheSplitIsTheBestOfAllSplits) {
  auto d = demand(64);
  auto spec = small();
  spec.placement = Placement::disaggregated;
  const auto best = plan_rl(spec, d);
  ASSERT_NE(best.best(), nullptr);
  for (int gpus = 8; gpus < 64; gpus += 8) {
    spec.generation_gpus = gpus;
    const auto other = plan_rl(spec, d);
    if (other.best() == nullptr) continue;
    EXPECT_GE(other.best()->iteration_s, best.best()->iteration_s * (1 - 1e-9)) << gpus;
  }
}

TEST(Rl, MoreGpusGenerateFasterDownToTheTail) {
  const auto d = demand(1024);
  const auto spec = small();
  double before = 1e300;
  for (const int gpus : {8, 16, 64, 256, 1024}) {
    const auto g = generate(spec, d, gpus);
    ASSERT_TRUE(g.fits) << gpus;
    EXPECT_LE(g.seconds, before * (1 + 1e-9)) << gpus;
    before = g.seconds;
  }
  // The longest answer alone: 8,192 tokens, one after another, on the fastest layout.
  EXPECT_GT(before, 8192 * 1e-3);
}

TEST(Rl, GenerationApproachesTheRateOfAFullBatch) {
  // Many answers on one replica: the steady phase dominates, and twice the answers take twice
  // the time.
  auto spec = small();
  spec.prompts = 8192;
  const auto one = generate(spec, demand(8), 8);
  spec.prompts = 16384;
  const auto two = generate(spec, demand(8), 8);
  EXPECT_NEAR(two.seconds / one.seconds, 2, 0.1);
  EXPECT_NEAR(two.tokens / one.tokens, 2, 1e-9);
}

TEST(Rl, EqualAnswersHaveNoTail) {
  auto spec = small();
  spec.response_cv = {Scalar(0.0), assumed("test")};
  const auto equal = generate(spec, demand(64), 64);
  spec.response_cv = {Scalar(1.0), assumed("test")};
  const auto spread = generate(spec, demand(64), 64);
  EXPECT_LT(equal.tail_s / equal.seconds, 0.02);
  EXPECT_GT(spread.tail_s / spread.seconds, 0.2);
  EXPECT_NEAR(equal.tokens, 256 * 8 * 2048, 0.01 * 256 * 8 * 2048);
}

TEST(Rl, EveryBurdenLengthensTheIteration) {
  const auto d = demand(64);
  auto spec = small();
  spec.placement = Placement::colocated;
  const double base = plan_rl(spec, d).best()->iteration_s;
  const auto with = [&](auto edit) {
    auto other = spec;
    auto there = d;
    edit(other, there);
    return plan_rl(other, there).best()->iteration_s;
  };
  EXPECT_GT(base, with([](RlSpec& s, RlDemand&) { s.reference = false; }));
  EXPECT_LT(base, with([](RlSpec& s, RlDemand&) { s.environment = {60 * second, assumed("t")}; }));
  EXPECT_LT(base, with([](RlSpec&, RlDemand& x) { x.reward = x.model; }));
  EXPECT_LT(base, with([](RlSpec& s, RlDemand&) { s.samples *= 2; }));
}

TEST(Rl, AModelTooLargeSaysSo) {
  const auto r = plan_rl(small(), demand(8, "deepseek-v3"));
  EXPECT_EQ(r.best(), nullptr);
  for (const auto& plan : r.plans) EXPECT_FALSE(plan.why.empty());
}

}  // namespace
}  // namespace headroom::study
