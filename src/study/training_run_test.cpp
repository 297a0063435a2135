// One training job asked whole: sums, conservation, agreement with `check`.
#include "study/training_run.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "study/check.hpp"

namespace headroom::study {
namespace {

const catalog::Catalog& all() { return catalog::Catalog::builtin(); }

Loaded scenario(const std::string& job, const std::string& more = "",
                const std::string& system = "dgx-h100") {
  Diagnostics mistakes;
  const auto document = spec::parse_yaml("test.yaml",
                                         "name: test\nclusters: [{name: gpu, system: " + system +
                                             ", count: 32}]\n"
                                             "workloads:\n  - {name: tune, kind: train, on: gpu, " +
                                             job + "}\nmoney: {horizon: 4 yr}\n" + more,
                                         mistakes);
  EXPECT_TRUE(document) << render(mistakes);
  auto loaded = read_scenario(*document, {}, all());
  EXPECT_TRUE(loaded) << render(loaded.error());
  return std::move(*loaded);
}

const char* usual = "model: llama-3.1-70b, tokens: 1e12 token, global_batch: 8388608 token";

TrainingAnswer planned(const Loaded& loaded, const TrainingOptions& options = {}) {
  auto answer = plan_training(loaded, all(), options);
  EXPECT_TRUE(answer) << render(answer.error());
  return std::move(*answer);
}

double of(const Section& section, const char* key) {
  for (const auto& line : section.lines)
    if (line.key == key) return line.si;
  ADD_FAILURE() << section.key << " has no " << key;
  return NAN;
}

TEST(TrainingRun, StepSumsAndOnlyCommunicationHides) {
  const auto answer = planned(scenario(usual));
  const auto& run = answer.runs.at(0);
  double sum = 0;
  for (const auto& part : run.step) {
    sum += part.seconds;
    EXPECT_GE(part.hidden, 0) << part.name;
    if (part.name == "matrix products" || part.name == "pipeline bubble") {
      EXPECT_EQ(part.hidden, 0) << part.name;
    }
  }
  EXPECT_NEAR(sum, of(run.speed, "step_time"), 1e-9 * sum);
  double items = 0;
  for (const auto& item : run.memory) items += item.bytes;
  EXPECT_NEAR(items, run.memory_total, 1);
  EXPECT_LE(run.memory_allocated, run.memory_reserved);
  EXPECT_LE(run.memory_reserved, run.memory_total);
}

TEST(TrainingRun, PlansAreDistinctAndBestFirst) {
  TrainingOptions options;
  options.keep = 8;
  const auto answer = planned(scenario(usual), options);
  const auto& plans = answer.runs.at(0).plans;
  ASSERT_EQ(plans.size(), 8u);
  for (std::size_t i = 1; i < plans.size(); ++i) {
    EXPECT_GE(plans[i - 1].tokens_per_s, plans[i].tokens_per_s);
    EXPECT_NE(plans[i - 1].dims, plans[i].dims);
  }
}

TEST(TrainingRun, MoneyDaysAndEnergyFollowFromTheRate) {
  TrainingOptions options;
  options.price = {MoneyRate::from_si(2.0 / 3600), assumed("test")};
  const auto answer = planned(scenario(usual, "site: {region: us-iowa}\n"), options);
  const auto& run = answer.runs.at(0);
  const double goodput = of(run.reliability, "goodput");
  EXPECT_GT(goodput, 0.5);
  EXPECT_LE(goodput, 1);
  const double seconds = 1e12 / (of(run.speed, "token_rate") * goodput);
  EXPECT_NEAR(of(run.run, "duration"), seconds, 1e-6 * seconds);
  EXPECT_NEAR(of(run.run, "gpu_hours"), 256 * seconds / 3600, 1);
  EXPECT_NEAR(of(run.money, "run"), 2 * of(run.run, "gpu_hours"), 1);
  EXPECT_EQ(run.price_origin, "--price");
  EXPECT_NEAR(run.plans[0].usd_per_token * 1e12, of(run.money, "run"), 1e-6 * of(run.money, "run"));
  EXPECT_NEAR(run.plans[0].days, seconds / 86400, 1e-6 * run.plans[0].days);
  // Energy of the run = power x its time, carbon = energy x intensity.
  EXPECT_NEAR(of(run.energy, "run"), of(run.energy, "power") * seconds,
              1e-6 * of(run.energy, "run"));
  EXPECT_NEAR(of(run.energy, "carbon"), of(run.energy, "run") * of(run.energy, "intensity"),
              1e-6 * of(run.energy, "carbon"));
  EXPECT_NEAR(of(run.energy, "token") * of(run.speed, "global_batch"), of(run.energy, "step"),
              1e-6 * of(run.energy, "step"));
}

TEST(TrainingRun, AgreesWithCheck) {
  const auto loaded = scenario(usual);
  const auto verdict = check(loaded, all());
  const auto answer = planned(loaded);
  const auto node = verdict.trace.find("train.tune.step-time");
  ASSERT_NE(node, no_node);
  EXPECT_EQ(of(answer.runs.at(0).speed, "step_time"), verdict.trace.at(node).si);
}

TEST(TrainingRun, IntervalsHoldTheLikelyFigure) {
  const auto answer = planned(scenario(usual));
  const auto& run = answer.runs.at(0);
  ASSERT_EQ(run.intervals.size(), 3u);
  for (const auto& i : run.intervals) {
    EXPECT_LT(i.low, i.likely) << i.key;
    EXPECT_LT(i.likely, i.high) << i.key;
  }
  // The user's own efficiency is a point: nothing is left to guess.
  const auto fixed = planned(scenario(std::string(usual) + ", efficiency: {software: 0.9}"));
  EXPECT_TRUE(fixed.runs.at(0).intervals.empty());
}

const ChangeRow* change(const TrainingRun& run, const std::string& key) {
  for (const auto& c : run.changes)
    if (c.key.rfind(key, 0) == 0) return &c;
  return nullptr;
}

TEST(TrainingRun, ChangesNameANewerGpuAndAreWorthwhile) {
  const auto answer = planned(scenario(usual));
  const auto& run = answer.runs.at(0);
  EXPECT_GT(run.tried, 8);
  EXPECT_NE(change(run, "system."), nullptr);
  for (const auto& c : run.changes) EXPECT_GT(c.gain, 0.01) << c.key;
  TrainingOptions quiet;
  quiet.advice = false;
  EXPECT_EQ(planned(scenario(usual), quiet).runs.at(0).tried, 0);
}

TEST(TrainingRun, ACheckpointTooSeldomIsToldSo) {
  const auto answer = planned(scenario(std::string(usual) + ", checkpoint: {interval: 24 h}", ""));
  const auto* interval = change(answer.runs.at(0), "checkpoint.interval");
  ASSERT_NE(interval, nullptr);
  EXPECT_GT(interval->gain, 0.01);
}

TEST(TrainingRun, OutsideTheValidatedDomainIsSaid) {
  const auto answer = planned(scenario("model: llama-3.1-8b, tokens: 1e12 token", "", "mi300x-8"));
  EXPECT_FALSE(answer.runs.at(0).in_domain);
  EXPECT_FALSE(answer.runs.at(0).outside.empty());
}

TEST(TrainingRun, FlagsOfAllProgramsWhenAsked) {
  TrainingOptions options;
  options.launchers = {"megatron", "torchtitan", "deepspeed"};
  const auto answer = planned(scenario(usual), options);
  ASSERT_EQ(answer.runs.at(0).flags.size(), 3u);
  for (const auto& f : answer.runs.at(0).flags) EXPECT_FALSE(f.text.empty()) << f.launcher;
}

TEST(TrainingRun, AllMistakesOfTheOptionsAtOnce) {
  TrainingOptions options;
  options.workload = "tun";
  options.objective = "best";
  options.launchers = {"nemo"};
  const auto answer = plan_training(scenario(usual), all(), options);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().count(), 3u);
}

TEST(TrainingRun, AnImpossiblePlanIsALimitOrAMistake) {
  const auto loaded = scenario(std::string(usual) + ", plan: {tp: 7}");
  const auto lenient = planned(loaded);
  EXPECT_FALSE(lenient.runs.at(0).laid_out);
  EXPECT_FALSE(lenient.fits());
  TrainingOptions strict;
  strict.strict = true;
  EXPECT_FALSE(plan_training(loaded, all(), strict));
}

}  // namespace
}  // namespace headroom::study
