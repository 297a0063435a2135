// Autoscaling: how many replicas a pool wants, decided at intervals from what it measures.
//
//   utilisation   ceil(ready x measured / target); measured: running sequences over the seats one
//                 replica has (`seats`), the mean over the interval
//   queue         ceil((running + waiting) / (seats x target)): concurrency per replica, Knative's
//                 and KEDA's rule
//   slo           one step up (by `step` of what runs) when less than `attain` of the interval's
//                 first tokens were in time; one step down when more than all but a tenth of the
//                 misses allowed and the load would fit in fewer (utilisation rule with `target`)
//
// Kubernetes' rules around it (horizontal pod autoscaler, kubernetes.io, read 2026-11): no change
// inside 10 % of the target; scaling down follows the highest wish of the last
// `stabilisation_s` (300 s there).
// SCALE TO ZERO: with `least` 0 the last replica stops after `idle_s` without a request; the first
// request then waits for a load. Replicas on their way count as there, so that a slow load does
// not make it ask again.
//
// Complexity: O(window / interval) a decision.
#pragma once

#include <deque>
#include <string_view>

namespace headroom::serving {

enum class ScaleBy : unsigned char { utilisation, queue, slo };
std::string_view scale_by_name(ScaleBy by);

struct Autoscale {
  ScaleBy by = ScaleBy::utilisation;
  int least = 1, most = 0;  ///< replicas; most 0: no limit
  double target = 0.7;      ///< of the seats of a replica
  double seats = 0;         ///< concurrent sequences one replica is meant to hold
  double interval_s = 15;   ///< Kubernetes' HPA sync period
  double stabilisation_s = 300;
  double attain = 0.95;  ///< slo rule: share of first tokens in time
  double step = 0.25;    ///< slo rule: of what runs, at least one
  double idle_s = 600;   ///< before the last one stops (least 0)
};

/// What a pool measured since the last decision.
struct ScaleSignals {
  double now_s = 0;
  int replicas = 0;  ///< ready and on their way
  int ready = 0;
  double running = 0;          ///< sequences, mean over the interval, whole pool
  double waiting = 0;          ///< requests without a seat now
  double in_time = 1;          ///< share of first tokens inside the SLO
  double first_tokens = 0;     ///< how many there were
  double since_request_s = 0;  ///< since the last arrival
};

class Autoscaler {
 public:
  explicit Autoscaler(const Autoscale& rule) : rule_(rule) {}
  /// Replicas wanted, within `least` and `most`.
  int decide(const ScaleSignals& s);

 private:
  int wish(const ScaleSignals& s) const;

  struct Wish {
    double at_s;
    int replicas;
  };
  Autoscale rule_;
  std::deque<Wish> recent_;
};

}  // namespace headroom::serving
