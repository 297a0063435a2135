#include <fmt/core.h>

#include <algorithm>
#include <cmath>

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
  bool any = false;
};

void colder(Load& coldest, Temperature water, Power heat) {
  if (heat.si() <= 0) return;
  if (!coldest.any || water < coldest.water) coldest = {water, heat, true};
}

// The coldest facility water that a main load wants, and the heat of that load:
// air of air-cooled halls, liquid of the others. Remainders have trim chillers.
Load coldest_load(const Design& design) {
  Load coldest;
  for (std::size_t i = 0; i + 1 < design.halls.size(); ++i) {
    const auto& hall = design.halls[i];
    const bool air = hall.technology->family == catalog::CoolingFamily::room_air;
    if (air && !hall.room->direct_expansion)
      colder(coldest, air_water(design, hall), hall.design_air);
    if (!air) colder(coldest, liquid_water(design, hall), hall.design_liquid);
  }
  return coldest;
}

void supply_limit(const PlantState& s, Result& r, Trace& trace) {
  const auto& plant = r.design.plant;
  const Load load = coldest_load(r.design);
  if (plant.has_chiller() || !load.any) return;
  const Weather day = design_weather(plant, s.climate);
  const bool wet = plant.on_tower();
  const Temperature air = wet ? day.wet_bulb : day.dry_bulb;
  const Temperature free = free_water(plant, day);
  const auto& climate_value = wet ? s.climate.wet_bulb.design : s.climate.dry_bulb.design;
  const auto bulb = trace.input("cooling.supply.air", climate_value, "degC");
  const auto zero = TemperatureDifference{};
  const auto need =
      trace.derive("cooling.supply.need", std::max(free - air, zero), "K",
                   "approach of the plant (York curve or cooler) and exchanger", {bulb.node});
  const auto have = trace.derive("cooling.supply.have", std::max(load.water - air, zero), "K",
                                 "coldest facility water wanted less design air", {bulb.node});
  auto m = make_margin("cooling.supply", "supply temperature on the design day", need, have, "K")
               .because(fmt::format("At a design {} bulb of {} the plant makes {} without a "
                                    "compressor; {} is wanted, {:.0f} h a year miss it.",
                                    wet ? "wet" : "dry", celsius(air), celsius(free),
                                    celsius(load.water), r.year.short_of.in(hour)));
  if (m.headroom() < near_shortfall) {
    m.remedies.push_back({fmt::format("raise supply temperatures by {:.1f} K",
                                      std::max(0.1, (free - load.water).in(kelvin))),
                          {},
                          {},
                          "this layer"});
    m.remedies.push_back({fmt::format("add trim chillers for {} (plant kind chiller-water or "
                                      "chiller-air)",
                                      format_scaled(load.heat.si(), "W")),
                          {},
                          {},
                          "this layer"});
  }
  r.findings.margins.push_back(std::move(m));
}

void water_remedies(const PlantState& s, double ratio, Margin& m) {
  const double cycles = s.spec.cycles.get();
  const double drift = s.spec.drift.get();
  // Make-up per evaporation that the permit would allow, and the cycles for it.
  const double allowed = ratio * (cycles / (cycles - 1) + drift) - drift;
  if (allowed > 1.0 && allowed / (allowed - 1) <= 15) {
    m.remedies.push_back(
        {fmt::format("treat the water for {:.1f} cycles of concentration", allowed / (allowed - 1)),
         {},
         {},
         "this layer"});
  }
  m.remedies.push_back(
      {"reject heat dry (plant kind dry-cooler or chiller-air): no water, more "
       "electricity on hot days",
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
  if (m.headroom() < near_shortfall) water_remedies(s, have.value / need.value, m);
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

void plant_limits(const PlantState& state, Result& r, const catalog::Catalog&, Trace& trace) {
  capacity_limit(state, r, trace);
  supply_limit(state, r, trace);
  water_limits(state, r, trace);
}

}  // namespace headroom::cooling
