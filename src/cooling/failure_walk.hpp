// Cooling lost, second by second: what gets hot, when racks throttle, when they shut down, when
// they are back.
//
// States (exact_step.hpp steps them exactly between events):
//   rack group   chips with plates, coolant in the racks; twice where a leak isolates a part
//   CDU          supply to the racks (manifolds, pipes, tank)
//   hall         cold air, hot air, mass beside each (racks, servers' steel, walls)
//   water loop   supply (with a store), return, tower basin
//
//   chips  C dT/dt = P(T) - G (T - coolant)         G = liquid heat / (chip W x K/W)
//   CDU    out = coolant - K (coolant - water)/c,   K by effectiveness-NTU at the flows that run
//   hall   hot = cold + heat/c; the coil takes K (hot - water); without fans hot air comes round
//   plant  holds its set point while it can; else what towers, dry coolers and the chillers left
//          can take: K (T - T0) linear about the starting point, chillers at their capacity
// Each second ("control") the mode of every valve, plant and rack is decided: valves open fully
// when coolant is 1 K too warm; racks throttle and trip by `Throttle`; a tripped rack stays off,
// and so do chillers that trip on hot condenser water.
//
// Energy: in = out + stored at every step, `Walk::worst_imbalance` (tested below 1e-9).
//
// The start is the plant's steady state (plant_hour.hpp). Not modelled: transport delay in pipes,
// pumps running down (a few seconds of flow), control loops faster than a second, heat to walls
// beyond `mass`. Inventories are the user's or assumed.
// Complexity: n nodes: n^2 a second, n^3 a new combination of modes; ten minutes of a hall about 1
// ms.
#pragma once

#include <limits>

#include "cooling/exact_step.hpp"
#include "cooling/plant_hour.hpp"
#include "cooling/throttle.hpp"

namespace headroom::cooling {

/// Heat capacities a watt of full IT load, J/K/W.
struct RackInertia {
  double chips = 0.097;  ///< 30 kg of copper in a 120 kW rack (headroom notes, assumed)
  double coolant = 0.4;  ///< 12 of 20 L of PG25 in such a rack: plates, hoses (assumed)
  double supply = 1.5;   ///< manifolds, pipes and CDU, about 0.4 L/kW (assumed)
};

/// The mass is fitted to one published time (189 s to shutdown at 5 kW a cabinet, Opengate Data
/// Systems); 10 kW then takes 55 s, where the same study says below 60.
struct HallInertia {
  double air_m3 = 0;    ///< 0: 9 m3 a rack (2.6 m2 x 3.4 m with the plenum; assumed)
  double mass_j_k = 0;  ///< 0: 48 kJ/K a rack (about 105 kg of steel: a cabinet's own)
  double mass_w_k = 0;  ///< air to mass; 0: 200 W/K a rack (10 m2 x 20 W/m2K; assumed)
};

struct LoopInertia {
  double supply_s = 60;  ///< inventory of the supply side over design flow (assumed)
  double return_s = 60;
  double store_s = 0;    ///< chilled-water store, in seconds of design flow
  double basin_s = 180;  ///< tower basin and its pipes, the same (assumed)
};

enum class Failure : unsigned char {
  coolant_pumps,  ///< of group `index`
  loop_pumps,     ///< of loop `index`
  tower,          ///< towers and dry coolers of loop `index`
  chillers,       ///< of loop `index`
  hall_fans,      ///< of hall `index`
  leak,           ///< a share of group `index` is isolated and gets no coolant
  everything,     ///< total loss of cooling
};

struct FailureEvent {
  Failure what = Failure::everything;
  std::size_t index = 0;
  double share = 1;  ///< of the capacity or flow that is lost
  double at_s = 0;
  double back_s = std::numeric_limits<double>::infinity();
};

struct WalkOptions {
  double horizon_s = 600;
  double control_s = 1;
  Throttle throttle{};
  /// Inlet at which servers with parts in air trip, also those beside plates (135 degF; recalled).
  double air_shutdown_c = 57;
  double tower_trip_c = 40;  ///< condenser water at which chillers trip (assumed)
  RackInertia racks{};
  HallInertia halls{};
  LoopInertia loops{};
};

/// One group over time; one value a control step.
struct GroupWalk {
  std::vector<float> chip_c, coolant_c;  ///< hottest part; chip: coolant where no chip is given
  std::vector<float> power;              ///< over the load at the start
  double throttle_at_s = -1;             ///< first time below full power; -1: never
  double shutdown_at_s = -1;             ///< first racks tripped
  double lost_s = 0;                     ///< integral of 1 - power
};

struct Walk {
  double control_s = 1;
  std::vector<GroupWalk> groups;
  std::vector<std::vector<float>> inlet_c;   ///< [hall][step]
  std::vector<std::vector<float>> supply_c;  ///< [loop][step]
  bool recovered = false;                    ///< at the end every rack runs at full power
  double worst_imbalance = 0;
  double in_j = 0, out_j = 0, stored_j = 0;
};

Walk walk(const Plant& plant, const HourInput& start, const std::vector<FailureEvent>& events,
          const WalkOptions& options = {});

}  // namespace headroom::cooling
