// Chillers and direct-expansion units: electricity for lifting heat.
//
// Inside a catalogue machine's range: its EIR curves (catalog/chiller.hpp).
// Outside, or with no machine named: a fraction of the reversible cycle
//
//   COP = eta * Te / (Tc - Te),  Te = leaving water - 3 K,
//         Tc = entering condenser water + 8 K (water-cooled) or air + 15 K (air-cooled)
//
// with eta the mean over six machines' published full-load curves: 0.60
// water-cooled (0.34 at small lifts to 0.81), 0.51 air-cooled (0.47 to 0.53). Comfort curves
// end at 13 degC leaving water; warm facility water lies beyond every one of
// them. COP is held between 1 and 15.
#pragma once

#include "base/quantity.hpp"
#include "catalog/chiller.hpp"

namespace headroom::cooling {

inline constexpr double water_cooled_carnot = 0.60;
inline constexpr double air_cooled_carnot = 0.51;

/// `entering`: condenser water, or outdoor air when `air_cooled`.
double carnot_cop(Temperature leaving, Temperature entering, bool air_cooled, double eta);

/// Whether the curves of `machine` cover this point.
bool in_range(const catalog::Chiller& machine, Temperature leaving, Temperature entering);
/// COP by the curves, load clamped to the machine's range. Requires `in_range`
/// for a trustworthy answer; evaluates anywhere.
double curve_cop(const catalog::Chiller& machine, Temperature leaving, Temperature entering,
                 double load);

}  // namespace headroom::cooling
