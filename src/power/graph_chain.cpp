#include "power/graph_chain.hpp"

#include <algorithm>
#include <numeric>

#include "power/topology.hpp"

namespace headroom::power {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

GraphChain::GraphChain(Graph graph, const Spec& spec, const Demand& demand)
    : graph_(std::move(graph)), state_(normal(graph_)) {
  for (const auto& n : graph_.nodes()) own_.push_back(n.load_w);
  find_loads(spec, demand);
  find_places(demand.halls.size());
}

void GraphChain::find_loads(const Spec& spec, const Demand& demand) {
  const Loads most = loads_max(spec, demand);
  const auto given = [&](const Node& n) {
    const auto own = std::find_if(spec.nodes.begin(), spec.nodes.end(),
                                  [&](const NodeSpec& s) { return s.name == n.name; });
    return own != spec.nodes.end() && static_cast<bool>(own->load);
  };
  for (int i = 0; i < graph_.size(); ++i) {
    const Node& n = graph_[i];
    if (!is_load(n.kind)) continue;
    Load load;
    load.node = i;
    has_cooling_ = has_cooling_ || n.kind == NodeKind::mechanical_load;
    has_other_ = has_other_ || n.kind == NodeKind::other_load;
    double of = 0;
    if (n.kind == NodeKind::it_load) {
      while (load.hall < demand.halls.size() && demand.halls[load.hall].scope != n.hall)
        ++load.hall;
      if (load.hall < demand.halls.size())
        load.follows = Follows::hall, of = demand.halls[load.hall].it_max.value.si();
    } else if (!given(n)) {
      const bool cooling = n.kind == NodeKind::mechanical_load;
      load.follows = cooling ? Follows::cooling : Follows::other;
      of = cooling ? most.cooling.si() : most.other.si();
    }
    if (of <= 0) load.follows = Follows::nothing;
    load.share = of > 0 ? n.load_w / of : 0;
    loads_.push_back(load);
  }
}

void GraphChain::find_places(std::size_t halls) {
  const Solution x = power::solve(graph_, state_);
  hall_share_.assign(at(graph_.size()), std::vector<double>(halls, 0.0));
  // Loads first: what a node passes to each hall.
  for (std::size_t k = at(graph_.size()); k-- > 0;) {
    const int i = graph_.order()[k];
    auto& share = hall_share_[at(i)];
    for (const auto& load : loads_)
      if (load.node == i && load.follows == Follows::hall) share[load.hall] = 1;
    if (is_load(graph_[i].kind)) continue;
    double passed = 0;
    for (const int e : graph_.loads(i)) {
      const double w = x.edge_w[at(e)];
      const auto& below = hall_share_[at(graph_.edges()[at(e)].to)];
      for (std::size_t h = 0; h < halls; ++h) share[h] += w * below[h];
      passed += w;
    }
    for (double& s : share) s = passed > 0 ? s / passed : 0;
  }
  for (const auto& n : graph_.nodes()) {
    switch (n.kind) {
      case NodeKind::pdu:
      case NodeKind::rpp:
      case NodeKind::busway:
      case NodeKind::rack_feed:
      case NodeKind::power_shelf:
      case NodeKind::rectifier:
        place_.push_back(Place::hall);
        break;
      case NodeKind::ups:
      case NodeKind::ups_eco:
      case NodeKind::battery:
        place_.push_back(Place::ups);
        break;
      case NodeKind::switchgear:
      case NodeKind::transfer_switch:
        place_.push_back(Place::room);
        break;
      case NodeKind::utility:
      case NodeKind::substation:
      case NodeKind::transformer:
      case NodeKind::generator:
        place_.push_back(Place::outdoors);
        break;
      default:
        place_.push_back(Place::none);
    }
  }
}

Flow GraphChain::solve(const Loads& loads) const {
  auto own = own_;
  for (const auto& load : loads_) {
    double& w = own[at(load.node)];
    if (load.follows == Follows::hall) w = load.share * loads.halls[load.hall].si();
    if (load.follows == Follows::cooling) w = load.share * loads.cooling.si();
    if (load.follows == Follows::other) w = load.share * loads.other.si();
  }
  const Solution x = power::solve(graph_, state_, own);
  Flow flow;
  flow.distribution_loss.resize(loads.halls.size());
  for (int i = 0; i < graph_.size(); ++i) {
    const auto loss = Power::from_si(x.loss_w[at(i)]);
    const auto kind = graph_[i].kind;
    const auto drawn = Power::from_si(own[at(i)] * (x.live[at(i)] != 0 ? graph_[i].count : 0));
    if (kind == NodeKind::it_load) flow.it += drawn;
    if (kind == NodeKind::mechanical_load) flow.cooling += drawn;
    if (kind == NodeKind::other_load) flow.other += drawn;
    if (kind == NodeKind::ups || kind == NodeKind::ups_eco)
      flow.ups_output += Power::from_si(x.output_w[at(i)]);
    switch (place_[at(i)]) {
      case Place::hall: {
        // What feeds no hall warms the power rooms.
        double left = 1;
        for (std::size_t h = 0; h < loads.halls.size(); ++h) {
          flow.distribution_loss[h] += loss * hall_share_[at(i)][h];
          left -= hall_share_[at(i)][h];
        }
        flow.switchgear_loss += loss * std::max(0.0, left);
        break;
      }
      case Place::ups:
        flow.ups_loss += loss;
        break;
      case Place::outdoors:
        flow.transformer_loss += loss;
        break;
      default:
        flow.switchgear_loss += loss;
    }
  }
  if (!has_cooling_) flow.cooling = loads.cooling;
  if (!has_other_) flow.other = loads.other;
  flow.meter = flow.it + flow.cooling + flow.other + flow.loss();
  flow.transformer_output = flow.meter - flow.transformer_loss;
  flow.switchgear_output = flow.transformer_output - flow.switchgear_loss;
  return flow;
}

std::shared_ptr<const GraphChain> graph_chain(const Spec& spec, const Demand& demand,
                                              const catalog::Catalog& catalog) {
  return std::make_shared<const GraphChain>(chain_of(spec, demand, catalog, demand.air).graph, spec,
                                            demand);
}

}  // namespace headroom::power
