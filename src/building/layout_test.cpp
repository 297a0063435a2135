#include "building/layout.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

namespace headroom::building {
namespace {

template <class Q>
Value<Q> given(Q q) {
  return Value<Q>(q, assumed("test"));
}

bool meet(const Block& a, const Block& b) {
  constexpr double slack = 1e-7;
  return a.x_m < b.right_m() - slack && b.x_m < a.right_m() - slack && a.y_m < b.top_m() - slack &&
         b.y_m < a.top_m() - slack;
}

bool floor_only(BlockKind k) {
  return k == BlockKind::cold_aisle || k == BlockKind::hot_aisle || k == BlockKind::end_aisle ||
         k == BlockKind::pipes;
}

int count(const Layout& plan, BlockKind k) {
  return int(std::count_if(plan.blocks.begin(), plan.blocks.end(),
                           [&](const Block& b) { return b.what == k; }));
}

double area_of(const Layout& plan, const char* name) {
  for (const auto& [n, m2] : plan.areas)
    if (n == name) return m2;
  return 0;
}

/// What `lay_out` promises of every plan.
void sound(const LayoutInput& in, const Layout& plan) {
  int racks = 0;
  for (std::size_t k = 0; k < in.kinds.size(); ++k) {
    racks += in.kinds[k].count;
    const auto n = std::count_if(plan.blocks.begin(), plan.blocks.end(),
                                 [&](const Block& b) { return b.kind == int(k); });
    RC_ASSERT(n == in.kinds[k].count);
  }
  RC_ASSERT(count(plan, BlockKind::rack) == racks);
  RC_ASSERT(count(plan, BlockKind::rack) + count(plan, BlockKind::free_position) ==
            std::max(racks, in.positions));
  RC_ASSERT(count(plan, BlockKind::cdu) == in.cdus);
  RC_ASSERT(count(plan, BlockKind::room_unit) == in.room_units);
  RC_ASSERT(count(plan, BlockKind::pdu) == in.pdus);
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const Block& a = plan.blocks[i];
    if (a.what == BlockKind::power_room) {
      RC_ASSERT(a.top_m() <= 1e-9);
    } else {
      RC_ASSERT(a.x_m >= -1e-9);
      RC_ASSERT(a.y_m >= -1e-9);
      RC_ASSERT(a.right_m() <= plan.length_m + 1e-7);
      RC_ASSERT(a.top_m() <= plan.width_m + 1e-7);
    }
    for (std::size_t j = i + 1; j < plan.blocks.size(); ++j) {
      const Block& b = plan.blocks[j];
      const bool column_in_aisle = (a.what == BlockKind::column && floor_only(b.what)) ||
                                   (b.what == BlockKind::column && floor_only(a.what));
      if (!column_in_aisle) RC_ASSERT(!meet(a, b));
    }
  }
  double sum = 0;
  for (const auto& [name, m2] : plan.areas) {
    RC_ASSERT(m2 >= -1e-6);
    sum += m2;
  }
  RC_ASSERT(std::abs(sum - plan.area_m2()) < 1e-6 * (1 + plan.area_m2()));
}

LayoutInput any_input() {
  LayoutInput in;
  const int kinds = *rc::gen::inRange(1, 4);
  for (int i = 0; i < kinds; ++i)
    in.kinds.push_back({"k" + std::to_string(i), *rc::gen::inRange(0, 40),
                        *rc::gen::element(0.6, 0.75, 0.8), *rc::gen::element(1.0, 1.2, 1.4),
                        *rc::gen::element(0.0, 900.0, 1600.0), 40e3});
  in.positions = *rc::gen::inRange(0, 90);
  in.cdus = *rc::gen::inRange(0, 9), in.room_units = *rc::gen::inRange(0, 20);
  in.pdus = *rc::gen::inRange(0, 7), in.liquid = *rc::gen::arbitrary<bool>();
  in.it_max_w = 1e6;
  in.spec.row = *rc::gen::inRange(0, 25);
  if (*rc::gen::arbitrary<bool>()) in.spec.cdus = CduPlace::gallery;
  if (*rc::gen::arbitrary<bool>())
    in.spec.column_spacing = given(*rc::gen::element(4.0, 7.5, 9.0) * metre);
  if (*rc::gen::arbitrary<bool>()) in.spec.cold_aisle = given(1.8 * metre);
  return in;
}

// Nothing overlaps, nothing is lost, nothing leaves the room, areas add up.
RC_GTEST_PROP(Layout, IsSound, ()) {
  const auto in = any_input();
  sound(in, lay_out(in));
}

// The areas against a second answer: midpoints of a raster, each asked what is there.
RC_GTEST_PROP(Layout, AreasAgreeWithARaster, ()) {
  const auto in = any_input();
  const auto plan = lay_out(in);
  constexpr int n = 300;
  std::vector<double> by(std::size_t(BlockKind::power_room) + 1);
  const double cell = plan.area_m2() / n / n;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const double x = (i + 0.5) * plan.length_m / n, y = (j + 0.5) * plan.width_m / n;
      const Block* here = nullptr;
      for (const auto& b : plan.blocks)
        if (x >= b.x_m && x < b.right_m() && y >= b.y_m && y < b.top_m() &&
            (here == nullptr || b.what == BlockKind::column))
          here = &b;
      if (here != nullptr) by[std::size_t(here->what)] += cell;
    }
  }
  for (std::size_t k = 0; k < by.size() - 1; ++k)
    RC_ASSERT(std::abs(by[k] - area_of(plan, block_kind_name(BlockKind(k)))) <
              0.02 * plan.area_m2() + 0.5);
}

