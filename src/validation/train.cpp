#include "validation/train.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "train/memory.hpp"
#include "train/step.hpp"
#include "validation/train_page.hpp"

namespace headroom::validation {
namespace {

/// "2.31 s: matrix products 61 %, ...": parts of at least 2 % of the step.
std::string breakdown(const TrainCase& c, const train::StepTime& t) {
  std::string out = fmt::format("{}:", train::summary(c.plan));
  const double total = t.total();
  for (const auto& part : train::parts(t))
    if (std::abs(part.seconds) > 0.02 * total)
      out += fmt::format(" {} {:.0f} %,", part.name, 100 * part.seconds / total);
  out.back() = out.back() == ',' ? ' ' : out.back();
  if (!c.assumptions.empty()) out += fmt::format("(assumed: {})", fmt::join(c.assumptions, ", "));
  return out;
}

std::string label_of(const TrainFact& f, TrainBy by) {
  switch (by) {
    case TrainBy::source:
      return {};
    case TrainBy::framework:
      return f.software;
    case TrainBy::hardware:
      return f.accelerator;
    case TrainBy::precision:
      return f.precision;
    case TrainBy::model:
      return f.model;
  }
  return {};
}

const char* by_name(TrainBy by) {
  constexpr const char* names[] = {"source", "framework", "hardware", "precision", "model"};
  return names[static_cast<int>(by)];
}

int tier_rank(const std::string& tier) {
  const auto t = lower(tier);
  return t == "a" ? 0 : t == "b" ? 1 : 2;
}

/// What a reading of this kind counts of the model's memory.
double predicted_bytes(const train::MemoryItems& m, MemoryReading reading) {
  switch (reading) {
    case MemoryReading::device:
      return m.total();
    case MemoryReading::reserved:
      return m.reserved();
    case MemoryReading::allocated:
      return m.allocated();
  }
  return m.total();
}

void add_memory(const TrainRow& row, const TrainCase& c, TrainValidation& out) {
  if (c.measured_bytes <= 0 && !c.out_of_memory) return;
  const auto m = train::memory(c.job, c.plan);
  if (c.out_of_memory) out.overflows.push_back({row.id, m.total(), train::usable_bytes(c.job)});
  if (c.measured_bytes <= 0) return;
  Row r;
  r.id = row.id, r.group = row.group, r.unit = "B";
  r.measured = c.measured_bytes, r.predicted = predicted_bytes(m, c.reading);
  r.low = r.high = r.predicted;
  out.memory.rows.push_back(std::move(r));
}

/// The scalar and the interval of every row, by the mode.
class Scale {
 public:
  Scale(const catalog::Catalog& catalog, const TrainOptions& options)
      : catalog_(catalog), options_(options) {}

  /// ln of the rate's scalar.
  double centre(const TrainRow& row, const TrainCase& c) {
    return options_.calibration ? residuals(row).serving(*c.software).likely : 0;
  }
  train::Interval interval(const TrainRow& row, const TrainCase& c, double raw_s) {
    const auto& r = residuals(row);
    if (options_.calibration)
      return r.interval(*c.software, c.job, c.plan, raw_s, r.serving(*c.software).likely);
    // Without scalars the residuals of all sources are all that is known.
    return r.interval(nothing_, c.job, c.plan, raw_s, r.pooled().likely);
  }
  const train::Residuals& residuals(const TrainRow& row) {
    const auto key = options_.leave_source_out ? row.group : std::string();
    auto& r = by_source_[key];
    if (r == nullptr) r = std::make_unique<train::Residuals>(catalog_, key);
    return *r;
  }

