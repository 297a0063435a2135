// Whole streams: what comes in goes out, skipping ahead changes nothing, and the engine's steady
// state is the closed form's (infer/capacity.hpp).
#include <gtest/gtest.h>

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "infer/capacity.hpp"
#include "serving/engine_fixtures.hpp"

namespace headroom::serving {
namespace {

using namespace test;

const infer::StepOracle& oracle() {
  static const auto o = seventy();
  return o;
}

struct Sums {
  double prompts = 0, outputs = 0, ended = 0;
};
Sums sums(const requests::Stream& stream, const Driven& driven) {
  Sums s;
  for (const auto& o : driven.outcomes) {
    if (o.fate != Fate::finished) continue;
    s.prompts += stream.requests[o.request].prompt;
    s.outputs += stream.requests[o.request].output;
    s.ended += 1;
  }
  return s;
}

/// Settings that between them use all of the engine.
std::vector<EngineConfig> all_kinds() {
  std::vector<EngineConfig> kinds(9);
  for (auto& c : kinds) {
    c.max_num_seqs = 64;
    c.max_num_batched_tokens = 2048;
    c.kv_blocks = 4000;
  }
  kinds[1].prefix_cache = false;
  kinds[2].priorities = true;
  kinds[3].static_batching = true;
  kinds[4].speculation = {.length = 3, .acceptance = 0.7, .draft_cost = 0.05, .off_above = 40};
  kinds[5].host = {.blocks = 3000, .bits_s = 4e11, .latency_s = 1e-4};
  kinds[5].disk = {.blocks = 30000, .bits_s = 4e10, .latency_s = 1e-3};
  kinds[6].adapters = {.slots = 2, .host_slots = 3, .load_s = 0.02, .fetch_s = 0.3};
  kinds[7].schedule_ahead = 1;
  kinds[7].delivery_steps = 1.5;
  kinds[7].watermark = 0.01;
  kinds[7].whole_prompt_fits = true;
  kinds[8].role = Role::decode;
  kinds[8].link = {.bits_s = 2e11, .latency_s = 1e-4};
  return kinds;
}

/// More than the replica can take for a while, with prefixes, priorities and adapters.
requests::Stream busy() {
  auto stream = poisson(1500, 25, 900, 1.2, 150, 1);
  const Stream random(5, "busy");
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    auto& r = stream.requests[i];
    r.shared = static_cast<std::uint32_t>(random.uniform(i, 0) * 40);
    r.shared_tokens = 700;
    r.priority = static_cast<std::int16_t>(random.uniform(i, 1) * 3);
    r.adapter = static_cast<std::uint16_t>(random.uniform(i, 2) * 5);
  }
  return stream;
}

TEST(EngineStream, EveryRequestAndEveryTokenIsAccountedFor) {
  auto stream = busy();
  stream.requests[100].prompt = 70000;  // more than the memory of 64,000 tokens
  stream.requests[200].prompt = 0;
  int kind = 0;
  for (const auto& config : all_kinds()) {
    SCOPED_TRACE(kind++);
    const auto driven = drive(stream, oracle(), config);
    const Tally t = driven.tally();
    const Sums s = sums(stream, driven);
    std::set<std::uint32_t> seen;
    for (const auto& o : driven.outcomes) EXPECT_TRUE(seen.insert(o.request).second);
    EXPECT_EQ(seen.size(), stream.requests.size());
    EXPECT_EQ(t.submitted, 1500);
    EXPECT_EQ(t.rejected, 2);
    EXPECT_EQ(t.finished, 1498);
    EXPECT_EQ(s.ended, t.finished);
    EXPECT_EQ(t.prompt_tokens, s.prompts);
    EXPECT_EQ(t.decoded_tokens, s.outputs);
    EXPECT_EQ(t.prefilled_tokens - t.recomputed_tokens + t.cached_tokens + t.loaded_tokens,
              s.prompts);
    EXPECT_EQ(driven.engines[0].free_blocks(), 4000);
    EXPECT_EQ(driven.engines[0].audit(), "");
    EXPECT_EQ(driven.engines[0].queued_tokens(), 0);
    EXPECT_TRUE(driven.engines[0].idle());
    EXPECT_LE(t.kv_peak, 4000);
    EXPECT_LE(t.kv_block_s, 4000 * t.busy_s);
  }
}

TEST(EngineStream, CountsAgreeInTheMiddleToo) {
  const auto stream = busy();
  int kind = 0;
  for (const auto& config : all_kinds()) {
    SCOPED_TRACE(kind++);
    Engine engine(oracle(), config);
    std::vector<Outcome> ended, inside;
    for (std::uint32_t i = 0; i < 400; ++i) {
      const auto& r = stream.requests[i];
      engine.run_until(r.arrival_s, ended);
      engine.submit(i, r, {}, r.arrival_s);
      ASSERT_EQ(engine.audit(), "");
    }
    engine.in_flight(inside);
    EXPECT_EQ(ended.size() + inside.size(), 400u);
    double made = 0;
    for (const auto& o : ended) made += o.output;
    for (const auto& o : inside) made += o.output;
    EXPECT_EQ(engine.tally().decoded_tokens, made);
  }
}

// Counts equal to the last, times within 1e-4: the table against the oracle, runs against steps.
TEST(EngineStream, SkippingAheadChangesNothing) {
  // Without load that makes order depend on the last digit of a time.
  const auto stream = poisson(600, 8, 900, 1, 150, 1);
  int kind = 0;
  for (auto config : all_kinds()) {
    SCOPED_TRACE(kind++);
    const auto skipped = drive(stream, oracle(), config);
    config.skip_ahead = false;
    const auto stepped = drive(stream, oracle(), config);
    const Tally a = skipped.tally(), b = stepped.tally();
    EXPECT_NEAR(a.steps, b.steps, 2e-3 * b.steps);
    EXPECT_EQ(a.decoded_tokens, b.decoded_tokens);
    EXPECT_EQ(a.prompt_tokens, b.prompt_tokens);
    EXPECT_NEAR(a.busy_s, b.busy_s, 1e-3 * b.busy_s);
    EXPECT_NEAR(a.kv_block_s, b.kv_block_s, 2e-3 * b.kv_block_s);
    EXPECT_NEAR(skipped.gaps().mean_s(), stepped.gaps().mean_s(), 1e-3 * stepped.gaps().mean_s());
  }
}

// All requests there from the start: no arrival can fall on the other side of a step's end, so
// steps and tokens are equal to the last and times within 1e-4.
TEST(EngineStream, SkippingAheadIsExactWithoutArrivals) {
  auto stream = poisson(300, 8, 900, 1, 150, 1);
  for (auto& r : stream.requests) r.arrival_s = 0;
  EngineConfig config{.max_num_seqs = 128, .kv_blocks = 3000};  // preempts
  const auto skipped = drive(stream, oracle(), config);
  config.skip_ahead = false;
  const auto stepped = drive(stream, oracle(), config);
  const Tally a = skipped.tally(), b = stepped.tally();
  EXPECT_GT(a.preemptions, 5);
  EXPECT_EQ(a.preemptions, b.preemptions);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.prefilled_tokens, b.prefilled_tokens);
  EXPECT_NEAR(a.busy_s, b.busy_s, 1e-4 * b.busy_s);
  EXPECT_NEAR(a.kv_block_s, b.kv_block_s, 1e-4 * b.kv_block_s);
  EXPECT_NEAR(a.running_s, b.running_s, 1e-4 * b.running_s);
  ASSERT_EQ(skipped.outcomes.size(), stepped.outcomes.size());
  for (std::size_t i = 0; i < stepped.outcomes.size(); ++i) {
    EXPECT_EQ(skipped.outcomes[i].request, stepped.outcomes[i].request);
    EXPECT_NEAR(skipped.outcomes[i].end_s, stepped.outcomes[i].end_s,
                1e-4 * stepped.outcomes[i].end_s);
    EXPECT_NEAR(skipped.outcomes[i].longest_gap_us, stepped.outcomes[i].longest_gap_us,
                1e-4 * stepped.outcomes[i].longest_gap_us + 2);
  }
  for (const double p : {0.5, 0.9, 0.99}) {
    EXPECT_NEAR(skipped.gaps().quantile(p), stepped.gaps().quantile(p),
                0.008 * stepped.gaps().quantile(p));
  }
}

