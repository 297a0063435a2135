// The cooling plant as one conserved system in steady state: what it consists of.
//
//   rack groups -> liquid path (cold plate + CDU, rear door, tank) -> water loop
//               -> hall air -> air path (coil, direct expansion, outside air) -> water loop
//   water loop  -> heat reuse -> dry or adiabatic cooler -> tower -> chiller -> back to the racks
//
// A water loop has a supply set point and a chain of stages in that order; any of them may be
// absent. Each stage takes what it can of the heat that is left, so that the usual plants are:
//   tower               tower                        dry cooler        dry
//   hybrid (ESIF)       dry + tower                  adiabatic         dry with pads
//   water-cooled chiller with series economiser      tower + chiller on the tower
//   the same, parallel  economiser only when it can take everything
//   air-cooled chiller with free-cooling coil        dry + chiller on air
// What no stage takes makes the supply water warmer than its set point (`HourState::short_k`).
//
// Equations:
//   coils, CDUs, plates   effectiveness-NTU, counterflow; a valve holds the set point (hydraulics)
//   racks' air            V = Q / (rho c rise); units move V (1 - recirculation)/(1 - bypass);
//                         inlet = supply + recirculation/(1 - recirculation) x rise
//   chip                  coolant supply + rise/2 + R x chip power, R ~ (flow/design)^-exponent
//   tower                 wet bulb + York approach(wet bulb, range, L/G), fans P ~ y^3
//   dry cooler            crossflow effectiveness, UA ~ (air/design)^0.6, fans P ~ y^3
//   pads                  dry bulb - saturation x (dry bulb - wet bulb), only when dry is not
//   enough chiller               EIR curves inside their range, else a Carnot fraction
//   (compressor.hpp);
//                         hours outside the curves are counted
//   outside air, direct   up to 100 % outside air between dew-point limits; the coil takes the rest
//   outside air, indirect effectiveness of an air-to-air exchanger, dry or wetted
//   reuse                 heat at `level_c` while the loop's return is warm enough, or by heat pump
//   water                 tower: Q dw/dh, leaving air saturated at the mean water temperature, i.e.
//                         what the sensible warming of the air does not carry; blow-down E/(C - 1);
//                         drift as a share of evaporation
// Heat of pumps and of room fans goes into what they move; rejection fans warm outside air.
//
// Plain doubles: W, degC, W/K, m3/s, Pa. Defaults carry their source. What it leaves out: pipe
// losses, fouling, glycol's viscosity, latent heat on coils, control dead bands, several chillers'
// staging beyond equal load.
#pragma once

#include <string>
#include <vector>

#include "base/source.hpp"
#include "catalog/chiller.hpp"
#include "catalog/cooling_technology.hpp"
#include "cooling/hydraulics.hpp"

namespace headroom::cooling {

/// A temperature somebody chose, with the place where it stands in the input.
struct SetPoint {
  double celsius = 20;
  Origin origin;
  std::string path;  ///< "cooling.loops.warm.supply"
};

/// Chip (or whatever is hottest) and its path to the coolant that cools it.
struct ChipPath {
  double power_w = 0;     ///< at full load; 0: no chip is looked at
  double k_per_w = 0;     ///< chip to mean coolant, at design flow
  double exponent = 0.4;  ///< of flow in 1/R; microchannels 0.3-0.5 (assumed)
  double limit_c = 85;    ///< where it throttles; 0: none
};

/// Equal racks. Heat shares are of their IT heat.
struct RackGroup {
  std::string name;
  double racks = 0;
  double rack_w = 0;  ///< at full load
  catalog::CoolingFamily family = catalog::CoolingFamily::room_air;
  double liquid_share = 0;  ///< cold plate, door, tank; the rest goes to the hall's air
  double air_rise_k = 12;
  ChipPath chip;  ///< cooled by the liquid where there is one, else by air

