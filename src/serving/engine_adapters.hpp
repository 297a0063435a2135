// AdapterSlots: which LoRA adapters are on the GPU, and what it costs to bring one there.
//
// vLLM (`max_loras`, `max_cpu_loras`): a batch may use as many different adapters as there are
// slots; a request whose adapter finds no slot waits, and others pass it. An adapter stays in its
// slot until another needs it, least recently used first; the same holds in host memory. The step
// that needs a missing adapter waits for it to be copied.
//
// Complexity: O(slots + host slots) when an adapter is admitted.
#pragma once

#include <cstdint>
#include <vector>

namespace headroom::serving {

struct Adapters;

class AdapterSlots {
 public:
  explicit AdapterSlots(const Adapters& rule);

  /// Whether a request with this adapter may join what runs. 0: no adapter.
  bool fits(std::uint16_t adapter) const;
  /// It joins: seconds until its adapter is there.
  double join(std::uint16_t adapter);
  void leave(std::uint16_t adapter);
  /// Different adapters among those that run.
  int distinct() const { return distinct_; }
  /// Adapters brought to the GPU so far.
  double loads() const { return loads_; }
  void clear();

 private:
  static bool touch(std::vector<std::uint16_t>& recent, std::uint16_t adapter);

  int slots_, host_slots_;
  double load_s_, fetch_s_;
  std::vector<std::uint32_t> users_;             ///< running requests by adapter
  std::vector<std::uint16_t> loaded_, in_host_;  ///< least recently used first
  int distinct_ = 0;
  double loads_ = 0;
};

}  // namespace headroom::serving
