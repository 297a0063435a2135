#include "cooling/plant_checks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cooling/air.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

constexpr std::array<TemperatureClass, 15> classes{{{"recommended", 18, 27},
                                                    {"H1", 5, 25},
                                                    {"A1", 15, 32},
                                                    {"A2", 10, 35},
                                                    {"A3", 5, 40},
                                                    {"A4", 5, 45},
                                                    {"W17", 2, 17},
                                                    {"W27", 2, 27},
                                                    {"W32", 2, 32},
                                                    {"W40", 2, 40},
                                                    {"W45", 2, 45},
                                                    {"W+", 2, 90},
                                                    {"S30", 2, 30},
                                                    {"S40", 2, 40},
                                                    {"S50", 2, 50}}};
constexpr double sweat_margin_k = 2;  // above the dew point (usual practice, assumed)
constexpr double freezing_margin_c = 4;
constexpr double enough_k = 1e-6;

class SetPointCheck {
 public:
  SetPointCheck(const Plant& plant, const DesignDays& days) : plant_(plant), days_(days) {}

  Diagnostics run() {
    structure();
    if (!out_.empty()) return std::move(out_);
    for (std::size_t g = 0; g < plant_.groups.size(); ++g) group(plant_.groups[g]);
    for (const auto& hall : plant_.halls) air(hall);
    for (const auto& loop : plant_.loops) water(loop);
    design_days();
    return std::move(out_);
  }

 private:
  void complain(const SetPoint& at, std::string message, std::string hint) {
    Diagnostic d;
    if (at.origin.file) d.file = *at.origin.file;
    d.line = at.origin.line;
    d.column = at.origin.column;
    d.path = at.path;
    d.message = std::move(message);
    d.hint = std::move(hint);
    out_.add(std::move(d));
  }
  static std::string nearest(double celsius) {
    return fmt::format("nearest possible: {:.1f} degC", celsius);
  }

  void structure() {
    std::vector<int> halls(plant_.groups.size(), 0);
    for (const auto& hall : plant_.halls) {
      for (const std::size_t g : hall.groups) {
        if (g < halls.size())
          ++halls[g];
        else
          complain(hall.supply, fmt::format("hall {} has a group that does not exist", hall.name),
                   {});
      }
      if (!hall.direct_expansion && hall.loop >= plant_.loops.size()) {
        complain(hall.supply, fmt::format("hall {}: no water loop {}", hall.name, hall.loop), {});
      }
      share(hall.supply, hall.name + ": bypass", hall.bypass);
      share(hall.supply, hall.name + ": recirculation", hall.recirculation);
    }
    for (std::size_t g = 0; g < plant_.groups.size(); ++g) {
      const auto& group = plant_.groups[g];
      if (group.liquid_share < 0 || group.liquid_share > 1) {
        complain(
            group.supply,
            fmt::format("{}: liquid share {:g}, expected 0 to 1", group.name, group.liquid_share),
            fmt::format("nearest possible: {}", group.liquid_share < 0 ? 0 : 1));
      }
      if (group.air_rise_k <= 0 || (group.liquid_share > 0 && group.design_rise_k <= 0)) {
        complain(group.supply,
                 fmt::format("{}: air warms by {:g} K and coolant by {:g} K, expected above 0",
                             group.name, group.air_rise_k, group.design_rise_k),
                 "10 K is usual");
      }
      if (group.liquid_share > 0 && group.loop >= plant_.loops.size()) {
        complain(group.supply, fmt::format("{}: no water loop {}", group.name, group.loop), {});
      }
      if (halls[g] != 1) {
        complain(group.supply,
                 fmt::format("{} stands in {} halls, expected one", group.name, halls[g]), {});
      }
    }
  }
  void share(const SetPoint& at, const std::string& what, double value) {
    if (value >= 0 && value < 1) return;
    complain(at, fmt::format("{} {:g}, expected 0 to below 1", what, value),
             fmt::format("nearest possible: {}", value < 0 ? 0.0 : 0.9));
  }

