#include "serving/engine_adapters.hpp"

#include <algorithm>

#include "serving/engine.hpp"

namespace headroom::serving {

AdapterSlots::AdapterSlots(const Adapters& rule)
    : slots_(rule.slots),
      host_slots_(rule.host_slots),
      load_s_(rule.load_s),
      fetch_s_(rule.fetch_s) {}

bool AdapterSlots::fits(std::uint16_t adapter) const {
  if (adapter == 0 || slots_ <= 0 || distinct_ < slots_) return true;
  return adapter < users_.size() && users_[adapter] > 0;
}

/// Moves the adapter to the recent end; false when it was not there.
bool AdapterSlots::touch(std::vector<std::uint16_t>& recent, std::uint16_t adapter) {
  const auto at = std::find(recent.begin(), recent.end(), adapter);
  const bool there = at != recent.end();
  if (there) recent.erase(at);
  recent.push_back(adapter);
  return there;
}

double AdapterSlots::join(std::uint16_t adapter) {
  if (adapter == 0) return 0;
  if (adapter >= users_.size()) users_.resize(adapter + 1u, 0);
  if (users_[adapter]++ == 0) ++distinct_;
  if (touch(loaded_, adapter)) return 0;
  loads_ += 1;
  if (slots_ > 0 && loaded_.size() > static_cast<std::size_t>(slots_)) {
    const auto idle = std::find_if(loaded_.begin(), loaded_.end(),
                                   [&](std::uint16_t a) { return users_[a] == 0; });
    if (idle != loaded_.end()) loaded_.erase(idle);
  }
  const bool in_host = touch(in_host_, adapter);
  if (host_slots_ > 0 && in_host_.size() > static_cast<std::size_t>(host_slots_)) {
    in_host_.erase(in_host_.begin());
  }
  return load_s_ + (in_host ? 0 : fetch_s_);
}

void AdapterSlots::leave(std::uint16_t adapter) {
  if (adapter != 0 && --users_[adapter] == 0) --distinct_;
}

void AdapterSlots::clear() {
  users_.clear();
  loaded_.clear();
  in_host_.clear();
  distinct_ = 0;
}

}  // namespace headroom::serving
