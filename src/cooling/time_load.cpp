#include "cooling/time_load.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace headroom::cooling {
namespace {

/// What makes racks equal: their own share, job and outages.
using Kind = std::vector<double>;

Kind kind_of(const TimeRack& r) {
  Kind k{r.full_w, r.share, static_cast<double>(r.job)};
  for (const auto o : r.outages) k.push_back(static_cast<double>(o));
  return k;
}

class Planner {
 public:
  Planner(const Plant& plant, const TimeLoad& load, const TimeOptions& options)
      : plant_(plant), load_(load), options_(options) {}

  TimePlan run() {
    list();
    for (std::size_t g = 0; g < plant_.groups.size(); ++g) add_group(g);
    expand();
    return std::move(out_);
  }

 private:
  void list() {
    group_ = load_.group;
    if (group_.empty()) {
      for (std::size_t g = 0; g < plant_.groups.size(); ++g) {
        const auto n = std::max(1.0, std::round(plant_.groups[g].racks));
        group_.insert(group_.end(), static_cast<std::size_t>(n), g);
      }
    }
    out_.rack_of.assign(group_.size(), 0);
    std::vector<double> in_group(plant_.groups.size(), 0.0);
    for (const auto g : group_)
      if (g < in_group.size()) in_group[g] += 1;
    for (std::size_t i = 0; i < group_.size(); ++i) {
      TimeRack r;
      const auto g = std::min(group_[i], plant_.groups.size() - 1);
      const auto& spec = plant_.groups[g];
      r.full_w = spec.racks * spec.rack_w / std::max(1.0, in_group[g]);
      r.share = i < load_.share.size() ? load_.share[i] : 1;
      given_.push_back(std::move(r));
    }
    for (std::size_t j = 0; j < load_.jobs.size(); ++j)
      each(load_.jobs[j].first, load_.jobs[j].racks, [&](TimeRack& r) { r.job = j; });
    for (std::size_t o = 0; o < load_.outages.size(); ++o)
      each(load_.outages[o].first, load_.outages[o].racks,
           [&](TimeRack& r) { r.outages.push_back(o); });
  }

  template <class F>
  void each(std::size_t first, std::size_t count, F&& f) {
    for (std::size_t i = first; i < given_.size() && i - first < count; ++i) f(given_[i]);
  }

  void add_group(std::size_t g) {
    std::vector<std::size_t> mine;
    for (std::size_t i = 0; i < group_.size(); ++i)
      if (group_[i] == g) mine.push_back(i);
    const double each_stands_for =
        mine.empty() ? 0 : plant_.groups[g].racks / static_cast<double>(mine.size());
    const std::size_t most = plant_.groups[g].liquid_share > 0
                                 ? std::max<std::size_t>(1, options_.racks_per_cdu)
                                 : std::max<std::size_t>(1, mine.size());
    std::map<std::vector<Kind>, std::size_t> known;
    for (std::size_t at = 0; at < mine.size(); at += most) {
      const std::size_t n = std::min(most, mine.size() - at);
      add_unit(g, {mine.begin() + long(at), mine.begin() + long(at + n)}, each_stands_for, known);
    }
  }

  void add_unit(std::size_t g, const std::vector<std::size_t>& racks, double each,
                std::map<std::vector<Kind>, std::size_t>& known) {
    std::vector<Kind> kinds;
    for (const auto i : racks) kinds.push_back(kind_of(given_[i]));
    const bool merge = options_.merge_equal;
    const bool uniform = merge && std::all_of(kinds.begin(), kinds.end(),
                                              [&](const Kind& k) { return k == kinds[0]; });
    if (uniform) kinds.resize(1);
    if (merge) {
      if (const auto found = known.find(kinds); found != known.end()) {
        auto& unit = out_.units[found->second];
        unit.racks += each * double(racks.size());
        unit.full_w += given_[racks[0]].full_w * double(racks.size());
        for (std::size_t k = 0; k < racks.size(); ++k)
          out_.rack_of[racks[k]] = unit.first + (uniform ? 0 : k);
        return;
      }
      known.emplace(kinds, out_.units.size());
    }
    TimeUnit unit;
    unit.group = g;
    unit.first = out_.racks.size();
    unit.count = kinds.size();
    unit.racks = each * double(racks.size());
    unit.full_w = given_[racks[0]].full_w * double(racks.size());
    for (std::size_t k = 0; k < racks.size(); ++k) {
      out_.rack_of[racks[k]] = unit.first + (uniform ? 0 : k);
      if (k >= unit.count) continue;
      out_.racks.push_back(given_[racks[k]]);
      out_.racks.back().unit = out_.units.size();
    }
    out_.units.push_back(unit);
  }

