#include "power/graph_walk.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::power {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double full = 1 + 1e-9;
constexpr int most_events = 100000;

class Walker {
 public:
  Walker(const Graph& g, const std::vector<TimedLoss>& losses, const ChainWalkOptions& o)
      : g_(g), losses_(losses), o_(o), state_(normal(g)) {
    const auto n = at(g.size());
    for (int i = 0; i < g.size(); ++i) state_.off[at(i)] = g[i].kind == NodeKind::generator ? 1 : 0;
    now_ = solve(g_, state_);
    stored_.resize(n), worn_.resize(n), ready_at_.assign(n, never), starts_at_.assign(n, never);
    held_.assign(n, 0), rank_.resize(n), carries_.assign(n, 0);
    for (int i = 0; i < g.size(); ++i) {
      const Node& node = g[i];
      stored_[at(i)] = node.kind == NodeKind::battery ? node.energy_j * node.count : never;
      if (node.kind == NodeKind::generator && node.fuel_s > 0)
        stored_[at(i)] = node.fuel_s * node.nameplate_w * node.count;
      worn_[at(i)] = worn_at(node.overload, trip_use(i));
      rank_[at(i)] = rank(i);
      // Overloaded before anything is lost: the sweep's first case, not this walk's.
      ignore_.push_back(now_.use(g_, state_, i) > full ? 1 : 0);
    }
    halls();
  }

  ChainWalk run() {
    out_.horizon_s = o_.horizon_s;
    schedule();
    for (int k = 0; k < most_events && time_ < o_.horizon_s; ++k) {
      const double next = std::min(next_event(), o_.horizon_s);
      interval(next);
      time_ = next;
      if (time_ >= o_.horizon_s) break;
      happen();
    }
    finish();
    return std::move(out_);
  }

 private:
  // --- What is known of a node --------------------------------------------------

  double trip_use(int i) const {
    const Node& n = g_[i];
    const double use = now_.use(g_, state_, i);
    return n.trip_w > 0 ? use * n.rating_w / n.trip_w : use;
  }

  /// Of the live sources it draws from; -1: none.
  int rank(int i) const {
    for (const int e : g_.sources(i))
      if (now_.edge_w[at(e)] > 0) return g_.edges()[at(e)].rank;
    return -1;
  }

  bool may_trip(int i) const {
    return g_[i].overload.kind != Overload::Kind::none && ignore_[at(i)] == 0 &&
           now_.live[at(i)] != 0;
  }

  bool drains(int i) const { return stored_[at(i)] < never && now_.input_w[at(i)] > 0; }

  /// What it feeds has no live source of lower rank.
  bool wanted(int i) const {
    for (const int e : g_.loads(i)) {
      const Edge& own = g_.edges()[at(e)];
      bool better = false;
      for (const int f : g_.sources(own.to)) {
        const Edge& edge = g_.edges()[at(f)];
        better = better || (edge.rank < own.rank && now_.live[at(edge.from)] != 0);
      }
      if (!better && state_.lost[at(own.to)] < g_[own.to].count) return true;
    }
    return false;
  }

  void say(ChainEventKind kind, int node, double value = 0) {
    out_.events.push_back({time_, kind, node, value});
  }

  // --- Time ----------------------------------------------------------------------

  void schedule() {
    for (const auto& l : losses_) {
      times_.push_back(l.at_s);
      if (l.back_s < never) times_.push_back(l.back_s);
    }
  }

  double next_event() const {
    double next = never;
    for (const double t : times_)
      if (t > time_ || (t == time_ && !began_)) next = std::min(next, t);
    for (int i = 0; i < g_.size(); ++i) {
      next = std::min({next, ready_at_[at(i)], starts_at_[at(i)]});
      if (drains(i)) next = std::min(next, time_ + stored_[at(i)] / now_.input_w[at(i)]);
      if (may_trip(i))
        next = std::min(next, time_ + time_to_trip(g_[i].overload, worn_[at(i)], trip_use(i)));
    }
    return next;
  }

  /// Nothing changes until `to` but what is stored.
  void interval(double to) {
    const double dt = to - time_;
    if (dt <= 0) return;
    ChainInterval x;
    x.from_s = time_, x.to_s = to;
    const Balance b = balance(g_, now_);
    out_.worst_imbalance = std::max(out_.worst_imbalance, b.imbalance());
    x.given_w = b.given_w, x.loss_w = b.loss_w;
    double mechanical = 0, running = 0;
    for (int i = 0; i < g_.size(); ++i) {
      const Node& n = g_[i];
      const double w = now_.input_w[at(i)];
      if (n.kind == NodeKind::battery) x.battery_w += w;
      if (n.kind == NodeKind::generator) x.generator_w += w;
      if (n.kind == NodeKind::it_load) x.it_w += now_.output_w[at(i)];
      if (n.kind == NodeKind::mechanical_load) {
        mechanical += n.load_w * n.count;
        running += now_.output_w[at(i)];
      }
      if (drains(i)) stored_[at(i)] = std::max(0.0, stored_[at(i)] - w * dt);
      if (n.overload.kind != Overload::Kind::none)
        worn_[at(i)] = worn_after(n.overload, worn_[at(i)], trip_use(i), dt);
      if (n.kind == NodeKind::it_load) dark(i, dt);
    }
    x.mechanical = mechanical > 0 ? running / mechanical : 1;
    out_.intervals.push_back(x);
  }

