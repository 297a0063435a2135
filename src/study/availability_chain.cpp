#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "availability/exact.hpp"
#include "catalog/power_gear.hpp"
#include "power/topology.hpp"
#include "study/availability_parts.hpp"

namespace headroom::study {
namespace {

using availability::Group;
using availability::Ride;
using availability::Sink;
using power::NodeKind;

constexpr double usual_autonomy_s = 300;  // of a UPS without a figure (assumed)
constexpr double recharge = 10;           // of the time of discharge (assumed)

/// Entry of kind `reliability` for a node; empty: it is not a component of the site.
std::string_view part_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::utility:
      return "site-feed";
    case NodeKind::substation:
      return "substation";
    case NodeKind::transformer:
      return "transformer";
    case NodeKind::switchgear:
      return "switchgear";
    case NodeKind::generator:
      return "generator";
    case NodeKind::transfer_switch:
      return "transfer-switch";
    case NodeKind::ups:
    case NodeKind::ups_eco:
    case NodeKind::rectifier:
      return "ups-module";
    case NodeKind::pdu:
    case NodeKind::rpp:
      return "pdu";
    case NodeKind::busway:
      return "busway";
    default:
      return {};
  }
}

bool is_path(NodeKind kind) {
  return kind == NodeKind::switchgear || kind == NodeKind::transfer_switch ||
         kind == NodeKind::pdu || kind == NodeKind::rpp || kind == NodeKind::busway ||
         kind == NodeKind::utility || kind == NodeKind::substation;
}

bool is_ups(NodeKind kind) { return kind == NodeKind::ups || kind == NodeKind::ups_eco; }

/// Nodes that something stored feeds: a battery, or a UPS, which has one.
std::vector<char> stored_nodes(const power::Graph& g) {
  std::vector<char> out(std::size_t(g.size()), 0);
  for (int i = 0; i < g.size(); ++i) {
    if (is_ups(g[i].kind)) out[std::size_t(i)] = 1;
    for (const int e : g.sources(i))
      if (g[g.edges()[std::size_t(e)].from].kind == NodeKind::battery) out[std::size_t(i)] = 1;
  }
  return out;
}

}  // namespace

int AvailabilitySystem::group_of(const power::Node& n) {
  const auto part = part_of(n.kind);
  if (part.empty()) return -1;
  std::string title = n.name;
  std::replace(title.begin(), title.end(), '-', ' ');
  Group g = parts_.make(std::string(part), n.name, title, std::max(1, n.count));
  g.path = is_path(n.kind);
  if (g.standby) {
    g.start_s = n.start_s > 0 ? n.start_s : 10;
    g.fuel_s = n.fuel_s;
  }
  const auto* gear = c_.catalog.find<catalog::PowerGear>(n.gear);
  return add_group(std::move(g), gear != nullptr ? gear->price : Value<PowerPrice>{},
                   n.nameplate_w);
}

int AvailabilitySystem::add_group(Group group, const Value<PowerPrice>& price, double unit_w) {
  const int index = a_.system.add(std::move(group));
  a_.prices.resize(a_.system.groups.size());
  if (price && unit_w > 0)
    a_.prices[std::size_t(index)] = {(price.get() * Power::from_si(unit_w)).in(dollar),
                                     describe(*price.origin.source)};
  return index;
}

void AvailabilitySystem::chain() {
  const auto topology = chain_topology(c_);
  const auto& graph = topology.graph;
  for (const auto& text : topology.remarks) say(text);
  int feeds = 0, sets = 0;
  for (int i = 0; i < graph.size(); ++i) {
    feeds += graph[i].kind == NodeKind::utility ? graph[i].count : 0;
    sets += graph[i].kind == NodeKind::generator ? graph[i].count : 0;
  }
  std::vector<int> groups;
  for (int i = 0; i < graph.size(); ++i) groups.push_back(group_of(graph[i]));
  const bool two = feeds > 1;
  groups.push_back(add_group(parts_.make(two ? "utility-two-feeds" : "utility-one-feed", "utility",
                                         two ? "utility, all feeds" : "utility", 1),
                             {}, 0));
  if (sets == 0)
    say("no generator stands in power: every failure of the utility that outlasts the batteries "
        "is an outage");
  const auto stored = stored_nodes(graph);
  batteries(graph, stored);
  add_chain_view(graph, groups, stored, false);
  if (battery_s_ > 0) add_chain_view(graph, groups, stored, true);
  gaps(graph);
  a_.battery_s = battery_s_, a_.battery_failure = battery_failure_;
}

/// How long the racks live on what is stored, and the chance that they do not.
void AvailabilitySystem::batteries(const power::Graph& g, const std::vector<char>& stored) {
  double energy = 0, rating = 0, load = 0, each = 0;
  int units = 0;
  for (int i = 0; i < g.size(); ++i) {
    if (g[i].kind == NodeKind::battery) energy += g[i].energy_j * g[i].count;
    if (g[i].kind == NodeKind::it_load) load += g[i].load_w * g[i].count;
    if (!stored[std::size_t(i)]) continue;
    units += g[i].count, rating += g[i].total_rating_w();
    each = std::max(each, g[i].rating_w);
  }
  if (units == 0 || load <= 0) return;
  if (energy > 0) {
    battery_s_ = energy / load;
  } else {
    battery_s_ = usual_autonomy_s * (rating > load ? rating / load : 1);
    say("the UPS's autonomy is not given: 5 min at its rating (assumed)");
  }
  const double one = parts_.on_demand("battery");
  const int needed = each > 0 ? std::min(units, int(std::ceil(load / each * (1 - 1e-9)))) : units;
  battery_failure_ = 1 - availability::k_of_n(needed, units, 1 - one);
}

