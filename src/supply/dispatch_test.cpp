// The year's program against closed forms, a grid search and its own duals.
#include "supply/dispatch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace headroom::supply {
namespace {

Dispatch solved(const Problem& p) {
  auto d = dispatch(p);
  EXPECT_TRUE(d) << (d ? "" : render(d.error()));
  return d ? std::move(*d) : Dispatch{};
}

/// Load, prices, sun of some days, from a seed.
Problem days(int n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> u(0, 1);
  Problem p;
  Source grid{.name = "grid", .capacity_mw = 12, .cost_usd_mwh = {}};
  Source sun{.name = "sun", .capacity_mw = 9, .available = {}, .cost_usd_mwh = {0}};
  for (int h = 0; h < 24 * n; ++h) {
    p.load_mw.push_back(8 + 3 * u(random));
    p.month.push_back(h / (24 * 30));
    grid.cost_usd_mwh.push_back(30 + 40 * u(random) + (h % 24 > 16 && h % 24 < 21 ? 60 : 0));
    sun.available.push_back(std::max(0.0, std::sin(3.14159265 * (h % 24 - 6) / 12.0)) *
                            (0.4 + 0.6 * u(random)));
  }
  grid.carbon_kg_mwh = {400};
  sun.clean = {1}, sun.renewable = 1, sun.fixed_usd_mw = 60000;
  Source gas{.name = "gas", .capacity_mw = 4, .cost_usd_mwh = {75}};
  gas.carbon_kg_mwh = {500};
  p.sources = {grid, sun, gas};
  return p;
}

Storage battery() {
  Storage b{.name = "battery", .power_mw = 3, .energy_mwh = 9};
  b.in = b.out = std::sqrt(0.88);
  b.keep = 0.9995, b.wear_usd_mwh = 6;
  return b;
}

/// Cheapest first, hour by hour: the answer where no hour knows of another.
double merit_order(const Problem& p) {
  double usd = 0;
  for (std::size_t h = 0; h < p.load_mw.size(); ++h) {
    std::vector<std::pair<double, double>> offers{{p.unserved_usd_mwh, 1e9}};
    for (const auto& s : p.sources)
      offers.emplace_back(s.cost_usd_mwh.size() == 1 ? s.cost_usd_mwh[0] : s.cost_usd_mwh[h],
                          s.capacity_mw * (s.available.empty() ? 1 : s.available[h]));
    std::sort(offers.begin(), offers.end());
    double left = p.load_mw[h];
    for (const auto& [cost, most] : offers) {
      const double g = std::min(left, most);
      usd += g * cost, left -= g;
    }
  }
  for (const auto& s : p.sources) usd += s.fixed_usd_mw * s.capacity_mw;
  return usd;
}

void expect_sound(const Problem& p, const Dispatch& d) {
  EXPECT_LT(d.imbalance, 1e-6);
  EXPECT_NEAR(d.usd, d.objective, 1e-6 * std::abs(d.usd) + 1e-3);
  for (std::size_t b = 0; b < d.storages.size(); ++b) {
    const auto& s = p.storages[b];
    const auto& y = d.storages[b];
    for (std::size_t h = 0; h < p.load_mw.size(); ++h) {
      const double before = y.charge_mwh[h == 0 ? p.load_mw.size() - 1 : h - 1];
      EXPECT_NEAR(y.charge_mwh[h], s.keep * before + s.in * y.in_mw[h] - y.out_mw[h] / s.out, 1e-5);
      EXPECT_LE(y.charge_mwh[h], y.energy_mwh + 1e-6);
      EXPECT_LE(std::min(y.in_mw[h], y.out_mw[h]), 1e-6);
    }
  }
  double carbon = 0, of_sources = 0;
  for (const double x : d.carbon_kg) carbon += x;
  for (const auto& s : d.sources) of_sources += s.carbon_kg;
  EXPECT_NEAR(carbon, of_sources, 1e-3 * of_sources + 1e-6);
  EXPECT_GE(d.clean_share, 0);
  EXPECT_LE(d.clean_share, 1 + 1e-9);
}

TEST(Supply, is_merit_order_where_hours_stand_alone) {
  for (unsigned seed = 1; seed < 6; ++seed) {
    const auto p = days(20, seed);
    const auto d = solved(p);
    expect_sound(p, d);
    EXPECT_NEAR(d.usd, merit_order(p), 1e-6 * d.usd);
  }
}

// A price of two steps and a battery: charge at the low one, discharge at the high one, as long as
// the spread pays for losses and wear.
TEST(Supply, battery_earns_the_spread) {
  Problem p;
  Source grid{.name = "grid", .capacity_mw = 100, .cost_usd_mwh = {}};
  for (int h = 0; h < 48; ++h)
    p.load_mw.push_back(10), grid.cost_usd_mwh.push_back(h % 24 < 12 ? 20 : 100);
  p.sources = {grid};
  const double without = solved(p).usd;
  Storage b{.name = "b", .power_mw = 2, .energy_mwh = 6, .in = 0.9, .out = 0.9, .wear_usd_mwh = 5};
  p.storages = {b};
  const auto d = solved(p);
  expect_sound(p, d);
  // 6 MWh stored a day: 6.667 bought at 20, 5.4 sold at 100 less wear.
  const double day = 6 * 0.9 * (100 - 5) - 6 / 0.9 * 20;
  EXPECT_NEAR(without - d.usd, 2 * day, 1e-6);
  p.storages[0].wear_usd_mwh = 100 - 20 / 0.81 + 0.01;
  EXPECT_NEAR(solved(p).usd, without, 1e-6);
}

/// Dynamic programming over a grid of charge levels: a second answer.
double by_levels(const Problem& p, int levels) {
  const auto& b = p.storages[0];
  const std::size_t hours = p.load_mw.size();
  const double step = b.energy_mwh / levels;
  const auto cost_of = [&](std::size_t h, double load) {
    std::vector<std::pair<double, double>> offers{{p.unserved_usd_mwh, 1e9}};
    for (const auto& s : p.sources)
      offers.emplace_back(s.cost_usd_mwh.size() == 1 ? s.cost_usd_mwh[0] : s.cost_usd_mwh[h],
                          s.capacity_mw * (s.available.empty() ? 1 : s.available[h]));
    std::sort(offers.begin(), offers.end());
    double usd = 0;
    for (const auto& [cost, most] : offers) {
      const double g = std::min(load, most);
      usd += g * cost, load -= g;
    }
    return usd;
  };
  double best = 1e300;
  for (int start = 0; start <= levels; ++start) {
    std::vector<double> value(std::size_t(levels) + 1, 1e300);
    value[std::size_t(start)] = 0;
    for (std::size_t h = 0; h < hours; ++h) {
      std::vector<double> next(value.size(), 1e300);
      for (int i = 0; i <= levels; ++i) {
        if (value[std::size_t(i)] > 1e299) continue;
        for (int k = 0; k <= levels; ++k) {
          const double change = (k - i) * step;
          const double in = change > 0 ? change / b.in : 0, out = change < 0 ? -change * b.out : 0;
          if (in > b.power_mw + 1e-9 || out > b.power_mw + 1e-9) continue;
          if (p.load_mw[h] + in - out < 0) continue;
          next[std::size_t(k)] =
              std::min(next[std::size_t(k)], value[std::size_t(i)] + out * b.wear_usd_mwh +
                                                 cost_of(h, p.load_mw[h] + in - out));
        }
      }
      value = next;
    }
    best = std::min(best, value[std::size_t(start)]);
  }
  for (const auto& s : p.sources) best += s.fixed_usd_mw * s.capacity_mw;
  return best;
}

TEST(Supply, agrees_with_dynamic_programming) {
  for (unsigned seed = 1; seed < 4; ++seed) {
    auto p = days(2, seed);
    for (auto& s : p.sources) s.fixed_usd_mw = 0;
    auto b = battery();
    b.keep = 1;
    p.storages = {b};
    const double lp = solved(p).usd, coarse = by_levels(p, 12), fine = by_levels(p, 36);
    EXPECT_LE(lp, fine + 1e-6);
    EXPECT_LE(fine, coarse + 1e-6);
    EXPECT_NEAR(lp, fine, 0.003 * lp);
  }
}

TEST(Supply, demand_charge_bills_the_month_s_peak_and_storage_shaves_it) {
  Problem p;
  p.load_mw.assign(60 * 24, 5.0), p.month.assign(60 * 24, 0);
  for (std::size_t h = 30 * 24; h < p.load_mw.size(); ++h) p.month[h] = 1;
  p.load_mw[100] = 9;
  Source grid{.name = "grid", .capacity_mw = 20, .cost_usd_mwh = {50}};
  grid.demand_usd_mw = 10000, grid.least_billed_mw = 6;
  p.sources = {grid}, p.unserved_usd_mwh = 1e6;
  const auto d = solved(p);
  EXPECT_NEAR(d.sources[0].demand_usd, 10000 * (9 + 6), 1e-3);
  p.storages = {{.name = "b", .power_mw = 2, .energy_mwh = 3, .in = 0.9, .out = 0.9}};
  const auto shaved = solved(p);
  expect_sound(p, shaved);
  EXPECT_NEAR(shaved.sources[0].demand_usd, 10000 * (7 + 6), 1e-2);
}

TEST(Supply, take_or_pay_is_paid_or_taken) {
  Problem p;
  p.load_mw.assign(100, 10.0);
  Source grid{.name = "grid", .capacity_mw = 20, .cost_usd_mwh = {40}};
  Source gas{.name = "gas", .capacity_mw = 8, .cost_usd_mwh = {60}};
  gas.take = 0.5, gas.take_usd_mwh = 30;  // 60 - 30 < 40: better taken
  p.sources = {grid, gas};
  auto d = solved(p);
  EXPECT_NEAR(d.sources[1].used_mwh, 0.5 * 100 * 8, 1e-6);
  EXPECT_NEAR(d.sources[1].take_usd, 0, 1e-6);
  p.sources[1].take_usd_mwh = 15;  // 60 - 15 > 40: better paid
  d = solved(p);
  EXPECT_NEAR(d.sources[1].used_mwh, 0, 1e-6);
  EXPECT_NEAR(d.sources[1].take_usd, 400 * 15, 1e-6);
  // One more MW of it binds 50 MWh more.
  EXPECT_NEAR(d.sources[1].saving_usd_mw, -50 * 15, 1e-6);
}

TEST(Supply, limits_of_hours_bind_and_what_is_missing_is_unserved) {
  Problem p;
  p.load_mw.assign(48, 10.0);
  p.unserved_usd_mwh = 5000;
  Source grid{.name = "grid", .capacity_mw = 7, .cost_usd_mwh = {40}};
  Source diesel{.name = "diesel", .capacity_mw = 3, .cost_usd_mwh = {300}};
  diesel.full_hours = 20;
  p.sources = {grid, diesel};
  p.responses = {{.name = "dr",
                  .power_mw = 2,
                  .hours = 10,
                  .day_hours = 4,
                  .paid_usd_mwh = 100,
                  .lost_usd_mwh = 900,
                  .income_usd_mw = 1000}};
  const auto d = solved(p);
  expect_sound(p, d);
  EXPECT_NEAR(d.sources[1].used_mwh, 60, 1e-6);
  EXPECT_NEAR(d.responses[0].less_mwh, 2 * 4 * 2, 1e-6);
  EXPECT_NEAR(d.unserved_mwh, 144 - 60 - 16, 1e-6);
  EXPECT_NEAR(d.responses[0].income_usd, 16 * 100 + 2000, 1e-6);
  EXPECT_NEAR(d.sources[1].saving_usd_mw, 20 * (5000 - 300), 1e-3);
  EXPECT_NEAR(d.sources[0].saving_usd_mw, 48 * (5000 - 40), 1e-3);
}

TEST(Supply, floor_spills_what_nobody_takes) {
  Problem p;
  p.load_mw = {2, 10};
  Source reactor{.name = "reactor", .capacity_mw = 6, .cost_usd_mwh = {10}};
  reactor.floor = 1, reactor.clean = {1};
  p.sources = {reactor, {.name = "grid", .capacity_mw = 20, .cost_usd_mwh = {50}}};
  const auto d = solved(p);
  expect_sound(p, d);
  EXPECT_NEAR(d.spill_mwh, 4, 1e-9);
  EXPECT_NEAR(d.clean_share, 8.0 / 12, 1e-9);
}

/// d cost / d capacity by a small change.
template <class Change>
double by_difference(const Problem& p, Change change) {
  constexpr double e = 1e-3;
  auto more = p, less = p;
  change(more, e), change(less, -e);
  return -(solved(more).usd - solved(less).usd) / (2 * e);
}

TEST(Supply, duals_are_what_a_small_change_saves) {
  auto p = days(40, 7);
  p.storages = {battery()};
  p.sources[0].demand_usd_mw = 4000;
  p.sources[2].full_hours = 100.3;
  p.responses = {{.name = "dr", .power_mw = 1, .hours = 21.7, .lost_usd_mwh = 90}};
  const auto d = solved(p);
  expect_sound(p, d);
  for (std::size_t s = 0; s < p.sources.size(); ++s) {
    const double slope =
        by_difference(p, [s](Problem& q, double e) { q.sources[s].capacity_mw += e; });
    EXPECT_NEAR(d.sources[s].saving_usd_mw, slope, 1e-3 * std::abs(slope) + 1) << s;
  }
  const double slope = by_difference(p, [](Problem& q, double e) {
    q.storages[0].power_mw += e, q.storages[0].energy_mwh += 3 * e;
  });
  EXPECT_NEAR(d.storages[0].saving_usd_mw, slope, 1e-3 * std::abs(slope) + 1);
  const double response =
      by_difference(p, [](Problem& q, double e) { q.responses[0].power_mw += e; });
  EXPECT_NEAR(d.responses[0].saving_usd_mw, response, 1e-3 * std::abs(response) + 1);
  for (const std::size_t h : {5u, 300u, 700u}) {
    const double price = -by_difference(p, [h](Problem& q, double e) { q.load_mw[h] += e; });
    EXPECT_NEAR(d.price_usd_mwh[h], price, 1e-3 * std::abs(price) + 0.01) << h;
  }
}

// What is sized is the best of a search over fixed capacities, and no more of it saves anything.
TEST(Supply, sizes_what_a_search_finds) {
  auto p = days(30, 3);
  p.sources[1].fixed_usd_mw = 8000;
  auto free = p;
  free.sources[1].sized = true, free.sources[1].most_mw = 40;
  auto b = battery();
  b.fixed_usd_mw = 500, b.sized = true, b.hours = 3, b.most_mw = 20;
  free.storages = {b};
  const auto d = solved(free);
  expect_sound(free, d);
  const double sun = d.sources[1].capacity_mw, power = d.storages[0].power_mw;
  EXPECT_GT(sun, 0.1);
  EXPECT_LT(sun, 40);
  const auto fixed = [&](double mw, double store) {
    auto q = p;
    q.sources[1].capacity_mw = mw;
    auto f = b;
    f.sized = false, f.power_mw = store, f.energy_mwh = 3 * store;
    q.storages = {f};
    return solved(q).usd;
  };
  EXPECT_NEAR(fixed(sun, power), d.usd, 1e-6 * d.usd);
  for (const double f : {0.8, 0.95, 1.05, 1.2}) {
    EXPECT_GE(fixed(f * sun, power), d.usd * (1 - 1e-9));
    EXPECT_GE(fixed(sun, f * power + (f - 1)), d.usd * (1 - 1e-9));
  }
  EXPECT_NEAR(d.sources[1].saving_usd_mw, 0, 1e-3);
}

TEST(Supply, carbon_goes_through_storage) {
  Problem p;
  p.load_mw = {10, 10};
  Source sun{.name = "sun", .capacity_mw = 20, .available = {1, 0}};
  sun.clean = {1}, sun.renewable = 1;
  Source coal{.name = "coal", .capacity_mw = 20, .cost_usd_mwh = {100}};
  coal.carbon_kg_mwh = {1000};
  p.sources = {sun, coal};
  p.storages = {{.name = "b", .power_mw = 20, .energy_mwh = 20, .in = 0.8, .out = 1}};
  const auto d = solved(p);
  expect_sound(p, d);
  EXPECT_NEAR(d.sources[0].used_mwh, 20, 1e-9);
  EXPECT_NEAR(d.sources[1].used_mwh, 2, 1e-9);
  EXPECT_NEAR(d.clean_share, 18.0 / 20, 1e-9);
  EXPECT_NEAR(d.carbon_kg[1], 2000, 1e-6);
}

TEST(Supply, refuses_what_makes_no_program) {
  Problem p;
  EXPECT_FALSE(dispatch(p));
  p.load_mw.assign(3, 1.0);
  p.sources = {{.name = "grid", .capacity_mw = 1, .available = {1, 2}}};
  const auto d = dispatch(p);
  ASSERT_FALSE(d);
  EXPECT_NE(render(d.error()).find("grid"), std::string::npos);
}

TEST(Supply, year_with_battery_and_demand_charge) {
  auto p = days(365, 11);
  p.sources[0].demand_usd_mw = 8000;
  p.storages = {battery()};
  p.sources[2].take = 0.1, p.sources[2].take_usd_mwh = 20;
  const auto d = solved(p);
  expect_sound(p, d);
  EXPECT_GT(d.storages[0].out_mwh, 100);
  const auto again = solved(p);
  EXPECT_EQ(again.usd, d.usd);
  EXPECT_EQ(again.price_usd_mwh, d.price_usd_mwh);
}

}  // namespace
}  // namespace headroom::supply
