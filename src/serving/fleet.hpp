// Fleet: the event loop over many engines. Internal to serving; replay.hpp is the way in.
//
// ORDER. Events happen in order of time; at the same time: answers that end, steps of engines,
// timers (loads, failures, repairs, decisions of the autoscaler), requests that come at a time the
// trace does not tell (turns of sessions, retries), arrivals. Ties within a kind go by their order
// of making. An answer frees its place when it ends, not when the step that makes its last token
// is taken.
//
// LAZINESS. A replica is advanced when a request goes to it or when it can next have finished one
// (Engine::next_change_s), so its steps cost the same whatever the number of replicas. What a
// router sees (requests in flight) is exact all the same.
//
// REPLICAS
//   off -> provisioning -> reading -> starting -> ready -> draining -> off
//                 ^------------- down <------------'  (a loss; then provisioning is left out)
// A draining replica ends what it holds. GPUs count as held from the decision to start to `off`,
// repairs included.
//
// POWER. Where a pool has caps by time, each begins as a phase: every replica is brought up to that
// moment, then takes its steps from the phase's oracle. Time, steps and energy are counted by
// phase.
//
// REGIONS. The round trip between a request's region and its replica's is added to its times;
// the engine sees the request at its arrival (half a round trip early).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "serving/gateway.hpp"
#include "serving/ledger.hpp"
#include "serving/min_tree.hpp"
#include "serving/replay.hpp"

namespace headroom::serving {

/// The deployment with its short form spelled out: at least one pool.
std::vector<Pool> pools_of(const Deployment& deployment);

class Fleet {
 public:
  Fleet(const requests::Stream& stream, const Deployment& deployment, const Slo& slo);
  Replay run();

 private:
  enum class State : unsigned char { off, provisioning, reading, starting, ready, draining, down };
  struct Replica {
    std::unique_ptr<Engine> engine;
    State state = State::off;
    std::uint16_t pool = 0;
    std::uint32_t local = 0;   ///< within its pool: the router's name for it
    std::uint32_t target = 0;  ///< place among the pool's targets while ready
    std::uint32_t epoch = 0;   ///< timers of an earlier life are void
    std::uint32_t losses = 0;
    double in_flight = 0;
    double held_from_s = 0, held_s = 0;
    Tally before;  ///< of its engine when the phase began
  };
  /// What a pool did under one of its caps; one phase where it has none.
  struct Phase {
    const infer::StepOracle* oracle = nullptr;
    GpuPower power;
    serving::Tally tally;
    double held_s = 0;
  };
  /// A pool at work.
  struct Group {
    const Pool* pool = nullptr;
    std::optional<Router> router;
    std::optional<Autoscaler> scaler;
    StorageTier tier;
    std::vector<std::uint32_t> members;  ///< replicas, by local name
    std::vector<Target> targets;         ///< ready ones, by local name
    double in_flight = 0;
    double integral = 0, integral_from_s = 0, decided_s = 0;  ///< of in_flight since the decision
    double last_request_s = 0;
    std::size_t first_tokens = 0, in_time = 0;  ///< since the decision
    serving::Tally tally;                       ///< of engines that are gone
    std::vector<Phase> phases;
    std::size_t phase = 0;     ///< the one in force
    double phased_held_s = 0;  ///< held before it began
    double kv_peak = 0, kv_capacity_s = 0;
    PoolSummary summary;
  };
  enum class Kind : unsigned char { provisioned, started, lost, repaired, drill, decide, cap };
  struct Timer {
    double at_s;
    std::uint64_t order;
    Kind kind;
    std::uint32_t subject;  ///< replica, pool or index of the drill
    std::uint32_t epoch;
    bool operator>(const Timer& o) const {
      return at_s > o.at_s || (at_s == o.at_s && order > o.order);
    }
  };
  /// A request that comes at a time the trace does not tell, or an outcome whose time has not come.
  struct Late {
    double at_s;
    std::uint64_t order;
    std::uint32_t index;  ///< of the request, or into `slots_`
    bool operator>(const Late& o) const {
      return at_s > o.at_s || (at_s == o.at_s && order > o.order);
    }
  };
  template <class T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<T>>;

