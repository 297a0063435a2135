// Climate: what the air at a place is like over a year, small enough to carry.
//
// Two histograms of one typical year of 8,760 h, 2 K wide: by wet bulb (for
// towers) with the mean dry bulb of those hours, and by dry bulb (for dry
// coolers and air-cooled chillers) with the mean wet bulb. `design` is the
// temperature exceeded in 0.4 % of the hours, as ASHRAE's annual design
// condition; `max` is the hottest hour of the typical year, which is milder than
// the hottest hour of twenty real ones.
//
// Error of a 2 K histogram with linear interpolation inside a bin: below about
// 1 % of the year in hours under a threshold (tested against the hourly files).
#pragma once

#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

struct ClimateRange {
  Value<TemperatureDifference> mean, min, design, max;  ///< absolute temperatures
  void fields(spec::Fields& f);
};

/// Hours of a year in which the air was about this.
struct ClimateBin {
  Value<TemperatureDifference> wet_bulb, dry_bulb;  ///< absolute, mean over the hours
  Value<Time> hours;
  void fields(spec::Fields& f);
};

struct Climate : Entry {
  static constexpr std::string_view kind = "climate";
  static constexpr double bin_width_k = 2.0;

  std::string place;
  Value<Scalar> latitude, longitude;  ///< degrees, north and east positive
  Value<Length> elevation;
  ClimateRange dry_bulb, wet_bulb;
  std::vector<ClimateBin> by_wet_bulb, by_dry_bulb;

  void fields(spec::Fields& f);

  /// Standard-atmosphere pressure at the elevation (ICAO: 101.325 kPa at 0 m).
  Pressure pressure() const;
  /// Hours of the year with a wet (dry) bulb at or below `t`.
  Time hours_wet_bulb_at_most(Temperature t) const;
  Time hours_dry_bulb_at_most(Temperature t) const;
};

/// The absolute temperature that a catalogue or scenario value stands for.
inline Temperature absolute(const Value<TemperatureDifference>& v) {
  return Temperature::from_si(v.get().si());
}

}  // namespace headroom::catalog
