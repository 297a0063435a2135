#include "power/graph.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace headroom::power {
namespace {

constexpr std::array<std::string_view, 18> kind_names{
    "utility",   "substation",  "transformer", "switchgear", "generator",  "transfer-switch",
    "ups",       "ups-eco",     "battery",     "pdu",        "rpp",        "busway",
    "rack-feed", "power-shelf", "rectifier",   "it",         "mechanical", "other"};

std::size_t at(int i) { return static_cast<std::size_t>(i); }

int in_service(const Graph& g, const State& s, int n) {
  return std::max(0, g[n].count - s.lost[at(n)]);
}

bool is_live(const Graph& g, const State& s, const std::vector<unsigned char>& live, int n) {
  if (in_service(g, s, n) == 0) return false;
  if (is_source(g[n].kind) && s.off[at(n)] == 0) return true;
  for (const int e : g.sources(n))
    if (live[at(g.edges()[at(e)].from)] != 0) return true;
  return false;
}

/// Output, loss and input of a node whose loads are settled.
void flow(const Graph& g, const State& s, Solution& x, int n, double load_w) {
  const auto i = at(n);
  const int units = in_service(g, s, n);
  double output = x.live[i] != 0 ? load_w * units : 0;
  for (const int e : g.loads(n)) output += x.edge_w[at(e)];
  x.output_w[i] = output;
  x.loss_w[i] = x.live[i] != 0 ? units * g[n].stage.loss(Power::from_si(output / units)).si() : 0;
  x.input_w[i] = output + x.loss_w[i];
}

/// The sources a node draws from: those that are live, of the lowest rank.
struct Draw {
  int rank = std::numeric_limits<int>::max();
  double weight = 0;
  bool takes(const Edge& e, const Solution& x) const {
    return e.rank == rank && x.live[at(e.from)] != 0;
  }
};

Draw draw_of(const Graph& g, const State& s, const Solution& x, int n) {
  Draw d;
  if (x.live[at(n)] == 0 || (is_source(g[n].kind) && s.off[at(n)] == 0)) return d;
  for (const int e : g.sources(n)) {
    const Edge& edge = g.edges()[at(e)];
    if (x.live[at(edge.from)] == 0 || edge.rank > d.rank) continue;
    if (edge.rank < d.rank) d = {edge.rank, 0};
    d.weight += edge.weight;
  }
  return d;
}

}  // namespace

std::span<const std::string_view> node_kind_names() { return kind_names; }
std::string_view node_kind_name(NodeKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

bool is_source(NodeKind kind) {
  return kind == NodeKind::utility || kind == NodeKind::generator || kind == NodeKind::battery;
}
bool is_load(NodeKind kind) {
  return kind == NodeKind::it_load || kind == NodeKind::mechanical_load ||
         kind == NodeKind::other_load;
}

int Graph::add(Node node) {
  nodes_.push_back(std::move(node));
  return size() - 1;
}

void Graph::connect(int from, int to, int rank, double weight) {
  edges_.push_back({from, to, rank, weight});
}

int Graph::find(std::string_view name) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].name == name) return static_cast<int>(i);
  return -1;
}

bool Graph::close() {
  const auto n = nodes_.size();
  loop_.clear();
  in_at_.assign(n + 1, 0), out_at_.assign(n + 1, 0);
  for (const auto& e : edges_) {
    if (e.from < 0 || e.to < 0 || at(e.from) >= n || at(e.to) >= n) return false;
    ++in_at_[at(e.to) + 1], ++out_at_[at(e.from) + 1];
  }
  for (std::size_t i = 0; i < n; ++i) in_at_[i + 1] += in_at_[i], out_at_[i + 1] += out_at_[i];
  in_.resize(edges_.size()), out_.resize(edges_.size());
  auto in_next = in_at_, out_next = out_at_;
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    in_[at(in_next[at(edges_[e].to)]++)] = static_cast<int>(e);
    out_[at(out_next[at(edges_[e].from)]++)] = static_cast<int>(e);
  }
  std::vector<int> waits(n);
  order_.clear();
  for (std::size_t i = 0; i < n; ++i) {
    waits[i] = in_at_[i + 1] - in_at_[i];
    if (waits[i] == 0) order_.push_back(static_cast<int>(i));
  }
  for (std::size_t k = 0; k < order_.size(); ++k)
    for (const int e : loads(order_[k]))
      if (--waits[at(edges_[at(e)].to)] == 0) order_.push_back(edges_[at(e)].to);
  place_.assign(n, -1);
  for (std::size_t k = 0; k < order_.size(); ++k) place_[at(order_[k])] = static_cast<int>(k);
  if (order_.size() == n) return true;
  find_loop();
  return false;
}

