// What a scenario says of money. Everything is optional: what is left out
// comes from the finance profile, that from the catalogue's `default`.
#pragma once

#include "spec/fields.hpp"

namespace headroom::money {

struct Spec {
  std::string profile;  ///< catalogue entry of kind `finance`
  std::string start;    ///< first day of the cash flow
  Value<Time> horizon;
  Value<Scalar> discount;    ///< per year, nominal
  Value<Scalar> escalation;  ///< per year, of running costs
  std::vector<std::string> compare{"colo", "neocloud", "cloud"};

  Value<Money> accelerator_price;  ///< of one, installed; over the bill's line
  Value<EnergyPrice> energy_price;
  Value<PowerPriceRate> demand_charge;
  Value<Scalar> take_or_pay;  ///< share of contracted power that is billed at least
  Value<PowerPrice> construction;
  Value<PowerPriceRate> colo;
  Value<Scalar> colo_pue;

  std::string neocloud_price;  ///< catalogue entries of kind `price`
  std::string cloud_price;
  Value<MoneyRate> neocloud_rent;  ///< over the catalogue's
  Value<MoneyRate> cloud_rent;
  std::string prices_as_of;  ///< day of the rents given here
  Value<Scalar> rent_extras;
  Value<Scalar> neocloud_goodput;  ///< of rented GPUs; by default equal to one's own
  Value<Scalar> cloud_goodput;

  Value<Scalar> utilisation;
  Value<Time> book_life, economic_life, tax_life, facility_life;
  Value<Scalar> residual;  ///< share of IT's price left at the horizon
  Value<Scalar> tax;       ///< rate on profit; unset: before tax
  Value<Scalar> it_maintenance, facility_maintenance;
  Value<Scalar> facility_people, hardware_people, platform_people;
  Value<MoneyRate> person;

  Value<Money> budget;  ///< for capital up to the first day of service
  Value<MoneyRate> operating_budget;
  Value<TokenPrice> target_token_price;  ///< per output token, input included
  Value<MoneyRate> target_gpu_hour;      ///< per GPU-hour put to use

  void fields(spec::Fields& f);
};

}  // namespace headroom::money
