#include "train/advice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::train {
namespace {

// Share of communication that the best published software hides: DeepSeek-V3's DualPipe with
// DeepEP and Megatron-Core's batch-level overlap hide nearly all of it; 90 % is assumed.
constexpr double well_hidden = 0.9;

class Adviser {
 public:
  Adviser(const Job& job, const catalog::Accelerator& accelerator, const Candidate& now,
          const SearchOptions& options)
      : job_(job), accelerator_(accelerator), now_(now), options_(options) {
    options_.keep = 1;
  }

  std::vector<Change> run() {
    Stage stage(options_.progress, "trying changes", 0);
    stage_ = &stage;
    plan();
    precision();
    batch();
    software();
    machine();
    std::stable_sort(out_.begin(), out_.end(),
                     [](const Change& a, const Change& b) { return a.gain > b.gain; });
    return std::move(out_);
  }

 private:
  void attempt(std::string key, std::string action, std::string needs, const Job& job,
               const PlanSpec* fixed = nullptr) {
    SearchOptions options = options_;
    if (fixed != nullptr) options.fixed = *fixed;
    auto found = search(job, options);
    stage_->advance();
    if (!found.fits()) return;
    Change c;
    c.key = std::move(key), c.action = std::move(action), c.needs = std::move(needs);
    c.then = std::move(found.best.front());
    c.gain = now_.tokens_per_s > 0 ? c.then.tokens_per_s / now_.tokens_per_s - 1 : 0;
    out_.push_back(std::move(c));
  }
  template <class Edit>
  void with(std::string key, std::string action, std::string needs, Edit edit) {
    Job other = job_;
    edit(other);
    attempt(std::move(key), std::move(action), std::move(needs), other);
  }

  // --- Plan -----------------------------------------------------------------------------

  void plan() {
    struct Dim {
      const char* name;
      int PlanSpec::*slot;
      int open;
    };
    static constexpr Dim dims[] = {{"tp", &PlanSpec::tp, 0},
                                   {"pp", &PlanSpec::pp, 0},
                                   {"vpp", &PlanSpec::vpp, 0},
                                   {"dp", &PlanSpec::dp, 0},
                                   {"cp", &PlanSpec::cp, 0},
                                   {"ep", &PlanSpec::ep, 0},
                                   {"micro-batch", &PlanSpec::micro_batch, 0},
                                   {"etp", &PlanSpec::etp, 0},
                                   {"hsdp", &PlanSpec::hsdp, 0},
                                   {"schedule", &PlanSpec::schedule, 0},
                                   {"zero", &PlanSpec::zero, -1},
                                   {"recompute", &PlanSpec::recompute, 0}};
    int fixed = 0;
    for (const auto& dim : dims) fixed += options_.fixed.*dim.slot != dim.open ? 1 : 0;
    for (const auto& dim : dims) {
      if (options_.fixed.*dim.slot == dim.open) continue;
      PlanSpec open = options_.fixed;
      open.*dim.slot = dim.open;
      // A dimension moves only when another gives way: the replicas do.
      open.dp = 0;
      if (fixed > 1) one_dimension(dim.name, open);
    }
    if (fixed > 0) {
      const PlanSpec open;
      attempt("plan", "leave the whole plan to the planner", "a restart with another layout", job_,
              &open);
      name_plan();
    }
  }
  void one_dimension(const char* name, const PlanSpec& open) {
    attempt(fmt::format("plan.{}", name), fmt::format("free {} of the plan", name),
            "a restart with another layout", job_, &open);
    name_plan();
  }
  /// The plan that was found belongs to what to do.
  void name_plan() {
    if (!out_.empty() && out_.back().key.rfind("plan", 0) == 0)
      out_.back().action += ": " + summary(out_.back().then.plan);
  }

  // --- Numbers --------------------------------------------------------------------------

