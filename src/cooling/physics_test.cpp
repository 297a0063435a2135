// Air, towers, compressors and racks against published points and arithmetic.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "cooling/air.hpp"
#include "cooling/compressor.hpp"
#include "cooling/rack.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

Temperature c(double celsius) { return Temperature::celsius(celsius); }

TEST(Air, heat_of_25_kw_at_12_k_takes_1_73_m3_per_second) {
  EXPECT_NEAR(air_flow(25 * kilowatt, 12 * kelvin).si(), 1.73, 0.005);
  EXPECT_NEAR(air_heat(air_flow(25 * kilowatt, 12 * kelvin), 12 * kelvin).in(kilowatt), 25, 1e-9);
}

TEST(Air, heat_of_80_kw_at_10_k_takes_1_91_kg_of_water_per_second) {
  EXPECT_NEAR(mass_flow(80 * kilowatt, water_heat_capacity, 10 * kelvin).si(), 1.91, 0.005);
}

// OCP: 1.5 L/min a kW of PG25 warms by about 10 K.
TEST(Air, pg25_at_1_5_litres_a_minute_and_kw_warms_by_10_k) {
  const auto* t = builtin().find<catalog::CoolingTechnology>("cold-plate");
  ASSERT_NE(t, nullptr);
  const auto flow = 1.5 * litre / minute;
  EXPECT_NEAR(
      liquid_heat(flow, t->coolant.density.get(), t->coolant.heat.get(), 10 * kelvin).in(kilowatt),
      1.0, 0.01);
}

TEST(Air, zero_rise_moves_nothing_and_does_not_divide) {
  EXPECT_EQ(air_flow(25 * kilowatt, 0 * kelvin).si(), 0);
  EXPECT_EQ(mass_flow(25 * kilowatt, water_heat_capacity, 0 * kelvin).si(), 0);
}

// ASHRAE Fundamentals ch. 1: 2.3392 kPa at 20 degC, 0.6112 kPa at 0.01 degC.
TEST(Air, saturation_pressure_by_the_tables) {
  EXPECT_NEAR(saturation_pressure(c(20)).in(kilopascal), 2.3392, 0.002);
  EXPECT_NEAR(saturation_pressure(c(0.01)).in(kilopascal), 0.6117, 0.002);
  EXPECT_NEAR(saturation_pressure(c(-20)).in(kilopascal), 0.10324, 0.0005);
}

// Sling psychrometer chart: 30 degC dry, 20 degC wet at sea level hold about 10.5 g/kg.
TEST(Air, humidity_from_wet_bulb) {
  EXPECT_NEAR(humidity(c(30), c(20), 101.325 * kilopascal), 0.0106, 0.0003);
}

RC_GTEST_PROP(Air, wet_bulb_undoes_humidity, ()) {
  const double dry = *rc::gen::inRange(-200, 450) * 0.1;
  const double wet = dry - *rc::gen::inRange(0, 80) * 0.1;
  const Pressure p = *rc::gen::inRange(70, 102) * kilopascal;
  const double w = humidity(c(dry), c(wet), p);
  // At 0 degC the wick freezes: the equations over water and ice differ by a step there.
  RC_PRE(w > 0 && std::abs(wet) > 1);
  RC_ASSERT(std::abs(wet_bulb(c(dry), w, p).in_celsius() - wet) < 0.01);
}

struct YorkPoint {
  double wet_bulb, range, ratio, approach;
};
class York : public testing::TestWithParam<YorkPoint> {};

// Points of the correlation as published (facility validation set).
TEST_P(York, approach) {
  const auto& p = GetParam();
  EXPECT_NEAR(york_approach(c(p.wet_bulb), p.range * kelvin, p.ratio).in(kelvin), p.approach,
              0.001);
}
INSTANTIATE_TEST_SUITE_P(
    Points, York,
    testing::Values(YorkPoint{25.55, 5.56, 1.0, 3.845}, YorkPoint{25.55, 10, 1.0, 6.042},
                    YorkPoint{20, 5.56, 1.0, 5.058}, YorkPoint{20, 10, 1.0, 7.964},
                    YorkPoint{10, 5.56, 1.0, 7.771}, YorkPoint{10, 10, 1.0, 11.949},
                    YorkPoint{0, 5.56, 1.0, 11.160}, YorkPoint{25.55, 5.56, 0.5, 1.422},
                    YorkPoint{20, 10, 0.5, 3.240}));

TEST(Tower, less_air_is_needed_when_more_approach_is_allowed) {
  const double tight = tower_air_flow(c(20), 8 * kelvin, 7 * kelvin);
  const double loose = tower_air_flow(c(20), 8 * kelvin, 12 * kelvin);
  EXPECT_LT(loose, tight);
  EXPECT_EQ(tower_air_flow(c(20), 8 * kelvin, 1 * kelvin), 1);
}

