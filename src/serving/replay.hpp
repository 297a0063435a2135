// Replay: a stream of requests through a fleet of engines, and what its users saw.
//
//   Deployment d{.oracle = &oracle, .engine = config, .replicas = 4};
//   Replay r = replay(stream, d, {.ttft_s = 1, .tpot_s = 0.05});
//   r.summary.ttft.p99;
//
// A fleet is one pool of like replicas (the short form above) or several (`pools`): other models,
// other regions, slices of a GPU, roles of prefill and decode, limits of power by the hour. Around
// the engines stand a gateway (admission, priorities, offline work in the valleys), a router, an
// autoscaler, failures and repairs. fleet.hpp says in which order things happen; each part has a
// header of its own: routing.hpp, autoscale.hpp, loading.hpp, failures.hpp, devices.hpp,
// energy.hpp.
//
// DEFINITIONS (serving benchmarks do not agree; ours are named and may be chosen)
//   TTFT  arrival   first token - arrival                       (vLLM bench, GuideLLM, AIPerf)
//         scheduled first token - first scheduled                (the engine's share, no queue)
//   TPOT  excluding_first  (end - first token) / (output - 1)    (vLLM bench; AIPerf calls it ITL)
//         including_first  (end - arrival) / output              (GuideLLM's time per output token)
//   ITL   all gaps between tokens of all requests pooled         (vLLM bench); a request's longest
//         gap is in its outcome
//   E2E   end - arrival
// Percentiles, attainment and goodput are of online classes; offline ones have their own rows.
// A request that was lost and tried again counts from its first arrival.
//
// MEMORY. 48 B a request for the stream, 64 B for its outcome. With `keep_outcomes` false there
// are no outcomes and percentiles come from histograms (histogram.hpp, error < 0.4 %).
//
// Deterministic: the same stream, deployment and seed give the same bits whatever `threads`.
// Threads are used where replicas do not depend on each other: round robin over one pool without
// autoscaling, failures, closed loops or a gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/oracle.hpp"
#include "requests/request.hpp"
#include "serving/autoscale.hpp"
#include "serving/energy.hpp"
#include "serving/engine.hpp"
#include "serving/failures.hpp"
#include "serving/loading.hpp"
#include "serving/routing.hpp"

namespace headroom::serving {

/// SLOs in seconds; 0: none. A request is good when it meets all of them.
struct Slo {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
  bool any() const { return ttft_s > 0 || tpot_s > 0 || e2e_s > 0; }
};

enum class TtftFrom : unsigned char { arrival, scheduled };
enum class TpotOver : unsigned char { excluding_first, including_first };
struct Definitions {
  TtftFrom ttft = TtftFrom::arrival;
  TpotOver tpot = TpotOver::excluding_first;
};

/// Requests of one class of traffic (Stream::classes) and what they are promised.
struct ClassRule {
  Slo slo{};             ///< none: the replay's
  int priority = 0;      ///< added to the request's; lower first, at the gateway and in the engines
  bool offline = false;  ///< waits at the gateway for room that online work leaves
  double max_wait_s = 0;                 ///< shed after waiting so long at the gateway; 0: never
  std::uint16_t region = 0;              ///< where it comes from
  std::vector<std::uint16_t> allowed{};  ///< regions it may be served in; empty: all
};

/// What is let through to the engines.
struct Admission {
  double in_flight = 0;      ///< requests a replica is given at a time; the rest waits; 0: no limit
  double queue = 0;          ///< requests that may wait at the gateway; 0: no limit. Beyond, the
                             ///< last of the lowest priority is rejected
  double offline_below = 0;  ///< offline work enters while a replica holds fewer requests; 0: half
                             ///< of `in_flight`, else of max_num_seqs
};

/// A limit of power from some time on: the step times of the capped accelerator
/// (devices.hpp, `capped`), and what it then draws.
struct PowerStep {
  double from_s = 0;  ///< after the first arrival; the first step's is 0
  const infer::StepOracle* oracle = nullptr;
  GpuPower power;
};

/// Like replicas.
struct Pool {
  std::string name = "fleet";
  const infer::StepOracle* oracle = nullptr;
  EngineConfig engine;
  int replicas = 1;  ///< at the start
  std::uint16_t model = 0, region = 0;
  double gpus = 1;   ///< of one replica, for utilisation and cost; less than one for slices
  double speed = 1;  ///< relative weight in load-based routing
  bool scales = false;
  Autoscale autoscale;
  Loading loading;
  Failures failures;
  GpuPower power;
  std::vector<std::uint16_t> models;   ///< of the stream that it serves, in place of `model`
  std::vector<std::uint16_t> classes;  ///< that it takes; empty: all
  std::vector<PowerStep> caps;         ///< in place of `oracle` and `power`, by time
  double caps_every_s = 0;             ///< the caps begin again; 0: the last one stays
  std::optional<Tariff> tariff;        ///< of its place, in place of the deployment's
};

/// Whether a pool takes requests of a class for a model, wherever it stands.
bool serves(const Pool& pool, std::size_t traffic_class, std::size_t model);

struct Deployment {
  const infer::StepOracle* oracle = nullptr;  ///< of the one pool; unused with `pools`
  EngineConfig engine;
  int replicas = 1;
  Routing routing = Routing::least_load;
  std::uint64_t seed = 1;

