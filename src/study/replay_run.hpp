// One trace through one fleet, answered whole: latencies, goodput, use, energy, carbon, money,
// what binds. What `headroom replay` prints.
//
//   auto answer = study::replay_trace(stream, {.model = "llama-3.1-70b", .system = "dgx-h100"},
//                                     catalog);
//   answer->run.summary.ttft.p99
//
// LAYOUT of a replica where it is not given: with a system all accelerators of one (tensor
// parallel, as far as the domain and the heads allow); with an accelerator alone the smallest power
// of two that keeps half of the memory free of weights.
//
// REPLICAS where they are not given: as many as the SLO needs. The search starts at the closed
// form's count for the mean rate (infer/capacity.hpp), replays with that many, and goes up until
// the engine meets every SLO, or down as long as it does. Without an SLO: the fewest that are not
// overloaded. Where even an idle fleet misses an SLO the answer has `reachable` false, the times of
// an idle replica as the nearest, and the SLO that no count can meet. Then, or where `most`
// replicas do not do, `met` is false.
//
// OVERLOAD before the run: the rate of the last third against what the replicas carry at most
// (infer::Replica, `saturation_s`).
//
// INTERVALS hold 80 % of measured runs: step times times the range of measured over modelled that
// the engine's entry in the catalogue carries (infer::StepModel::error_range), and the whole trace
// replayed at either end, so that queues grow as they would. A fleet whose steps all take f times
// as long sees arrivals t / f: its times are f times those of the trace compressed by f. Left out
// where other clocks run beside (autoscaling, failures) and above `interval_requests`.
//
// PRICES: the rent by money's rule for reserved capacity at a specialist cloud, dated; carbon and
// electricity of the region.
//
// Complexity: one engine run a count tried, ~5 us a request. Deterministic.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "requests/request.hpp"
#include "serving/replay.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

/// What the requests of one class of the stream are promised.
struct ReplayClass {
  std::string name;  ///< in Stream::classes
  serving::ClassRule rule;
};

/// Memory of one replica below its GPUs' for KV. Without a rate: the accelerator's PCIe link for
/// host memory; for disk what `storage` reads, divided over the machine's GPUs.
struct ReplayTier {
  Information size;  ///< of all GPUs of the replica together, as vLLM's --kv-offloading-size
  Bandwidth rate;    ///< towards one GPU; 0: see above
};

/// A limit of power of one accelerator from some time on.
struct ReplayCap {
  double from_s = 0;  ///< after the first arrival; the first one's is 0
  Power cap;
};

struct Fleet;

struct ReplayOptions {
  std::string model, system, accelerator;
  std::string slice;     ///< MIG profile, with `accelerator` or `system`
  std::string software;  ///< serving-software entry, or an engine's name
  int tp = 0, pp = 0, ep = 1, attention_dp = 1;
  std::string precision, kv_precision;  ///< empty: as published; bf16 for the cache
  int domain = 0;                       ///< with `accelerator`

  int replicas = 0;  ///< 0: as many as the SLO needs
  int most = 4096;   ///< of that search
  serving::Routing routing = serving::Routing::least_load;
  bool routing_given = false;  ///< over the fleet's
  serving::Slo slo;
  double percentile = 0.99;
  serving::Definitions definitions;

  int max_num_seqs = 0, max_num_batched_tokens = 0, max_model_len = 0;
  double memory_share = 0.9;
  bool prefix_cache = true, chunked_prefill = true, static_batching = false, priorities = false;
  bool async_scheduling = false;  ///< a step is composed while the one before runs
  bool reserve_full = false;      ///< only what fits whole is admitted
  int block_tokens = 16;
  int kv_blocks = 0;            ///< vLLM's --num-gpu-blocks-override; 0: what fits
  int long_prefill_tokens = 0;  ///< most of one prompt a step; 0: all
  double watermark = 0;         ///< share of KV blocks that admissions leave free
  serving::Speculation speculation;
  serving::Role role = serving::Role::both;
  int prefill_replicas = 0, decode_replicas = 0;  ///< disaggregation
  Bandwidth kv_link;                     ///< of one GPU, for KV handed over; 0: its network port
  ReplayTier offload_cpu, offload_disk;  ///< for KV blocks evicted from the GPUs
  int max_loras = 0;                     ///< adapters on a GPU at once; 0: all stay loaded
  int lora_rank = 16;                    ///< vLLM's --max-lora-rank
  int host_loras = 0;                    ///< in host memory; 0: all

