#include "cluster/assess.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "catalog/failure_rate.hpp"
#include "cluster/defaults.hpp"
#include "cluster/goodput.hpp"
#include "cluster/remedies.hpp"

namespace headroom::cluster {
namespace {

using catalog::FailurePopulation;

class Assessor {
 public:
  Assessor(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace)
      : spec_(spec), demand_(demand), catalog_(catalog), trace_(trace) {}

  Result run() {
    count_gpus();
    if (demand_.gpus.value <= 0 || demand_.nodes.value <= 0) {
      remark("has no GPUs or no nodes; failures were not looked at");
      return std::move(result_);
    }
    find_rates();
    if (result_.gpu_mtbf.value.si() <= 0) return std::move(result_);
    size_spares();
    for (const auto& job : demand_.jobs) {
      if (job.gang && job.gpus.value > 0) follow(job);
    }
    return std::move(result_);
  }

 private:
  std::string id(const std::string& name) const { return "cluster." + demand_.scope + "." + name; }
  std::string title() const { return demand_.title.empty() ? demand_.scope : demand_.title; }
  void remark(const std::string& text) {
    const bool named = title().starts_with("cluster ");
    result_.findings.remarks.push_back((named ? "" : "cluster ") + title() + " " + text);
  }
  double gpus_per_node() const {
    return demand_.nodes.value > 0 ? demand_.gpus.value.si() / demand_.nodes.value.si() : 0.0;
  }
  std::optional<Money> price_of(double nodes) const {
    if (!demand_.node_price) return std::nullopt;
    return demand_.node_price->value * nodes;
  }