TEST(EngineStream, SameInputSameBits) {
  const auto stream = busy();
  for (const auto& config : all_kinds()) {
    const auto a = drive(stream, oracle(), config), b = drive(stream, oracle(), config);
    ASSERT_EQ(a.outcomes.size(), b.outcomes.size());
    for (std::size_t i = 0; i < a.outcomes.size(); ++i) {
      ASSERT_EQ(a.outcomes[i].request, b.outcomes[i].request);
      ASSERT_EQ(a.outcomes[i].end_s, b.outcomes[i].end_s);
    }
  }
}

// Little's law holds of what the engine says of itself.
TEST(EngineStream, TalliesObeyLittle) {
  const auto stream = poisson(3000, 10, 900, 1, 150, 1);
  const auto driven = drive(stream, oracle(), {.kv_blocks = seventy_blocks});
  double inside = 0, queued = 0;
  for (const auto& o : driven.outcomes) {
    inside += o.end_s - o.scheduled_s;
    queued += o.scheduled_s - o.arrival_s;
  }
  const Tally t = driven.tally();
  EXPECT_NEAR(t.running_s, inside, 1e-6 * inside);
  EXPECT_NEAR(t.waiting_s, queued, 1e-6 * queued);
}

// --- Closed form and engine: two independent answers ---------------------------------------

