#include "power/ride_through.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

namespace headroom::power {
namespace {

constexpr double forever = std::numeric_limits<double>::infinity();

/// A power over time, linear between knots.
struct Track {
  struct Point {
    double t = 0, w = 0;
  };
  std::vector<Point> points;  ///< by time; a jump is two points at one time

  explicit Track(double w) : points{{-1, w}} {}
  double last() const { return points.back().w; }
  void jump(double t, double w) {
    if (w == last()) return;
    points.push_back({t, last()});
    points.push_back({t, w});
  }
  void ramp(double from_s, double to_s, double w) {
    points.push_back({from_s, last()});
    points.push_back({to_s, w});
  }
  /// Cuts everything after t; what it is then, stays.
  void cut(double t) {
    const double w = before(t);
    while (points.size() > 1 && points.back().t > t) points.pop_back();
    if (points.back().t < t) points.push_back({t, w});
  }
  /// Just before t, or just after.
  double before(double t) const { return at(t, false); }
  double after(double t) const { return at(t, true); }
  double at(double t, bool right) const {
    std::size_t i = 0;
    while (i + 1 < points.size() && (points[i + 1].t < t || (right && points[i + 1].t <= t))) ++i;
    if (i + 1 == points.size()) return points[i].w;
    const auto &a = points[i], &b = points[i + 1];
    return b.t > a.t ? a.w + (b.w - a.w) * (t - a.t) / (b.t - a.t) : b.w;
  }
};

std::string power_text(double w) {
  return w >= 1e6 ? fmt::format("{:.4g} MW", w / 1e6) : fmt::format("{:.4g} kW", w / 1e3);
}

class Walk {
 public:
  Walk(const RideSetup& setup, const std::vector<Sag>& sags)
      : s_(setup),
        sags_(sags),
        grid_(setup.ups_w),
        generator_(0),
        direct_(setup.direct_w),
        mechanical_(setup.mechanical_w) {}

  Ride run() {
    out_.load_w = s_.ups_w + s_.direct_w + s_.mechanical_w;
    if (s_.ups_w > 0) behind_ups();
    other(direct_, s_.direct_w, s_.it_curve, s_.restart_s, "machines without a UPS fall", true);
    other(mechanical_, s_.mechanical_w, s_.mechanical_curve, s_.mechanical_restart_s,
          "cooling drops", false);
    join();
    judge();
    std::stable_sort(out_.events.begin(), out_.events.end(),
                     [](const RideEvent& a, const RideEvent& b) { return a.at_s < b.at_s; });
    return std::move(out_);
  }

 private:
  void tell(double t, std::string what) { out_.events.push_back({t, std::move(what)}); }

  void behind_ups() {
    double back = -1;  // when it may return; below 0: it is on the grid or on its way
    std::deque<double> counted;
    for (std::size_t i = 0; i < sags_.size() && !out_.latched; ++i) {
      const Sag& sag = sags_[i];
      if (sag.residual >= s_.transfer_below) continue;
      if (back >= 0 && back <= sag.at_s) walk_in(back), back = -1;
      if (back < 0) {
        if (grid_.points.back().t > sag.at_s) grid_.cut(sag.at_s);
        grid_.jump(sag.at_s, 0);
        ++out_.transfers;
        tell(sag.at_s,
             fmt::format("sag {}: the UPS takes {} off the grid", i + 1, power_text(s_.ups_w)));
      }
      back = std::max(back, sag.at_s + sag.duration_s + s_.requalify_s);
      if (s_.generator_w > 0 && sag.duration_s > s_.order_s) back = outage(sag, i);
      counted.push_back(sag.at_s);
      while (sag.at_s - counted.front() > s_.count_window_s) counted.pop_front();
      if (s_.count > 0 && counted.size() >= static_cast<std::size_t>(s_.count))
        back = latch(sag, i);
    }
    if (back >= 0) walk_in(back);
  }

  /// Generators take over; the UPS goes back to the grid long after the voltage did.
  double outage(const Sag& sag, std::size_t i) {
    if (generator_.last() == 0)
      call(sag.at_s + s_.order_s, fmt::format("sag {} is an outage: generators are called", i + 1));
    return sag.at_s + sag.duration_s + s_.retransfer_s;
  }

