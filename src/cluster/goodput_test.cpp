#include "cluster/goodput.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/random.hpp"

namespace headroom::cluster {
namespace {

Cycle cycle_of(double mtbf_h, double interval_min, double write_s, double detect_s = 60,
               double restart_s = 300) {
  Cycle c;
  c.mtbf = mtbf_h * hour;
  c.interval = interval_min * minute;
  c.write = write_s * second;
  c.detection = detect_s * second;
  c.restart = restart_s * second;
  return c;
}

struct Row {
  double mtbf_h, interval_min, write_s, ettr, young_min, daly_min, first_order;
};

// An independent implementation (Python, checked there against 60,000 simulated
// periods) with D = 60 s, R = 300 s; a restart can fail.
constexpr Row oracle[] = {
    {7.900, 5.00, 10, 0.95037, 12.57, 12.46, 0.95092},
    {7.900, 30.00, 60, 0.92466, 30.79, 30.13, 0.92614},
    {7.900, 5.00, 300, 0.48852, 68.85, 65.55, 0.49298},
    {7.900, 30.00, 300, 0.81550, 68.85, 65.55, 0.81865},
    {3.606, 30.00, 10, 0.90142, 8.49, 8.38, 0.90630},
    {3.606, 30.00, 60, 0.87546, 20.80, 20.14, 0.88105},
    {1.800, 5.00, 10, 0.89376, 6.00, 5.89, 0.89800},
    {1.800, 30.00, 60, 0.79037, 14.70, 14.04, 0.80838},
    {1.800, 30.00, 300, 0.68655, 32.86, 29.61, 0.71053},
    {3.093, 5.00, 10, 0.92399, 7.87, 7.75, 0.92590},
    {3.093, 30.00, 60, 0.86089, 19.27, 18.60, 0.86815},
    {3.093, 30.00, 300, 0.75409, 43.08, 39.81, 0.76525},
    {0.230, 5.00, 10, 0.51783, 2.14, 2.04, 0.60192},
    {0.230, 30.00, 60, 0.16691, 5.25, 4.61, 0.38058},
    {0.230, 5.00, 300, 0.22101, 11.75, 8.65, 0.33577},
};

TEST(Goodput, ClosedFormsAgreeWithAnIndependentImplementation) {
  for (const auto& row : oracle) {
    SCOPED_TRACE(testing::Message()
                 << row.mtbf_h << " h, " << row.interval_min << " min, " << row.write_s << " s");
    const Cycle c = cycle_of(row.mtbf_h, row.interval_min, row.write_s);
    // The oracle's D is part of what a failed restart repeats: 0.002 is its own tolerance.
    EXPECT_NEAR(ettr(c), row.ettr, 0.002);
    EXPECT_NEAR(ettr_first_order(c), row.first_order, 2e-5);
    EXPECT_NEAR(young_interval(c.write, c.mtbf).in(minute), row.young_min, 0.006);
    EXPECT_NEAR(daly_interval(c.write, c.mtbf).in(minute), row.daly_min, 0.006);
  }
}

// The process itself, event by event: work, write, fail at any moment, notice,
// restart (which can fail too).
double simulate(const Cycle& c, int failures) {
  const Stream stream(7, "cluster.goodput");
  const double m = c.mtbf.si();
  const double period = c.interval.si() + c.write.si();
  double productive = 0, elapsed = 0;
  std::uint64_t draw = 0;
  for (int i = 0; i < failures; ++i) {
    double life = stream.exponential(m, 0, draw++);
    const double done = std::floor(life / period);
    productive += done * c.interval.si();
    elapsed += life;
    elapsed += c.detection.si();
    const double back = c.restart.si() + c.staleness.si();
    while ((life = stream.exponential(m, 0, draw++)) < back) elapsed += life + c.detection.si();
    elapsed += back;
  }
  return productive / elapsed;
}

TEST(Goodput, ExactFormAgreesWithASimulatedJob) {
  for (const auto& c : {cycle_of(3.093, 8, 10), cycle_of(1.8, 30, 60), cycle_of(0.23, 5, 30)}) {
    EXPECT_NEAR(ettr(c), simulate(c, 200000), 0.004);
  }
  Cycle drained = cycle_of(1.8, 10, 2);
  drained.staleness = 120 * second;
  EXPECT_NEAR(ettr(drained), simulate(drained, 200000), 0.004);
}

TEST(Goodput, Llama3ReachesNinetyPercentWithTenSecondStalls) {
  // 16,384 H100, 419 unexpected stops in 54 days: MTBF 3.093 h, published above 0.90.
  Cycle c = cycle_of(54 * 24 / 419.0, 1, 10);
  c.interval = daly_interval(c.write, c.mtbf);
  EXPECT_GT(ettr(c), 0.90);
  EXPECT_LT(ettr(c), 0.95);
}

TEST(Goodput, MetaRscNeedsTenSecondCheckpointsAt12000Gpus) {
  // Kokolis et al.: 0.9 at 12,000 GPUs with 6.5 failures per 1,000 node-days
  // needs a write of about 10 s; restart assumed 5 min.
  const double mtbf_h = 24 / (1500 * 6.5e-3);
  Cycle fast = cycle_of(mtbf_h, 1, 10, 0);
  fast.interval = daly_interval(fast.write, fast.mtbf);
  EXPECT_NEAR(ettr(fast), 0.92, 0.01);
  Cycle slow = cycle_of(mtbf_h, 1, 60, 0);
  slow.interval = daly_interval(slow.write, slow.mtbf);
  EXPECT_LT(ettr(slow), 0.90);
}

TEST(Goodput, NoFailuresAndFreeCheckpointsAreTheLimits) {
  Cycle never = cycle_of(0, 30, 60);
  EXPECT_DOUBLE_EQ(ettr(never), 1800.0 / 1860.0);
  Cycle free = cycle_of(10, 0, 0, 0, 0);
  EXPECT_DOUBLE_EQ(ettr(free), 1.0);
  EXPECT_EQ(daly_interval(0 * second, 1 * hour).si(), 0);
  EXPECT_EQ(ettr(cycle_of(0.001, 600, 60)), 0.0);  // e^10000: no progress, not infinity
  // A write longer than twice the MTBF: Daly says one interval of M.
  EXPECT_EQ(daly_interval(3 * hour, 1 * hour).in(hour), 1);
}

RC_GTEST_PROP(Goodput, DalyIsWithinAPercentOfTheTrueOptimum, ()) {
  const double mtbf_h = *rc::gen::inRange(1, 500) / 10.0;
  const double write_s = *rc::gen::inRange(1, 60);
  Cycle c = cycle_of(mtbf_h, 1, write_s);
  c.interval = best_interval(c);
  const double best = ettr(c);
  c.interval = daly_interval(c.write, c.mtbf);
  RC_ASSERT(ettr(c) <= best + 1e-9);
  RC_ASSERT(ettr(c) > best * 0.99);
}

RC_GTEST_PROP(Goodput, MoreFailuresOrSlowerRestartsNeverHelp, ()) {
  const double mtbf_h = *rc::gen::inRange(1, 1000) / 10.0;
  const Cycle c = cycle_of(mtbf_h, *rc::gen::inRange(1, 120), *rc::gen::inRange(0, 300),
                           *rc::gen::inRange(0, 600), *rc::gen::inRange(0, 1800));
  const double base = ettr(c);
  RC_ASSERT(base >= 0 && base <= 1);
  Cycle worse = c;
  worse.mtbf = c.mtbf * 0.9;
  RC_ASSERT(ettr(worse) <= base);
  worse = c;
  worse.restart += 60 * second;
  RC_ASSERT(ettr(worse) <= base);
  worse = c;
  worse.write += 10 * second;
  RC_ASSERT(ettr(worse) <= base);
}

TEST(Quantiles, AgreeWithTables) {
  // Poisson of mean 4: P(X<=8) = 0.9786, P(X<=9) = 0.9919.
  EXPECT_EQ(poisson_quantile(4, 0.99), 9);
  EXPECT_EQ(poisson_quantile(0, 0.99), 0);
  // Binomial(10, 0.5): P(X<=8) = 0.98926, P(X<=9) = 0.99902.
  EXPECT_EQ(binomial_quantile(10, 0.5, 0.99), 9);
  EXPECT_EQ(binomial_quantile(10, 1, 0.5), 10);
  EXPECT_NEAR(binomial_above(10, 0.5, 8), 11.0 / 1024, 1e-12);
  // Rare events among many: the binomial becomes Poisson.
  EXPECT_EQ(binomial_quantile(100000, 4e-5, 0.99), 9);
}

}  // namespace
}  // namespace headroom::cluster
