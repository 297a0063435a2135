// FailurePopulation: how often a published fleet was interrupted, what broke,
// and how long it took to come back.
//
// Counts are kept as published (GPUs watched, window, interruptions), so that
// the rate is derived in the open:
//
//   GPU time between interruptions = GPUs x window / interruptions
//
// Some papers give only a rate; then `gpu_mtbf` holds it. Definitions differ
// between papers (an error is not a failure, a failure is not an interruption);
// `counts` says in words what was counted.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// How many of the interruptions had this cause.
struct FailureCause {
  std::string cause;
  Value<Scalar> count;
  bool node_out = false;  ///< the node leaves for repair

  void fields(spec::Fields& f);
};

struct FailurePopulation : Entry {
  static constexpr std::string_view kind = "failure";

  std::string accelerator;       ///< id of the accelerator, or its family in words
  std::string counts;            ///< what was counted
  Value<Scalar> gpus;            ///< size of the fleet or job watched
  Value<Time> window;            ///< how long
  Value<Scalar> interruptions;   ///< how many in that time
  Value<Time> gpu_mtbf;          ///< GPU time between interruptions, where only a rate is given
  Value<Time> job_mttf;          ///< measured mean time to failure of one job of `gpus`
  Value<Scalar> node_out_share;  ///< interruptions after which a node leaves for repair
  Value<Time> repair;            ///< from failure until the node is back
  Value<Time> detection;
  Value<Time> restart;
  Value<Scalar> ettr;      ///< effective training time ratio as published
  std::string ettr_means;  ///< the paper's own definition of it
  std::vector<FailureCause> causes;

  void fields(spec::Fields& f);

  /// GPU time between interruptions from whatever is given, in this order:
  /// counts, gpu_mtbf, job_mttf. Zero when the entry gives none of them.
  Time gpu_time_between() const;
  /// Share of interruptions that take a node out: as given, else from the
  /// causes, else negative.
  Scalar node_share() const;
};

}  // namespace headroom::catalog
