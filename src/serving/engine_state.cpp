#include "serving/engine_state.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace headroom::serving {
namespace {

constexpr std::int32_t whole = 0x7fffffff;  // a prefix group is one run of any length
constexpr double countless = 1e15;

std::int64_t blocks_of(double blocks) {
  return static_cast<std::int64_t>(std::clamp(std::floor(blocks), 0.0, countless));
}

EngineConfig settled(EngineConfig c) {
  c.block_tokens = std::max(c.block_tokens, 1);
  c.max_num_batched_tokens = std::max(c.max_num_batched_tokens, 1);
  c.max_num_seqs = std::clamp(c.max_num_seqs, 1, c.max_num_batched_tokens);
  if (c.static_batching) c.prefix_cache = false;
  if (c.static_batching || c.role == Role::prefill) c.speculation.length = 0;
  return c;
}

}  // namespace

Engine::State::State(const infer::StepOracle& oracle, const EngineConfig& config)
    : oracle_(&oracle),
      config_(settled(config)),
      cache_(blocks_of(config_.kv_blocks), config_.block_tokens, config_.prefix_cache,
             blocks_of(config_.host.blocks), blocks_of(config_.disk.blocks)),
      adapters_(config_.adapters),
      plain_(oracle),
      verifying_(oracle, config_.speculation.length),
      phases_(static_cast<std::size_t>(config_.block_tokens)),
      kv_bits_(oracle.kv_bits_per_token()),
      watermark_(
          static_cast<std::int64_t>(config_.watermark * static_cast<double>(cache_.total()))) {}

void Engine::State::use(const infer::StepOracle& oracle) {
  oracle_ = &oracle;
  plain_ = DecodeTable(oracle);
  verifying_ = DecodeTable(oracle, config_.speculation.length);
  best_drafts_.clear();
}

Refusal Engine::State::refusal(const requests::Request& r) const {
  if (r.prompt < 0 || r.output < 0) return Refusal::negative_length;
  if (r.prompt == 0) return Refusal::empty_prompt;
  const std::int64_t tokens = std::int64_t{r.prompt} + r.output;
  if (config_.max_model_len > 0 && tokens > config_.max_model_len) return Refusal::too_long;
  const std::int64_t decoded = config_.role == Role::prefill ? 0 : std::max(r.output - 1, 0);
  const std::int64_t most = r.prompt + decoded + config_.speculation.length;
  if ((most + config_.block_tokens - 1) / config_.block_tokens > cache_.total()) {
    return Refusal::beyond_memory;
  }
  const bool whole_prompts = !config_.chunked_prefill && !config_.static_batching;
  if (whole_prompts && r.prompt > config_.max_num_batched_tokens) return Refusal::beyond_budget;
  return Refusal::none;
}

void Engine::State::refuse(std::uint32_t id, const requests::Request& r, double now_s,
                           Refusal why) {
  Outcome o;
  o.request = id;
  o.arrival_s = o.scheduled_s = o.first_token_s = o.end_s = now_s;
  o.prompt = r.prompt;
  o.fate = Fate::rejected;
  o.refusal = why;
  refused_.push_back(o);
  tally_.rejected += 1;
}

void Engine::State::submit(std::uint32_t id, const requests::Request& request,
                           std::span<const std::uint64_t> blocks, double now_s) {
  tally_.submitted += 1;
  if (const Refusal why = refusal(request); why != Refusal::none) {
    return refuse(id, request, now_s, why);
  }
  const std::uint32_t slot = new_slot();
  Slot& s = slots_[slot];
  s.id = id;
  s.arrival_s = now_s;
  s.prompt = request.prompt;
  s.output = request.output;
  s.adapter = request.adapter;
  s.priority = request.priority;
  s.remote = config_.role == Role::decode;
  s.stage = Stage::incoming;
  s.queued_s = now_s + config_.intake_s + config_.intake_token_s * request.prompt;
  set_share(s, request, blocks);
  queued_tokens_ += s.prompt;
  const Event e{s.queued_s, order_++, slot};
  auto at = incoming_.end();
  while (at != incoming_.begin() && std::prev(at)->at_s > e.at_s) --at;
  incoming_.insert(at, e);
}

