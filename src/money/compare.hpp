// Ways against each other: break-even, returns, bridges; and what delay and
// stranded capacity cost. Private to money.
#pragma once

#include "money/inputs.hpp"

namespace headroom::money {

/// Fills break_even, irr and mirr of `other` against `own`.
void compare(const Inputs& inputs, const Demand& demand, double goodput_ratio, const Path& own,
             Path& other, Trace& trace, std::vector<std::string>& remarks);

Bridge bridge(const Path& from, const Path& to);

/// Sets cheapest, delay_cost, stranded_cost and depreciation.
void consequences(const Inputs& inputs, const Demand& demand, Result& result, Trace& trace);

/// Products at the cost of owning.
std::vector<ProductCost> cost_products(const Demand& demand, const Path& own, Trace& trace);

/// Margins against budgets and targets.
void limits(const Spec& spec, const Inputs& inputs, const Demand& demand, Result& result,
            Trace& trace);

}  // namespace headroom::money
