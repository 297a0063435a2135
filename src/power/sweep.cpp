#include "power/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "power/sweep_parts.hpp"

namespace headroom::power {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double full = 1 + 1e-9;  ///< a use above this is an overload

/// The mains gone, batteries empty.
State without_mains(const Graph& g) {
  State s = normal(g);
  for (int i = 0; i < g.size(); ++i)
    if (g[i].kind == NodeKind::utility) s.off[at(i)] = 1;
  return s;
}

/// Load over the load at which the overload curve counts 1.
double trip_use(const Node& n, double use) {
  return n.trip_w > 0 ? use * n.rating_w / n.trip_w : use;
}

/// Cases from one base. Of a base that is itself a loss (`origin` given): loads before, and what
/// counts as dropped, are the origin's.
class Cases {
 public:
  Cases(const Graph& g, State base, bool on_generators, const Cases* origin = nullptr)
      : g_(g), solver_(g, std::move(base)), on_generators_(on_generators), worn_(at(g.size()), -1) {
    live_ = solver_.now().live;
    uses_.resize(at(g.size()));
    for (int i = 0; i < g.size(); ++i) {
      uses_[at(i)] = origin != nullptr ? origin->uses_[at(i)] : use(i);
      if (origin != nullptr && use(i) > std::max(full, uses_[at(i)])) strained_.push_back(i);
      if (origin == nullptr || g[i].kind != NodeKind::it_load) continue;
      if (live_[at(i)] != 0 || origin->live_[at(i)] == 0) continue;
      dead_w_ += g[i].load_w * g[i].count, dead_racks_ += g[i].racks * g[i].count;
    }
  }

  const Solution& base() const { return solver_.now(); }
  double base_use(int node) const { return uses_[at(node)]; }

  /// `seen(node, use, output)` for every node a case changed.
  template <class Seen>
  Case run(const std::vector<Outage>& lost, const Seen& seen) {
    Case c;
    c.lost = lost, c.on_generators = on_generators_;
    // One rack's feed: the same as all of its group for the racks below, and no news above.
    const bool lone = lost.size() == 1 && of_one(lost[0]);
    only_count_ = lone ? g_[lost[0].node].count : 0;
    part_ = lone ? 1.0 / only_count_ : 1;
    for (const auto& o : lost) {
      if (lone)
        solver_.lose_in_group(o.node);
      else
        solver_.lose(o.node, of_one(o) ? g_[o.node].count : o.units);
    }
    for (const int i : solver_.changed()) {
      if (!concerned(i)) continue;
      const double u = use(i);
      seen(i, u, solver_.now().output_w[at(i)]);
      if (u > full && u > uses_[at(i)] * full) c.overloaded.push_back({i, u, trip_time(i, u)});
    }
    for (const int i : strained_)
      if (!solver_.is_changed(i)) c.overloaded.push_back({i, use(i), trip_time(i, use(i))});
    finish(c);
    solver_.restore();
    return c;
  }

  /// The base itself: what is overloaded before anything is lost, from cold.
  Case run_base() {
    Case c;
    c.on_generators = on_generators_;
    only_count_ = 0, part_ = 1;
    for (int i = 0; i < g_.size(); ++i) {
      const double u = use(i);
      if (u > full)
        c.overloaded.push_back({i, u, time_to_trip(g_[i].overload, 0, trip_use(g_[i], u))});
    }
    for (const auto& o : c.overloaded) strained_.push_back(o.node), worn_[at(o.node)] = 0;
    cold_ = true;
    finish(c);
    cold_ = false;
    solver_.restore();
    strained_.clear();
    return c;
  }

 private:
  bool of_one(const Outage& o) const {
    return !g_[o.node].parallel && g_[o.node].count > 1 && o.units == 1;
  }
  bool concerned(int i) const {
    return only_count_ == 0 || (!g_[i].parallel && g_[i].count == only_count_);
  }
  double use(int i) const { return solver_.now().use(g_, solver_.state(), i); }

  double trip_time(int i, double u) const {
    const Node& n = g_[i];
    return time_to_trip(n.overload, worn_at(n.overload, trip_use(n, uses_[at(i)])), trip_use(n, u));
  }

  void finish(Case& c) {
    std::sort(c.overloaded.begin(), c.overloaded.end(), [](const auto& a, const auto& b) {
      return a.use != b.use ? a.use > b.use : a.node < b.node;
    });
    count(c.dropped_w, c.dropped_racks);
    if (std::any_of(c.overloaded.begin(), c.overloaded.end(),
                    [](const Overloaded& o) { return o.trip_s < never; }))
      cascade(c);
  }

  /// What is dead beyond the base.
  void count(double& watts, double& racks) const {
    watts = dead_w_, racks = dead_racks_;
    for (const int i : solver_.changed()) {
      const Node& n = g_[i];
      if (n.kind != NodeKind::it_load || live_[at(i)] == 0 || solver_.now().live[at(i)] != 0)
        continue;
      watts += part_ * n.load_w * n.count, racks += part_ * n.racks * n.count;
    }
  }

