#include "power/breaker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headroom::power {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

double theta_at_trip(const Overload& o) { return o.pickup * o.pickup; }

/// Seconds that load x is borne from rest, by the table.
double borne(const Overload& o, double x) {
  const int n = o.used_points;
  if (n == 0 || x <= 1) return never;
  const auto& p = o.points;
  if (x < p[0].x) return never;
  const auto& last = p[std::size_t(n - 1)];
  if (x > 1.5 * last.x) return 0;
  if (x >= last.x) return last.time_s;
  std::size_t k = 0;
  while (p[k + 1].x < x) ++k;
  const double share = std::log(x / p[k].x) / std::log(p[k + 1].x / p[k].x);
  return p[k].time_s * std::pow(p[k + 1].time_s / p[k].time_s, share);
}

}  // namespace

// UL 489, maximum tripping time at 200 % of the rating, by rating. Recalled, unverified.
Overload breaker_curve(double rating_a) {
  struct Row {
    double up_to_a, minutes;
  };
  constexpr std::array<Row, 10> ul489{{{30, 2},
                                       {50, 4},
                                       {100, 6},
                                       {150, 8},
                                       {225, 10},
                                       {400, 12},
                                       {600, 14},
                                       {800, 16},
                                       {1000, 18},
                                       {1e9, 20}}};
  Overload o;
  o.kind = Overload::Kind::thermal;
  double time_s = 0;
  for (const auto& row : ul489) {
    time_s = row.minutes * 60;
    if (rating_a <= row.up_to_a) break;
  }
  o.tau_s = time_s / std::log(4 / (4 - theta_at_trip(o)));
  return o;
}

Overload table_curve(double x1, double t1_s, double x2, double t2_s) {
  Overload o;
  o.kind = Overload::Kind::table;
  o.points[0] = {x1, t1_s};
  o.used_points = 1;
  if (x2 > x1) o.points[1] = {x2, t2_s}, o.used_points = 2;
  return o;
}

double worn_at(const Overload& o, double x) {
  if (o.kind != Overload::Kind::thermal) return 0;
  return std::min(1.0, x * x / theta_at_trip(o));
}

double worn_after(const Overload& o, double worn, double x, double dt_s) {
  if (o.kind == Overload::Kind::thermal) {
    const double end = x * x, theta = worn * theta_at_trip(o);
    return std::min(1.0, (end + (theta - end) * std::exp(-dt_s / o.tau_s)) / theta_at_trip(o));
  }
  if (o.kind == Overload::Kind::none) return 0;
  const double most = borne(o, x);
  if (most == never) return std::max(0.0, worn - dt_s / o.recover_s);
  return most > 0 ? std::min(1.0, worn + dt_s / most) : 1.0;
}

double time_to_trip(const Overload& o, double worn, double x) {
  if (o.kind == Overload::Kind::none) return never;
  if (worn >= 1) return 0;
  if (o.kind == Overload::Kind::table) {
    const double most = borne(o, x);
    return most == never ? never : (1 - worn) * most;
  }
  const double end = x * x, trip = theta_at_trip(o), theta = worn * trip;
  if (end <= trip) return never;
  return o.tau_s * std::log((end - theta) / (end - trip));
}

}  // namespace headroom::power
