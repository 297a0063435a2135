#include "cooling/design.hpp"

#include <algorithm>
#include <cmath>

#include "cooling/compressor.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

// Share of a variable-speed fan's or pump's head that does not fall with flow
// (valves, minimum differential pressure): assumed.
constexpr double static_head = 0.3;
// Air warms this much through an adiabatic or dry cooler's coil (assumed); with
// the depression it says how much air is wetted for a heat.
constexpr TemperatureDifference coil_air_rise = 10 * kelvin;
// Dry coolers turn down to this share of their air flow.
constexpr double least_dry_flow = 0.15;
// DX condensers: fans as a share of heat rejected (recalled, of the order of 2 %).
constexpr double dx_fan_share = 0.02;

double load_of(Power now, Power at_design) {
  if (at_design.si() <= 0) return 1;
  return std::min(1.0, static_cast<double>(now / at_design));
}

Power moving_power(VolumeFlow flow, Pressure head, double efficiency, double load) {
  if (efficiency <= 0) return {};
  const Pressure at_load = head * (static_head + (1 - static_head) * load * load);
  return flow * at_load / efficiency;
}

Power pump_power(const HallDesign& hall, Power heat) {
  const auto& t = *hall.technology;
  if (heat.si() <= 0 || !t.pump_head) return {};
  // Two-phase pumps only the condenser's water; the coolant boils.
  const bool boils = t.family == catalog::CoolingFamily::two_phase;
  const Density density = boils ? water_density : t.coolant.density.or_else(water_density);
  const SpecificHeat c = boils ? water_heat_capacity : t.coolant.heat.or_else(water_heat_capacity);
  const VolumeFlow flow = mass_flow(heat, c, hall.liquid_rise) / density;
  return moving_power(flow, t.pump_head.get(), t.pump_efficiency.or_else(1.0),
                      load_of(heat, hall.design_liquid));
}

// A rear door's own fans move the rack's air through its coil.
Power door_fan_power(const HallDesign& hall, Power heat) {
  const auto& t = *hall.technology;
  if (t.family != catalog::CoolingFamily::rear_door) return {};
  return moving_power(air_flow(heat, hall.air_rise), t.fan_rise.or_else(Pressure{}),
                      t.fan_efficiency.or_else(1.0), load_of(heat, hall.design_liquid));
}

double dry_flow(TemperatureDifference full_flow_approach, TemperatureDifference allowed) {
  if (allowed <= full_flow_approach) return 1;
  return std::clamp(static_cast<double>(full_flow_approach / allowed), least_dry_flow, 1.0);
}

double cop_of(const PlantDesign& plant, Temperature leaving, Temperature entering) {
  if (plant.chiller != nullptr && in_range(*plant.chiller, leaving, entering)) {
    return curve_cop(*plant.chiller, leaving, entering, 1);
  }
  return carnot_cop(leaving, entering, plant.kind == PlantKind::chiller_air, plant.carnot);
}

// One load of facility water at the plant.
class PlantLoad {
 public:
  PlantLoad(const PlantDesign& plant, const Weather& weather, Flow& flow)
      : plant_(plant), weather_(weather), flow_(flow) {}

  // `remainder`: air beside liquid, power rooms; trimmed where there is no chiller.
  void serve(Power heat, Temperature water, bool remainder) {
    if (heat.si() <= 0) return;
    const VolumeFlow circulated =
        mass_flow(heat, water_heat_capacity, plant_.range) / water_density;
    const Power pumps = circulated * plant_.pump_head / plant_.pump_efficiency;
    flow_.plant_pumps += pumps;
    heat += pumps;
    flow_.water_heat += heat;
    const Temperature free = free_water(plant_, weather_);
    if (!plant_.has_chiller() && !remainder) {
      flow_.short_by = std::max(flow_.short_by, free - water);
      return reject(heat, std::max(water, free));
    }
    const Power lifted = heat * lifted_share(water, free);
    if (lifted.si() <= 0) return reject(heat, water);
    (remainder ? flow_.trimmed : flow_.lifted) += lifted;
    lift(heat, lifted, water, free);
  }

