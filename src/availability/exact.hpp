// Reliability in closed form: k-of-n, birth and death with repair crews, common cause.
//
//   k_of_n(2, 3, 0.9)                          at least two of three work: 0.972
//   BankRates bank{.units = 4, .failure = 1 / mtbf, .repair = 1 / mttr, .crews = 1};
//   const auto out = units_out(bank);          // out[d]: share of time with d units out
//   const double r = bank_survival(bank, 1, t) // never more than one out within t, all in at first
//
// k-of-n        sum over j = k..n of C(n, j) p^j (1-p)^(n-j); unequal units by recursion
// Markov        state d units out: to d + 1 at (units in service) x failure, to all out at `common`
//               (a failure of common cause), to d - 1 at min(d, crews) x repair
// Survival      the same chain stopped at the first state beyond `spare`, by uniformisation
//
// Standby units that cannot fail while they wait: `dormancy` 0 (cold) to 1 (hot), of the failure
// rate of the units beyond those needed.
//
// Units: rates in 1/s, times in s. Valid for exponential times; simulate.hpp has the others.
// Sources: any text on reliability (Billinton & Allan; Rausand). Exact to rounding, tested against
// enumeration. Complexity: O(n^3) for `units_out`, O(n x rate x t) for `bank_survival`.
#pragma once

#include <span>
#include <vector>

namespace headroom::availability {

/// P(X = j) of n trials with chance p.
double binomial(int n, int j, double p);
/// At least k of n equal units work, each with chance p.
double k_of_n(int k, int n, double p);
/// The same of unequal units.
double k_of_n(int k, std::span<const double> p);

struct BankRates {
  int units = 1;
  double failure = 0;   ///< of one unit in service
  double repair = 0;    ///< of one crew at work
  int crews = 0;        ///< that may work at once; 0: one a unit
  double common = 0;    ///< events that take every unit out
  int needed = 0;       ///< units that carry the load; 0: all are in service
  double dormancy = 1;  ///< failure rate of the others over that of units in service
};

/// Share of time with 0..units out. A bank that never fails is in state 0.
std::vector<double> units_out(const BankRates& bank);
/// Events a second that take the bank from at most `spare` out to more, in the long run.
double failure_frequency(const BankRates& bank, int spare);
/// Chance that never more than `spare` are out within `time_s`, starting with `out` out.
double bank_survival(const BankRates& bank, int spare, double time_s, int out = 0);

}  // namespace headroom::availability
