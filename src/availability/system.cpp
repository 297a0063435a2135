#include "availability/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace headroom::availability {
namespace {

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// Largest flow from the sources to one sink after another, node capacities, by shortest
/// augmenting paths (Edmonds and Karp).
class Flow {
 public:
  explicit Flow(std::size_t nodes) : first_(nodes, -1), reached_(nodes), by_(nodes) {}

  void arc(std::size_t from, std::size_t to, double capacity) {
    arcs_.push_back({to, first_[from], capacity});
    first_[from] = int(arcs_.size()) - 1;
    arcs_.push_back({from, first_[to], 0});
    first_[to] = int(arcs_.size()) - 1;
  }

  double send(std::size_t from, std::size_t to, double most) {
    const double dust = 1e-12 * most;
    double sent = 0;
    while (most - sent > dust) {
      if (!search(from, to, dust)) break;
      double by = most - sent;
      for (std::size_t v = to; v != from; v = other(by_[v])) by = std::min(by, at(by_[v]).left);
      for (std::size_t v = to; v != from; v = other(by_[v])) {
        at(by_[v]).left -= by;
        at(by_[v] ^ 1).left += by;
      }
      sent += by;
    }
    return sent;
  }

 private:
  struct Arc {
    std::size_t to;
    int next;
    double left;
  };
  Arc& at(int i) { return arcs_[std::size_t(i)]; }
  std::size_t other(int i) { return at(i ^ 1).to; }

  bool search(std::size_t from, std::size_t to, double dust) {
    std::fill(reached_.begin(), reached_.end(), char(0));
    queue_.assign(1, from);
    reached_[from] = 1;
    for (std::size_t head = 0; head < queue_.size(); ++head)
      for (int i = first_[queue_[head]]; i >= 0; i = at(i).next) {
        const auto& a = at(i);
        if (reached_[a.to] || a.left <= dust) continue;
        reached_[a.to] = 1;
        by_[a.to] = i;
        if (a.to == to) return true;
        queue_.push_back(a.to);
      }
    return false;
  }

  std::vector<Arc> arcs_;
  std::vector<int> first_;
  std::vector<char> reached_;
  std::vector<int> by_;
  std::vector<std::size_t> queue_;
};

void check_group(const Group& g, std::vector<std::string>& out) {
  const auto say = [&](const char* text) { out.push_back(fmt::format("{}: {}", g.name, text)); };
  if (g.units < 1) say("needs at least one unit");
  if (g.mtbf_s < 0 || g.run_mttf_s < 0) say("a time between failures is above zero");
  if (g.shape <= 0) say("the shape of its distribution is above zero");
  if (g.beta < 0 || g.beta > 1) say("the share of common cause is 0 to 1");
  if (g.ready < 0 || g.ready > 1 || g.failure_to_start < 0 || g.failure_to_start > 1)
    say("a chance is 0 to 1");
  if (!g.standby && g.mtbf_s > 0 && g.repair.mean_s <= 0) say("fails and is never repaired");
  if (g.maintenance_every_s > 0 && g.maintenance_s >= g.maintenance_every_s)
    say("maintenance takes longer than the time between two");
  if (g.standby && g.external) say("is standby and the utility's at once");
}

/// A node that reaches itself; -1: none.
int loop_of(const View& v) {
  std::vector<char> colour(v.nodes.size(), 0);
  struct Visit {
    const View& view;
    std::vector<char>& colour;
    int operator()(int i) {
      auto& c = colour[std::size_t(i)];
      if (c == 2) return -1;
      if (c == 1) return i;
      c = 1;
      for (const int input : view.nodes[std::size_t(i)].inputs)
        if (const int found = (*this)(input); found >= 0) return found;
      colour[std::size_t(i)] = 2;
      return -1;
    }
  } visit{v, colour};
  for (std::size_t i = 0; i < v.nodes.size(); ++i)
    if (const int found = visit(int(i)); found >= 0) return found;
  return -1;
}

void check_view(const System& s, const View& v, std::vector<std::string>& out) {
  const auto say = [&](std::string text) { out.push_back(v.name + ": " + std::move(text)); };
  bool whole_graph = true;
  const auto nodes = int(v.nodes.size());
  for (const auto& n : v.nodes) {
    if (n.group >= int(s.groups.size())) say(n.name + " is of a group that there is not");
    for (const int i : n.inputs)
      if (i < 0 || i >= nodes)
        say(n.name + " is fed by a node that there is not"), whole_graph = false;
  }
  for (const auto& sink : v.sinks) {
    if (sink.node < 0 || sink.node >= nodes || sink.load < 0 || sink.load >= int(s.loads.size())) {
      say("a sink names a node or a load that there is not");
      whole_graph = false;
    }
    if (sink.weight <= 0) say("a sink has no weight");
    for (std::size_t i = 1; i < sink.ride.size(); ++i)
      if (sink.ride[i].lost <= sink.ride[i - 1].lost) say("points of a ride-through do not ascend");
  }
  if (!whole_graph) return;
  if (const int at = loop_of(v); at >= 0) {
    say(v.nodes[std::size_t(at)].name + " feeds itself");
    return;
  }
  Counts none(s.groups.size(), 0);
  for (std::size_t g = 0; g < s.groups.size(); ++g) none[g] = 0;  // standby running too
  Served served(s);
  const auto& got = served.of(std::size_t(&v - s.views.data()), none);
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] < whole)
      say(fmt::format("{} gets {:.0f} % of its demand with everything in service",
                      s.loads[std::size_t(v.sinks[i].load)].name, 100 * got[i]));
}

}  // namespace

