// The plant: exchangers and movers by closed forms, one hour by conservation, limits and
// monotony, a year by its sums, the eight climates by their wet bulbs.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cooling/air.hpp"
#include "cooling/compressor.hpp"
#include "cooling/plant_year.hpp"
#include "cooling/sizing.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

const catalog::Climate& climate(const char* id) {
  return *catalog::Catalog::builtin().find<catalog::Climate>(id);
}

RackGroup plates(double racks, double rack_w, double supply_c) {
  RackGroup g;
  g.name = "plates";
  g.racks = racks;
  g.rack_w = rack_w;
  g.family = CoolingFamily::cold_plate;
  g.liquid_share = 0.85;
  g.supply.celsius = supply_c;
  g.air_rise_k = 15;
  g.chip = {1000, 0.02, 0.4, 85};
  return g;
}

// Cold plates and their hall's air on one loop with towers.
Plant tower_plant(double supply_c = 26) {
  Plant p;
  p.groups.push_back(plates(20, 100e3, supply_c + 4));
  HallAir hall;
  hall.groups = {0};
  hall.supply.celsius = supply_c + 6;
  p.halls.push_back(hall);
  WaterLoop loop;
  loop.supply.celsius = supply_c;
  p.loops.push_back(loop);
  return p;
}

Plant sized(Plant p, PlantSizing s) {
  s.tower = true;
  size(p, s);
  return p;
}

// --- Exchangers, movers -------------------------------------------------------

TEST(Exchanger, effectiveness_by_closed_forms) {
  EXPECT_NEAR(counterflow(1, 0), 1 - std::exp(-1.0), 1e-12);
  EXPECT_NEAR(counterflow(1, 1), 0.5, 1e-12);
  EXPECT_NEAR(counterflow(2, 0.999999), counterflow(2, 1), 1e-6);
  EXPECT_EQ(counterflow(0, 0.5), 0);
  // Kays & London, both unmixed, NTU 1, C ratio 1: 0.476; the correlation is 1.6 % below.
  EXPECT_NEAR(crossflow(1, 1), 0.476, 0.009);
  EXPECT_LT(crossflow(3, 0.8), counterflow(3, 0.8));
}

TEST(Exchanger, sized_makes_its_approach_exactly) {
  for (const double hot : {60e3, 100e3, 140e3}) {
    const auto e = Exchanger::sized(1e6, hot, 100e3, 3);
    const double entering = 30 + 1e6 / hot;
    EXPECT_NEAR(e.conductance(hot, 100e3) * (entering - 27), 1e6, 1) << hot;
  }
}

TEST(Exchanger, serve_holds_the_set_point_until_the_valve_is_open) {
  const auto e = Exchanger::sized(1e6, 100e3, 100e3, 4);
  const auto easy = serve(e, 1e6, 100e3, 30, 20, 130e3);
  EXPECT_EQ(easy.short_k, 0);
  EXPECT_LT(easy.cold, 100e3);
  EXPECT_NEAR(e.conductance(100e3, easy.cold) * (40 - 20), 1e6, 10);
  const double warmest = warmest_water(e, 1e6, 100e3, 30, 130e3);
  EXPECT_GT(warmest, 26);
  EXPECT_NEAR(serve(e, 1e6, 100e3, 30, warmest - 1e-6, 130e3).cold, 130e3, 5);
  const auto hard = serve(e, 1e6, 100e3, 30, warmest + 2, 130e3);
  EXPECT_NEAR(hard.short_k, 2, 1e-6);
}

TEST(Mover, cube_without_static_head_and_design_power_at_design) {
  const Mover fan{10, 500, 0, 0.5, 0.1, true};
  EXPECT_NEAR(fan.power_w(10), 10e3, 1e-9);
  EXPECT_NEAR(fan.power_w(5), 10e3 / 8, 1e-9);
  EXPECT_EQ(fan.power_w(0), 0);
  Mover fixed = fan;
  fixed.variable_speed = false;
  EXPECT_NEAR(fixed.power_w(5), 10e3, 1e-9);
}

TEST(YorkTerms, are_the_correlation_and_solve_it) {
  for (const double wet : {-5.0, 10.0, 20.0, 25.5}) {
    const auto terms = york_terms(wet, 8);
    const double at = york_approach(Temperature::celsius(wet), 8 * kelvin, 0.8).in(kelvin);
    EXPECT_NEAR(terms.approach_k(0.8), at, 1e-9);
    EXPECT_NEAR(terms.approach_k(terms.liquid_to_gas(at)), at, 1e-9);
  }
}

// --- One hour -----------------------------------------------------------------

