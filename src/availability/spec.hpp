// What a user writes about availability.
//
//   availability:
//     target: 99.99 %        # `check` then holds each hall's outages against it
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
  Value<Scalar> target;  ///< share of time that every hall has all it asks for
  Value<Scalar> error, refuel, beta;
  Value<Time> error_time, restart;
  UtilitySpec utility;
  std::vector<PartSpec> parts;
  void fields(spec::Fields& f);
};

}  // namespace headroom::availability