int View::source(std::string node_name, int group, double unit_w) {
  nodes.push_back({std::move(node_name), group, unit_w, true, {}});
  return int(nodes.size()) - 1;
}

int View::node(std::string node_name, int group, double unit_w, std::vector<int> inputs) {
  nodes.push_back({std::move(node_name), group, unit_w, false, std::move(inputs)});
  return int(nodes.size()) - 1;
}

int System::add(Group group) {
  groups.push_back(std::move(group));
  return int(groups.size()) - 1;
}

std::vector<std::string> mistakes_of(const System& system) {
  std::vector<std::string> out;
  std::set<std::string> names;
  for (const auto& g : system.groups) {
    check_group(g, out);
    if (!names.insert(g.name).second) out.push_back(g.name + ": two groups are called so");
  }
  if (!out.empty()) return out;
  for (const auto& v : system.views) check_view(system, v, out);
  return out;
}

Counts idle(const System& system) {
  Counts out;
  for (const auto& g : system.groups) out.push_back(g.standby ? g.units : 0);
  return out;
}

Served::Served(const System& system) : system_(system) {
  for (const auto& view : system.views) {
    auto& w = weights_.emplace_back(system.groups.size());
    for (const auto& n : view.nodes) {
      if (n.group < 0) continue;
      const auto g = std::size_t(n.group);
      w[g] = {mix(2 * g + 1) | 1, mix(2 * g + 2) | 1};
    }
  }
  memory_.resize(system.views.size());
}

Key Served::key(std::size_t view, const Counts& out) const {
  Key k;
  for (std::size_t g = 0; g < out.size(); ++g) {
    k.a += weights_[view][g].a * std::uint64_t(out[g]);
    k.b += weights_[view][g].b * std::uint64_t(out[g]);
  }
  return k;
}

const std::vector<double>& Served::of(std::size_t view, const Counts& out) {
  return of(view, key(view, out), out);
}

const std::vector<double>& Served::of(std::size_t view, const Key& key, const Counts& out) {
  auto& memory = memory_[view];
  const auto found = memory.find(key);
  if (found != memory.end()) return found->second;
  return memory.emplace(key, flow(system_.views[view], out)).first->second;
}

bool Served::all(const Counts& out) {
  for (std::size_t v = 0; v < system_.views.size(); ++v)
    for (const double share : of(v, out))
      if (share < whole) return false;
  return true;
}

std::vector<double> Served::flow(const View& view, const Counts& out) const {
  double all = 0;
  for (const auto& s : view.sinks) all += s.demand_w;
  const std::size_t n = view.nodes.size();
  const std::size_t start = 2 * n, ends = 2 * n + 1;  // a terminal a sink
  Flow flow(2 * n + 1 + view.sinks.size());
  for (std::size_t i = 0; i < n; ++i) {
    const auto& node = view.nodes[i];
    double capacity = all;
    if (node.group >= 0) {
      const auto g = std::size_t(node.group);
      const int in = std::max(0, system_.groups[g].units - out[g]);
      capacity = node.unit_w > 0 ? in * node.unit_w : (in > 0 ? all : 0);
    } else if (node.unit_w > 0) {
      capacity = node.unit_w;
    }
    flow.arc(2 * i, 2 * i + 1, std::min(capacity, all));
    if (node.source) flow.arc(start, 2 * i, all);
    for (const int input : node.inputs) flow.arc(2 * std::size_t(input) + 1, 2 * i, all);
  }
  std::vector<double> got;
  for (std::size_t s = 0; s < view.sinks.size(); ++s) {
    const auto& sink = view.sinks[s];
    if (sink.demand_w <= 0) {
      got.push_back(1);
      continue;
    }
    flow.arc(2 * std::size_t(sink.node) + 1, ends + s, sink.demand_w);
    got.push_back(flow.send(start, ends + s, sink.demand_w) / sink.demand_w);
    if (got.back() >= whole) got.back() = 1;
  }
  return got;
}

Ride ride_at(const Sink& sink, double lost) {
  const auto& points = sink.ride;
  if (points.empty()) return {lost, never, 1 - lost};
  Ride low{0, 0, 1};
  for (const auto& high : points) {
    if (high.lost < lost) {
      low = high;
      continue;
    }
    const double span = high.lost - low.lost;
    const double x = span > 0 ? (lost - low.lost) / span : 1;
    if (high.rate == never) return {lost, never, low.after + x * (high.after - low.after)};
    return {lost, low.rate + x * (high.rate - low.rate), low.after + x * (high.after - low.after)};
  }
  return {lost, points.back().rate, points.back().after};
}

}  // namespace headroom::availability
