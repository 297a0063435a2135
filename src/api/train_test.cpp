// `headroom train` through the facade: options become a scenario, mistakes are told by option.
#include "api/train.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

namespace headroom::api {
namespace {

using Options = std::vector<TrainOption>;

TrainRequest request(Options options) {
  TrainRequest r;
  r.options = std::move(options);
  return r;
}

study::TrainingAnswer planned(const TrainRequest& r) {
  auto answer = train(r);
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::TrainingAnswer{};
}

std::string dim(const study::PlanRow& row, const char* key) {
  for (const auto& [k, value] : row.dims)
    if (k == key) return value;
  return "";
}

TEST(Train, AllDimensionsEvaluateOnePlan) {
  auto r = request({{"--model", "llama-3.1-405b"},
                    {"--system", "dgx-h100"},
                    {"--gpus", "16384"},
                    {"--tp", "8"},
                    {"--pp", "16"},
                    {"--vpp", "8"},
                    {"--cp", "1"},
                    {"--dp", "128"},
                    {"--micro-batch", "1"},
                    {"--recompute", "selective"},
                    {"--zero", "1"},
                    {"--global-batch", "2048"}});
  r.answer.advice = false;
  const auto answer = planned(r);
  ASSERT_EQ(answer.runs.size(), 1u);
  ASSERT_EQ(answer.runs[0].plans.size(), 1u);
  const auto& plan = answer.runs[0].plans[0];
  EXPECT_EQ(dim(plan, "tp"), "8");
  EXPECT_EQ(dim(plan, "micro_batches"), "16");
  EXPECT_EQ(plan.gpus, 16384);
}

TEST(Train, BatchInSequencesAndInTokensAgree) {
  Options base = {{"--model", "llama-3.1-8b"}, {"--system", "dgx-h100"}, {"--gpus", "64"}};
  auto sequences = base, tokens = base, other = base;
  sequences.push_back({"--global-batch", "256"});
  tokens.push_back({"--global-batch", "2097152 token"});  // of 8,192 each, the default
  other.push_back({"--global-batch", "256 sequences"});
  other.push_back({"--sequence", "8192"});
  const auto a = planned(request(sequences)), b = planned(request(tokens)),
             c = planned(request(other));
  EXPECT_EQ(a.runs[0].plans[0].summary, b.runs[0].plans[0].summary);
  EXPECT_EQ(a.runs[0].plans[0].step_s, b.runs[0].plans[0].step_s);
  EXPECT_EQ(a.runs[0].plans[0].step_s, c.runs[0].plans[0].step_s);
}

TEST(Train, AMachineOfOptionsIsNearThatOfTheCatalogue) {
  const Options job = {{"--model", "llama-3.1-70b"}, {"--gpus", "512"}, {"--global-batch", "1024"}};
  auto system = job, gpu = job;
  system.push_back({"--system", "dgx-h100"});
  gpu.insert(gpu.end(), {{"--gpu", "h100-sxm"}, {"--domain", "8"}, {"--nic", "400"}});
  const auto a = planned(request(system)), b = planned(request(gpu));
  EXPECT_NEAR(a.runs[0].plans[0].step_s / b.runs[0].plans[0].step_s, 1, 0.03);
  gpu.back().value = "25";
  EXPECT_GT(planned(request(gpu)).runs[0].plans[0].step_s, b.runs[0].plans[0].step_s);
}

TEST(Train, FewerGpusThanAServerArePossible) {
  const auto answer = planned(request({{"--model", "llama-3.2-1b"},
                                       {"--system", "dgx-h100"},
                                       {"--gpus", "2"},
                                       {"--tokens", "1e9"}}));
  EXPECT_EQ(answer.runs[0].plans[0].gpus, 2);
}

TEST(Train, SetsReachTheScenarioOfTheOptions) {
  auto r = request({{"--model", "llama-3.1-8b"}, {"--system", "dgx-h100"}, {"--gpus", "64"}});
  const auto before = planned(r);
  r.sets = {"workloads.run.efficiency.software=0.5", "clusters.gpus.restart=1 h"};
  const auto after = planned(r);
  EXPECT_GT(after.runs[0].plans[0].step_s, before.runs[0].plans[0].step_s);
}

TEST(Train, AnyHuggingFaceConfigIsAModel) {
  const std::string file = testing::TempDir() + "/train_test_config.json";
  std::ofstream(file) << R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 8192, "tie_word_embeddings": false})";
  const Options job = {{"--system", "dgx-h100"}, {"--gpus", "64"}, {"--global-batch", "256"}};
  auto own = job, catalogue = job;
  own.push_back({"--hf", file});
  catalogue.push_back({"--model", "llama-3.1-8b"});  // the same shape
  EXPECT_EQ(planned(request(own)).runs[0].plans[0].step_s,
            planned(request(catalogue)).runs[0].plans[0].step_s);
}

