#include "train/timeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using nlohmann::json;
using test::bench;
using test::plan;

constexpr Schedule all_schedules[] = {Schedule::gpipe, Schedule::one_f_one_b,
                                      Schedule::zero_bubble_h1, Schedule::zero_bubble_v,
                                      Schedule::dualpipe};

/// Columns of a line on a terminal: UTF-8 characters, escape sequences left out.
int columns(const std::string& line) {
  int n = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (i < line.size() && line[i] != 'm') ++i;
      continue;
    }
    n += (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
  }
  return n;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c == '\n')
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

Timeline sample(Schedule s, int ranks, int chunks, int micro_batches) {
  Pipeline p;
  p.schedule = s, p.ranks = ranks, p.chunks = chunks, p.micro_batches = micro_batches;
  p.middle = {0.008, 0.009, 0.007};
  p.first = p.last = p.first_inner = p.last_inner = p.middle;
  return simulate(p);
}

TEST(PlanPipeline, ConservesLayersAndEnds) {
  const auto b = bench("gpt-3-175b", "a100-sxm-80gb", 512, 2048, 512);
  for (const int vpp : {1, 3}) {
    auto p = plan(8, 8, vpp, 8, 64);
    const auto costs = plan_costs(b.job, p);
    const auto line = plan_pipeline(b.job, costs, p);
    double sum = 0;
    for (int s = 0; s < stage_count(line); ++s) sum += stage_times(line, s).total();
    const double layer =
        costs.layer.forward() + costs.layer.backward() + recompute_layer_s(b.job, costs.layer, p);
    const auto& e = costs.ends;
    const double ends = e.embedding_f + e.embedding_b + e.head_f + e.head_b;
    EXPECT_NEAR(sum, 96 * layer + ends, 1e-9 * sum) << vpp;
    EXPECT_GT(line.middle.w, 0);
    EXPECT_LT(line.middle.w, line.middle.b);  // attention and small operators have no weights
  }
}

TEST(PlanPipeline, TheEndsGiveUpTheirOuterChunks) {
  // Llama 3: 126 layers on 16 ranks of 8 chunks; the first chunk holds the embedding only.
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  const auto p = plan(8, 16, 8, 128, 16);
  const auto costs = plan_costs(b.job, p);
  const auto line = plan_pipeline(b.job, costs, p);
  EXPECT_NEAR(line.first.total(), costs.ends.embedding_f + costs.ends.embedding_b, 1e-12);
  EXPECT_NEAR(line.last.total(), costs.ends.head_f + costs.ends.head_b, 1e-12);
  EXPECT_NEAR(line.first_inner.total(), line.middle.total(), 1e-12);
}

TEST(PlanPipeline, AZeroBubbleVHasBothEndsOnOneRank) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 256);
  auto p = plan(8, 8, 1, 1, 64);
  p.schedule = Schedule::zero_bubble_v;
  EXPECT_EQ(schedule_problem(b.job, p), "");
  const auto line = plan_pipeline(b.job, plan_costs(b.job, p), p);
  EXPECT_EQ(stage_count(line), 16);
  p.pp = 64;
  EXPECT_NE(schedule_problem(b.job, p).find("take 40 ranks"), std::string::npos)
      << schedule_problem(b.job, p);
}

TEST(PlanPipeline, FrozenWeightsLeaveOnlyAdapters) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 256);
  const auto p = plan(8, 8, 1, 1, 64);
  const auto full = plan_pipeline(b.job, plan_costs(b.job, p), p);
  b.job.method = Method::lora;
  const auto lora = plan_pipeline(b.job, plan_costs(b.job, p), p);
  EXPECT_LT(lora.middle.w, 0.2 * full.middle.w);
}

TEST(Timeline, MatchesTheClosedFormOfThePlan) {
  for (const char* id : {"gpt-3-175b", "llama-3.1-70b"}) {
    const auto b = bench(id, "h100-sxm", 256, 4096, 512);
    for (const auto s : all_schedules)
      for (const int m : {16, 33, 64}) {
        auto p = plan(4, 8, 1, 8, m);
        p.schedule = s;
        if (!schedule_problem(b.job, p).empty()) continue;
        const auto line = plan_pipeline(b.job, plan_costs(b.job, p), p);
        const auto t = timeline(b.job, p);
        EXPECT_NEAR(pipeline_time(line).total / t.total, 1, 0.005) << id << schedule_name(s) << m;
      }
  }
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  const auto p = plan(8, 16, 8, 128, 16);
  const auto line = plan_pipeline(b.job, plan_costs(b.job, p), p);
  EXPECT_NEAR(pipeline_seconds(line) / timeline(b.job, p).total, 1, 0.005);
}

