// Failures: when replicas are lost and come back.
//
// Times to failure and to repair are exponential, keyed by (seed, replica, which one): a fleet
// with one replica more sees the same failures of the others. A list of losses may stand beside
// or in place of them (a drill, a spot market's reclaims, a log).
//
// A lost replica loses its KV cache and every request it holds. What happens to those is the
// fleet's `retries`. After the repair it loads its model again (loading.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"

namespace headroom::serving {

struct Loss {
  double at_s = 0;
  std::uint32_t replica = 0;  ///< in the order of the fleet
  double repair_s = 0;        ///< until it begins to load again; below 0: never
};

struct Failures {
  double mtbf_s = 0;  ///< of one replica; 0: none by chance
  double mttr_s = 0;
  std::vector<Loss> losses{};
};

/// One replica's failures by chance.
class FailureClock {
 public:
  explicit FailureClock(std::uint64_t seed) : stream_(seed, "serving.failures") {}
  double up_s(double mtbf_s, std::uint32_t replica, std::uint32_t which) const {
    return stream_.exponential(mtbf_s, replica, 2ull * which);
  }
  double down_s(double mttr_s, std::uint32_t replica, std::uint32_t which) const {
    return mttr_s > 0 ? stream_.exponential(mttr_s, replica, 2ull * which + 1) : 0;
  }

 private:
  Stream stream_;
};

}  // namespace headroom::serving
