// Engine: one replica of a serving engine, step by step, with the semantics of vLLM V1.
//
//   Engine engine(oracle, config);
//   engine.submit(0, request, stream.blocks_of(request), now_s);
//   engine.run_until(t, ended);          // every step that starts before t
//   engine.run_until(Engine::never, ended);
//
// Time is simulated; the engine knows no wall clock, no randomness beyond its seed and no other
// replica. Routing, failures and scaling are the fleet's (fleet.hpp).
//
// A STEP (vllm/v1/core/sched/scheduler.py, read 2026-11) is put together at its start:
//   1. Running requests first, in order of admission: a token for each that decodes (and the
//      drafts to be checked), the next chunk for each whose prompt is not read yet, while
//      `max_num_batched_tokens` lasts. Each needs its KV blocks. When none is free the request
//      admitted last (under `priorities` the least important, then the latest) is preempted: it
//      loses its blocks, waits at the head of the queue, and later reads prompt and answer again.
//   2. If nobody was preempted, waiting requests, while tokens, `max_num_seqs` and blocks last;
//      the first that finds no blocks stops the queue. What its prompt shares with cached blocks
//      is not read again, except its last token.
//   The step takes StepOracle::step_s of that composition. At its end every decoding request, and
//   every request whose prompt was read to its end, has one more token (several, speculating).
//
// SKIP-AHEAD. While every running request decodes and nobody can be admitted, a step differs from
// the one before by a token a request. Such a run of n steps is taken in O(1): its time from a
// line through the oracle's times at neighbouring context lengths (engine_table.hpp; within 1e-4
// of the sum of the steps), its blocks from a count of requests by their place in the block. A
// request so costs O(log n) and one step a chunk of its prompt. `skip_ahead = false` takes every
// step by itself and asks the oracle each time.
//
// PREFIX CACHE. See engine_cache.hpp: hashed blocks (requests::Stream::hashes) and prefix groups
// (`Request::shared`), full engine blocks only, reference counted, least recently used out first,
// then to the tiers below if there are any. Answers are found by later turns of a session where
// the stream names them: a group's `shared_tokens` that exceed the prompt, or more hashes than the
// prompt has blocks, belong to the answer.
//
// WHAT A USER SEES. Times in an Outcome are at the client: the end of the step that made the
// token, plus `delivery_s` (detokenising, HTTP) and `delivery_steps` steps. A request reaches the
// scheduler `intake_s` + prompt x `intake_token_s` after its arrival (HTTP, tokenising).
//
// Complexity: submit O(log waiting); run_until see above; load signals O(1), prefix_match
// O(hashes). Memory ~200 bytes a request in flight. Not thread-safe; engines share nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "infer/oracle.hpp"
#include "requests/request.hpp"
#include "serving/engine_gaps.hpp"

