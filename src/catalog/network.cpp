#include "catalog/network.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 5> technologies{"infiniband", "ethernet", "nvlink",
                                                       "slingshot", "omni_path"};
constexpr std::array<std::string_view, 4> media{"passive_copper", "active_copper", "multimode",
                                                "single_mode"};

}  // namespace

std::span<const std::string_view> network_technology_names() { return technologies; }
std::span<const std::string_view> medium_names() { return media; }

void NetworkDevicePower::fields(spec::Fields& f) {
  f.number("max", max, "W", "All ports busy, without optics").at_least(0);
  f.number("typical", typical, "W", "Under typical traffic with passive cables").at_least(0);
}

void Switch::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Maker");
  f.choice("technology", technology, technologies, "Link technology");
  f.integer("year", year, "General availability");
  f.integer("ports", ports, "Ports at full speed").at_least(1).required();
  f.number("speed", speed, "Gb/s", "Speed of a port, per direction").above(0).required();
  f.integer("max_ports", max_ports, "Ports after splitting; none when ports cannot be split")
      .at_least(0);
  f.integer("rack_units", rack_units, "Height in rack units").at_least(0);
  f.object("power", power, "Power at the input, without optics");
  f.number("latency", latency, "ns", "Port to port").at_least(0);
  f.number("weight", weight, "kg", "Installed").at_least(0);
  f.number("price", price, "USD", "Price without optics").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
  f.flag("adaptive_routing", adaptive_routing, "Spreads packets over all paths");
  f.flag("in_network_reduction", in_network_reduction, "Reduces in the switch (SHARP, NVLS)");
  f.flag("reference", reference, "Listed for comparison, not sold alone");
}

int Switch::radix(Bandwidth link) const {
  if (link.si() <= 0 || !speed.given) return ports;
  const double split = std::floor(speed.get().si() / link.si() * (1 + 1e-9));
  if (split < 1) return 0;
  const double most = std::max(ports, max_ports);
  return static_cast<int>(std::min(ports * split, most));
}

void Nic::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Maker");
  f.choice("technology", technology, technologies, "Link technology");
  f.integer("year", year, "General availability");
  f.integer("ports", ports, "Ports of the card").at_least(1);
  f.number("speed", speed, "Gb/s", "Speed of the card, all ports, per direction")
      .above(0)
      .required();
  f.number("efficiency", efficiency, "%", "Share of line rate that large collectives reach")
      .between(1, 100);
  f.number("latency", latency, "us", "One send or receive path").at_least(0);
  f.object("power", power, "Power of the card without optics");
  f.number("price", price, "USD", "Price of the card").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
}

void CableEnd::fields(spec::Fields& f) {
  f.number("power", power, "W", "Drawn by the plug at this end").at_least(0);
  f.number("price", price, "USD", "Price of the plug at this end").at_least(0);
  f.integer("half_plugs", half_plugs, "Modules at this end, in halves of a twin-port module")
      .at_least(0);
}

void Cable::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Maker");
  f.choice("medium", medium, media, "Conductor or fibre");
  f.number("speed", speed, "Gb/s", "Speed of one link, per direction").above(0).required();
  f.number("reach", reach, "m", "Longest link").above(0).required();
  f.object("nic_end", nic_end, "The end in a NIC");
  f.object("switch_end", switch_end, "The end in a switch");
  f.number("base_price", base_price, "USD", "Assembly or fibre, whatever its length").at_least(0);
  f.number("length_price", length_price, "USD/m", "Each metre of it").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
}

}  // namespace headroom::catalog
