// Everything lost once: what is overloaded, which racks drop, how long until the rest trips, and
// where capacity is stranded.
//
//   const Sweep s = sweep(graph);
//   s.nodes[ups_b].worst_use, s.cases[s.nodes[ups_b].worst_case].lost[0].node
//   for (const auto& row : s.stages) row.load_w + row.left_w + ... == row.nameplate_w
//
// TOGETHER. Losses at once, as asked. All utility feeds among them: from the base on generators.
//
// CASES. Each node that is no load, lost once: a bank loses one unit, a lone node itself, a rack's
// feed that of one rack. From two bases: on the mains, and, where there are generators, with the
// mains gone and the sets running. Batteries count for nothing: this is the steady state. Whole
// banks (their common bus) and pairs on request.
//
// A CASE. `overloaded`: nodes above what their living units may carry, worst first, with the time
// until they trip from their load before (breaker.hpp). `dropped`: racks without a live path at
// once. Then, in turn, what trips first goes, all its units, until nothing is left that trips:
// `tripped` are the racks that drop of that. Racks by their nodes' counts, so a case of one rack's
// feed says 1 rack. (Which trips first depends on loads; more losses can so drop fewer racks by
// tripping. Without trips, losing more never powers more: tested.)
//
// NODES. Load and use (over what the living units may carry) in the base and in the worst case.
//
// STAGES. Where the nameplate of every stage goes, W at its output; sums exactly:
//   derating      altitude, heat, power factor, a breaker's continuous share
//   phases        uneven phases: the fullest line fills first (phase.hpp)
//   uneven        units of the stage unequally loaded: the fullest fills first
//   sides, reserve  what must stay free so that the worst single loss overloads nothing: the other
//                 side's load (sides A, B), or a unit's (banks, stand-by units)
//   mismatch      another stage is full first
//   cooling       cooling is full first (`cooling_scale`)
//   rounding      units come whole: the last one is not full
//   left          free for more load; below zero: short of that
//   load
// Growth means all loads together; losses' curvature is left out (below 1 % of the figures).
//
// Complexity: a case costs what it changes; single losses of n nodes about n log n, all pairs n
// times that. Deterministic. No errors: the graph is closed.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "power/graph.hpp"

namespace headroom::power {

struct Outage {
  int node = -1;
  int units = 1;
};

struct Overloaded {
  int node = -1;
  double use = 0;     ///< output over what the living units may carry
  double trip_s = 0;  ///< from the loss; infinite: it bears it, or nobody knows
};

struct Case {
  std::vector<Outage> lost;
  bool on_generators = false;
  std::vector<Overloaded> overloaded;  ///< worst first
  double dropped_w = 0, dropped_racks = 0;
  double tripped_w = 0, tripped_racks = 0;
  double last_trip_s = 0;
  std::vector<int> trips;  ///< in their order

  double lost_w() const { return dropped_w + tripped_w; }
  double lost_racks() const { return dropped_racks + tripped_racks; }
  bool harmless() const { return overloaded.empty() && lost_w() <= 0; }
};

struct NodeWorst {
  double base_w = 0, base_use = 0;
  double worst_w = 0, worst_use = 0;
  int worst_case = -1;  ///< of `cases`; -1: the base itself
  double rating_w = 0;  ///< of all units
  /// What it may carry over what it must in the worst case, less 1, as base/margin.hpp counts;
  /// below 0: overloaded. Infinite without a load.
  double headroom() const {
    return worst_use > 0 ? 1 / worst_use - 1 : std::numeric_limits<double>::infinity();
  }
};

struct StageRow {
  std::string name;
  int nodes = 0, units = 0;
  double nameplate_w = 0;
  double derating_w = 0, phases_w = 0, uneven_w = 0, sides_w = 0, reserve_w = 0, mismatch_w = 0,
         cooling_w = 0, rounding_w = 0, left_w = 0, load_w = 0;
  /// Load over load that would fill this stage in the worst case.
  double fill = 0;
  double sum_w() const {
    return derating_w + phases_w + uneven_w + sides_w + reserve_w + mismatch_w + cooling_w +
           rounding_w + left_w + load_w;
  }
};

struct PairSummary {
  std::size_t pairs = 0, dropping = 0, overloading = 0;
  std::vector<Case> worst;  ///< most racks first
};

struct SweepOptions {
  bool whole_banks = true;  ///< a bank's common bus too, as cases of their own (`banks`)
  bool pairs = false;       ///< every two losses
  std::vector<std::vector<Outage>> together;  ///< losses at once, each answered by itself
  /// Single losses of these stages only: those that a design says it survives. Unset: of all.
  std::optional<std::vector<std::string>> stages;
  std::size_t worst_pairs = 10;
  double cooling_scale = 0;  ///< load that cooling bears over the load; 0: not asked
};

/// Losses at once, as asked, and what it would take to bear them.
struct Together {
  Case lost;
  std::vector<StageRow> stages;  ///< as `Sweep::stages`, the worst case of a node being this one
                                 ///< where it is worse than every single loss
  std::string binding;
  double scale = 0;
};

struct Sweep {
  /// The base itself, single losses in the order of nodes; then the same on generators.
  std::vector<Case> cases;
  std::vector<Case> banks;         ///< whole banks
  std::vector<Together> together;  ///< as asked
  PairSummary pairs;
  std::vector<NodeWorst> nodes;  ///< on the mains and on generators, of single losses
  std::vector<StageRow> stages;  ///< those with ratings, from the meter down
  std::string binding;           ///< stage that fills first; empty: none has a rating
  double scale = 0;  ///< of all loads until it does in its worst case; 0: nothing has a rating
};

Sweep sweep(const Graph& graph, const SweepOptions& options = {});

/// Losses of one node listed twice are one of their units together; no more than it has.
std::vector<Outage> merged(const Graph& graph, const std::vector<Outage>& lost);

/// One case by itself: `lost` from the base on the mains, or with them gone.
Case case_of(const Graph& graph, const std::vector<Outage>& lost, bool on_generators = false);

}  // namespace headroom::power
