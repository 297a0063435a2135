// The graph: closed forms of N+1, 2N and catcher, energy that never appears or vanishes on any
// graph, and an incremental answer that is the full one.
#include "power/graph.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace headroom::power {
namespace {

Stage stage(double rating_w) { return {Power::from_si(rating_w), 0.01, 0.005, 0.02}; }

Node gear(const char* name, NodeKind kind, int count, double rating_w) {
  Node n;
  n.name = name, n.kind = kind, n.count = count;
  n.rating_w = n.nameplate_w = rating_w;
  n.stage = stage(rating_w);
  return n;
}

Node load(const char* name, double watt, int count = 1) {
  Node n;
  n.name = name, n.kind = NodeKind::it_load, n.load_w = watt, n.count = count, n.racks = 1;
  n.parallel = false;
  return n;
}

Node source(const char* name, NodeKind kind = NodeKind::utility) {
  Node n;
  n.name = name, n.kind = kind;
  return n;
}

/// grid A, grid B -> UPS A, UPS B -> racks on both.
struct TwoN {
  Graph g;
  int grid_a, grid_b, ups_a, ups_b, racks;
  TwoN() {
    grid_a = g.add(source("grid-a")), grid_b = g.add(source("grid-b"));
    ups_a = g.add(gear("ups-a", NodeKind::ups, 1, 1e6));
    ups_b = g.add(gear("ups-b", NodeKind::ups, 1, 1e6));
    racks = g.add(load("racks", 40e3, 20));
    g.connect(grid_a, ups_a), g.connect(grid_b, ups_b);
    g.connect(ups_a, racks), g.connect(ups_b, racks);
    EXPECT_TRUE(g.close());
  }
};

TEST(Graph, two_n_shares_half_and_half_and_moves_all_when_a_side_dies) {
  TwoN t;
  const Solution before = solve(t.g, normal(t.g));
  EXPECT_DOUBLE_EQ(before.output_w[std::size_t(t.ups_a)], 400e3);
  EXPECT_DOUBLE_EQ(before.output_w[std::size_t(t.ups_b)], 400e3);
  // 1 MW (0.01 + 0.005 0.4 + 0.02 0.16)
  EXPECT_NEAR(before.loss_w[std::size_t(t.ups_a)], 15.2e3, 1e-6);
  State s = normal(t.g);
  s.lost[std::size_t(t.grid_a)] = 1;
  const Solution after = solve(t.g, s);
  EXPECT_EQ(after.live[std::size_t(t.ups_a)], 0);
  EXPECT_EQ(after.loss_w[std::size_t(t.ups_a)], 0);
  EXPECT_DOUBLE_EQ(after.output_w[std::size_t(t.ups_b)], 800e3);
  EXPECT_NEAR(after.loss_w[std::size_t(t.ups_b)], 1e6 * (0.01 + 0.005 * 0.8 + 0.02 * 0.64), 1e-6);
}

TEST(Graph, n_plus_1_shares_among_the_units_left) {
  Graph g;
  const int grid = g.add(source("grid"));
  const int ups = g.add(gear("ups", NodeKind::ups, 4, 500e3));
  const int racks = g.add(load("racks", 1.5e6));
  g.connect(grid, ups), g.connect(ups, racks);
  ASSERT_TRUE(g.close());
  State s = normal(g);
  EXPECT_DOUBLE_EQ(solve(g, s).use(g, s, ups), 0.75);
  EXPECT_NEAR(solve(g, s).loss_w[std::size_t(ups)], 2e6 * (0.01 + 0.005 * 0.75 + 0.02 * 0.5625),
              1e-6);
  s.lost[std::size_t(ups)] = 1;
  EXPECT_DOUBLE_EQ(solve(g, s).use(g, s, ups), 1.0);
  s.lost[std::size_t(ups)] = 2;
  EXPECT_DOUBLE_EQ(solve(g, s).use(g, s, ups), 1.5);
  s.lost[std::size_t(ups)] = 4;
  EXPECT_EQ(it_power(g, s, solve(g, s)).live_w, 0);
  EXPECT_EQ(it_power(g, s, solve(g, s)).dead_w, 1.5e6);
}

// Two blocks and a catcher: the catcher idles at its no-load loss, then takes one block.
TEST(Graph, catcher_idles_until_a_block_dies) {
  Graph g;
  const int grid = g.add(source("grid"));
  const int one = g.add(gear("ups-1", NodeKind::ups, 1, 1e6));
  const int two = g.add(gear("ups-2", NodeKind::ups, 1, 1e6));
  const int catcher = g.add(gear("catcher", NodeKind::ups, 1, 1e6));
  for (const int u : {one, two, catcher}) g.connect(grid, u);
  for (const int u : {one, two}) {
    const int sts = g.add(source(u == one ? "sts-1" : "sts-2", NodeKind::transfer_switch));
    g.connect(u, sts, 0), g.connect(catcher, sts, 1);
    g.connect(sts, g.add(load(u == one ? "racks-1" : "racks-2", 800e3)));
  }
  ASSERT_TRUE(g.close());
  State s = normal(g);
  EXPECT_EQ(solve(g, s).output_w[std::size_t(catcher)], 0);
  EXPECT_DOUBLE_EQ(solve(g, s).loss_w[std::size_t(catcher)], 10e3);
  s.lost[std::size_t(two)] = 1;
  EXPECT_DOUBLE_EQ(solve(g, s).output_w[std::size_t(catcher)], 800e3);
  EXPECT_DOUBLE_EQ(solve(g, s).output_w[std::size_t(one)], 800e3);
  EXPECT_EQ(it_power(g, s, solve(g, s)).dead_w, 0);
}

// Three systems, racks on AB, BC, CA: each carries 2/3 of what it bears when one dies.
TEST(Graph, distributed_redundant_puts_half_of_a_dead_system_on_each_other) {
  Graph g;
  const int grid = g.add(source("grid"));
  int ups[3];
  for (int i = 0; i < 3; ++i) {
    ups[i] = g.add(gear(i == 0 ? "a" : i == 1 ? "b" : "c", NodeKind::ups, 1, 900e3));
    g.connect(grid, ups[i]);
  }
  for (int i = 0; i < 3; ++i) {
    const int racks = g.add(load(i == 0 ? "ab" : i == 1 ? "bc" : "ca", 600e3));
    g.connect(ups[i], racks), g.connect(ups[(i + 1) % 3], racks);
  }
  ASSERT_TRUE(g.close());
  State s = normal(g);
  for (const int u : ups) EXPECT_DOUBLE_EQ(solve(g, s).output_w[std::size_t(u)], 600e3);
  s.lost[std::size_t(ups[0])] = 1;
  EXPECT_DOUBLE_EQ(solve(g, s).output_w[std::size_t(ups[1])], 900e3);
  EXPECT_DOUBLE_EQ(solve(g, s).output_w[std::size_t(ups[2])], 900e3);
}

TEST(Graph, battery_then_generator_carry_by_rank_and_by_state) {
  Graph g;
  const int grid = g.add(source("grid"));
  const int set = g.add(source("set", NodeKind::generator));
  const int ats = g.add(source("ats", NodeKind::transfer_switch));
  const int ups = g.add(gear("ups", NodeKind::ups, 1, 1e6));
  const int battery = g.add(source("battery", NodeKind::battery));
  const int racks = g.add(load("racks", 500e3));
  g.connect(grid, ats, 0), g.connect(set, ats, 1), g.connect(ats, ups, 0);
  g.connect(battery, ups, 9), g.connect(ups, racks);
  ASSERT_TRUE(g.close());
  State mains = normal(g);
  EXPECT_EQ(solve(g, mains).output_w[std::size_t(set)], 0);
  State instant = first_instant(g);
  instant.lost[std::size_t(grid)] = 1;
  const Solution bridged = solve(g, instant);
  EXPECT_EQ(bridged.live[std::size_t(racks)], 1);
  EXPECT_GT(bridged.output_w[std::size_t(battery)], 500e3);
  State steady = normal(g);
  steady.lost[std::size_t(grid)] = 1;
  const Solution on_set = solve(g, steady);
  EXPECT_EQ(on_set.output_w[std::size_t(battery)], 0);
  EXPECT_GT(on_set.output_w[std::size_t(set)], 500e3);
  steady.lost[std::size_t(set)] = 1;
  EXPECT_EQ(solve(g, steady).live[std::size_t(racks)], 0);
}

TEST(Graph, a_loop_is_named_in_its_order) {
  Graph g;
  const int a = g.add(source("a", NodeKind::switchgear)), b = g.add(source("b", NodeKind::pdu)),
            c = g.add(source("c", NodeKind::busway)), grid = g.add(source("grid"));
  g.connect(grid, a), g.connect(a, b), g.connect(b, c), g.connect(c, a);
  ASSERT_FALSE(g.close());
  ASSERT_EQ(g.loop().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const int from = g.loop()[i], to = g.loop()[(i + 1) % 3];
    bool joined = false;
    for (const auto& e : g.edges()) joined = joined || (e.from == from && e.to == to);
    EXPECT_TRUE(joined) << from << " -> " << to;
  }
}

// One rack's A feed of twenty dies: that rack alone moves to B.
TEST(Graph, a_unit_that_is_split_off_takes_only_its_own_rack_along) {
  Graph g;
  const int grid = g.add(source("grid"));
  Node feed = gear("feed-a", NodeKind::rack_feed, 20, 50e3);
  feed.parallel = false, feed.stage = {};
  const int a = g.add(feed);
  feed.name = "feed-b";
  const int b = g.add(feed);
  const int racks = g.add(load("racks", 40e3, 20));
  g.connect(grid, a), g.connect(grid, b), g.connect(a, racks), g.connect(b, racks);
  ASSERT_TRUE(g.close());
  int lone = -1;
  const Graph split = split_unit(g, a, lone);
  State s = normal(split);
  EXPECT_NEAR(balance(split, solve(split, s)).given_w, 800e3, 1e-6);
  s.lost[std::size_t(lone)] = 1;
  const Solution x = solve(split, s);
  EXPECT_EQ(it_power(split, s, x).dead_w, 0);
  EXPECT_DOUBLE_EQ(x.output_w[std::size_t(split.find("feed-b#1"))], 40e3);
  EXPECT_DOUBLE_EQ(x.output_w[std::size_t(b)], 19 * 20e3);
  EXPECT_DOUBLE_EQ(x.output_w[std::size_t(a)], 19 * 20e3);
}

// --- Properties of any graph -----------------------------------------------------

Graph arbitrary_graph() {
  Graph g;
  const int n = *rc::gen::inRange(3, 40);
  for (int i = 0; i < n; ++i) {
    Node node = gear(("n" + std::to_string(i)).c_str(), NodeKind::switchgear,
                     *rc::gen::inRange(1, 5), *rc::gen::inRange(10, 2000) * 1e3);
    const int dice = *rc::gen::inRange(0, 10);
    if (i == 0 || dice == 0) node.kind = NodeKind::utility;
    if (dice == 1) node.kind = NodeKind::generator;
    if (dice == 2) node.kind = NodeKind::battery;
    if (dice >= 7 && i > 0) {
      node.kind = NodeKind::it_load;
      node.load_w = *rc::gen::inRange(0, 500) * 1e3;
    }
    g.add(node);
    if (i == 0 || is_source(node.kind)) continue;
    const int sources = *rc::gen::inRange(1, 4);
    for (int k = 0; k < sources; ++k)
      g.connect(*rc::gen::inRange(0, i), i, *rc::gen::inRange(0, 3), *rc::gen::inRange(1, 4));
  }
  RC_ASSERT(g.close());
  return g;
}

State arbitrary_state(const Graph& g) {
  State s = *rc::gen::arbitrary<bool>() ? normal(g) : first_instant(g);
  for (auto& lost : s.lost) lost = *rc::gen::inRange(0, 8) == 0 ? 1 : 0;
  return s;
}

RC_GTEST_PROP(AnyGraph, energy_in_is_energy_out, ()) {
  const Graph g = arbitrary_graph();
  RC_ASSERT(balance(g, solve(g, arbitrary_state(g))).imbalance() < 1e-12);
}

RC_GTEST_PROP(AnyGraph, losing_more_never_powers_more, ()) {
  const Graph g = arbitrary_graph();
  State s = arbitrary_state(g);
  const State first = s;
  const Solution before = solve(g, s);
  s.lost[std::size_t(*rc::gen::inRange(0, g.size()))] += *rc::gen::inRange(1, 4);
  const Solution after = solve(g, s);
  for (int i = 0; i < g.size(); ++i)
    RC_ASSERT(after.live[std::size_t(i)] <= before.live[std::size_t(i)]);
  RC_ASSERT(it_power(g, s, after).live_w <= it_power(g, first, before).live_w);
}

RC_GTEST_PROP(AnyGraph, solving_what_changed_is_solving_all_bit_for_bit, ()) {
  const Graph g = arbitrary_graph();
  Solver solver(g, normal(g));
  for (int round = 0; round < 3; ++round) {
    const int losses = *rc::gen::inRange(1, 4);
    for (int k = 0; k < losses; ++k)
      solver.lose(*rc::gen::inRange(0, g.size()), *rc::gen::inRange(1, 3));
    const int n = *rc::gen::inRange(0, g.size());
    if (is_source(g[n].kind)) solver.turn(n, *rc::gen::arbitrary<bool>());
    const Solution full = solve(g, solver.state());
    RC_ASSERT(full.output_w == solver.now().output_w);
    RC_ASSERT(full.input_w == solver.now().input_w);
    RC_ASSERT(full.edge_w == solver.now().edge_w);
    RC_ASSERT(full.live == solver.now().live);
    solver.restore();
    RC_ASSERT(solve(g, normal(g)).output_w == solver.now().output_w);
    RC_ASSERT(solve(g, normal(g)).edge_w == solver.now().edge_w);
  }
}

RC_GTEST_PROP(AnyGraph, a_split_unit_changes_nothing_until_it_is_lost, ()) {
  const Graph g = arbitrary_graph();
  const int n = *rc::gen::inRange(0, g.size());
  Graph separate = g;
  separate.nodes()[std::size_t(n)].count += 1;
  separate.nodes()[std::size_t(n)].parallel = false;
  int lone = -1;
  const Graph split = split_unit(separate, n, lone);
  const auto before = balance(separate, solve(separate, normal(separate)));
  const auto after = balance(split, solve(split, normal(split)));
  RC_ASSERT(std::abs(before.load_w - after.load_w) <= 1e-9 * before.load_w);
}

}  // namespace
}  // namespace headroom::power
