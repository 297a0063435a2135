#include "study/rl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "infer/capacity.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
// Prompts a step reads beside decodes, and the share of memory an engine takes: vLLM's defaults.
constexpr double token_budget = 8192, memory_share = 0.9;
constexpr double most_at_once = 1024;  // max_num_seqs of throughput settings (assumed)

double mean_prompt(const RlSpec& s) { return s.prompt.or_else(1024 * token).in(token); }
double mean_response(const RlSpec& s) { return s.response.or_else(4096 * token).in(token); }
double longest(const RlSpec& s) {
  return s.longest.or_else(4 * mean_response(s) * token).in(token);
}
double answers(const RlSpec& s) { return double(s.prompts) * s.samples; }

/// Share of answers longer than s: lognormal of mean and cv, cut at the longest.
class Lengths {
 public:
  explicit Lengths(const RlSpec& spec) : most_(longest(spec)) {
    const double cv = std::max(1e-3, double(spec.response_cv.or_else(0.8)));
    sigma_ = std::sqrt(std::log1p(cv * cv));
    mu_ = std::log(mean_response(spec)) - sigma_ * sigma_ / 2;
    for (int i = 0; i < cells; ++i) mean_ += survival(middle(i)) * width();
  }
  double survival(double s) const {
    if (s >= most_) return 0;
    if (s <= 0) return 1;
    return 0.5 * std::erfc((std::log(s) - mu_) / (sigma_ * std::sqrt(2.0)));
  }
  static constexpr int cells = 256;
  double width() const { return most_ / cells; }
  double middle(int i) const { return (i + 0.5) * width(); }
  double mean() const { return mean_; }  ///< after the cut

 private:
  double most_, sigma_, mu_, mean_ = 0;
};

Generation on_layout(const RlSpec& spec, const RlDemand& d, const infer::Layout& layout, int gpus,
                     const Lengths& lengths) {
  Generation out;
  out.replica_gpus = layout.gpus();
  out.replicas = std::floor(double(gpus) / layout.gpus());
  if (out.replicas < 1) return out;
  infer::EngineLimits limits;
  limits.max_batch = most_at_once;
  limits.budget = token_budget;
  limits.memory_share = memory_share;
  const infer::StepModel step(*d.model, *d.accelerator, d.path, layout);
  const infer::Replica replica(*d.model, step, limits);
  if (!replica.memory().fits()) return out;
  const double prompt = mean_prompt(spec), context = prompt + lengths.mean() / 2;
  const double each = answers(spec) / out.replicas;
  out.batch = std::min({each, most_at_once, replica.kv_cap(context)});
  if (out.batch < 1) return out;
  const double prompts = spec.prompts / out.replicas;
  const double prefill = prompts * step.prefill(prompt, 0, {}, token_budget).si();
  const double steady = std::max(0.0, each - out.batch) * lengths.mean() / out.batch *
                        replica.token_s(out.batch, context);
  for (int i = 0; i < Lengths::cells; ++i) {
    // A replica steps on while any answer anywhere is unfinished: the iteration waits for it.
    const double at = lengths.middle(i), alive = lengths.survival(at);
    const double waited = -std::expm1(answers(spec) * std::log1p(-std::min(alive, 1 - 1e-12)));
    const double left = out.batch * alive;
    if (waited < 1e-3) break;
    const double s = replica.token_s(std::max(1.0, left), prompt + at) * lengths.width() * waited;
    out.seconds += s;
    if (left < out.batch / 2) out.tail_s += s;
  }
  out.seconds += prefill + steady;
  out.tokens = answers(spec) * lengths.mean();
  out.shard_bytes = step.weights_per_gpu().in(byte);
  out.fits = true;
  return out;
}

// --- Training and scoring -----------------------------------------------------------------

// Tokens; what trainers make lengths divisible by at most (2 cp x tp).
constexpr double padding = 64;

struct Learning {
  bool fits = false;
  std::string why, plan;
  double train_s = 0, score_s = 0;
  double state_bytes = 0;  ///< of training, a GPU
  int shards = 1;          ///< GPUs that hold different weights
};