  /// The plant with a group a unit: each has its part of the exchangers and pumps.
  void expand() {
    out_.plant = plant_;
    out_.plant.groups.clear();
    std::vector<std::vector<std::size_t>> units_of(plant_.groups.size());
    for (std::size_t u = 0; u < out_.units.size(); ++u) {
      const auto& unit = out_.units[u];
      RackGroup g = plant_.groups[unit.group];
      const double part = g.racks > 0 ? unit.racks / g.racks : 0;
      g.racks = unit.racks;
      g.exchanger.ua_w_k *= part, g.exchanger.hot_design *= part, g.exchanger.cold_design *= part;
      g.most_water *= part;
      g.mover.design_m3_s *= part;
      units_of[unit.group].push_back(u);
      out_.plant.groups.push_back(std::move(g));
    }
    for (auto& hall : out_.plant.halls) {
      std::vector<std::size_t> groups;
      for (const auto g : hall.groups)
        if (g < units_of.size())
          groups.insert(groups.end(), units_of[g].begin(), units_of[g].end());
      hall.groups = std::move(groups);
    }
  }

  const Plant& plant_;
  const TimeLoad& load_;
  const TimeOptions& options_;
  std::vector<std::size_t> group_;
  std::vector<TimeRack> given_;
  TimePlan out_;
};

}  // namespace

TimePlan plan_racks(const Plant& plant, const TimeLoad& load, const TimeOptions& options) {
  return Planner(plant, load, options).run();
}

// --- Schedule -------------------------------------------------------------------

TimeSchedule::TimeSchedule(const TimeLoad& load, double dt)
    : load_(load), dt_(dt), jobs_(load.jobs.size()), outages_(load.outages.size()) {}

TimeSchedule::Tick TimeSchedule::tick(double seconds) const {
  constexpr double far = 9e15;
  return seconds / dt_ < far ? static_cast<Tick>(std::llround(seconds / dt_)) : never;
}

TimeSchedule::State TimeSchedule::job_at(const TimeJob& job, Tick now) const {
  const Tick start = tick(job.start_s), stop = tick(job.stop_s);
  if (now < start) return {load_.idle, start};
  if (now >= stop) return {load_.idle, never};
  const Tick every = tick(job.checkpoint_every_s), lasts = tick(job.checkpoint_s);
  if (job.checkpoint_every_s <= 0 || every <= 0 || lasts <= 0) return {1, stop};
  // Each period ends with a checkpoint: work, then `lasts` of writing.
  const Tick period = every + lasts, into = (now - start) % period;
  if (into < every) return {1, std::min(stop, now - into + every)};
  return {job.checkpoint_share, std::min(stop, now - into + period)};
}

void TimeSchedule::move_to(Tick now) {
  changed_jobs_.clear(), changed_outages_.clear();
  next_ = never;
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (now >= jobs_[j].next) {
      const State state = job_at(load_.jobs[j], now);
      if (state.factor != jobs_[j].factor) changed_jobs_.push_back(j);
      jobs_[j] = state;
    }
    next_ = std::min(next_, jobs_[j].next);
  }
  for (std::size_t o = 0; o < outages_.size(); ++o) {
    if (now >= outages_[o].next) {
      const Tick at = tick(load_.outages[o].at_s), back = tick(load_.outages[o].back_s);
      const State state = now < at ? State{1, at} : now < back ? State{0, back} : State{1, never};
      if (state.factor != outages_[o].factor) changed_outages_.push_back(o);
      outages_[o] = state;
    }
    next_ = std::min(next_, outages_[o].next);
  }
}

double TimeSchedule::factor(const TimeRack& rack) const {
  double f = rack.job == TimeRack::none ? 1 : jobs_[rack.job].factor;
  for (const auto o : rack.outages) f *= outages_[o].factor;
  return f;
}

}  // namespace headroom::cooling
