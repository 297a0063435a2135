// The options of a replay as texts, read one by one. Internal to api.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "api/option_reader.hpp"
#include "api/replay.hpp"
#include "base/units.hpp"

namespace headroom::api {

using Parser = OptionReader;

// replay_fleet_options.cpp
/// Settings of the engine beyond limits and batching.
void engine_options(Parser& p, study::ReplayOptions& options);
/// Limits of power by time, losses at known times.
void timed_options(Parser& p, study::ReplayOptions& options);
/// --fleet, and what it contradicts.
void fleet_file_options(Parser& p, std::string& file);

}  // namespace headroom::api
