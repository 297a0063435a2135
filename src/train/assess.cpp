#include "train/assess_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "train/flags.hpp"

namespace headroom::train {
namespace {

// Power while busy. An 8 x H100 node draws 0.76 of its rating in training (Newkirk et al.,
// arXiv 2506.14551, 2025). In dense bf16 runs on such nodes this model finds kernels busy 0.8 to
// 0.9 of the step (assumed for that node: 0.85); waiting in a collective draws power too, and is
// in that figure.
constexpr double busy_at_typical = 0.85;
constexpr double typical_share = 0.76;
// Idle H100: about 70 W of 700 W, recalled.
constexpr double idle_share = 0.1;

// 99th percentile of a step over its median, a doubling of GPUs beyond 8: 0.06 to 1.6 %, median 0.7
// % in eleven MLPerf training logs.
constexpr double p99_spread = 0.007;
constexpr const char* p99_source =
    "median of eleven MLPerf training logs of 256 to 5,120 GPUs (H100, H200, B200, GB200, GB300), "
    "from 0.06 to 1.6 %; a site's network decides";

double run_tokens(const Work& w) {
  if (w.spec.tokens) return w.spec.tokens.get().in(token);
  if (w.spec.method == Method::pretrain)
    return w.demand.model->training_tokens.or_else(Tokens{}).in(token);
  return 0;
}

/// Tokens a second that the deadline asks; 0 without one.
double rate_in_time(const Work& w) {
  if (!w.spec.finish_within) return 0;
  const double limit = w.spec.finish_within.get().in(second)*w.goodput();
  return limit > 0 ? run_tokens(w) / limit : 0;
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
  const StepSources sources(w, job, terms[0]);
  for (const auto& part : parts(c.time))
    if (part.seconds != 0) {
      std::string key(part.name);
      key.erase(std::remove(key.begin(), key.end(), ','), key.end());
      std::replace(key.begin(), key.end(), ' ', '-');
      terms.push_back(w.derive("step." + key, part.seconds * second, "ms",
                               StepSources::formula(part.name), sources.inputs(part.name)));
    }
  r.gpus_used =
      w.derive("gpus-used", Scalar(c.plan.gpus()), "GPU", "tp x pp x cp x dp", {terms[0]});
  r.step_time = w.derive("step-time", step * second, "s", "sum of the step's parts", terms);
  const double doublings = std::log2(std::max(1.0, c.plan.gpus() / 8.0));
  const auto spread =
      w.trace.constant(w.id("step-spread"), Scalar(p99_spread), "%", assumed(p99_source));
  r.step_time_p99 =
      w.derive("step-time-p99", step * (1 + p99_spread * doublings) * second, "s",
               "step time x (1 + spread x log2(GPUs / 8))", {r.step_time, r.gpus_used, spread});
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
                           "idle + (typical - idle) x busy / 0.85, of maximum power; typical is "
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

// --- Plan and limits of layout ------------------------------------------------------------

/// Too few micro-batches for the pipeline: what four times the batch would give.
void batch_remark(Work& w, Job job) {
  const auto& c = w.out.chosen;
  if (c.time.bubble < 0.2 * c.time.total()) return;
  const double before = c.tokens_per_s / c.plan.gpus();
  job.sequences *= 4;
  SearchOptions options{.fixed = w.spec.plan, .keep = 1};
  options.progress = w.demand.search.progress;
  const auto found = search(job, options);
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
  if (p.schedule != Schedule::one_f_one_b) add("schedule", std::string(schedule_name(p.schedule)));
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

}  // namespace

Time Result::finish_time(double goodput) const {
  if (tokens_per_s.value.si() <= 0 || goodput <= 0) return Time{};
  return tokens.value / tokens_per_s.value / goodput;
}

Result assess(const JobSpec& spec, const Demand& demand, Trace& trace) {
  Result out;
  Work w{spec, demand, trace, out};
  const compute::Device device(*demand.accelerator);
  Job job = resolve(spec, demand, device, trace, out.findings);
  SearchOptions wanted = demand.search;
  wanted.fixed = spec.plan;
  if (wanted.objective != Objective::fastest) wanted.least_rate = rate_in_time(w);
  auto found = search(job, wanted);
  if (!found.fits() && wanted.least_rate > 0) {
    // Nothing is in time: the fastest says by how much.
    wanted.least_rate = 0, wanted.objective = Objective::fastest;
    found = search(job, wanted);
  }
  // Limits and remedies ask the planner for the fastest, whatever the plan was chosen by.
  const SearchOptions options{
      .fixed = spec.plan, .threads = wanted.threads, .progress = wanted.progress};
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
