// What an interval took and gave: energy, water, temperatures, samples.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cooling/time_run.hpp"

namespace headroom::cooling {
namespace {

using Member = double HourState::*;
constexpr Member flows[] = {&HourState::it_w,
                            &HourState::loss_w,
                            &HourState::room_fans_w,
                            &HourState::coolant_pumps_w,
                            &HourState::loop_pumps_w,
                            &HourState::tower_pumps_w,
                            &HourState::rejection_fans_w,
                            &HourState::compressors_w,
                            &HourState::heat_pumps_w,
                            &HourState::other_w,
                            &HourState::by_tower_w,
                            &HourState::by_dry_w,
                            &HourState::by_outside_air_w,
                            &HourState::by_condenser_air_w,
                            &HourState::reused_w,
                            &HourState::unmet_w,
                            &HourState::tower_evaporation,
                            &HourState::pad_evaporation,
                            &HourState::blow_down,
                            &HourState::drift};
constexpr Member worst[] = {
    &HourState::short_k,         &HourState::warmest_supply_c, &HourState::warmest_coolant_c,
    &HourState::warmest_inlet_c, &HourState::chip_c,           &HourState::tower_cold_c};

}  // namespace

void TimeRun::account(double h, double it_j, double stored) {
  bool as_steady = true;
  for (std::size_t l = 0; l < loop_j_.size(); ++l) {
    const auto flow = solver_->loop_flow(l);
    loop_j_[l] = loop_j_[l] / h + flow.pump_w;
    as_steady = as_steady && std::abs(loop_j_[l] - flow.heat_w) <= 1e-12 * flow.heat_w;
  }
  for (std::size_t a = 0; a < carried_.size(); ++a)
    as_steady = as_steady && carried_[a] == solver_->hall_air(a).carried_w;
  HourState s = as_steady ? steady_ : solver_->with_heat(in_, loop_j_, carried_);
  out_.beyond_j += std::abs(s.unmet_w - steady_.unmet_w) * h;
  s.it_w = it_j / h;
  stored += fill_basins(s, h);
  const double in = s.it_w + s.loss_w + s.cooling_w();
  const double gone = s.by_tower_w + s.by_dry_w + s.by_outside_air_w + s.by_condenser_air_w +
                      s.reused_w + s.unmet_w;
  out_.in_j += in * h, out_.out_j += gone * h, out_.stored_j += stored;
  if (in > 0)
    out_.worst_imbalance = std::max(out_.worst_imbalance, std::abs(in - gone - stored / h) / in);
  add_hour(s, h);
}

double TimeRun::fill_basins(HourState& s, double h) {
  double stored = 0;
  for (std::size_t l = 0; l < basin_.size(); ++l) {
    const auto& loop = plan_.plant.loops[l];
    if (loop.tower.water <= 0 || basin_[l] <= far_c) continue;
    const double aim = basin_aim(l);
    const double next = aim + (basin_[l] - aim) * std::exp(-drives_[l].basin_rate * h);
    const double kept = loop.tower.water * options_.loops.basin_s * (next - basin_[l]);
    s.by_tower_w -= kept / h;
    stored += kept;
    basin_[l] = next;
  }
  return stored;
}

void TimeRun::add_hour(const HourState& s, double h) {
  const auto hour = static_cast<std::size_t>(now_ / per_hour_);
  if (out_.hours.size() <= hour) out_.hours.emplace_back();
  auto& m = out_.hours[hour];
  const double part = h / hour_s;
  for (const auto member : flows) m.*member += s.*member * part;
  for (const auto member : worst) m.*member = std::max(m.*member, s.*member);
  m.chip_margin_k = std::min(m.chip_margin_k, s.chip_margin_k);
  m.compressor = m.compressor || s.compressor;
  m.outside_curves = m.outside_curves || s.outside_curves;
}

bool TimeRun::watching() const {
  return options_.watch_to_s > options_.watch_from_s && now_ > tick(options_.watch_from_s) &&
         now_ <= tick(options_.watch_to_s);
}

void TimeRun::record() {
  TimeSample s;
  s.at_s = static_cast<double>(now_) * dt_;
  s.dry_bulb_c = in_.dry_bulb_c;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::size_t groups = given_.groups.size();
  std::vector<double> weight(groups, 0);
  s.chip_c.assign(groups, 0), s.coolant_c = s.supply_c = s.chip_c;
  for (std::size_t u = 0; u < liquid_.size(); ++u) {
    s.it_w += unit_power_[u];
    if (liquid_[u].cooled <= 0) continue;
    const auto g = plan_.units[u].group;
    const double w = plan_.units[u].full_w;
    const auto& x = liquid_[u].block.state();
    weight[g] += w;
    s.chip_c[g] += w * x[CduBlock::chip];
    s.coolant_c[g] += w * x[CduBlock::coolant];
    s.supply_c[g] += w * x[CduBlock::supply];
  }
  for (std::size_t g = 0; g < groups; ++g) {
    for (auto* list : {&s.chip_c, &s.coolant_c, &s.supply_c})
      (*list)[g] = weight[g] > 0 ? (*list)[g] / weight[g] : nan;
  }
  for (const auto& a : air_) {
    s.cold_c.push_back(a.block.state()[HallBlock::cold]);
    s.hot_c.push_back(a.block.state()[HallBlock::hot]);
  }
  record_loops(s);
  out_.watched.push_back(std::move(s));
}

void TimeRun::record_loops(TimeSample& s) const {
  const std::size_t n = basin_.size();
  std::vector<double> flow(n, 0), in(n, 0), back(n, 0);
  const auto add = [&](std::size_t l, double w, double in_c, double back_c) {
    if (l < n) flow[l] += w, in[l] += w * in_c, back[l] += w * back_c;
  };
  for (std::size_t u = 0; u < liquid_.size(); ++u) {
    if (liquid_[u].cooled <= 0) continue;
    const auto& x = liquid_[u].block.state();
    add(plan_.plant.groups[u].loop, liquid_[u].flow.water, x[CduBlock::in], x[CduBlock::back]);
  }
  for (std::size_t h = 0; h < air_.size(); ++h) {
    const auto& x = air_[h].block.state();
    add(plan_.plant.halls[h].loop, air_[h].flow.water, x[HallBlock::in], x[HallBlock::back]);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t l = 0; l < n; ++l) {
    s.water_in_c.push_back(flow[l] > 0 ? in[l] / flow[l] : nan);
    s.water_back_c.push_back(flow[l] > 0 ? back[l] / flow[l] : nan);
    s.basin_c.push_back(basin_[l] > far_c ? basin_[l] : nan);
  }
}

void TimeRun::conclude() {
  const PlantYear sums = sum_of(out_.hours);
  out_.energy = sums.energy, out_.water = sums.water;
  out_.pue_part = sums.pue_part, out_.wue_l_kwh = sums.wue_l_kwh, out_.erf = sums.erf;
  for (const auto r : plan_.rack_of) {
    out_.racks.push_back(peaks_[r]);
    const auto& p = peaks_[r];
    out_.throttled_rack_s += p.throttled_s;
    out_.lost_clock_rack_s += p.lost_clock_s;
    out_.trips += static_cast<std::size_t>(p.trips);
    out_.group_lost_s[plan_.units[plan_.racks[r].unit].group] += p.lost_clock_s;
  }
}

}  // namespace headroom::cooling
