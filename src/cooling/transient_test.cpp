// Exact steps against a small-step integrator of our own, walks against the steady plant and
// published times to shutdown, throttling against its closed forms.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "cooling/failure_walk.hpp"
#include "cooling/sizing.hpp"
#include "cooling/weather.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

// --- Exact steps --------------------------------------------------------------

// Dormand-Prince 4(5) with step control, straight from the terms: shares nothing with
// exact_step.cpp but the description of the system.
std::vector<double> small_steps(const ThermalSystem& s, std::vector<double> t, double until) {
  const std::size_t n = s.size();
  const auto slope = [&](const std::vector<double>& x) {
    std::vector<double> d(n);
    for (std::size_t i = 0; i < n; ++i) d[i] = s.source[i];
    for (const auto& term : s.terms) {
      const double heat = term.coefficient * x[term.node];
      if (term.from != outside) d[term.from] -= heat;
      if (term.to != outside) d[term.to] += heat;
    }
    for (std::size_t i = 0; i < n; ++i) d[i] /= s.capacity[i];
    return d;
  };
  static constexpr double a[7][6] = {
      {},
      {1.0 / 5},
      {3.0 / 40, 9.0 / 40},
      {44.0 / 45, -56.0 / 15, 32.0 / 9},
      {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
      {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
      {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
  static constexpr double e[7] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                  -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
  double now = 0, h = 0.01;
  while (now < until) {
    h = std::min(h, until - now);
    std::vector<std::vector<double>> k(7);
    for (int stage = 0; stage < 7; ++stage) {
      auto x = t;
      for (int j = 0; j < stage; ++j) {
        for (std::size_t i = 0; i < n; ++i) x[i] += h * a[stage][j] * k[j][i];
      }
      k[stage] = slope(x);
      if (stage == 6) {
        double worst = 0;
        for (std::size_t i = 0; i < n; ++i) {
          double error = 0;
          for (int j = 0; j < 7; ++j) error += e[j] * k[j][i];
          worst = std::max(worst, std::abs(h * error));
        }
        if (worst < 1e-9) now += h, t = x;
        h *= std::clamp(0.9 * std::pow(1e-9 / std::max(worst, 1e-15), 0.2), 0.2, 4.0);
      }
    }
  }
  return t;
}

ThermalSystem chain_of(int n) {
  ThermalSystem s;
  for (int i = 0; i < n; ++i) s.add("n", 2e3 * (1 + i % 5) * (i % 3 == 0 ? 50 : 1));
  for (std::size_t i = 0; i + 1 < s.size(); ++i) {
    s.conduct(i, i + 1, 300 + 40.0 * static_cast<double>(i));
    s.advect(i, i + 1, 500);
  }
  s.advect(s.size() - 1, 0, 500);
  s.exchange(s.size() - 1, 1, 0, 2, 120);
  s.surroundings(0, 15, 400);
  s.source[s.size() / 2] += 9e3;
  return s;
}

TEST(ExactStep, one_node_is_the_exponential) {
  ThermalSystem s;
  s.add("n", 60e3);
  s.surroundings(0, 20, 500);
  s.source[0] += 5e3;
  std::vector<double> t{20};
  ExactStepper stepper(s);
  stepper.step(t, 90);
  EXPECT_NEAR(t[0], 20 + 10 * (1 - std::exp(-90 * 500 / 60e3)), 1e-12);
}

TEST(ExactStep, agrees_with_small_steps) {
  for (const int n : {3, 5, 12}) {
    const auto s = chain_of(n);
    std::vector<double> t(s.size(), 25.0);
    const auto reference = small_steps(s, t, 300);
    ExactStepper stepper(s);
    for (int i = 0; i < 300; ++i) stepper.step(t, 1);
    for (std::size_t i = 0; i < t.size(); ++i) EXPECT_NEAR(t[i], reference[i], 1e-6) << n;
  }
}

TEST(ExactStep, one_long_step_is_many_short_ones) {
  const auto s = chain_of(9);
  std::vector<double> once(s.size(), 30.0), often = once;
  ExactStepper stepper(s);
  stepper.step(once, 86400);
  for (int i = 0; i < 86400; ++i) stepper.step(often, 1);
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(once[i], often[i], 1e-8);
}

RC_GTEST_PROP(ExactStep, energy_in_is_out_and_stored, ()) {
  const auto s = chain_of(*rc::gen::inRange(3, 15));
  std::vector<double> t(s.size(), *rc::gen::inRange(5, 60) * 1.0);
  ExactStepper stepper(s);
  const double h = *rc::gen::inRange(1, 5000) * 0.1;
  for (int i = 0; i < 10; ++i) RC_ASSERT(stepper.step(t, h).imbalance() < 1e-9);
}

// --- Throttling ---------------------------------------------------------------

TEST(Throttle, full_power_when_cool_floor_when_hot_nothing_beyond) {
  const Throttle t;
  EXPECT_EQ(power_share(t, 60), 1);
  EXPECT_NEAR(power_share(t, t.throttle_c + t.band_k / 2), (1 + t.floor_share) / 2, 1e-12);
  EXPECT_EQ(power_share(t, t.throttle_c + 2 * t.band_k - 3), t.floor_share);
  EXPECT_EQ(power_share(t, t.shutdown_c), 0);
}

TEST(Throttle, clock_is_a_cube_root_above_the_voltage_floor_and_joins_below) {
  const Throttle t;
  EXPECT_EQ(clock_share(t, 1), 1);
  EXPECT_NEAR(clock_share(t, 0.2 + 0.8 * 0.512), 0.8, 1e-12);
  const double joint = 0.2 + 0.8 * 0.216;
  EXPECT_NEAR(clock_share(t, joint - 1e-9), clock_share(t, joint + 1e-9), 1e-6);
  EXPECT_EQ(clock_share(t, 0.2), 0);
}

RC_GTEST_PROP(Throttle, closed_loop_meets_both_lines, ()) {
  const Throttle t;
  const double coolant = *rc::gen::inRange(150, 700) * 0.1;
  const double r = *rc::gen::inRange(10, 60) * 1e-3;
  const auto s = throttled(t, coolant, 1000, r);
  if (s.shut_down) {
    RC_ASSERT(coolant + r * 1000 * t.floor_share >= t.shutdown_c);
    return;
  }
  RC_ASSERT(std::abs(s.chip_c - (coolant + r * 1000 * s.power_share)) < 1e-9);
  RC_ASSERT(s.power_share == 1 || s.power_share <= power_share(t, s.chip_c) + 1e-9);
  RC_ASSERT(s.power_share == 1 || s.chip_c >= t.throttle_c - 1e-9);
  RC_ASSERT(throttled(t, coolant + 1, 1000, r).power_share <= s.power_share + 1e-12);
}

TEST(Throttle, a_cap_below_the_throttle_point_cools_the_chip) {
  const Throttle t;
  const auto free = throttled(t, 60, 1000, 0.04), capped = throttled(t, 60, 1000, 0.04, 0.5);
  EXPECT_LT(free.power_share, 1);
  EXPECT_EQ(capped.power_share, 0.5);
  EXPECT_LT(capped.chip_c, free.chip_c);
}

// --- Walks --------------------------------------------------------------------

Plant liquid_plant() {
  Plant p;
  RackGroup g;
  g.name = "gpu";
  g.racks = 16, g.rack_w = 120e3;
  g.family = CoolingFamily::cold_plate;
  g.liquid_share = 0.85;
  g.supply.celsius = 35;
  g.chip = {1000, 0.025, 0.4, 87};
  p.groups.push_back(g);
  HallAir hall;
  hall.groups = {0};
  hall.supply.celsius = 27;
  p.halls.push_back(hall);
  WaterLoop warm, cold;
  warm.name = "warm", cold.name = "cold";
  warm.supply.celsius = 30;
  cold.supply.celsius = 20;
  cold.chillers.capacity_w = 600e3;
  cold.chillers.on_air = true;
  p.loops = {warm, cold};
  p.halls[0].loop = 1;
  PlantSizing s;
  s.tower = true;
  s.design_wet_bulb_c = 22;
  Plant sized = p;
  size(sized, s);
  sized.loops[1].tower = {};
  return sized;
}

Plant air_plant(double cabinet_w) {
  Plant p;
  RackGroup g;
  g.name = "cabinets";
  g.racks = 100, g.rack_w = cabinet_w;
  p.groups.push_back(g);
  HallAir hall;
  hall.groups = {0};
  hall.supply.celsius = 20;
  p.halls.push_back(hall);
  WaterLoop loop;
  loop.supply.celsius = 14;
  loop.chillers.capacity_w = 130 * cabinet_w;
  loop.chillers.on_air = true;
  p.loops.push_back(loop);
  size(p, {});
  return p;
}

const HourInput mild{.dry_bulb_c = 25, .wet_bulb_c = 18};

// The time-domain plant rests where the steady plant is.
TEST(Walk, without_events_stays_at_the_steady_state) {
  const Plant p = liquid_plant();
  PlantSolver solver(p);
  solver.at(mild);
  const auto w = walk(p, mild, {}, {.horizon_s = 900});
  EXPECT_NEAR(w.inlet_c[0].front(), solver.air_c()[0], 1e-3);
  EXPECT_NEAR(w.inlet_c[0].back(), solver.air_c()[0], 1e-3);
  EXPECT_NEAR(w.supply_c[0].back(), solver.loop_supply_c()[0], 1e-3);
  const auto flows = solver.liquid(0);
  const double coolant_out = solver.coolant_c()[0] + flows.heat_w / flows.hot;
  EXPECT_NEAR(w.groups[0].coolant_c.back(), coolant_out, 1e-3);
  EXPECT_TRUE(w.recovered);
  EXPECT_EQ(w.groups[0].throttle_at_s, -1);
  EXPECT_LT(w.worst_imbalance, 1e-9);
}

// Steady year against time domain: hours from all over the year, at their own loads.
TEST(Walk, rests_where_the_steady_year_is_all_year_round) {
  const Plant p = liquid_plant();
  PlantSolver solver(p);
  const auto w = synthetic_year(*catalog::Catalog::builtin().find<catalog::Climate>("chicago-il"));
  for (std::size_t h = 7; h < w.hours(); h += 487) {
    HourInput in;
    in.dry_bulb_c = w.dry_bulb_c[h];
    in.wet_bulb_c = w.wet_bulb_c[h];
    in.pressure_pa = w.pressure_pa[h];
    in.share = 0.5 + 0.5 * static_cast<double>(h % 11) / 10;
    const auto steady = solver.at(in);
    const auto walked = walk(p, in, {}, {.horizon_s = 1200});
    EXPECT_NEAR(walked.inlet_c[0].back(), solver.air_c()[0], 0.01) << h;
    EXPECT_NEAR(walked.groups[0].chip_c.back(), steady.chip_c, 0.01) << h;
    // At rest nothing is stored: what came in has left.
    EXPECT_NEAR(walked.stored_j / walked.in_j, 0, 1e-6) << h;
  }
}

// Opengate Data Systems for Active Power: 189 s at 5 kW a cabinet, below 60 s from 10 kW.
TEST(Walk, air_cabinets_shut_down_when_cooling_is_lost) {
  const FailureEvent lost{.what = Failure::everything, .at_s = 1};
  const auto five = walk(air_plant(5e3), mild, {lost});
  EXPECT_NEAR(five.groups[0].shutdown_at_s - 1, 189, 9);
  const auto ten = walk(air_plant(10e3), mild, {lost});
  EXPECT_GT(ten.groups[0].shutdown_at_s, 10);
  EXPECT_LT(ten.groups[0].shutdown_at_s - 1, 60);
  EXPECT_LT(five.worst_imbalance, 1e-9);
}

TEST(Walk, plates_without_flow_throttle_in_seconds_and_trip_within_a_minute) {
  const FailureEvent lost{.what = Failure::coolant_pumps, .index = 0, .at_s = 10};
  const auto w = walk(liquid_plant(), mild, {lost}, {.horizon_s = 120});
  EXPECT_GT(w.groups[0].throttle_at_s, 12);
  EXPECT_LT(w.groups[0].throttle_at_s, 35);
  EXPECT_GT(w.groups[0].shutdown_at_s, w.groups[0].throttle_at_s);
  EXPECT_LT(w.groups[0].shutdown_at_s - 10, 60);
  EXPECT_FALSE(w.recovered);
}

TEST(Walk, a_short_loss_of_pumps_is_ridden_through) {
  const FailureEvent lost{.what = Failure::coolant_pumps, .index = 0, .at_s = 10, .back_s = 14};
  const auto w = walk(liquid_plant(), mild, {lost}, {.horizon_s = 300});
  EXPECT_TRUE(w.recovered);
  EXPECT_EQ(w.groups[0].shutdown_at_s, -1);
}

TEST(Walk, half_the_pumps_is_warmer_but_runs) {
  const FailureEvent lost{.what = Failure::coolant_pumps, .index = 0, .share = 0.5, .at_s = 10};
  const auto w = walk(liquid_plant(), mild, {lost}, {.horizon_s = 900});
  EXPECT_EQ(w.groups[0].shutdown_at_s, -1);
  EXPECT_GT(w.groups[0].coolant_c.back(), w.groups[0].coolant_c.front() + 3);
}

TEST(Walk, a_leak_takes_only_its_manifold) {
  const FailureEvent leak{.what = Failure::leak, .index = 0, .share = 0.25, .at_s = 10};
  const auto w = walk(liquid_plant(), mild, {leak}, {.horizon_s = 300});
  EXPECT_GT(w.groups[0].shutdown_at_s, 10);
  EXPECT_NEAR(w.groups[0].power.back(), 0.75, 1e-6);
}

TEST(Walk, basin_and_store_buy_time_when_towers_stop) {
  const FailureEvent lost{.what = Failure::tower, .index = 0, .at_s = 10};
  WalkOptions small{.horizon_s = 3600}, large{.horizon_s = 3600};
  small.loops.basin_s = 60;
  large.loops.basin_s = 900;
  const auto a = walk(liquid_plant(), mild, {lost}, small);
  const auto b = walk(liquid_plant(), mild, {lost}, large);
  ASSERT_GT(a.groups[0].throttle_at_s, 60);
  EXPECT_GT(b.groups[0].throttle_at_s, a.groups[0].throttle_at_s + 120);
  EXPECT_LT(b.worst_imbalance, 1e-9);
}

TEST(Walk, chillers_lost_and_back) {
  const FailureEvent lost{.what = Failure::chillers, .index = 1, .at_s = 10, .back_s = 190};
  const auto w = walk(liquid_plant(), mild, {lost}, {.horizon_s = 3600});
  const auto& supply = w.supply_c[1];
  EXPECT_GT(*std::max_element(supply.begin(), supply.end()), supply.front() + 1);
  EXPECT_NEAR(supply.back(), supply.front(), 0.2);
  EXPECT_TRUE(w.recovered);
}

// The plates stay cold; what breathes the aisle's air trips when that is too warm.
TEST(Walk, hall_fans_lost_warms_the_aisle_and_not_the_plates) {
  const FailureEvent lost{.what = Failure::hall_fans, .index = 0, .at_s = 10};
  const WalkOptions options{.horizon_s = 120};
  const auto w = walk(liquid_plant(), mild, {lost}, options);
  const auto& racks = w.groups[0];
  ASSERT_GT(racks.shutdown_at_s, 15);
  const auto tripped = static_cast<std::size_t>(racks.shutdown_at_s);
  EXPECT_GT(w.inlet_c[0][tripped], w.inlet_c[0].front() + 8);
  EXPECT_GE(w.inlet_c[0][tripped], options.air_shutdown_c);
  EXPECT_LT(w.inlet_c[0][tripped - 1], options.air_shutdown_c);
  EXPECT_NEAR(racks.chip_c[tripped], racks.chip_c.front(), 0.5);
  EXPECT_EQ(racks.power[tripped - 1], 1);
  EXPECT_EQ(racks.power.back(), 0);
}

TEST(Walk, halving_the_control_step_changes_times_by_no_more_than_a_step_or_two) {
  const FailureEvent lost{.what = Failure::everything, .at_s = 10};
  const auto coarse = walk(liquid_plant(), mild, {lost}, {.horizon_s = 120});
  const auto fine = walk(liquid_plant(), mild, {lost}, {.horizon_s = 120, .control_s = 0.25});
  EXPECT_NEAR(coarse.groups[0].throttle_at_s, fine.groups[0].throttle_at_s, 1.01);
  EXPECT_NEAR(coarse.groups[0].shutdown_at_s, fine.groups[0].shutdown_at_s, 3);
}

}  // namespace
}  // namespace headroom::cooling
