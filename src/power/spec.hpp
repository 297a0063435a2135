// What a user writes about the power chain.
//
//   power:
//     grid: {capacity: 20 MW, feeds: 2 x 20 MW, redundancy: 2N}
//     transformer: {units: 9 x 2500 kW, redundancy: N+1}
//     generator: {units: 10 x 2500 kW, redundancy: N+1, tank: 80 m3, runtime: 24 h}
//     ups: {modules: 24 x 1 MW, redundancy: N+1, gear: ups-double-conversion, autonomy: 5 min}
//
// and in a hall and in its racks:
//
//   distribution: {units: 8 x 400 kW, redundancy: 2N, gear: busway}
//   rack: {feed: 2 x 17.3 kW}
//
// What is left out has no limit; its losses come from the usual gear of the
// catalogue, sized to the load. Ratings are in kW of real power; a rating known
// in kVA is entered as it is, taken at unity power factor unless `power_factor` says otherwise
// (transformers and generators; UPS modules are sold at unity).
#pragma once

#include <string>
#include <vector>

#include "catalog/redundancy.hpp"
#include "power/topology_spec.hpp"
#include "power/waveform_spec.hpp"
#include "spec/fields.hpp"

namespace headroom::power {

using catalog::Redundancy;

struct GridSpec {
  Value<Power> capacity;    ///< import agreed with the utility, at the meter
  spec::Bank<Power> feeds;  ///< lines or cables into the site
  Redundancy redundancy = Redundancy::by_count;
  void fields(spec::Fields& f);
};

/// A bank of equal gear: transformers, or the PDUs or busways of a hall.
struct GearSpec {
  spec::Bank<Power> units;
  Redundancy redundancy = Redundancy::by_count;
  std::string gear;  ///< `power-gear` entry; empty: the usual one
  void fields(spec::Fields& f);
};

struct GeneratorSpec {
  spec::Bank<Power> units;
  Redundancy redundancy = Redundancy::by_count;
  std::string gear;
  Value<Scalar> derating;  ///< rating left at the site's height and heat
  Value<Volume> tank;      ///< fuel on site
  Value<Time> runtime;     ///< how long the fuel must last
  void fields(spec::Fields& f);
};

struct UpsSpec {
  spec::Bank<Power> modules;
  Redundancy redundancy = Redundancy::by_count;
  std::string gear;
  Value<Time> autonomy;      ///< battery time at the bank's full rating
  Value<Scalar> mechanical;  ///< share of cooling power fed by the UPS
  void fields(spec::Fields& f);
};

struct Spec {
  GridSpec grid;
  GearSpec transformer;
  GeneratorSpec generator;
  UpsSpec ups;
  Value<Scalar> power_factor;  ///< at transformers and generators
  Value<Power> other;          ///< lights, offices, security
  TransientSpec transient;     ///< swings and sags
  bool itemised = false;       ///< put this gear on the bill, line by line
  /// The chain node by node, for the answers by graph; empty: drawn from the banks above.
  std::vector<NodeSpec> nodes;
  void fields(spec::Fields& f);
};

/// A hall's PDUs, panels or busways.
using HallSpec = GearSpec;

/// What one rack is plugged into. Its fields stand flat in the scenario's
/// `rack`, beside those of the building.
struct FeedSpec {
  spec::Bank<Power> feed;  ///< what each feed may carry continuously
  Redundancy feed_redundancy = Redundancy::by_count;
  Value<Current> breaker;  ///< of each feed
  Value<Voltage> voltage;  ///< line to line, three-phase; to neutral, single-phase
  int phases = 3;
  Value<Scalar> continuous;  ///< of the breaker's rating
  /// Something of it was said.
  bool given() const { return feed || breaker || voltage; }
  void fields(spec::Fields& f);
};

/// `by_count` made definite: an even number of feeds is an A and a B side,
/// anything else is N.
Redundancy feed_redundancy(const FeedSpec& feed);

}  // namespace headroom::power
