#include "cooling/time_year.hpp"

#include <algorithm>
#include <cmath>

#include "cooling/time_run.hpp"

namespace headroom::cooling {

TimeYear TimeRun::run() {
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

void TimeRun::events() {
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

void TimeRun::weather_at(std::size_t h) {
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

void TimeRun::set_point(const SetPointChange& change) {
  for (std::size_t u = 0; u < plan_.units.size(); ++u)
    if (plan_.units[u].group == change.group) plan_.plant.groups[u].supply.celsius = change.celsius;
  solver_ = std::make_unique<PlantSolver>(plan_.plant);
  changed_ = true;
}

void TimeRun::load_unit(std::size_t u, std::size_t hour) {
  const auto& unit = plan_.units[u];
  const double profile =
      profiled(unit.group) ? load_.hourly[unit.group][hour % load_.hourly[unit.group].size()] : 1;
  double sum = 0;
  for (std::size_t r = unit.first; r < unit.first + unit.count; ++r) {
    const auto& rack = plan_.racks[r];
    demand_[r] = rack.full_w * std::clamp(rack.share * profile * schedule_.factor(rack), 0.0, 1.0);
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

TimeRun::Tick TimeRun::next_event() const {
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

TimeYear time_year(const Plant& plant, const WeatherYear& weather, const TimeLoad& load,
                   const TimeOptions& options) {
  return TimeRun(plant, weather, load, options).run();
}

}  // namespace headroom::cooling
