// A year of weather, hour by hour: read from an EPW file, made from a climate's
// statistics, or either of them shifted to a warmer world.
//
// Flat arrays of one value an hour (8,760, or 8,784 in a leap year), hour 0 being the
// first of 1 January local standard time. Plain doubles; units in the names.
//
// EPW (EnergyPlus Auxiliary Programs, "EPW data dictionary"): eight header lines, then one line an
// hour with at least 30 columns (35 as a rule). Columns used, with their legal range and the code
// that means "missing":
//
//   2-4 month, day, hour (1-24)      7  dry bulb   -70..70 degC  99.9     8 dew point -70..70  99.9
//   9   relative humidity 0..110 %   999           10 pressure   31000..120000 Pa   999999
//   14  global horizontal, 15 direct normal, 16 diffuse  >= 0 Wh/m2  9999
//   21  wind direction 0..360 deg 999              22 wind speed 0..40 m/s          999
//
// Dry bulb, pressure and humidity (relative humidity, or else dew point) must be there in every
// hour. Each missing code, value out of range, repeated or unsorted hour, missing hour and wrong
// number of columns is a diagnostic at file:line:column, all in one pass. With
// `EpwOptions::fill_gap_h` gaps of up to so many hours are interpolated in a straight line, and
// counted. Radiation and wind may be missing: they read 0 and are counted.
//
// Wet bulb is derived: humidity ratio from dry bulb, relative humidity and pressure, then the
// psychrometer equation (psychrometrics.hpp, air.hpp; ASHRAE Fundamentals ch. 1).
//
// SYNTHETIC YEAR. A driver z = season + time of day + AR(1) noise orders the hours; each hour then
// gets the dry bulb of its rank in the climate's histogram, so the distribution is the climate's
// to the bin. Wet bulb the same way, ordered by the climate's mean wet bulb at that dry bulb plus
// its own noise. Deterministic in (climate id, seed).
// Season, day and noise: half daily range 2 K + 0.45 x mean depression, noise a third of
// the standard deviation, e-folding 30 h (assumed), season what variance is left.
//
// Errors are values. Complexity: an EPW file about 30 ms, a synthetic year 20 ms. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/climate.hpp"

namespace headroom::cooling {

/// The station's own design conditions (EPW line 2), degC; `given` false without them.
struct StationDesign {
  bool given = false;
  double dry_bulb_c = 0, its_wet_bulb_c = 0;  ///< cooling, 0.4 %
  double wet_bulb_c = 0, its_dry_bulb_c = 0;  ///< evaporation, 0.4 %
  bool extremes = false;
  double extreme_dry_bulb_c = 0;  ///< 20-year return period
  bool has_wet_extreme = false;
  double extreme_wet_bulb_c = 0;  ///< highest recorded
};

struct WeatherYear {
  std::string name;    ///< "Chicago Ohare Intl Ap"
  std::string source;  ///< file, or "synthetic year of climate chicago-il"
  double latitude = 0, longitude = 0, utc_offset_h = 0, elevation_m = 0;
  StationDesign station;

  std::vector<double> dry_bulb_c, wet_bulb_c, dew_point_c;
  std::vector<double> humidity;  ///< kg of water per kg of dry air
  std::vector<double> pressure_pa;
  std::vector<double> wind_m_s, wind_from_deg;
  std::vector<double> global_w_m2, direct_w_m2, diffuse_w_m2;  ///< mean of the hour

  std::size_t interpolated = 0;      ///< hours filled between neighbours
  std::size_t without_sun = 0;       ///< hours whose radiation is missing (read as 0)
  std::size_t without_wind = 0;      ///< hours whose wind is missing (read as 0)
  std::vector<std::string> remarks;  ///< what a reader of results should know

  std::size_t hours() const { return dry_bulb_c.size(); }
};

struct EpwOptions {
  int fill_gap_h = 0;  ///< longest gap to interpolate; 0: none
};

headroom::Result<WeatherYear> read_epw(const std::string& path, const EpwOptions& options = {});
/// The same of a text; `name` stands for the file in messages.
headroom::Result<WeatherYear> parse_epw(const std::string& name, std::string_view text,
                                        const EpwOptions& options = {});

WeatherYear synthetic_year(const catalog::Climate& climate, std::uint64_t seed = 1);

enum class HumidityHeld : unsigned char { relative, dew_point };
/// The same year `warmer_k` warmer. With the dew point held, hours that would be above
/// saturation (cooling) are held at it.
WeatherYear shifted(const WeatherYear& weather, double warmer_k, HumidityHeld held);

/// Exceeded in `share` of the hours (0.004: ASHRAE's annual 0.4 %), degC.
double exceeded_in(const std::vector<double>& hourly, double share);

/// Design air: the worse of both for a plant is the caller's to find.
struct DesignAir {
  double dry_bulb_c = 0, wet_bulb_c = 0, pressure_pa = 101325;
};
struct DesignDays {
  DesignAir by_dry_bulb, by_wet_bulb;  ///< 0.4 %, each with the mean of the other in such hours
  DesignAir extreme;                   ///< hottest dry bulb and highest wet bulb, kept apart:
  DesignAir extreme_wet;               ///< each with what the other was in that hour
};
/// From the hours; the station's own extremes where they are worse.
DesignDays design_days(const WeatherYear& weather);

}  // namespace headroom::cooling
