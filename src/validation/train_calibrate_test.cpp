// Logs of training runs: what is read in each format, what counts as steady, and that a scalar
// put into synthetic logs comes out again.
#include "validation/train_calibrate.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "spec/reader.hpp"
#include "train/spec.hpp"

namespace headroom::validation {
namespace {

const auto& builtin = catalog::Catalog::builtin();

std::string megatron_line(int step, double ms) {
  return fmt::format(
      " [2026-01-01 10:00:00] iteration {:8}/     500 | consumed samples: {:12} | elapsed time per "
      "iteration (ms): {:.3f} | throughput per GPU (TFLOP/s/GPU): 150.1 | learning rate: 1.0E-04 | "
      "global batch size:    64 | lm loss: 9.1E+00 | loss scale: 1.0 |\n",
      step, step * 64, ms);
}

/// A file that goes away with the test.
class Temporary {
 public:
  explicit Temporary(const std::string& text) {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("headroom-log-{}-{}", getpid(), count++);
    std::ofstream(path_, std::ios::binary) << text;
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

CalibrateOptions gpt3(std::vector<std::string> logs) {
  CalibrateOptions o;
  o.logs = std::move(logs);
  for (const auto& [key, value] : {std::pair{"model", "gpt-3-175b"},
                                   {"hw", "dgx-a100"},
                                   {"gpus", "64"},
                                   {"tp", "8"},
                                   {"pp", "8"},
                                   {"vpp", "3"},
                                   {"mbs", "1"},
                                   {"seq", "2048"},
                                   {"prec", "bf16"}})
    o.job.set(key, value);
  return o;
}

/// The model's step without any scalar for these options, from a log of any time.
double modelled(const std::string& extra = {}) {
  const Temporary log(megatron_line(1, 1e4) + megatron_line(2, 1e4) + megatron_line(3, 1e4));
  const auto c = calibrate_train(gpt3({log.path() + extra}), builtin);
  EXPECT_TRUE(c) << (c ? "" : render(c.error()));
  return c ? c->logs[0].modelled_s : 1;
}

/// Thirty steps of `seconds` with 0.5 % of scatter, three slow ones before, one checkpoint.
std::string log_of(double seconds, std::uint64_t seed) {
  const Stream random(seed, "validation/log");
  std::string out = "launching...\n";
  for (int i = 1; i <= 33; ++i) {
    double ms = 1e3 * seconds * (1 + 0.005 * random.normal(std::uint64_t(i), 0));
    if (i <= 3) ms *= 6.0 / i;
    if (i == 20) ms *= 3;
    out += megatron_line(i, ms) + "saving something\n";
  }
  return out;
}

TEST(TrainLog, MegatronLinesGiveTimeBatchAndStep) {
  const auto log = parse_train_log("a.log", "x\n" + megatron_line(10, 1234.5));
  ASSERT_TRUE(log);
  ASSERT_EQ(log->steps.size(), 1u);
  EXPECT_EQ(log->format, LogFormat::megatron);
  EXPECT_EQ(log->steps[0].step, 10);
  EXPECT_EQ(log->steps[0].line, 2);
  EXPECT_NEAR(log->steps[0].seconds, 1.2345, 1e-9);
  EXPECT_EQ(log->global_batch, 64);
}

TEST(TrainLog, NemoLines) {
  const auto log = parse_train_log(
      "a.log",
      "Training epoch 0, iteration 9/99 | lr: 1e-4 | global_batch_size: 128 | global_step: 9 | "
      "reduced_train_loss: 11.0 | train_step_timing in s: 5.432 | consumed_samples: 1280\n"
      "Epoch 0: : 2%| 10/500 [01:00<50:00, v_num=, global_step=10.00, train_step_timing in "
      "s=5.5]\n");
  ASSERT_TRUE(log);
  ASSERT_EQ(log->steps.size(), 2u);
  EXPECT_NEAR(log->steps[0].seconds, 5.432, 1e-9);
  EXPECT_NEAR(log->steps[1].seconds, 5.5, 1e-9);
  EXPECT_EQ(log->steps[0].step, 9);
  EXPECT_EQ(log->global_batch, 128);
}

TEST(TrainLog, TorchtitanLinesWithColours) {
  const auto log = parse_train_log(
      "a.log",
      "[rank0]:2025-06-01 10:00:00,000 - root - INFO - \x1b[31mstep: 10  \x1b[32mloss:  7.0312  "
      "\x1b[38;2;180;60;0mmemory: 45.20GiB(47.58%)  \x1b[34mtps: 5,762  \x1b[36mtflops: 333.10  "
      "\x1b[35mmfu: 33.68%\x1b[39m\n");
  ASSERT_TRUE(log);
  ASSERT_EQ(log->steps.size(), 1u);
  EXPECT_EQ(log->format, LogFormat::torchtitan);
  EXPECT_EQ(log->steps[0].step, 10);
  EXPECT_DOUBLE_EQ(log->steps[0].tokens_per_gpu, 5762);
  EXPECT_NEAR(log->steps[0].memory_bytes, 45.20 * 1024 * 1024 * 1024, 1);
}

TEST(TrainLog, UnreadableLogsSayWhereAndWhatIsExpected) {
  const auto none = parse_train_log("a.log", "hello\nworld\n");
  ASSERT_FALSE(none);
  EXPECT_NE(render(none.error()).find("no step among 2 lines"), std::string::npos);
  EXPECT_NE(render(none.error()).find("torchtitan"), std::string::npos);
  const auto broken =
      parse_train_log("a.log", "\n iteration 1/2 | elapsed time per iteration (ms): nan |\n");
  ASSERT_FALSE(broken);
  EXPECT_NE(render(broken.error()).find("a.log:2"), std::string::npos);
  EXPECT_NE(render(broken.error()).find("is no time"), std::string::npos);
  EXPECT_FALSE(read_train_log("/nowhere/x.log"));
  EXPECT_FALSE(read_train_log("/"));
  // One bad line among good ones is a remark.
  const auto mixed =
      parse_train_log("a.log", megatron_line(1, 10) + "| elapsed time per iteration (ms): -3 |\n");
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->steps.size(), 1u);
  ASSERT_EQ(mixed->remarks.size(), 1u);
  EXPECT_NE(mixed->remarks[0].find("a.log:2"), std::string::npos);
}

TEST(TrainLog, MutatedLogsNeverBreakAnything) {
  const auto good = log_of(10, 1) + "step: 1 loss: 2 memory: 1.5GiB(2%) tps: 1,000 mfu: 2%\n";
  const Stream random(2, "validation/mutate-log");
  for (std::uint64_t k = 0; k < 300; ++k) {
    std::string text = good;
    for (std::uint64_t e = 0; e < 40; ++e) {
      const auto at = std::size_t(random.uniform(k, 2 * e) * double(text.size()));
      text[at] = "0.,:|\n\x1b[ eE-+/"[std::size_t(random.uniform(k, 2 * e + 1) * 14)];
    }
    const auto log = parse_train_log("x", text);
    if (!log) continue;
    for (const auto& s : log->steps) EXPECT_GT(s.seconds + s.tokens_per_gpu, 0);
  }
}

TEST(Steady, WarmUpAndOutliersGo) {
  std::vector<double> all{60, 12, 11};
  for (int i = 0; i < 20; ++i) all.push_back(10 + 0.01 * (i % 5));
  all.push_back(25);
  const auto s = steady(all);
  EXPECT_EQ(s.warm_up, 3);
  EXPECT_EQ(s.outliers, 1);
  EXPECT_EQ(s.seconds.size(), 20u);
  EXPECT_NEAR(s.median, 10.02, 1e-9);
  EXPECT_LE(s.low, s.median);
  EXPECT_GE(s.high, s.median);
  EXPECT_GE(s.low, 10);
}

TEST(Steady, EvenStepsAreAllUsed) {
  const auto s = steady({5, 5, 5});
  EXPECT_EQ(s.seconds.size(), 3u);
  EXPECT_EQ(s.low, 5);
  EXPECT_EQ(s.high, 5);
  EXPECT_TRUE(steady({}).seconds.empty());
}

// The 95 % interval of the median holds it in about 95 of 100 logs.
TEST(Steady, TheMedianLiesInItsIntervalAsOftenAsPromised) {
  const Stream random(3, "validation/median");
  int held = 0;
  constexpr int logs = 400;
  for (std::uint64_t k = 0; k < logs; ++k) {
    std::vector<double> s;
    for (std::uint64_t i = 0; i < 25; ++i) s.push_back(10 + 0.05 * random.normal(k, i));
    const auto one = steady(s);
    held += one.low <= 10 && 10 <= one.high ? 1 : 0;
  }
  EXPECT_GT(held, 0.91 * logs);
  EXPECT_LT(held, logs);
}

TEST(CalibrateTrain, AKnownScalarComesOutAgain) {
  for (const double scalar : {0.6, 0.85, 1.1}) {
    const Temporary log(log_of(modelled() / scalar, 7));
    const auto c = calibrate_train(gpt3({log.path()}), builtin);
    ASSERT_TRUE(c) << render(c.error());
    EXPECT_NEAR(c->likely, scalar, 0.003 * scalar);
    EXPECT_EQ(c->logs[0].steps.warm_up, 3);
    EXPECT_EQ(c->logs[0].steps.outliers, 1);
    EXPECT_LT(c->low, c->likely);
    EXPECT_GT(c->high, c->likely);
    EXPECT_LE(c->median_low, scalar * 1.003);
    EXPECT_GE(c->median_high, scalar * 0.997);
    // A few steps of one configuration are sharper than what they say of another.
    EXPECT_LT(c->median_high - c->median_low, c->high - c->low);
  }
}

TEST(CalibrateTrain, SeveralConfigurationsPredictEachOther) {
  const std::string other = "@pp=4,vpp=4,gpus=32";
  const double a = modelled(), b = modelled(other);
  EXPECT_NE(a, b);
  const Temporary one(log_of(a / 0.8, 1)), two(log_of(b / 0.8, 2)), three(log_of(a / 0.9, 3));
  const auto same = calibrate_train(gpt3({one.path(), two.path() + other}), builtin);
  ASSERT_TRUE(same) << render(same.error());
  EXPECT_NEAR(same->likely, 0.8, 0.004);
  for (const auto& l : same->logs) EXPECT_NEAR(l.left_out_error, 0, 0.01);
  const auto apart = calibrate_train(gpt3({one.path(), two.path() + other, three.path()}), builtin);
  ASSERT_TRUE(apart);
  EXPECT_NEAR(apart->likely, 0.8, 0.004);
  EXPECT_NEAR(apart->logs[2].left_out_error, 0.9 / 0.8 - 1, 0.02);
}

TEST(CalibrateTrain, TorchtitanNeedsTheBatchAndUsesIt) {
  std::string text;
  for (int i = 1; i <= 12; ++i)
    text += fmt::format("step: {} loss: 7 memory: 45.2GiB(47%) tps: 6,000 mfu: 33%\n", i);
  const Temporary log(text);
  CalibrateOptions o;
  o.logs = {log.path()};
  for (const auto& [key, value] : {std::pair{"model", "llama-3-8b"},
                                   {"hw", "h100-sxm"},
                                   {"gpus", "8"},
                                   {"mbs", "2"},
                                   {"seq", "8192"},
                                   {"zero", "3"}})
    o.job.set(key, value);
  const auto without = calibrate_train(o, builtin);
  ASSERT_FALSE(without);
  EXPECT_NE(render(without.error()).find("gbs not given"), std::string::npos);
  o.job.set("gbs", "16");
  const auto with = calibrate_train(o, builtin);
  ASSERT_TRUE(with) << render(with.error());
  EXPECT_NEAR(with->logs[0].steps.median, 16 * 8192 / (6000.0 * 8), 1e-6);
  EXPECT_EQ(with->logs[0].software, "torchtitan");
}

TEST(CalibrateTrain, WhatLooksWrongIsSaid) {
  const Temporary log(log_of(1e-2 * modelled(), 1));
  auto o = gpt3({log.path()});
  o.job.set("gbs", "128");
  const auto c = calibrate_train(o, builtin);
  ASSERT_TRUE(c);
  ASSERT_EQ(c->logs[0].doubts.size(), 2u);
  EXPECT_NE(c->logs[0].doubts[0].find("batch of 64 sequences, the job says 128"),
            std::string::npos);
  EXPECT_NE(to_text(*c).find("hardly possible"), std::string::npos);
  EXPECT_NEAR(c->likely, 100, 1);  // the log's batch, 64, was used
}

TEST(CalibrateTrain, MistakesAreNamedAllAtOnce) {
  const Temporary log(log_of(10, 1)), empty("nothing here\n");
  const auto c = calibrate_train(
      gpt3({log.path() + "@tpp=4", empty.path(), log.path() + "@tp=5,gpus=40", "/nowhere"}),
      builtin);
  ASSERT_FALSE(c);
  const auto text = render(c.error());
  EXPECT_NE(text.find("did you mean"), std::string::npos) << text;
  EXPECT_NE(text.find("no step among"), std::string::npos) << text;
  EXPECT_NE(text.find("tp 5"), std::string::npos) << text;
  EXPECT_NE(text.find("/nowhere"), std::string::npos) << text;
  auto o = gpt3({log.path()});
  o.framework = "megatron-cor";
  EXPECT_NE(render(calibrate_train(o, builtin).error()).find("megatron-core"), std::string::npos);
  const Temporary two(megatron_line(1, 10) + megatron_line(2, 10));
  EXPECT_NE(render(calibrate_train(gpt3({two.path()}), builtin).error()).find("at least 3"),
            std::string::npos);
}

TEST(CalibrateTrain, TheLinesToPasteAreReadByTheScenario) {
  const Temporary log(log_of(12, 1));
  const auto c = calibrate_train(gpt3({log.path()}), builtin);
  ASSERT_TRUE(c);
  Diagnostics mistakes;
  const auto document = spec::parse_yaml("paste.yaml", "model: x\n" + yaml_lines(*c), mistakes);
  ASSERT_TRUE(document);
  train::JobSpec job;
  spec::ReadContext context;
  context.default_source = assumed("test");
  EXPECT_TRUE(spec::read(document->root, job, context, mistakes)) << render(mistakes);
  EXPECT_NEAR(job.efficiency.software.likely, c->likely, 5e-4);
  EXPECT_NEAR(job.efficiency.software.low, c->low, 5e-4);
  const auto j = nlohmann::json::parse(to_json(*c));
  EXPECT_NEAR(j["software"]["likely"].get<double>(), c->likely, 1e-12);
  EXPECT_EQ(j["configurations"][0]["warm_up"], 3);
  EXPECT_TRUE(j["configurations"][0]["leave_one_out_error"].is_null());
}

}  // namespace
}  // namespace headroom::validation
