#include "study/context.hpp"
#include "study/lines.hpp"

namespace headroom::study {

double gpus_per_node(const Machines& m) {
  // NVL72-class racks fail by the compute tray of four GPUs (NVIDIA GB200 NVL72:
  // 18 trays of 4).
  constexpr double tray = 4;
  const double all = m.system->accelerators;
  return m.system->form == catalog::SystemForm::rack && all > tray ? tray : std::max(1.0, all);
}

cluster::Demand cluster_demand(const Machines& m, std::vector<cluster::Job> jobs) {
  cluster::Demand d;
  d.scope = m.scope;
  d.title = "cluster " + m.spec->name;
  d.accelerator = m.accelerator->id;
  d.gpus = m.gpus;
  d.nodes = {Scalar(m.gpus.value / gpus_per_node(m)), m.gpus.node};
  if (m.system->price) {
    d.node_price =
        Figure<Money>{m.system->price.get() * (gpus_per_node(m) / m.system->accelerators), no_node};
  }
  d.jobs = std::move(jobs);
  return d;
}

cluster::Job training_job(const Context& c, const Work& work, Figure<Time> stall) {
  cluster::Job job;
  job.name = work.scope;
  job.gang = true;
  job.productive = work.productive;
  job.checkpoint_write = stall;
  if (c.checkpoint_write && work.spec->train.checkpoint.async &&
      c.checkpoint_write.get().si() > 0) {
    job.checkpoint_drain = {work.checkpoint.value / c.checkpoint_write.get(), work.checkpoint.node};
  }
  job.checkpoint_interval = work.spec->train.checkpoint.interval;
  job.gpus = {
      Scalar(work.spec->train.gpus > 0 ? work.spec->train.gpus : double(work.machines->gpus.value)),
      work.machines->gpus.node};
  return job;
}

namespace {

/// Training was reckoned with this goodput before the cluster layer reported it.
void tie_goodput(Context& c, const cluster::JobGoodput& job) {
  for (const std::string& id :
       {"train." + job.name + ".goodput", "workloads." + job.name + ".goodput"}) {
    const NodeId node = c.trace.find(id);
    if (node != no_node && job.ettr.node != no_node) {
      c.trace.complete(node, "ETTR of the cluster layer", {job.ettr});
    }
  }
}

}  // namespace

void assess_clusters(Context& c) {
  for (auto& m : c.machines) {
    std::vector<cluster::Job> jobs;
    for (auto& work : c.work) {
      if (work.machines != &m || work.gpus_needed.node == no_node) continue;
      if (work.spec->kind == WorkKind::edge) continue;  // boxes stand alone
      cluster::Job job;
      if (work.gang) job = training_job(c, work, work.stall);
      job.name = work.scope;
      job.gang = work.gang;
      job.gpus = work.gpus_needed;
      if (work.gang) job.wanted = work.gpus_wanted;
      jobs.push_back(std::move(job));
    }
    if (jobs.empty()) continue;
    auto result =
        cluster::assess(m.spec->operation, cluster_demand(m, std::move(jobs)), c.catalog, c.trace);
    c.add(result.findings);
    for (const auto& job : result.jobs) {
      tie_goodput(c, job);
      for (auto& section : c.verdict.workloads) {
        if (section.key != job.name) continue;
        add_line(section.lines, "mtbf", "mean time between stops of the job", job.mtbf, "h");
        add_line(section.lines, "interval", "checkpoint interval", job.interval, "min");
        add_line(section.lines, "stops", "unexpected stops in the run", job.stops, "1");
      }
    }
    c.clusters.push_back(std::move(result));
  }
}

}  // namespace headroom::study
