#include "catalog/cooling_technology.hpp"

#include <array>

namespace headroom::catalog {
namespace {
constexpr std::array<std::string_view, 5> family_names{"room-air", "rear-door", "cold-plate",
                                                       "immersion", "two-phase"};
}  // namespace

std::span<const std::string_view> cooling_family_names() { return family_names; }

void Coolant::fields(spec::Fields& f) {
  f.number("density", density, "kg/m3", "At working temperature").above(0);
  f.number("heat", heat, "J/kg/K", "Specific heat").above(0);
  f.number("vapour_density", vapour_density, "kg/m3", "At the boiling point").above(0);
  f.number("latent_heat", latent_heat, "kJ/kg", "Of evaporation").above(0);
  f.number("surface_tension", surface_tension, "J/m2", "At the boiling point").above(0);
  f.temperature("boiling_point", boiling_point, "At atmospheric pressure");
}

void CoolingTechnology::fields(spec::Fields& f) {
  entry_fields(f);
  f.choice("family", family, family_names, "What carries the heat away from the rack");
  f.flag("direct_expansion", direct_expansion, "Rejects heat by its own compressor");
  f.number("rack_air", rack_air, "m3/s", "Air one rack can be given, aisle open").above(0);
  f.number("rack_air_contained", rack_air_contained, "m3/s", "The same with aisle containment")
      .above(0);
  f.number("bypass", bypass, "%", "Supply air that no server draws, aisle open").between(0, 90);
  f.number("bypass_contained", bypass_contained, "%", "The same with containment").between(0, 90);
  f.number("rack_liquid", rack_liquid, "L/min", "Liquid one rack or tank can be given").above(0);
  f.number("air_rise", air_rise, "K", "Air warming from front to back").between(1, 40);
  f.number("liquid_rise", liquid_rise, "K", "Liquid warming from supply to return").between(1, 40);
  f.number("approach", approach, "K", "Supply above facility water").between(0.5, 20);
  f.temperature("supply", supply, "Usual supply to the rack");
  f.number("capture", capture, "%", "Rack heat into liquid when the system says nothing")
      .between(0, 100);
  f.number("boiling_area", boiling_area, "x", "Boiling surface over chip surface").at_least(1);
  f.number("boiling_derate", boiling_derate, "%", "Allowed share of critical heat flux")
      .between(1, 100);
  f.object("coolant", coolant, "Liquid in the rack");
  f.number("fan_rise", fan_rise, "Pa", "Pressure rise of the fans").above(0);
  f.number("fan_efficiency", fan_efficiency, "%", "Fan, drive and motor").between(5, 95);
  f.number("pump_head", pump_head, "kPa", "Secondary loop").above(0);
  f.number("pump_efficiency", pump_efficiency, "%", "Pump, drive and motor").between(5, 95);
  f.number("typical_max", typical_max, "kW", "Trade figure of a rack, for comparison").above(0);
  f.number("price", price, "USD/kW", "Bought and installed, a kW of heat").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
  f.number("life", life, "yr", "Service life").above(0);
}

}  // namespace headroom::catalog
