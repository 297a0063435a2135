// Distributions of a request's lengths, drawn from one standard normal score, so that input and
// answer can be correlated (a Gaussian copula) and a change of one changes no other draw.
//
//   fixed        always `mean`
//   uniform      whole numbers from `low` to `high`, both in (vLLM bench's random data set with
//                range ratio r: (1 - r) and (1 + r) times the length)
//   lognormal    exp(mu + sigma z); by mean and p99: sigma = 2.326 - sqrt(2.326^2 - 2 ln(p99 /
//                mean)), which has a solution up to p99 = 14.97 mean
//   exponential  of the given mean
//   quantiles    p50, p90 and p99 met exactly, straight in (z, ln x) between them and on beyond
//                p99; the slope below p50 is the one that meets the mean, if any does
//   sample       the quantile function of given lengths
//
// A draw is rounded to whole tokens and held in [least, most].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace headroom::requests {

class Lengths {
 public:
  static Lengths fixed(double tokens);
  static Lengths uniform(double low, double high);
  static Lengths lognormal(double mu, double sigma);
  static Lengths lognormal_by_cv(double mean, double cv);
  /// Needs mean < p99 <= 14.97 mean.
  static Lengths lognormal_by_p99(double mean, double p99);
  static Lengths exponential(double mean);
  /// Needs 0 < p50 <= p90 <= p99; `mean` 0: the slope between p50 and p90 goes on below.
  static Lengths quantiles(double p50, double p90, double p99, double mean = 0);
  static Lengths sample(std::vector<std::int32_t> tokens);

  void hold(std::int32_t least, std::int32_t most) { least_ = least, most_ = most; }

  /// Tokens at the standard normal score `z`.
  std::int32_t at(double z) const;
  /// The mean, by 20,000 midpoints of the distribution.
  double mean() const;

 private:
  enum class Kind : unsigned char { fixed, uniform, lognormal, exponential, quantiles, sample };
  double value(double z) const;

  Kind kind_ = Kind::fixed;
  double a_ = 1, b_ = 0;                   ///< fixed: tokens; uniform: ends; lognormal: mu, sigma
  double knots_[3] = {}, slopes_[3] = {};  ///< quantiles: ln x and d ln x / dz
  std::vector<std::int32_t> sample_;       ///< sorted
  std::int32_t least_ = 1, most_ = 1 << 30;
};

/// The standard normal's CDF.
double normal_cdf(double z);

}  // namespace headroom::requests
