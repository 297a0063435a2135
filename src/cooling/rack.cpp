#include "cooling/rack.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

// Zuber's constant for a large horizontal plate (Zuber, AECU-4439, 1959).
constexpr double zuber = 0.131;

Power door_capacity(const HallDesign& hall, Temperature water) {
  const auto& t = *hall.technology;
  const TemperatureDifference coil =
      hall.air_supply + hall.air_rise - (water + hall.liquid_approach);
  if (coil.si() <= 0) return {};
  return std::min(air_heat(hall.rack_air, coil),
                  liquid_heat(hall.rack_liquid, t.coolant.density.or_else(water_density),
                              t.coolant.heat.or_else(water_heat_capacity), hall.liquid_rise));
}

}  // namespace

Power rack_air_capacity(const HallDesign& hall) { return air_heat(hall.rack_air, hall.air_rise); }

Power rack_liquid_capacity(const HallDesign& hall, Temperature water) {
  const auto& t = *hall.technology;
  switch (t.family) {
    case CoolingFamily::room_air:
      return {};
    case CoolingFamily::rear_door:
      return door_capacity(hall, water);
    case CoolingFamily::two_phase:
      return liquid_heat(hall.rack_liquid, water_density, water_heat_capacity, hall.liquid_rise);
    case CoolingFamily::cold_plate:
    case CoolingFamily::immersion:
      break;
  }
  return liquid_heat(hall.rack_liquid, t.coolant.density.or_else(water_density),
                     t.coolant.heat.or_else(water_heat_capacity), hall.liquid_rise);
}

PowerDensity critical_heat_flux(const catalog::Coolant& c) {
  if (!c.latent_heat || !c.vapour_density || !c.surface_tension || !c.density) return {};
  const double vapour = c.vapour_density.get().si();
  const double lift = c.surface_tension.get().si() * standard_gravity.si() *
                      std::max(0.0, c.density.get().si() - vapour);
  return PowerDensity::from_si(zuber * c.latent_heat.get().si() * std::sqrt(vapour) *
                               std::pow(lift, 0.25));
}

PowerDensity boiling_limit(const catalog::CoolingTechnology& t) {
  return critical_heat_flux(t.coolant) *
         (t.boiling_area.or_else(1.0).si() * t.boiling_derate.or_else(1.0).si());
}

Power rack_capacity(const HallDesign& hall, Temperature water) {
  const auto limit = [](Power capacity, double share) {
    return share > 1e-9 ? capacity / share : Power::from_si(1e300);
  };
  const bool tank = hall.technology->family == CoolingFamily::immersion ||
                    hall.technology->family == CoolingFamily::two_phase;
  const Power air =
      tank ? Power::from_si(1e300) : limit(rack_air_capacity(hall), 1 - hall.liquid_share);
  return std::min(air, limit(rack_liquid_capacity(hall, water), hall.liquid_share));
}

}  // namespace headroom::cooling
