// Figures used where neither the scenario nor the failure population says,
// each with its source or its reason. Private to cluster.
#pragma once

#include <string>

#include "base/value.hpp"

namespace headroom::cluster {

Value<Time> default_repair();
Value<Time> default_detection();
Value<Time> default_restart();
Value<Scalar> default_node_share();
Value<Scalar> default_percentile();
Value<Scalar> default_occupancy();

/// The failure population of an accelerator when the scenario names none: the
/// published fleet of its generation, else Llama 3's.
std::string default_population(const std::string& accelerator);

}  // namespace headroom::cluster
