// What drawing a graph from banks and reading one from a list share. Internal to power.
#pragma once

#include <string_view>

#include "catalog/power_gear.hpp"
#include "power/topology.hpp"

namespace headroom::power {

inline constexpr int battery_rank = 9;
/// Of low-voltage gear, to size a breaker that nobody gave (assumed).
inline constexpr double usual_volts = 415;
/// Pumps, fans and compressors after power is back (assumed; operators say 2-3 min).
inline constexpr double mechanical_restart_s = 120;

/// An open transition between two sources, and a static switch's (quarter of a cycle; assumed).
inline constexpr double ats_s = 0.1, sts_s = 0.004;

/// Catalogue entry for gear that a scenario does not name; empty: none.
std::string_view usual_gear(NodeKind kind);
/// Overload of a node whose rating and gear are set.
void set_overload(Node& node, const catalog::PowerGear* gear);
/// Start time and failure to start of a generator.
void set_start(Node& node, const catalog::PowerGear* gear);
/// Phases, voltage and breaker of a rack's feed; its first unit hangs on phase `first`.
PhaseUse phase_use(const FeedSpec& feed, int first);
/// Rating and overload of one feed, by its rating and its breaker, whichever is less.
void rate_feed(const FeedSpec& feed, Node& node);
/// A battery that carries `ups` at full output for `autonomy_s`, its loss too.
Node battery_of(const Node& ups, double autonomy_s);

/// The graph of `spec.nodes`.
Topology chain_of_nodes(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                        const SiteAir& air);

}  // namespace headroom::power
