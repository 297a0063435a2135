// The loads of a scenario as waves.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/units.hpp"
#include "compute/kernel.hpp"
#include "study/facility_transient_parts.hpp"
#include "train/timeline.hpp"

namespace headroom::study {
namespace {

/// Share of the ranks in a pass, over one play of the pipeline: phases that sum to its length.
std::vector<power::Phase> passes(const train::Timeline& t) {
  std::map<double, double> change;  // of the number of ranks in a pass
  for (const auto& rank : t.ranks) {
    double until = -1;
    for (const auto& op : rank.ops) {  // passes that run together count once
      const double from = std::max(op.start, until);
      if (op.end <= from) continue;
      change[from] += 1, change[op.end] -= 1;
      until = op.end;
    }
  }
  std::vector<power::Phase> out;
  const double ranks = std::max<double>(1, double(t.ranks.size()));
  double at = 0, busy = 0;
  for (const auto& [time, by] : change) {
    if (time > at) out.push_back({time - at, busy / ranks});
    at = std::max(at, time), busy += by;
  }
  if (t.total > at) out.push_back({t.total - at, 0});
  return out;
}

/// Kernels' share of the time that a rank spends in passes.
double kernels_of_passes(const train::StepTime& t) {
  const double kernels = t.gemm + t.attention + t.stream + t.recompute + t.ends;
  const double all = kernels + t.launch + t.tensor + t.expert + t.context + t.contention;
  return all > 0 ? kernels / all : 1;
}

double share_of(const Value<Power>& part, const Value<Power>& whole, double otherwise) {
  return part && whole && whole.get().si() > 0 ? part.get().si() / whole.get().si() : otherwise;
}

/// Time between saves of a job, as the cluster layer chose it.
double save_interval(const Context& c, const std::string& scope) {
  for (const auto& cluster : c.clusters)
    for (const auto& job : cluster.jobs)
      if (job.name == scope && job.interval.node != no_node) return job.interval.value.si();
  return 0;
}

class Gatherer {
 public:
  Gatherer(Context& c, const power::SwingDefaults& d, const TransientOptions& o, TransientAnswer& a)
      : c_(c), d_(d), o_(o), a_(a) {}

  Swing gather() {
    in_halls_ = c_.has_facility;
    for (const auto& hall : c_.halls) out_.it_mean_w += hall.it_typical.value.si();
    if (!in_halls_) out_.it_mean_w = c_.it_typical.value.si();
    double moving = 0;
    for (const auto& work : c_.work)
      if (work.machines != nullptr && counts(*work.machines)) moving += add(work);
    out_.constant_w = out_.it_mean_w - moving;
    meter();
    choose_largest();
    return std::move(out_);
  }

 private:
  bool counts(const Machines& m) const { return !in_halls_ || !m.spec->hall.empty(); }

  /// Mean watts of the accelerators that this work moves.
  double add(const Work& work) {
    const auto& gpu = *work.machines->accelerator;
    const double most = gpu.power.max.or_else(Power{}).si();
    if (most <= 0 || work.gpus_held <= 0) return 0;
    if (work.power_share.node == no_node) return 0;  // stands at idle in the loads, too
    const double mean = most * double(work.power_share.value);
    if (work.gang && work.training && work.training->result.laid_out)
      return add_training(work, most, mean);
    if (work.rl && work.rl->best() != nullptr) return add_rl(work, most, mean);
    return add_serving(work, most, mean);
  }

  SwingJob job_of(const Work& work, std::vector<power::Phase> phases, double most, double mean) {
    const auto& gpu = *work.machines->accelerator;
    SwingJob j;
    j.work = &work, j.max_w = most;
    j.job.count = work.gpus_held;
    j.job.idle_w = most * share_of(gpu.power.idle, gpu.power.max, 0.1);
    const double wait = std::max(d_.wait_power.si * most, j.job.idle_w);
    j.job.levels = levels_of(phases, mean, wait, most);
    j.job.phases = std::move(phases);
    j.job.spread_s = d_.spread_s.si;
    j.job.start_spread_s = d_.start_s.si, j.job.stop_spread_s = d_.stop_s.si;
    j.job.stall_s = work.stall.node != no_node ? work.stall.value.si() : 0;
    return j;
  }

