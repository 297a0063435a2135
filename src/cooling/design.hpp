// The cooling system in numbers, and its steady state at one weather.
//
// From rack to sky:
//   air      racks -> room units (fans) -> facility water          (CRAC: straight outside)
//   liquid   racks -> CDU, door or tank (pumps) -> facility water
//   plant    facility water (pumps) -> economiser and/or chiller -> tower or dry cooler (fans)
//
// Each hall gives up to two loads with the facility water each may have at most
// (supply less approach). The plant serves every load at its own temperature: it
// runs without compressor when the air allows
//
//   tower      wet bulb + York approach(wet bulb, range) + plate exchanger
//   dry        dry bulb + approach
//   adiabatic  dry bulb - saturation x depression + approach
//
// and otherwise lifts the rest with a chiller (kinds that have one). The
// economiser is in series: it takes what it can from the return first.
//
// Fans and pumps:  P = V dp / efficiency, with dp falling to 30 % static plus
// 70 % with the square of flow, as variable speed drives do.
// Heat-rejection fans: P = y^3 P_full, y the air flow that just makes the
// temperature.
// Water: evaporation = Q dw/dh of air that leaves the tower saturated at the mean
// water temperature; make-up = evaporation x C/(C-1) + drift.
//
// Every watt that goes in (IT, losses, fans, pumps, compressors) comes out to the
// sky: `Flow::imbalance`, tested below 1e-9.
//
// Steady: no thermal mass, no control dead bands. Complexity O(halls) a weather,
// O(halls x bins) a year. No I/O; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/chiller.hpp"
#include "catalog/climate.hpp"
#include "catalog/cooling_technology.hpp"
#include "cooling/air.hpp"
#include "cooling/spec.hpp"

namespace headroom::cooling {

struct Weather {
  Temperature dry_bulb = Temperature::celsius(20), wet_bulb = Temperature::celsius(15);
  Pressure pressure = 101.325 * kilopascal;
};

/// Racks of a hall that are alike. Their powers sum to the hall's.
struct RackShare {
  std::string name;
  double racks = 1;
  Power it{};               ///< all of them, at full load
  double liquid_share = 0;  ///< of their heat; the hall's technology takes it
  double air_rise_k = 12, liquid_rise_k = 10;
};

/// One hall (or the power rooms) with every choice made.
struct HallDesign {
  const catalog::CoolingTechnology* technology = nullptr;
  const catalog::CoolingTechnology* room = nullptr;  ///< units that take the heat left in the air
  double liquid_share = 0;                           ///< of IT heat, of its main racks
  bool contained = false;
  VolumeFlow rack_air{}, rack_liquid{};
  TemperatureDifference air_rise{}, liquid_rise{};
  Temperature air_supply, liquid_supply;
  TemperatureDifference air_approach{}, liquid_approach{};
  double bypass = 0;
  Power design_air{}, design_liquid{};  ///< heat at which fans and pumps run full
  std::vector<RackShare> racks;         ///< empty: all alike
};

struct PlantDesign {
  PlantKind kind = PlantKind::chiller_water;
  const catalog::Chiller* chiller = nullptr;
  bool economiser = true;
  bool has_set_point = false;
  Temperature set_point;
  TemperatureDifference range{}, dry_approach{}, exchanger{};
  double saturation = 0, carnot = 0, cycles = 0, drift = 0, fan_share = 0;
  Pressure pump_head{};
  double pump_efficiency = 1;

  bool has_chiller() const {
    return kind == PlantKind::chiller_water || kind == PlantKind::chiller_air;
  }
  bool on_tower() const { return kind == PlantKind::tower || kind == PlantKind::chiller_water; }
};

struct Design {
  std::vector<HallDesign> halls;  ///< the last one stands for the power rooms
  PlantDesign plant;
};

/// Heat at one moment: IT of each hall, losses inside it, power rooms.
struct Heat {
  std::vector<Power> it;
  std::vector<Power> loss;  ///< of the hall's own distribution
  Power power_rooms{};
  std::vector<std::vector<Power>> racks{};  ///< of each hall's `racks`; empty: in proportion
};

struct Flow {
  Power heat{};  ///< IT and losses handed over
  Power room_fans{}, secondary_pumps{}, plant_pumps{}, plant_fans{}, compressors{};
  Power rejected{};    ///< to the sky, added up where it leaves
  Power water_heat{};  ///< facility water brings to the plant
  Power plant_heat{};  ///< what towers, dry coolers or condensers reject
  VolumeFlow evaporation{}, makeup{};
  Power lifted{};   ///< heat in hours that needed a compressor
  Power warm{};     ///< heat of the liquid loop in hours in which it needed one
  Power trimmed{};  ///< heat of loops whose trim chillers ran, in a plant without chillers
  TemperatureDifference short_by{};  ///< worst load: water warmer than it may be

  Power reused{};  ///< of `rejected`, handed to a user

  Power electrical() const {
    return room_fans + secondary_pumps + plant_pumps + plant_fans + compressors;
  }
  double imbalance() const;
  /// Adds rates of `now` for a share of the time; `short_by` is left.
  void add(const Flow& now, double share);
};

Flow solve(const Design& design, const Heat& heat, const Weather& weather);

/// Fans of the room units that move this heat; pumps (and door fans) that move that.
Power room_fans(const HallDesign& hall, Power air_heat);
Power secondary_pumps(const HallDesign& hall, Power liquid_heat);

/// Water the plant makes without a compressor at this weather.
Temperature free_water(const PlantDesign& plant, const Weather& weather);

/// Warmest facility water that a hall's air (liquid) load may have.
Temperature air_water(const Design& design, const HallDesign& hall);
Temperature liquid_water(const Design& design, const HallDesign& hall);

/// A typical year at constant heat.
struct Year {
  Flow mean;               ///< rates averaged over the hours
  Time compressor_free{};  ///< hours in which nothing needs a compressor and set points hold
  Time liquid_free{};      ///< the same of the liquid loop alone
  bool has_liquid = false;
  Time short_of{};  ///< hours in which water is warmer than it may be
  TemperatureDifference worst_short{};
  double worst_imbalance = 0;  ///< of any hour, relative
};
Year year(const Design& design, const Heat& heat, const catalog::Climate& climate);

}  // namespace headroom::cooling
