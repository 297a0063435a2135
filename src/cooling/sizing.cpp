#include "cooling/sizing.hpp"

#include <algorithm>
#include <cmath>

#include "cooling/air.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

constexpr double air_volume_heat = (air_density * air_heat_capacity).si();
constexpr double water_volume_heat = (water_density * water_heat_capacity).si();

void set(Mover& m, double flow, double head, double efficiency) {
  if (m.design_m3_s > 0) return;
  m.design_m3_s = flow;
  if (m.head_pa > 0) return;  // head and efficiency are given
  m.head_pa = head;
  m.efficiency = efficiency;
}

// Heat of each loop at full load, filled in by its paths.
class Sizer {
 public:
  Sizer(Plant& plant, const PlantSizing& s) : plant_(plant), s_(s), heat_(plant.loops.size()) {}

  void run() {
    for (auto& group : plant_.groups) size_group(group);
    for (auto& hall : plant_.halls) size_hall(hall);
    for (std::size_t l = 0; l < plant_.loops.size(); ++l) size_loop(plant_.loops[l], heat_[l]);
  }

 private:
  static double or_default(double given, double usual) { return given > 0 ? given : usual; }

  // Design water keeps a positive difference at the hot end whatever the loop's rise.
  double design_water(double heat, double hot, double approach) const {
    const double most_rise = (hot > 0 ? heat / hot : 0) + 0.8 * approach;
    return heat / std::min(s_.loop_rise_k, most_rise);
  }

  void size_exchanger(Exchanger& e, double& most_water, double heat, double hot, double approach) {
    const double cold = design_water(heat, hot, approach);
    if (e.ua_w_k <= 0) e = Exchanger::sized(heat, hot, cold, approach);
    if (most_water <= 0) most_water = s_.valve_margin * cold;
  }

  void size_group(RackGroup& g) {
    double heat = g.racks * g.rack_w * g.liquid_share * s_.capacity_margin;
    if (heat <= 0) return;
    using catalog::CoolingFamily;
    if (g.family == CoolingFamily::two_phase) {
      const double approach = g.boiling_c - loop(g.loop).supply.celsius;
      set(g.mover, heat / s_.loop_rise_k / water_volume_heat, s_.cdu_head_pa / 2,
          s_.cdu_efficiency);
      size_exchanger(g.exchanger, g.most_water, heat, 0, std::max(1.0, approach));
    } else if (g.family == CoolingFamily::rear_door) {
      const double hot = heat / g.air_rise_k;
      set(g.mover, hot / air_volume_heat, s_.door_rise_pa, s_.door_efficiency);
      g.design_rise_k = g.air_rise_k;
      size_exchanger(g.exchanger, g.most_water, heat + g.mover.power_w(g.mover.design_m3_s), hot,
                     or_default(g.approach_k, s_.coil_approach_k));
    } else {
      const double hot = heat / g.design_rise_k;
      set(g.mover, hot / (g.density * g.heat_capacity), s_.cdu_head_pa, s_.cdu_efficiency);
      size_exchanger(g.exchanger, g.most_water, heat + g.mover.power_w(g.mover.design_m3_s), hot,
                     or_default(g.approach_k, s_.cdu_approach_k));
    }
    heat_[g.loop] += heat + g.mover.power_w(g.mover.design_m3_s);
  }

  void size_hall(HallAir& hall) {
    double heat = hall.loss_w, flow = 0, groups_heat = 0;
    for (const std::size_t i : hall.groups) {
      const auto& g = plant_.groups[i];
      const double air = g.racks * g.rack_w * (1 - g.liquid_share);
      groups_heat += air;
      flow += air / (air_volume_heat * g.air_rise_k);
    }
    heat += groups_heat;
    if (heat <= 0) return;
    if (groups_heat > 0)
      flow *= heat / groups_heat;
    else
      flow = heat / (air_volume_heat * 12);
    flow *= (1 - hall.recirculation) / (1 - hall.bypass) * s_.capacity_margin;
    set(hall.fans, flow, s_.fan_rise_pa, s_.fan_efficiency);
    if (hall.direct_expansion) return;
    heat = (heat * s_.capacity_margin) + hall.fans.power_w(flow);
    size_exchanger(hall.coil, hall.most_water, heat, flow * air_volume_heat,
                   or_default(hall.approach_k, s_.coil_approach_k));
    heat_[hall.loop] += heat;
  }

  void size_loop(WaterLoop& l, double heat) {
    if (heat <= 0) return;
    const double c = heat / s_.loop_rise_k;
    set(l.pump, c / water_volume_heat, s_.loop_head_pa, s_.loop_efficiency);
    heat += l.pump.power_w(l.pump.design_m3_s);
    if (s_.tower && l.tower.water <= 0) size_tower(l.tower, heat, c);
    if (s_.dry && l.dry.ua_w_k <= 0) size_dry(l, heat, c);
  }

  void size_tower(Tower& t, double heat, double c) {
    t.water = c;
    t.fan_w = s_.tower_fan_share * heat;
    set(t.pump, c / water_volume_heat, s_.tower_head_pa, s_.loop_efficiency);
    const double range = (heat + t.pump.power_w(t.pump.design_m3_s)) / c;
    t.liquid_to_gas = tower_size(s_.design_wet_bulb_c, range, s_.tower_approach_k);
    if (s_.plate_approach_k > 0) t.plate = Exchanger::sized(heat, c, c, s_.plate_approach_k);
  }

  // Crossflow UA by bisection: water from supply + rise down to design dry bulb + approach.
  void size_dry(WaterLoop& l, double heat, double c) const {
    l.dry.air = heat / s_.dry_air_rise_k;
    l.dry.fan_w = s_.dry_fan_share * heat;
    const double inlet = s_.dry_approach_k + heat / c;  // water entering above air entering
    const double least = std::min(c, l.dry.air), ratio = least / std::max(c, l.dry.air);
    const double wanted = std::min(0.95, heat / (least * inlet));
    double low = 0, high = 50;
    for (int i = 0; i < 60; ++i) {
      const double ntu = (low + high) / 2;
      (crossflow(ntu, ratio) < wanted ? low : high) = ntu;
    }
    l.dry.ua_w_k = high * least;
  }

  WaterLoop& loop(std::size_t i) { return plant_.loops[i]; }

  Plant& plant_;
  const PlantSizing& s_;
  std::vector<double> heat_;
};

}  // namespace

double tower_size(double wet_bulb_c, double range_k, double approach_k) {
  return york_terms(wet_bulb_c, range_k).liquid_to_gas(approach_k);
}

void size(Plant& plant, const PlantSizing& sizing) { Sizer(plant, sizing).run(); }

}  // namespace headroom::cooling
