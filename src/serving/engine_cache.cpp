#include "serving/engine_cache.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace headroom::serving {
namespace {

/// SplitMix64's finaliser (Steele, Lea and Flood 2014).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

KvCache::KvCache(std::int64_t total, int block_tokens, bool prefix_cache, std::int64_t host,
                 std::int64_t disk)
    : total_(total), free_(total), block_(block_tokens), prefix_cache_(prefix_cache) {
  tiers_[1].capacity = host;
  tiers_[2].capacity = disk;
  if (prefix_cache_ && total_ > 0) push(0, none, total_, true);
}

std::int32_t KvCache::blocks_before(const Share& share, std::uint32_t index) const {
  const std::int64_t tokens =
      std::min<std::int64_t>(std::int64_t{index} * share.stride, share.tokens);
  return static_cast<std::int32_t>(tokens / block_);
}

std::uint64_t KvCache::key_of(const Share& share, std::uint32_t index) {
  const std::uint64_t kind = share.keys ? 0 : 0x5bd1e995u;
  return mixed((share.keys ? share.keys[index] : share.group) ^ mixed(share.salt ^ kind));
}

std::uint32_t KvCache::lookup(std::uint64_t key) const {
  const auto at = index_.find(key);
  return at == index_.end() ? none : at->second;
}

std::uint32_t KvCache::make_node(std::uint64_t key, bool hashed) {
  std::uint32_t node = static_cast<std::uint32_t>(nodes_.size());
  if (spare_nodes_.empty()) {
    nodes_.emplace_back();
  } else {
    node = spare_nodes_.back();
    spare_nodes_.pop_back();
    nodes_[node] = Node{};
  }
  nodes_[node].key = key;
  nodes_[node].hashed = hashed;
  nodes_[node].live = true;
  if (hashed) index_.emplace(key, node);
  return node;
}

void KvCache::drop_if_empty(std::uint32_t node) {
  Node& n = nodes_[node];
  if (!n.live || n.refs > 0 || n.is_parked || n.ends[2] > 0) return;
  n.live = false;
  if (n.hashed) index_.erase(n.key);
  n.hashed = false;
  spare_nodes_.push_back(node);
}

KvCache::Found KvCache::find(const Share& share, std::int32_t cap) const {
  Found f;
  if (!prefix_cache_) return f;
  bool below = false;
  for (std::uint32_t i = 0; i < share.count; ++i) {
    const std::int32_t from = blocks_before(share, i);
    const std::int32_t wanted = std::min(blocks_before(share, i + 1), cap) - from;
    if (wanted <= 0) break;
    const std::uint32_t node = lookup(key_of(share, i));
    if (node == none) break;
    const Node& n = nodes_[node];
    const std::int32_t here = std::min(n.ends[0], wanted);
    if (below && here > 0) break;
    f.blocks += here;
    if (here > 0) {
      ++f.nodes;
      if (n.refs == 0) f.queued += n.ends[0];
    }
    f.host += std::min(n.ends[1], wanted) - here;
    f.disk += std::min(n.ends[2], wanted) - std::min(n.ends[1], wanted);
    if (n.ends[2] < wanted) break;
    below = here < wanted;
  }
  return f;
}

void KvCache::hold(Holding& holding, const Share& share, const Found& found) {
  for (std::uint32_t i = 0; i < found.nodes; ++i) {
    const std::uint32_t node = lookup(key_of(share, i));
    Node& n = nodes_[node];
    if (n.refs++ == 0) {
      free_ -= n.ends[0];
      unlink(0, n.entry[0]);
    }
    holding.nodes.push_back(node);
  }
  holding.shared = found.blocks;
}

void KvCache::take(std::int64_t n) {
  free_ -= n;
  if (prefix_cache_) evict(0, n);
}

void KvCache::publish(Holding& holding, const Share& share, std::int32_t full) {
  if (!prefix_cache_ || share.count == 0) return;
  auto i = static_cast<std::uint32_t>(holding.nodes.empty() ? 0 : holding.nodes.size() - 1);
  for (; i < share.count; ++i) {
    const std::int32_t from = blocks_before(share, i);
    const std::int32_t end = std::min(blocks_before(share, i + 1), full) - from;
    if (end <= 0) return;
    if (i == holding.nodes.size()) {
      const std::uint64_t key = key_of(share, i);
      std::uint32_t node = lookup(key);
      // Cached, but out of reach when this request began (as the block of a prompt's last token
      // is): it has computed the blocks again, and its copy takes the place of the old one; not
      // while the old one is in use.
      if (node != none && nodes_[node].ends[0] > 0) {
        if (nodes_[node].refs > 0) return;
        disown(node);
      }
      if (node == none) node = make_node(key, true);
      ++nodes_[node].refs;
      holding.nodes.push_back(node);
    }
    const std::uint32_t node = holding.nodes[i];
    Node& n = nodes_[node];
    if (n.ends[0] >= end) continue;
    const std::int32_t before[3] = {n.ends[0], n.ends[1], n.ends[2]};
    holding.shared += end - n.ends[0];
    n.ends[0] = end;
    n.ends[1] = std::max(n.ends[1], end);
    n.ends[2] = std::max(n.ends[2], n.ends[1]);
    recount(node, before);
  }
}

// The node's blocks stay where they are in the free queue, but are nobody's copy any more.
void KvCache::disown(std::uint32_t node) {
  Node& n = nodes_[node];
  Entry& e = entries_[n.entry[0]];
  const std::int32_t before[3] = {n.ends[0], n.ends[1], n.ends[2]};
  e.count = n.ends[0];
  e.node = none;
  n.entry[0] = none;
  for (auto& end : n.ends) end = 0;
  recount(node, before);
}

std::uint32_t KvCache::release(Holding& holding, std::int64_t held, std::int32_t park) {
  give(held - holding.shared - park);
  std::uint32_t kept = none;
  if (park > 0 && prefix_cache_) {
    kept = make_node(0, false);
    nodes_[kept].is_parked = true;
    for (auto& end : nodes_[kept].ends) end = park;
    nodes_[kept].entry[0] = push(0, kept, 0, false);
    free_ += park;
  }
  for (auto i = holding.nodes.size(); i-- > 0;) {
    Node& n = nodes_[holding.nodes[i]];
    if (--n.refs > 0) continue;
    if (n.ends[0] > 0) {
      n.entry[0] = push(0, holding.nodes[i], 0, false);
      free_ += n.ends[0];
    }
    drop_if_empty(holding.nodes[i]);
  }
  holding.nodes.clear();
  holding.shared = 0;
  return kept;
}

std::int32_t KvCache::unpark(std::uint32_t node, std::int32_t wanted) {
  Node& n = nodes_[node];
  const std::int32_t had = n.ends[0], taken = std::min(had, std::max(wanted, 0));
  const std::int32_t before[3] = {n.ends[0], n.ends[1], n.ends[2]};
  if (n.entry[0] != none) {
    free_ -= had;
    unlink(0, n.entry[0]);
  }
  for (auto& end : n.ends) end = 0;
  recount(node, before);
  n.is_parked = false;
  drop_if_empty(node);
  give(had - taken);
  return taken;
}

void KvCache::clear() {
  *this = KvCache(total_, block_, prefix_cache_, tiers_[1].capacity, tiers_[2].capacity);
}

// The queues.

std::int64_t KvCache::size(int tier, std::uint32_t entry) const {
  const Entry& e = entries_[entry];
  if (e.node == none) return e.count;
  const auto& ends = nodes_[e.node].ends;
  return tier == 0 ? ends[0] : ends[tier] - ends[tier - 1];
}

std::uint32_t KvCache::push(int tier, std::uint32_t node, std::int64_t count, bool blank) {
  std::uint32_t entry = static_cast<std::uint32_t>(entries_.size());
  if (spare_entries_.empty()) {
    entries_.emplace_back();
  } else {
    entry = spare_entries_.back();
    spare_entries_.pop_back();
  }
  Tier& t = tiers_[tier];
  entries_[entry] = {node, t.tail, none, blank, count};
  (t.tail == none ? t.head : entries_[t.tail].next) = entry;
  t.tail = entry;
  return entry;
}

void KvCache::unlink(int tier, std::uint32_t entry) {
  if (entry == none) return;
  Tier& t = tiers_[tier];
  Entry& e = entries_[entry];
  (e.previous == none ? t.head : entries_[e.previous].next) = e.next;
  (e.next == none ? t.tail : entries_[e.next].previous) = e.previous;
  if (e.node != none) nodes_[e.node].entry[tier] = none;
  spare_entries_.push_back(entry);
}

void KvCache::give(std::int64_t count) {
  if (count <= 0) return;
  free_ += count;
  if (!prefix_cache_) return;
  const std::uint32_t tail = tiers_[0].tail;
  if (tail != none && entries_[tail].node == none && !entries_[tail].blank) {
    entries_[tail].count += count;
  } else {
    push(0, none, count, false);
  }
}

void KvCache::evict(int tier, std::int64_t count) {
  while (count > 0) {
    const std::uint32_t entry = tiers_[tier].head;
    const std::int64_t n = std::min(count, size(tier, entry));
    const std::uint32_t node = entries_[entry].node;
    count -= n;
    if (tier > 0) tiers_[tier].used -= n;
    if (node == none) {
      entries_[entry].count -= n;
      const bool blank = entries_[entry].blank;
      if (entries_[entry].count == 0) unlink(tier, entry);
      if (!blank) sink_anonymous(tier, n);
      continue;
    }
    nodes_[node].ends[tier] -= static_cast<std::int32_t>(n);
    if (size(tier, entry) == 0) unlink(tier, entry);
    sink(node, tier, n);
    drop_if_empty(node);
  }
}

// The last `count` blocks that `tier` held of the node have just left it.
void KvCache::sink(std::uint32_t node, int tier, std::int64_t count) {
  for (int t = tier + 1; t < 3; ++t) {
    Node& n = nodes_[node];
    if (tiers_[t].capacity <= 0) {
      n.ends[t] = n.ends[t - 1];
      continue;
    }
    unlink(t, n.entry[t]);
    n.entry[t] = push(t, node, 0, false);
    tiers_[t].used += count;
    if (tiers_[t].used > tiers_[t].capacity) evict(t, tiers_[t].used - tiers_[t].capacity);
    return;
  }
}

void KvCache::sink_anonymous(int tier, std::int64_t count) {
  for (int t = tier + 1; t < 3; ++t) {
    if (tiers_[t].capacity <= 0) continue;
    const std::uint32_t tail = tiers_[t].tail;
    if (tail != none && entries_[tail].node == none) {
      entries_[tail].count += count;
    } else {
      push(t, none, count, false);
    }
    tiers_[t].used += count;
    if (tiers_[t].used > tiers_[t].capacity) evict(t, tiers_[t].used - tiers_[t].capacity);
    return;
  }
}

void KvCache::recount(std::uint32_t node, const std::int32_t (&before)[3]) {
  Node& n = nodes_[node];
  for (int t = 1; t < 3; ++t) {
    const std::int64_t was = before[t] - before[t - 1], is = n.ends[t] - n.ends[t - 1];
    tiers_[t].used += is - was;
    if (is == 0) unlink(t, n.entry[t]);
  }
}

std::int64_t KvCache::referenced() const {
  std::int64_t sum = 0;
  for (const Node& n : nodes_) sum += n.live && n.refs > 0 ? n.ends[0] : 0;
  return sum;
}

std::string KvCache::audit() const {
  std::int64_t tier_sums[3] = {0, 0, 0};
  if (!prefix_cache_) return {};
  for (int t = 0; t < 3; ++t) {
    for (std::uint32_t e = tiers_[t].head; e != none; e = entries_[e].next) {
      if (size(t, e) <= 0) return fmt::format("tier {} holds an empty entry", t);
      tier_sums[t] += size(t, e);
      if (t == 0 && entries_[e].node != none && nodes_[entries_[e].node].refs > 0) {
        return "a referenced node is in the free queue";
      }
    }
  }
  if (tier_sums[0] != free_) {
    return fmt::format("the free queue holds {}, counted {}", tier_sums[0], free_);
  }
  for (int t = 1; t < 3; ++t) {
    if (tier_sums[t] != tiers_[t].used) {
      return fmt::format("tier {} holds {}, counted {}", t, tier_sums[t], tiers_[t].used);
    }
    if (tiers_[t].used > tiers_[t].capacity) return fmt::format("tier {} is overfull", t);
  }
  return {};
}

}  // namespace headroom::serving
