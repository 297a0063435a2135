// The graph of a scenario's power chain: drawn from its banks and redundancies, or from its own
// list of nodes.
//
//   Topology t = chain_of(spec, demand, catalog, {.altitude_m = 1600});
//   const Solution s = solve(t.graph, normal(t.graph));
//
// FROM BANKS. utility -> transformer -> ATS (generators as alternate) -> switchgear -> UPS -> PDUs
// or busways of each hall -> racks' feeds -> racks; cooling and other loads at the switchgear, or
// behind the UPS by `ups.mechanical`. One stage becomes:
//   N, N+1, N+2   one bank on one bus
//   2N            sides A and B, half of the units each (an odd one is A's)
//   3/2N          sides A, B, C
//   catcher       (UPS) blocks of one unit and a last one for all of them, by an STS a block
// Sides meet side by side; where their number differs, what is below shares all that is above. The
// ATS and the switchgear, which a scenario does not count, have sides A and B, tied, as soon as the
// feeds, transformers, UPS or a hall's distribution have; this is said in `remarks`.
//
// A hall's distribution: 2N in pairs (A1, B1), (A2, B2) ... each with its racks; 3/2N racks on AB,
// BC, CA; N+1 and N+2 racks on every pair of units (dual-corded racks, else all on one bus); N one
// unit a group of racks. Racks of a group are one node with a count, racks of different power or
// feeds apart, each kind spread evenly over the groups; each feed of a rack is a node with the same
// count.
//
// The stages lose what power/chain.hpp says they lose (tested): same curves, same bank ratings.
//
// FROM `power.nodes`: as written (topology_spec.hpp); losses by each node's gear.
//
// OVERLOAD. UPS: the catalogue entry's point, and 150 % for a minute (Schneider Galaxy VXL).
// Generators: 110 % for an hour (ISO 8528-1 prime power), 125 % for 10 s (assumed). All else: the
// breaker given, or one of 125 % of the rating (NEC 210.20(A)), by its thermal curve.
//
// Ratings: after derating.hpp and the scenario's power factor; `generator.derating` in its stead.
// Errors: none; a list of nodes has been checked by `check_nodes`. Complexity O(nodes + edges).
#pragma once

#include <string>
#include <vector>

#include "power/assess.hpp"
#include "power/derating.hpp"
#include "power/graph.hpp"

namespace headroom::power {

struct Topology {
  Graph graph;
  std::vector<std::string> remarks;
};

/// `load`: share of every hall's maximum, the cooling's too (typical over maximum, say).
/// Loads are at maximum for 1.
Topology chain_of(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                  const SiteAir& air = {});

/// What a rack's feeds carry continuously after the loss they survive, W; 0: no rating is given.
double feeds_carry_w(const FeedSpec& feed);

/// Scales every IT load of a graph; the others stay.
void scale_it(Graph& graph, double factor);

}  // namespace headroom::power
