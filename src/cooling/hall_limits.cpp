#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "cooling/limits.hpp"
#include "cooling/rack.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;
using catalog::CoolingTechnology;

std::string kw(Power p) { return format(p, "kW"); }
std::string celsius(Temperature t) { return fmt::format("{:.1f} degC", t.in_celsius()); }

// Everything a limit of one hall needs.
struct Hall {
  const HallDemand& demand;
  const Design& design;
  const HallDesign& at;
  HallValues values;
  const catalog::Catalog& catalog;
  Trace& trace;
  Findings& findings;

  std::string id(const char* name) const { return "cooling." + demand.scope + "." + name; }
  Temperature water() const { return liquid_water(design, at); }
};

Figure<Power> air_have(Hall& h, const std::string& id) {
  const auto flow = h.trace.input(id + ".air", h.values.rack_air, "m3/s");
  const auto rise = h.trace.input(id + ".rise", h.values.air_rise, "K");
  return h.trace.derive(id + ".have", rack_air_capacity(h.at), "kW",
                        "air flow x 1.2 kg/m3 x 1,005 J/(kg K) x rise", {flow.node, rise.node});
}

Figure<Power> liquid_have(Hall& h, const std::string& id) {
  const auto flow = h.trace.input(id + ".liquid", h.values.rack_liquid, "L/min");
  const auto rise = h.trace.input(id + ".rise", h.values.liquid_rise, "K");
  std::vector<NodeId> inputs{flow.node, rise.node};
  std::string formula = "flow x density x specific heat x rise";
  if (h.at.technology->family == CoolingFamily::rear_door) {
    inputs.push_back(h.trace.input(id + ".air", h.values.rack_air, "m3/s").node);
    inputs.push_back(h.trace.input(id + ".air-rise", h.values.air_rise, "K").node);
    formula = "lesser of air flow x (exhaust - water - approach) and water flow x rise";
  }
  return h.trace.derive(id + ".have", rack_liquid_capacity(h.at, h.water()), "kW", formula,
                        std::move(inputs));
}

std::string why_air(const Hall& h, Figure<Power> need, Figure<Power> have) {
  return fmt::format(
      "The fullest rack gives {} to the air; {:.2f} m3/s warmed by {:.0f} K carry "
      "{} ({}).",
      kw(need.value), h.at.rack_air.si(), h.at.air_rise.in(kelvin), kw(have.value),
      h.at.technology->name);
}

std::string why_liquid(const Hall& h, Figure<Power> need, Figure<Power> have) {
  const double litres = h.at.rack_liquid.si() * 60e3;
  return fmt::format(
      "{} of the fullest rack's {} go into liquid; {:.0f} L/min warmed by {:.0f} K "
      "carry {} ({}, facility water {}).",
      kw(need.value), kw(h.demand.rack_max.value), litres, h.at.liquid_rise.in(kelvin),
      kw(have.value), h.at.technology->name, celsius(h.water()));
}

Figure<Power> rack_need(Hall& h, const std::string& id, double share, const char* formula) {
  const auto fraction = h.trace.input(id + ".liquid-share", h.values.liquid_share, "%");
  return h.trace.derive(id + ".need", h.demand.rack_max.value * share, "kW", formula,
                        {h.demand.rack_max.node, fraction.node});
}

void air_rack_limit(Hall& h, const char* name, const char* what) {
  const std::string id = h.id(name);
  if (!h.values.rack_air || !h.values.air_rise) return;
  const auto need = rack_need(h, id, 1 - h.at.liquid_share, "rack x (1 - liquid share)");
  const auto have = air_have(h, id);
  auto m = make_margin(id, fmt::format("{}, {}", what, h.demand.title), need, have, "kW")
               .because(why_air(h, need, have));
  if (m.headroom() < near_shortfall) {
    m.remedies = rack_remedies({h.demand, h.at, h.water(), need, have, true, h.catalog});
  }
  h.findings.margins.push_back(std::move(m));
}

void liquid_rack_limit(Hall& h) {
  const std::string id = h.id("rack");
  if (!h.values.rack_liquid || !h.values.liquid_rise) return;
  const auto need = rack_need(h, id, h.at.liquid_share, "rack x liquid share");
  const auto have = liquid_have(h, id);
  auto m = make_margin(id, "heat per rack, " + h.demand.title, need, have, "kW")
               .because(why_liquid(h, need, have));
  if (m.headroom() < near_shortfall) {
    m.remedies = rack_remedies({h.demand, h.at, h.water(), need, have, false, h.catalog});
  }
  h.findings.margins.push_back(std::move(m));
}

