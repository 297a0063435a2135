// Search: the parallel plan that a job is best run with, among all that are legal.
//
//   search(job).best[0]                                   the fastest that fits the memory
//   search(job, {.fixed = {.tp = 8, .pp = 16}, .keep = 5})
//   search(job, {.threads = 2, .exhaustive = true})       every legal plan, counted
//   search(job, {.objective = Objective::smallest})       on the fewest GPUs it fits on
//   search(job, {.objective = Objective::smallest, .least_rate = 2e6})   ... and is in time
//
// TWO BREADTHS, from one table of dimensions (search_space.hpp):
//
//               planner (default)                       exhaustive
//   pp          powers of two, divisors of the layers   all (divisors of the GPUs with all_gpus)
//   tp          powers of two inside a domain           divisors of the heads that suit the model
//   cp          powers of two, 4,096 tokens a rank      divisors of sequence / 2, 256 tokens a rank
//   ep          powers of two that divide the experts   divisors of the experts
//   micro-batch powers of two up to 16                  divisors of the batch
//   dp          the largest that GPUs and batch allow   all (that one with all_gpus)
//   vpp         chunks of at least a layer              the same
//   ZeRO        optimiser; full without a pipeline      0 to 3
//   recompute   the least that fits                     none, selective, full
//   sequence parallel, balanced ends                    as the software does; exhaustive: on, off
//
//
// FINER settings stay as `fixed` gives them unless `finer` is set; then they vary in both breadths:
// the order of a pipeline's passes (1F1B unless fixed; others take one chunk a rank),
// expert-tensor parallelism in powers of two, context by ring, all-to-all or all-gather, FSDP in
// groups of whole domains (HSDP), optimiser and activations on the host or not, selective
// recomputation of more modules, full recomputation of a quarter, half or three quarters of the
// layers. Host memory is not a limit here.
//
// Plans that differ in nothing are one plan: sequence parallelism needs tp > 1, ZeRO
// needs dp x cp > 1, and so on. The planner evaluates the memory of every plan and the step of
// those that fit; exhaustive evaluates both for every plan. `fixed` pins any dimension in
// both breadths. With an objective that weighs GPUs the planner tries every dp.
//
// FITS means that memory is at most usable_bytes() (memory.hpp). `threads` share the work; 1 by
// default, since the planner is done before a thread has started.
//
// BATCH. A fixed global batch must be a multiple of dp x micro-batch, so a plan may leave GPUs
// idle; `Candidate::plan.gpus()` says how many it uses, and `all_gpus` forbids it. A batch that
// the user left open (Job::batch_fixed == false) moves by at most a quarter, to
// whole rounds of an interleaved pipeline too; beyond 50 replicas, dp is then tried in steps of 2 %
// where it is not the largest (objectives that weigh GPUs, exhaustive).
//
// ORDER is total, so an answer depends neither on the order of enumeration nor on the number of
// threads: the objective's figure and tokens/s, both compared to nine digits, then fewer GPUs,
// pipeline stages, tensor ranks, and on through all fields of the plan.
//
// Complexity: under 1 us a plan and core. Llama 3.1 405B on 16,384 or 100,000 GPUs is a few
// thousand plans for the planner, below 10 ms; exhaustive figures by bench/train_bench.cpp.
// Deterministic; thread-safe; `threads` are started only when asked for.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "train/step.hpp"

namespace headroom::train {

struct Candidate {
  ParallelPlan plan;
  StepTime time;
  MemoryItems memory;
  double tokens_per_s = 0;
};

enum class Objective : unsigned char {
  fastest,       ///< most tokens a second
  smallest,      ///< fewest scale-up domains; then fastest
  cheapest,      ///< least money a token by `Prices`; then fastest
  least_memory,  ///< least memory a GPU; then fastest
};
std::string_view objective_name(Objective objective);

/// What a GPU costs while it is on the job. A GPU draws idle_w + (busy_w - idle_w) x the busy
/// share of the step (StepTime::busy over total).
struct Prices {
  double gpu_hour = 0;    ///< USD
  double energy_kwh = 0;  ///< USD; 0 when the GPU-hour includes energy
  double idle_w = 0, busy_w = 0;
};
/// USD a token: GPUs x (gpu_hour + kW x energy_kwh) / (tokens_per_s x 3600).
double cost_per_token(const Candidate& c, const Prices& prices);

/// A dimension of the space held at one value; names are those of the table.
struct Pin {
  std::string dimension;  ///< "sequence-parallel"
  int value = 0;          ///< as in ParallelPlan; enumerations by their number
};
/// Names that a Pin may have, in the table's order: "pp", "tp", ...
std::vector<std::string_view> dimension_names();

struct SearchOptions {
  PlanSpec fixed = {};
  int keep = 3;
  int threads = 1;
  bool exhaustive = false;
  bool finer = false;     ///< vary the finer settings of a plan too (see above)
  bool all_gpus = false;  ///< tp x pp x cp x dp must be the job's GPUs, none may idle
  bool distinct = false;  ///< `best` holds one plan of each (tp, pp, cp, ep, dp): its best
  bool front = false;     ///< also collect the Pareto front
  /// Only best[0] of `smallest` is wanted: what cannot be it is skipped, unlaid and uncounted, so
  /// of the result only `best` means anything. best[0] is the same with and without.
  bool only_best = false;
  Objective objective = Objective::fastest;
  Prices prices = {};            ///< for `cheapest`, and the cost of the front
  double least_rate = 0;         ///< tokens/s that a plan must reach: tokens / deadline
  std::vector<Pin> pins = {};    ///< beyond `fixed`, which has no word for every dimension
  Progress* progress = nullptr;  ///< who watches, and may have the search throw `Stopped`
};

struct SearchResult {
  std::vector<Candidate> best;  ///< fitting plans in time, best first, at most `keep`
  Candidate least_memory;       ///< the legal plan that needs least; valid when legal > 0
  /// Plans that no other beats in tokens/s, GPUs (or cost, with prices) and memory a GPU at
  /// once, fastest first. Of plans within 0.1 % of each other in all three the first is kept.
  std::vector<Candidate> front;
  long legal = 0;        ///< plans that could be laid out
  long evaluated = 0;    ///< of these, with memory and step both computed
  long fitting = 0;      ///< and fit the memory
  std::string obstacle;  ///< why nothing is legal; empty otherwise

  bool fits() const { return !best.empty(); }
};

SearchResult search(const Job& job, const SearchOptions& options = {});

/// One plan, as given. Does not check legality.
Candidate evaluate(const Job& job, const ParallelPlan& plan);

/// All reasons why a plan cannot be laid out for this job, each with the nearest legal
/// choice, in one pass; empty when it can. A plan may use fewer GPUs than there are
/// unless `all_gpus`.
std::vector<std::string> illegalities(const Job& job, const ParallelPlan& plan,
                                      bool all_gpus = false);
/// The first of them; empty when the plan is legal.
std::string illegal(const Job& job, const ParallelPlan& plan);

}  // namespace headroom::train
