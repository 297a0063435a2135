#include "workload/requests.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace headroom::workload {
namespace {

constexpr double z90 = 1.2815515655446004, z99 = 2.3263478740408408;

/// Normal score of a probability (Acklam's rational approximation would do; a bisection on
/// erfc is exact to rounding and this is no hot path).
double normal_score(double q) {
  double low = -9, high = 9;
  for (int i = 0; i < 80; ++i) {
    const double mid = (low + high) / 2;
    (0.5 * std::erfc(-mid / std::sqrt(2.0)) < q ? low : high) = mid;
  }
  return (low + high) / 2;
}

double sigma_of(double variation) { return std::sqrt(std::log1p(variation * variation)); }

/// Lognormal variation from what is known of a distribution; zero when nothing is.
double fit_variation(double mean, double p50, double p99) {
  if (p50 > 0 && mean > p50) return std::sqrt(std::pow(mean / p50, 2) - 1);
  if (p50 > 0 && p99 > p50) {
    const double sigma = std::log(p99 / p50) / z99;
    return std::sqrt(std::expm1(sigma * sigma));
  }
  return 0;
}

struct Knot {
  double z, log_length;
};

std::vector<Knot> knots(const Lengths& l) {
  std::vector<Knot> out;
  const auto add = [&](double z, Tokens t) {
    if (t.si() > 0) out.push_back({z, std::log(t.si())});
  };
  add(0, l.p50);
  add(z90, l.p90);
  add(z99, l.p99);
  return out;
}

}  // namespace

Lengths lengths(const catalog::LengthStatistics& s) {
  Lengths l;
  l.p50 = s.p50.or_else(Tokens{});
  l.p90 = s.p90.or_else(Tokens{});
  l.p99 = s.p99.or_else(Tokens{});
  l.mean = s.mean.or_else(l.p50);
  l.variation =
      s.variation ? double(s.variation.get()) : fit_variation(l.mean.si(), l.p50.si(), l.p99.si());
  return l;
}

Lengths fixed_length(Tokens length) { return {length, 0, length, length, length}; }

Lengths lognormal_length(Tokens mean, double variation) {
  return {mean, std::max(variation, 0.0), {}, {}, {}};
}

Tokens quantile(const Lengths& l, double q) {
  const double z = normal_score(std::clamp(q, 1e-9, 1 - 1e-9));
  const double sigma = sigma_of(l.variation);
  const auto k = knots(l);
  if (k.empty()) return l.mean * std::exp(sigma * z - sigma * sigma / 2);
  const auto along = [&](const Knot& a, double slope) {
    return std::exp(a.log_length + slope * (z - a.z)) * token;
  };
  if (z <= k.front().z) return along(k.front(), sigma);
  for (std::size_t i = 1; i < k.size(); ++i) {
    if (z > k[i].z) continue;
    return along(k[i - 1], (k[i].log_length - k[i - 1].log_length) / (k[i].z - k[i - 1].z));
  }
  return along(k.back(), sigma);
}

RequestMix request_mix(const catalog::RequestTrace& trace) {
  RequestMix mix;
  mix.input = lengths(trace.input);
  mix.output = lengths(trace.output);
  mix.rate = trace.rate.or_else(Rate{});
  mix.peak_rate = std::max(mix.rate, trace.peak_rate.or_else(mix.rate));
  mix.burstiness = trace.burstiness.or_else(1.0);
  mix.prefix_reuse = trace.prefix_reuse.or_else(0.0);
  return mix;
}

Tokens mean_decode_context(const RequestMix& mix) {
  const double v = mix.output.variation;
  return mix.input.mean + mix.output.mean * ((1 + v * v) / 2);
}

Tokens fresh_input(const RequestMix& mix) {
  return mix.input.mean * (1 - std::clamp(mix.prefix_reuse, 0.0, 1.0));
}

double concurrency(Rate rate, Time residence) { return rate * residence; }

}  // namespace headroom::workload
