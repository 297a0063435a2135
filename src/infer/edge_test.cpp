#include "infer/edge.hpp"

#include <gtest/gtest.h>

#include "infer/fixtures.hpp"

namespace headroom::infer {
namespace {

using namespace test;

SourcePtr said() { return published("scenario, for tests"); }

struct Case {
  catalog::Model model = dense("llama-2-13b", 40, 5120, 40, 40, 13824, 32000);
  catalog::Accelerator box = [] {
    auto a = accelerator("apple-m3-max", 28, 0, 64, 400);
    a.device_class = catalog::DeviceClass::laptop;
    a.stream_efficiency = {0.85, sheet()};
    a.gemm_efficiency = {0.6, sheet()};
    a.power.max = {60 * watt, sheet()};
    return a;
  }();
  EdgeSpec spec;
  EdgeDemand demand;
  Trace trace;

  Case() {
    spec.precision.given = Precision::fp16;
    spec.sites = {600.0, said()};
    spec.requests = {400.0, said()};
    demand.scope = "shop";
    demand.model = &model;
    demand.box.accelerator = &box;
  }
  EdgeResult run() { return assess(spec, demand, trace); }
};

const Margin* limit(const EdgeResult& r, const std::string& id) {
  for (const auto& m : r.findings.margins) {
    if (m.id == "infer.shop." + id) return &m;
  }
  return nullptr;
}

// 13B at 16 bit are 26 GB; 400 GB/s over that is 15 token/s, less losses.
TEST(Edge, ThirteenBillionOnAnM3Max) {
  Case c;
  const auto r = c.run();
  EXPECT_NEAR(r.speed_bound.value.si(), 15.5, 0.8);
  EXPECT_LT(r.speed.value.si(), r.speed_bound.value.si());
  EXPECT_GT(r.speed.value.si(), 0.7 * r.speed_bound.value.si());
  EXPECT_TRUE(limit(r, "memory")->holds());
  EXPECT_NEAR(r.energy.value.si(), 60 / r.speed.value.si(), 1e-9);
}

TEST(Edge, AModelThatDoesNotFitSaysSo) {
  Case c;
  c.model = llama_70b();
  const auto r = c.run();
  EXPECT_FALSE(r.feasible);
  EXPECT_FALSE(limit(r, "memory")->holds());
  EXPECT_NE(limit(r, "memory")->remedies.at(0).action.find("int4"), std::string::npos);
}

TEST(Edge, SpeedIsALimitBothWays) {
  Case c;
  c.spec.min_speed = {30 * (1 * token / (1 * second)), said()};
  EXPECT_FALSE(limit(c.run(), "speed")->holds());
  c.spec.precision.given = Precision::int4;
  EXPECT_TRUE(limit(c.run(), "speed")->holds());
}

TEST(Edge, LoadTtftAndContext) {
  Case c;
  c.spec.ttft = {10 * second, said()};
  c.spec.context = {4096 * token, said()};
  const auto fits = c.run();
  EXPECT_TRUE(limit(fits, "load")->holds());
  EXPECT_TRUE(limit(fits, "ttft")->holds());
  EXPECT_TRUE(limit(fits, "context")->holds());
  c.spec.requests = {20000.0, said()};
  c.spec.ttft = {10 * millisecond, said()};
  c.spec.context = {1e6 * token, said()};
  const auto fails = c.run();
  EXPECT_FALSE(limit(fails, "load")->holds());
  EXPECT_FALSE(limit(fails, "load")->remedies.empty());
  EXPECT_FALSE(limit(fails, "ttft")->holds());
  EXPECT_FALSE(limit(fails, "context")->holds());
}

// 600 shops x 400 requests a day are 2.8 a second: a handful of cards in one region.
TEST(Edge, RegionBesideIt) {
  Case c;
  const auto gpu = h100();
  Hardware central;
  central.accelerator = &gpu;
  central.path = hgx();
  c.demand.central = central;
  c.spec.uplink = {40 * millisecond, said()};
  const auto r = c.run();
  ASSERT_TRUE(r.central);
  EXPECT_LE(r.central->gpus_needed.value.si(), 8);
  EXPECT_GT(r.central_ttft.value.in(millisecond), 40);
  EXPECT_EQ(r.boxes.value.si(), 600);
  EXPECT_NEAR(r.output_per_year.value.si(), 600.0 * 400 * 365 * 150, 1);
  EXPECT_FALSE(r.findings.plans.empty());
}

// 600 shops x 400 requests x 150 tokens a day are 417 token/s. The boxes draw their power all day,
// so a token at the meter costs more than one while a box works: here 600 boxes at 6 to 60 W.
TEST(Edge, AllDayEnergyIsTheMetersEnergy) {
  Case c;
  const auto r = c.run();
  EXPECT_NEAR(r.output_rate.value.si(), 600.0 * 400 * 150 / 86400, 1e-6);
  EXPECT_NEAR(r.input_rate.value.si(), 600.0 * 400 * 500 / 86400, 1e-6);
  EXPECT_NEAR(r.energy_all_day.value.si() * r.output_rate.value.si(), r.power.value.si(), 1e-6);
  EXPECT_GT(r.energy_all_day.value, r.energy.value);
  c.spec.requests = {40.0, said()};
  EXPECT_GT(c.run().energy_all_day.value, r.energy_all_day.value);
  c.spec.requests = {0.0, said()};
  EXPECT_EQ(c.run().energy_all_day.node, no_node);
}

TEST(Edge, MissingPiecesAreRemarks) {
  Case c;
  c.demand.box.accelerator = nullptr;
  const auto r = c.run();
  EXPECT_TRUE(r.findings.margins.empty());
  EXPECT_FALSE(r.findings.remarks.empty());
}

}  // namespace
}  // namespace headroom::infer
