#include "site/spec.hpp"

#include <array>

namespace headroom::site {
namespace {

constexpr std::array<std::string_view, 5> on_site_list{"none", "gas_turbine", "gas_engine",
                                                       "fuel_cell", "solar_storage"};
constexpr std::array<std::string_view, 2> basis_list{"location", "market"};
constexpr std::array<std::string_view, 4> water_list{"unknown", "potable", "reclaimed", "none"};

}  // namespace

std::span<const std::string_view> on_site_names() { return on_site_list; }
std::span<const std::string_view> carbon_basis_names() { return basis_list; }
std::span<const std::string_view> water_source_names() { return water_list; }

void Grid::fields(spec::Fields& f) {
  f.number("capacity", capacity, "MW", "Contracted capacity of the connection").above(0);
  f.number("queue", queue, "yr", "From application to energised; the region's when left out")
      .at_least(0);
  f.choice("on_site", on_site, on_site_list,
           "Own generation that starts the site before the grid does");
  f.flag("firm", firm, "Whether the utility may not interrupt");
}

void Users::fields(spec::Fields& f) {
  f.text("name", name, "Name of the group; the region's when left out");
  f.reference("region", region, "region", "Region the users sit in");
  f.number("latitude", latitude, "", "Degrees north, in place of a region").between(-90, 90);
  f.number("longitude", longitude, "", "Degrees east, in place of a region").between(-180, 180);
  f.number("share", share, "%", "Share of requests; what is left is shared evenly by the others")
      .between(0, 100);
  f.number("rtt_limit", rtt_limit, "ms", "Network round trip that is tolerated; none when left out")
      .above(0);
  if (region.empty() && !(latitude && longitude)) {
    f.mistake("region", "users need a region, or latitude and longitude");
  }
}

void DataSet::fields(spec::Fields& f) {
  f.text("name", name, "Name of the data set; its class when left out");
  f.text("class", data_class, "personal, health, financial, government or important");
  f.text("subjects", subjects, "Jurisdiction of the people or firms it is about, e.g. EU")
      .required();
}

void Residency::fields(spec::Fields& f) {
  f.texts("within", within, "Processing must stay inside one of these jurisdictions");
  f.list("data", data, "Classes of data that are processed here");
  f.texts("safeguards", safeguards,
          "Instruments in place: scc, bcr, dpf, idta, baa, dora-contract");
}

void Export::fields(spec::Fields& f) {
  f.text("owner_country", owner_country,
         "Headquarters of the ultimate parent, ISO 3166-1 alpha-2; the site's when left out");
  f.flag("licence_held", licence_held, "An export licence for these accelerators is in hand");
  f.text("issuer", issuer, "Country whose export law applies");
}

void CarbonLimits::fields(spec::Fields& f) {
  f.number("per_year", per_year, "tCO2e",
           "Most that operation may emit in a year; none when left out")
      .above(0);
  f.number("intensity", intensity, "gCO2e/kWh", "Highest intensity of energy; none when left out")
      .above(0);
  f.choice("basis", basis, basis_list, "Account the limits are held against");
  f.choice(
      "profile", profile, carbon_profile_names(),
      "Shape of the grid's intensity over day and season, where no file gives its hours: solar "
      "(cleaner at noon), thermal (dirtier at the afternoon's peak), wind (cleaner in winter and "
      "at night), flat. Shapes are assumed");
  f.number("renewable_share", renewable_share, "%",
           "Energy matched by contracts (PPA, certificates), market-based account only")
      .between(0, 100);
  f.number("ppa_price", ppa_price, "USD/kWh", "Price of the matched energy").at_least(0);
}

void Spec::fields(spec::Fields& f) {
  f.reference("region", region, "region", "Region whose price, carbon, water and queue hold here");
  f.date("start", start, "Date on which work begins; the study's date when left out");
  f.date("need_by", need_by, "Date by which it must be ready for service; not asked when left out");
  f.date("energised_by", energised_by, "Date promised by the utility, over queue and construction");
  f.flag("existing", existing,
         "The building stands and is energised; only equipment is waited for");
  f.object("grid", grid, "Grid connection");
  f.object("residency", residency, "Where data may be processed");
  f.object("export", export_control, "Ownership, for export control of accelerators");
  f.list("users", users, "Who uses it, from where, with what patience");
  f.object("carbon", carbon, "Carbon limits and contracts");
  f.choice("water_source", water_source, water_list, "Water the cooling plant draws");
  f.number("electricity", electricity, "USD/kWh", "Energy price; the region's when left out")
      .at_least(0);
  f.number("grid_carbon", grid_carbon, "gCO2e/kWh",
           "Carbon intensity of the grid; the region's when left out")
      .at_least(0);
  f.number("path_inflation", path_inflation, "",
           "Network path over great circle at the speed of light in fibre")
      .at_least(1);
  f.number("local_rtt", local_rtt, "ms", "Metro and data-centre part of a round trip").at_least(0);
  f.number("access_rtt", access_rtt, "ms", "Access network of the users, round trip").at_least(0);
}

}  // namespace headroom::site
