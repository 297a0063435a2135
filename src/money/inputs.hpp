// Inputs: the scenario, its finance profile, the catalogue and the other
// layers' figures resolved into one set of numbers. Private to money.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "catalog/finance.hpp"
#include "catalog/price.hpp"
#include "money/assess.hpp"

namespace headroom::money {

/// Capital lines of one cause, as figures.
struct Capital {
  std::array<Figure<Money>, causes> by_cause{};
  Money it() const;  ///< everything but the facility
};

struct Rent {
  Figure<MoneyRate> rate;  ///< of one GPU, extras not included
  std::string price_id, as_of, what;
  Time term;  ///< shortest commitment; 0: unknown
};

struct Inputs {
  Figure<Time> horizon, book_life, economic_life, tax_life, facility_life;
  Figure<Scalar> discount, escalation, utilisation, it_maintenance, facility_maintenance, extras;
  Figure<Scalar> facility_people, hardware_people, platform_people, colo_pue;
  Figure<MoneyRate> person;
  Figure<PowerPrice> construction;
  Figure<PowerPriceRate> colo;
  std::optional<Figure<Scalar>> residual, tax;
  std::optional<Figure<EnergyPrice>> energy_price;
  std::optional<Figure<PowerPriceRate>> demand_charge;
  Figure<Scalar> take_or_pay;
  const catalog::Finance* residual_curve = nullptr;

  int months = 0;
  double monthly = 0;  ///< discount rate of a month
  long start_day = 0;
  Capital capital;  ///< the bill
  std::vector<std::string> unpriced, remarks;

  /// Share of its price that IT of this age fetches.
  double residual_at(Time age) const;
};

/// Nothing when the catalogue has no `default` profile.
std::optional<Inputs> resolve(const Spec& spec, const Demand& demand,
                              const catalog::Catalog& catalog, Trace& trace);

/// The rent of a way by the rule in assess.hpp; nothing when nobody dated one.
std::optional<Rent> find_rent(Way way, const Spec& spec, const Demand& demand,
                              const catalog::Catalog& catalog, Trace& trace,
                              std::vector<std::string>& remarks);

/// Cause of a bill line's category.
Cause cause_of(const std::string& category);

}  // namespace headroom::money
