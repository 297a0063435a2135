#include "study/context.hpp"
#include "study/lines.hpp"

namespace headroom::study {
namespace {

std::vector<site::ControlledChip> chips(Context& c) {
  std::vector<site::ControlledChip> out;
  for (const auto& m : c.machines) {
    const auto& gpu = *m.accelerator;
    site::ControlledChip chip;
    chip.id = gpu.id;
    chip.name = gpu.name;
    chip.count = m.gpus.value;
    if (gpu.tpp() > 0) {
      chip.tpp =
          c.trace.constant("site.tpp." + gpu.id, Scalar(gpu.tpp()), "TPP", gpu.origin.source);
    }
    if (gpu.performance_density() > 0) {
      chip.performance_density =
          c.trace.constant("site.performance_density." + gpu.id, Scalar(gpu.performance_density()),
                           "", gpu.die_area.origin.source);
    }
    out.push_back(std::move(chip));
  }
  return out;
}

}  // namespace

void assess_site(Context& c) {
  const site::Spec spec = c.scenario.site.value_or(site::Spec{});
  site::Demand d;
  d.as_of = c.as_of;
  d.construction = c.scenario.building && !c.scenario.building->building.existing;
  d.orders = site::orders_from(c.verdict.bill, c.catalog);
  d.chips = chips(c);
  d.energy = c.trace.derive("study.energy_year", c.meter_typical.value * (1 * year), "GWh",
                            "mean power at the meter x 8,760 h", {c.meter_typical});
  d.peak_power = c.meter_max;
  d.water = c.cooling.water_year;
  c.site = site::assess(spec, d, c.catalog, c.trace);
  if (c.scenario.site) c.add(c.site.findings);
}

}  // namespace headroom::study
