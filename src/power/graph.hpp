// The power chain as a directed graph, from the utility to the racks.
//
//   Graph g;
//   const int grid = g.add({.name = "grid", .kind = NodeKind::utility});
//   const int ups = g.add({.name = "ups", .kind = NodeKind::ups, .count = 3, .rating_w = 500e3});
//   const int hall = g.add({.name = "racks", .kind = NodeKind::it_load, .load_w = 900e3});
//   g.connect(grid, ups), g.connect(ups, hall);
//   g.close();                                    // sorts it; false: it has a loop
//   const Solution s = solve(g, normal(g));
//
// NODE. `count` equal units. `parallel` units stand on one bus: with some lost the others carry
// all. Units that are not (racks, a rack's feeds) are the same thing many times over, each on its
// own path; one of them is lost by `split_unit`.
//
// EDGE. Power may flow from source to load. A node draws from its live sources of the lowest `rank`
// only, in proportion to `weight`. That one rule is every switch and every redundancy:
//   dual-corded rack, 2N      two edges of rank 0: half each, all on one when the other dies
//   ATS, STS, stand-by set    preferred rank 0, alternate rank 1
//   battery behind a UPS      rank 9: only when every other source is dead
//   catcher (block redundant) each block's STS: its own UPS rank 0, the catcher rank 1
//   distributed redundant     racks on pairs AB, BC, CA of three systems, rank 0
//
// FLOW. A node is live when a unit of it is in service and it is a source that is on, or one of its
// sources is live. From the loads upwards, exactly once a node:
//
//   output = own load + what its loads draw,   input = output + n R (a + b x + c x^2),
//   x = output / (n R),  n units in service, R and (a, b, c) its `stage` (power/chain.hpp)
//
// A live node without load draws its no-load loss; a dead one nothing. Energy: what sources give =
// loads + losses, to rounding (tested to 1e-12). Ratings do not limit the flow: what is above its
// rating is an overload, which sweep.hpp reports and times.
//
// Which sources are on is the state's: `State::off`. Steady: batteries off, generators on (used
// only where the mains are dead, by rank). First instant after a loss: batteries on, generators
// off.
//
// UNITS. Watt of real power, second, joule. Ratings are of one unit, after derating (derating.hpp)
// and at the node's power factor. Phases: phase.hpp.
//
// Errors: `close` answers false on a loop and on edges to nowhere; topology.hpp says where.
// Complexity: `solve` O(nodes + edges); `Solver` O(what changes). Deterministic; the incremental
// answer is bit for bit the full one. Thread-safe for const use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.hpp"
#include "power/breaker.hpp"
#include "power/chain.hpp"

namespace headroom::power {

enum class NodeKind : unsigned char {
  utility,
  substation,
  transformer,
  switchgear,
  generator,
  transfer_switch,  ///< ATS or STS
  ups,              ///< double conversion
  ups_eco,          ///< in eco or line-interactive mode
  battery,          ///< strings of a UPS, BBU or a site's BESS
  pdu,
  rpp,
  busway,
  rack_feed,
  power_shelf,  ///< rack power shelf, AC in
  rectifier,    ///< 800 VDC rectifier or sidecar
  it_load,
  mechanical_load,
  other_load,
};
/// "utility", "substation", ...: the spelling in scenarios.
std::span<const std::string_view> node_kind_names();
std::string_view node_kind_name(NodeKind kind);
/// It gives power of its own: utility, generator, battery.
bool is_source(NodeKind kind);
/// It is the end of a path: IT, mechanical, other.
bool is_load(NodeKind kind);

/// How a load or a feed hangs on three phases.
struct PhaseUse {
  int phases = 3;           ///< 3; 2: line to line; 1: line to neutral
  int first = 0;            ///< phase (or pair) of the first unit; the others follow in turn
  double voltage_v = 0;     ///< as `phases` says; 0: unknown, no currents
  double breaker_a = 0;     ///< 0: none given
  double continuous = 0.8;  ///< share of the breaker that a continuous load may use
};

struct Node {
  std::string name{};  ///< unique
  NodeKind kind = NodeKind::switchgear;
  std::string stage_name{};  ///< what it is one of: "transformer", "hall-a.busway"
  std::string side{};        ///< "A", "B", "C"; empty: common to all
  std::string gear{};        ///< catalogue entry its curves come from; may be empty
  int count = 1;
  bool parallel = true;    ///< units on one bus; false: each on its own path
  Stage stage{};           ///< loss of one unit, by its nameplate; zero rating: none
  double nameplate_w = 0;  ///< of one unit; 0: not given
  double rating_w = 0;     ///< of one unit, what it may carry for good; 0: no limit
  double power_factor = 1;
  double load_w = 0;         ///< own load of one unit; loads only
  double energy_j = 0;       ///< battery: of one unit, full
  double start_s = 0;        ///< generator: to accepting load; transfer switch: to transfer
  double start_failure = 0;  ///< generator: probability a unit does not start
  double fuel_s = 0;         ///< generator: fuel at its rating; 0: no limit known
  double restart_s = 0;      ///< load: after power is back (mechanical)
  Overload overload{};
  double trip_w = 0;  ///< load of one unit at which `overload` counts x = 1; 0: `rating_w`
  PhaseUse phase{};
  std::string hall{};  ///< IT load: scope of its hall
  double racks = 0;    ///< IT load: of one unit
  Origin origin{};     ///< where the scenario names it; empty: derived

