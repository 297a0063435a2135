#include "availability/targets.hpp"

#include <fmt/format.h>

#include <cmath>

#include "availability/exact.hpp"
#include "availability/generators.hpp"
#include "catalog/reliability.hpp"
#include "spec/reader.hpp"

namespace headroom::availability {
namespace {

constexpr double hour_s = 3600;

struct Row {
  std::string id, model, entry, unit, source, known_miss;
  int sets = 1, sets2 = 0, needed = 1, steps = 1, state = 0, crews = 1;
  Value<Scalar> hours, ready, ready2, start_failure, start_failure2, fail, fail2, mttf, mtbf, mttr,
      repair, expect, tolerance, within;
  bool at_most = false;

  void fields(spec::Fields& f) {
    f.text("id", id, "Name of the row").required();
    f.text("model", model, "What computes it").required();
    f.reference("entry", entry, "reliability", "Entry whose figures the sets have");
    f.text("unit", unit, "Unit of the figure");
    f.text("source", source, "Key of a source");
    f.text("known_miss", known_miss, "Why the figure is not met");
    f.integer("sets", sets, "Units").between(1, 60);
    f.integer("sets2", sets2, "Units of a second type").between(0, 60);
    f.integer("needed", needed, "Units that carry the load").between(0, 60);
    f.integer("steps", steps, "Steps of the outage").between(1, 10000);
    f.integer("state", state, "Combination, the first type counting fastest").at_least(0);
    f.integer("crews", crews, "That repair at once").between(0, 60);
    f.number("hours", hours, "", "Length of the outage, h");
    f.number("ready", ready, "", "Chance").between(0, 1);
    f.number("ready2", ready2, "", "Chance").between(0, 1);
    f.number("start_failure", start_failure, "", "Chance").between(0, 1);
    f.number("start_failure2", start_failure2, "", "Chance").between(0, 1);
    f.number("fail", fail, "", "Chance in the trial").between(0, 1);
    f.number("fail2", fail2, "", "Chance in the trial").between(0, 1);
    f.number("mttf", mttf, "", "Running, h or steps").above(0);
    f.number("mtbf", mtbf, "", "h").above(0);
    f.number("mttr", mttr, "", "h").above(0);
    f.number("repair", repair, "", "Of a failed set, h").above(0);
    f.number("expect", expect, "", "Published figure").required();
    f.number("tolerance", tolerance, "", "Relative");
    f.number("within", within, "", "Absolute");
    f.flag("at_most", at_most, "The figure is a bound");
  }
};

struct File {
  std::vector<Row> rows;
  void fields(spec::Fields& f) { f.list("availability", rows, "Figures of availability"); }
};

double at(const Value<Scalar>& v, double otherwise) { return v.or_else(otherwise).si(); }

GeneratorType sets_of(const Row& r, const catalog::Catalog& catalog) {
  GeneratorType t;
  t.count = r.sets;
  t.ready = at(r.ready, 1), t.failure_to_start = at(r.start_failure, 0);
  t.mttf_s = at(r.mttf, 0) * hour_s;
  if (const auto* e = catalog.find<catalog::Reliability>(r.entry); e != nullptr) {
    t.ready = e->ready.or_else(1.0).si();
    t.failure_to_start = e->failure_to_start.or_else(0.0).si();
    if (e->run_mttf) t.mttf_s = e->run_mttf.get().si();
  }
  return t;
}

double survive(const Row& r, const catalog::Catalog& catalog) {
  const auto sets = sets_of(r, catalog);
  const double time = at(r.hours, 0) * hour_s;
  if (!r.repair) return survival(sets, r.needed, time);
  return survival_repaired(sets, r.needed, time, r.repair.get().si() * hour_s, r.crews);
}

/// The figure; NaN: the model or the state is unknown.
double predict(const Row& r, const catalog::Catalog& catalog) {
  const auto state_of = [&](const std::vector<double>& all) {
    const auto i = std::size_t(r.state);
    return i < all.size() ? all[i] : std::nan("");
  };
  if (r.model == "generator-survival") return survive(r, catalog);
  if (r.model == "generator-shortfall") return 1 - survive(r, catalog);
  if (r.model == "generator-steps") {
    auto sets = sets_of(r, catalog);
    const std::vector<double> load(std::size_t(r.steps), double(r.needed));
    return survival_steps(std::span(&sets, 1), load).back();
  }
  if (r.model == "generator-start") {
    std::vector<GeneratorType> types{sets_of(r, catalog)};
    if (r.sets2 > 0) {
      GeneratorType second;
      second.count = r.sets2;
      second.ready = at(r.ready2, 1), second.failure_to_start = at(r.start_failure2, 0);
      types.push_back(second);
    }
    return state_of(start_distribution(types));
  }
  if (r.model == "generator-trial") {
    std::vector<int> counts{r.sets};
    std::vector<double> fail{at(r.fail, 0)};
    if (r.sets2 > 0) counts.push_back(r.sets2), fail.push_back(at(r.fail2, 0));
    return state_of(after_trial(counts, fail));
  }
  if (r.model == "bank") {
    const auto out = units_out({.units = r.sets,
                                .failure = 1 / (at(r.mtbf, 1) * hour_s),
                                .repair = 1 / (at(r.mttr, 1) * hour_s)});
    double share = 0;
    for (int d = 0; d <= r.sets - r.needed; ++d) share += out[std::size_t(d)];
    return share;
  }
  return std::nan("");
}

}  // namespace

std::vector<Target> check_targets(const spec::Document& document, const spec::Node& only,
                                  const catalog::Catalog& catalog, Diagnostics& mistakes) {
  File file;
  spec::ReadContext context;
  context.file = document.file;
  context.document = &document;
  context.default_source = published("facility targets");
  std::vector<Target> out;
  if (only.items.empty() || !spec::read(only, file, context, mistakes)) return out;
  for (const auto& r : file.rows) {
    Target t;
    t.id = r.id, t.model = r.model, t.unit = r.unit, t.source = r.source;
    t.known_miss = r.known_miss, t.at_most = r.at_most;
    t.expected = r.expect.get().si();
    t.tolerance = r.within ? r.within.get().si() : std::abs(t.expected) * at(r.tolerance, 0);
    t.predicted = predict(r, catalog);
    const bool no_entry =
        !r.entry.empty() && catalog.find<catalog::Reliability>(r.entry) == nullptr;
    if (std::isnan(t.predicted) || no_entry) {
      const auto& place = r.expect.origin;
      mistakes.add(
          {*document.file, place.line, place.column, "",
           no_entry
               ? fmt::format("row '{}': entry '{}' is unknown", r.id, r.entry)
               : fmt::format("row '{}': model '{}' or state {} is unknown", r.id, r.model, r.state),
           did_you_mean(r.model, {"generator-survival", "generator-shortfall", "generator-steps",
                                  "generator-start", "generator-trial", "bank"}),
           ""});
      continue;
    }
    out.push_back(std::move(t));
  }
  return out;
}

}  // namespace headroom::availability
