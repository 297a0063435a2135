// Ride-through: what of a site leaves the grid when the voltage sags, for how long, and whether
// the machines notice.
//
//   Sag{.at_s = 0, .residual = 0.30, .duration_s = 0.055}     30 % of nominal is left
//
// Three loads, each with its own rule:
//   behind a UPS    below `transfer_below` the rectifier stops: the load is on the battery, off the
//                   grid. It comes back `requalify_s` after the voltage does, over a ramp of
//                   `walk_in_s`. A sag on the way starts again.
//   direct IT       power supplies hold as long as the tolerance curve says, else the machines fall
//                   and come back after `restart_s`
//   mechanical      contactors and drives by their own curve, back after `mechanical_restart_s`
//
// COUNTER. `count` disturbances within `count_window_s` latch the site on its own supply until
// somebody returns it by hand, `manual_s` later (July 2024, NERC incident review). Sags of a
// latched site are not counted.
//
// GENERATORS are called by a latch at once, and by an outage of the utility longer than `order_s`;
// ready after `start_s`; take the load over `walk_in_s`, no more than their rating. They give it
// back to the grid over the same ramp: by hand after a latch, else `retransfer_s` after the voltage
// returned. Between, the battery carries; an empty battery drops what it carried.
//
// Every power is linear between knots; integrals are exact:
//   load = grid + battery + generator + unserved, at every instant (imbalance, tested)
//
// TOLERANCE (recalled, unverified unless a source is named)
//   itic      0 V for 20 ms, 70 % for 0.5 s, 80 % for 10 s, 90 % always; ITI curve 2000
//   semi-f47  50 % for 0.2 s, 70 % for 0.5 s, 80 % for 1 s (SEMI F47-0706: powerstandards.com,
//             astrodynetdi.com), 90 % always
//
// VALIDITY. One site, one voltage; no angle jumps, no frequency; every UPS alike, which is what
// makes them leave together. Complexity O(sags). Mistakes of a sag's text come back as messages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::power {

struct Sag {
  double at_s = 0;
  double residual = 0;  ///< of nominal, 0..1
  double duration_s = 0;
};

/// Reads "30%@60ms", "30%@60ms x6/82s" (six, the last 82 s after the first), each with an optional
/// "+5s" (begins then). Appends to `out`, or returns what is wrong, with what was expected.
std::optional<std::string> read_sags(std::string_view text, std::vector<Sag>& out);
/// The same as text, for reports.
std::string sag_text(const Sag& sag);
/// In order of time; a message when two overlap.
std::optional<std::string> order_sags(std::vector<Sag>& sags);

/// The sequence of 10 July 2024 in Virginia: six faults in 82 s, 42 to 66 ms each, 25 to 40 % left.
std::vector<Sag> july_2024();

struct TolerancePoint {
  double voltage = 0;  ///< at least so much is left
  double seconds = 0;  ///< and the load bears it so long
};
struct ToleranceCurve {
  std::string_view key, name;
  std::span<const TolerancePoint> points;  ///< by rising voltage; always from 90 %
  double bears_s(double residual) const;
  bool rides(const Sag& sag) const;
};
std::span<const ToleranceCurve> tolerance_curves();
std::span<const std::string_view> tolerance_names();

struct RideSetup {
  double ups_w = 0;  ///< at the meter
  double direct_w = 0;
  double mechanical_w = 0;
  double transfer_below = 0.88;
  double requalify_s = 10, walk_in_s = 10;
  int count = 3;  ///< 0: no counter
  double count_window_s = 60;
  double manual_s = 4 * 3600;
  double battery_j = 0;    ///< usable, at the meter
  double recharge = 0.1;   ///< of the load behind the UPS
  double generator_w = 0;  ///< 0: none
  double order_s = 3, start_s = 10, retransfer_s = 1800;
  std::size_t it_curve = 0, mechanical_curve = 1;  ///< into tolerance_curves()
  double restart_s = 600, mechanical_restart_s = 150;
};

struct RideEvent {
  double at_s = 0;
  std::string what;
};

struct RideKnot {
  double at_s = 0;
  double grid_w = 0, battery_w = 0, generator_w = 0, unserved_w = 0;  ///< just after
};

struct Ride {
  std::vector<RideEvent> events;
  std::vector<RideKnot> knots;  ///< linear between; a jump has two knots at one time
  double load_w = 0;
  double left_w = 0;  ///< largest fall of the grid's power within a second
  double left_at_s = 0;
  double away_s = 0;   ///< grid below 95 % of the load, in all
  double until_s = 0;  ///< last time it was
  bool latched = false;
  double latched_at_s = 0;
  int latched_at_sag = 0;  ///< from 1
  int transfers = 0;       ///< to the battery
  double battery_used_j = 0, unserved_j = 0;
  bool battery_empty = false;
  bool it_lost = false;  ///< machines fell
  double it_lost_at_s = 0, it_out_s = 0;
  bool mechanical_lost = false;
  double imbalance = 0;  ///< largest |load - sum| over load, at any knot
};

/// `sags` in order, without overlap.
Ride ride_through(const RideSetup& setup, const std::vector<Sag>& sags);

}  // namespace headroom::power
