// The table of stages of a sweep. Internal to power.
#pragma once

#include "power/sweep.hpp"

namespace headroom::power {

/// Fills `out.stages`, `binding` and `scale` from `out.nodes`. `sets`: the base on generators,
/// empty without any.
void stage_rows(const Graph& graph, const Solution& mains, const Solution& sets,
                double cooling_scale, Sweep& out);

}  // namespace headroom::power
