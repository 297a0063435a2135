// Assess: can these GPUs carry this training job, how fast, and in how many days?
//
//   Demand d{.scope = "pretrain", .model = model, .accelerator = gpu, .gpus = 16384,
//            .domain = 8, .path = fabric::make_path(...)};
//   Result r = assess(spec, d, trace);
//   r.tokens_per_s, r.mfu, r.finish_time(0.93), r.findings
//
// DEFAULTS that the scenario may leave out, all recorded and shown:
//   tokens        the model's published training tokens (pre-training only)
//   sequence      the model's context, at most 8,192 tokens
//   global batch  pre-training: 16 Mi tokens x sqrt(active parameters / 405 G), from
//                 Llama 3.1 405B's 16 M (arXiv 2407.21783, Table 4), between 0.5 and
//                 64 M, as a power of two of sequences; tuning: 128 sequences
//   plan          the fastest that fits (search.hpp)
//
// LIMITS (id train.<scope>.*)
//   memory        bytes a GPU of the plan (or, when nothing fits, of the least plan)
//                 against the GPU's memory
//   layout        GPUs that the user's fixed plan needs against those on offer; emitted
//                 when the plan cannot be laid out
//   finish-by     days at the given goodput against finish_within
//   checkpoint-stall  seconds a save holds training up against allowed_stall
// The fewest GPUs that finish in time are a plan (train.<scope>.fewest): as a limit they
// would say finish-by twice.
//
// Rates are raw: failures and restarts belong to the cluster layer, which gives
// `Demand::goodput` or calls `finish_time`.
//
// Complexity: one search (a few ms), up to a dozen when a limit falls short.
#pragma once

#include <optional>
#include <string>

#include "base/findings.hpp"
#include "train/search.hpp"
#include "train/spec.hpp"

namespace headroom::train {

struct Demand {
  std::string scope;  ///< workload's name in kebab form
  const catalog::Model* model = nullptr;
  const catalog::Accelerator* accelerator = nullptr;
  int gpus = 0;    ///< on offer
  int domain = 8;  ///< GPUs of a scale-up domain
  fabric::Path path;
  NodeId network_node = no_node;  ///< trace node of the network's rate per GPU
  const catalog::TrainingSoftware* framework = nullptr;  ///< the job's, when it names one
  std::optional<Software> software;   ///< overrides it; neither: current_software()
  Value<Bandwidth> checkpoint_write;  ///< of the whole cluster into storage
  Value<Scalar> goodput;              ///< useful share of wall time; unset: 1
  SearchOptions search;  ///< how to search; what the spec fixes replaces `search.fixed`
};

struct Result {
  Findings findings;
  bool fits = false;      ///< a plan was found that fits the memory
  bool laid_out = false;  ///< `chosen` is a legal plan (perhaps too large for the memory)
  Job job;                ///< `job.device` is null: it lived inside assess
  Candidate chosen;       ///< fastest fitting plan, else the one that needs least memory
  std::vector<Candidate> alternatives;  ///< the next best
  long plans = 0;                       ///< legal plans that were evaluated

  Figure<Tokens> tokens;  ///< of the run; 0 when nobody says
  Figure<Tokens> global_batch;
  Figure<Flops> flops_total;  ///< model FLOPs of the run, causal attention
  Figure<Time> step_time;
  Figure<Time> step_time_p99;  ///< one step in a hundred takes at least this
  Figure<TokenRate> tokens_per_s;
  Figure<Scalar> mfu;        ///< causal attention counted as s/2
  Figure<Scalar> mfu_full;   ///< the square counted
  Figure<Scalar> hfu;        ///< with recomputed FLOPs, causal
  Figure<Time> duration;     ///< wall time at the goodput of the Demand
  Figure<Scalar> gpu_hours;  ///< GPUs on the job x duration
  Figure<Scalar> gpus_used;
  Figure<Scalar> fewest_gpus;  ///< whose best plan is in time; only with finish_within
  Figure<Scalar> busy;         ///< share of the step in kernels that draw power
  Figure<Scalar> power_share;  ///< mean accelerator power over its maximum
  Figure<Information> memory_need;
  Figure<Information> memory_have;
  Figure<Information> checkpoint_size;
  Figure<Time> checkpoint_stall;

  /// Wall time of the run when `goodput` (0..1] of it is useful.
  Time finish_time(double goodput) const;
};

Result assess(const JobSpec& spec, const Demand& demand, Trace& trace);

/// The Job that `assess` plans: spec and demand with every default filled in.
/// `device` must outlive it. Records its inputs in the trace.
Job resolve(const JobSpec& spec, const Demand& demand, const compute::Device& device, Trace& trace,
            Findings& findings);

/// Default length of a sample in tokens (see above).
double default_sequence(const catalog::Model& model);

/// Default global batch in sequences (see above).
double default_batch(const catalog::Model& model, Method method, double sequence);

/// Fewest GPUs, in whole scale-up domains, whose best plan needs at most `limit`
/// for `tokens`; nothing when even 64 times the GPUs of the job do not.
std::optional<Candidate> fewest_gpus(Job job, const SearchOptions& options, double tokens,
                                     Time limit);

}  // namespace headroom::train
