#include "fabric/topology.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace headroom::fabric {
namespace {

constexpr std::array<std::string_view, 8> names{
    "auto", "rail", "fat-tree", "rail-only", "dragonfly", "dragonfly-plus", "torus", "none"};

long ceil_div(long a, long b) { return b > 0 ? (a + b - 1) / b : 0; }

/// Ports of `radix` that face down with a taper r: k r / (1 + r).
long down_ports(long radix, double taper) {
  return std::max(1L, static_cast<long>(std::floor(radix * taper / (1 + taper) + 1e-9)));
}

struct Bundle {
  long links = 0;  // uplinks of one lower switch
  long upper = 0;  // upper switches; 0: impossible
};

/// The least number of upper switches of `radix` ports that `lower` switches with at
/// least `up_least` (at most `up_most`) uplinks each can spread over evenly.
Bundle bundle(long lower, long up_least, long up_most, long radix) {
  Bundle best;
  for (long u = up_least; u <= up_most; ++u) {
    for (long s = std::max(1L, ceil_div(lower * u, radix)); s <= u; ++s) {
      if (u % s != 0) continue;
      if (best.upper == 0 || s < best.upper) best = {u, s};
      break;
    }
  }
  return best;
}

/// Leaves when a leaf has `down` ports for hosts.
long leaves(const Request& q, long down) {
  if (q.kind == Kind::fat_tree) return ceil_div(q.endpoints(), down);
  if (q.nodes >= down) return q.rails * ceil_div(q.nodes, down);
  return ceil_div(q.rails, std::max(1L, down / q.nodes));
}

long most_two_tier(const Request& q, long down) {
  if (q.kind == Kind::fat_tree) return down * q.radix;
  if (q.nodes < down) return down * q.radix;
  return std::max(1L, q.radix / q.rails) * down * q.rails;
}

Counts one_tier(const Request& q) {
  Counts c;
  c.tiers = 1;
  c.leaf = 1;
  c.host_links = q.endpoints();
  c.most = q.radix;
  c.feasible = q.endpoints() <= q.radix;
  c.hops = 1;
  c.used_down = c.group = q.endpoints();
  return c;
}

Counts two_tier(const Request& q) {
  Counts c;
  c.tiers = 2;
  c.hops = 3;
  const long down = down_ports(q.radix, q.taper);
  c.most = most_two_tier(q, down);
  c.leaf = leaves(q, down);
  c.host_links = q.endpoints();
  c.used_down = ceil_div(q.endpoints(), c.leaf);
  c.group = q.kind == Kind::fat_tree ? c.used_down : std::min(q.nodes, c.used_down) * q.rails;
  const long up = std::max(1L, static_cast<long>(std::ceil(c.used_down / q.taper - 1e-9)));
  const Bundle b = bundle(c.leaf, up, std::max(up, q.radix - c.used_down), q.radix);
  c.feasible = c.leaf <= q.radix && b.upper > 0;
  c.spine = b.upper > 0 ? b.upper : ceil_div(c.leaf * up, q.radix);
  c.spine_links = c.leaf * (b.upper > 0 ? b.links : up);
  c.bisection = std::min(1.0, static_cast<double>(c.spine_links) / c.host_links);
  return c;
}

/// Cores above `positions` spine positions, each with `pods` spines of `up` or more uplinks.
Bundle cores(long positions, long pods, long up_least, long up_most, long radix) {
  Bundle b = bundle(pods, up_least, up_most, radix);
  if (b.upper == 0) return b;
  // Few thin pods: one core switch serves several spine positions.
  const long shared = b.upper == 1 ? std::max(1L, radix / (pods * b.links)) : 1;
  return {b.links, ceil_div(positions * b.upper, shared)};
}

Counts three_tier(const Request& q) {
  Counts c;
  c.tiers = 3;
  c.hops = 5;
  const long leaf_down = q.radix / 2, spine_down = down_ports(q.radix, q.taper);
  c.most = leaf_down * spine_down * q.radix;
  c.leaf = leaves(q, leaf_down);
  c.host_links = q.endpoints();
  c.used_down = ceil_div(q.endpoints(), c.leaf);
  const long pods = ceil_div(c.leaf, spine_down);
  const long pod_leaves = ceil_div(c.leaf, pods);
  const Bundle s = bundle(pod_leaves, c.used_down, q.radix - c.used_down, spine_down);
  const long up_leaf = s.upper > 0 ? s.links : c.used_down;
  const long pod_spines = s.upper > 0 ? s.upper : ceil_div(pod_leaves * up_leaf, spine_down);
  const long spine_used = ceil_div(pod_leaves * up_leaf, pod_spines);
  const long up = std::max(1L, static_cast<long>(std::ceil(spine_used / q.taper - 1e-9)));
  const Bundle t = cores(pod_spines, pods, up, std::max(up, q.radix - spine_used), q.radix);
  c.feasible = s.upper > 0 && t.upper > 0 && pods <= q.radix && q.endpoints() <= c.most;
  c.spine = pods * pod_spines;
  c.spine_links = c.leaf * up_leaf;
  c.core_links = c.spine * (t.upper > 0 ? t.links : up);
  c.core = t.upper > 0 ? t.upper : ceil_div(c.core_links, q.radix);
  c.group = pod_leaves * c.used_down;
  c.bisection = std::min(1.0, static_cast<double>(c.core_links) / c.host_links);
  return c;
}

Counts tree(const Request& q) {
  if (q.tiers == 1) return one_tier(q);
  if (q.tiers == 2) return two_tier(q);
  if (q.tiers == 3) return three_tier(q);
  if (Counts c = one_tier(q); c.feasible) return c;
  if (Counts c = two_tier(q); c.feasible) return c;
  return three_tier(q);
}

void scale(Counts& c, long n) {
  c.leaf *= n;
  c.spine *= n;
  c.core *= n;
  c.host_links *= n;
  c.spine_links *= n;
  c.core_links *= n;
}

/// Rails that never meet: each a fabric of its own; thin rails share a switch.
Counts rail_only(const Request& q) {
  Request one_rail = q;
  one_rail.kind = Kind::fat_tree;
  one_rail.rails = 1;
  Counts c = tree(one_rail);
  const long most = c.most;
  const long switches =
      c.tiers == 1 ? ceil_div(q.rails, std::max(1L, q.radix / q.nodes)) : c.leaf * q.rails;
  scale(c, q.rails);
  c.leaf = switches;
  c.most = most * q.rails;
  c.group *= q.rails;
  return c;
}

Counts dragonfly(const Request& q) {
  const long h = std::max(1L, (q.radix + 1) / 4), p = h, a = 2 * h;
  Counts c;
  c.tiers = 1;
  c.hops = 4;  // source, gateway, gateway, destination
  c.most = a * p * (a * h + 1);
  const long groups = ceil_div(q.endpoints(), a * p);
  c.leaf = groups == 1 ? ceil_div(q.endpoints(), p) : groups * a;
  c.host_links = q.endpoints();
  const long in_group = groups == 1 ? c.leaf : a;
  c.spine_links = groups * in_group * (in_group - 1) / 2;
  c.core_links = groups > 1 ? groups * a * h / 2 : 0;
  c.feasible = q.endpoints() <= c.most;
  c.bisection = groups > 1 ? static_cast<double>(h) / (2.0 * p) : 1;
  c.group = a * p;
  c.used_down = p;
  return c;
}

Counts dragonfly_plus(const Request& q) {
  const long half = std::max(1L, q.radix / 2), hosts = half * half;
  Counts c;
  c.tiers = 2;
  c.hops = 4;  // leaf, spine, spine, leaf
  c.most = hosts * (hosts + 1);
  const long groups = ceil_div(q.endpoints(), hosts);
  const long group_leaves = groups == 1 ? ceil_div(q.endpoints(), half) : half;
  c.leaf = groups * group_leaves;
  c.spine = groups * half;
  c.host_links = q.endpoints();
  c.spine_links = c.leaf * half;
  c.core_links = groups > 1 ? groups * hosts / 2 : 0;
  c.feasible = q.endpoints() <= c.most;
  c.bisection = groups > 1 ? 0.5 : 1;
  c.group = hosts;
  c.used_down = half;
  return c;
}

/// d-dimensional torus of nodes; a node's injection is spread over its 2d links.
Counts torus(const Request& q) {
  const int d = std::max(1, q.dimensions);
  const long side = std::max(
      2L, static_cast<long>(std::ceil(std::pow(static_cast<double>(q.nodes), 1.0 / d) - 1e-9)));
  Counts c;
  c.spine_links = d * q.nodes;
  c.most = std::numeric_limits<long>::max() / 4;
  // 2N/s links cross the cut each way, each 1/(2d) of a node's injection, for N/2 nodes.
  c.bisection = std::min(1.0, 2.0 / (side * d));
  c.hops = d * static_cast<int>(side / 2);
  c.group = q.rails;
  return c;
}

}  // namespace

