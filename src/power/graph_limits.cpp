#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "power/limits.hpp"
#include "power/sweep.hpp"
#include "power/topology.hpp"

namespace headroom::power {
namespace {

constexpr double near_shortfall = 0.10;
constexpr double says_more = 1e-3;  // less is rounding of shares and racks

std::string words(const Graph& g, const Case& c) {
  std::string text = c.on_generators ? "the mains" : "";
  for (const auto& o : c.lost) {
    const Node& n = g[o.node];
    text += (text.empty() ? "" : " and ") +
            (n.count > 1 ? fmt::format("one of {} {}", n.count, n.name) : n.name);
  }
  return text.empty() ? "nothing" : text;
}

/// The fullest node of a stage, in its worst case.
int fullest(const Graph& g, const Sweep& s, const std::string& stage) {
  int worst = -1;
  for (int i = 0; i < g.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (g[i].stage_name != stage || is_load(g[i].kind)) continue;
    if (worst < 0 || s.nodes[at].worst_use > s.nodes[static_cast<std::size_t>(worst)].worst_use)
      worst = i;
  }
  return worst;
}

std::string reason(const Graph& g, const Sweep& s, int node) {
  const auto& worst = s.nodes[static_cast<std::size_t>(node)];
  const double rated = g[node].rating_w, plate = g[node].nameplate_w;
  std::string text = fmt::format("Node by node, {} carries {:.0f} % of what it may", g[node].name,
                                 100 * worst.worst_use);
  if (worst.worst_case >= 0)
    text +=
        fmt::format(" with {} lost", words(g, s.cases[static_cast<std::size_t>(worst.worst_case)]));
  if (plate > 0 && rated < plate * (1 - 1e-6))
    text += fmt::format(" ({} of {} after altitude, heat, power factor and breakers)",
                        format_scaled(rated, "W"), format_scaled(plate, "W"));
  return text + ".";
}

class GraphLimits {
 public:
  GraphLimits(const Graph& graph, const Sweep& sweep, Result& r, const catalog::Catalog& catalog,
              Trace& trace)
      : g_(graph), sweep_(sweep), r_(r), catalog_(catalog), trace_(trace) {}

  void stage(const StageRow& row) {
    if (row.fill <= 0 || row.load_w <= 0) return;
    const int node = fullest(g_, sweep_, row.name);
    if (node < 0) return;
    Margin* m = known(row.name);
    if (m == nullptr) return add(row, node);
    const double reached = 1 / row.fill;
    if (m->need <= 0 || reached >= m->have / m->need * (1 - says_more)) return;
    const auto have = trace_.derive(m->id + ".by-node", Power::from_si(m->need * reached), "kW",
                                    formula(), {m->need_node});
    m->have = have.value.si(), m->have_node = have.node;
    m->why += " " + reason(g_, sweep_, node);
    remedy(*m, row, node);
  }

 private:
  static const char* formula() {
    return "need over the use of the stage's fullest node: the chain node by node, after the "
           "losses that it is to survive";
  }

  Margin* find(const std::string& id) {
    for (auto& m : r_.findings.margins)
      if (m.id == id) return &m;
    return nullptr;
  }
  /// The limit that is this stage's already.
  Margin* known(const std::string& name) {
    if (name == "grid") {
      Margin* feeds = find("power.grid-feeds");
      return feeds != nullptr ? feeds : find("power.grid");
    }
    if (name.ends_with(".rack-feed")) {
      Margin* feed = find("power." + name);
      Margin* breaker = find("power." + name.substr(0, name.rfind('.')) + ".rack-breaker");
      if (feed == nullptr || breaker == nullptr) return feed != nullptr ? feed : breaker;
      return feed->headroom() < breaker->headroom() ? feed : breaker;
    }
    return find("power." + name);
  }

  void add(const StageRow& row, int node) {
    const std::string id = "power." + row.name;
    const auto need = trace_.derive(id + ".load", Power::from_si(row.load_w), "kW",
                                    "output of the stage with nothing lost", {r_.meter_max.node});
    const auto have = trace_.derive(id + ".by-node", Power::from_si(row.load_w / row.fill), "kW",
                                    formula(), {need.node});
    auto m = make_margin(id, row.name, need, have, "kW").because(reason(g_, sweep_, node));
    remedy(m, row, node);
    r_.findings.margins.push_back(std::move(m));
  }

