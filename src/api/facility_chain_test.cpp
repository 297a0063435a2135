// `headroom facility --chain` and `--lose` of electrical nodes through the facade.
#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "api/facility.hpp"

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

FacilityRequest lose(const char* name, std::vector<std::string> nodes,
                     std::vector<std::string> sets = {}) {
  FacilityRequest r;
  r.file = scenario(name), r.lose = std::move(nodes), r.sets = std::move(sets);
  return r;
}

class Chains : public testing::TestWithParam<const char*> {};

// Every node of the JSON gives what it takes, and the whole draws what its loads and losses are.
TEST_P(Chains, balance_at_every_node_and_as_a_whole) {
  const auto a = answered({.file = scenario(GetParam()), .chain = true});
  EXPECT_FALSE(a.has_year);
  const auto chain = json::parse(report::facility_json(a)).at("chain");
  EXPECT_LT(chain.at("imbalance").get<double>(), 1e-12);
  EXPECT_NEAR(a.chain.it_w, a.it_max_w, 1e-9 * a.it_max_w);
  std::map<std::string, double> in, out;
  for (const auto& e : chain.at("edges")) {
    in[e.at("to")] += e.at("flow_w").get<double>();
    out[e.at("from")] += e.at("flow_w").get<double>();
  }
  double loss = 0;
  for (const auto& n : chain.at("nodes")) {
    const std::string name = n.at("name"), kind = n.at("kind");
    const double input = n.at("input_w"), output = n.at("output_w");
    EXPECT_NEAR(input, output + n.at("loss_w").get<double>(), 1e-6) << name;
    const bool source = kind == "utility" || kind == "generator" || kind == "battery";
    if (!source) { EXPECT_NEAR(in[name], input, 1e-9 * input + 1e-6) << name; }
    const bool load = kind == "it" || kind == "mechanical" || kind == "other";
    if (!load) { EXPECT_NEAR(out[name], output, 1e-9 * output + 1e-6) << name; }
    loss += n.at("loss_w").get<double>();
  }
  EXPECT_NEAR(loss, chain.at("loss_w").get<double>(), 1e-6);
  for (const auto& s : chain.at("stages")) {
    double sum = 0;
    for (const char* part : {"derating_w", "phases_w", "uneven_w", "sides_w", "reserve_w",
                             "mismatch_w", "cooling_w", "rounding_w", "left_w", "load_w"})
      sum += s.at(part).get<double>();
    EXPECT_NEAR(sum, s.at("nameplate_w").get<double>(), 1e-6 * std::abs(sum) + 1e-6);
  }
}
INSTANTIATE_TEST_SUITE_P(Repository, Chains,
                         testing::Values("nvl72-row", "llama3-405b", "chat-70b", "legacy-hall",
                                         "campus-100k"));

TEST(Chain, a_row_that_fits_holds_and_a_hall_that_does_not_says_where) {
  const auto row = answered({.file = scenario("nvl72-row"), .chain = true});
  EXPECT_TRUE(row.holds());
  EXPECT_EQ(row.chain.sweep.binding, "hall-a.rack-feed");
  EXPECT_NEAR(row.chain.sweep.scale, 1, 0.01);  // 132 kW on two of four feeds of 66 kW
  const auto hall = answered({.file = scenario("legacy-hall"), .chain = true});
  EXPECT_FALSE(hall.holds());
  EXPECT_LT(hall.chain.sweep.scale, 0.25);
  const auto text = report::facility_text(hall, {});
  EXPECT_NE(text.find("Where the nameplate goes"), std::string::npos);
  EXPECT_NE(text.find("hall-a.a1"), std::string::npos);
}

TEST(Chain, racks_on_one_phase_strand_what_the_fullest_line_leaves) {
  FacilityRequest r{.file = scenario("legacy-hall"), .chain = true};
  r.sets = {"building.halls.A.rack.phases=1", "building.halls.A.rack.voltage=120 V"};
  const auto a = answered(r);
  ASSERT_GE(a.chain.most_uneven(), 0);
  // Six full racks and one of switches a pair of busways: two full ones on each phase, and the
  // other one on one of them.
  const auto each = [&](const char* name) {
    return a.chain.graph[a.chain.graph.find(name)].load_w;
  };
  const double full = each("hall-a.racks-1"), other = each("hall-a.racks-1-other");
  EXPECT_LT(other, full);
  EXPECT_NEAR(a.chain.imbalance(a.chain.graph.find("hall-a.a1")),
              (2 * full + other) / ((6 * full + other) / 3) - 1, 1e-6);
  double stranded = 0;
  for (const auto& row : a.chain.sweep.stages) stranded += row.phases_w;
  EXPECT_GT(stranded, 0);
  const auto even = answered({.file = scenario("legacy-hall"), .chain = true});
  EXPECT_EQ(even.chain.most_uneven(), -1);
}

