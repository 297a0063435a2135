#include "catalog/region.hpp"

#include <algorithm>
#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 7> stress_names{
    "unknown", "arid", "low", "low_medium", "medium_high", "high", "extremely_high"};

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::string_view water_stress_name(WaterStress stress) {
  return stress_names[static_cast<std::size_t>(stress)];
}

void Region::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("place", place, "Nearest city and its country or state");
  f.text("country", country, "Country, ISO 3166-1 alpha-2").required();
  f.texts("jurisdictions", jurisdictions, "Legal areas the place lies in, for data residency");
  f.texts("export_groups", export_groups, "Country groups of 15 CFR 740 supplement 1");
  f.number("latitude", latitude, "", "Degrees north").between(-90, 90).required();
  f.number("longitude", longitude, "", "Degrees east").between(-180, 180).required();
  f.text("climate", climate, "Climate entry that stands for the place");
  f.text("grid", grid, "Balancing area or system operator");
  f.number("electricity", electricity, "USD/kWh",
           "Energy price of an industrial customer without reclaimable tax")
      .at_least(0);
  f.number("demand_charge", demand_charge, "USD/kW/mo",
           "Capacity and demand charges on the monthly peak, where billed apart")
      .at_least(0);
  f.number("carbon", carbon, "gCO2e/kWh", "Location-based yearly mean of the grid").at_least(0);
  f.number("carbon_free", carbon_free, "%", "Share of carbon-free energy on the grid")
      .between(0, 100);
  f.choice("water_stress", water_stress, stress_names,
           "WRI Aqueduct 4.0 baseline water stress of the basin");
  f.number("water", water, "USD/m3", "Price of supplied water").at_least(0);
  f.number("grid_queue", grid_queue, "yr",
           "From application to energised, for a new load of tens of megawatts")
      .at_least(0);
  f.number("large_load", large_load, "MW", "Contracted power from which the large-load rule holds")
      .at_least(0);
  f.text("large_load_rule", large_load_rule, "What the large-load rule asks");
  f.number("minimum_bill", minimum_bill, "%",
           "Share of contracted demand charges that is paid whether used or not")
      .between(0, 100);
  f.number(
       "construction", construction, "USD/kW",
       "Building and its power and cooling plant for each kilowatt of critical load, without IT")
      .at_least(0);
}

bool Region::in_jurisdiction(std::string_view area) const {
  return area == country || contains(jurisdictions, area);
}

bool Region::in_group(std::string_view group) const { return contains(export_groups, group); }

}  // namespace headroom::catalog
