// A scheduler as plain as it can be written, to hold the engine against: every block, every
// request, every step by itself (tests only).
#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <vector>

#include "serving/engine.hpp"

namespace headroom::serving::test {

class Reference {
 public:
  struct Request {
    Outcome o;
    requests::Request r;
    std::vector<std::uint64_t> hashes;  ///< of whole blocks of the prompt
    std::vector<int> blocks;
    int made = 0, computed = 0;
    double last_s = 0;
    bool scheduled = false;
    int tokens() const { return r.prompt + made; }
  };

  Reference(const infer::StepOracle& oracle, const EngineConfig& c) : oracle_(oracle), c_(c) {
    for (int i = 0; i < static_cast<int>(c.kv_blocks); ++i) free_.push_back(i);
    blocks_.resize(static_cast<std::size_t>(c.kv_blocks));
  }

  /// All requests of a stream; outcomes by index.
  std::vector<Outcome> serve(const requests::Stream& stream) {
    done_.resize(stream.requests.size());
    std::size_t next = 0;
    while (next < stream.requests.size() || !waiting_.empty() || !running_.empty()) {
      if (waiting_.empty() && running_.empty()) {
        clock_ = std::max(clock_, stream.requests[next].arrival_s);
      }
      for (; next < stream.requests.size() && stream.requests[next].arrival_s <= clock_; ++next) {
        arrive(static_cast<std::uint32_t>(next), stream);
      }
      if (!waiting_.empty() || !running_.empty()) step();
    }
    return done_;
  }
  std::size_t free_blocks() const { return free_.size(); }
  double steps = 0, preemptions = 0;

 private:
  struct Block {
    std::uint64_t hash = 0;
    int refs = 0;
  };

  void arrive(std::uint32_t id, const requests::Stream& stream) {
    const auto& r = stream.requests[id];
    Request q;
    q.o.request = id;
    q.o.arrival_s = r.arrival_s;
    q.o.prompt = r.prompt;
    q.r = r;
    if ((r.prompt + std::max(r.output, 1) - 1 + c_.block_tokens - 1) / c_.block_tokens >
        c_.kv_blocks) {
      q.o.fate = Fate::rejected;
      done_[id] = q.o;
      return;
    }
    const auto named = stream.blocks_of(r);
    for (int i = 0; i < static_cast<int>(named.size()); ++i) {
      if ((i + 1) * c_.block_tokens <= r.prompt) q.hashes.push_back(named[i]);
    }
    put(q, false);
  }
  void put(const Request& q, bool in_front) {
    auto at = in_front ? waiting_.begin() : waiting_.end();
    if (c_.priorities) {
      at = std::find_if(waiting_.begin(), waiting_.end(), [&](const Request& w) {
        return w.r.priority > q.r.priority ||
               (w.r.priority == q.r.priority && w.o.arrival_s > q.o.arrival_s);
      });
    }
    waiting_.insert(at, q);
  }
  std::uint64_t hash(const Request& q, int block) const {
    if (block < static_cast<int>(q.hashes.size())) return q.hashes[block];
    return (1ull << 60) + (std::uint64_t{q.o.request} << 24) + static_cast<std::uint64_t>(block);
  }
  int blocks_for(int tokens) const { return (tokens + c_.block_tokens - 1) / c_.block_tokens; }

