#include "power/phase.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace headroom::power {
namespace {

using Phasor = std::complex<double>;

Phasor unit(double degrees) { return std::polar(1.0, degrees * std::numbers::pi / 180); }

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// It draws balanced whatever it feeds.
bool balances(NodeKind kind) {
  return kind == NodeKind::ups || kind == NodeKind::rectifier || kind == NodeKind::power_shelf;
}

PhaseLoad balanced(double va) {
  PhaseLoad p;
  p.line_va.fill(va / 3);
  return p;
}

void add_share(PhaseLoad& sum, const PhaseLoad& part, double factor) {
  for (std::size_t k = 0; k < 3; ++k) {
    sum.line_va[k] += factor * part.line_va[k];
    sum.pair_va[k] += factor * part.pair_va[k];
  }
}

}  // namespace

PhaseLoad& PhaseLoad::operator+=(const PhaseLoad& other) {
  add_share(*this, other, 1);
  return *this;
}

double PhaseLoad::total_va() const {
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k) sum += line_va[k] + pair_va[k];
  return sum;
}

PhaseLoad spread(double each_va, int units, const PhaseUse& use) {
  if (use.phases >= 3) return balanced(each_va * units);
  PhaseLoad p;
  auto& slots = use.phases == 2 ? p.pair_va : p.line_va;
  for (int k = 0; k < 3; ++k) {
    const int share = units / 3 + (k < units % 3 ? 1 : 0);
    slots[at((use.first + k) % 3)] += each_va * share;
  }
  return p;
}

double LineCurrents::most() const { return std::max({a[0], a[1], a[2]}); }
double LineCurrents::mean() const { return (a[0] + a[1] + a[2]) / 3; }
double LineCurrents::imbalance() const {
  const double m = mean();
  if (m <= 0) return 0;
  return std::max({std::abs(a[0] - m), std::abs(a[1] - m), std::abs(a[2] - m)}) / m;
}

LineCurrents line_currents(const PhaseLoad& load, double voltage_v) {
  LineCurrents out;
  if (voltage_v <= 0) return out;
  const double neutral_v = voltage_v / std::sqrt(3.0);
  std::array<Phasor, 3> line, pair;
  Phasor to_neutral = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    // V_a at 0, V_b at -120, V_c at 120 degrees; V_ab leads V_a by 30.
    const double angle = -120.0 * double(k);
    line[k] = load.line_va[k] / neutral_v * unit(angle);
    pair[k] = load.pair_va[k] / voltage_v * unit(angle + 30);
    to_neutral += line[k];
  }
  for (std::size_t k = 0; k < 3; ++k) out.a[k] = std::abs(line[k] + pair[k] - pair[(k + 2) % 3]);
  out.neutral_a = std::abs(to_neutral);
  return out;
}

double stranded_va(const PhaseLoad& load) {
  constexpr double any_v = 400;
  const auto lines = line_currents(load, any_v);
  return std::max(0.0, std::sqrt(3.0) * any_v * lines.most() - load.total_va());
}

std::vector<PhaseLoad> phase_loads(const Graph& graph, const Solution& x) {
  const auto n = at(graph.size());
  std::vector<PhaseLoad> out(n), drawn(n);
  for (std::size_t k = n; k-- > 0;) {
    const int i = graph.order()[k];
    const Node& node = graph[i];
    auto& sum = out[at(i)];
    double below = 0;
    for (const int e : graph.loads(i)) {
      const int to = graph.edges()[at(e)].to;
      const double all = x.input_w[at(to)], part = x.edge_w[at(e)];
      below += part;
      if (all > 0) add_share(sum, drawn[at(to)], part / all);
    }
    if (is_load(node.kind) && x.live[at(i)] != 0)
      sum += spread((x.output_w[at(i)] - below) / node.power_factor / node.count, node.count,
                    node.phase);
    // What it draws: its own loss on top, spread as its load is.
    const double scale = x.output_w[at(i)] > 0 ? x.input_w[at(i)] / x.output_w[at(i)] : 0;
    if (balances(node.kind) || scale == 0)
      drawn[at(i)] = balanced(x.input_w[at(i)] / node.power_factor);
    else
      add_share(drawn[at(i)], sum, scale);
  }
  return out;
}

}  // namespace headroom::power
