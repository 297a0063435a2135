#include "building/layout_spec.hpp"

namespace headroom::building {

std::span<const std::string_view> cdu_place_names() {
  static constexpr std::string_view names[] = {"row-end", "gallery"};
  return names;
}

void LayoutSpec::fields(spec::Fields& f) {
  f.number("length", length, "m", "Room along the rows; as the rows need when left out").above(0);
  f.number("width", width, "m", "Room across the rows; as the rows need when left out").above(0);
  f.number("cold_aisle", cold_aisle, "m", "Aisle before the racks; 1.2 m when left out")
      .at_least(0.6)
      .at_most(10);
  f.number("hot_aisle", hot_aisle, "m", "Aisle behind the racks; 1 m when left out")
      .at_least(0.6)
      .at_most(10);
  f.number("end_aisle", end_aisle, "m",
           "Aisle at row ends and between blocks of rows; 1.2 m when left out")
      .at_least(0.6)
      .at_most(10);
  f.number("pipe_space", pipe_space, "m",
           "Strip for pipes along one wall of a hall with liquid; 0.6 m when left out")
      .at_least(0)
      .at_most(10);
  f.integer("row", row, "Most racks in a row; 20 when 0").at_most(200);
  f.choice("cdus", cdus, cdu_place_names(),
           "Coolant distribution units at row ends, or in a gallery");
  f.number("column_spacing", column_spacing, "m", "Square grid of columns; none when left out")
      .at_least(2)
      .at_most(100);
  f.number("column", column, "m", "Side of a column; 0.5 m when left out").above(0).at_most(2);
  f.number("power_room", power_room, "m2",
           "Rooms of UPS, batteries and switchgear; 0.05 m2/kW of IT when left out")
      .above(0);
}

LayoutSpec with_defaults(LayoutSpec s) {
  // Existing rule of this layer (assess.cpp, claims ledger a1-009): rows 1.2 m deep with 1.2 m
  // cold and 1 m hot aisles are the 30 ft2 a rack of the trade.
  static const auto trade = assumed("the trade's 4 ft before and 1 m behind the racks");
  static const auto ours = assumed("no source: as wide as a cold aisle, a 0.6 m strip, 0.5 m");
  s.cold_aisle = s.cold_aisle.or_else(Value<Length>(1.2 * metre, trade));
  s.hot_aisle = s.hot_aisle.or_else(Value<Length>(1.0 * metre, trade));
  s.end_aisle = s.end_aisle.or_else(Value<Length>(1.2 * metre, ours));
  s.pipe_space = s.pipe_space.or_else(Value<Length>(0.6 * metre, ours));
  s.column = s.column.or_else(Value<Length>(0.5 * metre, ours));
  if (s.row <= 0) s.row = 20;
  return s;
}

}  // namespace headroom::building
