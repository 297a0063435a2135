#include "power/assess.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "power/graph_chain.hpp"
#include "power/limits.hpp"

namespace headroom::power {
namespace {

using catalog::PowerGear;

// A stage nobody described is bought for its load with this much of it used:
// the middle of a bank that is neither full nor redundant twice over.
constexpr double usual_load_at_max = 0.75;
// Lights, offices, security: NREL ESIF's non-cooling overhead is of this order.
constexpr double usual_other_share = 0.01;

const PowerGear* usual(const catalog::Catalog& catalog, const std::string& given,
                       std::string_view fallback) {
  return catalog.find<PowerGear>(given.empty() ? fallback : std::string_view(given));
}

Stage stage_for(const spec::Bank<Power>& bank, const PowerGear* gear, Power load_at_max) {
  if (gear == nullptr) return {};
  const Power rating = bank ? bank.each.get() * bank.count : load_at_max / usual_load_at_max;
  return make_stage(rating, gear->loss);
}

Power other_load(const Spec& spec, const Demand& demand) {
  if (spec.other) return spec.other.get();
  Power it{};
  for (const auto& hall : demand.halls) it += hall.it_max.value;
  return it * usual_other_share;
}

Loads loads_of(const Spec& spec, const Demand& demand, bool max) {
  Loads loads;
  for (const auto& hall : demand.halls) {
    loads.halls.push_back(max ? hall.it_max.value : hall.it_typical.value);
  }
  loads.cooling = max ? demand.cooling_max.value : demand.cooling_typical.value;
  loads.other = other_load(spec, demand);
  return loads;
}

Figure<Power> sum_of(Trace& trace, const Demand& demand, bool max) {
  Power sum{};
  std::vector<NodeId> inputs;
  for (const auto& hall : demand.halls) {
    const auto& p = max ? hall.it_max : hall.it_typical;
    sum += p.value;
    inputs.push_back(p.node);
  }
  return trace.derive(max ? "power.it.max" : "power.it.typical", sum, "kW", "sum over halls",
                      std::move(inputs));
}

struct Stages {
  Figure<Power> loss, meter;
};

// One trace node a stage, so that `explain power.meter.max` shows where it went.
Stages record_flow(const Spec& spec, const Chain& chain, const Flow& flow, Figure<Power> it,
                   Figure<Power> cooling, const std::string& at, Trace& trace) {
  Power hall_loss{};
  for (const Power p : flow.distribution_loss) hall_loss += p;
  const auto id = [&](const char* name) { return fmt::format("power.{}.{}", name, at); };
  const auto other = spec.other ? trace.input("power.other", spec.other, "kW")
                                : trace.derive("power.other", flow.other, "kW",
                                               "1 % of the IT maximum (assumed)", {it.node});
  const auto halls = trace.derive(id("loss.distribution"), hall_loss, "kW",
                                  "R (a + b x + c x^2) of each hall's PDUs or busways", {it.node});
  const auto of_stage = [&](const char* losses, const Stage& stage, Power output) {
    if (chain.graph) return std::string("R (a + b x + c x^2), node by node");
    return fmt::format("R ({}), R = {}, x = {:.1f} %", losses, format(stage.rating, "kW"),
                       100 * stage.load(output));
  };
  const auto ups =
      trace.derive(id("loss.ups"), flow.ups_loss, "kW",
                   of_stage("a + b x + c x^2", chain.ups, flow.ups_output), {it.node, halls.node});
  const auto gear = trace.derive(id("loss.switchgear"), flow.switchgear_loss, "kW", "R c x^2",
                                 {it.node, halls.node, ups.node, cooling.node, other.node});
  const auto transformer =
      trace.derive(id("loss.transformer"), flow.transformer_loss, "kW",
                   of_stage("a + c x^2", chain.transformer, flow.transformer_output),
                   {it.node, halls.node, ups.node, cooling.node, other.node, gear.node});
  Stages out;
  out.loss = trace.derive(id("loss"), flow.loss(), "kW", "sum of the stages' losses",
                          {halls.node, ups.node, gear.node, transformer.node});
  out.meter = trace.derive(id("meter"), flow.meter, "kW", "IT + cooling + other + losses",
                           {it.node, cooling.node, other.node, out.loss.node});
  return out;
}

Figure<Scalar> pue(const std::string& at, Figure<Power> meter, Figure<Power> it, Trace& trace) {
  const double value = it.value.si() > 0 ? static_cast<double>(meter.value / it.value) : 0.0;
  return trace.derive("power.pue." + at, Scalar(value), "", "meter over IT (ISO/IEC 30134-2)",
                      {meter.node, it.node});
}

void list_on_bill(const GearSpec& bank, const std::string& id, std::string_view fallback,
                  const catalog::Catalog& catalog, Trace& trace, BillOfMaterials& bill) {
  const PowerGear* gear = usual(catalog, bank.gear, fallback);
  if (gear == nullptr || !bank.units) return;
  bill.add(bill_line(id, *gear, bank.units.count, bank.units.each.get(), trace));
}

void make_bill(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
               Trace& trace, BillOfMaterials& bill) {
  if (!spec.itemised) return;
  list_on_bill(spec.transformer, "power.transformer", gear_transformer, catalog, trace, bill);
  list_on_bill({spec.generator.units, spec.generator.redundancy, spec.generator.gear},
               "power.generator", gear_generator, catalog, trace, bill);
  list_on_bill({spec.ups.modules, spec.ups.redundancy, spec.ups.gear}, "power.ups", gear_ups,
               catalog, trace, bill);
  if (spec.ups.modules) {
    list_on_bill({spec.ups.modules, spec.ups.redundancy, ""}, "power.battery", gear_battery,
                 catalog, trace, bill);
  }
  for (const auto& hall : demand.halls) {
    list_on_bill(hall.distribution, "power." + hall.scope + ".distribution", gear_busway, catalog,
                 trace, bill);
  }
}

}  // namespace

Loads loads_max(const Spec& spec, const Demand& demand) { return loads_of(spec, demand, true); }

Loads loads_typical(const Spec& spec, const Demand& demand) {
  return loads_of(spec, demand, false);
}

Chain resolve(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog) {
  Chain chain;
  if (!spec.nodes.empty()) {
    chain.graph = graph_chain(spec, demand, catalog);
    return chain;
  }
  Power it{};
  for (const auto& hall : demand.halls) {
    chain.distribution.push_back(stage_for(hall.distribution.units,
                                           usual(catalog, hall.distribution.gear, gear_busway),
                                           hall.it_max.value));
    it += hall.it_max.value;
  }
  chain.mechanical_on_ups = spec.ups.mechanical.or_else(0.0);
  const Power cooling = demand.cooling_max.value;
  if (spec.ups.redundancy != Redundancy::none) {
    chain.ups = stage_for(spec.ups.modules, usual(catalog, spec.ups.gear, gear_ups),
                          it + cooling * chain.mechanical_on_ups);
  }
  const Power site = it + cooling + other_load(spec, demand);
  chain.switchgear = stage_for({}, usual(catalog, "", gear_switchgear), site);
  chain.transformer = stage_for(spec.transformer.units,
                                usual(catalog, spec.transformer.gear, gear_transformer), site);
  chain.transformer.rating *= spec.power_factor.or_else(1.0);
  return chain;
}

Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace) {
  Result r;
  r.chain = resolve(spec, demand, catalog);
  r.max = solve(r.chain, loads_max(spec, demand));
  r.typical = solve(r.chain, loads_typical(spec, demand));
  r.it_max = sum_of(trace, demand, true);
  r.it_typical = sum_of(trace, demand, false);
  const auto at_typical =
      record_flow(spec, r.chain, r.typical, r.it_typical, demand.cooling_typical, "typical", trace);
  const auto at_max = record_flow(spec, r.chain, r.max, r.it_max, demand.cooling_max, "max", trace);
  r.meter_max = at_max.meter;
  r.meter_typical = at_typical.meter;
  r.loss_max = at_max.loss;
  r.loss_typical = at_typical.loss;
  r.pue_max = pue("max", r.meter_max, r.it_max, trace);
  r.pue_typical = pue("typical", r.meter_typical, r.it_typical, trace);

  site_limits(spec, r, catalog, trace);
  for (const auto& hall : demand.halls) hall_limits(hall, catalog, trace, r.findings);
  graph_limits(spec, demand, r, catalog, trace);
  make_bill(spec, demand, catalog, trace, r.findings.bill);
  return r;
}

}  // namespace headroom::power
