// How time passes: steps, runs of decode steps, and what ends between them.
#include <algorithm>
#include <cmath>

#include "serving/engine_state.hpp"

namespace headroom::serving {
namespace {

/// A number in [0, 1) from a counter, by SplitMix64 (Steele, Lea and Flood 2014).
double uniform(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1.0p-53;
}

constexpr std::size_t many_longest = 1024;

}  // namespace

double Engine::State::next_event_s() const {
  double at = never;
  if (!incoming_.empty()) at = incoming_.front().at_s;
  if (!events_.empty()) at = std::min(at, events_.top().at_s);
  return at;
}

double Engine::State::next_step_s() const {
  if (running_.size > 0 || (!waiting_.empty() && !stuck_) || deadlocked()) return clock_;
  return std::max(next_event_s(), clock_);
}

/// Whether a request that arrives now could be admitted before something ends.
bool Engine::State::arrivals_matter() const {
  if (running_.size >= config_.max_num_seqs || config_.static_batching) return false;
  const bool passes = config_.priorities || config_.adapters.slots > 0;
  return waiting_.empty() || !stuck_ || passes;
}

double Engine::State::next_change_s() {
  const double next = next_step_s();
  if (decodes_ == 0 || speculates() || config_.static_batching || !quiet()) return next;
  const std::int64_t most = steps_that_fit(steps_to_finish());
  if (most <= 0) return next;
  // The last step of the run is the one that ends somebody.
  double change = clock_;
  if (most > 1) {
    const auto b = static_cast<int>(batch());
    change += plain_.run(b, keys_, adapters_.distinct(), most - 1, never, nullptr, 0).seconds;
    change -= 1e-12 * change;  // a lower bound in spite of rounding
  }
  if (!incoming_.empty() && arrivals_matter()) change = std::min(change, incoming_.front().at_s);
  if (!events_.empty()) change = std::min(change, events_.top().at_s);
  return std::max(change, next);
}

void Engine::State::run_until(double t, std::vector<Outcome>& ended) {
  ended.insert(ended.end(), refused_.begin(), refused_.end());
  refused_.clear();
  for (double start = next_step_s(); start < t; start = next_step_s()) {
    if (config_.progress != nullptr && config_.progress->stop_asked()) return;
    begin(start, ended);
    if (quiet() && run_of_decodes(t, ended)) continue;
    one_step(ended);
  }
}

// What is known when the step that starts at `start_s` is put together.
void Engine::State::begin(double start_s, std::vector<Outcome>& ended) {
  clock_ = start_s;
  const bool ahead = config_.schedule_ahead > 0 && running_.size > 0;
  const double known = ahead ? last_start_ : start_s;
  while (!events_.empty() && events_.top().at_s <= known) {
    const Event e = events_.top();
    events_.pop();
    Slot& s = slots_[e.slot];
    if (s.stage == Stage::sending) {
      --sending_;
      free_memory(s, false);
      close(e.slot, Fate::handed_over, e.at_s, ended);
      continue;
    }
    --loading_;
    ++holders_;
    cache_.publish(s.holding, share_of(s), s.computed / config_.block_tokens);
    s.queued_s = e.at_s;
    enqueue(e.slot, true);
  }
  while (!incoming_.empty() && incoming_.front().at_s <= known) {
    if (waiting_.empty()) stuck_ = false;
    enqueue(incoming_.front().slot, false);
    incoming_.pop_front();
  }
}

double Engine::State::shown(double end_s) {
  double at = end_s + config_.delivery_s;
  if (config_.delivery_steps > 0 && decodes_ > 0) {
    const auto b = static_cast<int>(batch());
    at += config_.delivery_steps * plain_.step_s(b, keys_ + padded_keys_, adapters_.distinct());
  }
  return at;
}

double Engine::State::step_seconds() {
  const auto b = static_cast<int>(batch());
  const double keys = keys_ + padded_keys_;
  const int adapters = adapters_.distinct();
  const bool usual = drafts_now_ == 0 || drafts_now_ == config_.speculation.length;
  double seconds = loading_adapters_s_;
  if (chunks_.empty() && usual && config_.skip_ahead) {
    seconds += (drafts_now_ > 0 ? verifying_ : plain_).step_s(b, keys, adapters);
  } else {
    infer::StepLoad load;
    load.decodes = b;
    load.keys = keys;
    load.verify = drafts_now_;
    load.adapters = adapters;
    load.prompts = static_cast<double>(chunks_.size());
    for (const Chunk& c : chunks_) {
      const double n = c.tokens;
      load.prefill += n;
      load.prefill_pairs += n * slots_[c.slot].computed + n * (n + 1) / 2;
    }
    seconds += oracle_->step_s(load);
  }
  if (drafts_now_ > 0) {
    seconds += drafts_now_ * config_.speculation.draft_cost * plain_.step_s(b, keys, adapters);
  }
  return seconds;
}

void Engine::State::account(std::int64_t steps, double seconds, double longest_s,
                            double block_steps) {
  const auto n = static_cast<double>(steps);
  tally_.steps += n;
  tally_.busy_s += seconds;
  tally_.decoded_tokens += n * static_cast<double>(decodes_);
  tally_.running_s += seconds * running_.size;
  tally_.kv_block_s += block_steps * seconds / n;
  tally_.kv_peak = std::max(tally_.kv_peak, static_cast<double>(cache_.used()));
  clock_ += seconds;
  tick_ += steps;
  keys_ += n * static_cast<double>(decodes_);
  padded_keys_ += n * static_cast<double>(padding_.size());
  longest_.add(tick_, longest_s);
  if (longest_.size() < many_longest) return;
  std::int64_t first = tick_;
  for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) {
    if (slots_[i].stage == Stage::decode) first = std::min(first, slots_[i].start_tick);
  }
  longest_.forget_before(first);
}

