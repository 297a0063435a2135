// Results of load generators, and the calibration that is fitted to them.
#include "validation/infer_results.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "validation/infer_calibrate.hpp"

namespace headroom::validation {
namespace {

constexpr const char* vllm = R"({"date": "20261101-120000", "backend": "vllm",
  "model_id": "meta-llama/Llama-3.1-8B-Instruct", "num_prompts": 160, "request_rate": "inf",
  "max_concurrency": 16, "duration": 40.0, "completed": 160, "total_input_tokens": 163840,
  "total_output_tokens": 40960, "request_throughput": 4.0, "output_throughput": 1024.0,
  "mean_ttft_ms": 80.0, "median_ttft_ms": 70.0, "p99_ttft_ms": 300.0, "mean_tpot_ms": 12.5,
  "median_tpot_ms": 12.4, "p99_tpot_ms": 14.0, "mean_itl_ms": 12.5})";

TEST(InferResults, VllmBenchServe) {
  const auto r = parse_results("a.json", vllm);
  ASSERT_TRUE(r) << render(r.error());
  EXPECT_EQ(r->format, ResultFormat::vllm);
  ASSERT_EQ(r->points.size(), 1u);
  const auto& p = r->points[0];
  EXPECT_EQ(p.concurrency, 16);
  EXPECT_TRUE(p.closed);
  EXPECT_EQ(p.input, 1024);
  EXPECT_EQ(p.output, 256);
  EXPECT_NEAR(p.times.at("tpot_p50"), 12.4e-3, 1e-12);
  EXPECT_NEAR(p.times.at("ttft_p99"), 0.3, 1e-12);
}

TEST(InferResults, SeveralObjectsALine) {
  std::string one(vllm);
  for (auto& c : one)
    if (c == '\n') c = ' ';
  const auto r = parse_results("a.json", one + "\n" + one + "\n");
  ASSERT_TRUE(r) << render(r.error());
  ASSERT_EQ(r->points.size(), 2u);
  EXPECT_EQ(r->points[1].name, "a.json#2");
}

TEST(InferResults, OpenLoopsGetTheirUsersFromLittlesLaw) {
  std::string open(vllm);
  open.replace(open.find("\"inf\""), 5, "4.0");
  open.replace(open.find("\"max_concurrency\": 16"), 21, "\"max_concurrency\": null");
  const auto r = parse_results("a.json", open);
  ASSERT_TRUE(r);
  ASSERT_EQ(r->points.size(), 1u);
  EXPECT_NEAR(r->points[0].concurrency, 4.0 * (0.08 + 255 * 0.0125), 1e-9);
  EXPECT_FALSE(r->points[0].closed);
}

TEST(InferResults, GuideLlm) {
  const auto r = parse_results("b.json", R"({"args": {"model": "Qwen/Qwen3-32B"}, "benchmarks": [
    {"config": {"strategy": {"type_": "concurrent", "streams": 8}},
     "metrics": {
      "request_concurrency": {"successful": {"mean": 7.9}},
      "prompt_token_count": {"successful": {"mean": 1000}},
      "output_token_count": {"successful": {"mean": 200}},
      "output_tokens_per_second": {"successful": {"mean": 400}},
      "time_to_first_token_ms": {"successful": {"mean": 90, "median": 80,
        "percentiles": {"p50": 80, "p99": 200}}},
      "inter_token_latency_ms": {"successful": {"mean": 18, "median": 17.9}},
      "request_latency": {"successful": {"mean": 3.7}}}},
    {"config": {"strategy": {"type_": "constant", "rate": 2.0}},
     "metrics": {"prompt_token_count": {"successful": {"mean": 1000}}}}]})");
  ASSERT_TRUE(r) << render(r.error());
  EXPECT_EQ(r->format, ResultFormat::guidellm);
  ASSERT_EQ(r->points.size(), 1u);
  EXPECT_EQ(r->points[0].model, "Qwen/Qwen3-32B");
  EXPECT_EQ(r->points[0].concurrency, 8);
  EXPECT_NEAR(r->points[0].times.at("tpot_mean"), 0.018, 1e-12);
  EXPECT_NEAR(r->points[0].times.at("e2e_mean"), 3.7, 1e-12);
  ASSERT_EQ(r->left_out.size(), 1u);
}

TEST(InferResults, AiPerf) {
  const auto r = parse_results("c.json", R"({
    "request_count": {"unit": "requests", "avg": 80},
    "time_to_first_token": {"unit": "ms", "avg": 120.0, "p50": 110.0, "p99": 400.0},
    "inter_token_latency": {"unit": "ms", "avg": 9.5, "p50": 9.4, "p99": 11},
    "request_latency": {"unit": "ms", "avg": 2500},
    "input_sequence_length": {"unit": "tokens", "avg": 512},
    "output_sequence_length": {"unit": "tokens", "avg": 250},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 800},
    "input_config": {"endpoint": {"model_names": ["openai/gpt-oss-120b"]},
                     "loadgen": {"concurrency": 8}}})");
  ASSERT_TRUE(r) << render(r.error());
  EXPECT_EQ(r->format, ResultFormat::aiperf);
  ASSERT_EQ(r->points.size(), 1u);
  EXPECT_EQ(r->points[0].model, "openai/gpt-oss-120b");
  EXPECT_NEAR(r->points[0].times.at("tpot_mean"), 9.5e-3, 1e-12);
  EXPECT_EQ(r->points[0].concurrency, 8);
}

