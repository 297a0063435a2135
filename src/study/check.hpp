// check: a scenario through every layer, once.
//
//   auto loaded = study::load("scenario.yaml", {}, catalog);
//   study::Verdict v = study::check(*loaded, catalog);
//
// Order: machines, networks, storage's write rate, work, clusters, storage,
// loads, building, power and cooling to their fixed point, site, money; then
// margins are ranked. Each layer is asked only what the scenario asks of it.
//
// With `sensitivities`, every ranged input of the scenario is set to its low and
// its high end, one at a time, and the scenario is checked again; with
// `catalogue_ranges`, so is every ranged catalogue number behind the binding limit.
//
// A target of availability costs about 0.2 s more, limits of transients 0.3 s; neither is asked
// again for each range.
//
// Complexity: a few milliseconds a check; plan search dominates. Deterministic.
// Thread-safe: a check owns everything but the catalogue.
#pragma once

#include "base/progress.hpp"
#include "study/scenario.hpp"
#include "study/verdict.hpp"

namespace headroom::study {

struct CheckOptions {
  bool sensitivities = true;      ///< of the ranges that the scenario gives
  bool catalogue_ranges = false;  ///< and of the catalogue's behind the binding limit
  bool asked = true;              ///< availability's target and the limits of transients
  std::string overlay;  ///< folder laid over the catalogue, for the copy that ranges change
  std::string as_of;    ///< date when the scenario names none, YYYY-MM-DD
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

Verdict check(const Loaded& loaded, const catalog::Catalog& catalog,
              const CheckOptions& options = {});

}  // namespace headroom::study
