#include "catalog/failure_rate.hpp"

namespace headroom::catalog {

void FailureCause::fields(spec::Fields& f) {
  f.text("cause", cause, "What broke");
  f.number("count", count, "", "Interruptions with this cause").at_least(0).required();
  f.flag("node_out", node_out, "The node leaves for repair");
}

void FailurePopulation::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("accelerator", accelerator, "Accelerator of the fleet");
  f.text("counts", counts, "What was counted as an interruption");
  f.number("gpus", gpus, "GPU", "Size of the fleet or job watched").above(0);
  f.number("window", window, "d", "How long it was watched").above(0);
  f.number("interruptions", interruptions, "", "Interruptions in that time").above(0);
  f.number("gpu_mtbf", gpu_mtbf, "h", "GPU time between interruptions, where only a rate is given")
      .above(0);
  f.number("job_mttf", job_mttf, "h", "Measured mean time to failure of one job of that size")
      .above(0);
  f.number("node_out_share", node_out_share, "%", "Interruptions after which a node needs repair")
      .between(0, 100);
  f.number("repair", repair, "h", "From failure until the node is back").above(0);
  f.number("detection", detection, "s", "From failure until it is noticed").at_least(0);
  f.number("restart", restart, "s", "From noticing until the job makes progress again").at_least(0);
  f.number("ettr", ettr, "%", "Effective training time ratio as published").between(0, 100);
  f.text("ettr_means", ettr_means, "How the source defines that ratio");
  f.list("causes", causes, "Interruptions by cause");
}

Time FailurePopulation::gpu_time_between() const {
  if (gpus && window && interruptions) return window.get() * (gpus.get() / interruptions.get());
  if (gpu_mtbf) return gpu_mtbf.get();
  if (gpus && job_mttf) return job_mttf.get() * gpus.get();
  return {};
}

Scalar FailurePopulation::node_share() const {
  if (node_out_share) return node_out_share.get();
  double all = 0;
  double out = 0;
  for (const auto& c : causes) {
    all += c.count.likely;
    if (c.node_out) out += c.count.likely;
  }
  return all > 0 ? out / all : -1.0;
}

}  // namespace headroom::catalog