TEST(InferResults, WhatIsNoResultIsAMistake) {
  EXPECT_FALSE(parse_results("x", ""));
  EXPECT_FALSE(parse_results("x", "not json"));
  EXPECT_FALSE(parse_results("x", "{\"a\": 1}"));
  EXPECT_FALSE(parse_results("x", "[1, 2]"));
  EXPECT_FALSE(read_results("/nonexistent/r.json"));
  const auto empty = parse_results("x", "{\"benchmarks\": [{}, 7, null]}");
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->points.empty());
  EXPECT_EQ(empty->left_out.size(), 3u);
}

// --- Calibration -------------------------------------------------------------------------------

class CalibrateInfer : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / "headroom_calibrate_infer";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    options.job.set("gpu", "h100-sxm"), options.job.set("precision", "bf16");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// A run of so many users whose tokens take so long.
  void add(int users, double tpot_ms) {
    const auto path = folder / ("c" + std::to_string(users) + ".json");
    std::ofstream(path) << "{\"model_id\": \"meta-llama/Llama-3.1-8B-Instruct\", "
                           "\"max_concurrency\": "
                        << users << ", \"completed\": 100, \"total_input_tokens\": 102400, "
                        << "\"total_output_tokens\": 25600, \"mean_ttft_ms\": 50, "
                        << "\"mean_tpot_ms\": " << tpot_ms << "}";
    options.files.push_back(path.string());
  }
  std::filesystem::path folder;
  CalibrateInferOptions options;
};

/// What the uncalibrated model says of the runs.
std::vector<double> raw_ms(const CalibrateInferOptions& o) {
  std::vector<double> out;
  const auto fit = calibrate_infer(o, catalog::Catalog::builtin());
  EXPECT_TRUE(fit) << (fit ? "" : render(fit.error()));
  if (fit)
    for (const auto& p : fit->points) out.push_back(p.raw_s * 1e3);
  return out;
}

TEST_F(CalibrateInfer, AMachineThatIsSlowerByOneFactorIsFound) {
  for (const int users : {1, 4, 16, 64}) add(users, 10);
  const auto raw = raw_ms(options);
  ASSERT_EQ(raw.size(), 4u);
  options.files.clear();
  const int users[] = {1, 4, 16, 64};
  for (int i = 0; i < 4; ++i) add(users[i], 1.2 * raw[std::size_t(i)]);
  const auto fit = calibrate_infer(options, catalog::Catalog::builtin());
  ASSERT_TRUE(fit) << render(fit.error());
  EXPECT_NEAR(fit->uncalibrated, 1 - 1 / 1.2, 1e-3);
  EXPECT_LT(fit->in_domain, 0.02);
  EXPECT_LT(fit->leave_one_out, 0.06);
  EXPECT_GT(fit->products, 1.02);
  EXPECT_LE(fit->low, fit->likely);
  EXPECT_LE(fit->likely, fit->high);
}

TEST_F(CalibrateInfer, TheOverlayGivesTheFittedTimesBack) {
  for (const int users : {1, 4, 16, 64}) add(users, 12.0 + 0.1 * users);
  const auto fit = calibrate_infer(options, catalog::Catalog::builtin());
  ASSERT_TRUE(fit) << render(fit.error());
  const auto overlay = folder / "catalog" / "serving-software";
  std::filesystem::create_directories(overlay);
  std::ofstream(overlay / "site.yaml") << fit->entry;
  Diagnostics mistakes;
  const auto catalog = catalog::Catalog::with_overlay((folder / "catalog").string(), mistakes);
  ASSERT_TRUE(mistakes.empty()) << render(mistakes) << fit->entry;
  const auto* software = catalog->find<catalog::ServingSoftware>(fit->software);
  ASSERT_NE(software, nullptr);
  const auto* c = software->calibration(fit->model, fit->accelerator, fit->precision);
  ASSERT_NE(c, nullptr);
  EXPECT_NEAR(c->products.get().si(), fit->products, 1e-3 * fit->products);
  EXPECT_NEAR(c->links.get().si(), fit->links, 1e-3 * fit->links);
  EXPECT_NEAR(c->per_prompt.get().si(), std::max(0.0, fit->per_prompt_s), 1e-6);
  EXPECT_EQ(c->rows, 4);
  // Every other calibration of the entry is still there.
  const auto* shipped = catalog::Catalog::builtin().find<catalog::ServingSoftware>(fit->software);
  EXPECT_GE(software->calibrations.size(), shipped->calibrations.size());
  EXPECT_EQ(software->kernels.size(), shipped->kernels.size());
  EXPECT_EQ(software->matches, shipped->matches);
}

TEST_F(CalibrateInfer, MistakesNameFileAndOption) {
  add(4, 10);
  options.job.set("gpu", "Voodoo 3");
  const auto wrong = calibrate_infer(options, catalog::Catalog::builtin());
  ASSERT_FALSE(wrong);
  EXPECT_NE(render(wrong.error()).find("Voodoo"), std::string::npos);
  options.files = {options.files[0] + "@colour=red"};
  EXPECT_FALSE(calibrate_infer(options, catalog::Catalog::builtin()));
  options.files = {"/nonexistent/a.json", "/nonexistent/b.json"};
  const auto both = calibrate_infer(options, catalog::Catalog::builtin());
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().count(), 2u);
}

TEST_F(CalibrateInfer, OneGroupAtATime) {
  add(4, 10), add(8, 11);
  options.files[1] += "@precision=fp8";
  EXPECT_FALSE(calibrate_infer(options, catalog::Catalog::builtin()));
}

}  // namespace
}  // namespace headroom::validation
