// What the next step holds: running requests first, then waiting ones.
#include <algorithm>
#include <cmath>

#include "serving/engine_state.hpp"

namespace headroom::serving {

int Engine::State::drafts() {
  const Speculation& spec = config_.speculation;
  if (spec.length <= 0 || decodes_ <= 0) return 0;
  if (spec.off_above > 0 && decodes_ > spec.off_above) return 0;
  const std::int64_t fits = config_.max_num_batched_tokens / decodes_ - 1;
  const int most = spec.adaptive ? best_drafts() : spec.length;
  return static_cast<int>(std::clamp<std::int64_t>(most, 0, fits));
}

/// The number of drafts with most expected tokens a second, for this many sequences of about this
/// many keys:  (1 - a^(g+1)) / (1 - a)  tokens a sequence in  t(g checked) + g cost t(0).
int Engine::State::best_drafts() {
  const Speculation& spec = config_.speculation;
  const auto b = static_cast<std::size_t>(decodes_);
  const int octave = std::max(0, static_cast<int>(std::log2(std::max(1.0, keys_))));
  if (best_drafts_.size() <= b) best_drafts_.resize(b + 1);
  auto& row = best_drafts_[b];
  if (row.size() <= static_cast<std::size_t>(octave)) row.resize(octave + 1, -1);
  auto& best = row[octave];
  if (best >= 0) return best;
  infer::StepLoad load;
  load.decodes = static_cast<int>(decodes_);
  load.keys = std::exp2(octave + 0.5);
  const double plain = oracle_->step_s(load), a = std::min(spec.acceptance, 1.0);
  double most = 0, tokens = 0, chance = 1;
  for (int g = 0; g <= spec.length; ++g, chance *= a) {
    tokens += chance;
    load.verify = g;
    const double rate = tokens / (oracle_->step_s(load) + g * spec.draft_cost * plain);
    if (rate > most) most = rate, best = static_cast<std::int16_t>(g);
  }
  return best;
}

std::int32_t Engine::State::chunk_of(const Slot& s, std::int32_t budget) const {
  std::int32_t n = s.prompt + s.made - s.computed;
  if (config_.long_prefill_tokens > 0) n = std::min(n, config_.long_prefill_tokens);
  return std::min(n, budget);
}

/// Blocks that a decoding request needs for this step.
std::int32_t Engine::State::decode_need(const Slot& s) const {
  if (config_.static_batching) return 0;
  if (!speculates()) return computed(s) % config_.block_tokens == 0 ? 1 : 0;
  return std::max(cache_.blocks_for(computed(s) + 1 + drafts_now_) - s.held, 0);
}

std::int64_t Engine::State::decode_needs() const {
  if (decodes_ == 0 || config_.static_batching) return 0;
  if (!speculates()) {
    const auto b = static_cast<std::int64_t>(config_.block_tokens);
    return phases_[static_cast<std::size_t>((b - tick_ % b) % b)];
  }
  std::int64_t sum = 0;
  for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) {
    if (slots_[i].stage == Stage::decode) sum += decode_need(slots_[i]);
  }
  return sum;
}

void Engine::State::grow_running(std::int32_t& budget) {
  drafts_now_ = drafts();
  std::int64_t need = decode_needs();
  std::int32_t left = budget - static_cast<std::int32_t>(decodes_) * (1 + drafts_now_);
  for (const std::uint32_t slot : reading_) {
    const Slot& s = slots_[slot];
    const std::int32_t n = chunk_of(s, left);
    if (n <= 0) continue;
    need += std::max(cache_.blocks_for(s.computed + n) - s.held, 0);
    left -= n;
    chunks_.push_back({slot, n});
  }
  if (need > cache_.free()) {
    chunks_.clear();
    grow_in_order(budget);
    publish_chunks();
    return;
  }
  budget = left;
  cache_.take(need);
  for (const Chunk& c : chunks_) {
    Slot& s = slots_[c.slot];
    s.held = std::max(s.held, cache_.blocks_for(s.computed + c.tokens));
  }
  if (speculates()) {
    for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) {
      if (slots_[i].stage == Stage::decode) slots_[i].held += decode_need(slots_[i]);
    }
  }
  publish_chunks();
}

void Engine::State::publish_chunks() {
  for (const Chunk& c : chunks_) {
    Slot& s = slots_[c.slot];
    cache_.publish(s.holding, share_of(s), (s.computed + c.tokens) / config_.block_tokens);
  }
}