namespace headroom::serving {

/// What a replica does of a request.
enum class Role : unsigned char {
  both,
  prefill,  ///< reads prompts and hands their KV over
  decode,   ///< gets prompts whose KV comes with them
};

/// Drafts of `length` tokens (EAGLE, MTP, draft model), each accepted with chance `acceptance` if
/// those before it were. A step then checks `length` + 1 tokens a sequence (StepLoad::verify),
/// and takes `length` x `draft_cost` of a plain decode step more for drafting.
struct Speculation {
  int length = 0;         ///< 0: none
  double acceptance = 0;  ///< 0 to 1
  double draft_cost = 0;  ///< of one drafted token, in decode steps
  int off_above = 0;      ///< sequences above which no drafts are made; 0: always drafted
  /// Drafts as many, up to `length`, as make most tokens a second of the batch at hand: the larger
  /// the batch the more a drafted token costs, so that fewer are drafted and accepted (SmartSpec,
  /// Liu et al. 2024, arXiv 2406.14066). Chosen once for each batch size and doubling of its keys.
  bool adaptive = false;
};

/// Memory below the GPU's, for KV blocks that were evicted.
struct Tier {
  double blocks = 0;  ///< it holds; 0: none
  double bits_s = 0;  ///< towards one GPU (KV bits are per GPU too); 0: instant
  double latency_s = 0;
};

/// Where KV of a handed-over prompt passes: prefill replicas send on theirs, decode replicas
/// receive on theirs; one transfer at a time each.
struct Link {
  double bits_s = 0;  ///< per GPU; 0: instant
  double latency_s = 0;
};

/// LoRA adapters (`max_loras`, `max_cpu_loras`).
struct Adapters {
  int slots = 0;       ///< on the GPU at once; 0: all stay loaded
  int host_slots = 0;  ///< in host memory; 0: all
  double load_s = 0;   ///< host to GPU; the step waits for it
  double fetch_s = 0;  ///< disk to host, before that
};

struct EngineConfig {
  int max_num_seqs = 256;
  int max_num_batched_tokens = 8192;
  int max_model_len = 0;  ///< 0: no limit
  int block_tokens = 16;  ///< of the paged KV cache
  double kv_blocks = 0;   ///< that fit beside the weights
  bool prefix_cache = true;
  bool chunked_prefill = true;
  bool priorities = false;       ///< --scheduling-policy priority
  bool static_batching = false;  ///< a batch is filled, run to its end, and replaced

  int long_prefill_tokens =
      0;                 ///< most of one prompt a step (long_prefill_token_threshold); 0: all
  double watermark = 0;  ///< share of blocks that admissions leave free
  bool whole_prompt_fits = false;  ///< admit only what fits whole (scheduler_reserve_full_isl)
  int hash_tokens = 512;           ///< Stream::block_tokens of the hashes submitted
  int schedule_ahead = 0;          ///< 1: a step is composed when the one before starts (async)
  double intake_s = 0;             ///< arrival to scheduler
  double intake_token_s = 0;       ///< the same, per prompt token
  double delivery_s = 0;           ///< end of step to client
  double delivery_steps = 0;       ///< the same, in steps
  Speculation speculation{};
  Adapters adapters{};
  Tier host{}, disk{};  ///< KV offload: CPU memory, NVMe
  Role role = Role::both;
  Link link{};
  std::uint64_t seed = 1;  ///< of accepted drafts
  bool skip_ahead = true;

  /// `run_until` comes back early when asked to stop; who runs the engine then ends the run.
  const Progress* progress = nullptr;
};

/// What became of a request. Times in seconds of the stream.
enum class Fate : unsigned char {
  finished,
  rejected,
  lost,
  in_flight,
  handed_over,  ///< by a prefill replica, whose KV arrives at `end_s`
};

/// Why a request was rejected.
enum class Refusal : unsigned char {
  none,
  empty_prompt,     ///< no prompt token
  negative_length,  ///< of prompt or answer
  too_long,         ///< prompt and answer exceed max_model_len
  beyond_memory,    ///< more blocks than the replica has
  beyond_budget,    ///< prompt exceeds the token budget and is not chunked
  no_pool,          ///< no pool of the fleet serves its model and class
  residency,        ///< none that does stands in a region where it may be served
};
std::string_view refusal_text(Refusal refusal);

struct Outcome {
  std::uint32_t request = 0;  ///< index into the stream
  double arrival_s = 0, scheduled_s = 0, first_token_s = 0, end_s = 0;
  std::int32_t prompt = 0;
  std::int32_t output = 0;          ///< tokens made
  std::int32_t cached = 0;          ///< prompt tokens found in the cache, tiers included
  std::int32_t longest_gap_us = 0;  ///< largest gap between two tokens
  std::uint16_t replica = 0, preemptions = 0;
  Fate fate = Fate::in_flight;
  Refusal refusal = Refusal::none;

