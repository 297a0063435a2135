#include "validation/infer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "validation/infer_page.hpp"
#include "validation/infer_replay.hpp"

namespace headroom::validation {
namespace {

using Json = nlohmann::ordered_json;

std::string group_name(const InferCase& c, const std::string& metric) {
  if (c.scene == Scene::open_loop) return c.overloaded ? "overloaded " + metric : metric;
  if (c.scene == Scene::log) return "log " + metric;
  return fmt::format("{} {} {}", c.source,
                     c.scenario.empty() ? std::string(scene_name(c.scene)) : c.scenario, metric);
}

std::string label_of(const InferCase& c, InferBy by) {
  switch (by) {
    case InferBy::source:
      return {};
    case InferBy::model:
      return c.model->id;
    case InferBy::gpu:
      return c.device.id;
    case InferBy::engine:
      return c.engine.name;
    case InferBy::precision:
      return std::string(name(c.layout.weights));
  }
  return {};
}

const char* by_name(InferBy by) {
  constexpr const char* names[] = {"source", "model", "GPU", "engine", "precision"};
  return names[static_cast<int>(by)];
}

const char* mode_name(InferMode mode) {
  constexpr const char* names[] = {"calibrated", "no calibration", "calibrated on half",
                                   "each group left out"};
  return names[static_cast<int>(mode)];
}

infer::StepModel step_of(const InferCase& c, InferMode mode) {
  using Use = infer::StepModel::Use;
  return infer::StepModel(*c.model, *c.device.accelerator, c.device.path, c.layout, *c.software,
                          mode == InferMode::shipped ? Use::calibrated : Use::raw);
}

/// The compared quantities, predicted without any calibration.
struct Raw {
  InferCase job;
  Measure measure;
  Estimate estimate;
  infer::ErrorRange range;  ///< of the step model
  std::string id() const { return fmt::format("{}/{}", job.id, measure.metric); }
  bool fitted() const { return estimate.parted; }
  std::string kind() const {
    if (fitted()) return "token";
    return fmt::format("{}{} {}", job.overloaded ? "overloaded " : "", scene_name(job.scene),
                       measure.metric.substr(0, measure.metric.find('_')));
  }
};

void add_raw(const InferCase& c, const std::vector<Estimate>& estimates,
             const infer::StepModel& step, std::vector<Raw>& raw, Report& report) {
  for (std::size_t i = 0; i < c.measures.size(); ++i) {
    const auto& m = c.measures[i];
    const auto& e = estimates[i];
    const auto id = fmt::format("{}/{}", c.id, m.metric);
    if (e.metric.empty())
      report.skipped.push_back({id, group_name(c, m.metric), "not predicted in this scenario"});
    else if (!std::isfinite(e.value) || e.value <= 0 || e.value > 1e15)
      report.skipped.push_back({id, group_name(c, m.metric), "the model gives no finite value"});
    else
      raw.push_back({c, m, e, step.error_range()});
  }
}

/// Estimates of what a replay saw.
std::vector<Estimate> estimates_of(const InferCase& c, const std::vector<Seen>& seen) {
  std::vector<Estimate> out;
  for (const auto& m : c.measures) {
    Estimate e;
    if (const auto v = statistic(seen, m.metric)) {
      const bool gap = m.metric.rfind("tpot", 0) == 0 || m.metric.rfind("itl", 0) == 0;
      e.metric = m.metric, e.value = gap ? *v / c.events : *v;
      e.why = fmt::format("{} requests replayed", seen.size());
    }
    out.push_back(std::move(e));
  }
  return out;
}

/// Closed loops: times per token in closed form, as the engines' terms are fitted; first tokens by
/// the engine, where the burst at the start and prompts behind prompts come out by themselves.
std::vector<Estimate> closed_estimates(const InferCase& c, const infer::StepModel& step) {
  auto out = predict(c, step);
  const auto is_ttft = [](const Measure& m) { return m.metric.rfind("ttft", 0) == 0; };
  if (std::none_of(c.measures.begin(), c.measures.end(), is_ttft)) return out;
  const auto seen = replay_closed(c, step);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_ttft(c.measures[i])) continue;
    const auto v = statistic(seen, c.measures[i].metric);
    if (v) out[i].value = *v, out[i].why = fmt::format("{} requests replayed", seen.size());
  }
  return out;
}

