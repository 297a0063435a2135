// Every limit can fail: a published scenario, one or two inputs changed, and the limit that
// must then fall short. A limit that cannot be made to fail is no limit.
#include "study/check.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace headroom::study {
namespace {

const catalog::Catalog& cat() { return catalog::Catalog::builtin(); }

std::string scenario(const std::string& name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

Verdict run(const std::string& name, const std::vector<std::string>& sets) {
  const auto loaded = load(scenario(name), sets, cat());
  EXPECT_TRUE(loaded) << (loaded ? "" : render(loaded.error()));
  return loaded ? check(*loaded, cat()) : Verdict{};
}

const Margin* find(const Verdict& v, const std::string& id) {
  const auto it =
      std::find_if(v.margins.begin(), v.margins.end(), [&](const Margin& m) { return m.id == id; });
  return it == v.margins.end() ? nullptr : &*it;
}

struct Case {
  const char* scenario;
  std::vector<std::string> sets;
  const char* margin;
  bool remedied = true;  ///< names a way out
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.scenario << " " << c.margin; }

class EveryLimit : public testing::TestWithParam<Case> {};

TEST_P(EveryLimit, CanFallShort) {
  const auto& c = GetParam();
  const auto v = run(c.scenario, c.sets);
  const Margin* m = find(v, c.margin);
  ASSERT_NE(m, nullptr) << c.margin;
  EXPECT_FALSE(m->holds()) << m->need << " against " << m->have;
  EXPECT_FALSE(v.fits);
  EXPECT_FALSE(m->why.empty());
  EXPECT_TRUE(!c.remedied || !m->remedies.empty()) << c.margin;
}

const Case facility_cases[] = {
    {"legacy-hall", {}, "power.grid"},
    {"legacy-hall", {}, "power.grid-feeds"},
    {"legacy-hall", {}, "power.transformer"},
    {"legacy-hall", {}, "power.generator"},
    {"legacy-hall", {}, "power.generator-fuel"},
    {"legacy-hall", {}, "power.ups"},
    {"legacy-hall", {"power.ups.autonomy=2 s"}, "power.ups-autonomy"},
    {"legacy-hall", {}, "power.hall-a.distribution"},
    {"legacy-hall", {}, "power.hall-a.rack-feed"},
    {"legacy-hall", {}, "power.hall-a.rack-breaker"},
    {"legacy-hall", {}, "cooling.hall-a.rack"},
    {"legacy-hall", {}, "cooling.hall-a.units"},
    {"legacy-hall", {"building.halls.A.cooling.supply=45 degC"}, "cooling.hall-a.inlet"},
    {"nvl72-row", {"building.halls.A.cooling.cdus=2 x 400 kW"}, "cooling.hall-a.cdus"},
    {"nvl72-row", {"building.halls.A.cooling.rack_air=0.1 m3/s"}, "cooling.hall-a.rack-air"},
    {"nvl72-row", {"building.halls.A.cooling.supply=60 degC"}, "cooling.hall-a.coolant"},
    {"nvl72-row", {"cooling.capacity=2 x 500 kW"}, "cooling.plant"},
    {"nvl72-row", {"building.halls.A.cooling.supply=15 degC"}, "cooling.supply"},
    {"nvl72-row", {"cooling.permit=5 m3/d"}, "cooling.water-day"},
    {"campus-100k", {"cooling.permit_year=1 m3/d"}, "cooling.water-year"},
    {"legacy-hall", {}, "building.hall-a.density"},
    {"legacy-hall", {}, "building.hall-a.gpu.floor"},
    {"legacy-hall", {"clusters.gpu.per_rack=8"}, "building.hall-a.gpu.units"},
    {"legacy-hall", {"clusters.gpu.per_rack=8"}, "building.hall-a.gpu.rack"},
    {"legacy-hall", {"clusters.gpu.per_rack=8"}, "building.hall-a.gpu.point"},
    {"legacy-hall", {"building.halls.A.move_route=50 kg"}, "building.hall-a.gpu.move"},
    {"legacy-hall", {"building.halls.A.racks=5"}, "building.hall-a.positions"},
    {"legacy-hall", {"building.halls.A.area=100 ft2"}, "building.hall-a.area"},
};
INSTANTIATE_TEST_SUITE_P(Facility, EveryLimit, testing::ValuesIn(facility_cases));

const Case machine_cases[] = {
    {"campus-100k", {}, "fabric.gpu.ports"},
    {"campus-100k",
     {"clusters.gpu.fabric.oversubscription=8", "clusters.gpu.fabric.max_oversubscription=2"},
     "fabric.gpu.bisection"},
    {"chat-70b", {"clusters.gpu.fabric.longest_host_link=50 m"}, "fabric.gpu.copper"},
    {"chat-70b", {"clusters.gpu.fabric.longest_switch_link=90 km"}, "fabric.gpu.reach"},
    {"llama3-405b", {"storage.dataset=1000 EB"}, "storage.site.tectonic.capacity"},
    {"llama3-405b", {"storage.checkpoint.stall=1 us"}, "storage.site.checkpoint"},
    {"llama3-405b", {"storage.checkpoint.restart_within=1 ms"}, "storage.site.restart"},
    {"llama3-405b", {"storage.checkpoint.interval=10 ms"}, "storage.site.drain"},
    {"chat-70b", {"storage.model_load_within=1 ms"}, "storage.site.model-load"},
    {"rag-enterprise", {"storage.move_in.within=1 min"}, "storage.site.move-in"},
    {"llama3-405b", {"workloads.pretrain.finish_within=10 d"}, "cluster.gpu.gpus"},
    {"llama3-405b", {"clusters.gpu.spares=0"}, "cluster.gpu.spares"},
    {"llama3-405b", {"clusters.gpu.goodput=99.9 %"}, "cluster.gpu.pretrain.goodput"},
    {"llama3-405b",
     {"workloads.pretrain.checkpoint.interval=1000 h"},
     "cluster.gpu.pretrain.checkpoint"},
};
INSTANTIATE_TEST_SUITE_P(Machines, EveryLimit, testing::ValuesIn(machine_cases));

const Case work_cases[] = {
    {"llama3-405b", {"workloads.pretrain.finish_within=10 d"}, "train.pretrain.finish-by"},
    {"llama3-405b", {"workloads.pretrain.plan={tp: 1, pp: 1, zero: 0}"}, "train.pretrain.memory"},
    {"llama3-405b", {"workloads.pretrain.plan={tp: 7}"}, "train.pretrain.layout"},
    {"llama3-405b",
     {"workloads.pretrain.checkpoint.allowed_stall=1 ms"},
     "train.pretrain.checkpoint-stall"},
    {"chat-70b", {"workloads.chat.slo.ttft=1 ms"}, "infer.chat.ttft"},
    {"chat-70b", {"workloads.chat.slo.tpot=1 ms"}, "infer.chat.tpot"},
    {"chat-70b", {"workloads.chat.slo.e2e=10 ms"}, "infer.chat.e2e"},
    {"chat-70b", {"workloads.chat.engine={tp: 1, pp: 1}"}, "infer.chat.memory"},
    {"chat-70b", {"workloads.chat.slo.context=1e6 token"}, "infer.chat.context"},
    {"chat-70b", {"workloads.chat.traffic.peak=50000 request/s"}, "infer.chat.gpus"},
    {"chat-70b", {"workloads.chat.traffic.peak=50000 request/s"}, "infer.chat.rate"},
    {"chat-70b", {"workloads.chat.traffic.peak=50000 request/s"}, "infer.chat.spare"},
    {"rag-enterprise", {"workloads.ask.first_token=1 ms"}, "infer.ask.first-token"},
    {"nvl72-row", {"workloads.clips.clips=1e6"}, "infer.clips.gpus"},
    {"nvl72-row", {"workloads.clips.deadline=1 s"}, "infer.clips.deadline"},
    {"edge-retail", {"workloads.shelf.min_speed=1000 token/s"}, "infer.shelf.speed"},
    {"edge-retail", {"workloads.shelf.ttft=1 ms"}, "infer.shelf.ttft"},
    {"edge-retail", {"workloads.shelf.requests=1e6"}, "infer.shelf.load"},
    {"edge-retail", {"workloads.shelf.model=llama-3.1-405b"}, "infer.shelf.memory"},
};
INSTANTIATE_TEST_SUITE_P(Work, EveryLimit, testing::ValuesIn(work_cases));

const Case place_cases[] = {
    {"campus-100k", {"site.start=2026-12-01", "site.need_by=2027-01-01"}, "site.ready"},
    {"chat-70b", {"site.users.west.rtt_limit=1 ms"}, "site.rtt.west"},
    {"campus-100k", {"site.carbon.per_year=200 ktCO2e"}, "site.carbon"},
    {"chat-70b", {"site.carbon.intensity=1 gCO2e/kWh"}, "site.carbon-intensity"},
    {"edge-retail", {"site.residency.within=[JP]"}, "site.residency.within"},
    {"campus-100k", {"site.export.owner_country=CN"}, "site.export.h100-sxm"},
    {"campus-100k", {"money.budget=1 MUSD"}, "money.budget"},
    {"chat-70b", {"money.operating_budget=1 USD/yr"}, "money.operating_budget"},
    {"chat-70b", {"money.target_token_price=0.001 USD/Mtoken"}, "money.chat.token_price"},
    {"chat-70b", {"money.target_gpu_hour=2.5 USD/h"}, "money.gpu_hour"},
};
INSTANTIATE_TEST_SUITE_P(Place, EveryLimit, testing::ValuesIn(place_cases));

// --- Layers joined ---------------------------------------------------------------------

// Twice the systems draw twice the IT power and never less at the meter.
RC_GTEST_PROP(Study, MorePowerWithMoreSystems, ()) {
  const int n = *rc::gen::inRange(1, 200);
  auto with = [](int count) {
    return run("legacy-hall", {"clusters.gpu.count=" + std::to_string(count)});
  };
  const auto a = with(n);
  const auto b = with(n + 10);
  const Margin* grid_a = find(a, "power.grid");
  const Margin* grid_b = find(b, "power.grid");
  RC_ASSERT(grid_a != nullptr && grid_b != nullptr);
  RC_ASSERT(grid_b->need > grid_a->need);
  RC_ASSERT(b.energy_imbalance < 1e-6);
}

// A GPU hall of liquid-cooled racks has a lower PUE than the same load in old air.
TEST(Study, PueFollowsTheCooling) {
  auto pue = [](const Verdict& v) {
    for (const auto& line : v.energy.lines) {
      if (line.key == "pue") return line.si;
    }
    return 0.0;
  };
  const double liquid = pue(run("nvl72-row", {}));
  const double air = pue(run("legacy-hall", {}));
  EXPECT_GT(liquid, 1.0);
  EXPECT_LT(liquid, air);
}

// Each range of the scenario is tried at both ends; the likely verdict stays what it was.
TEST(Study, RangesAreTriedAtBothEnds) {
  const auto point = run("legacy-hall", {});
  const auto v =
      run("legacy-hall", {"power.grid.capacity={low: 300 kW, likely: 700 kW, high: 2 MW}"});
  ASSERT_EQ(v.sensitivities.size(), 1u);
  EXPECT_EQ(v.sensitivities[0].path, "power.grid.capacity");
  EXPECT_EQ(v.margins.size(), point.margins.size());
  EXPECT_EQ(find(v, "power.grid")->have, find(point, "power.grid")->have);
  const auto grid_binds =
      run("nvl72-row", {"power.grid.capacity={low: 400 kW, likely: 600 kW, high: 2 MW}"});
  ASSERT_EQ(grid_binds.binding()->layer, "power");
  EXPECT_LT(grid_binds.sensitivities[0].headroom_low, grid_binds.sensitivities[0].headroom_high);
}

// A catalogue range behind the binding limit is named, and tried when asked.
TEST(Study, CatalogueRangesAreTriedOnDemand) {
  const auto loaded = load(scenario("nvl72-row"), {}, cat());
  ASSERT_TRUE(loaded);
  CheckOptions options;
  options.catalogue_ranges = true;
  const auto v = check(*loaded, cat(), options);
  ASSERT_EQ(v.binding()->id, "power.hall-a.rack-feed");
  const auto it = std::find_if(v.sensitivities.begin(), v.sensitivities.end(), [](const auto& s) {
    return s.path == "system gb200-nvl72 power.max";
  });
  ASSERT_NE(it, v.sensitivities.end());
  EXPECT_GT(it->headroom_low, it->headroom_high);  // a thirstier rack has less headroom
}

// What a scenario leaves out is said to be left out, and no limit is invented for it.
TEST(Study, WhatIsNotAskedIsSaid) {
  const auto v = run("edge-retail", {});
  EXPECT_NE(std::find(v.not_asked.begin(), v.not_asked.end(), "power"), v.not_asked.end());
  for (const auto& m : v.margins) EXPECT_NE(m.layer, "power") << m.id;
}

// Llama 3 405B on 16,384 H100: MFU between 38 and 43 % (Llama 3 paper, Table 4), and the
// days that 15.6 T tokens take at it.
TEST(Study, Llama3LandsNearThePaper) {
  const auto v = run("llama3-405b", {});
  ASSERT_FALSE(v.workloads.empty());
  double mfu = 0;
  double days = 0;
  for (const auto& line : v.workloads.front().lines) {
    if (line.key == "mfu") mfu = line.si;
    if (line.key == "duration") days = line.si / 86400;
  }
  EXPECT_GE(mfu, 0.38);
  EXPECT_LE(mfu, 0.43);
  EXPECT_GT(days, 54);  // 54 days is the window of the reliability snapshot, not of the run
  EXPECT_LT(days, 90);
}

// 100,000 H100 draw about 150 MW of IT, not the 250 MW of the trade press (ledger a3-028).
TEST(Study, CampusIsNot250Megawatts) {
  const auto v = run("campus-100k", {});
  for (const auto& line : v.energy.lines) {
    if (line.key == "it_max") {
      EXPECT_GT(line.si, 125e6);
      EXPECT_LT(line.si, 165e6);
    }
  }
}

// Two-phase immersion of H100: 700 W over 8.14 cm2 of die is 86 W/cm2, at the limit of the
// enhanced surface; the tank itself carries the rack with ease.
TEST(Study, TankBoilsAtTheChip) {
  const auto v = run("legacy-hall", {"building.halls.A.cooling={kind: immersion-2p}"});
  const Margin* boiling = find(v, "cooling.hall-a.boiling");
  ASSERT_NE(boiling, nullptr);
  EXPECT_NEAR(boiling->need / 1e4, 700 / 8.14, 0.1);
  EXPECT_EQ(boiling->unit, "W/cm2");
  EXPECT_TRUE(find(v, "cooling.hall-a.rack")->holds());
}

// References between parts of a scenario are checked, with the nearest name.
TEST(Load, NamesBrokenReferences) {
  const auto hall = load(scenario("legacy-hall"), {"clusters.gpu.hall=B"}, cat());
  ASSERT_FALSE(hall);
  EXPECT_NE(render(hall.error()).find("no hall is called 'B'"), std::string::npos);
  const auto cluster = load(scenario("llama3-405b"), {"workloads.pretrain.on=gpus"}, cat());
  ASSERT_FALSE(cluster);
  EXPECT_NE(render(cluster.error()).find("did you mean 'gpu'?"), std::string::npos);
  const auto dates =
      load(scenario("campus-100k"), {"site.start=2030-01-01", "site.need_by=2029-01-01"}, cat());
  ASSERT_FALSE(dates);
  EXPECT_NE(render(dates.error()).find("before the start"), std::string::npos);
}

// A chain written node by node is the one that `check` sees: its losses at the meter, its stages
// among the limits.
TEST(Check, SeesAChainWrittenNodeByNode) {
  const auto with_ups = [](const char* kva) {
    return run("chat-70b",
               {std::string("power={nodes: [{name: grid, kind: utility, rating: 1 MW}, "
                            "{name: tx, kind: transformer, fed_by: grid, units: 2 x 500 kW}, "
                            "{name: ups, kind: ups, fed_by: tx, units: 2 x ") +
                kva +
                "}, {name: bus, kind: busway, fed_by: ups}, "
                "{name: racks, kind: it, fed_by: bus, hall: A}, "
                "{name: plant, kind: mechanical, fed_by: tx}, "
                "{name: lights, kind: other, fed_by: tx}]}"});
  };
  const Verdict big = with_ups("200 kW"), small = with_ups("60 kW");
  EXPECT_LT(big.energy_imbalance, 1e-9);
  const Margin *ups = find(big, "power.ups"), *fails = find(small, "power.ups");
  ASSERT_NE(ups, nullptr);
  ASSERT_NE(fails, nullptr);
  EXPECT_TRUE(ups->holds());
  EXPECT_FALSE(fails->holds());
  EXPECT_FALSE(fails->remedies.empty());
  EXPECT_NE(find(big, "power.tx"), nullptr);
  // A bank four times too large loses more.
  const Verdict huge = with_ups("450 kW");
  const auto meter = [](const Verdict& v) {
    return v.trace.at(v.trace.find("study.meter_typical")).si;
  };
  EXPECT_GT(meter(huge), 1.01 * meter(big));
}

TEST(Check, HoldsHallsAgainstATargetOfAvailability) {
  const Verdict none = run("nvl72-row", {});
  EXPECT_EQ(find(none, "availability.hall-a"), nullptr);  // not asked
  const Verdict easy = run("nvl72-row", {"availability.target=99.9 %"});
  const Verdict hard = run("nvl72-row", {"availability.target=99.9999 %"});
  const Margin *holds = find(easy, "availability.hall-a"),
               *fails = find(hard, "availability.hall-a");
  ASSERT_NE(holds, nullptr);
  ASSERT_NE(fails, nullptr);
  EXPECT_TRUE(holds->holds());
  EXPECT_FALSE(fails->holds());
  EXPECT_FALSE(fails->remedies.empty());
  EXPECT_EQ(holds->need, fails->need);  // the same histories
  EXPECT_NEAR(holds->have, 8766 * 3600 * 1e-3, 1);
}

TEST(Check, HoldsSwingsAgainstTheLimitsThatAreGiven) {
  EXPECT_EQ(find(run("llama3-405b", {}), "power.transient.range"), nullptr);
  const Verdict tight = run("llama3-405b", {"power.transient.range=1 %"});
  const Margin* range = find(tight, "power.transient.range");
  ASSERT_NE(range, nullptr);
  EXPECT_FALSE(range->holds());
  EXPECT_EQ(find(tight, "power.transient.start-minute"), nullptr);  // that one was not given
}

}  // namespace
}  // namespace headroom::study
