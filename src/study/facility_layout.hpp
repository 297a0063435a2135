// The halls of a scenario as rows on a floor. What `headroom facility FILE --layout` prints.
//
//   auto a = study::facility_layout(loaded, catalog);
//   a->halls[0].plan.blocks, a->gross_needed_m2, a->holds()
//
// Racks of every cluster (the last one holds what is left), of switches and storage, empty
// positions, CDUs, room units and floor PDUs as the scenario counts them (busways hang overhead)
// are laid out by building/layout.hpp. Limits of floor, point, rack, way in, positions, area and
// density are those of `check` (building/assess.hpp), not a second reckoning.
//
// `building.area` (gross) is held against rooms + power rooms, times 1.25 for docks, stores,
// corridors and offices (assumed). A hall with an `area` counts with the larger of it and its rows.
// `check` has the same limit by its area of a rack; here it is by the rows as drawn.
//
// Racks of switches and storage share the rest of the hall's IT maximum evenly; their weight is not
// known. Errors: a scenario without halls. Complexity: a check and a plan a hall.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/margin.hpp"
#include "base/result.hpp"
#include "building/layout.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct HallLayout {
  std::string title;
  building::LayoutInput input;
  building::Layout plan;
  double it_max_w = 0;
  double area_given_m2 = 0;    ///< 0: not given
  std::vector<Margin> limits;  ///< of the building layer, this hall's
};

struct LayoutAnswer {
  std::string scenario;
  std::vector<HallLayout> halls;
  double gross_needed_m2 = 0;  ///< of the rows as drawn
  double gross_given_m2 = 0;   ///< 0: not given
  std::optional<Margin> area;  ///< `building.area` of the rows as drawn, where it was given
  std::vector<std::string> remarks;

  bool gross_fits() const { return gross_given_m2 <= 0 || gross_needed_m2 <= gross_given_m2; }
  /// Rows and building fit, and every limit of the floor holds.
  bool holds() const;
};

Result<LayoutAnswer> facility_layout(const Loaded& loaded, const catalog::Catalog& catalog);

}  // namespace headroom::study
