// Is the plant possible, and is everything in it within its limits?
//
// `check_set_points`: what physics forbids, each at the place where it was written, with the
// nearest possible value, all in one pass:
//   coolant or air colder than its exchanger can make of the loop's water at full load
//   facility water colder than the design day lets a plant without (enough) chillers make
//   vapour that boils below the water that should condense it
//   coolant below the room's dew point + 2 K (pipes sweat); water below 4 degC (coils freeze)
//   heat to be reused hotter than the loop ever is, without a heat pump
//   shares outside 0..1, groups in no hall, loops that do not exist
//
// `check_limits`: a year against ASHRAE classes and chips; a shortfall is a result, not an error.
//
// ASHRAE TC 9.9 allowable inlet air: A1 15-32, A2 10-35, A3 5-40, A4 5-45 degC (recalled,
// unverified), H1 5-25 (GitHub text); recommended 18-27. Facility water W17..W45, W+: the name is
// the warmest supply (mechanical-hub.com, 2nd ed. Liquid Cooling Guidelines; W40 recalled).
// Technology cooling S30, S40, S50: the same of the coolant (recalled, unverified).
//
// Complexity: an hour's solution or two. No other errors.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/diagnostics.hpp"
#include "cooling/plant_year.hpp"

namespace headroom::cooling {

struct TemperatureClass {
  std::string_view name;
  double low_c, high_c;
};
/// "A2", "W32", "S40", "recommended"; nothing for an unknown name.
std::optional<TemperatureClass> ashrae_class(std::string_view name);
std::span<const TemperatureClass> ashrae_classes();
/// The narrowest class of this letter ('A', 'W', 'S') whose upper end takes `celsius`; "W+", or
/// empty beyond the last.
std::string_view least_class(char letter, double celsius);

/// Faults of set points and structure; empty when there are none.
Diagnostics check_set_points(const Plant& plant, const DesignDays& days);

struct LimitCheck {
  std::string id;     ///< "air A2", "water W32", "coolant S40", "chip", "supply"
  double have_c = 0;  ///< worst of the year
  double limit_c = 0;
  double margin_k() const { return limit_c - have_c; }
};
/// Worst temperatures of the year against classes; empty names are left out.
std::vector<LimitCheck> check_limits(const Plant& plant, const PlantYear& year,
                                     std::string_view air, std::string_view water,
                                     std::string_view coolant);

}  // namespace headroom::cooling
