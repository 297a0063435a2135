// What this layer is held against: published figures and closed forms beside its own.
//
//   auto rows = check_targets(document, mistakes);     // the `availability` list of the file
//
// Rows of data/validation/facility.yaml, list `availability` (inputs are keys; two types of sets
// where `sets2` is given; times in hours):
//   generator-survival    sets, needed, hours; ready, start_failure, mttf, or an `entry` of kind
//                         `reliability`; repair and crews where failed sets are repaired meanwhile
//   generator-shortfall   1 - that: for published lower bounds ("at least 93 %")
//   generator-steps       sets, needed, mttf (in steps), steps: REopt's chance to carry every step
//   generator-start       sets, ready, start_failure; state: of REopt's order
//   generator-trial       sets, fail; state: last row of REopt's Markov matrix
//   bank                  units (sets), needed, mtbf, mttr: share of time with enough units
//
// Errors: unknown models and entries, and mistakes of the list, at their place. Complexity: some
// ms.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostics.hpp"
#include "catalog/catalog.hpp"
#include "spec/node.hpp"

namespace headroom::availability {

struct Target {
  std::string id, model, unit, source, known_miss;
  double expected = 0, predicted = 0;
  double tolerance = 0;  ///< allowed |predicted - expected|
  bool at_most = false;
};

/// `only`: a map that holds the list `availability` and nothing else.
std::vector<Target> check_targets(const spec::Document& document, const spec::Node& only,
                                  const catalog::Catalog& catalog, Diagnostics& mistakes);

}  // namespace headroom::availability
