// Export control and data residency: catalogue rules held against the site.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "catalog/export_rule.hpp"
#include "catalog/residency_rule.hpp"
#include "site/calendar.hpp"
#include "site/parts.hpp"

namespace headroom::site {
namespace {

using catalog::ExportRule;
using catalog::ExportTest;
using catalog::Region;
using catalog::ResidencyRule;

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string joined(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, ", "));
}

/// Some region of a country: groups are a country's, so any will do.
const Region* region_of_country(const catalog::Catalog& catalog, std::string_view country) {
  for (const Region* r : catalog.all<Region>()) {
    if (r->country == country) return r;
  }
  return nullptr;
}

bool in_any(const Region& r, const std::vector<std::string>& groups) {
  return std::any_of(groups.begin(), groups.end(), [&](const auto& g) { return r.in_group(g); });
}

/// Why the rule reaches this site; empty when it does not.
std::string reach(const ExportRule& rule, const Context& c) {
  const Region& r = *c.region;
  if (contains(rule.countries, r.country)) return "destination " + r.country;
  if (in_any(r, rule.groups) && !in_any(r, rule.except_groups)) {
    return fmt::format("destination {} in {}", r.country, joined(r.export_groups));
  }
  const std::string& owner = c.spec.export_control.owner_country;
  if (owner.empty()) return {};
  if (contains(rule.owner_countries, owner)) return "owner headquartered in " + owner;
  const Region* home = region_of_country(c.catalog, owner);
  if (home != nullptr && in_any(*home, rule.owner_groups)) {
    return "owner headquartered in " + owner;
  }
  return {};
}

bool above(const Value<Scalar>& bound, double x) { return !bound || x >= bound.get(); }
bool below(const Value<Scalar>& bound, double x) { return !bound || x < bound.get(); }

bool caught(const ExportTest& t, double tpp, double density) {
  // An unknown density (0) fails every density_at_least, as it must: nothing is claimed of it.
  return above(t.tpp_at_least, tpp) && below(t.tpp_below, tpp) &&
         above(t.density_at_least, density) && below(t.density_below, density);
}

const ExportTest* catching(const ExportRule& rule, double tpp, double density) {
  for (const ExportTest& t : rule.tests) {
    if (caught(t, tpp, density)) return &t;
  }
  return nullptr;
}

std::vector<const ExportRule*> rules_that_reach(const Context& c, Result& result) {
  std::vector<const ExportRule*> out;
  for (const ExportRule* rule : c.catalog.all<ExportRule>()) {
    if (rule->issuer != c.spec.export_control.issuer) continue;
    if (reach(*rule, c).empty()) continue;
    if (is_current(rule->review_by, c.demand.as_of)) {
      out.push_back(rule);
    } else {
      result.findings.remarks.push_back(fmt::format(
          "site: {} reaches {}, but was last read {} and was due for review by {}: unknown",
          rule->control, c.region->name, rule->as_of, rule->review_by));
    }
  }
  return out;
}

/// The fastest data-centre accelerator that none of these rules catches.
std::string uncaught_chip(const Context& c, const std::vector<const ExportRule*>& rules) {
  std::string name;
  double best = 0;
  for (const auto* a : c.catalog.all<catalog::Accelerator>()) {
    const double tpp = a->tpp(), density = a->performance_density();
    if (a->device_class != catalog::DeviceClass::datacenter || tpp <= best || density <= 0)
      continue;
    const bool free = std::none_of(rules.begin(), rules.end(), [&](const ExportRule* r) {
      return catching(*r, tpp, density) != nullptr;
    });
    if (free) name = fmt::format("{} (TPP {:.0f})", a->name, tpp), best = tpp;
  }
  return name;
}

std::vector<Remedy> export_remedies(const Context& c, const std::vector<const ExportRule*>& rules) {
  std::vector<Remedy> out;
  out.push_back({"apply for an export licence and set site.export.licence_held once it is there",
                 {},
                 {},
                 rules.front()->control});
  out.push_back(
      {"place the accelerators in a country outside groups D:1, D:4 and D:5, when the "
       "owner is not headquartered in D:5",
       {},
       {},
       rules.front()->control});
  if (auto chip = uncaught_chip(c, rules); !chip.empty()) {
    out.push_back({"use an accelerator below the thresholds: " + chip, {}, {}, "catalogue"});
  }
  return out;
}

