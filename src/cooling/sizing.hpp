// Sizes the parts of a plant from what designers say of them: approaches, heads, shares.
//
//   PlantSizing s;  s.tower_approach_k = 4; ...
//   size(plant, s);            // fills every exchanger, pump, fan, tower and cooler left at zero
//
// Coils, CDUs and plates get the UA that makes their approach at full load; pumps the flow at the
// design rise; towers the L/G at which York gives the design approach at the design wet bulb and
// range; dry coolers the UA that brings water to
// `dry_approach_k` above the air that enters them.
// Parts already given are left alone. Capacity margins multiply the heat a part is sized for.
//
// Complexity O(parts). No errors.
#pragma once

#include "cooling/plant.hpp"

namespace headroom::cooling {

struct PlantSizing {
  double cdu_approach_k = 4;                           ///< coolant above water (recalled 3-5)
  double coil_approach_k = 6;                          ///< air above water (recalled 4-10)
  double loop_rise_k = 10;                             ///< facility water at full load (assumed)
  double valve_margin = 1.1;                           ///< most water over design water (assumed)
  double cdu_head_pa = 200e3;                          ///< OCP: up to 276 kPa
  double cdu_efficiency = 0.5;                         ///< recalled
  double door_rise_pa = 60, door_efficiency = 0.45;    ///< recalled
  double fan_rise_pa = 486, fan_efficiency = 0.7;      ///< NREL/EnergyPlus CRAC test file
  double loop_head_pa = 250e3, loop_efficiency = 0.7;  ///< recalled
  double tower_head_pa = 150e3;                        ///< recalled, basin to spray
  double plate_approach_k = 2;  ///< tower water to facility water; 0: open towers (assumed)
  double tower_approach_k = 4;  ///< at the design wet bulb
  double design_wet_bulb_c = 22;
  double tower_fan_share = 0.012;   ///< fans at full speed over heat (recalled)
  double dry_approach_k = 8;        ///< recalled 6-12
  double dry_fan_share = 0.025;     ///< recalled
  double dry_air_rise_k = 12;       ///< air through a dry cooler at full heat (assumed)
  bool tower = false, dry = false;  ///< build these stages on every loop that has none
  double capacity_margin = 1;
};

void size(Plant& plant, const PlantSizing& sizing);

/// York's L/G at which a tower makes this approach at this wet bulb and range: its size.
double tower_size(double wet_bulb_c, double range_k, double approach_k);

}  // namespace headroom::cooling
