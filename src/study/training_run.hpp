// One training job, answered whole: plan, time, memory, failures, energy, carbon, money,
// what to change next, and the flags to start it with. What `headroom train` prints.
//
//   auto answer = study::plan_training(loaded, catalog, {.workload = "pretrain", .keep = 5});
//   answer->runs[0].plans[0].summary
//
// The layers are asked as `check` asks them (the same walk through one scenario, so a figure
// here is the figure there), and then the train layer once more for what a planner wants
// beside the chosen plan: the next best, the Pareto front, the hidden part of each
// communication, memory by rank and the gain of every change.
//
// HIDDEN COMMUNICATION. `StepRow::seconds` sum to the step. `hidden` is what runs behind
// compute beside that (train::HiddenTime).
//
// PRICE of a GPU-hour, in this order: the one given; the catalogue's dated rent for a
// reserved contract (money's neocloud way); the levelised cost of owning. `price_origin`
// says which. Cost of the run = GPU-hours x price; a plan that leaves GPUs idle pays for those
// it uses.
//
// INTERVALS hold 80 % of measured runs (train/interval.hpp). Days and cost move with the step.
//
// Complexity: a check (15 ms) and some twenty searches. Deterministic, thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "study/scenario.hpp"
#include "study/verdict.hpp"

namespace headroom::study {

struct TrainingOptions {
  std::string workload;  ///< name; empty: every training workload of the scenario
  std::string objective = "fastest";
  int keep = 5;  ///< plans in the table
  int threads = 1;
  bool exhaustive = false;  ///< every legal plan, not the planner's choice of them
  bool front = false;       ///< also the Pareto front
  bool pipeline = false;    ///< draws one step's passes
  int columns = 100;        ///< of that drawing
  bool colour = false;      ///< ANSI colours in it
  bool pipeline_json = false, trace = false;  ///< the same as JSON, for trace viewers
  bool ranks = false;                         ///< memory by pipeline rank
  bool advice = true;                         ///< what to change next
  bool strict = false;     ///< an illegal plan is bad input, not a limit that falls short
  Value<MoneyRate> price;  ///< of a GPU; unset: see PRICE
  std::vector<std::string> launchers;  ///< "megatron", "torchtitan", "deepspeed"
  std::string as_of;
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// A plan of the table; figures in SI, money in USD.
struct PlanRow {
  std::string summary;
  std::vector<std::pair<std::string, std::string>> dims;  ///< {"tp", "8"} in display order
  int gpus = 0;
  double tokens_per_s = 0, step_s = 0, mfu = 0;
  double memory = 0;         ///< bytes a GPU, reserved, worst rank
  double usd_per_token = 0;  ///< 0: no price
  double days = 0;           ///< losses included; 0: no tokens
};

/// A part of the step; `seconds` sum to it.
struct StepRow {
  std::string name;
  double seconds = 0;  ///< exposed
  double hidden = 0;   ///< communication behind compute
};

/// Memory of one pipeline rank, bytes a GPU.
struct RankRow {
  int rank = 0, layers = 0;
  double weights = 0, state = 0, activations = 0, other = 0;  ///< sum to total
  double allocated = 0, reserved = 0, total = 0;
};

struct MemoryRow {
  std::string name;
  double bytes = 0;
};

/// 80 % interval of a figure.
struct Interval {
  std::string key, label, unit;
  double low = 0, likely = 0, high = 0;  ///< SI
};

struct ChangeRow {
  std::string key, action, needs, plan;
  double gain = 0;  ///< of tokens/s, relative
};

struct LaunchText {
  std::string launcher, program, text;
  std::vector<std::string> cannot;
};

struct TrainingRun {
  std::string workload, title;
  bool fits = false;      ///< every limit of this job holds
  bool laid_out = false;  ///< there is a plan; otherwise only margins and remarks are filled
  std::vector<std::pair<std::string, std::string>> job;  ///< what was planned, in words
  long evaluated = 0;                                    ///< legal plans that were looked at
  std::vector<PlanRow> plans;                            ///< chosen first
  std::vector<PlanRow> front;                            ///< when asked for
  std::vector<StepRow> step;
  std::vector<MemoryRow> memory;
  double memory_allocated = 0, memory_reserved = 0, memory_total = 0, memory_have = 0;
  double memory_safe = 0;   ///< of it, what a plan may count on
  std::string memory_rank;  ///< which rank is the worst
  Section speed, run, money, energy, reliability;
  std::string price_origin;
  std::vector<Interval> intervals;
  std::string interval_origin;
  bool in_domain = true;
  std::vector<std::string> outside;  ///< why the job is outside the validated domain
  std::vector<ChangeRow> changes;    ///< that gain more than 1 %, largest first
  int tried = 0;                     ///< changes that were evaluated
  std::vector<LaunchText> flags;
  std::vector<RlPlan> rl;  ///< reinforcement learning: placements, best first; `laid_out`: one fits
  double rl_usd = 0;       ///< of an iteration, at the price of a GPU-hour
  std::vector<RankRow> ranks;                  ///< when asked for
  std::string pipeline, pipeline_json, trace;  ///< when asked for
  std::vector<Margin> margins;
  std::vector<std::string> remarks;
};

struct TrainingAnswer {
  std::vector<TrainingRun> runs;
  Verdict verdict;  ///< of the whole scenario; owns the trace that sections point into
  bool fits() const;
};

/// Mistakes of options that need no scenario: objective, launchers.
Diagnostics check_options(const TrainingOptions& options);

/// Sets the global batch of every training workload to so many sequences of its length.
void set_batch_sequences(Loaded& loaded, const catalog::Catalog& catalog, double sequences);

/// Fails on an unknown workload, a scenario without one, an unknown objective or launcher.
Result<TrainingAnswer> plan_training(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const TrainingOptions& options = {});

}  // namespace headroom::study
