// The options of a replay as texts, read one by one. Internal to api.
#pragma once

#include "api/option_reader.hpp"
#include "api/replay.hpp"
#include "base/units.hpp"
#include "spec/reader.hpp"

namespace headroom::api {

using Parser = OptionReader;

/// A quantity of a text, in `unit` where it has none, from zero on; false when it is none.
template <class Q>
bool read_quantity(std::string text, const char* unit, double& si) {
  const auto n = split_number(text);
  if (n && n->unit.empty()) text += std::string(" ") + unit;
  std::string message, hint;
  return n && spec::read_number(text, Q::dim, false, unit, si, message, hint) && si >= 0;
}

/// "SIZE[:RATE]".
void tier(Parser& p, const char* name, study::ReplayTier& out);

// replay_fleet_options.cpp
/// Settings of the engine beyond limits and batching.
void engine_options(Parser& p, study::ReplayOptions& options);
/// Limits of power by time, losses at known times.
void timed_options(Parser& p, study::ReplayOptions& options);
/// --fleet, and what it contradicts.
void fleet_file_options(Parser& p, std::string& file);

}  // namespace headroom::api
