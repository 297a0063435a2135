#include "serving/engine.hpp"

#include <gtest/gtest.h>

#include <map>

#include "serving/engine_fixtures.hpp"
#include "serving/engine_table.hpp"

namespace headroom::serving {
namespace {

using namespace test;

const infer::StepOracle& oracle() {
  static const auto o = seventy();
  return o;
}

/// Requests all there at time 0, through one replica; outcomes by request.
std::map<std::uint32_t, Outcome> serve(const std::vector<requests::Request>& asked,
                                       const EngineConfig& config, Tally* tally = nullptr) {
  requests::Stream stream;
  stream.requests = asked;
  const auto driven = drive(stream, oracle(), config);
  std::map<std::uint32_t, Outcome> by;
  for (const auto& o : driven.outcomes) by[o.request] = o;
  EXPECT_EQ(by.size(), asked.size());
  EXPECT_EQ(driven.engines[0].audit(), "");
  EXPECT_EQ(driven.engines[0].free_blocks(), driven.engines[0].total_blocks());
  EXPECT_TRUE(driven.engines[0].idle());
  if (tally) *tally = driven.tally();
  return by;
}

// Alone on the replica a request takes one step for its prompt and one for each further token.
TEST(Engine, OneRequestTakesAPromptStepAndADecodeStepAToken) {
  const auto by = serve({ask(100, 3, 1.0)}, {.kv_blocks = 1000});
  const double prompt = oracle().step_s({.prefill = 100, .prefill_pairs = 5050, .prompts = 1});
  const double first = oracle().step_s({.decodes = 1, .keys = 101});
  const double second = oracle().step_s({.decodes = 1, .keys = 102});
  EXPECT_NEAR(by.at(0).ttft_s(), prompt, 1e-9);
  EXPECT_NEAR(by.at(0).e2e_s(), prompt + first + second, 1e-4 * by.at(0).e2e_s());
  EXPECT_NEAR(by.at(0).longest_gap_us, second * 1e6, 2);
}

// A prompt of 1,000 tokens in chunks of 256 takes four steps; the last has 232.
TEST(Engine, LongPromptsAreReadInChunks) {
  std::vector<double> chunks;
  Engine engine(oracle(), {.max_num_seqs = 8, .max_num_batched_tokens = 256, .kv_blocks = 1000});
  engine.trace([&](const StepEvent& e) { chunks.push_back(e.prefill); });
  std::vector<Outcome> ended;
  engine.submit(0, ask(1000, 1), {}, 0);
  engine.run_until(Engine::never, ended);
  EXPECT_EQ(chunks, (std::vector<double>{256, 256, 256, 232}));
}

// Decoding requests come first: with one of them, a chunk has a token less.
TEST(Engine, DecodesComeBeforePrompts) {
  std::vector<StepEvent> steps;
  Engine engine(oracle(), {.max_num_seqs = 8, .max_num_batched_tokens = 256, .kv_blocks = 1000});
  engine.trace([&](const StepEvent& e) { steps.push_back(e); });
  std::vector<Outcome> ended;
  engine.submit(0, ask(10, 50), {}, 0);
  engine.submit(1, ask(600, 1), {}, 0.001);
  engine.run_until(Engine::never, ended);
  ASSERT_GE(steps.size(), 4u);
  EXPECT_EQ(steps[1].decodes, 1);
  EXPECT_EQ(steps[1].prefill, 255);
  EXPECT_EQ(steps[2].prefill, 255);
  EXPECT_EQ(steps[3].prefill, 90);
}

TEST(Engine, LongPromptsLeaveRoomForOthersWhenCapped) {
  std::vector<StepEvent> steps;
  EngineConfig config{.max_num_seqs = 8, .max_num_batched_tokens = 1000, .kv_blocks = 1000};
  config.long_prefill_tokens = 300;
  Engine engine(oracle(), config);
  engine.trace([&](const StepEvent& e) { steps.push_back(e); });
  std::vector<Outcome> ended;
  engine.submit(0, ask(900, 1), {}, 0);
  engine.submit(1, ask(200, 1), {}, 0);
  engine.run_until(Engine::never, ended);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].prefill, 500);
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].request, 1u);
}

