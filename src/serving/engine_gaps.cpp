#include "serving/engine_gaps.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace headroom::serving {
namespace {

constexpr int kept_bits = 7;           // of the mantissa: 128 buckets an octave
constexpr int shift = 52 - kept_bits;  // of a double's 52
constexpr int octaves = 40;            // 2^-20 s to 2^20 s
constexpr std::int64_t lowest = (1023LL - 20) << kept_bits;
constexpr int buckets = octaves << kept_bits;

double edge(int bucket) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(bucket + lowest) << shift);
}

}  // namespace

int Gaps::bucket(double seconds) {
  const auto high = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(seconds) >> shift);
  return static_cast<int>(std::clamp<std::int64_t>(high - lowest, 0, buckets - 1));
}

void Gaps::add(double seconds, double times) {
  if (times <= 0 || !(seconds >= 0)) return;
  if (buckets_.empty()) buckets_.resize(buckets);
  buckets_[bucket(seconds)] += times;
  count_ += times;
  sum_ += seconds * times;
  largest_ = std::max(largest_, seconds);
}

void Gaps::add_line(double first_s, double stride_s, std::int64_t steps, double times) {
  if (steps <= 0 || times <= 0) return;
  const double last_s = first_s + stride_s * static_cast<double>(steps - 1);
  if (bucket(first_s) == bucket(last_s)) {
    const double middle = first_s + stride_s * static_cast<double>(steps - 1) / 2;
    add(middle, times * static_cast<double>(steps));
    largest_ = std::max({largest_, first_s, last_s});
    return;
  }
  // Steps that begin in this bucket: those before the line meets the bucket's edge.
  for (std::int64_t at = 0; at < steps;) {
    const double here = first_s + stride_s * static_cast<double>(at);
    const int b = bucket(here);
    const double to = stride_s > 0 ? edge(b + 1) : edge(b);
    const double reach = std::ceil((to - first_s) / stride_s);
    const auto end =
        std::clamp(reach < 9e18 ? static_cast<std::int64_t>(reach) : steps, at + 1, steps);
    const double middle = first_s + stride_s * static_cast<double>(at + end - 1) / 2;
    add(middle, times * static_cast<double>(end - at));
    at = end;
  }
  largest_ = std::max({largest_, first_s, last_s});
}

void Gaps::add(const Gaps& other) {
  if (other.count_ <= 0) return;
  if (buckets_.empty()) buckets_.resize(buckets);
  for (int i = 0; i < buckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  largest_ = std::max(largest_, other.largest_);
}

double Gaps::quantile(double p) const {
  if (count_ <= 0) return 0;
  const double rank = std::clamp(p, 0.0, 1.0) * count_;
  double before = 0;
  for (int i = 0; i < buckets; ++i) {
    if (buckets_[i] <= 0) continue;
    if (before + buckets_[i] >= rank) {
      const double share = (rank - before) / buckets_[i];
      return std::min(edge(i) + share * (edge(i + 1) - edge(i)), largest_);
    }
    before += buckets_[i];
  }
  return largest_;
}

}  // namespace headroom::serving
