// Where the energy of a scenario's halls comes from over a year, at the least cost.
// What `headroom facility FILE --supply` prints.
//
//   auto a = study::facility_supply(loaded, catalog, {});
//   a->usd_mwh, a->dispatch.clean_share, a->dispatch.sources[0].used_mwh
//
// LOAD: the halls' meter of study/facility_year.hpp, hour by hour. SUPPLY: the scenario's `supply`
// block (supply/spec.hpp), or the grid alone at the region's price. The year is one linear program
// (supply/dispatch.hpp): perfect foresight, no unit commitment, no export. Sun and wind from the
// same weather as the cooling (supply/profiles.hpp).
//
//   cost      all parts over energy served; unserved energy, at its worth, apart
//   24/7      carbon-free energy at the load, hour by hour through storage, over energy served
//   REF       renewable energy used over energy at the meter, ISO/IEC 30134-3
//
// Errors: no hall, no price of the grid, CSV files, told at their place. Complexity: a facility
// year and one program, some seconds with storage. Deterministic.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "study/facility_year.hpp"
#include "study/scenario.hpp"
#include "supply/dispatch.hpp"

namespace headroom::study {

struct SupplyAnswer {
  std::string scenario, weather, carbon_origin;
  double pue = 0;
  supply::Problem problem;
  supply::Dispatch dispatch;
  std::vector<std::string> kinds;  ///< of the sources
  std::vector<bool> unlimited;     ///< a grid whose capacity is not known
  double usd = 0;                  ///< a year, without the worth of what is not served
  double usd_mwh = 0;              ///< of energy served
  double unserved_usd = 0;
  double carbon_kg = 0, carbon_kg_mwh = 0;
  double ref = 0;
  double grid_only_usd = 0;              ///< the first grid alone, without a limit; 0: no grid
  std::vector<std::string> assumptions;  ///< figures that the scenario leaves out
  std::vector<std::string> remarks;

  bool holds() const { return dispatch.unserved_mwh <= 1e-6 * dispatch.load_mwh; }
};

Result<SupplyAnswer> facility_supply(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const FacilityOptions& options);

}  // namespace headroom::study
