// Every limit of the power layer, failing and holding.
#include "power/assess.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace headroom::power {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

Value<Power> kw(double v) { return {v * kilowatt, assumed("test")}; }
spec::Bank<Power> bank(int n, double each_kw) { return {n, kw(each_kw)}; }

// Ten racks of four DGX H100: 40.8 kW a rack, 408 kW a hall.
struct Site {
  Trace trace;
  Spec spec;
  Demand demand;

  Site() {
    HallDemand hall;
    hall.scope = "hall-a";
    hall.title = "hall A";
    hall.it_max = trace.input("hall-a.it", kw(408), "kW");
    hall.it_typical = trace.input("hall-a.it-typical", kw(300), "kW");
    hall.rack_max = trace.input("hall-a.rack", kw(40.8), "kW");
    hall.racks = 10;
    hall.box = "DGX H100";
    hall.boxes_per_rack = 4;
    hall.box_max = 10.2 * kilowatt;
    demand.halls.push_back(hall);
    demand.cooling_max = trace.input("cooling.max", kw(120), "kW");
    demand.cooling_typical = trace.input("cooling.typical", kw(60), "kW");
  }
  HallDemand& hall() { return demand.halls.front(); }
  Result run() { return assess(spec, demand, builtin(), trace); }
};

const Margin* find(const Result& r, const std::string& id) {
  const auto& all = r.findings.margins;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Margin& m) { return m.id == id; });
  return it == all.end() ? nullptr : &*it;
}

void expect_fails(const Result& r, const std::string& id) {
  const Margin* m = find(r, id);
  ASSERT_NE(m, nullptr) << id;
  EXPECT_FALSE(m->holds()) << id << " need " << m->need << " have " << m->have;
  EXPECT_FALSE(m->remedies.empty()) << id;
  EXPECT_FALSE(m->why.empty()) << id;
}

void expect_holds(const Result& r, const std::string& id) {
  const Margin* m = find(r, id);
  ASSERT_NE(m, nullptr) << id;
  EXPECT_TRUE(m->holds()) << id << " need " << m->need << " have " << m->have;
}

TEST(Assess, nothing_given_means_no_limits_but_losses_and_pue) {
  Site site;
  const Result r = site.run();
  EXPECT_TRUE(r.findings.margins.empty());
  EXPECT_GT(r.loss_max.value.si(), 0);
  EXPECT_NEAR(r.pue_max.value, r.meter_max.value / r.it_max.value, 1e-12);
  EXPECT_LT(r.pue_typical.value, 1.35);
  EXPECT_LT(r.max.imbalance(), 1e-12);
}

TEST(Assess, grid_connection) {
  Site site;
  site.spec.grid.capacity = kw(500);
  expect_fails(site.run(), "power.grid");
  site.spec.grid.capacity = kw(700);
  expect_holds(site.run(), "power.grid");
}

TEST(Assess, two_feeds_of_400_kw_fail_at_2n_and_hold_at_n) {
  Site site;
  site.spec.grid.feeds = bank(2, 400);
  site.spec.grid.redundancy = Redundancy::two_n;
  expect_fails(site.run(), "power.grid-feeds");
  site.spec.grid.redundancy = Redundancy::n;
  expect_holds(site.run(), "power.grid-feeds");
}

TEST(Assess, transformers_with_one_lost) {
  Site site;
  site.spec.transformer.units = bank(2, 500);
  site.spec.transformer.redundancy = Redundancy::n_plus_1;
  expect_fails(site.run(), "power.transformer");
  site.spec.transformer.units = bank(3, 500);
  expect_holds(site.run(), "power.transformer");
}

TEST(Assess, power_factor_lowers_what_a_transformer_carries) {
  Site site;
  site.spec.transformer.units = bank(1, 570);
  expect_holds(site.run(), "power.transformer");
  site.spec.power_factor = {0.9, assumed("test")};
  expect_fails(site.run(), "power.transformer");
}

