// What the tests and the benchmark of the engine share: a replica, streams and traces.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "infer/fixtures.hpp"
#include "serving/engine.hpp"

namespace headroom::serving::test {

/// Llama 3.1 70B in bf16 on eight H100.
inline infer::StepOracle seventy() {
  using namespace infer::test;
  return infer::StepOracle(
      infer::StepModel(llama_70b(), h100(), hgx(), infer::Layout{8, 1, Precision::bf16}));
}
/// What that replica's memory holds, about: 1.25 M tokens (infer/capacity_test.cpp).
inline constexpr double seventy_blocks = 1.25e6 / 16;

inline requests::Request ask(std::int32_t prompt, std::int32_t output, double arrival_s = 0) {
  requests::Request r;
  r.prompt = prompt;
  r.output = output;
  r.arrival_s = arrival_s;
  return r;
}

/// Poisson arrivals; lognormal lengths, or fixed ones where cv is 0.
inline requests::Stream poisson(std::size_t count, double rate_s, double prompt, double prompt_cv,
                                double output, double output_cv, std::uint64_t seed = 1) {
  const Stream random(seed, "engine.test");
  const auto length = [&](double mean, double cv, std::size_t i, std::uint64_t draw) {
    if (cv <= 0) return static_cast<std::int32_t>(mean);
    const double s2 = std::log1p(cv * cv);
    const double x = std::exp(std::log(mean) - s2 / 2 + std::sqrt(s2) * random.normal(i, draw));
    return static_cast<std::int32_t>(std::max(1.0, std::round(x)));
  };
  requests::Stream stream;
  stream.requests.reserve(count);
  double at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    at += random.exponential(1 / rate_s, i, 0);
    stream.requests.push_back(
        ask(length(prompt, prompt_cv, i, 1), length(output, output_cv, i, 2), at));
  }
  return stream;
}

/// The stream through `replicas` engines in turn; outcomes in order of ending.
struct Driven {
  std::vector<Engine> engines;
  std::vector<Outcome> outcomes;
  Tally tally() const {
    Tally sum;
    for (const auto& e : engines) sum.add(e.tally());
    return sum;
  }
  Gaps gaps() const {
    Gaps sum;
    for (const auto& e : engines) sum.add(e.gaps());
    return sum;
  }
};
inline Driven drive(const requests::Stream& stream, const infer::StepOracle& oracle,
                    const EngineConfig& config, int replicas = 1, double until_s = Engine::never) {
  Driven d;
  for (int i = 0; i < replicas; ++i) d.engines.emplace_back(oracle, config);
  d.outcomes.reserve(stream.requests.size());
  for (std::uint32_t i = 0; i < stream.requests.size(); ++i) {
    const auto& r = stream.requests[i];
    Engine& e = d.engines[i % static_cast<std::uint32_t>(replicas)];
    e.run_until(r.arrival_s, d.outcomes);
    e.submit(i, r, stream.blocks_of(r), r.arrival_s);
  }
  for (auto& e : d.engines) e.run_until(until_s, d.outcomes);
  return d;
}

/// Lines of a gzipped trace in ../shared/data/infer/traces; none where it is not at hand.
inline std::vector<std::string> trace_lines(const std::string& name) {
  const std::string path = HEADROOM_SOURCE_DIR "/../shared/data/infer/traces/" + name;
  std::vector<std::string> lines;
  if (!std::filesystem::exists(path)) return lines;
  FILE* pipe = popen(("gzip -dc '" + path + "'").c_str(), "r");
  if (!pipe) return lines;
  char* line = nullptr;
  std::size_t size = 0;
  while (getline(&line, &size, pipe) > 0) lines.emplace_back(line);
  std::free(line);
  pclose(pipe);
  return lines;
}

/// Azure's conversation hour of 2023; empty where the file is not at hand.
inline requests::Stream azure_hour() {
  requests::Stream stream;
  double first = -1;
  for (const auto& line : trace_lines("AzureLLMInferenceTrace_conv.csv.gz")) {
    int h = 0, m = 0, prompt = 0, output = 0;
    double s = 0;
    if (std::sscanf(line.c_str(), "%*d-%*d-%*d %d:%d:%lf,%d,%d", &h, &m, &s, &prompt, &output) !=
        5) {
      continue;
    }
    const double at = h * 3600.0 + m * 60 + s;
    if (first < 0) first = at;
    stream.requests.push_back(ask(prompt, output, at - first));
  }
  return stream;
}

/// One of Mooncake's traces, with its hashes; empty where the file is not at hand.
inline requests::Stream mooncake(const std::string& name) {
  requests::Stream stream;
  const auto number = [](const std::string& line, const char* key) {
    const char* at = std::strstr(line.c_str(), key);
    return at ? std::strtod(at + std::strlen(key), nullptr) : 0;
  };
  for (const auto& line : trace_lines(name)) {
    auto r = ask(static_cast<std::int32_t>(number(line, "\"input_length\":")),
                 static_cast<std::int32_t>(number(line, "\"output_length\":")),
                 number(line, "\"timestamp\":") / 1000);
    r.first_block = static_cast<std::uint32_t>(stream.hashes.size());
    const char* at = std::strchr(line.c_str(), '[');
    while (at && *at != ']' && *at) {
      char* end = nullptr;
      stream.hashes.push_back(std::strtoull(at + 1, &end, 10));
      at = end;
    }
    r.blocks = static_cast<std::uint32_t>(stream.hashes.size()) - r.first_block;
    stream.requests.push_back(r);
  }
  return stream;
}

}  // namespace headroom::serving::test