TEST(Chain, the_year_carries_it_in_brief) {
  const auto a = answered({.file = scenario("nvl72-row")});
  const auto out = json::parse(report::facility_json(a));
  EXPECT_GT(out.at("chain").at("cases").get<int>(), 20);
  EXPECT_FALSE(out.at("chain").contains("nodes"));
  EXPECT_NE(report::facility_text(a, {}).find("every node lost once"), std::string::npos);
}

TEST(Chain, pairs_are_on_request_and_a_part_of_it) {
  const auto a = answered({.file = scenario("nvl72-row"), .chain = true, .pairs = true});
  EXPECT_GT(a.chain.sweep.pairs.pairs, 50u);
  EXPECT_GT(a.chain.sweep.pairs.dropping, 0u);
  EXPECT_FALSE(facility({.file = scenario("nvl72-row"), .pairs = true}));
}

// --- Lost in time -----------------------------------------------------------------

TEST(PowerLost, mains_are_bridged_and_what_stops_is_the_cooling) {
  const auto a = answered(lose("nvl72-row", {"mains"}));
  ASSERT_TRUE(a.walk && a.walk->power);
  const auto& w = *a.walk;
  EXPECT_EQ(w.power->dropped_racks(), 0);
  EXPECT_EQ(w.power->sets_needed, 2);
  EXPECT_GT(w.power->start_probability, 0.999);
  EXPECT_LT(w.power->worst_imbalance, 1e-12);
  // Pumps without power trip the racks as the loss of all cooling does.
  const auto hot = answered(lose("nvl72-row", {"all-cooling"}));
  EXPECT_EQ(w.halls[0].shutdown_at_s, hot.walk->halls[0].shutdown_at_s);
  EXPECT_FALSE(a.holds());
}

TEST(PowerLost, cooling_behind_the_ups_runs_on) {
  const auto a = answered(lose("nvl72-row", {"mains"}, {"power.ups.mechanical=100 %"}));
  ASSERT_TRUE(a.walk && a.walk->power);
  EXPECT_EQ(a.walk->halls[0].throttle_at_s, -1);
  EXPECT_EQ(a.walk->halls[0].shutdown_at_s, -1);
  EXPECT_EQ(a.walk->lost_gpu_s, 0);
  EXPECT_TRUE(a.holds());
}

TEST(PowerLost, a_short_battery_drops_the_hall_with_its_gpu_hours_tokens_and_money) {
  const auto a = answered(
      lose("nvl72-row", {"mains"}, {"power.ups.autonomy=5 s", "power.ups.mechanical=100 %"}));
  ASSERT_TRUE(a.walk && a.walk->power);
  const auto& h = a.walk->halls[0];
  EXPECT_GT(h.dropped_at_s, 5);
  EXPECT_LT(h.dropped_at_s, 10);
  EXPECT_NEAR(h.dropped_share, 1, 1e-12);
  EXPECT_NEAR(h.lost_gpu_s, h.gpus * (600 - h.dropped_at_s), 1e-6 * h.lost_gpu_s);
  EXPECT_GT(a.walk->usd, 0);
  ASSERT_FALSE(a.walk->work.empty());
  for (const auto& work : a.walk->work) EXPECT_GT(work.tokens, 0);
  EXPECT_FALSE(a.walk->recovered);
}

TEST(PowerLost, one_side_of_two_costs_nothing_and_a_pair_half_the_hall) {
  const auto one = answered(lose("nvl72-row", {"hall-a.a1"}));
  EXPECT_TRUE(one.holds());
  EXPECT_EQ(one.walk->lost_gpu_s, 0);
  const auto pair = answered(lose("nvl72-row", {"hall-a.a1", "hall-a.b1"}));
  const auto& h = pair.walk->halls[0];
  EXPECT_EQ(h.dropped_at_s, 0);
  EXPECT_GT(h.dropped_share, 0.4);
  EXPECT_LT(h.dropped_share, 0.6);
  EXPECT_NEAR(h.lost_gpu_s, h.dropped_share * h.gpus * 600, 1e-6 * h.lost_gpu_s);
}

