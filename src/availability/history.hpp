// One history after another on the same machinery. Internal to availability.
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "availability/prepared.hpp"
#include "base/random.hpp"

namespace headroom::availability {

/// Sums over histories, added in order.
struct Tally {
  struct Load {
    double down_s = 0, outages = 0, gang_s = 0, other_s = 0, gpu_s = 0, gpu_s2 = 0;
  };
  struct CauseSum {
    double outages = 0, down_s = 0, gpu_s = 0;
  };
  std::vector<Load> loads;
  double down_s = 0, down_s2 = 0, outages = 0, outages2 = 0, gpu_s = 0, gpu_s2 = 0;
  double with_outage = 0, longest_s = 0, worst_imbalance = 0;
  std::array<double, triggers> by_trigger{};
  std::array<double, 32> lengths{};
  std::map<std::vector<int>, CauseSum> causes;

  void add(const Tally& other);
};

class History {
 public:
  explicit History(const Prepared& prepared);
  /// Lives through history `number`, into `tally`.
  void run(std::uint64_t number, Tally& tally);

 private:
  enum class What : unsigned char { repaired, maintained, person_done, started, run_failure, dry };
  struct Pending {
    double at;
    What what;
    int group;
    int units;  ///< started: so many
  };
  struct SinkState {
    double served = 1, delivered = 1, used = 0, at = 0, rate = 0, expiry = never;
    bool dead = false;  ///< its ride is not there
  };
  struct LoadState {
    double delivered = 1, lowest = 1, at = 0, since = 0, up_s = 0, down_s = 0;
    double gang_s = 0, other_s = 0, outages = 0;
    bool stopped = false;  ///< gangs
  };
  enum class Mode : unsigned char { idle, starting, running };

  double uniform() { return stream_.uniform(number_, draw_++); }
  double exponential(double mean) { return -mean * std::log(uniform()); }
  double repair_time(const Repair& r);
  double weibull(const Group& g);

  void reset(std::uint64_t number);
  const Source& pick();
  bool pass_over(const Source& s, double t, double repair);  ///< nothing came of it
  bool passes_call(const Alone& alone, double t, double repair);
  void next_poisson(double from);
  // An episode: from the first thing out to everything as it was.
  void episode(double t);
  void strike(const Source& s, double t, double repair);
  void lose(int group, double t, Trigger trigger, double repair);
  void queue_repair(int group, double t, double repair);
  void begin_repair(int group, double t, double repair);
  void handle(const Pending& event);
  void change(int group, int by);
  void settle(double t);  ///< standby units, views, loads follow the state
  void open_maintenance(double t);
  void expire(double t);
  void take(double t, double clock_at, int group, std::size_t unit);  ///< one event of a source
  void revive(int group, double t);
  int starting(int group, int available);
  enum class Call : unsigned char { none, wanted, useless };
  Call standby_call();
  void call_standby(double t);
  void stop_standby();
  void schedule_run_failure(int group, double t);
  void update_sink(std::size_t view, std::size_t sink, double served, double t);
  void update_loads(double t);
  void update_site(double t);
  void integrate(std::size_t load, double t);
  double lost_gpu_s(std::size_t load) const;
  double lost_gpu_s() const;
  double next_expiry() const;
  void begin_outage(double t);
  void end_outage(double t);
  std::vector<int> cut() const;
  bool normal() const;
  double next_weibull(int& group, std::size_t& unit) const;
  void finish(Tally& tally);

  const Prepared& p_;
  const System& system_;
  mutable Served served_;
  Stream stream_;
  std::uint64_t number_ = 0, draw_ = 0;

  double poisson_at_ = never;
  Counts out_;     ///< as Served counts
  Counts broken_;  ///< standby: in repair; others: in repair or put right
  std::vector<Mode> mode_;
  std::vector<int> running_;
  std::vector<Key> key_;  ///< a view
  std::vector<char> dirty_;
  std::vector<Pending> pending_;
  std::vector<std::pair<int, double>> waiting_;  ///< group, repair time; for a crew
  int busy_ = 0, serving_ = 0;                   ///< crews at work; standby groups called
  std::vector<std::vector<SinkState>> sinks_;
  std::vector<LoadState> loads_;
  std::vector<std::vector<double>> clocks_;  ///< Weibull: a unit
  double charged_at_ = 0;                    ///< every ride is whole again
  Trigger trigger_ = Trigger::failure;

  bool site_down_ = false;
  double site_since_ = 0, site_down_s_ = 0, site_outages_ = 0, gpu_s_at_begin_ = 0;
  std::vector<int> cause_;
  Tally* tally_ = nullptr;
};

}  // namespace headroom::availability
