#include "train/search_rank.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <tuple>

#include "train/assess.hpp"
#include "train/search_space.hpp"
#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;

SearchResult everything(const Job& job) {
  return search(job, {.keep = 1'000'000, .exhaustive = true, .front = true});
}

// --- Order -------------------------------------------------------------------------------

TEST(NineDigits, JoinsNoiseAndKeepsOrder) {
  const double x = 2'871'234.567;
  EXPECT_EQ(nine_digits(x), nine_digits(x * (1 + 1e-15)));
  EXPECT_LT(nine_digits(x), nine_digits(x * (1 + 1e-8)));
  EXPECT_NEAR(nine_digits(x) / x, 1, 1e-9);
  EXPECT_EQ(nine_digits(8192), 8192);
  EXPECT_EQ(nine_digits(0), 0);
}

ParallelPlan any_plan() {
  ParallelPlan p;
  const auto small = [] { return *rc::gen::inRange(1, 3); };
  p.tp = small(), p.pp = small(), p.vpp = small(), p.dp = small(), p.cp = small(), p.ep = small();
  p.micro_batch = small(), p.micro_batches = small();
  p.zero = Zero(small()), p.recompute = Recompute(small());
  p.sequence_parallel = small() > 1, p.balanced = small() > 1;
  return p;
}

RC_GTEST_PROP(PlanOrder, IsStrictAndTotal, ()) {
  const auto a = any_plan(), b = any_plan(), c = any_plan();
  RC_ASSERT(int(before(a, b)) + int(before(b, a)) + int(a == b) == 1);
  if (before(a, b) && before(b, c)) RC_ASSERT(before(a, c));
}

TEST(PlanOrder, EveryDimensionOfTheSpaceCounts) {
  for (const auto& d : dimensions()) {
    ParallelPlan a, b;
    d.set(a, 0), d.set(b, 1);
    EXPECT_NE(before(a, b), before(b, a)) << d.name;
    EXPECT_EQ(d.get(b), 1) << d.name;
    EXPECT_EQ(d.get(a), 0) << d.name;
  }
}

// --- Objectives --------------------------------------------------------------------------

TEST(Smallest, NothingSmallerFits) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 512, 4096, 256);
  for (bool exhaustive : {false, true}) {
    const auto found = search(b.job, {.exhaustive = exhaustive, .objective = Objective::smallest});
    ASSERT_TRUE(found.fits());
    const int gpus = found.best[0].plan.gpus();
    // 18 bytes for each of 70.6 G parameters in 80 GB a GPU: 16 GPUs at the very least.
    EXPECT_GE(gpus, 16);
    EXPECT_LT(gpus, 64);
    auto smaller = b.job;
    smaller.gpus = (gpus - 1) / 8 * 8;
    EXPECT_FALSE(search(smaller, {.exhaustive = exhaustive}).fits());
  }
}

TEST(Smallest, WithARateIsTheFewestThatReachIt) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 256, 4096, 256);
  const auto all = everything(b.job);
  const double rate = 0.3 * all.best[0].tokens_per_s;
  double fewest = 1e9;
  for (const auto& c : all.best)
    if (c.tokens_per_s >= rate) fewest = std::min(fewest, std::ceil(c.plan.gpus() / 8.0));
  const auto found =
      search(b.job, {.exhaustive = true, .objective = Objective::smallest, .least_rate = rate});
  ASSERT_TRUE(found.fits());
  EXPECT_EQ(std::ceil(found.best[0].plan.gpus() / 8.0), fewest);
  EXPECT_GE(found.best[0].tokens_per_s, rate);
}

TEST(Cheapest, IsTheLeastOfAllByTheFormula) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 64, 4096, 64);
  const Prices prices{.gpu_hour = 2.5, .energy_kwh = 0.12, .idle_w = 120, .busy_w = 700};
  double least = 1e9;
  for (const auto& c : everything(b.job).best) least = std::min(least, cost_per_token(c, prices));
  const auto found =
      search(b.job, {.exhaustive = true, .objective = Objective::cheapest, .prices = prices});
  EXPECT_NEAR(cost_per_token(found.best[0], prices) / least, 1, 1e-8);
}

TEST(Cheapest, CostsWhatGpuHoursAndEnergyCost) {
  Candidate c;
  c.plan.dp = 100;
  c.tokens_per_s = 1e6;
  c.time.gemm = 3, c.time.data = 1;  // busy three quarters of the step
  EXPECT_DOUBLE_EQ(cost_per_token(c, {.gpu_hour = 3.6}), 100 * 3.6 / 3600 / 1e6);
  // 100 + 600 x 0.75 = 550 W at 0.1 USD/kWh.
  EXPECT_DOUBLE_EQ(cost_per_token(c, {.energy_kwh = 0.1, .idle_w = 100, .busy_w = 700}),
                   100 * 0.55 * 0.1 / 3600 / 1e6);
}

TEST(LeastMemory, IsTheLeastOfAllThatFit) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 32, 4096, 64);
  const auto all = everything(b.job);
  double least = 1e18;
  for (const auto& c : all.best) least = std::min(least, c.memory.total());
  const auto found = search(b.job, {.exhaustive = true, .objective = Objective::least_memory});
  EXPECT_NEAR(found.best[0].memory.total() / least, 1, 1e-8);
  EXPECT_EQ(found.best[0].plan, all.least_memory.plan);
}

