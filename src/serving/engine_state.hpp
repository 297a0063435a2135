// Engine::State: what an engine remembers between steps. Private to engine*.cpp.
//
// Decoding requests are in lock-step: each gains one token a step. So nothing is kept per request
// that changes with a step; `tick_` counts steps, and of a decoding request
//   made     = output - (finish_tick - tick_)
//   computed = prompt + made - 1                  tokens in its KV cache
//   blocks   = ceil(computed / block)
// It needs another block in the step at whose start computed is a multiple of the block: requests
// are counted by (computed - tick_) mod block, which does not change. Accepted drafts shift
// finish_tick; then blocks are kept per request (`held`), and steps cost O(running).
#pragma once

#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <vector>

#include "serving/engine.hpp"
#include "serving/engine_adapters.hpp"
#include "serving/engine_cache.hpp"
#include "serving/engine_lists.hpp"
#include "serving/engine_table.hpp"

namespace headroom::serving {

class Engine::State {
 public:
  State(const infer::StepOracle& oracle, const EngineConfig& config);

  void submit(std::uint32_t id, const requests::Request& request,
              std::span<const std::uint64_t> blocks, double now_s);
  void run_until(double t, std::vector<Outcome>& ended);
  void use(const infer::StepOracle& oracle);
  double next_step_s() const;
  double next_change_s();
  int running() const { return running_.size; }
  int waiting() const;
  bool idle() const { return spare_.size() == slots_.size(); }
  double queued_tokens() const { return queued_tokens_; }
  std::int32_t prefix_match(const requests::Request& request,
                            std::span<const std::uint64_t> blocks) const;
  void fail(double now_s, std::vector<Outcome>& lost);
  void in_flight(std::vector<Outcome>& inside) const;
  std::string audit() const;

  const EngineConfig& config() const { return config_; }
  const Tally& tally() const { return tally_; }
  const Gaps& gaps() const { return gaps_; }
  const KvCache& cache() const { return cache_; }
  void trace(StepTrace trace) { trace_ = std::move(trace); }

 private:
  enum class Stage : unsigned char {
    empty,
    incoming,  ///< on its way to the scheduler
    waiting,
    loading,  ///< admitted to memory; its KV is on the way
    prefill,
    decode,
    padding,  ///< static batching: done, waits for the batch
    sending,  ///< its KV leaves for a decode replica
  };

  struct Slot {
    const std::uint64_t* hashes = nullptr;
    double arrival_s = 0, queued_s = 0, scheduled_s = -1, first_token_s = 0;
    double last_s = 0;         ///< end of the step of its last token, before a preemption
    double longest_gap_s = 0;  ///< before `start_tick`
    std::int64_t start_tick = 0, finish_tick = 0;
    std::uint64_t group = 0;
    std::uint32_t id = 0, serial = 0;  ///< serial: of its admission
    std::uint32_t hash_count = 0, parked = KvCache::none;
    std::int32_t prompt = 0, output = 0, made = 0, computed = 0, held = 0;
    std::int32_t shared_tokens = 0, cached = 0, parked_from = 0;
    std::int32_t seen = 0;  ///< leading tokens once computed or found: reading them again is waste
    std::int32_t took = 0;  ///< blocks in the step being put together, decoding
    std::uint16_t adapter = 0, preemptions = 0;
    std::int16_t priority = 0;
    Stage stage = Stage::empty;
    bool remote = false;  ///< its prompt's KV comes from a prefill replica
    Holding holding;
  };

  /// Something other than a step that ends at a time of its own.
  struct Event {
    double at_s;
    std::uint64_t order;
    std::uint32_t slot;
    bool operator>(const Event& e) const {
      return at_s != e.at_s ? at_s > e.at_s : order > e.order;
    }
  };
  struct Finish {
    std::int64_t tick;
    std::uint32_t serial, slot;
    bool operator>(const Finish& f) const {
      return tick != f.tick ? tick > f.tick : serial > f.serial;
    }
  };
  /// The next tokens of a prompt.
  struct Chunk {
    std::uint32_t slot;
    std::int32_t tokens;
  };
  template <class T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<T>>;

  // engine_state.cpp: slots, queues and the ways in and out
  Refusal refusal(const requests::Request& r) const;
  void refuse(std::uint32_t id, const requests::Request& r, double now_s, Refusal why);
  std::uint32_t new_slot();
  Share share_of(const Slot& s) const;
  void set_share(Slot& s, const requests::Request& r, std::span<const std::uint64_t> blocks) const;
  bool counts_blocks() const { return speculates() || config_.static_batching; }
  std::int32_t made(const Slot& s) const;
  std::int32_t computed(const Slot& s) const;
  std::int32_t held(const Slot& s) const;
  std::int16_t lane(const Slot& s) const { return config_.priorities ? s.priority : 0; }
  Outcome outcome(const Slot& s, Fate fate, double end_s) const;
  void enqueue(std::uint32_t slot, bool in_front);
  void dequeue(std::uint32_t slot);
  void leave_running(std::uint32_t slot);
  void begin_decode(std::uint32_t slot);
  void end_decode(Slot& s);
  void free_memory(Slot& s, bool returns);
  void close(std::uint32_t slot, Fate fate, double end_s, std::vector<Outcome>& ended);

