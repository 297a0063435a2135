// The answer of `headroom facility` in the forms people and programs read.
//
// `facility_text` is for a terminal, `facility_json` has stable names, `facility_csv` is one line
// an hour of the year with a header that names units.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_year.hpp"

namespace headroom::report {

std::string facility_text(const study::FacilityAnswer& answer, const TextOptions& options);
std::string facility_json(const study::FacilityAnswer& answer);
std::string facility_csv(const study::FacilityAnswer& answer);

}  // namespace headroom::report
