#include "power/limits.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::power {
namespace {

using catalog::PowerGear;

// NFPA 110 cranks three times 15 s with 15 s of rest between: 75 s before a set
// counts as failed to start (recalled).
constexpr Time crank_cycle = 75 * second;
constexpr double near_shortfall = 0.10;

bool wants_remedy(const Margin& m) { return m.headroom() < near_shortfall; }

const PowerGear* gear_of(const catalog::Catalog& catalog, const std::string& id,
                         std::string_view fallback) {
  return catalog.find<PowerGear>(id.empty() ? fallback : std::string_view(id));
}

Figure<Power> bank_figure(const std::string& id, const spec::Bank<Power>& bank, Redundancy r,
                          Scalar factor, const char* factor_name, Trace& trace) {
  const auto each = trace.input(id + ".unit", bank.each, "kW");
  const int usable = catalog::usable_units(bank.count, r);
  return trace.derive(
      id + ".usable", each.value * usable * factor, "kW",
      fmt::format("{} of {} units ({}){}", usable, bank.count,
                  catalog::redundancy_name(r == Redundancy::by_count ? Redundancy::n : r),
                  factor_name),
      {each.node});
}

std::string loss_words(const spec::Bank<Power>& bank, Redundancy r) {
  const int usable = catalog::usable_units(bank.count, r);
  const std::string each = format_scaled(bank.each.get().si(), "W");
  if (usable == bank.count) return fmt::format("{} x {}, all of them needed", bank.count, each);
  return fmt::format("{} of {} x {} after the loss that {} survives", usable, bank.count, each,
                     catalog::redundancy_name(r));
}

void grid_limits(const Spec& spec, Result& r, Trace& trace) {
  const std::string load = format_scaled(r.meter_max.value.si(), "W");
  if (spec.grid.capacity) {
    const auto have = trace.input("power.grid.capacity", spec.grid.capacity, "MW");
    auto m = make_margin("power.grid", "grid connection", r.meter_max, have, "kW")
                 .because(fmt::format("The site draws {} at its maximum, {} of it IT (PUE {:.2f}); "
                                      "the agreed import is {}.",
                                      load, format_scaled(r.it_max.value.si(), "W"),
                                      r.pue_max.value.si(), format_scaled(have.value.si(), "W")));
    if (wants_remedy(m)) {
      const Power it_fits =
          r.it_max.value * std::max(0.0, static_cast<double>(have.value / r.meter_max.value));
      // Sized to leave the reserve below which a limit counts as near.
      m.remedies.push_back(
          {fmt::format("ask the utility for {} more (a reserve of {:.0f} % in it); "
                       "the region's queue says when",
                       format_scaled(m.need * (1 + near_shortfall) - m.have, "W"),
                       100 * near_shortfall),
           {},
           {},
           "site layer"});
      if (!m.holds()) {
        m.remedies.push_back({fmt::format("cap the IT load at {} (power capping or fewer systems)",
                                          format_scaled(it_fits.si(), "W")),
                              {},
                              {},
                              "this layer's losses"});
      }
    }
    r.findings.margins.push_back(std::move(m));
  }
  if (!spec.grid.feeds) return;
  const auto have =
      bank_figure("power.grid-feeds", spec.grid.feeds, spec.grid.redundancy, 1.0, "", trace);
  auto m = make_margin("power.grid-feeds", "grid feeds", r.meter_max, have, "kW")
               .because(fmt::format("The site draws {}; the feeds carry {}.", load,
                                    loss_words(spec.grid.feeds, spec.grid.redundancy)));
  if (wants_remedy(m)) {
    m.remedies.push_back(
        more_units("feed", spec.grid.feeds, spec.grid.redundancy, r.meter_max.value, 1.0, nullptr));
    const int usable = catalog::usable_units(spec.grid.feeds.count, spec.grid.redundancy);
    if (usable > 0) {
      m.remedies.push_back({fmt::format("or raise each feed to {}",
                                        format_scaled(m.need * (1 + near_shortfall) / usable, "W")),
                            {},
                            {},
                            "site layer"});
    }
  }
  r.findings.margins.push_back(std::move(m));
}

void transformer_limit(const Spec& spec, Result& r, const catalog::Catalog& catalog, Trace& trace) {
  const auto& bank = spec.transformer;
  if (!bank.units) return;
  const double pf = spec.power_factor.or_else(1.0);
  const auto need = trace.derive("power.transformer.output", r.max.transformer_output, "kW",
                                 "meter less the transformers' own loss", {r.meter_max.node});
  const auto have =
      bank_figure("power.transformer", bank.units, bank.redundancy, pf, " x power factor", trace);
  auto m = make_margin("power.transformer", "transformers", need, have, "kW")
               .because(fmt::format("{} flows through the transformers at maximum; they carry {}"
                                    " at power factor {:.2f}.",
                                    format_scaled(need.value.si(), "W"),
                                    loss_words(bank.units, bank.redundancy), pf));
  if (wants_remedy(m)) {
    m.remedies.push_back(more_units("transformer", bank.units, bank.redundancy, need.value, pf,
                                    gear_of(catalog, bank.gear, gear_transformer)));
  }
  r.findings.margins.push_back(std::move(m));
}

void fuel_limit(const Spec& spec, Result& r, const PowerGear* gear, Figure<Power> load,
                Trace& trace) {
  const auto& g = spec.generator;
  if (!g.tank || gear == nullptr || !gear->fuel || load.value.si() <= 0) return;
  const auto tank = trace.input("power.generator.tank", g.tank, "m3");
  const auto efficiency = trace.input("power.generator.efficiency", gear->fuel, "%");
  const Time lasts = tank.value * diesel_heat * efficiency.value / load.value;
  const auto have =
      trace.derive("power.generator.fuel-lasts", lasts, "h", "tank x 35.8 MJ/L x efficiency / load",
                   {tank.node, efficiency.node, load.node});
  const auto need =
      trace.input_or("power.generator.runtime", g.runtime,
                     {24 * hour, assumed("24 h of fuel, as NFPA 110 sites hold")}, "h");
  auto m = make_margin("power.generator-fuel", "generator fuel", need, have, "h")
               .because(fmt::format("{} of diesel carry {} for {:.1f} h.", format(tank.value, "m3"),
                                    format_scaled(load.value.si(), "W"), lasts.in(hour)));
  if (wants_remedy(m)) {
    const Volume wanted = load.value * need.value / (diesel_heat * efficiency.value);
    m.remedies.push_back({fmt::format("hold {} of fuel", format(wanted, "m3")), {}, {}, ""});
  }
  r.findings.margins.push_back(std::move(m));
}

void generator_limit(const Spec& spec, Result& r, const catalog::Catalog& catalog, Trace& trace) {
  const auto& bank = spec.generator;
  if (!bank.units) {
    r.findings.remarks.push_back(
        "power: no generators given, so none are checked; a grid failure "
        "longer than the battery stops the load");
    return;
  }
  const PowerGear* gear = gear_of(catalog, bank.gear, gear_generator);
  const double share = bank.derating.or_else(1.0) * spec.power_factor.or_else(1.0);
  const auto need = trace.derive("power.generator.load", r.max.switchgear_output, "kW",
                                 "UPS input + cooling + other loads", {r.meter_max.node});
  const auto have = bank_figure("power.generator", bank.units, bank.redundancy, share,
                                " x derating x power factor", trace);
  auto m = make_margin("power.generator", "generators", need, have, "kW")
               .because(fmt::format("On generators the site needs {} (UPS input, cooling, other); "
                                    "the sets give {}.",
                                    format_scaled(need.value.si(), "W"),
                                    loss_words(bank.units, bank.redundancy)));
  if (wants_remedy(m)) {
    m.remedies.push_back(
        more_units("generator", bank.units, bank.redundancy, need.value, share, gear));
    if (!m.holds()) {
      m.remedies.push_back(
          {"if the hall only trains: leave it without standby and let it restart from its "
           "last checkpoint",
           {},
           {},
           ""});
    }
  }
  r.findings.margins.push_back(std::move(m));
  fuel_limit(spec, r, gear, need, trace);
}

void autonomy_limit(const Spec& spec, Result& r, Figure<Power> load,
                    const catalog::Catalog& catalog, Trace& trace) {
  const auto& ups = spec.ups;
  if (!ups.autonomy || !spec.generator.units || load.value.si() <= 0) return;
  const PowerGear* gear = gear_of(catalog, spec.generator.gear, gear_generator);
  const auto rated = trace.input("power.ups.autonomy-rated", ups.autonomy, "min");
  // Energy of the whole bank over the load: longer below the rating, and no
  // longer than in proportion, which Peukert's law would allow.
  const Time lasts = rated.value * (ups.modules.each.get() * ups.modules.count / load.value);
  const auto have = trace.derive("power.ups.autonomy-have", lasts, "s",
                                 "rated autonomy x bank rating / load", {rated.node, load.node});
  const Time start = gear != nullptr ? gear->start.or_else(Time{}) : Time{};
  const auto cranks = trace.constant("power.generator.crank-cycle", crank_cycle, "s",
                                     recalled("NFPA 110: three cranks of 15 s, 15 s apart"));
  const auto need = trace.derive("power.ups.autonomy-needed", start + cranks.value, "s",
                                 "crank cycle + start and load acceptance", {cranks.node});
  auto m = make_margin("power.ups-autonomy", "battery ride-through", need, have, "s")
               .because(fmt::format("The battery carries {} for {:.1f} min; generators may need "
                                    "{:.0f} s to take over.",
                                    format_scaled(load.value.si(), "W"), lasts.in(minute),
                                    need.value.in(second)));
  if (wants_remedy(m)) {
    m.remedies.push_back({fmt::format("fit batteries for {:.1f} min at full rating",
                                      ups.autonomy.get().in(minute) * (need.value / lasts)),
                          {},
                          {},
                          ""});
  }
  r.findings.margins.push_back(std::move(m));
}

void ups_limit(const Spec& spec, Result& r, const catalog::Catalog& catalog, Trace& trace) {
  const auto& ups = spec.ups;
  if (ups.redundancy == Redundancy::none) {
    r.findings.remarks.push_back("power: no UPS, so every grid disturbance reaches the racks");
    return;
  }
  if (!ups.modules) return;
  const auto need = trace.derive("power.ups.output", r.max.ups_output, "kW",
                                 "IT + distribution loss + mechanical share", {r.it_max.node});
  const auto have = bank_figure("power.ups", ups.modules, ups.redundancy, 1.0, "", trace);
  auto m =
      make_margin("power.ups", "UPS", need, have, "kW")
          .because(fmt::format("The UPS feeds {}; it has {}.", format_scaled(need.value.si(), "W"),
                               loss_words(ups.modules, ups.redundancy)));
  if (wants_remedy(m)) {
    m.remedies.push_back(more_units("UPS module", ups.modules, ups.redundancy, need.value, 1.0,
                                    gear_of(catalog, ups.gear, gear_ups)));
  }
  if (!m.holds() && have.value < need.value &&
      need.value <= ups.modules.each.get() * ups.modules.count) {
    m.remedies.push_back({"run at N: the load fits when every module lives", {}, {}, ""});
  }
  r.findings.margins.push_back(std::move(m));
  autonomy_limit(spec, r, need, catalog, trace);
}

}  // namespace

