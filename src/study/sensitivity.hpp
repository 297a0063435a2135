// What ranged inputs do to the answer, one at a time. Internal to study.
//
// Ranges that the user wrote are always tried. Ranges of the catalogue are tried
// on demand, and only those that the binding limit was computed from: a private
// copy of the catalogue is read, the number set to its low and its high end, and
// the scenario checked again.
#pragma once

#include "study/check.hpp"

namespace headroom::study {

/// One check without sensitivities.
Verdict run(const Scenario& scenario, const Loaded& loaded, const catalog::Catalog& catalog,
            const CheckOptions& options);

void add_sensitivities(Verdict& verdict, const Loaded& loaded, const catalog::Catalog& catalog,
                       const CheckOptions& options);

/// What an input does to several figures when it goes to its low or high end: a bar of a tornado.
struct InputSwing {
  std::string path;               ///< in the scenario, or "kind id path" in the catalogue
  std::string id;                 ///< trace id of the input
  std::string low, likely, high;  ///< with units
  /// The range is nobody's: 10 % to either side of a number that the scenario gives as fixed.
  bool assumed = false;
  std::string origin;                     ///< source of the input, in words
  std::vector<double> at_low, at_high;    ///< of the targets in order; NaN: not there
  std::string binding_low, binding_high;  ///< ids
};
struct InputSwings {
  /// Trace ids of the targets behind the first, which is the headroom of `base`'s binding limit.
  std::vector<std::string> ids;
  std::vector<double> likely;      ///< SI
  std::vector<InputSwing> inputs;  ///< largest change of any target first
  int tried = 0;
};

/// Every ranged input, of the scenario and of the catalogue, behind the binding limit and behind
/// the figures `ids`; numbers behind them that the scenario gives as fixed move by 10 %. O(2 x
/// inputs) checks.
InputSwings input_swings(const Verdict& base, const std::vector<std::string>& ids,
                         const Loaded& loaded, const CheckOptions& options,
                         const catalog::Catalog& catalog);

}  // namespace headroom::study