  double room_dew_point(const RackGroup& group) const {
    const auto g = static_cast<std::size_t>(&group - plant_.groups.data());
    for (const auto& hall : plant_.halls) {
      if (std::find(hall.groups.begin(), hall.groups.end(), g) != hall.groups.end()) {
        return hall.dew_point_c;
      }
    }
    return -100;
  }

  void group(const RackGroup& g) {
    if (g.liquid_share <= 0) return;
    const double water = plant_.loops[g.loop].supply.celsius;
    const double heat = g.racks * g.rack_w * g.liquid_share;
    if (g.family == CoolingFamily::two_phase) {
      const double k = g.exchanger.conductance(0, g.most_water);
      const double least = k > 0 ? water + heat / k : water;
      if (g.boiling_c < least - enough_k) {
        complain(g.supply,
                 fmt::format("{}: vapour condenses at {:.1f} degC, above {:.1f} degC with water of "
                             "{:.1f} degC at full load",
                             g.name, g.boiling_c, least, water),
                 nearest(least));
      }
      return;
    }
    const bool door = g.family == CoolingFamily::rear_door;
    const double hot = door ? heat / g.air_rise_k : heat / g.design_rise_k;
    reach(g.supply, g.name, g.exchanger, heat + g.mover.power_w(g.mover.design_m3_s), hot, water,
          g.most_water);
    const double dew = room_dew_point(g) + sweat_margin_k;
    if (!door && g.supply.celsius < dew - enough_k) {
      complain(g.supply,
               fmt::format("{}: coolant of {:.1f} degC lets pipes sweat in air of {:.1f} degC dew "
                           "point",
                           g.name, g.supply.celsius, dew - sweat_margin_k),
               nearest(dew));
    }
  }

  // The coldest the hot stream can be made of this water.
  void reach(const SetPoint& set, const std::string& name, const Exchanger& e, double heat,
             double hot, double water, double most_water) {
    const double k = e.conductance(hot, most_water);
    const double least = k > 0 ? water + heat / k - heat / hot : 1e9;
    if (set.celsius >= least - enough_k) return;
    if (k <= 0) {
      complain(set, fmt::format("{}: no exchanger to the water", name), {});
      return;
    }
    complain(set,
             fmt::format("{}: {:.1f} degC cannot be made of water of {:.1f} degC at full load",
                         name, set.celsius, water),
             nearest(least));
  }

  void air(const HallAir& hall) {
    if (hall.direct_expansion) return;
    double heat = hall.loss_w;
    for (const std::size_t i : hall.groups) {
      const auto& g = plant_.groups[i];
      heat += g.racks * g.rack_w * (1 - g.liquid_share);
    }
    if (heat <= 0 || hall.fans.design_m3_s <= 0) return;
    const double hot = hall.fans.design_m3_s * (air_density * air_heat_capacity).si();
    reach(hall.supply, hall.name, hall.coil, heat + hall.fans.power_w(hall.fans.design_m3_s), hot,
          plant_.loops[hall.loop].supply.celsius, hall.most_water);
  }

  void water(const WaterLoop& loop) {
    if (loop.supply.celsius < freezing_margin_c) {
      complain(
          loop.supply,
          fmt::format("{}: water of {:.1f} degC freezes on coils", loop.name, loop.supply.celsius),
          nearest(freezing_margin_c));
    }
    const auto& r = loop.reuse;
    if (r.demand_w <= 0 || r.heat_pump) return;
    const double warmest = warmest_return(loop);
    if (r.level_c + r.approach_k > warmest) {
      complain(loop.supply,
               fmt::format("{}: heat of {:.1f} degC for reuse, but the return is never above "
                           "{:.1f} degC",
                           loop.name, r.level_c, warmest),
               fmt::format("a heat pump, or at most {:.1f} degC", warmest - r.approach_k));
    }
  }

