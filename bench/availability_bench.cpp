// The bar of availability on one core: 100,000 histories of 20 years of a whole site in less than
// 5 s (google benchmark prints the time of one such run; counters say what was lived through).
#include <benchmark/benchmark.h>

#include "availability/simulate.hpp"
#include "availability/states.hpp"

namespace {

using namespace headroom::availability;

constexpr double h = 3600, year = 8760 * h;

Group group(const char* name, int units, double mtbf_h, double mttr_h, double every_y = 1,
            double takes_h = 8) {
  Group g;
  g.name = g.title = name;
  g.units = units, g.mtbf_s = mtbf_h * h;
  g.repair = {mttr_h * h, RepairShape::lognormal, 1};
  g.beta = units > 1 ? 0.05 : 0;
  g.maintenance_every_s = every_y * year, g.maintenance_s = takes_h * h;
  return g;
}

// A row of eight racks of 140 kW with everything N+1 and the paths twice: 60 components.
System site() {
  System s;
  auto utility = group("utility", 1, 4478, 1.32, 0);
  utility.external = true, utility.crew = false, utility.repair.sigma = 1.5;
  Group sets;
  sets.name = "sets";
  sets.units = 3, sets.standby = true, sets.ready = 0.995, sets.failure_to_start = 0.0094;
  sets.run_mttf_s = 1100 * h, sets.start_s = 10, sets.fuel_s = 30 * h, sets.beta = 0.05;
  sets.repair = {24 * h, RepairShape::lognormal, 1};
  const int u = s.add(utility), g = s.add(sets);
  const int feeds = s.add(group("feeds", 2, 100e3, 10, 3)),
            tx = s.add(group("transformers", 3, 1.4e6, 156, 3)),
            gear = s.add(group("switchgear", 2, 900e3, 30, 3)),
            ups = s.add(group("ups", 8, 100e3, 8)), boards = s.add(group("boards", 2, 1.5e6, 3, 3)),
            bus = s.add(group("busways", 4, 1.5e6, 5, 3)), cdus = s.add(group("cdus", 3, 40e3, 8)),
            rooms = s.add(group("room units", 4, 37e3, 8)),
            pumps = s.add(group("pumps", 3, 50e3, 12)),
            coolers = s.add(group("coolers", 4, 24.8e3, 48)),
            chillers = s.add(group("chillers", 4, 18e3, 48));
  s.loads.push_back({.name = "hall", .title = "hall", .gpus = 576, .gang_gpus = 72});
  s.loads[0].rework_s = 900, s.loads[0].gang_restart_s = 600, s.loads[0].restart_s = 3600;
  constexpr double it = 1.15e6;
  View chain{.name = "chain"};
  int at = chain.node("feeds", feeds, 2e6, {chain.source("utility", u)});
  at = chain.node("transformers", tx, 1.25e6, {at});
  at = chain.node("switchgear", gear, 2e6, {at, chain.source("sets", g, 1e6)});
  at = chain.node("ups", ups, 200e3, {at});
  at = chain.node("boards", boards, 2e6, {at});
  at = chain.node("busways", bus, 700e3, {at});
  chain.sinks.push_back({.load = 0, .node = at, .demand_w = it});
  chain.sinks[0].ride = {{0, 0, 1}, {1, 1 / 300., 0}};
  chain.sinks[0].recover_s = 3000, chain.sinks[0].ride_failure = 0.001;
  View stored{.name = "stored"};
  at = stored.node("boards", boards, 2e6, {stored.source("ups", ups, 200e3)});
  at = stored.node("busways", bus, 700e3, {at});
  stored.sinks.push_back({.load = 0, .node = at, .demand_w = it});
  const auto view = [&](const char* name, std::vector<std::pair<int, double>> parts, double demand,
                        double seconds) {
    View v{.name = name};
    int last = -1;
    for (const auto& [part, w] : parts)
      last = last < 0 ? v.source(s.groups[std::size_t(part)].name, part, w)
                      : v.node(s.groups[std::size_t(part)].name, part, w, {last});
    v.sinks.push_back({.load = 0, .node = last, .demand_w = demand, .sheds = false});
    v.sinks[0].ride = {{0.2, 0, 1}, {1, 1 / seconds, 0}};
    s.views.push_back(v);
  };
  s.views = {chain, stored};
  view("coolant", {{cdus, 600e3}}, 1.0e6, 30);
  view("air", {{rooms, 120e3}}, 0.3e6, 180);
  view("water", {{pumps, 700e3}, {coolers, 500e3}}, 1.3e6, 120);
  view("chilled", {{chillers, 500e3}}, 1.3e6, 300);
  return s;
}

void hundred_thousand_histories_of_20_years(benchmark::State& state) {
  const auto s = site();
  if (const auto m = mistakes_of(s); !m.empty()) return state.SkipWithError(m[0].c_str());
  SimulateResult r;
  for (auto _ : state) {
    r = simulate(s, {.years = 20, .histories = 100000, .seed = 1, .crews = 2, .error = 0.001});
    benchmark::DoNotOptimize(r.availability);
  }
  state.counters["hours a year"] = r.site_hours.mean;
  state.counters["+-"] = r.site_hours.error;
  state.counters["outages a year"] = r.site_outages.mean;
  state.counters["bar s"] = 5;
}
BENCHMARK(hundred_thousand_histories_of_20_years)->Unit(benchmark::kSecond)->Iterations(1);

void exact_to_the_third_order(benchmark::State& state) {
  const auto s = site();
  Exact e;
  for (auto _ : state) {
    e = exact(s);
    benchmark::DoNotOptimize(e.unavailability);
  }
  state.counters["bound"] = e.bound;
  state.counters["cuts"] = double(e.cuts.size());
}
BENCHMARK(exact_to_the_third_order)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
