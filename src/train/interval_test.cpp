// Intervals from validated runs: the mixture against closed forms, shrinking's limits, and what
// counts as outside the validated domain.
#include "train/interval.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

const auto& builtin = catalog::Catalog::builtin();

const catalog::TrainingSoftware& software(const char* id) {
  const auto* e = builtin.find<catalog::TrainingSoftware>(id);
  if (e == nullptr) throw std::runtime_error(id);
  return *e;
}

/// Llama 3 8B with FSDP on eight H100s, as torchtitan was measured.
struct Case {
  test::Bench bench = test::bench("llama-3-8b", "h100-sxm", 8, 8192, 16);
  ParallelPlan plan = test::plan(1, 1, 1, 8, 1);
  Case() {
    bench.job.accelerator = "h100-sxm";
    bench.job.software.id = "torchtitan";
    plan.micro_batch = 2;
  }
};

TEST(Interval, AMixtureOfOneIsItself) {
  const RateRange r{-0.1, -0.3, 0.2, 10};
  EXPECT_NEAR(mixture_quantile({r}, 0.1), -0.3, 1e-6);
  EXPECT_NEAR(mixture_quantile({r}, 0.5), -0.1, 1e-6);
  EXPECT_NEAR(mixture_quantile({r}, 0.9), 0.2, 1e-6);
  EXPECT_NEAR(mixture_quantile({r, r, r}, 0.9), 0.2, 1e-6);
}

TEST(Interval, AMixtureOfTwoIsSymmetricAndWider) {
  const RateRange a{-0.5, -0.6, -0.4, 5}, b{0.5, 0.4, 0.6, 500};
  EXPECT_NEAR(mixture_quantile({a, b}, 0.5), 0, 1e-6);
  EXPECT_NEAR(mixture_quantile({a, b}, 0.1), -mixture_quantile({a, b}, 0.9), 1e-6);
  // 20 % of one half: between its median and its lower end.
  EXPECT_LT(mixture_quantile({a, b}, 0.1), -0.5);
  EXPECT_GT(mixture_quantile({a, b}, 0.1), -0.6);
  EXPECT_EQ(mixture_quantile({}, 0.5), 0);
  // By rows the one with 500 of them takes nearly all.
  EXPECT_GT(mixture_quantile({a, b}, 0.1, 1), 0.39);
}

TEST(Interval, ShrinkingGoesFromAllSourcesToTheGroup) {
  const RateRange pooled{0, -0.4, 0.4, 300};
  const auto none = shrunk({}, pooled);
  EXPECT_DOUBLE_EQ(none.low, -0.4);
  double before = 1;
  for (int rows : {1, 6, 60, 100000}) {
    const auto s = shrunk({0.2, 0.15, 0.25, rows}, pooled);
    EXPECT_DOUBLE_EQ(s.likely, 0.2);
    const double width = s.high - s.low;
    EXPECT_LT(width, before);
    before = width;
  }
  EXPECT_NEAR(before, 0.1, 1e-4);
  const auto half = shrunk({0, -0.2, 0.2, 6}, pooled);
  EXPECT_NEAR(half.high, 0.3, 1e-12);
}

TEST(Interval, HoldsThePredictionAndScalesWithIt) {
  const Case c;
  const auto one = interval(c.bench.job, c.plan, 1), ten = interval(c.bench.job, c.plan, 10);
  EXPECT_LT(one.low_s, 1);
  EXPECT_GT(one.high_s, 1);
  EXPECT_NEAR(ten.low_s, 10 * one.low_s, 1e-9);
  EXPECT_EQ(one.group, "torchtitan");
  EXPECT_TRUE(one.validated) << one.why;
  EXPECT_TRUE(one.why.empty());
  EXPECT_EQ(one.rows, software("torchtitan").rows);
}

TEST(Interval, OutsideTheValidatedDomainIsWiderAndSaysWhy) {
  const Case c;
  const auto inside = interval(c.bench.job, c.plan, 1);
  const auto wider = [&](const Interval& i, const char* word) {
    EXPECT_FALSE(i.validated);
    EXPECT_NE(i.why.find(word), std::string::npos) << i.why;
    EXPECT_GT(i.high_s, inside.high_s);
    EXPECT_LT(i.low_s, inside.low_s);
    return i.high_s / i.low_s;
  };
  Case gpu;
  gpu.bench.job.accelerator = "mi300x";
  const double by_gpu = wider(interval(gpu.bench.job, gpu.plan, 1), "on mi300x");
  Case precision = gpu;
  precision.bench.job.precision = Precision::nvfp4;
  EXPECT_GT(wider(interval(precision.bench.job, precision.plan, 1), "in nvfp4"), by_gpu);
  Case mixture;
  mixture.bench.job.model = &test::model("qwen3-30b-a3b");
  wider(interval(mixture.bench.job, mixture.plan, 1), "mixture");
  Case large;
  large.plan.dp = 65536;
  wider(interval(large.bench.job, large.plan, 1), "GPUs");
  Case unknown;
  unknown.bench.job.software.id = "no-such-framework";
  const auto any = interval(unknown.bench.job, unknown.plan, 1);
  EXPECT_EQ(any.group, "all sources");
  // Nobody measured that GPU with any software: wider still.
  unknown.bench.job.accelerator = "mi300x";
  const auto odd = interval(unknown.bench.job, unknown.plan, 1);
  EXPECT_GT(odd.high_s, any.high_s);
  EXPECT_NE(odd.why.find("of any software none on mi300x"), std::string::npos) << odd.why;
}

TEST(Interval, LeavingASourceOutForgetsItsRuns) {
  const auto& e = software("llm-foundry-2023");
  ASSERT_EQ(e.runs.size(), 1u) << "run tools/fit-train";
  const Residuals all(builtin), without(builtin, e.runs[0].group);
  EXPECT_EQ(all.of(e).rows, e.rows);
  EXPECT_EQ(without.of(e).rows, 0);
  EXPECT_EQ(without.serving(e).likely, without.pooled().likely);
  EXPECT_LE(without.pooled().rows, all.pooled().rows - e.rows);
  // The catalogue's own scalar is what serves when nothing is left out.
  EXPECT_NEAR(std::exp(all.serving(e).likely), e.calibration.likely, 1e-12);
}

TEST(Interval, AnEntryWithoutRunsBorrowsItsStandIns) {
  const Residuals all(builtin);
  const auto& borrower = software("mlperf-nvidia");
  EXPECT_TRUE(borrower.runs.empty());
  EXPECT_EQ(all.runs_of(borrower).id, "megatron-bridge");
  EXPECT_DOUBLE_EQ(all.of(borrower).likely, all.of(software("megatron-bridge")).likely);
  EXPECT_DOUBLE_EQ(all.serving(software("maxtext")).likely, all.pooled().likely);
}

TEST(Interval, TheEntryForAnyFrameworkIsThePoolOfAllSources) {
  const Residuals all(builtin);
  const auto& any = software("any");
  ASSERT_TRUE(any.calibration);
  EXPECT_NEAR(any.calibration.likely, std::exp(all.pooled().likely), 1e-3);
  EXPECT_NEAR(any.calibration.low, std::exp(all.pooled().low), 1e-3);
  EXPECT_NEAR(any.calibration.high, std::exp(all.pooled().high), 1e-3);
}

}  // namespace
}  // namespace headroom::train
