// What drives blocks between two events, and how they and their racks move.
#include <algorithm>
#include <cmath>

#include "cooling/time_run.hpp"

namespace headroom::cooling {
using catalog::CoolingFamily;

namespace {

constexpr double stagnant_share = 0.1;  // of flow, where nothing moves (assumed)
constexpr double still_k = 1e-9;

}  // namespace

// --- Conditions of an interval ---

void TimeRun::solve() {
  in_.shares = shares_;
  steady_ = solver_->at(in_);
}

double TimeRun::basin_aim(std::size_t l) const {
  const double cold = solver_->loop_flow(l).tower_cold_c;
  return cold > far_c ? cold : basin_[l];
}

void TimeRun::drive() {
  drives_.assign(given_.loops.size(), {});
  for (std::size_t l = 0; l < drives_.size(); ++l) {
    const auto& loop = plan_.plant.loops[l];
    auto& d = drives_[l];
    d.hold_c = solver_->loop_supply_c()[l];
    d.basin_rate = 1 / std::max(dt_, options_.loops.basin_s);
    const bool follows = loop.tower.water > 0 && loop.chillers.capacity_w <= 0 &&
                         d.hold_c > loop.supply.celsius + 1e-6;
    if (basin_[l] <= far_c) basin_[l] = basin_aim(l);
    d.follows_basin = follows ? 1 : 0;
    d.basin_off_k = follows ? basin_[l] - basin_aim(l) : 0;
  }
}

bool TimeRun::condition_unit(std::size_t u) {
  auto& l = liquid_[u];
  if (l.cooled <= 0) return true;
  const auto& g = plan_.plant.groups[u];
  const auto& d = drives_[g.loop];
  const auto f = solver_->liquid(u);
  CduBlock::Flow flow;
  flow.boils = g.family == CoolingFamily::two_phase;
  flow.hot = f.hot, flow.water = f.water;
  const double entering = solver_->coolant_c()[u] + (f.hot > 0 ? f.heat_w / f.hot : 0);
  const double lift = entering - d.hold_c;
  flow.cdu = f.heat_w > 0 && lift > 0 ? f.heat_w / lift : 0;
  const double full = g.racks * g.rack_w * g.liquid_share / g.design_rise_k;
  const bool film = g.family != CoolingFamily::rear_door && !flow.boils && full > 0;
  const double share = film ? std::max(stagnant_share, f.hot / full) : 1;
  flow.plates = l.conductance * std::pow(share, g.chip.exponent);
  CduBlock::Heat heat;
  heat.chips_w = unit_demand_[u] * l.cooled;
  heat.coolant_w = std::max(0.0, f.heat_w - heat.chips_w);
  const bool same =
      l.quiet && flow == l.flow && heat == l.heat && d.hold_c == l.hold_c && d.follows_basin == 0;
  if (same) return true;
  l.flow = flow, l.heat = heat, l.hold_c = d.hold_c;
  l.block.condition(flow, heat, d, dt_);
  l.quiet = false;
  return false;
}

bool TimeRun::condition_hall(std::size_t h) {
  auto& a = air_[h];
  const auto& hall = plan_.plant.halls[h];
  const bool wet = hall.loop < drives_.size();
  const LoopDrive d = wet ? drives_[hall.loop] : LoopDrive{};
  const auto flow_now = solver_->hall_air(h);
  const auto coil = solver_->coil(h);
  HallBlock::Heat heat;
  double in_air = 0, demand = 0;
  for (const auto u : hall.groups) {
    in_air += air_w_[u];
    demand += unit_demand_[u] * (1 - liquid_[u].cooled);
  }
  for (const auto u : a.units) heat.servers_w += air_w_[u];
  heat.hot_w = in_air - heat.servers_w + std::max(0.0, flow_now.heat_w - demand);
  HallBlock::Flow flow;
  flow.air = flow_now.air, flow.water = coil.water;
  if (flow_now.heat_w > 0 && flow_now.air > 0) {
    flow.carried = std::clamp(flow_now.carried_w / flow_now.heat_w, 0.0, 1.0);
    flow.carried_c = solver_->air_c()[h];
    const double lift = flow.carried_c + flow_now.heat_w / flow_now.air - d.hold_c;
    flow.coil = coil.heat_w > 0 && lift > 0 ? coil.heat_w / lift : 0;
  }
  if (a.quiet && flow == a.flow && heat == a.heat && d.hold_c == a.hold_c && d.follows_basin == 0)
    return true;
  a.flow = flow, a.heat = heat, a.hold_c = d.hold_c;
  a.block.condition(flow, heat, d, dt_);
  a.quiet = false;
  return false;
}

// --- An interval ---

void TimeRun::interval(Tick until) {
  const auto ticks = static_cast<std::uint32_t>(until - now_);
  const double h = ticks * dt_;
  ++out_.intervals;
  if (now_ % per_hour_ == 0 || changed_) solve();
  changed_ = false;
  drive();
  loop_j_.assign(given_.loops.size(), 0);
  carried_.assign(air_.size(), 0);
  double stored = 0, it_j = 0;
  for (std::size_t u = 0; u < liquid_.size(); ++u) {
    const double before = unit_demand_[u];
    unit_power_[u] = before;
    if (liquid_[u].cooled > 0) {
      const auto flow = step_unit(u, ticks);
      loop_j_[plan_.plant.groups[u].loop] += flow.to_loop_j;
      stored += flow.stored_j;
    }
    it_j += unit_power_[u] * h;
    air_w_[u] = unit_power_[u] * (1 - liquid_[u].cooled);
  }
  for (std::size_t a = 0; a < air_.size(); ++a) {
    const auto flow = step_hall(a, ticks);
    const auto loop = plan_.plant.halls[a].loop;
    if (loop < loop_j_.size()) loop_j_[loop] += flow.to_loop_j;
    carried_[a] = flow.carried_j / h;
    stored += flow.stored_j;
  }
  account(h, it_j, stored);
}

BlockFlow TimeRun::step_unit(std::size_t u, std::uint32_t ticks) {
  auto& l = liquid_[u];
  if (condition_unit(u)) {
    ++out_.skipped;
    BlockFlow flow;
    flow.to_loop_j = l.flow.water * (l.block.state()[CduBlock::back] - l.hold_c) * ticks * dt_;
    return flow;
  }
  if (l.throttles && may_throttle(u)) return creep(u, ticks);
  return coast(u, ticks);
}

double TimeRun::more_w(std::size_t u, std::size_t r, double power, double mean) const {
  const double racks = plan_.units[u].full_w / plan_.racks[r].full_w;
  return (power * racks - mean) * liquid_[u].cooled;
}

bool TimeRun::may_throttle(std::size_t u) const {
  const auto& l = liquid_[u];
  const auto& unit = plan_.units[u];
  const auto aim = l.block.steady();
  const auto& now = l.block.state();
  double above = 0;
  for (const auto s : {CduBlock::in, CduBlock::chip, CduBlock::coolant, CduBlock::supply})
    above = std::max(above, now[s] - aim[s]);
  const Row<2> each = l.block.difference(1);
  double hottest = far_c;
  for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
    const double more = more_w(u, r, demand_[r], unit_demand_[u]);
    const double off = std::max({0.0, chip_[r] - each[0] * more, coolant_[r] - each[1] * more});
    hottest = std::max(hottest, aim[CduBlock::chip] + each[0] * more + above + off);
    if (off_until_[r] > now_) return true;
  }
  return hottest > options_.throttle.throttle_c;
}

