#include "base/progress.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace headroom {
namespace {

TEST(Progress, CountsTheStageThatIsOutermost) {
  Progress p;
  EXPECT_EQ(p.now().stages, 0u);
  {
    Stage outer(&p, "changes", 3);
    outer.advance();
    {
      Stage inner(&p, "plans", 100);
      inner.advance(40);
      inner.to(90);
    }
    outer.advance();
    EXPECT_EQ(std::string(p.now().stage), "changes");
    EXPECT_EQ(p.now().done, 2u);
    EXPECT_EQ(p.now().total, 3u);
  }
  Stage next(&p, "plans", 7);
  next.to(5);
  EXPECT_EQ(std::string(p.now().stage), "plans");
  EXPECT_EQ(p.now().done, 5u);
  EXPECT_EQ(p.now().stages, 2u);
}

TEST(Progress, InnerStagesHearTheWishToStop) {
  Progress p;
  Stage outer(&p, "changes", 0);
  Stage inner(&p, "plans", 0);
  inner.advance();
  p.ask_stop();
  EXPECT_TRUE(inner.stop_asked());
  EXPECT_NO_THROW(inner.count());
  EXPECT_THROW(inner.advance(), Stopped);
  EXPECT_THROW(outer.check(), Stopped);
}

TEST(Progress, ThrowingLeavesTheStage) {
  Progress p;
  p.ask_stop();
  EXPECT_THROW(
      {
        Stage s(&p, "plans", 1);
        s.advance();
      },
      Stopped);
  Stage again(&p, "hours", 2);
  EXPECT_EQ(std::string(p.now().stage), "hours");
}

TEST(Progress, NobodyWatches) {
  Stage s(nullptr, "plans", 1);
  s.advance(), s.to(1), s.check();
  EXPECT_FALSE(s.stop_asked());
}

TEST(Progress, ThreadsCountTogether) {
  Progress p;
  Stage s(&p, "histories", 4000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) s.count();
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(p.now().done, 4000u);
}

}  // namespace
}  // namespace headroom
