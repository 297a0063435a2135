// `headroom replay` through the facade: options and traces become an answer, mistakes are told by
// option and by file:line, all in one pass.
#include "api/replay.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.hpp"

namespace headroom::api {
namespace {

using Options = std::vector<ReplayOption>;

/// A trace in headroom's own columns, gone when the test ends.
class Trace {
 public:
  explicit Trace(const std::string& rows, const std::string& name = "trace.csv")
      : path_(std::filesystem::temp_directory_path() /
              ("headroom-replay-" + std::to_string(::getpid()) + "-" + name)) {
    std::ofstream(path_) << rows;
  }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::string rows(int count, double rate_s, int prompt = 800, int output = 150) {
  std::string text = "arrival_s,prompt,output\n";
  const headroom::Stream random(1, "test.replay");
  double t = 0;
  for (int i = 0; i < count; ++i) {
    text += std::to_string(t) + "," + std::to_string(prompt + i % 50) + "," +
            std::to_string(output + i % 20) + "\n";
    t += random.exponential(1 / rate_s, std::uint64_t(i), 0);
  }
  return text;
}

Options with(Options more) {
  Options all = {{"--model", "llama-3.1-8b"}, {"--accelerator", "h100-sxm"}};
  for (auto& o : more) {
    std::erase_if(all, [&](const auto& a) { return a.name == o.name; });
    all.push_back(std::move(o));
  }
  return all;
}

study::ReplayAnswer replayed(const Trace& trace, Options options) {
  auto answer = replay({trace.path(), "", with(std::move(options))});
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::ReplayAnswer{};
}

std::string mistakes(const std::string& trace, Options options, std::size_t count) {
  const auto answer = replay({trace, "", std::move(options)});
  EXPECT_FALSE(answer);
  if (answer) return "";
  const std::string text = render(answer.error());
  EXPECT_EQ(answer.error().count(), count) << text;
  return text;
}

// 131,072 bytes a token of Llama 3.1 8B in bf16: 32 layers, 8 heads of 128, keys and values.
TEST(Replay, KvTokensFitTheReplicasMemory) {
  const Trace trace(rows(50, 8));
  double of_one = 0;
  for (const char* dp : {"1", "2", "4"}) {
    const auto a = replayed(trace, {{"--replicas", "1"}, {"--tp", "1"}, {"--dp", dp}});
    EXPECT_EQ(a.gpus_per_replica, std::stod(dp));
    EXPECT_LE(a.kv_tokens * 131072, a.gpus_per_replica * 80e9 * 0.9 - 16e9);
    if (of_one == 0) of_one = a.kv_tokens;
    EXPECT_GE(a.kv_tokens, 0.95 * std::stod(dp) * of_one);
  }
}

TEST(Replay, AnswersAndCountsWhatItSends) {
  const Trace trace(rows(400, 8));
  const auto a = replayed(trace, {{"--replicas", "2"}, {"--slo-ttft", "1s"}, {"--slo-tpot", "50"}});
  const auto& s = a.run.summary;
  EXPECT_EQ(s.requests, 400u);
  EXPECT_EQ(s.finished, 400u);
  EXPECT_EQ(a.replicas, 2);
  EXPECT_FALSE(a.searched);
  EXPECT_EQ(a.slo.tpot_s, 50);  // a bare number is in seconds
  EXPECT_TRUE(a.fits());
  EXPECT_GT(s.bill.usd_per_moutput, s.bill.usd_per_minput);
  EXPECT_GT(s.bill.j_per_output, 0);
  EXPECT_GT(s.bill.g_per_output, 0);
  EXPECT_EQ(a.kv_tokens, a.kv_blocks * 16);
}

TEST(Replay, TakesAsManyReplicasAsTheSloNeeds) {
  const Trace trace(rows(1500, 60));
  const auto loose = replayed(trace, {{"--slo-tpot", "60ms"}});
  const auto tight = replayed(trace, {{"--slo-tpot", "9ms"}});
  EXPECT_TRUE(loose.searched);
  EXPECT_TRUE(loose.fits());
  EXPECT_TRUE(tight.fits());
  EXPECT_GT(tight.replicas, loose.replicas);
  EXPECT_LE(tight.run.summary.tpot.p99, 0.009);
  // One fewer does not do.
  const auto fewer =
      replayed(trace, {{"--slo-tpot", "9ms"}, {"--replicas", std::to_string(tight.replicas - 1)}});
  EXPECT_FALSE(fewer.fits());
}

TEST(Replay, SaysWhenNoCountMeetsAnSlo) {
  const Trace trace(rows(200, 5));
  const auto a = replayed(trace, {{"--slo-ttft", "2ms"}, {"--slo-tpot", "1s"}});
  EXPECT_FALSE(a.reachable);
  EXPECT_FALSE(a.fits());
  EXPECT_NE(a.unreachable.find("TTFT of 2 ms is out of reach"), std::string::npos) << a.unreachable;
  EXPECT_NE(a.unreachable.find("bound by"), std::string::npos);
  EXPECT_EQ(a.unreachable.find("TPOT"), std::string::npos);
}

TEST(Replay, OverloadIsForeseenAndSeen) {
  const Trace trace(rows(4000, 400));
  const auto a = replayed(trace, {{"--replicas", "1"}});
  EXPECT_TRUE(a.forecast.overloaded);
  EXPECT_TRUE(a.run.summary.overloaded);
  EXPECT_FALSE(a.fits());
  const auto calm = replayed(trace, {{"--replicas", "1"}, {"--rate-scale", "0.02"}});
  EXPECT_FALSE(calm.forecast.overloaded);
  EXPECT_FALSE(calm.run.summary.overloaded);
}

TEST(Replay, RequestsThatFitNowhereAreCountedNotFatal) {
  const Trace trace("arrival_s,prompt,output\n0,100,10\n1,200000,10\n2,100,10\n");
  const auto a = replayed(trace, {{"--replicas", "1"}});
  EXPECT_EQ(a.run.summary.finished, 2u);
  EXPECT_EQ(a.run.summary.too_long, 1u);
  ASSERT_FALSE(a.remarks.empty());
  EXPECT_NE(a.remarks[0].find("1 requests were rejected: prompt and answer are longer"),
            std::string::npos)
      << a.remarks[0];
}

TEST(Replay, PowerCapSlicesAndFormatsMoveWhatTheyShould) {
  const Trace trace(rows(300, 3));
  const auto base = replayed(trace, {{"--replicas", "1"}});
  const auto slice = replayed(trace, {{"--replicas", "1"}, {"--mig", "3g"}});
  EXPECT_GT(slice.run.summary.tpot.mean, base.run.summary.tpot.mean);
  EXPECT_LT(slice.kv_tokens, base.kv_tokens);
  EXPECT_EQ(slice.gpus_per_replica, 0.5);
  EXPECT_LT(slice.run.summary.bill.usd, base.run.summary.bill.usd);
  const auto cap = replayed(trace, {{"--replicas", "1"}, {"--power-cap", "400"}});
  EXPECT_GT(cap.run.summary.ttft.mean, base.run.summary.ttft.mean);
  EXPECT_LT(cap.run.summary.bill.meter_j, base.run.summary.bill.meter_j);
  const auto narrow = replayed(trace, {{"--replicas", "1"}, {"--precision", "fp8"}});
  EXPECT_LT(narrow.run.summary.tpot.mean, base.run.summary.tpot.mean);
  const auto kv = replayed(trace, {{"--replicas", "1"}, {"--kv-precision", "fp8"}});
  EXPECT_NEAR(kv.kv_tokens / base.kv_tokens, 2, 0.01);
}

TEST(Replay, OfflineWorkLeavesThePromisesAlone) {
  const Trace online(rows(600, 6)), offline(rows(300, 1e6, 2000, 200), "offline.csv");
  const auto base = replayed(online, {{"--replicas", "1"}, {"--slo-ttft", "1s"}});
  const auto both =
      replayed(online, {{"--replicas", "1"}, {"--slo-ttft", "1s"}, {"--offline", offline.path()}});
  const auto& s = both.run.summary;
  EXPECT_EQ(s.finished, 900u);
  ASSERT_EQ(s.classes.size(), 2u);
  EXPECT_EQ(s.classes[1].name, "offline");
  EXPECT_EQ(s.classes[1].finished, 300u);
  EXPECT_EQ(s.ttft.p99, s.classes[0].ttft.p99);
  EXPECT_GT(s.output_tokens, base.run.summary.output_tokens);
}

TEST(Replay, IntervalsHoldTheAnswerAndWidenWithTheQueue) {
  const Trace trace(rows(1500, 20));
  const auto calm = replayed(trace, {{"--replicas", "4"}});
  const auto full = replayed(trace, {{"--replicas", "1"}, {"--rate-scale", "2"}});
  ASSERT_EQ(calm.intervals.size(), 6u);
  EXPECT_FALSE(calm.interval_origin.empty());
  const auto width = [](const study::ReplayAnswer& a, const char* key) {
    for (const auto& i : a.intervals)
      if (i.key == key) return i.high / i.low;
    return 0.0;
  };
  for (const auto& i : calm.intervals) {
    EXPECT_LT(i.low, i.likely) << i.key;
    EXPECT_LT(i.likely, i.high) << i.key;
  }
  EXPECT_GT(width(full, "e2e_mean"), width(calm, "e2e_mean"));
}

TEST(Replay, ClassesHaveTheirOwnPromises) {
  std::string text = "arrival_s,prompt,output,class\n";
  for (int i = 0; i < 600; ++i)
    text += std::to_string(0.01 * i) + ",500,60," + (i % 4 == 0 ? "paid" : "free") + "\n";
  const Trace trace(text);
  const auto a = replayed(trace, {{"--replicas", "1"},
                                  {"--max-in-flight", "40"},
                                  {"--slo-ttft", "30s"},
                                  {"--classes", "paid:priority=-1,ttft=1s;free:max-wait=2s"}});
  const auto& classes = a.run.summary.classes;
  ASSERT_EQ(classes.size(), 2u);
  const auto& paid = classes[classes[0].name == "paid" ? 0 : 1];
  const auto& free = classes[classes[0].name == "paid" ? 1 : 0];
  EXPECT_EQ(paid.requests, 150u);
  EXPECT_EQ(paid.rejected, 0u);
  EXPECT_GT(free.rejected, 0u);
  EXPECT_LT(paid.ttft.mean, free.ttft.mean);
  const auto told = mistakes(trace.path(), with({{"--classes", "gold:ttft=1s;free:speed=9"}}), 2);
  EXPECT_NE(told.find("'speed=9' says nothing of a class"), std::string::npos) << told;
}

TEST(Replay, LimitAndRateScaleChangeTheTrace) {
  const Trace trace(rows(300, 10));
  const auto a = replayed(trace, {{"--replicas", "1"}, {"--limit", "100"}});
  EXPECT_EQ(a.run.summary.requests, 100u);
  const auto fast = replayed(trace, {{"--replicas", "1"}, {"--rate-scale", "5"}});
  const auto slow = replayed(trace, {{"--replicas", "1"}});
  EXPECT_NEAR(fast.forecast.offered_s / slow.forecast.offered_s, 5, 1e-6);
}

// --- Synthetic load, offload, adapters -------------------------------------------------------

study::ReplayAnswer generated(Options options) {
  auto answer = replay({"", "", with(std::move(options))});
  EXPECT_TRUE(answer) << render(answer.error());
  return answer ? std::move(*answer) : study::ReplayAnswer{};
}

TEST(ReplaySynthetic, TakesTheWordsOfLoad) {
  const Options asked = {{"--replicas", "1"},    {"--arrivals", "gamma:cv=2"}, {"--rate", "5/s"},
                         {"--duration", "2min"}, {"--input", "fixed:700"},     {"--output", "90"}};
  const auto a = generated(asked);
  EXPECT_NEAR(double(a.run.summary.requests), 600, 150);
  EXPECT_EQ(a.run.summary.finished, a.run.summary.requests);
  EXPECT_DOUBLE_EQ(a.run.summary.input_tokens / double(a.run.summary.requests), 700);
  EXPECT_EQ(generated(asked).run.summary.ttft.p99, a.run.summary.ttft.p99);
  Options other = asked;
  other.push_back({"--seed", "2"});
  EXPECT_NE(generated(other).run.summary.ttft.p99, a.run.summary.ttft.p99);
  const auto like =
      generated({{"--replicas", "1"}, {"--like", "azure-conv-2023"}, {"--limit", "50"}});
  EXPECT_EQ(like.run.summary.requests, 50u);
}

TEST(ReplaySynthetic, ClassesMayBeSeveral) {
  Options asked = with({{"--replicas", "1"}, {"--rate", "4"}, {"--requests", "200"}});
  asked.push_back({"--class", "name=chat share=3 input=300 output=50"});
  asked.push_back({"--class", "name=batch share=1 input=900 output=50"});
  const auto answer = replay({"", "", asked});
  ASSERT_TRUE(answer) << render(answer.error());
  const auto& a = *answer;
  ASSERT_EQ(a.run.summary.classes.size(), 2u);
  EXPECT_GT(a.run.summary.classes[0].requests, a.run.summary.classes[1].requests);
}

const Options conversations = {{"--replicas", "1"},     {"--sessions", "turns=6,think=2s,fixed"},
                               {"--input", "600"},      {"--output", "200"},
                               {"--rate", "8"},         {"--requests", "1200"},
                               {"--block-tokens", "16"}};

Options conversing(Options more) {
  more.insert(more.end(), conversations.begin(), conversations.end());
  return more;
}

TEST(ReplaySynthetic, SessionsFindTheirAnswers) {
  const auto a = generated(conversing({}));
  const auto& s = a.run.summary;
  EXPECT_EQ(s.finished, 1200u);
  // Turn k of six finds k - 1 inputs and answers of the 600 k + 200 (k - 1) tokens it reads: the
  // mean of what is found is 2000 of 2600, less what ends inside a block.
  EXPECT_NEAR(s.cached_tokens / s.input_tokens, 2000.0 / 2600, 0.02);
}

TEST(ReplaySynthetic, OffloadBringsBackWhatTheGpuEvicted) {
  const Options tight = {{"--gpu-memory-utilization", "0.28"}};
  const auto without = generated(conversing(tight));
  Options more = tight;
  more.push_back({"--offload-cpu", "200GB"});
  const auto host = generated(conversing(more));
  EXPECT_GT(host.run.summary.cached_tokens, 1.05 * without.run.summary.cached_tokens);
  EXPECT_LT(host.run.summary.ttft.mean, without.run.summary.ttft.mean);
  // 200 GB of 128 KiB a token (8B: 32 layers, 8 heads of 128, keys and values, bf16).
  EXPECT_NEAR(host.config.host.blocks * 16, 200e9 / 131072, 16);
  more.back().value = "200GB:100MB/s";
  const auto slow = generated(conversing(more));
  EXPECT_GT(slow.run.summary.ttft.mean, host.run.summary.ttft.mean);
  more.back() = {"--offload-disk", "2TB"};
  const auto disk = generated(conversing(more));
  EXPECT_GT(disk.run.summary.cached_tokens, 1.05 * without.run.summary.cached_tokens);
  EXPECT_LT(disk.config.disk.bits_s, 8 * 56e9);
}

TEST(ReplaySynthetic, FewerAdaptersOnTheGpuWaitMore) {
  const Options asked = {{"--replicas", "1"}, {"--adapters", "64:zipf=0"},
                         {"--input", "200"},  {"--output", "100"},
                         {"--rate", "20"},    {"--requests", "600"}};
  const auto with_slots = [&](const char* slots) {
    Options o = asked;
    o.push_back({"--max-loras", slots});
    return generated(o);
  };
  const auto all = with_slots("64"), few = with_slots("2");
  EXPECT_EQ(few.run.summary.finished, 600u);
  EXPECT_GT(few.run.summary.ttft.mean, all.run.summary.ttft.mean);
  EXPECT_LT(all.kv_tokens, few.kv_tokens);  // their weights take memory
  EXPECT_GT(all.config.adapters.load_s, 0);
  Options wide = asked;
  wide.push_back({"--max-loras", "64"});
  wide.push_back({"--max-lora-rank", "64"});
  EXPECT_GT(generated(wide).config.adapters.load_s, 2 * all.config.adapters.load_s);
}

TEST(ReplayMistakes, OfSyntheticLoadsAndTiers) {
  const Trace trace(rows(10, 1));
  EXPECT_NE(mistakes("", with({}), 1).find("which requests?"), std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--input", "512"}, {"--requests", "5"}}), 2)
                .find("a trace is given"),
            std::string::npos);
  const auto load = mistakes("",
                             with({{"--like", "azure-conv-2024"},
                                   {"--arrivals", "gama"},
                                   {"--model", "llama-3.1-70x"},
                                   {"--offload-cpu", "lots"},
                                   {"--offload-disk", "1TB:fast"},
                                   {"--max-loras", "0"}}),
                             6);
  for (const char* wanted :
       {"azure-conv-2024", "gama", "70x", "expected SIZE[:RATE]", "--max-loras"})
    EXPECT_NE(load.find(wanted), std::string::npos) << wanted << load;
  EXPECT_NE(mistakes(trace.path(), with({{"--max-loras", "60000"}}), 1).find("leave no memory"),
            std::string::npos);
  EXPECT_NE(
      mistakes(trace.path(), with({{"--offload-cpu", "1GB"}, {"--no-prefix-cache", "true"}}), 1)
          .find("prefix cache"),
      std::string::npos);
}

// --- Bad input ------------------------------------------------------------------------------

TEST(ReplayMistakes, EveryOneInOnePass) {
  const auto text = mistakes("nowhere.csv",
                             {{"--model", "llama-3.1-70x"},
                              {"--system", "dgx-h10"},
                              {"--tp", "0"},
                              {"--routing", "round-robbin"},
                              {"--slo-ttft", "5 kg"},
                              {"--speculate", "4"},
                              {"--mttr", "1h"},
                              {"--region", "atlantis"}},
                             9);
  for (const char* wanted :
       {"nowhere.csv", "--model llama-3.1-70x", "did you mean 'llama-3.1-70b'", "--system dgx-h10",
        "--tp 0", "did you mean 'round-robin'", "--slo-ttft 5 kg",
        "expected LENGTH:ACCEPTANCE[:COST", "add --mtbf", "--region atlantis"})
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\n" << text;
}

TEST(ReplayMistakes, OfTheTraceAreToldByLine) {
  const Trace trace("arrival_s,prompt,output\n2,100,10\n3,0,10\n4,100,-5\n1,100,10\n5,x,10\n");
  const auto text = mistakes(trace.path(), with({}), 4);
  for (const char* line : {":3:", ":4:", ":5:", ":6:"})
    EXPECT_NE(text.find(trace.path() + line), std::string::npos) << line << "\n" << text;
}

TEST(ReplayMistakes, LayoutsThatCannotBe) {
  const Trace trace(rows(10, 1));
  EXPECT_NE(mistakes(trace.path(), with({{"--tp", "3"}}), 1).find("attention heads"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--model", "llama-3.1-405b"}, {"--tp", "1"}}), 1)
                .find("weights and workspace take"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--ep", "2"}}), 1).find("has no experts"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--mig", "3g"}, {"--tp", "2"}}), 1)
                .find("slices of a GPU do not reach each other"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), {}, 2).find("which model?"), std::string::npos);
}

