// A fleet's file by itself: what it reads, where it says requests come from.
#include "study/replay_fleet.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "catalog/catalog.hpp"

namespace headroom::study {
namespace {

Result<Fleet> fleet_of(const std::string& text) {
  Diagnostics bad;
  auto document = spec::parse_yaml("fleet.yaml", text, bad);
  EXPECT_TRUE(document) << render(bad);
  return read_fleet(std::move(*document), catalog::Catalog::builtin());
}

constexpr const char* places = R"(
regions: [{name: eu, place: germany-frankfurt}, {name: us, place: us-virginia}]
origins: [{region: eu, share: 25 %}, {region: us, share: 75 %}]
pools: [{name: a, model: llama-3.1-8b, accelerator: h100-sxm}]
classes: [{name: batch, region: us, offline: true}, {name: chat, ttft: 1 s}, {name: chat@eu, ttft: 500 ms}]
)";

requests::Stream stream(std::size_t n) {
  requests::Stream s;
  s.classes = {"chat", "batch", "chat@us"};
  for (std::size_t i = 0; i < n; ++i) {
    requests::Request r;
    r.arrival_s = double(i);
    r.prompt = 10, r.output = 10;
    r.traffic_class = static_cast<std::uint16_t>(i % 3);
    s.requests.push_back(r);
  }
  return s;
}

TEST(PlaceRequests, DrawsThoseWhoseClassSaysNoRegion) {
  const auto fleet = fleet_of(places);
  ASSERT_TRUE(fleet) << render(fleet.error());
  auto s = stream(6000);
  place_requests(s, fleet->spec, 1);
  std::map<std::string, int> count;
  for (const auto& r : s.requests) ++count[s.classes[r.traffic_class]];
  EXPECT_EQ(count["batch"], 2000);
  EXPECT_EQ(count["chat@eu"] + count["chat@us"], 4000);
  EXPECT_NEAR(count["chat@eu"], 500, 70);  // 3.6 standard deviations of 2000 draws
  EXPECT_EQ(region_of_class(fleet->spec, "batch"), 1u);
  EXPECT_EQ(region_of_class(fleet->spec, "chat@eu"), 0u);
  EXPECT_EQ(rule_of(fleet->spec, "chat@eu")->ttft.get().si(), 0.5);
  EXPECT_EQ(rule_of(fleet->spec, "chat@us")->ttft.get().si(), 1);
  EXPECT_EQ(rule_of(fleet->spec, "code"), nullptr);
}

TEST(PlaceRequests, UsersDoNotMoveBetweenTurns) {
  const auto fleet = fleet_of(places);
  ASSERT_TRUE(fleet);
  auto s = stream(900);
  for (std::size_t i = 0; i < 900; ++i) {
    auto& r = s.requests[i];
    r.traffic_class = 0;
    if (i % 2 == 0) r.session = static_cast<std::uint32_t>(i / 20);
    if (i % 2 == 1 && i > 1) r.after = static_cast<std::uint32_t>(i - 2);
  }
  auto again = s;
  place_requests(s, fleet->spec, 7);
  place_requests(again, fleet->spec, 7);
  std::map<std::uint32_t, std::set<std::string>> of;
  for (std::size_t i = 0; i < 900; ++i) {
    EXPECT_EQ(s.requests[i].traffic_class, again.requests[i].traffic_class);
    const auto& name = s.classes[s.requests[i].traffic_class];
    of[i % 2 == 0 ? s.requests[i].session : 10000].insert(name);
  }
  std::set<std::string> all;
  for (const auto& [session, names] : of) {
    EXPECT_EQ(names.size(), 1u);
    all.insert(names.begin(), names.end());
  }
  EXPECT_EQ(all.size(), 2u);
}

TEST(PlaceRequests, NothingMovesWithoutOrigins) {
  auto text = std::string(places);
  text.erase(text.find("origins"), text.find("pools") - text.find("origins"));
  const auto fleet = fleet_of(text);
  ASSERT_TRUE(fleet);
  auto s = stream(30);
  const auto before = s.classes;
  place_requests(s, fleet->spec, 1);
  EXPECT_EQ(s.classes, before);
}

TEST(FleetFileRead, LegalAreasAreThoseOfTheRegionsPlaces) {
  const std::string text = places;
  EXPECT_TRUE(fleet_of(text + "# EU is Germany's\n"));
  const auto with = [&](const char* area) {
    std::string t = text;
    t.replace(t.find("ttft: 500 ms"), 12, std::string("ttft: 500 ms, allowed: [") + area + "]");
    return fleet_of(t);
  };
  EXPECT_TRUE(with("EU"));
  EXPECT_TRUE(with("us"));
  const auto bad = with("CH");
  ASSERT_FALSE(bad);
  EXPECT_NE(render(bad.error()).find("fleet.yaml:5:"), std::string::npos) << render(bad.error());
}

}  // namespace
}  // namespace headroom::study
