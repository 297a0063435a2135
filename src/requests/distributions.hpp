// Random numbers of one entity, drawn one after another from a counter-based stream, and the
// distributions of gaps. Own samplers, since those of std:: differ between libraries.
#pragma once

#include <cstdint>

#include "base/random.hpp"

namespace headroom::requests {

/// A cursor on (stream, entity): the n-th call always gives the n-th number.
class Draws {
 public:
  Draws(const headroom::Stream& stream, std::uint64_t entity) : stream_(stream), entity_(entity) {}
  double uniform() { return stream_.uniform(entity_, next_++); }
  double normal() { return stream_.normal(entity_, next_++); }
  double exponential(double mean) { return stream_.exponential(mean, entity_, next_++); }

 private:
  const headroom::Stream& stream_;
  std::uint64_t entity_;
  std::uint64_t next_ = 0;
};

/// Gamma of the given shape > 0 and mean: Marsaglia and Tsang, "A simple method for generating
/// gamma variables", ACM TOMS 26 (2000); below shape 1 by their U^(1/shape). cv = shape^-1/2.
double gamma(double shape, double mean, Draws& draws);

/// Weibull of the given shape > 0 and mean, by the inverse CDF.
double weibull(double shape, double mean, Draws& draws);

/// Shape of the Weibull with coefficient of variation `cv` in [0.01, 100], by bisection.
double weibull_shape(double cv);

}  // namespace headroom::requests
