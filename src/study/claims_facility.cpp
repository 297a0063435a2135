// What expressions may ask of cooling: heat a rack can lose, PUE and WUE of a year.
#include <algorithm>

#include "catalog/climate.hpp"
#include "catalog/cooling_technology.hpp"
#include "cooling/air.hpp"
#include "cooling/assess.hpp"
#include "cooling/rack.hpp"
#include "study/claims_functions.hpp"

namespace headroom::study {
namespace {

using catalog::CoolingFamily;
using catalog::CoolingTechnology;

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

/// A hall of ten megawatts on this technology, through a typical year of this climate.
cooling::Result year_of(const Call& c, Trace& trace) {
  const auto& technology = c.entry<CoolingTechnology>("technology");
  const auto& climate = c.entry<catalog::Climate>("climate");
  const auto source = published("claims.yaml");
  cooling::HallDemand hall;
  hall.scope = "hall";
  hall.title = "hall";
  hall.cooling.kind = technology.id;
  hall.cooling.containment = cooling::Containment::hot_aisle;
  hall.racks = 1000;
  hall.it_max = hall.it_typical = trace.constant("it", 10 * megawatt, "MW", source);
  hall.rack_max = trace.constant("rack", 10 * kilowatt, "kW", source);
  hall.loss_max = hall.loss_typical = hall.it_max.value * double(c.get<Scalar>("power_loss"));
  cooling::PlantSpec plant;
  plant.economiser = c.get_or("economiser", Scalar(1.0)) != 0;
  cooling::Demand demand;
  demand.halls = {hall};
  demand.climate = &climate;
  return cooling::assess(plant, demand, c.catalog(), trace);
}

/// 1 + losses of the power chain + cooling of the year, over IT.
Amount facility_pue(const Call& c) {
  Trace trace;
  const auto result = year_of(c, trace);
  return 1 + double(c.get<Scalar>("power_loss")) +
         result.electrical_typical.value / (10 * megawatt);
}

Amount facility_wue(const Call& c) {
  Trace trace;
  return year_of(c, trace).wue.value;
}

}  // namespace

void add_facility_functions(Functions& f) {
  f["air_flow"] = {[](const Call& c) {
                     const auto rise = c.get<TemperatureDifference>("rise");
                     if (rise.si() <= 0) Call::fail("the air does not warm");
                     return Amount(cooling::air_flow(c.get<Power>("heat"), rise));
                   },
                   {"heat", "rise"},
                   "m3/s",
                   "air that carries this heat"};
  f["water_heat"] = {[](const Call& c) {
                       return Amount(cooling::liquid_heat(
                           c.get<VolumeFlow>("flow"), cooling::water_density,
                           cooling::water_heat_capacity, c.get<TemperatureDifference>("rise")));
                     },
                     {"flow", "rise"},
                     "kW",
                     "heat that water carries"};
  f["rack_heat"] = {rack_heat, {"technology"}, "kW", "heat a rack can lose by flow and rise"};
  const std::vector<std::string> arguments{"technology", "climate", "power_loss", "economiser"};
  f["facility_pue"] = {facility_pue, arguments, "1", "PUE of a typical year; economiser=0: none"};
  f["facility_wue"] = {facility_wue, arguments, "L/kWh", "water of that year over IT energy"};
}

}  // namespace headroom::study
