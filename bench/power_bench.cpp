// The power chain's bars on one core: a sweep of every single failure of a 500-node chain
// (< 100 ms), all pairs of it, and the same with twice the racks (no more than twice the time).
// Counters print what the bar is held against.
#include <benchmark/benchmark.h>

#include <string>

#include "power/sweep.hpp"
#include "power/topology.hpp"

namespace {

using namespace headroom;
using namespace headroom::power;

spec::Bank<Power> bank(int count, double kw) {
  spec::Bank<Power> b;
  b.count = count;
  b.each = Value<Power>(kw * kilowatt, assumed("bench"));
  return b;
}

/// Four halls of 2N busways, each pair with its racks of two feeds; 2N UPS, N+1 sets.
Graph site(int pairs_a_hall, int racks_a_pair) {
  Spec spec;
  Demand demand;
  for (int h = 0; h < 4; ++h) {
    HallDemand hall;
    hall.scope = hall.title = "hall-" + std::to_string(h);
    hall.racks = pairs_a_hall * racks_a_pair;
    hall.it_max.value = hall.racks * 100.0 * kilowatt;
    hall.rack_max.value = 100 * kilowatt;
    hall.feed.feed = bank(2, 130);
    hall.distribution.units = bank(2 * pairs_a_hall, racks_a_pair * 110.0);
    hall.distribution.redundancy = Redundancy::two_n;
    demand.halls.push_back(hall);
  }
  const double mw = 4.0 * pairs_a_hall * racks_a_pair * 0.1;
  demand.cooling_max.value = 0.2 * mw * megawatt;
  spec.grid.feeds = bank(2, 2000 * mw), spec.grid.redundancy = Redundancy::two_n;
  spec.transformer.units = bank(8, 400 * mw), spec.transformer.redundancy = Redundancy::two_n;
  spec.generator.units = bank(9, 200 * mw), spec.generator.redundancy = Redundancy::n_plus_1;
  spec.ups.modules = bank(16, 160 * mw), spec.ups.redundancy = Redundancy::two_n;
  spec.ups.autonomy = Value<Time>(5 * minute, assumed("bench"));
  return chain_of(spec, demand, catalog::Catalog::builtin()).graph;
}

/// 24 pairs a hall: 480 nodes of racks, feeds and busways, and the chain above.
const Graph& chain_of_500() {
  static const Graph g = site(24, 10);
  return g;
}

void count(benchmark::State& state, const Graph& g, const Sweep& s) {
  double racks = 0;
  for (const auto& n : g.nodes()) racks += n.racks * n.count;
  state.counters["nodes"] = g.size();
  state.counters["racks"] = racks;
  state.counters["cases"] = double(s.cases.size() + s.banks.size() + s.pairs.pairs);
}

void solve_500_nodes(benchmark::State& state) {
  const Graph& g = chain_of_500();
  const State s = normal(g);
  for (auto _ : state) benchmark::DoNotOptimize(solve(g, s).input_w.data());
  state.counters["imbalance"] = balance(g, solve(g, s)).imbalance();
}
BENCHMARK(solve_500_nodes)->Unit(benchmark::kMicrosecond);

void run(benchmark::State& state, const Graph& g, const SweepOptions& options = {}) {
  Sweep s;
  for (auto _ : state) {
    s = sweep(g, options);
    benchmark::DoNotOptimize(s.scale);
  }
  count(state, g, s);
}

void single_failures_of_500_nodes(benchmark::State& state) { run(state, chain_of_500()); }
BENCHMARK(single_failures_of_500_nodes)->Unit(benchmark::kMillisecond);

// Racks on the same path are one node: more of them are no more work.
void single_failures_twice_the_racks_on_the_same_busways(benchmark::State& state) {
  run(state, site(24, 20));
}
BENCHMARK(single_failures_twice_the_racks_on_the_same_busways)->Unit(benchmark::kMillisecond);

void single_failures_twice_the_racks_and_busways(benchmark::State& state) {
  run(state, site(48, 10));
}
BENCHMARK(single_failures_twice_the_racks_and_busways)->Unit(benchmark::kMillisecond);

void all_pairs_of_500_nodes(benchmark::State& state) {
  SweepOptions o;
  o.pairs = true;
  run(state, chain_of_500(), o);
}
BENCHMARK(all_pairs_of_500_nodes)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
