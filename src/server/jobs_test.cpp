// The queue: order, bounds, stopping, forgetting.
#include "server/jobs.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace headroom::server {
namespace {

using namespace std::chrono_literals;

/// Works until it is let go, or asked to stop.
struct Latch {
  std::atomic<bool> open{false};
  Jobs::Work work(std::string result = "{}") {
    return [this, result](Progress& progress) {
      progress.begin("waiting", 10);
      while (!open && !progress.stop_asked()) std::this_thread::sleep_for(1ms);
      return Outcome{progress.stop_asked() ? 130 : 0, result};
    };
  }
};

JobState settle(Jobs& jobs, const std::string& id) {
  for (int i = 0; i < 5000; ++i) {
    const auto now = jobs.find(id);
    if (!now || ended(now->state)) return now ? now->state : JobState::failed;
    std::this_thread::sleep_for(1ms);
  }
  return JobState::queued;
}

TEST(Jobs, RunToTheirResult) {
  Jobs jobs{Limits{}};
  const auto good = jobs.submit("check", 1, [](Progress&) { return Outcome{1, "{\"a\": 1}"}; });
  const auto bad = jobs.submit("train", 1, [](Progress&) { return Outcome{2, "{}"}; });
  EXPECT_EQ(settle(jobs, *good), JobState::done);
  EXPECT_EQ(settle(jobs, *bad), JobState::failed);
  EXPECT_EQ(jobs.find(*good)->outcome->result, "{\"a\": 1}");
  EXPECT_EQ(jobs.find(*bad)->verb, "train");
  EXPECT_EQ(jobs.all().size(), 2u);
  for (const char* id : {"", "0", "3", "-1", "1x", " 1", "99999999999999999999999"})
    EXPECT_FALSE(jobs.find(id)) << id;
}

TEST(Jobs, TwoAtATimeAndTheRestWaits) {
  Latch gate;
  Jobs jobs{Limits{}};
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(*jobs.submit("train", 1, gate.work()));
  std::this_thread::sleep_for(50ms);
  int running = 0, queued = 0;
  for (const auto& job : jobs.all())
    running += job.state == JobState::running, queued += job.state == JobState::queued;
  EXPECT_EQ(running, 2);
  EXPECT_EQ(queued, 3);
  EXPECT_EQ(jobs.find(ids[0])->stage, "waiting");
  EXPECT_EQ(jobs.find(ids[0])->total, 10u);
  gate.open = true;
  for (const auto& id : ids) EXPECT_EQ(settle(jobs, id), JobState::done);
}

TEST(Jobs, StopWhereTheyAre) {
  Latch gate;
  Jobs jobs{Limits{.jobs_running = 1}};
  const auto first = *jobs.submit("train", 1, gate.work());
  const auto second = *jobs.submit("train", 1, gate.work());
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(jobs.ask_stop(second));  // it waits: stopped at once
  EXPECT_EQ(jobs.find(second)->state, JobState::stopped);
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_TRUE(jobs.ask_stop(first));
  EXPECT_EQ(settle(jobs, first), JobState::stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 200ms);
  EXPECT_TRUE(jobs.ask_stop(first));  // again: nothing happens
  EXPECT_FALSE(jobs.ask_stop("77"));
}

TEST(Jobs, QueueIsBounded) {
  Latch gate;
  Jobs jobs{Limits{.jobs_running = 1, .jobs_waiting = 3, .waiting_bytes = 100}};
  ASSERT_TRUE(jobs.submit("a", 1, gate.work()));
  while (jobs.all().front().state != JobState::running) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(jobs.submit("a", 101, gate.work()));
  EXPECT_TRUE(jobs.submit("a", 60, gate.work()));
  EXPECT_FALSE(jobs.submit("a", 41, gate.work()));
  EXPECT_TRUE(jobs.submit("a", 1, gate.work()));
  EXPECT_TRUE(jobs.submit("a", 1, gate.work()));
  EXPECT_FALSE(jobs.submit("a", 1, gate.work()));
}

TEST(Jobs, OldResultsAreForgotten) {
  Jobs jobs{Limits{.jobs_running = 1, .jobs_kept = 3, .kept_bytes = 1000}};
  const auto sized = [](std::size_t n) {
    return [n](Progress&) { return Outcome{0, std::string(n, 'x')}; };
  };
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(*jobs.submit("a", 1, sized(10)));
    settle(jobs, ids.back());
  }
  EXPECT_FALSE(jobs.find(ids[0]));
  EXPECT_TRUE(jobs.find(ids[4]));
  EXPECT_EQ(jobs.all().size(), 3u);
  const auto large = *jobs.submit("a", 1, sized(990));
  settle(jobs, large);
  EXPECT_FALSE(jobs.find(ids[3]));
  EXPECT_TRUE(jobs.find(large));
  Jobs brief{Limits{.kept = 20ms}};
  const auto id = *brief.submit("a", 1, sized(1));
  EXPECT_EQ(settle(brief, id), JobState::done);
  std::this_thread::sleep_for(40ms);
  EXPECT_FALSE(brief.find(id));
}

TEST(Jobs, EndWithTheirQueue) {
  Latch gate;
  auto jobs = std::make_unique<Jobs>(Limits{.jobs_running = 1});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(jobs->submit("a", 1, gate.work()));
  const auto begin = std::chrono::steady_clock::now();
  jobs.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
}

}  // namespace
}  // namespace headroom::server