void boiling_limit_of(Hall& h) {
  const auto& t = *h.at.technology;
  if (t.family != CoolingFamily::two_phase || !h.demand.chip_flux) return;
  const std::string id = h.id("boiling");
  const auto need = h.trace.input(id + ".chip", h.demand.chip_flux, "W/cm2");
  const auto area = h.trace.input(id + ".area", t.boiling_area, "x");
  const auto have =
      h.trace.derive(id + ".have", boiling_limit(t), "W/cm2",
                     "Zuber's critical heat flux x surface ratio x derating", {area.node});
  auto m = make_margin(id, "boiling at the chip, " + h.demand.title, need, have, "W/cm2")
               .because(fmt::format("The hottest chip gives off {}; boiling dries out at {} over "
                                    "the chip's area ({} on a plain surface).",
                                    format(need.value, "W/cm2"), format(have.value, "W/cm2"),
                                    format(critical_heat_flux(t.coolant), "W/cm2")));
  if (m.headroom() < near_shortfall) {
    m.remedies.push_back({fmt::format("fit boiler plates of {:.1f} times the present surface",
                                      need.value.si() / std::max(1e-9, have.value.si())),
                          {},
                          {},
                          "this layer"});
  }
  h.findings.margins.push_back(std::move(m));
}

void rack_limits(Hall& h) {
  switch (h.at.technology->family) {
    case CoolingFamily::room_air:
      air_rack_limit(h, "rack", "heat per rack");
      return;
    case CoolingFamily::cold_plate:
      liquid_rack_limit(h);
      air_rack_limit(h, "rack-air", "air remainder per rack");
      return;
    case CoolingFamily::rear_door:
    case CoolingFamily::immersion:
    case CoolingFamily::two_phase:
      break;
  }
  liquid_rack_limit(h);
  boiling_limit_of(h);
}

void bank_limit(Hall& h, const char* name, const char* what, const char* unit_word,
                const spec::Bank<Power>& bank, Redundancy r, const Figure<Power>& need,
                const CoolingTechnology* technology) {
  const std::string id = h.id(name);
  const int usable = catalog::usable_units(bank.count, r);
  const auto each = h.trace.input(id + ".unit", bank.each, "kW");
  const auto have = h.trace.derive(id + ".usable", each.value * usable, "kW",
                                   fmt::format("{} of {} units", usable, bank.count), {each.node});
  auto m = make_margin(id, fmt::format("{}, {}", what, h.demand.title), need, have, "kW")
               .because(fmt::format("{} must be carried; {} of {} units of {} do it{}.",
                                    kw(need.value), usable, bank.count, kw(bank.each.get()),
                                    usable < bank.count ? " after the loss the design survives"
                                                        : ", all of them needed"));
  if (m.headroom() < near_shortfall) {
    m.remedies.push_back(more_units(unit_word, bank, r, need.value, technology));
  }
  h.findings.margins.push_back(std::move(m));
}

void unit_limits(Hall& h) {
  const auto& spec = h.demand.cooling;
  const Power liquid = h.at.design_liquid, air = h.at.design_air;
  const auto share = h.trace.input(h.id("liquid-share"), h.values.liquid_share, "%");
  if (spec.units) {
    const auto need = h.trace.derive(h.id("units.need"), air + room_fans(h.at, air), "kW",
                                     "IT heat in air + distribution losses + the units' fans",
                                     {h.demand.it_max.node, share.node});
    bank_limit(h, "units", "room units", "room unit", spec.units, spec.redundancy, need, h.at.room);
  }
  if (spec.cdus && liquid.si() > 0) {
    const auto need =
        h.trace.derive(h.id("cdus.need"), liquid + secondary_pumps(h.at, liquid), "kW",
                       "IT heat in liquid + the units' pumps", {h.demand.it_max.node, share.node});
    bank_limit(h, "cdus", "coolant distribution units", "CDU", spec.cdus, spec.cdu_redundancy, need,
               h.at.technology);
  }
}

