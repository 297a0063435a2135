// Histories of a site, event by event: what exact answers leave out.
//
//   const auto r = simulate(system, {.years = 20, .histories = 100000, .seed = 1});
//   r.site.hours.mean, r.site.hours.error     outage hours a year, half-width of 95 %
//
// EVENTS. Failures (exponential: one superposed Poisson process; Weibull: a clock a unit), common
// cause, repair (exponential, lognormal, fixed) by a number of crews, units that are out for
// maintenance, errors of people, calls of standby units: they may not start, all for one cause or
// each for its own, fail while they run, run dry; then a view is short, the ride-through runs, and
// when it is used up the load is.
//
// MAINTENANCE. Each unit in turn, evenly over its interval, on a calendar that all histories share;
// not begun while anything is broken. Units whose absence alone takes load away are not in the
// calendar: their outages are certain, counted in `planned` and not simulated.
// PEOPLE. `error` of a maintenance also takes a second unit of the group out for `error_s`; of a
// call of standby units, delays their start by as much.
//
// HOW. A failure whose repair ends before anything else happens, of a unit that can be missed, is
// passed over in a few operations; so is a call in which enough units start and run. Only what
// overlaps is walked through, and only states never met before are looked up in the structure.
//
// OUTAGE: a load gets less than its demand after what it could ride through. Its GPU time is lost
// in proportion; a job that runs as a gang loses all of it where racks are dropped, and afterwards
// its rework and restart.
//
// DETERMINISTIC. Philox by (history, draw); histories are added in fixed pieces in their order: the
// same bits with any number of threads. Common cause of Weibull groups is exponential.
//
// Units: s. Errors: mistakes_of(system). Complexity: O(histories x failures), about 0.1 us a
// failure that harms nobody.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "availability/system.hpp"
#include "base/progress.hpp"

namespace headroom::availability {

struct SimulateOptions {
  double years = 20;  ///< of one history
  int histories = 20000;
  std::uint64_t seed = 1;
  int threads = 1;
  int crews = 0;          ///< for repairs of groups that need one; 0: enough
  double error = 0;       ///< chance that somebody errs, a maintenance and a call of standby units
  double error_s = 3600;  ///< until it is put right
  double refuel = 1;      ///< chance that fuel comes in time, each time it runs out
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// Mean of a year with the half-width of its 95 % interval.
struct Estimate {
  double mean = 0, error = 0;
};

struct LoadResult {
  double availability = 1;                   ///< share of time with all of its demand
  double hours = 0, outages = 0;             ///< a year
  double gang_lost_s = 0, other_lost_s = 0;  ///< a year, seconds at full speed
  Estimate lost_gpu_s;
};

enum class Trigger : unsigned char { failure, common_cause, person, start, run, fuel };
constexpr std::size_t triggers = 6;
const char* trigger_name(Trigger t);

/// Outages that began with these groups out, none of which may be missing from the list.
struct Cause {
  std::vector<int> groups;
  double outages = 0, hours = 0, lost_gpu_s = 0;  ///< a year
};

struct SimulateResult {
  double years = 0;  ///< all histories together
  std::vector<LoadResult> loads;
  Estimate site_hours, site_outages, lost_gpu_s;  ///< a year; any load short
  double availability = 1;                        ///< 1 - site_hours / year
  double planned_hours = 0, planned_outages = 0, planned_lost_gpu_s = 0;  ///< a year
  std::vector<int> planned_groups;
  std::vector<Cause> causes;                  ///< most lost GPU time first
  std::array<double, triggers> by_trigger{};  ///< outages a year
  /// Outages of the site by length: [i] of 2^i to 2^(i+1) s, the first from 0.
  std::array<double, 32> lengths{};
  double longest_s = 0;
  double share_of(int group) const;     ///< of the lost GPU time, outages in which it was out
  double length_s(double share) const;  ///< so many of the outages are shorter
  double histories_with_outage = 0;     ///< share
  double worst_imbalance = 0;           ///< |up + down - time| over time, of any history
};

SimulateResult simulate(const System& system, const SimulateOptions& options);

}  // namespace headroom::availability
