#include "money/spec.hpp"

namespace headroom::money {
namespace {

void ways_fields(Spec& s, spec::Fields& f) {
  f.texts("compare", s.compare,
          "Ways to compare with owning: colo, neocloud, cloud; by default all three");
  f.reference("neocloud_price", s.neocloud_price, "price",
              "Price entry for reserved capacity; by default the newest contract for the "
              "accelerator");
  f.reference("cloud_price", s.cloud_price, "price",
              "Price entry for hourly capacity; by default the newest hyperscaler's on-demand one");
  f.number("neocloud_rent", s.neocloud_rent, "USD/GPU/h", "Reserved rent, over the catalogue's")
      .above(0);
  f.number("cloud_rent", s.cloud_rent, "USD/GPU/h", "Hourly rent, over the catalogue's").above(0);
  f.date("prices_as_of", s.prices_as_of, "Day of the rents given here");
  f.number("rent_extras", s.rent_extras, "%",
           "Storage, support and egress on top of a GPU's rent; by default the profile's")
      .between(0, 500);
  f.number("neocloud_goodput", s.neocloud_goodput, "%",
           "Goodput on reserved GPUs; by default equal to one's own")
      .between(1, 100);
  f.number("cloud_goodput", s.cloud_goodput, "%",
           "Goodput on hourly GPUs; by default equal to one's own")
      .between(1, 100);
}

void price_fields(Spec& s, spec::Fields& f) {
  f.number("accelerator_price", s.accelerator_price, "USD",
           "Price of one accelerator with its share of the server; by default the bill's")
      .at_least(0);
  f.number("energy_price", s.energy_price, "USD/kWh", "Energy; by default the region's")
      .at_least(0);
  f.number("demand_charge", s.demand_charge, "USD/kW/mo",
           "Charge on the month's peak; by default the region's, or none")
      .at_least(0);
  f.number("take_or_pay", s.take_or_pay, "%",
           "Share of the contracted power that is billed at least; by default none")
      .between(0, 100);
  f.number("construction", s.construction, "USD/kW",
           "New facility per kW of critical IT load; by default the region's, else the profile's")
      .at_least(0);
  f.number("colo", s.colo, "USD/kW/mo", "Colocation, energy not included; by default the profile's")
      .at_least(0);
  f.number("colo_pue", s.colo_pue, "", "PUE at which a landlord passes energy through").at_least(1);
}

void life_fields(Spec& s, spec::Fields& f) {
  f.number("utilisation", s.utilisation, "%",
           "Share of installed GPU-hours put to use; by default the profile's")
      .between(0.1, 100);
  f.number("book_life", s.book_life, "yr", "Years over which IT is written off").above(0);
  f.number("economic_life", s.economic_life, "yr", "Years after which IT is bought again").above(0);
  f.number("tax_life", s.tax_life, "yr", "Years over which IT is written off for tax").above(0);
  f.number("facility_life", s.facility_life, "yr", "Years over which a facility is written off")
      .above(0);
  f.number("residual", s.residual, "%",
           "Share of IT's price left at the horizon; by default from the profile's curve")
      .between(0, 100);
  f.number("tax", s.tax, "%", "Tax rate on profit; by default all figures are before tax")
      .between(0, 90);
}

void running_fields(Spec& s, spec::Fields& f) {
  f.number("it_maintenance", s.it_maintenance, "%", "Upkeep of IT per year, of its price")
      .between(0, 100);
  f.number("facility_maintenance", s.facility_maintenance, "%",
           "Upkeep of the facility per year, of its price")
      .between(0, 100);
  f.number("facility_people", s.facility_people, "people", "Facility staff; by default by the MW")
      .at_least(0);
  f.number("hardware_people", s.hardware_people, "people",
           "Hands on hardware; by default by the thousand accelerators")
      .at_least(0);
  f.number("platform_people", s.platform_people, "people",
           "Platform engineers, owned or rented; by default by the thousand accelerators")
      .at_least(0);
  f.number("person", s.person, "USD/yr", "Loaded cost of one person").at_least(0);
}

}  // namespace

void Spec::fields(spec::Fields& f) {
  f.reference("profile", profile, "finance", "Finance profile; by default `default`");
  f.date("start", start, "First day of service; by default when the site is energised");
  f.number("horizon", horizon, "yr", "Years compared; by default the profile's").between(0.1, 40);
  f.number("discount", discount, "%", "Cost of capital per year, nominal; by default the profile's")
      .between(0, 100);
  f.number("escalation", escalation, "%", "Growth of running costs per year").between(-20, 50);
  ways_fields(*this, f);
  price_fields(*this, f);
  life_fields(*this, f);
  running_fields(*this, f);
  f.number("budget", budget, "USD", "Capital there is; by default no limit").above(0);
  f.number("operating_budget", operating_budget, "USD/yr",
           "Running costs there is money for; by default no limit")
      .above(0);
  f.number("target_token_price", target_token_price, "USD/Mtoken",
           "What an output token may cost, its input included; by default no limit")
      .above(0);
  f.number("target_gpu_hour", target_gpu_hour, "USD/GPU/h",
           "What a GPU-hour put to use may cost; by default no limit")
      .above(0);
  for (const auto& way : compare) {
    if (way != "colo" && way != "neocloud" && way != "cloud") {
      f.mistake("compare", "'" + way + "' is no way to have accelerators",
                "expected colo, neocloud or cloud");
    }
  }
}

}  // namespace headroom::money
