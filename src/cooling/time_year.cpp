#include "cooling/time_year.hpp"

#include <algorithm>
#include <cmath>

#include "cooling/air.hpp"
#include "cooling/time_blocks.hpp"
#include "cooling/time_load.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;
using Tick = TimeSchedule::Tick;

constexpr double hour_s = 3600;
constexpr double air_volume_heat = (air_density * air_heat_capacity).si();
constexpr double stagnant_share = 0.1;  // of flow, where nothing moves (assumed)
constexpr double far_c = -273.15;
constexpr double still_k = 1e-9;

/// A liquid unit while it is stepped.
struct Liquid {
  CduBlock block;
  double cooled = 1;       // share of its heat into the liquid
  double conductance = 0;  // chips to coolant at design flow, W/K
  bool quiet = false;      // nothing moved in the last interval
  bool throttles = false;
  CduBlock::Flow flow;
  CduBlock::Heat heat;
  double hold_c = -1e9;
};

struct Air {
  HallBlock block;
  bool quiet = false;
  HallBlock::Flow flow;
  HallBlock::Heat heat;
  double hold_c = -1e9;
  std::vector<std::size_t> units;  // in air
  double servers_full_w = 0;
};

class Runner {
 public:
  Runner(const Plant& plant, const WeatherYear& weather, const TimeLoad& load,
         const TimeOptions& options)
      : given_(plant),
        weather_(weather),
        load_(load),
        options_(options),
        dt_(hour_s / std::round(std::clamp(hour_s / options.resolution_s, 1.0, hour_s))),
        per_hour_(static_cast<Tick>(std::lround(hour_s / dt_))),
        plan_(plan_racks(plant, load, options)),
        schedule_(load, dt_),
        solver_(std::make_unique<PlantSolver>(plan_.plant)) {}

  TimeYear run() {
    start();
    const Tick end = static_cast<Tick>(weather_.hours()) * per_hour_;
    out_.hours.reserve(weather_.hours());
    Stage stage(options_.progress, "hours of the year", weather_.hours());
    while (now_ < end) {
      stage.to(std::uint64_t(now_ / per_hour_));
      events();
      const Tick until = std::min(end, next_event());
      interval(until);
      now_ = until;
      if (watching()) record();
    }
    conclude();
    return std::move(out_);
  }

 private:
  // --- Building -----------------------------------------------------------------

  void start() {
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

  static void remember(std::vector<std::size_t>& list, std::size_t unit) {
    if (list.empty() || list.back() != unit) list.push_back(unit);
  }

  void make_units() {
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
      s.in = std::max(1.0,
                      g.exchanger.cold_design * (options_.loops.supply_s + options_.loops.store_s));
      s.back = std::max(1.0, g.exchanger.cold_design * options_.loops.return_s);
      l.block.start(s, solver_->loop_supply_c()[g.loop]);
    }
  }

  double or_rack(double given, double each, double racks) const {
    return given > 0 ? given : each * std::max(1.0, racks);
  }