BlockFlow TimeRun::coast(std::size_t u, std::uint32_t ticks) {
  auto& l = liquid_[u];
  ++out_.steps;
  const auto flow = l.block.advance(ticks);
  const auto& unit = plan_.units[u];
  bool still = true;
  for (std::size_t r = unit.first; r < unit.first + unit.count; ++r)
    still = move_rack(u, r, demand_[r], unit_demand_[u], ticks) && still;
  l.quiet = still && l.block.still();
  return flow;
}

bool TimeRun::move_rack(std::size_t u, std::size_t r, double power, double mean,
                        std::uint32_t ticks) {
  auto& l = liquid_[u];
  const auto& x = l.block.state();
  bool still = true;
  if (plan_.units[u].count > 1) {
    const auto each = l.block.difference(more_w(u, r, power, mean));
    l.block.approach(chip_[r], coolant_[r], each, ticks);
    still = std::abs(chip_[r] - each[0]) < still_k && std::abs(coolant_[r] - each[1]) < still_k;
  }
  auto& peak = peaks_[r];
  peak.chip_c = std::max(peak.chip_c, x[CduBlock::chip] + chip_[r]);
  peak.coolant_c = std::max(peak.coolant_c, x[CduBlock::coolant] + coolant_[r]);
  power_[r] = power;
  return still;
}

