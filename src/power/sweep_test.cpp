// The sweep: closed forms of N+1 and 2N, breakers that remember, stages whose parts add up, and
// each case against a full solution of its own.
#include "power/sweep.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "power/phase.hpp"

namespace headroom::power {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

Node gear(const std::string& name, NodeKind kind, int count, double rating_w) {
  Node n;
  n.name = n.stage_name = name, n.kind = kind, n.count = count;
  n.rating_w = n.nameplate_w = rating_w;
  return n;
}

Node racks(const std::string& name, int count, double each_w) {
  Node n;
  n.name = n.stage_name = name, n.kind = NodeKind::it_load, n.count = count, n.parallel = false;
  n.load_w = each_w, n.racks = 1;
  return n;
}

const StageRow& stage(const Sweep& s, const std::string& name) {
  for (const auto& row : s.stages)
    if (row.name == name) return row;
  ADD_FAILURE() << "no stage " << name;
  static const StageRow none;
  return none;
}

/// grid -> n UPS units of 500 kW -> racks.
Graph bank(int units, double load_w) {
  Graph g;
  const int grid = g.add(gear("grid", NodeKind::utility, 1, 0));
  const int ups = g.add(gear("ups", NodeKind::ups, units, 500e3));
  g.connect(grid, ups);
  g.connect(ups, g.add(racks("racks", 10, load_w / 10)));
  g.close();
  return g;
}

TEST(Sweep, n_plus_1_by_hand) {
  const Sweep s = sweep(bank(4, 1.2e6));
  const auto& ups = s.nodes[1];
  EXPECT_DOUBLE_EQ(ups.base_use, 0.6);
  EXPECT_DOUBLE_EQ(ups.worst_use, 0.8);
  EXPECT_NEAR(ups.headroom(), 0.2, 1e-12);
  const auto& row = stage(s, "ups");
  EXPECT_DOUBLE_EQ(row.nameplate_w, 2e6);
  EXPECT_NEAR(row.reserve_w, 500e3, 1e-6);   // the unit of N+1
  EXPECT_NEAR(row.rounding_w, 300e3, 1e-6);  // three units for 1.2 MW
  EXPECT_NEAR(row.left_w, 0, 1e-6);
  EXPECT_NEAR(s.scale, 1.25, 1e-12);
  EXPECT_EQ(s.binding, "ups");
}

TEST(Sweep, a_bank_too_full_for_n_plus_1_says_by_how_much) {
  const Sweep s = sweep(bank(4, 1.8e6));
  EXPECT_NEAR(s.nodes[1].worst_use, 1.2, 1e-12);
  EXPECT_NEAR(stage(s, "ups").left_w, -300e3, 1e-6);
  ASSERT_GE(s.nodes[1].worst_case, 0);
  const Case& c = s.cases[std::size_t(s.nodes[1].worst_case)];
  ASSERT_EQ(c.overloaded.size(), 1u);
  EXPECT_EQ(c.overloaded[0].trip_s, never);  // no curve: it bears it
  EXPECT_EQ(c.lost_w(), 0);
  ASSERT_EQ(s.banks.size(), 1u);
  EXPECT_NEAR(s.banks[0].dropped_w, 1.8e6, 1e-6);
  EXPECT_NEAR(s.banks[0].dropped_racks, 10, 1e-9);
}

/// Two sides of 1 MW, breakers of `trip_a` and racks on both.
Graph two_sides(double load_w, double trip_w) {
  Graph g;
  int bus[2];
  for (int k = 0; k < 2; ++k) {
    const int grid = g.add(gear(k == 0 ? "grid-a" : "grid-b", NodeKind::utility, 1, 0));
    Node b = gear(k == 0 ? "bus-a" : "bus-b", NodeKind::busway, 1, 1e6);
    b.stage_name = "bus", b.side = k == 0 ? "A" : "B";
    b.trip_w = trip_w, b.overload = breaker_curve(1000);
    bus[k] = g.add(std::move(b));
    g.connect(grid, bus[k]);
  }
  const int r = g.add(racks("racks", 20, load_w / 20));
  for (const int b : bus) g.connect(b, r);
  g.close();
  return g;
}

TEST(Sweep, half_of_a_2n_pair_is_for_the_other_side) {
  const Sweep s = sweep(two_sides(800e3, 1.25e6));
  const auto& row = stage(s, "bus");
  EXPECT_NEAR(row.sides_w, 1e6, 1e-6);
  EXPECT_NEAR(row.left_w, 200e3, 1e-6);
  EXPECT_NEAR(row.load_w, 800e3, 1e-6);
  EXPECT_EQ(row.reserve_w, 0);
  EXPECT_NEAR(row.fill, 0.8, 1e-12);
}

// 1.6 MW on two sides of 1 MW, breakers of 1.25 MW: A dies, B carries 128 % of its breaker until it
// trips: tau ln((1.28^2 - 0.64^2) / (1.28^2 - 1.1^2)), then every rack drops.
TEST(Sweep, when_a_dies_b_trips_after_the_time_its_breaker_remembers) {
  const Sweep s = sweep(two_sides(1.6e6, 1.25e6));
  const double tau = breaker_curve(1000).tau_s;
  const double expected = tau * std::log((1.28 * 1.28 - 0.64 * 0.64) / (1.28 * 1.28 - 1.1 * 1.1));
  int seen = 0;
  for (const auto& c : s.cases) {
    if (c.lost.empty()) continue;
    ASSERT_EQ(c.overloaded.size(), 1u);
    EXPECT_NEAR(c.overloaded[0].use, 1.6, 1e-9);
    EXPECT_NEAR(c.overloaded[0].trip_s, expected, 1e-6);
    EXPECT_NEAR(c.last_trip_s, expected, 1e-6);
    EXPECT_EQ(c.dropped_w, 0);
    EXPECT_NEAR(c.tripped_racks, 20, 1e-9);
    ++seen;
  }
  EXPECT_EQ(seen, 4);
}

TEST(Sweep, a_rack_feed_takes_one_rack_and_not_its_group) {
  Graph g = two_sides(800e3, 1.25e6);
  Node feed = gear("feed", NodeKind::rack_feed, 20, 30e3);
  feed.parallel = false;
  const int f = g.add(feed), lone = g.add(racks("single", 20, 20e3));
  g.connect(g.find("bus-a"), f), g.connect(f, lone);
  ASSERT_TRUE(g.close());
  const Case c = case_of(g, {{f, 1}});
  EXPECT_NEAR(c.dropped_racks, 1, 1e-9);
  EXPECT_NEAR(c.dropped_w, 20e3, 1e-6);
  const Case all = case_of(g, {{g.find("grid-a"), 1}});
  EXPECT_NEAR(all.dropped_racks, 20, 1e-9);
}

TEST(Sweep, generators_are_judged_without_the_mains) {
  Graph g;
  const int grid = g.add(gear("grid", NodeKind::utility, 1, 5e6));
  const int sets = g.add(gear("sets", NodeKind::generator, 3, 600e3));
  const int ats = g.add(gear("ats", NodeKind::transfer_switch, 1, 0));
  g.connect(grid, ats, 0), g.connect(sets, ats, 1);
  g.connect(ats, g.add(racks("racks", 10, 100e3)));
  ASSERT_TRUE(g.close());
  const Sweep s = sweep(g);
  EXPECT_EQ(s.nodes[std::size_t(sets)].base_use, 0);
  EXPECT_NEAR(s.nodes[std::size_t(sets)].worst_use, 1e6 / 1.2e6, 1e-12);  // one of three fails
  EXPECT_NEAR(stage(s, "sets").reserve_w, 600e3, 1e-6);
  EXPECT_EQ(s.cases[std::size_t(s.nodes[std::size_t(sets)].worst_case)].on_generators, true);
}

TEST(Sweep, pairs_count_what_no_single_loss_shows) {
  const Graph g = two_sides(800e3, 1.25e6);
  SweepOptions o;
  o.pairs = true;
  const Sweep s = sweep(g, o);
  for (const auto& c : s.cases) EXPECT_TRUE(c.harmless());
  EXPECT_EQ(s.pairs.pairs, 6u);
  EXPECT_EQ(s.pairs.dropping, 4u);  // one of {grid, bus} of A with one of B
  ASSERT_FALSE(s.pairs.worst.empty());
  EXPECT_NEAR(s.pairs.worst[0].dropped_racks, 20, 1e-9);
}

// --- Properties -------------------------------------------------------------------

Graph arbitrary_chain() {
  Graph g;
  const int grids = *rc::gen::inRange(1, 3), ups = *rc::gen::inRange(1, 5),
            buses = *rc::gen::inRange(1, 7), groups = *rc::gen::inRange(1, 9);
  const auto rating = [] { return *rc::gen::inRange(2, 40) * 100e3; };
  std::vector<int> above, below;
  for (int i = 0; i < grids; ++i)
    above.push_back(g.add(gear("grid" + std::to_string(i), NodeKind::utility, 1, rating())));
  const auto layer = [&](const char* name, NodeKind kind, int n) {
    below.clear();
    for (int i = 0; i < n; ++i) {
      Node x = gear(name + std::to_string(i), kind, *rc::gen::inRange(1, 4), rating());
      x.stage_name = name;
      x.stage = {Power::from_si(x.rating_w), 0.01, 0.01, 0.02};
      if (*rc::gen::arbitrary<bool>()) x.overload = breaker_curve(500);
      below.push_back(g.add(std::move(x)));
      for (const int a : above)
        if (a == above.front() || *rc::gen::arbitrary<bool>())
          g.connect(a, below.back(), *rc::gen::inRange(0, 2));
    }
    above = below;
  };
  layer("ups", NodeKind::ups, ups);
  layer("bus", NodeKind::busway, buses);
  for (int i = 0; i < groups; ++i) {
    const int r = g.add(racks("racks" + std::to_string(i), *rc::gen::inRange(1, 30),
                              *rc::gen::inRange(1, 100) * 1e3));
    g.connect(above[std::size_t(*rc::gen::inRange(0, int(above.size())))], r);
    const int other = above[std::size_t(*rc::gen::inRange(0, int(above.size())))];
    g.connect(other, r, *rc::gen::inRange(0, 2));
  }
  RC_ASSERT(g.close());
  return g;
}

RC_GTEST_PROP(AnyChain, every_case_is_a_full_solution_of_its_own, ()) {
  const Graph g = arbitrary_chain();
  const Sweep s = sweep(g);
  std::vector<double> worst(std::size_t(g.size()), 0);
  for (const auto& c : s.cases) {
    State state = normal(g);
    for (const auto& o : c.lost) state.lost[std::size_t(o.node)] += o.units;
    const Solution x = solve(g, state);
    const ItPower it = it_power(g, state, x);
    RC_ASSERT(std::abs(it.dead_w - c.dropped_w) <= 1e-9 * (it.dead_w + it.live_w));
    for (int i = 0; i < g.size(); ++i)
      worst[std::size_t(i)] = std::max(worst[std::size_t(i)], x.use(g, state, i));
  }
  for (int i = 0; i < g.size(); ++i)
    RC_ASSERT(std::abs(worst[std::size_t(i)] - s.nodes[std::size_t(i)].worst_use) < 1e-12);
}

RC_GTEST_PROP(AnyChain, where_a_stages_nameplate_goes_adds_up, ()) {
  const Sweep s = sweep(arbitrary_chain());
  RC_ASSERT(!s.stages.empty());
  for (const auto& row : s.stages) {
    RC_ASSERT(std::abs(row.sum_w() - row.nameplate_w) <= 1e-9 * row.nameplate_w);
    for (const double part :
         {row.uneven_w, row.sides_w, row.reserve_w, row.mismatch_w, row.rounding_w})
      RC_ASSERT(part >= -1e-9 * row.nameplate_w);
  }
}

RC_GTEST_PROP(AnyChain, pairs_are_full_solutions_too, ()) {
  const Graph g = arbitrary_chain();
  SweepOptions o;
  o.pairs = true, o.worst_pairs = 1000;
  const Sweep s = sweep(g, o);
  std::size_t dropping = 0;
  for (const auto& c : s.pairs.worst) {
    State state = normal(g);
    for (const auto& out : c.lost) state.lost[std::size_t(out.node)] += out.units;
    const Solution x = solve(g, state);
    RC_ASSERT(std::abs(it_power(g, state, x).dead_w - c.dropped_w) <= 1e-6);
    for (const auto& over : c.overloaded)
      RC_ASSERT(std::abs(x.use(g, state, over.node) - over.use) < 1e-12);
    dropping += c.lost_w() > 0 ? 1 : 0;
  }
  RC_ASSERT(dropping == s.pairs.dropping);
}

RC_GTEST_PROP(AnyChain, bigger_breakers_never_trip_more_racks_of_one_loss_in_two, ()) {
  const double load = *rc::gen::inRange(100, 3000) * 1e3;
  const double small = *rc::gen::inRange(500, 2000) * 1e3;
  const auto dropped = [&](double trip_w) {
    double sum = 0;
    for (const auto& c : sweep(two_sides(load, trip_w)).cases)
      if (!c.lost.empty()) sum += c.lost_w();
    return sum;
  };
  RC_ASSERT(dropped(small * 1.5) <= dropped(small));
}

// --- Breakers ----------------------------------------------------------------------

TEST(Breaker, holds_what_the_standards_say_it_holds_and_trips_when_they_say) {
  for (const double amps : {16.0, 30.0, 60.0, 125.0, 400.0, 1200.0}) {
    const Overload b = breaker_curve(amps);
    EXPECT_EQ(time_to_trip(b, 0, 1.05), never);  // IEC 60947-2: 1.05 does not trip
    // IEC 60947-2: from there 1.30 trips within 1 h to 63 A, 2 h above.
    EXPECT_LT(time_to_trip(b, worn_at(b, 1.05), 1.30), amps <= 63 ? 3600 : 7200);
    // UL 489: 135 % within 1 h to 50 A, 2 h above, from cold.
    EXPECT_LT(time_to_trip(b, 0, 1.35), amps <= 50 ? 3600 : 7200);
    EXPECT_LT(time_to_trip(b, 0, 3), time_to_trip(b, 0, 2));
  }
  EXPECT_NEAR(time_to_trip(breaker_curve(30), 0, 2), 120, 1e-9);  // UL 489: 2 min to 30 A
}

RC_GTEST_PROP(Breaker, stepping_in_parts_is_stepping_at_once, ()) {
  const Overload b = breaker_curve(*rc::gen::inRange(10, 2000));
  const double x = 0.01 * *rc::gen::inRange(0, 300), start = 0.01 * *rc::gen::inRange(0, 100);
  const double t = *rc::gen::inRange(1, 5000), part = 0.01 * *rc::gen::inRange(1, 100);
  const double whole = worn_after(b, start, x, t);
  const double twice = worn_after(b, worn_after(b, start, x, part * t), x, (1 - part) * t);
  RC_ASSERT(std::abs(whole - twice) < 1e-12 || whole == 1);
  const double trip = time_to_trip(b, start, x);
  if (trip < never && trip > 0) RC_ASSERT(std::abs(worn_after(b, start, x, trip) - 1) < 1e-9);
}

TEST(Breaker, a_table_is_met_at_its_points_and_adds_up) {
  const Overload ups = table_curve(1.25, 600, 1.5, 60);
  EXPECT_NEAR(time_to_trip(ups, 0, 1.25), 600, 1e-9);
  EXPECT_NEAR(time_to_trip(ups, 0, 1.5), 60, 1e-9);
  EXPECT_EQ(time_to_trip(ups, 0, 1.1), never);
  EXPECT_EQ(time_to_trip(ups, 0, 3), 0);
  const double half = worn_after(ups, 0, 1.25, 300);
  EXPECT_NEAR(half, 0.5, 1e-12);
  EXPECT_NEAR(time_to_trip(ups, half, 1.5), 30, 1e-9);
  EXPECT_LT(worn_after(ups, half, 0.8, 600), half);
}

// --- Phases -----------------------------------------------------------------------

TEST(Phases, one_line_loaded_strands_two_thirds) {
  PhaseLoad p;
  p.line_va = {10e3, 0, 0};
  const auto i = line_currents(p, 400);
  EXPECT_NEAR(i.a[0], 10e3 / (400 / std::sqrt(3.0)), 1e-9);
  EXPECT_NEAR(i.neutral_a, i.a[0], 1e-9);
  EXPECT_NEAR(i.imbalance(), 2, 1e-9);
  EXPECT_NEAR(stranded_va(p), 20e3, 1e-6);
}

TEST(Phases, equal_pairs_are_a_delta_of_sqrt_3) {
  PhaseLoad p;
  p.pair_va = {10e3, 10e3, 10e3};
  const auto i = line_currents(p, 208);
  for (const double a : i.a) EXPECT_NEAR(a, std::sqrt(3.0) * 10e3 / 208, 1e-9);
  EXPECT_NEAR(i.imbalance(), 0, 1e-12);
  EXPECT_NEAR(stranded_va(p), 0, 1e-6);
  // One pair alone loads two lines: I, I, 0.
  p.pair_va = {10e3, 0, 0};
  const auto one = line_currents(p, 208);
  EXPECT_NEAR(one.a[0], 10e3 / 208, 1e-9);
  EXPECT_NEAR(one.a[1], 10e3 / 208, 1e-9);
  EXPECT_NEAR(one.a[2], 0, 1e-9);
}

TEST(Phases, ten_racks_on_one_phase_each_are_4_3_3_and_a_ups_hides_it) {
  Graph g;
  const int grid = g.add(gear("grid", NodeKind::utility, 1, 0));
  const int ups = g.add(gear("ups", NodeKind::ups, 1, 500e3));
  const int pdu = g.add(gear("pdu", NodeKind::pdu, 1, 120e3));
  Node r = racks("racks", 10, 9e3);
  r.phase.phases = 1;
  g.connect(grid, ups), g.connect(ups, pdu), g.connect(pdu, g.add(std::move(r)));
  ASSERT_TRUE(g.close());
  const auto loads = phase_loads(g, solve(g, normal(g)));
  EXPECT_NEAR(loads[std::size_t(pdu)].line_va[0], 36e3, 1e-9);
  EXPECT_NEAR(loads[std::size_t(pdu)].line_va[1], 27e3, 1e-9);
  EXPECT_NEAR(stranded_va(loads[std::size_t(pdu)]), 3 * 36e3 - 90e3, 1e-6);
  EXPECT_NEAR(stranded_va(loads[std::size_t(grid)]), 0, 1e-6);
  const Sweep s = sweep(g);
  EXPECT_NEAR(stage(s, "pdu").phases_w, 120e3 * (1 - 90.0 / 108), 1e-6);
}

RC_GTEST_PROP(Phases, power_is_kept_and_the_fullest_line_is_no_less_than_the_mean, ()) {
  PhaseUse use;
  use.phases = *rc::gen::inRange(1, 4), use.first = *rc::gen::inRange(0, 3);
  const double each = *rc::gen::inRange(1, 100) * 1e3;
  const int units = *rc::gen::inRange(1, 60);
  const PhaseLoad p = spread(each, units, use);
  RC_ASSERT(std::abs(p.total_va() - each * units) < 1e-6);
  RC_ASSERT(stranded_va(p) >= 0);
  if (units % 3 == 0) RC_ASSERT(stranded_va(p) < 1e-6 * p.total_va());
}

}  // namespace
}  // namespace headroom::power
