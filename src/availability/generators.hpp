// Do the generators start, and run until the mains are back?
//
//   GeneratorType set{.count = 3, .ready = 0.995, .failure_to_start = 0.0094, .mttf_s = 1100 *
//   3600}; survival(set, 2, 336 * 3600.0)             two of three carry the load for two weeks
//   survival_steps({set}, load, step)          the same by steps, for a load that changes
//
// START   p = ready x (1 - failure to start), each set apart; `start_distribution` of several types
// RUN     exponential: exp(-t / MTTF) in continuous time (`survival`); in steps a set fails with
//         chance step / MTTF a step, before the load of that step (`survival_steps`)
// STEPS   marginal false: the load was carried in every step up to this one; true: in this one
// BATTERY in bins of charge, moved by what generators make above or below the load, within the
//         inverter's power; efficiencies on the way in and out. It bridges starting as well.
//
// The form of NREL's REopt (outagesim/backup_reliability.jl), whose printed examples are tests; its
// defaults: ready 0.995, failure to start 0.94 %, MTTF 1,100 h. States of several types are ordered
// with the first type counting fastest. No repair within the outage here: `survival_repaired` has
// it.
//
// Units: s, W, J. Complexity: steps x states^2. No errors: chances are clamped by the caller.
#pragma once

#include <span>
#include <vector>

namespace headroom::availability {

struct GeneratorType {
  int count = 1;
  double ready = 1;             ///< not in maintenance or repair when it is called
  double failure_to_start = 0;  ///< on demand, of a set that is ready
  double mttf_s = 0;            ///< running; 0: never fails
  double power_w = 1;           ///< of one set
  double starts() const { return ready * (1 - failure_to_start); }
};

/// At least `needed` of the type's sets start and run for `time_s`.
double survival(const GeneratorType& type, int needed, double time_s);

/// The same where failed sets (to start, to run) are repaired by `crews` at `repair_s` each while
/// the others carry on.
double survival_repaired(const GeneratorType& type, int needed, double time_s, double repair_s,
                         int crews);

/// Chance of every combination of sets after one trial in which a set of type i fails with
/// `fail[i]`, starting with all `counts`: the last row of REopt's Markov matrix.
std::vector<double> after_trial(std::span<const int> counts, std::span<const double> fail);
/// Chance of every combination that starts.
std::vector<double> start_distribution(std::span<const GeneratorType> types);

struct StepOptions {
  double step_s = 3600;
  bool marginal = false;
};

struct Battery {
  double energy_j = 0, power_w = 0;
  int bins = 101;  ///< of charge, the first empty
  double charge_efficiency = 1, discharge_efficiency = 1;
  double start_j = 0;  ///< charge when the outage begins
};

/// Chance that `load_w[i]` of step i is met, for each step.
std::vector<double> survival_steps(std::span<const GeneratorType> types,
                                   std::span<const double> load_w, const StepOptions& options = {});
std::vector<double> survival_steps(std::span<const GeneratorType> types, const Battery& battery,
                                   std::span<const double> load_w, const StepOptions& options = {});

}  // namespace headroom::availability