void Engine::State::one_step(std::vector<Outcome>& ended) {
  chunks_.clear();
  admitted_ = preempted_ = 0;
  loading_adapters_s_ = 0;
  std::int32_t budget = config_.max_num_batched_tokens;
  if (config_.static_batching) {
    if (running_.size == 0) fill_static_batch();
    stuck_ = !waiting_.empty();
  } else {
    grow_running(budget);
    if (preempted_ == 0 && !waiting_.empty() && !stuck_) admit_waiting(budget);
  }
  if (batch() == 0 && chunks_.empty()) {
    if (deadlocked()) give_up_waiting();
    return;
  }
  const double start = clock_, seconds = step_seconds();
  const std::int64_t decodes = decodes_;
  last_start_ = start;
  account(1, seconds, seconds, static_cast<double>(cache_.used()));
  gaps_.add(seconds, static_cast<double>(decodes));
  if (speculates()) accept_drafts();
  double prefill = 0;
  for (const Chunk& c : chunks_) prefill += c.tokens;
  finish_decodes(clock_, ended);
  read_chunks(clock_, ended);
  if (config_.static_batching) end_static_batch(ended);
  if (trace_) tell(start, 1, decodes, prefill);
}

std::int64_t Engine::State::steps_to_finish() {
  while (!finishes_.empty()) {
    const Finish f = finishes_.top();
    const Slot& s = slots_[f.slot];
    if (s.stage == Stage::decode && s.serial == f.serial) return f.tick - tick_;
    finishes_.pop();  // preempted since
  }
  return 0;
}

/// The most steps, up to `most`, that find the blocks they need.
std::int64_t Engine::State::steps_that_fit(std::int64_t most) const {
  if (config_.static_batching) return most;
  const auto b = static_cast<std::int64_t>(config_.block_tokens);
  const std::int64_t free = cache_.free();
  if (free >= decodes_ * (most / b + 1)) return most;
  const std::int64_t cycles = free / decodes_;
  std::int64_t left = free - cycles * decodes_, steps = cycles * b;
  for (std::int64_t j = 0; j < b && steps < most; ++j, ++steps) {
    const std::int64_t need = phases_[static_cast<std::size_t>((b - (tick_ + j) % b) % b)];
    if (need > left) break;
    left -= need;
  }
  return std::min(steps, most);
}

