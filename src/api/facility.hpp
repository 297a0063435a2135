// A scenario's halls through a year and through failures of cooling, for the verb `facility`.
//
//   api::FacilityRequest r{.file = "scenarios/nvl72-row.yaml"};
//   r.warmer = "2 K", r.lose = {"all-cooling@15:00"};
//   auto answer = api::facility(r);
//
// Quantities are texts with units; a bare number takes the option's unit. Mistakes of the scenario,
// of options, of node names and of the EPW file are told at their place.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "report/facility_phases.hpp"
#include "report/facility_report.hpp"
#include "study/facility_year.hpp"

namespace headroom::api {

struct FacilityRequest {
  std::string file{};                    ///< scenario; "-" is standard input
  std::vector<std::string> sets{};       ///< "path=value", applied in order
  std::string catalog{};                 ///< folder laid over the built-in catalogue
  bool chain = false;                    ///< the power chain in full
  bool pairs = false;                    ///< every two losses of the chain; with `chain`
  std::vector<std::string> lose_both{};  ///< NODE,NODE lost at once; with `chain`
  bool year = false;  ///< the year beside failures; without failures it always is
  std::string epw{};
  std::string fill_gaps{};          ///< longest gap of the EPW file to interpolate, "3 h"
  std::string warmer{};             ///< "2 K"
  std::vector<std::string> lose{};  ///< NODE[=SHARE][@hh:mm]
  std::string horizon{};            ///< "10 min"
  std::string back{};               ///< "5 min"; empty: never
  std::string reclaimed{};          ///< "20 m3/h"
  std::string carbon{};             ///< CSV of the grid's intensity, a line an hour
  std::string cap{};                ///< power cap of racks, "85 %"
  std::string resolution{};         ///< the year in the time domain too, "1 s"
  Progress* progress =
      nullptr;  ///< who watches; when it asks to stop, the failure `is_stop` (stoppable.hpp)
};

/// The request's options, read; mistakes are added.
study::FacilityOptions facility_options(const FacilityRequest& request, Diagnostics& mistakes);
Result<study::FacilityAnswer> facility(const FacilityRequest& request);

/// The scenario's phases, each checked as a whole (study/facility_phases.hpp); of the request
/// `file`, `sets` and `catalog` count.
Result<std::vector<study::FacilityPhase>> facility_phases(const FacilityRequest& request);

}  // namespace headroom::api
