// Fleets of unlike pools: models and classes find theirs, residency holds, caps begin when they
// say, and what is told of pools, classes and regions adds up to the whole.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "compute/kernel.hpp"
#include "serving/devices.hpp"
#include "serving/fleet_fixtures.hpp"

namespace headroom::serving {
namespace {

using fleet_test::oracle_8b;
using fleet_test::poisson;
using fleet_test::pooled;

const GpuPower watts{700, 500, 100, 700};

Pool pool_of(const char* name, int replicas) {
  Pool p = pooled(replicas).pools[0];
  p.name = name;
  p.power = watts;
  return p;
}

/// Half of the speed, by the power that the clock's law gives for it.
const infer::StepOracle& slow_8b() {
  static const catalog::Accelerator slow =
      capped(headroom::infer::test::h100(), Power::from_si(250));
  static const infer::StepOracle oracle(infer::StepModel(
      headroom::infer::test::llama_8b(), slow, headroom::infer::test::hgx(), infer::Layout{}));
  return oracle;
}

/// Two models and three classes, mixed.
requests::Stream mixed(std::size_t count, double rate_s) {
  auto s = poisson(count, rate_s, 400, 60);
  s.models = {"small", "large"};
  s.classes = {"chat", "code", "batch"};
  for (std::size_t i = 0; i < count; ++i) {
    auto& r = s.requests[i];
    r.prompt += static_cast<int>(i % 7) * 100;
    r.model = i % 3 == 0 ? 1 : 0;
    r.traffic_class = static_cast<std::uint16_t>(i % 5 == 0 ? 2 : i % 2);
  }
  return s;
}

/// Counts, tokens, money and energy of the parts are those of the whole.
void expect_adds_up(const Summary& s) {
  std::size_t finished = 0, rejected = 0, requests = 0, lost = 0;
  double in = 0, out = 0, usd = 0, joules = 0, kg = 0, gpus = 0;
  double used_usd = 0, used_joules = 0;  // of pools that served somebody
  for (const auto& p : s.pools) {
    finished += p.finished, lost += p.lost;
    in += p.input_tokens, out += p.output_tokens, gpus += p.gpus;
    usd += p.bill.usd, joules += p.bill.meter_j, kg += p.bill.carbon_kg;
    if (p.finished > 0) used_usd += p.bill.usd, used_joules += p.bill.meter_j;
    EXPECT_NEAR(p.gpu_time.total(), p.gpus * s.span_s, 1e-6 * s.span_s);
  }
  EXPECT_EQ(finished, s.finished);
  EXPECT_EQ(lost, s.lost);
  EXPECT_EQ(in, s.input_tokens);
  EXPECT_EQ(out, s.output_tokens);
  EXPECT_NEAR(gpus, s.gpus, 1e-9 * gpus);
  EXPECT_NEAR(usd, s.bill.usd, 1e-9 * usd);
  EXPECT_NEAR(joules, s.bill.meter_j, 1e-9 * joules);
  EXPECT_NEAR(kg, s.bill.carbon_kg, 1e-9 * kg);
  finished = 0;
  Part part;
  for (const auto& c : s.classes) {
    requests += c.requests, finished += c.finished, rejected += c.rejected;
    part.usd += c.part.usd, part.meter_j += c.part.meter_j;
  }
  EXPECT_EQ(requests, s.requests);
  EXPECT_EQ(finished, s.finished);
  EXPECT_EQ(rejected, s.rejected);
  EXPECT_NEAR(part.usd, used_usd, 1e-9 * usd);
  EXPECT_NEAR(part.meter_j, used_joules, 1e-9 * joules);
  if (s.regions.empty()) return;
  requests = finished = 0;
  double there = 0;
  for (const auto& r : s.regions) {
    requests += r.requests, finished += r.finished;
    there += r.bill.meter_j;
  }
  EXPECT_EQ(requests, s.requests);
  EXPECT_EQ(finished, s.finished);
  EXPECT_NEAR(there, joules, 1e-9 * joules);
}

Deployment of_models() {
  Deployment d;
  d.pools = {pool_of("small", 2), pool_of("large", 1), pool_of("batch", 1)};
  d.pools[0].models = {0};
  d.pools[0].classes = {0, 1};
  d.pools[1].models = {1};
  d.pools[1].classes = {0, 1};
  d.pools[2].models = {0, 1};
  d.pools[2].classes = {2};
  d.tariff.usd_per_gpu_s = 1e-3;
  d.tariff.kg_per_j = 1e-7;
  return d;
}

TEST(Pools, ModelsAndClassesFindTheirs) {
  const auto stream = mixed(900, 20);
  const auto r = replay(stream, of_models());
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    const auto& q = stream.requests[i];
    const int pool = q.traffic_class == 2 ? 2 : q.model;
    const int replica = r.outcomes[i].replica;
    ASSERT_EQ(r.outcomes[i].fate, Fate::finished);
    ASSERT_EQ(replica <= 1 ? 0 : replica - 1, pool) << i;
  }
  expect_adds_up(r.summary);
  for (const auto& p : r.summary.pools) EXPECT_GT(p.ttft.p99, p.ttft.p50);
}

TEST(Pools, WhatNobodyServesIsRefusedAndCounted) {
  const auto stream = mixed(300, 20);
  auto d = of_models();
  d.pools[1].classes = {0};
  const auto r = replay(stream, d);
  std::size_t unserved = 0;
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    const auto& q = stream.requests[i];
    const bool none = q.model == 1 && q.traffic_class == 1;
    unserved += none ? 1 : 0;
    EXPECT_EQ(r.outcomes[i].refusal, none ? Refusal::no_pool : Refusal::none);
  }
  EXPECT_GT(unserved, 0u);
  EXPECT_EQ(r.summary.no_pool, unserved);
  EXPECT_EQ(r.summary.residency, 0u);
  EXPECT_EQ(r.summary.too_long, 0u);
  expect_adds_up(r.summary);
}

