// The facility's models against published figures: what `headroom validate facility` prints.
//
//   auto v = validate_facility({.epw = "../shared/data/facility/epw"});
//   if (v) print(to_text(*v, options));
//
// Targets are data/validation/facility.yaml, which the library carries, or a file of the same
// layout: `rows` (cooling/targets.hpp) and `power`:
//
//   frontier-components, frontier-telemetry   cpu (0..1), gpus (0..4): power/targets.hpp, MW
//
// and `availability`: availability/targets.hpp.
//
// The group of a row is its kind of target (`model`). A figure that is a bound ("below 60 s") or
// zero has no relative error: it is checked, listed under "targets", and left out of `rows`.
//
// Weather: the EPW file of a row's climate where `epw` holds it. With a folder that lacks the file
// the row is skipped with that reason; without a folder the climate's synthetic year stands in,
// and the row's `weather` says so.
//
// JSON: report.hpp's, and
//   "met", "missed", "known_misses": counts; a known miss is one that the file explains
//   "targets": [{"id","group","published","predicted","unit","tolerance","at_most","met",
//                "known_miss","source","weather"}]      tolerance: largest |difference|, in `unit`
//
// Errors: mistakes of the file and of EPW files, at their place. Complexity: a second.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cooling/targets.hpp"
#include "validation/report.hpp"

namespace headroom::validation {

struct FacilityOptions {
  std::string targets{};  ///< file; empty: the built-in one
  std::string epw{};      ///< folder of EPW files; may be empty
  bool all_rows = false;
};

struct FacilityValidation {
  Report report;
  std::vector<cooling::TargetResult> targets;  ///< all that were computed
  std::size_t met = 0, missed = 0, known_misses = 0;
  bool as_expected() const { return missed == known_misses; }
};

/// The text of data/validation/facility.yaml.
std::string_view facility_targets();

Result<FacilityValidation> validate_facility(const FacilityOptions& options);

std::string to_json(const FacilityValidation& v);
std::string to_text(const FacilityValidation& v, const FacilityOptions& options);

}  // namespace headroom::validation
