#include "cooling/plant_hour.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "cooling/compressor.hpp"
#include "cooling/psychrometrics.hpp"
#include "cooling/stages.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

constexpr double air_volume_heat = (air_density * air_heat_capacity).si();        // J/(m3 K)
constexpr double water_volume_heat = (water_density * water_heat_capacity).si();  // J/(m3 K)
constexpr double dx_coil_below_air_k = 10;  // evaporator below supply air (recalled)
constexpr double dx_fan_share = 0.02;       // condenser fans over heat rejected (recalled)
constexpr double indirect_fan_share = 0.5;  // scavenger fan over the units' own (assumed)
constexpr double latent_j_kg = 2.45e6;      // evaporation at 20 degC (ASHRAE Fundamentals ch. 1)
constexpr double hottest_supply_c = 95;     // beyond it no steady state is looked for

bool boils(const RackGroup& g) { return g.family == CoolingFamily::two_phase; }

// Air's humidity limits stand for the whole hour.
bool air_allowed(const HallAir& hall, double dew_c) {
  return dew_c >= hall.outside_low_dew_c && dew_c <= hall.outside_high_dew_c;
}

// An hour that is `share` of its time like `b`, else like `a`: heat, electricity and water.
HourState mixed(const HourState& a, const HourState& b, double share) {
  HourState s = b;
  for (double HourState::*x :
       {&HourState::loop_pumps_w, &HourState::tower_pumps_w, &HourState::rejection_fans_w,
        &HourState::compressors_w, &HourState::heat_pumps_w, &HourState::by_tower_w,
        &HourState::by_dry_w, &HourState::by_outside_air_w, &HourState::by_condenser_air_w,
        &HourState::reused_w, &HourState::unmet_w, &HourState::expanded_w,
        &HourState::tower_evaporation, &HourState::pad_evaporation, &HourState::blow_down,
        &HourState::drift})
    s.*x = a.*x + share * (b.*x - a.*x);
  s.compressor = a.compressor || b.compressor;
  s.outside_curves = a.outside_curves || b.outside_curves;
  s.tower_cold_c = std::max(a.tower_cold_c, b.tower_cold_c);
  return s;
}

}  // namespace

double pumped_refrigerant_cop(double outdoor_c) {
  // NREL/EnergyPlus 1ZoneDataCenterCRAC_wPumpedDXCoolingCoil.idf @0179f5c.
  static constexpr double rated = 4.5669;
  static constexpr std::array<double, 17> t{-50,   -4,    -1.22, 1.56,  4.33, 7.11,
                                            9.89,  12.67, 15.44, 18.22, 21.0, 23.78,
                                            26.56, 29.33, 32.11, 34.89, 50};
  static constexpr std::array<double, 17> eir{0.042,  0.042,  0.084,  0.084,  0.2269, 0.2395,
                                              0.311,  0.3697, 0.4454, 0.5462, 0.6723, 0.7227,
                                              0.7773, 0.8193, 0.895,  1.0,    1.5};
  const double x = std::clamp(outdoor_c, t.front(), t.back());
  std::size_t i = 1;
  while (i + 1 < t.size() && t[i] < x) ++i;
  const double f = (x - t[i - 1]) / (t[i] - t[i - 1]);
  return rated / (eir[i - 1] + f * (eir[i] - eir[i - 1]));
}

double HourState::imbalance() const {
  const double in = it_w + loss_w + cooling_w();
  const double out =
      by_tower_w + by_dry_w + by_outside_air_w + by_condenser_air_w + reused_w + unmet_w;
  return in > 0 ? std::abs(in - out) / in : 0;
}

