#include "cooling/plant_model.hpp"

#include <algorithm>

#include "cooling/plant_of_design.hpp"

namespace headroom::cooling {
namespace {

constexpr double held_k = 1e-6;  // as plant_year.cpp counts a set point as held

Plant build(const Design& design, const Heat& full, const UsualYear& weather,
            const std::optional<ReuseSpec>& reuse) {
  Plant plant = plant_of(design, full, weather.days);
  if (reuse) add_reuse(plant, *reuse, weather);
  return plant;
}

/// Make-up is metered cold: a litre a kilogram, as the facility's year counts it.
VolumeFlow volume(double kg_s) { return VolumeFlow::from_si(kg_s * 1e-3); }

Flow flow_of(const PlantSolver& solver, const Plant& plant, const HourState& s, bool has_chiller) {
  Flow f;
  f.heat = Power::from_si(s.it_w + s.loss_w);
  f.room_fans = Power::from_si(s.room_fans_w);
  f.secondary_pumps = Power::from_si(s.coolant_pumps_w);
  f.plant_pumps = Power::from_si(s.loop_pumps_w + s.tower_pumps_w);
  f.plant_fans = Power::from_si(s.rejection_fans_w);
  f.compressors = Power::from_si(s.compressors_w + s.heat_pumps_w);
  f.rejected = Power::from_si(s.by_tower_w + s.by_dry_w + s.by_outside_air_w +
                              s.by_condenser_air_w + s.reused_w + s.unmet_w);
  f.plant_heat = Power::from_si(s.by_tower_w + s.by_dry_w + s.by_condenser_air_w - s.expanded_w);
  f.reused = Power::from_si(s.reused_w);
  f.evaporation = volume(s.tower_evaporation + s.pad_evaporation);
  f.makeup = volume(s.makeup());
  for (std::size_t l = 0; l < plant.loops.size(); ++l) {
    const auto& loop = solver.loop_flow(l);
    f.water_heat += Power::from_si(loop.heat_w);
    if (l == 0 && loop.compressor) f.warm = Power::from_si(loop.heat_w);
    if (loop.compressor && !has_chiller) f.trimmed += Power::from_si(loop.heat_w);
  }
  if (s.compressor) f.lifted = f.heat;
  f.short_by = s.short_k > held_k ? s.short_k * kelvin : TemperatureDifference{};
  return f;
}

}  // namespace

PlantModel::PlantModel(const Design& design, const Heat& full, const UsualYear& weather,
                       const std::optional<ReuseSpec>& reuse)
    : design_(design),
      full_(full),
      weather_(weather),
      plant_(build(design, full, weather, reuse)),
      solver_(plant_) {}

Flow PlantModel::state(HourInput in, const Heat& heat) {
  const auto shares = shares_of(design_, full_, heat);
  std::vector<double> losses;
  for (std::size_t i = 0; i + 1 < plant_.halls.size(); ++i)
    losses.push_back(i < heat.loss.size() ? heat.loss[i].si() : 0.0);
  losses.push_back(0);  // the power rooms are a group of their own
  in.shares = shares, in.losses = losses;
  return flow_of(solver_, plant_, solver_.at(in), design_.plant.has_chiller());
}

Flow PlantModel::on(const DesignAir& air, const Heat& heat) {
  HourInput in;
  in.dry_bulb_c = air.dry_bulb_c, in.wet_bulb_c = std::min(air.wet_bulb_c, air.dry_bulb_c);
  in.pressure_pa = air.pressure_pa;
  in.hour = weather_.cells.size();  // nobody takes heat then
  return state(in, heat);
}

Flow PlantModel::at_design(const Heat& heat) {
  const Flow dry = on(weather_.days.by_dry_bulb, heat), wet = on(weather_.days.by_wet_bulb, heat);
  return wet.electrical() > dry.electrical() ? wet : dry;
}

VolumeFlow PlantModel::water_at_design(const Heat& heat) {
  return std::max(on(weather_.days.by_dry_bulb, heat).makeup,
                  on(weather_.days.by_wet_bulb, heat).makeup);
}

Year PlantModel::year(const Heat& heat) {
  Year out;
  for (const auto& g : plant_.groups) out.has_liquid = out.has_liquid || g.liquid_share > 0;
  for (std::size_t i = 0; i < weather_.cells.size(); ++i) {
    const auto& c = weather_.cells[i];
    HourInput in;
    in.dry_bulb_c = c.dry_bulb_c, in.wet_bulb_c = c.wet_bulb_c;
    in.pressure_pa = c.pressure_pa, in.humidity = c.humidity, in.hour = i;
    const Flow now = state(in, heat);
    out.mean.add(now, c.hours / weather_.hours);
    const Time hours = c.hours * hour;
    const bool held = now.short_by.si() <= 0;
    if (now.lifted.si() <= 0 && held) out.compressor_free += hours;
    if (now.warm.si() <= 0 && held) out.liquid_free += hours;
    if (now.short_by.si() > 0) out.short_of += hours;
    out.worst_short = std::max(out.worst_short, now.short_by);
    out.worst_imbalance = std::max(out.worst_imbalance, now.imbalance());
  }
  return out;
}

}  // namespace headroom::cooling
