// The facility's bars on one core: a steady year of 8,760 h of a 1,000-rack hall (< 50 ms),
// thermal steps at 1 s, reading and making weather. Counters print what the bar is held against.
#include <benchmark/benchmark.h>

#include <cmath>

#include "cooling/failure_walk.hpp"
#include "cooling/plant_year.hpp"
#include "cooling/sizing.hpp"

namespace {

using namespace headroom;
using namespace headroom::cooling;

// 1,000 racks of three kinds on two loops: plates with towers, air and doors with chillers.
Plant hall_of_1000() {
  Plant p;
  RackGroup plates;
  plates.name = "plates";
  plates.racks = 700, plates.rack_w = 130e3;
  plates.family = catalog::CoolingFamily::cold_plate;
  plates.liquid_share = 0.85, plates.supply.celsius = 32;
  plates.chip = {1000, 0.025, 0.4, 87};
  RackGroup doors;
  doors.name = "doors";
  doors.racks = 100, doors.rack_w = 40e3;
  doors.family = catalog::CoolingFamily::rear_door;
  doors.liquid_share = 1, doors.supply.celsius = 26, doors.loop = 1;
  RackGroup air;
  air.name = "air";
  air.racks = 200, air.rack_w = 15e3;
  p.groups = {plates, doors, air};
  p.halls.resize(1);
  p.halls[0].groups = {0, 1, 2};
  p.halls[0].loop = 1;
  p.halls[0].supply.celsius = 24;
  WaterLoop warm, cold;
  warm.name = "warm", cold.name = "cold";
  warm.supply.celsius = 28, cold.supply.celsius = 18;
  cold.chillers.capacity_w = 30e6;
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

void steady_year_of_1000_racks(benchmark::State& state) {
  const Plant p = hall_of_1000();
  LoadProfile load;
  for (int h = 0; h < 24; ++h) load.hourly.push_back(0.8 + 0.15 * std::sin(h * 0.26));
  PlantYear y;
  for (auto _ : state) {
    y = cooling::year(p, chicago(), load);
    benchmark::DoNotOptimize(y.pue_part);
  }
  state.counters["PUE part"] = y.pue_part;
  state.counters["WUE L/kWh"] = y.wue_l_kwh;
  state.counters["worst imbalance"] = y.worst_imbalance;
}
BENCHMARK(steady_year_of_1000_racks)->Unit(benchmark::kMillisecond);

void ten_minutes_of_failure_by_seconds(benchmark::State& state) {
  const Plant p = hall_of_1000();
  FailureEvent lost;
  lost.what = Failure::loop_pumps;
  lost.at_s = 10;
  Walk w;
  for (auto _ : state) {
    w = walk(p, {.dry_bulb_c = 25, .wet_bulb_c = 18}, {lost});
    benchmark::DoNotOptimize(w.in_j);
  }
  state.counters["worst imbalance"] = w.worst_imbalance;
}
BENCHMARK(ten_minutes_of_failure_by_seconds)->Unit(benchmark::kMillisecond);

// A day of seconds through one propagator of 20 nodes.
void day_of_seconds_20_nodes(benchmark::State& state) {
  ThermalSystem s;
  for (int i = 0; i < 20; ++i) s.add("n", 5e4 * (1 + i % 4));
  for (std::size_t i = 0; i + 1 < 20; ++i) s.conduct(i, i + 1, 500);
  s.surroundings(0, 15, 800);
  s.source[19] = 2e4;
  ExactStepper stepper(s);
  std::vector<double> t(20, 20.0);
  for (auto _ : state) {
    for (int i = 0; i < 86400; ++i) stepper.step(t, 1);
    benchmark::DoNotOptimize(t.data());
  }
}
BENCHMARK(day_of_seconds_20_nodes)->Unit(benchmark::kMillisecond);

void synthetic_weather(benchmark::State& state) {
  const auto& c = *catalog::Catalog::builtin().find<catalog::Climate>("chicago-il");
  for (auto _ : state) benchmark::DoNotOptimize(synthetic_year(c).dry_bulb_c.data());
}
BENCHMARK(synthetic_weather)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
