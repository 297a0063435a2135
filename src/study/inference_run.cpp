#include "study/inference_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/units.hpp"
#include "infer/queue.hpp"
#include "study/inference_parts.hpp"
#include "study/lines.hpp"

namespace headroom::study {

namespace {

using infer::Candidate;

bool is_inference(WorkKind kind) { return kind != WorkKind::train; }

std::vector<std::string> names(std::span<const std::string_view> all) {
  return {all.begin(), all.end()};
}

// --- A serving workload -----------------------------------------------------------------

/// One run of the search, put into the scenario.
struct Planned {
  const WorkSpec* work = nullptr;
  ServingJob job;
  infer::SearchResult result;
  double search_s = 0;
  bool chosen_feasible = false;
  Candidate chosen;
  std::string replaced;  ///< what the scenario has in place of the chosen machines
  Judged judged;
};

class Planner {
 public:
  Planner(Loaded& loaded, const catalog::Catalog& catalog, const InferenceOptions& options,
          Diagnostics& mistakes)
      : loaded_(loaded), catalog_(catalog), options_(options), mistakes_(mistakes) {}

  std::optional<Planned> plan(WorkSpec& work) {
    Verdict unused;
    const Context c(loaded_.scenario, loaded_, catalog_, unused);
    Planned p;
    p.work = &work;
    auto job = serving_job(c, work, options_, mistakes_);
    if (!job) return std::nullopt;
    p.job = std::move(*job);
    run(p);
    if (p.chosen.device >= 0) settle(work, p);
    return p;
  }

 private:
  ClusterSpec* cluster_at(const WorkSpec& work) {
    auto& all = loaded_.scenario.clusters;
    const auto* found = cluster_of(loaded_.scenario, work);
    return found != nullptr ? &all[std::size_t(found - all.data())] : nullptr;
  }

  /// The cluster of this workload alone: what others stand on stays as it is, beside it. Told in
  /// `p` where a scenario has one.
  ClusterSpec& own_cluster(WorkSpec& work, const std::string& system, Planned& p) {
    auto& scenario = loaded_.scenario;
    ClusterSpec& now = *cluster_at(work);
    const auto users =
        std::count_if(scenario.workloads.begin(), scenario.workloads.end(),
                      [&](const WorkSpec& other) { return cluster_at(other) == &now; });
    if (!options_.free_size)
      p.replaced = fmt::format("{} {} x {} (cluster {}{})", users <= 1 ? "in place of" : "beside",
                               format_number(double(now.count.or_else(Scalar(0.0)))), now.system,
                               now.name, users <= 1 ? "" : ", which keeps what else stands on it");
    if (users <= 1) return now;
    ClusterSpec apart = now;
    apart.name = fmt::format("{}-{}", kebab(work.name), system);
    // Without a cluster's name a workload stands on the only one there is.
    for (auto& other : scenario.workloads)
      if (other.on.empty()) other.on = now.name;
    work.on = apart.name;
    scenario.clusters.push_back(std::move(apart));
    return scenario.clusters.back();
  }

  void run(Planned& p) {
    const auto start = std::chrono::steady_clock::now();
    p.result = infer::search(p.job.asked, p.job.space, p.job.search);
    p.search_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    p.judged = judge_finalists(p.job, p.result, options_);
    if (!p.judged.none_holds.empty()) p.result.obstacle = p.judged.none_holds;
    p.chosen_feasible = p.result.found() && p.judged.none_holds.empty();
    p.chosen = p.result.found() ? p.result.best.front() : p.result.nearest;
  }

