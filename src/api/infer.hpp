// Inference without a scenario file, for the verb `infer`.
//
//   api::InferRequest r;
//   r.options = {{"--model", "llama-3.1-70b"}, {"--system", "dgx-h100"}, {"--rate", "20/s"},
//                {"--slo-ttft", "1s"}, {"--slo-tpot", "50ms"}};
//   auto answer = api::infer(r);
//
// An option that describes traffic, promises, the engine or the place is a path in a scenario of
// one cluster `gpus` and one workload `serve`; it is read by the scenario's own field lists, so
// units, ranges, names and suggestions are those of scenario files, and a mistake is told with the
// option it stands in. With `file`, the options change the serving workloads of that scenario and
// the clusters that these stand on: `--system dgx-b200` asks what would carry its work instead.
// All mistakes are told in one pass.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/options.hpp"
#include "base/result.hpp"
#include "report/infer_curve.hpp"
#include "report/infer_report.hpp"
#include "study/inference_curve.hpp"
#include "study/inference_run.hpp"

namespace headroom::api {

using InferOption = Option;
std::span<const OptionInfo> infer_options();

struct InferRequest {
  std::string file;  ///< scenario; empty: the options say everything
  std::string catalog;
  std::vector<InferOption> options;  ///< at most one of a name
  std::vector<std::string> sets;     ///< "path=value", after the options
  study::InferenceOptions answer;    ///< objective, how many rows, flags, ...
};

Result<study::InferenceAnswer> infer(const InferRequest& request);

/// Whether the options ask for latency against load on a given fleet: --concurrency, or several
/// rates. `infer` then answers for the largest load only; `infer_curve` for every one.
bool wants_curve(const InferRequest& request);
Result<study::CurveAnswer> infer_curve(const InferRequest& request);

}  // namespace headroom::api