/// What a chip is held against: the bound that catches it, or else the nearest one.
struct Bound {
  const ExportRule* rule = nullptr;
  const ExportTest* test = nullptr;
  bool is_density = false;
  Value<Scalar> value;
};

Bound bound_for(const std::vector<const ExportRule*>& rules, double tpp, double density) {
  for (const ExportRule* rule : rules) {
    const ExportTest* t = catching(*rule, tpp, density);
    if (t == nullptr) continue;
    const bool is_density = t->density_at_least.given;
    return {rule, t, is_density, is_density ? t->density_at_least : t->tpp_at_least};
  }
  const ExportRule* first = rules.front();
  for (const ExportTest& t : first->tests) {
    if (t.tpp_at_least && !t.density_at_least) return {first, nullptr, false, t.tpp_at_least};
  }
  return {first, nullptr, false, {}};
}

void hold_chip(const Context& c, const ControlledChip& chip,
               const std::vector<const ExportRule*>& rules, Result& result) {
  const Bound b = bound_for(rules, chip.tpp.value, chip.performance_density.value);
  if (!b.value) return;
  if (b.test != nullptr && c.spec.export_control.licence_held) {
    result.findings.remarks.push_back(fmt::format("site: {} falls under {} ({}); a licence is held",
                                                  chip.name, b.rule->control, reach(*b.rule, c)));
    return;
  }
  const std::string id = id_of(c, "export." + kebab(chip.id));
  const auto have = c.trace.input(id + ".threshold", b.value, "1");
  const auto& need = b.is_density ? chip.performance_density : chip.tpp;
  Margin m = make_margin(id,
                         fmt::format("{} without a licence, {}",
                                     b.is_density ? "performance density" : "TPP", chip.name),
                         need, have, "");
  m.why = fmt::format("{} has a TPP of {} and the site is reached by {} ({}): {}. {} Read {}.",
                      chip.name, format_number(chip.tpp.value), b.rule->control, reach(*b.rule, c),
                      b.test != nullptr ? b.rule->effect : "below its thresholds", b.rule->note,
                      b.rule->as_of);
  if (b.test != nullptr) m.remedies = export_remedies(c, rules);
  result.findings.margins.push_back(std::move(m));
}

// --- Residency -----------------------------------------------------------------

bool in_any_jurisdiction(const Region& r, const std::vector<std::string>& areas) {
  return std::any_of(areas.begin(), areas.end(),
                     [&](const auto& a) { return a == "*" || r.in_jurisdiction(a); });
}

/// The cheapest regions inside some jurisdictions, as "Sweden (Stockholm), ...".
std::string places_inside(const Context& c, const std::vector<std::string>& areas) {
  std::vector<const Region*> inside;
  for (const Region* r : c.catalog.all<Region>()) {
    if (in_any_jurisdiction(*r, areas)) inside.push_back(r);
  }
  std::stable_sort(inside.begin(), inside.end(), [](const Region* a, const Region* b) {
    return a->electricity.likely < b->electricity.likely;
  });
  std::vector<std::string> names;
  for (const Region* r : inside) {
    if (names.size() < 3) names.push_back(r->name);
  }
  return joined(names);
}

Margin count_margin(const Context& c, const std::string& id, std::string limit, double need,
                    double have) {
  // A condition is met or not; a margin of it would be zero at best and hide the
  // real first limit. So the need is what is missing, and met conditions need nothing.
  const auto n = c.trace.derive(id + ".need", Scalar(std::max(0.0, need - have)), "rule",
                                "conditions that must be met and are not", {});
  const auto h =
      c.trace.derive(id + ".have", Scalar(0.0), "rule", "conditions that may be left open", {});
  return make_margin(id, std::move(limit), n, h, "rule");
}

void hold_within(const Context& c, Result& result) {
  const auto& within = c.spec.residency.within;
  if (within.empty()) return;
  const bool inside = in_any_jurisdiction(*c.region, within);
  Margin m = count_margin(c, id_of(c, "residency.within"), "processing inside " + joined(within), 1,
                          inside ? 1 : 0);
  m.why = fmt::format("{} lies in {}; the scenario demands {}.", c.region->name,
                      joined(c.region->jurisdictions), joined(within));
  const std::string places = places_inside(c, within);
  if (!inside && !places.empty()) {
    m.remedies.push_back(
        {"move to a region inside, cheapest energy first: " + places, {}, {}, "catalogue regions"});
  }
  result.findings.margins.push_back(std::move(m));
}