  void count_gpus();
  void find_rates();
  void find_node_share(const FailurePopulation* population);
  void size_spares();
  void spare_margin(const Figure<Scalar>& had);
  void follow(const Job& job);
  Figure<Time> wait_for_node(const std::string& base);
  Cycle choose_interval(const Job& job, const std::string& base, JobGoodput& out);
  void estimate(const Job& job, const std::string& base, const Cycle& cycle, JobGoodput& out);
  void checkpoint_findings(const Job& job, const std::string& base, const Cycle& cycle,
                           const JobGoodput& out);
  void goodput_margin(const Job& job, const std::string& base, const Cycle& cycle,
                      const JobGoodput& out);

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
  Result result_;
  Figure<Scalar> node_share_, occupancy_;
  Figure<Time> repair_, detection_, restart_;
  double out_probability_ = 0;  ///< that a given node is in repair
};

void Assessor::count_gpus() {
  occupancy_ = trace_.input_or(id("occupancy"), spec_.occupancy, default_occupancy(), "%");
  const double spare_gpus = spec_.spares.or_else(Scalar(0)) * gpus_per_node();
  std::vector<NodeId> from{demand_.gpus, occupancy_};
  if (spec_.spares) from.push_back(trace_.input(id("spares_had"), spec_.spares, "node"));
  result_.gpus_usable = trace_.derive(
      id("gpus_usable"), Scalar(std::max(0.0, demand_.gpus.value - spare_gpus) * occupancy_.value),
      "GPU", "(GPUs - GPUs of spare nodes) x occupancy", std::move(from));
  double wanted = 0;
  std::vector<NodeId> inputs;
  std::string names;
  for (const auto& job : demand_.jobs) {
    const auto needs = job.wanted.value_or(job.gpus);
    if (needs.value <= 0) continue;
    wanted += needs.value;
    inputs.push_back(needs);
    names +=
        fmt::format("{}{} {}", names.empty() ? "" : ", ", job.name, format_number(needs.value));
  }
  result_.gpus_wanted = trace_.derive(id("gpus_wanted"), Scalar(wanted), "GPU",
                                      "sum over the jobs that run at once", std::move(inputs));
  if (wanted <= 0) return;
  auto margin =
      make_margin(id("gpus"), "GPUs, " + title(), result_.gpus_wanted, result_.gpus_usable, "GPU")
          .because(fmt::format("The jobs want {} GPUs at once ({}). The cluster has {}, "
                               "of which {} can be given to jobs.",
                               format_number(wanted), names, format_number(demand_.gpus.value),
                               format_number(result_.gpus_usable.value)));
  const double missing = wanted - result_.gpus_usable.value;
  if (missing > 0 && gpus_per_node() > 0 && occupancy_.value > 0) {
    const double nodes = std::ceil(missing / occupancy_.value / gpus_per_node() - 1e-9);
    margin.remedies.push_back(
        {fmt::format("add {} nodes of {:g} GPUs", format_number(nodes), gpus_per_node()),
         price_of(nodes), std::nullopt, demand_.node_price ? "price of a node in the bill" : ""});
    margin.remedies.push_back(
        {fmt::format("run the jobs one after the other: the largest wants {} "
                     "GPUs",
                     format_number(std::max_element(demand_.jobs.begin(), demand_.jobs.end(),
                                                    [](const Job& a, const Job& b) {
                                                      return a.gpus.value < b.gpus.value;
                                                    })
                                       ->gpus.value)),
         std::nullopt, std::nullopt, ""});
  }
  result_.findings.margins.push_back(std::move(margin));
}

void Assessor::find_rates() {
  const std::string wanted =
      spec_.failures.empty() ? default_population(demand_.accelerator) : spec_.failures;
  const auto* population = catalog_.find<FailurePopulation>(wanted);
  if (spec_.gpu_mtbf) {
    result_.gpu_mtbf = trace_.input(id("gpu_mtbf"), spec_.gpu_mtbf, "h");
  } else if (population == nullptr) {
    remark("finds no failure population '" + wanted +
           "' in the catalogue; failures were not "
           "looked at");
    return;
  } else {
    const auto& p = *population;
    const std::string base = "catalog.failure." + p.id + ".";
    std::vector<NodeId> from{trace_.choice(id("failures"), p.name, p.origin)};
    if (p.gpus) from.push_back(trace_.input(base + "gpus", p.gpus, "GPU"));
    if (p.window && p.interruptions) {
      from.push_back(trace_.input(base + "window", p.window, "d"));
      from.push_back(trace_.input(base + "interruptions", p.interruptions, ""));
    } else if (p.gpu_mtbf) {
      from.push_back(trace_.input(base + "gpu_mtbf", p.gpu_mtbf, "h"));
    } else if (p.job_mttf) {
      from.push_back(trace_.input(base + "job_mttf", p.job_mttf, "h"));
    }
    result_.population = p.id;
    result_.gpu_mtbf = trace_.derive(id("gpu_mtbf"), p.gpu_time_between(), "h",
                                     "GPUs watched x window / interruptions", std::move(from));
    if (spec_.failures.empty() && p.accelerator != demand_.accelerator) {
      remark(fmt::format("takes its failure rate from {}, since no fleet of {} has been published",
                         p.name,
                         demand_.accelerator.empty() ? "its accelerator" : demand_.accelerator));
    }
  }
  find_node_share(population);
  const Value<Time> none;
  repair_ = trace_.input_or(id("repair_time"), spec_.repair_time, default_repair(), "h");
  detection_ =
      trace_.input_or(id("detection"),
                      spec_.detection.or_else(population != nullptr ? population->detection : none),
                      default_detection(), "s");
  restart_ = trace_.input_or(
      id("restart"), spec_.restart.or_else(population != nullptr ? population->restart : none),
      default_restart(), "s");
}

void Assessor::find_node_share(const FailurePopulation* population) {
  const double known = population != nullptr ? static_cast<double>(population->node_share()) : -1;
  if (spec_.node_out_share || known < 0) {
    node_share_ =
        trace_.input_or(id("node_out_share"), spec_.node_out_share, default_node_share(), "%");
    return;
  }
  const NodeId from = trace_.choice("catalog.failure." + population->id + ".causes",
                                    "interruptions by cause", population->origin);
  node_share_ = trace_.derive(id("node_out_share"), Scalar(known), "%",
                              "interruptions that take a node out / all", {from});
}

void Assessor::size_spares() {
  const double per_node = node_share_.value * gpus_per_node() / result_.gpu_mtbf.value.si();  // 1/s
  const double x = per_node * repair_.value.si();
  out_probability_ = x / (1 + x);
  const int nodes = static_cast<int>(std::min(1e9, std::round(demand_.nodes.value.si())));
  result_.nodes_in_repair =
      trace_.derive(id("nodes_in_repair"), Scalar(nodes * out_probability_), "node",
                    "nodes x h T / (1 + h T), h = share taken out x GPUs a node / GPU time between "
                    "interruptions, T = repair time",
                    {demand_.nodes, node_share_, demand_.gpus, result_.gpu_mtbf, repair_});
  const auto percentile =
      trace_.input_or(id("spare_percentile"), spec_.spare_percentile, default_percentile(), "%");
  result_.spares_needed = trace_.derive(
      id("spares_needed"), Scalar(binomial_quantile(nodes, out_probability_, percentile.value)),
      "node", "binomial percentile of nodes in repair", {result_.nodes_in_repair, percentile});
  Plan plan;
  plan.id = id("spare_plan");
  plan.layer = "cluster";
  plan.summary = fmt::format(
      "hold {:.0f} spare nodes: {:.2g} are in repair on average, {:.0f} at the {:g}th percentile",
      static_cast<double>(result_.spares_needed.value),
      static_cast<double>(result_.nodes_in_repair.value),
      static_cast<double>(result_.spares_needed.value), percentile.value * 100);
  plan.items = {{"spares", format_number(result_.spares_needed.value)},
                {"nodes", format_number(nodes)}};
  result_.findings.plans.push_back(std::move(plan));
  if (spec_.spares) spare_margin({spec_.spares.get(), trace_.find(id("spares_had"))});
}

void Assessor::spare_margin(const Figure<Scalar>& had) {
  auto margin =
      make_margin(id("spares"), "spare nodes, " + title(), result_.spares_needed, had, "node")
          .because(fmt::format(
              "A GPU stops its job every {} GPU-hours, {:.0f} % of the stops take the node out, "
              "and a repair takes {}. So {:.2g} of {} nodes are in repair on average and {:.0f} at "
              "the percentile asked.",
              format_number(result_.gpu_mtbf.in(hour)), node_share_.value * 100,
              format(repair_.value, "h"), static_cast<double>(result_.nodes_in_repair.value),
              format_number(demand_.nodes.value),
              static_cast<double>(result_.spares_needed.value)));
  const double missing = result_.spares_needed.value - had.value;
  if (missing > 0) {
    margin.remedies.push_back({fmt::format("hold {:.0f} more spare nodes", std::ceil(missing)),
                               price_of(std::ceil(missing)), std::nullopt,
                               demand_.node_price ? "price of a node in the bill" : ""});
    // The quantile falls with the repair time nearly in proportion to the mean.
    const double ratio = had.value / result_.spares_needed.value;
    if (ratio > 0) {
      margin.remedies.push_back({fmt::format("repair in about {}: keep parts and hands on site",
                                             format(repair_.value * ratio, "h")),
                                 std::nullopt, std::nullopt, ""});
    }
  }
  result_.findings.margins.push_back(std::move(margin));
}

Figure<Time> Assessor::wait_for_node(const std::string& base) {
  if (!spec_.spares) return {};
  const int nodes = static_cast<int>(std::min(1e9, std::round(demand_.nodes.value.si())));
  const int spares = to_count(spec_.spares.get());
  // The node that just failed is in repair too: the job waits when spares are
  // all out among the others, that is when spares - 1 is exceeded.
  const double short_of_nodes =
      spares > 0 ? binomial_above(nodes - 1, out_probability_, spares - 1) : 1.0;
  const Time wait = repair_.value * (node_share_.value * short_of_nodes / (spares + 1));
  return trace_.derive(base + "wait", wait, "s",
                       "share taken out x P(no spare left) x repair time / (spares + 1)",
                       {node_share_, repair_, result_.nodes_in_repair});
}

Cycle Assessor::choose_interval(const Job& job, const std::string& base, JobGoodput& out) {
  Cycle cycle;
  cycle.write = job.checkpoint_write;
  cycle.staleness = job.checkpoint_drain;
  cycle.mtbf = out.mtbf;
  cycle.detection = detection_;
  const auto wait = wait_for_node(base);
  cycle.restart = restart_.value + wait.value;
  out.young = trace_.derive(base + "young", young_interval(cycle.write, cycle.mtbf), "min",
                            "sqrt(2 w M)", {job.checkpoint_write, out.mtbf});
  out.daly = trace_.derive(base + "daly", daly_interval(cycle.write, cycle.mtbf), "min",
                           "sqrt(2 w M) [1 + sqrt(w/2M)/3 + (w/2M)/9] - w",
                           {job.checkpoint_write, out.mtbf});
  const auto& given = job.checkpoint_interval.or_else(spec_.checkpoint_interval);
  out.interval = given ? trace_.input(base + "interval", given, "min")
                       : trace_.derive(base + "interval", chosen_interval(cycle), "min",
                                       "Daly's optimum, no shorter than the write behind it and "
                                       "than a minute",
                                       {out.daly, job.checkpoint_drain});
  cycle.interval = out.interval;
  return cycle;
}

void Assessor::estimate(const Job& job, const std::string& base, const Cycle& cycle,
                        JobGoodput& out) {
  double value = ettr(cycle);
  std::vector<NodeId> from{
      out.interval,         job.checkpoint_write,      out.mtbf, detection_, restart_,
      job.checkpoint_drain, trace_.find(base + "wait")};
  std::string formula = "tau / ((e^((tau+w)/M) - 1)(M + d)), d = D + (e^((R+s)/M) - 1)(M + D)";
  if (spec_.maintenance_interval) {
    const auto between = trace_.input(base + "maintenance", spec_.maintenance_interval, "d");
    value /= 1 + (cycle.write + restart_.value) / between.value;
    from.push_back(between);
    formula += ", / (1 + (w + R)/time between planned stops)";
  }
  out.ettr = trace_.derive(base + "ettr", Scalar(value), "%", formula, std::move(from));
  const bool ends = job.productive.value.si() > 0 && value > 0;
  if (ends) {
    out.elapsed = trace_.derive(base + "elapsed", job.productive.value / value, "d",
                                "productive time / ETTR", {job.productive, out.ettr});
  }
  const Time span = ends ? out.elapsed.value : 30 * day;
  out.stops =
      trace_.derive(base + "stops", Scalar(span / out.mtbf.value), "",
                    ends ? "elapsed time / MTBF" : "30 days / MTBF", {out.mtbf, out.elapsed});
}

void Assessor::follow(const Job& job) {
  const std::string base = id(job.name) + ".";
  JobGoodput out;
  out.name = job.name;
  double rate = job.gpus.value / result_.gpu_mtbf.value.si();
  std::vector<NodeId> from{job.gpus, result_.gpu_mtbf};
  if (spec_.job_mtbf) {
    rate += 1 / spec_.job_mtbf.get().si();
    from.push_back(trace_.input(base + "job_mtbf", spec_.job_mtbf, "h"));
  }
  out.mtbf = trace_.derive(base + "mtbf", Time::from_si(1 / rate), "h",
                           spec_.job_mtbf ? "1 / (GPUs / GPU MTBF + 1 / job MTBF)"
                                          : "GPU time between interruptions / GPUs",
                           std::move(from));
  const Cycle cycle = choose_interval(job, base, out);
  estimate(job, base, cycle, out);
  checkpoint_findings(job, base, cycle, out);
  goodput_margin(job, base, cycle, out);
  result_.jobs.push_back(std::move(out));
}

void Assessor::checkpoint_findings(const Job& job, const std::string& base, const Cycle& cycle,
                                   const JobGoodput& out) {
  Plan plan;
  plan.id = base + "checkpoint_plan";
  plan.layer = "cluster";
  plan.summary = fmt::format(
      "{}: checkpoint every {}, stopped every {}, {:.1f} % of the time productive", job.name,
      format(out.interval.value, "min"), format(out.mtbf.value, "h"), out.ettr.value * 100);
  plan.items = {{"interval", format(out.interval.value, "min")},
                {"young", format(out.young.value, "min")},
                {"daly", format(out.daly.value, "min")},
                {"mtbf", format(out.mtbf.value, "h")},
                {"ettr", format(out.ettr.value, "%")}};
  result_.findings.plans.push_back(std::move(plan));

  const auto need =
      trace_.derive(base + "cycle", cycle.interval + cycle.write, "min",
                    "interval + blocking write", {out.interval, job.checkpoint_write});
  auto margin =
      make_margin(base + "checkpoint", "checkpoint before the next failure, " + job.name, need,
                  out.mtbf, "min")
          .because(fmt::format(
              "A checkpoint is durable {} after the last one, and {} GPUs are stopped every {} on "
              "average. A failure costs {} of work and {} of detection and restart.",
              format(need.value, "min"), format_number(job.gpus.value),
              format(out.mtbf.value, "min"), format(cycle.interval / 2 + cycle.staleness, "min"),
              format(cycle.detection + cycle.restart, "min")));
  if (margin.headroom() < 0.1) margin.remedies = checkpoint_remedies(cycle, job.gpus.value);
  result_.findings.margins.push_back(std::move(margin));
}

void Assessor::goodput_margin(const Job& job, const std::string& base, const Cycle& cycle,
                              const JobGoodput& out) {
  const auto& asked = job.goodput.or_else(spec_.goodput);
  if (!asked) return;
  const auto need = trace_.input(base + "goodput_asked", asked, "%");
  auto margin =
      make_margin(base + "goodput", "goodput, " + job.name, need, out.ettr, "%")
          .because(fmt::format(
              "Stopped every {}, with a checkpoint stall of {} every {} and {} to come "
              "back, the job is productive {:.1f} % of elapsed time (queue excluded).",
              format(out.mtbf.value, "h"), format(cycle.write, "s"), format(cycle.interval, "min"),
              format(cycle.detection + cycle.restart, "min"), out.ettr.value * 100));
  if (margin.headroom() < 0.1) {
    const bool given = spec_.checkpoint_interval || job.checkpoint_interval;
    margin.remedies = goodput_remedies(cycle, {job.gpus.value.si(), out.ettr.value, given});
  }
  result_.findings.margins.push_back(std::move(margin));
}

}  // namespace

Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace) {
  return Assessor(spec, demand, catalog, trace).run();
}

}  // namespace headroom::cluster
