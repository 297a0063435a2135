// What sun and wind give hour by hour, as shares of capacity.
//
// SUN. Panels fixed at the latitude's tilt towards the equator. Plane of array: beam x cos(angle)
// + diffuse (1 + cos tilt)/2 + 0.2 global (1 - cos tilt)/2. Cell temperature: air + 25 K x POA/800
// (NOCT 45 degC), -0.35 %/K, 14 % losses, 1.2 DC over AC and clipping (figures of the order of
// NREL's PVWatts, recalled). Sun's place by Cooper's declination and Spencer's equation of time.
// Without radiation in the weather: clear sky of Haurwitz (1945) times a factor of each day, AR(1)
// with mean 0.72 (ASSUMED), split by Erbs (1982).
//
// WIND. Weather's speed at 10 m raised to 100 m by the 1/7 power; without it Weibull, shape 2, mean
// 7.5 m/s, through a normal AR(1) with e-folding 30 h (ASSUMED). Power: cubic from 3 to 12 m/s,
// full to 25; 10 % losses.
//
// A capacity factor, if given, is met by a factor on the sun's output (clipped at 1) or on the
// wind's speed, by bisection; one that cannot be met is approached.
// Deterministic. Complexity O(hours).
#pragma once

#include <cstddef>
#include <vector>

namespace headroom::supply {

struct Sky {
  std::size_t hours = 8760;
  double latitude = 0, longitude = 0, utc_offset_h = 0;  ///< degrees, east positive
  std::vector<double> dry_bulb_c;
  std::vector<double> global_w_m2, direct_w_m2, diffuse_w_m2;  ///< empty: none
  std::vector<double> wind_m_s;                                ///< empty: none
};

/// capacity_factor 0: as it comes.
std::vector<double> solar_share(const Sky& sky, double capacity_factor = 0);
std::vector<double> wind_share(const Sky& sky, double capacity_factor = 0);

}  // namespace headroom::supply
