#include "api/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spec/node.hpp"

namespace headroom::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* scenario = R"(
name: four boxes
site: {region: us-iowa}
building: {halls: [{name: A, racks: 4, cooling: {kind: crah}}]}
clusters: [{name: gpu, system: dgx-h100, count: 4, per_rack: 1, hall: A}]
workloads:
  - {name: tune, kind: train, model: llama-3.1-8b, tokens: 1e9 token, gpus: 32}
money: {horizon: 4 yr}
)";

Json document(int threads, std::string text = scenario) {
  const spec::TextInput input("boxes.yaml", std::move(text));
  ReportRequest request{.file = "-"};
  request.threads = threads;
  const auto out = report(request, ReportForm::json);
  EXPECT_TRUE(out) << (out ? "" : render(out.error()));
  return out ? Json::parse(*out) : Json();
}

TEST(Report, HoldsThePartsThatTheScenarioAsksFor) {
  const auto d = document(1);
  EXPECT_EQ(d["name"], "four boxes");
  EXPECT_EQ(d["file"], "boxes.yaml");
  EXPECT_EQ(d["scenario"], scenario);
  for (const char* part : {"check", "figures", "year", "chain", "layout", "gantt", "train"})
    EXPECT_TRUE(d["parts"].contains(part)) << part;
  for (const char* part : {"infer", "curve", "supply", "availability"})
    EXPECT_FALSE(d["parts"].contains(part)) << part;
  EXPECT_TRUE(d["failed"].empty()) << d["failed"];
}

TEST(Report, IsTheSameForAnyNumberOfThreads) { EXPECT_EQ(document(1), document(5)); }

TEST(Report, APartThatFailsLeavesTheOthers) {
  // `train` refuses a plan that cannot be laid out; `check` takes it as a limit that falls short.
  std::string text = scenario;
  text.replace(text.find("gpus: 32"), 8, "gpus: 32, plan: {tp: 7}");
  const auto d = document(2, text);
  EXPECT_TRUE(d["parts"].contains("check"));
  EXPECT_FALSE(d["parts"].contains("train"));
  EXPECT_FALSE(d["failed"]["train"].get<std::string>().empty());
}

TEST(Report, MistakesOfTheScenarioAreTheFailure) {
  const spec::TextInput input("boxes.yaml",
                              "clusters: [{name: gpu, system: dgx-h1OO, count: 4}]\n");
  for (const auto form : {ReportForm::html, ReportForm::json, ReportForm::xlsx, ReportForm::csv}) {
    const auto out = report({.file = "-"}, form);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().all().front().line, 1);
  }
}

TEST(Report, CountsItsPartsAndStops) {
  const spec::TextInput input("boxes.yaml", scenario);
  Progress progress;
  ReportRequest request{.file = "-"};
  request.progress = &progress;
  ASSERT_TRUE(report(request, ReportForm::html));
  EXPECT_EQ(progress.now().done, progress.now().total);
  EXPECT_GT(progress.now().total, 5u);
  progress.ask_stop();
  const auto stopped = report(request, ReportForm::html);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().all().front().message, "stopped on request");
}

TEST(Report, FormsByEnding) {
  EXPECT_EQ(report_form("a/b.html").value(), ReportForm::html);
  EXPECT_EQ(report_form("a.xlsx").value(), ReportForm::xlsx);
  EXPECT_FALSE(report_form("a.pdf"));
  EXPECT_EQ(media_type(ReportForm::json), "application/json");
}

}  // namespace
}  // namespace headroom::api
