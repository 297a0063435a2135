// Overload over time: how long a breaker, a UPS, a generator or a transformer bears more than its
// rating, and what it remembers of it.
//
// THERMAL (breakers, transformers). One time constant, the current heats and the case cools
// (the "thermal electrical relay" of IEC 60255-149):
//
//   d(theta)/dt = (x^2 - theta) / tau,   x = current over rating,   trips at theta = pickup^2
//   time from theta0:  t = tau ln((x^2 - theta0) / (x^2 - pickup^2)),   never for x <= pickup
//
// Loaded below its rating a breaker starts at theta0 = x0^2: a B side at 80 % trips sooner than a
// cold one. The exact solution is stepped, so no step is too long.
//
// TABLE (UPS, generators). Points "x of the rating for t seconds" as makers and standards give
// them; between points log t is linear in log x, beyond the last point t is the last one's
// (x beyond 1.5 times the last point: none). Use adds up: d(used)/dt = 1 / t(x), trips at 1; at or
// below the first point it recovers in `recover_s`.
//
// `worn` is theta / pickup^2 or `used`: 0 cold or rested, 1 trips.
//
// Errors: none. O(1), no allocation. Thread-safe.
#pragma once

#include <array>

namespace headroom::power {

struct Overload {
  enum class Kind : unsigned char { none, thermal, table };
  struct Point {
    double x = 0;  ///< load over rating
    double time_s = 0;
  };

  Kind kind = Kind::none;         ///< none: it is not known to trip; an overload is only reported
  double tau_s = 0;               ///< thermal
  double pickup = 1.1;            ///< thermal: trips above this, given time
  std::array<Point, 3> points{};  ///< table: rising x, falling time
  int used_points = 0;
  double recover_s = 3600;  ///< table: after which a use is forgotten (assumed)
};

/// The slowest breaker that UL 489 lets pass at this rating, as a thermal curve: trips at twice its
/// rating within the standard's time (breaker.cpp), from cold, and never below 110 %.
Overload breaker_curve(double rating_a);
/// Two points of a maker or a standard; `x2` = 0: one.
Overload table_curve(double x1, double t1_s, double x2 = 0, double t2_s = 0);

/// `worn` of gear that has long run at this load.
double worn_at(const Overload& o, double x);
/// `worn` after `dt_s` at load x.
double worn_after(const Overload& o, double worn, double x, double dt_s);
/// Seconds until it trips at load x; infinite: never.
double time_to_trip(const Overload& o, double worn, double x);

}  // namespace headroom::power
