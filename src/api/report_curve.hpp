// Latency against load of what serves in a scenario: the part `curve` of a report. Internal to api.
#pragma once

#include <optional>
#include <string>

#include "api/infer.hpp"

namespace headroom::api {

/// The fleet of the scenario in each serving workload's chosen layout, by the closed form, at a
/// dozen loads up to saturation, with its knee: the document of `infer --rate ...`, or why there is
/// none. Nothing when no workload serves. `request` names the scenario.
std::optional<Result<std::string>> load_curve(const InferRequest& request,
                                              const study::InferenceAnswer& answer);

}  // namespace headroom::api