TEST(Distinct, ListsTheBestOfEveryLayoutOnce) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 32, 4096, 64);
  const auto layout = [](const ParallelPlan& p) { return std::tie(p.tp, p.pp, p.cp, p.ep, p.dp); };
  std::vector<Candidate> expected;
  for (const auto& c : everything(b.job).best)  // best first
    if (std::none_of(expected.begin(), expected.end(),
                     [&](const Candidate& e) { return layout(e.plan) == layout(c.plan); }))
      expected.push_back(c);
  ASSERT_GT(expected.size(), 40u);
  for (int keep : {1, 7, 40}) {
    const auto found = search(b.job, {.keep = keep, .exhaustive = true, .distinct = true});
    ASSERT_EQ(int(found.best.size()), keep);
    for (int k = 0; k < keep; ++k) EXPECT_EQ(found.best[k].plan, expected[k].plan) << k;
  }
}

// --- Pareto front ------------------------------------------------------------------------

bool no_worse(const Candidate& a, const Candidate& b, double by) {
  return a.tokens_per_s * (1 + by) >= b.tokens_per_s && a.plan.gpus() <= b.plan.gpus() * (1 + by) &&
         a.memory.total() <= b.memory.total() * (1 + by);
}

TEST(Front, NoMemberBeatsAnotherAndEveryPlanIsBeatenByOne) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 64, 4096, 64);
  const auto all = everything(b.job);
  ASSERT_GT(all.front.size(), 5u);
  for (std::size_t i = 0; i < all.front.size(); ++i)
    for (std::size_t j = 0; j < all.front.size(); ++j)
      EXPECT_TRUE(i == j || !no_worse(all.front[i], all.front[j], 0)) << i << " beats " << j;
  for (const auto& c : all.best) {
    const bool beaten = std::any_of(all.front.begin(), all.front.end(),
                                    [&](const Candidate& f) { return no_worse(f, c, 1.001e-3); });
    ASSERT_TRUE(beaten) << summary(c.plan);
  }
  EXPECT_EQ(all.front.front().tokens_per_s, all.best.front().tokens_per_s);
}

TEST(Front, HoldsNoNearEquals) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 128, 4096, 256);
  const auto front = everything(b.job).front;
  const auto close = [](double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(a, b); };
  for (std::size_t i = 0; i < front.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(close(front[i].tokens_per_s, front[j].tokens_per_s) &&
                   close(front[i].memory.total(), front[j].memory.total()) &&
                   close(front[i].plan.gpus(), front[j].plan.gpus()));
}

TEST(Front, IsTheSameInWhateverOrderItIsFed) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 32, 4096, 32);
  auto all = everything(b.job).best;
  Front forward({}), backward({});
  for (const auto& c : all) forward.offer(c);
  for (auto c = all.rbegin(); c != all.rend(); ++c) backward.offer(*c);
  const auto a = forward.take(), z = backward.take();
  ASSERT_EQ(a.size(), z.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].plan, z[k].plan);
}

// --- Deadline ----------------------------------------------------------------------------

TEST(FewestGpus, MoreTimeNeverTakesMore) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 1024, 8192, 1024);
  const double tokens = 1e12;
  int last = 1 << 30;
  for (double days = 5; days < 400; days *= 1.5) {
    const auto c = fewest_gpus(b.job, {}, tokens, days * day);
    ASSERT_TRUE(c) << days;
    EXPECT_LE(tokens / c->tokens_per_s, days * 86400);
    EXPECT_LE((c->plan.gpus() + 7) / 8, (last + 7) / 8) << days;
    last = c->plan.gpus();
  }
}

TEST(FewestGpus, OneDomainFewerIsTooLate) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 1024, 8192, 1024);
  const auto c = fewest_gpus(b.job, {}, 1e12, 60 * day);
  ASSERT_TRUE(c);
  auto fewer = b.job;
  fewer.gpus = (c->plan.gpus() - 1) / 8 * 8;
  const auto found = search(fewer, {.keep = 1, .front = true});  // every dp
  EXPECT_TRUE(!found.fits() || found.best[0].tokens_per_s < 1e12 / (60 * 86400.0));
}

// System: models, clusters and deadlines, open and fixed batches. Expectation: the plan that is
// found by skipping what cannot be it is the plan that laying out every dp finds.
TEST(FewestGpus, SkippingChangesNoAnswer) {
  struct Case {
    const char* model;
    int gpus;
    double sequence, sequences, tokens;
    bool fixed;
  };
  for (const auto& c : {Case{"llama-3.1-8b", 64, 8192, 512, 2e11, true},
                        Case{"llama-3.1-70b", 1024, 8192, 1024, 1e12, true},
                        Case{"llama-3.1-405b", 4096, 8192, 2048, 4e12, false},
                        Case{"mixtral-8x7b", 256, 4096, 1024, 1e12, false},
                        Case{"deepseek-v3", 2048, 4096, 15360, 14.8e12, true}}) {
    auto b = bench(c.model, "h100-sxm", c.gpus, c.sequence, c.sequences);
    b.job.batch_fixed = c.fixed;
    for (double days = 4; days < 500; days *= 2.5) {
      SearchOptions o{.keep = 1, .objective = Objective::smallest};
      o.least_rate = c.tokens / (days * 86400);
      const auto all = search(b.job, o);
      o.only_best = true;
      const auto one = search(b.job, o);
      ASSERT_EQ(one.fits(), all.fits()) << c.model << " " << days;
      if (!all.fits()) continue;
      EXPECT_EQ(one.best[0].plan, all.best[0].plan) << c.model << " " << days;
      EXPECT_EQ(one.best[0].tokens_per_s, all.best[0].tokens_per_s);
    }
  }
}

TEST(FewestGpus, AnImpossibleDeadlineHasNone) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 64, 8192, 16);
  EXPECT_FALSE(fewest_gpus(b.job, {}, 1e15, 1 * second));
}

}  // namespace
}  // namespace headroom::train
