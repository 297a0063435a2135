#include "requests/distributions.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::requests {

double gamma(double shape, double mean, Draws& draws) {
  const double boost = shape < 1 ? std::pow(draws.uniform(), 1 / shape) : 1;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = draws.normal(), u = draws.uniform();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0 || std::log(u) >= 0.5 * x * x + d - d * v + d * std::log(v)) continue;
    return d * v * boost * mean / shape;
  }
}

double weibull(double shape, double mean, Draws& draws) {
  return mean / std::tgamma(1 + 1 / shape) * std::pow(-std::log(draws.uniform()), 1 / shape);
}

double weibull_shape(double cv) {
  cv = std::clamp(cv, 0.01, 100.0);
  const auto cv_of = [](double k) {
    // In logarithms: the gammas overflow for shapes near 0.1.
    return std::sqrt(std::expm1(std::lgamma(1 + 2 / k) - 2 * std::lgamma(1 + 1 / k)));
  };
  double low = 0.05, high = 200;  // cv falls as the shape grows
  for (int i = 0; i < 200 && high - low > 1e-13 * high; ++i) {
    const double middle = std::sqrt(low * high);
    (cv_of(middle) > cv ? low : high) = middle;
  }
  return std::sqrt(low * high);
}

}  // namespace headroom::requests
