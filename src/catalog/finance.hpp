// Finance: figures a cost model needs that no scenario wants to repeat: cost
// of capital, lives, residual values, people, upkeep, construction and colo.
//
// The entry `default` gives every figure. Other entries are evidence of one
// practice (a firm's book life, a loan's rate) and give a few; a scenario names
// one as its `profile` and takes the rest from `default`.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// Share of the purchase price a used machine fetches at an age.
struct ResidualPoint {
  Value<Time> age;
  Value<Scalar> share;

  void fields(spec::Fields& f);
};

struct Finance : Entry {
  static constexpr std::string_view kind = "finance";

  std::string as_of;
  Value<Scalar> discount;    ///< per year, nominal, weighted average cost of capital
  Value<Scalar> escalation;  ///< per year, of energy, people, upkeep and colo
  Value<Time> horizon;
  Value<Time> it_book_life, it_economic_life, it_tax_life;
  Value<Time> facility_life;            ///< book life of building, power and cooling
  std::vector<ResidualPoint> residual;  ///< of IT, by age; straight lines between the points
  Value<Scalar> utilisation;            ///< share of installed GPU-hours put to use
  Value<Scalar> it_maintenance;         ///< per year, of IT capital
  Value<Scalar> facility_maintenance;   ///< per year, of facility capital
  Value<PowerPrice> construction;       ///< per kW of critical IT load
  Value<PowerPrice> liquid_retrofit;    ///< per kW of IT: a standing hall made fit for liquid
  Value<PowerPriceRate> colo;           ///< per kW contracted, power not included
  Value<Scalar> colo_pue;               ///< the landlord passes energy through at this PUE
  Value<MoneyRate> person;              ///< loaded cost of one person
  Value<Scalar> facility_people_per_mw, hardware_people_per_1000, platform_people_per_1000;
  /// At least so many for what is owned or rented, however small; the former when owned only.
  Value<Scalar> hardware_people_least, platform_people_least;
  Value<Scalar> rent_extras;  ///< storage, support, egress on top of a GPU's rent

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
