// Groups from the catalogue's figures and the scenario's, and what they stand on.
//
//   Parts parts(spec, catalog);
//   system.add(parts.make("ups-module", "ups-a", "ups a", 4));
//   parts.figures()                                  // each figure with its source, once
//
// No errors: an entry that there is not gives a group that never fails; names are checked when the
// scenario is read.
#pragma once

#include <string>
#include <vector>

#include "availability/simulate.hpp"
#include "availability/spec.hpp"
#include "catalog/reliability.hpp"

namespace headroom::availability {

/// Defaults where the scenario is silent; `threads` is the caller's.
SimulateOptions options_of(const Spec& spec);
/// Racks that were dropped: until they work again.
double restart_s(const Spec& spec);

/// One figure of a component and where it is from.
struct Figure {
  std::string part, what, text, source;
  Trust trust = Trust::published;
};

/// Makes groups of parts from catalogue and scenario, and remembers what they stand on.
class Parts {
 public:
  Parts(const Spec& spec, const catalog::Catalog& catalog) : spec_(spec), catalog_(catalog) {}

  /// `part` must be an entry. Standby parts (with `run_mttf`) become standby groups.
  Group make(const std::string& part, std::string name, std::string title, int units);
  /// Chance that it does not do its part when called.
  double on_demand(const std::string& part);
  const std::vector<Figure>& figures() const { return figures_; }

 private:
  template <class Q>
  double take(const std::string& part, const char* what, const char* unit, const Value<Q>& own,
              const Value<Q>& entry, double otherwise);
  const catalog::Reliability& entry_of(const std::string& part) const;
  const PartSpec& override_of(const std::string& part) const;

  const Spec& spec_;
  const catalog::Catalog& catalog_;
  std::vector<Figure> figures_;
};

}  // namespace headroom::availability
