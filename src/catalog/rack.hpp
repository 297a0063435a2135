// Rack: the cabinet, open frame, or tank that equipment stands in.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

struct Rack : Entry {
  static constexpr std::string_view kind = "rack";

  int units = 0;               ///< usable height in rack units of 44.45 mm (EIA-310)
  Value<Mass> weight;          ///< empty, with doors, busbar or tank as sold
  Value<Mass> static_rating;   ///< equipment it may hold, standing still
  Value<Mass> dynamic_rating;  ///< equipment it may hold while rolled on its casters
  Value<Length> width, depth, height;
  Value<Money> price;
  Value<Time> lead_time;

  void fields(spec::Fields& f);
  Area footprint() const;
};

}  // namespace headroom::catalog