  // fleet.cpp: set-up, the loop, requests
  void set_up_pools();
  void set_up_requests();
  bool step();
  bool apart() const;
  void run_apart(Stage& stage);
  void run_alone(std::uint32_t replica, Ledger& ledger, Stage& stage);
  void hand_in(Engine& engine, std::uint32_t request, double now) const;
  double trip(const requests::Request& r, std::uint16_t pool) const;
  void arrive(std::uint32_t request, double now);
  bool place(std::uint32_t request, double now, bool offline);
  Group* choose_group(std::uint32_t request, bool offline);
  double room(const Group& group, bool offline) const;
  void send(Group& group, std::uint32_t request, double now, bool offline);
  void submit(std::uint32_t replica, std::uint32_t request, double now);
  void advance(std::uint32_t replica, double now);
  void end(std::uint32_t replica, const Outcome& o);
  void place_handed_over(double now);
  void retry(const Outcome& o);
  void pump(double now);
  void settle(Outcome o, std::size_t pool);
  void reject(std::uint32_t request, double arrival_s, double now, Fate fate = Fate::rejected,
              Refusal why = Refusal::none);
  void release(std::uint32_t request, double end_s);
  double arrival_of(std::uint32_t request) const;
  std::size_t route_of(const requests::Request& r) const;
  const std::vector<std::uint16_t>& groups_for(const requests::Request& r, bool decode) const;

  // fleet_replicas.cpp: starts, stops, losses, scaling
  std::uint32_t add_replica(Group& group, std::uint16_t index);
  void start(std::uint32_t replica, double now, bool provision);
  void begin_reading(std::uint32_t replica, double now);
  void make_ready(std::uint32_t replica, double now);
  void make_engine(Replica& r);
  void lose(std::uint32_t replica, double now, double repair_s);
  void stop(std::uint32_t replica, double now);
  void retire(std::uint32_t replica, double now);
  void keep_tally(Replica& r);
  void rebuild_targets(Group& group);
  void timer(const Timer& t);
  void decide(std::uint16_t group, double now);
  void resize(std::uint16_t group, int wanted, double now);
  int held(const Group& group) const;
  void note_scaling(std::uint16_t group, double now);
  void add_timer(double at, Kind kind, std::uint32_t subject, std::uint32_t epoch = 0);
  void begin_caps(std::uint16_t group);
  void next_cap(std::uint16_t group, double now);
  void close_phase(Group& group, double now);
  double held_s(const Group& group, double now) const;

  // fleet_summary.cpp
  void finish(Replay& replay);
  void finish_group(std::size_t g, double end_s, Ledger::Reading& reading, Summary& s);
  void finish_classes(Ledger::Reading& reading, Summary& s);
  void finish_regions(Ledger::Reading& reading, Summary& s);
  std::vector<SloHeadroom> headroom_of(std::size_t c, const Ledger::Reading::Pick& cells,
                                       std::size_t pool, Ledger::Reading& reading) const;
  Part part_of(const Ledger::Reading::Pick& cells, const Ledger::Reading& reading,
               const Summary& s) const;

  const requests::Stream& stream_;
  const Deployment& deployment_;
  Slo slo_;
  std::vector<Pool> pools_;
  std::vector<Group> groups_;
  std::vector<Replica> replicas_;
  Ledger ledger_;
  Gateway gateway_;
  Gaps gaps_;
  FailureClock clock_;
  MinTree changes_;
  Earliest<Timer> timers_;
  Earliest<Late> late_;                                   ///< requests
  Earliest<Late> endings_;                                ///< outcomes, in `slots_`
  std::vector<std::pair<std::uint32_t, Outcome>> slots_;  ///< with their replica
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t order_ = 0;
  std::size_t next_ = 0;       ///< into the stream
  std::size_t unsettled_ = 0;  ///< requests without a final word
  std::size_t scheduled_ = 0;  ///< timers that are not decisions
  double now_s_ = 0, begin_s_ = 0;
  bool limited_ = false;  ///< a gateway rule is in force
  bool moved_ = false;    ///< room may have come up for those who wait
  bool failures_ = false;

  std::vector<std::vector<std::uint16_t>> routes_, decode_routes_;  ///< by class x model
  std::vector<Refusal> unserved_;                                   ///< why a route is empty
  std::vector<double> arrivals_;  ///< of requests that follow others
  std::vector<std::uint32_t> first_follower_, next_follower_;
  std::vector<std::uint8_t> tries_;                    ///< with failures
  std::unordered_map<std::uint32_t, Outcome> handed_;  ///< first halves of outcomes
  std::deque<std::uint32_t> landed_;                   ///< handed over, no decode replica yet
  std::vector<Outcome> outcomes_, ended_;
  std::vector<Target> open_;  ///< targets with room
  std::vector<ScaleEvent> scaling_;
};

}  // namespace headroom::serving
