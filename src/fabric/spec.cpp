#include "fabric/spec.hpp"

#include <array>

namespace headroom::fabric {
namespace {

constexpr std::array<std::string_view, 3> places{"auto", "in-rack", "row"};
constexpr std::array<std::string_view, 3> routings{"auto", "adaptive", "static"};
constexpr std::array<std::string_view, 3> host_links_names{"auto", "copper", "optical"};

}  // namespace

std::span<const std::string_view> leaf_place_names() { return places; }
std::span<const std::string_view> routing_names() { return routings; }
std::span<const std::string_view> host_link_names() { return host_links_names; }

void Spec::fields(spec::Fields& f) {
  f.choice("kind", kind, kind_names(),
           "Topology; by default rail-optimised, and none for a single system");
  f.reference("switch", network_switch, "switch",
              "Switch of every tier; by default chosen by NIC speed and the system's maker");
  f.reference("nic", nic, "nic", "Adapter; by default what the system holds");
  f.integer("nics", nics, "Scale-out adapters of one system; by default what it holds")
      .between(0, 1024);
  f.number("nic_speed", nic_speed, "Gb/s", "Speed of one adapter; by default the system's")
      .above(0)
      .at_most(1e5);
  f.number("oversubscription", oversubscription, "",
           "Bandwidth down over bandwidth up at the top tier, as built; 1 by default")
      .between(1, 64);
  f.number("max_oversubscription", max_oversubscription, "",
           "Most oversubscription that the work tolerates; no limit by default")
      .between(1, 64);
  f.integer("planes", planes, "Independent planes that every adapter is split over; 1 by default")
      .between(1, 8);
  f.integer("tiers", tiers, "Tiers of a tree; by default as few as possible").between(0, 3);
  f.integer("dimensions", dimensions, "Dimensions of a torus; 3 by default").between(1, 6);
  f.choice("routing", routing, routings,
           "Adaptive (packets spread) or static (flows hashed); by default what the switch can");
  f.flag("in_network_reduction", in_network_reduction,
         "Switches add what data-parallel ranks all-reduce (SHARP; NCCL_COLLNET_ENABLE=1); false "
         "by default, as NCCL's is");
  f.choice("leaf_place", leaf_place, places,
           "Leaf switches in the rack or in network racks of the row; by default in the rack for "
           "fat trees, in the row else");
  f.choice("host_links", host_links, host_links_names,
           "Cables from systems to leaves; by default copper where it reaches");
  f.number("longest_host_link", longest_host_link, "m",
           "Longest cable from a system to its leaf; by default from rows and racks")
      .above(0);
  f.number("longest_switch_link", longest_switch_link, "m",
           "Longest cable between switches; by default from rows and racks")
      .above(0);
  f.integer("leaf_switches", leaf_switches, "Leaf switches at hand; no limit by default")
      .at_least(0);
  f.integer("spine_switches", spine_switches, "Spine switches at hand; no limit by default")
      .at_least(0);
  f.integer("core_switches", core_switches, "Core switches at hand; no limit by default")
      .at_least(0);
  f.flag("storage_network", storage_network,
         "Count a second network for the system's storage adapters; true by default");
  f.reference("storage_switch", storage_switch, "switch",
              "Switch of the storage network; by default chosen by adapter speed");
  f.number("storage_oversubscription", storage_oversubscription, "",
           "Of the storage network, as built; 1 by default")
      .between(1, 64);
}

}  // namespace headroom::fabric