TEST(PowerLost, units_and_shares_of_a_bank) {
  EXPECT_TRUE(answered(lose("nvl72-row", {"ups.unit"})).holds());
  EXPECT_TRUE(answered(lose("nvl72-row", {"ups=12.5%"})).holds());
  const auto all = answered(lose("nvl72-row", {"ups"}));
  EXPECT_EQ(all.walk->halls[0].dropped_at_s, 0);
  EXPECT_NEAR(all.walk->halls[0].dropped_share, 1, 1e-12);
}

TEST(PowerLost, a_node_that_is_not_there_is_told_with_the_nearest) {
  const auto a = facility(lose("nvl72-row", {"grid-c", "ups.units"}));
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().count(), 1u);  // a plural is no mistake
  EXPECT_NE(a.error().all()[0].hint.find("grid-"), std::string::npos);
}

// --- A list of nodes in a scenario ------------------------------------------------

class TemporaryScenario {
 public:
  explicit TemporaryScenario(const std::string& nodes)
      : path_(std::filesystem::temp_directory_path() /
              ("headroom-chain-" + std::to_string(::getpid()) + ".yaml")) {
    std::ofstream file(path_);
    file << "name: test\n"
            "power:\n"
            "  nodes:\n"
         << nodes
         << "building:\n"
            "  halls:\n"
            "    - {name: A, racks: 16, rack: {feed: 2 x 45 kW}}\n"
            "clusters:\n"
            "  - {name: gpu, system: dgx-h100, count: 16, per_rack: 2, hall: A}\n";
  }
  ~TemporaryScenario() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(NodeList, is_the_chain_that_is_lost_and_swept) {
  const TemporaryScenario file(
      "    - {name: grid, kind: utility, rating: 1 MW}\n"
      "    - {name: sets, kind: generator, units: 2 x 400 kW}\n"
      "    - {name: ats, kind: transfer-switch, fed_by: grid, alternates: sets}\n"
      "    - {name: ups-a, kind: ups, fed_by: ats, rating: 300 kW, autonomy: 5 min, side: A}\n"
      "    - {name: ups-b, kind: ups, fed_by: ats, rating: 300 kW, autonomy: 5 min, side: B}\n"
      "    - {name: racks, kind: it, fed_by: [ups-a, ups-b], hall: A}\n"
      "    - {name: cooling, kind: mechanical, fed_by: ats}\n"
      "    - {name: lights, kind: other, fed_by: ats}\n");
  const auto a = answered({.file = file.path(), .chain = true});
  EXPECT_FALSE(a.chain.drawn);
  EXPECT_NEAR(a.chain.it_w, a.it_max_w, 1e-9 * a.it_max_w);
  EXPECT_EQ(a.chain.graph.find("ups-a-battery") >= 0, true);
  FacilityRequest r{.file = file.path()};
  r.lose = {"ups-a"};
  EXPECT_TRUE(answered(r).holds());
  r.lose = {"ats"}, r.horizon = "60 min";
  const auto lost = answered(r);
  EXPECT_GT(lost.walk->halls[0].dropped_at_s, 300);  // batteries at less than their rating
}

TEST(NodeList, mistakes_stand_at_their_lines) {
  const TemporaryScenario file(
      "    - {name: grid, kind: utility, rating: 100 kW}\n"
      "    - {name: bus, kind: busway, fed_by: [gird], rating: 500 kW}\n"
      "    - {name: tie, kind: switchgear, fed_by: [bus], feeds: [bus]}\n");
  const auto a = facility({.file = file.path()});
  ASSERT_FALSE(a);
  std::vector<std::pair<int, std::string>> expected{
      {5, "no node is called 'gird'"}, {6, "loop"}, {4, "racks of hall 'A'"}};
  for (const auto& [line, text] : expected) {
    const auto& all = a.error().all();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                            [&](const Diagnostic& d) {
                              return d.line == line && d.column > 0 &&
                                     d.message.find(text) != std::string::npos;
                            }))
        << text << "\n"
        << render(a.error());
  }
}

}  // namespace
}  // namespace headroom::api
