#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "report/facility_supply.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::SupplyAnswer;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json sources(const SupplyAnswer& a) {
  Json out = Json::array();
  for (std::size_t s = 0; s < a.dispatch.sources.size(); ++s) {
    const auto& y = a.dispatch.sources[s];
    const auto& p = a.problem.sources[s];
    out.push_back(
        {{"name", p.name},
         {"kind", a.kinds[s]},
         {"capacity_mw", a.unlimited[s] ? Json(nullptr) : number(y.capacity_mw)},
         {"sized", p.sized},
         {"used_mwh", number(y.used_mwh)},
         {"available_mwh", number(y.available_mwh)},
         {"curtailed_mwh", p.available.empty() ? Json(nullptr) : number(y.curtailed_mwh())},
         {"not_taken_mwh", number(y.not_taken_mwh)},
         {"energy_usd", number(y.energy_usd)},
         {"fixed_usd", number(y.fixed_usd)},
         {"demand_usd", number(y.demand_usd)},
         {"take_or_pay_usd", number(y.take_usd)},
         {"usd", number(y.usd())},
         {"carbon_kg", number(y.carbon_kg)},
         {"below_min_load_h", number(y.low_h)},
         {"billed_mw", y.peak_mw},
         {"saving_usd_mw", number(y.saving_usd_mw)}});
  }
  return out;
}

Json storages(const SupplyAnswer& a) {
  Json out = Json::array();
  for (std::size_t b = 0; b < a.dispatch.storages.size(); ++b) {
    const auto& y = a.dispatch.storages[b];
    const auto& p = a.problem.storages[b];
    out.push_back({{"name", p.name},
                   {"power_mw", number(y.power_mw)},
                   {"energy_mwh", number(y.energy_mwh)},
                   {"sized", p.sized},
                   {"in_mwh", number(y.in_mwh)},
                   {"out_mwh", number(y.out_mwh)},
                   {"wear_usd", number(y.wear_usd)},
                   {"fixed_usd", number(y.fixed_usd)},
                   {"saving_usd_mw", number(y.saving_usd_mw)}});
  }
  return out;
}

Json responses(const SupplyAnswer& a) {
  Json out = Json::array();
  for (std::size_t r = 0; r < a.dispatch.responses.size(); ++r) {
    const auto& y = a.dispatch.responses[r];
    out.push_back({{"name", a.problem.responses[r].name},
                   {"power_mw", number(a.problem.responses[r].power_mw)},
                   {"less_mwh", number(y.less_mwh)},
                   {"income_usd", number(y.income_usd)},
                   {"lost_usd", number(y.lost_usd)},
                   {"saving_usd_mw", number(y.saving_usd_mw)}});
  }
  return out;
}

}  // namespace

std::string supply_json(const SupplyAnswer& a) {
  const auto& d = a.dispatch;
  const Json out{
      {"scenario", a.scenario},
      {"weather", a.weather},
      {"pue", number(a.pue)},
      {"load_mwh", number(d.load_mwh)},
      {"served_mwh", number(d.served_mwh)},
      {"unserved_mwh", number(d.unserved_mwh)},
      {"spill_mwh", number(d.spill_mwh)},
      {"usd", number(a.usd)},
      {"usd_mwh", number(a.usd_mwh)},
      {"unserved_usd", number(a.unserved_usd)},
      {"grid_only_usd", a.grid_only_usd > 0 ? number(a.grid_only_usd) : Json(nullptr)},
      {"carbon_kg", number(a.carbon_kg)},
      {"carbon_kg_mwh", number(a.carbon_kg_mwh)},
      {"carbon_free_share", number(d.clean_share)},
      {"ref", number(a.ref)},
      {"imbalance", number(d.imbalance)},
      {"sources", sources(a)},
      {"storages", storages(a)},
      {"responses", responses(a)},
      {"price_usd_mwh", d.price_usd_mwh},
      {"program", {{"columns", d.columns}, {"rows", d.rows}, {"iterations", d.iterations}}},
      {"holds", a.holds()},
      {"assumptions", a.assumptions},
      {"remarks", a.remarks}};
  return out.dump(2) + "\n";
}

std::string supply_csv(const SupplyAnswer& a) {
  const auto& d = a.dispatch;
  std::string out = "hour,month,load_mw";
  const auto head = [&](const std::string& name, const char* what) {
    std::string plain;
    for (const char c : name) plain += c == ',' || c == '"' || c == '\n' ? '_' : c;
    out += fmt::format(",{}_{}", plain, what);
  };
  for (const auto& s : a.problem.sources) head(s.name, "mw");
  for (const auto& b : a.problem.storages)
    head(b.name, "in_mw"), head(b.name, "out_mw"), head(b.name, "charge_mwh");
  for (const auto& r : a.problem.responses) head(r.name, "less_mw");
  out += ",unserved_mw,spill_mw,price_usd_mwh,carbon_kg,carbon_free\n";
  auto to = std::back_inserter(out);
  for (std::size_t h = 0; h < a.problem.load_mw.size(); ++h) {
    fmt::format_to(to, "{},{},{:.6f}", h, a.problem.month[h] + 1, a.problem.load_mw[h]);
    for (const auto& s : d.sources) fmt::format_to(to, ",{:.6f}", s.used_mw[h]);
    for (const auto& b : d.storages)
      fmt::format_to(to, ",{:.6f},{:.6f},{:.6f}", b.in_mw[h], b.out_mw[h], b.charge_mwh[h]);
    for (const auto& r : d.responses) fmt::format_to(to, ",{:.6f}", r.less_mw[h]);
    fmt::format_to(to, ",{:.6f},{:.6f},{:.4f},{:.3f},{:.6f}\n", d.unserved_mw[h], d.spill_mw[h],
                   d.price_usd_mwh[h], d.carbon_kg[h], d.clean[h]);
  }
  return out;
}

}  // namespace headroom::report