PlantSolver::PlantSolver(const Plant& plant)
    : plant_(plant),
      liquid_(plant.groups.size()),
      coil_(plant.halls.size()),
      air_heat_(plant.groups.size()),
      group_hot_(plant.groups.size()),
      loop_supply_(plant.loops.size()),
      coolant_(plant.groups.size()),
      air_(plant.halls.size()),
      chip_(plant.groups.size(), -273.15),
      housed_(plant.groups.size()),
      hall_air_(plant.halls.size()),
      loop_flow_(plant.loops.size()) {
  for (std::size_t g = 0; g < plant.groups.size(); ++g) {
    const auto& group = plant.groups[g];
    liquid_[g].exchanger = &group.exchanger;
    liquid_[g].loop = group.loop;
    liquid_[g].most_water = group.most_water;
    liquid_[g].set_c = boils(group) ? group.boiling_c : group.supply.celsius;
  }
  for (std::size_t h = 0; h < plant.halls.size(); ++h) {
    for (const std::size_t g : plant.halls[h].groups) housed_[g] = true;
    coil_[h].exchanger = &plant.halls[h].coil;
    coil_[h].loop = plant.halls[h].loop;
    coil_[h].most_water = plant.halls[h].most_water;
    coil_[h].set_c = plant.halls[h].supply.celsius;
  }
}

// Heat of a group into its liquid (with pumps or door fans) and into the hall's air.
void PlantSolver::load_group(std::size_t g, double share, HourState& s) {
  const auto& group = plant_.groups[g];
  Path& path = liquid_[g];
  const double it = group.racks * group.rack_w * share;
  const double liquid = it * group.liquid_share;
  s.it_w += it;
  air_heat_[g] = it - liquid;
  if (!housed_[g]) s.unmet_w += air_heat_[g];
  path.heat_w = path.hot = group_hot_[g] = 0;
  if (liquid <= 0) return;
  const bool door = group.family == CoolingFamily::rear_door;
  const double volume_heat = door ? air_volume_heat : group.density * group.heat_capacity;
  double moving = 0;
  if (boils(group)) {
    moving = group.mover.power_w(group.mover.design_m3_s * share);  // condenser water
  } else {
    const double full = group.racks * group.rack_w * group.liquid_share / group.design_rise_k;
    const double wanted = group.constant_flow ? full : liquid / group.design_rise_k;
    const double flow = group.mover.design_m3_s > 0 ? group.mover.flow_m3_s(wanted / volume_heat)
                                                    : wanted / volume_heat;
    path.hot = flow * volume_heat;
    moving = group.mover.power_w(wanted / volume_heat);
  }
  (door ? s.room_fans_w : s.coolant_pumps_w) += moving;
  path.heat_w = liquid + moving;
  group_hot_[g] = path.hot;
}

// Outside air of capacity rate `air`: the heat it carries away.
double PlantSolver::outside_air(const HallAir& hall, double heat_w, double air, double load,
                                const HourInput& in, HourState& s) {
  const double supply = hall.supply.celsius, back = supply + heat_w / air;
  const double depression = std::max(0.0, in.dry_bulb_c - in.wet_bulb_c);
  const double drop = hall.wetted && in.dry_bulb_c > supply ? hall.saturation * depression : 0;
  const double outside = in.dry_bulb_c - drop;
  if (outside >= back) return 0;
  double carried = 0;
  double wet_flow = air;
  if (hall.outside == OutsideAir::direct) {
    // Pads add water: the dew point rises with them.
    const double w = in.humidity + drop * 1006 / latent_j_kg;
    if (!air_allowed(hall, dew_point_c(w, in.pressure_pa))) return 0;
    carried = std::min(heat_w, air * (back - outside));
    if (outside < supply) wet_flow = air * (back - supply) / (back - outside);
  } else {
    carried = std::min(heat_w, hall.indirect_effectiveness * air * (back - outside));
    const double fans =
        hall.fans.power_w(hall.fans.design_m3_s * load) * indirect_fan_share * carried / heat_w;
    s.rejection_fans_w += fans;
    s.by_outside_air_w += fans;
  }
  if (drop > 0) s.pad_evaporation += wet_flow * drop / latent_j_kg;
  s.by_outside_air_w += carried;
  return carried;
}

