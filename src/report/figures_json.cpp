#include "report/figures_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/parts_json.hpp"

namespace headroom::report {
namespace {

using study::CostWay;
using study::FacilityAnswer;
using study::ReportFigures;

constexpr double joule_per_mwh = 3.6e9;
constexpr double year_s = 8760 * 3600.0;

Json text_or_null(const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); }

// --- Flows ------------------------------------------------------------------------------

/// Nodes in the order in which links name them.
class Flow {
 public:
  explicit Flow(const char* unit) : unit_(unit) {}

  void node(const std::string& id, const std::string& label, const std::string& trace = {}) {
    for (const auto& n : nodes_)
      if (n["id"] == id) return;
    Json n = {{"id", id}, {"label", label}};
    if (!trace.empty()) n["trace"] = trace;
    nodes_.push_back(std::move(n));
  }
  void link(const std::string& from, const std::string& to, double value,
            const std::string& trace = {}, const std::string& note = {}) {
    if (!(value > 0)) return;
    Json l = {{"from", from}, {"to", to}, {"value", number(value)}};
    if (!trace.empty()) l["trace"] = trace;
    if (!note.empty()) l["note"] = note;
    links_.push_back(std::move(l));
  }
  Json json() && {
    return {{"unit", unit_}, {"nodes", std::move(nodes_)}, {"links", std::move(links_)}};
  }

