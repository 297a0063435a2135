#include "cooling/psychrometrics.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {

double saturation_pa(double celsius) {
  return saturation_pressure(Temperature::celsius(celsius)).si();
}

double humidity_of_relative(double dry_bulb_c, double relative, double pressure_pa) {
  const double vapour = std::min(relative * saturation_pa(dry_bulb_c), 0.99 * pressure_pa);
  return molar_mass_ratio * vapour / (pressure_pa - vapour);
}

double relative_of_humidity(double dry_bulb_c, double humidity, double pressure_pa) {
  return pressure_pa * humidity / ((molar_mass_ratio + humidity) * saturation_pa(dry_bulb_c));
}

double dew_point_c(double humidity, double pressure_pa) {
  const double vapour = pressure_pa * humidity / (molar_mass_ratio + humidity);
  if (vapour <= saturation_pa(-100)) return -100;
  const double wanted = std::log(vapour);
  double t = 10;
  for (int i = 0; i < 40; ++i) {
    const double here = std::log(saturation_pa(t));
    const double slope = (std::log(saturation_pa(t + 0.01)) - here) / 0.01;
    const double step = (wanted - here) / slope;
    t = std::clamp(t + step, -100.0, 200.0);
    if (std::abs(step) < 1e-9) break;
  }
  return t;
}

double humidity_of_dew_point(double dew_point_celsius, double pressure_pa) {
  return humidity_of_relative(dew_point_celsius, 1, pressure_pa);
}

double wet_bulb_c(double dry_bulb_c, double humidity, double pressure_pa) {
  return wet_bulb(Temperature::celsius(dry_bulb_c), humidity, Pressure::from_si(pressure_pa))
      .in_celsius();
}

}  // namespace headroom::cooling