// Prompts that are not chunked wait until a step has room for all of them.
TEST(Engine, WholePromptsWaitForTheBudget) {
  std::vector<StepEvent> steps;
  EngineConfig config{.max_num_seqs = 8, .max_num_batched_tokens = 1000, .kv_blocks = 1000};
  config.chunked_prefill = false;
  Engine engine(oracle(), config);
  engine.trace([&](const StepEvent& e) { steps.push_back(e); });
  std::vector<Outcome> ended;
  engine.submit(0, ask(700, 1), {}, 0);
  engine.submit(1, ask(700, 1), {}, 0);
  engine.run_until(Engine::never, ended);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].prefill, 700);
  EXPECT_EQ(steps[1].prefill, 700);
}

TEST(Engine, NoMoreSequencesThanAllowed) {
  int most = 0;
  Engine engine(oracle(), {.max_num_seqs = 3, .kv_blocks = 1000});
  engine.trace([&](const StepEvent& e) { most = std::max(most, e.running); });
  std::vector<Outcome> ended;
  for (std::uint32_t i = 0; i < 10; ++i) engine.submit(i, ask(50, 20), {}, 0);
  engine.run_until(Engine::never, ended);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(ended.size(), 10u);
}

TEST(Engine, RefusesWhatItCannotServe) {
  EngineConfig config{.max_num_seqs = 64, .max_num_batched_tokens = 512, .max_model_len = 1000};
  config.kv_blocks = 40;  // 640 tokens
  config.chunked_prefill = false;
  const auto by = serve({ask(0, 5), ask(5, -1), ask(-3, 5), ask(900, 101), ask(500, 200),
                         ask(600, 5), ask(500, 141), ask(7, 0)},
                        config);
  EXPECT_EQ(by.at(0).refusal, Refusal::empty_prompt);
  EXPECT_EQ(by.at(1).refusal, Refusal::negative_length);
  EXPECT_EQ(by.at(2).refusal, Refusal::negative_length);
  EXPECT_EQ(by.at(3).refusal, Refusal::too_long);
  EXPECT_EQ(by.at(4).refusal, Refusal::beyond_memory);
  EXPECT_EQ(by.at(5).refusal, Refusal::beyond_budget);
  // 500 + 141 - 1 tokens are 40 blocks: the last token is never cached.
  EXPECT_EQ(by.at(6).fate, Fate::finished);
  // No answer asked for (embedding): ends with its prompt.
  EXPECT_EQ(by.at(7).fate, Fate::finished);
  EXPECT_EQ(by.at(7).output, 0);
  EXPECT_EQ(by.at(7).end_s, by.at(7).first_token_s);
  EXPECT_EQ(refusal_text(Refusal::beyond_memory), "it needs more KV blocks than the replica has");
}

// Two requests of 20 blocks each at the end do not fit 30: one is preempted, loses time, and reads
// its prompt and what it had made again.
TEST(Engine, PreemptionHappensAndCosts) {
  EngineConfig config{.kv_blocks = 30};
  config.prefix_cache = false;
  Tally tight, wide;
  const std::vector<requests::Request> two{ask(100, 220), ask(100, 220)};
  const auto by = serve(two, config, &tight);
  config.kv_blocks = 100;
  const auto free = serve(two, config, &wide);
  EXPECT_EQ(by.at(0).preemptions, 0);
  EXPECT_GE(by.at(1).preemptions, 1);
  EXPECT_GT(by.at(1).end_s, 1.2 * free.at(1).end_s);
  EXPECT_GT(by.at(1).longest_gap_us, 100 * by.at(0).tpot_s() * 1e6 * 0.5);
  EXPECT_EQ(wide.preemptions, 0);
  EXPECT_EQ(tight.prefilled_tokens - tight.recomputed_tokens, 200);
  EXPECT_GT(tight.recomputed_tokens, 100);
  EXPECT_EQ(tight.decoded_tokens, 440);
}