/// Why the case's model cannot run on its GPUs: weights that leave no room for a cache.
std::optional<std::string> too_large(const InferCase& c, const infer::StepModel& step) {
  const auto memory = infer::replica_memory(step, c.limits, *c.model);
  if (memory.fits()) return std::nullopt;
  return fmt::format("does not fit: {:.3g} GB of weights and {:.2g} GB of workspace on {:.3g} GB",
                     memory.weights.in(gigabyte), memory.workspace.in(gigabyte),
                     memory.had.in(gigabyte));
}

bool fits(const InferCase& c, const infer::StepModel& step, Report& report) {
  const auto why = too_large(c, step);
  if (!why) return true;
  for (const auto& m : c.measures)
    report.skipped.push_back({fmt::format("{}/{}", c.id, m.metric), group_name(c, m.metric), *why});
  return false;
}

/// A row that needs no other.
void add_alone(const InferCase& c, InferMode mode, std::vector<Raw>& raw, Report& report) {
  const auto step = step_of(c, mode);
  if (!fits(c, step, report)) return;
  add_raw(c,
          c.scene == Scene::log           ? estimates_of(c, replay_log(c, step))
          : c.scene == Scene::closed_loop ? closed_estimates(c, step)
                                          : predict(c, step),
          step, raw, report);
}

/// A stage that failed requests, or answered fewer than 95 % of those that came.
bool measured_overload(const InferCase& c) {
  const auto& f = c.row->facts;
  const double failed = f.number("stage.failed").value_or(0);
  const double done = f.number("stage.completed").value_or(0);
  const double answered = f.number("stage.throughput.requests_per_sec").value_or(c.rate_s);
  return failed > 0.001 * (failed + done) || answered < 0.95 * c.rate_s;
}

/// The stages of one run.
void add_stages(std::vector<InferCase>& stages, InferMode mode, std::vector<Raw>& raw,
                InferValidation& out) {
  std::sort(stages.begin(), stages.end(),
            [](const auto& a, const auto& b) { return a.row->stage < b.row->stage; });
  std::vector<const InferCase*> run;
  for (const auto& s : stages) run.push_back(&s);
  const auto step = step_of(stages.front(), mode);
  const auto fitting = [&](const InferCase& c) { return fits(c, step, out.report); };
  if (std::count_if(stages.begin(), stages.end(), fitting) == 0) return;
  const auto results = replay_stages(run, step);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    auto& c = stages[i];
    const bool measured = measured_overload(c);
    out.overloads.push_back(
        {c.id, c.rate_s, results[i].saturation_s, results[i].overloaded, measured});
    c.overloaded = measured || results[i].overloaded;
    add_raw(c, estimates_of(c, results[i].seen), step, raw, out.report);
  }
}

/// The value with the numbers of a tuning in place of none.
double tuned(const Raw& r, const Tuning& t) {
  if (!r.fitted()) return r.estimate.value;
  const auto row = fit_row(r.job, r.estimate, r.measure);
  const double ratio = row.predicted(t) / row.predicted(no_tuning);
  return r.measure.unit == "s" ? r.estimate.value * ratio : r.estimate.value / ratio;
}

/// Numbers and ranges of every row, by the mode.
class Knowledge {
 public:
  Knowledge(const std::vector<Raw>& raw, InferMode mode) : mode_(mode) {
    std::vector<std::pair<std::string, std::string>> groups;
    for (const auto& r : raw)
      if (r.fitted()) groups.emplace_back(families_of(r.job).back(), r.job.id);
    halves_ = halves(groups);
    for (const auto& r : raw)
      if (r.fitted() && (mode != InferMode::half || halves_.at(r.job.id)))
        rows_.push_back(fit_row(r.job, r.estimate, r.measure));
    if (mode == InferMode::half) all_.emplace(rows_);
    auto residuals = mode == InferMode::half         ? leave_one_row_out(rows_)
                     : mode == InferMode::left_group ? leave_one_group_out(rows_)
                                                     : untuned(raw);
    for (const auto& r : raw)
      if (!r.fitted()) residuals.push_back(residual(r, r.estimate.value));
    spreads_.emplace(std::move(residuals));
  }

  /// Rows that calibrate are not scored.
  bool scored(const Raw& r) const {
    return mode_ != InferMode::half || !r.fitted() || !halves_.at(r.job.id);
  }
  Tuning tuning(const Raw& r) {
    const auto families = families_of(r.job);
    if (mode_ == InferMode::half) return all_->of(families);
    if (mode_ != InferMode::left_group) return no_tuning;
    auto [at, fresh] = left_.try_emplace(families.back());
    if (fresh) at->second = Tunings::of_others(rows_, families.back()).of(families);
    return at->second;
  }
  Spread spread(const Raw& r) const {
    const auto start = start_of(r);
    // The catalogue's own range serves what it was fitted to.
    const bool served = r.fitted() && r.range.rows > 0 &&
                        (r.job.scene == Scene::closed_loop || r.job.scene == Scene::offline);
    if (mode_ == InferMode::shipped && served) return start;
    return spreads_->of(families_of(r.job), r.kind(), r.job.id, mode_ != InferMode::half, start);
  }

