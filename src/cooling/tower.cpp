#include "cooling/tower.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace headroom::cooling {
namespace {

// yorkCalc.mo, Modelica Buildings Library, commit 3ae8197; order: powers of L/G
// (0, 1, 2), within them of range (0, 1, 2), within them of wet bulb (0, 1, 2).
constexpr std::array<double, 27> york = {
    -0.359741205,     -0.055053608,      0.0023850432,     0.173926877,         -0.0248473764,
    0.00048430224,    -0.005589849456,   0.0005770079712,  -0.00001342427256,   2.84765801111111,
    -0.121765149,     0.0014599242,      1.680428651,      -0.0166920786,       -0.0007190532,
    -0.025485194448,  0.0000487491696,   0.00002719234152, -0.0653766255555556, -0.002278167,
    0.0002500254,     -0.0910565458,     0.00318176316,    0.000038621772,      -0.0034285382352,
    0.00000856589904, -0.000001516821552};

// Evaporating one kg of water takes at least this (ASHRAE Fundamentals ch. 1).
double latent_heat(Temperature t) { return 1e3 * (2501 - 2.361 * t.in_celsius()); }

}  // namespace

double YorkTerms::approach_k(double liquid_to_gas) const {
  const double ratio = std::clamp(liquid_to_gas, 0.1, 8.0);
  return std::max(0.5, constant + ratio * (linear + ratio * square));
}

double YorkTerms::liquid_to_gas(double approach) const {
  double low = 0.1, high = 8;
  if (approach_k(low) >= approach) return low;
  // Beyond its peak the quadratic falls again; only the rising branch is physical.
  if (square < 0) high = std::clamp(-linear / (2 * square), low, high);
  if (approach_k(high) <= approach) return high;
  while (high - low > 1e-12 * high) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (approach_k(middle) < approach ? low : high) = middle;
  }
  return low;
}

YorkTerms york_terms(double wet_bulb_c, double range_k) {
  const double w = std::clamp(wet_bulb_c, -34.4, 26.7);
  const double r = std::clamp(range_k, 1.1, 22.2);
  const auto of_flow = [&](std::size_t power) {
    const auto of_range = [&](std::size_t k) {
      const double* c = &york[9 * power + 3 * k];
      return c[0] + w * (c[1] + w * c[2]);
    };
    return of_range(0) + r * (of_range(1) + r * of_range(2));
  };
  return {of_flow(0), of_flow(1), of_flow(2)};
}

TemperatureDifference york_approach(Temperature wet_bulb, TemperatureDifference range,
                                    double liquid_to_gas) {
  return york_terms(wet_bulb.in_celsius(), range.in(kelvin)).approach_k(liquid_to_gas) * kelvin;
}

double tower_air_flow(Temperature wet_bulb, TemperatureDifference range,
                      TemperatureDifference approach) {
  constexpr double least = 0.1;
  if (york_approach(wet_bulb, range, 1) >= approach) return 1;
  if (york_approach(wet_bulb, range, 1 / least) <= approach) return least;
  double low = least, high = 1;
  while (high - low > 1e-4) {
    const double y = (low + high) / 2;
    (york_approach(wet_bulb, range, 1 / y) > approach ? low : high) = y;
  }
  return high;
}

double evaporation_per_joule(Temperature dry_bulb, Temperature wet_bulb, Pressure pressure,
                             Temperature cold_water, TemperatureDifference range) {
  const double humid_in = humidity(dry_bulb, wet_bulb, pressure);
  const Temperature out = cold_water + range * 0.5;
  const double humid_out = saturation_humidity(out, pressure);
  const double all_latent = 1 / latent_heat(out);
  const double enthalpy = moist_enthalpy(out, humid_out) - moist_enthalpy(dry_bulb, humid_in);
  if (enthalpy <= 0) return all_latent;
  return std::clamp((humid_out - humid_in) / enthalpy, 0.0, all_latent);
}

}  // namespace headroom::cooling
