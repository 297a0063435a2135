// One way's capital, running costs, cash flow and levelised cost, from the
// resolved inputs. Private to money.
#pragma once

#include "money/inputs.hpp"

namespace headroom::money {

/// `rent` for neocloud and cloud. `goodput_ratio` is one's own goodput over the
/// way's: the GPU-hours there that do the work of one here.
Path make_path(Way way, const Inputs& inputs, const Demand& demand, const Rent* rent,
               Figure<Scalar> goodput_ratio, Trace& trace);

/// Levelised cost of one cause, USD per installed GPU-hour.
double per_installed_hour(const Path& path, Cause cause);

/// Annual energy bill of one's own facility, demand charge included.
MoneyRate energy_bill(const Inputs& inputs, const Demand& demand);

}  // namespace headroom::money
