#include "validation/infer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace headroom::validation {
namespace {

using Json = nlohmann::ordered_json;

std::string group_name(const InferCase& c, const std::string& metric) {
  if (c.scene == Scene::open_loop) return metric;
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

infer::StepModel step_of(const InferCase& c) {
  return infer::StepModel(*c.model, *c.device.accelerator, c.device.path, c.layout,
                          c.engine.engine);
}

void add_case(const InferRow& row, InferCase c, const InferOptions& o, InferValidation& out) {
  const auto estimates = predict(c, step_of(c));
  for (std::size_t i = 0; i < c.measures.size(); ++i) {
    const auto& m = c.measures[i];
    const auto& e = estimates[i];
    Row r;
    r.id = fmt::format("{}/{}", c.id, m.metric), r.group = group_name(c, m.metric);
    if (e.metric.empty()) {
      out.report.skipped.push_back({r.id, r.group, "not predicted in this scenario"});
      continue;
    }
    if (!std::isfinite(e.value) || e.value <= 0 || e.value > 1e15) {
      out.report.skipped.push_back({r.id, r.group, "the model gives no finite value"});
      continue;
    }
    r.measured = m.value, r.predicted = e.value, r.unit = m.unit;
    r.low = r.high = r.predicted;
    r.detail = fmt::format(
        "{} on {}x{} {} {}{}{}", c.model->id, c.layout.tp * c.attention_dp, c.device.id,
        c.engine.name, c.precision, e.why.empty() ? "" : ": " + e.why,
        c.assumptions.empty() ? "" : fmt::format(" (assumed: {})", fmt::join(c.assumptions, ", ")));
    r.label = label_of(c, o.by);
    out.report.rows.push_back(std::move(r));
    out.facts.push_back({fmt::format("{}/{}", row.id, m.metric), m.metric, c.group(), c, e});
  }
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
          {"ep", c.expert_parallel},
          {"attention_dp", c.attention_dp},
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
  for (const auto& row : rows.rows) {
    auto c = build_case(row, catalog);
    if (c)
      add_case(row, std::move(*c), o, out);
    else
      out.report.skipped.push_back({row.id, row.source, c.error()});
  }
  return out;
}

Result<InferValidation> validate_infer(const InferOptions& o) {
  const auto rows = read_infer_files(o.files);
  if (!rows) return failure(rows.error());
  if (o.catalog.empty()) return validate_infer(*rows, o, catalog::Catalog::builtin());
  Diagnostics mistakes;
  const auto catalog = catalog::Catalog::with_overlay(o.catalog, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return validate_infer(*rows, o, *catalog);
}

std::string to_text(const InferValidation& v, const InferOptions& o) {
  TextOptions t;
  t.title = o.calibration ? "Serving, calibrated" : "Serving, no calibration";
  t.by = o.by == InferBy::source ? GroupBy::group : GroupBy::label;
  t.by_name = by_name(o.by), t.all_rows = o.all_rows;
  std::string out = to_text(v.report, t);
  for (const auto& note : v.notes) out += "\nNote: " + note + "\n";
  return out;
}

std::string to_json(const InferValidation& v, const InferOptions& o) {
  auto facts = Json::array(), terms = Json::array();
  for (const auto& f : v.facts) {
    facts.push_back(case_json(f));
    if (o.terms && f.estimate.parted) terms.push_back(terms_json(f));
  }
  std::vector<Extra> extras{{"facts", facts.dump()},
                            {"calibration", o.calibration ? "\"on\"" : "\"off\""},
                            {"notes", Json(v.notes).dump()}};
  if (o.terms) extras.emplace_back("terms", terms.dump());
  return to_json(v.report, extras);
}

}  // namespace headroom::validation
