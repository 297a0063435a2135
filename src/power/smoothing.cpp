#include "power/smoothing.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace headroom::power {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// The charge and what it does within one sample of constant load.
class Store {
 public:
  Store(const Storage& s, double rest_w)
      : s_(s), eta_(std::sqrt(std::clamp(s.round_trip, 1e-6, 1.0))), reference_(rest_w) {
    if (std::isfinite(s.capacity_j)) {
      low_ = 0, high_ = s.capacity_j, nominal_ = charge_ = s.capacity_j / 2;
    }
    least_ = most_charge_ = charge_;
    start_ = charge_;
  }

  /// Energy drawn from the grid over `dt` of load `load_w`, J.
  double step(double load_w, double dt, Smoothed& out) {
    double left = dt, grid_j = 0;
    // Charge moves one way within a sample; each turn ends in an event or the sample.
    for (int turn = 0; turn < 8 && left > 0; ++turn) grid_j += stretch(load_w, left, out);
    grid_j += load_w * left;  // events without end cannot be: the load is served
    least_ = std::min(least_, charge_), most_charge_ = std::max(most_charge_, charge_);
    if (s_.recentre_s > 0) reference_ += dt * (nominal_ - charge_) / (s_.tau_s * s_.recentre_s);
    return grid_j;
  }

  /// Forgets the highest and the lowest charge so far.
  void mark() {
    early_least_ = least_, early_most_ = most_charge_;
    least_ = most_charge_ = charge_;
  }
  double settled() const { return most_charge_ - least_; }
  double stored() const { return charge_ - start_; }
  double swing() const {
    return std::max(most_charge_, early_most_) - std::min(least_, early_least_);
  }

 private:
  double stretch(double load_w, double& left, Smoothed& out) {
    const double p = reference_ + (nominal_ - charge_) / s_.tau_s - load_w;
    if (p == 0) return rest(load_w, left);
    const double room = p > 0 ? high_ - charge_ : charge_ - low_;
    if (room <= 0) {
      out.saturated_s += left;
      return rest(load_w, left);
    }
    const double gain = p > 0 ? eta_ : 1 / eta_;  // of the charge for power at the terminals
    if (std::abs(p) > s_.power_w) return limited(load_w, p, gain, room, left, out);
    out.most_w = std::max(out.most_w, std::abs(p));
    const double rate = gain / s_.tau_s;
    double t = left, done = -std::expm1(-rate * t);
    // Charge moves by tau |p| done; the bound may come first.
    if (s_.tau_s * std::abs(p) * done > room) {
      done = room / (s_.tau_s * std::abs(p));
      t = std::min(left, -std::log1p(-done) / rate);
    }
    const double moved = s_.tau_s * p * done;  // of the charge
    return settle(load_w, t, moved, moved / gain, room, left, out);
  }

  double limited(double load_w, double p, double gain, double room, double& left, Smoothed& out) {
    const double most = std::copysign(s_.power_w, p);
    out.most_w = std::max(out.most_w, s_.power_w);
    const double leaves =
        s_.power_w > 0 ? (std::abs(p) - s_.power_w) * s_.tau_s / (gain * s_.power_w) : infinite;
    const double bound = s_.power_w > 0 ? room / (gain * s_.power_w) : infinite;
    // A hair beyond the event, so that rounding cannot hold it there.
    const double t = std::min({left, leaves * (1 + 1e-12) + 1e-15, bound});
    const double at_terminals = most * t;
    return settle(load_w, t, gain * at_terminals, at_terminals, room, left, out);
  }

  double settle(double load_w, double t, double moved, double at_terminals, double room,
                double& left, Smoothed& out) {
    if (std::abs(moved) >= room) {
      charge_ = moved > 0 ? high_ : low_;
    } else {
      charge_ += moved;
    }
    out.loss_j += at_terminals - moved;
    if (at_terminals < 0) out.throughput_j -= at_terminals;
    left -= t;
    if (left < 1e-15) left = 0;
    return load_w * t + at_terminals;
  }

  static double rest(double load_w, double& left) {
    const double j = load_w * left;
    left = 0;
    return j;
  }

  const Storage& s_;
  double eta_, reference_;
  double nominal_ = 0, charge_ = 0, start_ = 0, low_ = -infinite, high_ = infinite;
  double least_ = 0, most_charge_ = 0, early_least_ = infinite, early_most_ = -infinite;
};

/// A first-order low pass of a series, exact for constant samples.
class Slow {
 public:
  Slow(double corner_hz, double dt, double rest) : x_(rest) {
    if (corner_hz <= 0) return;
    on_ = true;
    const double tau = 1 / (2 * std::numbers::pi * corner_hz);
    keep_ = std::exp(-dt / tau), mean_ = (1 - keep_) * tau / dt;
  }
  /// Mean of the output over a sample of `load`.
  double step(double load) {
    if (!on_) return load;
    const double off = x_ - load;
    x_ = load + off * keep_;
    return load + off * mean_;
  }

 private:
  double x_, keep_ = 0, mean_ = 0;
  bool on_ = false;
};

}  // namespace

Smoothed smooth(const Series& load, double dt_s, const Storage& storage, double rest_w) {
  Smoothed out;
  if (load.empty()) return out;
  const double rest = std::isfinite(rest_w) ? rest_w : load.front();
  Store store(storage, rest);
  Slow slow(storage.bandwidth_hz, dt_s, rest);
  out.grid.resize(load.size());
  for (std::size_t k = 0; k < load.size(); ++k) {
    if (k == load.size() / 2) store.mark();
    const double seen = slow.step(load[k]);
    out.grid[k] = load[k] - seen + store.step(seen, dt_s, out) / dt_s;
  }
  out.stored_j = store.stored(), out.swing_j = store.swing(), out.settled_j = store.settled();
  return out;
}

double square_swing(double peak_to_peak_w, double period_s, double duty) {
  return peak_to_peak_w * duty * (1 - duty) * period_s;
}

}  // namespace headroom::power
