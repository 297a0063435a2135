// A hall that grows: each phase of the scenario checked as a whole.
//
//   phases:
//     - {name: 40 kW a rack, set: [clusters.gpu.per_rack=4]}
//     - {name: 130 kW, set: [clusters.gpu.system=gb200-nvl72,
//     building.halls.A.cooling.kind=cold-plate]}
//
//   auto phases = study::facility_phases("hall.yaml", {}, catalog);
//
// The scenario as it stands is the first phase ("today"); each further one has the changes of those
// before it and its own. Every limit of every layer is asked (check.hpp): power, cooling, floor,
// air, move route, money, dates. What falls short is named with the first thing that would lift it.
//
// Fails on a scenario without phases, on standard input (it is read once a phase), and on changes
// that cannot be applied, with the phase's name before the mistake. Complexity: a check a phase.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"

namespace headroom::study {

struct PhaseLimit {
  std::string id, limit, unit;
  double need = 0, have = 0, headroom = 0;  ///< SI; have/need - 1
  std::string add;                          ///< what lifts it; empty: nobody knows
};

struct FacilityPhase {
  std::string name;
  double racks = 0, gpus = 0, it_max_w = 0, rack_max_w = 0, meter_max_w = 0, pue = 0;
  bool fits = false;
  PhaseLimit binding;
  std::vector<PhaseLimit> missed;  ///< all that fall short, worst first
};

Result<std::vector<FacilityPhase>> facility_phases(const std::string& file,
                                                   const std::vector<std::string>& sets,
                                                   const catalog::Catalog& catalog);

}  // namespace headroom::study
