// The power chain of `headroom facility` as text and as JSON. Internal to report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "report/report.hpp"
#include "study/facility_year.hpp"

namespace headroom::report {

/// A few lines for every answer.
std::string chain_brief(const study::FacilityAnswer& answer, const TextOptions& options);
/// The one-line diagram as a tree, the sweep's worst cases, stranded capacity by cause.
std::string chain_text(const study::FacilityAnswer& answer, const TextOptions& options);
/// Power lost, event by event.
std::string chain_walk_text(const study::FacilityAnswer& answer, const TextOptions& options);

/// Nodes, edges, cases and stages; without `full` the summary alone.
nlohmann::ordered_json chain_json(const study::FacilityAnswer& answer, bool full);
nlohmann::ordered_json chain_walk_json(const study::FacilityAnswer& answer);

}  // namespace headroom::report
