#include <algorithm>
#include <cmath>
#include <utility>

#include "catalog/climate.hpp"
#include "catalog/region.hpp"
#include "cooling/plant_model.hpp"
#include "power/topology.hpp"
#include "study/context.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {
namespace {

cooling::HallSpec cooling_spec(const HallLoads& hall) {
  if (hall.spec->cooling) return *hall.spec->cooling;
  // Nothing is asked of cooling; its energy still counts, with the usual
  // technology for what stands there.
  cooling::HallSpec spec;
  const bool liquid =
      hall.main != nullptr && hall.main->system->heat.cooling != catalog::SystemCooling::air;
  spec.kind = liquid ? "cold-plate" : "crah";
  return spec;
}

/// The same accelerators of the same form with cold plates; empty when there is none.
std::string liquid_sibling(const catalog::System& system, const catalog::Catalog& catalog) {
  for (const auto* other : catalog.all<catalog::System>()) {
    if (other->accelerator == system.accelerator && other->accelerators == system.accelerators &&
        other->form == system.form && other->heat.liquid_fraction.or_else(0.0).si() > 0) {
      return other->name;
    }
  }
  return {};
}

cooling::HallDemand cooling_demand(const HallLoads& hall, const catalog::Catalog& catalog) {
  cooling::HallDemand d;
  d.scope = hall.scope;
  d.title = hall.title;
  d.cooling = cooling_spec(hall);
  d.it_max = hall.it_max;
  d.it_typical = hall.it_typical;
  d.rack_max = hall.rack_max;
  d.racks = to_count(hall.racks);
  for (const auto& g : hall.groups) {
    cooling::RackDemand r{
        g.name, g.racks, g.max, g.typical, g.machines == hall.main, g.machines != nullptr,
        {},     {},      {}};
    if (g.machines != nullptr) {
      const auto& heat = g.machines->system->heat;
      r.liquid_fraction = heat.liquid_fraction;
      r.air_rise = heat.air_rise, r.coolant_rise = heat.coolant_rise;
    }
    d.groups.push_back(std::move(r));
  }
  if (hall.main == nullptr) return d;
  const auto& system = *hall.main->system;
  d.liquid_fraction = system.heat.liquid_fraction;
  d.air_rise = system.heat.air_rise;
  d.coolant_rise = system.heat.coolant_rise;
  d.max_inlet = system.heat.max_inlet;
  d.max_coolant = system.heat.max_coolant;
  const auto& gpu = *hall.main->accelerator;
  if (gpu.power.max && gpu.die_area && gpu.die_area.get().si() > 0) {
    d.chip_flux =
        Value<PowerDensity>(gpu.power.max.get() / gpu.die_area.get(), gpu.power.max.origin.source);
  }
  d.box = system.name;
  d.boxes_per_rack = to_count(hall.main->per_rack.value);
  d.box_max = hall.main->system_max.value;
  d.boxes = to_count(hall.main->systems.value);
  d.box_racks = to_count(hall.main->racks.value);
  d.liquid_sibling = liquid_sibling(system, catalog);
  return d;
}

/// Racks of a hall by their power and feeds: of each cluster full ones and the last, part-filled
/// one; those of switches and storage, on the hall's own feeds. Empty where switches and storage
/// need more than the fullest rack: they then stand in every rack, as the chain's own rule has it.
std::vector<power::RackKind> rack_kinds(const HallLoads& hall) {
  std::vector<power::RackKind> out;
  const bool several = hall.machines.size() > 1;
  const auto add = [&](std::string suffix, double count, double each_w,
                       const power::FeedSpec& feed) {
    if (count >= 1) out.push_back({std::move(suffix), to_count(count), each_w, feed});
  };
  for (const auto& g : hall.groups) {
    if (g.machines == nullptr) {
      const double each = g.racks > 0 ? g.max.si() / g.racks : 0;
      if (g.racks < 1 || each > hall.rack_max.value.si()) return {};
      add("-other", g.racks, each, hall.spec->rack.feed);
      continue;
    }
    const auto& m = *g.machines;
    const double per_rack = std::max(1.0, double(m.per_rack.value)), systems = m.systems.value;
    const double one = systems > 0 ? g.max.si() / systems : 0;
    const auto& feed = feed_of(m, *hall.spec);
    const std::string name = several ? "-" + m.scope : "";
    const double full = std::floor(systems / per_rack + 1e-9), last = systems - full * per_rack;
    add(name, full, per_rack * one, feed);
    if (last > 1e-9) add(name + (full >= 1 ? "-last" : ""), 1, last * one, feed);
  }
  return out;
}

/// The cluster whose racks' feeds have the least headroom; nullptr: all are on the hall's.
const Machines* worst_fed(const HallLoads& hall) {
  const bool own = std::any_of(hall.machines.begin(), hall.machines.end(), [](const auto* m) {
    return m->spec->rack && m->spec->rack->feed.given();
  });
  if (!own) return nullptr;
  const Machines* worst = hall.main;
  double least = 0;
  for (const auto* m : hall.machines) {
    const double draws = m->rack_max.value.si();
    const double cover = draws > 0 ? power::feeds_carry_w(feed_of(*m, *hall.spec)) / draws : 0;
    if (cover > 0 && (least == 0 || cover < least)) least = cover, worst = m;
  }
  return worst;
}

power::HallDemand power_demand(const HallLoads& hall) {
  power::HallDemand d;
  d.scope = hall.scope;
  d.title = hall.title;
  d.distribution = hall.spec->power;
  d.feed = hall.spec->rack.feed;
  d.it_max = hall.it_max;
  d.it_typical = hall.it_typical;
  d.rack_max = hall.rack_max;
  d.racks = to_count(hall.racks);
  d.kinds = rack_kinds(hall);
  const auto* own = worst_fed(hall);
  const auto* m = own != nullptr ? own : hall.main;
  if (m == nullptr) return d;
  if (own != nullptr) d.feed = feed_of(*m, *hall.spec), d.rack_max = m->rack_max;
  d.box = m->system->name;
  d.boxes_per_rack = to_count(m->per_rack.value);
  d.box_max = m->system_max.value;
  d.boxes = to_count(m->systems.value);
  d.box_racks = to_count(m->racks.value);
  return d;
}

const catalog::Climate* climate_of_region(const Context& c) {
  if (!c.scenario.site) return nullptr;
  const auto* region = c.catalog.find<catalog::Region>(c.scenario.site->region);
  return region != nullptr ? c.catalog.find<catalog::Climate>(region->climate) : nullptr;
}

/// Losses warm the halls, heat makes cooling draw power, that power makes losses:
/// the loop is a contraction (a watt lost costs well under a watt of cooling).
struct FixedPoint {
  power::Demand power;
  cooling::Demand cooling;
  int rounds = 0;
};

/// One round: power for the present cooling, then losses into the halls.
void pass_losses(FixedPoint& f, const power::Spec& spec, const catalog::Catalog& catalog) {
  const auto chain = power::resolve(spec, f.power, catalog);
  const auto max = power::solve(chain, power::loads_max(spec, f.power));
  const auto typical = power::solve(chain, power::loads_typical(spec, f.power));
  for (std::size_t i = 0; i < f.cooling.halls.size(); ++i) {
    f.cooling.halls[i].loss_max = max.distribution_loss[i];
    f.cooling.halls[i].loss_typical = typical.distribution_loss[i];
  }
  f.cooling.power_rooms_max = max.power_room_heat();
  f.cooling.power_rooms_typical = typical.power_room_heat();
}

constexpr int most_rounds = 60;
constexpr double tolerance = 1e-12;

/// At maximum: the plant is sized anew in each round, since losses are heat.
void settle_max(FixedPoint& f, const power::Spec& spec, const cooling::PlantSpec& plant,
                const cooling::UsualYear& weather, const catalog::Catalog& catalog) {
  for (f.rounds = 1; f.rounds <= most_rounds; ++f.rounds) {
    pass_losses(f, spec, catalog);
    const auto design = cooling::resolve(plant, f.cooling, catalog);
    const auto heat = cooling::heat_max(f.cooling);
    const Power now =
        cooling::PlantModel(design, heat, weather, plant.reuse).at_design(heat).electrical();
    const double change = std::abs(now.si() - f.power.cooling_max.value.si());
    f.power.cooling_max.value = now;
    if (change <= tolerance * now.si()) break;
  }
}

/// In the mean, for that plant. A year costs milliseconds, so the rounds go by secants: the
/// difference between what cooling draws and what the losses were reckoned with goes to zero.
void settle_typical(FixedPoint& f, const power::Spec& spec, const cooling::PlantSpec& plant,
                    const cooling::UsualYear& weather, const catalog::Catalog& catalog) {
  pass_losses(f, spec, catalog);
  const auto design = cooling::resolve(plant, f.cooling, catalog);
  cooling::PlantModel model(design, cooling::heat_max(f.cooling), weather, plant.reuse);
  const auto draws = [&](double assumed) {
    f.power.cooling_typical.value = Power::from_si(assumed);
    pass_losses(f, spec, catalog);
    return model.year(cooling::heat_typical(f.cooling)).mean.electrical().si();
  };
  double last = 0, at = draws(0), last_error = at;
  for (int round = 1; round <= most_rounds; ++round) {
    const double error = draws(at) - at;
    if (std::abs(error) <= tolerance * at) break;
    const double slope = (error - last_error) / (at - last);
    last = std::exchange(at, slope < -0.1 ? at - error / slope : at + error);
    last_error = error;
  }
  f.power.cooling_typical.value = Power::from_si(at);
}

/// Limits of halls whose cooling nobody asked about, and of a plant nobody gave.
void drop_unasked(Context& c, Findings& findings) {
  auto unasked = [&](const Margin& m) {
    if (m.layer != "cooling") return false;
    for (const auto& hall : c.halls) {
      if (!hall.spec->cooling && m.id.starts_with("cooling." + hall.scope + ".")) return true;
    }
    const bool of_plant = std::count(m.id.begin(), m.id.end(), '.') == 1;
    return of_plant && !c.scenario.cooling;
  };
  std::erase_if(findings.margins, unasked);
}

void solve_facility(Context& c) {
  FixedPoint f;
  for (const auto& hall : c.halls) {
    f.power.halls.push_back(power_demand(hall));
    f.cooling.halls.push_back(cooling_demand(hall, c.catalog));
  }
  f.cooling.climate = climate_of_region(c);
  const power::Spec spec = c.scenario.power.value_or(power::Spec{});
  const cooling::PlantSpec plant = c.scenario.cooling.value_or(cooling::PlantSpec{});
  const auto weather = cooling::usual_year(cooling::climate_of(plant, f.cooling, c.catalog));
  f.power.air.altitude_m = weather->elevation_m, f.power.air.outdoor_c = weather->hottest_c;
  settle_max(f, spec, plant, *weather, c.catalog);
  settle_typical(f, spec, plant, *weather, c.catalog);
  pass_losses(f, spec, c.catalog);

  c.cooling = cooling::assess(plant, f.cooling, c.catalog, c.trace);
  f.power.cooling_max = c.cooling.electrical_max;
  f.power.cooling_typical = c.cooling.electrical_typical;
  c.power = power::assess(spec, f.power, c.catalog, c.trace);
  drop_unasked(c, c.cooling.findings);
  c.add(c.power.findings);
  c.add(c.cooling.findings);
  c.has_facility = true;
}

// --- Clusters that stand in no hall ---------------------------------------------

const Value<Scalar>& usual_pue(const Machines& m) {
  static const Value<Scalar> boxes(Scalar(1.0),
                                   assumed("a box in a shop or office needs no plant of its own"));
  static const Value<Scalar> servers(
      Scalar(1.2), Scalar(1.35), Scalar(1.56),
      assumed("colocation between 1.2 (new) and 1.56 (Uptime Institute survey "
              "2024, mean of all sites)"));
  using catalog::SystemForm;
  const auto form = m.system->form;
  return form == SystemForm::server || form == SystemForm::rack ? servers : boxes;
}

struct Outside {
  Power max{}, typical{};
  std::vector<NodeId> nodes;
};

Outside outside_halls(Context& c) {
  Outside out;
  for (const auto& m : c.machines) {
    if (!m.spec->hall.empty()) continue;
    const auto pue =
        c.trace.input_or("clusters." + m.scope + ".pue", m.spec->pue, usual_pue(m), "");
    out.max += m.it_max.value * double(pue.value);
    out.typical += m.it_typical.value * double(pue.value);
    out.nodes.insert(out.nodes.end(), {m.it_max.node, m.it_typical.node, pue.node});
  }
  // Without a hall, storage stands with the clusters.
  if (c.halls.empty() && c.storage.power.node != no_node) {
    out.max += c.storage.power.value;
    out.typical += c.storage.power.value;
    out.nodes.push_back(c.storage.power.node);
  }
  return out;
}

/// Energy in at the meter against energy out: heat to the sky, losses outdoors,
/// other loads, and what stands outside the halls.
double imbalance(const Context& c, const Outside& outside) {
  const double in = c.meter_typical.value.si();
  if (in <= 0) return 0;
  double out = outside.typical.si();
  if (c.has_facility) {
    const auto& flow = c.power.typical;
    out += c.cooling.year.mean.rejected.si() + flow.transformer_loss.si() + flow.other.si();
  }
  return std::abs(in - out) / in;
}

}  // namespace

