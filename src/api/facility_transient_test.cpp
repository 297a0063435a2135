// `headroom facility --transient` through the facade.
#include "api/facility_transient.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/facility.hpp"

namespace headroom::api {
namespace {

using nlohmann::json;

std::string scenario(const char* name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

study::TransientAnswer answered(const TransientRequest& request) {
  auto answer = facility_transient(request);
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::TransientAnswer{};
}

std::string refused(const TransientRequest& request) {
  const auto answer = facility_transient(request);
  EXPECT_FALSE(answer);
  return answer ? std::string() : render(answer.error());
}

double mean(const power::Series& s) { return power::energy(s, 1) / double(s.size()); }

class TransientScenarios : public testing::TestWithParam<const char*> {};

// The same machines draw the same in the mean here and in the year.
TEST_P(TransientScenarios, the_wave_has_the_mean_of_the_loads) {
  const auto a = answered({.file = scenario(GetParam())});
  ASSERT_FALSE(a.loads.empty());
  double moving = 0;
  for (const auto& l : a.loads) {
    moving += l.mean_w;
    if (l.kind == "training") {
      EXPECT_GE(l.busy_w, l.wait_w);
      EXPECT_GE(l.mean_w, l.trough_w);
      EXPECT_LE(l.mean_w, l.peak_w);
      double parts = 0;
      for (const auto& [name, seconds] : l.parts) parts += seconds;
      EXPECT_NEAR(parts, l.period_s, 1e-9 * l.period_s);
    }
  }
  EXPECT_NEAR(moving + a.constant_w, a.it_mean_w, 1e-9 * a.it_mean_w);
  const auto year = facility({.file = scenario(GetParam())});
  ASSERT_TRUE(year);
  EXPECT_NEAR(a.it_mean_w, year->it_mean_w, 1e-9 * a.it_mean_w);
  // The window is no whole number of steps: a part of a swing may be over.
  EXPECT_NEAR(mean(a.steady.load), a.meter_mean_w, 0.01 * a.meter_mean_w);
  EXPECT_LT(a.imbalance, 1e-9);
  EXPECT_LT(a.ride.imbalance, 1e-9);
  EXPECT_GT(a.slope, 1);
  EXPECT_LT(a.slope, 1.3);
}
INSTANTIATE_TEST_SUITE_P(Repository, TransientScenarios,
                         testing::Values("nvl72-row", "llama3-405b", "chat-70b", "legacy-hall",
                                         "campus-100k"));

TEST(Transient, a_campus_beats_in_time_with_its_steps) {
  const auto a = answered({.file = scenario("campus-100k")});
  ASSERT_EQ(a.loads.size(), 1u);
  const double f = 1 / a.loads[0].period_s;
  const auto& strongest = a.raw.spectrum.strongest;
  // A multiple of the step's frequency, within a bin.
  EXPECT_NEAR(strongest.hz / f, std::round(strongest.hz / f), 1.1 * 160 / 163 / 163 / f + 0.05);
  EXPECT_GT(a.raw.measures.range(), 0.05);
  EXPECT_FALSE(a.holds());
  // A tenth of the rating swung every few seconds: tens of MW, as Llama 3's paper says of a quarter
  // of these machines.
  EXPECT_GT(a.ramp.step_w, 10e6);
}

TEST(Transient, plans_that_meet_the_limits_do_and_are_sorted_by_cost) {
  const auto a = answered({.file = scenario("campus-100k")});
  ASSERT_FALSE(a.plans.empty());
  bool met_before = true;
  double cost = 0;
  int met = 0;
  for (const auto& p : a.plans) {
    EXPECT_LE(p.met, met_before);
    if (p.met != met_before) cost = 0;
    EXPECT_GE(p.usd_year, cost);
    met_before = p.met, cost = p.usd_year;
    if (!p.met) {
      EXPECT_FALSE(p.misses.empty());
      continue;
    }
    ++met;
    EXPECT_LE(p.range_w, a.limits.range_w.si * 1.000001);
    EXPECT_LE(p.line_w, a.limits.line_w.si * 1.000001);
    EXPECT_LE(p.ramp_second_w_s, a.limits.ramp_second_w_s.si * 1.000001);
  }
  EXPECT_GE(met, 2);
  // Ramped so, starts and stops hold too.
  EXPECT_LE(a.ramp.behind.ramp_minute_w_s, a.limits.ramp_minute_w_s.si);
  EXPECT_LE(a.ramp.behind.ramp_second_w_s, a.limits.ramp_second_w_s.si);
}

// What the answer proposes, put into the scenario, lifts the limits that it was proposed for.
TEST(Transient, the_floor_it_names_lifts_the_steady_limits) {
  const auto a = answered({.file = scenario("campus-100k")});
  const auto plan = std::find_if(a.plans.begin(), a.plans.end(),
                                 [](const auto& p) { return p.key == "floor" && p.met; });
  ASSERT_NE(plan, a.plans.end());
  const auto held =
      answered({.file = scenario("campus-100k"),
                .sets = {"power.transient.gpu.floor=" + std::to_string(100 * plan->floor) + " %",
                         "power.transient.gpu.ramp=15 MW/min"}});
  for (const auto& m : held.margins) EXPECT_TRUE(m.holds()) << m.id << " " << m.headroom();
  ASSERT_EQ(held.filters.size(), 1u);
  EXPECT_NEAR(held.filters[0].burned_w, plan->burned_w, 1e-6 * plan->burned_w);
  EXPECT_LT(held.imbalance, 1e-9);
}

// 65 J a GPU flatten milliseconds, not steps.
TEST(Transient, shelves_of_65_joules_smooth_edges_only) {
  const auto a =
      answered({.file = scenario("campus-100k"), .sets = {"power.transient.shelf.energy=65 J"}});
  ASSERT_EQ(a.filters.size(), 1u);
  const auto& f = a.filters[0];
  EXPECT_NEAR(f.capacity_j, 65 * 98304.0, 1);
  EXPECT_LT(f.tau_s, 0.5);
  EXPECT_LT(f.line_w, a.raw.spectrum.strongest.amplitude_w);
  EXPECT_GT(f.line_w, 0.7 * a.raw.spectrum.strongest.amplitude_w);
  EXPECT_LT(a.imbalance, 1e-9);
}

TEST(Transient, filters_act_in_order_and_keep_energy) {
  const auto a =
      answered({.file = scenario("campus-100k"),
                .sets = {"power.transient.gpu.floor=50 %", "power.transient.shelf.energy=65 J",
                         "power.transient.ups.energy=50 kWh", "power.transient.bess.energy=200 kWh",
                         "power.transient.bess.power=40 MW"}});
  ASSERT_EQ(a.filters.size(), 4u);
  EXPECT_EQ(a.filters[0].key, "gpu");
  EXPECT_EQ(a.filters[3].key, "bess");
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_LE(a.filters[i].line_w, a.filters[i - 1].line_w * 1.02);
  EXPECT_LT(a.imbalance, 1e-9);
}

TEST(Transient, is_the_same_every_time_and_another_with_another_seed) {
  const auto json_of = [](const char* seed) {
    return report::transient_json(answered({.file = scenario("nvl72-row"), .seed = seed}));
  };
  EXPECT_EQ(json_of("1"), json_of("1"));
  EXPECT_NE(json_of("1"), json_of("2"));
}

TEST(Transient, ten_july_2024_is_the_sag_that_is_asked_without_others) {
  const auto a = answered({.file = scenario("nvl72-row")});
  EXPECT_FALSE(a.sags_given);
  EXPECT_TRUE(a.ride.latched);
  EXPECT_EQ(a.ride.latched_at_sag, 3);
  EXPECT_FALSE(a.ride.it_lost);  // the row has generators
  EXPECT_NEAR(a.ride.left_w, a.meter_mean_w, 0.01 * a.meter_mean_w);
  const auto one = answered({.file = scenario("nvl72-row"), .sags = {"70%@100ms"}});
  EXPECT_TRUE(one.sags_given);
  EXPECT_FALSE(one.ride.latched);
  EXPECT_EQ(one.lost_gpu_s, 0);
  const auto uncounted =
      answered({.file = scenario("nvl72-row"), .sets = {"power.transient.ride.count=0"}});
  EXPECT_FALSE(uncounted.ride.latched);
}

TEST(Transient, without_generators_a_latched_site_falls_and_the_loss_is_counted) {
  const auto a = answered({.file = scenario("campus-100k")});
  ASSERT_TRUE(a.ride.it_lost);
  EXPECT_GT(a.lost_gpu_s, 98304 * 3600.0 * 3.9);
  EXPECT_GT(a.lost_usd, 0);
}

TEST(Transient, json_and_csv_hold_what_the_answer_does) {
  const auto a = answered({.file = scenario("legacy-hall"), .sample = "5ms"});
  const auto j = json::parse(report::transient_json(a, 100));
  EXPECT_EQ(j.at("margins").size(), a.margins.size());
  EXPECT_EQ(j.at("steady_window").at("sample_s"), 0.005);
  EXPECT_LE(j.at("steady_window").at("load").at("mean_w").size(), 100u);
  EXPECT_NEAR(j.at("steady").at("mean_w").get<double>(), mean(a.steady.load), 1);
  const auto csv = report::transient_csv(a);
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "window,t_s,load_w,grid_w");
  EXPECT_EQ(std::size_t(std::count(csv.begin(), csv.end(), '\n')),
            1 + a.steady.load.size() + a.events.load.size());
  const auto text = report::transient_text(a, {});
  EXPECT_NE(text.find("What swings"), std::string::npos);
}

TEST(Transient, mistakes_are_told_together_at_their_place) {
  const auto text = refused({.file = scenario("campus-100k"),
                             .sets = {"power.transient.band_high=0.05 Hz"},
                             .sample = "50ms",
                             .seed = "1.5",
                             .sags = {"95%@1s", "30%"}});
  EXPECT_NE(text.find("--sample 50ms"), std::string::npos) << text;
  EXPECT_NE(text.find("1 to 10 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("--seed 1.5"), std::string::npos) << text;
  EXPECT_NE(text.find("--sag 95%@1s"), std::string::npos) << text;
  EXPECT_NE(text.find("--sag 30%"), std::string::npos) << text;
  EXPECT_NE(text.find("band_high"), std::string::npos) << text;
}

TEST(Transient, bad_values_of_the_scenario_are_refused) {
  const auto with = [](const char* set) {
    return refused({.file = scenario("campus-100k"), .sets = {set}});
  };
  EXPECT_NE(with("power.transient.gpu.floor=120 %").find("floor"), std::string::npos);
  EXPECT_NE(with("power.transient.ramp=10 MW").find("power ramp"), std::string::npos);
  EXPECT_NE(with("power.transient.ride.count=-1").find("count"), std::string::npos);
  EXPECT_NE(with("power.transient.ride.it_curve=cbema").find("itic"), std::string::npos);
  EXPECT_NE(with("power.transient.bess.efficiency=0 %").find("efficiency"), std::string::npos);
  EXPECT_NE(refused({.file = scenario("edge-retail"), .sags = {"30%@1s +1s", "30%@5s"}})
                .find("two sags at once"),
            std::string::npos);
}

TEST(Transient, sags_of_the_scenario_are_read_and_checked) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("headroom_transient_" + std::to_string(getpid()) + ".yaml");
  const auto write = [&](const char* sags) {
    std::ofstream out(file);
    out << "name: t\npower: {transient: {sags: [" << sags
        << "]}}\nbuilding: {halls: [{name: A, racks: 40}]}\n"
           "clusters: [{name: gpu, system: dgx-h100, count: 16, per_rack: 4, hall: A}]\n"
           "workloads: [{name: t, kind: train, model: llama-3.1-8b, tokens: 1e12 token}]\n";
  };
  write("\"50%@80ms x2/20s\"");
  const auto a = answered({.file = file.string()});
  EXPECT_TRUE(a.sags_given);
  EXPECT_EQ(a.sags.size(), 2u);
  EXPECT_EQ(a.ride.transfers, 2);
  write("\"50%@80ms x2\"");
  EXPECT_NE(refused({.file = file.string()}).find("within what time"), std::string::npos);
  std::filesystem::remove(file);
}

TEST(Transient, nothing_that_runs_is_a_mistake) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("headroom_idle_" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << "name: idle\nbuilding: {halls: [{name: A, racks: 40}]}\nclusters: [{name: "
                         "gpu, system: dgx-h100, count: 16, per_rack: 4, hall: A}]\n";
  EXPECT_NE(refused({.file = file.string()}).find("nothing runs"), std::string::npos);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace headroom::api
