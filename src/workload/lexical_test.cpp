// BM25: memory, core time and latency against the operating points they come from.
#include "workload/lexical.hpp"

#include <gtest/gtest.h>

namespace headroom::workload {
namespace {

constexpr double msmarco = 8.84e6;

TEST(Lexical, MemoryByHand) {
  // 100 M documents of 200 tokens: 20 billion occurrences, 20 to 40 GB at 1 to 2 bytes.
  EXPECT_NEAR(lexical_bytes({}, 100e6, 200 * token).in(gigabyte), 30, 1e-6);
  EXPECT_NEAR(lexical_bytes({.bytes_per_token = 3}, 100e6, 200 * token).in(gigabyte), 60, 1e-6);
  EXPECT_EQ(lexical_bytes({}, 0, 200 * token).si(), 0);
}

TEST(Lexical, CoreTimeOfTheMeasuredRuns) {
  EXPECT_NEAR(lexical_core_time({}, msmarco).get().in(millisecond), 8 / 1.5827, 0.5);
  // GOV2 with its four terms, a core three times as fast: 28 ms / 2.95.
  EXPECT_NEAR(lexical_core_time({.terms = 4}, 25.2e6).get().in(millisecond), 28 / 2.95, 0.6);
  EXPECT_NEAR(lexical_latency({}, msmarco).get().in(millisecond), 12, 2.5);
}

TEST(Lexical, GrowsWithTermsAndDocuments) {
  double before = 0;
  for (const double terms : {1.0, 2.0, 6.0, 20.0}) {
    const double now = lexical_core_time({.terms = terms}, 1e6).get().si();
    EXPECT_GT(now, before);
    before = now;
  }
  before = 0;
  for (const double n : {0.0, 1e5, 1e6, 1e8}) {
    const double now = lexical_latency({}, n).get().si();
    EXPECT_GT(now, before);
    before = now;
  }
  const auto range = lexical_latency({}, 1e7);
  EXPECT_LT(range.low, range.get().si());
  EXPECT_LT(range.get().si(), range.high);
}

}  // namespace
}  // namespace headroom::workload
