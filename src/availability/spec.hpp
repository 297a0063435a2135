// What a user writes about availability.
//
//   availability:
//     crews: 2
//     refuel: 99 %
//     utility: {every: 6 mo, outage: 2 h}
//     parts:
//       - {part: generator, like: generator-well-kept}
//       - {part: ups-module, mtbf: 250000 h, mttr: 8 h}
//
// `part` is a `reliability` entry of the catalogue, used wherever the chain or the plant has such a
// thing; what is not overridden stays the catalogue's, with its source.
#pragma once

#include <string>
#include <vector>

#include "availability/simulate.hpp"
#include "availability/system.hpp"
#include "catalog/reliability.hpp"
#include "spec/fields.hpp"

namespace headroom::availability {

struct UtilitySpec {
  Value<Time> every, outage;
  Value<Scalar> sigma;
  void fields(spec::Fields& f);
};

struct PartSpec {
  std::string part;  ///< whose figures these are
  std::string like;  ///< entry they are taken from
  Value<Time> mtbf, mttr;
  Value<Scalar> shape, beta;
  Value<Time> maintenance_every, maintenance;
  Value<Scalar> failure_to_start;
  Value<Time> run_mttf;
  Origin origin;
  void fields(spec::Fields& f);
};

struct Spec {
  int crews = 0, histories = 20000, seed = 1;
  Value<Time> horizon;
  bool maintenance = true;
  Value<Scalar> error, refuel, beta;
  Value<Time> error_time, restart;
  UtilitySpec utility;
  std::vector<PartSpec> parts;
  void fields(spec::Fields& f);
};

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
