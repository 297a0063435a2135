// What to change next: changes of the job (train/advice.hpp), another system of the
// catalogue, another checkpoint interval.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "money/inputs.hpp"
#include "study/training_parts.hpp"

namespace headroom::study {
namespace {

constexpr std::size_t most_changes = 8;

/// Systems that can be had with a newer accelerator, one an accelerator.
std::vector<const catalog::System*> newer_systems(const Context& c, const Machines& m,
                                                  Precision precision) {
  std::vector<const catalog::System*> out;
  const double now = compute::peak(*m.accelerator, precision).si();
  for (const auto* s : c.catalog.all<catalog::System>()) {
    using catalog::SystemForm;
    if (s->form != SystemForm::server && s->form != SystemForm::rack) continue;
    const auto* gpu = c.catalog.find<catalog::Accelerator>(s->accelerator);
    if (gpu == nullptr || gpu->id == m.accelerator->id || gpu->vendor != m.accelerator->vendor)
      continue;
    if (gpu->year < m.accelerator->year || compute::peak(*gpu, precision).si() <= now) continue;
    const bool there = std::any_of(out.begin(), out.end(), [&](const auto* other) {
      return other->accelerator == s->accelerator;
    });
    if (!there) out.push_back(s);
  }
  return out;
}

/// The network of as many GPUs in another system, designed as the cluster's own.
fabric::Path path_of(const Context& c, const Machines& m, const catalog::System& system,
                     const catalog::Accelerator& gpu, double gpus) {
  Trace scratch;
  fabric::Demand demand;
  demand.scope = m.scope;
  demand.system = &system;
  demand.accelerator = &gpu;
  const double systems = std::ceil(gpus / std::max(1, system.accelerators));
  demand.systems = scratch.derive("systems", Scalar(systems), "system", "GPUs / GPUs of one", {});
  demand.racks = systems;
  fabric::Spec spec = m.spec->fabric;
  spec.network_switch.clear();  // chosen for the speed of the old adapters
  spec.nic.clear();
  return fabric::design(spec, demand, c.catalog, scratch).path;
}

/// What a token then costs at the rent of the other accelerator, when both prices are known.
std::string cost_then(const Context& c, const catalog::Accelerator& gpu, const GpuPrice& price,
                      double gain) {
  money::Demand demand;
  demand.accelerator = gpu.id;
  Trace scratch;
  std::vector<std::string> remarks;
  const auto rent = money::find_rent(money::Way::neocloud, {}, demand, c.catalog, scratch, remarks);
  if (!rent || !price.known() || price.rate.value.si() <= 0) return {};
  const double change = double(rent->rate.value / price.rate.value) / (1 + gain) - 1;
  return fmt::format("; rented at {:.2f} USD/GPU/h ({}) a token costs {:.0f} % {}",
                     rent->rate.value.si() * 3600, rent->as_of, std::abs(100 * change),
                     change < 0 ? "less" : "more");
}

void system_changes(const Context& c, const Work& work, const train::Job& job,
                    const GpuPrice& price, std::vector<ChangeRow>& out, int& tried) {
  const Machines& m = *work.machines;
  const auto& demand = work.training->demand;
  const double now = work.training->result.chosen.tokens_per_s;
  for (const auto* system : newer_systems(c, m, job.precision)) {
    const auto& gpu = *c.catalog.find<catalog::Accelerator>(system->accelerator);
    train::Demand other = demand;
    other.accelerator = &gpu;
    other.gpus = job.gpus;
    other.path = path_of(c, m, *system, gpu, job.gpus);
    other.domain = to_count(other.path.domain);
    other.network_node = no_node;
    Trace scratch;
    Findings ignored;
    const compute::Device device(gpu);
    const auto there = train::resolve(work.spec->train, other, device, scratch, ignored);
    train::SearchOptions options;
    options.keep = 1, options.threads = demand.search.threads;
    options.progress = demand.search.progress;
    const auto found = train::search(there, options);
    ++tried;
    if (!found.fits() || now <= 0) continue;
    const auto& best = found.best.front();
    const double gain = best.tokens_per_s / now - 1;
    out.push_back({"system." + system->id, fmt::format("as many {} ({})", gpu.name, system->name),
                   fmt::format("a new cluster; {:.0f} W a GPU in place of {:.0f}{}",
                               gpu.power.max.or_else(Power{}).in(watt),
                               m.accelerator->power.max.or_else(Power{}).in(watt),
                               cost_then(c, gpu, price, gain)),
                   train::summary(best.plan), gain});
  }
}

/// Of the systems only the two with the largest gains: they would hide everything else.
void keep_two_systems(std::vector<ChangeRow>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const ChangeRow& a, const ChangeRow& b) { return a.gain > b.gain; });
  int seen = 0;
  all.erase(std::remove_if(
                all.begin(), all.end(),
                [&](const ChangeRow& c) { return c.key.rfind("system.", 0) == 0 && ++seen > 2; }),
            all.end());
}

/// Goodput at the interval that suits the failures, against the one that was fixed.
void interval_change(const Context& c, const Work& work, std::vector<ChangeRow>& out, int& tried) {
  if (!work.spec->train.checkpoint.interval || work.goodput.node == no_node) return;
  cluster::Job job = training_job(c, work, work.stall);
  job.name = work.scope;
  job.checkpoint_interval = {};
  cluster::Spec spec = work.machines->spec->operation;
  spec.checkpoint_interval = {};
  Trace scratch;
  const auto r = cluster::assess(spec, cluster_demand(*work.machines, {job}), c.catalog, scratch);
  ++tried;
  if (r.jobs.empty() || work.goodput.value <= 0) return;
  const double gain = double(r.jobs.front().ettr.value) / double(work.goodput.value) - 1;
  out.push_back(
      {"checkpoint.interval",
       fmt::format("checkpoint every {:.3g} min (Daly)", r.jobs.front().interval.value.in(minute)),
       "storage that takes it: see goodput", "", gain});
}

}  // namespace

void add_changes(Context& c, const Work& work, const train::Job& planned, const GpuPrice& price,
                 TrainingRun& out) {
  const auto& search = work.training->demand.search;
  train::SearchOptions options;
  options.fixed = work.spec->train.plan;
  options.threads = search.threads, options.progress = search.progress;
  train::Job job = planned;
  // A plan chosen to be small is not told to be large: gains are at the GPUs that it uses.
  if (search.objective != train::Objective::fastest)
    job.gpus = work.training->result.chosen.plan.gpus();
  std::vector<ChangeRow> all;
  for (auto& change :
       train::advise(job, *work.machines->accelerator, work.training->result.chosen, options)) {
    ++out.tried;
    all.push_back({std::move(change.key), std::move(change.action), std::move(change.needs),
                   train::summary(change.then.plan), change.gain});
  }
  system_changes(c, work, job, price, all, out.tried);
  interval_change(c, work, all, out.tried);
  keep_two_systems(all);
  for (auto& change : all)
    if (change.gain > train::worthwhile_gain && out.changes.size() < most_changes)
      out.changes.push_back(std::move(change));
}

}  // namespace headroom::study
