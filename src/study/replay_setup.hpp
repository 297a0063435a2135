// From the options of a replay to a deployment. Internal to study.
#pragma once

#include <functional>
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
  std::vector<std::unique_ptr<infer::StepOracle>> capped;  ///< by limit of power
  std::optional<infer::Replica> replica;
  infer::Load shape;  ///< of the stream, whole rate
  infer::Targets targets;
  serving::Deployment deployment;
  std::string slice;
};

/// Whether a pool may take a request; empty: it may.
using Takes = std::function<bool(const requests::Request&)>;

/// Every mistake goes to `mistakes`, said of options; without any the set-up is complete. Of a
/// fleet's pool `options` are its own, and `takes` what it may serve.
ReplaySetup set_up_replay(const requests::Stream& stream, const ReplayOptions& options,
                          const catalog::Catalog& catalog, const Loaded& brought,
                          Diagnostics& mistakes, const Takes& takes = {});

/// Means, spreads and rate of the stream's online requests; of requests without a time of their own
/// the lengths only.
infer::Load stream_shape(const requests::Stream& stream, const std::vector<int>& offline,
                         const Takes& takes = {});
bool is_online(const requests::Request& r, const std::vector<int>& offline);

/// "tp 2, bf16 weights, bf16 cache".
std::string layout_text(const infer::Layout& layout);

/// Every SLO at its percentile, of the whole or of each class; what was shed, lost or refused by
/// the fleet missed it.
bool replay_meets(const serving::Summary& s, const serving::Slo& slo, double percentile);

/// 80 % intervals of the whole's times, see INTERVALS in replay_run.hpp.
void replay_intervals(const requests::Stream& stream, const serving::Deployment& deployment,
                      const infer::ErrorRange& range, ReplayAnswer& answer);

/// Remarks that every answer may carry.
void replay_remarks(const requests::Stream& stream, const ReplayOptions& options, ReplayAnswer& a);

/// A replay of `options.fleet`.
Result<ReplayAnswer> replay_fleet(const requests::Stream& stream, const ReplayOptions& options,
                                  const catalog::Catalog& catalog, const Loaded& brought);

}  // namespace headroom::study