  double add_job(SwingJob j, std::vector<std::pair<std::string, double>> parts) {
    const power::PeriodWave wave(j.job.phases, j.job.count, j.job.levels, j.job.spread_s);
    SwingLoad row;
    row.name = j.work->spec->name, row.kind = "training", row.gpus = j.job.count;
    row.mean_w = wave.mean_w(), row.period_s = wave.period_s();
    row.busy_w = j.job.levels.busy_w, row.wait_w = j.job.levels.wait_w;
    row.peak_w = wave.peak_w(), row.trough_w = wave.trough_w();
    double busy = 0;
    for (const auto& p : j.job.phases) busy += p.seconds * p.busy;
    row.wait_share = 1 - busy / wave.period_s();
    row.save_every_s = save_interval(c_, j.work->scope), row.stall_s = j.job.stall_s;
    row.parts = std::move(parts);
    a_.loads.push_back(std::move(row));
    out_.jobs.push_back(std::move(j));
    return wave.mean_w();
  }

  double add_training(const Work& work, double most, double mean) {
    std::vector<std::pair<std::string, double>> parts;
    auto phases = phases_of(work, parts);
    return add_job(job_of(work, std::move(phases), most, mean), std::move(parts));
  }

  double add_rl(const Work& work, double most, double mean) {
    const auto& plan = *work.rl->best();
    const double all = plan.generation_gpus + plan.training_gpus;
    std::vector<power::Phase> phases;
    std::vector<std::pair<std::string, double>> parts;
    double sum = 0;
    for (const auto& p : plan.phases) {
      const bool busy = p.name == "generate" || p.name == "train" || p.name == "score";
      if (p.seconds <= 0) continue;
      phases.push_back({p.seconds, busy && all > 0 ? std::min(1.0, p.gpus / all) : 0});
      parts.emplace_back(p.name, p.seconds);
      sum += p.seconds;
    }
    if (sum <= 0) return add_serving(work, most, mean);
    return add_job(job_of(work, std::move(phases), most, mean), std::move(parts));
  }

  double add_serving(const Work& work, double most, double mean) {
    constexpr double tenth = 0.1, second_s = 1;  // of what a GPU can swing (assumed)
    SwingServing s;
    s.work = &work;
    s.load.mean_w = work.gpus_held * mean;
    const double machines = std::max(1.0, work.gpus_held / gpus_per_node(*work.machines));
    s.load.deviation_w = tenth * most * work.gpus_held / std::sqrt(machines);
    s.load.deviation_w = std::min(s.load.deviation_w, s.load.mean_w / 3);
    s.load.correlation_s = second_s;
    s.load.seed = o_.seed * 1000003 + out_.serving.size();
    SwingLoad row;
    row.name = work.spec->name, row.kind = "serving", row.gpus = work.gpus_held;
    row.mean_w = s.load.mean_w;
    row.peak_w = s.load.mean_w + 3 * s.load.deviation_w;
    row.trough_w = s.load.mean_w - 3 * s.load.deviation_w;
    a_.loads.push_back(std::move(row));
    out_.serving.push_back(std::move(s));
    return work.gpus_held * mean;
  }

  /// The meter at the mean and what a watt more of IT is there.
  void meter() {
    if (!in_halls_) {
      out_.meter_mean_w = c_.meter_typical.value.si();
      return;
    }
    const auto& flow = c_.power.typical;
    out_.meter_mean_w = flow.meter.si();
    power::Loads loads;
    for (const auto& hall : c_.halls) loads.halls.push_back(hall.it_typical.value);
    loads.cooling = flow.cooling, loads.other = flow.other;
    double it = 0;
    for (const auto w : loads.halls) it += w.si();
    if (it <= 0) return;
    const double by = 0.01;
    auto more = loads, less = loads;
    for (std::size_t i = 0; i < loads.halls.size(); ++i)
      more.halls[i] = loads.halls[i] * (1 + by), less.halls[i] = loads.halls[i] * (1 - by);
    const double up = power::solve(c_.power.chain, more).meter.si();
    const double down = power::solve(c_.power.chain, less).meter.si();
    out_.slope = (up - down) / (2 * by * it);
  }

  void choose_largest() {
    double most = -1;
    for (std::size_t i = 0; i < out_.jobs.size(); ++i) {
      const auto& j = out_.jobs[i].job;
      const double swing = j.count * (j.levels.busy_w - j.idle_w);
      if (swing > most) most = swing, out_.largest = i;
    }
  }