// There are not blocks for all: one by one, in order of admission, as vLLM does. (Where a request
// preempts itself vLLM leaves the rest out of this one step; here they go on.)
void Engine::State::grow_in_order(std::int32_t& budget) {
  for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) slots_[i].took = 0;
  budget -= static_cast<std::int32_t>(decodes_) * (1 + drafts_now_);
  for (std::uint32_t i = running_.head; i != no_slot;) {
    Slot& s = slots_[i];
    const bool decodes = s.stage == Stage::decode;
    const std::int32_t n = decodes ? 1 + drafts_now_ : chunk_of(s, budget);
    const std::int32_t need =
        decodes ? decode_need(s) : std::max(cache_.blocks_for(s.computed + n) - s.held, 0);
    std::uint32_t next = links_.next[i];
    bool gone = false;
    while (n > 0 && need > cache_.free() && !gone) {
      if (holders_ > 0) {
        give_up_waiting();
        continue;
      }
      const std::uint32_t v = victim();
      gone = v == i;
      if (v == next) next = links_.next[v];
      preempt(v, budget);
    }
    if (!gone && n > 0) {
      cache_.take(need);
      if (!decodes) {
        budget -= n;
        s.held += need;
        chunks_.push_back({i, n});
      } else if (speculates()) {
        s.held += need;
      } else {
        s.took = need;
      }
    }
    i = next;
  }
  for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) slots_[i].took = 0;
}

std::uint32_t Engine::State::victim() const {
  std::uint32_t worst = running_.tail;
  if (!config_.priorities) return worst;
  for (std::uint32_t i = links_.previous[worst]; i != no_slot; i = links_.previous[i]) {
    const Slot &a = slots_[i], &b = slots_[worst];
    if (a.priority > b.priority || (a.priority == b.priority && a.arrival_s >= b.arrival_s)) {
      worst = i;  // of equals the first admitted: Python's max()
    }
  }
  return worst;
}

void Engine::State::preempt(std::uint32_t slot, std::int32_t& budget) {
  Slot& s = slots_[slot];
  if (s.stage == Stage::decode) {
    end_decode(s);
    s.held += s.took;
    s.took = 0;
    s.last_s = clock_;
    s.seen = s.prompt + s.made;
    queued_tokens_ += s.prompt + s.made;
    budget += 1 + drafts_now_;
  } else {
    const auto mine = [&](const Chunk& c) { return c.slot == slot; };
    for (const Chunk& c : chunks_) budget += mine(c) ? c.tokens : 0;
    std::erase_if(chunks_, mine);
    std::erase(reading_, slot);
    queued_tokens_ += s.computed;
  }
  leave_running(slot);
  free_memory(s, true);
  ++s.preemptions;
  ++preempted_;
  tally_.preemptions += 1;
  s.queued_s = clock_;
  enqueue(slot, true);
}

void Engine::State::admit_waiting(std::int32_t& budget) {
  stuck_ = false;
  bool passed = false;
  std::uint32_t slot = waiting_.first();
  while (slot != no_slot && budget > 0) {
    if (running_.size >= config_.max_num_seqs) {
      stuck_ = true;
      return;
    }
    const Slot& s = slots_[slot];
    const std::uint32_t next = waiting_.after(links_, slot, lane(s));
    if (adapters_.fits(s.adapter)) {
      const Admission a = admit(slot, budget);
      if (a == Admission::no_memory || a == Admission::no_budget) {
        stuck_ = a == Admission::no_memory || chunks_.empty();
        return;
      }
    } else {
      passed = true;
    }
    slot = next;
  }
  stuck_ = passed && slot == no_slot;
}

/// Blocks an admission may take when `queued` leave the free queue as cached ones.
std::int64_t Engine::State::room(std::int64_t queued) const {
  return cache_.free() - queued - (running_.size > 0 ? watermark_ : 0);
}

Engine::State::Admission Engine::State::admit(std::uint32_t slot, std::int32_t& budget) {
  Slot& s = slots_[slot];
  const std::int32_t tokens = s.prompt + s.made, b = config_.block_tokens;
  KvCache::Found found;
  std::int32_t reused = 0, blocks = s.held, from = s.computed;
  if (s.held == 0) {
    const std::int32_t cap = (tokens - 1) / b;
    found = cache_.find(share_of(s), cap);
    if (s.remote || found.host + found.disk > 0) return bring_in(slot, found);
    if (s.parked != KvCache::none && found.blocks >= s.parked_from) {
      reused = std::clamp(cap - found.blocks, 0, cache_.parked(s.parked));
    }
    blocks = found.blocks + reused;
    from = blocks * b;
  }
  std::int32_t n = tokens - from;
  if (config_.long_prefill_tokens > 0) n = std::min(n, config_.long_prefill_tokens);
  if (!config_.chunked_prefill && s.made == 0 && n > budget) return Admission::no_budget;
  n = std::min(n, budget);
  const std::int64_t free = room(found.queued + reused);
  const std::int32_t need = std::max(cache_.blocks_for(from + n) - blocks, 0);
  const std::int32_t all = cache_.blocks_for(tokens) - blocks;
  if (need > free || (config_.whole_prompt_fits && all > free)) return Admission::no_memory;
  if (s.held == 0) {
    cache_.hold(s.holding, share_of(s), found);
    if (s.parked != KvCache::none) cache_.unpark(s.parked, reused);
    s.parked = KvCache::none;
    queued_tokens_ -= from;
    if (from > s.seen) {
      tally_.cached_tokens += from - s.seen;
      s.seen = from;
    }
    if (s.scheduled_s < 0) s.cached = from;
  }
  if (s.held > 0) --holders_;
  cache_.take(need);
  s.held = blocks + need;
  s.computed = from;
  start_reading(slot, n);
  budget -= n;
  return Admission::running;
}