struct Shape {
  double prompt, prompt_cv, output, output_cv;
};

struct Server {
  const char* name;
  catalog::Model model;
  infer::Layout layout;
  double budget, seqs;
  std::vector<Shape> shapes;
};

const std::vector<Shape> few{{1000, 0, 200, 0},     {1155, 1, 211, 0.8},   {200, 0.5, 1000, 0.5},
                             {4000, 0, 100, 0},     {4000, 0.7, 100, 0.5}, {300, 0.5, 20, 0.5},
                             {8000, 0.5, 1000, 0.5}};

const std::vector<Server>& servers() {
  using namespace infer::test;
  const infer::Layout eight{8, 1, Precision::bf16}, four{4, 1, Precision::bf16},
      one{1, 1, Precision::bf16};
  static const std::vector<Server> all = [&] {
    std::vector<Shape> many = few;
    for (const Shape& more : {Shape{2000, 0.3, 300, 0.3}, Shape{8000, 0, 1000, 0},
                              Shape{300, 0, 20, 0}, Shape{16000, 0.3, 200, 0.3}})
      many.push_back(more);
    return std::vector<Server>{{"70b", llama_70b(), eight, 8192, 256, many},
                               {"70b", llama_70b(), eight, 2048, 256, few},
                               {"70b", llama_70b(), eight, 16384, 1024, few},
                               {"8b", llama_8b(), one, 2048, 64, few},
                               {"mixtral", mixtral(), four, 8192, 256, few},
                               {"mixtral", mixtral(), four, 2048, 128, few}};
  }();
  return all;
}

/// What an engine does from a fifth to nine tenths of a stream: past filling, before draining.
struct Window {
  double gap_s = 0, batch = 0, tokens_s = 0, first_s = 0, first_p90_s = 0;
};
Window middle(const infer::StepOracle& oracle, const requests::Stream& stream,
              const EngineConfig& config) {
  Engine engine(oracle, config);
  std::vector<Outcome> ended;
  const std::size_t count = stream.requests.size(), from = count / 5, to = count * 9 / 10;
  Gaps before;
  double tokens_before = 0;
  for (std::uint32_t i = 0; i < to; ++i) {
    const auto& r = stream.requests[i];
    engine.run_until(r.arrival_s, ended);
    if (i == from) {
      before = engine.gaps();
      tokens_before = engine.tally().decoded_tokens;
    }
    engine.submit(i, r, {}, r.arrival_s);
  }
  const double span = stream.requests[to - 1].arrival_s - stream.requests[from].arrival_s;
  const double spent = engine.gaps().sum_s() - before.sum_s();
  Window w{spent / (engine.gaps().count() - before.count()), spent / span,
           (engine.tally().decoded_tokens - tokens_before) / span};
  engine.run_until(Engine::never, ended);
  std::vector<double> first;
  for (const auto& o : ended)
    if (o.request >= from) first.push_back(o.first_token_s - o.arrival_s);
  std::sort(first.begin(), first.end());
  for (const double t : first) w.first_s += t / static_cast<double>(first.size());
  w.first_p90_s = first[first.size() * 9 / 10];
  return w;
}

infer::Load load_of(const Shape& shape) {
  infer::Load load;
  load.input = shape.prompt, load.input_cv = shape.prompt_cv;
  load.output = shape.output, load.output_cv = shape.output_cv;
  load.rate_s = 1;
  return load;
}

class SteadyState : public testing::TestWithParam<std::size_t> {
 protected:
  const Server& server() const { return servers()[GetParam()]; }
  infer::EngineLimits limits() const {
    infer::EngineLimits l;
    l.budget = server().budget, l.max_batch = server().seqs;
    return l;
  }
  infer::StepOracle step() const {
    using namespace infer::test;
    return infer::StepOracle(infer::StepModel(server().model, h100(), hgx(), server().layout));
  }
  EngineConfig config(const infer::Replica& replica) const {
    return {.max_num_seqs = static_cast<int>(server().seqs),
            .max_num_batched_tokens = static_cast<int>(server().budget),
            .kv_blocks = std::floor(replica.kv_cap(1000) * 1000 / 16)};
  }
};

