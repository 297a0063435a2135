// When a scenario's hall can be ready, and what that costs: retrofit against a new building.
// What `headroom facility FILE --gantt` prints.
//
//   auto a = study::facility_gantt("hall.yaml", {}, catalog);
//   a->plans[0].schedule.tasks         // start, finish, slack, critical: site/assess.hpp
//   a->plans[0].capital_usd
//
// PLANS. First the scenario as it stands, then the other way: a new building for a hall that
// stands, a hall that stands for a new building; then the scenario's phases (facility_phases.hpp),
// each as a retrofit of the hall.
//   retrofit      tasks of the site layer, and gear for every limit of power and cooling that falls
//                 short (transformer, generator, UPS, busway, chiller, room units, CDUs), with
//                 the catalogue's lead times, then fit-out; beside it the grid's queue where the
//                 connection falls short
//   new building  design and permits, shell, gear, grid, fit-out, commissioning; limits of the old
//                 hall's power, cooling and floor do not bind, the new one is built to the load
//
// MONEY. Capital as the money layer counts it (a new building with its construction). A retrofit's
// gear costs what the first remedy of each limit that falls short costs (the catalogue's prices,
// mostly recalled, of gear bought and installed); one order that lifts two limits counts once, and
// what has no price is named. Work beside running racks costs more; no source says how much. Halls
// with liquid cooling carry a published figure beside it (finance `liquid_retrofit`).
//
// DATE. A plan misses the day by which the scenario is needed (site.need_by) when its likely day is
// later.
//
// Errors: those of reading, with the phase's name; on standard input only the first plan is made.
// Complexity: a check a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "site/assess.hpp"
#include "study/facility_phases.hpp"

namespace headroom::study {

/// Gear that a retrofit orders, with its price.
struct GearPrice {
  std::string limit, action, source;
  double usd = 0;
};

struct BuildPlan {
  std::string name;
  bool retrofit = false;
  site::Schedule schedule;
  std::optional<double> capital_usd;  ///< unset: the scenario asks for no money
  double it_max_w = 0;
  std::vector<PhaseLimit> missed;     ///< that bind this way, worst first
  std::vector<GearPrice> gear;        ///< of a retrofit, for limits that fall short
  std::vector<std::string> unpriced;  ///< gear ordered whose price nobody knows
  /// A retrofit for liquid as it is published, of this IT; unset: no hall has liquid cooling.
  std::optional<double> published_usd;
  std::string published_source;
  double late_days = 0;  ///< after the day by which it is needed; 0: in time, or none is given

  double gear_usd() const;
  /// Capital with the gear; unset: not asked.
  std::optional<double> total_usd() const;

  /// YYYY-MM-DD of a time since the start; empty when the start is no date.
  std::string date(Time since_start) const;
};

struct GanttAnswer {
  std::string scenario;
  std::vector<BuildPlan> plans;
  std::vector<std::string> remarks;

  /// The scenario's own plan is ready when it is needed.
  bool in_time() const { return plans.empty() || plans.front().late_days <= 0; }
  const BuildPlan* retrofit() const;   ///< of the scenario's first two; nullptr: none
  const BuildPlan* new_build() const;  ///< the same
};

Result<GanttAnswer> facility_gantt(const std::string& file, const std::vector<std::string>& sets,
                                   const catalog::Catalog& catalog);

}  // namespace headroom::study
