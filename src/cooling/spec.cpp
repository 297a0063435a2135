#include "cooling/spec.hpp"

#include <array>

namespace headroom::cooling {
namespace {
constexpr std::array<std::string_view, 3> containment_names{"none", "cold", "hot"};
constexpr std::array<std::string_view, 5> kind_names{"tower", "dry-cooler", "adiabatic",
                                                     "chiller-water", "chiller-air"};
constexpr std::array<std::string_view, 7> air_names{"none", "recommended", "A1", "A2",
                                                    "A3",   "A4",          "H1"};
constexpr std::array<std::string_view, 7> water_names{"none", "W17", "W27", "W32",
                                                      "W40",  "W45", "W+"};
constexpr std::array<std::string_view, 4> coolant_names{"none", "S30", "S40", "S50"};
}  // namespace

std::span<const std::string_view> air_class_names() { return air_names; }
std::span<const std::string_view> water_class_names() { return water_names; }
std::span<const std::string_view> coolant_class_names() { return coolant_names; }
std::span<const std::string_view> plant_kind_names() { return kind_names; }

void HallSpec::fields(spec::Fields& f) {
  f.reference("kind", kind, "cooling-technology", "How heat leaves the racks; default crah");
  f.bank("units", units, "kW", "Room units, sensible capacity of each; no limit when left out")
      .at_least(0);
  f.choice("redundancy", redundancy, catalog::redundancy_names(),
           "Room units that may be lost; auto means N");
  f.bank("cdus", cdus, "kW", "Coolant distribution units; no limit when left out").at_least(0);
  f.choice("cdu_redundancy", cdu_redundancy, catalog::redundancy_names(),
           "Distribution units that may be lost; auto means N");
  f.choice("containment", containment, containment_names, "Aisle containment");
  f.temperature("supply", supply, "Air or liquid to the racks; default the technology's");
  f.temperature(
      "air_supply", air_supply,
      "Air to the room beside liquid cooling; default 24 degC (ASHRAE recommended range)");
  f.number("rack_air", rack_air, "m3/s", "Air one rack can be given; default the technology's")
      .above(0);
  f.number("rack_liquid", rack_liquid, "L/min",
           "Liquid one rack or tank can be given; default the technology's")
      .above(0);
  f.number("air_rise", air_rise, "K", "Air warming through a rack; default the system's")
      .between(1, 40);
  f.number("liquid_rise", liquid_rise, "K", "Liquid warming through a rack; default the system's")
      .between(1, 40);
  f.number("approach", approach, "K", "Supply above facility water; default the technology's")
      .between(0.5, 20);
  f.choice("air_class", air_class, air_names,
           "ASHRAE class that air at the racks must hold over the year (limits recalled)");
  f.choice("coolant_class", coolant_class, coolant_names,
           "ASHRAE class that coolant to the racks must hold over the year (limits recalled)");
}

void ReuseSpec::fields(spec::Fields& f) {
  f.number("capacity", capacity, "kW", "Most heat the user takes; by share when left out").above(0);
  f.number("share", share, "%", "Of IT heat at maximum; all of it when capacity is left out too")
      .above(0)
      .at_most(100);
  f.temperature("level", level, "Temperature the user needs; 30 degC when left out (assumed)");
  f.temperature(
      "back", back,
      "Temperature that comes back from the user; 8 K below level when left out (assumed)");
  f.number("hours", hours, "h", "Hours a year with demand, the coldest ones; all when left out")
      .above(0)
      .at_most(8784);
  f.flag("heat_pump", heat_pump, "Lift the heat where the return is not warm enough");
}

void PlantSpec::fields(spec::Fields& f) {
  f.choice("kind", kind, kind_names, "How heat leaves the site");
  f.bank("capacity", capacity, "kW", "Heat each unit rejects on the design day").at_least(0);
  f.choice("redundancy", redundancy, catalog::redundancy_names(),
           "Units that may be lost; auto means N");
  f.reference("climate", climate, "climate", "Climate; default the region's");
  f.reference("chiller", chiller, "chiller", "Chiller curves; default a Carnot fraction");
  f.flag("economiser", economiser, "Run without compressor when the air allows");
  f.temperature("water_supply", water_supply,
                "Facility water; default the warmest that every hall can take");
  f.number("water_rise", water_rise, "K", "Facility water, supply to return; default 8 K")
      .between(1, 30);
  f.number("dry_approach", dry_approach, "K", "Dry cooler: water above air; default 8 K")
      .between(2, 30);
  f.number("exchanger", exchanger, "K", "Plate exchanger between tower and facility; default 2 K")
      .between(0, 10);
  f.number("saturation", saturation, "%", "Adiabatic pads; default 85 % of wet-bulb depression")
      .between(0, 100);
  f.number("carnot", carnot, "%", "COP over the reversible one; default by chiller kind")
      .between(5, 95);
  f.number("cycles", cycles, "", "Cycles of concentration; default 5").between(1.1, 50);
  f.number("drift", drift, "%", "Drift over evaporation; default 0.5 %").between(0, 10);
  f.number("fan_power", fan_power, "%", "Heat-rejection fans at full speed, over heat")
      .between(0, 20);
  f.number("pump_head", pump_head, "kPa", "Facility and condenser pumps; default 250 kPa")
      .between(0, 5e3);
  f.number("pump_efficiency", pump_efficiency, "%", "Pump, drive, motor; default 65 %")
      .between(5, 95);
  f.number("permit", permit, "m3/d", "Water allowed on any day; no limit when left out")
      .at_least(0);
  f.number("permit_year", permit_year, "m3/yr", "Water allowed a year; no limit when left out")
      .at_least(0);
  f.object("reuse", reuse, "Heat handed to a user; ERF counts it");
  f.integer("pumps", pumps,
            "Facility water pumps of a loop, spare ones included; what --lose "
            "loop-pump-1 takes one of")
      .between(0, 1000);
  f.choice("pump_redundancy", pump_redundancy, catalog::redundancy_names(),
           "Facility water pumps that may be lost; auto means N");
  f.choice("water_class", water_class, water_names,
           "ASHRAE class that facility water must hold over the year (limits recalled)");
  f.flag("itemised", itemised, "Put this gear on the bill instead of a price a kW of building");
}

}  // namespace headroom::cooling
