#include "power/smoothing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "power/smoothing_size.hpp"

namespace headroom::power {
namespace {

Series square(double low, double high, std::size_t half, std::size_t periods) {
  Series s;
  for (std::size_t p = 0; p < periods; ++p) {
    s.insert(s.end(), half, high);
    s.insert(s.end(), half, low);
  }
  return s;
}

double balance(const Series& load, double dt, const Smoothed& r) {
  const double in = energy(r.grid, dt);
  return (in - energy(load, dt) - r.loss_j - r.stored_j) / in;
}

// E_swing = tau D tanh(T / 4 tau), in the steady cycle; D T / 4 for a long tau.
TEST(Smooth, a_square_wave_swings_the_charge_by_its_closed_form) {
  const double dt = 0.01, period = 2, peak_to_peak = 1e6;
  const auto load = square(1e6, 2e6, 100, 600);
  for (const double tau : {0.2, 1.0, 5.0}) {
    Storage s;
    s.tau_s = tau;
    // Rests where the cycle begins: at its lowest charge less half of the swing.
    const double swing = tau * peak_to_peak * std::tanh(period / (4 * tau));
    const auto r = smooth(load, dt, s, 1.5e6 - swing / tau / 2);
    EXPECT_NEAR(r.swing_j / swing, 1, 1e-9) << tau;
    EXPECT_NEAR(balance(load, dt, r), 0, 1e-12);
  }
  Storage slow;
  slow.tau_s = 200;
  const auto r = smooth(load, dt, slow, 1.5e6 - peak_to_peak * period / 8 / slow.tau_s);
  EXPECT_NEAR(r.swing_j / square_swing(peak_to_peak, period, 0.5), 1, 5e-3);
  EXPECT_DOUBLE_EQ(square_swing(peak_to_peak, period, 0.5), peak_to_peak * period / 4);
  // What is left of the swing.
  const auto [low, high] = std::minmax_element(r.grid.end() - 1000, r.grid.end());
  EXPECT_LT(*high - *low, 0.01 * peak_to_peak);
}

TEST(Smooth, a_step_moves_the_charge_by_tau_times_its_height) {
  Series load(500, 1e6);
  load.resize(60000, 3e6);
  Storage s;
  s.tau_s = 20;
  const auto r = smooth(load, 0.01, s);
  EXPECT_NEAR(r.stored_j, -20 * 2e6, 1);
  const double t = 10.0;  // after the step: mean over the sample of 1 - exp(-t / tau)
  const double a = std::exp(-(t) / 20), b = std::exp(-(t + 0.01) / 20);
  EXPECT_NEAR(r.grid[500 + 1000], 3e6 - 2e6 * 20 * (a - b) / 0.01, 1e-3);
}

TEST(Smooth, re_centring_brings_the_charge_back) {
  Series load(500, 1e6);
  load.resize(200000, 3e6);
  Storage s;
  s.tau_s = 20, s.recentre_s = 160;
  const auto r = smooth(load, 0.01, s);
  EXPECT_NEAR(r.stored_j, 0, 1e-3 * 20 * 2e6);
  EXPECT_NEAR(r.grid.back(), 3e6, 1e3);
}

TEST(Smooth, losses_are_those_of_the_round_trip) {
  const auto load = square(1e6, 2e6, 100, 2000);
  Storage s;
  s.tau_s = 30, s.recentre_s = 300, s.round_trip = 0.8;
  const auto r = smooth(load, 0.01, s, 1.5e6);
  EXPECT_NEAR(balance(load, 0.01, r), 0, 1e-12);
  // In a closed cycle what comes out is 0.8 of what goes in: loss = out / 0.8 - out.
  EXPECT_NEAR((r.loss_j + r.stored_j) / (r.throughput_j / 0.8 - r.throughput_j), 1, 0.02);
}

TEST(Smooth, what_does_not_fit_passes) {
  const auto load = square(1e6, 2e6, 200, 50);
  Storage s;
  s.tau_s = 10, s.capacity_j = 1e5;
  const auto r = smooth(load, 0.01, s, 1.5e6);
  EXPECT_GT(r.saturated_s, 0);
  EXPECT_LE(r.swing_j, 1e5 * (1 + 1e-12));
  EXPECT_NEAR(balance(load, 0.01, r), 0, 1e-12);
  Storage weak;
  weak.tau_s = 10, weak.power_w = 1e5;
  const auto w = smooth(load, 0.01, weak, 1.5e6);
  EXPECT_LE(w.most_w, 1e5);
  for (std::size_t k = 0; k < load.size(); ++k)
    ASSERT_LE(std::abs(w.grid[k] - load[k]), 1e5 * (1 + 1e-9));
}

// Means over a sample do not depend on how finely the sample is cut: stepping is exact.
TEST(Smooth, is_the_same_at_a_tenth_of_the_step) {
  const auto load = square(1e6, 2e6, 37, 20);
  Series fine;
  for (const double p : load) fine.insert(fine.end(), 10, p);
  Storage s;
  s.tau_s = 0.3, s.capacity_j = 1.2e5, s.power_w = 4e5, s.round_trip = 0.85;
  const auto a = smooth(load, 0.01, s, 1.4e6);
  const auto b = smooth(fine, 0.001, s, 1.4e6);
  EXPECT_NEAR(a.loss_j / b.loss_j, 1, 1e-9);
  EXPECT_NEAR(a.swing_j / b.swing_j, 1, 1e-9);
  const auto back = coarser(b.grid, 10);
  for (std::size_t k = 0; k < load.size(); ++k) ASSERT_NEAR(a.grid[k], back[k], 1e-3);
}

TEST(Smooth, a_slow_control_lets_fast_swings_pass) {
  const double dt = 0.001;
  const auto load = square(1e6, 2e6, 25, 400);  // 20 Hz
  Storage s;
  s.tau_s = 10, s.bandwidth_hz = 1;
  const auto r = smooth(load, dt, s, 1.5e6);
  const auto before = spectrum(load, dt, 15, 25), after = spectrum(r.grid, dt, 15, 25);
  EXPECT_GT(after.strongest.amplitude_w, 0.9 * before.strongest.amplitude_w);
  EXPECT_NEAR(balance(load, dt, r), 0, 1e-12);
}

TEST(Smooth, energy_is_conserved_for_any_storage) {
  rc::check([] {
    const auto number = [](int low, int high) { return double(*rc::gen::inRange(low, high)); };
    Storage s;
    s.tau_s = number(1, 5000) / 100;
    if (*rc::gen::arbitrary<bool>()) s.capacity_j = number(1, 1000) * 1e3;
    if (*rc::gen::arbitrary<bool>()) s.power_w = number(0, 1000) * 1e3;
    if (*rc::gen::arbitrary<bool>()) s.recentre_s = s.tau_s * number(4, 40);
    if (*rc::gen::arbitrary<bool>()) s.bandwidth_hz = number(1, 500) / 10;
    s.round_trip = number(50, 101) / 100;
    Series load(400);
    for (auto& p : load) p = number(0, 3000) * 1e3;
    load[0] = 1e6;
    const auto r = smooth(load, 0.01, s);
    RC_ASSERT(std::abs(energy(r.grid, 0.01) - energy(load, 0.01) - r.loss_j - r.stored_j) <=
              1e-9 * energy(load, 0.01));
    RC_ASSERT(r.loss_j >= -1e-6);
    RC_ASSERT(r.swing_j <= s.capacity_j * (1 + 1e-12));
    RC_ASSERT(r.most_w <= s.power_w * (1 + 1e-12));
  });
}

Target range_of(double w) {
  Target t;
  t.range_w = w;
  return t;
}

TEST(Size, needs_the_swing_of_the_wave_and_no_less) {
  const auto load = square(1e6, 2e6, 100, 82);
  StorageKind kind;
  kind.round_trip = 1;
  const auto tight = size_storage(load, 0.01, kind, range_of(5e4), {});
  ASSERT_TRUE(tight.met);
  EXPECT_LE(tight.residual.measures.range_w(), 5e4 * (1 + 1e-9));
  // D T / 4, and a little for the transient of its start.
  EXPECT_GE(tight.swing_j, 0.95 * square_swing(1e6, 2, 0.5));
  EXPECT_LE(tight.swing_j, 1.3 * square_swing(1e6, 2, 0.5));
  const auto loose = size_storage(load, 0.01, kind, range_of(5e5), {});
  ASSERT_TRUE(loose.met);
  EXPECT_LT(loose.swing_j, tight.swing_j);
  EXPECT_LT(loose.tau_s, tight.tau_s);
}

TEST(Size, says_when_no_size_is_enough) {
  const auto load = square(1e6, 2e6, 5, 2000);  // 10 Hz
  StorageKind slow;
  slow.bandwidth_hz = 0.5;
  EXPECT_FALSE(size_storage(load, 0.01, slow, range_of(1e5), {}).met);
}

TEST(Size, wear_asks_for_more_than_the_swing) {
  const auto load = square(1e6, 2e6, 100, 82);
  StorageKind battery;
  battery.life_s = 10 * 8760 * 3600.0, battery.cycles = 6000, battery.usd_j = 1e-4;
  const auto s = size_storage(load, 0.01, battery, range_of(2e5), {});
  ASSERT_TRUE(s.met);
  EXPECT_GT(s.cycles_year, 1e6);
  EXPECT_NEAR(s.capacity_j / s.swing_j, s.cycles_year * 10 / 6000, 1e-6 * s.cycles_year);
  EXPECT_NEAR(s.usd, s.capacity_j * 1e-4, 1e-9 * s.usd);
  // An annuity of 9 % over ten years is 15.58 % a year (textbook table).
  EXPECT_NEAR(recovery(0.09, 10), 0.15582, 1e-5);
  EXPECT_NEAR(recovery(0, 10), 0.1, 1e-15);
}

}  // namespace
}  // namespace headroom::power
