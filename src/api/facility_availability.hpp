// How often the halls of a scenario stand still, for `facility --availability`.
//
//   auto a = api::facility_availability({.file = "scenarios/nvl72-row.yaml"}, "100000");
//
// Of the request, what describes the scenario and its weather is used. Mistakes of the scenario, of
// options and of the EPW file are told at their place, together.
#pragma once

#include <string>

#include "api/facility.hpp"
#include "report/facility_availability.hpp"

namespace headroom::api {

/// `histories`: a number; empty: the scenario's. `threads` only share the work.
Result<study::AvailabilityAnswer> facility_availability(const FacilityRequest& request,
                                                        const std::string& histories = {},
                                                        int threads = 1);

}  // namespace headroom::api
