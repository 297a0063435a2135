#include "train/assess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::train {
namespace {

// Power while busy. An 8 x H100 node draws 0.76 of its rating in training (Newkirk et al.,
// arXiv 2506.14551, 2025), whose steps were busy about four fifths of the time (assumed).
constexpr double busy_at_typical = 0.8;
constexpr double typical_share = 0.76;
// Idle H100: about 70 W of 700 W, recalled.
constexpr double idle_share = 0.1;

/// Everything the parts of one assessment share.
struct Work {
  const JobSpec& spec;
  const Demand& demand;
  Trace& trace;
  Result& out;

  std::string id(std::string_view what) const {
    return fmt::format("train.{}.{}", demand.scope, what);
  }
  template <class Q>
  Figure<Q> derive(std::string_view what, Q q, const char* unit, std::string_view formula,
                   std::vector<NodeId> inputs) const {
    return trace.derive(id(what), q, unit, formula, std::move(inputs));
  }
  double goodput() const { return std::clamp(demand.goodput.or_else(1.0).si(), 1e-6, 1.0); }
};

double run_tokens(const Work& w) {
  if (w.spec.tokens) return w.spec.tokens.get().in(token);
  if (w.spec.method == Method::pretrain)
    return w.demand.model->training_tokens.or_else(Tokens{}).in(token);
  return 0;
}

/// Scales the software factor so that the plan has the MFU that the user fixed.
void fix_mfu(Work& w, Job& job) {
  if (!w.spec.efficiency.mfu) return;
  auto& c = w.out.chosen;
  const double flops = step_flops(job, c.plan).model_causal;
  const double modelled = utilisation(job, c.plan, flops, c.time.total());
  if (modelled <= 0) return;
  job.software.efficiency *= w.spec.efficiency.mfu.get() / modelled;
  c = evaluate(job, c.plan);
}

NodeId plan_node(const Work& w) {
  const auto& p = w.out.chosen.plan;
  return w.trace.choice(w.id("plan"), summary(p));
}

void rates(Work& w, const Job& job) {
  Result& r = w.out;
  const auto& c = r.chosen;
  const double step = c.time.total();
  std::vector<NodeId> terms{plan_node(w)};
  for (const auto& part : parts(c.time))
    if (part.seconds != 0) {
      std::string key(part.name);
      std::replace_if(
          key.begin(), key.end(), [](char ch) { return ch == ' ' || ch == ','; }, '-');
      terms.push_back(w.derive("step." + key, part.seconds * second, "ms",
                               "from kernel, link and memory times (docs/models/train.md)",
                               {terms[0]}));
    }
  r.gpus_used =
      w.derive("gpus-used", Scalar(c.plan.gpus()), "GPU", "tp x pp x cp x dp", {terms[0]});
  r.step_time = w.derive("step-time", step * second, "s", "sum of the step's parts", terms);
  r.global_batch = w.derive("global-batch", c.plan.global_batch() * job.sequence * token, "token",
                            "dp x micro-batch x micro-batches x sequence",
                            {terms[0], w.trace.find(w.id("sequence"))});
  r.tokens_per_s = w.derive("tokens-per-second", r.global_batch.value / r.step_time.value,
                            "token/s", "global batch / step time", {r.global_batch, r.step_time});
}

void utilisations(Work& w, const Job& job) {
  Result& r = w.out;
  const auto& p = r.chosen.plan;
  const double step = r.chosen.time.total();
  const auto flops = step_flops(job, p);
  const auto peak = w.derive("peak", FlopRate::from_si(job.device->peak_flops(job.precision)),
                             "TFLOP/s", "dense peak of the accelerator in the job's precision",
                             {w.trace.find(w.id("accelerator"))});
  const auto share = [&](const char* what, double f, const char* count) {
    const auto each = w.derive(fmt::format("{}-flops", what), f * flop, "FLOP", count,
                               {w.trace.find(w.id("model")), r.global_batch.node});
    return w.derive(what, Scalar(utilisation(job, p, f, step)), "%",
                    "FLOPs of a step / (step time x GPUs x peak)",
                    {each.node, r.step_time.node, r.gpus_used.node, peak.node});
  };
  r.mfu = share("mfu", flops.model_causal, "3 x forward, attention counted causal (s/2)");
  r.mfu_full = share("mfu-full-attention", flops.model_full, "3 x forward, attention counted full");
  r.hfu = share("hfu", flops.hardware, "as mfu, with what is recomputed");
  r.busy = w.derive("busy", Scalar(std::min(1.0, r.chosen.time.busy() / step)), "%",
                    "kernel time / step time", {r.step_time.node});
  const auto& power = w.demand.accelerator->power;
  const double most = power.max.or_else(Power{}).in(watt);
  const double typical =
      most > 0 && power.typical ? power.typical.get().in(watt) / most : typical_share;
  const double idle = most > 0 && power.idle ? power.idle.get().in(watt) / most : idle_share;
  const double drawn = idle + (typical - idle) * r.busy.value / busy_at_typical;
  r.power_share = w.derive("power-share", Scalar(std::clamp(drawn, 0.0, 1.0)), "%",
                           "idle + (typical - idle) x busy / 0.8, of maximum power; typical is "
                           "0.76 of the rating (arXiv 2506.14551)",
                           {r.busy.node, w.trace.find(w.id("accelerator"))});
}

void totals(Work& w, const Job& job) {
  Result& r = w.out;
  const double n = run_tokens(w);
  if (n <= 0) {
    r.findings.remarks.push_back(
        fmt::format("{}: no tokens given and none published for {}; no run time computed",
                    w.demand.scope, w.demand.model->name));
    return;
  }
  const auto& fallback = w.demand.model->training_tokens;
  r.tokens = w.trace.input_or(w.id("tokens"), w.spec.tokens, fallback, "token");
  const double step_tokens = std::max(1.0, r.global_batch.in(token));
  r.flops_total =
      w.derive("flops", step_flops(job, r.chosen.plan).model_causal * (n / step_tokens) * flop,
               "FLOP", "model FLOPs of a token (causal) x tokens", {r.tokens.node});
  std::vector<NodeId> inputs{r.tokens.node, r.tokens_per_s.node};
  if (w.demand.goodput)
    inputs.push_back(w.trace.input(w.id("goodput"), w.demand.goodput, "%").node);
  r.duration = w.derive("duration", r.finish_time(w.goodput()), "d",
                        "tokens / (tokens per second x goodput)", inputs);
  r.gpu_hours = w.derive("gpu-hours", Scalar(r.duration.in(hour)*r.gpus_used.value), "",
                         "GPUs x duration, in hours", {r.gpus_used.node, r.duration.node});
}

// --- Memory ----------------------------------------------------------------------------

std::string memory_words(const MemoryItems& m) {
  return fmt::format(
      "weights {:.1f}, gradients {:.1f}, optimiser {:.1f}, activations {:.1f}, logits {:.1f}, "
      "buffers {:.1f}, framework {:.1f}, allocator reserve {:.1f} GB on {} pipeline rank",
      m.weights / 1e9, m.gradients / 1e9, m.optimiser / 1e9, m.activations / 1e9, m.head / 1e9,
      m.buffers / 1e9, m.framework / 1e9, m.reserve / 1e9, m.last_stage ? "the last" : "an early");
}

/// Smallest doubling of the GPUs at which something fits.
std::optional<Candidate> more_gpus(Job job, const SearchOptions& options) {
  SearchOptions open = options;
  open.fixed.dp = 0;
  for (int k = 0; k < 6; ++k) {
    job.gpus *= 2;
    const auto found = search(job, open);
    if (found.fits()) return found.best.front();
  }
  return std::nullopt;
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
  if (const auto open = search(job, {}); open.fits())
    m.remedies.push_back(
        {"leave the plan to the planner: " + summary(open.best[0].plan), {}, {}, {}});
  Job other = job;
  if (job.method == Method::full_finetune) {
    other.method = Method::lora;
    try_with(other, "tune with LoRA instead");
  }
  other = job;
  if (job.optimiser == workload::Optimiser::adam && job.method != Method::lora) {
    other.optimiser = workload::Optimiser::adam_8bit;
    try_with(other, "keep 8-bit Adam moments");
  }
}

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
          .because(fmt::format("{} tokens at {} tokens/s on {} GPUs (MFU {:.1f} %, causal "
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
  const auto need = w.derive("gpus-need", Scalar(fewest->plan.gpus()), "GPU",
                             "fewest GPUs, in whole scale-up domains, whose best plan is in time",
                             {limit.node, r.tokens.node});
  const auto have = w.trace.constant(w.id("gpus-have"), Scalar(w.demand.gpus), "GPU",
                                     published("the scenario's cluster"));
  r.findings.margins.push_back(
      make_margin(w.id("gpus"), "GPUs to finish in time, " + w.demand.scope, need, have, "GPU")
          .because(
              fmt::format("{} with {:.0f} tokens/s", summary(fewest->plan), fewest->tokens_per_s)));
}

// --- Checkpoints -------------------------------------------------------------------------

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
    stall = r.checkpoint_size.value / double(r.chosen.plan.gpus()) / link.value;
  } else if (!spec.async && w.demand.checkpoint_write) {
    const auto write = w.trace.input(w.id("checkpoint-write"), w.demand.checkpoint_write, "GB/s");
    inputs.push_back(write.node);
    stall = r.checkpoint_size.value / write.value;
  } else {
    return;
  }
  r.checkpoint_stall = w.derive(
      "checkpoint-stall", stall, "s",
      spec.async ? "size / GPUs / host link (written later)" : "size / write rate of storage",
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

// --- Plan and limits of layout ------------------------------------------------------------

/// Too few micro-batches for the pipeline: what four times the batch would give.
void batch_remark(Work& w, Job job) {
  const auto& c = w.out.chosen;
  if (c.time.bubble < 0.2 * c.time.total()) return;
  const double before = c.tokens_per_s / c.plan.gpus();
  job.sequences *= 4;
  const auto found = search(job, {w.spec.plan, 1});
  if (!found.fits()) return;
  const auto& better = found.best[0];
  w.out.findings.remarks.push_back(fmt::format(
      "{}: {:.0f} % of the step is pipeline bubble; a global batch four times as large would give "
      "{:.2f} times the tokens a GPU with {}, if the model converges with it",
      w.demand.scope, 100 * c.time.bubble / c.time.total(),
      better.tokens_per_s / better.plan.gpus() / before, summary(better.plan)));
}

void add_plan(Work& w, const Job& job) {
  Result& r = w.out;
  const auto& p = r.chosen.plan;
  Plan plan;
  plan.id = w.id("parallel");
  plan.layer = "train";
  plan.summary = summary(p);
  const auto add = [&](const char* key, std::string value) { plan.items.emplace_back(key, value); };
  for (const auto& [key, n] : {std::pair{"tp", p.tp},
                               {"pp", p.pp},
                               {"vpp", p.vpp},
                               {"cp", p.cp},
                               {"dp", p.dp},
                               {"ep", p.ep},
                               {"micro-batch", p.micro_batch},
                               {"micro-batches", p.micro_batches},
                               {"gpus", p.gpus()}})
    add(key, fmt::format("{}", n));
  add("zero", std::string(zero_name(p.zero)));
  add("recompute", std::string(workload::recompute_name(p.recompute)));
  add("global batch", fmt::format("{:.0f} sequences", p.global_batch()));
  add("memory", fmt::format("{:.1f} GB a GPU", r.chosen.memory.total() / 1e9));
  add("MFU", fmt::format("{:.1f} % (causal attention), {:.1f} % (full)", r.mfu.value * 100,
                         r.mfu_full.value * 100));
  for (const auto& part : parts(r.chosen.time))
    if (part.seconds > 0.001 * r.chosen.time.total())
      add(part.name, fmt::format("{:.1f} %", 100 * part.seconds / r.chosen.time.total()));
  batch_remark(w, job);
  add("Megatron-Core", megatron_flags(p, job.model->layers, p.global_batch(), int(job.sequence),
                                      name(job.precision), sizes(job).head_layers));
  r.findings.plans.push_back(std::move(plan));
  if (p.gpus() < job.gpus)
    r.findings.remarks.push_back(fmt::format("{}: the plan keeps {} of {} GPUs busy; {} stay idle",
                                             w.demand.scope, p.gpus(), job.gpus,
                                             job.gpus - p.gpus()));
}

/// The user's fixed plan cannot be laid out: a limit in GPUs.
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
  const auto open = search(job, {});
  if (open.fits())
    margin.remedies.push_back(
        {"leave the plan to the planner: " + summary(open.best[0].plan), {}, {}, {}});
  w.out.findings.margins.push_back(std::move(margin));
}

}  // namespace