TEST(Assess, generators_carry_ups_input_cooling_and_other) {
  Site site;
  site.spec.generator.units = bank(2, 500);
  site.spec.generator.redundancy = Redundancy::n_plus_1;
  expect_fails(site.run(), "power.generator");
  site.spec.generator.units = bank(3, 500);
  const Result r = site.run();
  expect_holds(r, "power.generator");
  EXPECT_GT(find(r, "power.generator")->need, (408 + 120) * 1e3);
}

// 1 m3 of diesel: 35.8 GJ x 0.38 = 3,779 kWh, about 6.9 h at 550 kW.
TEST(Assess, fuel_lasts_seven_hours_a_cubic_metre_here) {
  Site site;
  site.spec.generator.units = bank(3, 500);
  site.spec.generator.tank = {1 * cubic_metre, assumed("test")};
  const Result r = site.run();
  expect_fails(r, "power.generator-fuel");
  EXPECT_NEAR(find(r, "power.generator-fuel")->have / 3600,
              35.8e9 * 0.38 / r.max.switchgear_output.si() / 3600, 1e-6);
  site.spec.generator.tank = {5 * cubic_metre, assumed("test")};
  expect_holds(site.run(), "power.generator-fuel");
}

TEST(Assess, ups_three_modules_of_200_hold_at_n_and_fail_at_n_plus_1) {
  Site site;
  site.spec.ups.modules = bank(3, 200);
  site.spec.ups.redundancy = Redundancy::n;
  expect_holds(site.run(), "power.ups");
  site.spec.ups.redundancy = Redundancy::n_plus_1;
  const Result r = site.run();
  expect_fails(r, "power.ups");
  const auto& remedies = find(r, "power.ups")->remedies;
  EXPECT_EQ(remedies.front().action, "add 1 UPS module of 200 kW (to 4)");
  EXPECT_TRUE(remedies.front().cost.has_value());
  EXPECT_TRUE(remedies.front().lead_time.has_value());
}

TEST(Assess, no_ups_has_no_ups_loss_and_says_so) {
  Site site;
  site.spec.ups.redundancy = Redundancy::none;
  const Result r = site.run();
  EXPECT_EQ(r.max.ups_loss.si(), 0);
  EXPECT_EQ(find(r, "power.ups"), nullptr);
  EXPECT_TRUE(std::any_of(r.findings.remarks.begin(), r.findings.remarks.end(),
                          [](const auto& s) { return s.find("no UPS") != std::string::npos; }));
}

TEST(Assess, battery_must_outlast_the_crank_cycle_and_the_start) {
  Site site;
  site.spec.generator.units = bank(3, 500);
  site.spec.ups.modules = bank(3, 200);
  site.spec.ups.autonomy = {0.5 * minute, assumed("test")};
  expect_fails(site.run(), "power.ups-autonomy");
  site.spec.ups.autonomy = {5 * minute, assumed("test")};
  expect_holds(site.run(), "power.ups-autonomy");
}

TEST(Assess, distribution_of_a_hall) {
  Site site;
  site.hall().distribution.units = bank(4, 150);
  site.hall().distribution.redundancy = Redundancy::two_n;
  expect_fails(site.run(), "power.hall-a.distribution");
  // Three pairs of 150 kW are 450 kW, but ten racks stand four, three and three on them.
  site.hall().distribution.units = bank(6, 150);
  expect_fails(site.run(), "power.hall-a.distribution");
  EXPECT_NEAR(find(site.run(), "power.hall-a.distribution")->headroom(), 150 / (4 * 40.8) - 1,
              1e-9);
  site.hall().distribution.units = bank(6, 165);
  expect_holds(site.run(), "power.hall-a.distribution");
}

TEST(Assess, four_dgx_h100_on_a_and_b_of_17_kw_fit_one_a_rack) {
  Site site;
  site.hall().feed.feed = bank(2, 17.3);
  const Result r = site.run();
  expect_fails(r, "power.hall-a.rack-feed");
  const Margin* m = find(r, "power.hall-a.rack-feed");
  EXPECT_NEAR(m->headroom(), 17.3 / 40.8 - 1, 1e-12);
  EXPECT_EQ(m->remedies.front().action,
            "put 1 DGX H100 in a rack (10.2 kW), which takes 40 racks instead of 10");
}

