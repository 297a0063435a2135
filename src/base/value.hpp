// Value<Q>: a number as a person gives it: a point, a range or a distribution,
// with its origin; or nothing at all, when the catalogue or a layer's default
// is to decide.
//
//   Value<Power> feed;                                    // not given
//   Value<Money> price{30000 * dollar, assumed("...")};   // a default with its source
//   if (feed) use(feed.get());
//   Power p = feed.or_else(17.3 * kilowatt);
//
// Calculations use the likely value. Study evaluates the low and the high of
// every ranged input as well, one at a time, and reports what that does to the
// answer.
#pragma once

#include <algorithm>

#include "base/quantity.hpp"
#include "base/source.hpp"

namespace headroom {

enum class Shape : unsigned char { fixed, range, uniform, triangular, normal, lognormal };

/// The untyped part of a Value, in SI base units: what spec reads and writes.
struct Number {
  double likely = 0;
  double low = 0;   ///< range: its low end; normal, lognormal: the 10th percentile
  double high = 0;  ///< range: its high end; normal, lognormal: the 90th percentile
  Shape shape = Shape::fixed;
  bool given = false;
  Origin origin;

  void fix(double si) {
    likely = low = high = si;
    shape = Shape::fixed;
    given = true;
  }
  bool ranged() const { return shape != Shape::fixed; }
};

template <class Q>
class Value : public Number {
 public:
  using quantity = Q;

  Value() = default;
  Value(Q q, SourcePtr source) {
    fix(q.si());
    origin.source = std::move(source);
  }
  Value(Q low_q, Q likely_q, Q high_q, SourcePtr source) : Value(likely_q, std::move(source)) {
    low = low_q.si();
    high = high_q.si();
    shape = Shape::range;
  }

  explicit operator bool() const { return given; }
  /// The likely value. Requires that the value was given.
  Q get() const { return Q::from_si(likely); }
  Q or_else(Q q) const { return given ? get() : q; }
  /// This value when given, else the other: the usual "scenario over catalogue".
  const Value& or_else(const Value& other) const { return given ? *this : other; }
};

}  // namespace headroom
