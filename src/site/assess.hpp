// Site: can the place be ready in time, may it hold these chips and these data,
// is it near enough to its users, and what does its energy emit?
//
// Schedule. Tasks form a network (critical path method): design and permits,
// then shell; gear is ordered at the start; fit-out waits for shell and gear;
// energising waits for fit-out and for the grid (or own generation);
// commissioning follows; equipment is ordered at the start and installed into a
// live hall. Ready = longest path. All lead times low, and all high, give the
// range; the likely ones give the answer. An existing hall waits for equipment
// and installation alone.
//
// Latency. rtt = inflation * 2 d / v + local + access, d the great circle on a
// sphere of 6,371 km, v = c / 1.468 (light in fibre).
//
// Carbon. location = meter energy x grid intensity; market = the same times
// (1 - contracted share).
//
// Export and residency: catalogue rules, each with the date it was read; past
// its review date a rule answers "unknown" in a remark and holds no limit.
// Neither is legal advice.
//
// Complexity: O(tasks + users + rules x accelerators). No global state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/findings.hpp"
#include "catalog/catalog.hpp"
#include "catalog/lead_time.hpp"
#include "catalog/region.hpp"
#include "site/spec.hpp"

namespace headroom::site {

/// Something ordered, that the schedule must wait for.
struct Order {
  std::string item;       ///< "16,384 H100 in DGX H100"
  std::string lead_time;  ///< id of a catalogue lead-time entry; empty: `time` says it
  Value<Time> time;       ///< over the entry's
  catalog::Phase phase = catalog::Phase::equipment;  ///< when `lead_time` is empty
};

/// Accelerators as export control sees them.
struct ControlledChip {
  std::string id, name;
  double count = 0;
  Figure<Scalar> tpp;                  ///< unset node: not known
  Figure<Scalar> performance_density;  ///< TPP/mm2; 0: not known
};

struct Demand {
  std::string as_of;          ///< date of the study, YYYY-MM-DD
  bool construction = false;  ///< something must be built
  std::vector<Order> orders;
  std::vector<ControlledChip> chips;
  Figure<Energy> energy;     ///< at the meter, of a year; unset node: not known
  Figure<Power> peak_power;  ///< at the meter
  Figure<Volume> water;      ///< of a year
};

/// Lines of a bill as orders: their own lead time, else that of the catalogue
/// entry whose `category` they have; one order a category and lead time, the slowest kept.
std::vector<Order> orders_from(const BillOfMaterials& bill, const catalog::Catalog& catalog);

/// One task of the schedule.
struct Task {
  std::string id, name;
  Time duration{};
  Time start{}, finish{};  ///< since the project's start
  Time slack{};            ///< it may slip by this much and delay nothing
  bool critical = false;
};

struct Schedule {
  std::vector<Task> tasks;  ///< in order of start
  Figure<Time> energised;   ///< since start
  Figure<Time> ready;       ///< since start
  Time ready_low{}, ready_high{};
  std::string start;  ///< date; empty when unknown
};

struct Latency {
  std::string users;
  Figure<Length> distance;
  Figure<Time> rtt;
  Time rtt_low{}, rtt_high{};
  double share = 0;
};

struct Result {
  const catalog::Region* region = nullptr;  ///< nullptr when none was named
  Schedule schedule;
  std::vector<Latency> latency;
  Figure<Time> mean_rtt;                 ///< weighted by share; unset without users
  Figure<EnergyPrice> electricity;       ///< unset node: not known
  Figure<PowerPriceRate> demand_charge;  ///< unset node: none apart from the energy price
  Figure<Scalar> minimum_bill;           ///< unset node: none
  Figure<CarbonIntensity> carbon_intensity;
  Figure<Carbon> carbon_location;  ///< a year
  Figure<Carbon> carbon_market;    ///< a year
  Findings findings;
};

/// Assesses a site. Ids start with `scope` behind the layer: "site.<scope>.rtt" or,
/// with an empty scope, "site.rtt".
Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace,
              std::string_view scope = {});

// --- Parts, each usable alone -------------------------------------------------

/// Great-circle distance on the mean sphere (haversine).
Length great_circle(double lat1, double lon1, double lat2, double lon2);
/// Round trip over fibre: inflation * 2 d / (c / 1.468).
Time fibre_rtt(Length distance, double inflation);

/// The network of tasks, solved. `grid`: time to energise from outside, zero when none.
Schedule plan_schedule(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                       const catalog::Region* region, Trace& trace, const std::string& prefix);

}  // namespace headroom::site