  /// Everything due now, then what it leads to at once.
  void happen() {
    began_ = true;
    constexpr double same = 1e-9;
    for (const auto& l : losses_) {
      if (l.at_s == time_) take_out(l.lost);
      if (l.back_s == time_) bring_back(l.lost);
    }
    for (int i = 0; i < g_.size(); ++i) {
      if (ready_at_[at(i)] <= time_) {
        ready_at_[at(i)] = never, state_.off[at(i)] = 0;
        say(ChainEventKind::set_ready, i);
      }
      if (starts_at_[at(i)] <= time_) {
        starts_at_[at(i)] = never, held_[at(i)] = 0, state_.lost[at(i)] = 0;
        say(ChainEventKind::load_starts, i);
      }
      if (drains(i) && stored_[at(i)] <= same * now_.input_w[at(i)]) {
        stored_[at(i)] = 0, state_.off[at(i)] = 1;
        say(g_[i].kind == NodeKind::battery ? ChainEventKind::battery_empty
                                            : ChainEventKind::fuel_out,
            i);
      }
      if (may_trip(i) && time_to_trip(g_[i].overload, worn_[at(i)], trip_use(i)) <= same) {
        say(ChainEventKind::trip, i, now_.use(g_, state_, i));
        state_.lost[at(i)] = g_[i].count;
      }
    }
    settle();
  }

  void take_out(const Outage& o) {
    auto& lost = state_.lost[at(o.node)];
    lost = std::min(g_[o.node].count, lost + o.units);
    say(ChainEventKind::lost, o.node, o.units);
  }
  void bring_back(const Outage& o) {
    auto& lost = state_.lost[at(o.node)];
    lost = std::max(0, lost - o.units);
    say(ChainEventKind::back, o.node, o.units);
  }

  // --- What follows at once --------------------------------------------------------

  void settle() {
    now_ = solve(g_, state_);
    transfer();
    drop();
    loads();
    sets();
    batteries();
  }

  /// Nodes that change their source are dead for their transfer; racks that notice drop.
  void transfer() {
    State open = state_;
    bool any = false;
    for (int i = 0; i < g_.size(); ++i) {
      const int r = rank(i);
      if (r < 0 || r == rank_[at(i)]) continue;
      const bool was = rank_[at(i)] >= 0;
      rank_[at(i)] = r;
      if (!was) continue;  // it was dead: nothing to transfer from
      // A battery stands behind its UPS without a gap.
      if (r == battery_only(i)) continue;
      say(ChainEventKind::transfer, i, r);
      const Node& n = g_[i];
      const double gap = n.kind == NodeKind::transfer_switch ? n.start_s : o_.tie_s;
      if (gap <= o_.hold_up_s || holds(i)) continue;
      open.lost[at(i)] = n.count, any = true;
    }
    for (int i = 0; i < g_.size(); ++i)
      if (now_.live[at(i)] == 0) rank_[at(i)] = -1;
    if (!any) return;
    const Solution gap = solve(g_, open);
    for (int i = 0; i < g_.size(); ++i)
      if (g_[i].kind == NodeKind::it_load && gap.live[at(i)] == 0 && now_.live[at(i)] != 0) off(i);
    now_ = solve(g_, state_);
  }

  /// Rank of its battery, if it draws from that; -1.
  int battery_only(int i) const {
    for (const int e : g_.sources(i)) {
      const Edge& edge = g_.edges()[at(e)];
      if (now_.edge_w[at(e)] > 0 && g_[edge.from].kind == NodeKind::battery) return edge.rank;
    }
    return -1;
  }

  /// A battery of its own carries it over the gap.
  bool holds(int i) const {
    for (const int e : g_.sources(i)) {
      const int from = g_.edges()[at(e)].from;
      if (g_[from].kind == NodeKind::battery && now_.live[at(from)] != 0) return true;
    }
    return false;
  }

  void drop() {
    bool any = false;
    for (int i = 0; i < g_.size(); ++i)
      if (g_[i].kind == NodeKind::it_load && now_.live[at(i)] == 0) off(i), any = true;
    if (any) now_ = solve(g_, state_);
  }

  void off(int i) {
    const Node& n = g_[i];
    auto& lost = state_.lost[at(i)];
    const int units = n.count - lost;
    if (units <= 0) return;
    lost = n.count;
    say(ChainEventKind::racks_drop, i, n.racks * units);
    auto& h = out_.halls[hall_[at(i)]];
    h.dropped_racks += n.racks * units, h.dropped_w += n.load_w * units;
    if (h.dropped_at_s < 0) h.dropped_at_s = time_;
  }