/// Users of two regions, a pool in each.
Deployment two_regions() {
  Deployment d;
  d.pools = {pool_of("eu", 1), pool_of("us", 1)};
  d.pools[1].region = 1;
  for (auto& p : d.pools) p.models = {0, 1};
  d.regions = {"eu", "us"};
  d.rtt_s = {{0, 0.09}, {0.09, 0}};
  d.classes.resize(3);
  d.classes[1].region = d.classes[2].region = 1;
  d.tariff.usd_per_gpu_s = 1e-3;
  return d;
}

TEST(FleetRegions, ResidencyHoldsWhileTheRegionIsDown) {
  const auto stream = mixed(600, 20);
  auto d = two_regions();
  d.classes[0].allowed = {0};
  d.pools[0].failures.losses = {{5, 0, 10}};
  const auto r = replay(stream, d);
  std::size_t abroad = 0;
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    if (r.outcomes[i].fate != Fate::finished) continue;
    if (stream.requests[i].traffic_class == 0)
      EXPECT_EQ(r.outcomes[i].replica, 0);
    else
      abroad += r.outcomes[i].replica == 0 ? 1 : 0;
  }
  ASSERT_EQ(r.summary.regions.size(), 2u);
  EXPECT_EQ(r.summary.regions[0].elsewhere, 0u);
  EXPECT_EQ(r.summary.regions[1].elsewhere, abroad);
  EXPECT_EQ(r.summary.pools[0].failures, 1);
  expect_adds_up(r.summary);
}

TEST(FleetRegions, NowhereToGoIsResidencyAndNotAnEmptyFleet) {
  const auto stream = mixed(300, 20);
  auto d = two_regions();
  d.classes[0].allowed = {1};
  d.pools[1].classes = {1, 2};
  const auto r = replay(stream, d);
  std::size_t own = 0;
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    const bool first = stream.requests[i].traffic_class == 0;
    own += first ? 1 : 0;
    EXPECT_EQ(r.outcomes[i].refusal, first ? Refusal::residency : Refusal::none);
  }
  EXPECT_EQ(r.summary.residency, own);
  EXPECT_EQ(r.summary.regions[0].residency, own);
  EXPECT_EQ(r.summary.regions[1].residency, 0u);
  expect_adds_up(r.summary);
}

