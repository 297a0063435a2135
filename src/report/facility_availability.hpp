// The answer of `headroom facility --availability` for people and programs.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_availability.hpp"

namespace headroom::report {

std::string availability_text(const study::AvailabilityAnswer& answer, const TextOptions& options);
/// Names are stable; hours, GPU-hours, outages and USD are of one year.
std::string availability_json(const study::AvailabilityAnswer& answer);

}  // namespace headroom::report
