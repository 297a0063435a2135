// What a cluster delivers of the GPUs it has: are there enough, do spares
// cover the nodes in repair, how often does a job stop, and what share of the
// time does it make progress.
//
//   M_job  = 1 / (gpus_job / gpu_mtbf + 1 / job_mtbf)
//   nodes in repair ~ binomial(nodes, p),  p = h T / (1 + h T),
//            h = node_out_share x gpus_per_node / gpu_mtbf,  T = repair time
//   wait for a node = P(in repair > spares) x T / (spares + 1)   when spares are given
//   ETTR   by cluster/goodput.hpp with R = restart + wait
//   stops  = elapsed time / M_job
//
// With no spares given, a failed node is taken to be replaced at once from
// outside the job; the plan says how many nodes that takes.
//
// Margins: GPUs wanted, spares (when given), checkpoint interval against MTBF
// (for every gang job), goodput (when demanded). Plans: checkpoint interval
// for every gang job, spares. Ids: `cluster.<scope>.gpus`, `.spares`,
// `cluster.<scope>.<job>.checkpoint`, `.goodput`.
//
// Not modelled: correlated failures (rack, pod), stragglers, queueing before
// the first start, elastic jobs that lose one replica only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "catalog/catalog.hpp"
#include "cluster/spec.hpp"

namespace headroom::cluster {

/// One workload as the cluster sees it. All jobs of a Demand run at once.
struct Job {
  std::string name;     ///< kebab-case; part of ids
  Figure<Scalar> gpus;  ///< GPUs it runs on; they decide its failures
  /// GPUs it cannot do without; `gpus` when unset. A run that takes what is left wants
  /// only as many as its deadline asks.
  std::optional<Figure<Scalar>> wanted;
  bool gang = true;                 ///< one failure stops it all (training); false: serving
  Figure<Time> productive;          ///< productive time wanted, without losses; 0: open end
  Figure<Time> checkpoint_write;    ///< stall of one checkpoint; 0: free
  Figure<Time> checkpoint_drain;    ///< asynchronous write after the stall
  Value<Time> checkpoint_interval;  ///< the workload's own choice; over Spec's
  Value<Scalar> goodput;            ///< the workload's own demand; over Spec's
};

struct Demand {
  std::string scope;        ///< cluster's name in kebab-case
  std::string title;        ///< as people call it; scope when empty
  std::string accelerator;  ///< id, chooses the default failure population
  Figure<Scalar> gpus;      ///< GPUs had
  Figure<Scalar> nodes;     ///< failure unit: servers, or compute trays of a rack system
  std::optional<Figure<Money>> node_price;  ///< for the cost of remedies
  std::vector<Job> jobs;
};

/// What one gang job gets.
struct JobGoodput {
  std::string name;
  Figure<Time> mtbf;
  Figure<Time> interval;  ///< between checkpoints
  Figure<Time> young, daly;
  Figure<Scalar> ettr;   ///< productive over elapsed time, queueing excluded
  Figure<Time> elapsed;  ///< productive time / ETTR; 0 for an open end
  Figure<Scalar> stops;  ///< unexpected stops in `elapsed` (in 30 d for an open end)
};

struct Result {
  std::string population;  ///< id of the failure population used; empty when overridden
  Figure<Time> gpu_mtbf;
  Figure<Scalar> gpus_usable;  ///< (nodes - spares) x GPUs a node x occupancy
  Figure<Scalar> gpus_wanted;
  Figure<Scalar> nodes_in_repair;  ///< mean
  Figure<Scalar> spares_needed;    ///< nodes at the percentile
  std::vector<JobGoodput> jobs;    ///< gang jobs, in order
  Findings findings;
};

/// Never throws on input; needs `gpus` and `nodes` above zero to say anything
/// of failures, and says so in a remark otherwise. O(jobs + nodes).
Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace);

}  // namespace headroom::cluster