Time Result::finish_time(double goodput) const {
  if (tokens_per_s.value.si() <= 0 || goodput <= 0) return Time{};
  return tokens.value / tokens_per_s.value / goodput;
}

std::optional<Candidate> fewest_gpus(Job job, const SearchOptions& options, double tokens,
                                     Time limit) {
  SearchOptions open = options;
  open.fixed.dp = 0;
  open.keep = 1;
  const double rate = tokens / std::max(1e-9, limit.in(second));
  const int domain = std::max(1, job.domain), most = std::min(1 << 24, job.gpus * 64);
  const auto at = [&](int gpus) -> std::optional<Candidate> {
    job.gpus = gpus;
    const auto found = search(job, open);
    if (!found.fits() || found.best[0].tokens_per_s < rate) return std::nullopt;
    return found.best[0];
  };
  // Double or halve from what is there until the answer is bracketed, then bisect four times.
  int high = std::max(domain, job.gpus / domain * domain), low = 0;
  auto best = at(high);
  while (!best && high < most) low = high, best = at(high *= 2);
  if (!best) return std::nullopt;
  while (low == 0 && high > domain) {
    const int half = std::max(domain, high / 2 / domain * domain);
    if (auto c = at(half))
      high = half, best = c;
    else
      low = half;
  }
  for (int k = 0; k < 4 && high - low > domain; ++k) {
    const int middle = std::max(domain, (low + high) / 2 / domain * domain);
    if (middle <= low || middle >= high) break;
    if (auto c = at(middle))
      high = middle, best = c;
    else
      low = middle;
  }
  return best;
}

Result assess(const JobSpec& spec, const Demand& demand, Trace& trace) {
  Result out;
  Work w{spec, demand, trace, out};
  const compute::Device device(*demand.accelerator);
  Job job = resolve(spec, demand, device, trace, out.findings);
  const SearchOptions options{spec.plan, 4};
  auto found = search(job, options);
  out.plans = found.legal;
  out.fits = found.fits();
  out.laid_out = found.legal > 0;
  out.job = job;
  out.job.device = nullptr;
  if (!out.laid_out) {
    layout_limit(w, job, options, found.obstacle);
    return out;
  }
  out.chosen = out.fits ? found.best.front() : found.least_memory;
  if (out.fits) out.alternatives.assign(found.best.begin() + 1, found.best.end());
  fix_mfu(w, job);
  rates(w, job);
  utilisations(w, job);
  totals(w, job);
  memory_limit(w, job, options);
  finish_limit(w, job, options);
  checkpoint_limit(w, job);
  add_plan(w, job);
  return out;
}

}  // namespace headroom::train
