#include "infer/queue.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace headroom::infer {

double normal_quantile(double p) {
  p = std::clamp(p, 1e-12, 1 - 1e-12);
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                          6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                          3.754408661907416e+00};
  constexpr double low = 0.02425;
  if (p > 1 - low) return -normal_quantile(1 - p);
  if (p < low) {
    const double q = std::sqrt(-2 * std::log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  }
  const double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

double lognormal_quantile(double mean, double cv, double p) {
  if (mean <= 0) return 0;
  const double variance = std::log1p(cv * cv);
  return mean * std::exp(normal_quantile(p) * std::sqrt(variance) - variance / 2);
}

double lognormal_square(double mean, double cv, double longest) {
  const double whole = 1 + cv * cv;
  if (longest <= 0 || mean <= 0 || cv <= 0) return whole;
  const double variance = std::log1p(cv * cv), width = std::sqrt(variance);
  const double below = (std::log(longest / mean) - 1.5 * variance) / width;
  return std::max(1.0, whole * 0.5 * std::erfc(-below * M_SQRT1_2));
}

double lognormal_cv(double ratio, double p) {
  const double z = normal_quantile(p);
  if (ratio <= 1 || z <= 0) return 0;
  // z s - s^2/2 = ln ratio has its peak at s = z.
  const double inside = z * z - 2 * std::log(ratio);
  const double sigma = inside > 0 ? z - std::sqrt(inside) : z;
  return std::sqrt(std::expm1(sigma * sigma));
}

double kingman_wait(double load, double service, double arrival_cv2, double service_cv2) {
  if (load <= 0 || service <= 0) return 0;
  if (load >= 1) return overloaded;
  return load / (1 - load) * (arrival_cv2 + service_cv2) / 2 * service;
}

double sakasegawa_wait(double servers, double load, double service, double arrival_cv2,
                       double service_cv2) {
  if (load <= 0 || service <= 0) return 0;
  if (load >= 1) return overloaded;
  const double k = std::max(servers, 1.0);
  return (arrival_cv2 + service_cv2) / 2 * wait_chance(k, load) / (k * (1 - load)) * service;
}

double wait_chance(double servers, double load) {
  if (load <= 0) return 0;
  return load < 1 ? std::pow(load, std::sqrt(2 * (std::max(servers, 1.0) + 1)) - 1) : 1;
}

namespace {

/// Standard normal quantiles at the middles of equal shares, for sums over a lognormal.
constexpr int points = 32;
const std::array<double, points>& middles() {
  static const auto table = [] {
    std::array<double, points> z{};
    for (int i = 0; i < points; ++i) z[i] = normal_quantile((i + 0.5) / points);
    return z;
  }();
  return table;
}

/// The chance that a response takes longer than a time.
class Tail {
 public:
  explicit Tail(const Response& r) : chance_(std::clamp(r.busy, 0.0, 1.0)) {
    wait_ = chance_ > 0 ? r.wait_mean / chance_ : 0;
    const double variance = std::log1p(r.service_cv * r.service_cv);
    const double width = std::sqrt(variance);
    for (int i = 0; i < points; ++i)
      service_[i] =
          r.fixed +
          (r.service_mean > 0 ? r.service_mean * std::exp(middles()[i] * width - variance / 2) : 0);
  }
  double above(double t) const {
    double sum = 0;
    for (const double s : service_) {
      if (t < s)
        sum += 1;
      else if (wait_ > 0)
        sum += chance_ * std::exp(-(t - s) / wait_);
    }
    return sum / points;
  }
  double wait() const { return wait_; }

 private:
  double chance_, wait_ = 0;
  std::array<double, points> service_{};
};

}  // namespace

bool Response::within(double t, double p) const {
  if (wait_mean >= overloaded / 2) return false;
  if (t < fixed + lognormal_quantile(service_mean, service_cv, p) || t < mean()) return false;
  return Tail(*this).above(t) <= 1 - p;
}

double Response::quantile(double p) const {
  if (wait_mean >= overloaded / 2) return overloaded;
  const Tail tail(*this);
  // Beyond the last point the service's own tail has to come from its quantile.
  const double end = fixed + lognormal_quantile(service_mean, service_cv, p);
  double low = 0, high = end + tail.wait() * 60 + 1e-9;
  for (int i = 0; i < 40; ++i) {
    const double mid = (low + high) / 2;
    (tail.above(mid) > 1 - p ? low : high) = mid;
  }
  return std::max(high, end);
}

double TokenTimes::above(double t) const {
  constexpr int lengths = 16, apart = points / lengths;
  const double variance = std::log1p(steps_cv * steps_cv), width = std::sqrt(variance);
  const double cubed = std::pow(1 + prompt_cv2, 3);
  const int terms = steps_cv > 0 ? lengths : 1;
  double sum = 0;
  for (int i = 0; i < terms; ++i) {
    const double z = steps_cv > 0 ? (middles()[apart * i] + middles()[apart * i + 1]) / 2 : 0;
    const double n = std::max(1.0, steps * std::exp(z * width - variance / 2));
    const double mean = mean_s - extra_s / steps + extra_s / n;
    const double cuts = prompts * prompt_s * prompt_s * (1 + prompt_cv2) / n;
    const double deviation = std::sqrt(cuts + crowd_s2);
    if (deviation <= 1e-12 * mean) {
      sum += mean > t ? 1 : 0;
      continue;
    }
    const double third = prompts * std::pow(prompt_s, 3) * cubed / (n * n);
    const double skew = std::clamp(third / std::pow(deviation, 3), 1e-6, 4.0);
    const double inside = skew / 2 * (t - mean) / deviation + 1;
    // Below its least value a Pearson III has no mass.
    if (inside <= 0) {
      sum += 1;
      continue;
    }
    const double normal = 6 / skew * (std::cbrt(inside) - 1) + skew / 6;
    sum += 0.5 * std::erfc(normal * M_SQRT1_2);
  }
  return sum / terms;
}

double TokenTimes::quantile(double p) const {
  double low = 0, high = 2 * mean_s;
  while (above(high) > 1 - p && high < overloaded) high *= 2;
  for (int i = 0; i < 26; ++i) {
    const double mid = (low + high) / 2;
    (above(mid) > 1 - p ? low : high) = mid;
  }
  return high;
}

}  // namespace headroom::infer
