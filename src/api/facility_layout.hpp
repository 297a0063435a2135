// Halls as rows on a floor, and when they can be ready, for `facility --layout` and `--gantt`.
//
//   auto a = api::facility_layout({.file = "scenarios/nvl72-row.yaml"});
//
// Of the request, what names the scenario is used.
#pragma once

#include "api/facility.hpp"
#include "report/facility_gantt.hpp"
#include "report/facility_layout.hpp"
#include "report/layout_svg.hpp"
#include "study/facility_gantt.hpp"
#include "study/facility_layout.hpp"

namespace headroom::api {

Result<study::LayoutAnswer> facility_layout(const FacilityRequest& request);
Result<study::GanttAnswer> facility_gantt(const FacilityRequest& request);

}  // namespace headroom::api
