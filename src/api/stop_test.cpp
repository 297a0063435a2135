// Long work is watched and stopped through the facade.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "api/facility_availability.hpp"
#include "api/facility_transient.hpp"
#include "api/headroom.hpp"
#include "api/infer.hpp"
#include "api/replay.hpp"
#include "api/stoppable.hpp"
#include "api/train.hpp"

namespace headroom::api {
namespace {

using Clock = std::chrono::steady_clock;

std::string scenario(const char* name) {
  return std::string(HEADROOM_SOURCE_DIR "/scenarios/") + name;
}

/// What a question answers while `progress` watches it.
struct Question {
  const char* name;
  std::function<Diagnostics(Progress*)> ask;  ///< its mistakes; none: there was an answer
};

template <class T>
Diagnostics mistakes(const Result<T>& r) {
  return r ? Diagnostics{} : r.error();
}

Diagnostics long_replay(Progress* p) {
  ReplayRequest r;
  r.options = {{"--rate", "200/s"}, {"--duration", "30min"},     {"--input", "800"},
               {"--output", "200"}, {"--model", "llama-3.1-8b"}, {"--accelerator", "h100-sxm"},
               {"--replicas", "16"}};
  r.rows = false, r.progress = p;
  return mistakes(replay(r));
}

Diagnostics long_train(Progress* p) {
  TrainRequest r;
  r.options = {{"--model", "llama-3.1-405b"}, {"--system", "dgx-h100"}, {"--gpus", "16384"}};
  r.answer.exhaustive = true, r.answer.threads = 2, r.answer.progress = p;
  return mistakes(train(r));
}

Diagnostics long_infer(Progress* p) {
  InferRequest r;
  r.options = {{"--model", "llama-3.1-70b"}, {"--accelerator", "any"}, {"--rate", "2000/s"},
               {"--slo-ttft", "1s"},         {"--slo-tpot", "30ms"},   {"--precision", "bf16,fp8"}};
  r.answer.disaggregated = true, r.answer.threads = 2, r.answer.progress = p;
  r.answer.finalists = 20, r.answer.replay_requests = 1e6;
  return mistakes(infer(r));
}

Diagnostics long_availability(Progress* p) {
  FacilityRequest r{.file = scenario("nvl72-row.yaml")};
  r.progress = p;
  return mistakes(facility_availability(r, "10000000", 2));
}

Diagnostics long_year(Progress* p) {
  FacilityRequest r{.file = scenario("nvl72-row.yaml")};
  r.progress = p;
  return mistakes(facility(r));
}

const Question questions[] = {{"replay", long_replay},
                              {"train", long_train},
                              {"infer", long_infer},
                              {"availability", long_availability}};

class Stop : public testing::TestWithParam<Question> {};

TEST_P(Stop, IsAFailureThatSaysSo) {
  Progress p;
  p.ask_stop();
  EXPECT_TRUE(is_stop(GetParam().ask(&p)));
}

TEST_P(Stop, EndsTheWorkSoonAndToldHowFarItWas) {
  Progress p;
  Clock::time_point asked;
  std::thread somebody([&] {
    const auto until = Clock::now() + std::chrono::seconds(20);
    while (p.now().done == 0 && Clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    asked = Clock::now();
    p.ask_stop();
  });
  const auto failed = GetParam().ask(&p);
  const auto ended = Clock::now();
  somebody.join();
  EXPECT_TRUE(is_stop(failed));
  EXPECT_GT(p.now().done, 0u);
  EXPECT_NE(std::string(p.now().stage), "");
  // 200 ms is the bar (tests/cli/progress.py holds the program to it); a loaded machine gets more.
  EXPECT_LT(std::chrono::duration<double>(ended - asked).count(), 2.0);
}

INSTANTIATE_TEST_SUITE_P(Api, Stop, testing::ValuesIn(questions),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Watched, AnswersAreTheSame) {
  Progress p;
  Request plain;
  plain.file = scenario("llama3-405b.yaml");
  Request watched = plain;
  watched.progress = &p;
  EXPECT_EQ(report::json(*check(plain)), report::json(*check(watched)));
  EXPECT_TRUE(long_year(&p).empty());
  EXPECT_GT(p.now().stages, 0u);
}

TEST(Watched, MistakesAreNoStop) {
  Progress p;
  p.ask_stop();
  Request request;
  request.file = scenario("there-is-none.yaml"), request.progress = &p;
  const auto none = check(request);
  ASSERT_FALSE(none);
  EXPECT_FALSE(is_stop(none.error()));
}

}  // namespace
}  // namespace headroom::api