  Context& c_;
  const power::SwingDefaults& d_;
  const TransientOptions& o_;
  TransientAnswer& a_;
  Swing out_;
  bool in_halls_ = false;
};

void add_others(power::Series& sum, const Swing& swing, const power::SampleGrid& grid) {
  for (auto& p : sum) p += swing.constant_w;
  for (const auto& s : swing.serving) power::add(sum, power::sample(s.load, grid));
}

ItWindow window(const Swing& swing, const TransientOptions& options, const power::SampleGrid& grid,
                const power::JobEvents* events, const HoldLimits& limits) {
  ItWindow out;
  power::Series base(grid.samples);
  add_others(base, swing, grid);
  out.plain = out.held = base;
  for (std::size_t i = 0; i < swing.jobs.size(); ++i) {
    const auto& j = swing.jobs[i];
    const bool largest = events != nullptr && i == swing.largest;
    const power::JobEvents e = largest ? *events : power::JobEvents{};
    const power::PeriodWave wave(j.job.phases, 1, {1, 1}, 0);
    const double phase = power::phase_of(options.seed, i) * wave.period_s();
    power::GpuControl control;
    control.floor_w = limits.floor * j.max_w;
    if (largest) control.ramp_up_w_s = control.ramp_down_w_s = limits.ramp_it_w_s;
    power::add(out.plain, power::sample(j.job, e, phase, grid));
    const auto held = power::sample(j.job, e, phase, grid, control);
    power::add(out.held, held.series);
    out.burned_j += held.burned_j, out.deferred_j += held.deferred_j;
  }
  return out;
}

}  // namespace

std::vector<power::Phase> phases_of(const Work& work,
                                    std::vector<std::pair<std::string, double>>& parts) {
  const auto& r = work.training->result;
  const auto& t = r.chosen.time;
  const double step = t.total(), kernels = kernels_of_passes(t);
  // The software factor stretches every part.
  const double plain = step - t.software, stretch = plain > 0 ? step / plain : 1;
  const double data = t.data * stretch, optimiser = t.optimiser * stretch;
  const double wait = (t.offload + t.jitter) * stretch;
  const double in_pipeline = std::max(0.0, step - data - optimiser - wait);
  std::vector<power::Phase> out;
  train::Job job = r.job;
  const compute::Device device(*work.machines->accelerator);
  job.device = &device;
  if (r.chosen.plan.pp > 1 && train::schedule_problem(job, r.chosen.plan).empty())
    out = passes(train::timeline(job, r.chosen.plan));
  double played = 0;
  for (const auto& p : out) played += p.seconds;
  if (played <= 0) {
    out = {{1, 1}};
    played = 1;
  }
  for (auto& p : out) p.seconds *= in_pipeline / played, p.busy *= kernels;
  out.push_back({data, 0}), out.push_back({optimiser, 1}), out.push_back({wait, 0});
  parts = {{"passes, fill, drain and sends of the pipeline", in_pipeline},
           {"exposed data-parallel traffic", data},
           {"optimiser", optimiser},
           {"waiting for host and stragglers", wait}};
  return out;
}

power::Levels levels_of(const std::vector<power::Phase>& phases, double mean_w, double wait_w,
                        double max_w) {
  double seconds = 0, busy = 0;
  for (const auto& p : phases) seconds += p.seconds, busy += p.seconds * p.busy;
  const double share = seconds > 0 ? busy / seconds : 1;
  if (share <= 0) return {mean_w, mean_w};
  power::Levels out{(mean_w - (1 - share) * wait_w) / share, wait_w};
  if (out.busy_w < wait_w) return {mean_w, mean_w};  // it never draws more than waiting does
  if (out.busy_w > max_w && share < 1)
    out = {max_w, std::max(0.0, (mean_w - share * max_w) / (1 - share))};
  return out;
}

Swing swing_of(Context& c, const power::SwingDefaults& defaults, const TransientOptions& options,
               TransientAnswer& a) {
  return Gatherer(c, defaults, options, a).gather();
}

ItWindow steady_window(const Swing& swing, const TransientOptions& options,
                       const power::SampleGrid& grid, const HoldLimits& limits) {
  return window(swing, options, grid, nullptr, limits);
}

ItWindow event_window(const Swing& swing, const TransientOptions& options,
                      const power::SampleGrid& grid, const power::JobEvents& events,
                      const HoldLimits& limits) {
  return window(swing, options, grid, &events, limits);
}

}  // namespace headroom::study