// Two rows of five back to back, by hand: 5 x 0.6 m long between ends of 1.2 m; 1.2 + 1.2 + 1 +
// 1.2 + 1.2 m across.
TEST(Layout, TwoRowsByHand) {
  LayoutInput in;
  in.kinds = {{"gpu", 10, 0.6, 1.2, 1000, 40e3}};
  in.spec.row = 5;
  in.spec.width = given(5.8 * metre);
  const auto plan = lay_out(in);
  EXPECT_TRUE(plan.fits);
  EXPECT_EQ(plan.rows, 2);
  EXPECT_NEAR(plan.length_m, 5.4, 1e-9);
  EXPECT_NEAR(plan.width_m, 5.8, 1e-9);
  EXPECT_NEAR(area_of(plan, "racks"), 7.2, 1e-9);
  EXPECT_NEAR(area_of(plan, "cold aisles"), 2 * 3.0 * 1.2, 1e-9);
  EXPECT_NEAR(area_of(plan, "hot aisles"), 3.0, 1e-9);
  EXPECT_NEAR(area_of(plan, "end aisles"), 2 * 1.2 * 5.8, 1e-9);
  EXPECT_NEAR(area_of(plan, "rest"), 0, 1e-9);
  // 400 kW on racks' 7.2 m2, and on them with half of each aisle: 0.6 x (1.2 + 1.1) m each.
  ASSERT_EQ(plan.zones.size(), 1u);
  EXPECT_NEAR(plan.zones[0].power_w / plan.zones[0].with_aisles_m2, 400e3 / 13.8, 1e-6);
}

// A room that is too small says so, says how many it takes, and that many fit.
TEST(Layout, TooSmallARoom) {
  LayoutInput in;
  in.kinds = {{"gpu", 100, 0.6, 1.2, 1000, 40e3}};
  in.area_m2 = 120;
  auto plan = lay_out(in);
  EXPECT_FALSE(plan.fits);
  EXPECT_GT(plan.needed_area_m2(), 120);
  ASSERT_GT(plan.most_positions, 10);
  ASSERT_LT(plan.most_positions, 100);
  in.kinds[0].count = plan.most_positions;
  plan = lay_out(in);
  EXPECT_TRUE(plan.fits);
  EXPECT_LE(plan.needed_area_m2(), 120 * (1 + 1e-9));
  in.kinds[0].count = plan.most_positions + 1;
  EXPECT_FALSE(lay_out(in).fits);
}

// Wider aisles never need less room; columns narrow an aisle and take no rack's place.
TEST(Layout, AislesAndColumns) {
  LayoutInput in;
  in.kinds = {{"gpu", 60, 0.6, 1.2, 1000, 40e3}};
  const double usual = lay_out(in).needed_area_m2();
  in.spec.cold_aisle = given(2.4 * metre);
  EXPECT_GT(lay_out(in).needed_area_m2(), usual);
  in.spec.column_spacing = given(3.0 * metre);
  const auto plan = lay_out(in);
  EXPECT_EQ(count(plan, BlockKind::rack), 60);
  EXPECT_GT(count(plan, BlockKind::column), 0);
  EXPECT_LE(plan.clear_cold_m, 2.4);
  EXPECT_LT(std::min(plan.clear_cold_m, plan.clear_hot_m), 2.4);
}

// Door to rack: inside the room, never through a rack.
TEST(Layout, MoveRouteStaysInAisles) {
  LayoutInput in;
  in.kinds = {{"light", 30, 0.6, 1.2, 800, 40e3}, {"heavy", 30, 0.6, 1.2, 1600, 130e3}};
  in.spec.row = 8;
  const auto plan = lay_out(in);
  ASSERT_GE(plan.heaviest, 0);
  EXPECT_EQ(plan.blocks[std::size_t(plan.heaviest)].kind, 1);
  ASSERT_EQ(plan.route.size(), 4u);
  for (std::size_t i = 0; i + 1 < plan.route.size(); ++i)
    for (int k = 0; k <= 100; ++k) {
      const double t = k / 100.0;
      const double x = plan.route[i].x_m * (1 - t) + plan.route[i + 1].x_m * t;
      const double y = plan.route[i].y_m * (1 - t) + plan.route[i + 1].y_m * t;
      for (const auto& b : plan.blocks) {
        if (floor_only(b.what)) continue;
        EXPECT_FALSE(x > b.x_m + 1e-6 && x < b.right_m() - 1e-6 && y > b.y_m + 1e-6 &&
                     y < b.top_m() - 1e-6);
      }
    }
}

// 4,000 racks need several blocks of rows and stay a room, not a corridor.
TEST(Layout, FourThousandRacks) {
  LayoutInput in;
  in.kinds = {{"gpu", 4000, 0.6, 1.2, 1000, 40e3}};
  in.cdus = 120;
  const auto plan = lay_out(in);
  EXPECT_GT(plan.blocks_of_rows, 1);
  EXPECT_LT(std::max(plan.length_m, plan.width_m) / std::min(plan.length_m, plan.width_m), 2.6);
  EXPECT_NEAR(gross_area_m2({plan}), 1.25 * plan.area_m2(), 1e-6);
}

// IBM's form: a machine of its own footprint only, no clearance.
TEST(Layout, ClearanceLoad) {
  EXPECT_NEAR(clearance_load_pa(1000, 1, 1), (1000 + 48.82) * 9.80665, 1e-6);
  EXPECT_LT(clearance_load_pa(1000, 1, 2), clearance_load_pa(1000, 1, 1));
}

}  // namespace
}  // namespace headroom::building
