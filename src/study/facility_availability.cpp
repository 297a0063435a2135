#include "study/facility_availability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/defaults.hpp"
#include "study/availability_parts.hpp"
#include "study/training_parts.hpp"

namespace headroom::study {
namespace {

using availability::Estimate;

/// Of a gang job: its interval between checkpoints and its restart.
struct GangTimes {
  double interval_s = 0, restart_s = 0;
};

GangTimes gang_times(const Context& c, const Work& work) {
  GangTimes t;
  for (const auto& cluster : c.clusters)
    for (const auto& job : cluster.jobs)
      if (job.name == work.scope) t.interval_s = job.interval.value.si();
  t.restart_s =
      work.machines->spec->operation.restart.or_else(cluster::default_restart()).get().si();
  return t;
}

/// States to look at stay below some ten thousands.
int order_for(const availability::System& s) {
  double n = 0;
  for (const auto& g : s.groups) n += g.standby ? 0 : 1;
  double states = 1;
  for (int order = 1; order <= 3; ++order) {
    states *= (n + order) / order;
    if (states > 3e4) return std::max(1, order - 1);
  }
  return 3;
}

Estimate less(const Estimate& a, const Estimate& b) {
  return {a.mean - b.mean, std::sqrt(a.error * a.error + b.error * b.error)};
}

class Remedies {
 public:
  Remedies(AvailabilityAnswer& a) : a_(a) {}

  void find() {
    Stage stage(a_.simulated.progress, "trying remedies", 0);
    stage_ = &stage;
    cooling_on_ups();
    one_more_each();
    std::stable_sort(a_.remedies.begin(), a_.remedies.end(), [](const auto& x, const auto& y) {
      return x.lost_gpu_s.mean > y.lost_gpu_s.mean;
    });
  }

 private:
  void add(std::string what, const availability::System& system) {
    const auto with = availability::simulate(system, a_.simulated);
    stage_->advance();
    const auto& base = a_.result;
    AvailabilityRemedy r;
    r.what = std::move(what);
    r.hours = less(base.site_hours, with.site_hours);
    r.lost_gpu_s = less(base.lost_gpu_s, with.lost_gpu_s);
    r.hours.mean += base.planned_hours - with.planned_hours;
    r.lost_gpu_s.mean += base.planned_lost_gpu_s - with.planned_lost_gpu_s;
    r.usd = r.lost_gpu_s.mean * a_.usd_per_gpu_s;
    r.clear = r.lost_gpu_s.mean > r.lost_gpu_s.error;
    a_.remedies.push_back(std::move(r));
  }

  /// Pumps, fans and compressors that do not stop with the mains.
  void cooling_on_ups() {
    if (a_.battery_s <= 0) return;
    auto system = a_.system;
    bool any = false;
    for (auto& view : system.views) {
      double racks = 0, cooling = 0;
      for (const auto& s : view.sinks) (s.need == 0 ? racks : cooling) += s.demand_w;
      for (auto& s : view.sinks) {
        if (s.need != cooling_need) continue;
        any = true;
        s.ride_failure = a_.battery_failure;
        const double battery_s = a_.battery_s * racks / (racks + cooling);
        for (auto& r : s.ride)
          if (r.rate > 0)
            r.rate = 1 / ((r.rate == availability::never ? 0 : 1 / r.rate) + battery_s);
      }
    }
    if (any) add("cooling behind the UPS, which must then carry it", system);
  }

  /// One unit more of what the lost time is due to, most first.
  void one_more_each() {
    constexpr std::size_t most = 5;
    std::vector<std::pair<double, int>> due;
    for (std::size_t g = 0; g < a_.system.groups.size(); ++g) {
      double share = a_.result.share_of(int(g));
      const auto& planned = a_.result.planned_groups;
      if (std::find(planned.begin(), planned.end(), int(g)) != planned.end()) share += 1;
      if (share > 0.005 && !a_.system.groups[g].external) due.emplace_back(-share, int(g));
    }
    std::sort(due.begin(), due.end());
    if (due.size() > most) due.resize(most);
    for (const auto& [share, group] : due) {
      auto more = a_.system;
      auto& g = more.groups[std::size_t(group)];
      ++g.units;
      add(fmt::format("one more of {} ({} -> {})", g.title, g.units - 1, g.units), more);
      const auto& price = a_.prices[std::size_t(group)];
      if (price.source.empty()) continue;
      a_.remedies.back().capital_usd = price.usd;
      a_.remedies.back().price_source = price.source;
    }
  }