// With the prefix cache a preempted request finds again what nobody has overwritten.
TEST(Engine, PreemptedRequestsFindTheirBlocksAgain) {
  EngineConfig config{.kv_blocks = 30};
  Tally kept, lost;
  const std::vector<requests::Request> two{ask(100, 220), ask(100, 220)};
  serve(two, config, &kept);
  config.prefix_cache = false;
  serve(two, config, &lost);
  EXPECT_GE(kept.preemptions, 1);
  EXPECT_LT(kept.recomputed_tokens, lost.recomputed_tokens);
}

TEST(Engine, TheImportantGoFirstAndAreNotPreempted) {
  EngineConfig config{.max_num_seqs = 1, .kv_blocks = 100, .priorities = true};
  auto low = ask(50, 10), high = ask(50, 10);
  low.priority = 5;
  high.priority = 1;
  auto by = serve({low, low, high}, config);
  EXPECT_LT(by.at(2).end_s, by.at(1).end_s);
  config.max_num_seqs = 8;
  config.kv_blocks = 30;
  auto a = ask(100, 220), b = ask(100, 220);
  a.priority = 9;
  by = serve({a, b}, config);
  EXPECT_GE(by.at(0).preemptions, 1);
  EXPECT_EQ(by.at(1).preemptions, 0);
}

// A batch is run to its end: the short one waits for the long one, and the third for both.
TEST(Engine, StaticBatchesRunToTheirEnd) {
  EngineConfig config{.max_num_seqs = 2, .kv_blocks = 1000, .static_batching = true};
  Tally tally;
  const auto by = serve({ask(50, 10), ask(50, 100), ask(50, 5)}, config, &tally);
  EXPECT_EQ(by.at(0).end_s, by.at(1).end_s);
  EXPECT_LT(by.at(0).first_token_s, 0.1 * by.at(0).end_s);
  EXPECT_GT(by.at(2).scheduled_s, by.at(1).end_s - 1e-9);
  EXPECT_EQ(tally.decoded_tokens, 115);
  config.static_batching = false;
  const auto continuous = serve({ask(50, 10), ask(50, 100), ask(50, 5)}, config);
  EXPECT_LT(continuous.at(2).end_s, 0.5 * by.at(2).end_s);
}

TEST(Engine, IntakeAndDeliveryAreWhatUsersSee) {
  EngineConfig config{.kv_blocks = 1000};
  const auto plain = serve({ask(100, 5)}, config);
  config.intake_s = 0.002;
  config.intake_token_s = 1e-5;
  config.delivery_s = 0.004;
  const auto late = serve({ask(100, 5)}, config);
  EXPECT_NEAR(late.at(0).ttft_s() - plain.at(0).ttft_s(), 0.002 + 100 * 1e-5 + 0.004, 1e-9);
  EXPECT_NEAR(late.at(0).tpot_s(), plain.at(0).tpot_s(), 1e-9);
}

// A step put together when the one before starts: who arrives during a step waits for the end of
// the next one, too.
TEST(Engine, SchedulingAheadMakesArrivalsWaitAStepMore) {
  EngineConfig config{.kv_blocks = 1000};
  const double decode = oracle().step_s({.decodes = 1, .keys = 110});
  const auto now = serve({ask(100, 100), ask(100, 5, 0.105)}, config);
  config.schedule_ahead = 1;
  const auto ahead = serve({ask(100, 100), ask(100, 5, 0.105)}, config);
  EXPECT_NEAR(ahead.at(1).ttft_s() - now.at(1).ttft_s(), decode, 0.01 * decode);
  EXPECT_NEAR(ahead.at(0).ttft_s(), now.at(0).ttft_s(), 1e-12);
}

// Acceptance a, drafts of 3: (1 - a^4) / (1 - a) tokens a step (Leviathan et al. 2023).
TEST(Engine, SpeculationYieldsWhatLeviathanSays) {
  EngineConfig config{.kv_blocks = 1e6};
  config.speculation = {.length = 3, .acceptance = 0.7};
  std::vector<requests::Request> asked;
  for (int i = 0; i < 60; ++i) asked.push_back(ask(50, 400));
  Tally with, without;
  serve(asked, config, &with);
  config.speculation.length = 0;
  serve(asked, config, &without);
  const double yield = 1 + with.accepted_tokens / (with.drafted_tokens / 3);
  EXPECT_NEAR(yield, infer::tokens_per_verification(0.7, 3), 0.02);
  EXPECT_EQ(with.decoded_tokens, 60 * 400);
  EXPECT_LT(with.steps, without.steps / 2.0);
  EXPECT_EQ(without.decoded_tokens, 60 * 400);
}