  void precision() {
    struct Narrow {
      Precision precision;
      const char* key;
    };
    static constexpr Narrow narrow[] = {{Precision::fp8, "precision.fp8"},
                                        {Precision::fp8_block, "precision.fp8-block"},
                                        {Precision::mxfp8, "precision.mxfp8"},
                                        {Precision::nvfp4, "precision.nvfp4"}};
    const double now = job_.device->peak_flops(job_.precision);
    for (const auto& n : narrow) {
      const auto runs = compute::resolve(accelerator_, n.precision);
      if (!runs.native || n.precision == job_.precision) continue;
      if (job_.device->peak_flops(n.precision) < now) continue;
      with(n.key, fmt::format("multiply matrices in {}", name(n.precision)),
           n.precision == Precision::nvfp4
               ? "a recipe with some layers left in bf16, and proof that the loss follows"
               : "a scaling recipe, and proof on a short run that the loss follows bf16",
           [&](Job& j) { j.precision = n.precision; });
    }
  }

  void batch() {
    for (const int factor : {2, 4})
      with(fmt::format("batch.{}", factor),
           fmt::format("a global batch {} times as large ({:.3g} Mtoken)", factor,
                       factor * job_.sequences * job_.sequence / 1e6),
           "convergence in as many tokens, and another learning rate",
           [&](Job& j) { j.sequences *= factor; });
  }

  // --- Software -------------------------------------------------------------------------

  void software() {
    const auto& p = now_.plan;
    if (p.tp * p.ep * p.pp > 1)
      with("overlap", "hide 90 % of tensor, expert and pipeline communication",
           "--tp-comm-overlap with user buffers, DeepEP and "
           "--overlap-moe-expert-parallel-comm for experts",
           [](Job& j) {
             auto& s = j.software;
             s.tensor_overlap = std::max(s.tensor_overlap, well_hidden);
             s.expert_overlap = std::max(s.expert_overlap, well_hidden);
             s.pipeline_overlap = std::max(s.pipeline_overlap, well_hidden);
             s.data_overlap = true;
           });
    if (job_.software.host_per_layer_s > 0)
      with("cuda-graphs", "replay kernels from CUDA graphs",
           "static shapes (--cuda-graph-impl); some GB a GPU",
           [](Job& j) { j.software.host_per_layer_s = 0; });
    if (!job_.software.flash || job_.software.attention_rate < 1)
      with("attention", "fused attention at the GPU's best rate (FlashAttention 3, cuDNN 9)",
           "an upgrade of the attention library", [](Job& j) {
             j.software.flash = true;
             j.software.attention_rate = std::max(1.0, j.software.attention_rate);
           });
    if (job_.model->is_mixture() && job_.imbalance > 1)
      with("balance", "experts evenly loaded", "a stronger balancing loss or bias, or dropping",
           [](Job& j) { j.imbalance = 1; });
    if (job_.software.jitter_per_doubling > 0 && p.gpus() > 8)
      with("jitter", "no stragglers",
           "a hunt for slow GPUs, hot aisles and noisy hosts; an upper bound",
           [](Job& j) { j.software.jitter_per_doubling = 0; });
  }

  // --- Machine --------------------------------------------------------------------------

  void machine() {
    if (now_.plan.gpus() > job_.domain && job_.path.scale_out.si() > 0) {
      with("network.2", "twice the network bandwidth a GPU", "other adapters, switches and optics",
           [](Job& j) { j.path.scale_out = j.path.scale_out * 2.0; });
      if (job_.path.oversubscription > 1)
        with("network.taper", "a network without oversubscription", "spine switches and optics",
             [](Job& j) { j.path.oversubscription = 1; });
    }
    if (job_.domain > 1 && job_.domain < 72 && now_.plan.gpus() >= 72)
      with("domain.72", "NVLink domains of 72 GPUs", "rack-scale systems, liquid-cooled",
           [](Job& j) { j.domain = 72, j.path.domain = 72; });
    for (const double factor : {1.5, 2.0})
      with(fmt::format("memory.{:g}", factor),
           fmt::format("{:.0f} GB of memory a GPU in place of {:.0f}",
                       factor * job_.memory_bytes / 1e9, job_.memory_bytes / 1e9),
           "another GPU of the same rate", [&](Job& j) { j.memory_bytes *= factor; });
  }

  const Job& job_;
  const catalog::Accelerator& accelerator_;
  const Candidate& now_;
  SearchOptions options_;
  Stage* stage_ = nullptr;
  std::vector<Change> out_;
};

}  // namespace

std::vector<Change> advise(const Job& job, const catalog::Accelerator& accelerator,
                           const Candidate& now, const SearchOptions& options) {
  return Adviser(job, accelerator, now, options).run();
}

}  // namespace headroom::train