/// Every node that is not in order has a source that is not: going back along them closes a loop.
void Graph::find_loop() {
  int n = 0;
  while (place_[at(n)] >= 0) ++n;
  std::vector<int> seen(nodes_.size(), -1), path;
  while (seen[at(n)] < 0) {
    seen[at(n)] = static_cast<int>(path.size());
    path.push_back(n);
    for (const int e : sources(n))
      if (place_[at(edges_[at(e)].from)] < 0) n = edges_[at(e)].from;
  }
  loop_.assign(path.begin() + seen[at(n)], path.end());
  std::reverse(loop_.begin(), loop_.end());
}

Graph split_unit(const Graph& graph, int node, int& unit) {
  const auto& nodes = graph.nodes();
  std::vector<int> twin(nodes.size(), -1), stack{node};
  Graph out;
  for (const auto& n : nodes) out.add(n);
  const auto belongs = [&](int n) {
    return !graph[n].parallel && graph[n].count == graph[node].count && twin[at(n)] < 0;
  };
  const auto take = [&](int n) {
    Node lone = graph[n];
    lone.name += "#1", lone.count = 1;
    twin[at(n)] = out.add(std::move(lone));
    out.nodes()[at(n)].count -= 1;
    ++out.nodes()[at(n)].phase.first;
    stack.push_back(n);
  };
  stack.clear();
  take(node);
  while (!stack.empty()) {
    const int n = stack.back();
    stack.pop_back();
    for (const int e : graph.sources(n))
      if (belongs(graph.edges()[at(e)].from)) take(graph.edges()[at(e)].from);
    for (const int e : graph.loads(n))
      if (belongs(graph.edges()[at(e)].to)) take(graph.edges()[at(e)].to);
  }
  for (const auto& e : graph.edges()) {
    const int from = twin[at(e.from)], to = twin[at(e.to)];
    const double units = graph[node].count;
    // Out of the group into a common bus: its share by units.
    const bool leaves = from >= 0 && to < 0;
    out.connect(e.from, e.to, e.rank, leaves ? e.weight * (units - 1) / units : e.weight);
    if (from < 0 && to < 0) continue;
    out.connect(from >= 0 ? from : e.from, to >= 0 ? to : e.to, e.rank,
                leaves ? e.weight / units : e.weight);
  }
  out.close();
  unit = twin[at(node)];
  return out;
}

State normal(const Graph& graph) {
  State s;
  s.lost.assign(at(graph.size()), 0), s.off.assign(at(graph.size()), 0);
  for (int i = 0; i < graph.size(); ++i)
    if (graph[i].kind == NodeKind::battery) s.off[at(i)] = 1;
  return s;
}

State first_instant(const Graph& graph) {
  State s;
  s.lost.assign(at(graph.size()), 0), s.off.assign(at(graph.size()), 0);
  for (int i = 0; i < graph.size(); ++i)
    if (graph[i].kind == NodeKind::generator) s.off[at(i)] = 1;
  return s;
}

double Solution::use(const Graph& graph, const State& state, int node) const {
  const double most = graph[node].rating_w * in_service(graph, state, node);
  return most > 0 ? output_w[at(node)] / most : 0;
}

namespace {

template <class Load>
Solution solve_with(const Graph& graph, const State& state, Load&& load_w) {
  Solution x;
  const auto n = at(graph.size());
  x.output_w.assign(n, 0), x.loss_w.assign(n, 0), x.input_w.assign(n, 0), x.live.assign(n, 0);
  x.edge_w.assign(graph.edges().size(), 0);
  for (const int i : graph.order()) x.live[at(i)] = is_live(graph, state, x.live, i) ? 1 : 0;
  for (std::size_t k = n; k-- > 0;) {
    const int i = graph.order()[k];
    flow(graph, state, x, i, load_w(i));
    const Draw draw = draw_of(graph, state, x, i);
    for (const int e : graph.sources(i)) {
      const Edge& edge = graph.edges()[at(e)];
      if (draw.takes(edge, x)) x.edge_w[at(e)] = x.input_w[at(i)] * (edge.weight / draw.weight);
    }
  }
  return x;
}

}  // namespace

Solution solve(const Graph& graph, const State& state) {
  return solve_with(graph, state, [&](int i) { return graph[i].load_w; });
}

Solution solve(const Graph& graph, const State& state, std::span<const double> load_w) {
  return solve_with(graph, state, [&](int i) { return load_w[at(i)]; });
}

double Balance::imbalance() const {
  return given_w > 0 ? std::abs(given_w - load_w - loss_w) / given_w : std::abs(load_w + loss_w);
}