  /// `act(node)` for what may trip: what changed, and what was strained before. What is overloaded
  /// for good without a loss is the base's case.
  template <class Act>
  void candidates(const Act& act) const {
    const auto offer = [&](int i) {
      if (g_[i].overload.kind == Overload::Kind::none || solver_.now().live[at(i)] == 0) return;
      if (concerned(i) && (cold_ || uses_[at(i)] <= full)) act(i);
    };
    for (const int i : solver_.changed()) offer(i);
    for (const int i : strained_)
      if (!solver_.is_changed(i)) offer(i);
  }

  /// Breakers and gear trip one after another, each with what it remembers.
  void cascade(Case& c) {
    double now = 0;
    std::vector<int> known;
    for (int round = 0; round < g_.size(); ++round) {
      int first = -1;
      double wait = never;
      candidates([&](int i) {
        auto& worn = worn_[at(i)];
        const Node& n = g_[i];
        if (worn < 0) worn = cold_ ? 0 : worn_at(n.overload, trip_use(n, uses_[at(i)]));
        known.push_back(i);
        const double t = time_to_trip(n.overload, worn, trip_use(n, use(i)));
        if (t < wait || (t == wait && t < never && i < first)) wait = t, first = i;
      });
      if (first < 0 || wait == never) break;
      candidates([&](int i) {
        worn_[at(i)] = worn_after(g_[i].overload, worn_[at(i)], trip_use(g_[i], use(i)), wait);
      });
      now += wait;
      c.trips.push_back(first);
      if (only_count_ > 0)
        solver_.lose_in_group(first);
      else
        solver_.lose(first, g_[first].count);
    }
    for (const int i : known) worn_[at(i)] = -1;
    c.last_trip_s = now;
    double watts = 0, racks = 0;
    count(watts, racks);
    c.tripped_w = watts - c.dropped_w, c.tripped_racks = racks - c.dropped_racks;
  }

  const Graph& g_;
  Solver solver_;
  bool on_generators_, cold_ = false;
  int only_count_ = 0;
  double part_ = 1, dead_w_ = 0, dead_racks_ = 0;
  std::vector<unsigned char> live_;
  std::vector<double> uses_, worn_;
  std::vector<int> strained_;
};

std::vector<Outage> single_losses(const Graph& g, const Solution& base) {
  std::vector<Outage> out;
  for (int i = 0; i < g.size(); ++i)
    if (!is_load(g[i].kind) && base.live[at(i)] != 0 && g[i].kind != NodeKind::battery)
      out.push_back({i, 1});
  return out;
}

class Sweeper {
 public:
  Sweeper(const Graph& g, const SweepOptions& o) : g_(g), options_(o) {}

  Sweep run() {
    Cases mains(g_, normal(g_), false);
    start(mains);
    out_.cases.push_back(mains.run_base());
    singles(mains);
    if (has(NodeKind::generator) && has(NodeKind::utility)) {
      Cases sets(g_, without_mains(g_), true);
      on_generators(sets);
    }
    const auto none = [](int, double, double) {};
    if (options_.whole_banks)
      for (int i = 0; i < g_.size(); ++i)
        if (!is_load(g_[i].kind) && g_[i].parallel && g_[i].count > 1 &&
            g_[i].kind != NodeKind::battery)
          out_.banks.push_back(mains.run({{i, g_[i].count}}, none));
    if (options_.pairs) pairs(mains);
    stage_rows(g_, mains.base(), sets_base_, options_.cooling_scale, out_);
    for (const auto& lost : options_.together) out_.together.push_back(together(lost, mains));
    return std::move(out_);
  }

 private:
  bool has(NodeKind kind) const {
    return std::any_of(g_.nodes().begin(), g_.nodes().end(),
                       [&](const Node& n) { return n.kind == kind; });
  }

  void start(const Cases& mains) {
    out_.nodes.resize(at(g_.size()));
    for (int i = 0; i < g_.size(); ++i) {
      auto& n = out_.nodes[at(i)];
      n.base_w = n.worst_w = mains.base().output_w[at(i)];
      n.base_use = n.worst_use = mains.base_use(i);
      n.rating_w = g_[i].total_rating_w();
    }
  }

  bool is_asked(const std::string& stage) const {
    if (!options_.stages) return true;
    return std::find(options_.stages->begin(), options_.stages->end(), stage) !=
           options_.stages->end();
  }

  void see(int node, double use, double output_w) {
    auto& n = out_.nodes[at(node)];
    if (use < n.worst_use || (use == n.worst_use && output_w <= n.worst_w)) return;
    n.worst_use = use, n.worst_w = output_w, n.worst_case = static_cast<int>(out_.cases.size());
  }

  void singles(Cases& from) {
    for (const auto& o : single_losses(g_, from.base())) {
      if (!is_asked(g_[o.node].stage_name)) continue;
      // The case is named by its place, so it is seen before it is kept.
      auto c = from.run({o}, [&](int i, double u, double w) { see(i, u, w); });
      out_.cases.push_back(std::move(c));
    }
  }