// A supply temperature, the warmest allowed, and what both are counted from: a ratio of
// absolute temperatures says nothing, so the window above a floor is compared.
struct Window {
  const char* name;
  const char* what;
  Temperature supply;
  const Value<TemperatureDifference>& chosen;
  const Value<TemperatureDifference>& allowed;
  Temperature floor;
  const char* floor_words;
};

void temperature_limit(Hall& h, const Window& w) {
  if (!w.allowed) return;
  const std::string id = h.id(w.name);
  const Temperature most = catalog::absolute(w.allowed);
  const auto set = h.trace.input(id + ".supply", w.chosen, "degC");
  const auto limit = h.trace.input(id + ".allowed", w.allowed, "degC");
  const Temperature floor = std::min(w.floor, most);
  const auto above = [&](Temperature t) { return std::max(t - floor, TemperatureDifference{}); };
  const auto need = h.trace.derive(id + ".need", above(w.supply), "K",
                                   fmt::format("supply above {}", w.floor_words), {set.node});
  const auto have =
      h.trace.derive(id + ".have", above(most), "K",
                     fmt::format("warmest allowed above {}", w.floor_words), {limit.node});
  auto m = make_margin(id,
                       fmt::format("{} ({:.0f} of {:.0f} degC), {}", w.what, w.supply.in_celsius(),
                                   most.in_celsius(), h.demand.title),
                       need, have, "K")
               .because(fmt::format("The hall supplies {}; the systems take up to {}. Both are "
                                    "counted above {}.",
                                    celsius(w.supply), celsius(most), w.floor_words));
  if (!m.holds()) {
    m.remedies.push_back({fmt::format("supply {} or colder", celsius(most)), {}, {}, "this layer"});
  }
  h.findings.margins.push_back(std::move(m));
}

}  // namespace

Remedy more_units(std::string_view what, const spec::Bank<Power>& bank, Redundancy redundancy,
                  Power need, const CoolingTechnology* technology) {
  const Power each = bank.each.get();
  Remedy remedy;
  if (each.si() <= 0) {
    remedy.action = fmt::format("give the {}s a capacity", what);
    return remedy;
  }
  const int needed = to_count(std::ceil(need / each - 1e-9));
  const int more = std::max(1, catalog::units_for(needed, redundancy) - bank.count);
  remedy.action = fmt::format("add {} {}{} of {} (to {})", more, what, more == 1 ? "" : "s",
                              format_scaled(each.si(), "W"), bank.count + more);
  if (technology == nullptr || !technology->price) return remedy;
  remedy.cost = technology->price.get() * (each * more);
  if (technology->lead_time) remedy.lead_time = technology->lead_time.get();
  remedy.source = describe(*technology->price.origin.source);
  return remedy;
}

void hall_limits(const HallDemand& demand, const Design& design, const HallDesign& at,
                 const catalog::Catalog& catalog, Trace& trace, Findings& findings) {
  Hall h{demand, design, at, choose(demand, catalog), catalog, trace, findings};
  trace.choice("cooling." + demand.scope + ".technology", at.technology->name,
               at.technology->origin);
  if (demand.racks > 0) rack_limits(h);
  unit_limits(h);
  const bool liquid = at.technology->family == CoolingFamily::cold_plate;
  const bool tank = at.technology->family == CoolingFamily::immersion ||
                    at.technology->family == CoolingFamily::two_phase;
  // ASHRAE TC 9.9 recommends inlets of 18 to 27 degC.
  if (!tank) {
    temperature_limit(h,
                      {"inlet", "inlet air", at.air_supply, h.values.air_supply, demand.max_inlet,
                       Temperature::celsius(18), "18 degC, the coldest that ASHRAE recommends"});
  }
  if (liquid) {
    temperature_limit(h,
                      {"coolant", "coolant supply", at.liquid_supply, h.values.liquid_supply,
                       demand.max_coolant, coldest_coolant(), "17 degC, below which pipes sweat"});
  }
  if (tank && demand.liquid_fraction && demand.liquid_fraction.get().si() <= 0) {
    findings.remarks.push_back(fmt::format(
        "cooling: {} is built for air (fans, heat sinks, warranty) and stands in {} by {}; a tank "
        "takes only systems made for it",
        demand.box.empty() ? "the system" : demand.box, demand.title, at.technology->name));
  }
}

}  // namespace headroom::cooling
