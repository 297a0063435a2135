// Verdict: the answer to a scenario, in one form for every layer.
//
// The table of margins is the product; the sections say what it costs in money,
// energy, carbon and water; the trace says how each figure came to be.
#pragma once

#include <string>
#include <vector>

#include "base/findings.hpp"

namespace headroom::study {

/// One reported figure. `node` is its place in the trace, whose id
/// `headroom explain` takes.
struct Line {
  std::string key;    ///< stable JSON name, unique in its section: "cost_per_gpu_hour"
  std::string label;  ///< for people: "cost of a GPU-hour"
  double si = 0;
  std::string unit;
  NodeId node = no_node;
};

/// A group of figures: money, energy, carbon, water, or one workload's answer.
struct Section {
  std::string key;
  std::string title;
  std::vector<Line> lines;
};

/// A way to own or rent, beside the others, on equal goodput.
struct Path {
  std::string key;  ///< own, colo, neocloud, cloud
  std::string label;
  std::vector<Line> lines;
  std::string break_even;  ///< utilisation above which owning is cheaper: "41 %", "never"
  /// Monthly cash flow, nominal: date and what is paid (USD; negative: comes back).
  std::vector<std::pair<std::string, double>> cash_flow;
};

/// What one ranged input does to the answer when it goes to its low or high end.
struct Sensitivity {
  std::string path;  ///< dotted path in the scenario, or trace id
  std::string low, likely, high;
  double headroom_low = 0, headroom_high = 0;  ///< of the scenario's binding limit
  std::string binding_low, binding_high;       ///< ids
};

struct Verdict {
  std::string scenario;
  std::string file;
  bool fits = false;
  std::vector<Margin> margins;  ///< ascending headroom; the first is the binding limit
  std::vector<Plan> plans;
  std::vector<std::string> remarks;
  std::vector<std::string> not_asked;  ///< layers the scenario leaves out
  BillOfMaterials bill;
  std::vector<Section> workloads;
  Section money, energy, carbon, water;
  std::vector<Path> paths;
  std::vector<Sensitivity> sensitivities;
  Trace trace;

  /// Energy into the site less energy out of it (heat rejected, work, losses to
  /// the outside), relative to energy in; at most 1e-6 by construction, checked.
  double energy_imbalance = 0;

  const Margin* binding() const { return margins.empty() ? nullptr : &margins.front(); }
};

/// Sorts margins by headroom (ties by id) and sets `fits`.
void rank(Verdict& verdict);

}  // namespace headroom::study
