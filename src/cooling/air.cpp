#include "cooling/air.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {
namespace {

constexpr double water_over_air = 0.621945;  // molar masses (ASHRAE Fundamentals ch. 1)

}  // namespace

Power air_heat(VolumeFlow flow, TemperatureDifference rise) {
  return flow * air_density * air_heat_capacity * rise;
}

VolumeFlow air_flow(Power heat, TemperatureDifference rise) {
  if (rise.si() <= 0) return {};
  return heat / (air_density * air_heat_capacity * rise);
}

Power liquid_heat(VolumeFlow flow, Density density, SpecificHeat heat, TemperatureDifference rise) {
  return flow * density * heat * rise;
}

MassFlow mass_flow(Power heat, SpecificHeat heat_capacity, TemperatureDifference rise) {
  if (rise.si() <= 0) return {};
  return heat / (heat_capacity * rise);
}

Pressure saturation_pressure(Temperature t) {
  const double k = t.si();
  const double over_ice = -5.6745359e3 / k + 6.3925247 - 9.677843e-3 * k + 6.2215701e-7 * k * k +
                          2.0747825e-9 * k * k * k - 9.484024e-13 * k * k * k * k +
                          4.1635019 * std::log(k);
  const double over_water = -5.8002206e3 / k + 1.3914993 - 4.8640239e-2 * k + 4.1764768e-5 * k * k -
                            1.4452093e-8 * k * k * k + 6.5459673 * std::log(k);
  return std::exp(t.in_celsius() < 0 ? over_ice : over_water) * pascal;
}

double saturation_humidity(Temperature t, Pressure p) {
  const double vapour = std::min(saturation_pressure(t).si(), 0.99 * p.si());
  return water_over_air * vapour / (p.si() - vapour);
}

double humidity(Temperature dry_bulb, Temperature wet_bulb_t, Pressure p) {
  const double t = dry_bulb.in_celsius();
  const double w = std::min(wet_bulb_t.in_celsius(), t);
  const double saturated = saturation_humidity(Temperature::celsius(w), p);
  const double ratio =
      w >= 0 ? ((2501 - 2.326 * w) * saturated - 1.006 * (t - w)) / (2501 + 1.86 * t - 4.186 * w)
             : ((2830 - 0.24 * w) * saturated - 1.006 * (t - w)) / (2830 + 1.86 * t - 2.1 * w);
  return std::max(0.0, ratio);
}

double moist_enthalpy(Temperature dry_bulb, double humidity_ratio) {
  const double t = dry_bulb.in_celsius();
  return 1e3 * (1.006 * t + humidity_ratio * (2501 + 1.86 * t));
}

Temperature wet_bulb(Temperature dry_bulb, double humidity_ratio, Pressure p) {
  double low = dry_bulb.in_celsius() - 60, high = dry_bulb.in_celsius();
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    const bool too_humid = humidity(dry_bulb, Temperature::celsius(middle), p) > humidity_ratio;
    (too_humid ? high : low) = middle;
  }
  return Temperature::celsius((low + high) / 2);
}

}  // namespace headroom::cooling
