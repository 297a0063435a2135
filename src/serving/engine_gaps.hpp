// Gaps: how long users waited between two tokens, as a weighted histogram.
//
//   Gaps gaps;
//   gaps.add(0.021, 64);            // a step of 21 ms gave 64 sequences their next token
//   gaps.quantile(0.99);
//
// Buckets are 128 to an octave, cut straight from the bits of the double: a quantile is within
// 0.4 % of the true one (half a bucket). Count, mean and largest are exact. Gaps of less than a
// microsecond count as one.
//
// Complexity: add ~2 ns, add_line ~2 ns and 1 ns a bucket it crosses, quantile O(5,120), 41 kB.
#pragma once

#include <cstdint>
#include <vector>

namespace headroom::serving {

class Gaps {
 public:
  void add(double seconds, double times = 1);
  /// `steps` gaps of `times` each that go from `first_s` in equal strides of `stride_s`.
  void add_line(double first_s, double stride_s, std::int64_t steps, double times);
  void add(const Gaps& other);

  double count() const { return count_; }
  double sum_s() const { return sum_; }
  double mean_s() const { return count_ > 0 ? sum_ / count_ : 0; }
  double largest_s() const { return largest_; }
  /// The gap that a share `p` of them does not exceed; 0 when there are none.
  double quantile(double p) const;

 private:
  static int bucket(double seconds);

  std::vector<double> buckets_;
  double count_ = 0, sum_ = 0, largest_ = 0;
};

}  // namespace headroom::serving
