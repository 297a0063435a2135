// How long the cables are and which cable to buy.
//
// Leaves in the rack: a host link is `in_rack_link` long. Leaves in the row: the
// systems of a leaf's unit (the racks it serves) stand around a network rack, so
//
//   longest = half the unit's row x pitch + half its rows x row pitch + dressing
//
// and the share of racks within a cable's reach L is (1 + 2 floor((L - dressing)
// / pitch)) / racks of the unit. Spines stand in the middle of the hall.
#pragma once

#include <optional>

#include "catalog/network.hpp"

namespace headroom::fabric {

struct Geometry {
  double racks = 1;
  double racks_per_row = 20;
  Length rack_pitch;  ///< between neighbours of a row
  Length row_pitch;   ///< between rows, aisles included
  Length dressing;    ///< vertical runs and slack, both ends together
  Length in_rack;     ///< a link inside one rack
};

/// Longest cable between a rack and the middle of `racks` racks.
Length longest_run(const Geometry& g, double racks);
/// Mean of the same.
Length mean_run(const Geometry& g, double racks);
/// Share of `racks` racks whose run to the middle is at most `reach`.
double share_within(const Geometry& g, double racks, Length reach);

enum class CableWish : unsigned char { any, copper, optical };

/// The cheapest cable of a speed and wish that reaches, or nullptr.
const catalog::Cable* cheapest_cable(const catalog::Catalog& catalog, Bandwidth speed,
                                     Length length, CableWish wish, bool host_link);
/// The longest-reaching cable of a speed and wish, or nullptr.
const catalog::Cable* longest_cable(const catalog::Catalog& catalog, Bandwidth speed,
                                    CableWish wish);

/// Price and power of one link of this length: both plugs and what lies between.
struct LinkCost {
  Money price, low, high;
  Power power;
  double plugs = 0;  ///< pluggable optical modules, both ends; 0 for copper
  bool priced = false;
};
LinkCost link_cost(const catalog::Cable& cable, Length length, bool host_link);

}  // namespace headroom::fabric
