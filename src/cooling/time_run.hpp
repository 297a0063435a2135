// A year of the plant at one second while it runs: what is built, moved and accounted. Internal to
// time_year.cpp and its parts.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cooling/time_blocks.hpp"
#include "cooling/time_load.hpp"
#include "cooling/time_year.hpp"

namespace headroom::cooling {

/// One year: built by `run`, moved event by event, accounted interval by interval.
class TimeRun {
 public:
  TimeRun(const Plant& plant, const WeatherYear& weather, const TimeLoad& load,
          const TimeOptions& options)
      : given_(plant),
        weather_(weather),
        load_(load),
        options_(options),
        dt_(hour_s / std::round(std::clamp(hour_s / options.resolution_s, 1.0, hour_s))),
        per_hour_(static_cast<Tick>(std::lround(hour_s / dt_))),
        plan_(plan_racks(plant, load, options)),
        schedule_(load, dt_),
        solver_(std::make_unique<PlantSolver>(plan_.plant)) {}
  TimeYear run();

 private:
  using Tick = TimeSchedule::Tick;

  static constexpr double hour_s = 3600;
  static constexpr double far_c = -273.15;

  /// A liquid unit while it is stepped.
  struct Liquid {
    CduBlock block;
    double cooled = 1;       // share of its heat into the liquid
    double conductance = 0;  // chips to coolant at design flow, W/K
    bool quiet = false;      // nothing moved in the last interval
    bool throttles = false;
    CduBlock::Flow flow;
    CduBlock::Heat heat;
    double hold_c = -1e9;
  };

  struct Air {
    HallBlock block;
    bool quiet = false;
    HallBlock::Flow flow;
    HallBlock::Heat heat;
    double hold_c = -1e9;
    std::vector<std::size_t> units;  // in air
    double servers_full_w = 0;
  };

  // --- Building (time_year_start.cpp) ---
  void start();
  static void remember(std::vector<std::size_t>& list, std::size_t unit);
  void make_units();
  double or_rack(double given, double each, double racks) const;
  void make_halls();
  /// The year starts at rest under its first hour.
  void settle();

  // --- Events (time_year.cpp) ---
  void events();
  bool profiled(std::size_t g) const { return g < load_.hourly.size() && !load_.hourly[g].empty(); }
  Tick tick(double s) const { return static_cast<Tick>(std::llround(std::min(s / dt_, 9e15))); }
  void weather_at(std::size_t h);
  void set_point(const SetPointChange& change);
  void load_unit(std::size_t u, std::size_t hour);
  Tick next_event() const;

  // --- Conditions of an interval (time_year_step.cpp) ---
  void solve();
  double basin_aim(std::size_t l) const;
  void drive();
  bool condition_unit(std::size_t u);
  bool condition_hall(std::size_t h);

  // --- An interval (time_year_step.cpp) ---
  void interval(Tick until);
  BlockFlow step_unit(std::size_t u, std::uint32_t ticks);
  /// Heat beyond the mean of the unit's racks, scaled to all of them.
  double more_w(std::size_t u, std::size_t r, double power, double mean) const;
  bool may_throttle(std::size_t u) const;
  /// One exact step over the whole interval.
  BlockFlow coast(std::size_t u, std::uint32_t ticks);
  bool move_rack(std::size_t u, std::size_t r, double power, double mean, std::uint32_t ticks);
  /// Step by step at the resolution: racks decide their power each time, until nothing moves.
  BlockFlow creep(std::size_t u, std::uint32_t ticks);
  bool waiting(std::size_t u, Tick at) const;
  double allowed(std::size_t u, std::size_t r, Tick at);
  void note_loss(std::size_t r, double seconds);
  BlockFlow step_hall(std::size_t h, std::uint32_t ticks);
  bool move_servers(Air& a, double seconds);

  // --- Accounts (time_year_accounts.cpp) ---
  void account(double h, double it_j, double stored);
  /// Heat the basins keep, taken off what towers reject.
  double fill_basins(HourState& s, double h);
  void add_hour(const HourState& s, double h);
  bool watching() const;
  void record();
  void record_loops(TimeSample& s) const;
  void conclude();

  const Plant& given_;
  const WeatherYear& weather_;
  const TimeLoad& load_;
  const TimeOptions& options_;
  double dt_;
  Tick per_hour_;
  TimePlan plan_;
  TimeSchedule schedule_;
  std::unique_ptr<PlantSolver> solver_;
  HourInput in_;
  HourState steady_;
  Tick now_ = 0;
  bool changed_ = true;
  // Of each rack that is stepped.
  std::vector<double> demand_, power_;  // W, one rack
  std::vector<double> chip_, coolant_;  // K from the mean of its unit
  std::vector<Tick> off_until_;
  std::vector<RackPeak> peaks_;
  // Of each unit.
  std::vector<double> unit_demand_, unit_power_, shares_, air_w_;
  std::vector<bool> dirty_;
  std::vector<std::vector<std::size_t>> units_of_job_, units_of_outage_;
  std::vector<Liquid> liquid_;
  std::vector<Air> air_;
  std::vector<LoopDrive> drives_;
  std::vector<double> basin_, loop_j_, carried_, losses_;
  TimeYear out_;
};

}  // namespace headroom::cooling
