// The options of `headroom replay` as typed values. Internal to api.
#pragma once

#include "api/replay.hpp"
#include "requests/reader.hpp"
#include "requests/traffic.hpp"

namespace headroom::api {

/// What the trace is read with, and changed by.
struct TraceOptions {
  requests::ReadOptions read;
  double rate_scale = 1;
  std::string hugging_face;        ///< file of --hf
  std::string offline;             ///< trace of work without a deadline
  std::string fleet;               ///< file of --fleet
  requests::OptionList synthetic;  ///< of a load without a trace
};

/// Every mistake goes to `mistakes`, told with its option.
void parse_replay_options(const ReplayRequest& request, study::ReplayOptions& options,
                          TraceOptions& trace, Diagnostics& mistakes);

}  // namespace headroom::api