TEST(Assess, racks_of_switches_do_not_multiply) {
  Site site;
  site.hall().feed.feed = bank(2, 17.3);
  site.hall().racks = 13;
  site.hall().box_racks = 12;
  site.hall().boxes = 48;
  EXPECT_EQ(find(site.run(), "power.hall-a.rack-feed")->remedies.front().action,
            "put 1 DGX H100 in a rack (10.2 kW), which takes 49 racks instead of 13");
}

TEST(Assess, a_near_grid_limit_asks_for_the_missing_reserve) {
  Site site;
  const Power meter = site.run().meter_max.value;
  site.spec.grid.capacity = {meter * 1.05, assumed("test")};
  const Result r = site.run();
  const Margin* m = find(r, "power.grid");
  ASSERT_TRUE(m->holds());
  ASSERT_EQ(m->remedies.size(), 1u);
  EXPECT_EQ(m->remedies[0].action.find("ask the utility for 0 "), std::string::npos);
}

TEST(Assess, the_same_feeds_at_n_carry_both_sides) {
  Site site;
  site.hall().feed.feed = bank(3, 17.3);  // odd: N, 51.9 kW
  expect_holds(site.run(), "power.hall-a.rack-feed");
}

// sqrt(3) x 208 V x 60 A x 0.8 = 17.3 kW, the trade's usual figure.
TEST(Assess, breaker_of_60_a_at_208_v_carries_17_kw) {
  Site site;
  auto& feed = site.hall().feed;
  feed.feed.count = 2;
  feed.breaker = {60 * UnitOf<Current::dim>{1.0}, assumed("test")};
  feed.voltage = {208 * UnitOf<Voltage::dim>{1.0}, assumed("test")};
  const Result r = site.run();
  expect_fails(r, "power.hall-a.rack-breaker");
  EXPECT_NEAR(find(r, "power.hall-a.rack-breaker")->have, 17293, 1);
  feed.breaker = {100 * UnitOf<Current::dim>{1.0}, assumed("test")};
  feed.voltage = {415 * UnitOf<Voltage::dim>{1.0}, assumed("test")};
  expect_holds(site.run(), "power.hall-a.rack-breaker");
}

TEST(Assess, a_100_percent_rated_breaker_lifts_the_80_percent_rule) {
  Site site;
  auto& feed = site.hall().feed;
  feed.feed.count = 1;
  feed.breaker = {60 * UnitOf<Current::dim>{1.0}, assumed("test")};
  feed.voltage = {415 * UnitOf<Voltage::dim>{1.0}, assumed("test")};
  expect_fails(site.run(), "power.hall-a.rack-breaker");  // 34.5 kW
  feed.continuous = {1.0, assumed("test")};
  expect_holds(site.run(), "power.hall-a.rack-breaker");  // 43.1 kW
}

TEST(Assess, bill_lists_gear_only_when_itemised) {
  Site site;
  site.spec.ups.modules = bank(3, 200);
  EXPECT_TRUE(site.run().findings.bill.lines().empty());
  site.spec.itemised = true;
  const auto lines = site.run().findings.bill.lines();
  ASSERT_EQ(lines.size(), 2u);  // modules and their batteries
  EXPECT_EQ(lines[0].count, 3);
  EXPECT_NEAR(lines[0].unit_price->in(dollar), 350 * 200, 1e-6);
}

TEST(Assess, zero_load_is_an_answer) {
  Site site;
  site.hall().it_max.value = site.hall().it_typical.value = site.hall().rack_max.value = Power{};
  site.demand.cooling_max.value = site.demand.cooling_typical.value = Power{};
  site.spec.grid.capacity = kw(100);
  site.spec.generator.units = bank(1, 100);
  site.spec.generator.tank = {1 * cubic_metre, assumed("test")};
  const Result r = site.run();
  EXPECT_EQ(r.pue_max.value.si(), 0);
  for (const auto& m : r.findings.margins) EXPECT_TRUE(m.holds()) << m.id;
}

TEST(Assess, a_bank_of_none_is_a_limit_with_a_remedy) {
  Site site;
  site.spec.ups.modules = bank(0, 200);
  expect_fails(site.run(), "power.ups");
}

}  // namespace
}  // namespace headroom::power
