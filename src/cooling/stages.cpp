#include "cooling/stages.hpp"

#include <algorithm>
#include <cmath>

#include "catalog/climate.hpp"
#include "cooling/compressor.hpp"
#include "cooling/psychrometrics.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

constexpr double dry_film_exponent = 0.6;  // air side of finned coils, Nu ~ Re^0.6 (assumed)
constexpr double air_cp = 1006;            // J/(kg K), dry air at 20 degC
constexpr double latent_j_kg = 2.45e6;     // evaporation at 20 degC (ASHRAE Fundamentals ch. 1)

double cube(double y) { return y * y * y; }

}  // namespace

double StageChain::run(double c, double in_c, double target_c, double heat_w) {
  c_ = c;
  heat_ = heat_w;
  t_ = in_c;
  target_ = target_c;
  taken_ = 0;
  if (need() <= 0) return 0;
  const auto& tower = loop_.tower;
  const bool has_tower = tower.water > 0;
  if (has_tower) {
    const double design = loop_.pump.design_m3_s * (water_density * water_heat_capacity).si();
    const double flow = tower.pump.design_m3_s;
    flow_share_ = design > 0 ? std::clamp(c / design, tower.pump.least_share, 1.0) : 1.0;
    tower_water_ = tower.plate.ua_w_k > 0 ? tower.water * flow_share_ : c;
    plate_ = tower.plate.ua_w_k > 0 ? tower.plate.conductance(c, tower_water_) : c;
    tower_pump_w_ = tower.pump.power_w(flow * flow_share_);
  }
  reuse();
  if (loop_.dry.ua_w_k > 0 && free_cooling()) dry();
  const auto& chillers = loop_.chillers;
  if (need() > 0 && has_tower) {
    chillers.capacity_w > 0 && !chillers.on_air ? chillers_on_tower() : tower_alone();
  }
  if (need() > 0 && chillers.capacity_w > 0 && chillers.on_air) chillers_on_air();
  return taken_;
}

void StageChain::reuse() {
  const auto& r = loop_.reuse;
  if (r.demand_w <= 0) return;
  const double share = r.profile.empty() ? 1.0 : r.profile[in_.hour % r.profile.size()];
  const double demand = r.demand_w * share;
  if (demand <= 0) return;
  if (t_ >= r.level_c + r.approach_k) {
    const double most = c_ * std::max(0.0, t_ - r.return_c - r.approach_k);
    const double heat = std::min({demand, most, need(), heat_});
    s_.reused_w += heat;
    take(heat);
    return;
  }
  if (!r.heat_pump) return;
  const double hot = r.level_c + r.approach_k + 273.15, cold = target_ - r.approach_k + 273.15;
  const double cop = hot > cold ? std::max(1.5, r.carnot * hot / (hot - cold)) : 15;
  const double heat = std::min({demand * (1 - 1 / cop), need(), heat_});
  const double work = heat / (cop - 1);
  s_.heat_pumps_w += work;
  s_.reused_w += heat + work;
  take(heat);
}

// --- Dry cooler -----------------------------------------------------------------

double StageChain::entering_air(bool wetted) const {
  const double depression = std::max(0.0, in_.dry_bulb_c - in_.wet_bulb_c);
  return in_.dry_bulb_c - (wetted ? loop_.dry.saturation * depression : 0);
}

double StageChain::dry_capability(double air_c, double air_share) const {
  const double air = loop_.dry.air * air_share;
  const double least = std::min(air, c_), most = std::max(air, c_);
  const double ua = loop_.dry.ua_w_k * std::pow(air_share, dry_film_exponent);
  return std::max(0.0, least * crossflow(ua / least, least / most) * (t_ - air_c));
}

void StageChain::dry() {
  const bool can_wet = loop_.dry.saturation > 0;
  const double dry_air = entering_air(false);
  const double most = std::min(dry_capability(dry_air, 1), need());
  const bool enough = dry_capability(dry_air, 1) >= need();
  if (can_wet && !enough) {
    const double wet_air = entering_air(true);
    if (t_ - wet_air < loop_.dry.least_lift_k) return;
    if (all_or_nothing() && dry_capability(wet_air, 1) < need()) return;
    const double share = run_dry(wet_air, need());
    // Along the wet-bulb line the air's own heat evaporates the water, up to saturation.
    const double saturated = humidity_of_relative(wet_air, 1, in_.pressure_pa);
    const double per_kg = std::min(air_cp * (in_.dry_bulb_c - wet_air) / latent_j_kg,
                                   std::max(0.0, saturated - in_.humidity));
    s_.pad_evaporation += loop_.dry.air * share / air_cp * per_kg;
    return;
  }
  if (t_ - dry_air < loop_.dry.least_lift_k || (all_or_nothing() && !enough)) return;
  run_dry(dry_air, most);
}

double StageChain::run_dry(double air_c, double most) {
  const double full = dry_capability(air_c, 1);
  double share = 1, heat = std::min(full, most);
  if (full > most) {
    const double least = loop_.dry.least_air, at_least = dry_capability(air_c, least);
    share = least;
    if (at_least < most) {
      share = falling_root([&](double y) { return most - dry_capability(air_c, y); }, least, 1.0,
                           most - at_least, most - full, 1e-6 * most);
    }
  }
  const double fans = loop_.dry.fan_w * cube(share);
  s_.rejection_fans_w += fans;
  s_.by_dry_w += heat + fans;
  take(heat);
  return share;
}

// --- Tower ------------------------------------------------------------------------

