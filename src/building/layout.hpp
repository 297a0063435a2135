// Rows, aisles, CDUs and power rooms of a hall, as rectangles in metres.
//
//   building::LayoutInput in;
//   in.kinds = {{"gpu", 16, 0.6, 1.2, 1500, 130e3}};
//   in.cdus = 3;
//   const auto plan = building::lay_out(in);
//   plan.length_m, plan.width_m, plan.fits, plan.blocks
//
// GEOMETRY. x runs along the rows, y across them, the origin is a corner of the room.
//
//   y: cold aisle | row | hot aisle | row | cold aisle | ... | aisle        (fronts face the cold)
//   x: pipes | gallery | end aisle | block of rows | end aisle | block ... | end aisle
//
// A row holds at most `row` racks; what a row's CDUs and floor PDUs take stands at its end. Room
// units stand in the gallery, and CDUs too when so asked. Racks step over columns (square grid); a
// column in an aisle leaves the larger of the two ways beside it. Positions without a rack stay in
// the plan as free. Of all row lengths and numbers of blocks the one is taken that fits the room
// (its length, width, area, whichever is given) with the least area, at most 2.5 times as long as
// wide where there is a choice.
//
// AREAS add up: every m2 of the room is in exactly one entry of `areas`.
// Validity: rectangular room, straight rows, one depth of row (the deepest rack). No doors inside,
// no ramps, no cable lengths. Sizes of CDUs, PDUs and room units are assumed (constants below).
// Complexity: O(row x blocks + racks x tries); tries are 1 unless columns or a room refuse some.
// Errors: none; counts below 0 are 0. Deterministic.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "building/layout_spec.hpp"

namespace headroom::building {

/// Racks of one size, weight and power.
struct RackKind {
  std::string name;
  int count = 0;
  double width_m = 0.6, depth_m = 1.2;
  double mass_kg = 0;  ///< full; 0: not known
  double power_w = 0;  ///< at maximum; 0: not known
  bool known_size = true;
};

struct LayoutInput {
  std::vector<RackKind> kinds;
  int positions = 0;  ///< of the hall; those beyond the racks stay free
  int cdus = 0, room_units = 0, pdus = 0;
  bool liquid = false;  ///< pipes are needed
  double area_m2 = 0;   ///< white space there is; 0: no limit
  double it_max_w = 0;  ///< for the power room
  LayoutSpec spec;      ///< defaults are filled in
};

enum class BlockKind : unsigned char {
  rack,
  free_position,
  cdu,
  room_unit,
  pdu,
  column,
  cold_aisle,
  hot_aisle,
  end_aisle,
  pipes,
  power_room,  ///< outside the room, y below 0
};
const char* block_kind_name(BlockKind kind);

struct Block {
  BlockKind what{};
  double x_m = 0, y_m = 0, w_m = 0, h_m = 0;
  int kind = -1;  ///< of a rack: index of its kind
  int row = -1;   ///< from 0, over all blocks of rows
  int count = 1;  ///< equal neighbours along the row, together (`merged`)
  double area_m2() const { return w_m * h_m; }
  double right_m() const { return x_m + w_m; }
  double top_m() const { return y_m + h_m; }
};

struct Point {
  double x_m = 0, y_m = 0;
};

/// Load over ground of one kind of rack.
struct ZoneDensity {
  std::string name;
  double racks = 0, power_w = 0;
  double footprint_m2 = 0;    ///< of its racks alone
  double with_aisles_m2 = 0;  ///< racks' width x (row depth + half of each aisle)
};

struct Layout {
  double length_m = 0, width_m = 0;  ///< of the room: as given, else as the rows need
  double needed_length_m = 0, needed_width_m = 0;
  bool fits = true;  ///< rows stay inside length, width and area
  int racks = 0, positions = 0, rows = 0, row_lines = 0, blocks_of_rows = 0, racks_a_row = 0;
  /// Most positions that room or area take with these aisles; -1: nothing limits them.
  int most_positions = -1;
  double clear_cold_m = 0, clear_hot_m = 0;  ///< beside columns
  double deepest_m = 0;                      ///< rack: a cold aisle of this turns it
  double power_room_m2 = 0;
  std::vector<Block> blocks;  ///< aisles and what stands on the floor; none overlap
  std::vector<std::pair<std::string, double>> areas;  ///< m2 by use; sum: length x width
  std::vector<ZoneDensity> zones;
  std::vector<Point> route;  ///< door to the heaviest rack
  int heaviest = -1;         ///< block

  double area_m2() const { return length_m * width_m; }
  double needed_area_m2() const { return needed_length_m * needed_width_m; }
};

Layout lay_out(const LayoutInput& input);

/// The plan with neighbours of one kind in one row as one block; `heaviest` is lost. For drawings
/// of thousands of racks. O(blocks).
Layout merged(Layout plan);

/// Floor area of the building for these halls: (rooms + power rooms) x (1 + support).
/// Support: docks, stores, corridors, offices, 25 % (assumed).
inline constexpr double support_share = 0.25;
double gross_area_m2(const std::vector<Layout>& halls);

/// Mean load of rows with half of the service clearance around them, N/m2, the way IBM states it:
/// (mass + 73 kg/m2 x clearance / 2 + 49 kg/m2 x area) g / area  (15 and 10 lb/ft2; POWER8 site
/// preparation).
double clearance_load_pa(double mass_kg, double footprint_m2, double with_aisles_m2);

// Sizes (assumed; makers' units lie around them): width along the row x depth, m.
inline constexpr double cdu_width_m = 0.8, cdu_depth_m = 1.2;
inline constexpr double pdu_width_m = 0.9, pdu_depth_m = 0.9;
inline constexpr double room_unit_width_m = 0.9, room_unit_length_m = 2.5;
/// UPS, batteries and switchgear, over IT at maximum (assumed: a prefabricated power train of 1.2
/// MW in a 12 m container is 0.04 m2/kW; with a second side and clearances 0.05 to 0.1).
inline constexpr double power_room_m2_w = 0.05e-3;

}  // namespace headroom::building