/// Conditions of a rule at this site, and those that are met.
struct Conditions {
  int need = 0, met = 0;
  std::vector<std::string> open;  ///< what is missing, in words
};

Conditions conditions_of(const ResidencyRule& rule, const Context& c) {
  Conditions out;
  const auto& held = c.spec.residency.safeguards;
  for (const std::string& a : rule.always) {
    ++out.need;
    if (contains(held, a))
      ++out.met;
    else
      out.open.push_back(a);
  }
  if (in_any_jurisdiction(*c.region, rule.allow) || in_any_jurisdiction(*c.region, rule.adequate)) {
    return out;
  }
  ++out.need;
  const bool any = std::any_of(rule.safeguards.begin(), rule.safeguards.end(),
                               [&](const auto& s) { return contains(held, s); });
  if (any)
    ++out.met;
  else if (rule.safeguards.empty())
    out.open.push_back("processing inside " + joined(rule.allow));
  else
    out.open.push_back("one of " + joined(rule.safeguards));
  return out;
}

void hold_rule(const Context& c, const ResidencyRule& rule, const DataSet& data, Result& result) {
  const Conditions k = conditions_of(rule, c);
  const std::string name = data.name.empty() ? data.data_class + " data" : data.name;
  Margin m = count_margin(c, id_of(c, "residency." + kebab(name) + "." + rule.id),
                          fmt::format("{}: {}", rule.name, name), std::max(1, k.need),
                          k.need == 0 ? 1 : k.met);
  m.why = fmt::format("{} data of {} processed in {}: {}. Read {}; not legal advice.",
                      data.data_class, data.subjects, c.region->name, rule.effect, rule.as_of);
  for (const std::string& open : k.open) {
    m.remedies.push_back({"put in place: " + open, {}, {}, rule.name});
  }
  if (!k.open.empty()) {
    const std::string places = places_inside(c, rule.allow);
    if (!places.empty()) {
      m.remedies.push_back(
          {"process inside " + joined(rule.allow) + ": " + places, {}, {}, "catalogue regions"});
    }
  }
  result.findings.margins.push_back(std::move(m));
}

}  // namespace

bool is_current(const std::string& review_by, const std::string& as_of) {
  const auto due = day_number(review_by), today = day_number(as_of);
  return !due || !today || *today <= *due;
}

void assess_export(const Context& c, Result& result) {
  if (c.region == nullptr || c.demand.chips.empty()) return;
  const auto rules = rules_that_reach(c, result);
  for (const ControlledChip& chip : c.demand.chips) {
    if (chip.tpp.node == no_node || chip.tpp.value <= 0) {
      result.findings.remarks.push_back("site: no TPP known for " + chip.name +
                                        "; export control was not asked");
    } else if (!rules.empty()) {
      hold_chip(c, chip, rules, result);
    }
  }
}

void assess_residency(const Context& c, Result& result) {
  const Residency& r = c.spec.residency;
  if (r.within.empty() && r.data.empty()) return;
  if (c.region == nullptr) {
    result.findings.remarks.push_back("site: residency is given but no region; it was not asked");
    return;
  }
  hold_within(c, result);
  for (const DataSet& data : r.data) {
    bool any = false;
    for (const ResidencyRule* rule : c.catalog.all<ResidencyRule>()) {
      if (rule->subjects != data.subjects || !contains(rule->classes, data.data_class)) continue;
      any = true;
      if (is_current(rule->review_by, c.demand.as_of)) {
        hold_rule(c, *rule, data, result);
      } else {
        result.findings.remarks.push_back(
            fmt::format("site: {} was due for review by {}: unknown", rule->name, rule->review_by));
      }
    }
    if (!any) {
      result.findings.remarks.push_back(fmt::format(
          "site: no rule known for {} data of {}: unknown", data.data_class, data.subjects));
    }
  }
}

}  // namespace headroom::site