  void remedy(Margin& m, const StageRow& row, int node) {
    if (m.headroom() >= near_shortfall || !m.remedies.empty()) return;
    const Node& n = g_[node];
    // Sized to leave the reserve below which a limit counts as near.
    const double plate = n.nameplate_w > 0 ? n.nameplate_w : n.rating_w;
    const Power each = Power::from_si(plate * row.fill * (1 + near_shortfall));
    Remedy r{
        fmt::format("rate {} for {} instead of {}",
                    row.units == 1 ? n.name
                                   : fmt::format("each of the {} units of {}", row.units, row.name),
                    format_scaled(each.si(), "W"), format_scaled(plate, "W")),
        {},
        {},
        ""};
    const auto* gear = catalog_.find<catalog::PowerGear>(n.gear);
    if (gear != nullptr && gear->price) {
      r.cost = gear->price.get() * (each * row.units);
      if (gear->lead_time) r.lead_time = gear->lead_time.get();
      if (gear->price.origin.source) r.source = describe(*gear->price.origin.source);
    }
    m.remedies.push_back(std::move(r));
  }

  const Graph& g_;
  const Sweep& sweep_;
  Result& r_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
};

/// Single losses after which racks have no path at all.
void remark_drops(const Graph& g, const Sweep& s, Findings& findings) {
  const Case* most = nullptr;
  int count = 0;
  double racks = 0;
  for (const auto& n : g.nodes()) racks += n.kind == NodeKind::it_load ? n.racks * n.count : 0;
  for (const auto& c : s.cases) {
    // One rack's own feed is not the site's topology.
    if (c.on_generators || c.lost.empty() || c.dropped_racks <= 1) continue;
    ++count;
    if (most == nullptr || c.dropped_racks > most->dropped_racks) most = &c;
  }
  if (most == nullptr) return;
  findings.remarks.push_back(fmt::format(
      "power: {} single loss{} drop{} racks for want of a second path; {} drops {:.0f} of {:.0f}",
      count, count == 1 ? "" : "es", count == 1 ? "s" : "", words(g, *most), most->dropped_racks,
      racks));
}

/// Stages whose redundancy promises to survive the loss of a unit.
std::vector<std::string> surviving(const Spec& spec, const Demand& demand) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& stage, const spec::Bank<Power>& bank, Redundancy r) {
    if (bank && catalog::usable_units(bank.count, r) < bank.count) out.push_back(stage);
  };
  add("grid", spec.grid.feeds, spec.grid.redundancy);
  add("transformer", spec.transformer.units, spec.transformer.redundancy);
  add("generator", spec.generator.units, spec.generator.redundancy);
  add("ups", spec.ups.modules, spec.ups.redundancy);
  for (const auto& h : demand.halls) {
    add(h.scope + ".distribution", h.distribution.units, h.distribution.redundancy);
    add(h.scope + ".rack-feed", h.feed.feed, feed_redundancy(h.feed));
  }
  return out;
}

/// Something of the chain was described; else all of it is supposed.
bool is_described(const Spec& spec, const Demand& demand) {
  if (!spec.nodes.empty() || spec.grid.feeds || spec.transformer.units || spec.generator.units ||
      spec.ups.modules)
    return true;
  return std::any_of(demand.halls.begin(), demand.halls.end(),
                     [](const HallDemand& h) { return static_cast<bool>(h.distribution.units); });
}

}  // namespace

void graph_limits(const Spec& spec, const Demand& demand, Result& r,
                  const catalog::Catalog& catalog, Trace& trace) {
  if (demand.halls.empty()) return;
  const auto topology = chain_of(spec, demand, catalog, demand.air);
  SweepOptions options;
  options.whole_banks = false;
  if (spec.nodes.empty()) options.stages = surviving(spec, demand);
  const Sweep s = sweep(topology.graph, options);
  GraphLimits limits(topology.graph, s, r, catalog, trace);
  for (const auto& row : s.stages) limits.stage(row);
  if (!is_described(spec, demand)) return;
  options.stages.reset();
  remark_drops(topology.graph, sweep(topology.graph, options), r.findings);
}

}  // namespace headroom::power