/// Blocks that `steps` steps take; `block_steps` is the blocks in use, summed over the steps.
std::int64_t Engine::State::blocks_grown(std::int64_t steps, double& block_steps) const {
  const auto b = static_cast<std::int64_t>(config_.block_tokens);
  std::int64_t grown = 0;
  block_steps = static_cast<double>(steps) * static_cast<double>(cache_.used());
  if (config_.static_batching) return 0;
  const std::int64_t rounds = (steps - 1) / b, rest = (steps - 1) % b;
  std::int64_t phase = (b - tick_ % b) % b;
  for (std::int64_t j = 0; j < std::min(steps, b); ++j, phase = (phase == 0 ? b : phase) - 1) {
    const std::int64_t c = phases_[static_cast<std::size_t>(phase)];
    if (c == 0) continue;
    const std::int64_t times = j <= rest ? rounds + 1 : rounds;
    grown += c * times;
    block_steps += static_cast<double>(c * (times * (steps - j) - b * (times * (times - 1) / 2)));
  }
  return grown;
}

bool Engine::State::run_of_decodes(double until_s, std::vector<Outcome>& ended) {
  if (decodes_ == 0 || speculates()) return false;
  std::int64_t most = steps_that_fit(steps_to_finish());
  if (most <= 0) return false;
  double until = until_s;
  if (!incoming_.empty() && arrivals_matter()) until = std::min(until, incoming_.front().at_s);
  if (!events_.empty()) until = std::min(until, events_.top().at_s);
  const double start = clock_, keys = keys_ + padded_keys_;
  const auto b = static_cast<int>(batch());
  const auto weight = static_cast<double>(decodes_);
  DecodeTable::Run run;
  if (config_.skip_ahead) {
    run = plain_.run(b, keys, adapters_.distinct(), most, until - clock_, &gaps_, weight);
  } else {
    infer::StepLoad load;
    load.decodes = b;
    load.keys = keys;
    load.adapters = adapters_.distinct();
    const double s = oracle_->step_s(load);
    run = {1, s, s, s};
    gaps_.add(s, weight);
  }
  double block_steps = 0;
  cache_.take(blocks_grown(run.steps, block_steps));
  const std::int64_t decodes = decodes_;
  account(run.steps, run.seconds, run.longest_s, block_steps);
  last_start_ = clock_ - run.last_s;
  admitted_ = preempted_ = 0;
  finish_decodes(clock_, ended);
  if (config_.static_batching) end_static_batch(ended);
  if (trace_) tell(start, run.steps, decodes, 0);
  return true;
}

// Draft i is accepted if those before it were and a number drawn for (seed, request, tokens made)
// is below acceptance^i: independent of what else is in the batch.
void Engine::State::accept_drafts() {
  if (drafts_now_ == 0) return;
  const std::uint64_t seed = config_.seed * 0x9e3779b97f4a7c15ull;
  for (std::uint32_t i = running_.head; i != no_slot; i = links_.next[i]) {
    Slot& s = slots_[i];
    if (s.stage != Stage::decode) continue;
    const std::int64_t left = s.finish_tick - tick_;
    const auto position = static_cast<std::uint64_t>(made(s));
    const double u = uniform(seed ^ (std::uint64_t{s.id} << 32) ^ position);
    std::int64_t accepted = 0;
    double chance = config_.speculation.acceptance;
    while (accepted < drafts_now_ && u < chance) {
      ++accepted;
      chance *= config_.speculation.acceptance;
    }
    tally_.drafted_tokens += drafts_now_;
    tally_.accepted_tokens += static_cast<double>(accepted);
    const std::int64_t extra = std::min(accepted, left);
    s.finish_tick -= extra;
    keys_ += static_cast<double>(extra);
    tally_.decoded_tokens += static_cast<double>(extra);
  }
}

void Engine::State::finish_decodes(double end_s, std::vector<Outcome>& ended) {
  const auto finish = [&](std::uint32_t slot) {
    Slot& s = slots_[slot];
    end_decode(s);
    if (config_.static_batching) {
      s.stage = Stage::padding;
      padding_.push_back(slot);
      padded_keys_ += s.prompt + s.made;
      return;
    }
    leave_running(slot);
    free_memory(s, false);
    close(slot, Fate::finished, shown(end_s), ended);
  };
  if (speculates()) {
    for (std::uint32_t i = running_.head; i != no_slot;) {
      const std::uint32_t next = links_.next[i];
      if (slots_[i].stage == Stage::decode && slots_[i].finish_tick <= tick_) finish(i);
      i = next;
    }
    return;
  }
  while (!finishes_.empty() && finishes_.top().tick <= tick_) {
    const Finish f = finishes_.top();
    finishes_.pop();
    const Slot& s = slots_[f.slot];
    if (s.stage == Stage::decode && s.serial == f.serial) finish(f.slot);
  }
}

