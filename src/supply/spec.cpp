#include "supply/spec.hpp"

#include <fmt/format.h>

#include <array>

namespace headroom::supply {
namespace {

constexpr std::array<std::string_view, 9> kinds{"grid",      "gas_turbine", "gas_engine",
                                                "fuel_cell", "diesel",      "hydrogen",
                                                "solar",     "wind",        "nuclear"};

template <class List>
void unique(spec::Fields& f, const char* key, const List& list) {
  for (std::size_t i = 0; i < list.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (!list[i].name.empty() && list[i].name == list[k].name)
        f.mistake(key, fmt::format("'{}' stands twice", list[i].name), "one name each");
}

}  // namespace

std::span<const std::string_view> kind_names() { return kinds; }

bool burns(Kind kind) {
  return kind == Kind::gas_turbine || kind == Kind::gas_engine || kind == Kind::fuel_cell ||
         kind == Kind::diesel || kind == Kind::hydrogen;
}

bool Window::holds(int month, int hour) const {
  const bool in_month = from_month <= to_month ? month >= from_month && month <= to_month
                                               : month >= from_month || month <= to_month;
  const bool in_hour = from <= to ? hour >= from && hour < to : hour >= from || hour < to;
  return in_month && in_hour;
}

void Window::fields(spec::Fields& f) {
  f.integer("from_month", from_month, "First month, 1 to 12").between(1, 12);
  f.integer("to_month", to_month, "Last month, included; may lie before the first").between(1, 12);
  f.integer("from", from, "First hour of the day, 0 to 23, every day of the week").between(0, 23);
  f.integer("to", to, "Hour of the day at which it ends; may lie before the first").between(0, 24);
}

void Band::fields(spec::Fields& f) {
  when.fields(f);
  f.number("price", price, "USD/kWh", "Price of energy in these hours").required();
}

void SourceSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("name", name, "Name of the source").required();
  f.choice("kind", kind, kinds, "What it is");
  f.number("capacity", capacity, "MW",
           "Most it gives; of solar and wind at the meter. A grid's: site.grid.capacity, or else "
           "no limit, when left out")
      .above(0);
  f.number("most", most, "MW", "In place of capacity: the program chooses it, up to this").above(0);
  f.number("price", price, "USD/kWh",
           "Bought energy; of a grid the region's when left out, of solar, wind and nuclear paid "
           "as produced");
  f.list("tariff", tariff, "Grid: prices by hour and month over `price`; a later one wins");
  f.text("price_hours", price_hours,
         "Grid: CSV beside the scenario, USD/MWh, one line an hour of the year");
  f.number("demand_charge", demand_charge, "USD/kW/mo",
           "Grid: of the month's highest hour; money's or the region's when left out")
      .at_least(0);
  f.number("least_billed", least_billed, "MW", "Grid: demand that is billed at least").at_least(0);
  f.number("efficiency", efficiency, "%", "Of a plant with fuel, lower heating value; by kind")
      .between(1, 100);
  f.number("fuel_price", fuel_price, "USD/kWh", "Of fuel, lower heating value; by kind");
  f.number("fuel_carbon", fuel_carbon, "gCO2e/kWh", "Of fuel, lower heating value; by kind")
      .at_least(0);
  f.number("carbon", carbon, "gCO2e/kWh",
           "Of a kWh supplied, over all else; the grid's hours when left out")
      .at_least(0);
  f.number("upkeep", upkeep, "USD/kWh", "Upkeep that grows with energy; by kind").at_least(0);
  f.number("min_load", min_load, "%", "Least a running plant gives, of capacity; by kind")
      .between(0, 100);
  f.flag("must_run", must_run, "It never stops, and never goes below min_load");
  f.number("run_hours", run_hours, "h", "Most hours at full power a year, of a permit").above(0);
  f.number("take_or_pay", take_or_pay, "%", "Of capacity over the year, paid for if not taken")
      .between(0, 100);
  f.number("take_price", take_price, "USD/kWh",
           "Of what is not taken; price or fuel's when left out")
      .at_least(0);
  f.number("capacity_factor", capacity_factor, "%",
           "Solar, wind: the profile is scaled to it; nuclear: outside its outage, 95 % when left "
           "out")
      .between(1, 100);
  f.text("profile", profile,
         "CSV beside the scenario, share of capacity, one line an hour; solar and wind: from the "
         "weather when left out");
  f.number("clean", clean, "%", "Carbon-free share of its energy; by kind, the grid's the region's")
      .between(0, 100);
  f.integer("outage_month", outage_month, "Month in which its planned outage begins; 0: none")
      .between(0, 12);
  f.number("outage", outage, "d", "Length of the planned outage, e.g. refuelling; 25 d").above(0);
  f.number("capex", capex, "USD/kW", "Price of one's own plant; a plant that stands has none")
      .at_least(0);
  f.number("fixed_upkeep", fixed_upkeep, "USD/kW/yr", "Upkeep of one's own plant").at_least(0);
  f.number("life", life, "yr", "Over which capex is paid; 20 yr").above(0);
  if (capacity && most)
    f.mistake("most", "stands beside capacity", "capacity for what is there, most to be sized");
  if (!capacity && !most && kind != Kind::grid)
    f.mistake("capacity", "is missing", "capacity, or most to have it sized");
  if (kind != Kind::grid && (!tariff.empty() || !price_hours.empty()))
    f.mistake(tariff.empty() ? "price_hours" : "tariff", "is of a grid", "kind: grid");
  if (kind != Kind::grid && (demand_charge || least_billed))
    f.mistake(demand_charge ? "demand_charge" : "least_billed", "is of a grid", "kind: grid");
  if (!burns(kind) && (efficiency || fuel_price || fuel_carbon))
    f.mistake(efficiency   ? "efficiency"
              : fuel_price ? "fuel_price"
                           : "fuel_carbon",
              "is of a plant with fuel", "gas_turbine, gas_engine, fuel_cell, diesel, hydrogen");
  if (price && capex) f.mistake("capex", "stands beside price", "bought, or one's own");
  if (most && kind == Kind::grid && least_billed)
    f.mistake("least_billed", "stands beside most", "capacity");
}

void StorageSpec::fields(spec::Fields& f) {
  f.text("name", name, "Name of the storage").required();
  f.number("power", power, "MW", "Charging and discharging, at the meter").above(0);
  f.number("most", most, "MW", "In place of power: the program chooses it, up to this").above(0);
  f.number("energy", energy, "MWh", "Energy it holds").above(0);
  f.number("duration", duration, "h", "In place of energy: hours at full power; 4 h").above(0);
  f.number("efficiency", efficiency, "%", "Round trip; 88 %").between(1, 100);
  f.number("idle_loss", idle_loss, "%", "Of what it holds, a day; 0.1 %").between(0, 100);
  f.number("wear", wear, "USD/kWh",
           "Cells used up by a kWh given, beside capex; 0.005 USD/kWh when left out")
      .at_least(0);
  f.number("capex", capex, "USD/kWh", "Price, of energy it holds; what stands has none")
      .at_least(0);
  f.number("life", life, "yr", "Over which capex is paid; 15 yr").above(0);
  if (!power == !most) f.mistake("power", "one of power and most is needed", "power: 10 MW");
  if (energy && (duration || most))
    f.mistake("energy", most ? "stands beside most" : "stands beside duration", "duration");
}

void ResponseSpec::fields(spec::Fields& f) {
  f.text("name", name, "Name of the agreement").required();
  f.number("power", power, "MW", "Most the load gives way").above(0).required();
  f.number("hours", hours, "h", "At full power, most a year; no limit when left out").above(0);
  f.number("day_hours", day_hours, "h", "And most a day").above(0);
  f.number("pays", pays, "USD/kWh", "Income of a kWh not used").at_least(0);
  f.number("lost", lost, "USD/kWh",
           "Worth of the work not done; what a GPU-hour earns when left out")
      .at_least(0);
  f.number("ready", ready, "USD/kW/yr", "Income of being ready").at_least(0);
  when.fields(f);
}

void Spec::fields(spec::Fields& f) {
  f.list("sources", sources, "Grid, plants and contracts; the grid alone when left out");
  f.list("storages", storages, "Batteries");
  f.list("responses", responses, "Agreements to use less when asked");
  f.number("unserved", unserved, "USD/kWh", "Worth of energy not served; 10 USD/kWh").above(0);
  f.number("carbon_price", carbon_price, "USD/tCO2e", "Charged on every source's carbon; none")
      .at_least(0);
  f.number("discount", discount, "%", "A year, for paying capex; 8 %").between(0, 100);
  unique(f, "sources", sources), unique(f, "storages", storages);
  unique(f, "responses", responses);
}

}  // namespace headroom::supply
