// Transients on one core: the whole answer for the campus of 100,000 GPUs (< 1 s), and its parts.
#include <benchmark/benchmark.h>

#include "api/facility_transient.hpp"
#include "power/ride_through.hpp"
#include "power/smoothing_size.hpp"

namespace {

using namespace headroom;

power::TrainingJob job() {
  power::TrainingJob j;
  j.phases = {{2.5, 0.9}, {0.3, 0}, {0.2, 0.5}};
  j.count = 98304, j.levels = {580, 245}, j.spread_s = 0.02, j.idle_w = 70;
  return j;
}

void whole_answer_of_the_campus(benchmark::State& state) {
  const api::TransientRequest request{.file = HEADROOM_SOURCE_DIR "/scenarios/campus-100k.yaml"};
  std::size_t plans = 0;
  for (auto _ : state) {
    const auto answer = api::facility_transient(request);
    plans = answer ? answer->plans.size() : 0;
    benchmark::DoNotOptimize(plans);
  }
  state.counters["plans"] = static_cast<double>(plans);
}
BENCHMARK(whole_answer_of_the_campus)->Unit(benchmark::kMillisecond);

void sampling_16384(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(power::sample(job(), {}, 0, {0.01, 1U << 14}).data());
}
BENCHMARK(sampling_16384)->Unit(benchmark::kMicrosecond);

void spectrum_16384(benchmark::State& state) {
  const auto s = power::sample(job(), {}, 0, {0.01, 1U << 14});
  for (auto _ : state) benchmark::DoNotOptimize(power::spectrum(s, 0.01, 0.1, 20).band_rms_w);
}
BENCHMARK(spectrum_16384)->Unit(benchmark::kMicrosecond);

void smoothing_16384(benchmark::State& state) {
  const auto s = power::sample(job(), {}, 0, {0.01, 1U << 14});
  power::Storage storage;
  storage.tau_s = 2, storage.round_trip = 0.9, storage.recentre_s = 16;
  for (auto _ : state) benchmark::DoNotOptimize(power::smooth(s, 0.01, storage).loss_j);
}
BENCHMARK(smoothing_16384)->Unit(benchmark::kMicrosecond);

void a_hundred_sags(benchmark::State& state) {
  power::RideSetup site;
  site.ups_w = 100e6, site.battery_j = 3e10, site.generator_w = 1.2e8, site.count = 0;
  std::vector<power::Sag> sags;
  for (int i = 0; i < 100; ++i) sags.push_back({60.0 * i, 0.3, 0.06});
  for (auto _ : state) benchmark::DoNotOptimize(power::ride_through(site, sags).left_w);
}
BENCHMARK(a_hundred_sags)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
