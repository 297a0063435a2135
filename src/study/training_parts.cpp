#include "study/training_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "catalog/price.hpp"
#include "study/lines.hpp"

namespace headroom::study {

// --- Money ------------------------------------------------------------------------------

GpuPrice gpu_hour_price(Context& c, const TrainingOptions& options) {
  if (options.price)
    return {c.trace.input("training.price", options.price, "USD/GPU/h"), "--price"};
  if (!c.money) return {};
  for (const auto& path : c.money->paths) {
    if (path.way != money::Way::neocloud || path.rent.node == no_node) continue;
    const auto* entry = c.catalog.find<catalog::Price>(path.price_id);
    const std::string what = entry != nullptr ? entry->name : "the scenario's rent";
    return {path.rent, fmt::format("rent: {}, {}", what, path.price_as_of)};
  }
  for (const auto& path : c.money->paths)
    if (path.way == money::Way::own && path.per_used_gpu_hour.node != no_node)
      return {path.per_used_gpu_hour, "levelised cost of owning, no rent is known"};
  return {};
}

Section money_section(Context& c, const Work& work, const GpuPrice& price) {
  Section out{"money", "Money", {}};
  const auto& r = work.training->result;
  const std::string base = "training." + work.scope;
  if (price.known()) {
    add_line(out.lines, "price", "price of a GPU-hour", price.rate, "USD/GPU/h");
    const double hours = r.gpu_hours.value;
    const auto cost =
        c.trace.derive(base + ".cost", price.rate.value * (hours * hour), "MUSD",
                       "GPU-hours x price of a GPU-hour", {r.gpu_hours, price.rate.node});
    if (hours > 0) add_line(out.lines, "run", "cost of the run", cost, "MUSD");
  }
  if (!c.money) return out;
  for (const auto& product : c.money->products)
    if (product.name == work.scope && product.per_run)
      add_line(out.lines, "run_owned", "cost of the run on owned machines, levelised",
               *product.per_run, "MUSD");
  if (c.site.electricity.node != no_node)
    add_line(out.lines, "electricity", "price of electricity", c.site.electricity, "USD/MWh");
  return out;
}

// --- Rows -------------------------------------------------------------------------------

RowMaker::RowMaker(const train::Job& job, const Work& work, const GpuPrice& price)
    : job_(job), tokens_(work.training->result.tokens.value.in(token)) {
  if (work.goodput.node != no_node) goodput_ = std::max(1e-6, double(work.goodput.value));
  if (price.known()) usd_per_gpu_s_ = price.rate.value.si();
}

PlanRow RowMaker::row(const train::Candidate& c) const {
  const auto& p = c.plan;
  PlanRow out;
  out.summary = train::summary(p);
  const auto put = [&](const char* key, auto value) {
    out.dims.emplace_back(key, fmt::format("{}", value));
  };
  put("tp", p.tp), put("pp", p.pp), put("vpp", p.vpp), put("cp", p.cp), put("ep", p.ep);
  if (job_.model->is_mixture()) put("etp", p.expert_tensor());
  put("dp", p.dp), put("micro_batch", p.micro_batch), put("micro_batches", p.micro_batches);
  put("zero", train::zero_name(p.zero)), put("recompute", workload::recompute_name(p.recompute));
  if (p.schedule != train::Schedule::one_f_one_b) put("schedule", train::schedule_name(p.schedule));
  if (p.hsdp > 0) put("hsdp", p.hsdp);
  if (p.cp > 1) put("context", train::context_name(p.context));
  if (!p.modules.empty()) put("recompute_modules", train::module_list(p.modules));
  if (p.recompute_layers > 0) put("recompute_layers", p.recompute_layers);
  if (p.offload_activations > 0) put("offload_activations", p.offload_activations);
  if (p.offload_optimiser > 0) put("offload_optimiser", p.offload_optimiser);
  out.gpus = p.gpus();
  out.tokens_per_s = c.tokens_per_s;
  out.step_s = c.time.total();
  out.mfu = train::utilisation(job_, p, train::step_flops(job_, p).model_causal, out.step_s);
  out.memory = c.memory.total();
  const double rate = c.tokens_per_s * goodput_;
  if (rate <= 0) return out;
  out.usd_per_token = out.gpus * usd_per_gpu_s_ / rate;
  out.days = tokens_ / rate / 86400;
  return out;
}

std::vector<std::string> objective_names() {
  std::vector<std::string> out;
  for (const auto o : {train::Objective::fastest, train::Objective::smallest,
                       train::Objective::cheapest, train::Objective::least_memory})
    out.emplace_back(train::objective_name(o));
  return out;
}

void set_objective(Context& c, const TrainingOptions& options) {
  const auto names = objective_names();
  const auto at = std::find(names.begin(), names.end(), options.objective);
  if (at != names.end()) c.search.objective = train::Objective(at - names.begin());
  c.search.keep = std::max(1, options.keep);
  c.search.threads = options.threads;
  c.search.exhaustive = options.exhaustive;
  c.search.progress = options.progress;
  // A GPU-hour with its energy inside has one price: which it is does not change the order.
  c.search.prices.gpu_hour = 1;
}

std::vector<PlanRow> pareto_rows(const train::Job& job, const train::SearchOptions& search,
                                 const Work& work, const RowMaker& rows) {
  auto options = search;
  options.fixed = work.spec->train.plan;
  options.front = true;
  options.objective = train::Objective::fastest;
  options.prices = {};  // GPUs, not their cost, are the second axis
  std::vector<PlanRow> out;
  for (const auto& c : train::search(job, options).front) out.push_back(rows.row(c));
  return out;
}

// --- Intervals and domain ---------------------------------------------------------------

void add_intervals(const Work& work, const train::Job& job, TrainingRun& out) {
  const auto& spec = work.spec->train.efficiency;
  const auto& r = work.training->result;
  const double step = r.step_time.value.si();
  double low = step, high = step;
  if (spec.mfu) {
    out.interval_origin = "MFU is fixed by the user";
  } else if (spec.software) {
    low = step * spec.software.likely / spec.software.high;
    high = step * spec.software.likely / std::max(1e-9, spec.software.low);
    out.interval_origin = "the range of the user's own efficiency";
  } else {
    const auto i = train::interval(job, r.chosen.plan, step);
    low = i.low_s, high = i.high_s;
    out.interval_origin = fmt::format("{} measured runs: {}", i.rows, i.group);
    // A catalogue without measured runs still states the range of the software factor.
    const auto& s = job.software;
    if (i.rows == 0 && s.efficiency_low > 0) {
      low = step * s.efficiency / s.efficiency_high, high = step * s.efficiency / s.efficiency_low;
      out.interval_origin = "the catalogue's range of the software factor of " + s.id;
    }
  }
  if (low >= high || low <= 0) return;
  const auto add = [&](const char* key, const char* label, const char* unit, double likely) {
    if (likely > 0)
      out.intervals.push_back(
          {key, label, unit, likely * low / step, likely, likely * high / step});
  };
  add("step_time", "step time", "s", step);
  add("duration", "days", "d", r.duration.value.si());
  for (const auto& line : out.money.lines)
    if (line.key == "run") add("cost", "cost", "MUSD", line.si);
}

void judge_domain(const Work& work, const train::Job& job, TrainingRun& out) {
  const auto& r = work.training->result;
  const auto i = train::interval(job, r.chosen.plan, r.step_time.value.si());
  out.in_domain = i.validated;
  if (!i.validated) out.outside.push_back(i.why);
}

// --- What the plan breaks ---------------------------------------------------------------

namespace {

/// The plan of the dimensions that are fixed, the others 1.
train::ParallelPlan fixed_plan(const train::PlanSpec& f, const train::Job& job) {
  const auto one = [](int n) { return std::max(1, n); };
  train::ParallelPlan p;
  f.apply(p);
  p.tp = one(f.tp), p.pp = one(f.pp), p.vpp = one(f.vpp), p.dp = one(f.dp), p.cp = one(f.cp);
  p.ep = one(f.ep), p.micro_batch = one(f.micro_batch);
  if (f.vpp > 1 && f.pp == 0) p.pp = 2;
  if (f.zero >= 0) p.zero = static_cast<train::Zero>(f.zero);
  if (f.recompute > 0) p.recompute = static_cast<train::Recompute>(f.recompute - 1);
  p.sequence_parallel = p.tp > 1;
  p.micro_batches = one(to_count(job.sequences / (double(p.dp) * p.micro_batch)));
  return p;
}

/// Open dimensions can still make these good: what breaks with 1 in their place is no mistake.
bool may_be_lifted(const std::string& why, const train::PlanSpec& f) {
  const bool batch = why.find("batch") != std::string::npos;
  const bool experts = why.find("tp x cp x dp") != std::string::npos;
  return f.dp == 0 && (batch || experts);
}

}  // namespace

void add_illegalities(const Work& work, const TrainingRun& run, Diagnostics& out) {
  const auto& fixed = work.spec->train.plan;
  train::Job job = work.training->result.job;
  const compute::Device device(*work.machines->accelerator);
  job.device = &device;
  std::string why, hint;
  for (const auto& margin : run.margins) {
    if (margin.id != "train." + work.scope + ".layout") continue;
    why = margin.why;
    for (const auto& remedy : margin.remedies) hint += (hint.empty() ? "" : "; ") + remedy.action;
  }
  std::vector<std::string> reasons;
  for (auto& reason : train::illegalities(job, fixed_plan(fixed, job)))
    if (!may_be_lifted(reason, fixed)) reasons.push_back(std::move(reason));
  if (reasons.empty()) reasons.push_back(why);
  for (auto& reason : reasons)
    out.add({"the plan", 0, 0, "", std::move(reason), &reason == &reasons.back() ? hint : "", ""});
}

}  // namespace headroom::study
