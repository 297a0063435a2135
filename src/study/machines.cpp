#include <algorithm>
#include <cmath>

#include "building/assess.hpp"
#include "study/context.hpp"

namespace headroom::study {

std::string kebab(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0) {
      out += static_cast<char>(std::tolower(u));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "x" : out;
}

const catalog::Model* Context::model(const std::string& id) const {
  for (const auto& own : brought.models) {
    if (own->id == id) return own.get();
  }
  return catalog.find<catalog::Model>(id);
}

const catalog::System* Context::system(const std::string& id) const {
  for (const auto& own : brought.systems) {
    if (own->id == id) return own.get();
  }
  return catalog.find<catalog::System>(id);
}

const building::RackSpec& rack_of(const Machines& m, const HallSpec* hall) {
  static const building::RackSpec usual;
  if (m.spec->rack && m.spec->rack->rack.given()) return m.spec->rack->rack;
  return hall != nullptr ? hall->rack.rack : usual;
}

const power::FeedSpec& feed_of(const Machines& m, const HallSpec& hall) {
  if (m.spec->rack && m.spec->rack->feed.given()) return m.spec->rack->feed;
  return hall.rack.feed;
}

Machines* Context::machines_called(const std::string& name) {
  for (auto& m : machines) {
    if (m.spec->name == name) return &m;
  }
  return nullptr;
}

void Context::add(Findings findings) {
  for (auto& margin : findings.margins) verdict.margins.push_back(std::move(margin));
  for (auto& plan : findings.plans) verdict.plans.push_back(std::move(plan));
  for (auto& remark : findings.remarks) {
    auto& all = verdict.remarks;
    if (std::find(all.begin(), all.end(), remark) == all.end()) all.push_back(std::move(remark));
  }
  verdict.bill.append(findings.bill);
}

namespace {

const HallSpec* hall_called(const Scenario& scenario, const std::string& name) {
  if (!scenario.building) return nullptr;
  for (const auto& hall : scenario.building->halls) {
    if (hall.building.name == name) return &hall;
  }
  return nullptr;
}

/// Systems in a rack: as the scenario says, else as many as height, the feed and
/// the hall's rack allow by height alone; whole racks count as one.
Value<Scalar> systems_per_rack(const Context& c, const Machines& m) {
  if (m.spec->per_rack) return m.spec->per_rack;
  const auto& rack = rack_of(m, hall_called(c.scenario, m.spec->hall));
  return {Scalar(building::systems_by_height(*m.system, rack, c.catalog)),
          assumed("as many as the rack's height takes")};
}

void bill_systems(Context& c, const Machines& m) {
  BillLine line;
  line.id = "clusters." + m.scope + ".systems";
  line.category = "accelerators";
  line.item = m.system->name;
  line.count = m.systems.value;
  line.count_node = m.systems.node;
  if (m.system->price) {
    line.unit_price = m.system->price.get();
    line.price_low = m.system->price.low;
    line.price_high = m.system->price.high;
    line.price_node = c.trace.leaf("clusters." + m.scope + ".system_price", m.system->price, "USD");
  }
  if (m.system->lead_time) line.lead_time = m.system->lead_time.get();
  if (m.accelerator->embodied_carbon) {
    line.embodied_kgco2e =
        m.accelerator->embodied_carbon.get().in(kilogram_co2e)*m.system->accelerators;
  }
  c.verdict.bill.add(std::move(line));
}

}  // namespace

void resolve_machines(Context& c) {
  for (const auto& spec : c.scenario.clusters) {
    Machines m;
    m.spec = &spec;
    m.scope = kebab(spec.name);
    m.system = c.system(spec.system);
    m.accelerator =
        m.system != nullptr ? c.catalog.find<catalog::Accelerator>(m.system->accelerator) : nullptr;
    if (m.accelerator == nullptr) continue;  // the reader and the catalogue's tests rule it out
    const std::string base = "clusters." + m.scope;
    m.systems = c.trace.input(base + ".count", spec.count, "system");
    const auto each = c.trace.constant(base + ".accelerators", Scalar(m.system->accelerators),
                                       "GPU", m.system->origin.source);
    m.gpus = c.trace.derive(base + ".gpus", Scalar(m.systems.value * each.value), "GPU",
                            "systems x accelerators of one", {m.systems, each});
    m.per_rack = c.trace.input(base + ".per_rack", systems_per_rack(c, m), "system");
    m.racks =
        c.trace.derive(base + ".racks", Scalar(std::ceil(m.systems.value / m.per_rack.value)),
                       "rack", "systems / systems in a rack, rounded up", {m.systems, m.per_rack});
    m.system_max =
        c.trace.input_or(base + ".system_power_max", spec.power, m.system->power.max, "kW");
    m.rack_max = c.trace.derive(
        base + ".rack_power_max",
        m.system_max.value * std::min(double(m.per_rack.value), double(m.systems.value)), "kW",
        "systems in a rack x maximum power of one", {m.per_rack, m.system_max});
    bill_systems(c, m);
    c.machines.push_back(std::move(m));
  }
}

namespace {

bool stands_alone(const Machines& m) {
  using catalog::SystemForm;
  const auto form = m.system->form;
  const bool box = form != SystemForm::server && form != SystemForm::rack;
  return box && m.spec->fabric.kind == fabric::Kind::automatic;
}

}  // namespace

void design_networks(Context& c) {
  for (auto& m : c.machines) {
    fabric::Demand demand;
    demand.scope = m.scope;
    demand.system = m.system;
    demand.accelerator = m.accelerator;
    demand.systems = m.systems;
    demand.racks = m.racks.value;
    // Boxes in shops, desks and laptops stand alone: each is a network of one.
    if (stands_alone(m)) demand.systems.value = Scalar(1);
    m.network = fabric::design(m.spec->fabric, demand, c.catalog, c.trace);
    // Racks of switches leave some height for patch panels and cable managers.
    constexpr double usable_units = 36;  // assumed: of 42
    m.network_racks = std::ceil(m.network.rack_units / usable_units);
    c.add(m.network.findings);
  }
}

}  // namespace headroom::study
