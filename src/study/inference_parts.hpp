// What the parts of inference_run.cpp share. Internal to study.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "infer/launch.hpp"
#include "infer/search.hpp"
#include "infer/service.hpp"
#include "serving/energy.hpp"
#include "study/context.hpp"
#include "study/inference_run.hpp"

namespace headroom::study {

/// What a place costs and emits.
struct Place {
  serving::Tariff tariff;
  std::string name;
};
Place place_of(const Scenario& scenario, const catalog::Catalog& catalog, const Value<Scalar>& pue);

/// Machines to choose among, with what they cost.
class Park {
 public:
  Park(const Scenario& scenario, const Loaded& brought, const catalog::Catalog& catalog,
       const InferenceOptions& options, const Place& place);

  /// A system as a device; nothing when its accelerator is unknown.
  std::optional<infer::Device> device(const catalog::System& system, double gpus,
                                      const fabric::Spec& spec) const;
  const catalog::System* system(const std::string& id) const;
  /// Data-centre systems, one an accelerator.
  std::vector<const catalog::System*> all() const;
  const std::string& price_origin() const { return origin_; }

 private:
  double price(const catalog::System& system, const catalog::Accelerator& gpu) const;

  const Loaded& brought_;
  const catalog::Catalog& catalog_;
  const InferenceOptions& options_;
  Place place_;
  mutable std::string origin_;
};

/// One serving workload with everything the search wants.
struct ServingJob {
  const catalog::Model* model = nullptr;
  const infer::ServiceSpec* spec = nullptr;
  infer::Traffic traffic;
  infer::Asked asked;
  infer::SearchSpace space;
  infer::SearchOptions search;
  infer::Engine engine = infer::Engine::vllm;
  Place place;
};

/// Whether the answer may take as many machines as it needs: there is no scenario, or other
/// machines are named in place of its cluster.
bool free_size(const InferenceOptions& options);
/// The cluster a workload stands on.
const ClusterSpec* cluster_of(const Scenario& scenario, const WorkSpec& work);
/// What is asked of a workload and what may be tried. Nothing when its model, its cluster or its
/// rate is missing, or when nothing legal can be tried, which `mistakes` then says.
std::optional<ServingJob> serving_job(const Context& c, const WorkSpec& work,
                                      const InferenceOptions& options, Diagnostics& mistakes);

infer::Engine engine_called(const std::string& name);
std::span<const std::string_view> engine_choices();

/// The formats that may be tried, see FORMATS.
std::vector<infer::Layout> formats_of(const catalog::Model& model, const infer::ServiceSpec& spec,
                                      const InferenceOptions& options);

/// A candidate as a row of a table.
ConfigurationRow configuration_row(const ServingJob& job, const infer::Candidate& c);
std::string summary_of(const infer::Candidate& c, const infer::Device& device);
/// Its degrees, formats and engine settings by name.
std::vector<std::pair<std::string, std::string>> dims_of(const infer::Candidate& c);
/// The fleet's bill at the mean rate, per second.
serving::Bill bill_of(const ServingJob& job, const infer::Candidate& c);

/// Times, SLOs, step, memory, rates of the chosen configuration.
void describe_chosen(Context& c, const ServingJob& job, const infer::Candidate& chosen,
                     InferenceRun& out);
/// The engine's word on the best few.
struct Judged {
  std::vector<ReplayRow> replays;
  std::string remark;      ///< when the closed form's first choice was put behind
  std::string none_holds;  ///< why nothing fits after all
};
/// Replays as many finalists as asked, and on until one holds; `result.best` begins with the one
/// that is to be chosen, and those the engine refused are feasible no more.
Judged judge_finalists(const ServingJob& job, infer::SearchResult& result,
                       const InferenceOptions& options);
void replay_finalists(const ServingJob& job, const std::vector<infer::Candidate>& best,
                      const InferenceOptions& options, InferenceRun& out);
/// The engine's latencies with `concurrency` requests in flight at all times on one replica, each
/// user sending `each` requests one after the other.
ReplayRow replay_closed(const ServingJob& job, const infer::Device& device,
                        const infer::Replica& replica, double concurrency, double each);
/// What to change next.
void inference_changes(const ServingJob& job, const infer::Candidate& chosen, const Park& park,
                       const Scenario& scenario, InferenceRun& out);
/// Other models under the same promise; boxes of one user.
void compare_models(const Context& c, const ServingJob& job, const InferenceOptions& options,
                    InferenceRun& out);
void compare_boxes(const ServingJob& job, const Park& park, const InferenceOptions& options,
                   InferenceRun& out);

}  // namespace headroom::study