power::Demand power_demand(const Context& c) {
  power::Demand d;
  for (const auto& hall : c.halls) d.halls.push_back(power_demand(hall));
  d.cooling_max = c.cooling.electrical_max;
  d.cooling_typical = c.cooling.electrical_typical;
  return d;
}

void assess_facility(Context& c) {
  if (!c.halls.empty()) solve_facility(c);
  const Outside outside = outside_halls(c);
  auto inputs = outside.nodes;
  inputs.push_back(c.power.meter_max.node);
  inputs.push_back(c.power.meter_typical.node);
  const Power max = c.power.meter_max.value + outside.max;
  const Power typical = c.power.meter_typical.value + outside.typical;
  c.meter_max =
      c.trace.derive("study.meter_max", max, "MW",
                     "meter of the halls + clusters outside them x their PUE, at maximum", inputs);
  c.meter_typical =
      c.trace.derive("study.meter_typical", typical, "MW",
                     "meter of the halls + clusters outside them x their PUE, yearly mean", inputs);
  const double it = c.it_typical.value.si();
  c.pue = c.trace.derive("study.pue", Scalar(it > 0 ? typical.si() / it : 1.0), "",
                         "yearly energy at the meter / yearly energy of IT",
                         {c.meter_typical, c.it_typical});
  c.verdict.energy_imbalance = imbalance(c, outside);
}

}  // namespace headroom::study