 private:
  /// Where no other row is measured: the range of the step model, wide where there is none or
  /// where queues grow with time.
  static Spread start_of(const Raw& r) {
    if (r.range.rows <= 0 || r.job.overloaded) return {-unknown_ln, unknown_ln, 0};
    return {std::log(r.range.low), std::log(r.range.high), std::size_t(r.range.rows)};
  }
  static Residual residual(const Raw& r, double value) {
    return {families_of(r.job), r.job.id, r.kind(),
            r.measure.unit == "s" ? std::log(r.measure.value / value)
                                  : std::log(value / r.measure.value)};
  }
  static std::vector<Residual> untuned(const std::vector<Raw>& raw) {
    std::vector<Residual> out;
    for (const auto& r : raw)
      if (r.fitted()) out.push_back(residual(r, r.estimate.value));
    return out;
  }

  InferMode mode_;
  std::map<std::string, bool> halves_;
  std::vector<FitRow> rows_;
  std::optional<Tunings> all_;
  std::map<std::string, Tuning> left_;
  std::optional<Spreads> spreads_;
};

void add_row(const Raw& raw, Knowledge& known, const InferOptions& o, InferValidation& out) {
  const auto& c = raw.job;
  Row r;
  r.id = raw.id(), r.group = group_name(c, raw.measure.metric);
  if (!known.scored(raw)) {
    out.report.skipped.push_back({r.id, r.group, "in the half that calibrates"});
    return;
  }
  const auto tuning = known.tuning(raw);
  const auto spread = known.spread(raw);
  r.measured = raw.measure.value, r.predicted = tuned(raw, tuning), r.unit = raw.measure.unit;
  // Spreads are of times; rates turn over.
  const bool time = r.unit == "s";
  r.low = r.predicted * std::exp(time ? spread.low : -spread.high);
  r.high = r.predicted * std::exp(time ? spread.high : -spread.low);
  r.detail = fmt::format(
      "{} on {}x{} {} {}{}{}", c.model->id, c.layout.gpus(), c.device.id, c.engine.name,
      c.precision, raw.estimate.why.empty() ? "" : ": " + raw.estimate.why,
      c.assumptions.empty() ? "" : fmt::format(" (assumed: {})", fmt::join(c.assumptions, ", ")));
  r.label = label_of(c, o.by);
  out.facts.push_back({r.id, raw.measure.metric, c.group(), c, raw.measure, raw.estimate, tuning});
  out.report.rows.push_back(std::move(r));
}

std::vector<std::string> notes_of(const InferOptions& o) {
  std::vector<std::string> out;
  if (o.mode == InferMode::half)
    out.emplace_back(
        "half: of each (model, GPU, engine, precision) half of the rows calibrate, by a hash of "
        "their ids; only the others are in the table (times to first token and percentiles, "
        "which nothing is fitted to, are all in it)");
  if (o.mode == InferMode::left_group)
    out.emplace_back(
        "leave-one-group-out: numbers and intervals of a row come from other (model, GPU, engine, "
        "precision) groups; the oracle's efficiencies and engine terms are not refitted, they "
        "were fitted once to rows of all groups (docs/models/infer.md)");
  if (o.mode == InferMode::raw) out.emplace_back("no calibration of any group");
  return out;
}

Json parts_json(const infer::StepTime& t) {
  return {{"linear", t.linear.si()},           {"experts", t.experts.si()},
          {"attention", t.attention.si()},     {"activations", t.activations.si()},
          {"collectives", t.collectives.si()}, {"host", t.host.si()}};
}

Json case_json(const InferFact& f) {
  const auto& c = f.job;
  return {{"id", f.id},
          {"metric", f.metric},
          {"source", c.source},
          {"scene", scene_name(c.scene)},
          {"model", c.model->id},
          {"gpu", c.device.id},
          {"engine", c.engine.name},
          {"version", c.engine.version},
          {"precision", name(c.layout.weights)},
          {"kv", name(c.layout.kv)},
          {"tp", c.layout.tp},
          {"ep", c.layout.ep},
          {"attention_dp", c.layout.attention_dp},
          {"replicas", c.replicas},
          {"concurrency", c.concurrency},
          {"isl", c.input},
          {"osl", c.output},
          {"rate_s", c.rate_s},
          {"domain", f.group},
          {"assumed", c.assumptions}};
}

