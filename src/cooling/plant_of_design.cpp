#include "cooling/plant_of_design.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cooling/compressor.hpp"
#include "cooling/sizing.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

constexpr std::size_t liquid_loop = 0, air_loop = 1;

class Builder {
 public:
  Builder(const Design& design, const Heat& full, const DesignDays& days)
      : design_(design), full_(full), days_(days) {}

  Plant run() {
    const std::size_t halls = design_.halls.empty() ? 0 : design_.halls.size() - 1;
    for (std::size_t i = 0; i < halls && i < full_.it.size(); ++i) {
      const auto& hall = design_.halls[i];
      const auto loss = i < full_.loss.size() ? full_.loss[i] : Power{};
      add(hall, hall.racks.empty() ? whole(hall, full_.it[i]) : hall.racks, loss);
    }
    if (halls > 0) add(design_.halls.back(), whole(design_.halls.back(), full_.power_rooms), {});
    loops();
    size(plant_, sizing());
    trim_tower_fans();
    return std::move(plant_);
  }

 private:
  static std::vector<RackShare> whole(const HallDesign& hall, Power it) {
    return {{hall.technology != nullptr ? hall.technology->name : "racks", 1, it, hall.liquid_share,
             hall.air_rise.si(), hall.liquid_rise.si()}};
  }

  void add(const HallDesign& hall, const std::vector<RackShare>& racks, Power loss) {
    HallAir air;
    double it = 0;
    for (const auto& r : racks) {
      air.groups.push_back(plant_.groups.size());
      plant_.groups.push_back(group(hall, r));
      it += r.it.si();
    }
    air.name = hall.technology != nullptr ? hall.technology->name : "racks";
    air.loss_w = loss.si();
    air.loop = air_loop;
    air.supply.celsius = hall.air_supply.in_celsius();
    air.bypass = hall.bypass;
    air.recirculation = 0;  // the first model counts bypass only
    air.approach_k = hall.air_approach.si();
    if (hall.room != nullptr) {
      air.direct_expansion = hall.room->direct_expansion;
      air.fans.head_pa = hall.room->fan_rise.or_else(Pressure{}).si();
      air.fans.efficiency = hall.room->fan_efficiency.or_else(1.0).si();
    }
    const double water = air_water(design_, hall).in_celsius();
    const bool main =
        hall.technology == nullptr || hall.technology->family == CoolingFamily::room_air;
    if (!air.direct_expansion && (it > 0 || loss.si() > 0)) {
      coldest_air_ = std::min(coldest_air_, water);
      main_air_ = main_air_ || (main && plant_.halls.empty());
    }
    plant_.halls.push_back(std::move(air));
  }

  RackGroup group(const HallDesign& hall, const RackShare& racks) {
    RackGroup g;
    g.name = racks.name;
    g.racks = racks.racks;
    g.rack_w = racks.it.si() / racks.racks;
    g.liquid_share = racks.liquid_share;
    g.air_rise_k = std::max(1.0, racks.air_rise_k);
    if (hall.technology != nullptr) add_liquid(g, hall, racks.liquid_rise_k);
    return g;
  }

  void add_liquid(RackGroup& g, const HallDesign& hall, double rise_k) {
    const auto& t = *hall.technology;
    g.family = t.family;
    g.loop = liquid_loop;
    g.supply.celsius = hall.liquid_supply.in_celsius();
    g.design_rise_k = std::max(1.0, rise_k);
    g.density = t.coolant.density.or_else(water_density).si();
    g.heat_capacity = t.coolant.heat.or_else(water_heat_capacity).si();
    g.approach_k = hall.liquid_approach.si();
    g.mover.head_pa = t.pump_head.or_else(Pressure{}).si();
    g.mover.efficiency = t.pump_efficiency.or_else(1.0).si();
    if (t.family == CoolingFamily::rear_door) {
      g.supply.celsius = hall.air_supply.in_celsius();
      g.mover.head_pa = t.fan_rise.or_else(Pressure{}).si();
      g.mover.efficiency = t.fan_efficiency.or_else(1.0).si();
    }
    if (t.family == CoolingFamily::two_phase) {
      g.boiling_c = t.coolant.boiling_point
                        ? catalog::absolute(t.coolant.boiling_point).in_celsius()
                        : g.supply.celsius + 10;
    }
    if (g.liquid_share > 0) {
      coldest_liquid_ = std::min(coldest_liquid_, liquid_water(design_, hall).in_celsius());
    }
  }

  void loops() {
    plant_.loops.resize(2);
    plant_.loops[liquid_loop].name = "liquid";
    plant_.loops[air_loop].name = "air";
    plant_.loops[liquid_loop].supply.celsius = coldest_liquid_ < 100 ? coldest_liquid_ : 25;
    plant_.loops[air_loop].supply.celsius = coldest_air_ < 100 ? coldest_air_ : 16;
    for (auto& loop : plant_.loops) {
      const auto& p = design_.plant;
      loop.pump.head_pa = p.pump_head.si();
      loop.pump.efficiency = p.pump_efficiency;
      loop.pump.static_share = 1;  // one head at any flow, as the first model has it
      loop.tower.cycles = p.cycles;
      loop.tower.drift = p.drift;
      loop.dry.saturation = p.kind == PlantKind::adiabatic ? p.saturation : 0;
    }
    chillers(plant_.loops[liquid_loop], design_.plant.has_chiller());
    // Without chillers the air units' loop gets trim chillers, unless air is the main load.
    chillers(plant_.loops[air_loop], design_.plant.has_chiller() || !main_air_);
  }