TEST(Engine, SpeculationStopsAboveItsBatch) {
  EngineConfig config{.kv_blocks = 1e6};
  config.speculation = {.length = 3, .acceptance = 0.7, .draft_cost = 0, .off_above = 10};
  std::vector<requests::Request> asked(30, ask(50, 100));
  Tally tally;
  serve(asked, config, &tally);
  EXPECT_EQ(tally.drafted_tokens, 0);  // all thirty end together
  asked.resize(10);
  serve(asked, config, &tally);
  EXPECT_GT(tally.drafted_tokens, 0);
}

TEST(Engine, SpeculationIsTheSameWhateverRunsBeside) {
  EngineConfig config{.kv_blocks = 1e6};
  config.speculation = {.length = 4, .acceptance = 0.6};
  Tally one;
  serve({ask(50, 300)}, config, &one);
  EXPECT_EQ(one.decoded_tokens, 300);
  config.seed = 2;
  Tally other;
  serve({ask(50, 300)}, config, &other);
  EXPECT_NE(one.accepted_tokens, other.accepted_tokens);
  EXPECT_NEAR(one.steps, other.steps, 0.25 * one.steps);
}

// Two adapters, one slot: the second request waits, one without an adapter passes it.
TEST(Engine, AdaptersWaitForASlot) {
  EngineConfig config{.kv_blocks = 1000};
  config.adapters = {.slots = 1, .host_slots = 0, .load_s = 0.05, .fetch_s = 0.2};
  auto a = ask(50, 20), b = ask(50, 20);
  a.adapter = 1;
  b.adapter = 2;
  Tally tally;
  const auto by = serve({a, b, ask(50, 20)}, config, &tally);
  EXPECT_GT(by.at(1).scheduled_s, by.at(0).end_s - 1e-9);
  EXPECT_EQ(by.at(2).scheduled_s, 0);
  EXPECT_GT(by.at(0).ttft_s(), 0.25);
  EXPECT_EQ(tally.adapter_loads, 2);
  config.adapters.slots = 2;
  const auto both = serve({a, b}, config, &tally);
  EXPECT_EQ(both.at(1).scheduled_s, 0);
}

// A shared beginning of 1,600 tokens is read once; what the group shares of an answer is found by
// the next turn.
TEST(Engine, PrefixGroupsShareAndSessionsFindTheirAnswers) {
  EngineConfig config{.kv_blocks = 10000};
  auto r = ask(2000, 10);
  r.shared = 3;
  r.shared_tokens = 1600;
  auto later = r;
  later.arrival_s = 5;
  const auto by = serve({r, later}, config);
  EXPECT_EQ(by.at(0).cached, 0);
  EXPECT_EQ(by.at(1).cached, 1600);
  EXPECT_LT(by.at(1).ttft_s(), by.at(0).ttft_s());
  auto turn = ask(1000, 200);
  turn.shared = 7;
  turn.shared_tokens = 1200;  // prompt and answer
  auto next = ask(1300, 50, 30);
  next.shared = 7;
  next.shared_tokens = 1350;
  const auto session = serve({turn, next}, config);
  EXPECT_EQ(session.at(1).cached, 1184);  // 1,199 tokens were in the cache: 74 full blocks
}

// The same with hashes: 8 blocks of 128 for a prompt of 600 and its answer of 424.
TEST(Engine, HashesBeyondThePromptNameTheAnswer) {
  EngineConfig config{.kv_blocks = 10000, .hash_tokens = 128};
  const std::vector<std::uint64_t> hashes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const auto next_finds = [&](std::size_t named) {
    Engine engine(oracle(), config);
    std::vector<Outcome> ended;
    engine.submit(0, ask(600, 424), std::span(hashes).first(named), 0);
    engine.run_until(Engine::never, ended);
    return engine.prefix_match(ask(1280, 5), hashes);
  };
  EXPECT_EQ(next_finds(8), 1008);  // 1,023 tokens are in the cache
  EXPECT_EQ(next_finds(5), 592);   // the last hash is the prompt's last part
}

