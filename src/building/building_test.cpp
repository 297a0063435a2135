#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <algorithm>

#include "building/assess.hpp"

namespace headroom::building {
namespace {

const catalog::Catalog& cat() { return catalog::Catalog::builtin(); }

template <class Q>
Value<Q> given(Q q) {
  return Value<Q>(q, assumed("test"));
}

HallDemand hall_of(const char* system, double systems, double per_rack, double racks,
                   Trace& trace) {
  HallDemand d;
  d.scope = "hall-a";
  d.title = "hall A";
  Group g;
  g.scope = "gpu";
  g.title = "cluster gpu";
  g.system = cat().find<catalog::System>(system);
  EXPECT_NE(g.system, nullptr) << system;
  g.systems = trace.constant("systems", Scalar(systems), "system", assumed("test"));
  g.per_rack = trace.constant("per_rack", Scalar(per_rack), "system", assumed("test"));
  g.racks = trace.constant("racks", Scalar(racks), "rack", assumed("test"));
  d.groups.push_back(g);
  return d;
}

const Margin* find(const Result& r, const std::string& id) {
  for (const auto& m : r.findings.margins) {
    if (m.id == id) return &m;
  }
  return nullptr;
}

// Eight DGX B200 of 10 U need 80 U: impossible in 42 U (claims ledger a3-014); four fit.
TEST(Building, RackUnits) {
  Trace trace;
  const auto eight = assess({hall_of("dgx-b200", 8, 8, 1, trace)}, cat(), trace);
  const Margin* m = find(eight, "building.hall-a.gpu.units");
  ASSERT_NE(m, nullptr);
  EXPECT_DOUBLE_EQ(m->need, 80);
  EXPECT_DOUBLE_EQ(m->have, 42);
  EXPECT_FALSE(m->holds());
  EXPECT_FALSE(m->remedies.empty());
  const auto four = assess({hall_of("dgx-b200", 8, 4, 2, trace)}, cat(), trace);
  EXPECT_TRUE(find(four, "building.hall-a.gpu.units")->holds());
  RackSpec rack;
  EXPECT_EQ(systems_by_height(*cat().find<catalog::System>("dgx-b200"), rack, cat()), 4);
}

// A GB200 NVL72 of 1,360 kg on its own footprint presses harder than a raised floor of
// 7.2 kPa (150 lb/ft2) allows; a slab of 25 kPa carries it.
TEST(Building, FloorLoad) {
  for (const auto& [load_kpa, holds] : {std::pair{7.2, false}, std::pair{30.0, true}}) {
    Trace trace;
    auto d = hall_of("gb200-nvl72", 8, 1, 8, trace);
    d.hall.floor.kind = FloorKind::raised;
    d.hall.floor.load = given(load_kpa * kilopascal);
    const auto r = assess({d}, cat(), trace);
    const Margin* m = find(r, "building.hall-a.gpu.floor");
    ASSERT_NE(m, nullptr);
    const auto* system = d.groups[0].system;
    EXPECT_NEAR(m->need, system->weight.get().si() * 9.80665 / system->footprint().si(), 1e-6);
    EXPECT_EQ(m->holds(), holds);
    EXPECT_EQ(m->remedies.empty(), holds);
  }
}

// Four DGX H100 of 130.45 kg in a rack: 522 kg of equipment.
TEST(Building, RackRatingPointLoadAndMoveRoute) {
  for (const auto& [limit_kg, holds] : {std::pair{400.0, false}, std::pair{2000.0, true}}) {
    Trace trace;
    auto d = hall_of("dgx-h100", 16, 4, 4, trace);
    const Mass one_system = d.groups[0].system->weight.get();
    d.rack.weight_limit = given(limit_kg * kilogram);
    d.hall.floor.point_load = given(limit_kg / 4 * kilogram);
    d.hall.move_route = given(holds ? one_system * 1.01 : one_system * 0.99);
    const auto r = assess({d}, cat(), trace);
    EXPECT_EQ(find(r, "building.hall-a.gpu.rack")->holds(), holds);
    EXPECT_EQ(find(r, "building.hall-a.gpu.point")->holds(), holds);
    EXPECT_EQ(find(r, "building.hall-a.gpu.move")->holds(), holds);
    EXPECT_NEAR(find(r, "building.hall-a.gpu.rack")->need, 4 * one_system.si(), 1e-9);
  }
}

// 40 racks of 40.8 kW on 1,200 ft2 (30 ft2 each): 1,360 W/ft2 against 150.
TEST(Building, PositionsAreaDensity) {
  Trace trace;
  auto d = hall_of("dgx-h100", 160, 4, 40, trace);
  d.hall.racks = given(Scalar(40));
  d.hall.area = given(1200 * square_foot);
  d.hall.density = given(150 * watt / square_foot);
  d.it_max = trace.constant("it", 40 * 40.8 * kilowatt, "kW", assumed("test"));
  auto r = assess({d}, cat(), trace);
  EXPECT_TRUE(find(r, "building.hall-a.positions")->holds());
  EXPECT_TRUE(find(r, "building.hall-a.area")->holds());
  const Margin* density = find(r, "building.hall-a.density");
  EXPECT_FALSE(density->holds());
  EXPECT_NEAR(density->need * (1 * square_foot).si(), 1360, 1e-6);
  d.other_racks = 3;
  r = assess({d}, cat(), trace);
  EXPECT_FALSE(find(r, "building.hall-a.positions")->holds());
  EXPECT_FALSE(find(r, "building.hall-a.area")->holds());
}

// Nothing given, nothing claimed: only what the rack itself limits.
TEST(Building, NoLimitWithoutACapacity) {
  Trace trace;
  const auto r = assess({hall_of("dgx-h100", 4, 4, 1, trace)}, cat(), trace);
  for (const auto& m : r.findings.margins) {
    EXPECT_TRUE(m.id == "building.hall-a.gpu.units" || m.id == "building.hall-a.gpu.rack") << m.id;
  }
}

// More systems in a rack never lighten it or leave more units.
RC_GTEST_PROP(Building, LoadGrowsWithSystems, ()) {
  const int n = *rc::gen::inRange(1, 8);
  Trace trace;
  const auto a = assess({hall_of("dgx-h100", 16, n, 4, trace)}, cat(), trace);
  const auto b = assess({hall_of("dgx-h100", 16, n + 1, 4, trace)}, cat(), trace);
  for (const char* id : {"building.hall-a.gpu.units", "building.hall-a.gpu.rack"}) {
    RC_ASSERT(find(b, id)->need > find(a, id)->need);
  }
}

// Hall of 200 m2 and power rooms of 0.05 m2/kW, a quarter more for what supports them.
TEST(Building, gross_area_is_held_where_it_is_given) {
  Trace trace;
  HallDemand d;
  d.scope = "hall-a", d.title = "hall A";
  d.hall.area = Value<Area>(200 * square_metre, assumed("test"));
  d.other_racks = 4;
  d.it_max.value = 1 * megawatt;
  Spec building;
  EXPECT_TRUE(assess({d}, catalog::Catalog::builtin(), trace, building).findings.margins.size() <
              2);
  building.area = Value<Area>(300 * square_metre, assumed("test"));
  const auto findings = assess({d}, catalog::Catalog::builtin(), trace, building).findings;
  const auto m = std::find_if(findings.margins.begin(), findings.margins.end(),
                              [](const Margin& x) { return x.id == "building.area"; });
  ASSERT_NE(m, findings.margins.end());
  EXPECT_NEAR(m->need, (200 + 50) * 1.25, 1e-9);
  EXPECT_FALSE(m->holds());
  EXPECT_FALSE(m->remedies.empty());
}

}  // namespace
}  // namespace headroom::building
