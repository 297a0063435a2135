#include "catalog/finance.hpp"

namespace headroom::catalog {

void ResidualPoint::fields(spec::Fields& f) {
  f.number("age", age, "mo", "Age of the machine").at_least(0).required();
  f.number("share", share, "%", "Share of the purchase price it fetches")
      .between(0, 100)
      .required();
}

void Finance::fields(spec::Fields& f) {
  entry_fields(f);
  f.date("as_of", as_of, "When the figures held");
  f.number("discount", discount, "%", "Weighted average cost of capital, nominal, per year")
      .between(0, 100);
  f.number("escalation", escalation, "%", "Growth of running costs per year").between(-20, 50);
  f.number("horizon", horizon, "yr", "Years compared").between(0.1, 40);
  f.number("it_book_life", it_book_life, "yr", "Years over which IT is written off").above(0);
  f.number("it_economic_life", it_economic_life, "yr", "Years after which IT is replaced").above(0);
  f.number("it_tax_life", it_tax_life, "yr", "Years over which IT is written off for tax").above(0);
  f.number("facility_life", facility_life, "yr", "Years over which a facility is written off")
      .above(0);
  f.list("residual", residual, "What used IT fetches by age");
  f.number("utilisation", utilisation, "%", "Share of installed GPU-hours put to use")
      .between(0, 100);
  f.number("it_maintenance", it_maintenance, "%", "Upkeep of IT per year, of its price")
      .between(0, 100);
  f.number("facility_maintenance", facility_maintenance, "%",
           "Upkeep of the facility per year, of its price")
      .between(0, 100);
  f.number("construction", construction, "USD/kW", "New facility per kW of critical IT load")
      .at_least(0);
  f.number("liquid_retrofit", liquid_retrofit, "USD/kW",
           "Liquid cooling brought into a standing hall, per kW of IT it then cools")
      .above(0);
  f.number("colo", colo, "USD/kW/mo", "Colocation per kW contracted, energy not included")
      .at_least(0);
  f.number("colo_pue", colo_pue, "", "PUE at which a landlord passes energy through").at_least(1);
  f.number("person", person, "USD/yr", "Loaded cost of one person").at_least(0);
  f.number("facility_people_per_mw", facility_people_per_mw, "people",
           "Facility staff per MW of critical load")
      .at_least(0);
  f.number("hardware_people_per_1000", hardware_people_per_1000, "people",
           "Hands on hardware per 1,000 accelerators")
      .at_least(0);
  f.number("platform_people_per_1000", platform_people_per_1000, "people",
           "Platform engineers per 1,000 accelerators, owned or rented")
      .at_least(0);
  f.number("hardware_people_least", hardware_people_least, "people",
           "Hands on hardware that even a small cluster needs")
      .at_least(0);
  f.number("platform_people_least", platform_people_least, "people",
           "Platform engineers that even a small cluster needs")
      .at_least(0);
  f.number("rent_extras", rent_extras, "%", "Storage, support and egress on top of a GPU's rent")
      .between(0, 500);
}

}  // namespace headroom::catalog
