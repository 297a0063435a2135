#include "serving/engine_cache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "serving/engine_gaps.hpp"
#include "serving/engine_lists.hpp"

namespace headroom::serving {
namespace {

/// Prompts named by hashes of 64 tokens: four blocks of 16 each.
struct Named {
  std::vector<std::uint64_t> keys;
  std::int32_t tokens;
  Share share() const {
    return {.keys = keys.data(),
            .count = static_cast<std::uint32_t>(keys.size()),
            .stride = 64,
            .tokens = tokens};
  }
};

/// A request that reads its whole prompt and holds what it needs.
struct Guest {
  Holding holding;
  std::int64_t held = 0;
  std::int32_t found = 0;

  void enter(KvCache& cache, const Named& prompt) {
    const auto f = cache.find(prompt.share(), (prompt.tokens - 1) / 16);
    found = f.blocks;
    cache.hold(holding, prompt.share(), f);
    held = cache.blocks_for(prompt.tokens);
    cache.take(held - f.blocks);
    cache.publish(holding, prompt.share(), prompt.tokens / 16);
  }
  void leave(KvCache& cache) {
    cache.release(holding, held);
    held = 0;
  }
};

std::int32_t found_now(const KvCache& cache, const Named& prompt) {
  return cache.find(prompt.share(), (prompt.tokens - 1) / 16).blocks;
}

// 200 tokens are 12 full blocks and a part. A second request with the same first 128 tokens finds
// 8 blocks, and while both run the 8 are held once.
TEST(KvCache, CommonBeginningsAreHeldOnce) {
  KvCache cache(100, 16, true);
  Guest a, b;
  a.enter(cache, {{1, 2, 3, 4}, 200});
  EXPECT_EQ(a.found, 0);
  EXPECT_EQ(cache.used(), 13);
  b.enter(cache, {{1, 2, 9, 8}, 200});
  EXPECT_EQ(b.found, 8);
  EXPECT_EQ(cache.used(), 13 + 5);
  a.leave(cache);
  EXPECT_EQ(cache.used(), 13);
  b.leave(cache);
  EXPECT_EQ(cache.used(), 0);
  EXPECT_EQ(cache.audit(), "");
}

// A prompt of exactly 8 blocks that is cached whole still reads its last block: the last token's
// logits are needed, and caches are of whole blocks.
TEST(KvCache, TheLastTokenIsAlwaysComputed) {
  KvCache cache(100, 16, true);
  const Named prompt{{1, 2}, 128};
  Guest a, b;
  a.enter(cache, prompt);
  a.leave(cache);
  b.enter(cache, prompt);
  EXPECT_EQ(b.found, 7);
  b.leave(cache);
  EXPECT_EQ(cache.used(), 0);
  EXPECT_EQ(cache.audit(), "");
}

// Ten blocks; A (4 blocks) leaves before B (4). C needs 6: the 2 that were never used and A's 4
// go, in that order, and B's stay.
TEST(KvCache, LeastRecentlyUsedGoesFirst) {
  KvCache cache(10, 16, true);
  const Named a{{1}, 65}, b{{2}, 65};
  Guest x, y, z;
  x.enter(cache, a);  // 5 blocks, one of them part of nothing
  y.enter(cache, b);
  x.leave(cache);
  y.leave(cache);
  EXPECT_EQ(found_now(cache, a), 4);
  z.enter(cache, {{3}, 80});  // 5 blocks: a's anonymous one and a's 4
  EXPECT_EQ(found_now(cache, a), 0);
  EXPECT_EQ(found_now(cache, b), 4);
  z.leave(cache);
  EXPECT_EQ(cache.audit(), "");
}

// Using blocks again makes them recent.
TEST(KvCache, AHitMakesBlocksRecent) {
  KvCache cache(10, 16, true);
  const Named a{{1}, 65}, b{{2}, 65};
  Guest x, y, again, z;
  x.enter(cache, a);
  y.enter(cache, b);
  x.leave(cache);
  y.leave(cache);
  again.enter(cache, a);
  EXPECT_EQ(again.found, 4);
  again.leave(cache);
  z.enter(cache, {{3}, 80});
  EXPECT_EQ(found_now(cache, a), 4);
  EXPECT_EQ(found_now(cache, b), 0);
  z.leave(cache);
}

// Evicted from the tail: a shorter beginning stays useful.
TEST(KvCache, TailsAreEvictedBeforeHeads) {
  KvCache cache(13, 16, true);
  const Named a{{1, 2, 3}, 193};  // 12 full blocks, one part
  Guest x, z;
  x.enter(cache, a);
  x.leave(cache);
  z.enter(cache, {{7}, 48});  // 3 blocks: the part, and two of the last node
  EXPECT_EQ(found_now(cache, a), 10);
  z.leave(cache);
  EXPECT_EQ(cache.audit(), "");
}

TEST(KvCache, WithoutPrefixCacheNothingIsFound) {
  KvCache cache(100, 16, false);
  Guest a, b;
  a.enter(cache, {{1, 2}, 100});
  a.leave(cache);
  b.enter(cache, {{1, 2}, 100});
  EXPECT_EQ(b.found, 0);
  b.leave(cache);
  EXPECT_EQ(cache.used(), 0);
}

// Adapters do not share: their keys and values differ.
TEST(KvCache, SaltTellsAdaptersApart) {
  KvCache cache(100, 16, true);
  const Named prompt{{1, 2}, 100};
  Guest a;
  a.enter(cache, prompt);
  Share other = prompt.share();
  other.salt = 5;
  EXPECT_EQ(cache.find(other, 6).blocks, 0);
  EXPECT_EQ(cache.find(prompt.share(), 6).blocks, 6);
  a.leave(cache);
}

// Eight blocks on the GPU, six in host memory, 100 on disk. A's node of 4 blocks is pushed down,
// first to the host, then on to disk, and each tier finds the part that it holds.
TEST(KvCache, EvictedBlocksGoDownTierByTier) {
  KvCache cache(8, 16, true, 6, 100);
  const Named a{{1}, 65};
  Guest x, y, z;
  x.enter(cache, a);
  x.leave(cache);             // queue: 3 blank, 1 anonymous, 4 of a
  y.enter(cache, {{2}, 96});  // 6: the 3, the 1, and 2 of a's tail
  auto f = cache.find(a.share(), 4);
  EXPECT_EQ(f.blocks, 2);
  EXPECT_EQ(f.host, 2);
  EXPECT_EQ(f.disk, 0);
  EXPECT_EQ(cache.in_tier(1), 3);  // with the anonymous one
  y.leave(cache);
  z.enter(cache, {{3}, 128});  // all 8: 7 blocks come down on a host that has 3 of 6
  EXPECT_EQ(cache.in_tier(1), 6);
  EXPECT_GT(cache.in_tier(2), 0);
  f = cache.find(a.share(), 4);
  EXPECT_EQ(f.blocks, 0);
  EXPECT_EQ(f.host + f.disk, 4);
  z.leave(cache);
  EXPECT_EQ(cache.audit(), "");
}

TEST(KvCache, BlocksComputedAgainLeaveTheTiersBelow) {
  KvCache cache(8, 16, true, 20);
  const Named a{{1}, 65};
  Guest x, y, again;
  x.enter(cache, a);
  x.leave(cache);
  y.enter(cache, {{2}, 128});
  EXPECT_EQ(cache.find(a.share(), 4).host, 4);
  y.leave(cache);
  again.enter(cache, a);  // found in host memory only: computed here
  const auto f = cache.find(a.share(), 4);
  EXPECT_EQ(f.blocks, 4);
  EXPECT_EQ(f.host, 0);
  again.leave(cache);
  EXPECT_EQ(cache.audit(), "");
}

// What a preempted request computed is kept for it until others need the room.
TEST(KvCache, ParkedBlocksComeBack) {
  KvCache cache(10, 16, true);
  Holding holding;
  cache.take(6);
  const auto parked = cache.release(holding, 6, 5);
  EXPECT_EQ(cache.used(), 0);
  cache.take(7);  // 4 blank, 1 partial, 2 of the parked
  EXPECT_EQ(cache.parked(parked), 3);
  EXPECT_EQ(cache.unpark(parked, 5), 3);
  EXPECT_EQ(cache.free(), 0);
  Holding both;
  cache.release(both, 10);
  EXPECT_EQ(cache.free(), 10);
  EXPECT_EQ(cache.audit(), "");
}

// Any order of guests coming and going, with and without tiers, leaves the counts in agreement.
RC_GTEST_PROP(KvCache, CountsAgree, ()) {
  const int total = *rc::gen::inRange(12, 60);
  KvCache cache(total, 16, true, *rc::gen::inRange(0, 20), *rc::gen::inRange(0, 20));
  std::vector<Guest> inside;
  const int turns = *rc::gen::inRange(1, 60);
  for (int i = 0; i < turns; ++i) {
    const Named prompt{
        {*rc::gen::inRange<std::uint64_t>(1, 4), *rc::gen::inRange<std::uint64_t>(4, 7)},
        *rc::gen::inRange(1, 128)};
    const auto f = cache.find(prompt.share(), (prompt.tokens - 1) / 16);
    RC_ASSERT(f.blocks + f.host + f.disk <= (prompt.tokens - 1) / 16);
    if (cache.blocks_for(prompt.tokens) - f.blocks + f.queued <= cache.free()) {
      inside.emplace_back();
      inside.back().enter(cache, prompt);
    } else if (!inside.empty()) {
      inside.front().leave(cache);
      inside.erase(inside.begin());
    }
    RC_ASSERT(cache.audit() == "");
    RC_ASSERT(cache.free() >= 0);
  }
  for (auto& g : inside) g.leave(cache);
  RC_ASSERT(cache.used() == 0);
  RC_ASSERT(cache.audit() == "");
}

// Quantiles within 0.4 % of the sorted list's, and runs the same as their steps one by one.
TEST(Gaps, RunsEqualTheirSteps) {
  Gaps line, steps;
  line.add_line(0.010, 0.000013, 700, 5);
  for (int i = 0; i < 700; ++i) steps.add(0.010 + 0.000013 * i, 5);
  line.add_line(0.5, 0, 10, 2);
  for (int i = 0; i < 10; ++i) steps.add(0.5, 2);
  EXPECT_NEAR(line.mean_s(), steps.mean_s(), 1e-12);
  EXPECT_EQ(line.count(), steps.count());
  EXPECT_NEAR(line.largest_s(), 0.5, 1e-12);
  for (const double p : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_NEAR(line.quantile(p), 0.010 + 0.000013 * 700 * p * 3520 / 3500, 0.004 * 0.02);
    EXPECT_NEAR(line.quantile(p), steps.quantile(p), 1e-9);
  }
}

TEST(Gaps, AddingKeepsAll) {
  Gaps a, b;
  a.add(0.01, 3);
  b.add(0.04, 1);
  a.add(b);
  EXPECT_EQ(a.count(), 4);
  EXPECT_NEAR(a.mean_s(), 0.0175, 1e-12);
  EXPECT_NEAR(a.quantile(1), 0.04, 1e-12);
  EXPECT_NEAR(a.quantile(0.5), 0.01, 0.00004);
}

// Longest of the steps since a tick, against a search of the whole list.
RC_GTEST_PROP(LongestSince, EqualsASearch, ()) {
  const auto lengths = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 50));
  LongestSince longest;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    longest.add(static_cast<std::int64_t>(i) + 1, lengths[i]);
  }
  for (std::size_t from = 0; from <= lengths.size(); ++from) {
    int most = 0;
    for (std::size_t i = from; i < lengths.size(); ++i) most = std::max(most, lengths[i]);
    RC_ASSERT(longest.since(static_cast<std::int64_t>(from)) == most);
  }
}

}  // namespace
}  // namespace headroom::serving
