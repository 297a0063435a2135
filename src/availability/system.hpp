// What can fail, and what of it the loads need: the input of this layer.
//
//   System s;
//   const int ups = s.add({.name = "ups", .units = 4, .mtbf_s = 250e3 * 3600, ...});
//   View v{.name = "power"};
//   const int mains = v.source("mains", grid), bank = v.node("ups", ups, 500e3, {mains});
//   v.sinks.push_back({.load = hall, .node = bank, .demand_w = 1.4e6});
//   s.views.push_back(v);
//
// GROUP. Equal units that stand for one another; `units` of them, so many may be out.
// VIEW. One thing the loads need (power from the UPS, coolant, heat rejection): a directed graph of
// nodes from sources to sinks. A node carries at most (units in service) x `unit_w`; the flow to
// the sinks is the largest there is, the first sink served first. Series, parallel, k-of-n,
// bridges, shared buses are all this one rule. A load gets the least of what its views give it.
// RIDE. What a load lives on when a view gives it less: battery, water and copper. `Ride` points
// say for a lost share how fast that is used up (1/s; between points in a straight line) and what
// is left afterwards. A battery of 300 s: {0, 0, 1}, {1, 1/300, 0}: half the load lost, 600 s.
// STANDBY. Units that wait (generators): they start when some view without them falls short and
// with them would be better. Not running, they carry nothing.
//
// Units: s, W. `mistakes_of` names what contradicts. A group may stand in several views.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

namespace headroom::availability {

constexpr double never = std::numeric_limits<double>::infinity();

enum class RepairShape : unsigned char { exponential, lognormal, fixed };

struct Repair {
  double mean_s = 0;
  RepairShape shape = RepairShape::exponential;
  double sigma = 1;  ///< of the logarithm, lognormal
};

struct Group {
  std::string name{};   ///< "ups"; unique
  std::string title{};  ///< "UPS modules"
  int units = 1;
  double mtbf_s = 0;  ///< of one unit in service; 0: never fails by itself
  double shape = 1;   ///< of its Weibull distribution; 1: exponential
  Repair repair{};
  double beta = 0;                 ///< share of failures that take every unit at once
  double maintenance_every_s = 0;  ///< of one unit; 0: none
  double maintenance_s = 0;        ///< how long a unit is out for it
  bool crew = true;                ///< its repair needs one of the site's crews
  bool path = false;               ///< distribution path, not a capacity component (Tier words)
  bool external = false;           ///< not the site's own: the utility

  bool standby = false;
  double ready = 1;             ///< standby: not out when called
  double failure_to_start = 0;  ///< on demand; of it `beta` is common to all units
  double run_mttf_s = 0;        ///< while running; 0: never fails
  double start_s = 0;           ///< until it carries load
  double fuel_s = 0;            ///< runs so long; 0: no limit
};

struct Node {
  std::string name{};
  int group = -1;     ///< -1: cannot fail
  double unit_w = 0;  ///< one unit carries; 0: no limit
  bool source = false;
  std::vector<int> inputs{};  ///< indices of the view
};

/// What a lost share uses up in a second (`never`: at once, from the point before on), of what the load can live on; and what it gets after.
struct Ride {
  double lost = 1, rate = 0, after = 0;
};

struct Sink {
  int load = 0, node = 0;
  double demand_w = 0;
  double weight = 1;         ///< of the load's GPUs, over its other sinks of the view
  bool sheds = true;         ///< short: racks are dropped (power); false: all run slower (cooling)
  std::vector<Ride> ride{};  ///< ascending `lost`; empty: short at once
  double recover_s = 0;      ///< to be as before after all was used up; 0: at once
  double ride_failure = 0;   ///< chance that the ride is not there (batteries)
};

struct View {
  std::string name{}, title{};
  std::vector<Node> nodes{};
  std::vector<Sink> sinks{};

  int source(std::string node_name, int group = -1, double unit_w = 0);
  int node(std::string node_name, int group, double unit_w, std::vector<int> inputs);
};

/// What is served: a hall.
struct Load {
  std::string name{}, title{};
  double gpus = 0;            ///< all of them
  double gang_gpus = 0;       ///< of them, those of jobs that stop when any of their racks does
  double rework_s = 0;        ///< gang: work since the last checkpoint, in the mean
  double gang_restart_s = 0;  ///< gang: to make progress again once racks are back
  double restart_s = 0;       ///< racks and everything else: to work again once power is back
};

struct System {
  std::vector<Group> groups;
  std::vector<View> views;
  std::vector<Load> loads;

  int add(Group group);
};

/// In words; empty: none.
std::vector<std::string> mistakes_of(const System& system);

/// Units out of service of each group; of a standby group those that do not run.
using Counts = std::vector<int>;
/// All in service, standby units not running.
Counts idle(const System& system);

/// A state's fingerprint, additive over units out, so that it follows changes in O(1).
struct Key {
  std::uint64_t a = 0, b = 0;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const { return k.a ^ (k.b * 0x9E3779B97F4A7C15ull); }
};

/// Remembers what every state of a view gives its sinks. Two states share a fingerprint with a
/// chance of 2^-128. One a thread; answers do not depend on what was asked before.
class Served {
 public:
  explicit Served(const System& system);

  /// Share of its demand that each sink of a view gets, in the view's order.
  const std::vector<double>& of(std::size_t view, const Counts& out);
  /// The same where the caller keeps the view's key.
  const std::vector<double>& of(std::size_t view, const Key& key, const Counts& out);
  Key key(std::size_t view, const Counts& out) const;
  /// What one more unit of `group` out adds to the key; zero where the view does not have it.
  const Key& weight(std::size_t view, std::size_t group) const { return weights_[view][group]; }
  bool all(const Counts& out);  ///< every sink gets its demand

 private:
  std::vector<double> flow(const View& view, const Counts& out) const;

  const System& system_;
  std::vector<std::vector<Key>> weights_;
  std::vector<std::unordered_map<Key, std::vector<double>, KeyHash>> memory_;
};

/// A share that counts as all of the demand.
constexpr double whole = 1 - 1e-9;

/// Rate and remainder of a ride at a lost share.
Ride ride_at(const Sink& sink, double lost);

}  // namespace headroom::availability
