#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/facility_chain.hpp"
#include "report/facility_report.hpp"
#include "report/facility_time.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::FacilityAnswer;
using study::FacilityItem;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json celsius(double v) { return v < -200 ? Json(nullptr) : number(v); }
Json moment(double s) { return s < 0 ? Json(nullptr) : number(s); }

Json items(const std::vector<FacilityItem>& list) {
  Json out = Json::object();
  for (const auto& item : list) out[item.key] = number(item.amount);
  return out;
}

Json months(const FacilityAnswer& a) {
  Json out = Json::array();
  for (std::size_t m = 0; m < a.months.size(); ++m) {
    const auto& x = a.months[m];
    out.push_back({{"month", m + 1},
                   {"pue", number(x.pue())},
                   {"it_j", number(x.it_j)},
                   {"meter_j", number(x.meter_j)},
                   {"cooling_j", number(x.cooling_j)},
                   {"loss_j", number(x.loss_j)},
                   {"water_kg", number(x.water_kg)},
                   {"carbon_kg", a.carbon_origin.empty() ? Json(nullptr) : number(x.carbon_kg)},
                   {"chiller_h", number(x.chiller_h)},
                   {"warmest_wet_bulb_c", celsius(x.warmest_wet_bulb_c)},
                   {"peak_meter_w", number(x.peak_meter_w)}});
  }
  return out;
}

Json days(const FacilityAnswer& a) {
  Json out = Json::array();
  for (const auto& d : a.days)
    out.push_back({{"day", d.label},
                   {"dry_bulb_c", number(d.dry_bulb_c)},
                   {"wet_bulb_c", number(d.wet_bulb_c)},
                   {"cooling_w", number(d.cooling_w)},
                   {"heat_w", number(d.heat_w)},
                   {"water_kg_s", number(d.water_kg_s)},
                   {"short_k", number(d.short_k)},
                   {"compressor", d.compressor}});
  return out;
}

Json year(const FacilityAnswer& a) {
  if (!a.has_year) return nullptr;
  return {{"pue", number(a.pue)},
          {"pue_boundary", a.boundary},
          {"pue_of_check", number(a.check_pue)},
          {"wue_l_per_kwh", number(a.wue_l_kwh)},
          {"erf", number(a.erf)},
          {"ref", number(a.ref)},
          {"it_lowest_w", number(a.it_low_w)},
          {"it_highest_w", number(a.it_high_w)},
          {"limits", facility_limits_json(a)},
          {"time_domain", facility_time_json(a)},
          {"hours", a.hours.size()},
          {"chiller_free_h", number(a.chiller_free_h)},
          {"short_h", number(a.short_h)},
          {"worst_short_k", number(a.worst_short_k)},
          {"carbon_kg", a.carbon_origin.empty() ? Json(nullptr) : number(a.carbon_kg)},
          {"carbon_mean_kg", a.carbon_origin.empty() ? Json(nullptr) : number(a.carbon_mean_kg)},
          {"carbon_origin", a.carbon_origin},
          {"meter_j", number(a.meter_j)},
          {"it_j", number(a.it_j)},
          {"energy_in_j", items(a.energy)},
          {"heat_out_j", items(a.heat)},
          {"imbalance", number(a.imbalance)},
          {"worst_hour_imbalance", number(a.worst_imbalance)},
          {"water_by_use_kg", items(a.water)},
          {"water_by_source_kg", items(a.water_sources)},
          {"peak_day_water_kg", number(a.peak_day_water_kg)},
          {"peak_meter_w", number(a.peak_meter_w)},
          {"peak_hour", a.peak_hour},
          {"peak_cooling_w", number(a.peak_cooling_w)},
          {"warmest_coolant_c", celsius(a.warmest_coolant_c)},
          {"warmest_inlet_c", celsius(a.warmest_inlet_c)},
          {"warmest_supply_c", celsius(a.warmest_supply_c)},
          {"design_days", days(a)},
          {"months", months(a)}};
}

Json racks(const study::FacilityWalk& w, const study::HallLoss& hall) {
  Json out = Json::array();
  for (const auto& r : hall.groups) {
    const auto& g = w.walk.groups[r.group];
    out.push_back({{"racks_of", r.name},
                   {"racks", number(r.racks)},
                   {"rack_w", number(r.rack_w)},
                   {"gpus", number(r.gpus)},
                   {"throttle_at_s", moment(r.throttle_at_s)},
                   {"shutdown_at_s", moment(r.shutdown_at_s)},
                   {"lowest_power", number(r.lowest_power)},
                   {"hottest_chip_c", r.has_chip ? number(r.hottest_chip_c) : Json(nullptr)},
                   {"hottest_coolant_c", r.liquid ? number(r.hottest_coolant_c) : Json(nullptr)},
                   {"power", g.power},
                   {"chip_c", r.has_chip ? Json(g.chip_c) : Json(nullptr)},
                   {"coolant_c", r.liquid ? Json(g.coolant_c) : Json(nullptr)}});
  }
  return out;
}

/// Power of a hall over its full load: its racks' by their watts, step by step.
std::vector<double> power_of(const study::FacilityWalk& w, const study::HallLoss& hall) {
  std::vector<double> out;
  double full = 0;
  for (const auto& r : hall.groups) {
    const auto& power = w.walk.groups[r.group].power;
    out.resize(power.size());
    for (std::size_t k = 0; k < power.size(); ++k) out[k] += power[k] * r.racks * r.rack_w;
    full += r.racks * r.rack_w;
  }
  for (double& x : out) x /= full > 0 ? full : 1;
  return out;
}