TEST(Train, RanksAndPipelineWhenAsked) {
  auto r = request({{"--model", "llama-3.1-8b"},
                    {"--system", "dgx-h100"},
                    {"--gpus", "64"},
                    {"--pp", "4"},
                    {"--global-batch", "128"}});
  r.answer.ranks = r.answer.pipeline = r.answer.pipeline_json = r.answer.trace = true;
  const auto run = planned(r).runs.at(0);
  ASSERT_EQ(run.ranks.size(), 4u);
  int layers = 0;
  double worst = 0;
  for (const auto& rank : run.ranks) {
    layers += rank.layers, worst = std::max(worst, rank.total);
    EXPECT_NEAR(rank.weights + rank.state + rank.activations + rank.other, rank.total, 1);
  }
  EXPECT_EQ(layers, 32);
  EXPECT_NEAR(worst, run.memory_total, 1);  // the table shows the worst rank
  EXPECT_NE(run.pipeline.find("4 ranks"), std::string::npos) << run.pipeline;
  EXPECT_EQ(nlohmann::json::parse(run.pipeline_json)["ranks"].size(), 4u);
  EXPECT_TRUE(nlohmann::json::accept(run.trace));
}

TEST(Train, TheLargestRunIsInteractive) {
  const auto r = request({{"--model", "llama-3.1-405b"},
                          {"--system", "dgx-h100"},
                          {"--gpus", "16384"},
                          {"--region", "us-iowa"}});
  const auto before = std::clock();  // of the processor: a busy machine fails nothing
  planned(r);
  EXPECT_LT(double(std::clock() - before) / CLOCKS_PER_SEC, 2);
}

TEST(Train, ReinforcementLearningIsAMethod) {
  auto r = request({{"--method", "rl"},
                    {"--model", "llama-3.1-8b"},
                    {"--system", "dgx-h100"},
                    {"--gpus", "64"},
                    {"--price", "2"}});
  const auto run = planned(r).runs.at(0);
  ASSERT_EQ(run.rl.size(), 2u);
  EXPECT_NEAR(run.rl_usd, 2 * run.rl[0].gpu_hours(), 1e-6 * run.rl_usd);
  EXPECT_FALSE(run.in_domain);
  const auto json = nlohmann::json::parse(report::train_json(planned(r)));
  EXPECT_EQ(json["runs"][0]["reinforcement_learning"].size(), 2u);
}

// --- Mistakes ---------------------------------------------------------------------------

Diagnostics mistakes(Options options) {
  const auto answer = train(request(std::move(options)));
  EXPECT_FALSE(answer);
  return answer ? Diagnostics{} : answer.error();
}

bool told(const Diagnostics& all, const std::string& where, const std::string& what) {
  return std::any_of(all.all().begin(), all.all().end(), [&](const Diagnostic& d) {
    return d.file.rfind(where, 0) == 0 && (d.message + d.hint).find(what) != std::string::npos;
  });
}

TEST(TrainMistakes, NothingGivenAsksForAllThree) {
  const auto all = mistakes({});
  EXPECT_EQ(all.count(), 3u);
  EXPECT_TRUE(told(all, "--model", "--hf"));
  EXPECT_TRUE(told(all, "--system", "dgx-h100"));
  EXPECT_TRUE(told(all, "--gpus", "1024"));
}

TEST(TrainMistakes, AllInOnePassByOptionWithSuggestions) {
  const auto all = mistakes({{"--model", "llama-3.1-404b"},
                             {"--system", "dgx-h10"},
                             {"--gpus", "12.5"},
                             {"--tp", "x"},
                             {"--precision", "fp9"},
                             {"--region", "us-iwa"},
                             {"--sequence", "8 GB"},
                             {"--global-batch", "7.5"},
                             {"--price", "-3"}});
  EXPECT_EQ(all.count(), 9u) << render(all);
  EXPECT_TRUE(told(all, "--model llama-3.1-404b", "llama-3.1-405b"));
  EXPECT_TRUE(told(all, "--system dgx-h10", "dgx-h100"));
  EXPECT_TRUE(told(all, "--region us-iwa", "us-iowa"));
  EXPECT_TRUE(told(all, "--tp x", "whole number"));
}

TEST(TrainMistakes, Contradictions) {
  const auto all = mistakes({{"--model", "llama-3.1-8b"},
                             {"--hf", "missing.json"},
                             {"--system", "dgx-h100"},
                             {"--gpu", "h100-sxm"},
                             {"--gpus", "64"}});
  EXPECT_TRUE(told(all, "--hf", "contradicts --model"));
  EXPECT_TRUE(told(all, "--gpu", "contradicts --system"));
  EXPECT_TRUE(told(mistakes({{"--model", "llama-3.1-8b"},
                             {"--system", "dgx-h100"},
                             {"--gpus", "64"},
                             {"--nic", "400"}}),
                   "--nic 400", "--gpu"));
}

