#include "cluster/spec.hpp"

namespace headroom::cluster {

void Spec::fields(spec::Fields& f) {
  f.reference("failures", failures, "failure",
              "Published fleet whose failure rate this one has; by default the one that fits the "
              "accelerator");
  f.number("gpu_mtbf", gpu_mtbf, "h",
           "GPU time between interruptions of a job; by default that of the published fleet")
      .above(0);
  f.number("job_mtbf", job_mtbf, "h",
           "Time between failures that do not grow with a job's size (software, users); by "
           "default none beside the fleet's")
      .above(0);
  f.number("node_out_share", node_out_share, "%",
           "Share of interruptions after which a node leaves for repair; by default that of the "
           "published fleet")
      .between(0, 100);
  f.number("spares", spares, "node",
           "Nodes kept idle out of the cluster's count; by default none are, and the number "
           "needed is reported as a plan")
      .at_least(0);
  f.number("spare_percentile", spare_percentile, "%",
           "Share of the time for which spares must suffice; by default 99 %")
      .between(50, 99.9999);
  f.number("repair_time", repair_time, "h", "From failure until a node is back; by default a day")
      .above(0);
  f.number("detection", detection, "s", "From failure until it is noticed; by default 60 s")
      .at_least(0);
  f.number("restart", restart, "s",
           "From noticing until the job makes progress again; by default 300 s")
      .at_least(0);
  f.number("checkpoint_interval", checkpoint_interval, "min",
           "Work between checkpoints; by default Daly's optimum, no shorter than a minute and "
           "than a checkpoint takes to drain")
      .above(0);
  f.number("maintenance_interval", maintenance_interval, "d",
           "Time between planned stops of a job; by default there are none")
      .above(0);
  f.number("occupancy", occupancy, "%",
           "Share of the GPUs that the scheduler can place work on; by default 100 % for jobs of "
           "whole nodes")
      .between(1, 100);
  f.number("goodput", goodput, "%",
           "Share of elapsed time that a training job must spend "
           "making progress; by default no demand is made")
      .between(0, 99.999);
}

}  // namespace headroom::cluster
