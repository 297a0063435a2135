// Round trips from the users to the site.
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/units.hpp"
#include "site/parts.hpp"

namespace headroom::site {
namespace {

constexpr double earth_radius_m = 6.371e6;        // mean radius, IUGG
constexpr double speed_of_light_m_s = 299792458;  // exact, SI
constexpr double fibre_index = 1.468;             // group index of G.652 fibre at 1,550 nm

struct Point {
  double lat = 0, lon = 0;
  std::string name;
};

std::optional<Point> point_of(const Users& users, const catalog::Catalog& catalog) {
  if (users.latitude && users.longitude) {
    return Point{users.latitude.get(), users.longitude.get(), users.name};
  }
  const auto* r = catalog.find<catalog::Region>(users.region);
  if (r == nullptr) return std::nullopt;
  return Point{r->latitude.get(), r->longitude.get(), users.name.empty() ? r->name : users.name};
}

Length distance_to(const catalog::Region& r, const Point& p) {
  return great_circle(r.latitude.get(), r.longitude.get(), p.lat, p.lon);
}

struct Delay {
  Value<Scalar> inflation;
  Value<Time> local, access;

  Time likely(Length d) const {
    return fibre_rtt(d, inflation.likely) + local.get() + access.get();
  }
  Time low(Length d) const {
    return fibre_rtt(d, inflation.low) + Time::from_si(local.low + access.low);
  }
  Time high(Length d) const {
    return fibre_rtt(d, inflation.high) + Time::from_si(local.high + access.high);
  }
};

/// The region from which these users are answered soonest.
std::pair<const catalog::Region*, Time> nearest_region(const Context& c, const Point& p,
                                                       const Delay& delay) {
  const catalog::Region* best = nullptr;
  Time rtt{};
  for (const auto* r : c.catalog.all<catalog::Region>()) {
    const Time t = delay.likely(distance_to(*r, p));
    if (best == nullptr || t < rtt) best = r, rtt = t;
  }
  return {best, rtt};
}

Remedy move_nearer(const Context& c, const Point& p, const Delay& delay, Time limit) {
  auto [best, rtt] = nearest_region(c, p, delay);
  if (best == nullptr || best == c.region) {
    return {
        "the limit is shorter than light in fibre and the access network take: raise it, or "
        "place inference with the users",
        {},
        {},
        {}};
  }
  return {fmt::format("serve them from {}: {:.1f} ms{}", best->name, rtt.in(millisecond),
                      rtt <= limit ? "" : ", still above the limit"),
          {},
          {},
          "catalogue regions, same formula"};
}

void hold(const Context& c, const Users& users, const Point& p, const Delay& delay,
          const Latency& l, Result& result) {
  const std::string id = id_of(c, "rtt." + kebab(l.users));
  const auto limit = c.trace.input(id + ".limit", users.rtt_limit, "ms");
  Margin m = make_margin(id, "round trip, " + l.users, l.rtt, limit, "ms")
                 .because(fmt::format(
                     "{:.0f} km of great circle take {:.1f} ms there and back in straight "
                     "fibre; real paths, metro and access make it {:.0f} ms ({:.0f} to "
                     "{:.0f}).",
                     l.distance.in(kilometre), fibre_rtt(l.distance, 1).in(millisecond),
                     l.rtt.in(millisecond), l.rtt_low.in(millisecond), l.rtt_high.in(millisecond)));
  if (m.headroom() < 0.1) m.remedies.push_back(move_nearer(c, p, delay, limit));
  result.findings.margins.push_back(std::move(m));
}

/// Shares that were given, and an even split of the rest.
std::vector<double> shares_of(const std::vector<Users>& users) {
  double given = 0;
  int open = 0;
  for (const Users& u : users) {
    if (u.share)
      given += u.share.get();
    else
      ++open;
  }
  const double rest = open > 0 ? std::max(0.0, 1 - given) / open : 0;
  std::vector<double> out;
  out.reserve(users.size());
  for (const Users& u : users) out.push_back(u.share ? double(u.share.get()) : rest);
  return out;
}

}  // namespace

Length great_circle(double lat1, double lon1, double lat2, double lon2) {
  constexpr double rad = std::numbers::pi / 180;
  const double dlat = (lat2 - lat1) * rad, dlon = (lon2 - lon1) * rad;
  const double h = std::pow(std::sin(dlat / 2), 2) +
                   std::cos(lat1 * rad) * std::cos(lat2 * rad) * std::pow(std::sin(dlon / 2), 2);
  return 2 * earth_radius_m * std::asin(std::sqrt(std::min(1.0, h))) * metre;
}

Time fibre_rtt(Length distance, double inflation) {
  return inflation * 2 * distance.in(metre) / (speed_of_light_m_s / fibre_index) * second;
}

void assess_latency(const Context& c, Result& result) {
  if (c.spec.users.empty()) return;
  if (c.region == nullptr) {
    result.findings.remarks.push_back("site: users are given but no region; latency was not asked");
    return;
  }
  const Delay delay{c.spec.path_inflation, c.spec.local_rtt, c.spec.access_rtt};
  const auto inflation = c.trace.input(id_of(c, "path-inflation"), delay.inflation, "1");
  const auto local = c.trace.input(id_of(c, "local-rtt"), delay.local, "ms");
  const auto access = c.trace.input(id_of(c, "access-rtt"), delay.access, "ms");
  const auto shares = shares_of(c.spec.users);
  Time weighted{};
  double weight = 0;
  std::vector<NodeId> nodes;
  for (std::size_t i = 0; i < c.spec.users.size(); ++i) {
    const auto p = point_of(c.spec.users[i], c.catalog);
    if (!p) continue;
    Latency l;
    l.users = p->name.empty() ? fmt::format("users {}", i + 1) : p->name;
    const std::string id = id_of(c, "rtt." + kebab(l.users));
    const Length d = distance_to(*c.region, *p);
    l.distance =
        c.trace.derive(id + ".distance", d, "km", "great circle to " + c.region->place, {});
    l.rtt = c.trace.derive(id + ".need", delay.likely(d), "ms",
                           "inflation x 2 x distance / (c / 1.468) + local + access",
                           {inflation, l.distance, local, access});
    l.rtt_low = delay.low(d), l.rtt_high = delay.high(d);
    l.share = shares[i];
    weighted += l.rtt.value * l.share, weight += l.share;
    nodes.push_back(l.rtt.node);
    if (c.spec.users[i].rtt_limit) hold(c, c.spec.users[i], *p, delay, l, result);
    result.latency.push_back(std::move(l));
  }
  if (weight <= 0) return;
  result.mean_rtt = c.trace.derive(id_of(c, "mean-rtt"), weighted / weight, "ms",
                                   "round trips weighted by share of requests", std::move(nodes));
}

}  // namespace headroom::site
