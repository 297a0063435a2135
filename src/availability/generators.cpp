#include "availability/generators.hpp"

#include <algorithm>
#include <cmath>

#include "availability/exact.hpp"

namespace headroom::availability {
namespace {

/// Combinations of sets, the first type counting fastest.
class States {
 public:
  explicit States(std::span<const int> counts) : counts_(counts.begin(), counts.end()) {
    for (const int n : counts_) size_ *= std::size_t(n) + 1;
  }
  std::size_t size() const { return size_; }
  /// Sets of type `type` in a state.
  int of(std::size_t state, std::size_t type) const {
    for (std::size_t i = 0; i < type; ++i) state /= std::size_t(counts_[i]) + 1;
    return int(state % (std::size_t(counts_[type]) + 1));
  }
  std::size_t types() const { return counts_.size(); }

 private:
  std::vector<int> counts_;
  std::size_t size_ = 1;
};

std::vector<int> counts_of(std::span<const GeneratorType> types) {
  std::vector<int> out;
  for (const auto& t : types) out.push_back(t.count);
  return out;
}

/// Chance from one combination to another in a trial.
double transition(const States& s, std::size_t from, std::size_t to, std::span<const double> fail) {
  double p = 1;
  for (std::size_t i = 0; i < s.types(); ++i)
    p *= binomial(s.of(from, i), s.of(to, i), 1 - fail[i]);
  return p;
}

/// The machinery of both forms in steps: chances by combination and bin of charge.
class Stepper {
 public:
  Stepper(std::span<const GeneratorType> types, const Battery& battery, const StepOptions& o)
      : states_(counts_of(types)), battery_(battery), options_(o) {
    bins_ = battery.energy_j > 0 ? std::max(2, battery.bins) : 1;
    bin_j_ = bins_ > 1 ? battery.energy_j / (bins_ - 1) : 0;
    std::vector<double> fail;
    for (const auto& t : types) fail.push_back(t.mttf_s > 0 ? o.step_s / t.mttf_s : 0);
    const std::size_t n = states_.size();
    matrix_.resize(n * n);
    makes_.assign(n, 0);
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) matrix_[a * n + b] = transition(states_, a, b, fail);
      for (std::size_t i = 0; i < types.size(); ++i)
        makes_[a] += states_.of(a, i) * types[i].power_w;
    }
    chance_.assign(std::size_t(bins_), std::vector<double>(n, 0.0));
    int bin = 0;
    if (bins_ > 1) bin = std::min(bins_ - 1, int(std::nearbyint(battery.start_j / bin_j_)));
    chance_[std::size_t(bin)] = start_distribution(types);
  }

  double step(double load_w) {
    run();
    double met = 0;
    for (int bin = 0; bin < bins_; ++bin)
      for (std::size_t s = 0; s < states_.size(); ++s) {
        double& p = chance_[std::size_t(bin)][s];
        if (makes_[s] + from_battery(bin) - load_w >= -1e-9 * load_w)
          met += p;
        else if (!options_.marginal)
          p = 0;
      }
    shift(load_w);
    return met;
  }

 private:
  double from_battery(int bin) const {
    return std::min(battery_.power_w,
                    bin * bin_j_ * battery_.discharge_efficiency / options_.step_s);
  }
  void run() {
    const std::size_t n = states_.size();
    std::vector<double> next(n);
    for (auto& row : chance_) {
      std::fill(next.begin(), next.end(), 0.0);
      for (std::size_t a = 0; a < n; ++a) {
        if (row[a] == 0) continue;
        for (std::size_t b = 0; b < n; ++b) next[b] += row[a] * matrix_[a * n + b];
      }
      row.swap(next);
    }
  }
  void shift(double load_w) {
    if (bins_ < 2) return;
    for (std::size_t s = 0; s < states_.size(); ++s) {
      double over = std::clamp(makes_[s] - load_w, -battery_.power_w, battery_.power_w);
      over = over > 0 ? over * battery_.charge_efficiency : over / battery_.discharge_efficiency;
      const int by = int(std::nearbyint(over * options_.step_s / bin_j_));
      if (by == 0) continue;
      std::vector<double> moved(std::size_t(bins_), 0.0);
      for (int bin = 0; bin < bins_; ++bin)
        moved[std::size_t(std::clamp(bin + by, 0, bins_ - 1))] += chance_[std::size_t(bin)][s];
      for (int bin = 0; bin < bins_; ++bin) chance_[std::size_t(bin)][s] = moved[std::size_t(bin)];
    }
  }

  States states_;
  Battery battery_;
  StepOptions options_;
  int bins_ = 1;
  double bin_j_ = 0;
  std::vector<double> matrix_, makes_;
  std::vector<std::vector<double>> chance_;  // [bin][combination]
};

}  // namespace

double survival(const GeneratorType& type, int needed, double time_s) {
  const double runs = type.mttf_s > 0 ? std::exp(-time_s / type.mttf_s) : 1;
  return k_of_n(needed, type.count, type.starts() * runs);
}

double survival_repaired(const GeneratorType& type, int needed, double time_s, double repair_s,
                         int crews) {
  BankRates bank;
  bank.units = type.count;
  bank.failure = type.mttf_s > 0 ? 1 / type.mttf_s : 0;
  bank.repair = repair_s > 0 ? 1 / repair_s : 0;
  bank.crews = crews;
  double sum = 0;
  for (int out = 0; out <= type.count - needed; ++out)
    sum += binomial(type.count, out, 1 - type.starts()) *
           bank_survival(bank, type.count - needed, time_s, out);
  return sum;
}

std::vector<double> after_trial(std::span<const int> counts, std::span<const double> fail) {
  const States s(counts);
  std::vector<double> out(s.size());
  for (std::size_t to = 0; to < s.size(); ++to) out[to] = transition(s, s.size() - 1, to, fail);
  return out;
}

std::vector<double> start_distribution(std::span<const GeneratorType> types) {
  std::vector<double> fail;
  for (const auto& t : types) fail.push_back(1 - t.starts());
  return after_trial(counts_of(types), fail);
}

std::vector<double> survival_steps(std::span<const GeneratorType> types,
                                   std::span<const double> load_w, const StepOptions& options) {
  return survival_steps(types, Battery{}, load_w, options);
}

std::vector<double> survival_steps(std::span<const GeneratorType> types, const Battery& battery,
                                   std::span<const double> load_w, const StepOptions& options) {
  Stepper stepper(types, battery, options);
  std::vector<double> out;
  out.reserve(load_w.size());
  for (const double w : load_w) out.push_back(stepper.step(w));
  return out;
}

}  // namespace headroom::availability
