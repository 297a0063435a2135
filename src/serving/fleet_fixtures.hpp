// Engines and streams of this layer's tests.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "infer/fixtures.hpp"
#include "infer/oracle.hpp"
#include "requests/request.hpp"
#include "serving/replay.hpp"

namespace headroom::serving::fleet_test {

/// Llama-3.1-8B on one H100, about 24,000 blocks of cache.
inline const infer::StepOracle& oracle_8b() {
  static const infer::StepOracle oracle(
      infer::StepModel(headroom::infer::test::llama_8b(), headroom::infer::test::h100(),
                       headroom::infer::test::hgx(), infer::Layout{}));
  return oracle;
}

inline EngineConfig config(double kv_blocks = 24000) {
  EngineConfig c;
  c.kv_blocks = kv_blocks;
  return c;
}

/// Poisson arrivals of equal requests.
inline requests::Stream poisson(std::size_t count, double rate_s, int prompt = 500,
                                int output = 100, std::uint64_t seed = 1) {
  requests::Stream stream;
  const Stream random(seed, "test.poisson");
  double t = 0;
  for (std::size_t i = 0; i < count; ++i) {
    t += random.exponential(1 / rate_s, i, 0);
    requests::Request r;
    r.arrival_s = t;
    r.prompt = prompt;
    r.output = output;
    stream.requests.push_back(r);
  }
  return stream;
}

/// The same with lengths spread over two decades (a heavy tail makes load differ).
inline requests::Stream skewed(std::size_t count, double rate_s, std::uint64_t seed = 1) {
  auto stream = poisson(count, rate_s, 1, 1, seed);
  const Stream random(seed, "test.lengths");
  for (std::size_t i = 0; i < count; ++i) {
    auto& r = stream.requests[i];
    r.prompt = static_cast<int>(100 * std::exp(1.2 * random.normal(i, 0))) + 1;
    r.output = std::min(4000, static_cast<int>(60 * std::exp(1.5 * random.normal(i, 1))) + 1);
  }
  return stream;
}

inline Deployment deployment(int replicas, Routing routing = Routing::least_load) {
  Deployment d;
  d.oracle = &oracle_8b();
  d.engine = config();
  d.replicas = replicas;
  d.routing = routing;
  return d;
}

/// One pool spelled out, to be changed by a test.
inline Deployment pooled(int replicas) {
  Deployment d = deployment(replicas);
  Pool pool;
  pool.oracle = d.oracle;
  pool.engine = d.engine;
  pool.replicas = replicas;
  d.pools = {pool};
  return d;
}

}  // namespace headroom::serving::fleet_test
