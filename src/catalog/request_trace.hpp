// RequestTrace: what a real stream of requests looked like, as statistics.
//
// Sizing a serving fleet needs lengths and arrivals of requests, and neither is a
// constant: chat sends ten times as much as it gets back, reasoning the reverse, agents
// send 10,000 tokens of which a third was sent before. An entry holds the statistics of
// one public trace; `note` says how they were computed.
//
// Percentiles are of the empirical distribution (linear interpolation between order
// statistics). `burstiness` is the coefficient of variation of the times between
// arrivals: 1 for a Poisson stream, above 1 for bursts.
#pragma once

#include <string_view>

#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// Lengths of one side of a request.
struct LengthStatistics {
  Value<Tokens> mean, p50, p90, p99;
  Value<Scalar> variation;  ///< standard deviation / mean
  void fields(spec::Fields& f);
};

struct RequestTrace : Entry {
  static constexpr std::string_view kind = "request-trace";

  std::string service;  ///< what it served: chat, code, agent, reasoning, ...
  LengthStatistics input, output;
  Value<Scalar> requests;  ///< how many the trace holds
  Value<Time> span;
  Value<Rate> rate;            ///< mean arrivals
  Value<Rate> peak_rate;       ///< busiest interval; `note` says how long it is
  Value<Scalar> burstiness;    ///< coefficient of variation of inter-arrival times
  Value<Scalar> prefix_reuse;  ///< share of input found in an unbounded prefix cache
  Value<Scalar> correlation;   ///< of input and output length

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
