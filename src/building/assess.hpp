// Building: does it fit on the floor, in the racks, through the door?
//
// LIMITS (ids; <hall> is the hall's scope, <group> that of what fills its racks)
//   building.<hall>.positions        racks needed | rack positions
//   building.<hall>.area             racks x area of a rack with aisles | white space
//   building.area                    (halls + power rooms) x 1.25 | gross floor area; a hall counts
//                                    with its white space, or with what its racks need if more
//   building.<hall>.density          IT power over white space | what the hall was designed for
//   building.<hall>.<group>.units    rack units of the systems of a rack | rack units there are
//   building.<hall>.<group>.rack     equipment in a rack | what the rack may hold
//   building.<hall>.<group>.floor    weight of a full rack over its footprint | floor load
//   building.<hall>.<group>.point    weight on one of four feet | point load
//   building.<hall>.<group>.move     heaviest item moved in | what the way in takes
// A limit appears only where the scenario (or the rack's catalogue entry) gives
// what there is.
//
//   mass of a rack = empty rack + systems x mass of one   (a rack sold whole: its own)
//   floor load     = mass x g / (width x depth)
//
// The floor is loaded over the rack's own footprint, with no share of the aisle
// in front: raised-floor ratings are given per tile, and a row leaves no aisle to
// the sides. Spreading plates lower it; give the load that is allowed with them.
//
// Not modelled: rolling loads along the way in, seismic anchoring, cable and pipe
// weight overhead, the layout of rows. See docs/models/building.md.
//
// Complexity: O(halls x groups).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "building/spec.hpp"
#include "catalog/catalog.hpp"
#include "catalog/rack.hpp"
#include "catalog/system.hpp"

namespace headroom::building {

/// Equal racks: what fills them.
struct Group {
  std::string scope, title;                 ///< "gpu", "cluster gpu"
  const catalog::System* system = nullptr;  ///< required
  Figure<Scalar> systems;
  Figure<Scalar> per_rack;            ///< systems in a rack
  Figure<Scalar> racks;               ///< racks they take
  std::optional<RackSpec> rack = {};  ///< they stand in; the hall's when left out
};

struct HallDemand {
  std::string scope, title;  ///< "hall-a", "hall A"
  HallSpec hall;
  RackSpec rack;
  std::vector<Group> groups;
  double other_racks = 0;  ///< network and storage
  NodeId other_racks_node = no_node;
  Figure<Power> it_max;
};

struct Hall {
  Figure<Scalar> racks;  ///< needed
  Figure<Area> area;     ///< needed
  Figure<Mass> heaviest_rack;
};

struct Result {
  std::vector<Hall> halls;  ///< as the demand
  Findings findings;
};

/// Systems of one kind that a rack holds by height: floor(units / height), at least
/// one, and no more than the maker advises.
int systems_by_height(const catalog::System& system, const RackSpec& rack,
                      const catalog::Catalog& catalog);
/// The rack entry a spec names.
const catalog::Rack* rack_of(const RackSpec& rack, const catalog::Catalog& catalog);

Result assess(const std::vector<HallDemand>& demand, const catalog::Catalog& catalog, Trace& trace,
              const Spec& building = {});

}  // namespace headroom::building
