// Figures of a kind of plant where the scenario gives none. All are recalled or assumed, except
// the carbon of fuels (IPCC 2006 Guidelines vol. 2 table 1.4: natural gas 56.1, diesel 74.1
// kg CO2/GJ of lower heating value; recalled, not read again); they are told with the answer.
#pragma once

#include "supply/spec.hpp"

namespace headroom::supply {

struct KindFigures {
  double efficiency = 1;          ///< lower heating value
  double fuel_usd_mwh = 0;        ///< of fuel
  double fuel_carbon_kg_mwh = 0;  ///< of fuel
  double upkeep_usd_mwh = 0;
  double min_load = 0;
  double bought_usd_mwh = 0;  ///< when neither price nor capex is given
  bool clean = false, renewable = false;
};
KindFigures figures_of(Kind kind);

/// Yearly payment for 1 of capital: r / (1 - (1 + r)^-n).
double annuity(double rate, double years);

}  // namespace headroom::supply
