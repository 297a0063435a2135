// What expressions may ask of cooling: heat a rack can lose, and PUE in closed form.
#include <algorithm>

#include "catalog/climate.hpp"
#include "catalog/cooling_technology.hpp"
#include "cooling/air.hpp"
#include "cooling/rack.hpp"
#include "study/claims_functions.hpp"

namespace headroom::study {
namespace {

using catalog::CoolingFamily;
using catalog::CoolingTechnology;

/// Tower or dry-cooler fans and condenser pumps, over the heat rejected.
/// Assumed: 2 %, the middle of 1-3 % for variable-speed plant.
constexpr double rejection_share = 0.02;

bool moves_air(const CoolingTechnology& t) { return t.family <= CoolingFamily::cold_plate; }
bool moves_liquid(const CoolingTechnology& t) { return t.family >= CoolingFamily::cold_plate; }

double liquid_share(const CoolingTechnology& t) {
  if (t.family == CoolingFamily::rear_door) return 1;
  return moves_liquid(t) ? double(t.capture.or_else(Scalar(1.0))) : 0;
}

/// A hall at the catalogue's likely figures, aisles contained.
cooling::HallDesign hall_of(const CoolingTechnology& t) {
  cooling::HallDesign hall;
  hall.technology = &t;
  hall.liquid_share = liquid_share(t);
  hall.contained = true;
  hall.rack_air = t.rack_air_contained.or_else(VolumeFlow{}) *
                  (1 - double(t.bypass_contained.or_else(Scalar(0.0))));
  hall.rack_liquid = t.rack_liquid.or_else(VolumeFlow{});
  hall.air_rise = t.air_rise.or_else(TemperatureDifference{});
  hall.liquid_rise = t.liquid_rise.or_else(TemperatureDifference{});
  hall.air_supply = hall.liquid_supply = catalog::absolute(t.supply);
  hall.air_approach = hall.liquid_approach = t.approach.or_else(TemperatureDifference{});
  return hall;
}

/// Heat that a rack can lose. Water as warm as the supply and the approach allow, which
/// only a rear door feels.
Amount rack_heat(const Call& c) {
  const auto hall = hall_of(c.entry<CoolingTechnology>("technology"));
  return cooling::rack_capacity(hall, hall.liquid_supply - hall.liquid_approach);
}

/// Fan power over the heat its air carries: pressure rise / (efficiency x rho c dT).
double fan_share(const CoolingTechnology& t) {
  if (!moves_air(t) || !t.fan_rise) return 0;
  const Power heat = cooling::air_heat(VolumeFlow::from_si(1), t.air_rise.get());
  return t.fan_rise.get().si() / double(t.fan_efficiency.get()) / heat.si();
}

double pump_share(const CoolingTechnology& t) {
  if (!moves_liquid(t) || !t.pump_head) return 0;
  const auto hall = hall_of(t);
  const Power heat = cooling::rack_liquid_capacity(hall, hall.liquid_supply);
  return (hall.rack_liquid * t.pump_head.get()) / double(t.pump_efficiency.get()) / heat;
}

/// 1 + fans + pumps + (chiller while it runs + heat rejection) + power chain, over IT.
Amount chilled_pue(const Call& c) {
  const auto& t = c.entry<CoolingTechnology>("technology");
  const double liquid = moves_liquid(t) ? liquid_share(t) : 0;
  const double movers = (1 - liquid) * fan_share(t) + liquid * pump_share(t);
  const double cop = c.get<Scalar>("cop");
  if (cop <= 0) Call::fail("a COP is above zero");
  const double plant = double(c.get<Scalar>("chiller_hours")) / cop + rejection_share;
  return 1 + movers + (1 + movers) * plant + double(c.get<Scalar>("power_loss"));
}

/// Share of the year in which the wet bulb leaves less than `approach` below the supply.
Amount chiller_hours(const Call& c) {
  const auto& climate = c.entry<catalog::Climate>("climate");
  const auto kelvins = c.get<TemperatureDifference>("supply") -
                       c.get_or("approach", TemperatureDifference(10 * kelvin));
  const Time cool = climate.hours_wet_bulb_at_most(Temperature::celsius(kelvins.in(kelvin)));
  return std::clamp(1 - cool / (1 * year), 0.0, 1.0);
}

}  // namespace

void add_facility_functions(Functions& f) {
  f["air_flow"] = {[](const Call& c) {
                     const auto rise = c.get<TemperatureDifference>("rise");
                     if (rise.si() <= 0) Call::fail("the air does not warm");
                     return Amount(cooling::air_flow(c.get<Power>("heat"), rise));
                   },
                   {"heat", "rise"}, "m3/s", "air that carries this heat"};
  f["rack_heat"] = {rack_heat, {"technology"}, "kW", "heat a rack can lose by flow and rise"};
  f["chilled_pue"] = {chilled_pue, {"technology", "cop", "chiller_hours", "power_loss"}, "1",
                      "PUE in closed form"};
  f["chiller_hours"] = {chiller_hours, {"climate", "supply", "approach"}, "%",
                        "share of the year that needs a chiller; supply in K above 0 degC"};
}

}  // namespace headroom::study