Learning learn(const RlSpec& spec, const RlDemand& d, const compute::Device& device, int gpus,
               double mean_response_tokens) {
  train::JobSpec job = d.job;
  // Packed, and padded so that tensor and context ranks divide it: a mean is no whole number.
  const double sample = padding * std::ceil((mean_prompt(spec) + mean_response_tokens) / padding);
  const double batch = std::max(1.0, std::round(answers(spec) / std::max(1, spec.updates)));
  job.sequence = {sample * token, assumed("mean prompt + mean answer")};
  job.global_batch = {batch * sample * token, assumed("answers of an iteration / updates")};
  job.gpus = 0;
  train::Demand demand = d.training;
  demand.gpus = gpus;
  Trace scratch;
  Findings ignored;
  const auto resolved = train::resolve(job, demand, device, scratch, ignored);
  auto options = d.training.search;
  options.fixed = d.job.plan;
  options.keep = 1, options.exhaustive = false;
  options.objective = train::Objective::fastest;
  const auto found = train::search(resolved, options);
  Learning out;
  if (!found.fits()) {
    out.why = found.legal > 0 ? fmt::format("training needs {:.0f} GB a GPU on {} GPUs",
                                            found.least_memory.memory.total() / 1e9, gpus)
                              : found.obstacle;
    return out;
  }
  const auto& best = found.best.front();
  const auto layer = train::plan_costs(resolved, best.plan).layer;
  const double forward = layer.forward() / std::max(1e-12, layer.forward() + layer.backward());
  const double step = best.time.total();
  out.fits = true;
  out.plan = train::summary(best.plan);
  out.train_s = step * std::max(1, spec.updates);
  // Old log-probabilities by the policy itself, and the reference's.
  double passes = 1 + (spec.reference ? 1 : 0);
  if (d.reward != nullptr)
    passes += workload::active_parameters(*d.reward).total() /
              workload::active_parameters(*d.model).total();
  out.score_s = passes * forward * out.train_s;
  const auto& m = best.memory;
  out.state_bytes = m.weights + m.gradients + m.optimiser;
  out.shards =
      best.plan.tp * best.plan.pp * (best.plan.zero == train::Zero::full ? best.plan.dp : 1);
  return out;
}

// --- Placements ---------------------------------------------------------------------------

double domain_share(const RlDemand& d, double ranks) {
  return std::clamp(double(d.domain), 1.0, std::max(1.0, ranks));
}

void no_fit(RlPlan& out, const Generation& g, const Learning& l) {
  out.why = !g.fits ? "no layout holds the model for generation" : l.why;
}

RlPlan colocated(const RlSpec& spec, const RlDemand& d, const compute::Device& device) {
  RlPlan out;
  out.placement = Placement::colocated;
  out.generation_gpus = d.gpus;
  const auto g = generate(spec, d, d.gpus);
  const auto l = learn(spec, d, device, d.gpus, g.fits ? g.tokens / answers(spec) : 1);
  if (!g.fits || !l.fits) return no_fit(out, g, l), out;
  const double ranks = std::max(1.0, double(l.shards) / g.replica_gpus);
  const double sync = fabric::all_gather(d.path, g.shard_bytes * byte, ranks,
                                         std::min(domain_share(d, ranks), ranks))
                          .si();
  const double host =
      d.accelerator->pcie ? d.accelerator->pcie.get().in(gigabyte_per_second)*1e9 : 0;
  const double swap = host > 0 ? 2 * l.state_bytes / host : 0;
  const double n = d.gpus, environment = spec.environment.or_else(Time{}).si();
  out.phases = {{"generate", g.seconds, n}, {"environment", environment, n},
                {"score", l.score_s, n},    {"train", l.train_s, n},
                {"sync weights", sync, n},  {"switch", swap, n}};
  for (const auto& phase : out.phases) out.iteration_s += phase.seconds;
  out.fits = true;
  out.replica_gpus = g.replica_gpus, out.replicas = g.replicas, out.batch = g.batch;
  out.tail_share = g.tail_s / g.seconds;
  out.idle_share = (environment + sync + swap) / out.iteration_s;
  out.training_plan = l.plan;
  out.tokens = g.tokens;
  return out;
}

RlPlan apart(const RlSpec& spec, const RlDemand& d, const compute::Device& device, int gpus) {
  RlPlan out;
  out.placement = Placement::disaggregated;
  out.generation_gpus = gpus, out.training_gpus = d.gpus - gpus;
  const auto g = generate(spec, d, gpus);
  const auto l = learn(spec, d, device, out.training_gpus, g.fits ? g.tokens / answers(spec) : 1);
  if (!g.fits || !l.fits) return no_fit(out, g, l), out;
  const double sync = fabric::broadcast(d.path, g.shard_bytes * byte, g.replicas + 1, 1).si();
  const double environment = spec.environment.or_else(Time{}).si();
  const double make = g.seconds + environment, use = l.score_s + l.train_s;
  out.phases = {{"generate", g.seconds, double(gpus)},
                {"environment", environment, double(gpus)},
                {"score", l.score_s, double(out.training_gpus)},
                {"train", l.train_s, double(out.training_gpus)},
                {"sync weights", sync, double(d.gpus)}};
  out.iteration_s = std::max(make, use) + sync;
  out.fits = true;
  out.replica_gpus = g.replica_gpus, out.replicas = g.replicas, out.batch = g.batch;
  out.tail_share = g.tail_s / g.seconds;
  const double busy = g.seconds * gpus + use * out.training_gpus;
  out.idle_share = 1 - busy / (out.iteration_s * d.gpus);
  out.training_plan = l.plan;
  out.tokens = g.tokens;
  return out;
}

