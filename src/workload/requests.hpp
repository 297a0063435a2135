// Requests as a serving fleet sees them: lengths, arrivals and what they hold.
//
// A RequestMix is what a scenario says ("1,500 in, 300 out, 20 a second") or what a
// catalogue trace measured, in one form. Quantiles of a length are interpolated log-linearly
// in the normal score between the given percentiles and lognormal beyond them.
#pragma once

#include "base/quantity.hpp"
#include "catalog/request_trace.hpp"

namespace headroom::workload {

/// A distribution of lengths, in tokens.
struct Lengths {
  Tokens mean;
  double variation = 0;  ///< standard deviation / mean; 0 = every request alike
  Tokens p50, p90, p99;  ///< zero where unknown
};

/// From a trace's statistics. A missing variation is fitted as lognormal from mean and
/// median, or else from the 99th percentile; with the mean alone it is zero.
Lengths lengths(const catalog::LengthStatistics& statistics);
/// Every request alike.
Lengths fixed_length(Tokens length);
/// Lognormal with this mean and coefficient of variation.
Lengths lognormal_length(Tokens mean, double variation);
/// The length that a share `q` of requests does not exceed; q in (0, 1).
Tokens quantile(const Lengths& lengths, double q);

struct RequestMix {
  Lengths input, output;
  Rate rate;                ///< mean arrivals
  Rate peak_rate;           ///< at least the mean
  double burstiness = 1;    ///< CV of inter-arrival times
  double prefix_reuse = 0;  ///< share of input tokens found in the prefix cache
};
RequestMix request_mix(const catalog::RequestTrace& trace);

/// Tokens in the KV cache of a request, averaged over its decode steps (what a decode batch
/// sees): input + output (1 + variation^2) / 2, when input and output are independent.
Tokens mean_decode_context(const RequestMix& mix);
/// Tokens of input that have to be computed: input x (1 - reuse).
Tokens fresh_input(const RequestMix& mix);
/// Requests in flight when each takes `residence` (Little's law).
double concurrency(Rate rate, Time residence);

}  // namespace headroom::workload
