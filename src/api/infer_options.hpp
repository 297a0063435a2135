// The options of `headroom infer` as paths in a scenario. Internal to api.
#pragma once

#include "api/infer.hpp"
#include "api/scenario_options.hpp"

namespace headroom::api {

std::span<const OptionPath> infer_option_paths();

}  // namespace headroom::api
