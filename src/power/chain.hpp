// The power chain as conversion stages, from the meter down to the racks.
//
//   meter -> transformer -> switchgear -> UPS -> PDU or busway of each hall -> racks
//                                \-> cooling, other loads
//
// Loss of a stage at output P with a rating R, x = P / R:
//
//   P_loss = R (a + b x + c x^2)
//
// so that half-empty redundant banks show their no-load losses, which is where
// N+1 and 2N sites lose efficiency. R is the rating of the whole bank, which
// shares the load evenly (a 2N pair runs each side at half).
//
// Heat: losses of a hall's distribution warm that hall, losses of the UPS and
// the switchgear warm power rooms that the same plant cools, transformers stand
// outdoors. A hall's loss and the UPS loss therefore come back as cooling power;
// study iterates `solve` with the cooling layer until neither moves.
//
// Energy: meter = racks + cooling + other + every loss, exactly (tested).
// A DC chain, several levels of transformers or sides of their own are written node by node;
// `solve` then goes through their graph, and callers see no difference. Drawn from banks, that
// graph loses what these stages do (topology_test).
//
// Complexity O(halls), of a graph O(nodes + edges). Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/power_gear.hpp"

namespace headroom::power {

struct Stage {
  Power rating{};  ///< of the whole bank; zero: the stage is not there, no loss
  double no_load = 0, proportional = 0, square = 0;

  Power loss(Power output) const;
  double load(Power output) const { return rating.si() > 0 ? output.si() / rating.si() : 0.0; }
  double efficiency(Power output) const;
};

Stage make_stage(Power rating, const catalog::LossCurve& curve);

class GraphChain;

struct Chain {
  std::vector<Stage> distribution;  ///< one a hall
  Stage ups, switchgear, transformer;
  double mechanical_on_ups = 0;  ///< share of cooling power behind the UPS
  /// The chain written node by node (graph_chain.hpp), in place of all the above; else null.
  std::shared_ptr<const GraphChain> graph;
};

struct Loads {
  std::vector<Power> halls;  ///< IT load of each hall, at the racks' inputs
  Power cooling{}, other{};
};

struct Flow {
  std::vector<Power> distribution_loss;
  Power it{}, cooling{}, other{};
  Power ups_output{}, ups_loss{}, switchgear_loss{};
  Power switchgear_output{};  ///< UPS input and mechanical loads: what a generator carries
  Power transformer_output{}, transformer_loss{};
  Power meter{};

  Power loss() const;
  /// Losses that warm rooms the plant must cool, beyond the halls' own.
  Power power_room_heat() const { return ups_loss + switchgear_loss; }
  /// Energy in less energy out, over energy in.
  double imbalance() const;
};

/// Steady flow through the chain. `loads.halls` has one entry a distribution stage.
Flow solve(const Chain& chain, const Loads& loads);

}  // namespace headroom::power
