#include "study/facility_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/units.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {
namespace {

/// Load that cooling's limits bear, over the load; 0: cooling was not asked.
double cooling_scale(const Context& c) {
  double scale = 0;
  for (const auto& m : c.cooling.findings.margins) {
    if (m.need <= 0 || m.unit != "kW") continue;
    const double s = m.have / m.need;
    if (scale == 0 || s < scale) scale = s;
  }
  return scale;
}

std::string lower(std::string text) {
  for (char& ch : text) ch = static_cast<char>(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
  return text;
}

}  // namespace

std::string FacilityChain::words(const power::Outage& o) const {
  const auto& n = graph[o.node];
  if (n.count == 1 || o.units >= n.count) return n.name;
  return fmt::format("{} ({} of {})", n.name, o.units, n.count);
}

std::string FacilityChain::words(const power::Case& c) const {
  std::string text = c.on_generators ? "mains" : "";
  for (const auto& o : c.lost) text += (text.empty() ? "" : " + ") + words(o);
  return text.empty() ? "nothing lost" : text;
}

std::vector<const power::Case*> FacilityChain::harmful() const {
  std::vector<const power::Case*> out;
  for (const auto* list : {&sweep.cases, &sweep.banks})
    for (const auto& c : *list)
      if (!c.harmless()) out.push_back(&c);
  const auto use = [](const power::Case* c) {
    return c->overloaded.empty() ? 0.0 : c->overloaded.front().use;
  };
  std::stable_sort(out.begin(), out.end(), [&](const auto* a, const auto* b) {
    if (a->lost_racks() != b->lost_racks()) return a->lost_racks() > b->lost_racks();
    if (a->lost_w() != b->lost_w()) return a->lost_w() > b->lost_w();
    return use(a) > use(b);
  });
  return out;
}

double FacilityChain::imbalance(int node) const {
  constexpr double any_v = 400;  // a ratio of currents
  return power::line_currents(phases[static_cast<std::size_t>(node)], any_v).imbalance();
}

int FacilityChain::most_uneven() const {
  int most = -1;
  double worst = 1e-6;
  for (int i = 0; i < graph.size(); ++i) {
    if (!graph[i].parallel || power::is_load(graph[i].kind)) continue;
    const double here = imbalance(i);
    if (here > worst) worst = here, most = i;
  }
  return most;
}

bool FacilityChain::holds() const {
  return std::all_of(sweep.cases.begin(), sweep.cases.end(),
                     [](const power::Case& c) { return c.overloaded.empty(); }) &&
         std::all_of(sweep.together.begin(), sweep.together.end(),
                     [](const power::Together& t) { return t.lost.harmless(); });
}

power::Topology chain_topology(const Context& c, const power::SiteAir& air) {
  const auto spec = c.scenario.power.value_or(power::Spec{});
  return power::chain_of(spec, power_demand(c), c.catalog, air);
}

FacilityChain draw_chain(const Context& c, const power::SiteAir& air) {
  auto topology = chain_topology(c, air);
  FacilityChain out;
  out.graph = std::move(topology.graph);
  out.remarks = std::move(topology.remarks);
  out.drawn = !c.scenario.power || c.scenario.power->nodes.empty();
  out.air = air;
  out.state = power::normal(out.graph);
  out.solution = power::solve(out.graph, out.state);
  out.balance = power::balance(out.graph, out.solution);
  out.phases = power::phase_loads(out.graph, out.solution);
  const auto it = power::it_power(out.graph, out.state, out.solution);
  out.it_w = it.live_w + it.dead_w, out.racks = it.live_racks + it.dead_racks;
  return out;
}

void sweep_chain(const Context& c, bool pairs, std::vector<std::vector<power::Outage>> together,
                 FacilityChain& chain) {
  power::SweepOptions options;
  options.pairs = pairs;
  options.together = std::move(together);
  options.cooling_scale = cooling_scale(c);
  chain.sweep = power::sweep(chain.graph, options);
}

void add_chain_nodes(const FacilityChain& chain, std::vector<FacilityNode>& nodes) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](const FacilityNode& n) { return n.name == name; });
  };
  const auto add = [&](std::string name, std::string what, std::vector<power::Outage> outages) {
    name = lower(std::move(name));
    if (taken(name)) name = "power." + name;
    FacilityNode node;
    node.name = std::move(name), node.what = std::move(what), node.outages = std::move(outages);
    nodes.push_back(std::move(node));
  };
  std::vector<power::Outage> mains;
  const auto& g = chain.graph;
  for (int i = 0; i < g.size(); ++i)
    if (g[i].kind == power::NodeKind::utility) mains.push_back({i, g[i].count});
  if (!mains.empty()) add("mains", "all utility feeds", mains);
  // Racks' own feeds come last: they are many.
  std::vector<int> order(g.order().begin(), g.order().end());
  std::stable_partition(order.begin(), order.end(),
                        [&](int i) { return g[i].kind != power::NodeKind::rack_feed; });
  for (const int i : order) {
    const auto& n = g[i];
    if (power::is_load(n.kind)) continue;
    const auto kind = std::string(power::node_kind_name(n.kind));
    add(n.name, n.count > 1 ? fmt::format("{} {} of {}", n.count, kind, n.name) : n.name,
        {{i, n.count}});
    if (n.count > 1) add(n.name + ".unit", "one unit of " + n.name, {{i, 1}});
  }
}

std::vector<cooling::FailureEvent> cooling_without_power(const power::ChainWalk& walk) {
  std::vector<cooling::FailureEvent> out;
  constexpr double forever = std::numeric_limits<double>::infinity();
  for (const auto& x : walk.intervals) {
    const double share = 1 - x.mechanical;
    if (share <= 1e-12) continue;
    const double to = x.to_s >= walk.horizon_s ? forever : x.to_s;
    if (!out.empty() && out.back().back_s == x.from_s && out.back().share == share) {
      out.back().back_s = to;
      continue;
    }
    cooling::FailureEvent event;
    event.what = cooling::Failure::everything;
    event.share = share, event.at_s = x.from_s, event.back_s = to;
    out.push_back(event);
  }
  return out;
}

std::string words(const FacilityChain& chain, const power::ChainEvent& e) {
  using Kind = power::ChainEventKind;
  const auto& n = chain.graph[e.node];
  switch (e.kind) {
    case Kind::lost:
      return chain.words(power::Outage{e.node, static_cast<int>(e.value)}) + " lost";
    case Kind::back:
      return n.name + " back";
    case Kind::on_battery:
      return fmt::format("{} carries {}", n.name, format_scaled(e.value, "W"));
    case Kind::battery_empty:
      return n.name + " empty";
    case Kind::set_wanted:
      return n.name + " called to start";
    case Kind::set_ready:
      return n.name + " carries load";
    case Kind::fuel_out:
      return n.name + " out of fuel";
    case Kind::transfer:
      return n.name + " transfers";
    case Kind::trip:
      return fmt::format("{} trips at {:.0f} % of its rating", n.name, 100 * e.value);
    case Kind::racks_drop:
      return fmt::format("{:.0f} racks of {} drop", e.value, n.name);
    case Kind::load_stops:
      return n.name + " stops";
    case Kind::load_starts:
      return n.name + " runs again";
  }
  return {};
}

}  // namespace headroom::study
