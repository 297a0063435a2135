#include "cooling/throttle.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {

double power_share(const Throttle& t, double chip_c) {
  if (chip_c >= t.shutdown_c) return 0;
  if (chip_c <= t.throttle_c) return 1;
  const double x = t.band_k > 0 ? (chip_c - t.throttle_c) / t.band_k : 1;
  return std::max(t.floor_share, 1 - x * (1 - t.floor_share));
}

double clock_share(const Throttle& t, double power) {
  const double dynamic = (std::clamp(power, 0.0, 1.0) - t.idle_share) / (1 - t.idle_share);
  if (dynamic <= 0) return 0;
  const double v = t.voltage_floor;
  if (dynamic >= v * v * v) return std::cbrt(dynamic);
  return dynamic / (v * v);
}

ThrottledState throttled(const Throttle& t, double coolant_c, double full_w, double k_per_w,
                         double cap) {
  const auto chip_at = [&](double share) { return coolant_c + k_per_w * full_w * share; };
  ThrottledState s;
  const double most = std::clamp(cap, 0.0, 1.0);
  s.power_share = most;
  if (power_share(t, chip_at(most)) < most) {
    const double least = std::min(t.floor_share, most);
    if (chip_at(least) >= t.shutdown_c) {
      s.shut_down = true;
      s.power_share = s.clock_share = 0;
      s.chip_c = coolant_c;
      return s;
    }
    double low = least, high = most;  // allowed(low) >= low, allowed(high) < high
    for (int i = 0; i < 60; ++i) {
      const double share = (low + high) / 2;
      (power_share(t, chip_at(share)) >= share ? low : high) = share;
    }
    s.power_share = low;
  }
  s.chip_c = chip_at(s.power_share);
  s.clock_share = clock_share(t, s.power_share);
  return s;
}

}  // namespace headroom::cooling
