// Moist air beyond air.hpp: humidity from relative humidity and dew point, and back.
//
// ASHRAE Fundamentals 2017 ch. 1, with the saturation pressure of air.hpp (Hyland & Wexler 1983,
// over ice below 0 degC):
//
//   w = 0.621945 phi p_ws(T) / (p - phi p_ws(T))          eq. 20
//   phi = p w / ((0.621945 + w) p_ws(T))                  eq. 12, 22
//   dew point: p_ws(T_d) = p w / (0.621945 + w)           eq. 36, by Newton on ln p_ws
//
// Plain doubles in degC and Pa, for loops over 8,760 hours. Valid -100..200 degC as the saturation
// pressure is; relative humidity above 1 is taken as it stands (fog, rounding). No errors.
// Complexity: one or two exponentials; the dew point about five.
#pragma once

#include "cooling/air.hpp"

namespace headroom::cooling {

inline constexpr double molar_mass_ratio = 0.621945;  ///< water over dry air, ASHRAE ch. 1

/// Saturation pressure in Pa.
double saturation_pa(double celsius);
/// kg of water per kg of dry air. `relative` 0..1.
double humidity_of_relative(double dry_bulb_c, double relative, double pressure_pa);
/// 0..1 (above 1 where the ratio is above saturation).
double relative_of_humidity(double dry_bulb_c, double humidity, double pressure_pa);
/// degC; -100 for dry air.
double dew_point_c(double humidity, double pressure_pa);
double humidity_of_dew_point(double dew_point_celsius, double pressure_pa);
/// degC, by air.hpp's psychrometer equation.
double wet_bulb_c(double dry_bulb_c, double humidity, double pressure_pa);

}  // namespace headroom::cooling
