// The answer of `facility --phases` as text and JSON.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"
#include "study/facility_phases.hpp"

namespace headroom::report {

std::string facility_phases_text(const std::vector<study::FacilityPhase>& phases,
                                 const TextOptions& options);
std::string facility_phases_json(const std::vector<study::FacilityPhase>& phases);

}  // namespace headroom::report
