#include "catalog/climate.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::catalog {
namespace {

// Hours are spread evenly over a bin, whose edges are even multiples of its
// width in degC.
Time hours_at_most(const std::vector<ClimateBin>& bins, bool wet, Temperature t) {
  Time sum{};
  for (const auto& bin : bins) {
    const double centre = absolute(wet ? bin.wet_bulb : bin.dry_bulb).in_celsius();
    const double low = std::floor(centre / Climate::bin_width_k) * Climate::bin_width_k;
    const double share = (t.in_celsius() - low) / Climate::bin_width_k;
    sum += bin.hours.get() * std::clamp(share, 0.0, 1.0);
  }
  return sum;
}

}  // namespace

void ClimateRange::fields(spec::Fields& f) {
  f.temperature("mean", mean, "Mean of the year").between(-90, 70);
  f.temperature("min", min, "Coldest hour").between(-90, 70);
  f.temperature("design", design, "Exceeded in 0.4 % of the hours").between(-90, 70).required();
  f.temperature("max", max, "Hottest hour of the typical year").between(-90, 70).required();
}

void ClimateBin::fields(spec::Fields& f) {
  f.temperature("wet_bulb", wet_bulb, "Mean wet bulb of these hours").between(-90, 70).required();
  f.temperature("dry_bulb", dry_bulb, "Mean dry bulb of these hours").between(-90, 70).required();
  f.number("hours", hours, "h", "Hours of the year").above(0).required();
}

void Climate::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("place", place, "Weather station or city");
  f.number("latitude", latitude, "", "Degrees north").between(-90, 90);
  f.number("longitude", longitude, "", "Degrees east").between(-180, 180);
  f.number("elevation", elevation, "m", "Height above the sea").between(-430, 5000).required();
  f.object("dry_bulb", dry_bulb, "Dry-bulb temperature");
  f.object("wet_bulb", wet_bulb, "Wet-bulb temperature");
  f.list("by_wet_bulb", by_wet_bulb, "Hours by wet bulb, 2 K wide");
  f.list("by_dry_bulb", by_dry_bulb, "Hours by dry bulb, 2 K wide");
}

Pressure Climate::pressure() const {
  // ICAO standard atmosphere, troposphere (ISO 2533:1975).
  const double h = elevation ? elevation.get().in(metre) : 0.0;
  return 101.325 * std::pow(1 - 2.25577e-5 * h, 5.25588) * kilopascal;
}

Time Climate::hours_wet_bulb_at_most(Temperature t) const {
  return hours_at_most(by_wet_bulb, true, t);
}

Time Climate::hours_dry_bulb_at_most(Temperature t) const {
  return hours_at_most(by_dry_bulb, false, t);
}

}  // namespace headroom::catalog
