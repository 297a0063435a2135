#include "study/facility_phases.hpp"

#include <algorithm>

#include "study/check.hpp"
#include "study/context.hpp"

namespace headroom::study {
namespace {

PhaseLimit limit_of(const Margin& m) {
  PhaseLimit l{m.id, m.limit, m.unit, m.need, m.have, m.headroom(), {}};
  if (!m.remedies.empty()) l.add = m.remedies.front().action;
  return l;
}

FacilityPhase phase_of(std::string name, const Loaded& loaded, const catalog::Catalog& catalog) {
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  rank(verdict);
  FacilityPhase p;
  p.name = std::move(name);
  for (const auto& hall : c.halls) {
    p.racks += hall.racks;
    p.it_max_w += hall.it_max.value.si();
    p.rack_max_w = std::max(p.rack_max_w, hall.rack_max.value.si());
  }
  for (const auto& m : c.machines) p.gpus += m.gpus.value;
  p.meter_max_w = c.meter_max.value.si();
  p.pue = c.pue.value;
  p.fits = verdict.fits;
  if (const auto* binding = verdict.binding()) p.binding = limit_of(*binding);
  for (const auto& m : verdict.margins)
    if (!m.holds()) p.missed.push_back(limit_of(m));
  return p;
}

Diagnostic mistake(std::string where, std::string message, std::string hint) {
  return {std::move(where), 0, 0, "", std::move(message), std::move(hint), ""};
}

}  // namespace

Result<std::vector<FacilityPhase>> facility_phases(const std::string& file,
                                                   const std::vector<std::string>& sets,
                                                   const catalog::Catalog& catalog) {
  Diagnostics mistakes;
  if (file == "-" && spec::TextInput::current() == nullptr) {
    mistakes.add(mistake("--phases", "a scenario on standard input can be read only once",
                         "give it as a file"));
    return failure(std::move(mistakes));
  }
  const auto today = load(file, sets, catalog);
  if (!today) return failure(today.error());
  if (today->scenario.phases.empty()) {
    mistakes.add(mistake(file, "this scenario has no phases",
                         "add phases: [{name: 80 kW a rack, set: [path=value]}]"));
    return failure(std::move(mistakes));
  }
  std::vector<FacilityPhase> out;
  out.push_back(phase_of("today", *today, catalog));
  auto changes = sets;
  for (const auto& phase : today->scenario.phases) {
    changes.insert(changes.end(), phase.set.begin(), phase.set.end());
    const auto loaded = load(file, changes, catalog);
    if (!loaded) {
      for (auto d : loaded.error().all()) {
        d.message = "phase '" + phase.name + "': " + d.message;
        mistakes.add(std::move(d));
      }
      return failure(std::move(mistakes));
    }
    out.push_back(phase_of(phase.name, *loaded, catalog));
  }
  return out;
}

}  // namespace headroom::study
