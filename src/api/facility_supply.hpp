// Where the energy of a scenario's halls comes from over a year, for `facility --supply`.
//
//   auto a = api::facility_supply({.file = "scenarios/campus-100k.yaml"});
//
// Of the request, what describes the scenario, its weather and the grid's carbon is used. Mistakes
// of the scenario, of options and of files are told at their place.
#pragma once

#include "api/facility.hpp"
#include "report/facility_supply.hpp"
#include "study/facility_supply.hpp"

namespace headroom::api {

Result<study::SupplyAnswer> facility_supply(const FacilityRequest& request);

}  // namespace headroom::api
