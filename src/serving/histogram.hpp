// Histogram: percentiles of positive times in constant memory.
//
//   Histogram h;
//   h.add(0.043);
//   h.quantile(0.99);
//
// Buckets grow by 0.8 % from 1 us to 1e6 s; a quantile is interpolated within its bucket (by
// logarithm), so its relative error is below 0.4 %. The mean and the extremes are exact. Times
// below 1 us (answers of one token have no time per token) count as zero.
//
// Complexity: add ~5 ns, quantile O(buckets = 3,468), 27 kB. Adding two histograms gives the same
// bits in any order of their contents, apart from the mean's last digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headroom::serving {

class Histogram {
 public:
  static constexpr double low_s = 1e-6, high_s = 1e6, growth = 1.008;

  void add(double seconds, std::uint64_t times = 1);
  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }
  double least() const { return count_ > 0 ? least_ : 0; }
  double most() const { return most_; }
  /// Of the values in order, the one that `p` of them do not exceed; 0 when there are none.
  double quantile(double p) const;
  /// Share of the values at or below; within one bucket.
  double share_below(double seconds) const;

 private:
  std::size_t bucket(double seconds) const;

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0, zeros_ = 0;
  double sum_ = 0, least_ = 0, most_ = 0;
};

/// Quantile of values in ascending order: linear interpolation between order statistics (numpy's
/// default, which vLLM's benchmark reports).
double exact_quantile(const std::vector<double>& sorted, double p);

}  // namespace headroom::serving
