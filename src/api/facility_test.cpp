// `headroom facility` and `headroom validate facility` through the facade.
#include "api/facility.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/validation.hpp"

namespace headroom::api {
namespace {

using nlohmann::json;

std::string scenario(const char* name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

study::FacilityAnswer answered(const FacilityRequest& request) {
  auto answer = facility(request);
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::FacilityAnswer{};
}

double sum(const std::vector<study::FacilityItem>& items) {
  double total = 0;
  for (const auto& item : items) total += item.amount;
  return total;
}

class Scenarios : public testing::TestWithParam<const char*> {};

// The year and `check` solve the same plant: at constant load they differ by the cells that `check`
// groups hours in, else by the load's shape as well. Energy goes where it is counted.
TEST_P(Scenarios, the_year_agrees_with_check_and_balances) {
  const auto a = answered({.file = scenario(GetParam())});
  ASSERT_TRUE(a.has_year);
  EXPECT_NEAR(a.pue, a.check_pue, a.it_high_w > 1.001 * a.it_low_w ? 0.006 : 1e-4);
  EXPECT_GT(a.pue, 1);
  EXPECT_LT(a.imbalance, 1e-6);
  EXPECT_LT(a.worst_imbalance, 1e-6);
  EXPECT_NEAR(sum(a.energy), a.meter_j, 1e-9 * a.meter_j);
  EXPECT_NEAR(sum(a.heat), a.meter_j, 1e-6 * a.meter_j);
  EXPECT_NEAR(a.it_j, a.it_mean_w * 8760 * 3600, 1e-6 * a.it_j);
  EXPECT_NEAR(sum(a.water), sum(a.water_sources), 1e-6 * sum(a.water) + 1e-9);
  double months = 0, kg = 0;
  for (const auto& m : a.months) months += m.meter_j, kg += m.water_kg;
  EXPECT_NEAR(months, a.meter_j, 1e-9 * a.meter_j);
  EXPECT_NEAR(kg, sum(a.water), 1e-9 * kg + 1e-9);
}
INSTANTIATE_TEST_SUITE_P(Repository, Scenarios,
                         testing::Values("nvl72-row", "llama3-405b", "chat-70b", "legacy-hall",
                                         "campus-100k"));

TEST(Facility, a_warmer_climate_has_no_fewer_chiller_hours) {
  const auto now = answered({.file = scenario("llama3-405b")});
  const auto warm = answered({.file = scenario("llama3-405b"), .warmer = "2K"});
  EXPECT_LT(warm.chiller_free_h, now.chiller_free_h);
  EXPECT_GT(warm.pue, now.pue);
  const auto mean = [](const std::vector<double>& v) {
    double total = 0;
    for (const double x : v) total += x;
    return total / double(v.size());
  };
  EXPECT_NEAR(mean(warm.air.dry_bulb_c) - mean(now.air.dry_bulb_c), 2, 1e-6);
}

TEST(Facility, reclaimed_water_comes_before_the_mains) {
  const auto a = answered({.file = scenario("llama3-405b"), .reclaimed = "10 m3/h"});
  ASSERT_EQ(a.water_sources.size(), 2u);
  EXPECT_GT(a.water_sources[0].amount, 0);
  EXPECT_LE(a.water_sources[0].amount, 10e3 * 8760);
  EXPECT_NEAR(sum(a.water_sources), sum(a.water), 1e-6 * sum(a.water));
}

TEST(Facility, all_cooling_lost_throttles_then_trips) {
  const auto a = answered({.file = scenario("nvl72-row"), .lose = {"all-cooling"}});
  ASSERT_TRUE(a.walk);
  EXPECT_FALSE(a.has_year);
  EXPECT_FALSE(a.holds());
  const auto& hall = a.walk->halls.at(0);
  EXPECT_GE(hall.throttle_at_s, 0);
  EXPECT_GT(hall.shutdown_at_s, hall.throttle_at_s);
  EXPECT_LT(hall.shutdown_at_s, 60);  // InterPACK2017: below a minute
  EXPECT_DOUBLE_EQ(hall.gpus, 576);
  EXPECT_LE(hall.lost_gpu_s, hall.gpus * a.walk->horizon_s);
  EXPECT_GE(hall.lost_gpu_s, hall.gpus * (a.walk->horizon_s - hall.shutdown_at_s - 1));
  EXPECT_FALSE(a.walk->recovered);
  EXPECT_GT(a.walk->usd, 0);
  EXPECT_LT(a.walk->walk.worst_imbalance, 1e-6);
  for (const auto& work : a.walk->work) EXPECT_GT(work.tokens, 0) << work.name;
}

// Memory and network cards beside cold plates breathe the hall's air.
TEST(Facility, room_fans_lost_trip_racks_on_plates_by_their_air) {
  const auto a =
      answered({.file = scenario("nvl72-row"), .lose = {"room-fans"}, .horizon = "20min"});
  const auto& hall = a.walk->halls.at(0);
  EXPECT_LT(hall.throttle_at_s, 0);
  EXPECT_GT(hall.shutdown_at_s, 0);
  EXPECT_GE(hall.hottest_inlet_c, 57);
  EXPECT_LT(hall.hottest_chip_c, 87);
}

TEST(Facility, what_comes_back_in_time_costs_less) {
  const auto lost = answered({.file = scenario("nvl72-row"), .lose = {"cdu-pumps=60%"}});
  const auto back =
      answered({.file = scenario("nvl72-row"), .lose = {"cdu-pump=60%"}, .back = "20 s"});
  EXPECT_LE(back.walk->lost_gpu_s, lost.walk->lost_gpu_s);
  EXPECT_TRUE(back.walk->recovered);
}

TEST(Facility, the_clock_chooses_the_hour_of_the_peak_day) {
  const auto a = answered(
      {.file = scenario("nvl72-row"), .lose = {"hall-a.room-fan@14:30", "dry-cooler@14:31"}});
  EXPECT_EQ(a.walk->hour % 24, 14u);
  EXPECT_DOUBLE_EQ(a.walk->horizon_s, 660);
  EXPECT_EQ(a.walk->lost.size(), 2u);
}

std::string mistakes(const FacilityRequest& request) {
  const auto answer = facility(request);
  EXPECT_FALSE(answer);
  return answer ? std::string() : render(answer.error());
}

TEST(Facility, wrong_names_are_told_with_the_nearest_all_at_once) {
  const auto text = mistakes(
      {.file = scenario("nvl72-row"), .lose = {"cdu-pmp", "leak@25:00", "tower", "chiller=140%"}});
  EXPECT_NE(text.find("did you mean 'cdu-pump'"), std::string::npos) << text;
  EXPECT_NE(text.find("'25:00' is no time of day"), std::string::npos) << text;
  EXPECT_NE(text.find("nothing here is called 'tower'"), std::string::npos) << text;
  EXPECT_NE(text.find("'140%' is no share"), std::string::npos) << text;
}

TEST(Facility, wrong_options_are_told) {
  const auto text = mistakes(
      {.file = scenario("nvl72-row"), .epw = "/nowhere.epw", .warmer = "2 kW", .back = "5min"});
  EXPECT_NE(text.find("/nowhere.epw"), std::string::npos) << text;
  EXPECT_NE(text.find("--warmer 2 kW"), std::string::npos) << text;
  EXPECT_NE(text.find("add --lose NODE"), std::string::npos) << text;
  EXPECT_NE(mistakes({.file = scenario("edge-retail")}).find("no hall"), std::string::npos);
}

TEST(Facility, a_mistaken_weather_file_is_told_by_line_and_column) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("headroom-facility-" + std::to_string(::getpid()) + ".epw");
  std::ofstream(path) << "LOCATION,Nowhere,-,-,x,0,50,8,1,400\na\nb\nc\nd\ne\nf\n"
                         "DATA PERIODS,1,1,Data,Sunday,1/1,12/31\n1990,1,1,1,0,x,999\n";
  const auto text = mistakes({.file = scenario("nvl72-row"), .epw = path.string()});
  std::filesystem::remove(path);
  EXPECT_NE(text.find(path.string() + ":9:"), std::string::npos) << text;
  EXPECT_NE(mistakes({.file = scenario("nvl72-row"), .epw = "/nowhere.epw"}).find("/nowhere.epw"),
            std::string::npos);
}

TEST(Facility, json_and_csv_say_what_the_answer_says) {
  const auto a = answered({.file = scenario("nvl72-row"), .year = true, .lose = {"all-cooling"}});
  const auto j = json::parse(report::facility_json(a));
  EXPECT_NEAR(j["year"]["pue"].get<double>(), a.pue, 1e-12);
  EXPECT_EQ(j["year"]["months"].size(), 12u);
  EXPECT_EQ(j["failure"]["halls"][0]["throttle_at_s"].get<double>(),
            a.walk->halls[0].throttle_at_s);
  EXPECT_EQ(j["holds"], false);
  const auto csv = report::facility_csv(a);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 8761);
  const auto columns = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  const auto head = csv.substr(0, csv.find('\n'));
  const auto last = csv.substr(csv.rfind('\n', csv.size() - 2) + 1);
  EXPECT_EQ(columns(head), columns(last));
  EXPECT_NE(report::facility_text(a, {}).find("in less out"), std::string::npos);
}

TEST(ValidateFacility, has_the_form_of_all_validations_and_meets_its_targets) {
  const auto text = validate_facility({.options = {}, .json = true});
  ASSERT_TRUE(text) << render(text.error());
  const auto j = json::parse(*text);
  EXPECT_GE(j["rows"].size(), 100u);
  EXPECT_EQ(j["summary"]["rows"], j["rows"].size());
  EXPECT_EQ(j["missed"], j["known_misses"]);
  bool frontier = false;
  for (const auto& row : j["rows"]) {
    EXPECT_NEAR(row["error"].get<double>(),
                row["predicted"].get<double>() / row["measured"].get<double>() - 1, 1e-12);
    if (row["group"] != "frontier-components") continue;
    frontier = true;
    EXPECT_LT(std::abs(row["error"].get<double>()), 1e-3);
  }
  EXPECT_TRUE(frontier);
  for (const auto& t : j["targets"])
    EXPECT_EQ(t["met"].get<bool>(), t["known_miss"].is_null()) << t["id"];
}

TEST(ValidateFacility, skips_climates_whose_file_is_not_in_the_folder) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("headroom-no-epw-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto v = validation::validate_facility({.targets = {}, .epw = folder.string()});
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(v) << render(v.error());
  EXPECT_EQ(v->report.skipped.size(), 16u);
  EXPECT_NE(v->report.skipped[0].reason.find("EPW"), std::string::npos);
}

TEST(ValidateFacility, mistakes_of_a_targets_file_are_told_at_their_place) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("headroom-targets-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(path) << "rows:\n  - {id: b, model: magic, expect: 1}\n"
                         "power:\n  - {id: c, model: frontier-component, expect: 1}\n";
  const auto text =
      validate_facility({.options = {.targets = path.string(), .epw = {}}, .json = false});
  std::filesystem::remove(path);
  ASSERT_FALSE(text);
  const auto shown = render(text.error());
  EXPECT_NE(shown.find(":2:"), std::string::npos) << shown;
  EXPECT_NE(shown.find(":4:"), std::string::npos) << shown;
  EXPECT_NE(shown.find("did you mean 'frontier-components'"), std::string::npos) << shown;
}

}  // namespace
}  // namespace headroom::api
