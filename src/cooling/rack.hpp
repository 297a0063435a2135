// How much heat one rack can shed, from what flows through it.
//
//   air         V * 1.2 * 1005 * rise                       (V: what the position can be given)
//   rear door   the lesser of V * 1.2 * 1005 * (inlet + rise - water - approach)
//               and water flow * density * heat * its rise
//   cold plate  flow * density * heat * rise                (the liquid share of the rack)
//   immersion   the same, of the dielectric
//   two-phase   condenser water flow * density * heat * rise; and at the chip
//               q'' = 0.131 h_fg sqrt(rho_v) (sigma g (rho_l - rho_v))^(1/4)
//               (Zuber 1959), times boiling surface over chip surface, derated
//
// Never from a label: `typical_max` of the catalogue is not used here.
#pragma once

#include "cooling/design.hpp"

namespace headroom::cooling {

/// Heat the rack's air can take to the room units (0 for immersion).
Power rack_air_capacity(const HallDesign& hall);

/// Heat the rack's liquid, door or tank can take. `water`: facility water given.
Power rack_liquid_capacity(const HallDesign& hall, Temperature water);

/// Critical heat flux of a boiling coolant on a plain surface.
PowerDensity critical_heat_flux(const catalog::Coolant& coolant);
/// What a chip may give off: critical flux x surface ratio x derating.
PowerDensity boiling_limit(const catalog::CoolingTechnology& technology);

/// Heat of a whole rack that a technology can remove when `liquid_share` of it can
/// go into liquid: the lesser of what its air and its liquid allow.
Power rack_capacity(const HallDesign& hall, Temperature water);

}  // namespace headroom::cooling
