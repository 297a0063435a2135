#include <algorithm>
#include <cmath>

#include "building/assess.hpp"
#include "study/context.hpp"

namespace headroom::study {
namespace {

/// Mean power of one busy system from the mean power of its accelerators: what is
/// not an accelerator scales between idle and maximum as they do.
///   P = idle + (max - idle) (share - s0) / (1 - s0),  s0 = idle share of the accelerator
Power busy_power(const Machines& m, double share) {
  const Power max = m.system_max.value;
  const auto& p = m.accelerator->power;
  const double s0 = p.idle && p.max && p.max.get().si() > 0
                        ? static_cast<double>(p.idle.get() / p.max.get())
                        : 0.1;
  const Power idle = m.system->power.idle ? std::min(m.system->power.idle.get(), max) : max * 0.3;
  const double f = std::clamp((share - s0) / (1 - s0), 0.0, 1.0);
  return idle + (max - idle) * f;
}

void cluster_loads(Context& c, Machines& m) {
  const std::string base = "clusters." + m.scope;
  const Power network_max = m.network.power_max.value;
  m.it_max = c.trace.derive(
      base + ".it_max", m.system_max.value * double(m.systems.value) + network_max, "MW",
      "systems x maximum power of one + network", {m.systems, m.system_max, m.network.power_max});
  double held = 0;
  double share_sum = 0;
  std::vector<NodeId> inputs = {m.systems, m.system_max, m.gpus, m.network.power};
  for (const auto& w : c.work) {
    if (w.machines != &m || w.power_share.node == no_node) continue;
    held += w.gpus_held;
    share_sum += w.gpus_held * double(w.power_share.value);
    inputs.push_back(w.power_share.node);
  }
  held = std::min(held, double(m.gpus.value));
  const double busy_share = held > 0 ? share_sum / std::max(held, 1e-9) : 0;
  const double used = m.gpus.value > 0 ? held / double(m.gpus.value) : 0.0;
  Power each = busy_power(m, busy_share) * used + busy_power(m, 0) * (1 - used);
  std::string formula =
      "systems x [idle + (maximum - idle) x accelerators' share above idle, over the "
      "GPUs held; idle for the rest] + network";
  if (m.spec->load) {
    inputs.push_back(c.trace.leaf(base + ".load", m.spec->load, "%"));
    each = m.system_max.value * double(m.spec->load.get());
    formula = "systems x maximum power x load of the scenario + network";
  }
  m.it_typical =
      c.trace.derive(base + ".it_typical", each * double(m.systems.value) + m.network.power.value,
                     "MW", formula, inputs);
}

}  // namespace

void gather_loads(Context& c) {
  Power max{}, typical{};
  std::vector<NodeId> max_nodes, typical_nodes;
  for (auto& m : c.machines) {
    cluster_loads(c, m);
    max += m.it_max.value;
    typical += m.it_typical.value;
    max_nodes.push_back(m.it_max.node);
    typical_nodes.push_back(m.it_typical.node);
  }
  max += c.storage.power.value;
  typical += c.storage.power.value;
  max_nodes.push_back(c.storage.power.node);
  typical_nodes.push_back(c.storage.power.node);
  c.it_max = c.trace.derive("study.it_max", max, "MW",
                            "clusters with their networks + storage, at maximum", max_nodes);
  c.it_typical =
      c.trace.derive("study.it_typical", typical, "MW",
                     "clusters with their networks + storage, yearly mean", typical_nodes);
}

namespace {

// Storage boxes fill racks to this height (assumed; the rest is panels and cables).
constexpr double storage_units_a_rack = 36;

void add_machines(HallLoads& hall, const Machines& m, Power& max, Power& typical) {
  hall.machines.push_back(&m);
  hall.other_racks += m.network_racks;
  hall.racks += m.racks.value;
  hall.groups.push_back({&m, m.scope, double(m.racks.value),
                         m.it_max.value - m.network.power_max.value,
                         m.it_typical.value - m.network.power.value});
  max += m.it_max.value;
  typical += m.it_typical.value;
  if (m.rack_max.value > hall.rack_max.value) hall.rack_max = m.rack_max;
  if (hall.main == nullptr || m.it_max.value > hall.main->it_max.value) hall.main = &m;
}

/// Racks of switches and storage: as many as their height takes, and none fuller than the fullest
/// rack of systems, which is what the hall's feeds and cooling are laid out for.
void count_other_racks(Context& c, HallLoads& hall, const std::string& base, Power it_max) {
  const double by_height = hall.other_racks;
  Power others = it_max;
  for (const auto* m : hall.machines) others -= m->system_max.value * double(m->systems.value);
  const double most = hall.rack_max.value.si();
  const double by_power = most > 0 ? std::ceil(others.si() / most - 1e-6) : 0;
  std::vector<NodeId> inputs;
  if (by_power > by_height) inputs.push_back(hall.rack_max.node);
  hall.other_racks = std::max(by_height, by_power);
  hall.other_racks_node =
      c.trace
          .derive(base + ".other_racks", Scalar(hall.other_racks), "rack",
                  by_power > by_height
                      ? "power of switches and storage / the fullest rack of systems, rounded up"
                      : "rack units of switches and storage / 36 a rack, rounded up",
                  std::move(inputs))
          .node;
}

/// Switches and storage: what the clusters' systems leave of the hall's power.
void add_others(HallLoads& hall, Power max, Power typical) {
  for (const auto& g : hall.groups) max -= g.max, typical -= g.typical;
  if (max.si() <= 0 && hall.other_racks <= 0) return;
  // Switches without a rack of their own stand with the systems.
  if (hall.other_racks <= 0 && !hall.groups.empty()) {
    hall.groups.front().max += max, hall.groups.front().typical += typical;
    return;
  }
  hall.groups.push_back({nullptr, "network-storage", hall.other_racks, max, typical});
}

HallLoads hall_loads(Context& c, const HallSpec& spec, bool first) {
  HallLoads hall;
  hall.spec = &spec;
  hall.scope = kebab("hall " + spec.building.name);
  hall.title = "hall " + spec.building.name;
  Power max{}, typical{};
  std::vector<NodeId> max_nodes, typical_nodes;
  for (const auto& m : c.machines) {
    if (m.spec->hall != spec.building.name) continue;
    add_machines(hall, m, max, typical);
    max_nodes.push_back(m.it_max.node);
    typical_nodes.push_back(m.it_typical.node);
  }
  // Storage stands in the first hall.
  if (first && c.storage.power.node != no_node) {
    hall.other_racks += std::ceil(c.storage.rack_units / storage_units_a_rack);
    max += c.storage.power.value;
    typical += c.storage.power.value;
    max_nodes.push_back(c.storage.power.node);
    typical_nodes.push_back(c.storage.power.node);
  }
  const std::string base = "halls." + hall.scope;
  count_other_racks(c, hall, base, max);
  hall.racks += hall.other_racks;
  add_others(hall, max, typical);
  hall.it_max = c.trace.derive(
      base + ".it_max", max, "kW",
      "its clusters with their networks, storage in the first hall, at maximum", max_nodes);
  hall.it_typical = c.trace.derive(
      base + ".it_typical", typical, "kW",
      "its clusters with their networks, storage in the first hall, yearly mean", typical_nodes);
  return hall;
}

building::HallDemand building_demand(const HallLoads& hall) {
  building::HallDemand d;
  d.scope = hall.scope;
  d.title = hall.title;
  d.hall = hall.spec->building;
  d.rack = hall.spec->rack.rack;
  for (const Machines* m : hall.machines) {
    d.groups.push_back({m->scope, "cluster " + m->spec->name, m->system, m->systems, m->per_rack,
                        m->racks, rack_of(*m, hall.spec)});
  }
  d.other_racks = hall.other_racks;
  d.other_racks_node = hall.other_racks_node;
  d.it_max = hall.it_max;
  return d;
}

}  // namespace

void gather_halls(Context& c) {
  if (!c.scenario.building) return;
  for (const auto& spec : c.scenario.building->halls) {
    c.halls.push_back(hall_loads(c, spec, c.halls.empty()));
  }
}

void assess_building(Context& c) {
  std::vector<building::HallDemand> demand;
  for (const auto& hall : c.halls) demand.push_back(building_demand(hall));
  if (demand.empty()) return;
  c.add(building::assess(demand, c.catalog, c.trace, c.scenario.building->building).findings);
}

}  // namespace headroom::study
