#include "infer/queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

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