  // Liquid path; unused without a liquid share.
  std::size_t loop = 0;        ///< water loop that takes its heat
  SetPoint supply;             ///< coolant to the plates (door: air leaving; boiling: vapour)
  double design_rise_k = 10;   ///< coolant at full load; vapour: 0
  bool constant_flow = false;  ///< pumps do not follow the load
  double density = 996, heat_capacity = 4180;  ///< coolant, SI (water at 30 degC)
  double approach_k = 0;  ///< coolant above water at full load, for sizing; 0: the default there
  Exchanger exchanger;    ///< CDU, door coil or condenser, all racks together
  double most_water = 0;  ///< W/K with valves open
  Mover mover;            ///< coolant pumps or door fans, all together
  double boiling_c = 0;   ///< two-phase: vapour temperature
};

enum class OutsideAir : unsigned char { none, direct, indirect };

/// A hall's air: every group's air heat and the losses of gear in the hall.
struct HallAir {
  std::string name;
  std::vector<std::size_t> groups;
  double loss_w = 0;             ///< of distribution gear in the hall, at full load
  double loss_idle_share = 0.3;  ///< of it that does not fall with load (no-load losses; assumed)
  std::size_t loop = 0;          ///< ignored by direct expansion
  SetPoint supply{22, {}, {}};
  double bypass = 0.08, recirculation = 0.02;  ///< containment leakage (assumed, contained aisle)
  double approach_k = 0;  ///< air above water at full load, for sizing; 0: the default there
  Exchanger coil;
  double most_water = 0;
  Mover fans;               ///< all units together
  double dew_point_c = 10;  ///< of the room's air, for condensation (set by humidity control)

  bool direct_expansion = false;
  double expansion_carnot = 0.51;
  bool pumped_refrigerant = false;  ///< economiser: EIR by outdoor dry bulb (below)

  OutsideAir outside = OutsideAir::none;
  double outside_low_dew_c = -9, outside_high_dew_c = 15;  ///< ASHRAE TC 9.9 recommended (2021)
  double indirect_effectiveness = 0.7;                     ///< air-to-air plate (assumed)
  bool wetted = false;           ///< pads: direct humidifies, indirect wets the scavenger
  double saturation = 0.85;      ///< of the depression
  double outside_head_pa = 150;  ///< added to the fans while outside air flows (assumed)
};

/// EIR over rated of a pumped-refrigerant economiser (Liebert Econophase), by outdoor dry bulb.
/// Source: NREL/EnergyPlus 1ZoneDataCenterCRAC_wPumpedDXCoolingCoil.idf.
double pumped_refrigerant_cop(double outdoor_c);

struct Reuse {
  double demand_w = 0;          ///< largest; 0: none
  std::vector<double> profile;  ///< of demand_w, one an hour of the year; empty: constant
  double level_c = 30;          ///< to be delivered
  double return_c = 22;         ///< comes back from the user
  double approach_k = 2;
  bool heat_pump = false;  ///< lifts when the return water is not warm enough
  double carnot = 0.5;     ///< of the heat pump (assumed)
};

struct DryCooler {
  double ua_w_k = 0;  ///< at full air flow; 0: none
  double air = 0;     ///< capacity rate of air at full flow, W/K
  double fan_w = 0;   ///< at full flow
  double least_air = 0.15;
  double least_lift_k = 3;  ///< rests while the water is not this much warmer than the air
  double saturation = 0;    ///< pads; 0: none
};

struct Tower {
  double water = 0;          ///< tower loop's capacity rate at design, W/K; 0: no tower
  double liquid_to_gas = 1;  ///< York's ratio at design flow and full fans: sets the size
  double fan_w = 0;
  double least_air = 0.2;
  Mover pump;
  Exchanger plate;       ///< to the facility water; ua 0: open towers, the loop's own water
  double floor_c = 5;    ///< basin no colder (freezing)
  double cycles = 5;     ///< of concentration
  double drift = 0.005;  ///< of evaporation
};

enum class Economiser : unsigned char { none, series, parallel };

struct Chillers {
  double capacity_w = 0;  ///< all; 0: none
  int machines = 1;
  const catalog::Chiller* curves = nullptr;
  double carnot = 0.6;
  bool on_air = false;           ///< condensers in outside air; else on the tower
  double air_fan_share = 0.015;  ///< condenser fans over heat rejected (recalled)
  Economiser economiser = Economiser::series;
};

struct WaterLoop {
  std::string name;
  SetPoint supply;
  Mover pump;
  Reuse reuse;
  DryCooler dry;
  Tower tower;
  Chillers chillers;
};

struct Plant {
  std::vector<RackGroup> groups;
  std::vector<HallAir> halls;
  std::vector<WaterLoop> loops;
  double other_w = 0;  ///< lights, controls, trace heat: electricity of the site beside cooling
};

}  // namespace headroom::cooling