  int pop() {
    const int b = free_.front();
    free_.pop_front();
    if (blocks_[b].hash != 0) {
      auto& copies = cached_[blocks_[b].hash];
      std::erase(copies, b);
      if (copies.empty()) cached_.erase(blocks_[b].hash);
    }
    blocks_[b] = {0, 1};
    return b;
  }
  bool take(Request& q, int tokens) {
    const int need = blocks_for(q.computed + tokens) - static_cast<int>(q.blocks.size());
    if (need > static_cast<int>(free_.size())) return false;
    for (int i = 0; i < need; ++i) q.blocks.push_back(pop());
    name_full(q, q.computed + tokens);
    return true;
  }
  void name_full(Request& q, int tokens) {
    if (!c_.prefix_cache) return;
    for (int i = 0; i < tokens / c_.block_tokens; ++i) {
      const int b = q.blocks[i];
      if (blocks_[b].hash != 0) continue;
      blocks_[b].hash = hash(q, i);
      cached_[blocks_[b].hash].push_back(b);
    }
  }
  void give_back(Request& q) {
    for (auto i = q.blocks.size(); i-- > 0;) {
      if (--blocks_[q.blocks[i]].refs == 0) free_.push_back(q.blocks[i]);
    }
    q.blocks.clear();
  }
  std::vector<int> found(const Request& q) const {
    std::vector<int> hits;
    if (!c_.prefix_cache) return hits;
    for (int i = 0; i < (q.tokens() - 1) / c_.block_tokens; ++i) {
      const auto at = cached_.find(hash(q, i));
      if (at == cached_.end()) break;
      // Of several copies one in use; vLLM takes the first made, which may cost a free block.
      const auto& copies = at->second;
      const auto used =
          std::find_if(copies.begin(), copies.end(), [&](int b) { return blocks_[b].refs > 0; });
      hits.push_back(used == copies.end() ? copies.back() : *used);
    }
    return hits;
  }
  std::size_t victim() const {
    std::size_t worst = c_.priorities ? 0 : running_.size() - 1;
    for (std::size_t i = 1; c_.priorities && i < running_.size(); ++i) {
      const auto &a = running_[i], &b = running_[worst];
      if (a.r.priority > b.r.priority ||
          (a.r.priority == b.r.priority && a.o.arrival_s > b.o.arrival_s)) {
        worst = i;
      }
    }
    return worst;
  }
  void grow_running(int& budget, bool& preempted) {
    for (std::size_t i = 0; i < running_.size() && budget > 0;) {
      const int n = std::min(running_[i].tokens() - running_[i].computed, budget);
      bool gone = false;
      while (!gone && !take(running_[i], n)) {
        const std::size_t v = victim();
        Request q = running_[v];
        give_back(q);
        if (chunks_[v] > 0) budget += chunks_[v];
        q.computed = 0;
        ++q.o.preemptions;
        preemptions += 1;
        preempted = true;
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(v));
        chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(v));
        put(q, true);
        gone = v == i;
        if (v < i) --i;
      }
      if (gone) continue;
      chunks_[i] = n;
      budget -= n;
      ++i;
    }
  }
  void admit(int budget) {
    while (!waiting_.empty() && budget > 0 && static_cast<int>(running_.size()) < c_.max_num_seqs) {
      Request& q = waiting_.front();
      const auto hits = found(q);
      const int from = static_cast<int>(hits.size()) * c_.block_tokens;
      if (!c_.chunked_prefill && q.made == 0 && q.tokens() - from > budget) break;
      const int n = std::min(q.tokens() - from, budget);
      int idle = 0;
      for (const int b : hits) idle += blocks_[b].refs == 0;
      const int need = blocks_for(from + n) - static_cast<int>(hits.size());
      if (need + idle > static_cast<int>(free_.size())) break;
      for (const int b : hits) {
        if (blocks_[b].refs++ == 0) free_.remove(b);
        q.blocks.push_back(b);
      }
      q.computed = from;
      take(q, n);
      if (!q.scheduled) {
        q.scheduled = true;
        q.o.scheduled_s = clock_;
        q.o.cached = from;
      }
      reading_[q.o.request] = true;
      running_.push_back(q);
      chunks_.push_back(n);
      waiting_.pop_front();
      budget -= n;
    }
  }
  void step() {
    int budget = c_.max_num_batched_tokens;
    bool preempted = false;
    chunks_.assign(running_.size(), 0);
    grow_running(budget, preempted);
    if (!preempted) admit(budget);
    infer::StepLoad load;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const auto& q = running_[i];
      const double n = chunks_[i];
      if (!reading_.count(q.o.request)) {
        load.decodes += 1;
        load.keys += q.tokens();
      } else if (n > 0) {
        load.prefill += n;
        load.prefill_pairs += n * q.computed + n * (n + 1) / 2;
        load.prompts += 1;
      }
    }
    clock_ += oracle_.step_s(load);
    steps += 1;
    end_of_step();
  }
  void end_of_step() {
    for (std::size_t i = 0; i < running_.size();) {
      Request& q = running_[i];
      q.computed += chunks_[i];
      if (q.computed == q.tokens()) {
        reading_.erase(q.o.request);
        if (q.made == 0) q.o.first_token_s = clock_;
        ++q.made;
      }
      if (q.made < q.r.output) {
        ++i;
        continue;
      }
      q.o.end_s = clock_;
      q.o.output = q.made;
      q.o.fate = Fate::finished;
      done_[q.o.request] = q.o;
      give_back(q);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  const infer::StepOracle& oracle_;
  EngineConfig c_;
  double clock_ = 0;
  std::list<int> free_;
  std::vector<Block> blocks_;
  std::map<std::uint64_t, std::vector<int>> cached_;
  std::map<std::uint32_t, bool> reading_;
  std::list<Request> waiting_;
  std::vector<Request> running_;
  std::vector<int> chunks_;
  std::vector<Outcome> done_;
};

}  // namespace headroom::serving::test