void site_limits(const Spec& spec, Result& r, const catalog::Catalog& catalog, Trace& trace) {
  grid_limits(spec, r, trace);
  transformer_limit(spec, r, catalog, trace);
  generator_limit(spec, r, catalog, trace);
  ups_limit(spec, r, catalog, trace);
}

BillLine bill_line(const std::string& id, const PowerGear& gear, int count, Power each,
                   Trace& trace) {
  BillLine line;
  line.id = id;
  line.category = "power";
  line.item = fmt::format("{}, {}", gear.name, format_scaled(each.si(), "W"));
  line.count = count;
  if (gear.price) {
    const auto price = trace.input(id + ".price", gear.price, "USD/kW");
    const auto unit = trace.derive(id + ".unit-price", price.value * each, "USD",
                                   "price a kW x rating", {price.node});
    line.unit_price = unit.value;
    line.price_low = (PowerPrice::from_si(gear.price.low) * each).in(dollar);
    line.price_high = (PowerPrice::from_si(gear.price.high) * each).in(dollar);
    line.price_node = unit.node;
  }
  if (gear.lead_time) line.lead_time = gear.lead_time.get();
  if (gear.life) line.life = gear.life.get();
  return line;
}

Remedy more_units(std::string_view what, const spec::Bank<Power>& bank, Redundancy redundancy,
                  Power need, double usable_share, const PowerGear* gear) {
  const Power each = bank.each.get() * usable_share;
  Remedy remedy;
  if (each.si() <= 0) {
    remedy.action = fmt::format("give the {}s a rating", what);
    return remedy;
  }
  const int needed = to_count(std::ceil(need / each - 1e-9));
  const int more = std::max(1, catalog::units_for(needed, redundancy) - bank.count);
  remedy.action = fmt::format("add {} {}{} of {} (to {})", more, what, more == 1 ? "" : "s",
                              format_scaled(bank.each.get().si(), "W"), bank.count + more);
  if (gear == nullptr) return remedy;
  if (gear->price) remedy.cost = gear->price.get() * (bank.each.get() * more);
  if (gear->lead_time) remedy.lead_time = gear->lead_time.get();
  if (gear->price.origin.source) remedy.source = describe(*gear->price.origin.source);
  return remedy;
}

}  // namespace headroom::power