  void make_halls() {
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
      const double water =
          hall.loop < given_.loops.size() ? solver_->loop_supply_c()[hall.loop] : 20;
      a.block.start(s, solver_->air_c()[h], water);
    }
  }

  /// The year starts at rest under its first hour.
  void settle() {
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

  // --- Events -------------------------------------------------------------------

  void events() {
    const std::size_t hour = static_cast<std::size_t>(now_ / per_hour_);
    if (now_ % per_hour_ == 0) {
      weather_at(hour);
      for (std::size_t u = 0; u < plan_.units.size(); ++u)
        if (profiled(plan_.units[u].group)) dirty_[u] = true;
    }
    if (now_ >= schedule_.next() || now_ == 0) {
      schedule_.move_to(now_);
      for (const auto j : schedule_.changed_jobs())
        for (const auto u : units_of_job_[j]) dirty_[u] = true;
      for (const auto o : schedule_.changed_outages())
        for (const auto u : units_of_outage_[o]) dirty_[u] = true;
    }
    for (const auto& change : load_.set_points)
      if (tick(change.at_s) == now_) set_point(change);
    for (std::size_t u = 0; u < dirty_.size(); ++u)
      if (dirty_[u]) load_unit(u, hour);
  }

  bool profiled(std::size_t g) const { return g < load_.hourly.size() && !load_.hourly[g].empty(); }
  Tick tick(double s) const { return static_cast<Tick>(std::llround(std::min(s / dt_, 9e15))); }

  void weather_at(std::size_t h) {
    in_.dry_bulb_c = weather_.dry_bulb_c[h];
    in_.wet_bulb_c = weather_.wet_bulb_c[h];
    in_.pressure_pa = weather_.pressure_pa[h];
    in_.humidity = weather_.humidity[h];
    in_.hour = h;
    losses_.resize(load_.losses.size());
    for (std::size_t i = 0; i < losses_.size(); ++i)
      losses_[i] = load_.losses[i][h % load_.losses[i].size()];
    in_.losses = losses_;
  }

  void set_point(const SetPointChange& change) {
    for (std::size_t u = 0; u < plan_.units.size(); ++u)
      if (plan_.units[u].group == change.group)
        plan_.plant.groups[u].supply.celsius = change.celsius;
    solver_ = std::make_unique<PlantSolver>(plan_.plant);
    changed_ = true;
  }

  void load_unit(std::size_t u, std::size_t hour) {
    const auto& unit = plan_.units[u];
    const double profile =
        profiled(unit.group) ? load_.hourly[unit.group][hour % load_.hourly[unit.group].size()] : 1;
    double sum = 0;
    for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
      const auto& rack = plan_.racks[r];
      demand_[r] =
          rack.full_w * std::clamp(rack.share * profile * schedule_.factor(rack), 0.0, 1.0);
      sum += demand_[r];
    }
    // Racks that a unit stands for all have the size of a listed one.
    const double listed = unit.full_w / std::max(1e-300, plan_.racks[unit.first].full_w);
    unit_demand_[u] = sum * listed / std::max<double>(1, double(unit.count));
    shares_[u] = unit.full_w > 0 ? unit_demand_[u] / unit.full_w : 0;
    dirty_[u] = false;
    changed_ = true;
    if (!liquid_.empty()) liquid_[u].quiet = false;
  }

  Tick next_event() const {
    Tick next = (now_ / per_hour_ + 1) * per_hour_;
    next = std::min(next, schedule_.next());
    for (const auto& change : load_.set_points)
      if (tick(change.at_s) > now_) next = std::min(next, tick(change.at_s));
    if (options_.watch_to_s > options_.watch_from_s) {
      const Tick from = tick(options_.watch_from_s), to = tick(options_.watch_to_s);
      if (now_ < from) next = std::min(next, from);
      if (now_ >= from && now_ < to) next = now_ + 1;
    }
    return std::max(next, now_ + 1);
  }

  // --- Conditions of an interval ---------------------------------------------------

  void solve() {
    in_.shares = shares_;
    steady_ = solver_->at(in_);
  }

  double basin_aim(std::size_t l) const {
    const double cold = solver_->loop_flow(l).tower_cold_c;
    return cold > far_c ? cold : basin_[l];
  }

  void drive() {
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

  bool condition_unit(std::size_t u) {
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

  bool condition_hall(std::size_t h) {
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

  // --- An interval ----------------------------------------------------------------

  void interval(Tick until) {
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

  BlockFlow step_unit(std::size_t u, std::uint32_t ticks) {
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

  /// Heat beyond the mean of the unit's racks, scaled to all of them.
  double more_w(std::size_t u, std::size_t r, double power, double mean) const {
    const double racks = plan_.units[u].full_w / plan_.racks[r].full_w;
    return (power * racks - mean) * liquid_[u].cooled;
  }

  bool may_throttle(std::size_t u) const {
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

  /// One exact step over the whole interval.
  BlockFlow coast(std::size_t u, std::uint32_t ticks) {
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

  bool move_rack(std::size_t u, std::size_t r, double power, double mean, std::uint32_t ticks) {
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

  /// Step by step at the resolution: racks decide their power each time, until nothing moves.
  BlockFlow creep(std::size_t u, std::uint32_t ticks) {
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

  bool waiting(std::size_t u, Tick at) const {
    const auto& unit = plan_.units[u];
    for (std::size_t r = unit.first; r < unit.first + unit.count; ++r)
      if (off_until_[r] > at) return true;
    return false;
  }

  double allowed(std::size_t u, std::size_t r, Tick at) {
    const double chip = liquid_[u].block.state()[CduBlock::chip] + chip_[r];
    if (off_until_[r] > at) return 0;
    if (chip >= options_.throttle.shutdown_c) {
      off_until_[r] = at + tick(options_.restart_s);
      ++peaks_[r].trips;
      return 0;
    }
    return std::min(demand_[r], power_share(options_.throttle, chip) * plan_.racks[r].full_w);
  }

  void note_loss(std::size_t r, double seconds) {
    if (power_[r] >= demand_[r] * (1 - 1e-9)) return;
    const double full = plan_.racks[r].full_w;
    const double wanted = clock_share(options_.throttle, demand_[r] / full);
    const double clock = clock_share(options_.throttle, power_[r] / full);
    peaks_[r].throttled_s += seconds;
    peaks_[r].lost_clock_s += wanted > 0 ? seconds * (1 - clock / wanted) : 0;
  }

  BlockFlow step_hall(std::size_t h, std::uint32_t ticks) {
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

  bool move_servers(Air& a, double seconds) {
    const double full = std::max(1e-300, a.servers_full_w);
    double mean = 0;
    for (const auto u : a.units) mean += unit_demand_[u];
    mean /= full;
    const double left = std::exp(-a.block.server_rate() * seconds);
    bool still = true;
    for (const auto u : a.units) {
      const auto& unit = plan_.units[u];
      for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
        const double aim =
            options_.server_above_air_k * (demand_[r] / plan_.racks[r].full_w - mean);
        chip_[r] = aim + (chip_[r] - aim) * left;
        still = still && std::abs(chip_[r] - aim) < still_k;
        peaks_[r].chip_c =
            std::max(peaks_[r].chip_c, a.block.state()[HallBlock::server] + chip_[r]);
        peaks_[r].coolant_c = std::max(peaks_[r].coolant_c, a.block.state()[HallBlock::cold]);
      }
    }
    return still;
  }

  // --- Accounts -----------------------------------------------------------------

  void account(double h, double it_j, double stored) {
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

  /// Heat the basins keep, taken off what towers reject.
  double fill_basins(HourState& s, double h) {
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

  void add_hour(const HourState& s, double h) {
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

  bool watching() const {
    return options_.watch_to_s > options_.watch_from_s && now_ > tick(options_.watch_from_s) &&
           now_ <= tick(options_.watch_to_s);
  }

  void record() {
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

  void record_loops(TimeSample& s) const {
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

  void conclude() {
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

  using Member = double HourState::*;
  static constexpr Member flows[] = {&HourState::it_w,
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
  static constexpr Member worst[] = {
      &HourState::short_k,         &HourState::warmest_supply_c, &HourState::warmest_coolant_c,
      &HourState::warmest_inlet_c, &HourState::chip_c,           &HourState::tower_cold_c};

  const Plant& given_;
  const WeatherYear& weather_;
  const TimeLoad& load_;
  const TimeOptions& options_;
  double dt_;
  Tick per_hour_;
  TimePlan plan_;
  TimeSchedule schedule_;
  std::unique_ptr<PlantSolver> solver_;
  HourInput in_;
  HourState steady_;
  Tick now_ = 0;
  bool changed_ = true;
  // Of each rack that is stepped.
  std::vector<double> demand_, power_;  // W, one rack
  std::vector<double> chip_, coolant_;  // K from the mean of its unit
  std::vector<Tick> off_until_;
  std::vector<RackPeak> peaks_;
  // Of each unit.
  std::vector<double> unit_demand_, unit_power_, shares_, air_w_;
  std::vector<bool> dirty_;
  std::vector<std::vector<std::size_t>> units_of_job_, units_of_outage_;
  std::vector<Liquid> liquid_;
  std::vector<Air> air_;
  std::vector<LoopDrive> drives_;
  std::vector<double> basin_, loop_j_, carried_, losses_;
  TimeYear out_;
};

}  // namespace

TimeYear time_year(const Plant& plant, const WeatherYear& weather, const TimeLoad& load,
                   const TimeOptions& options) {
  return Runner(plant, weather, load, options).run();
}

}  // namespace headroom::cooling
