// Exact steps of a linear thermal network, whatever their length.
//
//   C dT/dt = -K T + q            K: conductances and capacity rates, q: heat put in (W)
//   T(t+h)  = E(h) T + S(h) u     u = q/C,  E = exp(Ah),  S = int_0^h exp(As) ds
//   int T   = S(h) T + R(h) u     R = int_0^h S(s) ds
//
// so temperatures and the heat that left during the step are both exact to rounding, for a step of
// a second or a day; stiffness costs nothing. Conditions (flows, valves) are constant in a step:
// a change is an event, and a new system.
//
// E, S, R by Taylor series of a halved step and doubling
//   E(2h) = E^2,  R(2h) = R + h S + E R,  S(2h) = S + E S
// (Taylor of order 14 where the norm of Ah is below 1/2: relative error below 1e-16 there).
// Energy: each term moves heat from one node to another or outside, so in = out + stored holds for
// any step; `Stepped` counts it and tests compare (below 1e-6, in fact 1e-12).
//
// Complexity: building a step O(n^3 log(norm h)), n nodes, 20 nodes about 50 us; using it O(n^2).
// Propagators are kept by length. Thread-safety: one stepper a thread.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace headroom::cooling {

/// Where heat goes that leaves the network.
inline constexpr std::size_t outside = static_cast<std::size_t>(-1);

struct ThermalSystem {
  std::vector<std::string> names;
  std::vector<double> capacity;  ///< J/K, all above 0
  /// Heat coefficient x T[node] flows from `from` to `to` (either may be `outside`).
  struct Term {
    std::size_t from, to, node;
    double coefficient;  ///< W/K
  };
  std::vector<Term> terms;
  std::vector<double> source;  ///< W put into each node from outside

  std::size_t add(std::string name, double joule_per_kelvin);
  std::size_t size() const { return capacity.size(); }
  /// Conduction between two nodes.
  void conduct(std::size_t a, std::size_t b, double w_k);
  /// A stream of this capacity rate leaving `from` at its temperature and entering `to`.
  void advect(std::size_t from, std::size_t to, double w_k);
  /// Heat g (T[hot] - T[cold]) taken from `from` and given to `to`.
  void exchange(std::size_t hot, std::size_t cold, std::size_t from, std::size_t to, double w_k);
  /// Conduction to surroundings of fixed temperature.
  void surroundings(std::size_t node, double celsius, double w_k);
};

struct Propagator {
  std::size_t n = 0;
  std::vector<double> e, s, r;  ///< n x n, row-major
};
Propagator make_propagator(std::span<const double> a, std::size_t n, double step_s);

struct Stepped {
  double in_j = 0;      ///< put in from outside
  double out_j = 0;     ///< left through terms to outside
  double stored_j = 0;  ///< change of sum C T
  double imbalance() const;
};

class ExactStepper {
 public:
  explicit ExactStepper(const ThermalSystem& system);
  /// Advances `celsius` by `step_s`; sources as in the system, unless others are given.
  Stepped step(std::span<double> celsius, double step_s, std::span<const double> source = {});
  const std::vector<double>& matrix() const { return a_; }

 private:
  const Propagator& propagator(double step_s);

  std::vector<double> capacity_, source_, a_;
  std::vector<double> leaving_;  // W/K to outside, by node temperature
  std::vector<double> drive_, next_, integral_;
  std::map<double, Propagator> known_;
};

}  // namespace headroom::cooling
