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

double Response::quantile(double p) const {
  if (wait_mean >= overloaded / 2) return overloaded;
  constexpr int points = 32;
  std::array<double, points> service;
  for (int i = 0; i < points; ++i) {
    service[i] = fixed + lognormal_quantile(service_mean, service_cv, (i + 0.5) / points);
  }
  const double chance = std::clamp(busy, 0.0, 1.0);
  const double wait = chance > 0 ? wait_mean / chance : 0;
  auto above = [&](double t) {
    double sum = 0;
    for (const double s : service) {
      if (t < s)
        sum += 1;
      else if (wait > 0)
        sum += chance * std::exp(-(t - s) / wait);
    }
    return sum / points;
  };
  // Beyond the last point the service's own tail has to come from its quantile.
  const double tail = fixed + lognormal_quantile(service_mean, service_cv, p);
  double low = 0, high = tail + wait * 60 + 1e-9;
  for (int i = 0; i < 40; ++i) {
    const double mid = (low + high) / 2;
    (above(mid) > 1 - p ? low : high) = mid;
  }
  return std::max(high, tail);
}

}  // namespace headroom::infer
