// The chain of stages that cools a water loop: reuse, dry cooler, tower, chillers. Internal to
// plant_hour.cpp; the equations are in plant.hpp.
#pragma once

#include "cooling/plant_hour.hpp"

namespace headroom::cooling {

class StageChain {
 public:
  StageChain(const WaterLoop& loop, const HourInput& input, HourState& state)
      : loop_(loop), in_(input), s_(state) {}

  /// Cools water of capacity rate `c` from `in_c` towards `target_c`; the heat taken. Reuse takes
  /// no more than `heat_w`, what the loop has to give.
  double run(double c, double in_c, double target_c, double heat_w = 1e300);

 private:
  void reuse();
  void dry();
  void tower_alone();
  void chillers_on_tower();
  void chillers_on_air();
  double dry_capability(double entering_air, double air_share) const;
  /// Share of full air flow used.
  double run_dry(double entering_air, double most);
  double entering_air(bool wetted) const;
  double cop(double entering_c, double heat_w, double available_w);
  double available(double entering_c) const;
  /// Heat the tower takes from the loop through its plate with fans at full speed.
  double free_by_tower(double tower_extra_w) const;
  double cold_water(double heat_w) const;  ///< full fans, heat on the tower
  void fans_and_water(double heat_w, double cold_c);

  double need() const { return c_ * (t_ - target_); }
  void take(double heat_w) {
    t_ -= heat_w / c_;
    taken_ += heat_w;
  }
  bool free_cooling() const {
    return loop_.chillers.capacity_w <= 0 || loop_.chillers.economiser != Economiser::none;
  }
  bool all_or_nothing() const {
    return loop_.chillers.capacity_w > 0 && loop_.chillers.economiser == Economiser::parallel;
  }

  const WaterLoop& loop_;
  const HourInput& in_;
  HourState& s_;
  double c_ = 0, t_ = 0, target_ = 0, taken_ = 0, heat_ = 0;
  double flow_share_ = 1, tower_water_ = 0, tower_pump_w_ = 0, plate_ = 0;  // tower circuit
};

/// Root of a falling function on [low, high] with f(low) >= 0 >= f(high): Illinois.
template <class F>
double falling_root(F&& f, double low, double high, double f_low, double f_high, double tolerance) {
  int side = 0;
  double x = low;
  for (int i = 0; i < 100; ++i) {
    x = f_low == f_high ? (low + high) / 2 : (low * f_high - high * f_low) / (f_high - f_low);
    const double y = f(x);
    if (y > -tolerance && y < tolerance) return x;
    if (y > 0) {
      low = x, f_low = y;
      if (side == 1) f_high /= 2;
      side = 1;
    } else {
      high = x, f_high = y;
      if (side == -1) f_low /= 2;
      side = -1;
    }
  }
  return x;
}

}  // namespace headroom::cooling