  double latch(const Sag& sag, std::size_t i) {
    out_.latched = true, out_.latched_at_s = sag.at_s, out_.latched_at_sag = int(i) + 1;
    tell(sag.at_s, fmt::format("sag {} is number {} within {:.0f} s: the site latches off the grid",
                               i + 1, s_.count, s_.count_window_s));
    if (s_.generator_w > 0 && generator_.last() == 0) call(sag.at_s, "generators are called");
    return std::max(sag.at_s + s_.manual_s, sag.at_s + sag.duration_s + s_.requalify_s);
  }

  void call(double t, std::string why) {
    tell(t, std::move(why));
    const double ready = t + s_.start_s, takes = std::min(s_.generator_w, s_.ups_w);
    generator_.ramp(ready, ready + std::max(1e-3, s_.walk_in_s), takes);
    tell(ready, fmt::format("generators are ready and take {}", power_text(takes)));
  }

  void walk_in(double t) {
    const double done = t + std::max(1e-3, s_.walk_in_s);
    tell(t, out_.latched && t >= out_.latched_at_s + s_.manual_s ? "returned to the grid by hand"
                                                                 : "the UPS returns to the grid");
    grid_.ramp(t, done, s_.ups_w);
    if (generator_.last() <= 0) return;
    generator_.cut(t);
    generator_.ramp(t, done, 0);
  }

  void other(Track& track, double w, std::size_t curve, double back_s, const char* what, bool it) {
    if (w <= 0) return;
    const auto& tolerance = tolerance_curves()[curve];
    double out_until = -1;
    for (const auto& sag : sags_) {
      if (sag.at_s < out_until || tolerance.rides(sag)) continue;
      const double falls = sag.at_s + std::min(sag.duration_s, tolerance.bears_s(sag.residual));
      out_until = sag.at_s + sag.duration_s + back_s;
      track.jump(falls, 0), track.jump(out_until, w);
      tell(falls, fmt::format("{}: {} leave the grid", what, power_text(w)));
      if (it) {
        lose_it(falls, out_until);
      } else {
        out_.mechanical_lost = true;
      }
    }
  }

  void lose_it(double from, double until) {
    if (!out_.it_lost) out_.it_lost_at_s = from;
    out_.it_lost = true;
    out_.it_out_s += until - from;
  }

  std::vector<double> times() const {
    std::vector<double> t{0};
    for (const Track* track : {&grid_, &generator_, &direct_, &mechanical_})
      for (const auto& p : track->points) t.push_back(std::max(0.0, p.t));
    for (const auto& sag : sags_) t.push_back(sag.at_s), t.push_back(sag.at_s + sag.duration_s);
    std::sort(t.begin(), t.end());
    t.erase(std::unique(t.begin(), t.end()), t.end());
    return t;
  }

  /// What the battery carries just before or after t, were it never empty.
  double battery(double t, bool right) const {
    return s_.ups_w - grid_.at(t, right) - generator_.at(t, right);
  }

  void knot(double t, bool right, bool empty, double recharge) {
    RideKnot k;
    k.at_s = t;
    const double others = direct_.at(t, right) + mechanical_.at(t, right);
    k.grid_w = grid_.at(t, right) + others + recharge;
    k.generator_w = generator_.at(t, right);
    k.battery_w = battery(t, right);
    k.unserved_w = s_.direct_w + s_.mechanical_w - others;
    if (empty) k.unserved_w += k.battery_w, k.battery_w = 0;
    k.battery_w -= recharge;
    const double sum = k.grid_w + k.battery_w + k.generator_w + k.unserved_w;
    if (out_.load_w > 0)
      out_.imbalance = std::max(out_.imbalance, std::abs(sum - out_.load_w) / out_.load_w);
    if (!out_.knots.empty()) {
      const auto& b = out_.knots.back();
      if (b.at_s == t && b.grid_w == k.grid_w && b.battery_w == k.battery_w &&
          b.generator_w == k.generator_w && b.unserved_w == k.unserved_w)
        return;
    }
    out_.knots.push_back(k);
  }

