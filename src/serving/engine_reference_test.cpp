// The engine against a scheduler written as plainly as possible (engine_reference.hpp), on random
// small streams and replicas: who is preempted, what is found in the cache, and when all ends.
#include "serving/engine_reference.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "serving/engine_fixtures.hpp"

namespace headroom::serving {
namespace {

using namespace test;

const infer::StepOracle& oracle() {
  static const auto o = seventy();
  return o;
}

/// Requests close enough together to meet, some with a common beginning. No prompt ends with a
/// block: its last block is then computed twice, and of two copies the engine keeps one, which
/// shifts the order of eviction (engine_cache.hpp; about 1 stream in 60,000 notices).
requests::Stream any_stream() {
  requests::Stream stream;
  stream.block_tokens = 16;
  const int count = *rc::gen::inRange(1, 40);
  double at = 0;
  for (int i = 0; i < count; ++i) {
    at += *rc::gen::inRange(0, 100) * 0.002;
    auto r = ask(*rc::gen::inRange(1, 150), *rc::gen::inRange(1, 60), at);
    if (r.prompt % 16 == 0) ++r.prompt;
    r.priority = static_cast<std::int16_t>(*rc::gen::inRange(0, 3));
    r.first_block = static_cast<std::uint32_t>(stream.hashes.size());
    r.blocks = static_cast<std::uint32_t>((r.prompt + 15) / 16);
    // Two families of prompts; a request leaves its family after some blocks.
    const int family = *rc::gen::inRange(0, 2), common = *rc::gen::inRange(0, 10);
    for (int b = 0; b < static_cast<int>(r.blocks); ++b) {
      const bool apart = b >= common || 16 * (b + 1) > r.prompt;
      stream.hashes.push_back(1000 * (family + 1) + b + (apart ? 100000 * (i + 1) : 0));
    }
    stream.requests.push_back(r);
  }
  return stream;
}

EngineConfig any_config() {
  EngineConfig c;
  c.max_num_seqs = *rc::gen::inRange(1, 20);
  c.max_num_batched_tokens = *rc::gen::inRange(20, 300);
  c.kv_blocks = *rc::gen::inRange(14, 60);
  c.prefix_cache = *rc::gen::arbitrary<bool>();
  c.priorities = *rc::gen::arbitrary<bool>();
  c.hash_tokens = 16;
  return c;
}

struct Both {
  std::vector<Outcome> plain, engine;
  double plain_steps = 0, engine_steps = 0, free_plain = 0, free_engine = 0;
  std::string audit;
};
Both both(const requests::Stream& stream, const EngineConfig& config) {
  Both b;
  Reference reference(oracle(), config);
  b.plain = reference.serve(stream);
  b.plain_steps = reference.steps;
  b.free_plain = static_cast<double>(reference.free_blocks());
  auto driven = drive(stream, oracle(), config);
  b.engine.resize(stream.requests.size());
  for (const auto& o : driven.outcomes) b.engine[o.request] = o;
  b.engine_steps = driven.tally().steps;
  b.free_engine = driven.engines[0].free_blocks();
  b.audit = driven.engines[0].audit();
  return b;
}

void same(const Both& b, double tolerance) {
  RC_ASSERT(b.engine_steps == b.plain_steps);
  RC_ASSERT(b.free_engine == b.free_plain);
  RC_ASSERT(b.audit == "");
  for (std::size_t i = 0; i < b.plain.size(); ++i) {
    const Outcome &p = b.plain[i], &e = b.engine[i];
    RC_ASSERT(e.fate == p.fate);
    if (p.fate != Fate::finished) continue;
    RC_ASSERT(e.output == p.output);
    RC_ASSERT(e.cached == p.cached);
    RC_ASSERT(e.preemptions == p.preemptions);
    RC_ASSERT(std::abs(e.scheduled_s - p.scheduled_s) <= tolerance * (1 + p.scheduled_s));
    RC_ASSERT(std::abs(e.first_token_s - p.first_token_s) <= tolerance * p.first_token_s);
    RC_ASSERT(std::abs(e.end_s - p.end_s) <= tolerance * p.end_s);
  }
}

RC_GTEST_PROP(EngineReference, StepByStepIsThePlainScheduler, ()) {
  auto config = any_config();
  config.skip_ahead = false;
  same(both(any_stream(), config), 1e-9);
}

// Arrivals fall on the same steps as long as none is within rounding of a step's end; the streams'
// arrivals are multiples of 2 ms, steps are not.
RC_GTEST_PROP(EngineReference, SkippingAheadChangesNothingElse, ()) {
  same(both(any_stream(), any_config()), 1e-4);
}

// Any settings at all, small memories and odd sizes: nobody is forgotten, nobody waits for ever,
// and the counts agree after every arrival.
RC_GTEST_PROP(EngineReference, AnySettingsServeEveryRequest, ()) {
  auto stream = any_stream();
  auto c = any_config();
  c.block_tokens = *rc::gen::element(1, 7, 16, 64);
  c.hash_tokens = *rc::gen::element(5, 16, 32);
  c.kv_blocks = c.kv_blocks * 16 / c.block_tokens;
  c.chunked_prefill = *rc::gen::arbitrary<bool>();
  c.static_batching = *rc::gen::element(false, false, false, true);
  c.long_prefill_tokens = *rc::gen::element(0, 0, 30);
  c.watermark = *rc::gen::element(0.0, 0.1);
  c.whole_prompt_fits = *rc::gen::arbitrary<bool>();
  c.schedule_ahead = *rc::gen::inRange(0, 2);
  c.delivery_steps = *rc::gen::element(0.0, 1.5);
  if (*rc::gen::arbitrary<bool>()) {
    c.speculation = {.length = *rc::gen::inRange(1, 6), .acceptance = 0.7, .draft_cost = 0.1};
    c.speculation.off_above = *rc::gen::element(0, 3);
  }
  if (*rc::gen::arbitrary<bool>()) {
    c.adapters = {
        .slots = *rc::gen::inRange(1, 4), .host_slots = 2, .load_s = 0.01, .fetch_s = 0.1};
    for (auto& r : stream.requests) r.adapter = static_cast<std::uint16_t>(*rc::gen::inRange(0, 6));
  }
  c.host = {.blocks = double(*rc::gen::element(0, 10, 100)), .bits_s = 1e10, .latency_s = 1e-3};
  c.disk = {.blocks = double(*rc::gen::element(0, 10, 100)), .bits_s = 1e9, .latency_s = 1e-2};
  c.role = *rc::gen::element(Role::both, Role::both, Role::prefill, Role::decode);
  c.link = {.bits_s = *rc::gen::element(0.0, 1e10), .latency_s = *rc::gen::element(0.0, 0.01)};
  Engine engine(oracle(), c);
  std::vector<Outcome> ended;
  for (std::uint32_t i = 0; i < stream.requests.size(); ++i) {
    const auto& r = stream.requests[i];
    engine.run_until(r.arrival_s, ended);
    engine.submit(i, r, stream.blocks_of(r), r.arrival_s);
    RC_ASSERT(engine.audit() == "");
  }
  engine.run_until(Engine::never, ended);
  RC_ASSERT(ended.size() == stream.requests.size());
  RC_ASSERT(engine.idle());
  RC_ASSERT(engine.audit() == "");
  RC_ASSERT(engine.free_blocks() == engine.total_blocks());
  RC_ASSERT(engine.queued_tokens() == 0);
  const Tally& t = engine.tally();
  RC_ASSERT(t.prefilled_tokens - t.recomputed_tokens + t.cached_tokens + t.loaded_tokens ==
            t.prompt_tokens);
  for (const auto& o : ended) {
    const auto& r = stream.requests[o.request];
    if (o.fate == Fate::finished) RC_ASSERT(o.output == r.output);
    RC_ASSERT(o.end_s >= o.arrival_s);
    if (o.fate != Fate::rejected) RC_ASSERT(o.first_token_s > o.arrival_s);
    RC_ASSERT(o.cached < o.prompt);
  }
}

}  // namespace
}  // namespace headroom::serving
