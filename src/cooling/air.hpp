// Moist air and coolants: what the cooling layer needs of physics.
//
// Saturation pressure: Hyland & Wexler 1983 as in ASHRAE Fundamentals ch. 1,
// -100 to 200 degC. Humidity ratio from wet bulb by the psychrometer equation of
// the same chapter (over ice below 0 degC, with a small step there). Enthalpy in J per kg of dry
// air, 0 at 0 degC.
//
//   air_heat(V, dT)    = V * 1.2 kg/m3 * 1005 J/(kg K) * dT
//   liquid_heat(V, dT) = V * density * specific heat * dT
//
// 25 kW at 12 K take 1.73 m3/s of air; 80 kW at 10 K take 1.91 kg/s of water.
#pragma once

#include "base/quantity.hpp"

namespace headroom::cooling {

/// Dry air at about 20 degC and sea level (ASHRAE Fundamentals ch. 1 standard air).
inline constexpr Density air_density = Density::from_si(1.2);
inline constexpr SpecificHeat air_heat_capacity = SpecificHeat::from_si(1005);
/// Water at 30 degC (IAPWS-95).
inline constexpr Density water_density = Density::from_si(995.6);
inline constexpr SpecificHeat water_heat_capacity = SpecificHeat::from_si(4180);

Power air_heat(VolumeFlow flow, TemperatureDifference rise);
VolumeFlow air_flow(Power heat, TemperatureDifference rise);
Power liquid_heat(VolumeFlow flow, Density density, SpecificHeat heat, TemperatureDifference rise);
MassFlow mass_flow(Power heat, SpecificHeat heat_capacity, TemperatureDifference rise);

Pressure saturation_pressure(Temperature t);
/// kg of water per kg of dry air.
double saturation_humidity(Temperature t, Pressure p);
double humidity(Temperature dry_bulb, Temperature wet_bulb, Pressure p);
/// J per kg of dry air.
double moist_enthalpy(Temperature dry_bulb, double humidity_ratio);
/// Wet bulb of air with this humidity ratio, by bisection to 1e-6 K.
Temperature wet_bulb(Temperature dry_bulb, double humidity_ratio, Pressure p);

}  // namespace headroom::cooling
