// Parts of the facility's answer in text and JSON: the year in the time domain, what throttling
// costs, ASHRAE classes. Internal to report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "study/facility_year.hpp"

namespace headroom::report {

/// Lines below the year's figures; empty without the part.
std::string facility_time_text(const study::FacilityAnswer& answer);
nlohmann::ordered_json facility_time_json(const study::FacilityAnswer& answer);
/// Hours held down by caps or temperature, and classes.
std::string facility_limits_text(const study::FacilityAnswer& answer);
nlohmann::ordered_json facility_limits_json(const study::FacilityAnswer& answer);

}  // namespace headroom::report
