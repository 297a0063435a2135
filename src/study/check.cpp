#include "study/check.hpp"

#include <algorithm>

#include "study/context.hpp"
#include "study/facility_parts.hpp"
#include "study/lines.hpp"
#include "study/sensitivity.hpp"

namespace headroom::study {
namespace {

// A study without a date still needs one for reviews of rules and prices; a fixed
// one keeps answers reproducible. The catalogue was read on this day.
constexpr const char* catalogue_date = "2026-11-20";

void note_unasked(Context& c) {
  const Scenario& s = c.scenario;
  auto missing = [&](bool present, const char* layer) {
    if (!present) c.verdict.not_asked.emplace_back(layer);
  };
  missing(s.power.has_value(), "power");
  const bool cooled =
      s.building && std::any_of(s.building->halls.begin(), s.building->halls.end(),
                                [](const HallSpec& h) { return h.cooling.has_value(); });
  missing(s.cooling.has_value() || cooled, "cooling");
  missing(s.building.has_value(), "building");
  missing(!s.clusters.empty(), "clusters");
  missing(s.storage.has_value(), "storage");
  missing(!s.workloads.empty(), "workloads");
  missing(s.site.has_value(), "site");
  missing(s.money.has_value(), "money");
}

}  // namespace

std::string study_date(const Scenario& scenario, const std::string& otherwise) {
  if (!scenario.as_of.empty()) return scenario.as_of;
  return !otherwise.empty() ? otherwise : catalogue_date;
}

void walk(Context& c) {
  resolve_machines(c);
  design_networks(c);
  look_at_storage(c);
  assess_work(c);
  assess_clusters(c);
  assess_storage(c);
  gather_loads(c);
  gather_halls(c);
  assess_building(c);
  assess_facility(c);
  assess_site(c);
  assess_money(c);
  summarise(c);
}

Verdict run(const Scenario& scenario, const Loaded& loaded, const catalog::Catalog& catalog,
            const CheckOptions& options) {
  Verdict verdict;
  verdict.scenario = scenario.name;
  verdict.file = loaded.file;
  Context c(scenario, loaded, catalog, verdict);
  c.as_of = study_date(scenario, options.as_of);
  walk(c);
  if (options.asked) assess_asked(c);
  note_unasked(c);
  rank(verdict);
  return verdict;
}

Verdict check(const Loaded& loaded, const catalog::Catalog& catalog, const CheckOptions& options) {
  Verdict verdict = run(loaded.scenario, loaded, catalog, options);
  if (!options.sensitivities) return verdict;
  // What costs more than a check is run again only when it is what the ranges are tried on.
  CheckOptions each = options;
  const Margin* binding = verdict.binding();
  each.asked = options.asked && binding != nullptr &&
               (binding->layer == "availability" || binding->id.starts_with("power.transient."));
  add_sensitivities(verdict, loaded, catalog, each);
  return verdict;
}

}  // namespace headroom::study
