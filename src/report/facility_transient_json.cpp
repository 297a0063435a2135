#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/facility_transient.hpp"
#include "report/parts.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::TransientAnswer;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json used(const power::Used& u) {
  return {{"value", number(u.si)}, {"source", u.source}, {"given", u.given}};
}

Json measures(const power::Measures& m) {
  return {{"mean_w", number(m.mean_w)},
          {"peak_w", number(m.peak_w)},
          {"trough_w", number(m.trough_w)},
          {"range_over_mean", number(m.range())},
          {"ramp_second_w_per_s", number(m.ramp_second_w_s)},
          {"ramp_minute_w_per_s", number(m.ramp_minute_w_s)}};
}

Json spectrum(const power::Spectrum& s) {
  Json lines = Json::array();
  for (const auto& l : s.lines)
    lines.push_back({{"hz", number(l.hz)}, {"amplitude_w", number(l.amplitude_w)}});
  return {{"low_hz", number(s.low_hz)},
          {"high_hz", number(s.high_hz)},
          {"band_rms_w", number(s.band_rms_w)},
          {"total_rms_w", number(s.total_rms_w)},
          {"lines", lines}};
}

Json judged(const power::Judged& j) {
  Json out = measures(j.measures);
  out["spectrum"] = spectrum(j.spectrum);
  return out;
}

/// Mean, lowest and highest of each group of samples.
Json coarse(const power::Series& series, double dt, std::size_t points) {
  const std::size_t group = std::max<std::size_t>(1, (series.size() + points - 1) / points);
  Json mean = Json::array(), low = Json::array(), high = Json::array();
  for (std::size_t k = 0; k + group <= series.size(); k += group) {
    double sum = 0, least = series[k], most = series[k];
    for (std::size_t i = k; i < k + group; ++i)
      sum += series[i], least = std::min(least, series[i]), most = std::max(most, series[i]);
    mean.push_back(sum / double(group)), low.push_back(least), high.push_back(most);
  }
  return {{"step_s", dt * double(group)}, {"mean_w", mean}, {"low_w", low}, {"high_w", high}};
}

Json window(const study::TransientWindow& w, std::size_t points) {
  return {{"sample_s", w.dt_s},
          {"samples", w.load.size()},
          {"load", coarse(w.load, w.dt_s, points)},
          {"grid", coarse(w.grid, w.dt_s, points)}};
}

Json loads(const TransientAnswer& a) {
  Json out = Json::array();
  for (const auto& l : a.loads) {
    Json parts = Json::array();
    for (const auto& [name, seconds] : l.parts)
      parts.push_back({{"part", name}, {"seconds", number(seconds)}});
    out.push_back({{"workload", l.name},
                   {"kind", l.kind},
                   {"gpus", number(l.gpus)},
                   {"mean_w", number(l.mean_w)},
                   {"peak_w", number(l.peak_w)},
                   {"trough_w", number(l.trough_w)},
                   {"gpu_busy_w", number(l.busy_w)},
                   {"gpu_wait_w", number(l.wait_w)},
                   {"wait_share", number(l.wait_share)},
                   {"period_s", number(l.period_s)},
                   {"save_every_s", number(l.save_every_s)},
                   {"stall_s", number(l.stall_s)},
                   {"step", parts}});
  }
  return out;
}

Json margins(const TransientAnswer& a) {
  Json out = Json::array();
  for (const auto& m : a.margins) {
    Json remedies = Json::array();
    for (const auto& r : m.remedies) {
      Json one{{"action", r.action}};
      if (r.cost) one["cost_usd"] = number(r.cost->si());
      remedies.push_back(one);
    }
    out.push_back({{"id", m.id},
                   {"limit", m.limit},
                   {"need", number(in_unit(m.need, m.unit))},
                   {"have", number(in_unit(m.have, m.unit))},
                   {"unit", m.unit},
                   {"headroom", number(m.headroom())},
                   {"holds", m.holds()},
                   {"why", m.why},
                   {"remedies", remedies}});
  }
  return out;
}

Json filters(const TransientAnswer& a) {
  Json out = Json::array();
  for (const auto& f : a.filters)
    out.push_back({{"filter", f.key},
                   {"what", f.what},
                   {"range_w", number(f.range_w)},
                   {"line_w", number(f.line_w)},
                   {"ramp_second_w_per_s", number(f.ramp_second_w_s)},
                   {"burned_w", number(f.burned_w)},
                   {"loss_w", number(f.loss_w)},
                   {"capacity_j", number(f.capacity_j)},
                   {"swing_j", number(f.swing_j)},
                   {"most_w", number(f.most_w)},
                   {"saturated", number(f.saturated)},
                   {"tau_s", number(f.tau_s)},
                   {"usd_year", number(f.usd_year)}});
  return out;
}

Json plans(const TransientAnswer& a) {
  Json out = Json::array();
  for (const auto& p : a.plans) {
    Json one{{"plan", p.key},
             {"what", p.what},
             {"met", p.met},
             {"misses", p.misses},
             {"floor", number(p.floor)},
             {"burned_w", number(p.burned_w)},
             {"range_w", number(p.range_w)},
             {"line_w", number(p.line_w)},
             {"ramp_second_w_per_s", number(p.ramp_second_w_s)},
             {"kwh_year", number(p.kwh_year)},
             {"capital_usd", number(p.usd)},
             {"usd_year", number(p.usd_year)}};
    if (!p.storage_key.empty())
      one["storage"] = {{"kind", p.storage_key},
                        {"tau_s", number(p.storage.tau_s)},
                        {"swing_j", number(p.storage.swing_j)},
                        {"capacity_j", number(p.storage.capacity_j)},
                        {"power_w", number(p.storage.most_w)},
                        {"loss_w", number(p.storage.loss_w)},
                        {"cycles_year", number(p.storage.cycles_year)}};
    out.push_back(one);
  }
  return out;
}

