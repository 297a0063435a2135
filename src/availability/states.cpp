#include "availability/states.hpp"

#include <algorithm>
#include <cmath>

#include "availability/exact.hpp"

namespace headroom::availability {
namespace {

/// How long the utility is away, in the mean: what standby sets must outlast.
double mission_s(const System& system) {
  double time = 0, rate = 0;
  for (const auto& g : system.groups)
    if (g.external && g.mtbf_s > 0) time += g.repair.mean_s / g.mtbf_s, rate += 1 / g.mtbf_s;
  return rate > 0 ? time / rate : 0;
}

BankRates rates_of(const Group& g, int crews) {
  BankRates b;
  b.units = g.units;
  const double beta = g.units > 1 ? g.beta : 0;
  b.failure = g.mtbf_s > 0 ? (1 - beta) / g.mtbf_s : 0;
  b.common = g.mtbf_s > 0 ? beta / g.mtbf_s : 0;
  b.repair = g.repair.mean_s > 0 ? 1 / g.repair.mean_s : 0;
  b.crews = g.crew ? crews : 0;
  return b;
}

class Walker {
 public:
  Walker(const System& system, const ExactOptions& o) : s_(system), o_(o), served_(system) {
    for (std::size_t g = 0; g < system.groups.size(); ++g) {
      shares_.push_back(out_shares(system, int(g), o.crews));
      // Standby groups last, walked through in full.
      if (!system.groups[g].standby) walked_.push_back(g);
    }
    for (std::size_t g = 0; g < system.groups.size(); ++g)
      if (system.groups[g].standby) walked_.push_back(g);
    state_.assign(system.groups.size(), 0);
    e_.view_unavailability.assign(system.views.size(), 0);
    by_group_.assign(system.groups.size(), 0);
    up_bad_.assign(system.groups.size(), 0), down_bad_ = up_bad_;
  }

  Exact run() {
    walk(0, 1, 0);
    e_.bound = std::max(0.0, 1 - looked_at_);
    if (e_.bound < 1e-14) e_.bound = 0;
    find_cuts(0, 0);
    std::sort(e_.cuts.begin(), e_.cuts.end(), [](const Cut& a, const Cut& b) {
      return a.chance != b.chance ? a.chance > b.chance : a.units < b.units;
    });
    weigh();
    return std::move(e_);
  }

 private:
  void walk(std::size_t at, double chance, int order) {
    if (chance <= 0) return;
    if (at == walked_.size()) return visit(chance);
    const auto g = walked_[at];
    const bool standby = s_.groups[g].standby;
    for (int d = 0; d <= s_.groups[g].units; ++d) {
      if (!standby && order + d > o_.order) break;
      state_[g] = d;
      walk(at + 1, chance * shares_[g][std::size_t(d)], standby ? order : order + d);
    }
    state_[g] = 0;
  }

  void visit(double chance) {
    looked_at_ += chance;
    bool bad = false;
    for (std::size_t v = 0; v < s_.views.size(); ++v) {
      const auto& got = served_.of(v, state_);
      const bool is_short = std::any_of(got.begin(), got.end(), [](double x) { return x < whole; });
      if (is_short) e_.view_unavailability[v] += chance;
      bad = bad || is_short;
    }
    if (bad)
      bad_.push_back({state_, chance});
    else
      add_frequency(chance);
  }

  /// Failures that leave a good state for a bad one.
  void add_frequency(double chance) {
    for (std::size_t g = 0; g < state_.size(); ++g) {
      const auto& group = s_.groups[g];
      if (group.standby || group.mtbf_s <= 0 || state_[g] >= group.units) continue;
      const auto rates = rates_of(group, o_.crews);
      const int before = state_[g];
      ++state_[g];
      if (!served_.all(state_)) e_.frequency += chance * (group.units - before) * rates.failure;
      state_[g] = group.units;
      if (rates.common > 0 && !served_.all(state_)) e_.frequency += chance * rates.common;
      state_[g] = before;
    }
  }

  /// Smallest counts that are bad, by growing orders within the recursion's own order.
  void find_cuts(std::size_t at, int order) {
    if (order > 0 && !served_.all(state_)) {
      if (smallest()) e_.cuts.push_back(cut_now());
      return;  // more out is no smaller
    }
    if (at == walked_.size()) return;
    const auto g = walked_[at];
    const int units = s_.groups[g].units;
    for (int d = 0; d <= units; ++d) {
      if (order + d > most_) break;
      state_[g] = d;
      if (d == 0 || served_.all(state_)) {
        find_cuts(at + 1, order + d);
        continue;
      }
      if (smallest()) e_.cuts.push_back(cut_now());
      break;
    }
    state_[g] = 0;
  }

  bool smallest() {
    for (std::size_t g = 0; g < state_.size(); ++g) {
      if (state_[g] == 0) continue;
      --state_[g];
      const bool good = served_.all(state_);
      ++state_[g];
      if (!good) return false;
    }
    return true;
  }

