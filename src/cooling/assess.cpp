#include "cooling/assess.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.hpp"
#include "cooling/limits.hpp"
#include "cooling/plant_model.hpp"

namespace headroom::cooling {
namespace {

// When neither the plant nor the site names a climate.
constexpr std::string_view usual_climate = "frankfurt";

PlantDesign plant_of(const PlantSpec& spec, const catalog::Catalog& catalog) {
  const PlantSpec p = with_defaults(spec);
  PlantDesign d;
  d.kind = p.kind;
  d.economiser = p.economiser;
  if (!p.chiller.empty()) d.chiller = catalog.find<catalog::Chiller>(p.chiller);
  d.has_set_point = static_cast<bool>(p.water_supply);
  if (d.has_set_point) d.set_point = catalog::absolute(p.water_supply);
  d.range = p.water_rise.get();
  d.dry_approach = p.dry_approach.get();
  d.exchanger = p.exchanger.get();
  d.saturation = p.saturation.get();
  d.carnot = p.carnot.get();
  d.cycles = std::max(1.05, p.cycles.get().si());
  d.drift = p.drift.get();
  d.fan_share = p.fan_power.get();
  d.pump_head = p.pump_head.get();
  d.pump_efficiency = std::max(0.01, p.pump_efficiency.get().si());
  return d;
}

bool all_direct_expansion(const std::vector<HallDesign>& halls) {
  return !halls.empty() && std::all_of(halls.begin(), halls.end(), [](const auto& h) {
    return h.room != nullptr && h.room->direct_expansion;
  });
}

HallDesign power_rooms(const Demand& demand, const std::vector<HallDesign>& halls,
                       const catalog::Catalog& catalog) {
  HallDemand rooms;
  rooms.cooling.kind = all_direct_expansion(halls) ? "crac" : "crah";
  return design_of(choose(rooms, catalog), demand.power_rooms_max, {});
}

const catalog::ClimateBin* bin_nearest(const std::vector<catalog::ClimateBin>& bins, bool wet,
                                       Temperature t) {
  const catalog::ClimateBin* best = nullptr;
  double distance = 1e300;
  for (const auto& bin : bins) {
    const double d = std::abs(catalog::absolute(wet ? bin.wet_bulb : bin.dry_bulb).si() - t.si());
    if (d < distance) distance = d, best = &bin;
  }
  return best;
}

Weather design_by(const catalog::Climate& climate, bool wet) {
  Weather w;
  w.pressure = climate.pressure();
  w.wet_bulb = catalog::absolute(climate.wet_bulb.design);
  w.dry_bulb = catalog::absolute(climate.dry_bulb.design);
  if (wet) {
    const auto* bin = bin_nearest(climate.by_wet_bulb, true, w.wet_bulb);
    if (bin != nullptr) w.dry_bulb = std::max(catalog::absolute(bin->dry_bulb), w.wet_bulb);
  } else {
    const auto* bin = bin_nearest(climate.by_dry_bulb, false, w.dry_bulb);
    if (bin != nullptr) w.wet_bulb = std::min(catalog::absolute(bin->wet_bulb), w.dry_bulb);
  }
  return w;
}

Heat heat_of(const Demand& demand, bool max) {
  Heat heat;
  for (const auto& hall : demand.halls) {
    heat.it.push_back(max ? hall.it_max.value : hall.it_typical.value);
    heat.loss.push_back(max ? hall.loss_max : hall.loss_typical);
    heat.racks.emplace_back();
    for (const auto& g : hall.groups) heat.racks.back().push_back(max ? g.max : g.typical);
  }
  heat.power_rooms = max ? demand.power_rooms_max : demand.power_rooms_typical;
  return heat;
}

// Trace of a run: what the figures below stand on.
struct Inputs {
  std::vector<NodeId> max, typical;
};

Inputs record_inputs(const PlantSpec& p, const Demand& demand, const catalog::Climate& climate,
                     Trace& trace) {
  Inputs in;
  for (const auto& hall : demand.halls) {
    in.max.push_back(hall.it_max.node);
    in.typical.push_back(hall.it_typical.node);
  }
  std::vector<NodeId> shared{
      trace.choice("cooling.climate", climate.name, climate.origin),
      trace.choice("cooling.plant.kind", plant_kind_names()[static_cast<std::size_t>(p.kind)]),
      trace.input("cooling.plant.rise", p.water_rise, "K").node,
      trace.input("cooling.plant.fans", p.fan_power, "%").node,
      trace.input("cooling.plant.head", p.pump_head, "kPa").node};
  if (p.kind == PlantKind::chiller_water || p.kind == PlantKind::chiller_air) {
    shared.push_back(trace.input("cooling.plant.carnot", p.carnot, "%").node);
  }
  in.max.insert(in.max.end(), shared.begin(), shared.end());
  in.typical.insert(in.typical.end(), shared.begin(), shared.end());
  return in;
}

void record_power(Result& r, const Inputs& in, Trace& trace) {
  const Flow& mean = r.year.mean;
  r.fans_typical =
      trace.derive("cooling.fans.typical", mean.room_fans + mean.plant_fans, "kW",
                   "room units, doors, towers or coolers; mean of the year", in.typical);
  r.pumps_typical = trace.derive("cooling.pumps.typical", mean.secondary_pumps + mean.plant_pumps,
                                 "kW", "CDUs and facility water; mean of the year", in.typical);
  r.compressors_typical = trace.derive("cooling.compressors.typical", mean.compressors, "kW",
                                       "lifted heat / COP; mean of the year", in.typical);
  r.electrical_typical = trace.derive(
      "cooling.electrical.typical", mean.electrical(), "kW", "fans + pumps + compressors",
      {r.fans_typical.node, r.pumps_typical.node, r.compressors_typical.node});
  r.electrical_max =
      trace.derive("cooling.electrical.max", r.at_design.electrical(), "kW",
                   "fans + pumps + compressors at maximum heat on the design day", in.max);
  r.rejected_max = trace.derive("cooling.rejected.max", r.at_design.rejected, "kW",
                                "heat to the sky on the design day", {r.electrical_max.node});
  r.compressor_free = trace.derive(
      "cooling.compressor-free", r.year.compressor_free, "h",
      "hours of the climate's year in which no compressor runs and set points hold", in.typical);
  if (r.year.has_liquid)
    r.liquid_free = trace.derive("cooling.compressor-free-liquid", r.year.liquid_free, "h",
                                 "the same of the liquid loop: trim chillers of the air loop apart",
                                 in.typical);
}

Power it_of(const Demand& demand) {
  Power it{};
  for (const auto& hall : demand.halls) it += hall.it_typical.value;
  return it;
}

void record_water(Result& r, const PlantSpec& p, const Demand& demand, VolumeFlow peak,
                  const Inputs& in, Trace& trace) {
  const auto cycles = trace.input("cooling.plant.cycles", p.cycles, "");
  std::vector<NodeId> day = in.max, typical = in.typical;
  day.push_back(cycles.node);
  typical.push_back(cycles.node);
  r.water_peak_day = trace.derive("cooling.water.peak-day", peak, "m3/d",
                                  "make-up at maximum heat, design air all day", std::move(day));
  r.water_year =
      trace.derive("cooling.water.year", r.year.mean.makeup * (1 * headroom::year), "m3",
                   "evaporation x C/(C-1) + drift over the climate's year", std::move(typical));
  const Power it = it_of(demand);
  const auto wue = it.si() > 0 ? r.year.mean.makeup / it : WaterIntensity{};
  r.wue = trace.derive("cooling.wue", wue, "L/kWh",
                       "water of a year over IT energy "
                       "(ISO/IEC 30134-9)",
                       {r.water_year.node});
}

void bill_line(const std::string& id, const std::string& item, const spec::Bank<Power>& bank,
               const catalog::CoolingTechnology* technology, Trace& trace, BillOfMaterials& bill) {
  if (!bank) return;
  BillLine line;
  line.id = id;
  line.category = "cooling";
  line.item = fmt::format("{}, {}", item, format_scaled(bank.each.get().si(), "W"));
  line.count = bank.count;
  if (technology != nullptr && technology->price) {
    const auto price = trace.input(id + ".price", technology->price, "USD/kW");
    const Power each = bank.each.get();
    line.unit_price = price.value * each;
    line.price_low = (PowerPrice::from_si(technology->price.low) * each).in(dollar);
    line.price_high = (PowerPrice::from_si(technology->price.high) * each).in(dollar);
    line.price_node = price.node;
    if (technology->lead_time) line.lead_time = technology->lead_time.get();
    if (technology->life) line.life = technology->life.get();
  }
  bill.add(std::move(line));
}

void make_bill(const PlantSpec& p, const Demand& demand, const Design& design, Trace& trace,
               BillOfMaterials& bill) {
  if (!p.itemised) return;
  for (std::size_t i = 0; i < demand.halls.size(); ++i) {
    const auto& hall = demand.halls[i];
    const auto& at = design.halls[i];
    bill_line("cooling." + hall.scope + ".units", at.room->name, hall.cooling.units, at.room, trace,
              bill);
    bill_line("cooling." + hall.scope + ".cdus", "Coolant distribution unit", hall.cooling.cdus,
              at.technology, trace, bill);
  }
  bill_line("cooling.plant",
            fmt::format("Plant unit, {}", plant_kind_names()[static_cast<std::size_t>(p.kind)]),
            p.capacity, nullptr, trace, bill);
}

void remark(const PlantSpec& plant, const Demand& demand, Result& r) {
  if (plant.climate.empty() && demand.climate == nullptr) {
    r.findings.remarks.push_back(
        "cooling: no climate is known for the site; that of Frankfurt "
        "stands in");
  }
  if (!r.design.plant.has_chiller() && r.at_design.trimmed.si() > 0) {
    r.findings.remarks.push_back(fmt::format(
        "cooling: the plant has no chiller; trim chillers of {} for air remainders and power rooms "
        "are counted in electricity, not in any capacity",
        format_scaled(r.at_design.trimmed.si(), "W")));
  }
  if (plant.kind != PlantKind::chiller_water && plant.kind != PlantKind::chiller_air) return;
  const auto* machine = r.design.plant.chiller;
  if (machine != nullptr) {
    r.findings.remarks.push_back(
        fmt::format("cooling: {} is used inside its curves (leaving water "
                    "up to {:.1f} degC) and by a Carnot fraction beyond",
                    machine->name, catalog::absolute(machine->leaving_max).in_celsius()));
  }
}

}  // namespace

Design resolve(const PlantSpec& plant, const Demand& demand, const catalog::Catalog& catalog) {
  Design design;
  for (const auto& hall : demand.halls) {
    design.halls.push_back(design_of(choose(hall, catalog), hall.it_max.value, hall.loss_max));
    add_racks(hall, design.halls.back());
  }
  design.halls.push_back(power_rooms(demand, design.halls, catalog));
  design.plant = plant_of(plant, catalog);
  return design;
}

Heat heat_max(const Demand& demand) { return heat_of(demand, true); }
Heat heat_typical(const Demand& demand) { return heat_of(demand, false); }

Weather design_weather(const PlantDesign& plant, const catalog::Climate& climate) {
  const Weather wet = design_by(climate, true), dry = design_by(climate, false);
  return free_water(plant, wet) > free_water(plant, dry) ? wet : dry;
}

const catalog::Climate& climate_of(const PlantSpec& plant, const Demand& demand,
                                   const catalog::Catalog& catalog) {
  if (!plant.climate.empty()) {
    const auto* own = catalog.find<catalog::Climate>(plant.climate);
    if (own != nullptr) return *own;
  }
  if (demand.climate != nullptr) return *demand.climate;
  const auto* usual = catalog.find<catalog::Climate>(usual_climate);
  return usual != nullptr ? *usual : *catalog.all<catalog::Climate>().front();
}

Result assess(const PlantSpec& plant_spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace) {
  const PlantSpec spec = with_defaults(plant_spec);
  const auto& climate = climate_of(spec, demand, catalog);
  Result r;
  r.design = resolve(plant_spec, demand, catalog);
  const Heat max = heat_max(demand), typical = heat_typical(demand);
  const auto weather = usual_year(climate);
  PlantModel plant(r.design, max, *weather, plant_spec.reuse);
  r.at_design = plant.at_design(max);
  r.year = plant.year(typical);
  r.imbalance = std::max(r.at_design.imbalance(), r.year.worst_imbalance);
  const Inputs in = record_inputs(spec, demand, climate, trace);
  record_power(r, in, trace);
  record_water(r, spec, demand, plant.water_at_design(max), in, trace);
  for (std::size_t i = 0; i < demand.halls.size(); ++i) {
    hall_limits(demand.halls[i], r.design, r.design.halls[i], catalog, trace, r.findings);
  }
  const auto heat =
      trace.derive("cooling.plant.heat", r.at_design.water_heat, "kW",
                   "heat of the halls by facility water, with fans and pumps", in.max);
  plant_limits({spec, demand, climate, heat, catalog}, r, trace);
  make_bill(spec, demand, r.design, trace, r.findings.bill);
  remark(plant_spec, demand, r);
  return r;
}

}  // namespace headroom::cooling