  AvailabilityAnswer& a_;
  Stage* stage_ = nullptr;
};

void lost_tokens(const Context& c, AvailabilityAnswer& a) {
  for (const auto& work : c.work) {
    const double rate = tokens_per_s(work);
    if (rate <= 0 || work.machines == nullptr) continue;
    for (std::size_t i = 0; i < c.halls.size(); ++i) {
      if (work.machines->spec->hall != c.halls[i].spec->building.name) continue;
      const auto& l = a.result.loads[i];
      a.work.push_back({work.spec->name, rate * (work.gang ? l.gang_lost_s : l.other_lost_s)});
    }
  }
}

Diagnostic mistake(std::string where, std::string message, std::string hint = {}) {
  return {std::move(where), 0, 0, "", std::move(message), std::move(hint), ""};
}

}  // namespace

AvailabilitySystem::AvailabilitySystem(const Context& c, const availability::Spec& spec,
                                       const cooling::Plant& plant, const cooling::DesignDays& days,
                                       AvailabilityAnswer& answer)
    : c_(c), spec_(spec), plant_(plant), days_(days), a_(answer), parts_(spec, c.catalog) {}

void AvailabilitySystem::build() {
  loads();
  chain();
  plant();
  single_units();
  cap_demands();
  a_.figures = parts_.figures();
}

/// Stages that stand as one unit because the scenario does not count them.
void AvailabilitySystem::single_units() {
  const auto power = c_.scenario.power.value_or(power::Spec{});
  if (!power.nodes.empty()) return;
  std::vector<std::string> stages;
  if (!power.grid.feeds) stages.emplace_back("the grid's feed (power.grid.feeds)");
  if (!power.transformer.units) stages.emplace_back("transformer (power.transformer.units)");
  if (!power.ups.modules && power.ups.redundancy != catalog::Redundancy::none)
    stages.emplace_back("UPS (power.ups.modules)");
  for (const auto& hall : c_.halls)
    if (!hall.spec->power.units)
      stages.push_back(fmt::format("distribution of {} (building.halls.{}.distribution.units)",
                                   hall.title, hall.spec->building.name));
  if (stages.empty()) return;
  say(
      fmt::format("the scenario does not count: {}. Each stands as one unit, so one failure takes "
                  "the whole stage",
                  fmt::join(stages, ", ")));
}

void AvailabilitySystem::loads() {
  for (const auto& hall : c_.halls) {
    availability::Load load;
    load.name = hall.scope, load.title = hall.title;
    for (const auto* m : hall.machines) load.gpus += m->gpus.value;
    double interval = 0, restart = 0;
    for (const auto& work : c_.work) {
      if (work.machines == nullptr || !work.gang) continue;
      if (work.machines->spec->hall != hall.spec->building.name) continue;
      const double gpus = std::min(work.gpus_needed.value.si(), load.gpus - load.gang_gpus);
      if (gpus <= 0) continue;
      const auto times = gang_times(c_, work);
      load.gang_gpus += gpus;
      interval += gpus * times.interval_s, restart += gpus * times.restart_s;
    }
    if (load.gang_gpus > 0) {
      load.rework_s = interval / load.gang_gpus / 2;
      load.gang_restart_s = restart / load.gang_gpus;
    }
    load.restart_s = availability::restart_s(spec_);
    a_.gpus += load.gpus;
    a_.system.loads.push_back(std::move(load));
  }
}

/// What falls short with everything in service is held to what it carries.
void AvailabilitySystem::cap_demands() {
  availability::Served served(a_.system);
  const availability::Counts all(a_.system.groups.size(), 0);
  std::vector<std::vector<double>> got;
  for (std::size_t v = 0; v < a_.system.views.size(); ++v) got.push_back(served.of(v, all));
  for (std::size_t v = 0; v < got.size(); ++v) {
    auto& view = a_.system.views[v];
    double wanted = 0, given = 0;
    for (std::size_t s = 0; s < got[v].size(); ++s) {
      wanted += view.sinks[s].demand_w, given += view.sinks[s].demand_w * got[v][s];
      if (got[v][s] < availability::whole) view.sinks[s].demand_w *= got[v][s] * (1 - 1e-9);
    }
    if (given < wanted * availability::whole)
      say(
          fmt::format("{}: carries {:.0f} % of full load with everything in service (see check); "
                      "what it carries is what is counted",
                      view.title, 100 * given / wanted));
    std::erase_if(view.sinks, [](const auto& s) { return s.demand_w <= 0; });
  }
}

Result<AvailabilityAnswer> availability_of(Context& c, const AvailabilityOptions& options) {
  const Loaded& loaded = c.brought;
  FacilityOptions facility;
  facility.epw = options.epw, facility.fill_gap_h = options.fill_gap_h;
  Diagnostics mistakes;
  if (!c.has_facility)
    mistakes.add(mistake(loaded.file, "no hall stands in this scenario",
                         "add building.halls, and hall to its clusters"));
  const auto weather = facility_weather(c, facility);
  if (!weather) mistakes.add(weather.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));

  AvailabilityAnswer a;
  a.scenario = c.scenario.name;
  const auto days = cooling::design_days(*weather);
  const auto plant = plant_of(c, days);
  const auto spec = c.scenario.availability.value_or(availability::Spec{});
  AvailabilitySystem(c, spec, plant, days, a).build();
  for (const auto& text : availability::mistakes_of(a.system))
    mistakes.add(mistake(loaded.file, text));
  if (!mistakes.empty()) return failure(std::move(mistakes));

  a.simulated = availability::options_of(spec);
  a.simulated.threads = options.threads, a.simulated.progress = options.progress;
  if (options.histories > 0) a.simulated.histories = options.histories;
  a.result = availability::simulate(a.system, a.simulated);
  a.exact_order = order_for(a.system);
  a.exact = availability::exact(a.system, {a.exact_order, a.simulated.crews});
  a.tier = availability::tier_of(a.system, std::move(a.tier.gaps));
  if (const auto price = gpu_hour_price(c, {}); price.known()) {
    a.usd_per_gpu_s = price.rate.value.si();
    a.price_origin = price.origin;
  }
  lost_tokens(c, a);
  if (options.remedies) Remedies(a).find();
  a.simulated.progress = nullptr;  // who watches need not outlive the answer
  a.remarks.push_back(
      "full load and the design day at every hour; failures of single racks and servers are the "
      "clusters' own and not counted here");
  return a;
}

Result<AvailabilityAnswer> facility_availability(const Loaded& loaded,
                                                 const catalog::Catalog& catalog,
                                                 const AvailabilityOptions& options) {
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  return availability_of(c, options);
}

}  // namespace headroom::study
