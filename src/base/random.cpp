#include "base/random.hpp"

#include <Random123/philox.h>

#include <cmath>

namespace headroom {
namespace {

/// FNV-1a, 64 bits: fixed for ever, unlike std::hash.
std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = 1469598103934665603ull ^ (seed * 0x9E3779B97F4A7C15ull);
  for (const char c : text) {
    h ^= static_cast<unsigned char>(c);
    h *= 1099511628211ull;
  }
  return h;
}

double polynomial(const double (&c)[8], double x) {
  double value = c[7];
  for (int i = 6; i >= 0; --i) value = value * x + c[i];
  return value;
}

}  // namespace

Stream::Stream(std::uint64_t seed, std::string_view component_path)
    : key_(hash(component_path, seed)) {}

double Stream::uniform(std::uint64_t entity, std::uint64_t draw) const {
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)}};
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32),
       static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(draw >> 32)}};
  const auto bits = r123::Philox4x32()(counter, key);
  const std::uint64_t word = (static_cast<std::uint64_t>(bits[0]) << 32) | bits[1];
  // Centre of one of 2^53 cells: never 0, never 1.
  return (static_cast<double>(word >> 11) + 0.5) * 0x1p-53;
}

double Stream::exponential(double mean, std::uint64_t entity, std::uint64_t draw) const {
  return -mean * std::log(uniform(entity, draw));
}

double Stream::normal(std::uint64_t entity, std::uint64_t draw) const {
  return inverse_normal(uniform(entity, draw));
}

double Stream::triangular(double low, double likely, double high, std::uint64_t entity,
                          std::uint64_t draw) const {
  if (high <= low) return low;
  const double u = uniform(entity, draw);
  const double split = (likely - low) / (high - low);
  if (u < split) return low + std::sqrt(u * (high - low) * (likely - low));
  return high - std::sqrt((1 - u) * (high - low) * (high - likely));
}

double inverse_normal(double p) {
  // Coefficients of AS 241, PPND16.
  static constexpr double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                  1.9715909503065514427e3, 1.3731693765509461125e4,
                                  4.5921953931549871457e4, 6.7265770927008700853e4,
                                  3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[8] = {1.0,
                                  4.2313330701600911252e1,
                                  6.8718700749205790830e2,
                                  5.3941960214247511077e3,
                                  2.1213794301586595867e4,
                                  3.9307895800092710610e4,
                                  2.8729085735721942674e4,
                                  5.2264952788528545610e3};
  static constexpr double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                  5.76949722146069140550e0,  3.64784832476320460504e0,
                                  1.27045825245236838258e0,  2.41780725177450611770e-1,
                                  2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[8] = {1.0,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
  static constexpr double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[8] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  double value = 0;
  if (r <= 5) {
    r -= 1.6;
    value = polynomial(c, r) / polynomial(d, r);
  } else {
    r -= 5;
    value = polynomial(e, r) / polynomial(f, r);
  }
  return q < 0 ? -value : value;
}

}  // namespace headroom