  std::vector<ReplayClass> classes{};
  std::vector<int> offline{};  ///< classes of the stream that fill the valleys
  serving::Admission admission;
  double mtbf_s = 0, mttr_s = 1800;
  std::vector<serving::Loss> losses{};  ///< at known times
  int retries = 3;
  bool scales = false;
  serving::Autoscale autoscale;  ///< `seats` 0: what the closed form says meets the SLO
  std::string storage = "local-nvme-h100";
  double provisioning_s = 0;
  double engine_start_s = -1;  ///< from weights in memory to ready; below 0: serving/loading.hpp's
  Power power_cap;             ///< of one accelerator; 0: none
  std::vector<ReplayCap> power_caps{};  ///< by time, in place of it
  double power_caps_every_s = 0;        ///< they begin again; 0: never

  /// Pools, regions and classes of a file (replay_fleet.hpp); then what stands above of models,
  /// machines, replicas and classes is not read. SLOs are those of classes without their own.
  const Fleet* fleet = nullptr;

  std::string region = "us-virginia";
  Value<Scalar> pue;
  Value<MoneyRate> price;
  Value<EnergyPrice> electricity;

  std::uint64_t seed = 1;
  int threads = 1;
  bool keep_outcomes = true;
  bool intervals = true;
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// A count of replicas that was replayed.
struct ReplayTried {
  int replicas = 0;
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;  ///< at the percentile
  bool met = false, overloaded = false;
};

/// 80 % interval of a time, seconds.
struct ReplayInterval {
  std::string key, label;
  double low = 0, likely = 0, high = 0;
};
inline constexpr std::size_t interval_requests = 300000;

/// What one replica can carry by the closed form, and what is offered.
struct ReplayForecast {
  double offered_s = 0;     ///< requests/s, mean
  double late_s = 0;        ///< of the last third
  double saturation_s = 0;  ///< of one replica
  double inside_slo_s = 0;  ///< of one replica, inside the SLOs; 0: none are given, or never
  double replicas = 0;      ///< for the mean rate inside the SLOs, not rounded
  double concurrent = 0;    ///< sequences of one replica at that rate
  bool overloaded = false;  ///< with the replicas replayed
  std::string binding;      ///< what the closed form says binds
};

/// A pool of a fleet, in words; what it did is in `run.summary.pools`, in the same order.
struct ReplayPool {
  std::string name, model, machine, layout, engine, region, role, price;
  int replicas = 0;  ///< at the start
  double gpus_per_replica = 0, kv_tokens = 0, usd_per_gpu_s = 0;
  double saturation_s = 0;  ///< requests/s that one replica carries at most, of those it may take
  std::vector<ReplayCap> caps;
  bool sized = false;  ///< replicas are what the SLOs need
};

struct ReplayAnswer {
  std::string trace, model, machine, layout, engine;  ///< in words
  std::string fleet;                                  ///< name; empty: one pool, from options
  std::vector<ReplayPool> pools;                      ///< of a fleet
  std::vector<std::pair<std::string, std::string>> job;
  int replicas = 0;
  double gpus_per_replica = 0;
  double kv_blocks = 0;
  double kv_tokens = 0;  ///< of a replica
  serving::EngineConfig config;
  serving::Slo slo;
  double percentile = 0.99;
  serving::Definitions definitions;
  bool searched = false, met = true, reachable = true;
  std::string unreachable;  ///< SLOs that no count meets: the nearest, and what binds
  ReplayForecast forecast;
  std::vector<ReplayTried> tried;
  serving::Replay run;
  std::vector<ReplayInterval> intervals;
  std::string interval_origin;
  serving::Tariff tariff;
  std::vector<std::string> remarks;
  double wall_s = 0;  ///< of all engine runs
  /// SLOs met, nothing overloaded.
  bool fits() const { return met && reachable && !run.summary.overloaded; }
};

/// Fails on names the catalogue does not have, layouts that do not fit, options that contradict;
/// every mistake in one pass, told with its option.
Result<ReplayAnswer> replay_trace(const requests::Stream& stream, const ReplayOptions& options,
                                  const catalog::Catalog& catalog, const Loaded& brought = {});

}  // namespace headroom::study