std::uint32_t Engine::State::new_slot() {
  if (spare_.empty()) {
    slots_.emplace_back();
    links_.grow(slots_.size());
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = spare_.back();
  spare_.pop_back();
  Holding kept = std::move(slots_[slot].holding);  // keeps its capacity
  slots_[slot] = Slot{};
  slots_[slot].holding = std::move(kept);
  return slot;
}

void Engine::State::set_share(Slot& s, const requests::Request& r,
                              std::span<const std::uint64_t> blocks) const {
  if (!config_.prefix_cache) return;
  if (!blocks.empty()) {
    s.hashes = blocks.data();
    s.hash_count = static_cast<std::uint32_t>(blocks.size());
    const std::int64_t stride = config_.hash_tokens;
    const std::int64_t named = s.hash_count * stride;
    // A trace's last block is the prompt's last part; blocks after that one are of the answer.
    const bool answer_too = s.hash_count > (r.prompt + stride - 1) / stride;
    const std::int64_t all = std::int64_t{r.prompt} + (answer_too ? r.output : 0);
    s.shared_tokens = static_cast<std::int32_t>(std::min(named, all));
  } else if (r.shared != requests::no_request && r.shared_tokens > 0) {
    s.group = r.shared;
    s.hash_count = 1;
    s.shared_tokens = std::min(r.shared_tokens, r.prompt + r.output);
  }
}

Share Engine::State::share_of(const Slot& s) const {
  return {.keys = s.hashes,
          .group = s.group,
          .salt = s.adapter,
          .count = s.hash_count,
          .stride = s.hashes ? config_.hash_tokens : whole,
          .tokens = s.shared_tokens};
}

std::int32_t Engine::State::made(const Slot& s) const {
  if (s.stage != Stage::decode) return s.made;
  return s.output - static_cast<std::int32_t>(s.finish_tick - tick_);
}

std::int32_t Engine::State::computed(const Slot& s) const {
  return s.stage == Stage::decode ? s.prompt + made(s) - 1 : s.computed;
}

std::int32_t Engine::State::held(const Slot& s) const {
  if (s.stage != Stage::decode || counts_blocks()) return s.held;
  return cache_.blocks_for(computed(s));
}

Outcome Engine::State::outcome(const Slot& s, Fate fate, double end_s) const {
  Outcome o;
  o.request = s.id;
  o.arrival_s = s.arrival_s;
  o.scheduled_s = s.scheduled_s;
  o.first_token_s = s.first_token_s;
  o.end_s = end_s;
  o.prompt = s.prompt;
  o.output = made(s);
  o.cached = s.cached;
  double gap = s.longest_gap_s;
  if (s.stage == Stage::decode) gap = std::max(gap, longest_.since(s.start_tick));
  o.longest_gap_us = static_cast<std::int32_t>(std::min(gap * 1e6, 2e9));
  o.preemptions = s.preemptions;
  o.fate = fate;
  return o;
}

// FCFS: a preempted request goes to the head. Priorities: by arrival within its priority.
void Engine::State::enqueue(std::uint32_t slot, bool in_front) {
  Slot& s = slots_[slot];
  s.stage = Stage::waiting;
  SlotList& list = waiting_.lane(lane(s));
  std::uint32_t before = in_front ? list.head : no_slot;
  if (config_.priorities && in_front) {
    while (before != no_slot && slots_[before].arrival_s <= s.arrival_s)
      before = links_.next[before];
  } else if (config_.priorities) {
    std::uint32_t last = list.tail;
    while (last != no_slot && slots_[last].arrival_s > s.arrival_s) {
      before = last;
      last = links_.previous[last];
    }
  }
  list.insert(links_, slot, before);
  waiting_.counted(1);
  if (in_front || config_.priorities || config_.adapters.slots > 0) stuck_ = false;
}

void Engine::State::dequeue(std::uint32_t slot) {
  waiting_.lane(lane(slots_[slot])).remove(links_, slot);
  waiting_.counted(-1);
}

void Engine::State::leave_running(std::uint32_t slot) {
  running_.remove(links_, slot);
  adapters_.leave(slots_[slot].adapter);
  stuck_ = false;
}

void Engine::State::begin_decode(std::uint32_t slot) {
  Slot& s = slots_[slot];
  s.start_tick = tick_;
  s.finish_tick = tick_ + s.output - s.made;
  s.stage = Stage::decode;
  ++decodes_;
  keys_ += s.prompt + s.made;
  if (!counts_blocks()) {
    const auto b = static_cast<std::int64_t>(config_.block_tokens);
    ++phases_[static_cast<std::size_t>(((s.computed - tick_) % b + b) % b)];
  }
  if (!speculates()) finishes_.push({s.finish_tick, s.serial, slot});
}

void Engine::State::end_decode(Slot& s) {
  s.longest_gap_s = std::max(s.longest_gap_s, longest_.since(s.start_tick));
  const std::int32_t blocks = held(s), done = made(s);
  s.computed = computed(s);
  s.made = done;
  s.held = blocks;
  s.stage = Stage::empty;
  --decodes_;
  keys_ -= s.prompt + s.made;
  if (!counts_blocks()) {
    const auto b = static_cast<std::int64_t>(config_.block_tokens);
    --phases_[static_cast<std::size_t>(((s.computed - tick_) % b + b) % b)];
  }
}

void Engine::State::free_memory(Slot& s, bool returns) {
  const std::int32_t full = s.computed / config_.block_tokens;
  cache_.publish(s.holding, share_of(s), full);
  const bool parks = returns && config_.prefix_cache;
  const std::int32_t park = parks ? std::max(full - s.holding.shared, 0) : 0;
  s.parked = cache_.release(s.holding, s.held, park);
  s.parked_from = full - park;
  s.held = s.computed = 0;
  stuck_ = false;
}

void Engine::State::close(std::uint32_t slot, Fate fate, double end_s,
                          std::vector<Outcome>& ended) {
  Slot& s = slots_[slot];
  ended.push_back(outcome(s, fate, end_s));
  (fate == Fate::handed_over ? tally_.handed_over : tally_.finished) += 1;
  s.stage = Stage::empty;
  spare_.push_back(slot);
}

int Engine::State::waiting() const {
  return waiting_.size() + static_cast<int>(incoming_.size()) + loading_;
}

std::int32_t Engine::State::prefix_match(const requests::Request& request,
                                         std::span<const std::uint64_t> blocks) const {
  Slot s;
  s.adapter = request.adapter;
  set_share(s, request, blocks);
  if (s.hash_count == 0 || request.prompt < 1) return 0;
  const std::int32_t b = config_.block_tokens;
  return cache_.find(share_of(s), (request.prompt - 1) / b).blocks * b;
}

void Engine::State::in_flight(std::vector<Outcome>& inside) const {
  const auto first = static_cast<std::ptrdiff_t>(inside.size());
  for (const Slot& s : slots_) {
    if (s.stage != Stage::empty) inside.push_back(outcome(s, Fate::in_flight, 0));
  }
  std::sort(inside.begin() + first, inside.end(),
            [](const Outcome& a, const Outcome& b) { return a.request < b.request; });
}

void Engine::State::fail(double now_s, std::vector<Outcome>& lost) {
  lost.insert(lost.end(), refused_.begin(), refused_.end());
  refused_.clear();
  const std::size_t first = lost.size();
  in_flight(lost);
  for (std::size_t i = first; i < lost.size(); ++i) {
    lost[i].fate = Fate::lost;
    lost[i].end_s = now_s;
  }
  tally_.lost += static_cast<double>(lost.size() - first);
  cache_.clear();
  adapters_.clear();
  slots_.clear();
  spare_.clear();
  links_ = {};
  running_ = {};
  waiting_.clear();
  incoming_.clear();
  events_ = {};
  finishes_ = {};
  reading_.clear();
  padding_.clear();
  std::fill(phases_.begin(), phases_.end(), 0);
  longest_.clear();
  decodes_ = 0;
  keys_ = padded_keys_ = queued_tokens_ = 0;
  loading_ = sending_ = holders_ = 0;
  stuck_ = false;
  clock_ = std::max(clock_, now_s);
  link_free_s_ = tier_free_s_[0] = tier_free_s_[1] = clock_;
}

std::string Engine::State::audit() const {
  if (auto wrong = cache_.audit(); !wrong.empty()) return wrong;
  std::int64_t own = 0, decodes = 0;
  double keys = 0;
  for (const Slot& s : slots_) {
    if (s.stage == Stage::empty) continue;
    own += held(s) - s.holding.shared;
    if (s.stage != Stage::decode) continue;
    ++decodes;
    keys += s.prompt + made(s);
  }
  if (decodes != decodes_) return fmt::format("{} decode, counted {}", decodes, decodes_);
  if (keys != keys_) return fmt::format("{} keys, counted {}", keys, keys_);
  const std::int64_t nodes = cache_.referenced();
  if (own + nodes != cache_.used()) {
    return fmt::format("requests hold {} blocks and share {}, {} are used", own, nodes,
                       cache_.used());
  }
  return {};
}

}  // namespace headroom::serving