TEST(Engine, PrefixMatchTellsWhatIsCached) {
  Engine engine(oracle(), {.kv_blocks = 1000});
  const std::vector<std::uint64_t> hashes{11, 12, 13};
  const auto r = ask(1400, 2);
  EXPECT_EQ(engine.prefix_match(r, hashes), 0);
  std::vector<Outcome> ended;
  engine.submit(0, r, hashes, 0);
  engine.run_until(Engine::never, ended);
  EXPECT_EQ(engine.prefix_match(r, hashes), 1392);
  const std::vector<std::uint64_t> other{11, 99, 13};
  EXPECT_EQ(engine.prefix_match(r, other), 512);
}

// 3,000 blocks do not hold two prompts of 40,000 tokens: the first is evicted, and comes back from
// host memory faster than it is read again, from a slow disk more slowly.
TEST(Engine, KvComesBackFromTheTiersBelow) {
  std::vector<std::uint64_t> a, b;
  for (std::uint64_t i = 0; i < 79; ++i) {
    a.push_back(100 + i);
    b.push_back(900 + i);
  }
  const auto second_ttft = [&](const EngineConfig& config, std::int32_t& cached) {
    Engine engine(oracle(), config);
    std::vector<Outcome> ended;
    engine.submit(0, ask(40000, 2), a, 0);
    engine.submit(1, ask(40000, 2), b, 60);
    engine.run_until(120, ended);
    engine.submit(2, ask(40000, 2), a, 120);
    engine.run_until(Engine::never, ended);
    EXPECT_EQ(ended.size(), 3u);
    EXPECT_EQ(engine.audit(), "");
    cached = ended.at(2).cached;
    return ended.at(2).ttft_s();
  };
  std::int32_t found = 0;
  EngineConfig config{.kv_blocks = 3000};
  const double alone = second_ttft(config, found);
  EXPECT_LT(found, 8200);
  config.host = {.blocks = 10000, .bits_s = 8 * 50e9, .latency_s = 1e-4};
  const double host = second_ttft(config, found);
  EXPECT_EQ(found, 39984);
  EXPECT_LT(host, 0.2 * alone);
  config.host.blocks = 0;
  config.disk = {.blocks = 10000, .bits_s = 8 * 0.1e9, .latency_s = 1e-3};
  const double disk = second_ttft(config, found);
  EXPECT_EQ(found, 39984);
  EXPECT_GT(disk, alone);
}

// A prefill replica hands prompts over when their KV has passed its link, one after the other; a
// decode replica starts with the prompt's last token.
TEST(Engine, PrefillAndDecodeReplicas) {
  EngineConfig config{.kv_blocks = 10000};
  config.role = Role::prefill;
  config.link = {.bits_s = 8 * 25e9, .latency_s = 1e-4};
  Engine prefill(oracle(), config);
  std::vector<Outcome> handed;
  prefill.submit(0, ask(8000, 50), {}, 0);
  prefill.submit(1, ask(100, 50), {}, 0);
  prefill.run_until(Engine::never, handed);
  ASSERT_EQ(handed.size(), 2u);
  EXPECT_TRUE(prefill.idle());
  EXPECT_EQ(prefill.free_blocks(), 10000);
  const double bits = oracle().kv_bits_per_token();
  const double sent = 1e-4 + 8000 * bits / config.link.bits_s;
  EXPECT_EQ(handed[0].fate, Fate::handed_over);
  EXPECT_NEAR(handed[0].end_s - handed[0].first_token_s, sent, 1e-9);
  EXPECT_GE(handed[1].end_s - handed[0].end_s, 1e-4);
  config.role = Role::decode;
  config.link = {};
  Engine decode(oracle(), config);
  std::vector<Outcome> ended;
  decode.submit(0, ask(8000, 50), {}, handed[0].end_s);
  decode.run_until(Engine::never, ended);
  ASSERT_EQ(ended.size(), 1u);
  const double one = oracle().step_s({.prefill = 1, .prefill_pairs = 8000, .prompts = 1});
  EXPECT_NEAR(ended[0].ttft_s(), one, 1e-9);
  EXPECT_EQ(ended[0].output, 50);
  EXPECT_EQ(decode.tally().prefilled_tokens, 1);
  EXPECT_EQ(decode.free_blocks(), 10000);
}

