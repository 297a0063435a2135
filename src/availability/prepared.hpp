// What every history of a system shares: rates, the calendar of maintenance, what one unit out
// means. Internal to availability.
#pragma once

#include <cstdint>
#include <vector>

#include "availability/simulate.hpp"

namespace headroom::availability {

constexpr double year_s = 8760 * 3600.0;

enum class Strike : unsigned char { single, common, person };

/// Walker's alias table over the sources of the superposed Poisson process.
struct Source {
  int group = 0;
  Strike what = Strike::single;
  double share = 1;  ///< of draws that stay
  int alias = 0;
};

struct Window {
  double from = 0, to = 0;
  int group = 0;
};

/// What one unit out of a group means when nothing else is.
struct Alone {
  bool harmless = false;              ///< everything is served without standby units
  int standby = -1;                   ///< else: this standby group can take over within every ride,
  int running = 0;                    ///< with so many units
  std::vector<double> ride_failures;  ///< of the sinks that are short meanwhile, in order
};

class Prepared {
 public:
  Prepared(const System& system, const SimulateOptions& options);

  const System& system;
  const SimulateOptions options;
  double horizon_s;
  double rate = 0;  ///< of all sources
  std::vector<Source> sources;
  std::vector<Alone> alone;  ///< a group
  std::vector<int> weibull;  ///< groups with a clock a unit
  double longest_recovery_s = 0;
  std::vector<std::vector<double>> weights;  ///< a view, a sink: share of its load
  bool any_calendar = false;
  /// Units of the standby group that start, of all: cumulative chances (no common cause).
  std::vector<std::vector<double>> starts;

  /// Calls `f(window)` for every window of maintenance that is open at `t`.
  template <class F>
  void open_at(double t, F f) const {
    if (!any_calendar) return;
    const auto bucket = std::size_t(t / bucket_s);
    if (bucket + 1 >= bucket_at_.size()) return;
    for (auto i = bucket_at_[bucket]; i < bucket_at_[bucket + 1]; ++i) {
      const auto& w = windows_[in_bucket_[i]];
      if (w.from <= t && t < w.to) f(w);
    }
  }

  std::vector<int> planned;  ///< groups whose maintenance takes load away

 private:
  static constexpr double bucket_s = 3600;
  void make_sources();
  void make_alone();
  void make_calendar();

  std::vector<Window> windows_;
  std::vector<std::uint32_t> bucket_at_, in_bucket_;
};

}  // namespace headroom::availability
