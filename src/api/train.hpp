// Training runs without a scenario file, for the verb `train`.
//
//   api::TrainRequest r;
//   r.options = {{"--model", "llama-3.1-405b"}, {"--system", "dgx-h100"}, {"--gpus", "16384"}};
//   auto answer = api::train(r);
//
// An option that describes the job, the cluster or the place is a path in a scenario of one
// cluster `gpus` and one workload `run`; it is read by the scenario's own field lists, so
// units, ranges, names and suggestions are those of scenario files, and a mistake is told
// with the option it stands in. With `file`, the options change the training workloads of that
// scenario, and the clusters that these stand on. All mistakes are told in one pass.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/options.hpp"
#include "base/result.hpp"
#include "report/train_report.hpp"
#include "study/training_run.hpp"

namespace headroom::api {

using TrainOption = Option;
std::span<const OptionInfo> train_options();

struct TrainRequest {
  std::string file;  ///< scenario; empty: the options say everything
  std::string catalog;
  std::vector<TrainOption> options;  ///< at most one of a name
  std::vector<std::string> sets;     ///< "path=value", after the options
  study::TrainingOptions answer;     ///< which workload, how many plans, flags, ...
};

Result<study::TrainingAnswer> train(const TrainRequest& request);

}  // namespace headroom::api