void AvailabilitySystem::add_chain_view(const power::Graph& g, const std::vector<int>& groups,
                                        const std::vector<char>& stored, bool from_batteries) {
  availability::View v;
  v.name = from_batteries ? "power-stored" : "power";
  v.title = from_batteries ? "power from the UPS on" : "power";
  const int mains = v.source("utility", groups.back());
  std::vector<int> at(std::size_t(g.size()), -1), bypass(at);
  for (const int i : g.order()) {
    const auto& n = g[i];
    if (n.kind == NodeKind::battery) continue;
    const auto k = std::size_t(i);
    std::vector<int> inputs;
    for (const int e : g.sources(i)) {
      const auto from = std::size_t(g.edges()[std::size_t(e)].from);
      if (at[from] >= 0) inputs.push_back(at[from]);
      if (bypass[from] >= 0) inputs.push_back(bypass[from]);
    }
    if (n.kind == NodeKind::utility) inputs.push_back(mains);
    const bool single = groups[k] < 0;  // no component: all of its units together
    const double unit_w = single ? n.total_rating_w() : n.rating_w;
    if (is_ups(n.kind)) bypass[k] = v.node(n.name + " bypass", -1, 0, inputs);
    at[k] = v.node(n.name, groups[k], power::is_load(n.kind) ? 0 : unit_w, std::move(inputs));
    if (n.kind == NodeKind::generator || (from_batteries && stored[k]))
      v.nodes[std::size_t(at[k])].source = true;
  }
  for (int i = 0; i < g.size(); ++i) {
    const auto& n = g[i];
    if (n.kind != NodeKind::it_load || n.load_w <= 0) continue;
    for (std::size_t h = 0; h < c_.halls.size(); ++h) {
      if (c_.halls[h].scope != n.hall) continue;
      Sink s;
      s.load = int(h), s.node = at[std::size_t(i)];
      s.demand_w = s.weight = n.load_w * n.count;
      if (!from_batteries && battery_s_ > 0) {
        s.ride = {{0, 0, 1}, {1, 1 / battery_s_, 0}};
        s.recover_s = recharge * battery_s_, s.ride_failure = battery_failure_;
      }
      v.sinks.push_back(std::move(s));
    }
  }
  a_.system.views.push_back(std::move(v));
  if (from_batteries) return;
  // Cooling's own supply, hall by hall by what it takes away.
  double all = 0;
  for (const auto& hall : c_.halls) all += hall.it_max.value.si();
  for (int i = 0; i < g.size(); ++i) {
    const auto& n = g[i];
    if (n.kind != NodeKind::mechanical_load || n.load_w <= 0 || all <= 0) continue;
    bool behind_ups = false;
    for (const int e : g.sources(i))
      behind_ups = behind_ups || stored[std::size_t(g.edges()[std::size_t(e)].from)];
    for (std::size_t h = 0; h < c_.halls.size(); ++h) {
      Sink s;
      s.load = int(h), s.need = cooling_need, s.node = at[std::size_t(i)], s.sheds = false;
      s.demand_w = n.load_w * n.count * c_.halls[h].it_max.value.si() / all;
      s.ride = ride(h, "power of all cooling", {cooling::FailureEvent{}}, n.restart_s);
      if (behind_ups) s.need = cooling_on_ups_need;
      if (behind_ups)
        for (auto& r : s.ride)
          if (r.rate > 0)
            r.rate = 1 / ((r.rate == availability::never ? 0 : 1 / r.rate) + battery_s_);
      s.recover_s = 600;  // of what is stored in water and metal (assumed)
      if (s.demand_w > 0) a_.system.views.back().sinks.push_back(std::move(s));
    }
  }
}

/// What a site that can be maintained lacks to be fault tolerant.
void AvailabilitySystem::gaps(const power::Graph& g) {
  double start = 0, restart = 0, fuel = 0;
  for (int i = 0; i < g.size(); ++i) {
    if (g[i].kind == NodeKind::generator) {
      start = std::max(start, g[i].start_s);
      fuel = std::max(fuel, g[i].fuel_s);
    }
    if (g[i].kind == NodeKind::mechanical_load) restart = std::max(restart, g[i].restart_s);
  }
  for (const auto& r : a_.rides)
    if (r.what == "power of all cooling" && r.lost == 1 && r.seconds >= 0 &&
        r.seconds < start + restart)
      a_.tier.gaps.push_back(fmt::format(
          "{}: no continuous cooling: racks are short {:.0f} s after it stops, it is back after "
          "{:.0f} s (sets start, then pumps and chillers)",
          r.hall, r.seconds, start + restart));
  if (battery_s_ > 0 && battery_s_ < start)
    a_.tier.gaps.push_back("batteries end before the sets carry the load");
  constexpr double tier_fuel_s = 12 * 3600;
  if (fuel > 0 && fuel < tier_fuel_s)
    a_.tier.gaps.push_back(
        fmt::format("fuel for {:.1f} h, 12 h are asked of Tier III and IV", fuel / 3600));
}

}  // namespace headroom::study