  /// The scenario as it would be with the chosen configuration.
  void settle(WorkSpec& work, Planned& p) {
    const auto& d = p.job.space.devices[std::size_t(p.chosen.device)];
    const auto said = std::make_shared<Source>(
        Source{"derived", "the configuration that headroom infer chose", "", "", Trust::derived});
    auto& spec = work.serve;
    spec.precision.given = p.chosen.serve.layout.weights;
    spec.kv_precision.given = p.chosen.serve.layout.kv;
    spec.engine.tp = p.chosen.serve.layout.tp;
    spec.engine.pp = p.chosen.serve.layout.pp;
    spec.engine.ep = p.chosen.serve.layout.ep;
    spec.engine.attention_dp = p.chosen.serve.layout.attention_dp;
    spec.engine.max_batch = int(p.chosen.serve.limits.max_batch);
    spec.engine.token_budget = Value<Tokens>(p.chosen.serve.limits.budget * token, said);
    if (!free_size(options_)) return;
    ClusterSpec& cluster = own_cluster(work, d.id, p);
    // What was said of one system of the scenario does not hold for another.
    if (cluster.system != d.id) cluster.per_rack = {}, cluster.power = {};
    cluster.system = d.id;
    const Context c(loaded_.scenario, loaded_, catalog_, scratch_);
    const auto* system = c.system(d.id);
    const int each = system != nullptr ? std::max(1, system->accelerators) : 8;
    const double gpus = options_.gpus_had > 0 ? options_.gpus_had : p.chosen.gpus;
    cluster.count = Value<Scalar>(Scalar(std::max(1.0, std::ceil(gpus / each))), said);
    work.gpus = Value<Scalar>(Scalar(gpus), said);
  }

