// Series<Q>: a quantity over equal steps of time: 8,760 hours of power, a day of
// requests by the minute. The siblings of a layer exchange loads as Series; how
// the load came to be is not their business.
//
// Values are piecewise constant: value i holds from start + i*step for one step.
// Struct of one flat array of SI doubles, so loops over it vectorise.
//
// Complexity: `integral`, `mean`, `maximum` O(n). Thread-safety: as a vector.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/quantity.hpp"

namespace headroom {

template <class Q>
class Series {
 public:
  Series(Time step, std::size_t count, Q value = Q{})
      : step_s_(step.si()), values_(count, value.si()) {}

  std::size_t size() const { return values_.size(); }
  Time step() const { return Time::from_si(step_s_); }
  Time length() const { return Time::from_si(step_s_ * static_cast<double>(size())); }

  Q operator[](std::size_t i) const { return Q::from_si(values_[i]); }
  void set(std::size_t i, Q value) { values_[i] = value.si(); }
  /// The SI values, for hot loops.
  std::span<const double> si() const { return values_; }
  std::span<double> si() { return values_; }

  /// The value that holds at time t after the start; the last one beyond the end.
  Q at(Time t) const {
    if (values_.empty()) return Q{};
    const double index = std::clamp(t.si() / step_s_, 0.0, static_cast<double>(size() - 1));
    return Q::from_si(values_[static_cast<std::size_t>(index)]);
  }
  auto integral() const { return sum() * step(); }
  Q mean() const { return values_.empty() ? Q{} : sum() / static_cast<double>(size()); }
  Q maximum() const {
    return values_.empty() ? Q{} : Q::from_si(*std::max_element(values_.begin(), values_.end()));
  }

  /// Adds another series of the same step and length.
  Series& operator+=(const Series& other) {
    for (std::size_t i = 0; i < std::min(size(), other.size()); ++i) values_[i] += other.values_[i];
    return *this;
  }

 private:
  /// Compensated (Neumaier), so that a year of seconds keeps its last digits.
  Q sum() const {
    double total = 0;
    double lost = 0;
    for (double v : values_) {
      const double next = total + v;
      lost += std::abs(total) >= std::abs(v) ? (total - next) + v : (v - next) + total;
      total = next;
    }
    return Q::from_si(total + lost);
  }

  double step_s_;
  std::vector<double> values_;
};

}  // namespace headroom
