// Where the parts of a step come from: the figures of the accelerator and of the network
// that stand behind each, for `headroom explain`.
#include "train/assess_work.hpp"

namespace headroom::train {
namespace {

template <class Q>
NodeId leaf(const Work& w, const char* what, const Value<Q>& v, const char* unit) {
  return v ? w.trace.leaf(w.id(what), v, unit) : no_node;
}

const catalog::GemmFit* gemm_fit(const catalog::Accelerator& a, Precision p) {
  for (const auto& fit : a.gemm)
    if (fit.precision == p) return &fit;
  return nullptr;
}

const catalog::AttentionFit* attention_fit(const catalog::Accelerator& a) {
  return a.attention.empty() ? nullptr : &a.attention.front();
}

bool any_of(std::string_view part, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (part == name) return true;
  return false;
}

bool over_domain(std::string_view part) {
  return any_of(part, {"tensor-parallel communication", "context-parallel exchange"});
}
bool over_network(std::string_view part) {
  return any_of(part, {"expert all-to-all", "pipeline sends", "data-parallel communication"});
}
bool in_products(std::string_view part) {
  return any_of(part, {"matrix products", "recomputation", "embedding, head and loss"});
}

}  // namespace

StepSources::StepSources(const Work& w, const Job& job, NodeId plan)
    : plan_(plan),
      model_(w.trace.find(w.id("model"))),
      software_(w.trace.find(w.id("software"))),
      jitter_(w.trace.find(w.id("jitter"))) {
  const auto& a = *w.demand.accelerator;
  const auto runs_as = compute::resolve(a, job.precision).runs_as;
  if (const auto* rate = a.rate(runs_as)) rate_ = leaf(w, "dense-rate", rate->dense, "TFLOP/s");
  const auto* fit = gemm_fit(a, runs_as);
  gemm_ = leaf(w, "gemm-efficiency", fit != nullptr ? fit->efficiency : a.gemm_efficiency, "%");
  if (const auto* attention = attention_fit(a))
    attention_ = leaf(w, "attention-rate-max", attention->rate_max, "TFLOP/s");
  memory_ = leaf(w, "memory-bandwidth", a.memory_bandwidth, "TB/s");
  scale_up_ = leaf(w, "scale-up-link", a.scale_up.bandwidth, "GB/s");
  network_ = w.demand.network_node;
}

std::vector<NodeId> StepSources::inputs(std::string_view part) const {
  if (in_products(part)) return {plan_, model_, rate_, gemm_, memory_};
  if (part == "attention") return {plan_, model_, attention_};
  if (any_of(part, {"norms, activations, residuals", "optimiser"})) return {plan_, model_, memory_};
  if (over_domain(part)) return {plan_, model_, scale_up_};
  if (over_network(part)) return {plan_, model_, network_, scale_up_};
  if (part == "stragglers") return {plan_, jitter_};
  if (part == "software factor") return {software_};
  return {plan_};
}

const char* StepSources::formula(std::string_view part) {
  if (in_products(part))
    return "sum over the layers' GEMMs of max(FLOPs / (dense rate x efficiency(shape)), bytes / "
           "bandwidth) "
           "+ launch (docs/models/compute.md)";
  if (part == "attention")
    return "FLOPs / (rate of the kernel at its shape), backward 2.5 x FLOPs at its own rate "
           "(docs/models/compute.md)";
  if (over_domain(part))
    return "exposed share of collectives inside the scale-up domain (docs/models/fabric.md)";
  if (over_network(part))
    return "exposed share of collectives over the network (docs/models/fabric.md)";
  if (part == "pipeline bubble")
    return "closed form of the schedule less its slowest rank's work: (pp - 1) / (vpp x "
           "micro-batches) of it for equal stages of 1F1B";
  if (part == "kernel launch") return "time in which the host is slower than the GPU";
  if (part == "waiting for the host")
    return "activations moved over the host link beyond the pass beside it, and the host's share "
           "of the optimiser at 1.55 ns a parameter";
  if (part == "stragglers") return "share a doubling of GPUs x doublings beyond 8 x step";
  if (part == "software factor") return "step x (1 / software efficiency - 1)";
  return "bytes / memory bandwidth of the operators that are not products";
}

}  // namespace headroom::train
