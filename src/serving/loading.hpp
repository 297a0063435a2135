// Loading: how long a replica takes from the decision to start it to its first request.
//
//   t = provisioning + weights / rate + engine start
//
// Provisioning is getting the machine (0 for a node held warm). `rate` is what one reader takes,
// or its share of the tier when several replicas load at once (processor sharing: every load in
// progress gets min(client, aggregate / n), worked out anew whenever one starts or ends).
// The engine's start is the same for every replica: process and workers, compilation, CUDA graphs.
//
// NUMBERS. Process, imports and workers 25 s: first answer 59 s after the start of which 34 s are
// the engine's (vllm-project/vllm issue 20264, 2025-06). Compilation 29 s without a cache (log in
// kubernetes-sigs/gateway-api-inference-extension pull 550, 2025-03, 7B class on an 80 GB GPU),
// 7.5 s with one; graphs 17 s (issue 20264). Larger models take longer to compile; not modelled.
// Rates are the catalogue's storage systems (kind storage-system: `client`, `read`).
//
// Complexity: O(loads in progress) an event.
#pragma once

#include <cstdint>
#include <vector>

namespace headroom::serving {

/// How a pool's replicas come to be ready. Seconds, bytes, bytes/s.
struct Loading {
  double provisioning_s = 0;
  double weight_bytes = 0;    ///< of a whole replica
  double client_rate = 2e9;   ///< one replica alone (assumed: 2 GB/s, a loader over a network)
  double aggregate_rate = 0;  ///< the tier's, shared by simultaneous loads; 0: never the limit
  double process_s = 25;      ///< interpreter, imports, workers
  double compile_s = 29;      ///< torch.compile without a cache; 7.5 with one
  double capture_s = 17;      ///< CUDA graphs
  double start_s() const { return process_s + compile_s + capture_s; }
  /// From decision to readiness when nobody else loads.
  double alone_s() const;
};

/// Loads in progress on one storage tier.
class StorageTier {
 public:
  /// Begins to read at `now`; `now` never goes back.
  void begin(std::uint32_t replica, double bytes, double client_rate, double aggregate_rate,
             double now);
  void cancel(std::uint32_t replica, double now);
  /// When the next load ends, were no other to begin; infinity when there is none.
  double next_s() const;
  /// Removes and returns one load that has ended by `now`; false when there is none.
  bool ended(double now, std::uint32_t& replica);
  std::size_t busy() const { return loads_.size(); }

 private:
  struct Load {
    std::uint32_t replica;
    double left, client, aggregate;
  };
  double rate(const Load& load) const;
  void advance(double now);

  std::vector<Load> loads_;
  double now_ = 0;
};

}  // namespace headroom::serving