 private:
  // The economiser stands first in the return and takes what the air allows.
  double lifted_share(Temperature water, Temperature free) const {
    if (!plant_.economiser && plant_.has_chiller()) return 1;
    return std::clamp(static_cast<double>((free - water) / plant_.range), 0.0, 1.0);
  }

  void lift(Power heat, Power lifted, Temperature water, Temperature free) {
    const Temperature entering = plant_.has_chiller() ? condenser_water() : free;
    const double cop = plant_.has_chiller()
                           ? cop_of(plant_, water, entering)
                           : carnot_cop(water, entering, false, water_cooled_carnot);
    const Power work = lifted / cop;
    flow_.compressors += work;
    reject(heat + work, entering);
  }

  Temperature condenser_water() const {
    if (plant_.kind == PlantKind::chiller_air) return weather_.dry_bulb;
    return weather_.wet_bulb + york_approach(weather_.wet_bulb, plant_.range, 1);
  }

  // `water` is what the tower or cooler has to make.
  void reject(Power heat, Temperature water) {
    flow_.plant_heat += heat;
    flow_.rejected += heat;
    const double y = air_share(water);
    const Power fans = heat * (plant_.fan_share * y * y * y);
    flow_.plant_fans += fans;
    flow_.rejected += fans;
    evaporate(heat, water);
  }

  double air_share(Temperature water) const {
    if (plant_.on_tower()) {
      const auto allowed = water - weather_.wet_bulb - plant_.exchanger;
      return tower_air_flow(weather_.wet_bulb, plant_.range, allowed);
    }
    return dry_flow(plant_.dry_approach, water - entering_air(water));
  }

  // Pads run only when the dry air is too warm.
  bool pads_run(Temperature water) const {
    return plant_.kind == PlantKind::adiabatic && weather_.dry_bulb + plant_.dry_approach > water;
  }
  TemperatureDifference depression() const {
    return (weather_.dry_bulb - weather_.wet_bulb) * plant_.saturation;
  }
  Temperature entering_air(Temperature water) const {
    return pads_run(water) ? weather_.dry_bulb - depression() : weather_.dry_bulb;
  }

  void evaporate(Power heat, Temperature water) {
    double per_joule = 0;  // kg/J
    if (plant_.on_tower()) {
      per_joule = evaporation_per_joule(weather_.dry_bulb, weather_.wet_bulb, weather_.pressure,
                                        water - plant_.exchanger, plant_.range);
    } else if (pads_run(water)) {
      const Temperature cooled = weather_.dry_bulb - depression();
      const double before = humidity(weather_.dry_bulb, weather_.wet_bulb, weather_.pressure);
      const double after = humidity(cooled, std::min(weather_.wet_bulb, cooled), weather_.pressure);
      per_joule = std::max(0.0, after - before) / (air_heat_capacity * coil_air_rise).si();
    }
    const VolumeFlow evaporated = MassFlow::from_si(heat.si() * per_joule) / water_density;
    flow_.evaporation += evaporated;
    flow_.makeup += evaporated * (plant_.cycles / (plant_.cycles - 1) + plant_.drift);
  }

  const PlantDesign& plant_;
  const Weather& weather_;
  Flow& flow_;
};

// A room unit with its own compressor and outdoor condenser.
void serve_dx(const HallDesign& hall, Power heat, const Weather& weather, Flow& flow) {
  const Temperature coil = hall.air_supply - hall.air_approach;
  const Power work = heat / carnot_cop(coil, weather.dry_bulb, true, air_cooled_carnot);
  const Power fans = (heat + work) * dx_fan_share;
  flow.compressors += work;
  flow.plant_fans += fans;
  flow.lifted += heat;
  flow.rejected += heat + work + fans;
}

void serve_hall(const Design& design, const HallDesign& hall, bool power_room, Power it, Power loss,
                const Weather& weather, PlantLoad& plant, Flow& flow) {
  const Power liquid = it * hall.liquid_share;
  const Power air = it - liquid + loss;
  flow.heat += it + loss;
  const Power fans = room_fans(hall, air);
  flow.room_fans += fans;
  if (hall.room != nullptr && hall.room->direct_expansion) {
    serve_dx(hall, air + fans, weather, flow);
  } else {
    const bool main = hall.technology->family == catalog::CoolingFamily::room_air && !power_room;
    plant.serve(air + fans, air_water(design, hall), !main);
  }
  const Power pumps = pump_power(hall, liquid);
  const Power door = door_fan_power(hall, liquid);
  flow.secondary_pumps += pumps;
  flow.room_fans += door;
  plant.serve(liquid + pumps + door, liquid_water(design, hall), false);
}

