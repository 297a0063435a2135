#include "cooling/choices.hpp"

#include <algorithm>

#include "cooling/compressor.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;
using catalog::CoolingTechnology;

const CoolingTechnology* find(const catalog::Catalog& catalog, std::string_view id) {
  static const CoolingTechnology none;
  const auto* found = catalog.find<CoolingTechnology>(id);
  return found != nullptr ? found : &none;
}

Value<TemperatureDifference> at(double celsius, SourcePtr source) {
  return {TemperatureDifference::from_si(Temperature::celsius(celsius).si()), std::move(source)};
}

Value<Scalar> share_of(const HallDemand& demand, const CoolingTechnology& t) {
  switch (t.family) {
    case CoolingFamily::room_air:
      return {0.0, assumed("room air carries everything")};
    case CoolingFamily::rear_door:
      return {1.0, assumed("the door takes all of the rack's air")};
    case CoolingFamily::cold_plate:
      return demand.liquid_fraction.or_else(t.capture);
    case CoolingFamily::immersion:
    case CoolingFamily::two_phase:
      break;
  }
  return t.capture;
}

template <class Q>
Value<Q> first(const Value<Q>& a, const Value<Q>& b, const Value<Q>& c, const Value<Q>& d) {
  return a.or_else(b.or_else(c.or_else(d)));
}

template <class Q>
void fill(Value<Q>& v, Q q, SourcePtr source) {
  if (!v) v = Value<Q>(q, std::move(source));
}

void choose_air(const HallDemand& demand, HallValues& v) {
  const auto& spec = demand.cooling;
  const auto& t = *v.technology;
  const auto& room = *v.room;
  const bool plain = t.family == CoolingFamily::room_air;
  v.bypass = v.contained ? room.bypass_contained : room.bypass;
  v.rack_air = spec.rack_air.or_else(v.contained ? t.rack_air_contained : t.rack_air);
  v.air_rise = first(spec.air_rise, demand.air_rise, t.air_rise, room.air_rise);
  v.air_supply = plain || t.family == CoolingFamily::rear_door
                     ? spec.supply.or_else(t.supply)
                     : spec.air_supply.or_else(
                           at(24, published("ASHRAE TC 9.9, recommended 18-27 degC", "2011")));
  v.air_approach = plain ? spec.approach.or_else(t.approach) : room.approach;
}

void choose_liquid(const HallDemand& demand, HallValues& v) {
  const auto& spec = demand.cooling;
  const auto& t = *v.technology;
  if (t.family == CoolingFamily::room_air) return;
  const Value<TemperatureDifference> none;
  const bool plates = t.family == CoolingFamily::cold_plate;
  v.rack_liquid = spec.rack_liquid.or_else(t.rack_liquid);
  v.liquid_rise = first(spec.liquid_rise, plates ? demand.coolant_rise : none, t.liquid_rise, none);
  v.liquid_supply = spec.supply.or_else(t.supply);
  v.liquid_approach = spec.approach.or_else(t.approach);
}

Temperature temperature(const Value<TemperatureDifference>& v) {
  return v ? catalog::absolute(v) : Temperature::celsius(20);
}

}  // namespace

HallValues choose(const HallDemand& demand, const catalog::Catalog& catalog) {
  HallValues v;
  v.technology = find(catalog, demand.cooling.kind);
  v.room = v.technology->family == CoolingFamily::room_air ? v.technology : find(catalog, "crah");
  v.contained = demand.cooling.containment != Containment::none;
  v.liquid_share = share_of(demand, *v.technology);
  choose_air(demand, v);
  choose_liquid(demand, v);
  return v;
}

HallDesign design_of(const HallValues& v, Power it_max, Power loss_max) {
  HallDesign d;
  d.technology = v.technology;
  d.room = v.room;
  d.contained = v.contained;
  d.liquid_share = std::clamp(v.liquid_share.or_else(0.0).si(), 0.0, 1.0);
  d.rack_air = v.rack_air.or_else(VolumeFlow{});
  d.rack_liquid = v.rack_liquid.or_else(VolumeFlow{});
  d.air_rise = v.air_rise.or_else(12 * kelvin);
  d.liquid_rise = v.liquid_rise.or_else(10 * kelvin);
  d.air_supply = temperature(v.air_supply);
  d.liquid_supply = temperature(v.liquid_supply);
  d.air_approach = v.air_approach.or_else(TemperatureDifference{});
  d.liquid_approach = v.liquid_approach.or_else(TemperatureDifference{});
  d.bypass = std::clamp(v.bypass.or_else(0.0).si(), 0.0, 0.9);
  d.design_liquid = it_max * d.liquid_share;
  d.design_air = it_max - d.design_liquid + loss_max;
  return d;
}

void add_racks(const HallDemand& demand, HallDesign& d) {
  if (demand.groups.empty()) return;
  const bool plates = d.technology != nullptr && d.technology->family == CoolingFamily::cold_plate;
  const Power loss = d.design_air + d.design_liquid - demand.it_max.value;
  d.design_liquid = d.design_air = {};
  for (const auto& g : demand.groups) {
    RackShare r{
        demand.scope + "." + g.name, std::max(1.0, g.racks), g.max, d.liquid_share, d.air_rise.si(),
        d.liquid_rise.si()};
    if (!g.systems) {
      if (plates) r.liquid_share = 0;
    } else if (!g.main) {
      if (plates)
        r.liquid_share = g.liquid_fraction.or_else(d.technology->capture).or_else(0.0).si();
      if (!demand.cooling.air_rise && g.air_rise) r.air_rise_k = g.air_rise.get().si();
      if (plates && !demand.cooling.liquid_rise && g.coolant_rise)
        r.liquid_rise_k = g.coolant_rise.get().si();
    }
    d.design_liquid += r.it * r.liquid_share;
    d.design_air += r.it * (1 - r.liquid_share);
    d.racks.push_back(std::move(r));
  }
  d.design_air += loss;
}

PlantSpec with_defaults(const PlantSpec& plant) {
  PlantSpec p = plant;
  const bool tower = p.kind == PlantKind::tower || p.kind == PlantKind::chiller_water;
  const bool air_chiller = p.kind == PlantKind::chiller_air;
  fill(p.water_rise, 8 * kelvin, assumed("8 K across facility water"));
  fill(p.dry_approach, 8 * kelvin, recalled("dry coolers are sold for 6 to 12 K above the air"));
  fill(p.exchanger, tower ? 2 * kelvin : TemperatureDifference{},
       assumed("2 K across the plate exchanger of an open tower"));
  fill(p.saturation, Scalar(0.85), recalled("wetted pads reach 80 to 90 % saturation"));
  fill(p.carnot, Scalar(air_chiller ? air_cooled_carnot : water_cooled_carnot),
       assumed("mean over the EIR curves of six machines (docs/models/cooling.md)"));
  fill(p.cycles, Scalar(5.0), assumed("5 cycles of concentration; 3 to 8 are common"));
  fill(p.drift, Scalar(0.005), recalled("drift eliminators: about 0.5 % of evaporation"));
  fill(p.fan_power,
       Scalar(tower         ? 0.012
              : air_chiller ? 0.015
                            : 0.025),
       recalled("fans at full speed: towers about 1.2 %, dry coolers 2.5 % of heat"));
  fill(p.pump_head, 250 * kilopascal, recalled("facility and condenser loops together"));
  fill(p.pump_efficiency, Scalar(0.65), recalled("pump, drive and motor"));
  return p;
}

}  // namespace headroom::cooling