 private:
  const char* unit_;
  Json nodes_ = Json::array(), links_ = Json::array();
};

/// Levelised cost of owning in a year: by cause into the GPUs, from there to what they make.
Json money_flow(const ReportFigures& f) {
  if (f.ways.empty()) return nullptr;
  Flow flow("USD/yr");
  const CostWay& own = f.ways.front();
  const double all = own.per_installed_gpu_hour * f.terms.accelerators * 8760;
  flow.node("gpus", "the GPUs of a year, owned", "money.own.per_installed_gpu_hour");
  double back = 0, known = 0;
  for (std::size_t c = 0; c < f.causes.size(); ++c) {
    const double usd = own.share[c] * all;
    const std::string id = "cause." + f.causes[c];
    if (usd > 0) {
      flow.node(id, f.causes[c]);
      flow.link(id, "gpus", usd);
    } else {
      back -= usd;
    }
  }
  if (back > 0) {
    flow.node("back", "comes back: resale, tax");
    flow.link("gpus", "back", back);
  }
  for (const auto& p : f.products) {
    const std::string id = "product." + p.name;
    flow.node(id, p.name, "money.product." + p.name + ".cost_rate");
    flow.link("gpus", id, p.usd_per_year, "money.product." + p.name + ".cost_rate");
    known += p.usd_per_year;
    for (const auto& price : p.prices) {
      if (price.unit != "USD/Mtoken") continue;
      const auto value = quantity(price.si, price.unit)["value"];
      const double usd = value.is_number() ? value.get<double>() : 0;
      const std::string note = format_number(usd, 4) + " " + price.unit;
      const bool input = price.label == "an input token", output = price.label == "an output token";
      if (!input && !output && p.prices.size() > 1 && p.kind == "serving") continue;
      const double share = input ? p.input_share : output ? 1 - p.input_share : 1.0;
      const std::string to = id + (input ? ".input" : output ? ".output" : ".tokens");
      flow.node(to, input ? "input tokens" : output ? "output tokens" : "tokens", price.id);
      flow.link(id, to, p.usd_per_year * share, price.id, note);
    }
  }
  if (const double rest = all - known; rest > 1e-9 * all) {
    flow.node("unused", "held by no work");
    flow.link("gpus", "unused", rest);
  }
  return std::move(flow).json();
}

/// Who draws the IT's power, down to tokens. `it`: what flows into IT, in the flow's unit.
void it_flow(const ReportFigures& f, double it, Flow& flow) {
  for (const auto& p : f.power) {
    const double value = f.it_w > 0 ? it * p.it_w / f.it_w : 0;
    const std::string id = p.cluster.empty() ? "storage" : "cluster." + p.cluster;
    flow.node(id, p.cluster.empty() ? "storage" : "cluster " + p.cluster, p.cluster_id);
    flow.link("it", id, value, p.cluster_id);
    if (p.cluster.empty()) continue;
    const double network = p.it_w > 0 ? value * p.network_w / p.it_w : 0;
    if (network > 0) {
      flow.node(id + ".network", "network of " + p.cluster);
      flow.link(id, id + ".network", network);
    }
    double left = value - network;
    const double systems = left;
    for (const auto& use : p.uses) {
      const std::string to = "work." + use.name;
      flow.node(to, use.name);
      flow.link(id, to, systems * use.share);
      left -= systems * use.share;
      if (use.joule_per_token <= 0) continue;
      flow.node(to + ".tokens", use.token_unit + "s", use.token_id);
      flow.link(to, to + ".tokens", systems * use.share, use.token_id,
                fmt::format("{} J per {} at the meter", format_number(use.joule_per_token, 4),
                            use.token_unit));
    }
    if (left > 1e-9 * value) {
      flow.node(id + ".idle", "held by no work");
      flow.link(id, id + ".idle", left);
    }
  }
}

/// The year's energy behind the halls' meter when all IT stands there; else the yearly mean.
Json energy_flow(const ReportFigures& f, const FacilityAnswer* year) {
  Flow flow("MWh/yr");
  const bool whole = year != nullptr && year->has_year && f.it_w > 0 &&
                     std::abs(year->it_mean_w / f.it_w - 1) < 1e-9;
  flow.node("grid", "at the meter", "study.meter_typical");
  flow.node("it", "IT", "study.it_typical");
  if (!whole) {
    const double it = f.it_w * year_s / joule_per_mwh;
    flow.link("grid", "it", it, "study.it_typical");
    flow.node("overhead", "cooling and losses", "study.pue");
    flow.link("grid", "overhead", (f.meter_w - f.it_w) * year_s / joule_per_mwh, "study.pue");
    it_flow(f, it, flow);
    return std::move(flow).json();
  }
  double cooling = 0, losses = 0;
  const auto is_loss = [](const std::string& key) { return key.ends_with("_loss"); };
  for (const auto& item : year->energy) {
    const double mwh = item.amount / joule_per_mwh;
    if (item.key == "it") flow.link("grid", "it", mwh, "study.it_typical");
    if (item.key == "it") continue;
    (is_loss(item.key) || item.key == "other" ? losses : cooling) += mwh;
  }
  flow.node("cooling", "cooling");
  flow.node("losses", "power chain and other loads");
  flow.link("grid", "cooling", cooling);
  flow.link("grid", "losses", losses);
  for (const auto& item : year->energy) {
    if (item.key == "it" || item.amount <= 0) continue;
    const bool loss = is_loss(item.key) || item.key == "other";
    flow.node("item." + item.key, item.label);
    flow.link(loss ? "losses" : "cooling", "item." + item.key, item.amount / joule_per_mwh);
  }
  it_flow(f, year->it_j / joule_per_mwh, flow);
  return std::move(flow).json();
}

// --- Money ------------------------------------------------------------------------------

Json by_cause(const ReportFigures& f, const std::vector<double>& values) {
  Json out = Json::object();
  for (std::size_t c = 0; c < values.size(); ++c)
    if (values[c] != 0) out[f.causes[c]] = number(values[c]);
  return out;
}

/// Month 0, then twelve months a year.
Json years_json(const ReportFigures& f, const CostWay& way) {
  Json out = Json::array();
  for (std::size_t first = 0; first < way.months.size(); first += first == 0 ? 1 : 12) {
    std::vector<double> sum(f.causes.size(), 0.0);
    double total = 0;
    const std::size_t end = std::min(way.months.size(), first == 0 ? 1 : first + 12);
    for (std::size_t m = first; m < end; ++m)
      for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += way.months[m][c];
    for (const double x : sum) total += x;
    out.push_back({{"year", (first + 11) / 12},
                   {"from", way.dates[first]},
                   {"usd", by_cause(f, sum)},
                   {"total_usd", number(total)}});
  }
  return out;
}

Json items_json(const std::vector<study::CostItem>& items, bool rate) {
  Json out = Json::array();
  for (const auto& i : items) {
    Json item = {{"cause", i.cause}, {"label", i.label}, {rate ? "usd_per_year" : "usd", i.usd}};
    if (rate) item["grows"] = i.grows;
    item["id"] = i.id;
    out.push_back(std::move(item));
  }
  return out;
}

Json way_json(const ReportFigures& f, const CostWay& w) {
  const auto percent = [](const std::optional<double>& x) {
    return x ? number(100 * *x) : Json(nullptr);
  };
  return {{"key", w.key},
          {"label", w.label},
          {"capital", items_json(w.capital, false)},
          {"operating", items_json(w.operating, true)},
          {"present_usd", number(w.present_usd)},
          {"usd_per_installed_gpu_hour", number(w.per_installed_gpu_hour)},
          {"usd_per_used_gpu_hour", number(w.per_used_gpu_hour)},
          {"share", by_cause(f, w.share)},
          {"years", years_json(f, w)},
          {"rent_usd_per_gpu_hour", known(w.rent)},
          {"price", text_or_null(w.price_id)},
          {"price_as_of", text_or_null(w.price_as_of)},
          {"break_even", text_or_null(w.break_even)},
          {"irr_percent", percent(w.irr)},
          {"mirr_percent", percent(w.mirr)},
          {"over_own_usd_per_installed_gpu_hour", by_cause(f, w.over_own)}};
}

Json terms_json(const study::CostTerms& t) {
  Json resale = Json::array();
  for (const auto& [age, share] : t.resale) resale.push_back({number(age), number(share)});
  const auto percent = [](double x) { return number(100 * x); };
  return {{"start", t.start},
          {"months", t.months},
          {"discount_percent_a_year", percent(t.discount)},
          {"escalation_percent_a_year", percent(t.escalation)},
          {"utilisation_percent", percent(t.utilisation)},
          {"accelerators", number(t.accelerators)},
          {"economic_life_months", number(t.economic_life)},
          {"facility_life_months", number(t.facility_life)},
          {"tax_percent", t.tax ? percent(*t.tax) : Json(nullptr)},
          {"resale_by_age_months", resale}};
}

Json products_json(const ReportFigures& f) {
  Json out = Json::array();
  for (const auto& p : f.products) {
    Json prices = Json::array();
    for (const auto& x : p.prices) {
      Json price = {{"label", x.label}};
      price.update(quantity(x.si, x.unit));
      price["id"] = x.id;
      prices.push_back(std::move(price));
    }
    out.push_back({{"name", p.name},
                   {"kind", p.kind},
                   {"gpus", number(p.gpus)},
                   {"usd_per_year", number(p.usd_per_year)},
                   {"prices", prices},
                   {"split", p.split_rule}});
  }
  return out;
}

Json money_json(const ReportFigures& f) {
  if (f.ways.empty()) return nullptr;
  Json ways = Json::array();
  for (const auto& w : f.ways) ways.push_back(way_json(f, w));
  return {{"currency", f.currency}, {"causes", f.causes},           {"terms", terms_json(f.terms)},
          {"ways", ways},           {"products", products_json(f)}, {"unpriced", f.unpriced},
          {"flow", money_flow(f)}};
}

// --- Network ----------------------------------------------------------------------------

Json network_json(const study::FabricNetwork& n) {
  Json tiers = Json::array();
  for (const auto& t : n.tiers)
    tiers.push_back({{"key", t.key},
                     {"label", t.label},
                     {"switches", t.switches},
                     {"links_down", t.links_down}});
  return {{"title", n.title},
          {"use", n.use},
          {"tiers", tiers},
          {"endpoints", n.endpoints},
          {"most_endpoints", n.most_endpoints},
          {"bisection", number(n.bisection)},
          {"hops", n.hops}};
}

Json fabric_json(const ReportFigures& f) {
  Json out = Json::array();
  for (const auto& x : f.fabrics) {
    Json networks = Json::array();
    for (const auto& n : x.networks) networks.push_back(network_json(n));
    out.push_back({{"cluster", x.cluster},
                   {"kind", x.kind},
                   {"system", x.system},
                   {"systems", x.systems},
                   {"gpus", x.gpus},
                   {"racks", x.racks},
                   {"systems_a_rack", x.per_rack},
                   {"gpus_a_domain", x.gpus_a_domain},
                   {"scale_up", quantity(x.scale_up, "GB/s")},
                   {"scale_out", quantity(x.scale_out, "GB/s")},
                   {"switch", text_or_null(x.switch_name)},
                   {"rails", number(x.rails)},
                   {"planes", x.planes},
                   {"networks", networks},
                   {"oversubscription", number(x.oversubscription)},
                   {"cables", x.cables},
                   {"plugs", x.plugs},
                   {"latency", quantity(x.latency_s, "us")},
                   {"power", quantity(x.power_w, "kW")},
                   {"power_id", text_or_null(x.power_id)},
                   {"capital", quantity(x.capital_usd * dollar.factor, "MUSD")},
                   {"capital_id", text_or_null(x.capital_id)}});
  }
  return out;
}

// --- Cooling ----------------------------------------------------------------------------

Json moment_json(const char* key, const char* label, const FacilityAnswer& a, std::size_t h) {
  const auto celsius = [](double c) { return c < -200 ? Json(nullptr) : number(c); };
  const auto& s = a.plant.hours[h];
  return {{"key", key},
          {"label", label},
          {"hour", h},
          {"when", study::hour_name(h, a.hours.size())},
          {"dry_bulb_c", number(a.air.dry_bulb_c[h])},
          {"wet_bulb_c", number(a.air.wet_bulb_c[h])},
          {"tower_water_c", celsius(s.tower_cold_c)},
          {"facility_water_c", celsius(s.warmest_supply_c)},
          {"coolant_c", celsius(s.warmest_coolant_c)},
          {"air_inlet_c", celsius(s.warmest_inlet_c)},
          {"chip_c", celsius(s.chip_c)},
          {"short_k", number(s.short_k)},
          {"compressor", s.compressor},
          {"heat_w",
           {{"it", number(s.it_w)},
            {"losses", number(s.loss_w)},
            {"towers", number(s.by_tower_w)},
            {"dry_coolers", number(s.by_dry_w)},
            {"outside_air", number(s.by_outside_air_w)},
            {"condensers", number(s.by_condenser_air_w)},
            {"reused", number(s.reused_w)},
            {"unmet", number(s.unmet_w)}}},
          {"electricity_w",
           {{"room_fans", number(s.room_fans_w)},
            {"coolant_pumps", number(s.coolant_pumps_w)},
            {"loop_pumps", number(s.loop_pumps_w)},
            {"tower_pumps", number(s.tower_pumps_w)},
            {"rejection_fans", number(s.rejection_fans_w)},
            {"compressors", number(s.compressors_w)},
            {"heat_pumps", number(s.heat_pumps_w)}}},
          {"water_l_s", number(s.makeup())}};
}

Json cooling_json(const FacilityAnswer* a) {
  if (a == nullptr || !a->has_year || a->plant.hours.empty()) return nullptr;
  std::vector<std::size_t> by_cooling(a->plant.hours.size());
  for (std::size_t h = 0; h < by_cooling.size(); ++h) by_cooling[h] = h;
  std::stable_sort(by_cooling.begin(), by_cooling.end(), [&](std::size_t x, std::size_t y) {
    return a->plant.hours[x].cooling_w() < a->plant.hours[y].cooling_w();
  });
  Json out = Json::array();
  out.push_back(moment_json("most", "hour of most cooling electricity", *a, by_cooling.back()));
  out.push_back(
      moment_json("median", "an hour in the middle", *a, by_cooling[by_cooling.size() / 2]));
  out.push_back(moment_json("least", "hour of least cooling electricity", *a, by_cooling.front()));
  return {{"moments", out}};
}

// --- Uncertain inputs -------------------------------------------------------------------

Json swings_json(const ReportFigures& f) {
  const auto& s = f.swings;
  const auto unit = [&](std::size_t i) { return i == 0 ? std::string() : f.target_units[i - 1]; };
  const auto values = [&](const std::vector<double>& si) {
    Json out = Json::array();
    for (std::size_t i = 0; i < si.size(); ++i) out.push_back(quantity(si[i], unit(i))["value"]);
    return out;
  };
  const auto* binding = f.verdict.binding();
  Json targets = Json::array();
  for (std::size_t i = 0; i < s.likely.size(); ++i)
    targets.push_back(
        {{"label", i == 0 ? "headroom of " + (binding ? binding->limit : std::string("nothing"))
                          : f.target_labels[i - 1]},
         {"id", i == 0 ? (binding ? Json(binding->id) : Json(nullptr)) : Json(s.ids[i - 1])},
         {"unit", unit(i)},
         {"likely", quantity(s.likely[i], unit(i))["value"]}});
  Json inputs = Json::array();
  for (const auto& x : s.inputs)
    inputs.push_back({{"path", x.path},
                      {"id", text_or_null(x.id)},
                      {"low", x.low},
                      {"likely", x.likely},
                      {"high", x.high},
                      {"assumed_range", x.assumed},
                      {"source", x.origin},
                      {"at_low", values(x.at_low)},
                      {"at_high", values(x.at_high)},
                      {"binding_at_low", x.binding_low},
                      {"binding_at_high", x.binding_high}});
  return {{"targets", targets}, {"tried", s.tried}, {"inputs", inputs}};
}

}  // namespace

std::string figures_part(const ReportFigures& f, const FacilityAnswer* year) {
  const Json out = {{"money", money_json(f)},
                    {"energy", {{"flow", energy_flow(f, year)}}},
                    {"fabric", fabric_json(f)},
                    {"cooling", cooling_json(year)},
                    {"tornado", swings_json(f)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace headroom::report
