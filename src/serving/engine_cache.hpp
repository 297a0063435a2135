// KvCache: the paged KV memory of one replica, its prefix cache and the tiers below.
//
// MODEL (vllm/v1/core/block_pool.py and kv_cache_manager.py, read 2026-11). Memory is blocks of
// `block_tokens`. A block is held by requests or lies in the free queue. With prefix caching a
// freed block keeps its contents until the queue's head, the least recently used, is needed again;
// a request that begins with cached blocks takes them out of the queue (or shares them) instead of
// computing them. Blocks are freed from a request's end to its beginning, so tails go first.
//
// NODES. Blocks that can be shared come in runs: the tokens of one hash of a trace (512 in
// Mooncake's), or the shared tokens of a prefix group. A run is one node with a count of the
// leading blocks that are cached, so that a prompt of 15,000 tokens costs 30 look-ups, not 940.
// All other blocks are anonymous and only counted; they pass through the same queue, since an
// engine caches them too and they push others out. Only full blocks are in nodes.
// What a node's run costs in exactness: a reference holds all of the node's cached blocks, also
// where the request uses only the first of them.
//
// TIERS. A node evicted from the GPU goes to host memory, from there to disk, from there away,
// each least recently used first. A node has a prefix on the GPU, the next blocks on the host, the
// next on disk: three lengths. Writing down is overlapped and free; loading is not (Engine).
// A copy below is given up when the GPU holds the blocks again.
//
// INVARIANT. free() = sum of the free queue; used() = total() - free(); audit() recounts.
// Complexity: O(1) a block run; O(log) nothing. 56 bytes a node.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace headroom::serving {

/// What of a request's tokens others may share: `count` keys of `stride` tokens each, of the
/// leading `tokens` in all.
struct Share {
  const std::uint64_t* keys = nullptr;  ///< null: `group` is the only key
  std::uint64_t group = 0;
  std::uint64_t salt = 0;  ///< told apart by adapter
  std::uint32_t count = 0;
  std::int32_t stride = 0;
  std::int32_t tokens = 0;
};

/// What a request holds of the nodes.
struct Holding {
  std::vector<std::uint32_t> nodes;  ///< referenced, in order of the prompt
  std::int32_t shared = 0;           ///< of its blocks, those that lie in nodes
};

class KvCache {
 public:
  static constexpr std::uint32_t none = 0xffffffffu;

  /// Blocks of the GPU, of host memory and of disk.
  KvCache(std::int64_t total, int block_tokens, bool prefix_cache, std::int64_t host = 0,
          std::int64_t disk = 0);

  std::int64_t total() const { return total_; }
  std::int64_t free() const { return free_; }
  std::int64_t used() const { return total_ - free_; }
  std::int64_t in_tier(int tier) const { return tiers_[tier].used; }  ///< 1: host, 2: disk
  bool prefix_cache() const { return prefix_cache_; }

  std::int32_t blocks_for(std::int64_t tokens) const {
    return static_cast<std::int32_t>((tokens + block_ - 1) / block_);
  }

  /// Leading blocks found, at most `cap`.
  struct Found {
    std::int32_t blocks = 0;  ///< on the GPU
    std::int32_t host = 0;    ///< next, in host memory
    std::int32_t disk = 0;    ///< next, on disk
    std::uint32_t nodes = 0;  ///< that hold `blocks`
    std::int64_t queued = 0;  ///< blocks that leave the free queue when taken
  };
  Found find(const Share& share, std::int32_t cap) const;

  /// Takes references to what was found.
  void hold(Holding& holding, const Share& share, const Found& found);
  /// Takes `n` anonymous blocks; n <= free().
  void take(std::int64_t n);
  /// The first `full` blocks of the request are computed (or will be in this step): those that
  /// can be shared become part of nodes.
  void publish(Holding& holding, const Share& share, std::int32_t full);
  /// Gives back all of a request's `held` blocks. The last `park` full ones of its own are kept
  /// together for its return, as the node returned (none without).
  std::uint32_t release(Holding& holding, std::int64_t held, std::int32_t park = 0);
  std::int32_t parked(std::uint32_t node) const { return nodes_[node].ends[0]; }
  /// Takes up to `wanted` of them out of the queue as the request's own and forgets the rest.
  std::int32_t unpark(std::uint32_t node, std::int32_t wanted);

  /// Everything is gone: a restart.
  void clear();
  /// Empty when the counts agree with each other; else what does not.
  std::string audit() const;
  /// Blocks of nodes that requests refer to.
  std::int64_t referenced() const;

 private:
  struct Node {
    std::uint64_t key = 0;
    std::int32_t ends[3] = {0, 0, 0};  ///< leading blocks on GPU; and host; and disk
    std::uint32_t refs = 0;
    std::uint32_t entry[3] = {none, none, none};  ///< in the queues
    bool is_parked = false;
    bool hashed = false;  ///< in the map
    bool live = false;
  };
  struct Entry {
    std::uint32_t node = none;  ///< none: anonymous
    std::uint32_t previous = none, next = none;
    bool blank = false;      ///< never used: nothing to write down
    std::int64_t count = 0;  ///< of an anonymous entry
  };
  /// Least recently used at the head. Tier 0 is the GPU's free queue.
  struct Tier {
    std::int64_t capacity = 0, used = 0;
    std::uint32_t head = none, tail = none;
  };

  std::int32_t blocks_before(const Share& share, std::uint32_t index) const;
  static std::uint64_t key_of(const Share& share, std::uint32_t index);
  std::uint32_t lookup(std::uint64_t key) const;
  std::uint32_t make_node(std::uint64_t key, bool hashed);
  void drop_if_empty(std::uint32_t node);

  std::int64_t size(int tier, std::uint32_t entry) const;
  std::uint32_t push(int tier, std::uint32_t node, std::int64_t count, bool blank);
  void unlink(int tier, std::uint32_t entry);
  void give(std::int64_t count);
  void disown(std::uint32_t node);
  void evict(int tier, std::int64_t count);
  void sink(std::uint32_t node, int tier, std::int64_t count);
  void sink_anonymous(int tier, std::int64_t count);
  void recount(std::uint32_t node, const std::int32_t (&before)[3]);

  std::int64_t total_, free_;
  int block_;
  bool prefix_cache_;
  Tier tiers_[3];
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> spare_nodes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> spare_entries_;
  std::unordered_map<std::uint64_t, std::uint32_t> index_;
};

}  // namespace headroom::serving
