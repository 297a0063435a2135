// Carbon intensity of the grid hour by hour: from a file, or a shape about the yearly mean.
//
//   auto hours = site::read_carbon("2025-DE.csv");        // kg CO2e/J, one an hour
//   auto shape = site::carbon_shape(CarbonProfile::solar, 8760);   // mean 1
//
// FILE. CSV, one line an hour from 1 January 0:00 local time, 8,760 or 8,784 of them. One column,
// or several with a head line: the first whose name says "carbon intensity", "gco2" or "kgco2" is
// taken. The unit is that of its name (g or kg of CO2e a kWh, t/MWh reads as kg/kWh); g/kWh when it
// names none. Every fault is told at line and column: no number, below 0, missing or surplus hours.
//
// SHAPES, factor of the mean, normalised to mean 1 over the year; all of them ASSUMED:
//   solar    1 - a s(h) + 0.12 e(h)   s: half sine 8-18 h, a = 0.30 + 0.15 cos(season, peak in
//   June);
//                                     e: evening, half sine 18-22 h
//   thermal  1 + 0.12 cos(2 pi (h - 17)/24) + 0.05 cos(season, peak in July)
//   wind     1 + 0.08 cos(2 pi (h - 14)/24) + 0.15 cos(season, peak in July)
//   flat     1
// They are of the order of what balancing areas publish (California: noon near half of the
// evening), none is fitted to one. Complexity O(hours). Errors are values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "site/spec.hpp"

namespace headroom::site {

std::vector<double> carbon_shape(CarbonProfile profile, std::size_t hours);

/// kg CO2e/J of each hour.
headroom::Result<std::vector<double>> read_carbon(const std::string& path);
/// The same of a text; `name` stands for the file in messages.
headroom::Result<std::vector<double>> parse_carbon(const std::string& name, std::string_view text);

}  // namespace headroom::site
