#include "infer/queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <deque>
#include <random>

namespace headroom::infer {
namespace {

// Tabulated quantiles of the standard normal.
TEST(Queue, NormalQuantile) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-9);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963985, 1e-7);
  EXPECT_NEAR(normal_quantile(0.99), 2.326347874, 1e-7);
  EXPECT_NEAR(normal_quantile(0.01), -2.326347874, 1e-7);
}

// The Azure conversation trace: p99 4,142 over a mean of 1,155. A lognormal with that ratio
// must give the p99 back.
TEST(Queue, LognormalSpreadFromItsPercentile) {
  const double cv = lognormal_cv(4142.0 / 1155, 0.99);
  EXPECT_NEAR(lognormal_quantile(1155, cv, 0.99), 4142, 1);
  EXPECT_EQ(lognormal_cv(0.9, 0.99), 0);
  EXPECT_TRUE(std::isfinite(lognormal_cv(1e6, 0.99)));
}

// M/M/1 at load 0.8: W = 0.8 / 0.2 x S = 4 S; deterministic service halves it.
TEST(Queue, KingmanIsExactForPoissonArrivals) {
  EXPECT_NEAR(kingman_wait(0.8, 1, 1, 1), 4, 1e-12);
  EXPECT_NEAR(kingman_wait(0.8, 1, 1, 0), 2, 1e-12);
  EXPECT_EQ(kingman_wait(1.0, 1, 1, 1), overloaded);
  EXPECT_EQ(kingman_wait(0, 1, 1, 1), 0);
}

// M/M/10 at load 0.9: Erlang C gives a wait of 0.669 service times (a = 9, C = 0.6687, W = C/(k -
// a)).
TEST(Queue, SakasegawaIsNearErlangC) {
  EXPECT_NEAR(sakasegawa_wait(10, 0.9, 1, 1, 1), 0.669, 0.02);
  EXPECT_NEAR(sakasegawa_wait(1, 0.8, 1, 1, 1), 4, 1e-9);
  EXPECT_EQ(sakasegawa_wait(10, 1, 1, 1, 1), overloaded);
}

// With no wait and no spread every quantile is the service; with an M/M/1-like wait at load
// rho of a negligible service, P(W > t) = rho exp(-t/m).
TEST(Queue, ResponseQuantiles) {
  EXPECT_NEAR((Response{1, 2, 0, 0, 0}.quantile(0.99)), 3, 1e-6);
  const Response r{0, 1e-9, 0, 4, 0.8};  // mean wait when waiting: 5
  EXPECT_NEAR(r.quantile(0.99), 5 * std::log(0.8 / 0.01), 1e-3);
  EXPECT_LT(r.quantile(0.1), 1e-6);
  EXPECT_EQ((Response{1, 1, 1, overloaded, 1}.quantile(0.5)), overloaded);
}

// A Weibull wait of cv 1 is exponential; a wider one has the same mean and a longer tail.
TEST(Queue, WiderWaitsHaveLongerTails) {
  Response r{0, 1e-9, 0, 4, 1};
  const double plain = r.quantile(0.99);
  r.wait_cv = 2;
  EXPECT_GT(r.quantile(0.99), 1.5 * plain);
  EXPECT_LT(r.quantile(0.5), 4 * std::log(2));
}

struct Chain {
  double step_s = 0, variance_s2 = 0, left = 0, typical = 0, found = 0, wait_s = 0;
};
/// The chain that read_prompts sums up, one step after the other.
Chain run_chain(const ReadingLoad& l, double cv, int steps) {
  std::mt19937_64 random(3);
  std::exponential_distribution<> gap(l.rate_s);
  const double v = std::log1p(cv * cv);
  std::lognormal_distribution<> length(std::log(l.prompt) - v / 2, std::sqrt(v) + 1e-12);
  struct One {
    double at, left;
  };
  std::deque<One> waiting;
  Chain c;
  double now = 0, next = gap(random), work = 0, square = 0, ended = 0;
  for (int i = 0; i < steps; ++i) {
    const double read = std::min(work, l.room), took = l.plain_s + l.token_s * read;
    double budget = read, now_ended = 0;
    now += took;
    while (budget > 1e-9 && !waiting.empty()) {
      One& p = waiting.front();
      const double x = std::min(budget, p.left);
      p.left -= x, budget -= x;
      if (p.left > 1e-9) continue;
      c.wait_s += now - p.at, ++now_ended;
      waiting.pop_front();
    }
    work -= read;
    c.step_s += took, square += took * took, c.left += work;
    for (; next < now; next += gap(random)) {
      waiting.push_back({next, cv > 0 ? length(random) : l.prompt});
      work += waiting.back().left;
    }
    if (waiting.empty()) work = 0;
    c.typical += work, c.found += now_ended * work, ended += now_ended;
  }
  c.step_s /= steps, c.left /= steps, c.typical /= steps;
  c.variance_s2 = square / steps - c.step_s * c.step_s;
  c.found /= ended, c.wait_s /= ended;
  return c;
}

