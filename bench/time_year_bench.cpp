// The bar of a year in the time domain: 1,000 racks with loops and controls at 1 s, below 10 s on
// one core; doubling racks no more than doubles time. Counters print what the bar is held against.
#include <benchmark/benchmark.h>

#include <cmath>

#include "cooling/sizing.hpp"
#include "cooling/time_year.hpp"

namespace {

using namespace headroom;
using namespace headroom::cooling;

// Nine of ten racks on plates and towers, the rest in air on a chilled loop.
Plant hall_of(double racks) {
  Plant p;
  RackGroup plates;
  plates.name = "plates";
  plates.racks = 0.9 * racks, plates.rack_w = 130e3;
  plates.family = catalog::CoolingFamily::cold_plate;
  plates.liquid_share = 0.85, plates.supply.celsius = 32;
  plates.chip = {1000, 0.025, 0.4, 87};
  RackGroup air;
  air.name = "air";
  air.racks = 0.1 * racks, air.rack_w = 15e3;
  p.groups = {plates, air};
  p.halls.resize(1);
  p.halls[0].groups = {0, 1};
  p.halls[0].loop = 1;
  p.halls[0].supply.celsius = 24;
  p.halls[0].loss_w = 2e3 * racks;
  WaterLoop warm, cold;
  warm.name = "warm", cold.name = "cold";
  warm.supply.celsius = 28, cold.supply.celsius = 18;
  cold.chillers.capacity_w = 60e3 * racks;
  cold.chillers.machines = 6;
  p.loops = {warm, cold};
  PlantSizing s;
  s.tower = true;
  s.design_wet_bulb_c = 22;
  size(p, s);
  return p;
}

const WeatherYear& chicago() {
  static const WeatherYear w =
      synthetic_year(*catalog::Catalog::builtin().find<catalog::Climate>("chicago-il"));
  return w;
}

enum Case : int { equal, distinct, distinct_by_hour };

TimeLoad load_of(Case which, std::size_t racks) {
  TimeLoad load;
  const auto plates = static_cast<std::size_t>(std::llround(0.9 * double(racks)));
  // Four jobs, a checkpoint of a minute every hour, a pause between two runs.
  for (std::size_t j = 0; j < 4; ++j) {
    TimeJob job{"train", j * plates / 4, plates / 4, 86400.0 * double(j), 1e12, 3540, 60, 0.5};
    if (j == 3) job.stop_s = 200 * 86400.0;
    load.jobs.push_back(job);
  }
  if (which == equal) return load;
  for (std::size_t r = 0; r < racks; ++r)
    load.share.push_back(0.7 + 0.3 * std::fmod(0.6180339887 * double(r), 1.0));
  if (which == distinct) return load;
  std::vector<double> day;
  for (int h = 0; h < 24; ++h) day.push_back(0.85 + 0.15 * std::sin(h * 0.2618));
  load.hourly = {day, day};
  return load;
}

void year_at_one_second(benchmark::State& state) {
  const auto racks = static_cast<std::size_t>(state.range(0));
  const Plant p = hall_of(double(racks));
  const TimeLoad load = load_of(static_cast<Case>(state.range(1)), racks);
  TimeYear y;
  for (auto _ : state) {
    y = time_year(p, chicago(), load);
    benchmark::DoNotOptimize(y.in_j);
  }
  state.counters["bar s"] = 10;
  state.counters["blocks"] = double(y.units);
  state.counters["intervals"] = double(y.intervals);
  state.counters["steps"] = double(y.steps);
  state.counters["skipped"] = double(y.skipped);
  state.counters["PUE part"] = y.pue_part;
  state.counters["worst imbalance"] = y.worst_imbalance;
}
BENCHMARK(year_at_one_second)
    ->ArgNames({"racks", "case"})
    ->ArgsProduct({{500, 1000, 2000}, {equal, distinct, distinct_by_hour}})
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
