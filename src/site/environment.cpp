// Energy price, carbon and water of the place.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "site/parts.hpp"

namespace headroom::site {
namespace {

void add_prices(const Context& c, Result& result) {
  const catalog::Region* r = c.region;
  Value<EnergyPrice> price = c.spec.electricity;
  if (r != nullptr) price = price.or_else(r->electricity);
  if (price) {
    result.electricity = c.trace.input(id_of(c, "electricity"), price, "USD/kWh");
    const CarbonLimits& k = c.spec.carbon;
    if (k.ppa_price && k.renewable_share.get() > 0) {
      const auto ppa = c.trace.input(id_of(c, "ppa-price"), k.ppa_price, "USD/kWh");
      const auto share = c.trace.input(id_of(c, "renewable-share"), k.renewable_share, "%");
      result.electricity = c.trace.derive(
          id_of(c, "electricity-blend"),
          ppa.value * double(share.value) + result.electricity.value * (1 - double(share.value)),
          "USD/kWh", "share x PPA price + (1 - share) x grid price",
          {ppa, share, result.electricity});
    }
  }
  if (r == nullptr) return;
  if (r->demand_charge) {
    result.demand_charge = c.trace.input(id_of(c, "demand-charge"), r->demand_charge, "USD/kW/mo");
  }
  if (r->minimum_bill) {
    result.minimum_bill = c.trace.input(id_of(c, "minimum-bill"), r->minimum_bill, "%");
  }
}

std::vector<Remedy> carbon_remedies(const Context& c, double ratio) {
  std::vector<Remedy> out;
  if (c.spec.carbon.basis == CarbonBasis::market) {
    const double covered = 1 - (1 - double(c.spec.carbon.renewable_share.get())) / ratio;
    out.push_back(
        {fmt::format("contract {:.0f} % of the energy from new renewables (a PPA)", 100 * covered),
         {},
         {},
         "market-based account"});
  }
  const double allowed = c.region != nullptr ? c.region->carbon.likely / ratio : 0;
  std::vector<const catalog::Region*> cleaner;
  for (const auto* r : c.catalog.all<catalog::Region>()) {
    if (r->carbon && r->carbon.likely <= allowed) cleaner.push_back(r);
  }
  // Stay near: the cleanest place of the same jurisdiction first, else any.
  const catalog::Region* best = nullptr;
  for (const auto* r : cleaner) {
    const bool same = c.region != nullptr && r->country == c.region->country;
    if (best == nullptr || (same && best->country != c.region->country)) best = r;
  }
  if (best != nullptr) {
    out.push_back({fmt::format("move to a cleaner grid, e.g. {} at {}", best->name,
                               format(best->carbon.get(), "gCO2e/kWh")),
                   {},
                   {},
                   "catalogue regions"});
  }
  return out;
}

template <class Q>
void hold(const Context& c, const std::string& name, const std::string& words, Figure<Q> need,
          const Value<Q>& limit, const char* unit, Result& result) {
  if (!limit) return;
  const auto have = c.trace.input(id_of(c, name + ".limit"), limit, unit);
  const char* basis = c.spec.carbon.basis == CarbonBasis::location ? "location" : "market";
  Margin m = make_margin(id_of(c, name), words, need, have, unit)
                 .because(fmt::format("{}-based: {} against {} allowed.", basis,
                                      format(need.value, unit), format(have.value, unit)));
  if (m.headroom() < 0.1 && have.value.si() > 0) {
    m.remedies = carbon_remedies(c, need.value.si() / have.value.si());
  }
  result.findings.margins.push_back(std::move(m));
}

void add_carbon(const Context& c, Result& result) {
  Value<CarbonIntensity> grid = c.spec.grid_carbon;
  if (c.region != nullptr) grid = grid.or_else(c.region->carbon);
  const CarbonLimits& k = c.spec.carbon;
  if (!grid) {
    if (k.per_year || k.intensity) {
      result.findings.remarks.push_back(
          "site: a carbon limit is given but neither region nor grid_carbon; it was not asked");
    }
    return;
  }
  const auto intensity = c.trace.input(id_of(c, "grid-carbon"), grid, "gCO2e/kWh");
  const auto share = c.trace.input(id_of(c, "renewable-share"), k.renewable_share, "%");
  const auto market = c.trace.derive(id_of(c, "carbon-intensity-market"),
                                     intensity.value * (1 - double(share.value)), "gCO2e/kWh",
                                     "grid intensity x (1 - contracted share)", {intensity, share});
  const bool by_market = k.basis == CarbonBasis::market;
  result.carbon_intensity = intensity;
  hold(c, "carbon-intensity", "carbon intensity of energy", by_market ? market : intensity,
       k.intensity, "gCO2e/kWh", result);
  if (c.demand.energy.node == no_node) return;
  result.carbon_location =
      c.trace.derive(id_of(c, "carbon-location"), intensity.value * c.demand.energy.value, "tCO2e",
                     "meter energy of a year x grid intensity", {c.demand.energy, intensity});
  result.carbon_market =
      c.trace.derive(id_of(c, "carbon-market"), market.value * c.demand.energy.value, "tCO2e",
                     "meter energy of a year x market-based intensity", {c.demand.energy, market});
  hold(c, "carbon", "carbon of a year", by_market ? result.carbon_market : result.carbon_location,
       k.per_year, "tCO2e", result);
}

bool is_stressed(catalog::WaterStress s) { return s >= catalog::WaterStress::high; }

void remark_water(const Context& c, Result& result) {
  const catalog::Region* r = c.region;
  if (r == nullptr || !is_stressed(r->water_stress)) return;
  if (c.spec.water_source == WaterSource::none || c.spec.water_source == WaterSource::reclaimed) {
    return;
  }
  const bool known = c.demand.water.node != no_node && c.demand.water.value > Volume{};
  std::string word(catalog::water_stress_name(r->water_stress));
  std::replace(word.begin(), word.end(), '_', ' ');
  result.findings.remarks.push_back(fmt::format(
      "site: water stress at {} is {} (WRI Aqueduct 4.0){}; reclaimed water or dry cooling would "
      "take the plant out of the basin's supply",
      r->place, word,
      known ? fmt::format(" and the plant would draw {} a year", format(c.demand.water.value, "ML"))
            : std::string{}));
}

void remark_tariff(const Context& c, Result& result) {
  const catalog::Region* r = c.region;
  if (!c.spec.grid.firm) {
    result.findings.remarks.push_back(
        "site: the connection is not firm; the utility may interrupt it, so generators must carry "
        "the load or the work must stop and resume from checkpoints");
  }
  if (r == nullptr || !r->large_load || c.demand.peak_power.node == no_node) return;
  if (c.demand.peak_power.value < r->large_load.get()) return;
  result.findings.remarks.push_back(
      fmt::format("site: {} is above the {} of the large-load rule. {}",
                  format(c.demand.peak_power.value, "MW"), format(r->large_load.get(), "MW"),
                  r->large_load_rule));
}

}  // namespace

void assess_environment(const Context& c, Result& result) {
  add_prices(c, result);
  add_carbon(c, result);
  remark_water(c, result);
  remark_tariff(c, result);
}

}  // namespace headroom::site
