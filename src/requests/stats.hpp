// Statistics of a stream: what a catalogue's request-trace entry holds, computed.
//
// Percentiles interpolate linearly between order statistics (type 7 of Hyndman and Fan, 1996).
// Arrivals, rates and gaps count requests that arrive by the clock; those that follow another
// request's answer (`after`) have no arrival before they are served.
//
// Prefix reuse is what a cache without bounds would find: a request reuses its leading blocks up
// to the first that no earlier request had (Mooncake's blocks, the partial last one too), or the
// first `shared_tokens` of a prefix group seen before, whichever is more.
//
// Complexity: O(n log n). Memory: a hash set of the distinct blocks.
#pragma once

#include <string>

#include "requests/request.hpp"

namespace headroom::requests {

struct LengthStats {
  double mean = 0, p50 = 0, p90 = 0, p99 = 0, worst = 0;
  double variation = 0;  ///< standard deviation / mean
};

struct Stats {
  std::size_t requests = 0, following = 0;  ///< following: wait for another's answer
  LengthStats input, output;                ///< tokens
  double input_tokens = 0, output_tokens = 0;
  double span_s = 0;         ///< first to last arrival
  double rate_per_s = 0;     ///< gaps / span
  double peak_minute = 0;    ///< 1/s, busiest minute of those counted from the first arrival
  double peak_quarter = 0;   ///< 1/s, busiest 15 minutes, sliding; the rate of shorter streams
  double burstiness = 0;     ///< coefficient of variation of the gaps
  double correlation = 0;    ///< Pearson's, of input and output
  double reused_blocks = 0;  ///< share of prompt blocks
  double reused_tokens = 0;  ///< share of prompt tokens
  std::size_t sessions = 0;  ///< distinct
  std::size_t distinct_blocks = 0;
};

Stats stats(const Stream& stream);

/// The q-quantile of `sorted`, 0 <= q <= 1; 0 for none.
double quantile(const std::vector<double>& sorted, double q);

/// The statistics as text: a line a figure.
std::string render(const Stats& stats);

/// The same as an entry for data/catalog/request-trace, ready to paste.
std::string catalog_entry(const Stats& stats, const std::string& id);

}  // namespace headroom::requests
