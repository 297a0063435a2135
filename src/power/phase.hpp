// Currents of a three-phase feeder that carries loads on one, two or three phases.
//
// Loads draw constant power at one power factor. Line to neutral a load S draws S / V_n; line to
// line it draws S / V_l, which leads or lags both lines by 30 degrees, so that two pairs sharing a
// line add as phasors:
//
//   I_a = S_a / V_n + I_ab - I_ca,   |I_ab| = S_ab / V_l       (and in turn)
//
// IMBALANCE = largest deviation of a line current from their mean, over the mean (NEMA MG 1).
// STRANDED = what the feeder could carry balanced at the current of its fullest line, less what it
// carries: 3 V_n max(I) - S. Units of a group take phases in turn, so 40 racks on one phase each
// are 14 / 13 / 13.
//
// A double-conversion UPS and a rectifier draw balanced whatever they feed: imbalance ends there.
// O(1), or O(nodes + edges) for a graph. No errors.
#pragma once

#include <array>

#include "power/graph.hpp"

namespace headroom::power {

/// Apparent power on a feeder: to neutral a line, line to line a pair (ab, bc, ca).
struct PhaseLoad {
  std::array<double, 3> line_va{}, pair_va{};

  PhaseLoad& operator+=(const PhaseLoad& other);
  double total_va() const;
};

/// `units` equal loads of `each_va`, on phases in turn from `use.first`.
PhaseLoad spread(double each_va, int units, const PhaseUse& use);

struct LineCurrents {
  std::array<double, 3> a{};
  double neutral_a = 0;
  double most() const;
  double mean() const;
  double imbalance() const;
};
/// `voltage_v` line to line. Of a feeder in phase with its loads' voltages.
LineCurrents line_currents(const PhaseLoad& load, double voltage_v);

/// Power of a balanced load that would draw the fullest line's current, less the load; VA.
double stranded_va(const PhaseLoad& load);

/// What every node carries, phase by phase, given what flows through it.
std::vector<PhaseLoad> phase_loads(const Graph& graph, const Solution& solution);

}  // namespace headroom::power