const bool loud = std::getenv("HEADROOM_PRINT") != nullptr;

// Time per token, batch and throughput within 3 %, mean and p90 of the time to the first token
// within 10 and 20 %, from a fifth to seven tenths of saturation, wherever the closed form does not
// say that it was not held there. At 79 %, where it does say so, it is 5 % low at the worst.
TEST_P(SteadyState, IsTheClosedForm) {
  const auto oracle = step();
  const infer::Replica replica(server().model, oracle.model(), limits());
  int inside = 0, points = 0;
  for (const Shape& shape : server().shapes) {
    infer::Load load = load_of(shape);
    const double saturation = replica.operate(load, 0.9).saturation_s;
    for (const double share : {0.2, 0.4, 0.6, 0.69, 0.79}) {
      const std::size_t count = 60000, from = count / 5, to = count * 9 / 10;
      const auto stream = poisson(count, share * saturation, shape.prompt, shape.prompt_cv,
                                  shape.output, shape.output_cv);
      // The same draw: what arrives in the window.
      double prompts = 0, outputs = 0;
      for (std::size_t i = from; i < to; ++i) {
        prompts += stream.requests[i].prompt;
        outputs += stream.requests[i].output;
      }
      const auto n = static_cast<double>(to - from);
      load.input = prompts / n;
      load.output = outputs / n;
      load.rate_s = n / (stream.requests[to].arrival_s - stream.requests[from].arrival_s);
      const auto form = replica.operate(load, 0.9);
      const Window seen = middle(oracle, stream, config(replica));
      const double late = infer::delivery_steps * form.step.si();  // which this engine has not
      const std::string where = fmt::format("{} budget {} {}/{} at {}", server().name,
                                            server().budget, shape.prompt, shape.output, share);
      if (loud)
        fmt::print("{}: TPOT {:+.1f} %, TTFT {:+.1f} %, p90 {:+.1f} % {}\n", where,
                   100 * (form.tpot.si() / seen.gap_s - 1),
                   100 * ((form.ttft.si() - late) / seen.first_s - 1),
                   100 * ((form.ttft_p.si() - late) / seen.first_p90_s - 1),
                   infer::beyond_text(form.beyond));
      const bool loaded = form.beyond == infer::Beyond::load;
      EXPECT_EQ(share > 0.75, loaded) << where;
      if (loaded) {
        EXPECT_NEAR(form.tpot.si() / seen.gap_s, 1, 0.05) << where;
        continue;
      }
      ++points;
      if (form.beyond != infer::Beyond::none) continue;
      ++inside;
      EXPECT_NEAR(form.tpot.si() / seen.gap_s, 1, 0.03) << where;
      EXPECT_NEAR(form.batch / seen.batch, 1, 0.03) << where;
      EXPECT_NEAR(load.rate_s * load.output / seen.tokens_s, 1, 0.03) << where;
      EXPECT_NEAR((form.ttft.si() - late) / seen.first_s, 1, 0.10) << where;
      EXPECT_NEAR((form.ttft_p.si() - late) / seen.first_p90_s, 1, 0.2) << where;
    }
  }
  EXPECT_GE(inside, 0.8 * points);
}

