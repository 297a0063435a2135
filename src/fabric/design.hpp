// Designing the network of one cluster: from "1,024 systems with eight 400 Gb/s
// adapters" to switches, cables, optics, watts, dollars, limits and the Path that
// collectives run on.
//
//   fabric::Demand demand{.scope = "gpu", .system = dgx, .accelerator = h100,
//                         .systems = count, .racks = 256};
//   fabric::Design net = fabric::design(cluster.fabric, demand, catalog, trace);
//   Time t = fabric::all_reduce(net.path, 2 * gigabyte, 1024, 8);
//
// LIMITS (ids below "fabric.<scope>.")
//   ports       endpoints against the most that the topology carries with this switch
//   bisection   bandwidth across the worst even cut: what `max_oversubscription`
//               asks against what is built (only when asked)
//   copper      longest host link against the reach of copper (only when copper is asked)
//   reach       longest switch link against the longest cable of its speed
//   leaf, spine, core   switches needed against those at hand (only when given)
//
// BILL (category "network"): switches by tier, host and switch cables with their
// plugs, adapters where a NIC is named in place of the system's own; the same for
// the storage network.
//
// POWER is that of switches and of all plugs at switches and NICs; adapters are
// part of their system's power.
//
// LATENCY, worst route: two adapters, `hops` switches, 5 ns a metre of cable.
//
// Not modelled here: routing collisions beyond one factor for static hashing,
// failed links, the management network. See docs/models/fabric.md.
//
// Complexity: O(k + cables in the catalogue). Not thread-safe over one Trace.
#pragma once

#include <string>

#include "base/findings.hpp"
#include "catalog/accelerator.hpp"
#include "catalog/system.hpp"
#include "fabric/cabling.hpp"
#include "fabric/path.hpp"
#include "fabric/spec.hpp"

namespace headroom::fabric {

struct Demand {
  std::string scope;                                  ///< cluster in kebab form
  const catalog::System* system = nullptr;            ///< required
  const catalog::Accelerator* accelerator = nullptr;  ///< required
  Figure<Scalar> systems;                             ///< how many, with its trace node
  double racks = 0;                                   ///< that hold them; 0: one each
  double racks_per_row = 20;
  Length rack_pitch = 0.6 * metre;  ///< standard 600 mm racks
  Length row_pitch = 3 * metre;     ///< rack, cold aisle and half hot aisles
  double storage_units = 0;         ///< storage boxes on the storage network
};

struct Design {
  Kind kind = Kind::none;
  const catalog::Switch* used = nullptr;  ///< null when there is no scale-out network
  Counts counts;                          ///< compute network
  Counts storage;                         ///< storage network; all zero when there is none
  Path path;
  Figure<Scalar> switches, cables, plugs;  ///< both networks
  Figure<Power> power;                     ///< switches and plugs, typical
  Figure<Power> power_max;
  Figure<Money> capital;
  Figure<Bandwidth> bisection;
  Figure<Scalar> oversubscription;  ///< as built, in whole switches
  Figure<Time> latency;             ///< worst route, one way
  double rack_units = 0;            ///< of all switches
  Mass weight;
  Findings findings;
};

Design design(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace);

}  // namespace headroom::fabric