void Engine::State::start_reading(std::uint32_t slot, std::int32_t tokens) {
  Slot& s = slots_[slot];
  dequeue(slot);
  if (s.scheduled_s < 0) s.scheduled_s = clock_;
  tally_.waiting_s += clock_ - s.queued_s;
  s.stage = Stage::prefill;
  s.serial = serial_++;
  running_.push_back(links_, slot);
  reading_.push_back(slot);
  chunks_.push_back({slot, tokens});
  loading_adapters_s_ += adapters_.join(s.adapter);
  tally_.adapter_loads = adapters_.loads();
  cache_.publish(s.holding, share_of(s), (s.computed + tokens) / config_.block_tokens);
  ++admitted_;
}

// The request's KV, or the next part of it, is elsewhere: it gets its blocks now and comes back
// to the queue's head when they are filled.
Engine::State::Admission Engine::State::bring_in(std::uint32_t slot, const KvCache::Found& found) {
  Slot& s = slots_[slot];
  const std::int32_t b = config_.block_tokens;
  const std::int32_t blocks =
      s.remote ? cache_.blocks_for(s.prompt) : found.blocks + found.host + found.disk;
  const std::int32_t need = std::max(blocks - found.blocks, 0);
  if (need > room(found.queued)) return Admission::no_memory;
  cache_.hold(s.holding, share_of(s), found);
  cache_.take(need);
  if (s.parked != KvCache::none) cache_.unpark(s.parked, 0);
  s.parked = KvCache::none;
  s.held = blocks;
  s.computed = s.remote ? s.prompt - 1 : blocks * b;
  if (s.scheduled_s < 0) {
    s.scheduled_s = clock_;
    s.cached = s.remote ? found.blocks * b : s.computed;
  }
  queued_tokens_ -= s.computed;
  tally_.cached_tokens += std::max(found.blocks * b - s.seen, 0);
  s.seen = std::max(s.seen, found.blocks * b);
  tally_.loaded_tokens += std::max(s.computed - s.seen, 0);
  s.seen = std::max(s.seen, s.computed);
  tally_.waiting_s += clock_ - s.queued_s;
  double done = clock_;
  const auto pass = [&](double bits_s, double latency_s, double moved, double& free_s) {
    if (moved <= 0) return;
    const double start = std::max(clock_, free_s);
    const double took = latency_s + (bits_s > 0 ? moved * b * kv_bits_ / bits_s : 0);
    free_s = start + took;
    tally_.transfer_s += took;
    done = std::max(done, free_s);
  };
  if (s.remote) {
    pass(config_.link.bits_s, config_.link.latency_s, need, link_free_s_);
  } else {
    pass(config_.host.bits_s, config_.host.latency_s, found.host, tier_free_s_[0]);
    pass(config_.disk.bits_s, config_.disk.latency_s, found.disk, tier_free_s_[1]);
  }
  s.remote = false;
  dequeue(slot);
  s.stage = Stage::loading;
  ++loading_;
  events_.push({done, order_++, slot});
  return Admission::elsewhere;
}

// Requests whose KV came from elsewhere hold blocks while they wait for a place in the batch. The
// last of them gives its blocks up, and will read its prompt itself, before a running request is
// preempted, and when nothing runs because the queue's head finds no room beside them. (vLLM
// preempts running requests first; two of them can then take turns for ever.)
void Engine::State::give_up_waiting() {
  std::uint32_t last = no_slot;
  for (std::uint32_t i = waiting_.first(); i != no_slot;
       i = waiting_.after(links_, i, lane(slots_[i]))) {
    if (slots_[i].held > 0) last = i;
  }
  Slot& s = slots_[last];
  queued_tokens_ += s.computed;
  --holders_;
  free_memory(s, true);
}

bool Engine::State::deadlocked() const {
  return stuck_ && running_.size == 0 && events_.empty() && holders_ > 0;
}

void Engine::State::fill_static_batch() {
  for (std::uint32_t slot = waiting_.first();
       slot != no_slot && running_.size < config_.max_num_seqs;) {
    Slot& s = slots_[slot];
    const std::uint32_t next = waiting_.after(links_, slot, lane(s));
    const std::int32_t decoded = config_.role == Role::prefill ? 0 : std::max(s.output - 1, 0);
    const std::int32_t blocks = cache_.blocks_for(std::int64_t{s.prompt} + decoded);
    if (blocks > cache_.free() || !adapters_.fits(s.adapter)) break;
    cache_.take(blocks);
    s.held = blocks;
    start_reading(slot, s.prompt);
    slot = next;
  }
}

}  // namespace headroom::serving
