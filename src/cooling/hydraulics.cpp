#include "cooling/hydraulics.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {
namespace {

constexpr double film_exponent = 0.8;
constexpr double least_cold_share = 0.02;  // valves shut no further (assumed leakage)

}  // namespace

double Mover::flow_m3_s(double demand_m3_s) const {
  if (demand_m3_s <= 0) return 0;
  return variable_speed ? std::max(demand_m3_s, least_share * design_m3_s)
                        : std::max(demand_m3_s, design_m3_s);
}

double Mover::power_w(double demand_m3_s) const {
  if (design_m3_s <= 0 || efficiency <= 0) return 0;
  const double v = flow_m3_s(demand_m3_s);
  const double x = v / design_m3_s;
  return v * head_pa * (static_share + (1 - static_share) * x * x) / efficiency;
}

double counterflow(double ntu, double ratio) {
  if (ntu <= 0) return 0;
  if (ratio > 1 - 1e-9) return ntu / (1 + ntu);
  const double e = std::exp(-ntu * (1 - ratio));
  return (1 - e) / (1 - ratio * e);
}

double crossflow(double ntu, double ratio) {
  if (ntu <= 0) return 0;
  if (ratio < 1e-9) return 1 - std::exp(-ntu);
  const double n = std::pow(ntu, 0.22);
  return 1 - std::exp(n / ratio * (std::exp(-ratio * ntu / n) - 1));
}

double Exchanger::ua(double hot, double cold) const {
  const auto resistance = [](double now, double design) {
    return design > 0 ? std::pow(now / design, -film_exponent) : 1.0;
  };
  return 2 * ua_w_k / (resistance(hot, hot_design) + resistance(cold, cold_design));
}

double Exchanger::conductance(double hot, double cold) const {
  if (ua_w_k <= 0 || cold <= 0) return 0;
  if (hot <= 0) return hot_design > 0 ? 0 : cold * counterflow(ua(0, cold) / cold, 0);
  const double least = std::min(hot, cold);
  return least * counterflow(ua(hot, cold) / least, least / std::max(hot, cold));
}

Exchanger Exchanger::sized(double heat_w, double hot, double cold, double approach_k) {
  Exchanger e;
  e.hot_design = hot;
  e.cold_design = cold;
  const double cold_end = approach_k;
  const double hot_end = approach_k + (hot > 0 ? heat_w / hot : 0) - heat_w / cold;
  if (hot_end <= 0) {  // the cold stream would leave hotter than the hot one enters
    e.ua_w_k = 50 * cold;
    return e;
  }
  const double ratio = hot_end / cold_end;
  const double mean =
      std::abs(ratio - 1) < 1e-9 ? cold_end : (hot_end - cold_end) / std::log(ratio);
  e.ua_w_k = heat_w / mean;
  return e;
}

Served serve(const Exchanger& exchanger, double heat_w, double hot, double set_c, double water_c,
             double most_cold) {
  if (heat_w <= 0) return {0, set_c, 0};
  const double rise = hot > 0 ? heat_w / hot : 0;
  const double entering = set_c + rise;
  const auto excess = [&](double cold) {
    return exchanger.conductance(hot, cold) * (entering - water_c) - heat_w;
  };
  const double full = excess(most_cold);
  if (full <= 0) {
    const double inlet = water_c + heat_w / exchanger.conductance(hot, most_cold);
    return {most_cold, inlet - rise, inlet - entering};
  }
  // Water cannot leave hotter than the hot stream enters: that bounds the flow from below.
  double low = std::max(least_cold_share * most_cold, heat_w / (entering - water_c));
  double at_low = excess(low);
  if (at_low >= 0 || low >= most_cold) return {std::min(low, most_cold), set_c, 0};
  double high = most_cold, at_high = full;
  int side = 0;
  for (int i = 0; i < 60 && high - low > 1e-12 * most_cold; ++i) {  // Illinois
    const double c = (low * at_high - high * at_low) / (at_high - at_low);
    const double f = excess(c);
    if (std::abs(f) < 1e-10 * heat_w) return {c, set_c, 0};
    if (f > 0) {
      high = c, at_high = f;
      if (side == 1) at_low /= 2;
      side = 1;
    } else {
      low = c, at_low = f;
      if (side == -1) at_high /= 2;
      side = -1;
    }
  }
  return {high, set_c, 0};
}

double warmest_water(const Exchanger& exchanger, double heat_w, double hot, double set_c,
                     double most_cold) {
  const double g = exchanger.conductance(hot, most_cold);
  if (heat_w <= 0 || g <= 0) return set_c;
  return set_c + (hot > 0 ? heat_w / hot : 0) - heat_w / g;
}

}  // namespace headroom::cooling
