// What a user writes about where energy comes from.
//
//   supply:
//     carbon_price: 50 USD/tCO2e
//     sources:
//       - {name: utility, kind: grid, capacity: 60 MW, price: 0.07 USD/kWh, demand_charge: 9
//       USD/kW/mo,
//          tariff: [{from_month: 6, to_month: 9, from: 14, to: 20, price: 0.16 USD/kWh}]}
//       - {name: turbines, kind: gas_turbine, capacity: 40 MW, fuel_price: 0.015 USD/kWh}
//       - {name: field, kind: solar, most: 100 MW, capex: 1100 USD/kW}        # sized
//       - {name: wind-ppa, kind: wind, capacity: 30 MW, price: 0.05 USD/kWh, take_or_pay: 30 %}
//     storages: [{name: bess, power: 20 MW, energy: 80 MWh}]
//     responses: [{name: interruptible, power: 5 MW, hours: 100 h, pays: 0.5 USD/kWh}]
//
// A source with `price` is bought (solar, wind and nuclear: paid as produced); one with `capex` is
// one's own; solar, wind and nuclear with neither are bought at an assumed price. `most` in place
// of `capacity` lets the program choose the capacity. Left-out figures come from kinds.hpp and are
// told with the answer.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/fields.hpp"

namespace headroom::supply {

using CarbonPrice = decltype(Money{} / Carbon{});

enum class Kind : unsigned char {
  grid,
  gas_turbine,
  gas_engine,
  fuel_cell,
  diesel,
  hydrogen,
  solar,
  wind,
  nuclear
};
std::span<const std::string_view> kind_names();
bool burns(Kind kind);  ///< has a fuel

/// Hours of the day in months of the year; either may wrap (22 to 6, 11 to 2).
struct Window {
  int from_month = 1, to_month = 12;  ///< inclusive
  int from = 0, to = 24;              ///< of the day, `to` exclusive
  bool holds(int month, int hour) const;
  void fields(spec::Fields& f);
};

struct Band {
  Window when;
  Value<EnergyPrice> price;
  void fields(spec::Fields& f);
};

struct SourceSpec {
  std::string name;
  Origin origin;
  Kind kind = Kind::grid;
  Value<Power> capacity, most;
  Value<EnergyPrice> price;
  std::vector<Band> tariff;
  std::string price_hours;  ///< CSV, USD/MWh
  Value<PowerPriceRate> demand_charge;
  Value<Power> least_billed;
  Value<Scalar> efficiency;
  Value<EnergyPrice> fuel_price;
  Value<CarbonIntensity> fuel_carbon, carbon;
  Value<EnergyPrice> upkeep;
  Value<Scalar> min_load;
  bool must_run = false;
  Value<Time> run_hours;
  Value<Scalar> take_or_pay;
  Value<EnergyPrice> take_price;
  Value<Scalar> capacity_factor;
  std::string profile;  ///< CSV, share of capacity
  Value<Scalar> clean;
  int outage_month = 0;
  Value<Time> outage;
  Value<PowerPrice> capex;
  Value<PowerPriceRate> fixed_upkeep;
  Value<Time> life;
  void fields(spec::Fields& f);
};

struct StorageSpec {
  std::string name;
  Value<Power> power, most;
  Value<Energy> energy;
  Value<Time> duration;
  Value<Scalar> efficiency, idle_loss;
  Value<EnergyPrice> wear;
  Value<EnergyPrice> capex;  ///< of energy it holds
  Value<Time> life;
  void fields(spec::Fields& f);
};

struct ResponseSpec {
  std::string name;
  Value<Power> power;
  Value<Time> hours, day_hours;
  Value<EnergyPrice> pays, lost;
  Value<PowerPriceRate> ready;
  Window when;
  void fields(spec::Fields& f);
};

struct Spec {
  std::vector<SourceSpec> sources;
  std::vector<StorageSpec> storages;
  std::vector<ResponseSpec> responses;
  Value<EnergyPrice> unserved;
  Value<CarbonPrice> carbon_price;
  Value<Scalar> discount;
  void fields(spec::Fields& f);
};

}  // namespace headroom::supply