 private:
  const catalog::Catalog& catalog_;
  const TrainOptions& options_;
  const catalog::TrainingSoftware nothing_;
  std::map<std::string, std::unique_ptr<train::Residuals>> by_source_;
};

TrainFact fact_of(const TrainRow& row, const TrainCase& c, double raw_s) {
  TrainFact f;
  f.id = row.id, f.software = c.software->id, f.framework = c.software->framework;
  f.accelerator = c.accelerator, f.precision = std::string(name(c.job.precision));
  f.model = row.model_name, f.gpus = c.plan.gpus(), f.sequence = c.job.sequence;
  f.mixture = c.model->is_mixture(), f.raw_s = raw_s;
  return f;
}

void add_step(const TrainRow& row, const TrainCase& c, const TrainOptions& o, Scale& scale,
              TrainValidation& out) {
  const auto t = train::step_time(c.job, c.plan);
  const double raw_s = t.total() * c.batch_scale;
  if (!std::isfinite(raw_s) || raw_s <= 0 || raw_s > 1e12) {
    out.steps.skipped.push_back({row.id, row.group, "the model gives no finite time"});
    return;
  }
  auto f = fact_of(row, c, raw_s);
  f.calibrated_as = scale.residuals(row).runs_of(*c.software).id;
  const auto interval = scale.interval(row, c, raw_s);
  f.validated = interval.validated;
  const auto parts = train::parts(t);
  f.parts.assign(parts.begin(), parts.end());
  Row r;
  r.id = row.id, r.group = row.group, r.unit = "s";
  r.measured = c.measured_s, r.predicted = raw_s * std::exp(-scale.centre(row, c));
  r.low = interval.low_s, r.high = interval.high_s;
  r.detail = breakdown(c, t);
  if (!interval.validated && o.calibration) r.detail += "[" + interval.why + "]";
  r.label = label_of(f, o.by);
  out.steps.rows.push_back(std::move(r));
  out.facts.push_back(std::move(f));
}

std::vector<std::string> notes_of(const TrainOptions& o) {
  std::vector<std::string> out;
  if (o.leave_source_out)
    out.emplace_back(
        "leave-one-source-out: scalar and interval of a row come from other sources; physical "
        "constants of the layers (kernel, link and launch coefficients, overlap shares of the "
        "training-software entries) are not refitted, some were fitted to rows of these sources "
        "(docs/models/train.md names them)");
  if (!o.calibration)
    out.emplace_back(
        "no calibration: no scalar; intervals are the spread of all sources' residuals");
  return out;
}

}  // namespace

TrainValidation validate_train(const TrainRows& rows, const TrainOptions& o,
                               const catalog::Catalog& catalog) {
  TrainValidation out;
  out.steps.skipped = rows.skipped;
  CaseBuilder builder(catalog);
  Scale scale(catalog, o);
  out.notes = notes_of(o);
  out.pooled = train::Residuals(catalog).pooled();
  builder.learn_conventions(rows.rows);
  Stage stage(o.progress, "rows", rows.rows.size());
  for (const auto& row : rows.rows) {
    stage.advance();
    if (tier_rank(row.tier) > tier_rank(o.tier)) {
      out.steps.skipped.push_back(
          {row.id, row.group, fmt::format("tier {}: {}", row.tier, missing_of(row))});
      continue;
    }
    const auto c = builder.build(row);
    if (!c) {
      out.steps.skipped.push_back({row.id, row.group, c.error()});
      continue;
    }
    add_memory(row, *c, out);
    if (c->measured_s > 0)
      add_step(row, *c, o, scale, out);
    else
      out.steps.skipped.push_back({row.id, row.group,
                                   c->out_of_memory ? "measured out of memory: a memory check"
                                                    : "a memory reading without a time"});
  }
  return out;
}

Result<TrainRows> read_train_files(const std::vector<std::string>& files) {
  TrainRows all;
  Diagnostics mistakes;
  for (const auto& file : files) {
    auto rows = read_train_rows(file);
    if (!rows) {
      mistakes.add(rows.error());
      continue;
    }
    all.append(std::move(*rows));
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return all;
}

namespace {

/// Rows and catalogue of a request, handed to `use`.
template <class Use>
auto with_inputs(const TrainOptions& o, const Use& use)
    -> Result<decltype(use(TrainRows{}, catalog::Catalog::builtin()))> {
  const auto rows = read_train_files(o.files);
  if (!rows) return failure(rows.error());
  if (o.catalog.empty()) return use(*rows, catalog::Catalog::builtin());
  Diagnostics mistakes;
  const auto catalog = catalog::Catalog::with_overlay(o.catalog, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return use(*rows, *catalog);
}

}  // namespace

Result<TrainValidation> validate_train(const TrainOptions& o) {
  return with_inputs(o, [&](const TrainRows& rows, const catalog::Catalog& catalog) {
    return validate_train(rows, o, catalog);
  });
}

Result<std::string> train_page(const TrainOptions& o) {
  return with_inputs(o, [](const TrainRows& rows, const catalog::Catalog& catalog) {
    return train_page(rows, catalog);
  });
}

std::string to_text(const TrainValidation& v, const TrainOptions& o) {
  TextOptions t;
  t.title = fmt::format("Step time, {}{}", o.calibration ? "calibrated" : "no calibration",
                        o.leave_source_out ? ", each source left out" : "");
  t.by = o.by == TrainBy::source ? GroupBy::group : GroupBy::label;
  t.by_name = by_name(o.by);
  t.all_rows = o.all_rows;
  std::string out = to_text(v.steps, t);
  if (!v.memory.rows.empty()) {
    t.title = "\nMemory of one GPU";
    t.by = GroupBy::group, t.by_name = "source", t.worst = 5;
    out += to_text(v.memory, t);
  }
  if (!v.overflows.empty()) out += "\nMeasured out of memory\n";
  for (const auto& x : v.overflows)
    out += fmt::format("  {}: predicted {:.1f} of {:.1f} GB, {}\n", x.id, x.predicted_bytes / 1e9,
                       x.have_bytes / 1e9,
                       x.fault() ? "FAULT: called safe" : "predicted out of memory too");
  for (const auto& note : v.notes) out += "\nNote: " + note + "\n";
  return out;
}

std::string to_json(const TrainValidation& v, const TrainOptions& o) {
  using Json = nlohmann::ordered_json;
  auto memory = Json::parse(to_json(v.memory));
  memory["out_of_memory"] = Json::array();
  for (const auto& x : v.overflows)
    memory["out_of_memory"].push_back({{"id", x.id},
                                       {"predicted", x.predicted_bytes},
                                       {"have", x.have_bytes},
                                       {"unit", "B"},
                                       {"fault", x.fault()}});
  auto facts = Json::array();
  for (const auto& f : v.facts) {
    auto parts = Json::object();
    for (const auto& p : f.parts) parts[p.name] = p.seconds;
    facts.push_back({{"id", f.id},
                     {"software", f.software},
                     {"calibrated_as", f.calibrated_as},
                     {"accelerator", f.accelerator},
                     {"precision", f.precision},
                     {"model", f.model},
                     {"gpus", f.gpus},
                     {"sequence", f.sequence},
                     {"mixture", f.mixture},
                     {"raw_s", f.raw_s},
                     {"validated", f.validated},
                     {"parts", std::move(parts)}});
  }
  return to_json(v.steps, {{"facts", facts.dump()},
                           {"memory", memory.dump()},
                           {"pooled", Json({{"rows", v.pooled.rows},
                                            {"low", std::exp(v.pooled.low)},
                                            {"likely", std::exp(v.pooled.likely)},
                                            {"high", std::exp(v.pooled.high)}})
                                          .dump()},
                           {"calibration", o.calibration ? "\"on\"" : "\"off\""},
                           {"leave_one_source_out", o.leave_source_out ? "true" : "false"},
                           {"notes", Json(v.notes).dump()}});
}

}  // namespace headroom::validation
