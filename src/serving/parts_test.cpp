// The parts around the engines: histogram, router, gateway, loading, autoscaler, slices, energy.
#include <gtest/gtest.h>

#include <cmath>

#include "serving/autoscale.hpp"
#include "serving/devices.hpp"
#include "serving/energy.hpp"
#include "serving/fleet_fixtures.hpp"
#include "serving/gateway.hpp"
#include "serving/histogram.hpp"
#include "serving/loading.hpp"
#include "serving/min_tree.hpp"
#include "serving/routing.hpp"

namespace headroom::serving {
namespace {

TEST(HistogramOfTimes, QuantilesAreWithinHalfAPercent) {
  Histogram h;
  std::vector<double> values;
  const Stream random(3, "test.histogram");
  for (std::uint64_t i = 0; i < 20000; ++i) {
    values.push_back(0.03 * std::exp(1.5 * random.normal(i, 0)));
    h.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double p : {0.01, 0.5, 0.9, 0.95, 0.99})
    EXPECT_NEAR(h.quantile(p) / exact_quantile(values, p), 1, 0.005) << p;
  EXPECT_EQ(h.most(), values.back());
  EXPECT_EQ(h.least(), values.front());
  EXPECT_NEAR(h.share_below(values[5000]), 0.25, 0.005);
}

TEST(HistogramOfTimes, TwoHalvesAreTheWhole) {
  Histogram a, b, whole;
  for (int i = 1; i < 2000; ++i) {
    (i % 2 == 0 ? a : b).add(i * 1e-3);
    whole.add(i * 1e-3);
  }
  a.add(b);
  EXPECT_EQ(a.count(), whole.count());
  EXPECT_EQ(a.quantile(0.9), whole.quantile(0.9));
  EXPECT_NEAR(a.mean(), whole.mean(), 1e-12);
}

TEST(HistogramOfTimes, ZerosAndNothing) {
  Histogram h;
  EXPECT_EQ(h.quantile(0.99), 0);
  h.add(0), h.add(0), h.add(1);
  EXPECT_EQ(h.quantile(0.5), 0);
  EXPECT_EQ(h.quantile(1), 1);
}

TEST(Quantiles, AsNumpyReckonsThem) {
  EXPECT_DOUBLE_EQ(exact_quantile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(exact_quantile({1, 2, 3, 4}, 0.9), 3.7);
  EXPECT_DOUBLE_EQ(exact_quantile({7}, 0.99), 7);
}

TEST(Earliest, FollowsEveryChange) {
  MinTree tree(5);
  const Stream random(1, "test.tree");
  std::vector<double> times(5, 1e300);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto at = static_cast<std::size_t>(random.uniform(i, 0) * 5);
    times[at] = random.uniform(i, 1);
    tree.set(at, times[at]);
    EXPECT_EQ(tree.time(), *std::min_element(times.begin(), times.end()));
  }
  tree.resize(12);
  EXPECT_EQ(tree.time(), *std::min_element(times.begin(), times.end()));
  tree.set(11, -1);
  EXPECT_EQ(tree.top(), 11u);
}

// --- Router ---------------------------------------------------------------------------------

requests::Stream prompts(std::vector<std::vector<std::uint64_t>> hashes, int block = 100) {
  requests::Stream s;
  s.block_tokens = block;
  for (const auto& list : hashes) {
    requests::Request r;
    r.first_block = static_cast<std::uint32_t>(s.hashes.size());
    r.blocks = static_cast<std::uint32_t>(list.size());
    r.prompt = block * static_cast<int>(list.size());
    r.output = 10;
    s.hashes.insert(s.hashes.end(), list.begin(), list.end());
    s.requests.push_back(r);
  }
  return s;
}

TEST(Router, GoesWhereTheLongestPrefixIs) {
  const auto s = prompts({{1, 2, 3}, {1, 2, 3, 4}, {9}, {1, 7}});
  Router router({.routing = Routing::prefix_aware}, 3);
  for (std::uint32_t r = 0; r < 3; ++r) router.cache_tokens(r, 1e6);
  std::vector<Target> targets = {{0, 0}, {1, 0}, {2, 0}};
  router.sent(s, 0, 2);
  router.sent(s, 3, 1);
  EXPECT_EQ(router.choose(s, 1, targets), 2u);
  targets[2].in_flight = 50;  // inside the guard
  EXPECT_EQ(router.choose(s, 1, targets), 2u);
  targets[2].in_flight = 500;
  EXPECT_NE(router.choose(s, 1, targets), 2u);
  targets[2].in_flight = 0;
  router.forget(2);
  EXPECT_EQ(router.choose(s, 1, targets), 1u);  // block 1 is there, too little of it
}

TEST(Router, ForgetsWhatTheCacheCannotHold) {
  auto s = prompts({{1, 2, 3}, {5, 6, 7, 8}, {1, 2, 3}});
  Router router({.routing = Routing::prefix_aware}, 2);
  router.cache_tokens(0, 400);
  router.cache_tokens(1, 400);
  const std::vector<Target> targets = {{0, 3}, {1, 0}};
  router.sent(s, 0, 0);
  EXPECT_EQ(router.choose(s, 2, targets), 0u);
  router.sent(s, 1, 0);
  EXPECT_EQ(router.choose(s, 2, targets), 1u);
}

TEST(Router, SessionsStay) {
  auto s = prompts({{1}, {2}, {3}});
  for (auto& r : s.requests) r.session = 4;
  Router router({.routing = Routing::session}, 3);
  std::vector<Target> targets = {{0, 5}, {1, 2}, {2, 9}};
  const auto first = router.choose(s, 0, targets);
  EXPECT_EQ(first, 1u);
  router.sent(s, 0, targets[first].replica);
  targets[1].in_flight = 20;
  EXPECT_EQ(router.choose(s, 1, targets), 1u);
  const std::vector<Target> without = {{0, 5}, {2, 9}};  // replica 1 is gone
  EXPECT_EQ(router.choose(s, 2, without), 0u);
}

TEST(Router, FasterReplicasCarryMore) {
  const auto s = prompts({{1}});
  Router router({}, 2);
  const std::vector<Target> targets = {{0, 10, 1}, {1, 15, 2}};
  EXPECT_EQ(router.choose(s, 0, targets), 1u);
}

// --- Loading --------------------------------------------------------------------------------

TEST(Loading, SharesTheTier) {
  StorageTier tier;
  tier.begin(0, 10e9, 5e9, 5e9, 0);
  EXPECT_DOUBLE_EQ(tier.next_s(), 2);
  tier.begin(1, 10e9, 5e9, 5e9, 1);  // half of the first is left, at half the rate now
  EXPECT_DOUBLE_EQ(tier.next_s(), 3);
  std::uint32_t who = 9;
  EXPECT_FALSE(tier.ended(2.9, who));
  ASSERT_TRUE(tier.ended(3, who));
  EXPECT_EQ(who, 0u);
  EXPECT_DOUBLE_EQ(tier.next_s(), 4);  // 5 GB left, alone again
  tier.cancel(1, 3.5);
  EXPECT_EQ(tier.next_s(), std::numeric_limits<double>::infinity());
}

TEST(Loading, ColdStartIsTheSumOfItsParts) {
  Loading l;
  l.provisioning_s = 60, l.weight_bytes = 140e9, l.client_rate = 7e9;
  EXPECT_DOUBLE_EQ(l.alone_s(), 60 + 20 + 25 + 29 + 17);
  l.aggregate_rate = 3.5e9;
  EXPECT_DOUBLE_EQ(l.alone_s(), 60 + 40 + 25 + 29 + 17);
}

// --- Autoscaler -----------------------------------------------------------------------------

ScaleSignals signals(double now, int replicas, double running, double waiting = 0) {
  ScaleSignals s;
  s.now_s = now, s.replicas = s.ready = replicas;
  s.running = running, s.waiting = waiting;
  return s;
}

TEST(Autoscaler, AsksForWhatTheLoadNeeds) {
  Autoscaler scaler({.by = ScaleBy::queue, .target = 0.5, .seats = 40, .stabilisation_s = 0});
  EXPECT_EQ(scaler.decide(signals(0, 1, 100)), 5);
  EXPECT_EQ(scaler.decide(signals(15, 5, 60, 80)), 7);
  EXPECT_EQ(scaler.decide(signals(30, 5, 105)), 5);  // within 10 %: no change
  EXPECT_EQ(scaler.decide(signals(45, 5, 20)), 1);
}

TEST(Autoscaler, ShrinksOnlyAfterTheWindow) {
  Autoscaler scaler({.by = ScaleBy::queue, .target = 1, .seats = 10, .stabilisation_s = 100});
  EXPECT_EQ(scaler.decide(signals(0, 4, 40)), 4);
  EXPECT_EQ(scaler.decide(signals(50, 4, 10)), 4);
  EXPECT_EQ(scaler.decide(signals(99, 4, 10)), 4);
  EXPECT_EQ(scaler.decide(signals(101, 4, 10)), 1);
}

TEST(Autoscaler, SleepsAndWakes) {
  Autoscaler scaler({.by = ScaleBy::queue,
                     .least = 0,
                     .target = 1,
                     .seats = 10,
                     .stabilisation_s = 0,
                     .idle_s = 60});
  auto s = signals(0, 1, 0);
  s.since_request_s = 30;
  EXPECT_EQ(scaler.decide(s), 1);
  s.now_s = 31, s.since_request_s = 61;
  EXPECT_EQ(scaler.decide(s), 0);
  s = signals(100, 0, 0);
  s.since_request_s = 130;
  EXPECT_EQ(scaler.decide(s), 0);
  s.waiting = 1, s.since_request_s = 0;
  EXPECT_EQ(scaler.decide(s), 1);
}

TEST(Autoscaler, FollowsTheSlo) {
  Autoscaler scaler({.by = ScaleBy::slo,
                     .most = 10,
                     .target = 1,
                     .seats = 10,
                     .stabilisation_s = 0,
                     .attain = 0.95,
                     .step = 0.25});
  auto s = signals(0, 8, 60);
  s.first_tokens = 100, s.in_time = 0.9;
  EXPECT_EQ(scaler.decide(s), 10);
  s.now_s = 15, s.in_time = 0.97;  // good, not so good that fewer would do
  EXPECT_EQ(scaler.decide(s), 8);
  s.now_s = 30, s.in_time = 1;
  EXPECT_EQ(scaler.decide(s), 6);
}

// --- Devices --------------------------------------------------------------------------------

TEST(Slices, TakeTheirShares) {
  const auto whole = infer::test::h100();
  const auto half = sliced(whole, *find_slice("3g.40gb"));
  EXPECT_DOUBLE_EQ(half.memory.get() / whole.memory.get(), 0.5);
  EXPECT_DOUBLE_EQ(half.memory_bandwidth.get() / whole.memory_bandwidth.get(), 0.5);
  EXPECT_DOUBLE_EQ(half.rates[0].dense.get() / whole.rates[0].dense.get(), 3.0 / 7);
  EXPECT_EQ(half.scale_up.domain, 1);
  EXPECT_FALSE(find_slice("5g"));
  double memory = 0;
  for (const auto& name : slice_names()) {
    const auto slice = *find_slice(name);
    EXPECT_LE(slice.fit * slice.memory, 8);
    EXPECT_LE(slice.fit * slice.compute, 7);
    memory += slice.memory_share();
  }
  EXPECT_GT(memory, 0);
}

TEST(Slices, ServeSlowerThanTheWhole) {
  const auto device = sliced(infer::test::h100(), *find_slice("3g"));
  const infer::StepOracle half(
      infer::StepModel(infer::test::llama_8b(), device, infer::test::hgx(1), infer::Layout{}));
  const auto stream = fleet_test::poisson(300, 4);
  auto d = fleet_test::deployment(1);
  const auto whole = replay(stream, d).summary;
  d.oracle = &half;
  const auto slice = replay(stream, d).summary;
  EXPECT_EQ(slice.finished, 300u);
  EXPECT_GT(slice.tpot.mean, 1.3 * whole.tpot.mean);
  EXPECT_LT(slice.tpot.mean, 2.5 * whole.tpot.mean);
}

TEST(Caps, SlowPromptsMoreThanDecoding) {
  const auto free = infer::test::h100();
  const auto held = capped(free, 400 * watt);
  EXPECT_DOUBLE_EQ(held.power.max.get().in(watt), 400);
  EXPECT_LT(held.rates[0].dense.get(), free.rates[0].dense.get());
  EXPECT_EQ(held.memory_bandwidth.get(), free.memory_bandwidth.get());
  const infer::StepOracle slow(
      infer::StepModel(infer::test::llama_8b(), held, infer::test::hgx(), infer::Layout{}));
  const auto& fast = fleet_test::oracle_8b();
  const infer::StepLoad decode{.decodes = 16, .keys = 16000};
  const infer::StepLoad prompt{.prefill = 4096, .prefill_pairs = 4096.0 * 2048, .prompts = 1};
  const double slower = slow.step_s(prompt) / fast.step_s(prompt);
  EXPECT_GT(slower, 1.1);
  EXPECT_LT(slow.step_s(decode) / fast.step_s(decode), 1 + (slower - 1) / 3);
  EXPECT_EQ(capped(free, 900 * watt).power.max.get(), free.power.max.get());
}

// --- Energy ---------------------------------------------------------------------------------

TEST(Energy, AddsUpAndSplits) {
  const GpuPower power{.prefill_w = 1000, .decode_w = 700, .idle_w = 200, .maximum_w = 700};
  const GpuTime time{.prefill_s = 100, .decode_s = 300, .idle_s = 600};
  Tariff tariff;
  tariff.pue = 1.5;
  tariff.usd_per_gpu_s = 2.0 / 3600;
  tariff.kg_per_j = 0.4 / 3.6e6;
  const Bill b = bill(power, time, 500, 1e6, 2e5, tariff);
  EXPECT_DOUBLE_EQ(b.it_j, 100 * 1000 + 300 * 700 + 600 * 200);
  EXPECT_DOUBLE_EQ(b.meter_j, 1.5 * b.it_j);
  EXPECT_DOUBLE_EQ(b.mean_w, b.meter_j / 500);
  EXPECT_DOUBLE_EQ(b.usd, 1000 * 2.0 / 3600);
  EXPECT_DOUBLE_EQ(b.usd_input, b.usd / 4);
  EXPECT_NEAR(b.usd_per_minput * 1 + b.usd_per_moutput * 0.2, b.usd, 1e-12);
  EXPECT_DOUBLE_EQ(b.g_per_output, b.meter_j / 2e5 * 0.4e3 / 3.6e6);
  EXPECT_DOUBLE_EQ(b.output_s_per_mw, (2e5 / 500) / (b.mean_w / 1e6));
  const Bill twice = total(b, b, 500, 2e6, 4e5);
  EXPECT_DOUBLE_EQ(twice.usd_per_moutput, b.usd_per_moutput);
  EXPECT_DOUBLE_EQ(twice.j_per_output, b.j_per_output);
}

TEST(Energy, ABusyServerStaysBelowItsRating) {
  const auto gpu = infer::test::h100();
  catalog::System s;
  s.accelerators = 8;
  s.power.max = {10.2 * kilowatt, infer::test::sheet()};
  s.power.typical = {8.4 * kilowatt, infer::test::sheet()};
  s.power.idle = {2.2 * kilowatt, infer::test::sheet()};
  const GpuPower p = gpu_power(gpu, &s);
  EXPECT_LE(8 * p.prefill_w, 10200);
  EXPECT_GT(8 * p.prefill_w, 7000);
  EXPECT_NEAR(8 * p.idle_w, 2200, 1);
  EXPECT_GT(p.prefill_w, p.decode_w);
  EXPECT_GT(p.decode_w, p.idle_w);
}

}  // namespace
}  // namespace headroom::serving
