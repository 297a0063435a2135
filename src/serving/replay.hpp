// Replay: a stream of requests through a fleet of engines, and what its users saw.
//
//   Deployment d{.oracle = &oracle, .engine = config, .replicas = 4};
//   Replay r = replay(stream, d);
//   r.summary.ttft.p99;
#pragma once

#include <string>
#include <vector>

#include "infer/oracle.hpp"
#include "requests/request.hpp"
#include "serving/engine.hpp"

namespace headroom::serving {

enum class Routing : unsigned char { round_robin, least_load, prefix_aware };

struct Deployment {
  const infer::StepOracle* oracle = nullptr;
  EngineConfig engine;
  int replicas = 1;
  Routing routing = Routing::least_load;
  std::uint64_t seed = 1;
};

/// Seconds.
struct Percentiles {
  double mean = 0, p50 = 0, p90 = 0, p99 = 0, worst = 0;
};

/// SLOs in seconds; 0: none. A request is good when it meets all of them.
struct Slo {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
};

struct Summary {
  std::size_t requests = 0, finished = 0, rejected = 0, lost = 0, in_flight = 0;
  double span_s = 0;  ///< first arrival to last answer
  double input_tokens = 0, output_tokens = 0, cached_tokens = 0;
  Percentiles ttft, tpot, itl, e2e;  ///< itl over all gaps between tokens
  double goodput_s = 0;              ///< requests/s that met the SLO
  double attained = 0;               ///< share of requests that met it
  double steps = 0, preemptions = 0;
  double busy = 0;                  ///< share of time that replicas step, mean
  double running = 0, waiting = 0;  ///< mean over time and replicas
  double kv_used = 0, kv_peak = 0;  ///< share of blocks, mean over busy time, and highest
};

struct Replay {
  std::vector<Outcome> outcomes;  ///< by request
  Summary summary;
};

Replay replay(const requests::Stream& stream, const Deployment& deployment, const Slo& slo = {});

}  // namespace headroom::serving
