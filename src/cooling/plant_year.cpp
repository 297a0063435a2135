#include "cooling/plant_year.hpp"

#include <algorithm>

namespace headroom::cooling {
namespace {

constexpr double hour_s = 3600;

double share_at(const LoadProfile& load, std::size_t h) {
  return load.hourly.empty() ? load.share : load.hourly[h % load.hourly.size()];
}

void add(PlantYear& y, const HourState& s) {
  auto& e = y.energy;
  const auto sum = [](double& total, double watts) { total += watts * hour_s; };
  sum(e.it, s.it_w), sum(e.loss, s.loss_w), sum(e.other, s.other_w);
  sum(e.room_fans, s.room_fans_w), sum(e.coolant_pumps, s.coolant_pumps_w);
  sum(e.loop_pumps, s.loop_pumps_w), sum(e.tower_pumps, s.tower_pumps_w);
  sum(e.rejection_fans, s.rejection_fans_w), sum(e.compressors, s.compressors_w);
  sum(e.heat_pumps, s.heat_pumps_w);
  sum(e.by_tower, s.by_tower_w), sum(e.by_dry, s.by_dry_w);
  sum(e.by_outside_air, s.by_outside_air_w), sum(e.by_condenser_air, s.by_condenser_air_w);
  sum(e.reused, s.reused_w), sum(e.unmet, s.unmet_w);
  auto& w = y.water;
  sum(w.tower_evaporation, s.tower_evaporation), sum(w.pads, s.pad_evaporation);
  sum(w.blow_down, s.blow_down), sum(w.drift, s.drift);
}

void note(PlantYear& y, const HourState& s) {
  constexpr double held_k = 1e-6;
  const bool held = s.short_k <= held_k;
  if (!s.compressor && held) y.chiller_free_h += 1;
  if (!held) y.short_h += 1;
  if (s.outside_curves) y.outside_curves_h += 1;
  y.worst_short_k = std::max(y.worst_short_k, s.short_k);
  y.highest_chip_c = std::max(y.highest_chip_c, s.chip_c);
  y.least_chip_margin_k = std::min(y.least_chip_margin_k, s.chip_margin_k);
  y.peak_cooling_w = std::max(y.peak_cooling_w, s.cooling_w());
  y.peak_water_kg_s = std::max(y.peak_water_kg_s, s.makeup());
  y.worst_imbalance = std::max(y.worst_imbalance, s.imbalance());
}

void add_carbon(PlantYear& y, const GridCarbon& carbon, std::size_t h) {
  if (carbon.hourly_kg_j.empty() && carbon.mean_kg_j <= 0) return;
  const HourState& s = y.hours[h];
  const double kg_j = carbon.hourly_kg_j.empty()
                          ? carbon.mean_kg_j
                          : carbon.hourly_kg_j[h % carbon.hourly_kg_j.size()];
  y.carbon_kg.push_back((s.it_w + s.loss_w + s.cooling_w() + s.other_w) * hour_s * kg_j);
  y.carbon_total_kg += y.carbon_kg.back();
}

void conclude(PlantYear& y) {
  const auto& e = y.energy;
  if (e.it > 0) {
    y.pue_part = (e.cooling() + e.other) / e.it;
    y.wue_l_kwh = y.water.total() / (e.it / 3.6e6);
  }
  const double all = e.it + e.loss + e.cooling() + e.other;
  y.erf = all > 0 ? e.reused / all : 0;
  for (std::size_t day = 0; day * 24 < y.hours.size(); ++day) {
    double kg = 0;
    for (std::size_t h = day * 24; h < std::min(y.hours.size(), day * 24 + 24); ++h) {
      kg += y.hours[h].makeup() * hour_s;
    }
    y.peak_day_water_kg = std::max(y.peak_day_water_kg, kg);
  }
}

}  // namespace

PlantYear year(const Plant& plant, const WeatherYear& weather, const LoadProfile& load,
               const GridCarbon& carbon) {
  PlantYear y;
  y.hours.reserve(weather.hours());
  PlantSolver solver(plant);
  std::vector<double> shares(load.by_group.size());
  for (std::size_t h = 0; h < weather.hours(); ++h) {
    HourInput in;
    in.dry_bulb_c = weather.dry_bulb_c[h];
    in.wet_bulb_c = weather.wet_bulb_c[h];
    in.pressure_pa = weather.pressure_pa[h];
    in.humidity = weather.humidity[h];
    in.share = share_at(load, h);
    in.hour = h;
    for (std::size_t g = 0; g < shares.size(); ++g) {
      shares[g] =
          load.by_group[g].empty() ? in.share : load.by_group[g][h % load.by_group[g].size()];
    }
    in.shares = shares;
    y.hours.push_back(solver.at(in));
    add(y, y.hours.back());
    note(y, y.hours.back());
    add_carbon(y, carbon, h);
  }
  conclude(y);
  return y;
}

PlantYear sum_of(std::vector<HourState> hours) {
  PlantYear y;
  y.hours = std::move(hours);
  for (const auto& s : y.hours) add(y, s), note(y, s);
  conclude(y);
  return y;
}

std::vector<double> water_by_source(const PlantYear& year,
                                    const std::vector<WaterSource>& sources) {
  std::vector<double> given(sources.size() + 1, 0.0);
  for (const auto& hour : year.hours) {
    double wanted = hour.makeup() * hour_s;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const double most = std::min(sources[i].most_kg_s * hour_s, sources[i].most_kg - given[i]);
      const double from = std::clamp(wanted, 0.0, std::max(0.0, most));
      given[i] += from;
      wanted -= from;
    }
    given.back() += wanted;
  }
  return given;
}

DesignPoints design_points(const Plant& plant, const WeatherYear& weather) {
  PlantSolver solver(plant);
  const auto at = [&](const DesignAir& air) {
    HourInput in;
    in.dry_bulb_c = air.dry_bulb_c;
    in.wet_bulb_c = std::min(air.wet_bulb_c, air.dry_bulb_c);
    in.pressure_pa = air.pressure_pa;
    return solver.at(in);
  };
  const DesignDays days = design_days(weather);
  return {at(days.by_dry_bulb), at(days.by_wet_bulb), at(days.extreme), at(days.extreme_wet)};
}

}  // namespace headroom::cooling
