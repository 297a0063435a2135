// A serving workload as the search and the curves want it: what is asked, and what may be tried.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalog/request_trace.hpp"
#include "study/inference_parts.hpp"

namespace headroom::study {

namespace {

double seconds(const Value<Time>& v) { return v ? v.get().si() : 0; }

/// Traffic, SLOs and the longest request; false without a rate.
bool ask(const infer::ServiceSpec& spec, const catalog::Catalog& catalog, ServingJob& job) {
  const auto* trace = catalog.find<catalog::RequestTrace>(spec.traffic.trace);
  job.traffic = infer::complete(spec.traffic, trace);
  auto& a = job.asked;
  a.model = job.model;
  a.load = infer::service_load(job.traffic);
  if (!job.traffic.rate) return false;
  a.peak_s = job.traffic.peak.or_else(Rate{}).si();
  a.targets = {seconds(spec.slo.ttft), seconds(spec.slo.tpot), seconds(spec.slo.e2e),
               std::clamp(double(spec.slo.percentile.or_else(Scalar(0.99))), 0.5, 0.9999)};
  a.ceiling = spec.utilisation.or_else(Scalar(0.85));
  a.spare = spec.spare_replica ? 1 : 0;
  a.longest = std::max(spec.slo.context.or_else(Tokens{}).si(), a.load.input + a.load.output);
  return true;
}

/// Machines that may be used; the scenario's cluster where no others are named.
void offer_devices(const WorkSpec& work, const ClusterSpec& cluster, const Park& park,
                   const InferenceOptions& options, ServingJob& job) {
  std::vector<const catalog::System*> systems;
  for (const auto& id : options.systems)
    if (const auto* s = park.system(id)) systems.push_back(s);
  if (options.any_accelerator) systems = park.all();
  const bool own = systems.empty();
  if (own)
    if (const auto* s = park.system(cluster.system)) systems.push_back(s);
  double had = options.gpus_had;
  if (!free_size(options) && had <= 0) {
    const double each = systems.empty() ? 0 : systems.front()->accelerators;
    had = work.gpus ? double(work.gpus.get()) : cluster.count.or_else(Scalar(0.0)) * each;
  }
  for (const auto* s : systems) {
    // A network of a few hundred GPUs stands for one whose size is not known yet.
    auto d = park.device(*s, had > 0 ? had : 256, own ? cluster.fabric : fabric::Spec{});
    if (!d) continue;
    d->most_gpus = int(had);
    job.space.devices.push_back(std::move(*d));
  }
}

/// Formats, degrees, engine settings and drafts that may be tried.
void offer_settings(const infer::ServiceSpec& spec, const InferenceOptions& options,
                    ServingJob& job) {
  const auto& e = spec.engine;
  auto& space = job.space;
  space.formats = formats_of(*job.model, spec, options);
  if (e.tp > 0) space.tp = {e.tp};
  if (e.pp > 0) space.pp = {e.pp};
  if (e.ep > 0) space.ep = {e.ep};
  if (e.attention_dp > 0) space.attention_dp = {e.attention_dp};
  if (e.max_batch > 0) space.max_batch = {e.max_batch};
  if (e.token_budget) space.budget = {int(std::lround(e.token_budget.get().si()))};
  space.memory_share = e.memory_fraction.or_else(Scalar(0.9));
  if (e.speculation)
    space.drafts = {{e.speculation->length, e.speculation->acceptance.or_else(Scalar(0.7)),
                     e.speculation->draft_cost.or_else(Scalar(0.05))}};
  if (options.try_speculation) space.drafts = {{}, {2, 0.7, 0.05}, {4, 0.7, 0.05}};
  space.disaggregated = options.disaggregated;
  const auto all = infer::objective_names();
  const auto at = std::find(all.begin(), all.end(), options.objective);
  if (at != all.end()) job.search.objective = infer::Objective(at - all.begin());
  job.search.keep = std::max(1, options.keep);
  job.search.threads = options.threads;
  job.search.front = options.front;
  job.search.progress = options.progress;
}

/// What cannot be run at all, each with the nearest that can.
bool legal(const infer::ServiceSpec& spec, const ServingJob& job, Diagnostics& mistakes) {
  const auto before = mistakes.count();
  const auto fail = [&](std::string where, std::string message, std::string hint) {
    mistakes.add({std::move(where), 0, 0, "", std::move(message), std::move(hint), ""});
  };
  int domain = 1;
  for (const auto& d : job.space.devices) domain = std::max(domain, int(d.path.domain));
  const std::string why = infer::illegal_degree(*job.model, std::max(1, spec.engine.tp),
                                                std::max(1, spec.engine.pp), domain);
  if (!why.empty()) fail(spec.engine.tp > 1 ? "--tp" : "--pp", why, "leave it to the search");
  const double longest = job.asked.longest;
  if (job.model->context > 0 && longest > job.model->context)
    fail(spec.slo.context ? "--context" : "--input, --output",
         fmt::format("requests of {:.0f} tokens are longer than the context of {}", longest,
                     job.model->id),
         fmt::format("at most {} tokens", job.model->context));
  for (const auto& f : job.space.formats) {
    const bool runs =
        std::any_of(job.space.devices.begin(), job.space.devices.end(),
                    [&](const auto& d) { return infer::runs_format(*d.accelerator, f.weights); });
    if (!job.space.devices.empty() && !runs)
      fail(fmt::format("--precision {}", name(f.weights)),
           fmt::format("{} has no unit for it", job.space.devices.front().accelerator->name),
           "bf16 or int4 run everywhere; fp8 from Ada and Hopper on, nvfp4 on Blackwell");
  }
  const auto& s = job.space;
  if (s.max_batch.size() == 1 && s.budget.size() == 1 && s.max_batch[0] > s.budget[0])
    fail(fmt::format("--max-num-batched-tokens {}", s.budget[0]),
         "is smaller than --max-num-seqs, which vLLM refuses",
         fmt::format("at least {}", s.max_batch[0]));
  return mistakes.count() == before;
}

}  // namespace

bool free_size(const InferenceOptions& options) {
  return options.free_size || options.any_accelerator || !options.systems.empty();
}

const ClusterSpec* cluster_of(const Scenario& scenario, const WorkSpec& work) {
  const auto& all = scenario.clusters;
  for (const auto& c : all)
    if (c.name == work.on || (work.on.empty() && all.size() == 1)) return &c;
  return nullptr;
}

std::optional<ServingJob> serving_job(const Context& c, const WorkSpec& work,
                                      const InferenceOptions& options, Diagnostics& mistakes) {
  ServingJob job;
  job.spec = &work.serve;
  job.model = c.model(work.serve.model);
  const auto* cluster = cluster_of(c.scenario, work);
  if (job.model == nullptr || cluster == nullptr) return std::nullopt;
  job.place = place_of(c.scenario, c.catalog, cluster->pue);
  job.engine = engine_called(options.engine);
  const Park park(c.scenario, c.brought, c.catalog, options, job.place);
  if (!ask(work.serve, c.catalog, job)) return std::nullopt;
  offer_devices(work, *cluster, park, options, job);
  offer_settings(work.serve, options, job);
  if (!legal(work.serve, job, mistakes)) return std::nullopt;
  return job;
}

}  // namespace headroom::study
