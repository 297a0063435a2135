// The options of `headroom train` as paths in a scenario. Internal to api.
#pragma once

#include "api/scenario_options.hpp"
#include "api/train.hpp"

namespace headroom::api {

std::span<const OptionPath> train_option_paths();

}  // namespace headroom::api
