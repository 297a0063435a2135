// What a user writes about a hall's floor and racks.
//
//   building:
//     halls:
//       - name: A
//         racks: 40                     # positions
//         area: 2500 ft2
//         floor: {kind: raised, load: 7.2 kPa}
//         density: 150 W/ft2            # what the hall was designed for
//         move_route: 900 kg            # lift or ramp on the way in
//         rack: {kind: standard-42u, units: 42}
//
// What is left out has no limit.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "building/layout_spec.hpp"
#include "spec/fields.hpp"

namespace headroom::building {

enum class FloorKind : unsigned char { slab, raised };
std::span<const std::string_view> floor_kind_names();

struct FloorSpec {
  FloorKind kind = FloorKind::slab;
  Value<FloorLoad> load;   ///< allowed on the footprint of a rack
  Value<Mass> point_load;  ///< allowed on one foot or caster
  void fields(spec::Fields& f);
};

/// Fields stand flat in the scenario's `rack`, beside the feeds of power.
struct RackSpec {
  std::string rack;          ///< `rack` entry; empty: standard-42u
  int units = 0;             ///< over the entry's; 0: the entry's
  Value<Mass> weight_limit;  ///< equipment a rack may hold, over the entry's
  int reserved_units = 0;    ///< for PDUs, patch panels and switches that are not counted
  /// Something of it was said.
  bool given() const { return !rack.empty() || units > 0 || weight_limit || reserved_units > 0; }
  void fields(spec::Fields& f);
};

struct HallSpec {
  std::string name;
  Value<Scalar> racks;          ///< positions with power and cooling
  Value<Area> area;             ///< white space
  Value<Area> area_per_rack;    ///< with its share of aisles
  Value<PowerDensity> density;  ///< IT power the hall was designed for, over its area
  FloorSpec floor;
  Value<Mass> move_route;  ///< heaviest item that lift, ramp and doors take
  LayoutSpec layout;       ///< how rows stand
  void fields(spec::Fields& f);
};

/// Of the building as a whole.
struct Spec {
  bool existing = true;  ///< false: it has to be built
  Value<Area> area;      ///< gross floor area
  void fields(spec::Fields& f);
};

}  // namespace headroom::building