std::span<const std::string_view> kind_names() { return names; }

Kind resolve(Kind kind, long nodes) {
  if (kind != Kind::automatic) return kind;
  return nodes <= 1 ? Kind::none : Kind::rail;
}

Counts count(const Request& request) {
  Request q = request;
  q.kind = resolve(q.kind, q.nodes);
  q.nodes = std::max(1L, q.nodes);
  q.rails = std::max(1L, q.rails);
  q.radix = std::max(2L, q.radix * std::max(1, q.planes));
  q.taper = std::max(1.0, q.taper);
  Counts c;
  switch (q.kind) {
    case Kind::none:
    case Kind::automatic:
      c.most = c.group = q.rails;
      c.feasible = q.nodes <= 1;
      c.bisection = q.nodes <= 1 ? 1 : 0;
      return c;
    case Kind::torus:
      return torus(q);
    case Kind::rail:
    case Kind::fat_tree:
      c = tree(q);
      break;
    case Kind::rail_only:
      c = rail_only(q);
      break;
    case Kind::dragonfly:
      c = dragonfly(q);
      break;
    case Kind::dragonfly_plus:
      c = dragonfly_plus(q);
      break;
  }
  scale(c, std::max(1, q.planes));
  return c;
}

}  // namespace headroom::fabric
