// What a user writes to draw the power chain himself, node by node.
//
//   power:
//     nodes:
//       - {name: grid-a, kind: utility, rating: 5 MW}
//       - {name: tx-a, kind: transformer, fed_by: [grid-a], units: 2 x 2500 kW}
//       - {name: set, kind: generator, units: 3 x 2 MW}
//       - {name: ats, kind: transfer-switch, fed_by: [tx-a], alternates: [set]}
//       - {name: ups-a, kind: ups, fed_by: [ats], units: 4 x 500 kW, autonomy: 5 min}
//       - {name: bus-a, kind: busway, fed_by: [ups-a], rating: 800 kW}
//       - {name: racks, kind: it, fed_by: [bus-a, bus-b], hall: A, racks: 20}
//       - {name: chillers, kind: mechanical, fed_by: [ats]}
//
// `fed_by` share the draw; `alternates` take over, in their order, when none of `fed_by` is live;
// `feeds` says the same from above. Units stand on one bus, or with `separate: true` each on its
// own path (a rack's feeds). An `autonomy` puts a battery behind the node.
//
// The list replaces the chain that `chain_of` draws from `grid`, `transformer`, `generator`, `ups`
// and the halls' `distribution` in the answers by graph; `check` keeps its stages.
#pragma once

#include <string>
#include <vector>

#include "power/graph.hpp"
#include "spec/fields.hpp"

namespace headroom::power {

struct NodeSpec {
  std::string name;
  Origin origin;
  NodeKind kind = NodeKind::switchgear;
  std::vector<std::string> fed_by, alternates, feeds;
  spec::Bank<Power> units;
  Value<Power> rating;  ///< of one, when there is one
  bool separate = false;
  std::string gear;
  std::string side;
  Value<Scalar> power_factor;
  Value<Time> autonomy;  ///< battery at the node's rating
  Value<Time> start;     ///< generator: to accepting load; transfer switch: to transfer
  Value<Scalar> start_failure;
  Value<Time> runtime;  ///< generator: fuel at full rating
  Value<Current> breaker;
  Value<Voltage> voltage;
  int phases = 3;
  Value<Scalar> continuous;
  std::string hall;   ///< IT: whose racks
  int racks = 0;      ///< IT: how many; 0: what the hall's other nodes leave
  Value<Power> load;  ///< of the whole node; IT: over the hall's own by racks

  void fields(spec::Fields& f);
};

/// What is wrong between nodes, each at its place.
struct NodeFault {
  Origin at;
  std::string path, message, hint;
};

/// A hall that racks may stand in.
struct HallPlace {
  std::string name;
  double positions = 0;  ///< of racks; 0: not given
};

/// Unknown names, loops, loads without a source, gear above what feeds it, breakers below their
/// feed, batteries behind nothing, halls whose racks hang nowhere. All of them.
std::vector<NodeFault> check_nodes(const std::vector<NodeSpec>& nodes,
                                   const std::vector<HallPlace>& halls);

}  // namespace headroom::power
