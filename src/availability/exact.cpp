#include "availability/exact.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::availability {
namespace {

int crews_of(const BankRates& b) { return b.crews > 0 ? std::min(b.crews, b.units) : b.units; }

/// Failures of single units a second with `out` out.
double failing(const BankRates& b, int out) {
  const int in = b.units - out;
  if (b.needed <= 0 || in <= b.needed) return in * b.failure;
  return (b.needed + (in - b.needed) * b.dormancy) * b.failure;
}

double repairing(const BankRates& b, int out) { return std::min(out, crews_of(b)) * b.repair; }

/// Rate from `out` to all units out that is not a single unit's.
double common(const BankRates& b, int out) { return out < b.units ? b.common : 0; }

/// x A = 0 with sum x = 1, by elimination with pivots.
std::vector<double> stationary(std::vector<std::vector<double>> a) {
  const std::size_t n = a.size();
  // Transposed; the last equation is the sum.
  std::vector<std::vector<double>> m(n, std::vector<double>(n + 1, 0.0));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) m[j][i] = a[i][j];
  for (std::size_t j = 0; j < n; ++j) m[n - 1][j] = 1;
  m[n - 1][n] = 1;
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::abs(m[r][c]) > std::abs(m[pivot][c])) pivot = r;
    std::swap(m[c], m[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == c || m[r][c] == 0) continue;
      const double f = m[r][c] / m[c][c];
      for (std::size_t j = c; j <= n; ++j) m[r][j] -= f * m[c][j];
    }
  }
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = m[i][n] / m[i][i];
  return x;
}

/// Without common cause the chain has a product form, free of cancellation.
std::vector<double> product_form(const BankRates& b) {
  std::vector<double> p(std::size_t(b.units) + 1, 0.0);
  p[0] = 1;
  double sum = 1;
  for (int d = 1; d <= b.units; ++d) {
    const double down = repairing(b, d);
    p[std::size_t(d)] = down > 0 ? p[std::size_t(d) - 1] * failing(b, d - 1) / down : 0;
    sum += p[std::size_t(d)];
  }
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace

double binomial(int n, int j, double p) {
  if (j < 0 || j > n) return 0;
  double c = 1;
  for (int i = 1; i <= j; ++i) c = c * (n - j + i) / i;
  return c * std::pow(p, j) * std::pow(1 - p, n - j);
}

double k_of_n(int k, int n, double p) {
  if (k <= 0) return 1;
  // The smaller tail is summed, so that neither a chance near 1 nor one near 0 is rounded away.
  double sum = 0;
  if (2 * k > n) {
    for (int j = n; j >= k; --j) sum += binomial(n, j, p);
    return std::min(1.0, sum);
  }
  for (int j = 0; j < k; ++j) sum += binomial(n, j, p);
  return std::max(0.0, 1 - sum);
}

double k_of_n(int k, std::span<const double> p) {
  if (k <= 0) return 1;
  std::vector<double> at(p.size() + 1, 0.0);  // chance that j work
  at[0] = 1;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = i + 1; j-- > 0;) {
      at[j + 1] += at[j] * p[i];
      at[j] *= 1 - p[i];
    }
  double sum = 0;
  for (std::size_t j = p.size() + 1; j-- > std::size_t(k);) sum += at[j];
  return std::min(1.0, sum);
}

std::vector<double> units_out(const BankRates& b) {
  const auto n = std::size_t(b.units);
  if (b.common <= 0) return product_form(b);
  std::vector<std::vector<double>> q(n + 1, std::vector<double>(n + 1, 0.0));
  for (std::size_t d = 0; d <= n; ++d) {
    if (d < n) q[d][d + 1] += failing(b, int(d));
    q[d][n] += common(b, int(d));
    if (d > 0) q[d][d - 1] += repairing(b, int(d));
    double away = 0;
    for (std::size_t j = 0; j <= n; ++j) away += j == d ? 0 : q[d][j];
    q[d][d] = -away;
  }
  return stationary(std::move(q));
}

double failure_frequency(const BankRates& b, int spare) {
  if (spare >= b.units) return 0;
  const auto p = units_out(b);
  double sum = p[std::size_t(spare)] * failing(b, spare);
  for (int d = 0; d <= spare; ++d) sum += p[std::size_t(d)] * common(b, d);
  return sum;
}

double bank_survival(const BankRates& b, int spare, double time_s, int out) {
  if (out > spare) return 0;
  if (spare >= b.units) return 1;
  double fastest = 0;
  for (int d = 0; d <= spare; ++d)
    fastest = std::max(fastest, failing(b, d) + common(b, d) + repairing(b, d));
  if (fastest <= 0) return 1;
  // Jumps of a Poisson process of the fastest rate; in pieces, so that exp(-rate t) is no zero.
  const auto states = std::size_t(spare) + 1;
  std::vector<double> p(states, 0.0), sum(states), next(states);
  p[std::size_t(out)] = 1;
  const int pieces = std::max(1, static_cast<int>(std::ceil(fastest * time_s / 64)));
  const double jumps = fastest * time_s / pieces;
  for (int piece = 0; piece < pieces; ++piece) {
    double weight = std::exp(-jumps), done = weight;
    for (std::size_t d = 0; d < states; ++d) sum[d] = weight * p[d];
    for (int k = 1; 1 - done > 1e-16 && k < 1000; ++k) {
      std::fill(next.begin(), next.end(), 0.0);
      for (int d = 0; d <= spare; ++d) {
        const auto i = std::size_t(d);
        const double up = failing(b, d) / fastest, all = common(b, d) / fastest,
                     back = repairing(b, d) / fastest;
        if (d < spare) next[i + 1] += p[i] * up;
        if (d > 0) next[i - 1] += p[i] * back;
        next[i] += p[i] * (1 - up - all - back);
      }
      p.swap(next);
      weight *= jumps / k;
      done += weight;
      for (std::size_t d = 0; d < states; ++d) sum[d] += weight * p[d];
    }
    p = sum;
  }
  double in = 0;
  for (const double x : p) in += x;
  return std::min(1.0, in);
}

}  // namespace headroom::availability
