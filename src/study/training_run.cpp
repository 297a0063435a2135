#include "study/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "study/lines.hpp"
#include "study/training_parts.hpp"

namespace headroom::study {
namespace {

// --- The chosen plan --------------------------------------------------------------------

void describe_job(const Context& c, const Work& work, const train::Job& job, TrainingRun& out) {
  const auto& spec = work.spec->train;
  const auto put = [&](const char* key, std::string value) {
    out.job.emplace_back(key, std::move(value));
  };
  const auto count = workload::parameters(*job.model);
  const double active = workload::active_parameters(*job.model).total();
  put("model", job.model->name);
  put("parameters", fmt::format("{:.4g} B", count.total() / 1e9));
  if (job.model->is_mixture()) put("active", fmt::format("{:.4g} B", active / 1e9));
  put("method", std::string(train::method_names()[std::size_t(spec.method)]));
  put("gpus", fmt::format("{} x {}", job.gpus, work.machines->accelerator->name));
  put("system", work.machines->system->name);
  put("domain", fmt::format("{}", job.domain));
  put("network",
      fmt::format("{:.0f} Gb/s a GPU after protocol", job.path.scale_out.in(gigabit_per_second)));
  put("sequence", fmt::format("{:.0f} token", job.sequence));
  const double batch =
      out.laid_out ? work.training->result.chosen.plan.global_batch() : job.sequences;
  put("global_batch",
      fmt::format("{:.0f} sequences, {}", batch, format(job.sequence * batch, "Mtoken")));
  put("precision", std::string(name(job.precision)));
  const auto* software = c.catalog.find<catalog::TrainingSoftware>(job.software.id);
  put("framework", software != nullptr ? software->name : job.software.id);
}

Section section_of(const Context& c, const std::string& scope, std::string key, std::string title,
                   std::initializer_list<const char*> keys) {
  Section out{std::move(key), std::move(title), {}};
  for (const auto& all : c.verdict.workloads) {
    if (all.key != scope) continue;
    for (const char* wanted : keys)
      for (const auto& line : all.lines)
        if (line.key == wanted) out.lines.push_back(line);
  }
  return out;
}

/// Adds a traced figure by its id, when the study computed it.
void add_traced(const Context& c, Section& out, const std::string& id, const char* key,
                const char* label, const char* unit) {
  const NodeId node = c.trace.find(id);
  if (node != no_node) out.lines.push_back({key, label, c.trace.at(node).si, unit, node});
}

void speed_section(Context& c, const Work& work, TrainingRun& out) {
  const auto& r = work.training->result;
  out.speed = section_of(c, work.scope, "speed", "Speed",
                         {"step_time", "token_rate", "gpus", "global_batch"});
  auto& lines = out.speed.lines;
  const auto each = c.trace.derive("train." + work.scope + ".tokens-per-gpu",
                                   r.tokens_per_s.value / double(r.gpus_used.value), "token/s",
                                   "tokens a second / GPUs", {r.tokens_per_s, r.gpus_used});
  add_line(lines, "step_time_p99", "99th percentile of a step", r.step_time_p99, "s");
  add_line(lines, "token_rate_gpu", "tokens a second and GPU", each, "token/s");
  add_line(lines, "mfu", "MFU, attention counted causal (s/2)", r.mfu, "%");
  add_line(lines, "mfu_full", "MFU, attention counted full (s)", r.mfu_full, "%");
  add_line(lines, "hfu", "HFU, recomputation counted, causal", r.hfu, "%");
}

void run_section(const Context& c, const Work& work, TrainingRun& out) {
  out.run =
      section_of(c, work.scope, "run", "The run", {"tokens", "flops", "duration", "gpu_hours"});
  out.reliability =
      section_of(c, work.scope, "reliability", "Failures and checkpoints",
                 {"goodput", "mtbf", "stops", "interval", "checkpoint", "checkpoint_stall"});
}

void energy_section(Context& c, const Work& work, TrainingRun& out) {
  out.energy = {"energy", "Energy and carbon", {}};
  const std::string base = "workloads." + work.scope;
  const NodeId meter = c.trace.find(base + ".meter_power");
  if (meter == no_node) return;
  const auto& r = work.training->result;
  const Power power = Power::from_si(c.trace.at(meter).si);
  add_traced(c, out.energy, base + ".meter_power", "power", "mean power at the meter", "MW");
  add_line(out.energy.lines, "pue", "PUE", c.pue, "");
  const auto step = c.trace.derive(base + ".step_energy", power * r.step_time.value, "MWh",
                                   "mean power at the meter x step time", {meter, r.step_time});
  add_line(out.energy.lines, "step", "energy of a step", step, "MWh");
  const auto each =
      c.trace.derive(base + ".trained_token_energy", power / r.tokens_per_s.value, "J/token",
                     "mean power at the meter / tokens a second", {meter, r.tokens_per_s});
  add_line(out.energy.lines, "token", "energy of a trained token", each, "J/token");
  add_traced(c, out.energy, base + ".run_energy", "run", "energy of the run", "GWh");
  add_line(out.energy.lines, "intensity", "carbon intensity of the grid", c.site.carbon_intensity,
           "gCO2e/kWh");
  add_traced(c, out.energy, base + ".run_carbon", "carbon", "carbon of the run", "tCO2e");
}

// --- Tables -----------------------------------------------------------------------------

/// What compute hides of the part of this name.
double hidden_of(std::string_view part, const train::HiddenTime& h) {
  if (part == "tensor-parallel communication") return h.tensor;
  if (part == "expert all-to-all") return h.expert;
  if (part == "context-parallel exchange") return h.context;
  if (part == "data-parallel communication") return h.data;
  return 0;
}

void step_table(const train::Candidate& chosen, TrainingRun& out) {
  for (const auto& part : train::parts(chosen.time))
    out.step.push_back({part.name, part.seconds, hidden_of(part.name, chosen.time.hidden)});
}

void memory_table(const train::Job& job, const train::MemoryItems& m, TrainingRun& out) {
  out.memory = {{"weights", m.weights},
                {"gradients", m.gradients},
                {"optimiser", m.optimiser},
                {"activations", m.activations},
                {"layer at work", m.working},
                {"logits", m.head},
                {"buffers", m.buffers},
                {"allocator reserve", m.reserve},
                {"communicators", m.communicators},
                {"framework", m.framework}};
  out.memory_allocated = m.allocated();
  out.memory_reserved = m.reserved();
  out.memory_total = m.total();
  out.memory_have = job.memory_bytes;
  out.memory_safe = train::usable_bytes(job);
  out.memory_rank = fmt::format("pipeline rank {}{}", m.rank, m.last_stage ? " (the last)" : "");
}

void rank_table(const train::Job& job, const train::ParallelPlan& plan, TrainingRun& out) {
  const auto stages = train::stage_layers(plan, job.model->layers, train::sizes(job).head_layers);
  for (const auto& m : train::memory_by_rank(job, plan)) {
    RankRow row;
    row.rank = m.rank;
    row.layers = m.rank == 0 ? stages.first : m.last_stage ? stages.last : stages.middle;
    row.weights = m.weights, row.state = m.gradients + m.optimiser;
    row.activations = m.activations + m.working + m.head;
    row.total = m.total();
    row.other = row.total - row.weights - row.state - row.activations;
    row.allocated = m.allocated(), row.reserved = m.reserved();
    out.ranks.push_back(row);
  }
}

void plan_tables(const RowMaker& rows, const train::Result& r, TrainingRun& out) {
  out.evaluated = r.plans;
  out.plans.push_back(rows.row(r.chosen));
  for (const auto& other : r.alternatives) out.plans.push_back(rows.row(other));
}

// --- Limits -----------------------------------------------------------------------------

/// Limits of this job: its own and those of its cluster's failures.
void take_margins(const Context& c, const Work& work, TrainingRun& out) {
  const std::string own = "train." + work.scope + ".";
  const std::string inside = "." + work.scope + ".";
  out.fits = out.laid_out;
  for (const auto& margin : c.verdict.margins) {
    const bool mine = margin.id.rfind(own, 0) == 0 || margin.id.find(inside) != std::string::npos;
    if (!mine) continue;
    out.margins.push_back(margin);
    out.fits = out.fits && margin.holds();
  }
  std::stable_sort(out.margins.begin(), out.margins.end(),
                   [](const Margin& a, const Margin& b) { return a.headroom() < b.headroom(); });
}

void take_remarks(const Context& c, const Work& work, TrainingRun& out) {
  for (const auto& remark : c.verdict.remarks)
    if (remark.rfind(work.scope + ":", 0) == 0)
      out.remarks.push_back(remark.substr(work.scope.size() + 2));
  for (const auto& margin : c.verdict.margins)
    if (!margin.holds() && margin.layer == "fabric")
      out.remarks.push_back(fmt::format("{} falls short: {}", margin.limit, margin.why));
}

void flag_texts(const train::Job& job, const train::Result& r, const TrainingOptions& options,
                TrainingRun& out) {
  const auto names = train::launcher_names();
  for (const auto& wanted : options.launchers) {
    const auto at = std::find(names.begin(), names.end(), wanted);
    if (at == names.end()) continue;
    auto f = train::launch_flags(train::Launcher(at - names.begin()), job, r.chosen.plan,
                                 r.tokens.value.in(token));
    out.flags.push_back({wanted, std::move(f.program), std::move(f.text), std::move(f.cannot)});
  }
}

void describe_rl(const Context& c, const Work& work, TrainingRun& out) {
  const auto& spec = *work.spec->rl;
  const auto& m = *work.machines;
  const auto* model = c.model(work.spec->train.model);
  out.job = {{"model", model != nullptr ? model->name : work.spec->train.model},
             {"gpus", fmt::format("{:.0f} x {}", work.gpus_held, m.accelerator->name)},
             {"method", "reinforcement learning"},
             {"system", m.system->name},
             {"iteration", fmt::format("{} prompts x {} answers", spec.prompts, spec.samples)},
             {"iterations", fmt::format("{}", spec.iterations)}};
}

TrainingRun rl_run(Context& c, const Work& work, const TrainingOptions& options) {
  TrainingRun out;
  out.workload = out.title = work.spec->name;
  out.rl = work.rl->plans;
  out.laid_out = out.fits = work.rl->best() != nullptr;
  describe_rl(c, work, out);
  take_remarks(c, work, out);
  out.in_domain = false;
  out.outside = {
      "four iterations published for NeMo RL 0.4 on DGX H100 took 1.7 to 2.8 times what this says"};
  if (!out.laid_out) return out;
  out.run =
      section_of(c, work.scope, "run", "The run", {"iteration", "duration", "tokens", "gpus"});
  const GpuPrice price = gpu_hour_price(c, options);
  out.price_origin = price.origin;
  out.money = {"money", "Money", {}};
  if (price.known()) {
    out.rl_usd = price.rate.value.si() * 3600 * out.rl[0].gpu_hours();
    const auto cost = c.trace.derive(
        "training." + work.scope + ".cost", out.rl_usd * work.spec->rl->iterations * dollar, "MUSD",
        "GPU-hours of an iteration x price x iterations", {price.rate.node});
    add_line(out.money.lines, "price", "price of a GPU-hour", price.rate, "USD/GPU/h");
    add_line(out.money.lines, "run", "cost of the run", cost, "MUSD");
  }
  out.energy = {"energy", "Energy and carbon", {}};
  const std::string base = "workloads." + work.scope;
  add_traced(c, out.energy, base + ".meter_power", "power", "mean power at the meter", "MW");
  add_traced(c, out.energy, base + ".run_energy", "run", "energy of the run", "GWh");
  add_traced(c, out.energy, base + ".run_carbon", "carbon", "carbon of the run", "tCO2e");
  return out;
}

/// One step's passes, drawn and for programs.
void pipeline_views(const train::Job& job, const train::ParallelPlan& plan,
                    const TrainingOptions& options, TrainingRun& out) {
  if (!options.pipeline && !options.pipeline_json && !options.trace) return;
  const auto problem = train::schedule_problem(job, plan);
  if (!problem.empty()) {
    out.remarks.push_back("no timeline: " + problem);
    return;
  }
  const auto t = train::timeline(job, plan);
  train::DrawOptions draw;
  draw.columns = std::clamp(options.columns, 60, 400);
  draw.colour = options.colour;
  if (options.pipeline) out.pipeline = train::draw(t, draw);
  if (options.pipeline_json) out.pipeline_json = train::to_json(t, 1) + "\n";
  if (options.trace) out.trace = train::to_chrome_trace(t) + "\n";
}

TrainingRun run_of(Context& c, const Work& work, const TrainingOptions& options) {
  TrainingRun out;
  out.workload = work.spec->name;
  out.title = work.spec->name;
  const auto& r = work.training->result;
  out.laid_out = r.laid_out;
  take_margins(c, work, out);
  take_remarks(c, work, out);
  const compute::Device device(*work.machines->accelerator);
  train::Job job = r.job;
  job.device = &device;
  if (!out.laid_out) {
    describe_job(c, work, job, out);
    return out;
  }
  const GpuPrice price = gpu_hour_price(c, options);
  const RowMaker rows(job, work, price);
  plan_tables(rows, r, out);
  describe_job(c, work, job, out);
  if (options.front) out.front = pareto_rows(job, c.search, work, rows);
  step_table(r.chosen, out);
  memory_table(job, r.chosen.memory, out);
  if (options.ranks) rank_table(job, r.chosen.plan, out);
  pipeline_views(job, r.chosen.plan, options, out);
  speed_section(c, work, out);
  run_section(c, work, out);
  energy_section(c, work, out);
  out.money = money_section(c, work, price);
  out.price_origin = price.origin;
  add_intervals(work, job, out);
  judge_domain(work, job, out);
  if (options.advice) add_changes(c, work, job, price, out);
  flag_texts(job, r, options, out);
  return out;
}

// --- Choice of workloads ----------------------------------------------------------------

void check_workload(const Loaded& loaded, const TrainingOptions& options, Diagnostics& out) {
  std::vector<std::string> names;
  for (const auto& w : loaded.scenario.workloads)
    if (w.kind == WorkKind::train) names.push_back(w.name);
  const auto& wanted = options.workload;
  if (names.empty())
    out.add({loaded.file, 0, 0, "workloads", "no workload of this scenario trains",
             "add one of `kind: train`, or plan a run without a scenario: headroom train --help",
             ""});
  else if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) == names.end())
    out.add({"--workload " + wanted, 0, 0, "", "no training workload is called '" + wanted + "'",
             did_you_mean(wanted, names), ""});
}

}  // namespace

