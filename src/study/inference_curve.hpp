// Latency against load of a fleet as it is: what `headroom infer --concurrency 1,4,16,64` and
// `--rate 5/s,10/s,20/s` print.
//
//   auto answer = study::inference_curves(std::move(loaded), catalog, options,
//                                         {.concurrency = {1, 4, 16, 64}});
//   answer->curves[0].points[2].tpot_s, answer->curves[0].knee.load
//
// CLOSED LOOP (`concurrency`): so many requests in flight at all times, the next one sent when one
// ends, spread evenly over the replicas. Means, by infer::Replica::closed_loop; a second answer of
// the engine, request by request, gives the percentiles where `InferenceOptions::finalists` > 0.
//
// OPEN LOOP (`rates_s`): so many requests a second, Poisson or with the workload's own spread.
// Means and the SLOs' percentile, by infer::Replica::operate; at and above saturation the queue
// grows and a point has no times.
//
// FLEET. `gpus_had` GPUs, as many replicas of a layout as they hold. When none are given: in a
// closed loop with SLOs the fewest replicas with which the largest load keeps them (its means),
// otherwise one system. Layouts are infer::feasible_layouts of every device and format that may be
// tried, engine settings those given or vLLM's usual (1,024 sequences, 8,192 tokens a step). Shown
// is the one that keeps the SLOs at the most of the asked loads, then the best by the objective at
// the last load it keeps them at; the others stand behind it.
//
// KNEE: the load at which throughput over time to answer, X / E2E, is largest (Kleinrock's power,
// "Power and deterministic rules of thumb for probabilistic problems in computer communications",
// ICC 1979). Below it 1 % more time buys more than 1 % more throughput, above it less. In a closed
// loop X = N / E2E, so the knee is the largest N / E2E^2.
//
// VALIDITY: as of infer/capacity.hpp. Complexity: ~1 ms a layout, and the engine's time for the
// shown one's points. Deterministic.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "study/inference_run.hpp"

namespace headroom::study {

/// The loads asked for; one of the two lists.
struct Sweep {
  std::vector<double> concurrency;  ///< requests in flight on the whole fleet
  std::vector<double> rates_s;      ///< requests/s to the whole fleet
  bool closed() const { return !concurrency.empty(); }
  const std::vector<double>& loads() const { return closed() ? concurrency : rates_s; }
  double most() const;
};

/// One load. Seconds, means over requests; the whole fleet unless a replica or a GPU is named.
struct CurvePoint {
  double load = 0;      ///< in flight, or requests/s asked
  bool stable = false;  ///< open loop: the queue does not grow
  double rate_s = 0;    ///< requests/s answered
  double running = 0;   ///< of a replica, in the engine
  double waiting = 0;   ///< closed loop: of a replica, for a slot or for KV memory
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
  double ttft_p_s = 0, tpot_p_s = 0, e2e_p_s = 0;  ///< at the SLOs' percentile; 0: not known
  double output_s = 0;                             ///< answer tokens/s
  double input_s = 0;                              ///< prompt tokens/s
  double output_per_gpu_s = 0;
  double user_tokens_s = 0;  ///< 1 / TPOT
  double power_w = 0, j_per_output = 0;
  double usd_per_moutput =
      0;               ///< decoding's share of the fleet, as in an InferenceRun; 0: no price
  bool holds = false;  ///< every SLO: means of a closed loop, percentile of an open one
  std::string breaks;  ///< the first that does not hold
};

struct Curve {
  std::string summary, system, accelerator, engine;
  std::vector<std::pair<std::string, std::string>> dims;
  double gpus = 0, replicas = 0;
  std::vector<CurvePoint> points;  ///< in the order asked
  CurvePoint knee;
  double saturation = 0;  ///< requests/s of the fleet with every slot taken
  int held = 0;           ///< points that keep the SLOs
};

/// The curves of one workload, the shown one first.
struct CurveRun {
  std::string workload, title;
  bool closed = false, fits = false;  ///< fits: some asked load keeps the SLOs
  std::string verdict;
  std::vector<std::pair<std::string, std::string>> job;
  std::vector<Curve> curves;
  std::vector<ReplayRow> replays;  ///< of the shown one's points, where the engine was asked
  double percentile = 0.99;
  std::vector<std::pair<std::string, double>> slos;  ///< label, seconds
  std::string price_origin;
  std::vector<std::string> remarks;
};

struct CurveAnswer {
  std::string scenario, file;
  std::vector<CurveRun> runs;
  bool fits() const;
};

Result<CurveAnswer> inference_curves(Loaded loaded, const catalog::Catalog& catalog,
                                     const InferenceOptions& options, const Sweep& sweep);

}  // namespace headroom::study
