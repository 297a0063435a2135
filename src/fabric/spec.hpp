// What a user writes about the network of one cluster. All of it may be left
// out: the system's NICs decide speed and count, the speed and the maker decide
// the switch, and the fabric is rail-optimised and non-blocking.
//
//   fabric: {kind: rail, switch: qm9700}
//   fabric: {kind: fat-tree, switch: tomahawk5-64x800, oversubscription: 3,
//            max_oversubscription: 2, routing: static}
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fabric/topology.hpp"
#include "spec/fields.hpp"

namespace headroom::fabric {

/// Where leaf switches stand.
enum class LeafPlace : unsigned char { automatic, in_rack, row };
std::span<const std::string_view> leaf_place_names();

/// How packets find their way among equal paths.
enum class Routing : unsigned char { automatic, adaptive, static_hash };
std::span<const std::string_view> routing_names();

enum class HostLinks : unsigned char { automatic, copper, optical };
std::span<const std::string_view> host_link_names();

struct Spec {
  Kind kind = Kind::automatic;
  std::string network_switch;  ///< catalogue id; empty: by NIC speed and maker
  std::string nic;             ///< catalogue id; empty: what the system holds
  int nics = 0;                ///< per system; 0: what the system holds
  Value<Bandwidth> nic_speed;
  Value<Scalar> oversubscription;      ///< as built, down : up at the top tier
  Value<Scalar> max_oversubscription;  ///< what the work tolerates; makes a limit
  int planes = 1;
  int tiers = 0;
  int dimensions = 3;
  Routing routing = Routing::automatic;
  bool in_network_reduction = false;  ///< switches add gradients (SHARP); needs switches that can
  LeafPlace leaf_place = LeafPlace::automatic;
  HostLinks host_links = HostLinks::automatic;
  Value<Length> longest_host_link;  ///< measured on a plan; else from the rows
  Value<Length> longest_switch_link;
  int leaf_switches = 0;  ///< already there: make limits
  int spine_switches = 0;
  int core_switches = 0;
  bool storage_network = true;
  std::string storage_switch;
  Value<Scalar> storage_oversubscription;

  void fields(spec::Fields& f);
};

}  // namespace headroom::fabric
