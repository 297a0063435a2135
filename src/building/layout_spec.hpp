// What a user writes about the way rows of a hall are laid out (layout.hpp).
//
//   building:
//     halls:
//       - name: A
//         layout: {cold_aisle: 1.8 m, row: 16, cdus: gallery, column_spacing: 9 m}
//
// What is left out has the trade's usual width; each default carries its source.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "spec/fields.hpp"

namespace headroom::building {

/// Where the coolant distribution units stand.
enum class CduPlace : unsigned char { row_end, gallery };
std::span<const std::string_view> cdu_place_names();

struct LayoutSpec {
  Value<Length> length, width;          ///< room along and across the rows; left out: as they need
  Value<Length> cold_aisle, hot_aisle;  ///< before and behind racks
  Value<Length> end_aisle;              ///< at row ends and between blocks of rows
  Value<Length> pipe_space;             ///< strip along one wall, where there is liquid
  int row = 0;                          ///< most racks in a row; 0: 20
  CduPlace cdus = CduPlace::row_end;
  Value<Length> column_spacing;  ///< square grid of columns; left out: none
  Value<Length> column;          ///< side of a column
  Value<Area> power_room;        ///< of this hall; left out: by its power

  void fields(spec::Fields& f);
};

/// `spec` with every width given, from the defaults where the user gave none.
LayoutSpec with_defaults(LayoutSpec spec);

}  // namespace headroom::building