Temperature set_or(const Design& design, Temperature wanted) {
  return design.plant.has_set_point ? design.plant.set_point : wanted;
}

}  // namespace

Power room_fans(const HallDesign& hall, Power heat) {
  const auto* units = hall.room;
  if (units == nullptr || heat.si() <= 0) return {};
  const VolumeFlow flow = air_flow(heat, hall.air_rise) / (1 - hall.bypass);
  return moving_power(flow, units->fan_rise.or_else(Pressure{}), units->fan_efficiency.or_else(1.0),
                      load_of(heat, hall.design_air));
}

Power secondary_pumps(const HallDesign& hall, Power heat) {
  return pump_power(hall, heat) + door_fan_power(hall, heat);
}

void Flow::add(const Flow& now, double share) {
  for (Power Flow::*p : {&Flow::heat, &Flow::room_fans, &Flow::secondary_pumps, &Flow::plant_pumps,
                         &Flow::plant_fans, &Flow::compressors, &Flow::rejected, &Flow::water_heat,
                         &Flow::plant_heat, &Flow::lifted, &Flow::trimmed, &Flow::reused})
    this->*p += now.*p * share;
  evaporation += now.evaporation * share;
  makeup += now.makeup * share;
}

double Flow::imbalance() const {
  const Power in = heat + electrical();
  return in.si() > 0 ? std::abs((in - rejected) / in) : 0.0;
}

Temperature free_water(const PlantDesign& plant, const Weather& weather) {
  if (plant.on_tower()) {
    return weather.wet_bulb + york_approach(weather.wet_bulb, plant.range, 1) + plant.exchanger;
  }
  const auto depression = weather.dry_bulb - weather.wet_bulb;
  const auto cooled =
      plant.kind == PlantKind::adiabatic ? depression * plant.saturation : TemperatureDifference{};
  return weather.dry_bulb - cooled + plant.dry_approach;
}

Temperature air_water(const Design& design, const HallDesign& hall) {
  return set_or(design, hall.air_supply - hall.air_approach);
}

Temperature liquid_water(const Design& design, const HallDesign& hall) {
  return set_or(design, hall.liquid_supply - hall.liquid_approach);
}

Flow solve(const Design& design, const Heat& heat, const Weather& weather) {
  Flow flow;
  PlantLoad plant(design.plant, weather, flow);
  const std::size_t halls = design.halls.empty() ? 0 : design.halls.size() - 1;
  for (std::size_t i = 0; i < halls && i < heat.it.size(); ++i) {
    const Power loss = i < heat.loss.size() ? heat.loss[i] : Power{};
    serve_hall(design, design.halls[i], false, heat.it[i], loss, weather, plant, flow);
  }
  if (halls > 0) {
    serve_hall(design, design.halls.back(), true, heat.power_rooms, {}, weather, plant, flow);
  }
  return flow;
}

Year year(const Design& design, const Heat& heat, const catalog::Climate& climate) {
  const bool wet = design.plant.on_tower();
  const auto& bins = wet ? climate.by_wet_bulb : climate.by_dry_bulb;
  Time total{};
  for (const auto& bin : bins) total += bin.hours.get();
  Year out;
  for (const auto& bin : bins) {
    const Weather weather{catalog::absolute(bin.dry_bulb), catalog::absolute(bin.wet_bulb),
                          climate.pressure()};
    const Flow now = solve(design, heat, weather);
    out.mean.add(now, static_cast<double>(bin.hours.get() / total));
    if (now.lifted.si() <= 0) out.compressor_free += bin.hours.get();
    if (now.short_by.si() > 0) out.short_of += bin.hours.get();
    out.worst_short = std::max(out.worst_short, now.short_by);
  }
  return out;
}

}  // namespace headroom::cooling
