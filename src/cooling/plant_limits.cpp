#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/units.hpp"
#include "cooling/limits.hpp"

namespace headroom::cooling {
namespace {

std::string celsius(Temperature t) { return fmt::format("{:.1f} degC", t.in_celsius()); }

void capacity_limit(const PlantState& s, Result& r, Trace& trace) {
  const auto& bank = s.spec.capacity;
  if (!bank || s.heat.value.si() <= 0) return;
  const int usable = catalog::usable_units(bank.count, s.spec.redundancy);
  const auto each = trace.input("cooling.plant.unit", bank.each, "kW");
  const auto have = trace.derive("cooling.plant.usable", each.value * usable, "kW",
                                 fmt::format("{} of {} units", usable, bank.count), {each.node});
  auto m = make_margin("cooling.plant", "cooling plant", s.heat, have, "kW")
               .because(fmt::format("Facility water brings {} on the design day; {} of {} units of "
                                    "{} carry it.",
                                    format_scaled(s.heat.value.si(), "W"), usable, bank.count,
                                    format_scaled(bank.each.get().si(), "W")));
  if (m.headroom() < near_shortfall) {
    m.remedies.push_back(more_units("plant unit", bank, s.spec.redundancy, s.heat.value, nullptr));
  }
  r.findings.margins.push_back(std::move(m));
}

struct Load {
  Temperature water;
  Power heat;
  std::size_t hall = 0;
  bool air = false;
  bool any = false;
};

void colder(Load& coldest, const Load& other) {
  if (other.heat.si() <= 0) return;
  if (!coldest.any || other.water < coldest.water) coldest = other;
}

// The coldest facility water that a main load wants, and the heat of that load:
// air of air-cooled halls, liquid of the others. Remainders have trim chillers.
Load coldest_load(const Design& design) {
  Load coldest;
  for (std::size_t i = 0; i + 1 < design.halls.size(); ++i) {
    const auto& hall = design.halls[i];
    const bool air = hall.technology->family == catalog::CoolingFamily::room_air;
    if (air && !hall.room->direct_expansion)
      colder(coldest, {air_water(design, hall), hall.design_air, i, true, true});
    if (!air) colder(coldest, {liquid_water(design, hall), hall.design_liquid, i, false, true});
  }
  return coldest;
}

/// The supply of this load in its hall, and the warmest that its systems take.
std::optional<std::pair<Temperature, Temperature>> supply_of(const PlantState& s, const Result& r,
                                                             const Load& load) {
  const auto& hall = s.demand.halls[load.hall];
  const auto& at = r.design.halls[load.hall];
  const auto& most = load.air ? hall.max_inlet : hall.max_coolant;
  if (!most || r.design.plant.has_set_point) return std::nullopt;
  return std::pair{load.air ? at.air_supply : at.liquid_supply, catalog::absolute(most)};
}

/// Water that another kind of plant without compressor would make on its design day.
Temperature water_of(const PlantState& s, PlantKind kind) {
  PlantSpec other = s.spec;
  other.kind = kind;
  other.exchanger = {};
  const auto plant = resolve(other, s.demand, s.catalog).plant;
  return free_water(plant, design_weather(plant, s.climate));
}

/// `supply`: as of supply_of; a warmer supply and wet heat rejection together may do it.
void colder_plant(const PlantState& s, const PlantDesign& plant, const Load& load,
                  const std::optional<std::pair<Temperature, Temperature>>& supply, Margin& m) {
  const auto spare = supply ? std::max(supply->second - supply->first, TemperatureDifference{})
                            : TemperatureDifference{};
  constexpr std::pair<PlantKind, const char*> kinds[] = {
      {PlantKind::adiabatic, "wet the dry coolers in hot hours (plant kind adiabatic)"},
      {PlantKind::tower, "reject heat by cooling towers (plant kind tower)"}};
  for (const auto& [kind, words] : kinds) {
    if (kind == plant.kind || plant.kind == PlantKind::tower) continue;
    const Temperature water = water_of(s, kind);
    if (water > load.water + spare) continue;
    const auto lift = std::max(water - load.water, TemperatureDifference{});
    m.remedies.push_back(
        {fmt::format(
             "{}: {} on the design day, for water{}", words, celsius(water),
             lift.si() > 0 ? ", and supply " + celsius(supply->first + lift) : std::string()),
         {},
         {},
         "this layer"});
    return;
  }
}

void supply_remedies(const PlantState& s, const Result& r, const Load& load, Temperature free,
                     Margin& m) {
  const auto& plant = r.design.plant;
  // Sized to leave the reserve below which a limit counts as near.
  const auto lift = std::max(0.1, m.need * (1 + near_shortfall) - m.have) * kelvin;
  const auto supply = supply_of(s, r, load);
  if (supply && supply->first + lift <= supply->second) {
    m.remedies.push_back({fmt::format("supply {} instead of {} (the systems take up to {})",
                                      celsius(supply->first + lift), celsius(supply->first),
                                      celsius(supply->second)),
                          {},
                          {},
                          "this layer"});
  }
  colder_plant(s, plant, load, supply, m);
  const double lifted =
      std::clamp(static_cast<double>((free - load.water) / plant.range), 0.0, 1.0);
  if (lifted <= 0) return;
  m.remedies.push_back(
      {fmt::format("add chillers for {}{} (plant kind {}); they run {:.0f} h a year",
                   lifted < 1 ? format_scaled(load.heat.si() * lifted, "W") + " of the " : "the ",
                   format_scaled(load.heat.si(), "W"),
                   plant.on_tower() ? "chiller-water" : "chiller-air", r.year.short_of.in(hour)),
       {},
       {},
       "this layer"});
}

void supply_limit(const PlantState& s, Result& r, Trace& trace) {
  const auto& plant = r.design.plant;
  const Load load = coldest_load(r.design);
  if (plant.has_chiller() || !load.any) return;
  const Weather day = design_weather(plant, s.climate);
  // Evaporation cools towards the wet bulb, a dry coil towards the dry bulb.
  const bool wet = plant.on_tower() || plant.kind == PlantKind::adiabatic;
  const char* bulb_name = wet ? "wet bulb" : "dry bulb";
  const Temperature air = wet ? day.wet_bulb : day.dry_bulb;
  const Temperature free = free_water(plant, day);
  const auto& climate_value = wet ? s.climate.wet_bulb.design : s.climate.dry_bulb.design;
  const auto bulb = trace.input("cooling.supply.air", climate_value, "degC");
  const auto need =
      trace.derive("cooling.supply.need", std::max(free - air, TemperatureDifference{}), "K",
                   "approach of the plant (York curve or cooler) and exchanger", {bulb.node});
  const auto have =
      trace.derive("cooling.supply.have", std::max(load.water - air, TemperatureDifference{}), "K",
                   "coldest facility water wanted less design air", {bulb.node});
  auto m = make_margin("cooling.supply", "approach to the design day's air", need, have, "K")
               .because(fmt::format(
                   "At a {} of {} on the design day the plant makes {} without a compressor; {} is "
                   "wanted, {}. {:.0f} h a year miss it.",
                   bulb_name, celsius(air), celsius(free), celsius(load.water),
                   load.water > air ? fmt::format("{:.1f} K above the {}",
                                                  (load.water - air).in(kelvin), bulb_name)
                                    : fmt::format("colder than the {}, so no {} of any size "
                                                  "makes it",
                                                  bulb_name, wet ? "tower" : "dry cooler"),
                   r.year.short_of.in(hour)));
  if (m.headroom() < near_shortfall) supply_remedies(s, r, load, free, m);
  r.findings.margins.push_back(std::move(m));
}

// Cycles that treated make-up reaches in practice; above it scale and silica set in (recalled).
constexpr double most_cycles = 10;

// `ratio`: have over need.
void water_remedies(const PlantState& s, const Result& r, double ratio, Margin& m) {
  const double cycles = s.spec.cycles.get();
  const double drift = s.spec.drift.get();
  // Make-up per evaporation that the permit would allow, and the cycles for it.
  const auto cycles_for = [&](double reached) {
    const double allowed = reached * (cycles / (cycles - 1) + drift) - drift;
    return allowed > 1 ? std::ceil(10 * allowed / (allowed - 1) - 1e-9) / 10 : 1e9;
  };
  double wanted = cycles_for(ratio / (1 + near_shortfall));
  if (wanted > most_cycles) wanted = cycles_for(ratio);
  if (wanted > cycles && wanted <= most_cycles) {
    m.remedies.push_back({fmt::format("treat the water for {:.1f} cycles of concentration instead "
                                      "of {:.1f}",
                                      wanted, cycles),
                          {},
                          {},
                          "this layer"});
  }
  const Load load = coldest_load(r.design);
  const bool dry = load.any && water_of(s, PlantKind::dry_cooler) <= load.water;
  m.remedies.push_back({dry ? "reject heat dry (plant kind dry-cooler): no water, and cold enough "
                              "on the design day"
                            : "reject heat by air-cooled chillers (plant kind chiller-air): no "
                              "water, more electricity on hot days",
                        {},
                        {},
                        "this layer"});
  m.remedies.push_back({fmt::format("ask for a permit {:.0f} % larger, or use reclaimed water",
                                    std::ceil(100 * ((1 + near_shortfall) / ratio - 1))),
                        {},
                        {},
                        "this layer"});
}

template <class Q>
void water_limit(const PlantState& s, Result& r, const std::string& id, const char* label,
                 const Figure<Q>& need, const Figure<Q>& have, const char* unit,
                 const std::string& why) {
  if (need.value.si() <= 0) return;
  auto m = make_margin(id, label, need, have, unit).because(why);
  if (m.headroom() < near_shortfall) water_remedies(s, r, have.value / need.value, m);
  r.findings.margins.push_back(std::move(m));
}

void water_limits(const PlantState& s, Result& r, Trace& trace) {
  if (s.spec.permit) {
    const auto have = trace.input("cooling.permit", s.spec.permit, "m3/d");
    water_limit(s, r, "cooling.water-day", "water on the peak day", r.water_peak_day, have, "m3/d",
                fmt::format("Make-up at maximum heat on the design day is {}; the permit allows "
                            "{}.",
                            format(r.water_peak_day.value, "m3/d"), format(have.value, "m3/d")));
  }
  if (s.spec.permit_year) {
    const auto permit = trace.input("cooling.permit-year", s.spec.permit_year, "m3/yr");
    const auto have = trace.derive("cooling.permit-volume", permit.value * (1 * headroom::year),
                                   "m3", "permit x a year", {permit.node});
    water_limit(s, r, "cooling.water-year", "water a year", r.water_year, have, "m3",
                fmt::format("A typical year takes {}; the permit allows {}.",
                            format(r.water_year.value, "m3"), format(have.value, "m3")));
  }
}

}  // namespace

void plant_limits(const PlantState& state, Result& r, Trace& trace) {
  capacity_limit(state, r, trace);
  supply_limit(state, r, trace);
  water_limits(state, r, trace);
}

}  // namespace headroom::cooling
