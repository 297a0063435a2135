#include <algorithm>
#include <cmath>
#include <map>

#include "power/topology_parts.hpp"

namespace headroom::power {
namespace {

using catalog::PowerGear;

class NodeBuilder {
 public:
  NodeBuilder(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              const SiteAir& air)
      : spec_(spec),
        demand_(demand),
        catalog_(catalog),
        air_(air),
        loads_(loads_max(spec, demand)) {}

  Topology build() {
    count_loads();
    for (const auto& n : spec_.nodes) add(n);
    for (const auto& n : spec_.nodes) connect(n);
    for (const auto& n : spec_.nodes) battery(n);
    out_.graph.close();
    if (mechanical_ == 0 && loads_.cooling.si() > 0)
      out_.remarks.push_back("no node of kind mechanical: cooling draws nothing from this chain");
    return std::move(out_);
  }

 private:
  /// What nodes without a load of their own share.
  void count_loads() {
    for (const auto& n : spec_.nodes) {
      if (n.kind == NodeKind::mechanical_load && !n.load) ++mechanical_;
      if (n.kind == NodeKind::other_load && !n.load) ++other_;
      if (n.kind != NodeKind::it_load || n.hall.empty()) continue;
      auto& hall = halls_[n.hall];
      hall.racks += n.racks;
      hall.open += n.racks == 0 ? 1 : 0;
    }
  }

  const HallDemand* demand_of(const std::string& hall) const {
    for (const auto& h : demand_.halls)
      if (h.title == "hall " + hall || h.scope == hall || h.title == hall) return &h;
    return nullptr;
  }

  void add(const NodeSpec& s) {
    Node n;
    n.name = n.stage_name = s.name, n.kind = s.kind, n.side = s.side, n.origin = s.origin;
    n.gear = s.gear.empty() ? std::string(usual_gear(s.kind)) : s.gear;
    n.count = s.units ? s.units.count : 1;
    n.parallel = !s.separate;
    n.power_factor = s.power_factor.or_else(1.0);
    const Power each = s.units ? s.units.each.get() : s.rating.or_else(Power{});
    n.nameplate_w = each.si();
    n.rating_w = each.si() * n.power_factor * derating(n.kind, air_);
    const auto* gear = catalog_.find<PowerGear>(n.gear);
    if (gear != nullptr && n.rating_w > 0) n.stage = make_stage(each * n.power_factor, gear->loss);
    if (n.kind == NodeKind::generator || n.kind == NodeKind::battery) n.stage = {};
    set_overload(n, gear);
    if (n.kind == NodeKind::generator) set_start(n, gear);
    if (n.kind == NodeKind::transfer_switch) n.start_s = ats_s;
    if (s.start) n.start_s = s.start.get().si();
    if (s.start_failure) n.start_failure = s.start_failure.get();
    if (n.kind == NodeKind::battery)
      n.energy_j = n.nameplate_w * s.runtime.or_else(Time{}).si(), n.rating_w = 0;
    else if (s.runtime)
      n.fuel_s = s.runtime.get().si();
    phases(s, n);
    if (is_load(n.kind)) load(s, n);
    out_.graph.add(std::move(n));
  }

  static void phases(const NodeSpec& s, Node& n) {
    FeedSpec feed;
    feed.breaker = s.breaker, feed.voltage = s.voltage, feed.phases = s.phases;
    feed.continuous = s.continuous;
    n.phase = phase_use(feed, 0);
    if (!s.breaker || !s.voltage || is_load(n.kind)) return;
    const double nameplate = n.nameplate_w;
    rate_feed(feed, n);
    if (nameplate > 0) {
      n.nameplate_w = nameplate;
      n.rating_w = std::min(n.rating_w, nameplate * n.power_factor);
    }
  }

  void load(const NodeSpec& s, Node& n) {
    if (n.kind == NodeKind::mechanical_load) {
      n.restart_s = mechanical_restart_s;
      n.load_w = s.load ? s.load.get().si() : loads_.cooling.si() / mechanical_;
    } else if (n.kind == NodeKind::other_load) {
      n.load_w = s.load ? s.load.get().si() : loads_.other.si() / other_;
    } else {
      it_load(s, n);
    }
    n.count = std::max(1, n.count);
  }

  void it_load(const NodeSpec& s, Node& n) {
    const HallDemand* h = s.hall.empty() ? nullptr : demand_of(s.hall);
    n.parallel = false;
    double racks = s.racks;
    if (h != nullptr) {
      const auto& all = halls_[s.hall];
      n.hall = h->scope;
      if (s.racks == 0) racks = std::max(0.0, (h->racks - all.racks) / double(all.open));
      const double held = all.open > 0 ? std::max<double>(h->racks, all.racks) : all.racks;
      n.load_w = held > 0 ? h->it_max.value.si() * racks / held : 0;
    }
    if (s.load) n.load_w = s.load.get().si();
    n.count = std::max(1, static_cast<int>(std::floor(racks + 0.5)));
    n.racks = racks / n.count;
    n.load_w /= n.count;
  }

  void connect(const NodeSpec& s) {
    auto& g = out_.graph;
    const int own = g.find(s.name);
    for (const auto& name : s.fed_by) g.connect(g.find(name), own, rank_of(name, 0));
    int rank = 1;
    for (const auto& name : s.alternates) g.connect(g.find(name), own, rank_of(name, rank++));
    for (const auto& name : s.feeds) g.connect(own, g.find(name), rank_of(s.name, 0));
  }

  /// Batteries come last, wherever they are named.
  int rank_of(const std::string& source, int rank) const {
    return out_.graph[out_.graph.find(source)].kind == NodeKind::battery ? battery_rank : rank;
  }

  void battery(const NodeSpec& s) {
    if (!s.autonomy) return;
    auto& g = out_.graph;
    const int own = g.find(s.name);
    const int b = g.add(battery_of(g[own], s.autonomy.get().si()));
    g.connect(b, own, battery_rank);
  }

  struct HallRacks {
    double racks = 0;
    int open = 0;  ///< nodes that take what is left
  };

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  const SiteAir& air_;
  Loads loads_;
  Topology out_;
  int mechanical_ = 0, other_ = 0;
  std::map<std::string, HallRacks> halls_;
};

}  // namespace

Topology chain_of_nodes(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                        const SiteAir& air) {
  return NodeBuilder(spec, demand, catalog, air).build();
}

}  // namespace headroom::power
