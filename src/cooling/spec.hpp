// What a user writes about cooling.
//
// In a hall:
//   cooling: {kind: crah, units: 6 x 120 kW, redundancy: N+1, supply: 22 degC, containment: hot}
//   cooling: {kind: cold-plate, supply: 32 degC, cdus: 6 x 600 kW, cdu_redundancy: N+1,
//             units: 8 x 120 kW, redundancy: N+1}
//
// `kind` is a cooling technology of the catalogue; `units` are the room units
// that take the heat left in the air, `cdus` the coolant distribution units (for
// rear doors and tanks: whatever stands between racks and facility water).
//
// For the site:
//   cooling: {kind: tower, capacity: 4 x 1500 kW, redundancy: N+1, permit: 400 m3/d}
//
// Anything left out is decided by the technology's catalogue entry, with its
// source; capacities that are left out have no limit.
#pragma once

#include <string>

#include "catalog/redundancy.hpp"
#include "spec/fields.hpp"

namespace headroom::cooling {

using catalog::Redundancy;

enum class Containment : unsigned char { none, cold_aisle, hot_aisle };

struct HallSpec {
  std::string kind = "crah";  ///< `cooling-technology` entry
  spec::Bank<Power> units;    ///< room units, sensible capacity of each
  Redundancy redundancy = Redundancy::by_count;
  spec::Bank<Power> cdus;
  Redundancy cdu_redundancy = Redundancy::by_count;
  Containment containment = Containment::none;
  Value<TemperatureDifference> supply;      ///< absolute: to the rack, liquid where there is liquid
  Value<TemperatureDifference> air_supply;  ///< absolute: to the room beside liquid
  Value<VolumeFlow> rack_air, rack_liquid;  ///< what one rack can be given
  Value<TemperatureDifference> air_rise, liquid_rise;
  Value<TemperatureDifference> approach;  ///< supply above facility water

  void fields(spec::Fields& f);
};

enum class PlantKind : unsigned char {
  tower,          ///< open cooling tower, no compressor
  dry_cooler,     ///< no water, no compressor
  adiabatic,      ///< dry cooler with wetted pads in hot hours
  chiller_water,  ///< water-cooled chillers on towers, economiser when the air allows
  chiller_air,    ///< air-cooled chillers, economiser coil when the air allows
};
std::span<const std::string_view> plant_kind_names();

struct PlantSpec {
  PlantKind kind = PlantKind::chiller_water;
  spec::Bank<Power> capacity;  ///< heat each unit rejects on the design day
  Redundancy redundancy = Redundancy::by_count;
  std::string climate;     ///< `climate` entry; empty: the region's
  std::string chiller;     ///< `chiller` entry for its curves; empty: Carnot fraction
  bool economiser = true;  ///< chiller kinds: run without compressor when possible
  Value<TemperatureDifference> water_supply;  ///< absolute: facility water set point
  Value<TemperatureDifference> water_rise;    ///< facility water, supply to return
  Value<TemperatureDifference> dry_approach;  ///< dry cooler: water above air at design heat
  Value<TemperatureDifference> exchanger;     ///< plate exchanger between tower and facility water
  Value<Scalar> saturation;                   ///< adiabatic: of the wet-bulb depression
  Value<Scalar> carnot;                       ///< COP over the reversible one
  Value<Scalar> cycles;                       ///< cycles of concentration
  Value<Scalar> drift;                        ///< of the water circulated over evaporated
  Value<Scalar> fan_power;                    ///< tower or dry cooler fans at full speed, over heat
  Value<Pressure> pump_head;                  ///< facility and condenser pumps together
  Value<Scalar> pump_efficiency;
  Value<VolumeFlow> permit;       ///< on any one day
  Value<VolumeFlow> permit_year;  ///< mean over a year
  bool itemised = false;          ///< put this gear on the bill, line by line

  void fields(spec::Fields& f);
};

}  // namespace headroom::cooling