void PlantSolver::expand(const HallAir& hall, double heat_w, const HourInput& in, HourState& s) {
  if (heat_w <= 0) return;
  const double cop =
      hall.pumped_refrigerant
          ? pumped_refrigerant_cop(in.dry_bulb_c)
          : carnot_cop(Temperature::celsius(hall.supply.celsius - dx_coil_below_air_k),
                       Temperature::celsius(in.dry_bulb_c), true, hall.expansion_carnot);
  const double work = heat_w / cop;
  const double fans = (heat_w + work) * dx_fan_share;
  s.compressors_w += work;
  s.rejection_fans_w += fans;
  s.by_condenser_air_w += heat_w + work + fans;
  s.expanded_w += heat_w + work + fans;
  s.compressor = true;
}

void PlantSolver::load_hall(std::size_t h, const HourInput& in, HourState& s) {
  const auto& hall = plant_.halls[h];
  Path& path = coil_[h];
  double heat = 0, racks_air = 0, it = 0, full = 0;
  for (const std::size_t g : hall.groups) {
    heat += air_heat_[g];
    racks_air += air_heat_[g] / (air_volume_heat * plant_.groups[g].air_rise_k);
    it += plant_.groups[g].racks * plant_.groups[g].rack_w * share_of(g, in);
    full += plant_.groups[g].racks * plant_.groups[g].rack_w;
  }
  const double load = full > 0 ? it / full : in.share;
  const double loss = in.losses.empty()
                          ? hall.loss_w * (hall.loss_idle_share + (1 - hall.loss_idle_share) * load)
                          : in.losses[h];
  s.loss_w += loss;
  path.heat_w = path.hot = 0;
  hall_air_[h] = {};
  air_[h] = hall.supply.celsius;
  if (heat + loss <= 0) return;
  const double rise = racks_air > 0 ? heat / (air_volume_heat * racks_air) : 12;
  const double through = (heat + loss) / (air_volume_heat * rise);
  const double moved = through * (1 - hall.recirculation) / (1 - hall.bypass);
  Mover fans = hall.fans;
  const double flow = fans.design_m3_s > 0 ? fans.flow_m3_s(moved) : moved;
  double power = fans.power_w(moved);
  const double air = flow * air_volume_heat;
  double left = heat + loss + power;
  if (hall.outside != OutsideAir::none) {
    const double carried = outside_air(hall, left, air, load, in, s);
    if (carried > 0 && fans.efficiency > 0) {
      const double more = flow * hall.outside_head_pa / fans.efficiency;
      power += more;
      s.by_outside_air_w += more;  // blown out with the air
    }
    left = std::max(0.0, left - carried);
  }
  s.room_fans_w += power;
  const double total = heat + loss + fans.power_w(moved);
  hall_air_[h] = {total, air, hall.direct_expansion ? total : total - left};
  if (hall.direct_expansion) return expand(hall, left, in, s);
  path.heat_w = left;
  path.hot = air;
}

void PlantSolver::serve_path(Path& path, double water_c) {
  for (const auto& k : path.known) {
    if (k.heat == path.heat_w && k.hot == path.hot && k.water == water_c) {
      path.served = k.served;
      return;
    }
  }
  path.served = serve(*path.exchanger, path.heat_w, path.hot, path.set_c, water_c, path.most_water);
  path.known[path.next_known] = {path.heat_w, path.hot, water_c, path.served};
  path.next_known = (path.next_known + 1) % path.known.size();
}

