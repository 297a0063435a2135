// A fleet that changes: autoscaling with cold starts, prefix-aware routing, disaggregation,
// threads.
#include <gtest/gtest.h>

#include "serving/fleet_fixtures.hpp"

namespace headroom::serving {
namespace {

using fleet_test::deployment;
using fleet_test::poisson;
using fleet_test::pooled;
using fleet_test::skewed;

constexpr double cold_s = 8 + 5 + 4 + 3;

/// Quiet, a busy stretch from 100 s to 400 s, quiet again.
requests::Stream hump() {
  requests::Stream stream;
  double t = 0;
  const Stream random(5, "test.hump");
  for (std::uint64_t i = 0; t < 900; ++i) {
    t += random.exponential(t > 100 && t < 400 ? 1 / 60.0 : 1 / 4.0, i, 0);
    requests::Request r;
    r.arrival_s = t, r.prompt = 800, r.output = 150;
    stream.requests.push_back(r);
  }
  return stream;
}

Deployment scaling() {
  auto d = pooled(1);
  Pool& pool = d.pools[0];
  pool.engine.max_num_seqs = 40;
  pool.scales = true;
  pool.autoscale = {
      .by = ScaleBy::queue, .most = 12, .target = 0.7, .seats = 40, .stabilisation_s = 60};
  pool.loading = {
      .weight_bytes = 16e9, .client_rate = 2e9, .process_s = 5, .compile_s = 4, .capture_s = 3};
  return d;
}

TEST(Scaling, FollowsTheLoadAColdStartLate) {
  const auto stream = hump();
  const auto s = replay(stream, scaling()).summary;
  EXPECT_EQ(s.finished, stream.requests.size());
  double first_ask = 0, first_ready = 0, last_ready = 0;
  int most = 0, at_end = 0;
  for (const auto& e : s.scaling) {
    if (first_ask == 0 && e.coming > 0) first_ask = e.at_s;
    if (first_ready == 0 && e.ready > 1) first_ready = e.at_s;
    if (e.ready > most) most = e.ready, last_ready = e.at_s;
    at_end = e.ready;
  }
  EXPECT_GT(first_ask, 100);
  EXPECT_LT(first_ask, 100 + 2 * 15 + 1);
  EXPECT_NEAR(first_ready, first_ask + cold_s, 1e-6);
  EXPECT_GT(most, 2);
  EXPECT_LT(last_ready, 400);
  EXPECT_LE(at_end, 2);
  EXPECT_LT(s.replicas, most);
  EXPECT_GT(s.replicas, 1);
}

TEST(Scaling, FasterStartsLoseFewerSeconds) {
  const auto stream = hump();
  auto d = scaling();
  const auto slow = replay(stream, d).summary;
  d.pools[0].loading = {.process_s = 0.1, .compile_s = 0, .capture_s = 0};
  const auto fast = replay(stream, d).summary;
  EXPECT_LT(fast.ttft.p99, slow.ttft.p99);
  d.pools[0].scales = false;
  d.pools[0].replicas = 1;
  const auto none = replay(stream, d).summary;
  EXPECT_LT(slow.ttft.mean, none.ttft.mean);
}

TEST(Scaling, ManyLoadsShareTheStore) {
  const auto stream = hump();
  auto d = scaling();
  const auto alone = replay(stream, d).summary;
  d.pools[0].loading.aggregate_rate = 2e9;  // of the whole store
  const auto shared = replay(stream, d).summary;
  const auto ready = [](const Summary& s, int n) {
    for (const auto& e : s.scaling)
      if (e.ready >= n) return e.at_s;
    return 1e9;
  };
  EXPECT_GT(ready(shared, 3), ready(alone, 3) + 4);
}

TEST(Scaling, SleepsAtNightAndWakesForTheFirst) {
  requests::Stream stream = poisson(50, 10);
  const auto late = [&](double t) {
    requests::Request r;
    r.arrival_s = t, r.prompt = 100, r.output = 20;
    stream.requests.push_back(r);
  };
  late(2000);
  auto d = scaling();
  d.pools[0].autoscale.least = 0;
  d.pools[0].autoscale.idle_s = 120;
  const auto r = replay(stream, d);
  EXPECT_EQ(r.summary.finished, 51u);
  const double ttft = r.outcomes[50].ttft_s();
  EXPECT_GT(ttft, cold_s);
  EXPECT_LT(ttft, cold_s + 16);  // a decision's interval more
  EXPECT_LT(r.summary.replicas, 0.4);
}

TEST(Scaling, EndsThoughNobodyMayServe) {
  auto d = scaling();
  d.pools[0].replicas = 0;
  d.pools[0].autoscale.least = 0;
  d.pools[0].scales = false;
  const auto r = replay(poisson(20, 5), d);
  EXPECT_EQ(r.summary.lost, 20u);
}

/// Conversations whose turns repeat what was said: 64-token blocks, 12 users a prefix group apart.
requests::Stream conversations() {
  requests::Stream s;
  s.block_tokens = 64;
  const Stream random(2, "test.conversations");
  double t = 0;
  std::vector<int> turn(60, 0);
  for (std::uint64_t i = 0; i < 1500; ++i) {
    t += random.exponential(1 / 30.0, i, 0);
    const auto user = static_cast<std::size_t>(random.uniform(i, 1) * 60);
    const int blocks = 6 + 3 * (turn[user]++ % 12);
    requests::Request r;
    r.arrival_s = t, r.prompt = blocks * 64 + 20, r.output = 40;
    r.session = static_cast<std::uint32_t>(user);
    r.first_block = static_cast<std::uint32_t>(s.hashes.size());
    r.blocks = static_cast<std::uint32_t>(blocks);
    for (int b = 0; b < blocks; ++b)
      s.hashes.push_back(user * 1000 + static_cast<std::uint64_t>(b) + 1);
    s.requests.push_back(r);
  }
  return s;
}

TEST(PrefixRouting, FindsMoreOfEveryPrompt) {
  const auto stream = conversations();
  const auto run = [&](Routing routing) {
    auto d = deployment(6, routing);
    d.engine.kv_blocks = 2500;
    const auto s = replay(stream, d).summary;
    EXPECT_EQ(s.finished, stream.requests.size());
    return s;
  };
  const auto least = run(Routing::least_load), aware = run(Routing::prefix_aware);
  const auto session = run(Routing::session);
  EXPECT_GT(aware.cached_tokens, 1.2 * least.cached_tokens);
  EXPECT_GT(session.cached_tokens, 1.2 * least.cached_tokens);
  EXPECT_LT(aware.ttft.mean, least.ttft.mean);
}

TEST(Disaggregation, PromptsAndAnswersApart) {
  const auto stream = poisson(600, 12, 2000, 120);
  auto d = pooled(2);
  const auto together = replay(stream, d).summary;
  d.pools[0].replicas = 1;
  d.pools.push_back(d.pools[0]);
  d.pools[0].engine.role = Role::prefill;
  d.pools[1].engine.role = Role::decode;
  d.pools[0].engine.link = d.pools[1].engine.link = {.bits_s = 400e9, .latency_s = 20e-6};
  const auto r = replay(stream, d);
  const auto& apart = r.summary;
  EXPECT_EQ(apart.finished, 600u);
  EXPECT_EQ(apart.output_tokens, 600 * 120.0);
  EXPECT_EQ(apart.input_tokens, 600 * 2000.0);
  for (const auto& o : r.outcomes) {
    EXPECT_EQ(o.replica, 1);
    EXPECT_LT(o.arrival_s, o.first_token_s);
    EXPECT_LT(o.first_token_s, o.end_s);
  }
  // No prompt cuts into an answer: the gaps between tokens hardly differ.
  EXPECT_LT(apart.itl.p99, together.itl.p99);
  EXPECT_LT(apart.itl.p99 / apart.itl.p50, 1.5);
}

TEST(Disaggregation, ALostDecoderSendsItsRequestsBackToTheStart) {
  const auto stream = poisson(300, 10, 1000, 200);
  auto d = pooled(1);
  d.pools.push_back(d.pools[0]);
  d.pools[0].engine.role = Role::prefill;
  d.pools[1].engine.role = Role::decode;
  d.pools[1].replicas = 2;
  d.pools[1].failures.losses = {{.at_s = 10, .replica = 0, .repair_s = -1}};
  const auto s = replay(stream, d).summary;
  EXPECT_EQ(s.finished, 300u);
  EXPECT_GT(s.retried, 0u);
}

TEST(Threads, ChangeNoBit) {
  const auto stream = skewed(3000, 60);
  auto d = deployment(5, Routing::round_robin);
  const auto one = replay(stream, d);
  d.threads = 3;
  const auto three = replay(stream, d);
  EXPECT_EQ(one.summary.finished, 3000u);
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    EXPECT_EQ(one.outcomes[i].end_s, three.outcomes[i].end_s);
    EXPECT_EQ(one.outcomes[i].replica, i % 5);
  }
  EXPECT_EQ(one.summary.itl.mean, three.summary.itl.mean);
  EXPECT_EQ(one.summary.ttft.p99, three.summary.ttft.p99);
  EXPECT_EQ(one.summary.bill.it_j, three.summary.bill.it_j);
}

TEST(Threads, ApartIsTheSameAsInTheLoop) {
  const auto stream = skewed(1000, 40);
  auto d = deployment(3, Routing::round_robin);
  const auto apart = replay(stream, d);
  d.classes = {{.max_wait_s = 1e6}};  // a rule that never bites, so the loop takes over
  const auto loop = replay(stream, d);
  // The loop cuts runs of steps at every arrival, so sums are rounded in other places.
  for (std::size_t i = 0; i < stream.requests.size(); ++i)
    EXPECT_NEAR(apart.outcomes[i].end_s, loop.outcomes[i].end_s, 1e-12 * loop.outcomes[i].end_s);
  EXPECT_NEAR(apart.summary.busy, loop.summary.busy, 1e-12);
}

}  // namespace
}  // namespace headroom::serving