TEST(ReplayMistakes, OptionsThatContradict) {
  const Trace trace(rows(10, 1));
  EXPECT_NE(mistakes(trace.path(), with({{"--system", "dgx-h100"}}), 1).find("contradicts"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--disaggregate", "1:1"}, {"--replicas", "2"}}), 1)
                .find("contradicts"),
            std::string::npos);
  EXPECT_NE(mistakes(trace.path(), with({{"--max-replicas", "2"}}), 1).find("add --autoscale"),
            std::string::npos);
}

// --- Forms ----------------------------------------------------------------------------------

TEST(ReplayForms, JsonAndRowsTellTheSame) {
  const Trace trace(rows(50, 5));
  const auto a = replayed(trace, {{"--replicas", "1"}, {"--slo-ttft", "1s"}});
  const auto json = nlohmann::json::parse(report::replay_json(a));
  EXPECT_EQ(json["requests"]["finished"], 50);
  EXPECT_EQ(json["slos"][0]["name"], "TTFT");
  EXPECT_TRUE(json["fits"]);
  const std::string csv = report::replay_rows(a, report::RowForm::csv);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 51);
  const std::string lines = report::replay_rows(a, report::RowForm::jsonl);
  double sum = 0;
  std::size_t at = 0, n = 0;
  while (at < lines.size()) {
    const auto end = lines.find('\n', at);
    sum += nlohmann::json::parse(lines.substr(at, end - at))["ttft_s"].get<double>();
    at = end + 1, ++n;
  }
  EXPECT_EQ(n, 50u);
  EXPECT_NEAR(sum / 50, json["ttft_s"]["mean"].get<double>(), 1e-5);
  const std::string text = report::replay_text(a, {});
  for (const char* part :
       {"Latency", "TTFT", "SLOs at p99", "Energy and money", "a million tokens"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  for (const auto word : {"nan", "inf "}) EXPECT_EQ(text.find(word), std::string::npos);
}

}  // namespace
}  // namespace headroom::api