// All requests there from the start, lengths that spread: the rate of the middle half.
TEST_P(SteadyState, SaturatesWhereTheClosedFormSays) {
  const auto oracle = step();
  const infer::Replica replica(server().model, oracle.model(), limits());
  for (const Shape& shape : server().shapes) {
    if (shape.output_cv <= 0) continue;  // waves: capacity_steps_test
    auto stream = poisson(12000, 1, shape.prompt, shape.prompt_cv, shape.output, shape.output_cv);
    infer::Load load = load_of(shape);
    load.input = load.output = 0;
    for (std::size_t i = 3000; i < 9000; ++i) {  // the same draw
      load.input += stream.requests[i].prompt / 6000.0;
      load.output += stream.requests[i].output / 6000.0;
    }
    const double saturation = replica.operate(load, 0.9).saturation_s;
    for (auto& r : stream.requests) r.arrival_s = 0;
    const auto driven = drive(stream, oracle, config(replica));
    if (driven.tally().preemptions > 120) continue;  // which the closed form leaves out
    std::vector<double> ends;
    for (const auto& o : driven.outcomes) ends.push_back(o.end_s);
    std::sort(ends.begin(), ends.end());
    const double rate = 6000 / (ends[9000] - ends[3000]);
    if (loud)
      fmt::print("{} {} {}/{}: saturation {:+.1f} %\n", server().name, server().budget,
                 shape.prompt, shape.output, 100 * (saturation / rate - 1));
    EXPECT_NEAR(saturation / rate, 1, 0.03)
        << server().name << " " << server().budget << " " << shape.prompt << "/" << shape.output;
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, SteadyState, testing::Range<std::size_t>(0, 6));

// Where it was not held it says so: near saturation, a rare giant among prompts, prompts of many
// budgets, more sequences than there are places.
TEST(ClosedForm, SaysWhereItWasNotHeld) {
  const infer::Replica replica(infer::test::llama_70b(), oracle().model(), infer::EngineLimits{});
  const auto at = [&](const Shape& shape, double share) {
    infer::Load load = load_of(shape);
    load.rate_s = share * replica.operate(load, 0.9).saturation_s;
    const auto o = replica.operate(load, 0.9);
    for (const double x : {o.tpot.si(), o.tpot_p.si(), o.ttft.si(), o.ttft_p.si(), o.e2e.si()})
      EXPECT_TRUE(std::isfinite(x) && x > 0) << shape.prompt << " " << share;
    return o.beyond;
  };
  EXPECT_EQ(at({1155, 1, 211, 0.8}, 0.7), infer::Beyond::none);
  EXPECT_EQ(at({1155, 1, 211, 0.8}, 0.9), infer::Beyond::load);
  EXPECT_EQ(at({1000, 15, 200, 1}, 0.5), infer::Beyond::lengths);
  EXPECT_EQ(at({60000, 0, 200, 0}, 0.5), infer::Beyond::lengths);
  infer::EngineLimits narrow;
  narrow.max_batch = 16;
  const infer::Replica few(infer::test::llama_70b(), oracle().model(), narrow);
  infer::Load load = load_of({1155, 1, 211, 0.8});
  load.rate_s = 0.69 * few.operate(load, 0.9).saturation_s;
  EXPECT_EQ(few.operate(load, 0.9).beyond, infer::Beyond::places);
  for (const double cv : {0.0, 0.3, 1.0, 3.0, 15.0})
    for (const double prompt : {1.0, 100.0, 5000.0, 100000.0})
      for (const double output : {1.0, 2.0, 50.0, 20000.0})
        for (const double share : {1e-6, 0.3, 0.95, 0.999999}) at({prompt, cv, output, cv}, share);
}

// 64.0 % of the blocks of Mooncake's synthetic trace lie in a prefix that an earlier request had
// (traces/README.md: an infinite cache, prefixes only). The engine's share in tokens is that of
// the trace counted in its own terms: whole blocks of 16, never the last token.
TEST(EngineStream, FindsWhatMooncakesTraceShares) {
  const auto stream = mooncake("mooncake_synthetic_trace.jsonl.gz");
  if (stream.requests.empty()) GTEST_SKIP() << "the trace is not at hand";
  std::set<std::uint64_t> known;
  double blocks = 0, hits = 0, tokens = 0, found = 0;
  for (const auto& r : stream.requests) {
    const auto named = stream.blocks_of(r);
    std::size_t i = 0;
    while (i < named.size() && known.count(named[i])) ++i;
    hits += static_cast<double>(i);
    blocks += static_cast<double>(named.size());
    tokens += r.prompt;
    found += std::min<int>(static_cast<int>(i) * 512, r.prompt - 1) / 16 * 16;
    known.insert(named.begin(), named.end());
  }
  EXPECT_NEAR(hits / blocks, 0.640, 0.0005);
  const auto driven = drive(stream, oracle(), {.kv_blocks = 1e9});
  const Tally t = driven.tally();
  EXPECT_EQ(t.finished, static_cast<double>(stream.requests.size()));
  EXPECT_NEAR(t.cached_tokens / t.prompt_tokens, found / tokens, 0.0005);
  // And in the trace's blocks of 512, the last one whole where all but its last 16 tokens are.
  double named_found = 0;
  for (const auto& o : driven.outcomes) {
    const bool all = o.cached >= (o.prompt - 1) / 16 * 16;
    named_found += all ? stream.requests[o.request].blocks : o.cached / 512;
  }
  EXPECT_NEAR(named_found / blocks, 0.640, 0.002);
}

}  // namespace
}  // namespace headroom::serving