TEST(PlantHour, set_points_hold_at_the_design_wet_bulb_and_not_above) {
  const Plant p = sized(tower_plant(), {.design_wet_bulb_c = 20});
  PlantSolver solver(p);
  const auto at = solver.at({.dry_bulb_c = 28, .wet_bulb_c = 19.99});
  EXPECT_LT(at.short_k, 1e-6);
  EXPECT_NEAR(at.warmest_supply_c, 26, 1e-9);
  EXPECT_EQ(at.compressors_w, 0);
  const auto above = solver.at({.dry_bulb_c = 30, .wet_bulb_c = 24});
  EXPECT_GT(above.short_k, 1);
  EXPECT_LT(above.short_k, 4.2);
  EXPECT_LT(above.imbalance(), 1e-9);
  EXPECT_NEAR(above.unmet_w, 0, 1e-6 * above.it_w);
}

TEST(PlantHour, chip_temperature_is_coolant_half_rise_and_resistance) {
  const Plant p = sized(tower_plant(), {.design_wet_bulb_c = 20});
  const auto s = PlantSolver(p).at({.dry_bulb_c = 15, .wet_bulb_c = 10});
  // 30 degC + about 5 K + 0.02 K/W x 1 kW; pump heat makes the rise a little larger.
  EXPECT_NEAR(s.chip_c, 55, 0.2);
  EXPECT_NEAR(s.chip_margin_k, 30, 0.2);
}

TEST(PlantHour, nothing_takes_the_heat_is_said_so) {
  Plant p = tower_plant();
  size(p, {});  // no tower, no chiller
  const auto s = PlantSolver(p).at({});
  EXPECT_NEAR(s.unmet_w, s.it_w + s.cooling_w(), 1);
  EXPECT_LT(s.imbalance(), 1e-9);
}

TEST(PlantHour, air_heat_without_a_hall_is_unmet) {
  Plant p = tower_plant();
  p.halls.clear();
  p = sized(p, {.design_wet_bulb_c = 20});
  const auto s = PlantSolver(p).at({.dry_bulb_c = 15, .wet_bulb_c = 10});
  EXPECT_NEAR(s.unmet_w, 20 * 100e3 * 0.15, 1);
  EXPECT_LT(s.imbalance(), 1e-9);
}

// Every kind of plant, any weather, any load: energy in is energy out, and water
// carries at most the heat the tower and pads had.
Plant any_plant(int kind) {
  Plant p = tower_plant(22);
  PlantSizing s;
  s.tower = kind % 2 == 0;
  s.dry = kind % 3 != 0;
  auto& loop = p.loops[0];
  if (kind % 5 == 1) loop.reuse.demand_w = 300e3;
  if (kind % 5 == 2) {
    loop.reuse.demand_w = 400e3, loop.reuse.level_c = 55;
    loop.reuse.heat_pump = true;
  }
  if (kind % 7 < 4) {
    loop.chillers.capacity_w = 4e6;
    loop.chillers.machines = 3;
    loop.chillers.on_air = !s.tower;
    loop.chillers.economiser = static_cast<Economiser>(kind % 7 % 3);
  }
  if (kind % 11 == 3) p.halls[0].outside = OutsideAir::direct;
  if (kind % 11 == 4) p.halls[0].outside = OutsideAir::indirect;
  if (kind % 11 == 5) p.halls[0].direct_expansion = true;
  p.halls[0].wetted = kind % 4 == 1;
  p.halls[0].loss_w = 30e3;
  RackGroup door;
  door.racks = 5, door.rack_w = 40e3, door.family = CoolingFamily::rear_door;
  door.liquid_share = 1, door.supply.celsius = 27;
  p.groups.push_back(door);
  p.halls[0].groups.push_back(1);
  RackGroup tank;
  tank.racks = 3, tank.rack_w = 80e3, tank.family = CoolingFamily::two_phase;
  tank.liquid_share = 0.99, tank.boiling_c = 50;
  p.groups.push_back(tank);
  p.halls[0].groups.push_back(2);
  size(p, s);
  loop.dry.saturation = kind % 4 == 2 ? 0.85 : 0;
  return p;
}

RC_GTEST_PROP(PlantHour, energy_in_is_energy_out, ()) {
  const int kind = *rc::gen::inRange(0, 1000);
  const double dry = *rc::gen::inRange(-250, 450) * 0.1;
  const double wet = dry - *rc::gen::inRange(0, 150) * 0.1;
  const double share = *rc::gen::inRange(1, 101) * 0.01;
  const Plant p = any_plant(kind);
  HourInput in;
  in.dry_bulb_c = dry;
  in.wet_bulb_c = wet;
  in.pressure_pa = *rc::gen::inRange(75, 103) * 1e3;
  in.share = share;
  const auto s = PlantSolver(p).at(in);
  RC_ASSERT(s.imbalance() < 1e-6);
  RC_ASSERT(s.short_k >= 0);
  RC_ASSERT(s.makeup() >= 0);
  RC_ASSERT(s.reused_w <= (s.it_w + s.loss_w + s.cooling_w()) * (1 + 1e-9));
  RC_ASSERT(s.unmet_w > -1e-3 * (s.it_w + s.loss_w + s.cooling_w()));
  RC_ASSERT(s.tower_evaporation * 2.38e6 <= s.by_tower_w + 1);
  RC_ASSERT(s.cooling_w() > 0);
}