  // engine_compose.cpp: what a step holds
  enum class Admission : unsigned char { running, elsewhere, no_memory, no_budget };
  Admission admit(std::uint32_t slot, std::int32_t& budget);
  Admission bring_in(std::uint32_t slot, const KvCache::Found& found);
  std::int64_t room(std::int64_t queued) const;
  void start_reading(std::uint32_t slot, std::int32_t tokens);
  void admit_waiting(std::int32_t& budget);
  void fill_static_batch();
  void grow_running(std::int32_t& budget);
  void grow_in_order(std::int32_t& budget);
  void publish_chunks();
  std::int32_t chunk_of(const Slot& s, std::int32_t budget) const;
  std::int64_t decode_needs() const;
  std::int32_t decode_need(const Slot& s) const;
  std::uint32_t victim() const;
  void preempt(std::uint32_t slot, std::int32_t& budget);
  bool deadlocked() const;
  void give_up_waiting();
  int drafts();
  int best_drafts();

  // engine_run.cpp: time
  void begin(double start_s, std::vector<Outcome>& ended);
  void one_step(std::vector<Outcome>& ended);
  bool run_of_decodes(double until_s, std::vector<Outcome>& ended);
  std::int64_t steps_to_finish();
  std::int64_t steps_that_fit(std::int64_t most) const;
  std::int64_t blocks_grown(std::int64_t steps, double& block_steps) const;
  double step_seconds();
  void account(std::int64_t steps, double seconds, double longest_s, double block_steps);
  void accept_drafts();
  void finish_decodes(double end_s, std::vector<Outcome>& ended);
  void read_chunks(double end_s, std::vector<Outcome>& ended);
  void prompt_read(std::uint32_t slot, double end_s, std::vector<Outcome>& ended);
  void hand_over(std::uint32_t slot, double end_s);
  void end_static_batch(std::vector<Outcome>& ended);
  void tell(double start_s, std::int64_t steps, std::int64_t decodes, double prefill) const;
  bool arrivals_matter() const;
  double next_event_s() const;
  double shown(double end_s);
  std::int64_t batch() const { return decodes_ + static_cast<std::int64_t>(padding_.size()); }
  bool speculates() const { return config_.speculation.length > 0; }
  bool quiet() const { return reading_.empty() && (waiting_.empty() || stuck_); }

  const infer::StepOracle* oracle_;
  EngineConfig config_;
  KvCache cache_;
  AdapterSlots adapters_;
  DecodeTable plain_, verifying_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> spare_;
  SlotLinks links_;
  SlotList running_;  ///< in order of admission
  WaitingLanes waiting_;
  std::deque<Event> incoming_;  ///< by time
  Earliest<Event> events_;      ///< loads and transfers under way
  Earliest<Finish> finishes_;
  std::vector<std::uint32_t> reading_;  ///< stage prefill, in order of admission
  std::vector<std::uint32_t> padding_;
  std::vector<Outcome> refused_;

  // The batch.
  std::int64_t tick_ = 0;
  std::int64_t decodes_ = 0;
  double keys_ = 0;                   ///< tokens of decoding requests, summed
  double padded_keys_ = 0;            ///< of those that pad a static batch
  std::vector<std::int32_t> phases_;  ///< decoding requests by (computed - tick_) mod block
  LongestSince longest_;

  // The step being put together.
  std::vector<Chunk> chunks_;
  int admitted_ = 0, preempted_ = 0, drafts_now_ = 0;
  std::vector<std::vector<std::int16_t>> best_drafts_;  ///< by batch, then octave of keys; -1: new
  double loading_adapters_s_ = 0;

  bool stuck_ = false;  ///< the queue's head found no place, and none has become free since
  double clock_ = 0;    ///< end of the last step
  double last_start_ = -1;
  double link_free_s_ = 0, tier_free_s_[2] = {0, 0};
  double queued_tokens_ = 0, kv_bits_ = 0;
  std::uint32_t serial_ = 0;
  std::uint64_t order_ = 0;
  std::int64_t watermark_ = 0;
  int loading_ = 0, sending_ = 0;
  int holders_ = 0;  ///< waiting requests that hold blocks
  Tally tally_;
  Gaps gaps_;
  StepTrace trace_;
};

}  // namespace headroom::serving