bool better(const RlPlan& a, const RlPlan& b) {
  if (a.fits != b.fits) return a.fits;
  return a.iteration_s < b.iteration_s;
}

/// Generation shortens and training lengthens with the GPUs of generation: a coarse look over
/// the splits, then a fine one around the best.
RlPlan disaggregated(const RlSpec& spec, const RlDemand& d, const compute::Device& device) {
  if (spec.generation_gpus > 0) return apart(spec, d, device, spec.generation_gpus);
  const int unit = d.gpus >= 2 * d.domain ? d.domain : 1;
  const int most = d.gpus / unit - 1;
  RlPlan best;
  best.placement = Placement::disaggregated;
  best.why = "two groups need at least two GPUs";
  const auto look = [&](int low, int high, int stride) {
    for (int k = std::max(1, low); k <= std::min(most, high); k += stride) {
      auto plan = apart(spec, d, device, k * unit);
      if (better(plan, best) || (!best.fits && best.generation_gpus == 0)) best = std::move(plan);
    }
  };
  const int coarse = std::max(1, most / 12);
  look(coarse, most, coarse);
  const int centre = best.generation_gpus / unit, fine = std::max(1, coarse / 6);
  if (coarse > 1) look(centre - coarse + fine, centre + coarse - fine, fine);
  return best;
}

constexpr std::array<std::string_view, 3> placements = {"best", "colocated", "disaggregated"};

}  // namespace

std::span<const std::string_view> placement_names() { return placements; }

void RlSpec::fields(spec::Fields& f) {
  f.integer("prompts", prompts, "Prompts of an iteration").between(1, 10'000'000);
  f.integer("samples", samples, "Answers generated for a prompt").between(1, 65'536);
  f.number("prompt", prompt, "token", "Mean length of a prompt; 1,024 tokens when left out")
      .above(0)
      .at_most(1e8);
  f.number("response", response, "token", "Mean length of an answer; 4,096 tokens when left out")
      .above(0)
      .at_most(1e8);
  f.number("response_cv", response_cv, "",
           "Standard deviation of answers' lengths over their mean; 0.8 when left out")
      .at_most(10);
  f.number("longest", longest, "token",
           "Length at which an answer is cut; four times the mean when left out")
      .above(0)
      .at_most(1e8);
  f.integer("updates", updates, "Optimiser steps of an iteration").between(1, 10'000);
  f.flag("reference", reference, "A frozen reference model scores the answers too (KL penalty)");
  f.reference("reward_model", reward_model, "model",
              "Model that scores the answers; rules do when left out");
  f.number("environment", environment, "s",
           "Time of an iteration that tools and tests take beside generation");
  f.choice("placement", placement, placement_names(),
           "Generation and training on the same GPUs in turn, or on two groups at once");
  f.choice("generation_precision", generation, precision_names(), "Weights while generating");
  f.integer("generation_gpus", generation_gpus,
            "GPUs that generate, when disaggregated; the best split when 0")
      .at_least(0);
  f.integer("iterations", iterations, "Iterations of the run").between(1, 100'000'000);
}

Generation generate(const RlSpec& spec, const RlDemand& d, int gpus) {
  infer::EngineLimits limits;
  limits.memory_share = memory_share;
  infer::Layout formats;
  formats.weights = spec.generation;
  formats.kv = element_bits(spec.generation) < 16 ? Precision::fp8 : Precision::bf16;
  const Lengths lengths(spec);
  Generation best;
  best.seconds = never;
  for (const auto& layout : infer::feasible_layouts(*d.model, *d.accelerator, d.path, formats, {},
                                                    limits, std::max(1, gpus))) {
    const auto g = on_layout(spec, d, layout, gpus, lengths);
    if (g.fits && (!best.fits || g.seconds < best.seconds)) best = g;
  }
  return best;
}

RlResult plan_rl(const RlSpec& spec, const RlDemand& d) {
  RlResult out;
  out.samples = answers(spec);
  const compute::Device device(*d.accelerator);
  if (spec.placement != Placement::disaggregated) out.plans.push_back(colocated(spec, d, device));
  if (spec.placement != Placement::colocated) out.plans.push_back(disaggregated(spec, d, device));
  std::stable_sort(out.plans.begin(), out.plans.end(), better);
  if (const auto* best = out.best())
    out.tokens_trained = best->tokens + out.samples * mean_prompt(spec);
  return out;
}

}  // namespace headroom::study
