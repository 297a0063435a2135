#include "requests/lengths.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"

namespace headroom::requests {
namespace {

constexpr double z90 = 1.2815515655446004, z99 = 2.3263478740408408;

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

Lengths Lengths::fixed(double tokens) {
  Lengths l;
  l.a_ = tokens;
  return l;
}

Lengths Lengths::uniform(double low, double high) {
  Lengths l;
  l.kind_ = Kind::uniform;
  l.a_ = low;
  l.b_ = high;
  return l;
}

Lengths Lengths::lognormal(double mu, double sigma) {
  Lengths l;
  l.kind_ = Kind::lognormal;
  l.a_ = mu;
  l.b_ = sigma;
  return l;
}

Lengths Lengths::lognormal_by_cv(double mean, double cv) {
  const double square = std::log1p(cv * cv);
  return lognormal(std::log(mean) - square / 2, std::sqrt(square));
}

Lengths Lengths::lognormal_by_p99(double mean, double p99) {
  const double under = std::max(0.0, z99 * z99 - 2 * std::log(p99 / mean));
  const double sigma = z99 - std::sqrt(under);
  return lognormal(std::log(mean) - sigma * sigma / 2, sigma);
}

Lengths Lengths::exponential(double mean) {
  Lengths l;
  l.kind_ = Kind::exponential;
  l.a_ = mean;
  return l;
}

Lengths Lengths::quantiles(double p50, double p90, double p99, double mean) {
  Lengths l;
  l.kind_ = Kind::quantiles;
  l.knots_[0] = std::log(p50);
  l.knots_[1] = std::log(p90);
  l.knots_[2] = std::log(p99);
  l.slopes_[1] = (l.knots_[1] - l.knots_[0]) / z90;
  l.slopes_[2] = (l.knots_[2] - l.knots_[1]) / (z99 - z90);
  l.slopes_[0] = l.slopes_[1];
  if (mean <= 0) return l;
  // A steeper lower half lowers the mean.
  double low = 0, high = 8;
  for (int i = 0; i < 40; ++i) {
    l.slopes_[0] = (low + high) / 2;
    (l.mean() > mean ? low : high) = l.slopes_[0];
  }
  return l;
}

Lengths Lengths::sample(std::vector<std::int32_t> tokens) {
  Lengths l;
  l.kind_ = Kind::sample;
  l.sample_ = std::move(tokens);
  std::sort(l.sample_.begin(), l.sample_.end());
  return l;
}

double Lengths::value(double z) const {
  switch (kind_) {
    case Kind::fixed:
      return a_;
    case Kind::uniform:
      return std::min(b_, std::floor(a_ + (b_ - a_ + 1) * normal_cdf(z)));
    case Kind::lognormal:
      return std::exp(a_ + b_ * z);
    case Kind::exponential:
      return -a_ * std::log(normal_cdf(-z));
    case Kind::quantiles:
      if (z < 0) return std::exp(knots_[0] + slopes_[0] * z);
      if (z < z90) return std::exp(knots_[0] + slopes_[1] * z);
      return std::exp(knots_[1] + slopes_[2] * (z - z90));
    case Kind::sample: {
      if (sample_.empty()) return 1;
      const auto n = static_cast<double>(sample_.size());
      return sample_[static_cast<std::size_t>(std::min(normal_cdf(z) * n, n - 1))];
    }
  }
  return a_;
}

std::int32_t Lengths::at(double z) const {
  const double tokens = std::round(value(z));
  return static_cast<std::int32_t>(
      std::clamp(tokens, static_cast<double>(least_), static_cast<double>(most_)));
}

double Lengths::mean() const {
  constexpr int cells = 20000;
  double sum = 0;
  for (int i = 0; i < cells; ++i) sum += at(inverse_normal((i + 0.5) / cells));
  return sum / cells;
}

}  // namespace headroom::requests