  /// Cooling and other loads stop without power and start a while after it is back.
  void loads() {
    bool changed = false;
    for (int i = 0; i < g_.size(); ++i) {
      const Node& n = g_[i];
      if (n.kind != NodeKind::mechanical_load && n.kind != NodeKind::other_load) continue;
      const bool powered = fed(i);
      if (!powered) {
        if (held_[at(i)] == 0) say(ChainEventKind::load_stops, i);
        held_[at(i)] = 1, starts_at_[at(i)] = never;
        state_.lost[at(i)] = n.count, changed = true;
      } else if (held_[at(i)] != 0 && starts_at_[at(i)] == never) {
        starts_at_[at(i)] = time_ + n.restart_s;
      }
    }
    if (changed) now_ = solve(g_, state_);
  }

  bool fed(int i) const {
    for (const int e : g_.sources(i))
      if (now_.live[at(g_.edges()[at(e)].from)] != 0) return true;
    return false;
  }

  void sets() {
    for (int i = 0; i < g_.size(); ++i) {
      if (g_[i].kind != NodeKind::generator || state_.off[at(i)] == 0) continue;
      if (ready_at_[at(i)] < never || stored_[at(i)] <= 0 || !wanted(i)) continue;
      if (state_.lost[at(i)] >= g_[i].count) continue;
      ready_at_[at(i)] = time_ + g_[i].start_s;
      if (out_.sets_wanted_at_s < 0) out_.sets_wanted_at_s = time_;
      say(ChainEventKind::set_wanted, i);
    }
  }

  void batteries() {
    for (int i = 0; i < g_.size(); ++i) {
      if (g_[i].kind != NodeKind::battery) continue;
      const bool carries = now_.input_w[at(i)] > 0;
      if (carries && carries_[at(i)] == 0) say(ChainEventKind::on_battery, i, now_.input_w[at(i)]);
      carries_[at(i)] = carries ? 1 : 0;
      if (carries) most_[at(i)] = std::max(most_[at(i)], now_.input_w[at(i)]);
    }
  }

  // --- Halls and the end -----------------------------------------------------------

  void halls() {
    hall_.assign(at(g_.size()), 0);
    most_.assign(at(g_.size()), 0);
    for (int i = 0; i < g_.size(); ++i) {
      const Node& n = g_[i];
      if (n.kind != NodeKind::it_load) continue;
      auto found = std::find_if(out_.halls.begin(), out_.halls.end(),
                                [&](const HallPower& h) { return h.hall == n.hall; });
      if (found == out_.halls.end()) {
        out_.halls.push_back({});
        found = out_.halls.end() - 1;
        found->hall = n.hall;
      }
      hall_[at(i)] = static_cast<std::size_t>(found - out_.halls.begin());
      found->racks += n.racks * n.count, found->it_w += n.load_w * n.count;
    }
  }

  void dark(int i, double dt) {
    const Node& n = g_[i];
    auto& h = out_.halls[hall_[at(i)]];
    h.dark_rack_s += n.racks * state_.lost[at(i)] * dt;
    h.dark_w_s += n.load_w * state_.lost[at(i)] * dt;
  }

  void finish() {
    for (int i = 0; i < g_.size(); ++i) {
      const double most = most_[at(i)];
      if (g_[i].kind != NodeKind::battery || most <= 0) continue;
      const double left = stored_[at(i)] / most;
      if (out_.battery_left_s < 0 || left < out_.battery_left_s) out_.battery_left_s = left;
    }
    out_.end = state_, out_.steady = now_;
    starting();
  }

  /// How likely enough sets start for what the sets carry at the end.
  void starting() {
    for (int i = 0; i < g_.size(); ++i) {
      const Node& n = g_[i];
      const double load = now_.output_w[at(i)];
      if (n.kind != NodeKind::generator || n.rating_w <= 0 || load <= 0) continue;
      const int needed = static_cast<int>(std::ceil(load / n.rating_w - 1e-9));
      out_.sets_needed += needed;
      out_.start_probability *=
          start_probability(n.count - state_.lost[at(i)], needed, n.start_failure);
    }
  }

  const Graph& g_;
  const std::vector<TimedLoss>& losses_;
  const ChainWalkOptions& o_;
  State state_;
  Solution now_;
  ChainWalk out_;
  double time_ = 0;
  bool began_ = false;
  std::vector<double> times_, stored_, worn_, ready_at_, starts_at_, most_;
  std::vector<unsigned char> held_, carries_, ignore_;
  std::vector<int> rank_;
  std::vector<std::size_t> hall_;
};

}  // namespace

double ChainWalk::dropped_racks() const {
  double sum = 0;
  for (const auto& h : halls) sum += h.dropped_racks;
  return sum;
}

double start_probability(int units, int needed, double failure) {
  if (needed > units) return 0;
  double sum = 0;
  for (int k = needed; k <= units; ++k) {
    double ways = 1;
    for (int j = 1; j <= units - k; ++j) ways *= double(k + j) / j;
    sum += ways * std::pow(1 - failure, k) * std::pow(failure, units - k);
  }
  return std::min(1.0, sum);
}

ChainWalk walk_chain(const Graph& graph, const std::vector<TimedLoss>& losses,
                     const ChainWalkOptions& options) {
  return Walker(graph, losses, options).run();
}

}  // namespace headroom::power
