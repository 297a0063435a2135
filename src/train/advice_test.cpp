#include "train/advice.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

const Change* find(const std::vector<Change>& changes, const char* key) {
  const auto it =
      std::find_if(changes.begin(), changes.end(), [&](const Change& c) { return c.key == key; });
  return it == changes.end() ? nullptr : &*it;
}

struct Case {
  test::Bench bench;
  SearchOptions options;
  Candidate now;
  std::vector<Change> changes;
};

Case advised(const char* accelerator, int gpus, const PlanSpec& fixed = {}) {
  Case c;
  c.bench = test::bench("llama-3.1-70b", accelerator, gpus, 8192, 1024);
  c.options.fixed = fixed;
  c.now = search(c.bench.job, c.options).best.front();
  c.changes = advise(c.bench.job, test::accelerator(accelerator), c.now, c.options);
  return c;
}

TEST(Advice, GainsAreThoseOfTheRateAndSorted) {
  const auto c = advised("h100-sxm", 512);
  ASSERT_FALSE(c.changes.empty());
  for (std::size_t i = 0; i < c.changes.size(); ++i) {
    const auto& change = c.changes[i];
    EXPECT_NEAR(change.gain, change.then.tokens_per_s / c.now.tokens_per_s - 1, 1e-12);
    EXPECT_FALSE(change.action.empty());
    EXPECT_FALSE(change.needs.empty());
    if (i > 0) { EXPECT_LE(change.gain, c.changes[i - 1].gain); }
  }
}

TEST(Advice, LiftingALimitNeverCosts) {
  // A larger memory, a faster network or no stragglers leave every plan legal that was:
  // the best cannot get worse.
  const auto c = advised("h100-sxm", 512);
  for (const char* key : {"memory.2", "network.2", "jitter", "overlap"}) {
    const auto* change = find(c.changes, key);
    ASSERT_NE(change, nullptr) << key;
    EXPECT_GE(change->gain, -1e-9) << key;
  }
}

TEST(Advice, ABadPlanIsToldToBeFreed) {
  PlanSpec fixed;
  fixed.tp = 8, fixed.pp = 16, fixed.micro_batch = 1, fixed.vpp = 1;
  const auto c = advised("h100-sxm", 512, fixed);
  const auto* plan = find(c.changes, "plan");
  ASSERT_NE(plan, nullptr);
  EXPECT_GT(plan->gain, worthwhile_gain);
  EXPECT_NE(plan->action.find("TP"), std::string::npos);
  for (const char* dim : {"plan.tp", "plan.pp", "plan.vpp"}) {
    const auto* one = find(c.changes, dim);
    ASSERT_NE(one, nullptr) << dim;
    EXPECT_LE(one->gain, plan->gain + 1e-9) << dim;  // one freed dimension is not more than all
  }
}

TEST(Advice, AFreePlanIsNotToldSo) {
  const auto c = advised("h100-sxm", 512);
  for (const auto& change : c.changes) EXPECT_NE(change.key.rfind("plan", 0), 0u) << change.key;
}

TEST(Advice, NarrowFormatsOnlyWhereTheGpuHasThem) {
  EXPECT_EQ(find(advised("a100-sxm-80gb", 512).changes, "precision.fp8"), nullptr);
  const auto h100 = advised("h100-sxm", 512);
  const auto* fp8 = find(h100.changes, "precision.fp8");
  ASSERT_NE(fp8, nullptr);
  EXPECT_GT(fp8->gain, 0.1);
  EXPECT_EQ(find(h100.changes, "precision.nvfp4"), nullptr);
}

}  // namespace
}  // namespace headroom::train
