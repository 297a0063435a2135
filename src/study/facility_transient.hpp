// How a scenario's load swings within seconds, against what the utility and generators bear, what
// smooths it, and what sags of the grid do. What `headroom facility --transient` prints.
//
//   auto answer = study::facility_transient(loaded, catalog, {.sags = {"30%@60ms x6/82s"}});
//   answer->margins[0], answer->plans[0], answer->ride.left_w
//
// WAVE. Each training job's step is the train layer's own: the passes of its pipeline as they are
// played (train/pipeline_simulation.hpp), then exposed data-parallel traffic, the optimiser, and
// waiting for stragglers. While a rank computes, the kernels' share of its passes draws `busy`, the
// rest `wait`; a rank that waits draws `wait`. `busy` is such that the mean of a step is the mean
// power the study uses everywhere (train/assess.hpp). Jobs that are not planned pass by pass
// (reinforcement learning) are waves of their phases. Serving is a constant with noise: replicas
// swing on their own, a tenth of what a GPU can swing (assumed), over a second.
//
// Everything else (hosts, network, storage, cooling) stands at its mean: P(t) = accelerators(t) +
// (the cluster's mean - accelerators' mean). At the meter a watt more of IT is dM/dIT watts, the
// slope of the chain at the mean load.
//
// WINDOWS. `steady`: every job at its step, phases random but fixed by the seed; range, spectrum
// and steady ramps are read from it. `events`: the largest job starts, saves and stops (at full
// draw); ramps are read from it.
//
// FILTERS of the scenario (power.transient) in order: floor and ramp of the accelerators, shelves,
// UPS, BESS. Energy: grid = load + burned - deferred + losses + stored (`imbalance`).
//
// PLANS. What would meet the steady limits: the least floor alone, each storage alone, and floors
// with storage; each with its cost a year; cheapest first. Starts and stops are met by ramping
// accelerators, whose burn and delay are named.
//
// RIDE. The sags of the scenario or of the options, else those of 10 July 2024.
//
// Fails on a scenario in which nothing runs, and on sags that cannot be read. Deterministic.
// Complexity: a check and about a hundred passes over 16,384 samples (0.3 s).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/margin.hpp"
#include "base/progress.hpp"
#include "base/result.hpp"
#include "power/ride_through.hpp"
#include "power/smoothing_size.hpp"
#include "power/waveform_spec.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct TransientOptions {
  double sample_s = 0.01;  ///< 1 to 10 ms
  std::uint64_t seed = 1;
  std::vector<std::string> sags;  ///< over those of the scenario
  Progress* progress = nullptr;   ///< who watches, and may have it throw `Stopped`
};

/// A load that swings by itself.
struct SwingLoad {
  std::string name, kind;  ///< "training", "serving"
  double gpus = 0;
  double mean_w = 0;              ///< of its accelerators
  double busy_w = 0, wait_w = 0;  ///< of one
  double period_s = 0;            ///< 0: noise
  double peak_w = 0, trough_w = 0;
  double wait_share = 0;  ///< of the GPU time of a step
  double save_every_s = 0, stall_s = 0;
  std::vector<std::pair<std::string, double>> parts;  ///< of a step, seconds
};

/// A filter of the scenario and what it did in steady work.
struct FilterRow {
  std::string key, what;
  double range_w = 0, line_w = 0, ramp_second_w_s = 0;  ///< behind it
  double burned_w = 0, loss_w = 0;                      ///< means
  double capacity_j = 0, swing_j = 0, most_w = 0;
  double saturated = 0;  ///< share of the time
  double tau_s = 0;
  double usd_year = 0;
};

/// A way to meet the steady limits.
struct SmoothingPlan {
  std::string key, what;
  bool met = false;
  std::string misses;   ///< limits that it does not meet, in words
  double floor = 0;     ///< of an accelerator's maximum; 0: none
  double burned_w = 0;  ///< mean, at the meter
  power::StorageSize storage;
  std::string storage_key;  ///< empty: none
  double usd = 0, usd_year = 0;
  double kwh_year = 0;                                  ///< burned and lost
  double range_w = 0, line_w = 0, ramp_second_w_s = 0;  ///< behind it
};

/// A ramp of accelerators when the largest job starts and stops.
struct RampPlan {
  double w_s = 0;     ///< at the meter
  double step_w = 0;  ///< at the meter
  double seconds = 0;
  double burned_j = 0;     ///< of a stop
  double storage_j = 0;    ///< that a storage would need instead, straight ramp
  std::string with;        ///< the plan for steady work it was tried with; empty: not needed
  power::Measures behind;  ///< of start, save and stop so
};

/// Steady work if accelerators that wait drew another share of their maximum.
struct WaitCase {
  double share = 0, range_w = 0, line_w = 0, ramp_second_w_s = 0;
};

struct TransientWindow {
  double dt_s = 0;
  power::Series load, grid;  ///< at the meter: before and behind the filters
};

struct TransientAnswer {
  std::string scenario;
  power::TransientLimits limits;
  std::string rating_origin;
  double it_mean_w = 0, meter_mean_w = 0, slope = 1;
  std::vector<SwingLoad> loads;
  double constant_w = 0;      ///< of IT
  power::Judged raw, behind;  ///< steady
  power::Measures events_raw, events_behind;
  double flicker = -1, flicker_behind = -1;  ///< Pst; below 0: no short-circuit power
  std::vector<WaitCase> wait_range;          ///< without filters; empty: the scenario says
  std::vector<FilterRow> filters;
  double imbalance = 0;  ///< of both windows
  std::vector<SmoothingPlan> plans;
  RampPlan ramp;
  double generator_w = 0;  ///< left of the bank's rating; 0: none
  std::vector<Margin> margins;
  TransientWindow steady, events;
  power::JobEvents moments;

  power::RideSetup ride_setup;
  std::vector<power::Sag> sags;
  bool sags_given = false;
  power::Ride ride;
  double lost_gpu_s = 0, lost_usd = 0;
  std::string price_origin;
  double energy_usd_j = 0;
  std::vector<std::pair<std::string, power::Used>> assumptions;  ///< label; unit in the label
  std::vector<std::string> remarks;

  bool holds() const;
};

Result<TransientAnswer> facility_transient(const Loaded& loaded, const catalog::Catalog& catalog,
                                           const TransientOptions& options = {});

}  // namespace headroom::study