  double total_rating_w() const { return rating_w * count; }
};

struct Edge {
  int from = -1, to = -1;  ///< source, load
  int rank = 0;            ///< 0: preferred; higher: alternates
  double weight = 1;       ///< among live sources of one rank
};

class Graph {
 public:
  int add(Node node);
  void connect(int from, int to, int rank = 0, double weight = 1);
  /// Sorts and indexes; answers false, with `loop()` filled, when there is a loop.
  bool close();

  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& nodes() { return nodes_; }  ///< not their number
  const std::vector<Edge>& edges() const { return edges_; }
  int size() const { return static_cast<int>(nodes_.size()); }
  const Node& operator[](int i) const { return nodes_[static_cast<std::size_t>(i)]; }
  /// Index of a node; -1: none is called so.
  int find(std::string_view name) const;

  /// After `close`. Every node after its sources.
  std::span<const int> order() const { return order_; }
  std::span<const int> sources(int node) const { return slice(in_, in_at_, node); }  ///< edges
  std::span<const int> loads(int node) const { return slice(out_, out_at_, node); }  ///< edges
  /// Place of a node in `order`.
  int place(int node) const { return place_[static_cast<std::size_t>(node)]; }
  /// Nodes of a loop, in order, if `close` failed.
  const std::vector<int>& loop() const { return loop_; }

 private:
  static std::span<const int> slice(const std::vector<int>& list, const std::vector<int>& at,
                                    int node) {
    const auto i = static_cast<std::size_t>(node);
    return {list.data() + at[i], static_cast<std::size_t>(at[i + 1] - at[i])};
  }
  void find_loop();

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::vector<int> order_, place_, in_, in_at_, out_, out_at_, loop_;
};

/// The same graph with one unit of `node`, and of every node that is not parallel and hangs on it
/// unit by unit, apart from the others; `unit` is the index of the lone one.
Graph split_unit(const Graph& graph, int node, int& unit);

/// What is out of service and which sources are on.
struct State {
  std::vector<int> lost;           ///< units out, a node
  std::vector<unsigned char> off;  ///< source that does not give power
};
/// Nothing lost; mains and generators on, batteries off: the steady state.
State normal(const Graph& graph);
/// The first instant after a loss: batteries on, generators not yet.
State first_instant(const Graph& graph);

struct Solution {
  std::vector<double> output_w, loss_w, input_w;  ///< a node, all units
  std::vector<double> edge_w;
  std::vector<unsigned char> live;

  /// Output over what the units in service may carry; 0 without a rating.
  double use(const Graph& graph, const State& state, int node) const;
};

/// Full solution. The graph is closed.
Solution solve(const Graph& graph, const State& state);
/// The same with other own loads: of one unit of each node, W.
Solution solve(const Graph& graph, const State& state, std::span<const double> load_w);

struct Balance {
  double given_w = 0;  ///< by sources
  double load_w = 0, loss_w = 0;
  double imbalance() const;  ///< over what is given
};
Balance balance(const Graph& graph, const Solution& solution);
/// IT load that is live and dead; a unit that is lost itself is dead.
struct ItPower {
  double live_w = 0, dead_w = 0, live_racks = 0, dead_racks = 0;
};
ItPower it_power(const Graph& graph, const State& state, const Solution& solution);

/// Solves again only what a change reaches, and goes back.
class Solver {
 public:
  Solver(const Graph& graph, State base);

  const Graph& graph() const { return graph_; }
  const Solution& now() const { return now_; }
  const State& state() const { return state_; }
  /// Takes `units` more of a node out (all that are left when it has fewer) and solves.
  void lose(int node, int units);
  /// The same for a node whose units are each on a path of their own, told only to the nodes of
  /// its group (not parallel, as many units): what is above keeps its figures until `restore`.
  void lose_in_group(int node);
  /// A source on or off, and solves.
  void turn(int node, bool on);
  /// Back to the base.
  void restore();
  /// Nodes whose figures differ, or may, from the base's, in no order, each once.
  std::span<const int> changed() const { return touched_; }
  bool is_changed(int node) const { return is_touched_[static_cast<std::size_t>(node)] != 0; }

 private:
  struct Bits {
    std::vector<std::uint64_t> words;
    void set(int i) { words[std::size_t(i) >> 6] |= std::uint64_t{1} << (i & 63); }
  };
  void touch(int node);
  void settle(int node);
  bool in_group(int node) const;
  void sweep_down();
  void sweep_up();

  const Graph& graph_;
  State base_state_, state_;
  Solution base_, now_;
  Bits down_, up_;
  std::vector<int> touched_;
  std::vector<unsigned char> is_touched_;
  int group_ = 0;  ///< units of the group that is told; 0: all are
};

}  // namespace headroom::power