// A demand larger than the hour's heat, at a level that only water warmer than its set point has.
TEST(PlantHour, reuse_takes_no_more_than_the_hour_has) {
  const Plant p = any_plant(741);
  const auto s =
      PlantSolver(p).at({.dry_bulb_c = 33.1, .wet_bulb_c = 25, .pressure_pa = 89e3, .share = 0.01});
  const double in = s.it_w + s.loss_w + s.cooling_w();
  EXPECT_LE(s.reused_w, in * (1 + 1e-9));
  EXPECT_NEAR(s.unmet_w, 0, 1e-6 * in);
  EXPECT_LT(s.imbalance(), 1e-9);
}

TEST(PlantHour, warmer_air_never_costs_less_electricity) {
  Plant p = tower_plant(18);
  p.loops[0].chillers.capacity_w = 3e6;
  p = sized(p, {.design_wet_bulb_c = 20});
  PlantSolver solver(p);
  double last = 0;
  for (double wet = -5; wet <= 30; wet += 0.5) {
    const double now = solver.at({.dry_bulb_c = wet + 5, .wet_bulb_c = wet}).cooling_w();
    EXPECT_GT(now, 0.97 * last) << wet;  // pumps turn down a little as chillers take over
    last = now;
  }
}

TEST(PlantHour, series_economiser_beats_parallel_beats_none) {
  double before = 0;
  for (const auto economiser : {Economiser::series, Economiser::parallel, Economiser::none}) {
    Plant p = tower_plant(18);
    p.loops[0].chillers.capacity_w = 3e6;
    p.loops[0].chillers.economiser = economiser;
    p = sized(p, {.design_wet_bulb_c = 20});
    double sum = 0;
    PlantSolver solver(p);
    for (double wet = 0; wet <= 25; wet += 1) {
      sum += solver.at({.dry_bulb_c = wet + 5, .wet_bulb_c = wet}).compressors_w;
    }
    EXPECT_GT(sum, before);
    before = sum;
  }
}

TEST(PlantHour, curves_inside_their_range_and_said_so_outside) {
  const auto* york = catalog::Catalog::builtin().find<catalog::Chiller>("york-yt-1055");
  ASSERT_NE(york, nullptr);
  for (const double supply : {7.0, 20.0}) {
    Plant p = tower_plant(supply);
    auto& chillers = p.loops[0].chillers;
    chillers = {4 * 1055e3, 4, york, 0.6, false, 0.015, Economiser::none};
    p = sized(p, {.design_wet_bulb_c = 24});
    const auto s = PlantSolver(p).at({.dry_bulb_c = 30, .wet_bulb_c = 24});
    EXPECT_TRUE(s.compressor);
    EXPECT_EQ(s.outside_curves, supply > 9);
    EXPECT_LT(s.imbalance(), 1e-9);
  }
}

TEST(PlantHour, outside_air_is_closed_by_dew_point_and_carries_all_in_mild_air) {
  Plant p = tower_plant();
  p.halls[0].outside = OutsideAir::direct;
  p.halls[0].supply.celsius = 22;
  p = sized(p, {.design_wet_bulb_c = 24});
  PlantSolver solver(p);
  EXPECT_GT(solver.at({.dry_bulb_c = 15, .wet_bulb_c = 11}).by_outside_air_w, 299e3);
  EXPECT_EQ(solver.at({.dry_bulb_c = 20, .wet_bulb_c = 19.8}).by_outside_air_w, 0);    // too humid
  EXPECT_EQ(solver.at({.dry_bulb_c = -25, .wet_bulb_c = -25.5}).by_outside_air_w, 0);  // too dry
}

TEST(PlantHour, pumped_refrigerant_is_rated_at_its_rating_point) {
  EXPECT_NEAR(pumped_refrigerant_cop(34.89), 4.5669, 1e-9);
  EXPECT_NEAR(pumped_refrigerant_cop(-10), 4.5669 / 0.042, 1e-6);
  EXPECT_NEAR(pumped_refrigerant_cop(21.0), 4.5669 / 0.6723, 1e-9);
}

