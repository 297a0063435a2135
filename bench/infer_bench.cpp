// The serving engine against its bars, on one core.
//
//   azure_hour      Azure's conversation hour of 2023 (19,366 requests) through replicas of
//                   Llama-3.1-70B on 8 x H100                                  bar: 100 ms
//   million         1,000,000 requests of the same lengths, Poisson            bar: 5 s
//   mooncake        Mooncake's synthetic trace with its prefix hashes          (no bar)
//   speculation, offload: the same with drafts; with KV tiers                  (no bar)
//
// usage: infer_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include "serving/engine_fixtures.hpp"

namespace {

using namespace headroom;
using namespace headroom::serving;
using namespace headroom::serving::test;

void run(benchmark::State& state, const requests::Stream& stream, const EngineConfig& config,
         int replicas, const char* bar = "") {
  if (stream.requests.empty()) return state.SkipWithError("the trace is not at hand");
  const auto oracle = seventy();
  Tally tally;
  Gaps gaps;
  for (auto _ : state) {
    const auto driven = drive(stream, oracle, config, replicas);
    benchmark::DoNotOptimize(driven.outcomes.size());
    tally = driven.tally();
    gaps = driven.gaps();
  }
  state.SetLabel(bar);
  const auto n = static_cast<double>(stream.requests.size());
  state.counters["requests/s"] =
      benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["steps"] = tally.steps;
  state.counters["finished"] = tally.finished;
  state.counters["itl_p99_ms"] = gaps.quantile(0.99) * 1e3;
}

/// Where the trace is missing its stand-in has its rate and its mean lengths (traces/README.md).
const requests::Stream& hour() {
  static const requests::Stream stream = [] {
    auto s = azure_hour();
    return s.requests.empty() ? poisson(19366, 5.53, 1155, 1, 211, 0.8) : s;
  }();
  return stream;
}

void azure(benchmark::State& state) {
  run(state, hour(), {.kv_blocks = seventy_blocks}, static_cast<int>(state.range(0)), "bar 100 ms");
}
BENCHMARK(azure)
    ->Name("azure_hour/replicas")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Unit(benchmark::kMillisecond);

void million(benchmark::State& state) {
  static const auto stream = poisson(1'000'000, 20, 1155, 1, 211, 0.8);
  run(state, stream, {.kv_blocks = seventy_blocks}, static_cast<int>(state.range(0)), "bar 5 s");
}
BENCHMARK(million)->Name("million/replicas")->Arg(4)->Arg(16)->Unit(benchmark::kSecond);

void synthetic(benchmark::State& state) {
  static const auto stream = mooncake("mooncake_synthetic_trace.jsonl.gz");
  run(state, stream, {.kv_blocks = seventy_blocks}, static_cast<int>(state.range(0)));
}
BENCHMARK(synthetic)->Name("mooncake/replicas")->Arg(4)->Unit(benchmark::kMillisecond);

void speculating(benchmark::State& state) {
  EngineConfig config{.kv_blocks = seventy_blocks};
  config.speculation = {.length = 3, .acceptance = 0.7, .draft_cost = 0.05};
  run(state, hour(), config, 2);
}
BENCHMARK(speculating)->Name("speculation")->Unit(benchmark::kMillisecond);

void offloading(benchmark::State& state) {
  static const auto stream = mooncake("mooncake_synthetic_trace.jsonl.gz");
  EngineConfig config{.kv_blocks = seventy_blocks / 8};
  config.host = {.blocks = seventy_blocks, .bits_s = 8 * 50e9, .latency_s = 1e-4};
  config.disk = {.blocks = 10 * seventy_blocks, .bits_s = 8 * 5e9, .latency_s = 1e-3};
  run(state, stream, config, 4);
}
BENCHMARK(offloading)->Name("offload")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
