// The limits that assess reports, and the remedies that lift them.
#include <fmt/format.h>

#include <cmath>

#include "base/units.hpp"
#include "train/assess_work.hpp"

namespace headroom::train {
namespace {

// --- Memory ----------------------------------------------------------------------------

std::string memory_words(const MemoryItems& m) {
  return fmt::format(
      "weights {:.1f}, gradients {:.1f}, optimiser {:.1f}, activations {:.1f}, the layer at work "
      "{:.1f}, logits {:.1f}, buffers {:.1f}, allocator reserve {:.1f}, communicators {:.1f}, "
      "framework {:.1f} GB on pipeline rank {}",
      m.weights / 1e9, m.gradients / 1e9, m.optimiser / 1e9, m.activations / 1e9, m.working / 1e9,
      m.head / 1e9, m.buffers / 1e9, m.reserve / 1e9, m.communicators / 1e9, m.framework / 1e9,
      m.rank);
}

// A remedy of more GPUs than these is none.
constexpr double more_at_most = 64, most_gpus = 1 << 24;

/// The fewest GPUs on which the job fits.
/// The whole plan left to the planner.
SearchOptions unfixed(const SearchOptions& options) {
  SearchOptions open;
  open.progress = options.progress;
  return open;
}

std::optional<Candidate> more_gpus(const Job& job, const SearchOptions& options) {
  return fewest_gpus(job, options, 0, 1 * second);
}

void add_memory_remedies(const Job& job, const SearchOptions& options, Margin& m) {
  const auto try_with = [&](Job other, const char* action) {
    const auto found = search(other, options);
    if (!found.fits()) return;
    m.remedies.push_back(
        {fmt::format("{}: {:.0f} GB a GPU with {}", action, found.best[0].memory.total() / 1e9,
                     summary(found.best[0].plan)),
         {},
         {},
         {}});
  };
  if (const auto more = more_gpus(job, options))
    m.remedies.push_back({fmt::format("use {} GPUs: {}, {:.0f} GB each", more->plan.gpus(),
                                      summary(more->plan), more->memory.total() / 1e9),
                          {},
                          {},
                          {}});
  if (const auto open = search(job, unfixed(options)); open.fits())
    m.remedies.push_back(
        {"leave the plan to the planner: " + summary(open.best[0].plan), {}, {}, {}});
  Job other = job;
  if (job.method == Method::full_finetune) {
    other.method = Method::lora;
    try_with(other, "tune with LoRA instead");
  }
  other = job;
  if (job.optimiser == workload::Optimiser::adam && !job.adapters_only()) {
    other.optimiser = workload::Optimiser::adam_8bit;
    try_with(other, "keep 8-bit Adam moments");
  }
}

}  // namespace

void memory_limit(Work& w, const Job& job, const SearchOptions& options) {
  Result& r = w.out;
  const auto& m = r.chosen.memory;
  r.memory_need = w.derive("memory-need", m.total() * byte, "GB",
                           "weights + gradients + optimiser + activations + logits + buffers + "
                           "framework + allocator reserve",
                           {w.trace.find(w.id("plan"))});
  r.memory_have = w.trace.input(w.id("memory-have"), w.demand.accelerator->memory, "GB");
  const auto top = largest(m);
  auto margin =
      make_margin(w.id("memory"), "memory of one GPU, " + w.demand.scope, r.memory_need,
                  r.memory_have, "GB")
          .because(fmt::format("{}: {}; largest is {} with {:.1f} GB", summary(r.chosen.plan),
                               memory_words(m), top.name, top.bytes / 1e9));
  if (!r.fits) {
    margin.why += "; no plan within what is fixed needs less";
    add_memory_remedies(job, options, margin);
  }
  r.findings.margins.push_back(std::move(margin));
}

// --- Time ------------------------------------------------------------------------------

void finish_limit(Work& w, const Job& job, const SearchOptions& options) {
  Result& r = w.out;
  if (!w.spec.finish_within || r.tokens.value.si() <= 0) return;
  const auto limit = w.trace.input(w.id("finish-within"), w.spec.finish_within, "d");
  auto margin =
      make_margin(w.id("finish-by"), "finish by, " + w.demand.scope, r.duration, limit, "d")
          .because(fmt::format("{} at {} tokens/s on {} GPUs (MFU {:.1f} %, causal "
                               "attention) and {:.0f} % goodput",
                               format_scaled(r.tokens.value.si(), "token"),
                               format_number(r.tokens_per_s.value.si()), r.chosen.plan.gpus(),
                               r.mfu.value * 100, w.goodput() * 100));
  const auto fewest = fewest_gpus(job, options, r.tokens.in(token), limit.value * w.goodput());
  if (margin.headroom() < 0.1) {
    if (fewest && fewest->plan.gpus() > r.chosen.plan.gpus())
      margin.remedies.push_back(
          {fmt::format("use {} GPUs: {}", fewest->plan.gpus(), summary(fewest->plan)), {}, {}, {}});
    Job narrow = job;
    narrow.precision = Precision::fp8;
    if (compute::resolve(*w.demand.accelerator, Precision::fp8).native &&
        job.precision == Precision::bf16) {
      const auto found = search(narrow, options);
      if (found.fits())
        margin.remedies.push_back(
            {fmt::format("train in fp8: {:.1f} days",
                         r.tokens.in(token) / found.best[0].tokens_per_s / w.goodput() / 86400),
             {},
             {},
             {}});
    }
    margin.remedies.push_back({fmt::format("allow {:.1f} days", r.duration.in(day)), {}, {}, {}});
  }
  if (!margin.holds() && !fewest)
    margin.why += "; no number of GPUs finishes in time at this batch";
  r.findings.margins.push_back(std::move(margin));
  if (!fewest) return;
  r.fewest_gpus = w.derive("fewest-gpus", Scalar(fewest->plan.gpus()), "GPU",
                           "fewest GPUs, in whole scale-up domains, whose best plan is in time",
                           {limit.node, r.tokens.node});
  // With a fixed batch the next smaller split may be far away: then there is nothing to tell.
  if (fewest->plan.gpus() == r.chosen.plan.gpus()) return;
  r.findings.plans.push_back(
      {w.id("fewest"),
       "train",
       fmt::format("{} GPUs finish in time: {} with {:.0f} tokens/s", fewest->plan.gpus(),
                   summary(fewest->plan), fewest->tokens_per_s),
       {{"gpus", std::to_string(fewest->plan.gpus())}}});
}

// --- Checkpoints -------------------------------------------------------------------------

/// What an asynchronous save costs beside copying: ranks come to a halt together, state is
/// gathered and planned. The copy itself takes milliseconds and is never the whole stall.
const Value<Time>& checkpoint_halt() {
  static const Value<Time> halt(
      0.3 * second, 1 * second, 6 * second,
      recalled("stall of an asynchronous save: 0.3 to 0.6 s (ByteCheckpoint, "
               "NSDI 2025), about 6 s (PyTorch DCP, 2024)"));
  return halt;
}

void checkpoint_limit(Work& w, const Job& job) {
  Result& r = w.out;
  const auto state = workload::parameter_state(job.optimiser, job.state);
  const double parameters = job.adapters_only() ? workload::lora_parameters(*job.model, job.lora)
                                                : workload::parameters(*job.model).total();
  r.checkpoint_size =
      w.derive("checkpoint-size", parameters * state.checkpoint(), "GB",
               "trained parameters x (weight + master + moments)", {w.trace.find(w.id("model"))});
  const auto& spec = w.spec.checkpoint;
  std::vector<NodeId> inputs{r.checkpoint_size.node};
  Time stall;
  if (spec.async && w.demand.accelerator->pcie) {
    const auto link = w.trace.input(w.id("host-link"), w.demand.accelerator->pcie, "GB/s");
    inputs.push_back(link.node);
    const auto halt = w.trace.input(w.id("checkpoint-halt"), checkpoint_halt(), "s");
    inputs.push_back(halt.node);
    stall = halt.value + r.checkpoint_size.value / double(r.chosen.plan.gpus()) / link.value;
  } else if (!spec.async && w.demand.checkpoint_write) {
    const auto write = w.trace.input(w.id("checkpoint-write"), w.demand.checkpoint_write, "GB/s");
    inputs.push_back(write.node);
    stall = r.checkpoint_size.value / write.value;
  } else {
    return;
  }
  r.checkpoint_stall =
      w.derive("checkpoint-stall", stall, "s",
               spec.async ? "halt of all ranks + size / GPUs / host link (written later)"
                          : "size / write rate of storage",
               inputs);
  if (!spec.allowed_stall) return;
  const auto allowed = w.trace.input(w.id("allowed-stall"), spec.allowed_stall, "s");
  auto margin = make_margin(w.id("checkpoint-stall"), "checkpoint stall, " + w.demand.scope,
                            r.checkpoint_stall, allowed, "s")
                    .because(fmt::format("a checkpoint is {}, {:.0f} B for each trained parameter",
                                         format_scaled(r.checkpoint_size.value.si(), "B"),
                                         state.checkpoint().in(byte)));
  if (!margin.holds() && spec.async)
    margin.remedies.push_back(
        {fmt::format("spread the job over {:.0f} GPUs, so that each copies less",
                     std::ceil(r.chosen.plan.gpus() * margin.need / margin.have)),
         {},
         {},
         {}});
  if (!margin.holds() && !spec.async) {
    margin.remedies.push_back({"checkpoint asynchronously through host memory", {}, {}, {}});
    margin.remedies.push_back(
        {fmt::format("write at {}/s",
                     format_scaled(r.checkpoint_size.value.si() / allowed.in(second), "B")),
         {},
         {},
         {}});
  }
  r.findings.margins.push_back(std::move(margin));
}

void layout_limit(Work& w, const Job& job, const SearchOptions& options, const std::string& why) {
  const auto& f = options.fixed;
  const auto at_least_one = [](int n) { return double(std::max(1, n)); };
  const double wanted =
      at_least_one(f.tp) * at_least_one(f.pp) * at_least_one(f.cp) * at_least_one(f.dp);
  const auto need =
      w.derive("layout-need", Scalar(wanted), "GPU", "tp x pp x cp x dp as fixed", {});
  // A split that is impossible by arithmetic has nothing, however many GPUs there are.
  const auto have = w.derive("layout-have", Scalar(wanted > job.gpus ? job.gpus : 0), "GPU",
                             "GPUs that can be used under the fixed plan", {});
  auto margin = make_margin(w.id("layout"), "parallel plan, " + w.demand.scope, need, have, "GPU")
                    .because(why);
  const auto open = search(job, unfixed(options));
  if (open.fits())
    margin.remedies.push_back(
        {"leave the plan to the planner: " + summary(open.best[0].plan), {}, {}, {}});
  w.out.findings.margins.push_back(std::move(margin));
}

std::optional<Candidate> fewest_gpus(Job job, const SearchOptions& options, double tokens,
                                     Time limit) {
  SearchOptions open = options;
  open.fixed.dp = 0;
  open.keep = 1;
  open.all_gpus = false;
  open.objective = Objective::smallest;
  open.only_best = true;
  open.least_rate = tokens / std::max(1e-9, limit.in(second));
  job.gpus = to_count(std::min(most_gpus, double(job.gpus) * more_at_most));
  auto found = search(job, open);
  if (!found.fits()) return std::nullopt;
  return found.best.front();
}

}  // namespace headroom::train
