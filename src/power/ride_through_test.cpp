#include "power/ride_through.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom::power {
namespace {

RideSetup site() {
  RideSetup s;
  s.ups_w = 100e6;
  s.battery_j = 100e6 * 300;
  s.generator_w = 120e6;
  return s;
}

std::vector<Sag> read(const std::string& text) {
  std::vector<Sag> sags;
  const auto wrong = read_sags(text, sags);
  EXPECT_FALSE(wrong) << *wrong;
  return sags;
}

std::string refused(const std::string& text) {
  std::vector<Sag> sags;
  const auto wrong = read_sags(text, sags);
  EXPECT_TRUE(wrong) << text;
  return wrong.value_or("");
}

// NERC's review: six faults in 82 s; data centres that count three in a minute left at the third
// and stayed away for hours, until they were returned by hand.
TEST(RideThrough, ten_july_2024) {
  const auto sags = july_2024();
  ASSERT_EQ(sags.size(), 6u);
  EXPECT_NEAR(sags.back().at_s, 82, 1e-12);
  const auto r = ride_through(site(), sags);
  EXPECT_TRUE(r.latched);
  EXPECT_EQ(r.latched_at_sag, 3);
  EXPECT_NEAR(r.latched_at_s, 32.8, 1e-9);
  EXPECT_NEAR(r.left_w, 100e6, 1);
  EXPECT_EQ(r.left_at_s, 0);
  EXPECT_NEAR(r.until_s, 32.8 + 4 * 3600 + 9.5, 1);  // 95 % of the ramp
  EXPECT_FALSE(r.it_lost);                           // batteries, then generators
  EXPECT_LT(r.imbalance, 1e-12);
  // Without the counter every sag is a transfer, and the load is back seconds after the last.
  auto s = site();
  s.count = 0;
  const auto free = ride_through(s, sags);
  EXPECT_FALSE(free.latched);
  EXPECT_EQ(free.transfers, 6);
  EXPECT_NEAR(free.until_s, 82 + 0.06 + 10 + 9.5, 0.1);
}

TEST(RideThrough, two_in_a_minute_or_three_in_more_do_not_latch) {
  EXPECT_FALSE(ride_through(site(), read("30%@60ms x2/30s")).latched);
  EXPECT_TRUE(ride_through(site(), read("30%@60ms x3/60s")).latched);
  EXPECT_FALSE(ride_through(site(), read("30%@60ms x3/61s")).latched);
  auto s = site();
  s.count = 2;
  EXPECT_TRUE(ride_through(s, read("30%@60ms x2/30s")).latched);
}

TEST(RideThrough, a_shallow_sag_is_not_noticed) {
  const auto r = ride_through(site(), read("89%@1s"));
  EXPECT_EQ(r.transfers, 0);
  EXPECT_EQ(r.left_w, 0);
  EXPECT_EQ(r.away_s, 0);
}

// One sag: off for its length and requalification, then a ramp; the energy is closed.
TEST(RideThrough, the_battery_gives_what_the_grid_did_not) {
  const auto r = ride_through(site(), read("30%@100ms +5s"));
  EXPECT_EQ(r.transfers, 1);
  EXPECT_NEAR(r.battery_used_j, 100e6 * (0.1 + 10 + 10 / 2.0), 1e-3);
  EXPECT_NEAR(r.away_s, 0.1 + 10 + 9.5, 1e-9);
  EXPECT_FALSE(r.battery_empty);
  EXPECT_EQ(r.unserved_j, 0);
  // What it gave, it takes back: the integral of battery power is zero.
  double net = 0;
  for (std::size_t i = 0; i + 1 < r.knots.size(); ++i)
    net += (r.knots[i + 1].at_s - r.knots[i].at_s) *
           (r.knots[i].battery_w + r.knots[i + 1].battery_w) / 2;
  EXPECT_NEAR(net / r.battery_used_j, 0, 1e-9);
}

TEST(RideThrough, an_outage_calls_generators_and_the_battery_bridges) {
  auto s = site();
  const auto r = ride_through(s, read("0%@10min"));
  EXPECT_FALSE(r.it_lost);
  // Three seconds to the order, ten to start, half of the ramp; the return is generator to grid.
  EXPECT_NEAR(r.battery_used_j, 100e6 * (3 + 10 + 5), 1);
  EXPECT_NEAR(r.until_s, 600 + 1800 + 9.5, 1e-6);
  s.generator_w = 0;
  const auto dark = ride_through(s, read("0%@10min"));
  EXPECT_TRUE(dark.it_lost);
  EXPECT_TRUE(dark.battery_empty);
  EXPECT_NEAR(dark.it_lost_at_s, 300, 1e-6);
  EXPECT_NEAR(dark.battery_used_j, s.battery_j, 1);
  EXPECT_GT(dark.unserved_j, 100e6 * 300);
  EXPECT_LT(dark.imbalance, 1e-12);
  // Sets too small for the load drain the battery the longer.
  s.generator_w = 60e6;
  const auto small = ride_through(s, read("0%@10min"));
  EXPECT_NEAR(small.it_lost_at_s, 13 + 10 + (300 - 13 - (1 + 0.4) / 2 * 10) / 0.4, 1e-6);
}

TEST(RideThrough, a_sag_during_the_return_starts_again) {
  const auto r = ride_through(site(), read("30%@100ms x2/15s"));
  EXPECT_EQ(r.transfers, 2);
  EXPECT_NEAR(r.until_s, 15 + 0.1 + 10 + 9.5, 1e-9);
  EXPECT_LT(r.imbalance, 1e-12);
}

TEST(RideThrough, machines_without_a_ups_follow_the_curve) {
  RideSetup s;
  s.direct_w = 1e6, s.mechanical_w = 5e5;
  EXPECT_FALSE(ride_through(s, read("0%@19ms")).it_lost);
  const auto fell = ride_through(s, read("0%@60ms"));
  EXPECT_TRUE(fell.it_lost);
  EXPECT_NEAR(fell.it_out_s, 0.06 - 0.02 + 600, 1e-9);
  EXPECT_NEAR(fell.left_w, 1.5e6, 1);
  EXPECT_FALSE(ride_through(s, read("72%@400ms")).it_lost);
  EXPECT_TRUE(ride_through(s, read("72%@600ms")).it_lost);
  // SEMI F47 bears half of the voltage for 0.2 s, ITI 20 ms.
  EXPECT_FALSE(ride_through(s, read("50%@200ms")).mechanical_lost);
  EXPECT_TRUE(ride_through(s, read("49%@200ms")).mechanical_lost);
}

TEST(Tolerance, curves_are_their_published_points) {
  const auto& f47 = tolerance_curves()[1];
  EXPECT_EQ(f47.bears_s(0.5), 0.2);
  EXPECT_EQ(f47.bears_s(0.7), 0.5);
  EXPECT_EQ(f47.bears_s(0.8), 1);
  EXPECT_TRUE(std::isinf(f47.bears_s(0.9)));
  EXPECT_EQ(tolerance_curves()[0].bears_s(0), 0.02);
}

TEST(Sags, are_read_with_units) {
  const auto s = read("30%@0.1s x3/60s +2s");
  ASSERT_EQ(s.size(), 3u);
  EXPECT_DOUBLE_EQ(s[0].residual, 0.3);
  EXPECT_DOUBLE_EQ(s[0].duration_s, 0.1);
  EXPECT_DOUBLE_EQ(s[0].at_s, 2);
  EXPECT_DOUBLE_EQ(s[2].at_s, 62);
  EXPECT_EQ(read("0@2min").size(), 1u);
}

TEST(Sags, mistakes_say_what_was_expected) {
  EXPECT_NE(refused("30%").find("no duration"), std::string::npos);
  EXPECT_NE(refused("95%@1s").find("0 to 90 %"), std::string::npos);
  EXPECT_NE(refused("-5%@1s").find("0 to 90 %"), std::string::npos);
  EXPECT_NE(refused("deep@1s").find("no remaining voltage"), std::string::npos);
  EXPECT_NE(refused("30%@60").find("with its unit"), std::string::npos);
  EXPECT_NE(refused("30%@60kW").find("duration"), std::string::npos);
  EXPECT_NE(refused("30%@60ms x0/1s").find("1 to 100"), std::string::npos);
  EXPECT_NE(refused("30%@60ms x2.5/1s").find("whole number"), std::string::npos);
  EXPECT_NE(refused("30%@60ms x3").find("within what time"), std::string::npos);
  EXPECT_NE(refused("30%@1s x9/4s").find("do not fit"), std::string::npos);
  std::vector<Sag> two{{0, 0.3, 2}, {1, 0.3, 1}};
  EXPECT_TRUE(order_sags(two));
}

}  // namespace
}  // namespace headroom::power
