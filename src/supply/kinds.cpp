#include "supply/kinds.hpp"

#include <cmath>

namespace headroom::supply {

KindFigures figures_of(Kind kind) {
  constexpr double kg_mwh_per_kg_gj = 3.6;
  constexpr double gas = 56.1 * kg_mwh_per_kg_gj, diesel = 74.1 * kg_mwh_per_kg_gj;
  switch (kind) {
    case Kind::gas_turbine:  // open cycle
      return {0.38, 15, gas, 5, 0.5, 0, false, false};
    case Kind::gas_engine:
      return {0.44, 15, gas, 8, 0.3, 0, false, false};
    case Kind::fuel_cell:  // solid oxide, natural gas
      return {0.55, 15, gas, 12, 0.3, 0, false, false};
    case Kind::diesel:
      return {0.40, 90, diesel, 15, 0.3, 0, false, false};
    case Kind::hydrogen:  // carbon of making it is not counted; its origin is unknown
      return {0.50, 150, 0, 12, 0.2, 0, true, false};
    case Kind::solar:
      return {1, 0, 0, 0, 0, 60, true, true};
    case Kind::wind:
      return {1, 0, 0, 0, 0, 65, true, true};
    case Kind::nuclear:
      return {1, 0, 0, 0, 0, 95, true, false};
    case Kind::grid:
      break;
  }
  return {};
}

double annuity(double rate, double years) {
  return rate > 0 ? rate / (1 - std::pow(1 + rate, -years)) : 1 / years;
}

}  // namespace headroom::supply
