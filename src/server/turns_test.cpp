// First come, first served, and no more at a time than may.
#include "server/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace headroom::server {
namespace {

using namespace std::chrono_literals;

TEST(Turns, SoManyAtATime) {
  Turns turns(3);
  std::atomic<int> now{0}, most{0}, got{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        const Turns::Turn turn(turns, 10s);
        if (!turn.got()) continue;
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {}
        std::this_thread::yield();
        --now, ++got;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(got, 800);
  const Turns::Turn a(turns, 0ms), b(turns, 0ms), c(turns, 0ms), none(turns, 5ms);
  EXPECT_TRUE(a.got() && b.got() && c.got());
  EXPECT_FALSE(none.got());
}

TEST(Turns, InTheOrderOfComing) {
  Turns turns(1);
  std::vector<int> order;  // written by who has the turn
  std::vector<std::thread> threads;
  {
    const Turns::Turn first(turns, 0ms);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const Turns::Turn turn(turns, 10s);
        order.push_back(i);
      });
      std::this_thread::sleep_for(20ms);
    }
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 8u);
}

}  // namespace
}  // namespace headroom::server
