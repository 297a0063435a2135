// The traces under ../shared/data/infer, where they are at hand: the figures of the README there.
#include <gtest/gtest.h>

#include <filesystem>

#include "requests/reader.hpp"
#include "requests/stats.hpp"

namespace headroom::requests {
namespace {

std::string traces() { return HEADROOM_SOURCE_DIR "/../shared/data/infer/traces/"; }

class Traces : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(traces())) GTEST_SKIP() << "no traces at " << traces();
  }
  static Stream load(const std::string& name, const ReadOptions& options = {}) {
    auto s = read(traces() + name, options);
    EXPECT_TRUE(s) << (s ? "" : render(s.error()));
    return s ? std::move(*s) : Stream{};
  }
};

TEST_F(Traces, AzureConversation) {
  const auto s = stats(load("AzureLLMInferenceTrace_conv.csv.gz"));
  EXPECT_EQ(s.requests, 19366u);
  EXPECT_NEAR(s.input.mean, 1154.7, 0.05);
  EXPECT_EQ(s.input.p50, 1020);
  EXPECT_NEAR(s.input.p99, 4142, 0.5);
  EXPECT_NEAR(s.output.mean, 211.1, 0.05);
  EXPECT_EQ(s.output.p50, 129);
  EXPECT_NEAR(s.output.p99, 601, 0.5);
  EXPECT_NEAR(s.rate_per_s, 5.530, 5e-4);
  EXPECT_NEAR(s.span_s, 3501.7, 0.05);
  EXPECT_NEAR(s.peak_minute, 8.45, 0.005);
  EXPECT_NEAR(s.burstiness, 1.094, 5e-4);
  EXPECT_NEAR(s.correlation, -0.112, 5e-4);
  EXPECT_EQ(s.reused_tokens, 0);
}

TEST_F(Traces, VidurIsTheSameTraceRebased) {
  const auto azure = load("AzureLLMInferenceTrace_conv.csv.gz");
  const auto vidur = load("vidur_splitwise_conv.csv.gz");
  ASSERT_EQ(azure.requests.size(), vidur.requests.size());
  for (std::size_t i = 0; i < azure.requests.size(); ++i) {
    // Vidur's file keeps microseconds.
    ASSERT_NEAR(azure.requests[i].arrival_s, vidur.requests[i].arrival_s, 1e-6);
    ASSERT_EQ(azure.requests[i].prompt, vidur.requests[i].prompt);
    ASSERT_EQ(azure.requests[i].output, vidur.requests[i].output);
  }
}

TEST_F(Traces, MooncakeSynthetic) {
  const auto s = stats(load("mooncake_synthetic_trace.jsonl.gz"));
  EXPECT_EQ(s.requests, 3993u);
  EXPECT_NEAR(s.input.mean, 15325, 0.5);
  EXPECT_EQ(s.input.p50, 11587);
  EXPECT_NEAR(s.input.p99, 66456, 0.5);
  EXPECT_NEAR(s.output.mean, 149.1, 0.05);
  EXPECT_NEAR(s.output.p99, 768, 0.5);
  EXPECT_NEAR(s.reused_blocks, 0.640, 5e-4);
  EXPECT_NEAR(s.rate_per_s, 3.906, 5e-4);
  EXPECT_NEAR(s.burstiness, 1.011, 5e-4);
  EXPECT_NEAR(s.correlation, -0.374, 5e-4);
}

TEST_F(Traces, SharegptLengths) {
  const auto s = stats(load("lss_sharegpt-llama-3.1-8b-300-sps10.lengths.jsonl.gz"));
  EXPECT_EQ(s.requests, 300u);
  EXPECT_NEAR(s.input.mean, 857.5, 0.05);
  EXPECT_NEAR(s.output.p90, 770, 0.5);
  EXPECT_NEAR(s.burstiness, 0.942, 5e-4);
}

TEST_F(Traces, RequestLogsOfTheBench) {
  const auto s = stats(load("../requests/RTXPRO6000_Llama-3.1-8B/requests.jsonl.gz"));
  EXPECT_EQ(s.requests, 300u);
  EXPECT_NEAR(s.rate_per_s, 10, 1);
}

TEST_F(Traces, ArxivHasLengthsOnly) {
  const auto s = stats(load("vidur_arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv.gz"));
  EXPECT_EQ(s.requests, 28257u);
  EXPECT_NEAR(s.input.mean, 2588, 0.5);
  EXPECT_NEAR(s.correlation, -0.463, 5e-4);
  EXPECT_EQ(s.rate_per_s, 0);
}

TEST_F(Traces, ServegenReasoningDay) {
  ReadOptions options;
  options.span_s = 3600;
  const auto path = "servegen/reason_deepseek-r1.tar.gz";
  const auto s = load(path, options);
  ASSERT_GT(s.requests.size(), 5000u);
  EXPECT_LE(s.requests.back().arrival_s, 3600);
  const auto again = load(path, options);
  ASSERT_EQ(again.requests.size(), s.requests.size());
  EXPECT_EQ(again.requests[777].arrival_s, s.requests[777].arrival_s);
  options.seed = 2;
  const auto other = load(path, options);
  EXPECT_NEAR(static_cast<double>(other.requests.size()), static_cast<double>(s.requests.size()),
              200);
  EXPECT_NE(other.requests[777].arrival_s, s.requests[777].arrival_s);
}

TEST_F(Traces, ServegenDrawsWhatItsClientsSay) {
  // data/catalog/request-trace, servegen-reasoning: computed from the distributions themselves.
  const auto s = stats(load("servegen/reason_deepseek-r1.tar.gz"));
  EXPECT_NEAR(static_cast<double>(s.requests), 1383669, 300);
  EXPECT_NEAR(s.rate_per_s, 16.01, 0.01);
  EXPECT_EQ(s.input.p50, 208);
  EXPECT_NEAR(s.input.mean, 1268, 10);
  EXPECT_NEAR(s.input.p99, 23423, 400);
  EXPECT_NEAR(s.output.mean, 1527, 8);
  EXPECT_NEAR(s.output.p50, 792, 3);
  EXPECT_NEAR(s.output.p99, 12607, 150);
}

TEST_F(Traces, ServegenAsksForWhatIsMissing) {
  const auto several = read(traces() + "servegen/language_arrival_traces.tar.gz");
  ASSERT_FALSE(several);
  EXPECT_NE(render(several.error()).find("--workload m-large"), std::string::npos);
  ReadOptions options;
  options.workload = "m-lrage";
  const auto wrong = read(traces() + "servegen/language_datasets_top10_clients.tar.gz", options);
  ASSERT_FALSE(wrong);
  EXPECT_NE(render(wrong.error()).find("did you mean 'm-large'?"), std::string::npos);
}

}  // namespace
}  // namespace headroom::requests