Json terms_json(const InferFact& f) {
  const auto& p = f.estimate.parts;
  return {{"id", f.id},
          {"decode", parts_json(p.decode)},
          {"prompt", parts_json(p.prompt)},
          {"decodes", p.decodes},
          {"context", p.context},
          {"prompt_tokens", p.prompt_tokens},
          {"prompt_keys", p.prompt_keys}};
}

}  // namespace

InferValidation validate_infer(const InferRows& rows, const InferOptions& o,
                               const catalog::Catalog& catalog) {
  InferValidation out;
  out.report.skipped = rows.skipped;
  std::vector<Raw> raw;
  std::map<std::string, std::vector<InferCase>> runs;
  Stage stage(o.progress, "rows", rows.rows.size());
  for (const auto& row : rows.rows) {
    stage.advance();
    auto c = build_case(row, catalog);
    if (!c)
      out.report.skipped.push_back({row.id, row.source, c.error()});
    else if (c->scene == Scene::open_loop)
      runs[c->id.substr(0, c->id.find_last_of('/'))].push_back(std::move(*c));
    else
      add_alone(*c, o.mode, raw, out.report);
  }
  for (auto& [id, stages] : runs) stage.check(), add_stages(stages, o.mode, raw, out);
  Knowledge known(raw, o.mode);
  for (const auto& r : raw) add_row(r, known, o, out);
  for (auto& f : out.facts) f.job.row = nullptr;  // rows need not outlive the answer
  out.notes = notes_of(o);
  return out;
}

namespace {

/// Rows and catalogue of a request, handed to `use`.
template <class Use>
auto with_inputs(const InferOptions& o, const Use& use)
    -> Result<decltype(use(InferRows{}, catalog::Catalog::builtin()))> {
  const auto rows = read_infer_files(o.files);
  if (!rows) return failure(rows.error());
  if (o.catalog.empty()) return use(*rows, catalog::Catalog::builtin());
  Diagnostics mistakes;
  const auto catalog = catalog::Catalog::with_overlay(o.catalog, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return use(*rows, *catalog);
}

}  // namespace

Result<InferValidation> validate_infer(const InferOptions& o) {
  return with_inputs(o, [&](const InferRows& rows, const catalog::Catalog& catalog) {
    return validate_infer(rows, o, catalog);
  });
}

Result<std::string> infer_page(const InferOptions& o) {
  return with_inputs(o, [](const InferRows& rows, const catalog::Catalog& catalog) {
    return infer_page(rows, catalog);
  });
}

std::string to_text(const InferValidation& v, const InferOptions& o) {
  TextOptions t;
  t.title = fmt::format("Serving, {}", mode_name(o.mode));
  t.by = o.by == InferBy::source ? GroupBy::group : GroupBy::label;
  t.by_name = by_name(o.by), t.all_rows = o.all_rows;
  std::string out = to_text(v.report, t);
  if (!v.overloads.empty()) out += "\nStages, told before they ran\n";
  for (const auto& x : v.overloads)
    out +=
        fmt::format("  {}: {:.4g} requests/s of {:.4g}: {}, measured {}{}\n", x.id, x.rate_s,
                    x.saturation_s, x.predicted ? "overload" : "below overload",
                    x.measured ? "overload" : "below", x.predicted != x.measured ? "  MISS" : "");
  for (const auto& note : v.notes) out += "\nNote: " + note + "\n";
  return out;
}

std::string to_json(const InferValidation& v, const InferOptions& o) {
  auto facts = Json::array(), terms = Json::array();
  for (const auto& f : v.facts) {
    facts.push_back(case_json(f));
    if (o.terms && f.estimate.parted) terms.push_back(terms_json(f));
  }
  auto overloads = Json::array();
  for (const auto& x : v.overloads)
    overloads.push_back({{"id", x.id},
                         {"rate_s", x.rate_s},
                         {"saturation_s", x.saturation_s},
                         {"predicted", x.predicted},
                         {"measured", x.measured}});
  std::vector<Extra> extras{{"overload", overloads.dump()},
                            {"facts", facts.dump()},
                            {"mode", Json(mode_name(o.mode)).dump()},
                            {"notes", Json(v.notes).dump()}};
  if (o.terms) extras.emplace_back("terms", terms.dump());
  return to_json(v.report, extras);
}

}  // namespace headroom::validation
