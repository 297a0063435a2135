// Impossible set points are named at their place with the nearest possible; classes and chips are
// checked against the year.
#include "cooling/plant_checks.hpp"

#include <gtest/gtest.h>

#include "cooling/sizing.hpp"

namespace headroom::cooling {
namespace {

SetPoint at(double celsius, int line, const char* path) {
  SetPoint s;
  s.celsius = celsius;
  s.origin.file = std::make_shared<const std::string>("hall.yaml");
  s.origin.line = line;
  s.origin.column = 11;
  s.path = path;
  return s;
}

Plant good_plant() {
  Plant p;
  RackGroup g;
  g.name = "gpu";
  g.racks = 10, g.rack_w = 100e3;
  g.family = catalog::CoolingFamily::cold_plate;
  g.liquid_share = 0.85;
  g.supply = at(32, 4, "racks.gpu.supply");
  g.chip = {1000, 0.025, 0.4, 87};
  p.groups.push_back(g);
  HallAir hall;
  hall.name = "hall";
  hall.groups = {0};
  hall.supply = at(34, 5, "hall.supply");
  p.halls.push_back(hall);
  WaterLoop loop;
  loop.name = "water";
  loop.supply = at(28, 6, "loop.supply");
  p.loops.push_back(loop);
  PlantSizing s;
  s.tower = true;
  s.design_wet_bulb_c = 22;
  size(p, s);
  return p;
}

const DesignDays mild{{33, 20, 101325}, {27, 21.9, 101325}, {36, 22, 101325}, {29, 24, 101325}};

const Diagnostic* at_line(const Diagnostics& d, int line) {
  for (const auto& one : d.all()) {
    if (one.line == line) return &one;
  }
  return nullptr;
}

TEST(SetPoints, a_good_plant_has_no_faults) {
  const auto d = check_set_points(good_plant(), mild);
  EXPECT_TRUE(d.empty()) << render(d);
}

// Every impossible temperature in one pass, at its place, with the nearest that is possible.
TEST(SetPoints, impossible_ones_are_named_with_the_nearest) {
  Plant p = good_plant();
  p.groups[0].supply.celsius = 27;  // colder than the water it is made of
  p.halls[0].supply.celsius = 29;   // a kelvin above it, with a coil made for six
  auto d = check_set_points(p, mild);
  ASSERT_NE(at_line(d, 4), nullptr);
  EXPECT_NE(at_line(d, 5), nullptr);
  const auto* coolant = at_line(d, 4);
  EXPECT_EQ(coolant->file, "hall.yaml");
  EXPECT_EQ(coolant->column, 11);
  EXPECT_EQ(coolant->path, "racks.gpu.supply");
  EXPECT_NE(coolant->hint.find("nearest possible"), std::string::npos);
  p = good_plant();
  p.loops[0].supply.celsius = 3;
  d = check_set_points(p, mild);
  EXPECT_NE(at_line(d, 6), nullptr);  // freezes, and no tower makes it
}

TEST(SetPoints, the_nearest_possible_is_possible_and_a_kelvin_less_is_not) {
  Plant p = good_plant();
  p.groups[0].supply.celsius = 29;
  const auto d = check_set_points(p, mild);
  const auto* fault = at_line(d, 4);
  ASSERT_NE(fault, nullptr) << render(d);
  double nearest = 0;
  ASSERT_EQ(std::sscanf(fault->hint.c_str(), "nearest possible: %lf", &nearest), 1);
  p.groups[0].supply.celsius = nearest + 0.06;  // the hint has one decimal
  EXPECT_EQ(at_line(check_set_points(p, mild), 4), nullptr);
  p.groups[0].supply.celsius = nearest - 1;
  EXPECT_NE(at_line(check_set_points(p, mild), 4), nullptr);
}

TEST(SetPoints, a_hotter_design_day_makes_the_loop_impossible_without_chillers) {
  DesignDays hot = mild;
  hot.by_wet_bulb.wet_bulb_c = 26;
  Plant p = good_plant();
  const auto d = check_set_points(p, hot);
  ASSERT_NE(at_line(d, 6), nullptr);
  p.loops[0].chillers.capacity_w = 2e6;
  EXPECT_TRUE(check_set_points(p, hot).empty()) << render(check_set_points(p, hot));
}

TEST(SetPoints, sweating_pipes_and_heat_that_cannot_be_reused) {
  Plant p = good_plant();
  p.halls[0].dew_point_c = 31;
  p.loops[0].reuse.demand_w = 1e5;
  p.loops[0].reuse.level_c = 80;
  const auto d = check_set_points(p, mild);
  ASSERT_NE(at_line(d, 4), nullptr);
  EXPECT_NE(at_line(d, 4)->message.find("sweat"), std::string::npos);
  EXPECT_NE(at_line(d, 4)->hint.find("33.0"), std::string::npos);
  ASSERT_NE(at_line(d, 6), nullptr);
  EXPECT_NE(at_line(d, 6)->hint.find("heat pump"), std::string::npos);
}

TEST(SetPoints, structure_is_checked_before_physics) {
  Plant p = good_plant();
  p.groups[0].loop = 7;
  p.groups[0].liquid_share = 1.4;
  p.halls[0].groups.clear();
  p.halls[0].bypass = 1.2;
  p.groups[0].design_rise_k = 0;
  EXPECT_EQ(check_set_points(p, mild).all().size(), 5u);
}

TEST(Ashrae, classes_and_the_least_that_takes_a_temperature) {
  ASSERT_TRUE(ashrae_class("A2"));
  EXPECT_EQ(ashrae_class("A2")->high_c, 35);
  EXPECT_FALSE(ashrae_class("B7"));
  EXPECT_EQ(least_class('W', 31), "W32");
  EXPECT_EQ(least_class('W', 47), "W+");
  EXPECT_EQ(least_class('A', 33), "A2");
  EXPECT_EQ(least_class('S', 51), "");
}

TEST(Limits, of_a_year) {
  const Plant p = good_plant();
  const auto w = synthetic_year(*catalog::Catalog::builtin().find<catalog::Climate>("chicago-il"));
  const auto y = year(p, w);
  const auto checks = check_limits(p, y, "A2", "W32", "S40");
  ASSERT_EQ(checks.size(), 4u);
  EXPECT_EQ(checks[1].id, "water W32");
  EXPECT_NEAR(checks[1].have_c, 28 + y.worst_short_k, 1.0);
  EXPECT_EQ(checks[3].id, "chip");
  EXPECT_NEAR(checks[3].margin_k(), y.least_chip_margin_k, 1e-9);
  EXPECT_GT(checks[3].margin_k(), 10);
}

}  // namespace
}  // namespace headroom::cooling
