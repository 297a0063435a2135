#include "cluster/goodput.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cluster {
namespace {

// Cumulative sums run in logarithms: p^n of 100,000 nodes underflows otherwise.
double log_binomial_pmf(int n, double p, int k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p) +
         (n - k) * std::log1p(-p);
}

}  // namespace

Time young_interval(Time write, Time mtbf) {
  if (write.si() <= 0 || mtbf.si() <= 0) return {};
  return Time::from_si(std::sqrt(2 * write.si() * mtbf.si()));
}

Time daly_interval(Time write, Time mtbf) {
  if (write.si() <= 0 || mtbf.si() <= 0) return {};
  const double ratio = write.si() / (2 * mtbf.si());
  if (ratio >= 1) return mtbf;
  const double series = 1 + std::sqrt(ratio) / 3 + ratio / 9;
  return Time::from_si(young_interval(write, mtbf).si() * series) - write;
}

Scalar ettr(const Cycle& c) {
  const double tau = c.interval.si();
  const double w = std::max(0.0, c.write.si());
  if (c.mtbf.si() <= 0) return tau > 0 ? tau / (tau + w) : (w > 0 ? 0.0 : 1.0);
  const double m = c.mtbf.si();
  const double d = c.detection.si() +
                   std::expm1((c.restart.si() + c.staleness.si()) / m) * (m + c.detection.si());
  if (tau <= 0) return w > 0 ? 0.0 : m / (m + d);  // the limit of ever finer, free checkpoints
  const double expected = std::expm1((tau + w) / m) * (m + d);
  return std::isfinite(expected) ? tau / expected : 0.0;
}

Scalar ettr_first_order(const Cycle& c) {
  const double tau = c.interval.si();
  const double w = std::max(0.0, c.write.si());
  if (tau <= 0 && w > 0) return 0.0;
  const double writing = tau > 0 ? w / tau : 0;
  if (c.mtbf.si() <= 0) return 1 / (1 + writing);
  const double lost = tau / 2 + w + c.staleness.si() + c.detection.si() + c.restart.si();
  return 1 / (1 + writing + lost / c.mtbf.si());
}

Time best_interval(Cycle cycle) {
  if (cycle.mtbf.si() <= 0 || cycle.write.si() <= 0) return {};
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(cycle.mtbf.si() * 1e-9);
  double high = std::log(cycle.mtbf.si() * 10);
  auto at = [&](double log_tau) {
    cycle.interval = Time::from_si(std::exp(log_tau));
    return static_cast<double>(ettr(cycle));
  };
  while (high - low > 1e-9) {
    const double a = high - golden * (high - low);
    const double b = low + golden * (high - low);
    (at(a) < at(b) ? low : high) = at(a) < at(b) ? a : b;
  }
  return Time::from_si(std::exp((low + high) / 2));
}

int poisson_quantile(double mean, double percentile) {
  if (!(mean > 0)) return 0;
  const double q = std::clamp(percentile, 0.0, 1 - 1e-12);
  double cumulative = 0;
  int k = 0;
  while ((cumulative += std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0))) < q &&
         k < mean + 20 * std::sqrt(mean) + 100) {
    ++k;
  }
  return k;
}

int binomial_quantile(int n, double p, double percentile) {
  if (n <= 0 || !(p > 0)) return 0;
  if (p >= 1) return n;
  const double q = std::clamp(percentile, 0.0, 1 - 1e-12);
  double cumulative = 0;
  int k = 0;
  while ((cumulative += std::exp(log_binomial_pmf(n, p, k))) < q && k < n) ++k;
  return k;
}

double binomial_above(int n, double p, int k) {
  if (n <= 0 || !(p > 0) || k >= n) return 0;
  if (p >= 1) return 1;
  double below = 0;
  for (int i = 0; i <= k; ++i) below += std::exp(log_binomial_pmf(n, p, i));
  return std::clamp(1 - below, 0.0, 1.0);
}

}  // namespace headroom::cluster