TEST(PlantHour, pads_and_water_only_when_dry_air_is_not_enough) {
  Plant p = tower_plant();
  PlantSizing s;
  s.dry = true;
  size(p, s);
  p.loops[0].dry.saturation = 0.85;
  PlantSolver solver(p);
  EXPECT_EQ(solver.at({.dry_bulb_c = 10, .wet_bulb_c = 6}).makeup(), 0);
  const auto hot = solver.at({.dry_bulb_c = 30, .wet_bulb_c = 15});
  EXPECT_GT(hot.pad_evaporation, 0);
  EXPECT_LT(hot.short_k, 1e-6);
  Plant without = p;
  without.loops[0].dry.saturation = 0;
  EXPECT_GT(PlantSolver(without).at({.dry_bulb_c = 30, .wet_bulb_c = 15}).short_k, 5);
}

// --- A year -------------------------------------------------------------------

TEST(PlantYear, sums_are_the_hours_sums_and_energy_is_conserved) {
  Plant p = tower_plant(18);
  p.loops[0].chillers.capacity_w = 3e6;
  p.loops[0].reuse.demand_w = 200e3;
  p.loops[0].reuse.level_c = 24;
  p.other_w = 10e3;
  p = sized(p, {.design_wet_bulb_c = 20});
  LoadProfile load;
  load.hourly = {0.5, 0.8, 1.0};
  GridCarbon grid;
  grid.mean_kg_j = 0.4 / 3.6e6;
  const auto w = synthetic_year(climate("chicago-il"));
  const auto y = year(p, w, load, grid);
  ASSERT_EQ(y.hours.size(), 8760u);
  double cooling = 0, it = 0;
  for (const auto& h : y.hours) cooling += h.cooling_w() * 3600, it += h.it_w * 3600;
  EXPECT_NEAR(y.energy.cooling() / cooling, 1, 1e-12);
  EXPECT_NEAR(y.pue_part, (cooling + 10e3 * 8760 * 3600) / it, 1e-12);
  const auto& e = y.energy;
  const double in = e.it + e.loss + e.cooling();
  const double out = e.by_tower + e.by_dry + e.by_outside_air + e.by_condenser_air + e.reused;
  EXPECT_NEAR(in / out, 1, 1e-9);
  EXPECT_NEAR(y.carbon_total_kg, (in + e.other) * grid.mean_kg_j, 1e-6 * y.carbon_total_kg);
  EXPECT_NEAR(y.water.blow_down, y.water.tower_evaporation / 4, 1e-6 * y.water.total());
  EXPECT_GT(y.erf, 0.01);
  EXPECT_LT(y.worst_imbalance, 1e-6);
}

TEST(PlantYear, water_comes_from_its_sources_in_order_and_within_their_limits) {
  const auto y =
      year(sized(tower_plant(), {.design_wet_bulb_c = 22}), synthetic_year(climate("chicago-il")));
  const double total = y.water.total();
  const auto from = water_by_source(y, {{"rain", 1e300, 0.1 * total}, {"reclaimed", 0.3, 1e300}});
  ASSERT_EQ(from.size(), 3u);
  EXPECT_NEAR(from[0], 0.1 * total, 1e-6 * total);
  EXPECT_LE(from[1], 0.3 * 8760 * 3600);
  EXPECT_GT(from[2], 0);
  EXPECT_NEAR(from[0] + from[1] + from[2], total, 1e-9 * total);
}

TEST(PlantYear, a_warmer_world_takes_more_and_frees_fewer_hours) {
  Plant p = tower_plant(20);
  p.loops[0].chillers.capacity_w = 3e6;
  p = sized(p, {.design_wet_bulb_c = 20});
  const auto w = synthetic_year(climate("dallas-tx"));
  const auto now = year(p, w), later = year(p, shifted(w, 2, HumidityHeld::relative));
  EXPECT_GT(later.energy.compressors, now.energy.compressors);
  EXPECT_LT(later.chiller_free_h, now.chiller_free_h - 100);
}

TEST(PlantYear, rows_of_equal_racks_are_one_group) {
  const auto w = synthetic_year(climate("chicago-il"));
  Plant one = tower_plant(), two = tower_plant();
  two.groups[0].racks = 12;
  two.groups.push_back(two.groups[0]);
  two.groups[1].racks = 8;
  two.halls[0].groups = {0, 1};
  one = sized(one, {.design_wet_bulb_c = 20});
  two = sized(two, {.design_wet_bulb_c = 20});
  EXPECT_NEAR(year(one, w).pue_part, year(two, w).pue_part, 1e-9);
}

TEST(PlantYear, design_points_are_worse_than_the_mean) {
  const Plant p = sized(tower_plant(), {.design_wet_bulb_c = 20});
  const auto w = synthetic_year(climate("singapore"));
  const auto d = design_points(p, w);
  EXPECT_GT(d.by_wet_bulb.short_k, 3);
  EXPECT_GE(d.extreme_wet_bulb.short_k, d.by_wet_bulb.short_k - 1e-9);
}

}  // namespace
}  // namespace headroom::cooling
