// Counting a network: how many switches and cables a topology of N endpoints
// takes, exactly, in whole switches.
//
// Let k be the radix at the endpoints' speed, N the endpoints, r the taper
// (down : up bandwidth, 1 = non-blocking).
//
//   1 tier            N <= k                    1 switch
//   2 tiers           N <= d k, d = k r/(1+r)   leaves ceil(N/d), spines by bundles
//   3 tiers           N <= (k/2) d k            pods of leaves and spines, cores by bundles
//
// Bundles are whole: a leaf of u uplinks serves s spines only when s divides u, so
// the least s with s >= leaves x u / k and s | u is taken (and likewise s_p spines
// a pod and c cores a spine position). This reproduces every row of NVIDIA's DGX
// SuperPOD reference architectures (B200: k = 64; B300 with XDR: k = 144, where
// 16 spines would carry 2,304 GPUs but 72 uplinks do not divide by 16, hence 18).
// The taper sits at the topmost tier: leaf to spine with two, spine to core with
// three, as in Meta's 24K cluster (1:7 above pods).
//
// Rail-optimised wiring gives each of R NICs of a node its own leaf, so a leaf
// holds d nodes of one rail, or several rails of few nodes. Rail-only leaves the
// rails apart: R small fabrics with no path between rails but the scale-up domain.
// P planes split every NIC and every switch port in P: radix k P at speed B / P.
//
// Dragonfly (Kim et al., ISCA 2008): groups of a = 2h routers, p = h hosts and h
// global links each, k = 4h - 1, N <= a p (a h + 1). Dragonfly+ (Shpiner et al.,
// 2017): groups of k/2 leaves and k/2 spines, k^2/4 hosts. Torus: no switches.
//
// `bisection` is the share of the endpoints' injection bandwidth that crosses the
// worst even cut: 1 for a non-blocking tree, 1/r with a taper, 1/2 for balanced
// dragonflies under minimal routing, 4 d_links/s for tori (see docs/models/fabric.md).
//
// All functions are pure; O(k) at worst.
#pragma once

#include <span>
#include <string_view>

namespace headroom::fabric {

enum class Kind : unsigned char {
  automatic,  ///< none for one system, rail-optimised else
  rail,
  fat_tree,
  rail_only,
  dragonfly,
  dragonfly_plus,
  torus,
  none,
};
std::span<const std::string_view> kind_names();

struct Request {
  Kind kind = Kind::rail;
  long nodes = 1;
  long rails = 1;    ///< endpoints (NICs) of one node
  long radix = 64;   ///< switch ports at the endpoints' speed
  double taper = 1;  ///< down : up at the topmost tier, >= 1
  int planes = 1;
  int tiers = 0;       ///< 0: as few as possible
  int dimensions = 3;  ///< torus

  long endpoints() const { return nodes * rails; }
};

struct Counts {
  bool feasible = true;  ///< false: counts are the least that bandwidth alone would ask
  int tiers = 0;
  long leaf = 0, spine = 0, core = 0;
  long host_links = 0;   ///< endpoint to leaf
  long spine_links = 0;  ///< leaf to spine; dragonfly: inside groups; torus: all
  long core_links = 0;   ///< spine to core; dragonfly: between groups
  long most = 0;         ///< endpoints that this topology can carry with this switch
  double bisection = 1;  ///< share of injection bandwidth across the worst even cut
  int hops = 0;          ///< switches on the longest minimal route
  long group = 0;        ///< endpoints that reach each other at full rate below the top tier
  long used_down = 0;    ///< ports of a leaf that face endpoints

  long switches() const { return leaf + spine + core; }
  long switch_links() const { return spine_links + core_links; }
};

Counts count(const Request& request);

/// The kind that `automatic` stands for.
Kind resolve(Kind kind, long nodes);

}  // namespace headroom::fabric
