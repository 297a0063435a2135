// What a scenario says of a cluster's failures, spares and checkpoints.
//
// Everything is optional. Unset numbers come from the failure population (a
// catalogue entry of kind `failure`) or from the defaults named here.
#pragma once

#include "spec/fields.hpp"

namespace headroom::cluster {

struct Spec {
  std::string failures;            ///< catalogue entry; by accelerator when empty
  Value<Time> gpu_mtbf;            ///< GPU time between interruptions; overrides `failures`
  Value<Time> job_mtbf;            ///< failures that do not grow with size (software, users)
  Value<Scalar> node_out_share;    ///< interruptions after which a node leaves for repair
  Value<Scalar> spares;            ///< nodes kept idle, out of the cluster's count
  Value<Scalar> spare_percentile;  ///< spares must cover this share of the time
  Value<Time> repair_time;
  Value<Time> detection;
  Value<Time> restart;
  Value<Time> checkpoint_interval;   ///< unset: Daly's
  Value<Time> maintenance_interval;  ///< planned stops of a job; unset: none
  Value<Scalar> occupancy;           ///< share of free GPUs that the scheduler can place
  Value<Scalar> goodput;             ///< ETTR that every training job must reach

  void fields(spec::Fields& f);
};

}  // namespace headroom::cluster
