// The chain as conversion stages: loss curves against published points, and
// energy that never appears or vanishes.
#include "power/chain.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/catalog.hpp"
#include "power/targets.hpp"

namespace headroom::power {
namespace {

const catalog::PowerGear& gear(const char* id) {
  const auto* g = catalog::Catalog::builtin().find<catalog::PowerGear>(id);
  EXPECT_NE(g, nullptr) << id;
  static const catalog::PowerGear none;
  return g != nullptr ? *g : none;
}

double efficiency(const char* id, double x) { return gear(id).loss.efficiency(x); }

TEST(LossCurve, modern_ups_meets_the_vendor_points_of_its_fit) {
  EXPECT_NEAR(efficiency("ups-double-conversion", 0.25), 0.960, 0.0005);
  EXPECT_NEAR(efficiency("ups-double-conversion", 0.50), 0.970, 0.0005);
  EXPECT_NEAR(efficiency("ups-double-conversion", 0.75), 0.971, 0.0005);
  EXPECT_NEAR(efficiency("ups-double-conversion", 1.00), 0.969, 0.0005);
}

TEST(LossCurve, legacy_ups_gives_85_percent_at_a_quarter_load) {
  EXPECT_NEAR(efficiency("ups-legacy", 0.25), 0.849, 0.001);
  EXPECT_NEAR(efficiency("ups-legacy", 1.00), 0.925, 0.001);
}

TEST(LossCurve, eco_mode_stays_between_98_and_99_percent_from_a_quarter_up) {
  for (const double x : {0.25, 0.5, 0.75, 1.0}) {
    EXPECT_GE(efficiency("ups-eco", x), 0.98);
    EXPECT_LE(efficiency("ups-eco", x), 0.99);
  }
}

// 10 CFR 431.196: a 1,000 kVA low-voltage dry-type transformer has 99.28 % at 35 %.
TEST(LossCurve, dry_transformer_meets_the_federal_minimum_at_35_percent) {
  EXPECT_NEAR(efficiency("transformer-dry-1000", 0.35), 0.9928, 0.0001);
  EXPECT_NEAR(efficiency("transformer-dry-1000", 1.00), 0.9885, 0.0002);
}

TEST(LossCurve, no_load_gives_no_efficiency_but_a_loss) {
  EXPECT_EQ(efficiency("ups-double-conversion", 0), 0);
  EXPECT_GT(gear("ups-double-conversion").loss.at(0), 0);
}

// 600 kW on a UPS bank of 1 MW: x = 0.6, loss 1000 (0.00783 + 0.00594 0.6 + 0.01818 0.36).
TEST(Solve, one_hall_by_hand) {
  Chain chain;
  chain.distribution = {Stage{}};
  chain.ups = make_stage(1 * megawatt, gear("ups-double-conversion").loss);
  const Flow flow = solve(chain, {{600 * kilowatt}, 150 * kilowatt, 10 * kilowatt});
  EXPECT_NEAR(flow.ups_loss.in(kilowatt), 7.83 + 3.564 + 6.5448, 1e-9);
  EXPECT_NEAR(flow.meter.in(kilowatt), 600 + 17.9388 + 150 + 10, 1e-9);
}

TEST(Solve, half_empty_redundant_bank_loses_more_than_a_full_one) {
  const auto& curve = gear("ups-legacy").loss;
  const Power n = make_stage(1 * megawatt, curve).loss(800 * kilowatt);
  const Power two_n = make_stage(2 * megawatt, curve).loss(800 * kilowatt);
  EXPECT_GT(two_n.in(kilowatt), n.in(kilowatt) + 20);
}

TEST(Solve, mechanical_share_moves_cooling_behind_the_ups) {
  Chain chain;
  chain.distribution = {Stage{}};
  chain.ups = make_stage(2 * megawatt, gear("ups-double-conversion").loss);
  const Loads loads{{1 * megawatt}, 200 * kilowatt, {}};
  const Flow without = solve(chain, loads);
  chain.mechanical_on_ups = 0.5;
  const Flow with = solve(chain, loads);
  EXPECT_NEAR((with.ups_output - without.ups_output).in(kilowatt), 100, 1e-9);
  EXPECT_GT(with.meter.si(), without.meter.si());
}

TEST(Solve, frontier_idle_hpl_and_peak_within_a_thousandth) {
  EXPECT_NEAR(frontier_power(0, 0).in(megawatt), 7.307, 0.0073);
  EXPECT_NEAR(frontier_power(0.33, 4 * 0.79).in(megawatt), 22.954, 0.023);
  EXPECT_NEAR(frontier_power(1, 4).in(megawatt), 28.228, 0.028);
}

Stage arbitrary_stage() {
  const double rating = *rc::gen::inRange(0, 5000) * 1e3;
  return {Power::from_si(rating), *rc::gen::inRange(0, 50) * 1e-3, *rc::gen::inRange(0, 50) * 1e-3,
          *rc::gen::inRange(0, 50) * 1e-3};
}

Chain arbitrary_chain(int halls) {
  Chain chain;
  for (int i = 0; i < halls; ++i) chain.distribution.push_back(arbitrary_stage());
  chain.ups = arbitrary_stage();
  chain.switchgear = arbitrary_stage();
  chain.transformer = arbitrary_stage();
  chain.mechanical_on_ups = *rc::gen::inRange(0, 101) * 0.01;
  return chain;
}

Loads arbitrary_loads(int halls) {
  Loads loads;
  for (int i = 0; i < halls; ++i) loads.halls.push_back(*rc::gen::inRange(0, 3000) * kilowatt);
  loads.cooling = *rc::gen::inRange(0, 1500) * kilowatt;
  loads.other = *rc::gen::inRange(0, 100) * kilowatt;
  return loads;
}

RC_GTEST_PROP(Solve, energy_in_is_energy_out, ()) {
  const int halls = *rc::gen::inRange(1, 8);
  const Flow flow = solve(arbitrary_chain(halls), arbitrary_loads(halls));
  RC_ASSERT(flow.imbalance() < 1e-12);
}

RC_GTEST_PROP(Solve, more_it_load_never_lowers_the_meter, ()) {
  const int halls = *rc::gen::inRange(1, 4);
  const Chain chain = arbitrary_chain(halls);
  Loads loads = arbitrary_loads(halls);
  const Power before = solve(chain, loads).meter;
  loads.halls[0] += *rc::gen::inRange(1, 500) * kilowatt;
  RC_ASSERT(solve(chain, loads).meter > before);
}

}  // namespace
}  // namespace headroom::power