TEST(Timeline, IsThePipelinesPartOfTheStep) {
  // GPT-3 on 8 ranks without sends that show: compute, recomputation and bubble of the step.
  auto b = bench("gpt-3-175b", "a100-sxm-80gb", 512, 2048, 512);
  b.job.software.pipeline_overlap = 1;
  for (const int vpp : {1, 3}) {
    const auto p = plan(8, 8, vpp, 8, 64);
    const auto s = step_time(b.job, p);
    const double part = s.gemm + s.attention + s.stream + s.recompute + s.ends + s.launch +
                        s.tensor + s.expert + s.context + s.bubble + s.sends;
    EXPECT_NEAR(timeline(b.job, p).total / part, 1, 0.02) << vpp;
  }
}

TEST(Draw, EveryRankHasItsRowAndNoneIsTooWide) {
  for (const auto s : all_schedules)
    for (const int width : {80, 101, 200})
      for (const bool utf8 : {true, false})
        for (const bool colour : {true, false})
          for (const int m : {16, 200}) {
            const auto text = draw(sample(s, 8, 1, m), {width, colour, utf8, 32});
            const auto all = lines(text);
            int rows = 0;
            for (const auto& line : all) {
              EXPECT_LE(columns(line), width) << line;
              rows += line.find(" %  ") != std::string::npos;
            }
            EXPECT_EQ(rows, 8) << text;
            const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
              return static_cast<unsigned char>(c) < 0x80;
            });
            EXPECT_EQ(plain, !utf8);
            EXPECT_EQ(text.find('\x1b') == std::string::npos, !colour);
          }
}

TEST(Draw, ShowsPassesInOrderIdleTimeAndShares) {
  const auto text = draw(sample(Schedule::one_f_one_b, 2, 1, 2), {80, false, false, 32});
  const auto all = lines(text);
  EXPECT_NE(all[0].find("1F1B, 2 ranks, 2 micro-batches: 72 ms, 33.3 % idle"), std::string::npos)
      << all[0];
  // Rank 0: forward 1, forward 2, a wait for the gradient, backward 1, wait, backward 2.
  const auto& row = all[2];
  const auto f1 = row.find("1-"), f2 = row.find("2-"), b1 = row.find("1="), b2 = row.find("2=");
  EXPECT_LT(f1, f2);
  EXPECT_LT(f2, b1);
  EXPECT_LT(b1, b2);
  EXPECT_NE(row.find("..."), std::string::npos);
  EXPECT_NE(row.find("33.3 %"), std::string::npos);
  EXPECT_NE(text.find("forward   1== backward   .. idle"), std::string::npos) << text;
}

TEST(Draw, LeavesOutTheMiddleOfManyRanksAndOfALongStep) {
  const auto ranks = draw(sample(Schedule::one_f_one_b, 64, 1, 64), {120, false, true, 32});
  EXPECT_NE(ranks.find("⋮"), std::string::npos);
  EXPECT_NE(ranks.find("   63│"), std::string::npos);
  EXPECT_EQ(ranks.find("   30│"), std::string::npos);
  const auto steps = draw(sample(Schedule::one_f_one_b, 4, 1, 500), {120, false, true, 32});
  EXPECT_NE(steps.find("left out:"), std::string::npos);
  EXPECT_NE(steps.find("500"), std::string::npos);  // the last micro-batch is there
}

TEST(Draw, NothingToDrawIsOneLine) {
  Pipeline p;
  p.ranks = 2, p.micro_batches = 2;
  EXPECT_EQ(lines(draw(simulate(p))).size(), 2u);
  EXPECT_FALSE(to_json(simulate(p)).empty());
}

TEST(TimelineJson, HoldsEveryPass) {
  const auto t = sample(Schedule::zero_bubble_h1, 4, 1, 8);
  const auto j = json::parse(to_json(t));
  EXPECT_EQ(j["schedule"], "zb-h1");
  EXPECT_NEAR(j["total_ms"].get<double>(), 1e3 * t.total, 1e-9);
  ASSERT_EQ(j["ranks"].size(), 4u);
  for (const auto& r : j["ranks"]) {
    EXPECT_EQ(r["ops"].size(), 24u);
    const auto& idle = r["idle_ms"];
    const double sum = idle["fill"].get<double>() + idle["activations"].get<double>() +
                       idle["gradients"].get<double>() + idle["drain"].get<double>();
    EXPECT_NEAR(sum + r["busy_ms"].get<double>(), j["total_ms"].get<double>(), 1e-6);
  }
  EXPECT_EQ(j["ranks"][0]["ops"][0]["kind"], "forward");
}

TEST(ChromeTrace, IsAListOfCompleteEvents) {
  const auto j = json::parse(to_chrome_trace(sample(Schedule::dualpipe, 4, 1, 8)));
  int passes = 0, threads = 0;
  for (const auto& e : j["traceEvents"]) {
    if (e["ph"] == "M") ++threads;
    if (e["ph"] != "X") continue;
    ++passes;
    EXPECT_GE(e["dur"].get<double>(), 0);
  }
  EXPECT_EQ(threads, 4);
  EXPECT_GE(passes, 4 * 8 * 2);
}

}  // namespace
}  // namespace headroom::train