  Cut cut_now() const {
    Cut c;
    c.chance = 1;
    for (std::size_t g = 0; g < state_.size(); ++g) {
      if (state_[g] == 0) continue;
      c.units.emplace_back(int(g), state_[g]);
      double more = 0;
      for (auto d = std::size_t(state_[g]); d < shares_[g].size(); ++d) more += shares_[g][d];
      c.chance *= more;
    }
    return c;
  }

  /// Fussell-Vesely and Birnbaum from the bad states.
  void weigh() {
    for (const auto& [state, chance] : bad_) {
      e_.unavailability += chance;
      for (const auto& cut : e_.cuts) {
        const bool holds = std::all_of(cut.units.begin(), cut.units.end(), [&](const auto& u) {
          return state[std::size_t(u.first)] >= u.second;
        });
        if (!holds) continue;
        for (const auto& u : cut.units) mark_.push_back(u.first);
      }
      std::sort(mark_.begin(), mark_.end());
      mark_.erase(std::unique(mark_.begin(), mark_.end()), mark_.end());
      for (const int g : mark_) by_group_[std::size_t(g)] += chance;
      mark_.clear();
      // A given unit is among the d of n that are out with chance d / n.
      for (std::size_t g = 0; g < state.size(); ++g) {
        const double out = double(state[g]) / s_.groups[g].units;
        down_bad_[g] += chance * out, up_bad_[g] += chance * (1 - out);
      }
    }
    for (std::size_t g = 0; g < s_.groups.size(); ++g) {
      Importance i;
      i.group = int(g);
      for (std::size_t d = 0; d < shares_[g].size(); ++d)
        i.unavailability += shares_[g][d] * double(d) / s_.groups[g].units;
      if (i.unavailability > 0 && i.unavailability < 1)
        i.birnbaum = down_bad_[g] / i.unavailability - up_bad_[g] / (1 - i.unavailability);
      if (e_.unavailability > 0) i.fussell_vesely = by_group_[g] / e_.unavailability;
      e_.importance.push_back(i);
    }
    std::stable_sort(e_.importance.begin(), e_.importance.end(), [](const auto& a, const auto& b) {
      return a.fussell_vesely > b.fussell_vesely;
    });
  }

  const System& s_;
  ExactOptions o_;
  Served served_;
  std::vector<std::vector<double>> shares_;
  std::vector<std::size_t> walked_;
  Counts state_;
  std::vector<std::pair<Counts, double>> bad_;
  std::vector<double> by_group_, up_bad_, down_bad_;
  std::vector<int> mark_;
  double looked_at_ = 0;
  /// Cuts are looked for one order higher while banks are few.
  const int most_ = o_.order + (s_.groups.size() <= 25 ? 1 : 0);
  Exact e_;
};

}  // namespace

std::vector<double> out_shares(const System& system, int index, int crews) {
  const auto& g = system.groups[std::size_t(index)];
  if (g.standby) {
    const double mission = mission_s(system);
    const double runs = g.run_mttf_s > 0 ? 1 / (1 + mission / g.run_mttf_s) : 1;
    const double p = g.ready * (1 - g.failure_to_start) * runs;
    std::vector<double> out;
    for (int d = 0; d <= g.units; ++d) out.push_back(binomial(g.units, d, 1 - p));
    return out;
  }
  auto out = units_out(rates_of(g, crews));
  if (g.maintenance_every_s <= 0) return out;
  const double share = std::min(1.0, g.units * g.maintenance_s / g.maintenance_every_s);
  std::vector<double> with(out.size(), 0.0);
  for (std::size_t d = 0; d < out.size(); ++d) {
    // Begun only with everything else in service.
    const bool begun = d == 0;
    with[d] += out[d] * (begun ? 1 - share : 1);
    if (begun) with[1] += out[d] * share;
  }
  return with;
}

Exact exact(const System& system, const ExactOptions& options) {
  return Walker(system, options).run();
}

Tier tier_of(const System& system, std::vector<std::string> gaps) {
  Served served(system);
  Tier t;
  t.gaps = std::move(gaps);
  const bool standby = std::any_of(system.groups.begin(), system.groups.end(),
                                   [](const Group& g) { return g.standby; });
  Counts none(system.groups.size(), 0), alone = none;  // standby units run
  for (std::size_t x = 0; x < alone.size(); ++x)
    if (system.groups[x].external) alone[x] = system.groups[x].units;
  // Without standby sets, or with sets that are too small, a site stands on the utility.
  const bool carried = served.all(alone);
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const auto& group = system.groups[g];
    if (group.external) continue;
    Counts out = carried ? alone : none;
    out[g] += 1;
    if (served.all(out) && (carried || !group.standby)) continue;
    t.not_maintained.push_back(int(g));
    if (!group.path) t.not_redundant.push_back(int(g));
  }
  if (!t.not_redundant.empty() || !standby) return t;
  t.level = 2;
  if (!t.not_maintained.empty()) return t;
  t.level = t.gaps.empty() ? 4 : 3;
  return t;
}

}  // namespace headroom::availability
