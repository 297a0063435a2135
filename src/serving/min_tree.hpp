// MinTree: the earliest of many times that change one by one. Internal to serving.
//
// A tournament tree: set O(log n), top O(1). Ties go to the lower index.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace headroom::serving {

class MinTree {
 public:
  explicit MinTree(std::size_t size = 0) { resize(size); }

  /// Keeps what is there; new ones are never.
  void resize(std::size_t size) {
    if (size <= leaves_) return;
    std::vector<double> old(times_.begin(), times_.end());
    leaves_ = std::bit_ceil(size);
    times_ = std::move(old);
    times_.resize(leaves_, std::numeric_limits<double>::infinity());
    winners_.assign(2 * leaves_, 0);
    for (std::size_t i = 0; i < leaves_; ++i) winners_[leaves_ + i] = static_cast<std::uint32_t>(i);
    for (std::size_t node = leaves_ - 1; node >= 1; --node) play(node);
  }
  void set(std::size_t index, double time) {
    times_[index] = time;
    for (std::size_t node = (leaves_ + index) / 2; node >= 1; node /= 2) play(node);
  }
  std::size_t top() const { return leaves_ > 1 ? winners_[1] : 0; }
  double time() const {
    return leaves_ > 0 ? times_[top()] : std::numeric_limits<double>::infinity();
  }
  double time(std::size_t index) const { return times_[index]; }

 private:
  void play(std::size_t node) {
    const std::uint32_t a = winners_[2 * node], b = winners_[2 * node + 1];
    winners_[node] = times_[b] < times_[a] ? b : a;
  }

  std::size_t leaves_ = 0;
  std::vector<double> times_;
  std::vector<std::uint32_t> winners_;
};

}  // namespace headroom::serving
