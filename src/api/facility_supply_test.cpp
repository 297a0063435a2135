// `headroom facility --supply` through the facade.
#include "api/facility_supply.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace headroom::api {
namespace {

using nlohmann::json;

/// The row's scenario with this supply block in place of its own, in a folder of its own.
std::string with(const std::string& block, const char* name) {
  const auto folder = std::filesystem::temp_directory_path() / "headroom_supply_test";
  std::filesystem::create_directories(folder);
  std::ifstream in(std::string(HEADROOM_SOURCE_DIR) + "/scenarios/nvl72-row.yaml");
  std::stringstream text;
  text << in.rdbuf();
  const std::string all = text.str(), own = all.substr(0, all.find("\nsupply:"));
  const auto path = folder / (std::string(name) + ".yaml");
  std::ofstream(path) << own << "\n" << block;
  return path.string();
}

constexpr const char* mixed =
    "supply:\n"
    "  sources:\n"
    "    - {name: utility, kind: grid, capacity: 0.9 MW, price: 0.062 USD/kWh, demand_charge: 9 "
    "USD/kW/mo}\n"
    "    - {name: engines, kind: gas_engine, capacity: 0.3 MW, take_or_pay: 20 %}\n"
    "    - {name: field, kind: solar, capacity: 1 MW, capex: 1050 USD/kW}\n"
    "  storages: [{name: bess, power: 0.2 MW, duration: 4 h}]\n";

std::string mistakes(const std::string& block) {
  const auto a = facility_supply({.file = with(block, "bad")});
  EXPECT_FALSE(a);
  return a ? std::string() : render(a.error());
}

TEST(FacilitySupply, grid_alone_is_the_load_at_the_price) {
  const auto a = facility_supply({.file = with("", "alone")});
  ASSERT_TRUE(a) << render(a.error());
  EXPECT_NEAR(a->usd, a->grid_only_usd, 1e-6 * a->usd);
  EXPECT_NEAR(a->dispatch.sources[0].used_mwh, a->dispatch.load_mwh, 1e-6 * a->dispatch.load_mwh);
  EXPECT_TRUE(a->holds());
  EXPECT_EQ(a->ref, 0);
}

TEST(FacilitySupply, adds_up_in_text_json_and_csv) {
  const auto a = facility_supply({.file = with(mixed, "mixed")});
  ASSERT_TRUE(a) << render(a.error());
  EXPECT_LT(a->dispatch.imbalance, 1e-6);
  double usd = 0;
  for (const auto& s : a->dispatch.sources) usd += s.usd();
  for (const auto& b : a->dispatch.storages) usd += b.wear_usd + b.fixed_usd;
  EXPECT_NEAR(usd, a->usd, 1e-6 * usd);
  EXPECT_GE(a->dispatch.sources[1].used_mwh + a->dispatch.sources[1].not_taken_mwh,
            0.2 * 0.3 * 8760 - 1e-4);
  EXPECT_GT(a->ref, 0.05);
  EXPECT_GE(a->dispatch.clean_share, a->ref - 0.02);
  const auto j = json::parse(report::supply_json(*a));
  EXPECT_EQ(j["sources"].size(), 3u);
  EXPECT_EQ(j["price_usd_mwh"].size(), 8760u);
  const auto csv = report::supply_csv(*a);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 8761);
  const auto first = csv.substr(0, csv.find('\n'));
  const auto last = csv.substr(csv.rfind('\n', csv.size() - 2) + 1);
  EXPECT_EQ(std::count(first.begin(), first.end(), ','), std::count(last.begin(), last.end(), ','));
  const auto text = report::supply_text(*a, {false, 100, false});
  EXPECT_NE(text.find("take-or-pay"), std::string::npos);
  EXPECT_NE(text.find("assumed"), std::string::npos);
}

TEST(FacilitySupply, short_supply_is_told) {
  const auto a = facility_supply(
      {.file = with("supply: {sources: [{name: g, kind: grid, capacity: 0.5 MW, price: 0.06 "
                    "USD/kWh}]}\n",
                    "short")});
  ASSERT_TRUE(a) << render(a.error());
  EXPECT_FALSE(a->holds());
  EXPECT_NEAR(a->dispatch.served_mwh + a->dispatch.unserved_mwh, a->dispatch.load_mwh, 1e-3);
  EXPECT_GT(a->dispatch.sources[0].saving_usd_mw, 0);
}

TEST(FacilitySupply, bad_input_is_told_at_its_place) {
  const auto one = [](const std::string& source) {
    return mistakes("supply:\n  sources:\n    - {" + source + "}\n");
  };
  EXPECT_NE(one("name: a, kind: solar").find("capacity"), std::string::npos);
  EXPECT_NE(one("name: a, kind: sollar, capacity: 1 MW").find("solar"), std::string::npos);
  EXPECT_NE(one("name: a, kind: wind, capacity: 1 MW, most: 2 MW").find("beside capacity"),
            std::string::npos);
  EXPECT_NE(one("name: a, kind: wind, capacity: 1 MW, efficiency: 40 %").find("fuel"),
            std::string::npos);
  EXPECT_NE(one("name: a, kind: gas_engine, capacity: 1 MW, demand_charge: 9 USD/kW/mo")
                .find("of a grid"),
            std::string::npos);
  EXPECT_NE(one("name: a, kind: solar, capacity: 1 MW, profile: ../p.csv").find("outside"),
            std::string::npos);
  const auto missing = one("name: a, kind: solar, capacity: 1 MW, profile: none.csv");
  EXPECT_NE(missing.find("none.csv"), std::string::npos) << missing;
  EXPECT_NE(missing.find("cannot be read"), std::string::npos) << missing;
  EXPECT_NE(mistakes("supply: {storages: [{name: b}]}\n").find("power"), std::string::npos);
  EXPECT_NE(mistakes("supply: {responses: [{name: r, power: 1 MW, from: 30}]}\n").find("from"),
            std::string::npos);
  const auto lost = facility_supply({.file = with(mixed, "mixed"), .lose = {"mains"}});
  ASSERT_FALSE(lost);
  EXPECT_NE(render(lost.error()).find("--lose"), std::string::npos);
}

}  // namespace
}  // namespace headroom::api