// Runs the loop at this supply temperature; the heat that nothing takes (negative: more than
// all was taken, the supply cannot be this warm).
double PlantSolver::run_loop(std::size_t l, double supply_c, const HourInput& in, HourState& s) {
  const auto& loop = plant_.loops[l];
  double heat = 0, rate = 0;
  for (auto* paths : {&liquid_, &coil_}) {
    for (auto& path : *paths) {
      if (path.loop != l || path.heat_w <= 0) continue;
      serve_path(path, supply_c);
      heat += path.heat_w;
      rate += path.served.cold;
    }
  }
  if (heat <= 0 || rate <= 0) return 0;
  const double flow = loop.pump.design_m3_s > 0 ? loop.pump.flow_m3_s(rate / water_volume_heat)
                                                : rate / water_volume_heat;
  const double c = std::max(rate, flow * water_volume_heat);
  rate_ = c;
  const double pumps = loop.pump.power_w(rate / water_volume_heat);
  s.loop_pumps_w += pumps;
  heat += pumps;
  s.tower_cold_c = -273.15;
  const double before = s.compressors_w;
  StageChain chain(loop, in, s);
  const double left = heat - chain.run(c, supply_c + heat / c, loop.supply.celsius, heat);
  loop_flow_[l] = {c, pumps, heat, s.compressors_w > before, s.tower_cold_c};
  return left;
}

void PlantSolver::solve_loop(std::size_t l, const HourInput& in, HourState& s) {
  const double set = plant_.loops[l].supply.celsius;
  const HourState before = s;
  loop_supply_[l] = set;
  loop_flow_[l] = {};
  double left = run_loop(l, set, in, s);
  double total = 0;
  for (const auto& p : liquid_) total += p.loop == l ? p.heat_w : 0;
  for (std::size_t h = 0; h < coil_.size(); ++h) total += coil_[h].loop == l ? coil_[h].heat_w : 0;
  if (left <= 1e-9 * total) {
    s.unmet_w += left;
    return;
  }
  const auto unmet = [&](double supply) {
    s = before;
    // At the set point stages cool to it; above it they are asked for all they can give.
    return run_loop(l, supply, in, s);
  };
  double low = set, high = set, at_high = left;
  while (at_high > 0 && high < hottest_supply_c) {
    low = high;
    left = at_high;
    // What is left would warm the water by left/rate; stages give back a good part of that.
    high = std::min(hottest_supply_c, high + std::max(1.6 * left / rate_, high - set));
    at_high = unmet(high);
  }
  if (at_high > 0) {  // nothing takes it at any temperature
    s.unmet_w += at_high;
    loop_supply_[l] = high;
    return;
  }
  double root = falling_root(unmet, low, high, left, at_high, 1e-9 * total);
  double over = unmet(root);
  if (over < -1e-8 * total) {
    // A stage that starts at this temperature takes more than there is: it runs part of the time.
    for (int i = 0; i < 60 && root - low > 1e-12 * root; ++i) {
      const double middle = (low + root) / 2;
      (unmet(middle) > 0 ? low : root) = middle;
    }
    const double under = unmet(low);
    const HourState without = s;
    over = unmet(root);
    s = mixed(without, s, under / (under - over));
    over = 0;
  }
  loop_supply_[l] = root;
  s.unmet_w += over;
}