double StageChain::cold_water(double heat_w) const {
  const auto terms = york_terms(in_.wet_bulb_c, heat_w / tower_water_);
  return in_.wet_bulb_c + terms.approach_k(loop_.tower.liquid_to_gas * flow_share_);
}

double StageChain::free_by_tower(double extra_w) const {
  const auto room = [&](double q) { return t_ - q / plate_ - cold_water(q + extra_w); };
  const double q = need();
  const double at_none = room(0), at_all = room(q);
  if (at_all >= 0) return q;
  if (at_none <= 0) return 0;
  return falling_root(room, 0, q, at_none, at_all, 1e-9);
}

// Fans just fast enough for `cold_c`; heat, fans and water of the tower.
void StageChain::fans_and_water(double heat_w, double cold_c) {
  const auto& tower = loop_.tower;
  const double range = heat_w / tower_water_;
  const auto terms = york_terms(in_.wet_bulb_c, range);
  const double ratio = terms.liquid_to_gas(cold_c - in_.wet_bulb_c);
  const double y = std::clamp(tower.liquid_to_gas * flow_share_ / ratio, tower.least_air, 1.0);
  const double fans = tower.fan_w * cube(y);
  s_.tower_cold_c = cold_c;
  s_.rejection_fans_w += fans;
  s_.by_tower_w += heat_w + fans;
  const double evaporated =
      heat_w * evaporation_per_joule(Temperature::celsius(in_.dry_bulb_c),
                                     Temperature::celsius(in_.wet_bulb_c),
                                     Pressure::from_si(in_.pressure_pa),
                                     Temperature::celsius(cold_c), range * kelvin);
  s_.tower_evaporation += evaporated;
  s_.blow_down += evaporated / (std::max(1.05, tower.cycles) - 1);
  s_.drift += evaporated * tower.drift;
}

void StageChain::tower_alone() {
  double q = free_by_tower(tower_pump_w_);
  q = std::min(q, plate_ * std::max(0.0, t_ - loop_.tower.floor_c));
  if (q <= 0) return;
  if (all_or_nothing() && q < need() * (1 - 1e-9)) return;
  s_.tower_pumps_w += tower_pump_w_;
  fans_and_water(q + tower_pump_w_, t_ - q / plate_);
  take(q);
}

// --- Chillers ---------------------------------------------------------------------

double StageChain::available(double entering_c) const {
  const auto& chillers = loop_.chillers;
  const Temperature leaving = Temperature::celsius(target_),
                    entering = Temperature::celsius(entering_c);
  if (chillers.curves == nullptr || !in_range(*chillers.curves, leaving, entering)) {
    return chillers.capacity_w;
  }
  return chillers.capacity_w * chillers.curves->capacity_curve.at(target_, entering_c);
}

double StageChain::cop(double entering_c, double heat_w, double available_w) {
  const auto& chillers = loop_.chillers;
  const Temperature leaving = Temperature::celsius(target_),
                    entering = Temperature::celsius(entering_c);
  if (chillers.curves != nullptr && in_range(*chillers.curves, leaving, entering)) {
    const double each = available_w / chillers.machines;
    const double running =
        std::clamp(std::ceil(heat_w / each - 1e-9), 1.0, static_cast<double>(chillers.machines));
    return curve_cop(*chillers.curves, leaving, entering, heat_w / (running * each));
  }
  if (chillers.curves != nullptr) s_.outside_curves = true;
  return carnot_cop(leaving, entering, chillers.on_air, chillers.carnot);
}

void StageChain::chillers_on_tower() {
  const auto& chillers = loop_.chillers;
  const bool economiser = chillers.economiser != Economiser::none;
  if (economiser) {
    const double q = free_by_tower(tower_pump_w_);
    if (q >= need() * (1 - 1e-12)) return tower_alone();
  }
  const bool series = chillers.economiser == Economiser::series;
  const double coldest = chillers.curves != nullptr
                             ? catalog::absolute(chillers.curves->entering_min).in_celsius()
                             : 15.0;  // lift the compressor needs (assumed)
  const double wanted = need();
  double work = wanted / 6, lifted = wanted, cold = 0, free = 0;
  for (int i = 0; i < 60; ++i) {
    const double heat = wanted + work + tower_pump_w_;
    cold = std::max({cold_water(heat), loop_.tower.floor_c});
    free = series ? std::clamp(plate_ * (t_ - cold), 0.0, wanted) : 0;
    if (free <= 0) cold = std::max(cold, std::min(coldest, 40.0));
    const double entering = std::max(coldest, cold + free / tower_water_);
    const double most = available(entering);
    lifted = std::min(wanted - free, most);
    const double next = lifted > 0 ? lifted / cop(entering, lifted, most) : 0;
    const bool done = std::abs(next - work) < 1e-12 * wanted;
    work = next;
    if (done) break;
  }
  s_.compressor = s_.compressor || lifted > 0;
  s_.compressors_w += work;
  s_.tower_pumps_w += tower_pump_w_;
  fans_and_water(free + lifted + work + tower_pump_w_, cold);
  take(free + lifted);
}

void StageChain::chillers_on_air() {
  const double most = available(in_.dry_bulb_c);
  const double lifted = std::min(need(), most);
  if (lifted <= 0) return;
  const double work = lifted / cop(in_.dry_bulb_c, lifted, most);
  const double fans = (lifted + work) * loop_.chillers.air_fan_share;
  s_.compressor = true;
  s_.compressors_w += work;
  s_.rejection_fans_w += fans;
  s_.by_condenser_air_w += lifted + work + fans;
  take(lifted);
}

}  // namespace headroom::cooling