Diagnostics check_options(const TrainingOptions& options) {
  Diagnostics out;
  std::vector<std::string> launchers;
  for (const auto& l : train::launcher_names()) launchers.emplace_back(l);
  for (const auto& wanted : options.launchers)
    if (std::find(launchers.begin(), launchers.end(), wanted) == launchers.end())
      out.add({"--flags " + wanted, 0, 0, "", "no flags are known for '" + wanted + "'",
               "megatron, torchtitan, deepspeed or all", ""});
  const auto objectives = objective_names();
  if (std::find(objectives.begin(), objectives.end(), options.objective) == objectives.end())
    out.add({"--objective " + options.objective, 0, 0, "",
             "'" + options.objective + "' is no objective",
             fmt::format("one of {}", fmt::join(objectives, ", ")), ""});
  return out;
}

bool TrainingAnswer::fits() const {
  return std::all_of(runs.begin(), runs.end(), [](const TrainingRun& r) { return r.fits; });
}

void set_batch_sequences(Loaded& loaded, const catalog::Catalog& catalog, double sequences) {
  Verdict unused;
  const Context c(loaded.scenario, loaded, catalog, unused);
  for (auto& work : loaded.scenario.workloads) {
    const auto* model = c.model(work.train.model);
    if (work.kind != WorkKind::train || model == nullptr) continue;
    const double each =
        work.train.sequence ? work.train.sequence.get().in(token) : train::default_sequence(*model);
    work.train.global_batch.fix(sequences * each);
    work.train.global_batch.origin.source = std::make_shared<Source>(
        Source{"user", "--global-batch in sequences", "", "", Trust::user});
  }
}

Result<TrainingAnswer> plan_training(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const TrainingOptions& options) {
  auto mistakes = check_options(options);
  check_workload(loaded, options, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  TrainingAnswer answer;
  auto& verdict = answer.verdict;
  verdict.scenario = loaded.scenario.name;
  verdict.file = loaded.file;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario, options.as_of);
  set_objective(c, options);
  walk(c);
  for (const auto& work : c.work) {
    if (!options.workload.empty() && work.spec->name != options.workload) continue;
    if (work.rl) answer.runs.push_back(rl_run(c, work, options));
    if (!work.training) continue;
    auto run = run_of(c, work, options);
    if (!run.laid_out && options.strict) add_illegalities(work, run, mistakes);
    answer.runs.push_back(std::move(run));
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  rank(verdict);
  return answer;
}

}  // namespace headroom::study
