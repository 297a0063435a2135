// Region: a place that can host a data centre, as its grid, its law and the map
// see it.
//
// Prices are what an industrial customer pays for energy, taxes it can reclaim
// left out; carbon is the yearly mean of the grid, location-based. Water stress
// is that of the river basin (WRI Aqueduct 4.0), never a country's mean.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// WRI Aqueduct 4.0 baseline water stress: withdrawals over renewable supply.
enum class WaterStress : unsigned char {
  unknown,
  arid,            ///< arid and low water use
  low,             ///< below 10 %
  low_medium,      ///< 10-20 %
  medium_high,     ///< 20-40 %
  high,            ///< 40-80 %
  extremely_high,  ///< above 80 %
};

/// "extremely_high", as in the catalogue.
std::string_view water_stress_name(WaterStress stress);

struct Region : Entry {
  static constexpr std::string_view kind = "region";

  std::string place;    ///< "Ashburn, Virginia"
  std::string country;  ///< ISO 3166-1 alpha-2
  /// Legal areas the place lies in, for residency: "EU", "EEA", "US", "CH" ...
  std::vector<std::string> jurisdictions;
  /// Country groups of 15 CFR 740 supplement 1: "A:1", "A:5", "B", "D:1", "D:4", "D:5" ...
  std::vector<std::string> export_groups;
  Value<Scalar> latitude, longitude;  ///< degrees, north and east positive
  std::string climate;                ///< id of a `climate` entry; may be empty
  std::string grid;                   ///< balancing area or system operator

  Value<EnergyPrice> electricity;
  Value<PowerPriceRate> demand_charge;
  Value<CarbonIntensity> carbon;
  Value<Scalar> carbon_free;
  WaterStress water_stress = WaterStress::unknown;
  Value<VolumePrice> water;
  Value<Time> grid_queue;
  Value<Power> large_load;  ///< connections from here on meet `large_load_rule`
  std::string large_load_rule;
  Value<Scalar> minimum_bill;      ///< share of contracted demand paid for, used or not
  Value<PowerPrice> construction;  ///< critical load, shell and fit-out, without IT

  void fields(spec::Fields& f);

  bool in_jurisdiction(std::string_view area) const;
  bool in_group(std::string_view group) const;
};

}  // namespace headroom::catalog
