#include "serving/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {
namespace {

const double inverse_log_growth = 1 / std::log(Histogram::growth);
const auto bucket_count =
    static_cast<std::size_t>(
        std::ceil(std::log(Histogram::high_s / Histogram::low_s) * inverse_log_growth)) +
    1;

double lower_edge(std::size_t bucket) {
  return Histogram::low_s * std::pow(Histogram::growth, static_cast<double>(bucket));
}

}  // namespace

std::size_t Histogram::bucket(double seconds) const {
  const double at = std::log(seconds / low_s) * inverse_log_growth;
  return std::min(static_cast<std::size_t>(at), bucket_count - 1);
}

void Histogram::add(double seconds, std::uint64_t times) {
  if (times == 0 || !(seconds >= 0)) return;
  if (count_ == 0 || seconds < least_) least_ = seconds;
  most_ = std::max(most_, seconds);
  count_ += times;
  sum_ += seconds * static_cast<double>(times);
  if (seconds < low_s) {
    zeros_ += times;
    return;
  }
  if (buckets_.empty()) buckets_.resize(bucket_count);
  buckets_[bucket(seconds)] += times;
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
  count_ += other.count_;
  zeros_ += other.zeros_;
  sum_ += other.sum_;
  if (other.buckets_.empty()) return;
  if (buckets_.empty()) buckets_.resize(bucket_count);
  for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
}

double Histogram::quantile(double p) const {
  if (count_ == 0) return 0;
  const double rank = std::clamp(p, 0.0, 1.0) * static_cast<double>(count_);
  auto before = static_cast<double>(zeros_);
  if (rank <= before || buckets_.empty()) return least_;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    if (buckets_[i] == 0) continue;
    const auto here = static_cast<double>(buckets_[i]);
    if (before + here >= rank) {
      const double value = lower_edge(i) * std::pow(growth, (rank - before) / here);
      return std::clamp(value, least_, most_);
    }
    before += here;
  }
  return most_;
}

double Histogram::share_below(double seconds) const {
  if (count_ == 0) return 0;
  if (seconds >= most_) return 1;
  auto below = static_cast<double>(zeros_);
  if (seconds >= low_s && !buckets_.empty()) {
    const std::size_t end = bucket(seconds);
    for (std::size_t i = 0; i <= end; ++i) below += static_cast<double>(buckets_[i]);
  }
  return below / static_cast<double>(count_);
}

double exact_quantile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0;
  const double at = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace headroom::serving
