// Least-cost supply of a load over a year: sources, storage, reduction of the load, as one linear
// program over all hours.
//
//   Problem p;
//   p.load_mw.assign(8760, 10.0);
//   p.sources.push_back({.name = "grid", .capacity_mw = 12, .cost_usd_mwh = {60}});
//   const auto d = dispatch(p);          // d->usd, d->price_usd_mwh[h], d->sources[0].saving_...
//
// Of each hour h (MW = MWh of the hour; megawatts since a program wants numbers near one):
//
//   sum g_s + sum (out_b - in_b) + sum r_d + unserved - spill = load
//   floor_s a_s(h) K_s <= g_s <= a_s(h) K_s               spill only where a source has a floor
//   soc_b(h) = keep_b soc_b(h-1) + in_b eta_in - out_b / eta_out,   0 <= soc_b <= E_b, a ring
//   g_s(h) <= peak_s(month)        billed at the demand charge; at least least_s
//   sum_h g_s <= full_hours_s K_s
//   sum_h g_s + short_s >= take_s H K_s                   short_s is paid at take_usd_mwh
//   r_d <= power_d allowed_d(h),  sum_h r_d <= hours_d power_d,  sum of a day <= day_hours_d
//   power_d
//
//   minimise  sum g c + peak D + short T + out w + r (lost - paid) + unserved V + K F
//
// K_s is a number, or between 0 and most_mw for what is sized (storage: power, at fixed hours).
// Units run without start-up and at any share of their capacity: there is no commitment; hours
// below a unit's minimum are counted (low_h) and not forbidden. Perfect foresight of the year: a
// lower bound of the cost. Charging and discharging in the same hour is not forbidden either; it
// never pays while prices are positive.
//
// saving_usd_mw: what one more MW would save a year, its own fixed cost taken off; from the duals.
//
// Errors: arrays of the wrong length, numbers out of range, programs without an answer, as text.
// Complexity: 8,760 h x 4 sources and a battery in seconds. Deterministic.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace headroom::supply {

struct Source {
  std::string name;
  double capacity_mw = 0;
  std::vector<double> available{};      ///< share of the capacity; empty: 1; else one an hour
  std::vector<double> cost_usd_mwh{0};  ///< of what is used; one for all hours, or one an hour
  double paid_usd_mwh = 0;              ///< of what is available, used or not (pay as produced)
  double fixed_usd_mw = 0;              ///< a year
  double floor = 0;                     ///< share of what is available that runs at every hour
  double low = 0;                       ///< minimum load, counted only
  double demand_usd_mw = 0;             ///< a month, of the month's highest hour
  double least_billed_mw = 0;           ///< of the demand charge
  double full_hours = std::numeric_limits<double>::infinity();  ///< most in a year
  double take = 0;                                              ///< take-or-pay, of H x capacity
  double take_usd_mwh = 0;                                      ///< of what is not taken
  std::vector<double> carbon_kg_mwh{0};                         ///< one, or one an hour
  std::vector<double> clean{0};  ///< carbon-free share of its energy; one, or one an hour
  double renewable = 0;          ///< share
  bool sized = false;
  double most_mw = 0;  ///< of what is sized
};

struct Storage {
  std::string name;
  double power_mw = 0, energy_mwh = 0;
  double in = 1, out = 1;   ///< efficiencies of charging and discharging
  double keep = 1;          ///< share of the charge left after an hour
  double wear_usd_mwh = 0;  ///< of energy discharged: cells used up
  double fixed_usd_mw = 0;  ///< a year
  bool sized = false;
  double hours = 0, most_mw = 0;  ///< of what is sized: energy over power, most power
};

struct Response {
  std::string name;
  double power_mw = 0;
  std::vector<double> allowed{};                               ///< 0 or 1; empty: at every hour
  double hours = std::numeric_limits<double>::infinity();      ///< full-power hours a year
  double day_hours = std::numeric_limits<double>::infinity();  ///< and a day
  double paid_usd_mwh = 0, lost_usd_mwh = 0;                   ///< income; work not done
  double income_usd_mw = 0;                                    ///< a year, for being ready
};

struct Problem {
  std::vector<double> load_mw;
  std::vector<int> month;  ///< of each hour, 0-based; empty: one month
  std::vector<Source> sources;
  std::vector<Storage> storages;
  std::vector<Response> responses;
  double unserved_usd_mwh = 10000;
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

struct SourceYear {
  std::vector<double> used_mw;
  double capacity_mw = 0;  ///< given or sized
  double used_mwh = 0, available_mwh = 0, not_taken_mwh = 0;
  double energy_usd = 0, fixed_usd = 0, demand_usd = 0, take_usd = 0;
  double saving_usd_mw = 0, low_h = 0, carbon_kg = 0;
  std::vector<double> peak_mw;  ///< billed, by month
  double curtailed_mwh() const { return available_mwh - used_mwh; }
  double usd() const { return energy_usd + fixed_usd + demand_usd + take_usd; }
};

struct StorageYear {
  std::vector<double> in_mw, out_mw, charge_mwh;
  double power_mw = 0, energy_mwh = 0, in_mwh = 0, out_mwh = 0;
  double wear_usd = 0, fixed_usd = 0, saving_usd_mw = 0;  ///< a MW with its share of energy
};

struct ResponseYear {
  std::vector<double> less_mw;
  double less_mwh = 0, income_usd = 0, lost_usd = 0;
  double saving_usd_mw = 0;
};

struct Dispatch {
  std::vector<SourceYear> sources;
  std::vector<StorageYear> storages;
  std::vector<ResponseYear> responses;
  std::vector<double> unserved_mw, spill_mw, price_usd_mwh;  ///< marginal price of each hour
  std::vector<double> carbon_kg, clean;  ///< of what the load took, through storage; share
  double load_mwh = 0, served_mwh = 0, unserved_mwh = 0, spill_mwh = 0;
  double usd = 0;          ///< sum of all parts, unserved energy at its value
  double objective = 0;    ///< the program's own; equal to `usd`
  double imbalance = 0;    ///< worst of any hour, of the highest load
  double clean_share = 0;  ///< hourly matched, 24/7
  double renewable_share = 0;
  int columns = 0, rows = 0, iterations = 0;
};

/// Mistakes are texts; `where` of each is empty.
Result<Dispatch> dispatch(const Problem& problem);
std::vector<std::string> mistakes_of(const Problem& problem);

}  // namespace headroom::supply
