// Curve: a factor by linear interpolation between evenly spaced knots, for the
// inner loops of compute/kernel.hpp. Beyond its ends a curve keeps its end value.
//
//   Curve<5> depth{.first = 8, .per_step = 0.5};   // knots at lg k = 8, 10, 12, 14, 16
//   depth.knots = {...};
//   double f = depth.at(lg(k));
//
// lg(x) is log2 with the mantissa taken straight: exact at powers of two, at
// most 0.086 above between them, monotone, and one instruction's work. The
// fitting tool (tools/fit_kernels/common.py) uses the same function.
//
// Complexity: O(1), about 2 ns, no allocation.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace headroom::compute {

/// x > 0.
inline double lg(double x) {
  return static_cast<double>(std::bit_cast<std::int64_t>(x)) * 0x1p-52 - 1023;
}

template <std::size_t N>
struct Curve {
  double first = 0;     ///< where the first knot stands
  double per_step = 1;  ///< knots per unit
  std::array<double, N> knots = ones();

  double at(double x) const {
    double steps = (x - first) * per_step;
    if (!(steps > 0)) return knots.front();
    if (steps >= N - 1) return knots.back();
    const auto i = static_cast<std::size_t>(steps);
    return knots[i] + (steps - static_cast<double>(i)) * (knots[i + 1] - knots[i]);
  }

 private:
  static constexpr std::array<double, N> ones() {
    std::array<double, N> a{};
    a.fill(1);
    return a;
  }
};

/// By waves: knots every quarter up to 4, then at 5, 6 and 8.
struct WaveCurve {
  std::array<double, 20> knots = Curve<20>{}.knots;

  double at(double waves) const {
    // Stretched so that the knots are evenly spaced.
    const double steps = waves <= 4 ? waves * 4 : waves <= 6 ? waves + 12 : waves * 0.5 + 15;
    if (!(steps > 0)) return knots.front();
    if (steps >= 19) return knots.back();
    const auto i = static_cast<std::size_t>(steps);
    return knots[i] + (steps - static_cast<double>(i)) * (knots[i + 1] - knots[i]);
  }
};

}  // namespace headroom::compute
