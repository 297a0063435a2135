// From the options of a replay to a deployment. Internal to study.
#pragma once

#include <memory>
#include <optional>

#include "catalog/model.hpp"
#include "catalog/serving_software.hpp"
#include "infer/capacity.hpp"
#include "study/replay_run.hpp"

namespace headroom::study {

/// Everything that a deployment points to, and the closed form beside it.
struct ReplaySetup {
  catalog::Accelerator accelerator;  ///< sliced and capped
  const catalog::System* system = nullptr;
  const catalog::Model* model = nullptr;
  const catalog::ServingSoftware* software = nullptr;
  infer::Layout layout;
  infer::EngineLimits limits;
  double gpus = 1;  ///< of a replica; less than one for slices
  std::unique_ptr<infer::StepOracle> oracle;
  std::optional<infer::Replica> replica;
  infer::Load shape;  ///< of the stream, whole rate
  infer::Targets targets;
  serving::Deployment deployment;
  std::string slice;
};

/// Every mistake goes to `mistakes`; without any the set-up is complete.
ReplaySetup set_up_replay(const requests::Stream& stream, const ReplayOptions& options,
                          const catalog::Catalog& catalog, const Loaded& brought,
                          Diagnostics& mistakes);

/// Means, spreads and rate of the stream's online requests; of requests without a time of their own
/// the lengths only.
infer::Load stream_shape(const requests::Stream& stream, const std::vector<int>& offline);
bool is_online(const requests::Request& r, const std::vector<int>& offline);

}  // namespace headroom::study