void PlantSolver::finish(const HourInput& in, HourState& s) {
  for (std::size_t l = 0; l < plant_.loops.size(); ++l) {
    s.warmest_supply_c = std::max(s.warmest_supply_c, loop_supply_[l]);
    s.short_k = std::max(s.short_k, loop_supply_[l] - plant_.loops[l].supply.celsius);
  }
  for (std::size_t h = 0; h < coil_.size(); ++h) {
    const auto& hall = plant_.halls[h];
    if (coil_[h].heat_w > 0) {
      air_[h] = coil_[h].served.out_c;
      s.short_k = std::max(s.short_k, coil_[h].served.short_k);
    }
    for (const std::size_t g : hall.groups) {
      const auto& group = plant_.groups[g];
      const double leak = hall.recirculation / (1 - hall.recirculation) * group.air_rise_k;
      const double inlet = air_[h] + leak;
      if (group.liquid_share < 1) s.warmest_inlet_c = std::max(s.warmest_inlet_c, inlet);
      if (group.liquid_share <= 0) coolant_[g] = inlet;
    }
  }
  for (std::size_t g = 0; g < liquid_.size(); ++g) {
    const auto& group = plant_.groups[g];
    double rise = group.air_rise_k, flow_share = 1;
    if (liquid_[g].heat_w > 0) {
      coolant_[g] = liquid_[g].served.out_c;
      s.short_k = std::max(s.short_k, liquid_[g].served.short_k);
      s.warmest_coolant_c = std::max(s.warmest_coolant_c, coolant_[g]);
      rise = group_hot_[g] > 0 ? liquid_[g].heat_w / group_hot_[g] : 0;
      const double full = group.racks * group.rack_w * group.liquid_share / group.design_rise_k;
      if (group_hot_[g] > 0 && group.family != CoolingFamily::rear_door) {
        flow_share = group_hot_[g] / full;
      }
    }
    if (group.chip.power_w <= 0 || group.racks <= 0) continue;
    const double chip = coolant_[g] + rise / 2 +
                        group.chip.k_per_w * std::pow(flow_share, -group.chip.exponent) *
                            group.chip.power_w * share_of(g, in);
    chip_[g] = chip;
    s.chip_c = std::max(s.chip_c, chip);
    if (group.chip.limit_c > 0) {
      s.chip_margin_k = std::min(s.chip_margin_k, group.chip.limit_c - chip);
    }
  }
}

HourState PlantSolver::at(const HourInput& input) {
  HourInput in = input;
  if (in.humidity < 0) {
    in.humidity = humidity(Temperature::celsius(in.dry_bulb_c), Temperature::celsius(in.wet_bulb_c),
                           Pressure::from_si(in.pressure_pa));
  }
  HourState s;
  s.other_w = plant_.other_w;
  for (std::size_t g = 0; g < plant_.groups.size(); ++g) load_group(g, share_of(g, in), s);
  for (std::size_t h = 0; h < plant_.halls.size(); ++h) load_hall(h, in, s);
  before_loops_ = s;
  for (std::size_t l = 0; l < plant_.loops.size(); ++l) solve_loop(l, in, s);
  finish(in, s);
  return s;
}

HourState PlantSolver::with_heat(const HourInput& in, std::span<const double> loop_heat_w,
                                 std::span<const double> carried_w) {
  HourState s = before_loops_;
  for (std::size_t h = 0; h < plant_.halls.size(); ++h) {
    const double more = carried_w[h] - hall_air_[h].carried_w;
    if (hall_air_[h].heat_w <= 0 || more == 0) continue;
    if (!plant_.halls[h].direct_expansion || plant_.halls[h].outside != OutsideAir::none) {
      s.by_outside_air_w += more;
      continue;
    }
    HourState unit;  // electricity goes with the heat
    expand(plant_.halls[h], 1, in, unit);
    s.compressors_w += more * unit.compressors_w;
    s.rejection_fans_w += more * unit.rejection_fans_w;
    s.by_condenser_air_w += more * unit.by_condenser_air_w;
    s.expanded_w += more * unit.by_condenser_air_w;
  }
  for (std::size_t l = 0; l < plant_.loops.size(); ++l) {
    const LoopFlow& flow = loop_flow_[l];
    s.loop_pumps_w += flow.pump_w;
    if (flow.rate <= 0) {
      s.unmet_w += loop_heat_w[l];
      continue;
    }
    const double heat = loop_heat_w[l];
    StageChain chain(plant_.loops[l], in, s);
    const double enters = loop_supply_[l] + heat / flow.rate;
    s.unmet_w += heat - chain.run(flow.rate, enters, plant_.loops[l].supply.celsius, heat);
  }
  finish(in, s);
  return s;
}

}  // namespace headroom::cooling
