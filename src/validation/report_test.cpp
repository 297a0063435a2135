// The report: summaries against figures worked out by hand, and the exact keys of its JSON.
#include "validation/report.hpp"

#include <gtest/gtest.h>
#include <cmath>
#include <nlohmann/json.hpp>

namespace headroom::validation {
namespace {

using Json = nlohmann::json;

Row row(const char* id, double measured, double predicted, double low, double high) {
  Row r;
  r.id = id, r.group = group_of(id), r.measured = measured, r.predicted = predicted;
  r.unit = "s", r.low = low, r.high = high;
  return r;
}

/// Errors +10, -20, +30 %; the second lies outside its interval.
Report three() {
  Report r;
  r.rows = {row("a-1", 10, 11, 9, 12), row("a-2", 10, 8, 7, 9), row("b-1", 10, 13, 10, 15)};
  r.skipped = {{"b-2", "b", "tier B: micro-batch not known"}, {"c-1", "c", "no gbs"}};
  return r;
}

std::vector<std::string> keys(const Json& j) {
  std::vector<std::string> out;
  for (const auto& [key, value] : j.items()) out.push_back(key);
  return out;
}

TEST(Report, QuantilesAreLinearBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.9), 9);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.1), 7);
  EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3}, 1), 3);
}

TEST(Report, WeightedQuantileOfEqualWeightsIsSymmetric) {
  EXPECT_DOUBLE_EQ(weighted_quantile({{1, 1}, {2, 1}, {3, 1}}, 0.5), 2);
  // A value of weight 9 beside one of weight 1 is the median.
  EXPECT_NEAR(weighted_quantile({{1, 9}, {2, 1}}, 0.45), 1, 1e-12);
  // Doubling a weight is the same as naming the value twice, away from the seams.
  EXPECT_NEAR(weighted_quantile({{1, 1}, {5, 2}, {9, 1}}, 0.5), 5, 1e-12);
  EXPECT_DOUBLE_EQ(weighted_quantile({{3, 1}}, 0.9), 3);
  EXPECT_DOUBLE_EQ(weighted_quantile({}, 0.9), 0);
  // Never outside the values, and monotone in the share.
  double before = -1;
  for (double share = 0; share <= 1; share += 0.05) {
    const double q = weighted_quantile({{0, 1}, {1, 3}, {4, 0.5}}, share);
    EXPECT_GE(q, std::max(0.0, before));
    EXPECT_LE(q, 4);
    before = q;
  }
}

TEST(Report, SummaryIsOfAbsoluteErrors) {
  const auto s = summarise(three());
  EXPECT_EQ(s.rows, 3u);
  EXPECT_EQ(s.skipped, 2u);
  EXPECT_NEAR(s.median, 0.2, 1e-12);
  EXPECT_NEAR(s.mean, 0.2, 1e-12);
  EXPECT_NEAR(s.p90, 0.28, 1e-12);
  EXPECT_NEAR(s.worst, 0.3, 1e-12);
  EXPECT_NEAR(s.bias, 0.1, 1e-12);
  EXPECT_NEAR(s.coverage80, 2.0 / 3, 1e-12);
}

TEST(Report, CoverageCountsRowsWithAnIntervalOnly) {
  auto r = three();
  r.rows[1].low = r.rows[1].high = 8;  // none
  EXPECT_NEAR(summarise(r).coverage80, 1, 1e-12);
  for (auto& one : r.rows) one.low = one.high = one.predicted;
  EXPECT_TRUE(Json::parse(to_json(r))["summary"]["coverage80"].is_null());
}

TEST(Report, GroupsHoldTheirSkippedRows) {
  const auto groups = by_group(three());
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].name, "a");
  EXPECT_EQ(groups[0].summary.rows, 2u);
  EXPECT_EQ(groups[1].summary.skipped, 1u);
  EXPECT_EQ(groups[2].summary.rows, 0u);
  EXPECT_EQ(group_of("vtrain"), "vtrain");
  EXPECT_EQ(group_of("mb-26.06-x"), "mb");
}

TEST(Report, JsonHasExactlyTheAgreedKeys) {
  const auto j = Json::parse(to_json(three(), {{"memory", "{\"x\": 1}"}}));
  const std::vector<std::string> figures{"coverage80", "mean",    "median", "p90",
                                         "rows",       "skipped", "worst"};
  auto with_group = figures;
  with_group.insert(with_group.begin() + 1, "group");
  EXPECT_EQ(keys(j), (std::vector<std::string>{"groups", "memory", "rows", "skipped", "summary"}));
  EXPECT_EQ(keys(j["summary"]), figures);
  EXPECT_EQ(keys(j["groups"][0]), with_group);
  EXPECT_EQ(keys(j["rows"][0]), (std::vector<std::string>{"error", "group", "high", "id", "low",
                                                          "measured", "predicted", "unit"}));
  EXPECT_EQ(keys(j["skipped"][0]), (std::vector<std::string>{"id", "reason"}));
  EXPECT_NEAR(j["rows"][1]["error"].get<double>(), -0.2, 1e-12);
  EXPECT_EQ(j["memory"]["x"], 1);
}

TEST(Report, NothingMeasuredIsNullNotZero) {
  const auto j = Json::parse(to_json(Report{}));
  EXPECT_EQ(j["summary"]["rows"], 0);
  for (const char* key : {"median", "mean", "p90", "worst", "coverage80"})
    EXPECT_TRUE(j["summary"][key].is_null()) << key;
  Report odd;
  odd.rows = {row("x-1", 1, INFINITY, 0, NAN)};
  EXPECT_TRUE(Json::parse(to_json(odd))["rows"][0]["predicted"].is_null());
}

TEST(Report, TextShowsTheWorstRowsFirstAndAllOnRequest) {
  TextOptions o;
  o.title = "Step", o.worst = 1;
  const auto text = to_text(three(), o);
  EXPECT_NE(text.find("+30.0 %  b-1"), std::string::npos);
  EXPECT_EQ(text.find("a-1"), std::string::npos);
  EXPECT_NE(text.find("micro-batch not known"), std::string::npos);
  o.all_rows = true;
  const auto all = to_text(three(), o);
  EXPECT_LT(all.find("a-1"), all.find("b-1"));
}

}  // namespace
}  // namespace headroom::validation
