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
//   cooling: {kind: tower, capacity: 4 x 1500 kW, redundancy: N+1, permit: 400 m3/d,
//             reuse: {share: 30 %, level: 45 degC, back: 30 degC, hours: 4500 h}}
//
// Anything left out is decided by the technology's catalogue entry, with its
// source; capacities that are left out have no limit.
#pragma once

#include <optional>
#include <string>

#include "catalog/redundancy.hpp"
#include "spec/fields.hpp"

namespace headroom::cooling {

using catalog::Redundancy;

/// ASHRAE TC 9.9 classes by name, as limits of a year (plant_checks.hpp); `none`: not asked.
enum class AirClass : unsigned char { none, recommended, a1, a2, a3, a4, h1 };
enum class WaterClass : unsigned char { none, w17, w27, w32, w40, w45, w_plus };
enum class CoolantClass : unsigned char { none, s30, s40, s50 };
std::span<const std::string_view> air_class_names();
std::span<const std::string_view> water_class_names();
std::span<const std::string_view> coolant_class_names();

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
  AirClass air_class = AirClass::none;
  CoolantClass coolant_class = CoolantClass::none;

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

/// A user of the heat: a district network, a building, a greenhouse.
struct ReuseSpec {
  Value<Power> capacity;               ///< most it takes; by `share` when left out
  Value<Scalar> share;                 ///< of IT heat at maximum
  Value<TemperatureDifference> level;  ///< absolute: what it needs
  Value<TemperatureDifference> back;   ///< absolute: comes back from it
  Value<Time> hours;                   ///< a year; the coldest ones
  bool heat_pump = false;              ///< lifts where the return is not warm enough

  void fields(spec::Fields& f);
};

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
  std::optional<ReuseSpec> reuse;
  int pumps = 0;  ///< facility water pumps of a loop; 0: not said
  Redundancy pump_redundancy = Redundancy::by_count;
  WaterClass water_class = WaterClass::none;
  bool itemised = false;  ///< put this gear on the bill, line by line

  void fields(spec::Fields& f);
};

}  // namespace headroom::cooling
