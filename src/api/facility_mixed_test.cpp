// Racks of one hall that differ, through the facade: walk, year, chain, layout; losses together.
#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/facility.hpp"
#include "api/facility_layout.hpp"
#include "api/headroom.hpp"

namespace headroom::api {
namespace {

using nlohmann::json;

constexpr const char* mixed_hall = R"(name: A hall of mixed densities
as_of: 2026-11-20
site: {region: us-ohio, existing: true}
power:
  grid: {capacity: 3 MW, feeds: 2 x 3 MW, redundancy: 2N}
  transformer: {units: 4 x 1250 kW, redundancy: N+1}
  ups: {modules: 12 x 200 kW, redundancy: N+1, autonomy: 5 min}
cooling: {kind: chiller-air, capacity: 4 x 700 kW, redundancy: N+1}
building:
  halls:
    - name: A
      racks: 30
      rack: {feed: 2 x 50 kW}
      distribution: {units: 4 x 900 kW, redundancy: 2N, gear: busway}
      cooling: {kind: cold-plate, supply: 32 degC, cdus: 3 x 600 kW, cdu_redundancy: N+1,
                units: 6 x 150 kW, redundancy: N+1}
clusters:
  - {name: dense, system: gb200-nvl72, count: 6, hall: A, load: 80 %,
     rack: {kind: mgx-48u, feed: 4 x 66 kW}}
  - {name: old, system: dgx-h100, count: 18, per_rack: 4, hall: A, load: 50 %}
)";

class File {
 public:
  explicit File(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("headroom-mixed-" + std::to_string(::getpid()) + "-" + std::to_string(next()) +
               ".yaml")) {
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  std::string name() const { return path_.string(); }

 private:
  static int next() {
    static int n = 0;
    return ++n;
  }
  std::filesystem::path path_;
};

study::FacilityAnswer answered(const FacilityRequest& request) {
  auto answer = facility(request);
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::FacilityAnswer{};
}

TEST(MixedHall, a_walk_follows_each_clusters_racks) {
  const File file(mixed_hall);
  const auto a = answered({.file = file.name(), .lose = {"all-cooling"}});
  ASSERT_TRUE(a.walk);
  const auto& hall = a.walk->halls.at(0);
  ASSERT_EQ(hall.groups.size(), 3u);
  const auto &dense = hall.groups[0], &old = hall.groups[1], &others = hall.groups[2];
  EXPECT_EQ(dense.name, "dense");
  EXPECT_NEAR(dense.rack_w, 132e3, 1);
  EXPECT_NEAR(old.rack_w, 18 * 10.2e3 / 5, 1);
  EXPECT_TRUE(dense.has_chip);
  EXPECT_FALSE(old.liquid || others.liquid);
  EXPECT_GT(dense.throttle_at_s, 0);
  EXPECT_LT(old.throttle_at_s, 0);
  EXPECT_GT(old.shutdown_at_s, 0);
  double watts = 0, gpu_s = 0;
  for (const auto& r : hall.groups) watts += r.racks * r.rack_w, gpu_s += r.lost_gpu_s;
  EXPECT_NEAR(watts, a.it_max_w, 1e-6 * a.it_max_w);
  EXPECT_NEAR(gpu_s, hall.lost_gpu_s, 1e-6 * gpu_s);
  EXPECT_EQ(hall.gpus, 6 * 72 + 18 * 8);
  const auto out = json::parse(report::facility_json(a)).at("failure").at("halls").at(0);
  EXPECT_EQ(out.at("racks").size(), 3u);
  EXPECT_NEAR(out.at("power").at(0).get<double>(), 1, 1e-9);
}

TEST(MixedHall, without_coolant_pumps_only_racks_on_plates_stop) {
  const File file(mixed_hall);
  const auto a = answered({.file = file.name(), .lose = {"hall-a.cdu-pump"}});
  ASSERT_TRUE(a.walk);
  const auto& groups = a.walk->halls.at(0).groups;
  EXPECT_GT(groups.at(0).lost_gpu_s, 0);
  EXPECT_EQ(groups.at(1).lost_gpu_s, 0);
  EXPECT_EQ(groups.at(1).lowest_power, 1);
}

TEST(MixedHall, the_year_steps_every_rack_with_its_own_load) {
  const File file(mixed_hall);
  const auto a = answered({.file = file.name(), .resolution = "1s"});
  ASSERT_TRUE(a.time);
  ASSERT_EQ(a.time->halls.at(0).groups.size(), 3u);
  EXPECT_EQ(a.time->racks, 6u + 5 + 3 + 1);  // and the power rooms
  EXPECT_NEAR(a.time->pue, a.pue, 1e-3);
  EXPECT_LT(a.worst_imbalance, 1e-6);
  EXPECT_NEAR(a.it_j, a.it_mean_w * 8760 * 3600, 1e-6 * a.it_j);
  // The old servers' own heat goes to the air: room units carry more than in a hall of plates.
  const auto plates = answered({.file = file.name(), .sets = {"clusters.old.count=1"}});
  const auto fans = [](const study::FacilityAnswer& x) {
    return x.plant.energy.room_fans / x.it_j;
  };
  EXPECT_GT(fans(a), 1.1 * fans(plates));
}

TEST(MixedHall, the_chain_feeds_each_cluster_as_its_rack_says) {
  const File file(mixed_hall);
  const auto a = answered({.file = file.name(), .chain = true});
  EXPECT_NEAR(a.chain.it_w, a.it_max_w, 1e-9 * a.it_max_w);
  EXPECT_TRUE(a.chain.holds());
  const auto& g = a.chain.graph;
  EXPECT_GE(g.find("hall-a.racks-1-dense.feed-4"), 0);
  EXPECT_GE(g.find("hall-a.racks-1-old.feed-2"), 0);
  EXPECT_LT(g.find("hall-a.racks-1-old.feed-3"), 0);
  EXPECT_NEAR(g[g.find("hall-a.racks-1-dense.feed-1")].rating_w, 66e3, 1);
  EXPECT_NEAR(g[g.find("hall-a.racks-1-old.feed-1")].rating_w, 50e3, 1);
  // On the hall's feeds the dense racks overload.
  std::string text = mixed_hall;
  text.replace(text.find("feed: 4 x 66 kW"), 15, "units: 48");
  const File plain(text);
  EXPECT_FALSE(answered({.file = plain.name(), .chain = true}).chain.holds());
}

TEST(MixedHall, check_holds_each_clusters_racks_to_their_own_feeds) {
  const auto feed = [](const std::string& text) {
    const File file(text);
    const auto verdict = check({.file = file.name(), .sets = {}, .catalog = {}});
    EXPECT_TRUE(verdict) << render(verdict.error());
    for (const auto& m : verdict->margins)
      if (m.id == "power.hall-a.rack-feed") return m;
    return Margin{};
  };
  const auto own = feed(mixed_hall);
  EXPECT_NEAR(own.need, 132e3, 1);
  EXPECT_NEAR(own.have, 132e3, 1);  // two of four of 66 kW
  EXPECT_TRUE(own.holds());
  std::string text = mixed_hall;
  text.replace(text.find("feed: 4 x 66 kW"), 15, "units: 48");
  EXPECT_NEAR(feed(text).have, 50e3, 1);
  EXPECT_FALSE(feed(text).holds());
}

TEST(MixedHall, the_layout_draws_each_clusters_own_rack) {
  const File file(mixed_hall);
  const auto a = facility_layout({.file = file.name()});
  ASSERT_TRUE(a);
  const auto& kinds = a->halls.at(0).input.kinds;
  ASSERT_EQ(kinds.size(), 4u);  // dense, old, old's last, network and storage
  EXPECT_NEAR(kinds[0].power_w, 132e3, 1);
  EXPECT_NEAR(kinds[1].power_w, 4 * 10.2e3, 1);
  EXPECT_NEAR(kinds[2].power_w, 2 * 10.2e3, 1);
}

// --- Losses together ---------------------------------------------------------------

FacilityRequest both(std::vector<std::string> lists, bool chain = true) {
  FacilityRequest r;
  r.file = std::string(HEADROOM_SOURCE_DIR) + "/scenarios/nvl72-row.yaml";
  r.chain = chain, r.lose_both = std::move(lists);
  return r;
}

void expect_sums(const power::Together& t) {
  ASSERT_FALSE(t.stages.empty());
  for (const auto& s : t.stages)
    EXPECT_NEAR(s.sum_w(), s.nameplate_w, 1e-6 * s.nameplate_w) << s.name;
}

TEST(LoseBoth, both_sides_of_a_pair_drop_what_hangs_on_them) {
  const auto a = answered(both({"hall-a.a1,hall-a.b1"}));
  const auto& t = a.chain.sweep.together.at(0);
  EXPECT_EQ(t.lost.dropped_racks, 6);  // four of the cluster, two of network and storage
  EXPECT_FALSE(a.holds());
  expect_sums(t);
  const auto out = json::parse(report::facility_json(a)).at("chain").at("together").at(0);
  EXPECT_FALSE(out.at("harmless").get<bool>());
  EXPECT_EQ(out.at("dropped_racks"), 6);
  const auto text = report::facility_text(a, {});
  EXPECT_NE(text.find("Lost together: hall-a.a1 + hall-a.b1"), std::string::npos);
}

TEST(LoseBoth, two_units_of_a_bank_take_more_reserve_than_one) {
  const auto a = answered(both({"ups.unit+ups.unit", "mains,generator.unit"}));
  const auto& t = a.chain.sweep.together.at(0);
  ASSERT_EQ(t.lost.lost.size(), 1u);
  EXPECT_EQ(t.lost.lost[0].units, 2);
  EXPECT_TRUE(t.lost.harmless());  // 1.131 MW on 6 x 200 kW
  expect_sums(t);
  const auto reserve = [](const std::vector<power::StageRow>& rows) {
    return std::find_if(rows.begin(), rows.end(), [](const auto& r) { return r.name == "ups"; })
        ->reserve_w;
  };
  EXPECT_NEAR(reserve(t.stages) - reserve(a.chain.sweep.stages), 200e3, 1e3);
  const auto& mains = a.chain.sweep.together.at(1).lost;
  EXPECT_TRUE(mains.on_generators);
  // The same case is one of the single losses on the sets.
  const auto& cases = a.chain.sweep.cases;
  const int sets = a.chain.graph.find("generator");
  const auto same = std::find_if(cases.begin(), cases.end(), [&](const power::Case& c) {
    return c.on_generators && c.lost.size() == 1 && c.lost[0].node == sets;
  });
  ASSERT_NE(same, cases.end());
  EXPECT_EQ(mains.overloaded.size(), same->overloaded.size());
  EXPECT_EQ(mains.lost_racks(), same->lost_racks());
}

TEST(LoseBoth, mistakes_are_told_together) {
  const auto a = facility(both({"hall-a.a1", "hall-a.a1,nothing", "chiller-1,hall-a.a1,cdu-pump"}));
  ASSERT_FALSE(a);
  const auto text = render(a.error());
  EXPECT_NE(text.find("names one node"), std::string::npos) << text;
  EXPECT_NE(text.find("'nothing'"), std::string::npos) << text;
  EXPECT_NE(text.find("--lose-both chiller-1"), std::string::npos) << text;
  EXPECT_FALSE(facility(both({"hall-a.a1,hall-a.b1"}, false)));
}

}  // namespace
}  // namespace headroom::api
