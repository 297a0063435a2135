#include "study/check.hpp"

#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "spec/walk.hpp"
#include "study/context.hpp"
#include "study/lines.hpp"

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
  const bool cooled = s.building && std::any_of(s.building->halls.begin(), s.building->halls.end(),
                                                [](const HallSpec& h) { return h.cooling.has_value(); });
  missing(s.cooling.has_value() || cooled, "cooling");
  missing(s.building.has_value(), "building");
  missing(!s.clusters.empty(), "clusters");
  missing(s.storage.has_value(), "storage");
  missing(!s.workloads.empty(), "workloads");
  missing(s.site.has_value(), "site");
  missing(s.money.has_value(), "money");
}

Verdict run(const Scenario& scenario, const Loaded& loaded, const catalog::Catalog& catalog,
            const CheckOptions& options) {
  Verdict verdict;
  verdict.scenario = scenario.name;
  verdict.file = loaded.file;
  Context c(scenario, loaded.models, catalog, verdict);
  c.as_of = !scenario.as_of.empty() ? scenario.as_of
            : !options.as_of.empty() ? options.as_of
                                     : catalogue_date;
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
  note_unasked(c);
  rank(verdict);
  return verdict;
}

// --- What ranged inputs do --------------------------------------------------------

/// A ranged number of the scenario itself: its path and where it is held.
struct Ranged {
  std::string path, unit;
  Number* number;
};

std::vector<Ranged> ranged_inputs(Scenario& scenario) {
  std::vector<Ranged> out;
  for (const auto& leaf : spec::leaves(spec::object_ref(scenario))) {
    if (leaf.number == nullptr || !leaf.number->ranged()) continue;
    const auto& source = leaf.number->origin.source;
    if (!source || source->trust != Trust::user) continue;  // defaults are the layers' own affair
    out.push_back({leaf.path, std::string(leaf.unit), const_cast<Number*>(leaf.number)});
  }
  return out;
}

double headroom_of(const Verdict& v, const std::string& id) {
  const auto it = std::find_if(v.margins.begin(), v.margins.end(), [&](const Margin& m) { return m.id == id; });
  return it == v.margins.end() ? 0.0 : it->headroom();
}

void add_sensitivities(Verdict& verdict, const Loaded& loaded, const catalog::Catalog& catalog,
                       const CheckOptions& options) {
  if (verdict.margins.empty()) return;
  Scenario scenario = loaded.scenario;
  const std::string binding = verdict.binding()->id;
  for (auto& input : ranged_inputs(scenario)) {
    const Number kept = *input.number;
    Sensitivity s;
    s.path = input.path;
    s.low = format(kept.low, input.unit);
    s.likely = format(kept.likely, input.unit);
    s.high = format(kept.high, input.unit);
    for (const bool high : {false, true}) {
      input.number->likely = high ? kept.high : kept.low;
      const Verdict v = run(scenario, loaded, catalog, options);
      (high ? s.headroom_high : s.headroom_low) = headroom_of(v, binding);
      (high ? s.binding_high : s.binding_low) = v.binding() != nullptr ? v.binding()->id : "";
    }
    *input.number = kept;
    verdict.sensitivities.push_back(std::move(s));
  }
}

}  // namespace

Verdict check(const Loaded& loaded, const catalog::Catalog& catalog, const CheckOptions& options) {
  Verdict verdict = run(loaded.scenario, loaded, catalog, options);
  if (options.sensitivities) add_sensitivities(verdict, loaded, catalog, options);
  return verdict;
}

}  // namespace headroom::study
