#include "report/document.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/workbook.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;

TEST(Compact, TakesSpaceBetweenTokensAndNothingElse) {
  const std::string in = "{\n  \"a b\": [1.50, \"x  \\\" y \\\\\", null],\n  \"c\":\t{}\r\n}\n";
  const std::string out = compact(in);
  EXPECT_EQ(out, "{\"a b\":[1.50,\"x  \\\" y \\\\\",null],\"c\":{}}");
  EXPECT_EQ(Json::parse(out), Json::parse(in));
}

TEST(Document, FailedPartsStandBesideTheOthers) {
  ReportDocument d;
  d.version = "1", d.name = "a \"name\"", d.scenario = "x: 1\n";
  d.parts = {{"check", "{\"fits\":true}", ""}, {"year", "", "no \"weather\""}};
  d.also = {{"other", "o.yaml", "y: 2\n", {{"check", "{}", ""}}}};
  const auto json = Json::parse(document_json(d));
  EXPECT_EQ(json["kind"], "headroom-report");
  EXPECT_EQ(json["name"], d.name);
  EXPECT_TRUE(json["date"].is_null());
  EXPECT_EQ(json["parts"].size(), 1u);
  EXPECT_EQ(json["failed"]["year"], "no \"weather\"");
  EXPECT_EQ(json["also"][0]["scenario"], "y: 2\n");
}

study::TrainingAnswer with_front(std::vector<std::pair<double, double>> speed_memory) {
  study::TrainingAnswer a;
  a.runs.emplace_back();
  for (const auto& [speed, memory] : speed_memory) {
    study::PlanRow row;
    row.tokens_per_s = speed, row.memory = memory;
    a.runs[0].front.push_back(row);
  }
  return a;
}

TEST(TrainPart, KeepsPlansOfLeastMemoryAtTheirSpeed) {
  const auto a = with_front({{10, 5e9}, {9, 6e9}, {8, 4e9}, {7, 4e9}, {6, 1e9}});
  const auto run = Json::parse(train_part(a))["runs"][0];
  EXPECT_EQ(run["front_in_all"], 5);
  ASSERT_EQ(run["front"].size(), 3u);
  EXPECT_EQ(run["front"][1]["tokens_per_s"]["value"], 8);
}

TEST(TrainPart, BoundsTheFrontAndKeepsItsEnds) {
  std::vector<std::pair<double, double>> rows;
  for (int i = 0; i < 500; ++i) rows.emplace_back(1000 - i, (500 - i) * 1e9);
  const auto front = Json::parse(train_part(with_front(rows)))["runs"][0]["front"];
  EXPECT_LE(front.size(), 60u);
  EXPECT_EQ(front.front()["tokens_per_s"]["value"], 1000);
  EXPECT_EQ(front.back()["tokens_per_s"]["value"], 501);
}

TEST(LayoutPart, EqualNeighboursAreOneBlockAndNoGroundIsLost) {
  building::LayoutInput in;
  in.kinds = {{"gpu", 40, 0.6, 1.2, 900, 40e3, true}};
  in.positions = 44, in.it_max_w = 1.6e6;
  const auto plan = building::lay_out(in);
  const auto less = building::merged(plan);
  EXPECT_LT(less.blocks.size(), plan.blocks.size());
  double before = 0, after = 0;
  int racks = 0;
  for (const auto& b : plan.blocks) before += b.area_m2();
  for (const auto& b : less.blocks) {
    after += b.area_m2();
    if (b.kind == 0) racks += b.count;
  }
  EXPECT_NEAR(after, before, 1e-9 * before);
  EXPECT_EQ(racks, 40);
  study::LayoutAnswer answer;
  answer.halls.push_back({"hall A", in, plan, 1.6e6, 0, {}});
  const auto hall = Json::parse(layout_part(answer))["halls"][0];
  EXPECT_NE(hall["svg"]["power"].get<std::string>().find("<svg"), std::string::npos);
  EXPECT_NE(hall["svg"]["power"], hall["svg"]["weight"]);
}

TEST(Workbook, NamesCellsAndColumns) {
  EXPECT_EQ(column_name(0), "A");
  EXPECT_EQ(column_name(25), "Z");
  EXPECT_EQ(column_name(26), "AA");
  EXPECT_EQ(column_name(701), "ZZ");
  EXPECT_EQ(column_name(702), "AAA");
  EXPECT_EQ(cell_name(2, 1, true), "$B$3");
}

TEST(Workbook, SameCallsSameBytes) {
  const auto make = [](double x) {
    Workbook book("a", 20000);
    auto& s = book.sheet("S");
    s.number(0, 0, x);
    s.text(1, 0, "=1+1");  // a text, not a formula
    book.name("in_x", "S!$A$1");
    s.formula(2, 0, "=in_x*2", 2 * x, Look::usd);
    return book.bytes();
  };
  EXPECT_EQ(make(1), make(1));
  EXPECT_NE(make(1), make(2));
  EXPECT_EQ(make(1).substr(0, 2), "PK");
  EXPECT_THROW(
      {
        Workbook book("a", 20000);
        book.sheet("a name that is far too long for a sheet of a workbook");
      },
      std::runtime_error);
}

}  // namespace
}  // namespace headroom::report
