// Pools, classes and regions of a replay in text and JSON. Internal to report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "report/report.hpp"
#include "study/replay_run.hpp"

namespace headroom::report {

/// "84.2 ms", "1.3 s"; "0" for nothing.
std::string replay_seconds(double s);
std::string replay_percent(double share, int digits = 1);

/// Tables of what the parts of a fleet are, saw, did and cost; classes alone without a fleet.
std::string replay_parts_text(const study::ReplayAnswer& answer, const TextOptions& options);

/// "fleet", "pools", "classes", "regions", "power_caps".
void replay_parts_json(const study::ReplayAnswer& answer, nlohmann::ordered_json& out);

}  // namespace headroom::report