TEST(FleetRegions, TheRoundTripIsInTheTimesOfThoseWhoTravel) {
  auto stream = mixed(40, 1);
  for (std::size_t i = 0; i < 40; ++i) stream.requests[i].arrival_s = 10.0 * double(i);
  auto d = two_regions();
  d.pools[0].classes = {1};  // nobody of the first region is at home
  const auto far = replay(stream, d);
  d.rtt_s = {{0, 0}, {0, 0}};
  const auto near = replay(stream, d);
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    const auto c = stream.requests[i].traffic_class;
    const double trip = c == 0 ? 0.09 : 0;
    EXPECT_NEAR(far.outcomes[i].ttft_s() - near.outcomes[i].ttft_s(), trip, 1e-9);
    EXPECT_NEAR(far.outcomes[i].e2e_s() - near.outcomes[i].e2e_s(), trip, 1e-9);
    EXPECT_EQ(far.outcomes[i].replica, 1);
  }
  EXPECT_NEAR(far.summary.regions[0].rtt_s, 0.09, 1e-12);
}

TEST(FleetRegions, HistogramsTellPartsAsOutcomesDo) {
  const auto stream = mixed(3000, 25);
  auto d = two_regions();
  const auto exact = replay(stream, d).summary;
  d.keep_outcomes = false;
  const auto s = replay(stream, d).summary;
  expect_adds_up(s);
  const auto same = [](const Served& a, const Served& b) {
    EXPECT_EQ(a.finished, b.finished);
    EXPECT_NEAR(a.ttft.p99, b.ttft.p99, 0.02 * b.ttft.p99);
    EXPECT_NEAR(a.tpot.p50, b.tpot.p50, 0.01 * b.tpot.p50);
    EXPECT_NEAR(a.e2e.mean, b.e2e.mean, 1e-9 * b.e2e.mean);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    same(s.pools[i], exact.pools[i]);
    same(s.regions[i], exact.regions[i]);
  }
  for (std::size_t i = 0; i < 3; ++i) same(s.classes[i], exact.classes[i]);
}

TEST(FleetRegions, EachPlacePaysItsOwnTariff) {
  const auto stream = mixed(300, 10);
  auto d = two_regions();
  auto& there = d.pools[1].tariff.emplace();
  there.pue = 2, there.usd_per_gpu_s = 4e-3, there.kg_per_j = 1e-6;
  const auto s = replay(stream, d).summary;
  const auto& us = s.pools[1].bill;
  EXPECT_NEAR(us.meter_j, 2 * us.it_j, 1e-9 * us.meter_j);
  EXPECT_NEAR(us.usd, 4e-3 * s.pools[1].gpu_time.total(), 1e-9);
  EXPECT_EQ(s.pools[0].bill.carbon_kg, 0);
  EXPECT_NEAR(s.bill.carbon_kg, us.meter_j * 1e-6, 1e-12);
  expect_adds_up(s);
}

// --- Power ------------------------------------------------------------------------------

TEST(FleetCaps, ACapThatChangesNothingChangesNoBit) {
  const auto stream = fleet_test::skewed(800, 30);
  auto d = pooled(2);
  d.pools[0].power = watts;
  const auto plain = replay(stream, d);
  const auto same = PowerStep{0, &oracle_8b(), watts};
  d.pools[0].caps = {same, {7, &oracle_8b(), watts}, {13, &oracle_8b(), watts}};
  d.pools[0].caps_every_s = 20;
  const auto phased = replay(stream, d);
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    // A run of steps is cut where a phase begins: the same steps, added up in two parts.
    EXPECT_NEAR(plain.outcomes[i].end_s, phased.outcomes[i].end_s, 2e-4);
    EXPECT_EQ(plain.outcomes[i].output, phased.outcomes[i].output);
  }
  EXPECT_NEAR(phased.summary.bill.meter_j / plain.summary.bill.meter_j, 1, 0.01);
  // Idle ends where the last step does: half a step of 74 s.
  EXPECT_NEAR(phased.summary.pools[0].gpu_time.total(), plain.summary.pools[0].gpu_time.total(),
              0.01);
}