  /// All tracks together, and the battery's charge between.
  void join() {
    const auto t = times();
    double charge = s_.battery_j;
    bool empty = false;
    double empty_since = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      knot(t[i], false, empty, 0);
      if (empty && battery(t[i], true) <= 0) {
        empty = false;
        lose_it(empty_since, t[i] + s_.restart_s);
        tell(t[i], "supply is back; machines restart");
      }
      knot(t[i], true, empty, 0);
      if (i + 1 == t.size()) break;
      const double a = battery(t[i], true), b = battery(t[i + 1], false), dt = t[i + 1] - t[i];
      const double j = dt * (a + b) / 2;
      if (empty || j <= 0) continue;
      if (j <= charge || s_.battery_j <= 0) {
        charge -= j, out_.battery_used_j += j;
        if (charge < 0) charge = 0;
        if (s_.battery_j > 0) continue;
      }
      // charge = a x + (b - a) x^2 / (2 dt)
      const double c = (b - a) / (2 * dt);
      const double left = s_.battery_j > 0 ? charge : 0;
      const double x = std::abs(c) < 1e-12 * std::max(a, 1.0)
                           ? left / std::max(a, 1e-300)
                           : 2 * left / (a + std::sqrt(std::max(0.0, a * a + 4 * c * left)));
      if (s_.battery_j <= 0) out_.battery_used_j -= j;
      out_.battery_used_j += left, charge = 0;
      empty = out_.battery_empty = true, empty_since = t[i] + x;
      tell(empty_since, "the battery is empty: machines fall");
      knot(empty_since, false, false, 0);
      knot(empty_since, true, true, 0);
    }
    refill(t.back());
  }

  /// After everything is back the battery takes what it gave.
  void refill(double from) {
    const double w = s_.recharge * s_.ups_w;
    if (out_.battery_used_j <= 0 || w <= 0) return;
    const double until = from + out_.battery_used_j / w;
    knot(from, true, false, w), knot(until, false, false, w), knot(until, true, false, 0);
  }

  void judge() {
    const auto& k = out_.knots;
    for (std::size_t i = 0; i < k.size(); ++i) {
      for (std::size_t j = i + 1; j < k.size() && k[j].at_s <= k[i].at_s + 1; ++j)
        if (k[i].grid_w - k[j].grid_w > out_.left_w)
          out_.left_w = k[i].grid_w - k[j].grid_w, out_.left_at_s = k[i].at_s;
      if (i + 1 == k.size()) break;
      const double dt = k[i + 1].at_s - k[i].at_s, line = 0.95 * out_.load_w;
      const double a = k[i].grid_w, b = k[i + 1].grid_w;
      out_.unserved_j += dt * (k[i].unserved_w + k[i + 1].unserved_w) / 2;
      double away = 0;
      if (a < line && b < line)
        away = dt, out_.until_s = k[i + 1].at_s;
      else if (a < line)
        away = dt * (line - a) / (b - a), out_.until_s = k[i].at_s + away;
      else if (b < line)
        away = dt * (line - b) / (a - b), out_.until_s = k[i + 1].at_s;
      out_.away_s += away;
    }
  }

  const RideSetup& s_;
  const std::vector<Sag>& sags_;
  Track grid_, generator_, direct_, mechanical_;
  Ride out_;
};

}  // namespace

double ToleranceCurve::bears_s(double residual) const {
  if (residual >= 0.9) return forever;
  double seconds = 0;
  for (const auto& p : points)
    if (residual >= p.voltage) seconds = std::max(seconds, p.seconds);
  return seconds;
}

bool ToleranceCurve::rides(const Sag& sag) const {
  return sag.duration_s <= bears_s(sag.residual) * (1 + 1e-12);
}

std::span<const ToleranceCurve> tolerance_curves() {
  static constexpr TolerancePoint itic[] = {{0, 0.02}, {0.7, 0.5}, {0.8, 10}};
  static constexpr TolerancePoint f47[] = {{0.5, 0.2}, {0.7, 0.5}, {0.8, 1}};
  static const ToleranceCurve all[] = {{"itic", "ITI (CBEMA) curve", itic},
                                       {"semi-f47", "SEMI F47-0706", f47}};
  return all;
}

std::span<const std::string_view> tolerance_names() {
  static constexpr std::string_view names[] = {"itic", "semi-f47"};
  return names;
}

Ride ride_through(const RideSetup& setup, const std::vector<Sag>& sags) {
  return Walk(setup, sags).run();
}

}  // namespace headroom::power