  Loaded& loaded_;
  const catalog::Catalog& catalog_;
  const InferenceOptions& options_;
  Diagnostics& mistakes_;
  Verdict scratch_;
};

// --- The answer -------------------------------------------------------------------------

/// Limits of this workload.
void take_margins(const Context& c, const Work& work, bool free_size, InferenceRun& out) {
  const std::string own = "infer." + work.scope + ".";
  const std::string inside = "." + work.scope + ".";
  for (const auto& margin : c.verdict.margins) {
    // A cluster made to measure is full by construction.
    if (free_size && margin.id == own + "gpus") continue;
    if (margin.id.rfind(own, 0) == 0 || margin.id.find(inside) != std::string::npos)
      out.margins.push_back(margin);
  }
  std::stable_sort(out.margins.begin(), out.margins.end(),
                   [](const Margin& a, const Margin& b) { return a.headroom() < b.headroom(); });
  for (const auto& remark : c.verdict.remarks)
    if (remark.rfind(work.scope + ":", 0) == 0)
      out.remarks.push_back(remark.substr(work.scope.size() + 2));
}

std::string per_second(double rate) { return format(Rate::from_si(rate), "request/s"); }

void describe_job(const ServingJob& job, const InferenceOptions& options, InferenceRun& out) {
  const auto put = [&](const char* key, std::string value) {
    out.job.emplace_back(key, std::move(value));
  };
  const auto& a = job.asked;
  const auto& t = a.targets;
  put("model", job.model->name);
  put("traffic", fmt::format("{} mean, {} at the peak, arrivals' cv {:.2g}",
                             per_second(a.load.rate_s), per_second(a.peak_s), a.load.arrival_cv));
  put("input", fmt::format("{:.0f} tokens (cv {:.2g}), {:.0f} % cached", a.load.input,
                           a.load.input_cv, 100 * a.load.cached / a.load.input));
  put("output", fmt::format("{:.0f} tokens (cv {:.2g})", a.load.output, a.load.output_cv));
  std::string slos;
  const auto slo = [&](const char* label, double s) {
    if (s > 0)
      slos += fmt::format("{}{} {}", slos.empty() ? "" : ", ", label, format_scaled(s, "s"));
  };
  slo("TTFT", t.ttft_s), slo("TPOT", t.tpot_s), slo("E2E", t.e2e_s);
  put("slo",
      slos.empty() ? "none" : fmt::format("{} for {:.4g} % of requests", slos, 100 * t.percentile));
  put("objective", options.objective);
  put("engine", std::string(infer::engine_name(job.engine)));
}

void headline(const Planned& p, InferenceRun& out) {
  if (p.chosen_feasible) {
    out.verdict = fmt::format("fits: {}", out.chosen.summary);
    if (!out.slos.empty()) {
      double least = 1e9;
      for (const auto& s : out.slos) least = std::min(least, s.headroom());
      out.verdict +=
          fmt::format("; {} binds ({}), {:.0f} % headroom", out.binding, out.resource, 100 * least);
    }
    return;
  }
  out.verdict = "does not fit: " + p.result.obstacle;
  if (p.chosen.device >= 0) out.verdict += "; nearest: " + out.chosen.summary;
}

/// Other machines in the place of a scenario's own: what of the whole scenario they break.
void replaced_remark(const Context& c, const Planned& p, InferenceRun& out) {
  std::string broken;
  for (const auto& m : c.verdict.margins) {
    if (m.holds()) continue;
    broken += (broken.empty() ? "" : ", ") + m.limit;
    const bool there = std::any_of(out.margins.begin(), out.margins.end(),
                                   [&](const Margin& own) { return own.id == m.id; });
    if (!there) out.margins.push_back(m);
  }
  out.remarks.insert(out.remarks.begin(),
                     fmt::format("{}; {}", p.replaced,
                                 broken.empty() ? "the scenario's other limits hold with them"
                                                : "with them fall short: " + broken));
}

InferenceRun serving_run(Context& c, const Planned& p, const Work* work,
                         const InferenceOptions& options) {
  InferenceRun out;
  out.workload = work != nullptr ? work->scope : kebab(p.work->name);
  out.title = p.work->name;
  out.kind = "serve";
  out.laid_out = p.chosen.device >= 0 && p.chosen.rate_s > 0;
  out.fits = p.chosen_feasible;
  out.evaluated = p.result.evaluated, out.feasible = p.result.feasible;
  out.search_s = p.search_s;
  describe_job(p.job, options, out);
  const Park park(c.scenario, c.brought, c.catalog, options, p.job.place);
  out.place = p.job.place.name;
  if (p.chosen.device >= 0) {
    out.chosen = configuration_row(p.job, p.chosen);
    park.device(*c.system(p.job.space.devices[std::size_t(p.chosen.device)].id), p.chosen.gpus, {});
    out.price_origin = park.price_origin();
  }
  for (std::size_t i = 1; i < p.result.best.size(); ++i)
    out.others.push_back(configuration_row(p.job, p.result.best[i]));
  for (const auto& f : p.result.front) out.front.push_back(configuration_row(p.job, f));
  if (out.laid_out) describe_chosen(c, p.job, p.chosen, out);
  headline(p, out);
  if (out.laid_out) out.replays = p.judged.replays;
  if (!p.judged.remark.empty()) out.remarks.push_back(p.judged.remark);
  Stage stage(options.progress, "trying changes", 0);
  if (options.advice && p.chosen.device >= 0)
    inference_changes(p.job, p.chosen, park, c.scenario, out);
  compare_models(c, p.job, options, out);
  compare_boxes(p.job, park, options, out);
  if (work != nullptr) take_margins(c, *work, free_size(options) && options.gpus_had <= 0, out);
  if (!p.replaced.empty()) replaced_remark(c, p, out);
  if (p.chosen.device < 0) return out;
  const auto all = infer::launcher_names();
  const infer::LaunchSettings settings{
      p.job.asked.longest > 0 && p.job.spec->slo.context ? p.job.asked.longest : 0.0,
      p.job.asked.load.cached > 0, 4};
  for (const auto& wanted : options.launchers) {
    const auto at = std::find(all.begin(), all.end(), wanted);
    if (at == all.end()) continue;
    auto t =
        infer::launch_text(infer::Launcher(at - all.begin()), *p.job.model,
                           p.job.space.devices[std::size_t(p.chosen.device)], p.chosen, settings);
    out.flags.push_back({wanted, std::move(t.program), std::move(t.text), std::move(t.cannot)});
  }
  return out;
}

/// RAG, embedding, video, edge: what the walk says of them.
InferenceRun other_run(const Context& c, const Work& work) {
  InferenceRun out;
  out.workload = work.scope;
  out.title = work.spec->name;
  out.kind = std::string(work_kind_names()[std::size_t(work.spec->kind)]);
  for (const auto& section : c.verdict.workloads)
    if (section.key == work.scope) out.stages.push_back(section);
  const auto lines_of = [&](const Section& from, Section& to) {
    to.key = from.key, to.title = from.title;
    for (const auto& line : from.lines)
      if (line.key.rfind(work.scope, 0) == 0) to.lines.push_back(line);
  };
  lines_of(c.verdict.energy, out.energy);
  lines_of(c.verdict.money, out.money);
  take_margins(c, work, false, out);
  out.laid_out = !out.stages.empty();
  out.fits = out.laid_out && std::all_of(out.margins.begin(), out.margins.end(),
                                         [](const Margin& m) { return m.holds(); });
  if (!out.margins.empty()) {
    const auto& m = out.margins.front();
    out.binding = m.limit;
    out.verdict = fmt::format("{}: {} {} of {}", out.fits ? "fits" : "does not fit", m.limit,
                              format_scaled(m.need, m.unit), format_scaled(m.have, m.unit));
  } else {
    out.verdict = out.fits ? "fits" : "does not fit: nothing was computed";
  }
  out.in_domain = false;
  out.outside = {"only language models under an engine were held against measured runs"};
  return out;
}

void check_workload(const Loaded& loaded, const InferenceOptions& options, Diagnostics& out) {
  std::vector<std::string> all;
  for (const auto& w : loaded.scenario.workloads)
    if (is_inference(w.kind)) all.push_back(w.name);
  const auto& wanted = options.workload;
  if (all.empty())
    out.add({loaded.file, 0, 0, "workloads", "no workload of this scenario is inference",
             "add one of `kind: serve`, or plan without a scenario: headroom infer --help", ""});
  else if (!wanted.empty() && std::find(all.begin(), all.end(), wanted) == all.end())
    out.add({"--workload " + wanted, 0, 0, "", "no inference workload is called '" + wanted + "'",
             did_you_mean(wanted, all), ""});
}

}  // namespace

bool InferenceAnswer::fits() const {
  return std::all_of(runs.begin(), runs.end(), [](const InferenceRun& r) { return r.fits; });
}

Diagnostics check_options(const InferenceOptions& options, const catalog::Catalog& catalog) {
  Diagnostics out;
  const auto one_of = [&](const std::string& option, const std::string& value,
                          const std::vector<std::string>& all, const char* what) {
    if (std::find(all.begin(), all.end(), value) != all.end()) return;
    const std::string near = did_you_mean(value, all);
    out.add({option + " " + value, 0, 0, "", fmt::format("'{}' is no {}", value, what),
             near.empty() ? fmt::format("one of {}", fmt::join(all, ", ")) : near, ""});
  };
  one_of("--objective", options.objective, names(infer::objective_names()), "objective");
  one_of("--engine", options.engine, names(engine_choices()), "engine");
  for (const auto& l : options.launchers)
    one_of("--flags", l, names(infer::launcher_names()), "launcher");
  for (const auto& id : options.compare)
    if (catalog.find<catalog::Model>(id) == nullptr)
      one_of("--compare", id, catalog.ids(catalog::Model::kind), "model of the catalogue");
  for (const auto& id : options.edge)
    if (catalog.find<catalog::System>(id) == nullptr)
      one_of("--edge", id, catalog.ids(catalog::System::kind), "system of the catalogue");
  return out;
}

Result<InferenceAnswer> plan_inference(Loaded loaded, const catalog::Catalog& catalog,
                                       const InferenceOptions& options) {
  auto mistakes = check_options(options, catalog);
  check_workload(loaded, options, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  // Workloads may get clusters of their own: references to clusters stay good.
  loaded.scenario.clusters.reserve(loaded.scenario.clusters.size() +
                                   loaded.scenario.workloads.size());
  std::vector<Planned> planned;
  Planner planner(loaded, catalog, options, mistakes);
  for (auto& work : loaded.scenario.workloads) {
    if (work.kind != WorkKind::serve) continue;
    if (!options.workload.empty() && work.name != options.workload) continue;
    if (auto p = planner.plan(work)) planned.push_back(std::move(*p));
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  InferenceAnswer answer;
  auto& verdict = answer.verdict;
  verdict.scenario = loaded.scenario.name;
  verdict.file = loaded.file;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario, options.as_of);
  walk(c);
  for (const auto& work : c.work) {
    if (!is_inference(work.spec->kind)) continue;
    if (!options.workload.empty() && work.spec->name != options.workload) continue;
    const auto p = std::find_if(planned.begin(), planned.end(),
                                [&](const Planned& x) { return x.work == work.spec; });
    answer.runs.push_back(p != planned.end() ? serving_run(c, *p, &work, options)
                                             : other_run(c, work));
  }
  rank(verdict);
  return answer;
}

}  // namespace headroom::study