Json halls(const study::FacilityWalk& w) {
  Json out = Json::array();
  for (std::size_t i = 0; i < w.halls.size(); ++i) {
    const auto& h = w.halls[i];
    out.push_back({{"hall", h.scope},
                   {"gpus", number(h.gpus)},
                   {"throttle_at_s", moment(h.throttle_at_s)},
                   {"shutdown_at_s", moment(h.shutdown_at_s)},
                   {"lowest_power", number(h.lowest_power)},
                   {"dropped_at_s", moment(h.dropped_at_s)},
                   {"dropped_share", number(h.dropped_share)},
                   {"lost_gpu_s", number(h.lost_gpu_s)},
                   {"hottest_chip_c", h.has_chip ? number(h.hottest_chip_c) : Json(nullptr)},
                   {"hottest_coolant_c", h.liquid ? number(h.hottest_coolant_c) : Json(nullptr)},
                   {"hottest_inlet_c", number(h.hottest_inlet_c)},
                   {"power", power_of(w, h)},
                   {"inlet_c", w.walk.inlet_c[i]},
                   {"racks", racks(w, h)}});
  }
  return out;
}

Json walk(const FacilityAnswer& a) {
  if (!a.walk) return nullptr;
  const auto& w = *a.walk;
  Json work = Json::array();
  for (const auto& x : w.work)
    work.push_back({{"workload", x.name}, {"tokens_lost", number(x.tokens)}});
  return {{"lost", w.lost},
          {"hour", w.hour},
          {"dry_bulb_c", number(w.dry_bulb_c)},
          {"wet_bulb_c", number(w.wet_bulb_c)},
          {"horizon_s", number(w.horizon_s)},
          {"back_s", w.back_s > 0 ? number(w.back_s) : Json(nullptr)},
          {"step_s", number(w.walk.control_s)},
          {"recovered", w.recovered},
          {"lost_gpu_s", number(w.lost_gpu_s)},
          {"usd_lost", w.price_origin.empty() ? Json(nullptr) : number(w.usd)},
          {"price", w.price_origin},
          {"work", work},
          {"imbalance", number(w.walk.worst_imbalance)},
          {"power", chain_walk_json(a)},
          {"halls", halls(w)},
          {"loop_supply_c", w.walk.supply_c}};
}

}  // namespace

std::string facility_json(const FacilityAnswer& a) {
  Json nodes = Json::array();
  for (const auto& n : a.nodes) nodes.push_back({{"name", n.name}, {"what", n.what}});
  const Json out{{"scenario", a.scenario},
                 {"halls", a.halls},
                 {"holds", a.holds()},
                 {"weather", a.weather},
                 {"warmer_k", number(a.warmer_k)},
                 {"it_max_w", number(a.it_max_w)},
                 {"it_mean_w", number(a.it_mean_w)},
                 {"year", year(a)},
                 {"failure", walk(a)},
                 {"chain", chain_json(a, a.show_chain)},
                 {"nodes", nodes},
                 {"remarks", a.remarks}};
  return out.dump(2) + "\n";
}

std::string facility_csv(const FacilityAnswer& a) {
  std::string out =
      "hour,month,dry_bulb_c,wet_bulb_c,meter_w,it_w,hall_loss_w,ups_loss_w,switchgear_loss_w,"
      "transformer_loss_w,other_w,room_fans_w,coolant_pumps_w,loop_pumps_w,tower_pumps_w,"
      "rejection_fans_w,compressors_w,heat_pumps_w,by_tower_w,by_dry_w,by_outside_air_w,"
      "by_condenser_air_w,reused_w,unmet_w,water_kg_s,compressor,short_k,coolant_c,inlet_c,"
      "supply_c,carbon_kg\n";
  auto to = std::back_inserter(out);
  const auto temperature = [&](double c) {
    if (c < -200) return fmt::format_to(to, ",");
    return fmt::format_to(to, ",{:.3f}", c);
  };
  for (std::size_t h = 0; h < a.hours.size(); ++h) {
    const auto& x = a.hours[h];
    const auto& s = a.plant.hours[h];
    fmt::format_to(to, "{},{},{:.2f},{:.2f}", h, study::month_of(h, a.hours.size()) + 1,
                   a.air.dry_bulb_c[h], a.air.wet_bulb_c[h]);
    for (const double w : {x.meter_w,          x.it_w,
                           x.hall_loss_w,      x.ups_w,
                           x.switchgear_w,     x.transformer_w,
                           x.other_w,          s.room_fans_w,
                           s.coolant_pumps_w,  s.loop_pumps_w,
                           s.tower_pumps_w,    s.rejection_fans_w,
                           s.compressors_w,    s.heat_pumps_w,
                           s.by_tower_w,       s.by_dry_w,
                           s.by_outside_air_w, s.by_condenser_air_w,
                           s.reused_w,         s.unmet_w})
      fmt::format_to(to, ",{:.3f}", w);
    fmt::format_to(to, ",{:.6g},{},{:.3f}", s.makeup(), s.compressor ? 1 : 0, s.short_k);
    temperature(s.warmest_coolant_c), temperature(s.warmest_inlet_c);
    temperature(s.warmest_supply_c);
    if (a.carbon_kg_h.empty())
      out += ',';
    else
      fmt::format_to(to, ",{:.6g}", a.carbon_kg_h[h]);
    out += '\n';
  }
  return out;
}

}  // namespace headroom::report