  std::vector<Pool> pools;           ///< in place of the three fields above
  RouterRule router;                 ///< thresholds; `routing` and `seed` above rule
  std::vector<ClassRule> classes;    ///< by Stream::classes; missing ones: no rule
  std::vector<std::string> regions;  ///< names; two or more are answered one by one
  Admission admission;
  std::vector<std::vector<double>> rtt_s;  ///< between regions; empty: one region, no delay
  double spill = 1;  ///< a region is left for the next when its least loaded replica holds this
                     ///< share of its seats
  int retries = 3;   ///< of a request whose replica was lost; then it counts as lost
  Definitions definitions;
  double percentile = 0.99;  ///< at which SLOs are judged
  bool keep_outcomes = true;
  int threads = 1;
  Tariff tariff;
  Progress* progress = nullptr;  ///< who watches, and may have the replay throw `Stopped`
};

/// Seconds.
struct Percentiles {
  double mean = 0, p50 = 0, p90 = 0, p99 = 0, worst = 0;
  double p95 = 0;
  double at_slo = 0;  ///< at Deployment::percentile
};

/// What a limit of a replica is made of.
enum class Resource : unsigned char {
  compute,
  bandwidth,
  network,
  host,
  kv_memory,
  seats,
  token_budget,
  none
};
const char* resource_name(Resource r);

/// How far an SLO is from breaking.
struct SloHeadroom {
  const char* name = "";            ///< "TTFT", "TPOT", "E2E"
  double slo_s = 0, reached_s = 0;  ///< at Deployment::percentile
  /// As base/margin.hpp: +100 % where half of what is allowed is reached.
  double margin() const { return reached_s > 0 ? slo_s / reached_s - 1 : 0; }
  Resource binding = Resource::none;  ///< what to add to move it
};

/// Where the time of steps went, seconds over all replicas.
struct TimeSplit {
  double compute_s = 0, bandwidth_s = 0, network_s = 0, host_s = 0;
  double total() const { return compute_s + bandwidth_s + network_s + host_s; }
};

/// Requests of a class, of a pool or of the users of a region. Percentiles, attainment and goodput
/// of pools and regions are of online classes where they have any.
struct Served {
  std::string name;
  std::size_t requests = 0, finished = 0, rejected = 0, lost = 0, in_flight = 0;
  double attained = 0, goodput_s = 0;
  double input_tokens = 0, output_tokens = 0, cached_tokens = 0, preemptions = 0;  ///< of finished
  Percentiles ttft, tpot, e2e;
  std::vector<SloHeadroom> headroom;  ///< of a pool or region: its worst class, SLO by SLO;
                                      ///< of a pool, of classes that are a tenth of its requests
};

/// Its part of the bills of the pools that served it: prompts by their tokens, answers by theirs. A
/// pool that served nobody is nobody's. Prefill pools are shared by prompt tokens.
struct Part {
  double usd = 0, meter_j = 0, carbon_kg = 0;
};

struct ClassSummary : Served {
  bool offline = false;
  std::uint16_t region = 0;
  Part part;
};

/// Users of a region, and the machines that stand there.
struct RegionSummary : Served {
  std::size_t residency = 0;  ///< of the rejected: no pool where they may be served
  std::size_t elsewhere = 0;  ///< finished, by a pool of another region
  double rtt_s = 0;           ///< mean round trip of the finished
  Part part;
  double gpus = 0, busy = 0, kv_used = 0;
  Bill bill;  ///< of the pools there
};

struct PoolSummary : Served {
  std::uint16_t region = 0;
  double replicas_mean = 0, gpus = 0;
  int replicas_most = 0, started = 0, stopped = 0, failures = 0;
  double busy = 0, running = 0, waiting = 0, kv_used = 0, kv_peak = 0;
  TimeSplit split;
  GpuTime gpu_time;
  Bill bill;
};

/// One change of a pool's size.
struct ScaleEvent {
  double at_s = 0;
  std::uint16_t pool = 0;
  int ready = 0, coming = 0;  ///< after the event
};

struct Summary {
  std::size_t requests = 0, finished = 0, rejected = 0, lost = 0, in_flight = 0;
  std::size_t too_long = 0;   ///< of the rejected: longer than the context or the KV memory
  std::size_t shed = 0;       ///< of the rejected: by the gateway
  std::size_t no_pool = 0;    ///< of the rejected: no pool serves their model and class
  std::size_t residency = 0;  ///< of the rejected: such pools stand where they may not be served
  std::size_t retried = 0;    ///< tried again after a loss
  double span_s = 0;          ///< first arrival to last answer
  double input_tokens = 0, output_tokens = 0, cached_tokens = 0;  ///< of finished requests
  Percentiles ttft, tpot, itl, e2e;  ///< itl over all gaps between tokens
  double goodput_s = 0;              ///< requests/s that met the SLO
  double attained = 0;               ///< share of requests that met it
  double steps = 0, preemptions = 0;
  double busy = 0;                  ///< share of time that replicas step, mean
  double running = 0, waiting = 0;  ///< mean over time and replicas
  double kv_used = 0, kv_peak = 0;  ///< share of blocks, mean over busy time, and highest
  double replicas = 0, gpus = 0;    ///< mean over the span, failed and loading ones too
  bool overloaded = false;          ///< the queue grows (ledger.hpp)
  TimeSplit split;
  std::vector<SloHeadroom> headroom;  ///< of the SLOs given, or of the worst class
  Bill bill;
  std::vector<ClassSummary> classes;  ///< when there is more than one
  std::vector<PoolSummary> pools;
  std::vector<RegionSummary> regions;  ///< when there is more than one
  std::vector<ScaleEvent> scaling;
};

struct Replay {
  std::vector<Outcome> outcomes;  ///< by request; empty unless `keep_outcomes`
  Summary summary;
};

/// Pools that serve no request of the stream and requests no pool may serve are legal: those
/// requests are rejected.
Replay replay(const requests::Stream& stream, const Deployment& deployment, const Slo& slo = {});

}  // namespace headroom::serving