TEST(TrainMistakes, ReinforcementLearningNeedsItsMethod) {
  EXPECT_TRUE(told(mistakes({{"--model", "llama-3.1-8b"},
                             {"--system", "dgx-h100"},
                             {"--gpus", "64"},
                             {"--samples", "8"}}),
                   "--samples 8", "--method rl"));
}

TEST(TrainMistakes, ImpossibleSplitsNameTheNearest) {
  const Options base = {
      {"--model", "llama-3.1-405b"}, {"--system", "dgx-h100"}, {"--gpus", "1024"}};
  auto product = base, heads = base;
  product.insert(product.end(), {{"--tp", "8"}, {"--pp", "16"}, {"--dp", "9"}});
  heads.push_back({"--tp", "3"});
  EXPECT_TRUE(told(mistakes(product), "the plan", "--dp 8"));
  EXPECT_TRUE(told(mistakes(heads), "the plan", "128 heads"));
}

// The scenario's limits are asked of the machine that stands in for its own.
TEST(TrainScenario, ItsMachineCanBeReplaced) {
  TrainRequest r;
  r.file = HEADROOM_SOURCE_DIR "/scenarios/llama3-405b.yaml";
  r.answer.advice = false;
  const auto before = planned(r);
  r.options = {{"--system", "dgx-b200"}};
  const auto after = planned(r);
  EXPECT_GT(after.runs[0].plans[0].tokens_per_s, 1.5 * before.runs[0].plans[0].tokens_per_s);
  EXPECT_GT(after.runs[0].memory_have, 2 * before.runs[0].memory_have);
  r.options = {{"--gpu", "h200-sxm"}, {"--nic", "400"}};
  EXPECT_GT(planned(r).runs[0].memory_have, 1.5 * before.runs[0].memory_have);
}

TEST(TrainScenario, MistakesAreToldWithTheOption) {
  TrainRequest r;
  r.file = HEADROOM_SOURCE_DIR "/scenarios/llama3-405b.yaml";
  r.options = {{"--system", "dgx-h10"}, {"--tp", "x"}, {"--nic", "400"}};
  const auto answer = train(r);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().count(), 3u) << render(answer.error());
  EXPECT_TRUE(told(answer.error(), "--system dgx-h10", "dgx-h100"));
  EXPECT_TRUE(told(answer.error(), "--tp x", "whole number"));
  EXPECT_TRUE(told(answer.error(), "--nic 400", "--gpu"));
}

TEST(TrainScenario, OptionsChangeItsTrainingWork) {
  TrainRequest r;
  r.file = HEADROOM_SOURCE_DIR "/scenarios/llama3-405b.yaml";
  r.answer.advice = false;
  const auto before = planned(r);
  r.options = {{"--precision", "fp8"}};
  const auto after = planned(r);
  EXPECT_GT(after.runs[0].plans[0].tokens_per_s, before.runs[0].plans[0].tokens_per_s);
}

// --- Forms ------------------------------------------------------------------------------

TEST(TrainForms, JsonHasItsKeysAndTheStepSums) {
  auto r = request({{"--model", "llama-3.1-70b"}, {"--system", "dgx-h100"}, {"--gpus", "256"}});
  r.answer.launchers = {"megatron"};
  const auto json = nlohmann::json::parse(report::train_json(planned(r)));
  const auto& run = json["runs"][0];
  for (const char* key :
       {"workload", "fits", "job", "evaluated", "plans", "step", "memory", "speed", "run",
        "reliability", "energy", "money", "price_origin", "interval80", "validated_domain",
        "changes", "flags", "limits", "remarks"})
    EXPECT_TRUE(run.contains(key)) << key;
  double sum = 0;
  for (const auto& part : run["step"]["parts"]) sum += part["exposed_s"].get<double>();
  EXPECT_NEAR(sum, run["step"]["total_s"].get<double>(), 1e-9);
  EXPECT_NEAR(sum, run["plans"][0]["step_time"]["value"].get<double>(), 1e-9);
}

TEST(TrainForms, CsvHasARowAPlanOfAsManyFields) {
  auto r = request({{"--model", "llama-3.1-70b"}, {"--system", "dgx-h100"}, {"--gpus", "256"}});
  r.answer.keep = 4;
  const std::string csv = report::train_csv(planned(r));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  std::vector<long> commas;
  for (std::size_t at = 0; at < csv.size();) {
    const auto end = csv.find('\n', at);
    commas.push_back(std::count(csv.begin() + long(at), csv.begin() + long(end), ','));
    at = end + 1;
  }
  for (const long n : commas) EXPECT_EQ(n, commas.front());
}

TEST(TrainForms, EveryOptionHasADescriptionAndAGroup) {
  for (const auto& option : train_options()) {
    EXPECT_EQ(option.name.rfind("--", 0), 0u) << option.name;
    EXPECT_FALSE(option.doc.empty()) << option.name;
    EXPECT_FALSE(option.group.empty()) << option.name;
  }
}

}  // namespace
}  // namespace headroom::api
