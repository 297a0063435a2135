// Power lost in time: closed forms of battery, start and trip, energy in every interval, and the
// end against the steady state of the sweep.
#include "power/graph_walk.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

namespace headroom::power {
namespace {

using Kind = ChainEventKind;

Node gear(const char* name, NodeKind kind, int count = 1, double rating_w = 0) {
  Node n;
  n.name = n.stage_name = name, n.kind = kind, n.count = count;
  n.rating_w = n.nameplate_w = rating_w;
  return n;
}

/// grid, sets -> ATS -> UPS with battery -> racks; ATS -> cooling.
struct Site {
  Graph g;
  int grid, sets, ats, ups, battery, racks, cooling;
  explicit Site(double battery_s = 300, double start_s = 10) {
    grid = g.add(gear("grid", NodeKind::utility));
    Node s = gear("sets", NodeKind::generator, 3, 1e6);
    s.start_s = start_s, s.start_failure = 0.01;
    sets = g.add(s);
    Node a = gear("ats", NodeKind::transfer_switch);
    a.start_s = 0.1;
    ats = g.add(a);
    Node u = gear("ups", NodeKind::ups, 4, 500e3);
    u.stage = {Power::from_si(500e3), 0.01, 0.01, 0.02};
    ups = g.add(u);
    Node b = gear("battery", NodeKind::battery);
    b.energy_j = 1e6 * battery_s;
    battery = g.add(b);
    Node r = gear("racks", NodeKind::it_load, 10);
    r.parallel = false, r.load_w = 100e3, r.racks = 1, r.hall = "hall-a";
    racks = g.add(r);
    Node c = gear("cooling", NodeKind::mechanical_load);
    c.load_w = 200e3, c.restart_s = 120;
    cooling = g.add(c);
    g.connect(grid, ats, 0), g.connect(sets, ats, 2), g.connect(ats, ups, 0);
    g.connect(battery, ups, 9), g.connect(ups, racks), g.connect(ats, cooling);
    EXPECT_TRUE(g.close());
  }
};

const ChainEvent* find(const ChainWalk& w, Kind kind, int node) {
  for (const auto& e : w.events)
    if (e.kind == kind && e.node == node) return &e;
  return nullptr;
}

double time_of(const ChainWalk& w, Kind kind, int node) {
  const auto* e = find(w, kind, node);
  return e != nullptr ? e->at_s : -1;
}

TEST(ChainWalk, a_lost_grid_is_bridged_by_the_battery_until_the_sets_are_ready) {
  const Site t;
  const auto w = walk_chain(t.g, {{{t.grid, 1}, 0}});
  EXPECT_EQ(time_of(w, Kind::on_battery, t.battery), 0);
  EXPECT_EQ(time_of(w, Kind::set_ready, t.sets), 10);
  EXPECT_EQ(time_of(w, Kind::load_stops, t.cooling), 0);
  EXPECT_EQ(time_of(w, Kind::load_starts, t.cooling), 130);  // power at 10 s, restart 120 s
  EXPECT_EQ(w.dropped_racks(), 0);
  EXPECT_LT(w.worst_imbalance, 1e-12);
  EXPECT_EQ(w.sets_needed, 2);
  // 3 sets of which 2 must start: 1 - 3 p^2 + 2 p^3.
  EXPECT_NEAR(w.start_probability, 1 - 3e-4 + 2e-6, 1e-12);
  // The battery gave 10 s of the UPS input.
  const double input = 1e6 + 2e6 * (0.01 + 0.01 * 0.5 + 0.02 * 0.25);
  EXPECT_NEAR(w.battery_left_s, 300e6 / input - 10, 1e-6);
}

TEST(ChainWalk, a_battery_shorter_than_the_start_drops_the_racks_when_it_is_empty) {
  const Site t(5, 10);
  const auto w = walk_chain(t.g, {{{t.grid, 1}, 0}}, {.horizon_s = 100});
  const double input = 1e6 + 2e6 * (0.01 + 0.01 * 0.5 + 0.02 * 0.25);
  const double empty = 5e6 / input;
  EXPECT_NEAR(time_of(w, Kind::battery_empty, t.battery), empty, 1e-9);
  ASSERT_EQ(w.halls.size(), 1u);
  EXPECT_NEAR(w.halls[0].dropped_at_s, empty, 1e-9);
  EXPECT_EQ(w.halls[0].dropped_racks, 10);
  EXPECT_NEAR(w.halls[0].dark_rack_s, 10 * (100 - empty), 1e-6);
  // Racks stay off when the sets are ready.
  EXPECT_EQ(w.steady.output_w[std::size_t(t.racks)], 0);
}

TEST(ChainWalk, a_grid_that_is_back_ends_it) {
  const Site t(300, 1000);  // sets too slow
  const auto w = walk_chain(t.g, {{{t.grid, 1}, 20, 80}}, {.horizon_s = 900});
  EXPECT_EQ(time_of(w, Kind::lost, t.grid), 20);
  EXPECT_EQ(time_of(w, Kind::back, t.grid), 80);
  EXPECT_EQ(w.dropped_racks(), 0);
  EXPECT_EQ(time_of(w, Kind::load_starts, t.cooling), 200);
  for (const auto& x : w.intervals) {
    const bool without = x.from_s >= 20 && x.to_s <= 80;
    EXPECT_EQ(x.battery_w > 0, without) << x.from_s;
    EXPECT_EQ(x.mechanical, x.from_s >= 20 && x.to_s <= 200 ? 0 : 1) << x.from_s;
  }
}

// Without a UPS racks see the open transition of the ATS.
TEST(ChainWalk, a_transfer_longer_than_the_hold_up_drops_racks_without_a_ups) {
  for (const double gap : {0.004, 0.1}) {
    Graph g;
    const int a = g.add(gear("a", NodeKind::utility)), b = g.add(gear("b", NodeKind::utility));
    Node s = gear("switch", NodeKind::transfer_switch);
    s.start_s = gap;
    const int sw = g.add(s);
    Node r = gear("racks", NodeKind::it_load, 4);
    r.parallel = false, r.load_w = 10e3, r.racks = 1;
    const int racks = g.add(r);
    g.connect(a, sw, 0), g.connect(b, sw, 1), g.connect(sw, racks);
    ASSERT_TRUE(g.close());
    const auto w = walk_chain(g, {{{a, 1}, 0}});
    EXPECT_NE(find(w, Kind::transfer, sw), nullptr);
    EXPECT_EQ(w.dropped_racks(), gap > 0.02 ? 4 : 0);
  }
}

TEST(ChainWalk, b_trips_when_the_sweep_says_so) {
  Graph g;
  int bus[2];
  for (int k = 0; k < 2; ++k) {
    const int grid = g.add(gear(k == 0 ? "grid-a" : "grid-b", NodeKind::utility));
    Node n = gear(k == 0 ? "bus-a" : "bus-b", NodeKind::busway, 1, 1e6);
    n.trip_w = 1.25e6, n.overload = breaker_curve(60);
    bus[k] = g.add(n);
    g.connect(grid, bus[k]);
  }
  Node r = gear("racks", NodeKind::it_load, 20);
  r.parallel = false, r.load_w = 80e3, r.racks = 1;
  const int racks = g.add(r);
  for (const int k : bus) g.connect(k, racks);
  ASSERT_TRUE(g.close());
  const Case c = case_of(g, {{bus[0], 1}});
  const auto w = walk_chain(g, {{{bus[0], 1}, 0}}, {.horizon_s = 3600});
  ASSERT_EQ(c.overloaded.size(), 1u);
  EXPECT_NEAR(time_of(w, Kind::trip, bus[1]), c.overloaded[0].trip_s, 1e-6);
  EXPECT_EQ(w.dropped_racks(), 20);
}

TEST(ChainWalk, fuel_runs_out_at_its_load) {
  Site t;
  t.g.nodes()[std::size_t(t.sets)].fuel_s = 60;
  const auto w = walk_chain(t.g, {{{t.grid, 1}, 0}}, {.horizon_s = 3600});
  const auto* out = find(w, Kind::fuel_out, t.sets);
  ASSERT_NE(out, nullptr);
  // 180 MJ: 1.03 MW of UPS input to 130 s, then 0.2 MW of cooling more.
  const double input = 1e6 + 2e6 * (0.01 + 0.01 * 0.5 + 0.02 * 0.25);
  EXPECT_NEAR(out->at_s, 130 + (180e6 - 120 * input - 0) / (input + 200e3), 1e-6);
  EXPECT_GT(w.dropped_racks(), 0);
}

RC_GTEST_PROP(ChainWalk, racks_left_at_the_end_are_the_steady_states_when_batteries_last, ()) {
  const Site t(1e4, 10);
  const std::vector<int> nodes{t.grid, t.sets, t.ats, t.ups};
  std::vector<TimedLoss> losses;
  State s = normal(t.g);
  const int n = *rc::gen::inRange(1, 4);
  for (int k = 0; k < n; ++k) {
    const int node = nodes[std::size_t(*rc::gen::inRange(0, 4))];
    const int units = *rc::gen::inRange(1, 4);
    losses.push_back({{node, units}, double(*rc::gen::inRange(0, 100))});
    auto& lost = s.lost[std::size_t(node)];
    lost = std::min(t.g[node].count, lost + units);
  }
  const auto w = walk_chain(t.g, losses, {.horizon_s = 1e6});
  RC_ASSERT(w.worst_imbalance < 1e-12);
  const double dead = it_power(t.g, s, solve(t.g, s)).dead_racks;
  RC_ASSERT(std::abs(w.dropped_racks() - dead) < 1e-9);
  double last = 0;
  for (const auto& e : w.events) RC_ASSERT(e.at_s >= last), last = e.at_s;
}

TEST(StartProbability, is_the_binomial_of_reopts_first_step) {
  EXPECT_NEAR(start_probability(2, 2, 0.1), 0.81, 1e-15);
  EXPECT_NEAR(start_probability(2, 1, 0.1), 0.99, 1e-15);
  EXPECT_EQ(start_probability(2, 3, 0.1), 0);
  EXPECT_EQ(start_probability(3, 0, 0.5), 1);
}

}  // namespace
}  // namespace headroom::power
