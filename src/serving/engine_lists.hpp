// Small structures of the engine: orders of its slots, and the longest of recent steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace headroom::serving {

inline constexpr std::uint32_t no_slot = 0xffffffffu;

/// Links of the lists below, by slot; a slot is in one list at most.
struct SlotLinks {
  std::vector<std::uint32_t> previous, next;
  void grow(std::size_t slots) {
    previous.resize(slots, no_slot);
    next.resize(slots, no_slot);
  }
};

/// A doubly linked list of slots: O(1) at both ends and in the middle.
struct SlotList {
  std::uint32_t head = no_slot, tail = no_slot;
  std::int32_t size = 0;

  /// Before `at`; at the end for no_slot.
  void insert(SlotLinks& links, std::uint32_t slot, std::uint32_t at) {
    const std::uint32_t before = at == no_slot ? tail : links.previous[at];
    links.previous[slot] = before;
    links.next[slot] = at;
    (before == no_slot ? head : links.next[before]) = slot;
    (at == no_slot ? tail : links.previous[at]) = slot;
    ++size;
  }
  void push_back(SlotLinks& links, std::uint32_t slot) { insert(links, slot, no_slot); }
  void remove(SlotLinks& links, std::uint32_t slot) {
    const std::uint32_t before = links.previous[slot], after = links.next[slot];
    (before == no_slot ? head : links.next[before]) = after;
    (after == no_slot ? tail : links.previous[after]) = before;
    --size;
  }
};

/// The waiting queue: lanes by priority, lowest number first; one lane under FCFS.
class WaitingLanes {
 public:
  bool empty() const { return size_ == 0; }
  std::int32_t size() const { return size_; }
  std::uint32_t first() const {
    for (const auto& lane : lanes_) {
      if (lane.list.size > 0) return lane.list.head;
    }
    return no_slot;
  }
  std::uint32_t after(const SlotLinks& links, std::uint32_t slot, std::int16_t priority) const {
    if (links.next[slot] != no_slot) return links.next[slot];
    for (const auto& lane : lanes_) {
      if (lane.priority > priority && lane.list.size > 0) return lane.list.head;
    }
    return no_slot;
  }
  SlotList& lane(std::int16_t priority) {
    auto at = std::find_if(lanes_.begin(), lanes_.end(),
                           [&](const Lane& l) { return l.priority >= priority; });
    if (at == lanes_.end() || at->priority != priority) at = lanes_.insert(at, {priority, {}});
    return at->list;
  }
  void counted(int change) { size_ += change; }
  void clear() {
    lanes_.clear();
    size_ = 0;
  }

 private:
  struct Lane {
    std::int16_t priority;
    SlotList list;
  };
  std::vector<Lane> lanes_;
  std::int32_t size_ = 0;
};

/// The longest step since any tick: a stack of steps none of which is longer than one before it.
/// O(1) amortised to add, O(log) to ask.
class LongestSince {
 public:
  /// The steps before tick `end`, after the last ones added, took `seconds` at most.
  void add(std::int64_t end, double seconds) {
    while (!steps_.empty() && steps_.back().seconds <= seconds) steps_.pop_back();
    steps_.push_back({end, seconds});
  }
  /// Of the steps from tick `start` on; 0 without any.
  double since(std::int64_t start) const {
    const auto at = std::upper_bound(steps_.begin(), steps_.end(), start,
                                     [](std::int64_t tick, const Step& s) { return tick < s.end; });
    return at == steps_.end() ? 0 : at->seconds;
  }
  void forget_before(std::int64_t start) {
    const auto at = std::upper_bound(steps_.begin(), steps_.end(), start,
                                     [](std::int64_t tick, const Step& s) { return tick < s.end; });
    steps_.erase(steps_.begin(), at);
  }
  std::size_t size() const { return steps_.size(); }
  void clear() { steps_.clear(); }

 private:
  struct Step {
    std::int64_t end;
    double seconds;
  };
  std::vector<Step> steps_;
};

}  // namespace headroom::serving