TEST(FleetCaps, PromptsSlowDownWhileTheCapHolds) {
  // Long prompts, one at a time: what a clock is for.
  auto stream = poisson(90, 1, 6000, 2);
  for (std::size_t i = 0; i < 90; ++i) stream.requests[i].arrival_s = double(i);
  auto d = pooled(1);
  d.engine.prefix_cache = false;
  d.pools[0].power = watts;
  d.pools[0].caps = {{0, &oracle_8b(), watts}, {30, &slow_8b(), {250, 220, 100, 250}}};
  const auto once = replay(stream, d);
  const auto mean = [&](const Replay& r, std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += r.outcomes[i].ttft_s();
    return sum / double(to - from);
  };
  const double fast = mean(once, 0, 30), slow = mean(once, 31, 90);
  // What computes takes 1 / clock as long; launches, memory and host do not.
  const double clock = compute::clock_at_power(250.0 / 700);
  EXPECT_LT(slow, fast / clock);
  EXPECT_GT(slow, 0.85 * fast / clock);
  d.pools[0].caps.push_back({60, &oracle_8b(), watts});
  const auto lifted = replay(stream, d);
  EXPECT_NEAR(mean(lifted, 61, 90), fast, 1e-9);
  d.pools[0].caps.pop_back();
  d.pools[0].caps_every_s = 60;  // and again
  const auto again = replay(stream, d);
  EXPECT_NEAR(mean(again, 61, 90), fast, 1e-9);
  EXPECT_NEAR(mean(again, 31, 60), slow, 1e-9);
}

TEST(FleetCaps, EnergyIsThatOfThePhase) {
  // No load but for one request at the end: the phases' idle power over time, to the joule.
  auto stream = poisson(2, 1, 100, 2);
  stream.requests[0].arrival_s = 0, stream.requests[1].arrival_s = 100;
  auto d = pooled(1);
  d.tariff.pue = 1;
  const GpuPower low{100, 100, 10, 100};
  d.pools[0].caps = {{0, &oracle_8b(), watts}, {40, &oracle_8b(), low}};
  const auto s = replay(stream, d).summary;
  const double busy = s.pools[0].gpu_time.prefill_s + s.pools[0].gpu_time.decode_s;
  EXPECT_NEAR(s.bill.it_j, 40 * 100 + (s.span_s - 40) * 10, 800 * busy);
  EXPECT_LT(busy, 0.2);
  EXPECT_NEAR(s.pools[0].gpu_time.total(), s.span_s, 1e-9);
}

TEST(FleetCaps, EveryRequestKeepsItsWordUnderCapsLossesAndScaling) {
  const auto stream = mixed(1500, 30);
  auto d = two_regions();
  for (auto& p : d.pools) {
    p.caps = {
        {0, &oracle_8b(), watts}, {6, &slow_8b(), {250, 220, 100, 250}}, {19, &oracle_8b(), watts}};
    p.caps_every_s = 25;
    p.failures = {.mtbf_s = 25, .mttr_s = 3};
    p.scales = true;
    p.autoscale = {.least = 1, .most = 4, .seats = 20, .interval_s = 2, .stabilisation_s = 4};
    p.loading = {
        .weight_bytes = 16e9, .client_rate = 8e9, .process_s = 1, .compile_s = 0, .capture_s = 0};
  }
  const auto a = replay(stream, d), b = replay(stream, d);
  const Summary& s = a.summary;
  EXPECT_EQ(s.finished + s.rejected + s.lost + s.in_flight, s.requests);
  EXPECT_EQ(s.requests, stream.requests.size());
  EXPECT_GT(s.pools[0].failures + s.pools[1].failures, 0);
  double output = 0;
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    ASSERT_EQ(a.outcomes[i].end_s, b.outcomes[i].end_s);
    if (a.outcomes[i].fate != Fate::finished) continue;
    ASSERT_EQ(a.outcomes[i].output, stream.requests[i].output);
    output += a.outcomes[i].output;
  }
  EXPECT_EQ(output, s.output_tokens);
  expect_adds_up(s);
}

}  // namespace
}  // namespace headroom::serving