Json ride(const TransientAnswer& a) {
  const auto& r = a.ride;
  Json sags = Json::array(), events = Json::array(), knots = Json::array();
  for (const auto& s : a.sags)
    sags.push_back({{"at_s", s.at_s}, {"residual", s.residual}, {"duration_s", s.duration_s}});
  for (const auto& e : r.events) events.push_back({{"at_s", e.at_s}, {"what", e.what}});
  for (const auto& k : r.knots)
    knots.push_back({k.at_s, k.grid_w, k.battery_w, k.generator_w, k.unserved_w});
  return {{"sags", sags},
          {"sags_given", a.sags_given},
          {"load_w", number(r.load_w)},
          {"left_w", number(r.left_w)},
          {"left_at_s", number(r.left_at_s)},
          {"return_w_per_s", number(r.return_w_s)},
          {"away_s", number(r.away_s)},
          {"until_s", number(r.until_s)},
          {"latched", r.latched},
          {"latched_at_sag", r.latched_at_sag},
          {"transfers", r.transfers},
          {"battery_used_j", number(r.battery_used_j)},
          {"unserved_j", number(r.unserved_j)},
          {"machines_fell", r.it_lost},
          {"cooling_fell", r.mechanical_lost},
          {"lost_gpu_s", number(a.lost_gpu_s)},
          {"lost_usd", a.price_origin.empty() ? Json(nullptr) : number(a.lost_usd)},
          {"imbalance", number(r.imbalance)},
          {"events", events},
          {"knots_t_grid_battery_generator_unserved", knots}};
}

}  // namespace

std::string transient_json(const TransientAnswer& a, std::size_t points) {
  Json assumed = Json::array();
  for (const auto& [label, u] : a.assumptions) {
    Json one = used(u);
    one["what"] = label;
    assumed.push_back(one);
  }
  Json waits = Json::array();
  for (const auto& w : a.wait_range)
    waits.push_back({{"wait_share", w.share},
                     {"range_w", number(w.range_w)},
                     {"line_w", number(w.line_w)},
                     {"ramp_second_w_per_s", number(w.ramp_second_w_s)}});
  const auto& l = a.limits;
  const Json out{{"scenario", a.scenario},
                 {"holds", a.holds()},
                 {"rating_w", number(l.rating_w)},
                 {"rating_origin", a.rating_origin},
                 {"it_mean_w", number(a.it_mean_w)},
                 {"meter_mean_w", number(a.meter_mean_w)},
                 {"meter_slope", number(a.slope)},
                 {"constant_w", number(a.constant_w)},
                 {"loads", loads(a)},
                 {"limits",
                  {{"ramp_minute_w_per_s", used(l.ramp_minute_w_s)},
                   {"ramp_second_w_per_s", used(l.ramp_second_w_s)},
                   {"range_w", used(l.range_w)},
                   {"line_w", used(l.line_w)},
                   {"band_low_hz", used(l.low_hz)},
                   {"band_high_hz", used(l.high_hz)},
                   {"generator_step", used(l.generator_step)}}},
                 {"margins", margins(a)},
                 {"steady", judged(a.raw)},
                 {"steady_behind", judged(a.behind)},
                 {"if_waiting_drew", waits},
                 {"events", measures(a.events_raw)},
                 {"events_behind", measures(a.events_behind)},
                 {"flicker_pst", a.flicker < 0 ? Json(nullptr) : number(a.flicker)},
                 {"flicker_pst_behind", a.flicker < 0 ? Json(nullptr) : number(a.flicker_behind)},
                 {"filters", filters(a)},
                 {"imbalance", number(a.imbalance)},
                 {"plans", plans(a)},
                 {"ramp",
                  {{"w_per_s", number(a.ramp.w_s)},
                   {"step_w", number(a.ramp.step_w)},
                   {"seconds", number(a.ramp.seconds)},
                   {"burned_j", number(a.ramp.burned_j)},
                   {"storage_j", number(a.ramp.storage_j)},
                   {"with", a.ramp.with},
                   {"behind", a.ramp.with.empty() ? Json(nullptr) : measures(a.ramp.behind)}}},
                 {"ride_through", ride(a)},
                 {"steady_window", window(a.steady, points)},
                 {"events_window", window(a.events, points)},
                 {"assumed", assumed},
                 {"remarks", a.remarks}};
  return out.dump(2) + "\n";
}

std::string transient_csv(const TransientAnswer& a) {
  std::string out = "window,t_s,load_w,grid_w\n";
  auto to = std::back_inserter(out);
  const auto rows = [&](const char* name, const study::TransientWindow& w) {
    for (std::size_t k = 0; k < w.load.size(); ++k)
      fmt::format_to(to, "{},{:.3f},{:.1f},{:.1f}\n", name, double(k) * w.dt_s, w.load[k],
                     w.grid[k]);
  };
  rows("steady", a.steady), rows("events", a.events);
  return out;
}

}  // namespace headroom::report
