// The power chain of a scenario's halls as a graph: what flows at full load, what one loss does,
// where capacity is stranded, and power lost in time. Internal to study but for the answer.
//
// The graph is drawn by power/topology.hpp from what the scenario says, at the study's own maximum
// loads (IT at the racks, cooling at design weather), rated in the air of the weather year: its
// altitude and hottest hour. The sweep is power/sweep.hpp's, the walk power/graph_walk.hpp's.
//
// A loss of power also stops the pumps, fans and compressors that hang on it, until power is back
// and they have started again: those stretches are handed to the cooling walk as a loss of that
// share of all cooling. The other way round, racks that dropped still count as heat there (the
// safe side).
//
// Names that can be lost: every node of the graph that is no load; "mains" for all utility feeds;
// a bank's name takes the whole bank, "NAME.unit" one unit, NAME=25% a quarter of its units,
// rounded up. A name that cooling uses too stands behind "power.".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cooling/failure_walk.hpp"
#include "power/graph_walk.hpp"
#include "power/phase.hpp"
#include "power/topology.hpp"

namespace headroom::study {

struct Context;
struct FacilityNode;

struct FacilityChain {
  power::Graph graph;
  power::State state;        ///< nothing lost
  power::Solution solution;  ///< at full load
  power::Balance balance;
  std::vector<power::PhaseLoad> phases;  ///< a node, at full load
  power::Sweep sweep;
  power::SiteAir air;
  double it_w = 0, racks = 0;
  bool drawn = true;  ///< from the banks; false: from power.nodes
  std::vector<std::string> remarks;

  /// "ups (1 of 8)", "grid-a", "mains".
  std::string words(const power::Outage& outage) const;
  std::string words(const power::Case& c) const;
  /// Of the cases, those that harm, most racks first, then most overloaded.
  std::vector<const power::Case*> harmful() const;
  /// Largest deviation of a line's current from the mean, over the mean.
  double imbalance(int node) const;
  /// The node whose phases are most uneven, a single rack's feeds aside; -1: all are even.
  int most_uneven() const;
  /// Nothing is overloaded, with all or after any one loss; losses asked together harm nothing.
  bool holds() const;
};

/// The graph of the scenario's chain, racks of each kind apart.
power::Topology chain_topology(const Context& c, const power::SiteAir& air = {});
/// Drawn and solved, not yet swept.
FacilityChain draw_chain(const Context& c, const power::SiteAir& air);
/// `together`: lists of losses at once, of `draw_chain`'s nodes.
void sweep_chain(const Context& c, bool pairs, std::vector<std::vector<power::Outage>> together,
                 FacilityChain& chain);

/// The nodes that can be lost, behind those of cooling in `nodes`.
void add_chain_nodes(const FacilityChain& chain, std::vector<FacilityNode>& nodes);

/// The stretches in which cooling has no power, for the cooling walk.
std::vector<cooling::FailureEvent> cooling_without_power(const power::ChainWalk& walk);

/// Tells an event in words.
std::string words(const FacilityChain& chain, const power::ChainEvent& event);

}  // namespace headroom::study
