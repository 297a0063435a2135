// `headroom replay --fleet` and the engine's finer settings through the facade: files become
// fleets, answers add up, every setting moves what it should, mistakes are told at their place.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/replay.hpp"
#include "base/random.hpp"

namespace headroom::api {
namespace {

using Options = std::vector<ReplayOption>;

/// A file, gone when the test ends.
class File {
 public:
  explicit File(const std::string& text, const std::string& name = "fleet.yaml")
      : path_(std::filesystem::temp_directory_path() /
              ("headroom-fleet-" + std::to_string(::getpid()) + "-" + name)) {
    std::ofstream(path_) << text;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Two models, two classes, and users of two regions where `regions`.
std::string trace(int count, double rate_s, bool regions = false) {
  std::string text = regions ? "arrival_s,prompt,output,class,model,region\n"
                             : "arrival_s,prompt,output,class,model\n";
  const headroom::Stream random(1, "test.fleet");
  double t = 0;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("{:.6f},{},{},{},{}", t, 400 + i % 700, 40 + i % 90,
                        i % 4 == 0 ? "batch" : "chat", i % 3 == 0 ? "coder" : "talker");
    if (regions) text += i % 5 < 2 ? ",us" : ",eu";
    text += "\n";
    t += random.exponential(1 / rate_s, std::uint64_t(i), 0);
  }
  return text;
}

constexpr const char* two_models = R"(
name: two models
pools:
  - {name: talk, model: llama-3.1-8b, serves: [talker], classes: [chat], accelerator: h100-sxm, tp: 1, replicas: 2}
  - {name: code, model: qwen3-8b, serves: [coder], classes: [chat], accelerator: h100-sxm, tp: 1, replicas: 1}
  - {name: night, model: llama-3.1-8b, classes: [batch], accelerator: h100-sxm, mig: 3g, tp: 1, replicas: 1}
classes:
  - {name: chat, ttft: 1 s, tpot: 40 ms}
  - {name: batch, offline: true}
)";

study::ReplayAnswer replayed(const std::string& trace, Options options) {
  auto answer = replay({trace, "", std::move(options)});
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

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(FleetFile, ModelsAndClassesGoWhereTheFileSays) {
  const File requests(trace(900, 15), "trace.csv"), fleet(two_models);
  const auto a = replayed(requests.path(), {{"--fleet", fleet.path()}});
  const auto& s = a.run.summary;
  ASSERT_EQ(s.pools.size(), 3u);
  EXPECT_EQ(s.finished, 900u);
  EXPECT_EQ(s.pools[0].finished, 450u);
  EXPECT_EQ(s.pools[1].finished, 225u);
  EXPECT_EQ(s.pools[2].finished, 225u);
  EXPECT_TRUE(a.fits());
  ASSERT_EQ(s.classes.size(), 2u);
  EXPECT_TRUE(s.classes[1].name == "chat" || s.classes[0].name == "chat");
  double usd = 0;
  for (const auto& c : s.classes) usd += c.part.usd;
  EXPECT_NEAR(usd, s.bill.usd, 1e-9 * usd);
  EXPECT_NEAR(s.gpus, 3.5, 1e-9);  // 3g: two on a GPU
  const std::string text = report::replay_text(a, {false, 120, false});
  for (const char* part : {"two models: 3 pools, 4 replicas", "Qwen3", "Classes: what they saw",
                           "The SLOs are met", "night"})
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  const auto json = nlohmann::json::parse(report::replay_json(a));
  EXPECT_EQ(json["pools"][1]["what"]["model"], "Qwen3 8B");
  EXPECT_EQ(json["pools"][0]["finished"], 450);
  EXPECT_TRUE(json["classes"][0].contains("slos"));
}

constexpr const char* regions = R"(
regions:
  - {name: eu, place: germany-frankfurt, pue: 1.2}
  - {name: us, place: us-virginia}
latency: [{between: [eu, us], rtt: 90 ms}]
pools:
  - {name: a, region: eu, model: llama-3.1-8b, accelerator: h100-sxm, tp: 1, replicas: 1}
  - {name: b, region: us, model: llama-3.1-8b, accelerator: h100-sxm, tp: 1, replicas: 1, price: 4 USD/GPU/h}
classes:
  - {name: chat, ttft: 2 s}
  - {name: chat@eu, ttft: 2 s, allowed: [EU]}
)";

TEST(FleetFile, RegionsKeepResidencyAndTellEachPlace) {
  const File requests(trace(600, 10, true), "trace.csv"), fleet(regions);
  const auto a = replayed(requests.path(), {{"--fleet", fleet.path()}});
  const auto& s = a.run.summary;
  ASSERT_EQ(s.regions.size(), 2u);
  EXPECT_EQ(s.regions[0].requests, 360u);
  EXPECT_EQ(s.regions[1].requests, 240u);
  EXPECT_NEAR(s.pools[0].bill.meter_j / s.pools[0].bill.it_j, 1.2, 1e-12);
  EXPECT_NEAR(s.pools[1].bill.usd / s.pools[1].bill.gpu_hours, 4, 1e-9);
  // Germany's grid and Virginia's are not the same.
  const double eu = s.pools[0].bill.carbon_kg / s.pools[0].bill.meter_j;
  const double us = s.pools[1].bill.carbon_kg / s.pools[1].bill.meter_j;
  EXPECT_GT(std::abs(eu / us - 1), 0.01);
  // Without its own pool a European chat goes nowhere, and is counted.
  std::string only_us = regions;
  only_us.erase(only_us.find("  - {name: a, region: eu"),
                only_us.find("  - {name: b,") - only_us.find("  - {name: a, region"));
  const File away(only_us, "away.yaml");
  const auto b = replayed(requests.path(), {{"--fleet", away.path()}});
  EXPECT_EQ(b.run.summary.residency, b.run.summary.rejected);
  EXPECT_EQ(b.run.summary.regions[0].residency, b.run.summary.residency);
  EXPECT_GT(b.run.summary.residency, 200u);
  EXPECT_FALSE(b.fits());
  const std::string text = report::replay_text(b, {false, 120, false});
  EXPECT_TRUE(holds(text, "no pool stands in a region where their class may be served")) << text;
}

TEST(FleetFile, OriginsAreDrawnByShareAndStaySame) {
  const File requests(trace(2000, 20), "trace.csv");
  std::string text = regions;
  text += "origins: [{region: eu, share: 30 %}, {region: us, share: 70 %}]\n";
  const File fleet(text);
  const auto a = replayed(requests.path(), {{"--fleet", fleet.path()}});
  const auto b = replayed(requests.path(), {{"--fleet", fleet.path()}});
  const auto& s = a.run.summary;
  EXPECT_NEAR(double(s.regions[0].requests), 600, 75);  // three and a half standard deviations
  EXPECT_EQ(s.regions[0].requests + s.regions[1].requests, 2000u);
  EXPECT_EQ(s.regions[0].requests, b.run.summary.regions[0].requests);
  for (std::size_t i = 0; i < a.run.outcomes.size(); ++i)
    ASSERT_EQ(a.run.outcomes[i].end_s, b.run.outcomes[i].end_s);
}

TEST(FleetFile, PoolsWithoutReplicasAreSized) {
  const File requests(trace(3000, 90), "trace.csv");
  std::string text = two_models;
  for (const char* given : {", replicas: 2", ", replicas: 1"})
    for (std::size_t at = text.find(given); at != std::string::npos; at = text.find(given))
      text.erase(at, std::string_view(given).size());
  const File fleet(text);
  const auto a = replayed(requests.path(), {{"--fleet", fleet.path()}});
  EXPECT_TRUE(a.fits());
  EXPECT_TRUE(a.searched);
  EXPECT_TRUE(a.pools[0].sized);
  EXPECT_GE(a.pools[0].replicas, 1);
  EXPECT_EQ(a.tried.back().replicas, a.replicas);
}

TEST(FleetFile, MistakesAreToldAtTheirPlaceInOnePass) {
  const File requests(trace(50, 10), "trace.csv");
  const File fleet(R"(
regions: [{name: eu, place: atlantis}]
pools:
  - {name: a, model: llama-3.1-8c, accelerator: h100-sxm, tpp: 2}
  - {name: b, model: llama-3.1-8b, accelerator: h100-sxm, power_cap: 3 kWh, replicas: -1}
)");
  const std::string text = mistakes(requests.path(), {{"--fleet", fleet.path()}}, 5);
  for (const char* part : {"fleet.yaml:2:", "'atlantis'", "fleet.yaml:4:", "llama-3.1-8b",
                           "unknown key", "did you mean 'tp'", "kWh", "fleet.yaml:5:"})
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
}

TEST(FleetFile, WhatSpansFieldsIsTold) {
  const File requests(trace(50, 10), "trace.csv");
  const auto said = [&](const std::string& yaml, std::size_t count) {
    const File fleet(yaml);
    return mistakes(requests.path(), {{"--fleet", fleet.path()}}, count);
  };
  const std::string pool = "pools: [{name: a, model: llama-3.1-8b, accelerator: h100-sxm, tp: 1";
  EXPECT_TRUE(holds(said(pool + ", region: eu}]\n", 1), "the fleet has no region 'eu'"));
  EXPECT_TRUE(holds(said("pools: []\n", 1), "no pools"));
  EXPECT_TRUE(holds(said("pools: [{name: a, model: llama-3.1-8b}]\n", 1), "which machine?"));
  EXPECT_TRUE(holds(said(pool + ", role: prefill}]\n", 1), "no pool decodes"));
  EXPECT_TRUE(holds(said(pool + "}, {name: a, model: llama-3.1-8b, accelerator: h100-sxm}]\n", 1),
                    "a second pool of this name"));
  EXPECT_TRUE(holds(said(pool + ", power_caps: [{from: 1 h, cap: 500 W}]}]\n", 1), "from: 0 h"));
  EXPECT_TRUE(
      holds(said(pool + ", power_caps: [{from: 0 h, cap: 500 W}, {from: 0 h, cap: 400 W}]}]\n", 1),
            "in order of time"));
  EXPECT_TRUE(holds(said(pool + "}]\nclasses: [{name: chat, allowed: [Mars]}]\n", 1), "'Mars'"));
  EXPECT_TRUE(holds(said(pool + "}]\nclasses: [{name: chta}]\n", 1), "did you mean 'chat'"));
  EXPECT_TRUE(holds(said(pool + ", serves: [talkr]}]\n", 1), "did you mean 'talker'"));
  EXPECT_TRUE(holds(said(pool + ", replicas: 1, losses: [{at: 1 min, replica: 3}]}]\n", 1),
                    "there is no replica 3"));
  EXPECT_TRUE(holds(
      said("regions: [{name: eu}]\nlatency: [{between: [eu], rtt: 9 ms}]\n" + pool + "}]\n", 1),
      "two different regions"));
}

TEST(FleetFile, MistakesOfTheFitStandAtThePoolsKey) {
  const File requests(trace(50, 10), "trace.csv");
  const File fleet(R"(pools:
  - name: a
    model: llama-3.1-70b
    accelerator: h100-sxm
    tp: 3
  - name: b
    model: llama-3.1-8b
    accelerator: h100-sxm
    power_cap: 20 W
    tp: 1
)");
  const std::string text = mistakes(requests.path(), {{"--fleet", fleet.path()}}, 2);
  for (const char* part :
       {"fleet.yaml:5:9: pools.a.tp: does not divide", "fleet.yaml:9:16: pools.b.power_cap"})
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  EXPECT_FALSE(holds(text, "--")) << text;
}

TEST(FleetFile, OptionsOfOnePoolContradictIt) {
  const File requests(trace(50, 10), "trace.csv"), fleet(two_models);
  const std::string text = mistakes(requests.path(),
                                    {{"--fleet", fleet.path()},
                                     {"--model", "llama-3.1-8b"},
                                     {"--tp", "2"},
                                     {"--power-caps", "0h:500W"}},
                                    3);
  EXPECT_TRUE(holds(text, "is said by the fleet's file")) << text;
  EXPECT_TRUE(holds(mistakes(requests.path(), {{"--fleet", "nowhere.yaml"}}, 1), "nowhere.yaml"));
}

TEST(FleetFile, ACapOfHalfTheFleetsPowerSlowsIt) {
  const File requests(trace(600, 12), "trace.csv");
  std::string text = two_models;
  const auto plain = replayed(requests.path(), {{"--fleet", File(text).path()}});
  (void)plain;
  const File free(text, "free.yaml");
  const auto a = replayed(requests.path(), {{"--fleet", free.path()}});
  for (std::size_t at = text.find(", tp: 1"); at != std::string::npos;
       at = text.find(", tp: 1", at + 40))
    text.insert(at, ", power_caps: [{from: 0 h, cap: 700 W}, {from: 20 s, cap: 300 W}]");
  // A slice of 3/7 takes no 700 W; its own limits.
  const File capped(text, "capped.yaml");
  const auto b = replayed(requests.path(), {{"--fleet", capped.path()}});
  EXPECT_GT(b.run.summary.ttft.mean, 1.05 * a.run.summary.ttft.mean);
  EXPECT_LT(b.run.summary.bill.mean_w, 0.9 * a.run.summary.bill.mean_w);
  EXPECT_EQ(b.run.summary.finished, a.run.summary.finished);
}

// --- The engine's settings by option ----------------------------------------------------

class EngineOptions : public testing::Test {
 protected:
  static std::string rows(int count, double rate_s, int prompt, int output, bool adapters = false) {
    std::string text = adapters ? "arrival_s,prompt,output,adapter\n" : "arrival_s,prompt,output\n";
    const headroom::Stream random(3, "test.engine");
    double t = 0;
    for (int i = 0; i < count; ++i) {
      text += fmt::format("{:.6f},{},{}", t, prompt + i % 40, output + i % 20);
      if (adapters) text += fmt::format(",{}", 1 + i % 40);
      text += "\n";
      t += random.exponential(1 / rate_s, std::uint64_t(i), 0);
    }
    return text;
  }
  study::ReplayAnswer run(const std::string& trace, Options more) {
    Options all = {{"--model", "llama-3.1-8b"},
                   {"--accelerator", "h100-sxm"},
                   {"--tp", "1"},
                   {"--replicas", "1"}};
    for (auto& o : more) {
      std::erase_if(all, [&](const auto& a) { return a.name == o.name; });
      all.push_back(std::move(o));
    }
    return replayed(trace, std::move(all));
  }
};

TEST_F(EngineOptions, EachReachesTheEngine) {
  const File t(rows(60, 4, 800, 60), "trace.csv");
  const auto a = run(t.path(), {{"--block-size", "64"},
                                {"--watermark", "0.1"},
                                {"--long-prefill-token-threshold", "512"},
                                {"--reserve-full", "true"},
                                {"--async-scheduling", "true"},
                                {"--speculate", "4:0.7:0.05:32"},
                                {"--speculate-adaptive", "true"},
                                {"--max-loras", "4"},
                                {"--max-cpu-loras", "8"}});
  const auto& c = a.config;
  EXPECT_EQ(c.block_tokens, 64);
  EXPECT_EQ(c.watermark, 0.1);
  EXPECT_EQ(c.long_prefill_tokens, 512);
  EXPECT_TRUE(c.whole_prompt_fits);
  EXPECT_EQ(c.schedule_ahead, 1);
  EXPECT_EQ(c.speculation.off_above, 32);
  EXPECT_TRUE(c.speculation.adaptive);
  EXPECT_EQ(c.adapters.host_slots, 8);
  EXPECT_GT(c.adapters.fetch_s, c.adapters.load_s);
  EXPECT_EQ(a.run.summary.finished, 60u);
}

TEST_F(EngineOptions, LongPromptsCutSmallLetOthersPass) {
  const File t(rows(40, 1.5, 12000, 200), "trace.csv");
  const auto whole = run(t.path(), {{"--max-num-batched-tokens", "16384"}});
  const auto cut = run(t.path(), {{"--max-num-batched-tokens", "16384"},
                                  {"--long-prefill-token-threshold", "1024"}});
  EXPECT_LT(cut.run.summary.itl.p99, 0.5 * whole.run.summary.itl.p99);
  EXPECT_GT(cut.run.summary.ttft.p50, whole.run.summary.ttft.p50);
}

TEST_F(EngineOptions, AdaptiveDraftsFallAsTheBatchGrows) {
  const auto tpot = [&](double rate, const char* how) {
    const File t(rows(400, rate, 300, 150), "trace.csv");
    Options o = {{"--max-num-seqs", "512"}};
    if (std::string_view(how) != "none") o.push_back({"--speculate", "6:0.5:0.08"});
    if (std::string_view(how) == "adaptive") o.push_back({"--speculate-adaptive", "true"});
    return run(t.path(), o).run.summary.tpot.mean;
  };
  // Alone, drafts pay; in a full batch six of them at 50 % cost more than they bring.
  EXPECT_LT(tpot(0.5, "adaptive"), 0.8 * tpot(0.5, "none"));
  EXPECT_LE(tpot(0.5, "adaptive"), 1.001 * tpot(0.5, "fixed"));
  EXPECT_LT(tpot(200, "adaptive"), 0.97 * tpot(200, "fixed"));
  EXPECT_LT(tpot(200, "adaptive"), 1.03 * tpot(200, "none"));
}

TEST_F(EngineOptions, AdaptersThatLeaveHostMemoryCostTheirFetch) {
  const File t(rows(200, 6, 300, 60, true), "trace.csv");
  const auto all = run(t.path(), {{"--max-loras", "4"}, {"--max-lora-rank", "64"}});
  const auto few =
      run(t.path(), {{"--max-loras", "4"}, {"--max-lora-rank", "64"}, {"--max-cpu-loras", "4"}});
  EXPECT_GT(few.run.summary.ttft.mean, 1.02 * all.run.summary.ttft.mean);
}

TEST_F(EngineOptions, LossesAndCapsComeWhenTheySay) {
  const File t(rows(200, 4, 500, 80), "trace.csv");
  const auto a = run(
      t.path(), {{"--replicas", "2"}, {"--lose", "10s:1:20s,40s:0:1s"}, {"--engine-start", "5s"}});
  EXPECT_EQ(a.run.summary.pools[0].failures, 2);
  EXPECT_EQ(a.run.summary.finished, 200u);
  const auto plain = run(t.path(), {});
  const auto capped =
      run(t.path(), {{"--power-caps", "0h:700W,20s:250W,30s:700W"}, {"--power-caps-every", "40s"}});
  EXPECT_GT(capped.run.summary.ttft.p99, plain.run.summary.ttft.p99);
  EXPECT_LT(capped.run.summary.bill.mean_w, plain.run.summary.bill.mean_w);
}

TEST_F(EngineOptions, OneMachineServesEveryModelTheTraceNames) {
  const File t(trace(120, 10), "trace.csv");
  const auto a = run(t.path(), {});
  EXPECT_EQ(a.run.summary.finished, 120u);
}

TEST_F(EngineOptions, BadOnesAreTold) {
  const File t(rows(20, 4, 500, 80), "trace.csv");
  const auto said = [&](Options more, std::size_t count) {
    Options all = {{"--model", "llama-3.1-8b"}, {"--accelerator", "h100-sxm"}};
    all.insert(all.end(), more.begin(), more.end());
    return mistakes(t.path(), all, count);
  };
  EXPECT_TRUE(holds(said({{"--block-size", "0"}}, 1), "1 to 4096"));
  EXPECT_TRUE(holds(said({{"--watermark", "0.9"}}, 1), "0 to 0.5"));
  EXPECT_TRUE(holds(said({{"--speculate", "4:0.7:0.05:0"}}, 1), "OFF-ABOVE"));
  EXPECT_TRUE(holds(said({{"--speculate-adaptive", "true"}}, 1), "add --speculate"));
  EXPECT_TRUE(holds(said({{"--max-cpu-loras", "8"}}, 1), "add --max-loras"));
  EXPECT_TRUE(holds(said({{"--max-cpu-loras", "2"}, {"--max-loras", "4"}}, 1), "4 at least"));
  EXPECT_TRUE(holds(said({{"--power-caps", "1h:500W"}}, 1), "begin with 0h:"));
  EXPECT_TRUE(holds(said({{"--power-caps", "0h:500W,0h:400W"}}, 1), "in order of time"));
  EXPECT_TRUE(holds(said({{"--power-caps", "0h"}}, 1), "FROM:LIMIT"));
  EXPECT_TRUE(holds(said({{"--power-caps", "0h:20W"}}, 1), "idle power"));
  EXPECT_TRUE(holds(said({{"--power-caps-every", "24h"}}, 1), "add --power-caps"));
  EXPECT_TRUE(holds(said({{"--power-caps", "0h:500W,2h:600W"}, {"--power-caps-every", "1h"}}, 1),
                    "begin again before"));
  EXPECT_TRUE(holds(said({{"--lose", "10s"}}, 1), "AT:REPLICA"));
  EXPECT_TRUE(holds(said({{"--lose", "10s:5"}, {"--replicas", "2"}}, 1), "no replica 5"));
  EXPECT_TRUE(holds(said({{"--offline-below", "5"}}, 1), "add --offline"));
  EXPECT_TRUE(holds(said({{"--autoscale-idle", "5"}}, 1), "add --autoscale"));
  EXPECT_TRUE(
      holds(said({{"--static", "true"}, {"--long-prefill-token-threshold", "64"}}, 1), "--static"));
}

}  // namespace
}  // namespace headroom::api
