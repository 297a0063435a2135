// Power: can the grid, the gear and the feeds carry this load, what is lost on
// the way, and what reaches the meter.
//
// Limits (ids; <hall> is the caller's scope):
//   power.grid                 import at the meter against the agreed capacity
//   power.grid-feeds           the same against the feeds left after a loss
//   power.transformer          load below the meter against the bank after a loss
//   power.generator            UPS input, cooling and other loads against the sets after a loss
//   power.generator-fuel       hours the fuel must last against hours it lasts
//   power.ups                  UPS output against the modules after a loss
//   power.ups-autonomy         time to start generation against battery time at this load
//   power.<hall>.distribution  the hall's load against its PDUs or busways after a loss
//   power.<hall>.rack-feed     the fullest rack against its feeds with one side lost
//   power.<hall>.rack-breaker  the same against sqrt(3) V I and the 80 % rule of NEC 210.20(A)
//   power.<stage>              each rated stage of `power.nodes`, by its name
// A limit appears only where the scenario gives the capacity.
//
// The limits of stages are held against the chain node by node as well (topology.hpp, sweep.hpp):
// with and without the mains, every unit lost once of a stage whose redundancy promises to survive
// it (of every node in a list of nodes), ratings after altitude, heat, power factor and uneven
// phases. Where that leaves less than the count of units does, it is what the limit says.
//
// `max` figures take every load at the maximum the caller hands over (nameplate
// or a cap that software holds); `typical` at its yearly mean.
//
// PUE is total over IT energy at the meter (ISO/IEC 30134-2, IT measured at the
// equipment's input).
#pragma once

#include <string>
#include <vector>

#include "base/findings.hpp"
#include "catalog/catalog.hpp"
#include "power/chain.hpp"
#include "power/derating.hpp"
#include "power/spec.hpp"

namespace headroom::power {

/// Racks of a hall that are alike, on feeds of their own.
struct RackKind {
  std::string suffix;  ///< of their nodes' names in the chain: "-other"; may be empty
  int count = 0;
  double each_w = 0;
  FeedSpec feed;
};

/// One hall's load, from whoever knows what stands in it. Where racks differ, `rack_max`, `feed`
/// and the boxes are those of the racks whose feeds have the least headroom.
struct HallDemand {
  std::string scope;  ///< "hall-a"
  std::string title;  ///< "hall A"
  HallSpec distribution;
  FeedSpec feed;
  Figure<Power> it_max;      ///< all racks of the hall together
  Figure<Power> it_typical;  ///< yearly mean
  Figure<Power> rack_max;    ///< the fullest rack
  int racks = 0;             ///< all of the hall
  std::string box;           ///< what a rack is filled with: "DGX H100"; may be empty
  int boxes_per_rack = 0;
  Power box_max{};
  int boxes = 0;                  ///< all of them; 0: boxes_per_rack in every rack
  int box_racks = 0;              ///< racks that hold them, of `racks`; 0: every rack
  std::vector<RackKind> kinds{};  ///< all racks; empty: full ones of the boxes, and the rest
};

/// Racks of a hall when each holds `fits` boxes: those of the boxes grow, those of
/// switches and storage stay. The same arithmetic for whoever takes boxes out of racks.
int racks_with(int fits, const HallDemand& hall);

struct Demand {
  std::vector<HallDemand> halls;
  Figure<Power> cooling_max, cooling_typical;  ///< electrical, from the cooling layer
  SiteAir air;                                 ///< of ratings
};

struct Result {
  Chain chain;
  Flow max, typical;
  Figure<Power> it_max, it_typical;
  Figure<Power> meter_max, meter_typical;
  Figure<Power> loss_max, loss_typical;  ///< all conversion losses
  Figure<Scalar> pue_max, pue_typical;
  Findings findings;
};

/// The chain that a scenario describes; stages it leaves out are the
/// catalogue's usual gear sized to 1/0.75 of the load at maximum.
Chain resolve(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog);

/// Loads of a demand at maximum or typical, for `solve`.
Loads loads_max(const Spec& spec, const Demand& demand);
Loads loads_typical(const Spec& spec, const Demand& demand);

Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace);

}  // namespace headroom::power
