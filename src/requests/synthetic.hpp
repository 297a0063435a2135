// Synthetic streams: arrivals, lengths, sessions, prefixes and adapters by distribution.
//
//   Synthetic s;
//   s.rate_per_s = 20;
//   s.arrivals = {Process::gamma, 2.0};
//   s.classes[0].input = Lengths::lognormal_by_p99(1155, 4142);
//   const Stream stream = generate(s).value();
//
// or by text, as on a command line (synthetic_text.hpp): --arrivals gamma:cv=2 --rate 20/s
// --input lognormal:mean=1155,p99=4142 --duration 1h.
//
// ARRIVALS. poisson, gamma (cv), weibull (cv) and constant are renewal processes: gaps of mean
// 1/rate and the given coefficient of variation. bursts is a Poisson process that switches between
// a rate `burst` times the mean, for periods of mean `burst_s`, and a lower one so that the mean is
// kept (on/off MMPP of exponential periods): burst x share <= 1. closed: `users` of whom each sends
// its next request `think_s` (exponential) after its last answer; the engine or server sets the
// pace. at_once: all at 0.
//
// DAYS. A rate that varies (hours of the day, weekends, bursts) stretches time: a process of
// constant rate runs on the integral of the factor, so gaps keep their distribution within an hour.
// Factors are scaled to mean 1 over a week, so `rate_per_s` is the week's mean.
//
// CLASSES have shares of all requests, each with its lengths, model, priority. A class with
// `turns` above 1 sends sessions: the rate still counts requests. A turn's prompt is the
// conversation so far (prefix, inputs and answers) plus its own input, up to `context`, where the
// session ends; the next turn follows `think_s` (exponential) after the answer. The whole blocks of
// prompt and answer carry hashes, so an engine finds the conversation so far, answers included.
//
// PREFIXES. `prefixes` shared beginnings (system prompts) of `prefix_tokens`, used by
// `prefix_share` of the class's requests with Zipf popularity; their tokens come on top of the
// input. `reuse` is plainer: that share of each prompt equals the prompts of the whole class (for
// catalogue entries, which tell no more).
//
// Every draw is a function of (seed, request, what it is for): the same seed gives the same bits,
// and other lengths do not move arrivals. Complexity: O(requests), about 100 ns each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "requests/lengths.hpp"
#include "requests/request.hpp"

namespace headroom::requests {

enum class Process : unsigned char { poisson, gamma, weibull, constant, bursts, closed, at_once };

struct Arrivals {
  Process process = Process::poisson;
  double cv = 1;             ///< gamma, weibull: of the gaps
  double burst = 4;          ///< bursts: rate within a burst / mean rate
  double burst_share = 0.1;  ///< bursts: of the time
  double burst_s = 30;       ///< bursts: mean length of one
  int users = 0;             ///< closed
  double think_s = 0;        ///< closed: mean
};

struct Diurnal {
  std::array<double, 24> hour{};  ///< factor of each hour; all 0: constant
  double weekend = 1;             ///< factor of days 6 and 7
  double start_s = 0;             ///< seconds after Monday 0:00 at which the stream starts
  bool any() const;
  /// Factor at `t` seconds of the stream, mean 1 over the week.
  double at(double t) const;
  /// A cosine of relative swing [0, 1] with its peak at an hour.
  static Diurnal cosine(double swing, double peak_hour);
};

struct TrafficClass {
  std::string name = "default", model = "default";
  double share = 1;  ///< of the requests, relative to the other classes'
  int priority = 0;
  Lengths input = Lengths::fixed(512), output = Lengths::fixed(128);
  double correlation = 0;  ///< of the scores of input and output, [-1, 1]
  /// Lengths of a real trace, drawn together; in place of input and output.
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;

  double turns = 1;          ///< mean of a session, geometric
  bool turns_fixed = false;  ///< exactly `turns`, not geometric
  double think_s = 10;       ///< mean pause between turns
  int context = 131072;      ///< tokens at which a session ends

  int prefixes = 0, prefix_tokens = 0;
  double prefix_zipf = 1, prefix_share = 1;
  double reuse = 0;

  int adapters = 0;
  double adapter_zipf = 1, adapter_share = 1;
};

struct Synthetic {
  Arrivals arrivals;
  double rate_per_s = 0;
  double duration_s = 0;     ///< arrivals end; 0: after `requests`
  std::size_t requests = 0;  ///< 0: those of `duration_s`
  Diurnal diurnal;
  std::vector<TrafficClass> classes{TrafficClass{}};
  int block_tokens = 128;  ///< of sessions' hashes
  std::uint64_t seed = 1;
};

/// The stream, or why there is none: no rate, no end, shares that do not add up to anything,
/// bursts that exceed the mean, more than `most_generated` requests.
Result<Stream> generate(const Synthetic& synthetic);

inline constexpr double most_generated = 1e8;

/// A trace at another rate: arrivals `factor` times as dense; think times stay.
void scale_rate(Stream& stream, double factor);

/// Requests that arrive in [from_s, from_s + span_s), from 0 on; with the turns that follow them.
/// `span_s` 0: to the end; `most` 0: all of them.
Stream cut(const Stream& stream, double from_s, double span_s, std::size_t most = 0);

}  // namespace headroom::requests
