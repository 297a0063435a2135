#include "power/waveform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace headroom::power {
namespace {

/// A change of level or of slope at a time within the period.
struct Change {
  double t_s = 0, jump = 0, slope = 0;
};

double wrapped(double t, double period) {
  t = std::fmod(t, period);
  return t < 0 ? t + period : t;
}

/// splitmix64: the same stream on every machine.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : state_(seed) {}
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double r = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = r * std::sin(angle), has_spare_ = true;
    return r * std::cos(angle);
  }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace

PeriodWave::PeriodWave(const std::vector<Phase>& phases, double count, Levels levels,
                       double spread_s) {
  struct Edge {
    double t_s, step;
  };
  std::vector<Edge> edges;
  double before = 0, weighted = 0;
  for (const auto& p : phases) {
    if (p.seconds <= 0) continue;
    const double now = count * (p.busy * levels.busy_w + (1 - p.busy) * levels.wait_w);
    edges.push_back({period_s_, now - before});
    period_s_ += p.seconds, weighted += now * p.seconds, before = now;
  }
  if (edges.empty()) return;
  edges.front().step -= before;  // the end of a period meets the beginning
  energy_j_ = weighted;

  const double w = std::clamp(spread_s, 0.0, period_s_);
  std::vector<Change> changes;
  double slope = 0;  // at 0: of the edges whose ramp runs across the end of the period
  for (const auto& e : edges) {
    if (e.step == 0) continue;
    if (w <= 0) {
      changes.push_back({e.t_s, e.step, 0});
      continue;
    }
    const double from = wrapped(e.t_s - w / 2, period_s_), to = wrapped(e.t_s + w / 2, period_s_);
    changes.push_back({from, 0, e.step / w});
    changes.push_back({to, 0, -e.step / w});
    if (from > to) slope += e.step / w;
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.t_s < b.t_s; });
  knots_.push_back({0, 0, slope, 0});
  for (const auto& c : changes) {
    const Knot& last = knots_.back();
    const double dt = c.t_s - last.t_s;
    const double level = last.w + dt * last.slope + c.jump;
    const double j = last.j + dt * (last.w + dt * last.slope / 2);
    slope += c.slope;
    if (dt > 0)
      knots_.push_back({c.t_s, level, slope, j});
    else
      knots_.back().w = level, knots_.back().slope = slope;
  }
  // So far relative to the level at 0; the mean is known.
  const Knot& last = knots_.back();
  const double rest = period_s_ - last.t_s;
  const double shift = (weighted - last.j - rest * (last.w + rest * last.slope / 2)) / period_s_;
  for (auto& k : knots_) k.w += shift, k.j += shift * k.t_s;
}

double PeriodWave::peak_w() const {
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < knots_.size(); ++i) {
    const double end = i + 1 < knots_.size() ? knots_[i + 1].t_s : period_s_;
    most = std::max({most, knots_[i].w, knots_[i].w + (end - knots_[i].t_s) * knots_[i].slope});
  }
  return knots_.empty() ? 0 : most;
}

double PeriodWave::trough_w() const {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < knots_.size(); ++i) {
    const double end = i + 1 < knots_.size() ? knots_[i + 1].t_s : period_s_;
    least = std::min({least, knots_[i].w, knots_[i].w + (end - knots_[i].t_s) * knots_[i].slope});
  }
  return knots_.empty() ? 0 : least;
}

double PeriodWave::energy(double t_s) const {
  if (knots_.empty()) return 0;
  const double periods = std::floor(t_s / period_s_);
  const double t = std::clamp(t_s - periods * period_s_, 0.0, period_s_);
  auto it = std::upper_bound(knots_.begin(), knots_.end(), t,
                             [](double x, const Knot& k) { return x < k.t_s; });
  const Knot& k = *(it - 1);
  const double dt = t - k.t_s;
  return periods * energy_j_ + k.j + dt * (k.w + dt * k.slope / 2);
}

namespace {

/// The job's energy from 0 to t: idle, start, steps, save, steps, stop, idle.
class JobEnergy {
 public:
  JobEnergy(const TrainingJob& job, const JobEvents& events, double phase_s, double floor_w)
      : wave_(job.phases, job.count,
              {std::max(job.levels.busy_w, floor_w), std::max(job.levels.wait_w, floor_w)},
              job.spread_s) {
    const double forever = std::numeric_limits<double>::infinity();
    idle_ = job.count * job.idle_w;
    save_ = job.count * std::max(job.levels.wait_w, floor_w);
    const bool starts = events.start_s >= 0;
    start_ = starts ? events.start_s : 0;
    run_ = starts ? start_ + job.start_spread_s : 0;
    stop_ = events.stop_s >= 0 ? std::max(events.stop_s, run_) : forever;
    save_at_ =
        events.save_s >= 0 && job.stall_s > 0 ? std::clamp(events.save_s, run_, stop_) : forever;
    save_end_ = std::min(save_at_ + job.stall_s, stop_);
    rest_ = stop_ + job.stop_spread_s;
    // A start begins a step; a job that runs stands anywhere in one.
    offset_ = starts ? 0 : phase_s;
    const double in_steps = run_length(stop_);
    const double phase = offset_ + in_steps;
    level_at_stop_ =
        stop_ < forever ? (wave_.energy(phase + 1e-6) - wave_.energy(phase)) / 1e-6 : 0;
  }