  void chillers(WaterLoop& loop, bool there) {
    if (!there) return;
    const auto& p = design_.plant;
    auto& c = loop.chillers;
    double heat = full_.power_rooms.si();
    for (const auto q : full_.it) heat += q.si();
    for (const auto q : full_.loss) heat += q.si();
    c.capacity_w = 3 * std::max(1.0, heat);
    c.curves = p.chiller;
    c.carnot = p.has_chiller() ? p.carnot : water_cooled_carnot;
    c.on_air = !p.on_tower();
    c.economiser = p.economiser || !p.has_chiller() ? Economiser::series : Economiser::none;
  }

  PlantSizing sizing() const {
    const auto& p = design_.plant;
    PlantSizing s;
    s.tower = p.on_tower();
    s.dry = !p.on_tower();
    s.loop_rise_k = p.range.si();
    s.plate_approach_k = p.exchanger.si();
    s.tower_approach_k = tower_approach();
    s.design_wet_bulb_c = days_.by_wet_bulb.wet_bulb_c;
    s.dry_approach_k = p.dry_approach.si();
    (s.tower ? s.tower_fan_share : s.dry_fan_share) = p.fan_share;
    // The first model's head covers facility and condenser water together.
    s.tower_head_pa = 0;
    return s;
  }

  // York's own at full flow: the size the first model takes.
  double tower_approach() const {
    return york_terms(days_.by_wet_bulb.wet_bulb_c, design_.plant.range.si()).approach_k(1);
  }

  void trim_tower_fans() {
    for (auto& loop : plant_.loops) loop.tower.least_air = 0.1;
  }

  const Design& design_;
  const Heat& full_;
  const DesignDays& days_;
  Plant plant_;
  double coldest_liquid_ = 1e9, coldest_air_ = 1e9;
  bool main_air_ = false;
};

}  // namespace

Plant plant_of(const Design& design, const Heat& full, const DesignDays& days) {
  return Builder(design, full, days).run();
}

void add_reuse(Plant& plant, const ReuseSpec& spec, std::vector<double> profile) {
  double it = 0, liquid = 0;
  for (std::size_t i = 0; i + 1 < plant.groups.size(); ++i) {  // the last is the power rooms'
    const auto& g = plant.groups[i];
    it += g.racks * g.rack_w;
    liquid += g.racks * g.rack_w * g.liquid_share;
  }
  Reuse& r = plant.loops[liquid > 0 ? liquid_loop : air_loop].reuse;
  const double by_share = it * static_cast<double>(spec.share.or_else(Scalar(1)));
  r.demand_w = spec.capacity.given ? spec.capacity.get().si() : by_share;
  if (spec.capacity.given && spec.share.given) r.demand_w = std::min(r.demand_w, by_share);
  constexpr double usual_drop_k = 8;  // assumed
  if (spec.level.given) r.level_c = catalog::absolute(spec.level).in_celsius();
  r.return_c =
      spec.back.given ? catalog::absolute(spec.back).in_celsius() : r.level_c - usual_drop_k;
  r.heat_pump = spec.heat_pump;
  r.profile = std::move(profile);
}

void add_reuse(Plant& plant, const ReuseSpec& spec, const WeatherYear& weather) {
  const std::size_t hours = weather.hours();
  const auto wanted =
      static_cast<std::size_t>(spec.hours.given ? std::llround(spec.hours.get().si() / 3600)
                                                : static_cast<long long>(hours));
  std::vector<double> profile;
  if (wanted < hours) {
    std::vector<std::size_t> order(hours);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return weather.dry_bulb_c[a] < weather.dry_bulb_c[b];
    });
    profile.assign(hours, 0.0);
    for (std::size_t i = 0; i < wanted; ++i) profile[order[i]] = 1;
  }
  add_reuse(plant, spec, std::move(profile));
}

std::vector<double> shares_of(const Design& design, const Heat& full, const Heat& now) {
  std::vector<double> shares;
  const auto add = [&](Power at_full, Power at_now) {
    shares.push_back(at_full.si() > 0 ? std::clamp(at_now.si() / at_full.si(), 0.0, 1.0) : 0.0);
  };
  const std::size_t halls = design.halls.empty() ? 0 : design.halls.size() - 1;
  for (std::size_t i = 0; i < halls && i < full.it.size(); ++i) {
    const auto& racks = design.halls[i].racks;
    const bool told = i < now.racks.size() && now.racks[i].size() == racks.size();
    if (racks.empty()) add(full.it[i], now.it[i]);
    for (std::size_t k = 0; k < racks.size(); ++k)
      add(racks[k].it, told ? now.racks[i][k] : racks[k].it * double(now.it[i] / full.it[i]));
  }
  if (halls > 0) add(full.power_rooms, now.power_rooms);
  return shares;
}

}  // namespace headroom::cooling
