// The start of a year at one second: blocks of racks and halls, at rest under the first hour.
#include <algorithm>
#include <cmath>

#include "cooling/air.hpp"
#include "cooling/time_run.hpp"

namespace headroom::cooling {
namespace {

constexpr double air_volume_heat = (air_density * air_heat_capacity).si();

}  // namespace

void TimeRun::start() {
  out_.units = plan_.units.size();
  const std::size_t racks = plan_.racks.size();
  demand_.assign(racks, 0), power_.assign(racks, 0);
  chip_.assign(racks, 0), coolant_.assign(racks, 0);
  off_until_.assign(racks, -1);
  peaks_.assign(racks, {});
  unit_demand_.assign(plan_.units.size(), 0), unit_power_ = unit_demand_;
  shares_ = unit_demand_;
  air_w_ = unit_demand_;
  dirty_.assign(plan_.units.size(), true);
  units_of_job_.resize(load_.jobs.size()), units_of_outage_.resize(load_.outages.size());
  for (const auto& r : plan_.racks) {
    if (r.job != TimeRack::none) remember(units_of_job_[r.job], r.unit);
    for (const auto o : r.outages) remember(units_of_outage_[o], r.unit);
  }
  out_.group_lost_s.assign(given_.groups.size(), 0);
  basin_.assign(given_.loops.size(), far_c);
  events();
  solve();
  make_units();
  make_halls();
  settle();
}

void TimeRun::remember(std::vector<std::size_t>& list, std::size_t unit) {
  if (list.empty() || list.back() != unit) list.push_back(unit);
}

void TimeRun::make_units() {
  liquid_.resize(plan_.units.size());
  for (std::size_t u = 0; u < liquid_.size(); ++u) {
    const auto& g = plan_.plant.groups[u];
    auto& l = liquid_[u];
    l.cooled = g.liquid_share;
    if (g.liquid_share <= 0) continue;
    const double full = plan_.units[u].full_w;
    const bool chip = g.chip.power_w > 0 && g.chip.k_per_w > 0;
    const double above = chip ? g.chip.power_w * g.chip.k_per_w : options_.chip_above_coolant_k;
    l.conductance = full * l.cooled / above;
    l.throttles = chip;
    CduBlock::Store s;
    s.chip = options_.racks.chips * full, s.coolant = options_.racks.coolant * full;
    s.supply = options_.racks.supply * full;
    s.in =
        std::max(1.0, g.exchanger.cold_design * (options_.loops.supply_s + options_.loops.store_s));
    s.back = std::max(1.0, g.exchanger.cold_design * options_.loops.return_s);
    l.block.start(s, solver_->loop_supply_c()[g.loop]);
  }
}

double TimeRun::or_rack(double given, double each, double racks) const {
  return given > 0 ? given : each * std::max(1.0, racks);
}

void TimeRun::make_halls() {
  air_.resize(plan_.plant.halls.size());
  for (std::size_t h = 0; h < air_.size(); ++h) {
    const auto& hall = plan_.plant.halls[h];
    auto& a = air_[h];
    double racks = 0;
    for (const auto u : hall.groups) {
      racks += plan_.plant.groups[u].racks;
      if (plan_.plant.groups[u].liquid_share > 0) continue;
      a.units.push_back(u);
      a.servers_full_w += plan_.units[u].full_w;
    }
    HallBlock::Store s;
    s.server = std::max(1.0, options_.racks.chips * a.servers_full_w);
    s.server_w_k = a.servers_full_w / options_.server_above_air_k;
    s.air = or_rack(options_.halls.air_m3, 9, racks) * air_volume_heat;
    s.mass = or_rack(options_.halls.mass_j_k, 48e3, racks);
    s.mass_w_k = or_rack(options_.halls.mass_w_k, 200, racks);
    s.in =
        std::max(1.0, hall.coil.cold_design * (options_.loops.supply_s + options_.loops.store_s));
    s.back = std::max(1.0, hall.coil.cold_design * options_.loops.return_s);
    const double water = hall.loop < given_.loops.size() ? solver_->loop_supply_c()[hall.loop] : 20;
    a.block.start(s, solver_->air_c()[h], water);
  }
}

void TimeRun::settle() {
  constexpr int days = 30;
  for (int i = 0; i < days; ++i) {
    drive();
    for (std::size_t u = 0; u < liquid_.size(); ++u) {
      condition_unit(u);
      if (liquid_[u].cooled > 0) coast(u, static_cast<std::uint32_t>(per_hour_));
      air_w_[u] = unit_demand_[u] * (1 - liquid_[u].cooled);
    }
    for (std::size_t h = 0; h < air_.size(); ++h) {
      condition_hall(h);
      air_[h].block.advance(static_cast<std::uint32_t>(per_hour_));
    }
    for (std::size_t l = 0; l < basin_.size(); ++l) basin_[l] = basin_aim(l);
  }
  for (auto& l : liquid_) l.quiet = false;  // whether they throttle was not asked
  out_.steps = 0;
}

}  // namespace headroom::cooling