  void on_generators(Cases& sets) {
    sets_base_ = sets.base();
    for (int i = 0; i < g_.size(); ++i) see(i, sets.base_use(i), sets.base().output_w[at(i)]);
    auto c = sets.run_base();
    // What has no generator drops with the mains.
    const auto it = it_power(g_, without_mains(g_), sets.base());
    c.dropped_w += it.dead_w, c.dropped_racks += it.dead_racks;
    out_.cases.push_back(std::move(c));
    singles(sets);
  }

  /// Of losses that take all utility feeds, the others; none when they do not.
  std::optional<std::vector<Outage>> beside_mains(const std::vector<Outage>& lost) const {
    std::vector<Outage> rest = lost;
    bool any = false;
    for (int i = 0; i < g_.size(); ++i) {
      if (g_[i].kind != NodeKind::utility) continue;
      const auto feed = std::find_if(rest.begin(), rest.end(), [&](const Outage& o) {
        return o.node == i && o.units >= g_[i].count;
      });
      if (feed == rest.end()) return std::nullopt;
      rest.erase(feed);
      any = true;
    }
    return any ? std::optional(rest) : std::nullopt;
  }

  Together together(const std::vector<Outage>& asked, Cases& mains) {
    const auto lost = merged(g_, asked);
    Sweep borne;  // single losses, and this case beside them
    borne.nodes = out_.nodes;
    const auto seen = [&](int node, double use, double output_w) {
      auto& n = borne.nodes[at(node)];
      if (use > n.worst_use) n.worst_use = use, n.worst_w = output_w;
    };
    Together out;
    const auto rest = beside_mains(lost);
    if (rest) {
      Cases sets(g_, without_mains(g_), true);
      out.lost = sets.run(*rest, seen);
      const auto it = it_power(g_, without_mains(g_), sets.base());
      out.lost.dropped_w += it.dead_w, out.lost.dropped_racks += it.dead_racks;
    } else {
      out.lost = mains.run(lost, seen);
    }
    stage_rows(g_, mains.base(), sets_base_, options_.cooling_scale, borne);
    out.stages = std::move(borne.stages), out.binding = std::move(borne.binding);
    out.scale = borne.scale;
    return out;
  }

  static bool worse(const Case& a, const Case& b) {
    if (a.lost_racks() != b.lost_racks()) return a.lost_racks() > b.lost_racks();
    if (a.lost_w() != b.lost_w()) return a.lost_w() > b.lost_w();
    const double ua = a.overloaded.empty() ? 0 : a.overloaded[0].use;
    const double ub = b.overloaded.empty() ? 0 : b.overloaded[0].use;
    if (ua != ub) return ua > ub;
    return std::pair(a.lost[0].node, a.lost[1].node) < std::pair(b.lost[0].node, b.lost[1].node);
  }

  void keep(Case&& c) {
    auto& p = out_.pairs;
    ++p.pairs;
    if (c.lost_w() > 0) ++p.dropping;
    if (!c.overloaded.empty()) ++p.overloading;
    if (c.harmless() || options_.worst_pairs == 0) return;
    const auto place = std::upper_bound(p.worst.begin(), p.worst.end(), c, worse);
    if (place == p.worst.end() && p.worst.size() >= options_.worst_pairs) return;
    p.worst.insert(place, std::move(c));
    if (p.worst.size() > options_.worst_pairs) p.worst.pop_back();
  }

  /// The second loss from each first, solved only where it changes something. A unit's own bank
  /// loses two. Racks' own feeds are left to the single losses.
  void pairs(const Cases& mains) {
    auto losses = single_losses(g_, mains.base());
    std::erase_if(losses, [&](const Outage& o) { return !g_[o.node].parallel; });
    const auto none = [](int, double, double) {};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      State base = normal(g_);
      base.lost[at(losses[i].node)] = 1;
      Cases from(g_, std::move(base), false, &mains);
      for (std::size_t k = i; k < losses.size(); ++k) {
        if (k == i && g_[losses[i].node].count < 2) continue;
        auto c = from.run({losses[k]}, none);
        c.lost.insert(c.lost.begin(), losses[i]);
        keep(std::move(c));
      }
    }
  }

  const Graph& g_;
  const SweepOptions& options_;
  Sweep out_;
  Solution sets_base_;
};

}  // namespace

std::vector<Outage> merged(const Graph& graph, const std::vector<Outage>& lost) {
  std::vector<Outage> out;
  for (const auto& o : lost) {
    const auto known =
        std::find_if(out.begin(), out.end(), [&](const Outage& x) { return x.node == o.node; });
    if (known == out.end())
      out.push_back(o);
    else
      known->units += o.units;
  }
  for (auto& o : out) o.units = std::min(o.units, graph[o.node].count);
  return out;
}

Sweep sweep(const Graph& graph, const SweepOptions& options) {
  return Sweeper(graph, options).run();
}

Case case_of(const Graph& graph, const std::vector<Outage>& lost, bool on_generators) {
  Cases cases(graph, on_generators ? without_mains(graph) : normal(graph), on_generators);
  return cases.run(lost, [](int, double, double) {});
}

}  // namespace headroom::power