  // Water leaves no exchanger warmer than its hot stream enters.
  double warmest_return(const WaterLoop& loop) const {
    const auto l = static_cast<std::size_t>(&loop - plant_.loops.data());
    double warmest = loop.supply.celsius;
    for (const auto& g : plant_.groups) {
      if (g.loop != l || g.liquid_share <= 0) continue;
      const bool vapour = g.family == CoolingFamily::two_phase;
      const bool door = g.family == CoolingFamily::rear_door;
      const double rise = door ? g.air_rise_k : g.design_rise_k;
      warmest = std::max(warmest, vapour ? g.boiling_c : g.supply.celsius + rise);
    }
    for (const auto& hall : plant_.halls) {
      if (hall.loop != l || hall.direct_expansion) continue;
      for (const std::size_t i : hall.groups) {
        warmest = std::max(warmest, hall.supply.celsius + plant_.groups[i].air_rise_k);
      }
    }
    return warmest;
  }

  // Every set point on the design days, at full load.
  void design_days() {
    PlantSolver solver(plant_);
    std::vector<double> worst(plant_.loops.size(), -273.15);
    for (const auto* day : {&days_.by_dry_bulb, &days_.by_wet_bulb}) {
      HourInput in;
      in.dry_bulb_c = day->dry_bulb_c;
      in.wet_bulb_c = day->wet_bulb_c;
      in.pressure_pa = day->pressure_pa;
      solver.at(in);
      for (std::size_t l = 0; l < worst.size(); ++l) {
        worst[l] = std::max(worst[l], solver.loop_supply_c()[l]);
      }
    }
    for (std::size_t l = 0; l < worst.size(); ++l) {
      const auto& loop = plant_.loops[l];
      if (worst[l] <= loop.supply.celsius + 1e-4) continue;
      complain(loop.supply,
               fmt::format("{}: {:.1f} degC cannot be made on the design day by this plant",
                           loop.name, loop.supply.celsius),
               nearest(worst[l]));
    }
  }

  const Plant& plant_;
  const DesignDays& days_;
  Diagnostics out_;
};

}  // namespace

std::span<const TemperatureClass> ashrae_classes() { return classes; }

std::optional<TemperatureClass> ashrae_class(std::string_view name) {
  for (const auto& c : classes) {
    if (c.name == name) return c;
  }
  return std::nullopt;
}

std::string_view least_class(char letter, double celsius) {
  for (const auto& c : classes) {
    if (c.name.front() == letter && celsius <= c.high_c) return c.name;
  }
  return {};
}

Diagnostics check_set_points(const Plant& plant, const DesignDays& days) {
  return SetPointCheck(plant, days).run();
}

std::vector<LimitCheck> check_limits(const Plant& plant, const PlantYear& year,
                                     std::string_view air, std::string_view water,
                                     std::string_view coolant) {
  double inlet = -273.15, supply = -273.15, liquid = -273.15;
  for (const auto& h : year.hours) {
    inlet = std::max(inlet, h.warmest_inlet_c);
    supply = std::max(supply, h.warmest_supply_c);
    liquid = std::max(liquid, h.warmest_coolant_c);
  }
  std::vector<LimitCheck> out;
  const auto add = [&](const char* what, std::string_view name, double have) {
    const auto c = ashrae_class(name);
    if (c && have > -273) out.push_back({fmt::format("{} {}", what, name), have, c->high_c});
  };
  add("air", air, inlet);
  add("water", water, supply);
  add("coolant", coolant, liquid);
  double limit = 0;
  for (const auto& g : plant.groups) {
    if (g.chip.power_w > 0 && g.chip.limit_c > 0) limit = std::max(limit, g.chip.limit_c);
  }
  if (limit > 0) {
    // The margin is each group's own; shown against the hottest chip.
    out.push_back({"chip", limit - year.least_chip_margin_k, limit});
  }
  return out;
}

}  // namespace headroom::cooling
