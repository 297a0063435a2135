// Exact steps of a small linear system of fixed size: the blocks of a year at one second.
//
//   x' = A x + u      x(t+h) = E(h) x + S(h) u      int x = S(h) x + R(h) u
//
// the equations of exact_step.hpp, for N states known at compile time and rows in an order in which
// little stands right of the diagonal: row i is zero beyond column Shape::last[i] (block lower
// triangular: closed under products). `Ladder` keeps E, S, R for dt, 2 dt, 4 dt, ...: any whole
// number of steps is a few products of a matrix with a vector, whatever the length.
//
// Taylor of order 14 where the norm of A h is below 1/2, then doubling: rounding is all that is
// left. Complexity: building one about 14 + 3 levels products (2 us for six states), a step one
// product a bit of its length. No errors. Thread-safety: values.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace headroom::cooling {

template <std::size_t N>
using Row = std::array<double, N>;
template <std::size_t N>
using Square = std::array<Row<N>, N>;

/// Row I of A B: unrolled, so that the bounds of the shape are known where they are used.
template <class Shape, std::size_t I, std::size_t... K>
Row<Shape::n> row_of_product(const Square<Shape::n>& a, const Square<Shape::n>& b,
                             std::index_sequence<K...>) {
  Row<Shape::n> sum{};
  const auto add = [&]<std::size_t k>(std::integral_constant<std::size_t, k>) {
    constexpr std::size_t end = Shape::last[k] + 1;
    const double x = a[I][k];
    for (std::size_t j = 0; j < end; ++j) sum[j] += x * b[k][j];
  };
  (add(std::integral_constant<std::size_t, K>{}), ...);
  return sum;
}

/// C = A B, both of the shape.
template <class Shape>
void multiply(const Square<Shape::n>& a, const Square<Shape::n>& b, Square<Shape::n>& c) {
  const auto rows = [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((c[I] = row_of_product<Shape, I>(a, b, std::make_index_sequence<Shape::last[I] + 1>{})), ...);
  };
  rows(std::make_index_sequence<Shape::n>{});
}

template <class Shape>
class Ladder {
 public:
  static constexpr std::size_t n = Shape::n;
  static constexpr std::size_t levels = 12;  ///< up to 4,095 steps at once
  static constexpr std::uint32_t most_steps = (1U << levels) - 1;

  Ladder() = default;
  Ladder(const Square<n>& a, double dt) : dt_(dt) {
    const int halvings = halvings_of(a, dt);
    Step p = series(a, std::ldexp(dt, -halvings));
    double h = std::ldexp(dt, -halvings);
    for (int k = 0; k < halvings; ++k, h *= 2) p = doubled(p, h);
    for (std::size_t k = 0; k < levels; ++k, h *= 2) {
      steps_[k] = p;
      if (k + 1 < levels) p = doubled(p, h);
    }
  }

  /// Advances x by `steps` x dt with a constant u; adds the integral of x. Lengths that come again
  /// are composed once: one product then, whatever the length.
  void advance(Row<n>& x, const Row<n>& u, std::uint32_t steps, Row<n>& integral) {
    if (const Step* p = whole(steps)) return apply(*p, x, u, integral);
    for (std::size_t k = 0; k < levels; ++k)
      if ((steps >> k & 1U) != 0) apply(steps_[k], x, u, integral);
  }
  /// exp(A dt steps) x, for states without a drive of their own.
  void decay(Row<n>& x, std::uint32_t steps) {
    Row<n> none{}, area{};
    advance(x, none, steps, area);
  }
  double dt() const { return dt_; }

 private:
  struct Step {
    Square<n> e{}, s{}, r{};
  };

  struct Composed {
    std::uint32_t steps = 0;
    int uses = 0;
    Step step;
  };

  static void apply(const Step& p, Row<n>& x, const Row<n>& u, Row<n>& integral) {
    Row<n> next{};
    for (std::size_t i = 0; i < n; ++i) {
      double value = 0, area = 0;
      for (std::size_t j = 0; j <= Shape::last[i]; ++j) {
        value += p.e[i][j] * x[j] + p.s[i][j] * u[j];
        area += p.s[i][j] * x[j] + p.r[i][j] * u[j];
      }
      next[i] = value;
      integral[i] += area;
    }
    x = next;
  }

  /// The composed step of this length, from its third use on.
  const Step* whole(std::uint32_t steps) {
    constexpr int worth = 3;
    for (auto& c : composed_) {
      if (c.steps != steps) continue;
      if (++c.uses == worth) c.step = compose(steps);
      return c.uses >= worth ? &c.step : nullptr;
    }
    composed_[next_].steps = steps, composed_[next_].uses = 1;
    next_ = (next_ + 1) % composed_.size();
    return nullptr;
  }

  Step compose(std::uint32_t steps) const {
    Step all;
    for (std::size_t i = 0; i < n; ++i) all.e[i][i] = 1;
    for (std::size_t k = 0; k < levels; ++k) {
      if ((steps >> k & 1U) == 0) continue;
      const Step& p = steps_[k];
      Step more;  // p after all
      Square<n> area{};
      multiply<Shape>(p.e, all.s, more.s);
      multiply<Shape>(p.s, all.s, area);
      multiply<Shape>(p.e, all.e, more.e);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          all.r[i][j] += p.r[i][j] + area[i][j];
          all.s[i][j] = p.s[i][j] + more.s[i][j];
        }
      }
      all.e = more.e;
    }
    return all;
  }

  static int halvings_of(const Square<n>& a, double dt) {
    double most = 0;
    for (const auto& row : a) {
      double sum = 0;
      for (const double x : row) sum += std::abs(x);
      most = std::max(most, sum * dt);
    }
    int halvings = 0;
    for (; most > 0.5; most /= 2) ++halvings;
    return halvings;
  }

  static Step series(const Square<n>& a, double h) {
    Step p;
    Square<n> power{}, next{};
    for (std::size_t i = 0; i < n; ++i) power[i][i] = 1;
    constexpr int order = 14;
    for (int k = 0; k <= order; ++k) {
      const double s = h / (k + 1), r = s * h / (k + 2);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= Shape::last[i]; ++j) {
          p.e[i][j] += power[i][j], p.s[i][j] += s * power[i][j], p.r[i][j] += r * power[i][j];
        }
      }
      multiply<Shape>(power, a, next);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) power[i][j] = next[i][j] * (h / (k + 1));
      }
    }
    return p;
  }

  static Step doubled(const Step& p, double h) {
    Step d, product;
    multiply<Shape>(p.e, p.r, product.r);
    multiply<Shape>(p.e, p.s, product.s);
    multiply<Shape>(p.e, p.e, d.e);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        d.r[i][j] = p.r[i][j] + h * p.s[i][j] + product.r[i][j];
        d.s[i][j] = p.s[i][j] + product.s[i][j];
      }
    }
    return d;
  }

  double dt_ = 0;
  std::array<Step, levels> steps_{};
  std::array<Composed, 2> composed_{};
  std::size_t next_ = 0;
};

}  // namespace headroom::cooling
