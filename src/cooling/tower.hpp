// Open cooling towers: how near their water comes to the wet bulb, and what they
// evaporate.
//
// Approach: York's correlation with 27 coefficients, as carried by EnergyPlus and
// the Modelica Buildings Library (yorkCalc.mo): approach(wet bulb degC, range K,
// L/G), L/G the ratio of water to air flow over its design value. Stated range
// there: wet bulb -34..26.7 degC, range 1.1..22.2 K, L/G up to 8; inputs are
// clamped to it, and below 0.5 K the result is too (no tower comes nearer).
#pragma once

#include "cooling/air.hpp"

namespace headroom::cooling {

TemperatureDifference york_approach(Temperature wet_bulb, TemperatureDifference range,
                                    double liquid_to_gas);

/// The correlation at one wet bulb and range: a quadratic in L/G, for solving it.
struct YorkTerms {
  double constant = 0, linear = 0, square = 0;
  /// Approach in K, at least 0.5; L/G clamped to 0.1..8.
  double approach_k(double liquid_to_gas) const;
  /// L/G that makes this approach, within 0.1..8: the larger, the less air.
  double liquid_to_gas(double approach) const;
};
YorkTerms york_terms(double wet_bulb_c, double range_k);

/// Share of full air flow that just makes `approach` at this range, 0.1 to 1; 1
/// also when full flow is not enough. Fan power goes with its cube.
double tower_air_flow(Temperature wet_bulb, TemperatureDifference range,
                      TemperatureDifference approach);

/// Water evaporated for one joule rejected, kg/J: dw/dh between outside air and
/// air that leaves saturated at the mean water temperature. At most all-latent.
double evaporation_per_joule(Temperature dry_bulb, Temperature wet_bulb, Pressure pressure,
                             Temperature cold_water, TemperatureDifference range);

}  // namespace headroom::cooling