BlockFlow TimeRun::creep(std::size_t u, std::uint32_t ticks) {
  auto& l = liquid_[u];
  const auto& unit = plan_.units[u];
  BlockFlow sum;
  double energy = 0;
  std::uint32_t left = ticks;
  bool still = false;
  while (left > 0) {
    const Tick at = now_ + (ticks - left);
    bool same = true;
    double mean = 0;
    for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
      const double power = allowed(u, r, at);
      same = same && std::abs(power - power_[r]) < 1e-9 * plan_.racks[r].full_w;
      power_[r] = power;
      mean += power;
    }
    mean *= unit.full_w / plan_.racks[unit.first].full_w / double(unit.count);
    auto heat = l.heat;
    heat.chips_w = mean * l.cooled;
    l.block.condition(l.flow, heat, drives_[plan_.plant.groups[u].loop], dt_);
    const std::uint32_t step = same && still && !waiting(u, at) ? left : 1;
    const auto flow = l.block.advance(step);
    ++out_.fine_steps;
    sum.to_loop_j += flow.to_loop_j, sum.stored_j += flow.stored_j;
    energy += mean * step * dt_;
    still = true;
    for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
      still = move_rack(u, r, power_[r], mean, step) && still;
      note_loss(r, step * dt_);
    }
    still = still && l.block.still();
    left -= step;
  }
  unit_power_[u] = energy / (ticks * dt_);
  l.quiet = false;
  return sum;
}

bool TimeRun::waiting(std::size_t u, Tick at) const {
  const auto& unit = plan_.units[u];
  for (std::size_t r = unit.first; r < unit.first + unit.count; ++r)
    if (off_until_[r] > at) return true;
  return false;
}

double TimeRun::allowed(std::size_t u, std::size_t r, Tick at) {
  const double chip = liquid_[u].block.state()[CduBlock::chip] + chip_[r];
  if (off_until_[r] > at) return 0;
  if (chip >= options_.throttle.shutdown_c) {
    off_until_[r] = at + tick(options_.restart_s);
    ++peaks_[r].trips;
    return 0;
  }
  return std::min(demand_[r], power_share(options_.throttle, chip) * plan_.racks[r].full_w);
}

void TimeRun::note_loss(std::size_t r, double seconds) {
  if (power_[r] >= demand_[r] * (1 - 1e-9)) return;
  const double full = plan_.racks[r].full_w;
  const double wanted = clock_share(options_.throttle, demand_[r] / full);
  const double clock = clock_share(options_.throttle, power_[r] / full);
  peaks_[r].throttled_s += seconds;
  peaks_[r].lost_clock_s += wanted > 0 ? seconds * (1 - clock / wanted) : 0;
}

BlockFlow TimeRun::step_hall(std::size_t h, std::uint32_t ticks) {
  auto& a = air_[h];
  if (condition_hall(h)) {
    ++out_.skipped;
    BlockFlow flow;
    const auto& x = a.block.state();
    const double s = ticks * dt_;
    flow.to_loop_j = a.flow.water * (x[HallBlock::back] - a.hold_c) * s;
    flow.carried_j = a.flow.air * a.flow.carried * (x[HallBlock::hot] - a.flow.carried_c) * s;
    return flow;
  }
  ++out_.steps;
  const auto flow = a.block.advance(ticks);
  a.quiet = a.block.still() && move_servers(a, ticks * dt_);
  return flow;
}

bool TimeRun::move_servers(Air& a, double seconds) {
  const double full = std::max(1e-300, a.servers_full_w);
  double mean = 0;
  for (const auto u : a.units) mean += unit_demand_[u];
  mean /= full;
  const double left = std::exp(-a.block.server_rate() * seconds);
  bool still = true;
  for (const auto u : a.units) {
    const auto& unit = plan_.units[u];
    for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
      const double aim = options_.server_above_air_k * (demand_[r] / plan_.racks[r].full_w - mean);
      chip_[r] = aim + (chip_[r] - aim) * left;
      still = still && std::abs(chip_[r] - aim) < still_k;
      peaks_[r].chip_c = std::max(peaks_[r].chip_c, a.block.state()[HallBlock::server] + chip_[r]);
      peaks_[r].coolant_c = std::max(peaks_[r].coolant_c, a.block.state()[HallBlock::cold]);
    }
  }
  return still;
}

}  // namespace headroom::cooling
