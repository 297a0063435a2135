// How often a scenario's halls stand still, for how long, why, and what it costs.
// What `headroom facility FILE --availability` prints.
//
//   auto a = study::facility_availability(loaded, catalog, {.threads = 2});
//   a->result.availability, a->usd_year, a->tier.level
//
// The power chain is that of power/topology.hpp (the scenario's banks and redundancies, or its own
// nodes), the cooling plant its banks of CDUs, room units and heat rejection; both become the
// groups and views of availability/system.hpp:
//
//   power          utility -> ... -> racks and cooling; racks ride on the UPS's batteries
//   power, stored  from the UPS on, batteries full: what nothing bridges
//   <hall> coolant, air, facility water, heat rejection
//                  ride-through of each by its own failure walk (cooling/failure_walk.hpp) at the
//                  design day, full load: seconds until racks trip, or throttle and stay throttled
//
// Cooling that loses its power must start again (power's restart time) before racks trip. What
// carries less than its full load with everything in service is held to what it carries; `check`
// says how much is missing.
//
// LOST GPU time as in the failure walk: worth the price of a GPU-hour, tokens at the workloads' own
// rates. A gang job loses its hall's whole time while any rack of it is down, half a checkpoint
// interval and its restart.
//
// A stage that the scenario does not count stands as one unit: remarked on, for one failure then
// takes all of it. One more unit costs what the catalogue says of its kind (mostly recalled).
//
// NOT MODELLED: single racks and servers (clusters' own failures are the cluster layer's),
// networks, sites' controls, breakers that trip in turn (`--lose`), two feeds that are one
// substation.
//
// Errors: no hall; contradictions of the system. Complexity: the histories dominate, about 30 us
// each. Deterministic, whatever `threads`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "availability/parts.hpp"
#include "availability/simulate.hpp"
#include "availability/states.hpp"
#include "base/progress.hpp"
#include "base/result.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct AvailabilityOptions {
  std::string epw;  ///< weather of the design day
  int fill_gap_h = 0;
  int histories = 0;  ///< 0: the scenario's
  int threads = 1;
  bool remedies = true;
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// What a hall lives on when a part of cooling is lost.
struct RideThrough {
  std::string hall, what;
  double lost = 1;      ///< share
  double seconds = -1;  ///< -1: never short
  double after = 0;     ///< speed left
};

/// What one unit of a group costs by the catalogue: price of its kind of gear times its rating.
struct UnitPrice {
  double usd = 0;
  std::string source;  ///< empty: nobody knows
};

/// One more unit, or another change.
struct AvailabilityRemedy {
  std::string what;
  availability::Estimate hours, lost_gpu_s;  ///< saved a year
  double usd = 0;                            ///< saved a year
  bool clear = false;                        ///< beyond the noise of the histories
  std::optional<double> capital_usd;         ///< of the unit, where the catalogue has a price
  std::string price_source;
};

struct WorkOutage {
  std::string name;
  double tokens = 0;  ///< not made, a year
};

struct AvailabilityAnswer {
  std::string scenario;
  double gpus = 0;
  availability::System system;
  availability::SimulateOptions simulated;
  availability::SimulateResult result;
  availability::Exact exact;
  int exact_order = 3;
  availability::Tier tier;
  double battery_s = 0, battery_failure = 0;  ///< of the racks' UPS; chance that it is not there
  std::vector<UnitPrice> prices;              ///< of each group of the system
  std::vector<availability::Figure> figures;
  std::vector<RideThrough> rides;
  std::vector<AvailabilityRemedy> remedies;
  std::vector<WorkOutage> work;
  double usd_per_gpu_s = 0;
  std::string price_origin;  ///< empty: nobody knows
  std::vector<std::string> remarks;
};

Result<AvailabilityAnswer> facility_availability(const Loaded& loaded,
                                                 const catalog::Catalog& catalog,
                                                 const AvailabilityOptions& options = {});

}  // namespace headroom::study
