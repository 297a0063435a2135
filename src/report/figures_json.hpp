// The part `figures` of a report: what its pictures show and no verb says. Names in docs/report.md.
//
// Money and energy flows are lists of nodes and links, each link with its unit and, where the
// engine traced it, the id that `explain` takes. What enters a node leaves it.
#pragma once

#include <string>

#include "study/facility_year.hpp"
#include "study/report_figures.hpp"

namespace headroom::report {

/// `year` may be null: energy is then split at the study's yearly mean.
std::string figures_part(const study::ReportFigures& figures, const study::FacilityAnswer* year);

}  // namespace headroom::report
