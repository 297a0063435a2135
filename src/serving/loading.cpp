#include "serving/loading.hpp"

#include <algorithm>
#include <limits>

namespace headroom::serving {

double Loading::alone_s() const {
  const double rate = aggregate_rate > 0 ? std::min(client_rate, aggregate_rate) : client_rate;
  const double read = weight_bytes > 0 && rate > 0 ? weight_bytes / rate : 0;
  return provisioning_s + read + start_s();
}

double StorageTier::rate(const Load& load) const {
  if (load.aggregate <= 0) return load.client;
  return std::min(load.client, load.aggregate / static_cast<double>(loads_.size()));
}

void StorageTier::advance(double now) {
  const double passed = std::max(0.0, now - now_);
  for (auto& load : loads_) load.left -= rate(load) * passed;
  now_ = std::max(now_, now);
}

void StorageTier::begin(std::uint32_t replica, double bytes, double client_rate,
                        double aggregate_rate, double now) {
  advance(now);
  loads_.push_back({replica, bytes, client_rate, aggregate_rate});
}

void StorageTier::cancel(std::uint32_t replica, double now) {
  advance(now);
  std::erase_if(loads_, [&](const Load& load) { return load.replica == replica; });
}

double StorageTier::next_s() const {
  double next = std::numeric_limits<double>::infinity();
  for (const auto& load : loads_) {
    const double r = rate(load);
    next = std::min(next, r > 0 ? now_ + std::max(0.0, load.left) / r : now_);
  }
  return next;
}

bool StorageTier::ended(double now, std::uint32_t& replica) {
  advance(now);
  // A byte is nothing: rounding must not leave a load unfinished at its own end.
  const auto done =
      std::find_if(loads_.begin(), loads_.end(), [](const Load& load) { return load.left <= 1; });
  if (done == loads_.end()) return false;
  replica = done->replica;
  loads_.erase(done);
  return true;
}

}  // namespace headroom::serving
