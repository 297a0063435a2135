#include "validation/facility.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

#include "availability/targets.hpp"
#include "power/targets.hpp"
#include "spec/reader.hpp"

namespace headroom::validation {
namespace {

using cooling::TargetResult;
using Json = nlohmann::ordered_json;

constexpr const char* builtin_name = "data/validation/facility.yaml";

struct PowerRow {
  std::string id, model, unit, source, known_miss;
  Value<Scalar> cpu, gpus, expect, tolerance;

  void fields(spec::Fields& f) {
    f.text("id", id, "Name of the row").required();
    f.text("model", model, "What computes it").required();
    f.text("unit", unit, "Unit of the figure");
    f.text("source", source, "Key of a source");
    f.text("known_miss", known_miss, "Why the figure is not met");
    f.number("cpu", cpu, "", "Use of the CPUs").between(0, 1);
    f.number("gpus", gpus, "", "Use of a node's four GPUs together").between(0, 4);
    f.number("expect", expect, "", "Published figure").required();
    f.number("tolerance", tolerance, "", "Relative");
  }
};

struct PowerFile {
  std::vector<PowerRow> rows;
  void fields(spec::Fields& f) { f.list("power", rows, "Figures of the power chain"); }
};

/// Rows of `power`; mistakes go to `mistakes`.
std::vector<TargetResult> power_rows(const spec::Document& document, Diagnostics& mistakes) {
  spec::Node only = document.root;
  std::erase_if(only.items, [](const auto&) { return true; });
  for (std::size_t i = 0; i + 1 < document.root.items.size(); i += 2)
    if (document.root.items[i].text == "power")
      only.items = {document.root.items[i], document.root.items[i + 1]};
  PowerFile file;
  spec::ReadContext context;
  context.file = document.file;
  context.document = &document;
  context.default_source = published("facility targets");
  std::vector<TargetResult> out;
  if (only.items.empty() || !spec::read(only, file, context, mistakes)) return out;
  for (const auto& r : file.rows) {
    if (r.model != "frontier-components" && r.model != "frontier-telemetry") {
      const auto& at = r.expect.origin;
      mistakes.add({*document.file, at.line, at.column, "",
                    fmt::format("row '{}': model '{}' is unknown", r.id, r.model),
                    did_you_mean(r.model, {"frontier-components", "frontier-telemetry"}), ""});
      continue;
    }
    TargetResult t;
    t.id = r.id, t.model = r.model, t.unit = r.unit, t.source = r.source;
    t.known_miss = r.known_miss;
    t.expected = r.expect.get().si();
    t.tolerance = std::abs(t.expected) * r.tolerance.or_else(0.0).si();
    t.predicted =
        power::frontier_power(r.cpu.or_else(0.0).si(), r.gpus.or_else(0.0).si()).in(megawatt);
    out.push_back(std::move(t));
  }
  return out;
}

/// Rows of `availability`; mistakes go to `mistakes`.
std::vector<TargetResult> availability_rows(const spec::Document& document, Diagnostics& mistakes) {
  spec::Node only = document.root;
  only.items.clear();
  for (std::size_t i = 0; i + 1 < document.root.items.size(); i += 2)
    if (document.root.items[i].text == "availability")
      only.items = {document.root.items[i], document.root.items[i + 1]};
  std::vector<TargetResult> out;
  for (auto& row :
       availability::check_targets(document, only, catalog::Catalog::builtin(), mistakes)) {
    TargetResult t;
    t.id = row.id, t.model = row.model, t.unit = row.unit, t.source = row.source;
    t.known_miss = row.known_miss, t.at_most = row.at_most;
    t.expected = row.expected, t.predicted = row.predicted, t.tolerance = row.tolerance;
    out.push_back(std::move(t));
  }
  return out;
}

/// A year that stands in for a file which the folder was meant to hold.
bool lacks_file(const TargetResult& t, const FacilityOptions& o) {
  return !o.epw.empty() && t.model == "chiller-free" && t.note.starts_with("synthetic");
}

Json json(const TargetResult& t) {
  const auto text = [](const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); };
  return {{"id", t.id},
          {"group", t.model},
          {"published", t.expected},
          {"predicted", t.predicted},
          {"unit", t.unit},
          {"tolerance", t.tolerance},
          {"at_most", t.at_most},
          {"met", t.met()},
          {"known_miss", text(t.known_miss)},
          {"source", t.source},
          {"weather", text(t.note)}};
}

}  // namespace

Result<FacilityValidation> validate_facility(const FacilityOptions& options) {
  Diagnostics mistakes;
  const auto document =
      options.targets.empty()
          ? spec::parse_yaml(builtin_name, std::string(facility_targets()), mistakes)
          : spec::load_yaml(options.targets, mistakes);
  if (!document) return failure(std::move(mistakes));
  const std::string name = options.targets.empty() ? builtin_name : options.targets;
  auto power = power_rows(*document, mistakes);
  auto availability = availability_rows(*document, mistakes);
  auto cooling = cooling::check_target_document(name, *document, options.epw);
  if (!cooling) mistakes.add(cooling.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  FacilityValidation v;
  v.targets = std::move(power);
  for (auto& t : availability) v.targets.push_back(std::move(t));
  for (auto& t : *cooling) {
    if (lacks_file(t, options))
      v.report.skipped.push_back(
          {t.id, t.model, fmt::format("EPW file of the climate is not in {}", options.epw)});
    else
      v.targets.push_back(std::move(t));
  }
  for (const auto& t : v.targets) {
    (t.met() ? v.met : v.missed) += 1;
    if (!t.met() && !t.known_miss.empty()) v.known_misses += 1;
    if (t.at_most || t.expected == 0) continue;
    Row row;
    row.id = t.id, row.group = row.label = t.model, row.unit = t.unit;
    row.measured = t.expected, row.predicted = t.predicted;
    row.detail = t.note;
    v.report.rows.push_back(std::move(row));
  }
  return v;
}

std::string to_json(const FacilityValidation& v) {
  Json targets = Json::array();
  for (const auto& t : v.targets) targets.push_back(json(t));
  return to_json(v.report, {{"met", std::to_string(v.met)},
                            {"missed", std::to_string(v.missed)},
                            {"known_misses", std::to_string(v.known_misses)},
                            {"targets", targets.dump()}});
}

std::string to_text(const FacilityValidation& v, const FacilityOptions& options) {
  TextOptions o;
  o.title = "Facility: power chain, cooling and availability against published figures";
  o.by_name = "target";
  o.all_rows = options.all_rows;
  std::string out = to_text(v.report, o);
  out += fmt::format("\nTargets: {} of {} within tolerance\n", v.met, v.targets.size());
  for (const auto& t : v.targets)
    if (!t.met())
      out +=
          fmt::format("  MISSED  {}: published {:.5g} {}, predicted {:.5g}, tolerance {:.3g}\n{}",
                      t.id, t.expected, t.unit, t.predicted, t.tolerance,
                      t.known_miss.empty() ? "" : "          " + t.known_miss + "\n");
  for (const auto& t : v.targets)
    if (t.met() && (t.at_most || t.expected == 0))
      out += fmt::format("  met     {}: {} {:.5g} {}, predicted {:.5g}\n", t.id,
                         t.at_most ? "below" : "published", t.expected, t.unit, t.predicted);
  return out;
}

}  // namespace headroom::validation