TEST(Tower, evaporates_no_more_than_all_latent_and_less_in_winter) {
  const Pressure p = 101.325 * kilopascal;
  const double summer = evaporation_per_joule(c(32), c(24), p, c(28), 8 * kelvin);
  const double winter = evaporation_per_joule(c(-5), c(-6), p, c(20), 8 * kelvin);
  EXPECT_LT(winter, summer);
  EXPECT_LE(summer * 3.6e6, 1.481 + 0.01);  // L/kWh, all latent at 30 degC
  EXPECT_GT(winter * 3.6e6, 0.4);
}

struct CopPoint {
  const char* machine;
  double entering, full, half;
};
class Cop : public testing::TestWithParam<CopPoint> {};

// COP of six machines at part-load ratio 1 and 0.5, from their curves (0.5 %,
// plus the two decimals of the published table).
TEST_P(Cop, by_the_curves) {
  const auto& p = GetParam();
  const auto* m = builtin().find<catalog::Chiller>(p.machine);
  ASSERT_NE(m, nullptr);
  const Temperature leaving = catalog::absolute(m->leaving);
  EXPECT_NEAR(curve_cop(*m, leaving, c(p.entering), 1.0), p.full, 0.005 * p.full + 0.005);
  EXPECT_NEAR(curve_cop(*m, leaving, c(p.entering), 0.5), p.half, 0.005 * p.half + 0.005);
}
INSTANTIATE_TEST_SUITE_P(Machines, Cop,
                         testing::Values(CopPoint{"mcquay-wsc-471", 12.78, 8.27, 8.0},
                                         CopPoint{"mcquay-wsc-471", 26.67, 5.87, 5.68},
                                         CopPoint{"york-yt-1055", 15, 8.88, 8.77},
                                         CopPoint{"york-yt-1055", 29.4, 5.91, 5.84},
                                         CopPoint{"york-yt-1055", 35, 5.17, 5.11},
                                         CopPoint{"carrier-19xr-1234", 20, 5.82, 8.92},
                                         CopPoint{"carrier-19xr-1234", 26.67, 5.3, 8.14},
                                         CopPoint{"carrier-19xr-1403", 15, 6.92, 9.04},
                                         CopPoint{"carrier-19xr-1403", 20, 6.42, 8.38},
                                         CopPoint{"york-yk-5465", 25, 7.03, 7.33},
                                         CopPoint{"york-yk-5465", 29.4, 6.62, 6.91},
                                         CopPoint{"york-ycal0033ee-101", 35, 3.04, 3.04},
                                         CopPoint{"york-ycal0033ee-101", 45, 2.33, 2.33}));

// The Carnot fraction stands in beyond the curves; over them it is a rough guide.
TEST(Cop, carnot_fraction_is_within_40_percent_of_every_machine_at_its_nominal_point) {
  for (const auto* m : builtin().all<catalog::Chiller>()) {
    const double eta = m->air_cooled ? air_cooled_carnot : water_cooled_carnot;
    const double guess = carnot_cop(catalog::absolute(m->leaving), catalog::absolute(m->entering),
                                    m->air_cooled, eta);
    EXPECT_NEAR(guess / m->cop.get(), 1.0, 0.40) << m->id;
  }
}

TEST(Cop, warm_water_costs_less_to_make) {
  EXPECT_GT(carnot_cop(c(25), c(30), false, water_cooled_carnot),
            1.3 * carnot_cop(c(10), c(30), false, water_cooled_carnot));
  EXPECT_LE(carnot_cop(c(40), c(5), false, water_cooled_carnot), 15);
}

TEST(Cop, range_of_a_machine) {
  const auto* m = builtin().find<catalog::Chiller>("york-yt-1055");
  ASSERT_NE(m, nullptr);
  EXPECT_TRUE(in_range(*m, c(6.67), c(29.4)));
  EXPECT_FALSE(in_range(*m, c(25), c(29.4)));
}

// FC-72 and its like dry out at 12 to 20 W/cm2 on a plain plate.
TEST(Rack, critical_heat_flux_of_a_fluoroketone) {
  const auto* t = builtin().find<catalog::CoolingTechnology>("immersion-2p");
  ASSERT_NE(t, nullptr);
  const double chf = critical_heat_flux(t->coolant).si() / 1e4;
  EXPECT_GT(chf, 11);
  EXPECT_LT(chf, 20);
  EXPECT_EQ(critical_heat_flux({}).si(), 0);
}

}  // namespace
}  // namespace headroom::cooling
