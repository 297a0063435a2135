// Replaying a trace of requests, for the verb `replay`.
//
//   api::ReplayRequest r{.trace = "conv.csv.gz"};
//   r.options = {{"--model", "llama-3.1-70b"}, {"--system", "dgx-h100"}, {"--slo-ttft", "2s"}};
//   auto answer = api::replay(r);
//
// Without a trace the options describe a synthetic load in the words of requests/traffic.hpp:
//
//   r.options = {..., {"--like", "azure-conv-2023"}, {"--rate", "5/s"}, {"--duration", "1h"}};
//
// Options are texts with units; a bare number takes the option's unit. Mistakes in options, names
// and the trace's rows are told together, in one pass.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/options.hpp"
#include "base/progress.hpp"
#include "base/result.hpp"
#include "report/replay_report.hpp"
#include "study/replay_run.hpp"

namespace headroom::api {

using ReplayOption = Option;
std::span<const OptionInfo> replay_options();

struct ReplayRequest {
  std::string trace;                  ///< empty: the options describe a synthetic load
  std::string catalog;                ///< folder laid over the built-in catalogue
  std::vector<ReplayOption> options;  ///< at most one of a name, but of --class
  bool rows = true;  ///< keep every request's outcome; else only of up to a million (exact
                     ///< percentiles), and histograms beyond
  Progress* progress =
      nullptr;  ///< who watches; when it asks to stop, the failure `is_stop` (stoppable.hpp)
};

Result<study::ReplayAnswer> replay(const ReplayRequest& request);

}  // namespace headroom::api
