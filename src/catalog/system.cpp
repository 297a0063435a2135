#include "catalog/system.hpp"

#include <array>

#include "catalog/accelerator.hpp"

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 5> form_names{"server", "rack", "desktop", "laptop", "edge"};
constexpr std::array<std::string_view, 4> cooling_names{"air", "hybrid", "liquid", "passive"};

}  // namespace

std::span<const std::string_view> system_form_names() { return form_names; }
std::span<const std::string_view> system_cooling_names() { return cooling_names; }

void SystemPower::fields(spec::Fields& f) {
  f.number("max", max, "kW", "What the feed must carry").above(0).required();
  f.number("typical", typical, "kW", "While training or serving at load").at_least(0);
  f.number("idle", idle, "kW", "Powered, no work").at_least(0);
}

void SystemHeat::fields(spec::Fields& f) {
  f.choice("cooling", cooling, cooling_names, "What carries the heat out of the system");
  f.number("liquid_fraction", liquid_fraction, "%", "Share of the heat that leaves by liquid")
      .between(0, 100);
  f.temperature("max_inlet", max_inlet, "Warmest air that the maker allows at the front");
  f.temperature("max_coolant", max_coolant, "Warmest liquid supply that the maker allows");
  f.number("air_rise", air_rise, "K", "Air temperature rise from front to back at load").above(0);
  f.number("coolant_rise", coolant_rise, "K", "Liquid temperature rise at load").above(0);
}

void SystemSupply::fields(spec::Fields& f) {
  f.integer("count", count, "Power supplies or shelves").at_least(0);
  f.number("each", each, "kW", "Rating of one").above(0);
  f.integer("needed", needed, "Supplies that must live at full load; 0 when not known").at_least(0);
  f.integer("feeds", feeds, "Independent feeds that the cords can be split over").between(1, 8);
}

void SystemNics::fields(spec::Fields& f) {
  f.integer("count", count, "Ports").at_least(0);
  f.number("speed", speed, "Gb/s", "Of one port, per direction").above(0);
}

void SystemStorage::fields(spec::Fields& f) {
  f.number("capacity", capacity, "TB", "Local data drives, raw").at_least(0);
  f.number("read", read, "GB/s", "Sequential read rate of them together").at_least(0);
  f.number("write", write, "GB/s", "Sequential write rate of them together").at_least(0);
}

void SystemScaleUp::fields(spec::Fields& f) {
  f.integer("domain", domain, "Accelerators that reach each other over the scale-up link")
      .at_least(1);
  f.number("bandwidth", bandwidth, "GB/s", "Of one accelerator, per direction").at_least(0);
}

void System::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Who sells it");
  f.reference("accelerator", accelerator, Accelerator::kind, "What it computes with").required();
  f.integer("accelerators", accelerators, "How many of them").at_least(1).required();
  f.choice("form", form, form_names, "What is wheeled in");
  f.integer("year", year, "Year of general availability").between(2010, 2040);
  f.integer("rack_units", rack_units, "Height in a rack; 0 for a whole rack, a desk or a wall")
      .between(0, 60);
  f.integer("max_per_rack", max_per_rack, "The maker's advice; 0 for none").at_least(0);
  f.number("weight", weight, "kg", "Installed weight, wet where it holds liquid").above(0);
  f.number("width", width, "mm", "Outer width").above(0);
  f.number("depth", depth, "mm", "Outer depth").above(0);
  f.number("height", height, "mm", "Outer height").above(0);
  f.object("power", power, "Power of the whole system at its input");
  f.object("heat", heat, "How its heat leaves and what it tolerates");
  f.object("supply", supply, "Power supplies");
  f.object("compute_nics", compute_nics, "Ports of the scale-out network");
  f.object("storage_nics", storage_nics, "Ports for storage and in-band management");
  f.number("host_memory", host_memory, "GB", "Memory of the host processors").at_least(0);
  f.integer("host_cores", host_cores, "Cores of the host processors").at_least(0);
  f.object("storage", storage, "Local drives");
  f.object("scale_up", scale_up, "Scale-up domain inside the system");
  f.number("price", price, "USD", "Purchase price of the system").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
  f.flag("rentable_only", rentable_only, "A cloud host that nobody can buy");
}

Area System::footprint() const {
  if (form != SystemForm::rack || !width || !depth) return {};
  return width.get() * depth.get();
}

}  // namespace headroom::catalog