void Engine::State::read_chunks(double end_s, std::vector<Outcome>& ended) {
  bool any_read = false;
  for (const Chunk& c : chunks_) {
    Slot& s = slots_[c.slot];
    s.computed += c.tokens;
    queued_tokens_ -= c.tokens;
    const std::int32_t fresh = std::clamp(s.computed - s.seen, 0, c.tokens);
    s.seen = std::max(s.seen, s.computed);
    tally_.prefilled_tokens += c.tokens;
    tally_.recomputed_tokens += c.tokens - fresh;
    any_read = any_read || s.computed == s.prompt + s.made;
  }
  if (!any_read) return;
  std::erase_if(reading_, [&](std::uint32_t slot) {
    return slots_[slot].computed == slots_[slot].prompt + slots_[slot].made;
  });
  for (const Chunk& c : chunks_) {
    const Slot& s = slots_[c.slot];
    if (s.computed == s.prompt + s.made) prompt_read(c.slot, end_s, ended);
  }
}

void Engine::State::prompt_read(std::uint32_t slot, double end_s, std::vector<Outcome>& ended) {
  Slot& s = slots_[slot];
  const bool first = s.made == 0;
  if (first) tally_.prompt_tokens += s.prompt;
  if (config_.role == Role::prefill) return hand_over(slot, end_s);
  if (first) {
    s.first_token_s = shown(end_s);
  } else {
    gaps_.add(end_s - s.last_s);
    s.longest_gap_s = std::max(s.longest_gap_s, end_s - s.last_s);
  }
  if (s.output > 0) {
    ++s.made;
    tally_.decoded_tokens += 1;
  }
  if (s.made < s.output) return begin_decode(slot);
  if (config_.static_batching) {
    s.stage = Stage::padding;
    padding_.push_back(slot);
    padded_keys_ += s.prompt + s.made;
    return;
  }
  leave_running(slot);
  free_memory(s, false);
  close(slot, Fate::finished, shown(end_s), ended);
}

void Engine::State::hand_over(std::uint32_t slot, double end_s) {
  Slot& s = slots_[slot];
  s.first_token_s = end_s;
  leave_running(slot);
  s.stage = Stage::sending;
  ++sending_;
  const Link& link = config_.link;
  const double took = link.latency_s + (link.bits_s > 0 ? s.prompt * kv_bits_ / link.bits_s : 0.0);
  link_free_s_ = std::max(link_free_s_, end_s) + took;
  tally_.transfer_s += took;
  events_.push({link_free_s_, order_++, slot});
}

// Static batching hands answers out when the whole batch is done (Orca, OSDI '22, section 2).
void Engine::State::end_static_batch(std::vector<Outcome>& ended) {
  if (decodes_ > 0 || !reading_.empty() || padding_.empty()) return;
  for (const std::uint32_t slot : padding_) {
    leave_running(slot);
    free_memory(slots_[slot], false);
  }
  const std::vector<std::uint32_t> done = std::move(padding_);
  padding_.clear();
  padded_keys_ = 0;
  for (const std::uint32_t slot : done) close(slot, Fate::finished, shown(clock_), ended);
}

void Engine::State::tell(double start_s, std::int64_t steps, std::int64_t decodes,
                         double prefill) const {
  StepEvent e;
  e.start_s = start_s;
  e.end_s = clock_;
  e.steps = steps;
  e.decodes = static_cast<int>(decodes);
  e.prompts = prefill > 0 ? static_cast<int>(chunks_.size()) : 0;
  e.running = running_.size;
  e.waiting = waiting();
  e.prefill = prefill;
  e.free_blocks = static_cast<double>(cache_.free());
  e.admitted = admitted_;
  e.preempted = preempted_;
  trace_(e);
}

}  // namespace headroom::serving
