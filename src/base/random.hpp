// Random streams that do not depend on the order of use.
//
// A Stream is keyed by (seed, component path) and read at (entity, draw): the
// same numbers whatever the thread count, and a new rack shifts no other rack's
// failures. Two designs with the same seed meet the same weather and failures
// (common random numbers), so their difference is not noise.
//
// Generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC'11), from Random123. Distributions are our own inverse CDFs,
// since those of std:: differ between libraries.
//
// Promise: same version, same architecture, same numbers; gcc and clang alike.
// Complexity: O(1) a draw. Thread-safety: a Stream is immutable.
#pragma once

#include <cstdint>
#include <string_view>

namespace headroom {

class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view component_path);

  /// Uniform in the open interval (0, 1), 53 bits.
  double uniform(std::uint64_t entity, std::uint64_t draw) const;
  /// Exponential with the given mean.
  double exponential(double mean, std::uint64_t entity, std::uint64_t draw) const;
  /// Standard normal, by the inverse CDF.
  double normal(std::uint64_t entity, std::uint64_t draw) const;
  /// Triangular on [low, high] with its mode at `likely`.
  double triangular(double low, double likely, double high, std::uint64_t entity,
                    std::uint64_t draw) const;

 private:
  std::uint64_t key_;
};

/// Inverse of the standard normal CDF, |error| < 1e-15 relative in the bulk
/// (Wichura, "Algorithm AS 241", Applied Statistics 37, 1988). p in (0, 1).
double inverse_normal(double p);

}  // namespace headroom