Balance balance(const Graph& graph, const Solution& x) {
  Balance b;
  for (int i = 0; i < graph.size(); ++i) {
    double passed = 0, drawn = 0;
    for (const int e : graph.loads(i)) passed += x.edge_w[at(e)];
    for (const int e : graph.sources(i)) drawn += x.edge_w[at(e)];
    b.load_w += x.output_w[at(i)] - passed;
    b.loss_w += x.loss_w[at(i)];
    if (is_source(graph[i].kind)) b.given_w += x.input_w[at(i)] - drawn;
  }
  return b;
}

ItPower it_power(const Graph& graph, const State& state, const Solution& x) {
  ItPower it;
  for (int i = 0; i < graph.size(); ++i) {
    const auto& n = graph[i];
    if (n.kind != NodeKind::it_load) continue;
    const int live = x.live[at(i)] != 0 ? in_service(graph, state, i) : 0;
    it.live_w += n.load_w * live, it.live_racks += n.racks * live;
    it.dead_w += n.load_w * (n.count - live), it.dead_racks += n.racks * (n.count - live);
  }
  return it;
}

// --- Solver ---------------------------------------------------------------------

Solver::Solver(const Graph& graph, State base)
    : graph_(graph), base_state_(std::move(base)), state_(base_state_) {
  base_ = solve(graph_, base_state_);
  now_ = base_;
  const auto words = (at(graph_.size()) + 63) / 64;
  down_.words.assign(words, 0), up_.words.assign(words, 0);
  is_touched_.assign(at(graph_.size()), 0);
}

void Solver::touch(int node) {
  if (is_touched_[at(node)] != 0) return;
  is_touched_[at(node)] = 1;
  touched_.push_back(node);
}

void Solver::lose(int node, int units) {
  auto& lost = state_.lost[at(node)];
  lost = std::min(graph_[node].count, lost + units);
  settle(node);
}

void Solver::lose_in_group(int node) {
  group_ = graph_[node].count;
  lose(node, group_);
  group_ = 0;
}

bool Solver::in_group(int node) const {
  return group_ == 0 || (!graph_[node].parallel && graph_[node].count == group_);
}

void Solver::turn(int node, bool on) {
  state_.off[at(node)] = on ? 0 : 1;
  settle(node);
}

void Solver::settle(int node) {
  touch(node);
  down_.set(graph_.place(node));
  sweep_down();
  sweep_up();
}

/// From sources to loads: who is live.
void Solver::sweep_down() {
  for (std::size_t w = 0; w < down_.words.size(); ++w) {
    while (down_.words[w] != 0) {
      const int k = static_cast<int>(64 * w) + std::countr_zero(down_.words[w]);
      down_.words[w] &= down_.words[w] - 1;
      const int i = graph_.order()[at(k)];
      up_.set(k);
      const unsigned char live = is_live(graph_, state_, now_.live, i) ? 1 : 0;
      if (live == now_.live[at(i)]) continue;
      now_.live[at(i)] = live;
      touch(i);
      for (const int e : graph_.loads(i)) down_.set(graph_.place(graph_.edges()[at(e)].to));
    }
  }
}

/// From loads to sources: what flows.
void Solver::sweep_up() {
  for (std::size_t w = up_.words.size(); w-- > 0;) {
    while (up_.words[w] != 0) {
      const int bit = 63 - std::countl_zero(up_.words[w]);
      up_.words[w] &= ~(std::uint64_t{1} << bit);
      const int i = graph_.order()[at(static_cast<int>(64 * w) + bit)];
      touch(i);
      flow(graph_, state_, now_, i, graph_[i].load_w);
      const Draw draw = draw_of(graph_, state_, now_, i);
      for (const int e : graph_.sources(i)) {
        const Edge& edge = graph_.edges()[at(e)];
        const double flows =
            draw.takes(edge, now_) ? now_.input_w[at(i)] * (edge.weight / draw.weight) : 0;
        if (flows == now_.edge_w[at(e)]) continue;
        now_.edge_w[at(e)] = flows;
        if (in_group(edge.from)) up_.set(graph_.place(edge.from));
      }
    }
  }
}

void Solver::restore() {
  for (const int i : touched_) {
    state_.lost[at(i)] = base_state_.lost[at(i)], state_.off[at(i)] = base_state_.off[at(i)];
    now_.output_w[at(i)] = base_.output_w[at(i)], now_.loss_w[at(i)] = base_.loss_w[at(i)];
    now_.input_w[at(i)] = base_.input_w[at(i)], now_.live[at(i)] = base_.live[at(i)];
    for (const int e : graph_.sources(i)) now_.edge_w[at(e)] = base_.edge_w[at(e)];
    is_touched_[at(i)] = 0;
  }
  touched_.clear();
}

}  // namespace headroom::power
