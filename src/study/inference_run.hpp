// One inference workload, answered whole: configuration, times, tokens, power, money, what to
// change next, and the flags to start it with. What `headroom infer` prints.
//
//   auto answer = study::plan_inference(std::move(loaded), catalog, {.systems = {"dgx-h100"}});
//   answer->runs[0].chosen.summary
//
// SERVING. Every allowed configuration goes through the closed form (infer/search.hpp); the best
// few go through the engine, request by request (serving/replay.hpp), on a stream of the asked
// traffic at its peak. Both are shown. One that breaks an SLO there is not chosen: the answer is
// the next that holds, or the same with more replicas, whichever the objective prefers; where none
// of the kept ones holds nothing fits. The chosen one is then put into the scenario, and the
// scenario is walked as `check` walks it: a limit here is the limit there.
//
// RAG, embedding, pictures, video and the edge are answered by their assessments (infer/assess.hpp)
// in the same walk: stages, limits, energy and money.
//
// FORMATS tried are those given; when none is given, the model's published one, and the KV cache
// in bf16, or fp8 beside weights of 8 bits and fewer where the device multiplies fp8. Nothing is
// lowered silently; lower ones are among the changes.
//
// PRICE of a GPU-hour: the one given; the catalogue's dated rent for a reserved contract of that
// accelerator; for boxes that are bought, the system's price over four years of use (assumed).
//
// COST AND ENERGY OF A TOKEN: of the whole fleet at the mean rate, idle time included, split
// between input and output tokens by GPU-seconds of prefill and of decoding (serving/energy.hpp).
//
// Complexity: ~0.2 ms a configuration and core, and the engine's time for the finalists.
// Deterministic for any number of threads.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "study/scenario.hpp"
#include "study/training_run.hpp"
#include "study/verdict.hpp"

namespace headroom::study {

struct InferenceOptions {
  std::string workload;                ///< name; empty: every inference workload
  std::vector<std::string> systems;    ///< catalogue ids to choose among; empty: the cluster's
  bool any_accelerator = false;        ///< every data-centre system of the catalogue
  std::vector<Precision> weights, kv;  ///< allowed; empty: see FORMATS
  std::string objective = "cost";
  int keep = 5, threads = 1;
  int finalists = 2;              ///< that the engine replays
  double replay_requests = 4000;  ///< of the synthetic stream, per finalist
  bool front = false;
  bool disaggregated = false;  ///< also prefill and decode apart
  bool try_speculation = false;
  bool advice = true;
  bool free_size = false;            ///< the cluster is as large as the answer needs
  double gpus_had = 0;               ///< 0: as many as it takes
  std::vector<std::string> compare;  ///< models beside the workload's
  std::vector<std::string> edge;     ///< systems beside the fleet, one user each
  std::vector<std::string> launchers;
  Value<MoneyRate> price;  ///< of a GPU
  std::string engine = "vllm";
  std::string as_of;
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// Seconds over requests.
struct TimesRow {
  std::string key, label;  ///< "ttft"
  double mean = 0, p50 = 0, p90 = 0, p99 = 0;
  double at_slo = 0;  ///< at the SLO's percentile; the engine's rows only
};

/// A configuration of the table; SI, USD.
struct ConfigurationRow {
  std::string summary, model, system, accelerator, engine;
  std::vector<std::pair<std::string, std::string>> dims;
  bool fits = false;
  double gpus = 0, replicas = 0, prefill_replicas = 0;
  double ttft_p = 0, tpot_p = 0, e2e_p = 0;  ///< at the SLO's percentile, at the peak
  double tokens_per_gpu_s = 0, user_tokens_s = 0;
  double usd_per_minput = 0, usd_per_moutput = 0;  ///< 0: no price
  double usd_per_year = 0;
  double power_w = 0, j_per_output = 0, g_per_output = 0;
  std::string why;  ///< what binds, or why it does not fit
};

/// The engine's word on a configuration.
struct ReplayRow {
  std::string summary;
  double requests = 0, attained = 0, goodput_s = 0, busy = 0, kv_used = 0, preemptions = 0;
  bool overloaded = false;
  std::vector<TimesRow> times;
  bool holds = false;   ///< the SLOs at their percentile
  double output_s = 0;  ///< answer tokens/s; of a closed loop
};

struct SloRow {
  std::string key, label;
  double asked = 0, reached = 0;
  std::string resource;  ///< what binds it
  /// As of every limit (base/margin.hpp): have / need - 1.
  double headroom() const { return reached > 0 ? asked / reached - 1 : 0; }
};

struct ShareRow {
  std::string name;
  double value = 0;  ///< seconds or bytes
};

struct InferenceRun {
  std::string workload, kind, title;
  bool fits = false;
  bool laid_out = false;          ///< there is a configuration; otherwise only limits and remarks
  std::string verdict;            ///< one line: what it takes, or what comes nearest and what binds
  std::string binding, resource;  ///< SLO with the least headroom and its resource
  std::vector<std::pair<std::string, std::string>> job;
  long evaluated = 0, feasible = 0;
  double search_s = 0;  ///< wall clock
  ConfigurationRow chosen;
  std::vector<ConfigurationRow> others, front, compared, edge;
  std::vector<SloRow> slos;
  std::vector<TimesRow> times;     ///< closed form, at the peak
  std::vector<ReplayRow> replays;  ///< by the engine, at the peak
  std::vector<std::pair<std::string, std::string>> definitions;
  Section rates, use, energy, money;
  std::string price_origin, place;
  std::vector<ShareRow> step, memory;  ///< a mean step in seconds, a GPU's memory in bytes
  double step_s = 0, memory_have = 0;
  std::vector<Interval> intervals;
  std::string interval_origin;
  bool in_domain = true;
  std::vector<std::string> outside;
  std::vector<ChangeRow> changes;
  int tried = 0;
  std::vector<LaunchText> flags;
  std::vector<Section> stages;  ///< RAG, embedding, video, edge: the walk's own lines
  std::vector<Margin> margins;
  std::vector<std::string> remarks;
};

struct InferenceAnswer {
  std::vector<InferenceRun> runs;
  Verdict verdict;  ///< of the whole scenario; owns the trace that sections point into
  bool fits() const;
};

/// Mistakes of options that need no scenario.
Diagnostics check_options(const InferenceOptions& options, const catalog::Catalog& catalog);

Result<InferenceAnswer> plan_inference(Loaded loaded, const catalog::Catalog& catalog,
                                       const InferenceOptions& options = {});

}  // namespace headroom::study