TEST(ReadPrompts, IsTheChainRunStepByStep) {
  struct Case {
    double prompt, cv, room, rho;
  };
  for (const Case& k :
       {Case{4000, 0, 8170, 0.7}, Case{4000, 0.7, 8170, 0.7}, Case{8000, 0.5, 8150, 0.65},
        Case{1000, 0, 8170, 0.7}, Case{1155, 1, 8100, 0.7}, Case{6000, 0.7, 2040, 0.7},
        Case{16000, 0.3, 8170, 0.8}, Case{300, 0.5, 8140, 0.85}}) {
    ReadingLoad l{0, 0.011, 41e-6, k.room, k.prompt, 1 + k.cv * k.cv};
    l.piece = own_piece(k.prompt, k.cv, k.room);
    l.rate_s = k.rho / (k.prompt * l.token_s);
    const Reading form = read_prompts(l);
    const Chain seen = run_chain(l, k.cv, 600000);
    SCOPED_TRACE(k.prompt);
    EXPECT_NEAR(form.step_s / seen.step_s, 1, 0.015);
    EXPECT_NEAR(form.variance_s2 / seen.variance_s2, 1, 0.12);
    EXPECT_NEAR(form.typical / seen.typical, 1, 0.08);
    EXPECT_NEAR(form.found / seen.found, 1, 0.08);
    EXPECT_NEAR(form.wait_s / seen.wait_s, 1, 0.08);
  }
}

RC_GTEST_PROP(ReadPromptsProperty, IsFiniteAndGrowsWithTheRate, ()) {
  const double cv = *rc::gen::inRange(0, 1500) / 100.0;
  ReadingLoad l{0,
                0.001 * *rc::gen::inRange(1, 50),
                1e-6 * *rc::gen::inRange(1, 100),
                1.0 * *rc::gen::inRange(16, 20000),
                1.0 * *rc::gen::inRange(1, 100000),
                1 + cv * cv};
  l.piece = own_piece(l.prompt, cv, l.room);
  const double most = 1 / (l.prompt * (l.token_s + l.plain_s / l.room));
  double step = 0;
  for (const double share : {1e-9, 0.1, 0.5, 0.9, 0.999, 1.5}) {
    l.rate_s = share * most;
    const Reading r = read_prompts(l);
    for (const double x : {r.step_s, r.variance_s2, r.left, r.found, r.typical, r.full, r.wait_s})
      RC_ASSERT(std::isfinite(x));
    RC_ASSERT(r.left >= 0);
    RC_ASSERT(r.variance_s2 >= 0);
    RC_ASSERT(r.step_s >= step);
    step = r.step_s;
  }
}

RC_GTEST_PROP(QueueProperty, QuantilesGrow, ()) {
  const Response r{*rc::gen::inRange(0, 100) / 100.0, *rc::gen::inRange(1, 100) / 100.0,
                   *rc::gen::inRange(0, 300) / 100.0, *rc::gen::inRange(0, 100) / 100.0,
                   *rc::gen::inRange(1, 100) / 100.0};
  double last = 0;
  for (const double p : {0.5, 0.9, 0.95, 0.99, 0.999}) {
    const double q = r.quantile(p);
    RC_ASSERT(q >= last - 1e-9);
    last = q;
  }
}

}  // namespace
}  // namespace headroom::infer
