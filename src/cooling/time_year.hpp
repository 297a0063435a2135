// A year of the plant at one second: every rack, CDU, hall and loop has a temperature of its own,
// and each is stepped exactly from one event to the next.
//
//   TimeLoad load;                               // which racks, how much, when
//   load.jobs = {{"train", 0, 1000, 0, 1e9, 1800, 60, 0.5}};
//   TimeYear y = time_year(plant, weather, load);
//
// EVENTS: the weather hour, hourly load, start and stop of jobs, their checkpoints, racks that are
// out (trips, maintenance) and back, set points that change. Between two events nothing that shapes
// the equations changes, and a step of an hour is as exact as one of a second (block_step.hpp).
// A block whose inputs stand still and whose temperatures no longer move is not touched at all.
// Events fall on whole `resolution_s`.
//
// STATES, with the equations of failure_walk.hpp:
//   rack         chips with plates (T), coolant in the rack; in air: servers' mass
//   CDU          supply to its racks; its branch of the facility water, supply and return
//   hall         cold air, hot air, steel beside each; its branch of the facility water
//   loop         tower basin
// Racks on one CDU have equal plates on one manifold, so equal flow, and loads of their own. The
// mean of its racks then obeys the CDU's equations exactly, and each rack's difference from the
// mean a system of its own two states that sees nothing else: n racks cost n small steps, not n^3.
// Racks of equal load, job and CDU group are stepped once (`merge_equal`).
//
//   chip     Cc Tc' = P - G Tc + G (Ts + Tl)/2                 G ~ flow^exponent
//   coolant  Cl Tl' = pump + G Tc - G (Ts + Tl)/2 - H (Tl - Ts)
//   CDU      Cs Ts' = H (Tl - Ts) - K (Tl - Tw)
//   branch   Cw Tw' = w (Tin - Tw),  Cr Tr' = w (Tw - Tr) + K (Tl - Tw)
//   basin    Tb relaxes to the cold water of the steady plant over its inventory / flow
//   Tin      what the plant holds: its set point; where stages cannot, the supply temperature at
//            which they take the heat (plant_hour.hpp), plus how much the basin is off
// CONTROL: at an event pumps, fans and valves take the position of the steady plant at the new load
// and weather (K, H, w above); electricity of towers, dry coolers and compressors follows the heat
// that arrives in the interval. What stages could not take of a transient is counted (`beyond_j`).
// THROTTLE: chips above `Throttle` lower their power. Where that is possible (a bound by the
// maximum principle says so before the step) racks are stepped at the resolution, power decided
// each step, until nothing moves. Racks that trip are back after `restart_s`.
//
// Energy: in = out + stored in every interval, from separate sums: `worst_imbalance`, tested below
// 1e-9. Not modelled: what failure_walk.hpp leaves out.
// Complexity: O(events x CDUs + racks whose load changes); 1,000 racks with distinct loads about a
// second a year (bench/time_year_bench.cpp prints it). Deterministic. No errors: indices beyond the
// racks are ignored. One year a thread.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "cooling/failure_walk.hpp"
#include "cooling/plant_year.hpp"

namespace headroom::cooling {

/// Work on racks [first, first + racks). Outside its time its racks idle.
struct TimeJob {
  std::string name;
  std::size_t first = 0, racks = 0;
  double start_s = 0, stop_s = std::numeric_limits<double>::infinity();
  double checkpoint_every_s = 0;  ///< 0: none
  double checkpoint_s = 0;        ///< how long accelerators wait for one
  double checkpoint_share = 0.5;  ///< of its power meanwhile (assumed)
};

/// Racks [first, first + racks) take no power meanwhile.
struct RackOutage {
  std::size_t first = 0, racks = 0;
  double at_s = 0, back_s = std::numeric_limits<double>::infinity();
};

/// Supply to the racks of a group from then on.
struct SetPointChange {
  double at_s = 0;
  std::size_t group = 0;
  double celsius = 20;
};

struct TimeLoad {
  std::vector<std::size_t> group;  ///< of each rack; empty: every group's own number of racks
  std::vector<double> share;       ///< of each rack's full load while it works; empty: 1
  std::vector<std::vector<double>> hourly;  ///< [group][hour], times `share`; repeats; empty: 1
  std::vector<std::vector<double>> losses;  ///< [hall][hour], W; empty: the halls' own lines
  double idle = 0.3;  ///< of `share`: racks of a job that does not run (assumed)
  std::vector<TimeJob> jobs;
  std::vector<RackOutage> outages;
  std::vector<SetPointChange> set_points;
};

struct TimeOptions {
  double resolution_s = 1;
  std::size_t racks_per_cdu = 10;
  bool merge_equal = true;
  double chip_above_coolant_k = 25;  ///< where the plant gives no chip (assumed)
  double server_above_air_k = 40;    ///< mass of air-cooled servers (assumed)
  double restart_s = 900;            ///< of racks that tripped (assumed)
  RackInertia racks{};
  HallInertia halls{};
  LoopInertia loops{};
  Throttle throttle{};
  double watch_from_s = 0, watch_to_s = 0;  ///< recorded at every step
  Progress* progress = nullptr;             ///< who watches, and may have it throw `Stopped`
};

struct RackPeak {
  double chip_c = -273.15, coolant_c = -273.15;  ///< at the ends of steps
  double throttled_s = 0;                        ///< below the power it asked for
  double lost_clock_s = 0;  ///< integral of 1 - clock over full clock (throttle.hpp)
  int trips = 0;
};

/// Means over groups and halls, at one moment.
struct TimeSample {
  double at_s = 0, it_w = 0, dry_bulb_c = 0;
  std::vector<double> chip_c, coolant_c, supply_c;  ///< [group]; NaN without a liquid
  std::vector<double> cold_c, hot_c;                ///< [hall]
  std::vector<double> water_in_c, water_back_c;     ///< [loop]
  std::vector<double> basin_c;                      ///< [loop]; NaN without a tower
};

struct TimeYear {
  std::vector<HourState> hours;  ///< means of the hour; temperatures its worst
  EnergyByItem energy;
  WaterByUse water;
  double pue_part = 0, wue_l_kwh = 0, erf = 0;
  double in_j = 0, out_j = 0, stored_j = 0;
  double worst_imbalance = 0;  ///< of any interval, relative to what came in
  double beyond_j = 0;         ///< |heat of transients| that stages did not take at once
  std::vector<RackPeak> racks;
  double throttled_rack_s = 0, lost_clock_rack_s = 0;
  std::size_t trips = 0;
  std::vector<double> group_lost_s;  ///< lost clock by group, rack-seconds
  std::vector<TimeSample> watched;
  // What it took.
  std::size_t units = 0;               ///< CDUs (or merged sets of racks) stepped
  std::size_t intervals = 0;           ///< between events
  std::size_t steps = 0, skipped = 0;  ///< of blocks; skipped: nothing moved
  std::size_t fine_steps = 0;          ///< at the resolution, for racks near throttling
};

TimeYear time_year(const Plant& plant, const WeatherYear& weather, const TimeLoad& load = {},
                   const TimeOptions& options = {});

}  // namespace headroom::cooling
