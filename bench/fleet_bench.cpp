// What replays cost: the Azure conversation hour whole (options, catalogue, trace, replay, text)
// and a fleet day of ten million requests on a hundred replicas. Bars of the issue: 100 ms; 60 s
// and 2 GB. One core.
//
//   fleet_bench                        all
//   fleet_bench --benchmark_filter=Day
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "api/replay.hpp"
#include "base/random.hpp"
#include "serving/fleet_fixtures.hpp"

namespace headroom {
namespace {

using serving::Routing;

std::string azure() {
  const char* given = std::getenv("HEADROOM_INFER_DATA");
  const std::filesystem::path data =
      given != nullptr ? given : HEADROOM_SOURCE_DIR "/../shared/data/infer";
  return (data / "traces" / "AzureLLMInferenceTrace_conv.csv.gz").string();
}

void replay_azure(benchmark::State& state, std::vector<api::ReplayOption> options) {
  if (!std::filesystem::exists(azure())) return state.SkipWithError("no trace at hand");
  options.push_back({"--model", "llama-3.1-70b"});
  options.push_back({"--system", "dgx-h100"});
  double replicas = 0, tried = 0;
  for (auto _ : state) {
    const auto answer = api::replay({azure(), "", options});
    if (!answer) return state.SkipWithError(render(answer.error()).c_str());
    benchmark::DoNotOptimize(report::replay_text(*answer, {}));
    replicas = answer->replicas, tried = double(answer->tried.size());
  }
  state.counters["replicas"] = replicas;
  state.counters["runs"] = tried;
  state.counters["bar_ms"] = 100;
}

void AzureHour(benchmark::State& state) { replay_azure(state, {}); }
BENCHMARK(AzureHour)->Unit(benchmark::kMillisecond);

void AzureHourInsideSlo(benchmark::State& state) {
  replay_azure(state, {{"--slo-ttft", "300ms"}, {"--slo-tpot", "25ms"}});
}
BENCHMARK(AzureHourInsideSlo)->Unit(benchmark::kMillisecond);

/// A day whose rate swings by half around its mean; lengths about those of the Azure hour.
requests::Stream day(std::size_t count) {
  requests::Stream stream;
  stream.requests.reserve(count);
  const Stream random(1, "bench.day");
  const double day_s = 86400, mean_s = day_s / double(count);
  double t = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double swing = 1 - 0.5 * std::cos(2 * M_PI * t / day_s);
    t += random.exponential(mean_s / swing, i, 0);
    requests::Request r;
    r.arrival_s = t;
    r.prompt = 1 + int(850 * std::exp(0.8 * random.normal(i, 1)));
    r.output = 1 + std::min(4000, int(140 * std::exp(0.9 * random.normal(i, 2))));
    stream.requests.push_back(r);
  }
  return stream;
}

double peak_gigabytes() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return double(use.ru_maxrss) * 1024 / 1e9;
}

void Day(benchmark::State& state, Routing routing, bool outcomes) {
  const auto stream = day(10'000'000);
  serving::Summary s;
  for (auto _ : state) {
    auto d = serving::fleet_test::deployment(100, routing);
    d.engine.max_num_seqs = 1024;
    d.keep_outcomes = outcomes;
    s = serving::replay(stream, d, {.ttft_s = 1}).summary;
  }
  if (s.finished != stream.requests.size()) state.SkipWithError("requests were lost");
  state.counters["GB"] = peak_gigabytes();
  state.counters["running"] = s.running;
  state.counters["ttft_p99_ms"] = 1e3 * s.ttft.p99;
  state.counters["bar_s"] = 60;
}
BENCHMARK_CAPTURE(Day, round_robin, Routing::round_robin, false)
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(Day, least_load, Routing::least_load, false)
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(Day, least_load_outcomes_kept, Routing::least_load, true)
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace
}  // namespace headroom

BENCHMARK_MAIN();
