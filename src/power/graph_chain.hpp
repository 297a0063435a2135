// A power chain written node by node (`power.nodes`), solved for any load as banks are (chain.hpp).
//
//   Chain chain;  chain.graph = graph_chain(spec, demand, catalog, air);
//   Flow flow = solve(chain, loads);        // chain.hpp's own: goes through the graph
//
// Each load of the graph follows what it stands for: racks their hall's load, mechanical nodes the
// cooling, other nodes the site's other loads, each by its share at maximum; loads with a figure of
// their own keep it. What has no node (cooling without a node of kind mechanical) is added at the
// meter.
//
// Losses by where their heat goes: PDUs, panels, busways, feeds, shelves and rectifiers warm the
// halls they feed, in proportion to the power they pass to each at maximum; UPS, switchgear and
// transfer switches the power rooms; substations and transformers stand outdoors. `Flow`'s figures
// of a stage are sums over nodes of its kind; `switchgear_output` is what is drawn below the
// transformers.
//
// Energy: meter = loads + losses to rounding (tested). Complexity O(nodes + edges) a solution.
// Thread-safe: immutable.
#pragma once

#include <memory>

#include "power/assess.hpp"
#include "power/graph.hpp"

namespace headroom::power {

class GraphChain {
 public:
  GraphChain(Graph graph, const Spec& spec, const Demand& demand);

  Flow solve(const Loads& loads) const;
  const Graph& graph() const { return graph_; }

 private:
  enum class Follows : unsigned char { nothing, hall, cooling, other };
  struct Load {
    int node = -1;
    Follows follows = Follows::nothing;
    std::size_t hall = 0;
    double share = 0;  ///< of what it follows, one unit
  };
  enum class Place : unsigned char { none, hall, ups, room, outdoors };

  void find_loads(const Spec& spec, const Demand& demand);
  void find_places(std::size_t halls);

  Graph graph_;
  State state_;
  std::vector<double> own_;  ///< of one unit at maximum
  std::vector<Load> loads_;
  std::vector<Place> place_;
  std::vector<std::vector<double>> hall_share_;  ///< [node][hall]
  bool has_cooling_ = false, has_other_ = false;
};

/// The spec lists nodes.
std::shared_ptr<const GraphChain> graph_chain(const Spec& spec, const Demand& demand,
                                              const catalog::Catalog& catalog);

}  // namespace headroom::power
