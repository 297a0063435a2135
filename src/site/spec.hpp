// What a scenario says of its site: where, by when, for whom, under whose law.
//
// Everything may be left out. A region fills price, carbon, water stress and
// queue from the catalogue; a field given here stands over the catalogue.
// Limits appear only for what was asked: no `need_by`, no schedule margin; no
// `users` with a limit, no latency margin; and so on.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.hpp"
#include "spec/fields.hpp"

namespace headroom::site {

/// Own generation that stands in for, or bridges to, the grid.
enum class OnSite : unsigned char { none, gas_turbine, gas_engine, fuel_cell, solar_storage };
std::span<const std::string_view> on_site_names();

/// Which carbon account a limit is held against.
enum class CarbonBasis : unsigned char { location, market };
std::span<const std::string_view> carbon_basis_names();

enum class WaterSource : unsigned char { unknown, potable, reclaimed, none };
std::span<const std::string_view> water_source_names();

/// The grid connection.
struct Grid {
  Value<Power> capacity;  ///< contracted; the power layer holds the load against it
  Value<Time> queue;      ///< over the region's
  OnSite on_site = OnSite::none;
  bool firm = true;  ///< false: the utility may interrupt

  void fields(spec::Fields& f);
};

/// A group of people who use what runs here.
struct Users {
  std::string name;
  std::string region;                 ///< catalogue region they sit in
  Value<Scalar> latitude, longitude;  ///< or a point
  Value<Scalar> share;                ///< of requests; groups without one share the rest
  Value<Time> rtt_limit;              ///< network round trip that is tolerated

  void fields(spec::Fields& f);
};

/// A class of data that is processed here.
struct DataSet {
  std::string name;
  std::string data_class = "personal";  ///< personal, health, financial, government, important
  std::string subjects;                 ///< jurisdiction of the people or firms it is about

  void fields(spec::Fields& f);
};

/// Residency: what the owner demands, and what law demands of the data.
struct Residency {
  std::vector<std::string> within;  ///< processing must stay in one of these
  std::vector<DataSet> data;
  std::vector<std::string> safeguards;  ///< in place: scc, bcr, dpf, baa, idta ...

  void fields(spec::Fields& f);
};

/// Who owns and uses the accelerators, for export control.
struct Export {
  std::string owner_country;  ///< headquarters of the ultimate parent, ISO 3166-1 alpha-2
  bool licence_held = false;
  /// Country whose law applies; chips of US design fall under US law everywhere.
  std::string issuer = "US";

  void fields(spec::Fields& f);
};

/// Shape of the grid's intensity over day and season about its yearly mean (carbon_hours.hpp).
enum class CarbonProfile : unsigned char { solar, flat, thermal, wind };
std::span<const std::string_view> carbon_profile_names();

struct CarbonLimits {
  Value<Carbon> per_year;
  Value<CarbonIntensity> intensity;
  CarbonBasis basis = CarbonBasis::location;
  CarbonProfile profile = CarbonProfile::solar;
  Value<Scalar> renewable_share{Scalar(0.0), assumed("no contract for renewable energy was given")};
  Value<EnergyPrice> ppa_price;

  void fields(spec::Fields& f);
};

struct Spec {
  std::string region;
  std::string start;         ///< work begins; study's date when empty
  std::string need_by;       ///< ready for service
  std::string energised_by;  ///< promised by the utility; over queue and construction
  bool existing = false;     ///< already built and energised: only equipment is waited for
  Grid grid;
  Residency residency;
  Export export_control;
  std::vector<Users> users;
  CarbonLimits carbon;
  WaterSource water_source = WaterSource::unknown;
  Value<EnergyPrice> electricity;      ///< over the region's
  Value<CarbonIntensity> grid_carbon;  ///< over the region's
  /// Path inflation: network path over great circle at the speed of light in fibre.
  Value<Scalar> path_inflation{
      Scalar(1.30), Scalar(1.74), Scalar(2.76),
      published("P10, median and P90 over 36 AWS region pairs (2017 round-trip table), against the "
                "fibre lower bound",
                "2017-04")};
  /// Metro and data-centre part of a round trip, both ends.
  Value<Time> local_rtt{Time(1.6 * millisecond),
                        published("cross-zone round trip inside one Azure region "
                                  "(simonpainter.com/azure-latency-1)",
                                  "2023")};
  /// Access network of the users, round trip.
  Value<Time> access_rtt{Time(0 * millisecond), Time(5 * millisecond), Time(15 * millisecond),
                         assumed("fixed access adds 2 to 15 ms; 0 for users in data centres")};

  void fields(spec::Fields& f);
};

}  // namespace headroom::site
