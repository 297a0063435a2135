// What this layer is held against: published figures beside its own, with tolerances.
//
//   auto table = check_targets("data/validation/facility.yaml", "../shared/data/facility/epw");
//   if (table) print(to_text(*table));
//
// Rows (their inputs are keys of the file):
//   tower-approach      wet_bulb, range, ratio   York's correlation
//   chiller-cop         entry, entering, load    EIR curves at the machine's own leaving water
//   pumped-refrigerant  entering                 Econophase table
//   chiller-free        entry (climate), supply  hours of a year in which a plant of towers (4 K at
//                       wet bulb 20 degC by York's curve), plate 2 K and CDU 4 K holds `supply`
//                       without a compressor; EPW file where the folder has it, else the
//                       climate's synthetic year
//   esif-pue, esif-water-towers, esif-water-hybrid
//                       NREL's ESIF at Golden with Denver's synthetic year: 1 MW on plates,
//                       building heat first, then (hybrid) a dry cooler, then towers
//   air-shutdown        cabinet (kW): seconds from loss of cooling to the servers' protection
//   plate-shutdown      the same of a liquid-cooled hall that loses its coolant pumps
//
// `power:` and `availability:` are lists of other layers' rows (power/targets.hpp,
// availability/targets.hpp); they are passed over here.
//
// Errors: mistakes of the file and of EPW files, each at its place. Complexity: the eight climates'
// years dominate, about 1 s in all.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cooling/plant.hpp"
#include "cooling/weather.hpp"
#include "spec/node.hpp"

namespace headroom::cooling {

struct TargetResult {
  std::string id, model, unit, source;
  std::string note;        ///< the weather it was computed with
  std::string known_miss;  ///< why it is not met; empty: it should be
  double expected = 0, predicted = 0;
  double tolerance = 0;  ///< allowed |predicted - expected|, in `unit`
  bool at_most = false;  ///< expected is a bound
  double error() const { return expected != 0 ? (predicted - expected) / expected : 0; }
  bool met() const {
    if (at_most) return predicted >= 0 && predicted < expected;
    const double d = predicted - expected;
    return d <= tolerance && d >= -tolerance;
  }
};

/// `epw_folder` may be empty or missing.
headroom::Result<std::vector<TargetResult>> check_targets(const std::string& file,
                                                          const std::string& epw_folder = {});

/// The same of a document that is already parsed.
headroom::Result<std::vector<TargetResult>> check_target_document(
    const std::string& name, const spec::Document& document, const std::string& epw_folder = {});

/// A table for people; misses first.
std::string to_text(const std::vector<TargetResult>& table);

/// The ESIF plant of the targets; `weather` gives the heating demand's hours.
Plant esif_plant(const WeatherYear& weather, bool thermosyphon);

}  // namespace headroom::cooling
