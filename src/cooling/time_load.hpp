// Which racks are stepped together in a year at one second, and what they take when. Internal to
// time_year.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "cooling/time_year.hpp"

namespace headroom::cooling {

/// Racks of one CDU, of one air group, or equal racks of several CDUs.
struct TimeUnit {
  std::size_t group = 0;
  std::size_t first = 0, count = 0;  ///< of the racks listed in `TimePlan`
  double racks = 0;                  ///< that they stand for
  double full_w = 0;                 ///< all of them
};

/// A rack that is stepped, for itself or for equal ones.
struct TimeRack {
  double full_w = 0, share = 1;
  std::size_t job = none, unit = 0;
  std::vector<std::size_t> outages;  ///< that concern it
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
};

struct TimePlan {
  std::vector<TimeUnit> units;
  std::vector<TimeRack> racks;
  std::vector<std::size_t> rack_of;  ///< of each of the user's racks
  Plant plant;                       ///< with a group a unit
};
TimePlan plan_racks(const Plant& plant, const TimeLoad& load, const TimeOptions& options);

/// Jobs and outages in ticks of the resolution.
class TimeSchedule {
 public:
  TimeSchedule(const TimeLoad& load, double dt);
  using Tick = std::int64_t;
  static constexpr Tick never = std::numeric_limits<Tick>::max();

  /// States from `now` on; the jobs and outages that changed.
  void move_to(Tick now);
  Tick next() const { return next_; }
  const std::vector<std::size_t>& changed_jobs() const { return changed_jobs_; }
  const std::vector<std::size_t>& changed_outages() const { return changed_outages_; }
  /// Power over the rack's own share.
  double factor(const TimeRack& rack) const;

 private:
  struct State {
    double factor = -1;
    Tick next = 0;
  };
  State job_at(const TimeJob& job, Tick now) const;
  Tick tick(double seconds) const;

  const TimeLoad& load_;
  double dt_;
  std::vector<State> jobs_, outages_;
  std::vector<std::size_t> changed_jobs_, changed_outages_;
  Tick next_ = 0;
};

}  // namespace headroom::cooling
