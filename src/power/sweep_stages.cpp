#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "power/phase.hpp"
#include "power/sweep_parts.hpp"

namespace headroom::power {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

constexpr double never = std::numeric_limits<double>::infinity();

/// One stage while it is counted.
struct Stage0 {
  StageRow row;
  std::vector<int> nodes;
  double rated_w = 0;          ///< after derating and phases
  double busy_w = 0;           ///< the same, of nodes that carry load
  double even_scale = never;   ///< of all loads until the fullest node is full, nothing lost
  double worst_scale = never;  ///< the same after the worst single loss
  bool sides = false;
};

class Rows {
 public:
  Rows(const Graph& g, const Solution& mains, const Solution& sets, Sweep& out)
      : g_(g), mains_(mains), sets_(sets), out_(out), phases_(phase_loads(g, mains)) {}

  void run(double cooling_scale) {
    for (const int i : g_.order()) add(i);
    double binding = never;
    for (auto& s : stages_) {
      count(s);
      if (s.row.load_w <= 0 || s.worst_scale >= binding) continue;
      binding = s.worst_scale;
      out_.binding = s.row.name;
    }
    if (binding == never) return;
    out_.scale = binding;
    for (auto& s : stages_) {
      share(s, binding, cooling_scale > 0 ? cooling_scale : never);
      out_.stages.push_back(s.row);
    }
  }

 private:
  void add(int i) {
    const Node& n = g_[i];
    if (n.rating_w <= 0 || is_load(n.kind)) return;
    const auto [found, is_new] = index_.try_emplace(n.stage_name, stages_.size());
    if (is_new) {
      stages_.emplace_back();
      stages_.back().row.name = n.stage_name;
    }
    stages_[found->second].nodes.push_back(i);
  }

  /// Load when nothing is lost: a generator's is that without the mains.
  double load(int i) const {
    const bool stands_by = g_[i].kind == NodeKind::generator && !sets_.output_w.empty();
    return (stands_by ? sets_ : mains_).output_w[at(i)];
  }

  /// Share of a node's rating that its uneven phases leave.
  double by_phase(int i) const {
    const auto& p = phases_[at(i)];
    const double all = p.total_va();
    if (g_[i].phase.phases < 3 && !g_[i].parallel) return 1;  // a feed of one phase is rated so
    return all > 0 ? all / (all + stranded_va(p)) : 1;
  }

  void count(Stage0& s) {
    for (const int i : s.nodes) {
      const Node& n = g_[i];
      const double phases = by_phase(i), rating = n.total_rating_w(), l = load(i);
      const double use = out_.nodes[at(i)].worst_use;
      ++s.row.nodes, s.row.units += n.count;
      s.row.nameplate_w += n.nameplate_w * n.count;
      s.row.derating_w += n.nameplate_w * n.count - rating;
      s.row.phases_w += rating * (1 - phases);
      s.rated_w += rating * phases;
      s.row.load_w += l;
      s.sides = s.sides || !n.side.empty();
      if (l > 0)
        s.busy_w += rating * phases, s.even_scale = std::min(s.even_scale, rating * phases / l);
      if (use > 0) s.worst_scale = std::min(s.worst_scale, phases / use);
    }
    s.worst_scale = std::min(s.worst_scale, s.even_scale);
  }

  void share(Stage0& s, double binding, double cooling) {
    auto& r = s.row;
    const double load = r.load_w;
    if (load <= 0) {  // it stands by: all of it is reserve
      r.reserve_w = s.rated_w;
      return;
    }
    r.fill = 1 / s.worst_scale;
    r.uneven_w = s.busy_w - s.even_scale * load;
    (s.sides ? r.sides_w : r.reserve_w) = (s.even_scale - s.worst_scale) * load;
    r.reserve_w += s.rated_w - s.busy_w;  // units that stand by
    r.mismatch_w = (s.worst_scale - binding) * load;
    const double usable = std::min(binding, cooling);
    r.cooling_w = (binding - usable) * load;
    r.left_w = (usable - 1) * load;
    r.rounding_w = std::min(std::max(0.0, r.left_w), rounding(s));
    r.left_w -= r.rounding_w;
  }

  /// What the last unit of the banks does not carry.
  double rounding(const Stage0& s) const {
    double sum = 0;
    for (const int i : s.nodes) {
      const Node& n = g_[i];
      if (!n.parallel || n.count < 2) continue;
      const double l = load(i);
      sum += std::ceil(l / n.rating_w - 1e-9) * n.rating_w - l;
    }
    return sum;
  }

  const Graph& g_;
  const Solution &mains_, &sets_;
  Sweep& out_;
  std::vector<PhaseLoad> phases_;
  std::vector<Stage0> stages_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace

void stage_rows(const Graph& graph, const Solution& mains, const Solution& sets,
                double cooling_scale, Sweep& out) {
  Rows(graph, mains, sets, out).run(cooling_scale);
}

}  // namespace headroom::power