  double ttft_s() const { return first_token_s - arrival_s; }
  /// Time per output token, first one not counted; 0 for answers of one token.
  double tpot_s() const { return output > 1 ? (end_s - first_token_s) / (output - 1) : 0; }
  double e2e_s() const { return end_s - arrival_s; }
};

/// What an engine did so far. Integrals are over the time in which it stepped.
struct Tally {
  double submitted = 0, finished = 0, rejected = 0, lost = 0, handed_over = 0;
  double steps = 0;
  double busy_s = 0;            ///< in steps
  double decoded_tokens = 0;    ///< answer tokens made
  double prompt_tokens = 0;     ///< of requests whose prompt was read to its end for the first time
  double prefilled_tokens = 0;  ///< prompt tokens computed, recomputation included
  double recomputed_tokens = 0;  ///< of those, read again after a preemption
  double cached_tokens = 0;      ///< found in the GPU's prefix cache (at first admission)
  double loaded_tokens = 0;      ///< brought back from host or disk
  double preemptions = 0;
  double drafted_tokens = 0, accepted_tokens = 0;
  double adapter_loads = 0;
  double kv_block_s = 0;  ///< blocks held x time
  double kv_peak = 0;     ///< blocks
  double running_s = 0;   ///< running requests x time
  double waiting_s = 0;   ///< time spent in the queue, summed when it ends
  double transfer_s = 0;  ///< time the link was busy
  void add(const Tally& other);
  /// What came since an earlier tally of the same engine; `kv_peak` stays.
  Tally since(const Tally& before) const;
};

/// A step, or a run of equal ones, as a trace shows it.
struct StepEvent {
  double start_s = 0, end_s = 0;
  std::int64_t steps = 1;
  int decodes = 0, prompts = 0, running = 0, waiting = 0;
  double prefill = 0;  ///< prompt tokens read
  double free_blocks = 0;
  int admitted = 0, preempted = 0;
};
using StepTrace = std::function<void(const StepEvent&)>;

class Engine {
 public:
  static constexpr double never = std::numeric_limits<double>::infinity();

  /// `oracle` must outlive the engine.
  Engine(const infer::StepOracle& oracle, const EngineConfig& config);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// The request arrives at `now_s`, not before an earlier one did and not before any time
  /// already run to. Its blocks must stay valid until it ends. Every request submitted comes out
  /// of run_until or fail once; a rejected one out of the next run_until.
  void submit(std::uint32_t id, const requests::Request& request,
              std::span<const std::uint64_t> blocks, double now_s);

  /// Takes every step that starts before `t`; appends what ended, in order of ending.
  void run_until(double t, std::vector<Outcome>& ended);

  /// Steps that start from now on take another oracle's time: a new limit of power. It must outlive
  /// the engine. Both oracles are of the same model and layout.
  void use(const infer::StepOracle& oracle);

  /// Start of the next step; `never` when there is nothing to do.
  double next_step_s() const;
  /// running() and waiting() stay as they are until run_until gets past this time (a lower
  /// bound). A fleet may leave a replica alone until then.
  double next_change_s();

  // Load signals, after the last step taken.
  int running() const;
  int waiting() const;           ///< queued, still on their way in, or waiting for KV
  bool idle() const;             ///< nothing in it, not even KV on its way out
  double kv_used() const;        ///< share of blocks that requests hold
  double queued_tokens() const;  ///< prompt tokens not read yet, of running and waiting requests
  /// Leading prompt tokens that the cache holds now.
  std::int32_t prefix_match(const requests::Request& request,
                            std::span<const std::uint64_t> blocks) const;

  /// The replica is gone: every request in it comes out as lost, with the tokens made so far; its
  /// cache is empty. The engine may be used again from `now_s` (repaired).
  void fail(double now_s, std::vector<Outcome>& lost);
  /// Requests still inside, as Fate::in_flight.
  void in_flight(std::vector<Outcome>& inside) const;

  const Tally& tally() const;
  const Gaps& gaps() const;  ///< between tokens, one a step and sequence
  const EngineConfig& config() const;
  double total_blocks() const;
  double free_blocks() const;

  /// Recounts blocks and tokens from what requests hold; empty when all agree. O(requests, nodes).
  std::string audit() const;
  /// Called after each step, or run of steps; an empty function stops it.
  void trace(StepTrace trace);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace headroom::serving
