#include <algorithm>

#include "study/context.hpp"
#include "study/lines.hpp"

namespace headroom::study {
namespace {

/// Mean power at the meter that one workload answers for: its cluster's share of
/// IT, and of that its share of the GPUs held.
Figure<Power> power_of(Context& c, const Work& work) {
  double held = 0;
  for (const auto& other : c.work) {
    if (other.machines == work.machines) held += other.gpus_held;
  }
  const double it = c.it_typical.value.si();
  if (held <= 0 || it <= 0) return {};
  const double share = work.machines->it_typical.value.si() / it * (work.gpus_held / held);
  return c.trace.derive(
      "workloads." + work.scope + ".meter_power", c.meter_typical.value * share, "MW",
      "mean power at the meter x the cluster's share of IT x share of its GPUs held",
      {c.meter_typical, work.machines->it_typical, c.it_typical});
}

void run_lines(Context& c, const Work& work, const Figure<Power>& power) {
  const auto& run = work.product.run_time;
  if (run.node == no_node) return;
  const std::string base = "workloads." + work.scope;
  const auto energy = c.trace.derive(base + ".run_energy", power.value * run.value, "GWh",
                                     "power at the meter x time of the run", {power, run});
  const std::string name = work.spec->name;
  add_line(c.verdict.energy.lines, work.scope + "_run", "energy of the run " + name, energy, "GWh");
  if (c.site.carbon_intensity.node != no_node) {
    const auto carbon = c.trace.derive(
        base + ".run_carbon", energy.value * c.site.carbon_intensity.value, "tCO2e",
        "energy of the run x carbon intensity of the grid", {energy, c.site.carbon_intensity});
    add_line(c.verdict.carbon.lines, work.scope + "_run", "carbon of the run " + name, carbon,
             "tCO2e");
  }
  if (c.cooling.wue.node != no_node && c.has_facility) {
    const auto water = c.trace.derive(
        base + ".run_water", energy.value / double(c.pue.value) * c.cooling.wue.value, "m3",
        "energy of the run / PUE x WUE", {energy, c.pue, c.cooling.wue});
    add_line(c.verdict.water.lines, work.scope + "_run", "water of the run " + name, water, "m3");
  }
}

void token_lines(Context& c, const Work& work, const Figure<Power>& power) {
  const auto& rate = work.product.output_rate;
  if (rate.node == no_node || rate.value.si() <= 0) return;
  const std::string base = "workloads." + work.scope;
  const std::string name = work.spec->name;
  const auto energy = c.trace.derive(base + ".token_energy", power.value / rate.value, "J/token",
                                     "power at the meter / output tokens a second", {power, rate});
  add_line(c.verdict.energy.lines, work.scope + "_token", "energy of an output token, " + name,
           energy, "J/token");
  if (c.site.carbon_intensity.node == no_node) return;
  const auto carbon = c.trace.derive(
      base + ".token_carbon", energy.value * c.site.carbon_intensity.value, "gCO2e/ktoken",
      "energy of an output token x carbon intensity", {energy, c.site.carbon_intensity});
  add_line(c.verdict.carbon.lines, work.scope + "_token",
           "carbon of a thousand output tokens, " + name, carbon, "gCO2e/ktoken");
}

void embodied_line(Context& c) {
  double kg = 0;
  bool unknown = false;
  for (const auto& line : c.verdict.bill.lines()) {
    kg += line.embodied_kgco2e * line.count;
    unknown = unknown || (line.category == "accelerators" && line.embodied_kgco2e <= 0);
  }
  if (kg <= 0 || unknown) return;
  const auto embodied =
      c.trace.derive("study.embodied", kg * kilogram_co2e, "tCO2e",
                     "accelerators x embodied carbon of one (catalogue); servers, network "
                     "and building are not in it",
                     std::vector<NodeId>{});
  add_line(c.verdict.carbon.lines, "embodied", "embodied in the accelerators alone", embodied,
           "tCO2e");
}

void reuse_line(Context& c) {
  if (!c.scenario.cooling || !c.scenario.cooling->reuse || c.meter_typical.value.si() <= 0) return;
  const auto reused = c.trace.derive("cooling.reused", c.cooling.year.mean.reused, "kW",
                                     "heat handed to the user that the scenario names, yearly mean",
                                     {c.cooling.electrical_typical.node});
  const auto erf = c.trace.derive("study.erf", Scalar(reused.value / c.meter_typical.value), "",
                                  "reused energy over energy at the meter (ISO/IEC 30134-6)",
                                  {reused, c.meter_typical});
  add_line(c.verdict.energy.lines, "erf", "ERF", erf, "");
}

}  // namespace

void summarise(Context& c) {
  auto& v = c.verdict;
  v.energy = {"energy", "Energy", {}};
  v.carbon = {"carbon", "Carbon", {}};
  v.water = {"water", "Water", {}};
  if (!c.machines.empty()) {
    add_line(v.energy.lines, "it_max", "IT at maximum", c.it_max, "MW");
    add_line(v.energy.lines, "it_typical", "IT, yearly mean", c.it_typical, "MW");
    add_line(v.energy.lines, "meter_max", "at the meter, maximum on the design day", c.meter_max,
             "MW");
    add_line(v.energy.lines, "meter_typical", "at the meter, yearly mean", c.meter_typical, "MW");
    add_line(v.energy.lines, "pue", "PUE, yearly", c.pue, "");
    const NodeId year_node = c.trace.find("study.energy_year");
    if (year_node != no_node) {
      v.energy.lines.push_back(
          {"year", "energy of a year", c.trace.at(year_node).si, "GWh", year_node});
    }
    if (c.has_facility) {
      const auto hours = c.trace.derive(
          "study.compressor_free", Scalar(c.cooling.compressor_free.value.in(hour)), "",
          "hours of the typical year in which no compressor runs", {c.cooling.compressor_free});
      add_line(v.energy.lines, "compressor_free_hours", "hours a year without compressor", hours,
               "");
      const auto& liquid = c.cooling.liquid_free;
      if (liquid.node != no_node && liquid.value > c.cooling.compressor_free.value)
        add_line(v.energy.lines, "compressor_free_hours_liquid", "of the liquid loop",
                 c.trace.derive("study.compressor_free_liquid", Scalar(liquid.value.in(hour)), "",
                                "trim chillers of the air loop apart", {liquid}),
                 "");
      reuse_line(c);
    }
  }
  if (c.scenario.site) {
    add_line(v.carbon.lines, "intensity", "carbon intensity of the grid", c.site.carbon_intensity,
             "gCO2e/kWh");
    add_line(v.carbon.lines, "location", "a year, location-based", c.site.carbon_location, "tCO2e");
    add_line(v.carbon.lines, "market", "a year, market-based", c.site.carbon_market, "tCO2e");
  }
  embodied_line(c);
  if (c.has_facility) {
    add_line(v.water.lines, "year", "water of a year", c.cooling.water_year, "m3");
    add_line(v.water.lines, "peak_day", "on the peak day", c.cooling.water_peak_day, "m3/d");
    add_line(v.water.lines, "wue", "WUE", c.cooling.wue, "L/kWh");
  }
  for (const auto& work : c.work) {
    const auto power = power_of(c, work);
    if (power.node == no_node) continue;
    run_lines(c, work, power);
    token_lines(c, work, power);
  }
}

}  // namespace headroom::study
