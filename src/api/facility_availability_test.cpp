// `headroom facility --availability` through the facade.
#include "api/facility_availability.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace headroom::api {
namespace {

using nlohmann::json;

std::string scenario(const char* name) {
  return std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + name + ".yaml";
}

study::AvailabilityAnswer answered(std::string file, std::vector<std::string> sets = {},
                                   int threads = 2, const char* histories = "4000") {
  auto answer =
      facility_availability({.file = std::move(file), .sets = std::move(sets)}, histories, threads);
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::AvailabilityAnswer{};
}

std::string mistakes(std::vector<std::string> sets, const char* histories = "100") {
  const auto answer =
      facility_availability({.file = scenario("nvl72-row"), .sets = std::move(sets)}, histories);
  EXPECT_FALSE(answer);
  return answer ? std::string() : render(answer.error());
}

class AvailabilityOf : public testing::TestWithParam<const char*> {};

// Time, outages and GPU time of the causes add up to the site's; nothing is outside its range.
TEST_P(AvailabilityOf, adds_up) {
  const auto a = answered(scenario(GetParam()));
  const auto& r = a.result;
  double outages = 0, hours = 0, gpu_s = 0, triggers = 0, lengths = 0, loads = 0;
  for (const auto& c : r.causes) outages += c.outages, hours += c.hours, gpu_s += c.lost_gpu_s;
  for (const double x : r.by_trigger) triggers += x;
  for (const double x : r.lengths) lengths += x;
  for (const auto& l : r.loads) loads += l.lost_gpu_s.mean;
  EXPECT_NEAR(outages, r.site_outages.mean, 1e-9 * outages + 1e-12);
  EXPECT_NEAR(triggers, r.site_outages.mean, 1e-9 * outages + 1e-12);
  EXPECT_NEAR(lengths, r.site_outages.mean, 1e-9 * outages + 1e-12);
  EXPECT_NEAR(hours, r.site_hours.mean, 1e-9 * hours + 1e-12);
  EXPECT_NEAR(gpu_s, r.lost_gpu_s.mean, 1e-6 * gpu_s + 1e-9);
  EXPECT_NEAR(loads, r.lost_gpu_s.mean, 1e-9 * gpu_s + 1e-9);
  EXPECT_LT(r.worst_imbalance, 1e-12);
  EXPECT_GT(r.availability, 0.9);
  EXPECT_LE(r.availability, 1);
  EXPECT_LT(r.lost_gpu_s.mean, a.gpus * 8760 * 3600 * 0.1);
  EXPECT_FALSE(a.figures.empty());
  const auto j = json::parse(report::availability_json(a));
  EXPECT_EQ(j["causes"].size(), r.causes.size());
  EXPECT_EQ(j["tier"]["level"], a.tier.level);
  EXPECT_NE(report::availability_text(a, {false, 100, false}).find("Tier"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Repository, AvailabilityOf,
                         testing::Values("nvl72-row", "llama3-405b", "legacy-hall"));

TEST(FacilityAvailability, the_same_with_any_number_of_threads) {
  const auto one = answered(scenario("nvl72-row"), {}, 1, "1000");
  const auto four = answered(scenario("nvl72-row"), {}, 4, "1000");
  EXPECT_EQ(report::availability_json(one), report::availability_json(four));
}

// A bank more is never worse, exactly; a site without sets loses every long failure of the grid.
TEST(FacilityAvailability, redundancy_helps) {
  const auto base = answered(scenario("nvl72-row"));
  for (const char* more : {"power.ups.modules=9 x 200 kW", "cooling.capacity=5 x 500 kW",
                           "power.generator.units=4 x 1000 kW"}) {
    const auto with = answered(scenario("nvl72-row"), {more}, 2, "100");
    EXPECT_LE(with.exact.unavailability, base.exact.unavailability + base.exact.bound) << more;
  }
  EXPECT_EQ(base.tier.level, 3);  // no continuous cooling
  EXPECT_FALSE(base.tier.gaps.empty());
  const auto none = answered(scenario("nvl72-row"),
                             {"power.generator.units=1 x 1000 kW", "power.generator.redundancy=N"});
  EXPECT_GT(none.result.lost_gpu_s.mean, base.result.lost_gpu_s.mean);
  EXPECT_LT(none.tier.level, 3);
  // Cooling that does not stop with the mains.
  EXPECT_TRUE(std::any_of(base.remedies.begin(), base.remedies.end(), [](const auto& r) {
    return r.clear && r.what.starts_with("cooling behind the UPS");
  }));
}

TEST(FacilityAvailability, each_mistake_is_told_at_its_place) {
  const auto part = mistakes({"availability.parts=[{part: ups-modul, mtbf: 100 h}]"});
  EXPECT_NE(part.find("ups-module"), std::string::npos) << part;
  EXPECT_NE(mistakes({"availability.parts=[{part: cdu, mtbf: 0 h}]"}).find("mtbf"),
            std::string::npos);
  const auto long_one = mistakes(
      {"availability.parts=[{part: cdu, maintenance_every: 0.001 yr, maintenance: 10 h}]"});
  EXPECT_NE(long_one.find("takes longer"), std::string::npos) << long_one;
  const auto twice = mistakes({"availability.parts=[{part: cdu}, {part: cdu}]"});
  EXPECT_NE(twice.find("stands twice"), std::string::npos) << twice;
  EXPECT_NE(mistakes({"availability.refuel=120 %"}).find("refuel"), std::string::npos);
  const auto many = mistakes({}, "3.5");
  EXPECT_NE(many.find("--histories 3.5"), std::string::npos) << many;
  const auto lost = facility_availability(
      {.file = scenario("nvl72-row"), .year = true, .lose = {"chiller"}, .back = "1min"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().all().size(), 3u) << render(lost.error());
}

}  // namespace
}  // namespace headroom::api
