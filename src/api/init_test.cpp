#include "api/init.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "api/headroom.hpp"

namespace headroom::api {
namespace {

struct TemporaryFile {
  explicit TemporaryFile(const std::string& text) {
    path = ::testing::TempDir() + "headroom_init_test.yaml";
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::string path;
};

Result<study::Verdict> checked(const std::string& path) {
  Request request;
  request.file = path;
  return check(request);
}

InitAnswers answers(std::string work, std::string machines) {
  const bool serves = work == "serve" || work == "rag";
  return {.work = std::move(work),
          .model = "llama-3.1-8b",
          .machines = std::move(machines),
          .load = serves ? "5 request/s" : "20e9 token in 30 d",
          .place = "us-iowa, 3 MW",
          .name = ""};
}

TEST(Init, EveryWorkOnEveryKindOfMachineReadsWithoutAMistake) {
  for (const auto* work : {"serve", "train", "finetune", "rag"}) {
    for (const auto* machines :
         {"4 x dgx-h100", "1 gb200-nvl72", "12 x l40s-8", "100 hgx-b200-liquid", "3 x mi355x-8"}) {
      const auto text = scenario_from(answers(work, machines));
      ASSERT_TRUE(text) << work << machines << render(text.error());
      const TemporaryFile file(*text);
      const auto verdict = checked(file.path);
      ASSERT_TRUE(verdict) << *text << render(verdict.error());
      // What was asked is answered: limits of the work, of the racks' cooling and of the grid.
      for (const auto* layer : {"cluster", "cooling", "power"})
        EXPECT_TRUE(std::any_of(verdict->margins.begin(), verdict->margins.end(),
                                [&](const Margin& m) { return m.id.starts_with(layer); }))
            << layer << "\n"
            << *text;
    }
  }
}

TEST(Init, MachinesFillRacksAndCoolingFollowsTheirHeat) {
  const auto air = scenario_from(answers("serve", "16 x dgx-h100"));
  ASSERT_TRUE(air);
  EXPECT_NE(air->find("per_rack: 4"), std::string::npos) << *air;
  EXPECT_NE(air->find("racks: 5,"), std::string::npos) << *air;  // four full, one for the network
  EXPECT_NE(air->find("rear-door"), std::string::npos) << *air;
  const auto rack = scenario_from(answers("train", "8 x gb200-nvl72"));
  ASSERT_TRUE(rack);
  EXPECT_NE(rack->find("per_rack: 1"), std::string::npos);
  EXPECT_NE(rack->find("cold-plate"), std::string::npos);
}

TEST(Init, EveryMistakeInOnePass) {
  const auto text = scenario_from({.work = "serv",
                                   .model = "llama-3.1-70",
                                   .machines = "some dgx-h100",
                                   .load = "20 kW",
                                   .place = "us-iowaa, 3 request/s",
                                   .name = ""});
  ASSERT_FALSE(text);
  const auto all = render(text.error());
  EXPECT_EQ(text.error().count(), 6u) << all;
  for (const auto* said :
       {"'serve'", "llama-3.1-70b", "4 x dgx-h100", "20 request/s", "us-iowa'", "a power"})
    EXPECT_NE(all.find(said), std::string::npos) << said << "\n" << all;
}

TEST(Init, ANameMayHoldAnything) {
  auto a = answers("serve", "1 x dgx-h100");
  a.name = "The \"big\" one: {a, b} # \\ é";
  const auto text = scenario_from(a);
  ASSERT_TRUE(text);
  const TemporaryFile file(*text);
  const auto verdict = checked(file.path);
  ASSERT_TRUE(verdict) << render(verdict.error());
  EXPECT_EQ(verdict->scenario, a.name);
}

TEST(Init, TemplatesAreThePublishedScenarios) {
  ASSERT_GE(templates().size(), 7u);
  for (const auto& t : templates()) {
    std::ifstream file(std::string(HEADROOM_SOURCE_DIR) + "/scenarios/" + std::string(t.name) +
                       ".yaml");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), t.text) << t.name;
  }
  EXPECT_TRUE(template_text("campus-100k"));
  const auto wrong = template_text("campus-10k");
  ASSERT_FALSE(wrong);
  EXPECT_NE(render(wrong.error()).find("campus-100k"), std::string::npos);
}

}  // namespace
}  // namespace headroom::api
