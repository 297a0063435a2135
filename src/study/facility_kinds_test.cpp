// Every way of cooling from a scenario's words: the year balances, PUE and WUE are of the size that
// physics gives, and words of reuse, load, carbon, classes, units and phases do what they say.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "study/facility_phases.hpp"
#include "study/facility_year.hpp"

namespace headroom::study {
namespace {

const catalog::Catalog& cat() { return catalog::Catalog::builtin(); }

std::string file_of(const std::string& name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

FacilityAnswer answered(const std::string& name, const std::vector<std::string>& sets,
                        const FacilityOptions& options = {}) {
  const auto loaded = load(file_of(name), sets, cat());
  EXPECT_TRUE(loaded) << render(loaded.error());
  if (!loaded) return {};
  auto a = facility_year(*loaded, cat(), options);
  EXPECT_TRUE(a) << render(a.error());
  return a ? std::move(*a) : FacilityAnswer{};
}

std::string refused(const std::string& name, const std::vector<std::string>& sets) {
  const auto loaded = load(file_of(name), sets, cat());
  return loaded ? std::string("accepted") : render(loaded.error());
}

double item(const std::vector<FacilityItem>& items, const std::string& key) {
  for (const auto& i : items)
    if (i.key == key) return i.amount;
  return -1;
}

// --- Kinds of cooling -----------------------------------------------------------

struct Kind {
  const char* scenario;
  const char* hall;
  const char* plant;
  double pue_low, pue_high;  // of the year, with the chain's losses
  double wue_low, wue_high;  // L/kWh
};

// Bounds: losses of UPS and transformers are 0.04 to 0.09 of IT (power/README of the chains here);
// fans of room units 0.03 to 0.06; pumps and towers 0.01 to 0.03; compressors at COP 3 to 8 in part
// of the year. Water: all latent heat would be 1.5 L/kWh, with blow-down of five cycles 1.9.
class Kinds : public testing::TestWithParam<Kind> {};

TEST_P(Kinds, AreReachableAndSane) {
  const auto& k = GetParam();
  const auto a = answered(k.scenario, {std::string("building.halls.A.cooling.kind=") + k.hall,
                                       std::string("cooling.kind=") + k.plant});
  ASSERT_TRUE(a.has_year);
  EXPECT_LT(a.imbalance, 1e-6);
  EXPECT_LT(a.worst_imbalance, 1e-6);
  EXPECT_GT(a.pue, k.pue_low);
  EXPECT_LT(a.pue, k.pue_high);
  EXPECT_GE(a.wue_l_kwh, k.wue_low);
  EXPECT_LE(a.wue_l_kwh, k.wue_high);
  const bool towers = std::string(k.plant) == "tower" || std::string(k.plant) == "chiller-water";
  if (std::string(k.hall) != "crac") { EXPECT_EQ(towers, item(a.heat, "tower") > 0); }
}

INSTANTIATE_TEST_SUITE_P(
    Scenarios, Kinds,
    testing::Values(Kind{"legacy-hall", "crac", "chiller-air", 1.15, 1.6, 0, 0},
                    Kind{"legacy-hall", "crah", "chiller-water", 1.08, 1.5, 0.5, 2.5},
                    Kind{"legacy-hall", "crah", "chiller-air", 1.08, 1.5, 0, 0},
                    Kind{"legacy-hall", "in-row", "chiller-water", 1.06, 1.45, 0.5, 2.5},
                    Kind{"legacy-hall", "rear-door", "chiller-water", 1.06, 1.4, 0.5, 2.5},
                    Kind{"legacy-hall", "rear-door", "dry-cooler", 1.06, 1.4, 0, 0},
                    Kind{"nvl72-row", "cold-plate", "tower", 1.03, 1.2, 0.5, 2.2},
                    Kind{"nvl72-row", "cold-plate", "dry-cooler", 1.03, 1.2, 0, 0},
                    Kind{"nvl72-row", "cold-plate", "adiabatic", 1.03, 1.2, 0, 0.5},
                    Kind{"nvl72-row", "cold-plate", "chiller-air", 1.03, 1.3, 0, 0},
                    Kind{"nvl72-row", "immersion-1p", "dry-cooler", 1.02, 1.2, 0, 0},
                    Kind{"nvl72-row", "immersion-1p", "tower", 1.02, 1.2, 0.5, 2.2},
                    Kind{"nvl72-row", "immersion-2p", "dry-cooler", 1.02, 1.2, 0, 0},
                    Kind{"nvl72-row", "immersion-2p", "adiabatic", 1.02, 1.2, 0, 0.5}),
    [](const auto& info) {
      std::string name = std::string(info.param.hall) + "_" + info.param.plant;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// --- Time domain ------------------------------------------------------------------

TEST(FacilityTime, YearAtOneSecondAgreesWithTheSteadyHours) {
  for (const char* name : {"nvl72-row", "llama3-405b"}) {
    const auto a = answered(name, {}, {.resolution_s = 1});
    ASSERT_TRUE(a.time) << name;
    const auto& t = *a.time;
    // Stated agreement: 0.002 of PUE (checkpoints and storage of heat are in one of them only).
    EXPECT_NEAR(t.pue, a.pue, 0.002) << name;
    EXPECT_NEAR(t.it_j, a.it_j, 1e-3 * a.it_j) << name;
    EXPECT_NEAR(t.wue_l_kwh, a.wue_l_kwh, 0.02 * a.wue_l_kwh + 0.001) << name;
    EXPECT_LT(t.worst_imbalance, 1e-6) << name;
    EXPECT_GE(t.intervals, 8760u) << name;
  }
}

TEST(FacilityTime, CapsAndHotHoursCostTokens) {
  const auto free = answered("llama3-405b", {});
  EXPECT_EQ(free.lost_gpu_s, 0);
  EXPECT_TRUE(free.lost_work.empty());
  const auto capped = answered("llama3-405b", {}, {.cap = 0.5});
  EXPECT_LT(capped.it_j, free.it_j);
  EXPECT_GT(capped.throttled_h, 8000);
  ASSERT_FALSE(capped.lost_work.empty());
  EXPECT_GT(capped.lost_work[0].tokens, 0);
  // Water far too warm: chips throttle, in the steady hours and second by second alike.
  const auto hot = answered("nvl72-row",
                            {"building.halls.A.cooling.supply=64 degC", "cooling.kind=dry-cooler",
                             "clusters.nvl72.load=95 %"},
                            {.resolution_s = 1});
  EXPECT_GT(hot.throttled_h, 8000);
  ASSERT_TRUE(hot.time);
  EXPECT_GT(hot.time->halls[0].lost_s, 0);
  EXPECT_LT(hot.worst_imbalance, 1e-6);
}

// --- Load, carbon, renewables --------------------------------------------------------

TEST(FacilityLoad, ShapesKeepTheMeanAndFollowTheWork) {
  const auto train = answered("llama3-405b", {});
  EXPECT_NEAR(train.it_high_w, train.it_low_w, 1e-6 * train.it_high_w);  // training is flat
  const auto chat = answered("chat-70b", {});
  EXPECT_GT(chat.it_high_w, 1.02 * chat.it_low_w);
  EXPECT_NEAR(chat.it_j, chat.it_mean_w * 8760 * 3600, 1e-6 * chat.it_j);
  EXPECT_LE(chat.it_high_w, chat.it_max_w * (1 + 1e-9));
  const auto own =
      answered("llama3-405b", {"clusters.0.profile={swing: 10 %, peak: 4 h, weekend: 90 %}"});
  EXPECT_GT(own.it_high_w, 1.02 * own.it_low_w);
  EXPECT_FALSE(own.load_assumed);
  EXPECT_NEAR(own.it_j, train.it_j, 1e-6 * own.it_j);
  EXPECT_NE(refused("llama3-405b", {"clusters.0.profile={swing: 140 %}"}).find("swing"),
            std::string::npos);
}

TEST(FacilityLoad, CarbonFollowsTheHours) {
  const auto shaped = answered("chat-70b", {});
  ASSERT_EQ(shaped.carbon_kg_h.size(), 8760u);
  EXPECT_NE(shaped.carbon_origin.find("assumed"), std::string::npos);
  EXPECT_NE(shaped.carbon_kg, shaped.carbon_mean_kg);
  EXPECT_NEAR(shaped.carbon_kg, shaped.carbon_mean_kg, 0.1 * shaped.carbon_mean_kg);
  const auto flat = answered("chat-70b", {"site.carbon.profile=flat"});
  EXPECT_NEAR(flat.carbon_kg, flat.carbon_mean_kg, 1e-9 * flat.carbon_kg);
  EXPECT_NE(refused("chat-70b", {"site.carbon.profile=sunny"}).find("solar"), std::string::npos);
  const auto green = answered("chat-70b", {"site.carbon.renewable_share=60 %"});
  EXPECT_NEAR(green.ref, 0.6, 1e-12);
}

TEST(FacilityLoad, CarbonFileGivesTheHours) {
  const auto path = std::filesystem::temp_directory_path() / "headroom_carbon.csv";
  std::ofstream file(path);
  file << "carbon intensity gCO2e/kWh\n";
  for (int h = 0; h < 8760; ++h) file << (h % 24 < 12 ? 100 : 300) << '\n';
  file.close();
  const auto a = answered("llama3-405b", {}, {.carbon = path.string()});
  EXPECT_NEAR(a.carbon_kg_h[20] / a.hours[20].meter_w, 300e-3 / 3.6e6 * 3600, 1e-9);
  EXPECT_NEAR(a.carbon_kg_h[3] / a.hours[3].meter_w, 100e-3 / 3.6e6 * 3600, 1e-9);
  std::filesystem::remove(path);
}

// --- Reuse ------------------------------------------------------------------------------

TEST(FacilityReuse, HandsHeatOverInItsHours) {
  const std::vector<std::string> words = {
      "cooling.reuse={capacity: 300 kW, level: 38 degC, back: 25 degC, hours: 4000 h}"};
  const auto none = answered("nvl72-row", {}), some = answered("nvl72-row", words);
  EXPECT_EQ(none.erf, 0);
  EXPECT_GT(some.erf, 0.05);
  EXPECT_LE(item(some.heat, "reused"), 300e3 * 4000 * 3600.0 * (1 + 1e-9));
  EXPECT_GT(item(some.heat, "reused"), 0.9 * 300e3 * 4000 * 3600.0);
  EXPECT_NEAR(some.erf, item(some.heat, "reused") / some.meter_j, 1e-12);
  EXPECT_LT(some.worst_imbalance, 1e-6);
  // Hotter than the loop ever is: nothing without a heat pump, electricity with one.
  const auto hot = answered("nvl72-row", {"cooling.reuse={share: 20 %, level: 75 degC}"});
  EXPECT_EQ(hot.erf, 0);
  const auto lifted =
      answered("nvl72-row", {"cooling.reuse={share: 20 %, level: 75 degC, heat_pump: true}"});
  EXPECT_GT(lifted.erf, 0.1);
  EXPECT_GT(item(lifted.energy, "heat_pumps"), 0);
  EXPECT_NE(refused("nvl72-row", {"cooling.reuse={share: 120 %}"}).find("share"),
            std::string::npos);
}

// --- Classes, units, phases ---------------------------------------------------------------

TEST(FacilityClasses, AreHeldOrMissedByName) {
  const auto a = answered("nvl72-row",
                          {"cooling.water_class=W45", "building.halls.A.cooling.coolant_class=S30",
                           "building.halls.A.cooling.air_class=A2"});
  ASSERT_EQ(a.classes.size(), 3u);
  for (const auto& c : a.classes) {
    if (c.name == "coolant S30") {  // coolant of 40 degC
      EXPECT_FALSE(c.holds());
    }
    if (c.name == "facility water W45") { EXPECT_TRUE(c.holds()); }
    if (c.name == "air A2") { EXPECT_TRUE(c.holds()); }
  }
  EXPECT_FALSE(a.holds());
  EXPECT_NE(refused("nvl72-row", {"cooling.water_class=W33"}).find("W32"), std::string::npos);
}

double hottest_chip(const std::string& node, const std::vector<std::string>& sets) {
  FacilityOptions o;
  o.year = false, o.lose = {node};
  const auto a = answered("nvl72-row", sets, o);
  return a.walk ? a.walk->halls[0].hottest_chip_c : -1;
}

double lowest_power(const std::string& node, const std::vector<std::string>& sets = {}) {
  const auto a = answered("nvl72-row", sets, {.year = false, .lose = {node}});
  if (!a.walk) return -1;
  double least = 1;
  for (const auto& h : a.walk->halls) least = std::min(least, h.lowest_power);
  return least;
}

TEST(FacilityUnits, OneOfNIsCarriedByTheOthers) {
  EXPECT_EQ(lowest_power("hall-a.cdu-1"), 1);  // 3 x 600 kW, N+1
  EXPECT_EQ(lowest_power("hall-a.cdu-3"), 1);
  EXPECT_EQ(lowest_power("dry-cooler-1"), 1);
  EXPECT_EQ(lowest_power("loop-pump-2", {"cooling.pumps=3", "cooling.pump_redundancy=N+1"}), 1);
  // Too few: the same loss is felt.
  const std::vector<std::string> two = {"building.halls.A.cooling.cdus=2 x 600 kW"};
  EXPECT_GT(hottest_chip("hall-a.cdu-1", two), hottest_chip("hall-a.cdu-1", {}) + 2);
  EXPECT_LT(lowest_power("manifold"), 1);
  const auto loaded = load(file_of("nvl72-row"), {}, cat());
  const auto bad = facility_year(*loaded, cat(), {.lose = {"hall-a.cdu-4"}});
  ASSERT_FALSE(bad);
}

TEST(FacilityPhases, EachStepIsCheckedAsAWhole) {
  const auto phases = facility_phases(
      file_of("legacy-hall"),
      {"phases=[{name: 20 kW, set: [clusters.gpu.per_rack=2]},"
       " {name: 130 kW, set: [clusters.gpu.system=gb200-nvl72, clusters.gpu.count=4,"
       " clusters.gpu.per_rack=1, building.halls.A.cooling.kind=cold-plate]}]"},
      cat());
  ASSERT_TRUE(phases) << render(phases.error());
  ASSERT_EQ(phases->size(), 3u);
  EXPECT_EQ((*phases)[0].name, "today");
  EXPECT_LT((*phases)[1].rack_max_w, (*phases)[0].rack_max_w);
  EXPECT_GT((*phases)[2].rack_max_w, 100e3);
  EXPECT_FALSE((*phases)[2].fits);
  EXPECT_FALSE((*phases)[2].missed.empty());
  EXPECT_LE((*phases)[2].binding.headroom, (*phases)[2].missed.back().headroom);
  EXPECT_FALSE(facility_phases(file_of("nvl72-row"), {}, cat()));
  EXPECT_FALSE(facility_phases(file_of("legacy-hall"),
                               {"phases=[{name: x, set: [clusters.gpu.sistem=dgx-h100]}]"}, cat()));
}

}  // namespace
}  // namespace headroom::study