// What a lost replica held comes out as lost, with the tokens made so far; it starts empty again.
TEST(Engine, AFailedReplicaLosesWhatItHolds) {
  Engine engine(oracle(), {.max_num_seqs = 2, .kv_blocks = 1000});
  std::vector<Outcome> ended, lost;
  for (std::uint32_t i = 0; i < 5; ++i) engine.submit(i, ask(100, i == 0 ? 3 : 400), {}, 0);
  engine.run_until(1.0, ended);
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_EQ(engine.running(), 2);
  EXPECT_EQ(engine.waiting(), 2);
  engine.fail(1.5, lost);
  ASSERT_EQ(lost.size(), 4u);
  EXPECT_EQ(lost[0].fate, Fate::lost);
  EXPECT_GT(lost[0].output, 50);
  EXPECT_EQ(lost[3].output, 0);
  EXPECT_TRUE(engine.idle());
  EXPECT_EQ(engine.free_blocks(), 1000);
  EXPECT_EQ(engine.queued_tokens(), 0);
  engine.submit(9, ask(100, 5), {}, 100);
  engine.run_until(Engine::never, ended);
  EXPECT_EQ(ended.back().request, 9u);
  EXPECT_GT(ended.back().first_token_s, 100);
  EXPECT_EQ(engine.tally().lost, 4);
}

// Until the time it names, running() and waiting() do not change.
TEST(Engine, NextChangeIsALowerBound) {
  const auto stream = poisson(300, 12, 600, 1, 60, 1);
  Engine engine(oracle(), {.max_num_seqs = 16, .kv_blocks = 3000});
  std::vector<Outcome> ended;
  for (std::uint32_t i = 0; i < stream.requests.size(); ++i) {
    const auto& r = stream.requests[i];
    engine.run_until(r.arrival_s, ended);
    engine.submit(i, r, {}, r.arrival_s);
    const double until = engine.next_change_s();
    ASSERT_GE(until, engine.next_step_s());
    if (until == Engine::never) continue;
    const int running = engine.running(), waiting = engine.waiting();
    engine.run_until(until, ended);
    ASSERT_EQ(engine.running(), running);
    ASSERT_EQ(engine.waiting(), waiting);
  }
}

// Straight lines between the oracle's values: within 1e-4 of asking it.
TEST(DecodeTable, FollowsTheOracle) {
  DecodeTable table(oracle());
  for (const int b : {1, 3, 17, 64, 256}) {
    for (const double c : {1.0, 40.0, 333.0, 1500.0, 9001.0, 60000.0}) {
      const double exact = oracle().step_s({.decodes = double(b), .keys = b * c});
      EXPECT_NEAR(table.step_s(b, b * c), exact, 1e-4 * exact);
    }
  }
}

TEST(DecodeTable, ARunIsTheSumOfItsSteps) {
  DecodeTable table(oracle());
  const auto run = table.run(20, 20 * 300.0, 0, 900, INFINITY, nullptr, 20);
  double sum = 0;
  for (int i = 0; i < 900; ++i) sum += oracle().step_s({.decodes = 20, .keys = 20.0 * (300 + i)});
  EXPECT_EQ(run.steps, 900);
  EXPECT_NEAR(run.seconds, sum, 1e-4 * sum);
  // Bounded in time: the steps that start before it, and not one more.
  const auto half = table.run(20, 20 * 300.0, 0, 900, sum / 2, nullptr, 20);
  EXPECT_GE(half.seconds, sum / 2);
  EXPECT_LT(half.seconds - half.last_s, sum / 2);
}

}  // namespace
}  // namespace headroom::serving