  double operator()(double t) const {
    double j = 0;
    if (t <= start_) return idle_ * t;
    j = idle_ * start_;
    if (run_ > start_) j += ramp(idle_, wave_.first_w(), start_, run_, std::min(t, run_));
    if (t <= run_) return j;
    const double until = std::min(t, stop_);
    j += wave_.energy(offset_ + run_length(until)) - wave_.energy(offset_);
    if (until > save_at_) j += save_ * (std::min(until, save_end_) - save_at_);
    if (t <= stop_) return j;
    if (rest_ > stop_) j += ramp(level_at_stop_, idle_, stop_, rest_, std::min(t, rest_));
    if (t > rest_) j += idle_ * (t - rest_);
    return j;
  }
  const PeriodWave& wave() const { return wave_; }
  double stop_s() const { return stop_; }
  double run_s() const { return run_; }
  double start_s() const { return start_; }

 private:
  /// Seconds of stepping until t.
  double run_length(double t) const {
    const double until = std::min(t, stop_);
    const double saved = until > save_at_ ? std::min(until, save_end_) - save_at_ : 0;
    return std::min(until, stop_) - run_ - saved;
  }
  static double ramp(double from, double to, double a, double b, double t) {
    const double x = t - a;
    return from * x + (to - from) * x * x / (2 * (b - a));
  }

  PeriodWave wave_;
  double idle_ = 0, save_ = 0, start_ = 0, run_ = 0, stop_ = 0, save_at_ = 0, save_end_ = 0,
         rest_ = 0, offset_ = 0, level_at_stop_ = 0;
};

Series series_of(const JobEnergy& energy, const SampleGrid& grid) {
  Series out(grid.samples);
  double before = energy(0);
  for (std::size_t k = 0; k < out.size(); ++k) {
    const double now = energy(static_cast<double>(k + 1) * grid.dt_s);
    out[k] = (now - before) / grid.dt_s;
    before = now;
  }
  return out;
}

}  // namespace

Series sample(const TrainingJob& job, const JobEvents& events, double phase_s,
              const SampleGrid& grid) {
  return series_of(JobEnergy(job, events, phase_s, 0), grid);
}

Controlled sample(const TrainingJob& job, const JobEvents& events, double phase_s,
                  const SampleGrid& grid, const GpuControl& control) {
  const JobEnergy plain_energy(job, events, phase_s, 0);
  const Series plain = series_of(plain_energy, grid);
  const JobEnergy energy(job, events, phase_s, control.floor_w);
  Controlled out;
  out.series = series_of(energy, grid);
  const double idle = job.count * job.idle_w;
  // A cap that rises from idle when the job starts; a draw that falls from where it stood.
  const bool rises = events.start_s >= 0 && control.ramp_up_w_s > 0;
  const bool falls = events.stop_s >= 0 && control.ramp_down_w_s > 0;
  double held = idle;
  for (std::size_t k = 0; k < out.series.size(); ++k) {
    const double t = (static_cast<double>(k) + 0.5) * grid.dt_s;
    double& p = out.series[k];
    if (rises && t > energy.start_s() && t < energy.stop_s())
      p = std::min(p, idle + control.ramp_up_w_s * (t - energy.start_s()));
    if (falls && t >= energy.stop_s())
      p = std::max(p, held - control.ramp_down_w_s * (t - energy.stop_s()));
    else
      held = p;
    const double more = (p - plain[k]) * grid.dt_s;
    (more > 0 ? out.burned_j : out.deferred_j) += std::abs(more);
  }
  return out;
}

Series sample(const ServingLoad& load, const SampleGrid& grid) {
  Stream stream(load.seed);
  const double keep = std::exp(-grid.dt_s / std::max(1e-9, load.correlation_s));
  const double fresh = std::sqrt(1 - keep * keep);
  double x = stream.normal();
  Series out(grid.samples);
  for (auto& p : out) {
    p = std::max(0.0, load.mean_w + load.deviation_w * x);
    x = keep * x + fresh * stream.normal();
  }
  return out;
}

double phase_of(std::uint64_t seed, std::size_t index) {
  Stream stream(seed + 0x5851f42d4c957f2dULL * (index + 1));
  return stream.uniform();
}

void add(Series& sum, const Series& other) {
  if (sum.size() < other.size()) sum.resize(other.size());
  for (std::size_t k = 0; k < other.size(); ++k) sum[k] += other[k];
}

double energy(const Series& series, double dt_s) {
  double j = 0;
  for (const double p : series) j += p;
  return j * dt_s;
}

Series coarser(const Series& series, std::size_t group) {
  if (group <= 1) return series;
  Series out;
  out.reserve(series.size() / group);
  for (std::size_t k = 0; k + group <= series.size(); k += group) {
    double sum = 0;
    for (std::size_t i = 0; i < group; ++i) sum += series[k + i];
    out.push_back(sum / static_cast<double>(group));
  }
  return out;
}

}  // namespace headroom::power
