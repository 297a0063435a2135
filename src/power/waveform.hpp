// Waveform: the electrical power of many machines at steps of 1 to 10 ms.
//
// A training job repeats one step. Its accelerators are either busy or waiting (for a collective,
// a neighbour in the pipeline, the slowest rank); a Phase says which share of them is busy, and for
// how long:
//
//   P(t) = n [u(t) busy + (1 - u(t)) wait]              watts, n accelerators
//
// A power floor in the accelerator lifts both levels: max(busy, floor), max(wait, floor).
//
// Ranks do not switch at the same instant. Their offsets are taken to be uniform over `spread`, so
// the sum is P convolved with a box of that width: every edge becomes a straight ramp. The sum over
// one period is piecewise linear, and its energy is exact:
//
//   E(t) = k E(T) + trapezoids up to t - k T
//
// A sample is the MEAN power of its interval, (E(t + dt) - E(t)) / dt: the energy of a series is
// the energy of the wave, whatever dt. Fourier coefficients of a period are closed forms over its
// pieces (spectrum.hpp).
//
// A job in a window: idle, start (a ramp over `start_spread`), steps, one save that holds it up,
// steps, stop (a ramp over `stop_spread`), idle. Steps stand still during the save.
//
// Serving is a constant with noise: an Ornstein-Uhlenbeck process, stepped exactly, of the given
// deviation and correlation time; the seed decides it (deterministic on every machine).
//
// ASSUMED: two power levels an accelerator; uniform offsets; every step alike (the sharpest
// spectrum there is). Energy is exact to rounding (1e-12). Complexity: O(phases log phases) a
// period, O(log phases) a sample. No errors; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headroom::power {

/// Mean watts of consecutive samples.
using Series = std::vector<double>;

struct Phase {
  double seconds = 0;
  double busy = 0;  ///< share of the accelerators that compute, 0..1
};

/// What one accelerator draws, W.
struct Levels {
  double busy_w = 0, wait_w = 0;
};

/// One period, piecewise linear; times in seconds from its start.
class PeriodWave {
 public:
  PeriodWave() = default;
  /// Needs a positive sum of seconds; `spread_s` is at most the period.
  PeriodWave(const std::vector<Phase>& phases, double count, Levels levels, double spread_s);

  struct Knot {
    double t_s = 0;
    double w = 0;      ///< just after t
    double slope = 0;  ///< W/s up to the next knot
    double j = 0;      ///< energy from 0 to t
  };
  const std::vector<Knot>& knots() const { return knots_; }
  double period_s() const { return period_s_; }
  double mean_w() const { return period_s_ > 0 ? energy_j_ / period_s_ : 0; }
  double peak_w() const;
  double trough_w() const;
  double first_w() const { return knots_.empty() ? 0 : knots_.front().w; }

  /// Energy from 0 to t >= 0, J.
  double energy(double t_s) const;

 private:
  std::vector<Knot> knots_;
  double period_s_ = 0, energy_j_ = 0;
};

/// Power limits in the accelerators, of a whole job.
struct GpuControl {
  double floor_w = 0;      ///< least draw of one accelerator while the job runs; 0: none
  double ramp_up_w_s = 0;  ///< of the job, when it starts; 0: as fast as it does
  double ramp_down_w_s = 0;
  bool any() const { return floor_w > 0 || ramp_up_w_s > 0 || ramp_down_w_s > 0; }
};

struct TrainingJob {
  std::vector<Phase> phases;
  double count = 0;  ///< accelerators
  Levels levels;
  double idle_w = 0;  ///< of one accelerator when the job does not run
  double spread_s = 0;
  double start_spread_s = 0, stop_spread_s = 0;
  double stall_s = 0;  ///< of a save, at wait power
};

/// Moments of a window; below 0: does not happen.
struct JobEvents {
  double start_s = -1;  ///< runs from the beginning
  double save_s = -1;
  double stop_s = -1;
};

struct SampleGrid {
  double dt_s = 0.01;
  std::size_t samples = 0;
};

struct Controlled {
  Series series;
  double burned_j = 0;    ///< drawn for nothing but the floor or the ramp
  double deferred_j = 0;  ///< work held back while power ramps up
};

/// The job's accelerators alone. `phase_s` is where in its step the window begins.
Series sample(const TrainingJob& job, const JobEvents& events, double phase_s,
              const SampleGrid& grid);
/// The same under limits; burned and deferred against the series without them, so that
/// energy = energy without + burned - deferred.
Controlled sample(const TrainingJob& job, const JobEvents& events, double phase_s,
                  const SampleGrid& grid, const GpuControl& control);

struct ServingLoad {
  double mean_w = 0;
  double deviation_w = 0;
  double correlation_s = 1;
  std::uint64_t seed = 1;
};
Series sample(const ServingLoad& load, const SampleGrid& grid);

/// A number of [0, 1) for job `index`: where in its step it stands.
double phase_of(std::uint64_t seed, std::size_t index);

void add(Series& sum, const Series& other);
double energy(const Series& series, double dt_s);

/// Means of `to` samples a second or fewer, for plots: whole groups of samples.
Series coarser(const Series& series, std::size_t group);

}  // namespace headroom::power
