// The fleet: nothing is lost on the way, routing does what it promises, failures, gateway,
// regions, closed loops.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <numeric>

#include "serving/fleet_fixtures.hpp"

namespace headroom::serving {
namespace {

using fleet_test::deployment;
using fleet_test::poisson;
using fleet_test::pooled;
using fleet_test::skewed;

/// Every request has one final word, tokens add up, times are in order.
void expect_conserved(const requests::Stream& stream, const Replay& r) {
  const Summary& s = r.summary;
  EXPECT_EQ(s.requests, stream.requests.size());
  EXPECT_EQ(s.finished + s.rejected + s.lost + s.in_flight, s.requests);
  ASSERT_EQ(r.outcomes.size(), stream.requests.size());
  double input = 0, output = 0;
  std::size_t finished = 0;
  for (std::size_t i = 0; i < r.outcomes.size(); ++i) {
    const Outcome& o = r.outcomes[i];
    EXPECT_EQ(o.request, i);
    if (o.fate != Fate::finished) continue;
    ++finished;
    input += stream.requests[i].prompt;
    output += stream.requests[i].output;
    EXPECT_EQ(o.output, stream.requests[i].output);
    EXPECT_LE(o.arrival_s, o.scheduled_s);
    EXPECT_LT(o.scheduled_s, o.first_token_s);
    EXPECT_LE(o.first_token_s, o.end_s);
  }
  EXPECT_EQ(finished, s.finished);
  EXPECT_EQ(input, s.input_tokens);
  EXPECT_EQ(output, s.output_tokens);
}

TEST(Fleet, EveryRoutingKeepsEveryRequest) {
  const auto stream = skewed(600, 20);
  for (int k = 0; k < 6; ++k) {
    SCOPED_TRACE(routing_names()[std::size_t(k)]);
    const auto r = replay(stream, deployment(4, Routing(k)));
    expect_conserved(stream, r);
    EXPECT_EQ(r.summary.finished, 600u);
    std::map<int, int> by_replica;
    for (const auto& o : r.outcomes) ++by_replica[o.replica];
    EXPECT_EQ(by_replica.size(), 4u);
  }
}

TEST(Fleet, RoundRobinTakesTurns) {
  const auto stream = poisson(40, 10);
  const auto r = replay(stream, deployment(4, Routing::round_robin));
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(r.outcomes[i].replica, i % 4);
}

TEST(Fleet, LeastLoadBeatsRoundRobinWhereLengthsDiffer) {
  const auto stream = skewed(3000, 45);
  const auto run = [&](Routing routing) {
    auto d = deployment(4, routing);
    d.engine.max_num_seqs = 20;
    return replay(stream, d).summary;
  };
  const auto turns = run(Routing::round_robin), least = run(Routing::least_load);
  const auto two = run(Routing::two_choices), random = run(Routing::random);
  EXPECT_LT(least.ttft.p99, 0.7 * turns.ttft.p99);
  EXPECT_LT(least.ttft.mean, turns.ttft.mean);
  EXPECT_LT(two.ttft.p99, 0.7 * random.ttft.p99);
  EXPECT_LE(least.ttft.mean, two.ttft.mean);
}

TEST(Fleet, MoreReplicasServeFaster) {
  const auto stream = poisson(1500, 60);
  double before = 1e9;
  for (const int n : {1, 2, 4, 8}) {
    const auto s = replay(stream, deployment(n)).summary;
    EXPECT_LT(s.e2e.mean, before);
    before = s.e2e.mean;
  }
}

TEST(Fleet, SameSeedSameBits) {
  const auto stream = skewed(800, 40);
  auto d = pooled(3);
  d.routing = Routing::two_choices;
  d.pools[0].failures = {.mtbf_s = 20, .mttr_s = 2};
  const auto a = replay(stream, d), b = replay(stream, d);
  ASSERT_EQ(a.outcomes.size(), b.outcomes.size());
  for (std::size_t i = 0; i < a.outcomes.size(); ++i) {
    EXPECT_EQ(a.outcomes[i].end_s, b.outcomes[i].end_s);
    EXPECT_EQ(a.outcomes[i].replica, b.outcomes[i].replica);
  }
  d.seed = 2;
  const auto c = replay(stream, d);
  EXPECT_NE(a.summary.e2e.mean, c.summary.e2e.mean);
}

TEST(Fleet, HistogramsTellWhatOutcomesTell) {
  const auto stream = skewed(2000, 40);
  auto d = deployment(3);
  const auto exact = replay(stream, d).summary;
  d.keep_outcomes = false;
  const auto r = replay(stream, d);
  EXPECT_TRUE(r.outcomes.empty());
  const auto& h = r.summary;
  EXPECT_EQ(exact.finished, h.finished);
  EXPECT_NEAR(h.ttft.mean / exact.ttft.mean, 1, 1e-9);
  EXPECT_NEAR(h.ttft.p50 / exact.ttft.p50, 1, 0.005);
  EXPECT_NEAR(h.e2e.p90 / exact.e2e.p90, 1, 0.005);
  EXPECT_NEAR(h.tpot.p50 / exact.tpot.p50, 1, 0.005);
  EXPECT_EQ(h.attained, exact.attained);
}

TEST(Fleet, SummaryFollowsItsDefinitions) {
  const auto stream = poisson(300, 10);
  auto d = deployment(1);
  const double slo = replay(stream, d).summary.ttft.p90;
  const auto r = replay(stream, d, {.ttft_s = slo});
  double ttft = 0, tpot = 0, good = 0, gap = 0, gaps = 0;
  for (const auto& o : r.outcomes) {
    ttft += o.ttft_s(), tpot += o.tpot_s(), good += o.ttft_s() <= slo ? 1 : 0;
    gap += o.end_s - o.first_token_s, gaps += o.output - 1;
  }
  EXPECT_NEAR(r.summary.ttft.mean, ttft / 300, 1e-12);
  EXPECT_NEAR(r.summary.tpot.mean, tpot / 300, 1e-12);
  EXPECT_NEAR(r.summary.attained, good / 300, 1e-12);
  EXPECT_NEAR(good, 270, 1);
  EXPECT_NEAR(r.summary.itl.mean, gap / gaps, 1e-3 * gap / gaps);
  d.definitions = {TtftFrom::scheduled, TpotOver::including_first};
  const auto other = replay(stream, d).summary;
  EXPECT_LT(other.ttft.mean, r.summary.ttft.mean);
  EXPECT_NEAR(other.tpot.mean, r.summary.e2e.mean / 100, 1e-9);
}

TEST(Fleet, SharesOfTimeAddUp) {
  const auto s = replay(skewed(1000, 30), deployment(2)).summary;
  const double busy_s = s.busy * s.replicas * s.span_s;
  EXPECT_NEAR(s.split.total() / busy_s, 1, 1e-9);
  const GpuTime& t = s.pools[0].gpu_time;
  EXPECT_NEAR(t.total() / (s.span_s * 2), 1, 1e-9);
  EXPECT_GT(t.prefill_s, 0);
  EXPECT_GT(t.decode_s, t.prefill_s);
}

// --- Overload -------------------------------------------------------------------------------

TEST(Fleet, OverloadIsSeenAndOnlyThere) {
  EXPECT_FALSE(replay(poisson(4000, 20), deployment(1)).summary.overloaded);
  EXPECT_TRUE(replay(poisson(4000, 400), deployment(1)).summary.overloaded);
  EXPECT_FALSE(replay(poisson(4000, 20, 500, 100, 7), deployment(1)).summary.overloaded);
}

// --- Failures -------------------------------------------------------------------------------

TEST(Failures, LostRequestsAreTriedAgainElsewhere) {
  const auto stream = poisson(400, 20);
  auto d = pooled(2);
  d.pools[0].failures.losses = {{.at_s = 8, .replica = 0, .repair_s = -1}};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_EQ(r.summary.finished, 400u);
  EXPECT_GT(r.summary.retried, 5u);
  EXPECT_EQ(r.summary.pools[0].failures, 1);
  const auto calm = replay(stream, pooled(2));
  EXPECT_GT(r.summary.ttft.worst, calm.summary.ttft.worst);
  for (const auto& o : r.outcomes)
    if (o.arrival_s > 8.5) { EXPECT_EQ(o.replica, 1); }
}

TEST(Failures, WithoutRetriesTheyAreLost) {
  const auto stream = poisson(400, 20);
  auto d = pooled(2);
  d.retries = 0;
  d.pools[0].failures.losses = {{.at_s = 8, .replica = 0, .repair_s = -1}};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_GT(r.summary.lost, 5u);
  EXPECT_EQ(r.summary.finished + r.summary.lost, 400u);
}

TEST(Failures, ARepairedReplicaLoadsFirstAndServesAgain) {
  const auto stream = poisson(2000, 20);
  auto d = pooled(1);
  d.pools[0].loading = {
      .weight_bytes = 16e9, .client_rate = 2e9, .process_s = 5, .compile_s = 4, .capture_s = 3};
  d.pools[0].failures.losses = {{.at_s = 8, .replica = 0, .repair_s = 10}};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_EQ(r.summary.finished, 2000u);
  const double back_s = 8 + 10 + 8 + 5 + 4 + 3;
  double first = 1e9;
  for (const auto& o : r.outcomes)
    if (o.scheduled_s > 8.5) first = std::min(first, o.scheduled_s);
  EXPECT_NEAR(first, back_s, 1e-6);
}

TEST(Failures, AllGoneForGoodLeavesTheRestLost) {
  const auto stream = poisson(200, 20);
  auto d = pooled(1);
  d.pools[0].failures.losses = {{.at_s = 4, .replica = 0, .repair_s = -1}};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_GT(r.summary.lost, 50u);
  EXPECT_GT(r.summary.finished, 20u);
}

TEST(Failures, RateFollowsTheMtbf) {
  const auto stream = poisson(12000, 20);  // ten minutes
  auto d = pooled(8);
  d.pools[0].failures = {.mtbf_s = 120, .mttr_s = 5};
  d.pools[0].loading = {.process_s = 0, .compile_s = 0, .capture_s = 0};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  const double expected = 8 * 600 / 125.0;
  EXPECT_NEAR(r.summary.pools[0].failures, expected, 3 * std::sqrt(expected));
}

// --- Gateway --------------------------------------------------------------------------------

TEST(Admission, AFullQueueShedsTheUnimportant) {
  auto stream = poisson(3000, 200);
  stream.classes = {"paid", "free"};
  for (std::size_t i = 0; i < stream.requests.size(); ++i)
    stream.requests[i].traffic_class = i % 10 == 0 ? 0 : 1;
  auto d = deployment(1);
  d.classes = {{.priority = 0}, {.priority = 1}};
  d.admission = {.in_flight = 40, .queue = 50};
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  const auto& paid = r.summary.classes[0];
  const auto& free = r.summary.classes[1];
  EXPECT_GT(r.summary.shed, 100u);
  EXPECT_EQ(r.summary.shed, r.summary.rejected);
  EXPECT_GT(double(paid.finished) / double(paid.requests),
            double(free.finished) / double(free.requests));
  EXPECT_LT(paid.ttft.mean, free.ttft.mean);
}

TEST(Admission, NoReplicaHoldsMoreThanItsShare) {
  const auto stream = poisson(800, 200);
  auto d = deployment(2);
  d.admission.in_flight = 8;
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_EQ(r.summary.finished, 800u);
  std::vector<std::pair<double, int>> edges;
  for (const auto& o : r.outcomes)
    if (o.replica == 0) {
      edges.emplace_back(o.scheduled_s, 1);
      edges.emplace_back(o.end_s, -1);
    }
  std::sort(edges.begin(), edges.end());
  int now = 0, most = 0;
  for (const auto& [t, by] : edges) most = std::max(most, now += by);
  EXPECT_EQ(most, 8);
}

TEST(Admission, WaitingTooLongIsShed) {
  auto stream = poisson(2000, 400);
  auto d = deployment(1);
  d.classes = {{.max_wait_s = 0.5}};
  d.admission.in_flight = 32;
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  EXPECT_GT(r.summary.shed, 100u);
  for (const auto& o : r.outcomes) {
    if (o.fate == Fate::rejected) { EXPECT_NEAR(o.end_s - o.arrival_s, 0.5, 1e-9); }
    if (o.fate == Fate::finished) { EXPECT_LT(o.scheduled_s - o.arrival_s, 0.6); }
  }
}

TEST(Admission, OfflineWorkFillsTheValleys) {
  // Online work in bursts, and a pile of offline work at the start.
  requests::Stream stream;
  stream.classes = {"online", "batch"};
  const auto add = [&](double t, int c) {
    requests::Request r;
    r.arrival_s = t, r.prompt = 400, r.output = 100;
    r.traffic_class = static_cast<std::uint16_t>(c);
    stream.requests.push_back(r);
  };
  for (int i = 0; i < 800; ++i) add(0, 1);
  for (int burst = 0; burst < 4; ++burst)
    for (int i = 0; i < 300; ++i) add(5 + burst * 20 + i * 0.02, 0);
  auto d = deployment(1);
  d.classes = {{}, {.offline = true}};
  d.admission.offline_below = 40;
  const auto with = replay(stream, d);
  expect_conserved(stream, with);
  EXPECT_EQ(with.summary.finished, stream.requests.size());
  d.classes[1].offline = false;
  const auto mixed = replay(stream, d);
  EXPECT_LT(with.summary.classes[0].ttft.p99, mixed.summary.classes[0].ttft.p99);
  EXPECT_GT(with.summary.classes[1].e2e.mean, mixed.summary.classes[1].e2e.mean);
}

// --- Closed loops ---------------------------------------------------------------------------

TEST(Loops, ATurnWaitsForTheAnswerBefore) {
  requests::Stream stream;
  for (std::uint32_t user = 0; user < 8; ++user)
    for (std::uint32_t turn = 0; turn < 5; ++turn) {
      requests::Request r;
      r.prompt = 200 * int(turn + 1), r.output = 50;
      r.session = user;
      if (turn == 0) r.arrival_s = 0.1 * user;
      stream.requests.push_back(r);
    }
  std::stable_sort(stream.requests.begin(), stream.requests.end(),
                   [](const auto& a, const auto& b) { return a.prompt < b.prompt; });
  for (std::uint32_t i = 8; i < 40; ++i) {
    stream.requests[i].after = i - 8;
    stream.requests[i].arrival_s = 2;
  }
  const auto r = replay(stream, deployment(2, Routing::session));
  expect_conserved(stream, r);
  EXPECT_EQ(r.summary.finished, 40u);
  for (std::uint32_t i = 8; i < 40; ++i) {
    EXPECT_NEAR(r.outcomes[i].arrival_s, r.outcomes[i - 8].end_s + 2, 1e-9);
    EXPECT_EQ(r.outcomes[i].replica, r.outcomes[i - 8].replica);
  }
}

// --- Regions and models ---------------------------------------------------------------------

TEST(Regions, ResidencyHoldsAndDistanceAdds) {
  auto stream = poisson(600, 20);
  stream.classes = {"europe", "america"};
  for (std::size_t i = 0; i < 600; ++i) stream.requests[i].traffic_class = i % 2;
  auto d = pooled(1);
  d.pools.push_back(d.pools[0]);
  d.pools[1].region = 1;
  d.rtt_s = {{0, 0.09}, {0.09, 0}};
  d.classes = {{.region = 0, .allowed = {0}}, {.region = 1}};
  const auto both = replay(stream, d);
  expect_conserved(stream, both);
  for (std::size_t i = 0; i < 600; ++i) EXPECT_EQ(both.outcomes[i].replica, i % 2);
  d.classes[1].region = 0;  // all from Europe, half of it may not leave
  d.spill = 0;              // no room to spare anywhere: the least loaded takes it
  const auto spread = replay(stream, d);
  double away = 0, home = 0;
  for (const auto& o : spread.outcomes) {
    const bool resident = stream.requests[o.request].traffic_class == 0;
    if (resident) { EXPECT_EQ(o.replica, 0); }
    (o.replica == 1 ? away : home) += 1;
    if (o.replica == 1) { EXPECT_GT(o.ttft_s(), 0.09); }
  }
  EXPECT_GT(away, 50);
}

TEST(Models, EachGoesToItsPool) {
  auto stream = poisson(300, 20);
  stream.models = {"a", "b", "c"};
  for (std::size_t i = 0; i < 300; ++i) stream.requests[i].model = i % 3;
  auto d = pooled(1);
  d.pools.push_back(d.pools[0]);
  d.pools[1].model = 1;
  const auto r = replay(stream, d);
  expect_conserved(stream, r);
  for (std::size_t i = 0; i < 300; ++i) {
    if (i % 3 == 2) {
      EXPECT_EQ(r.outcomes[i].fate, Fate::rejected);
    } else {
      EXPECT_EQ(r.outcomes[i].replica, i % 3);
    }
  }
}

TEST(Fleet, WhatCannotBeServedIsCounted) {
  auto stream = poisson(100, 10);
  stream.requests[10].prompt = 1000000;
  stream.requests[99].prompt = 1000000;
  const auto r = replay(stream, deployment(2));
  expect_conserved(stream, r);
  EXPECT_EQ(r.summary.too_long, 2u);
  EXPECT_EQ(r.summary.rejected, 2u);
  EXPECT_EQ(r.summary.finished, 98u);
}

TEST(Fleet, AnEmptyStreamIsAnEmptyAnswer) {
  const auto r = replay({}, deployment(2));
  EXPECT_EQ(r.summary.requests, 0u);
  EXPECT_EQ(r.summary.ttft.p99, 0);
}

}  // namespace
}  // namespace headroom::serving
