#include "building/spec.hpp"

namespace headroom::building {

std::span<const std::string_view> floor_kind_names() {
  static constexpr std::string_view names[] = {"slab", "raised"};
  return names;
}

void FloorSpec::fields(spec::Fields& f) {
  f.shorthand("load");
  f.choice("kind", kind, floor_kind_names(), "Concrete slab, or tiles on pedestals");
  f.number("load", load, "kPa", "Load allowed on the footprint of a rack; no limit when left out")
      .above(0);
  f.number("point_load", point_load, "kg",
           "Mass allowed on one foot or caster; no limit when left out")
      .above(0);
}

void RackSpec::fields(spec::Fields& f) {
  f.reference("kind", rack, "rack", "Rack that systems stand in; standard-42u when left out");
  f.integer("units", units, "Height in rack units; the rack's own when 0").at_most(70);
  f.number("weight_limit", weight_limit, "kg",
           "Equipment a rack may hold; the rack's static rating when left out")
      .above(0);
  f.integer("reserved_units", reserved_units, "Rack units taken by PDUs, panels and switches")
      .at_most(70);
}

void HallSpec::fields(spec::Fields& f) {
  f.text("name", name, "Name of the hall").required();
  f.number("racks", racks, "rack", "Rack positions").above(0).at_most(1e6);
  f.number("area", area, "m2", "White space; no limit on area or density when left out").above(0);
  f.number("area_per_rack", area_per_rack, "m2",
           "White space of a rack with its share of aisles; 2.8 m2 when left out")
      .above(0);
  f.number("density", density, "W/ft2", "IT power the hall was designed for, over its white space")
      .above(0);
  f.object("floor", floor, "What the floor carries");
  f.number("move_route", move_route, "kg", "Heaviest item that dock, lift, ramp and doors take")
      .above(0);
  f.object("layout", layout, "How rows stand, for `facility --layout`");
}

void Spec::fields(spec::Fields& f) {
  f.flag("existing", existing,
         "It stands already; false makes the shell and its lead time part of the plan");
  f.number("area", area, "m2", "Gross floor area").above(0);
}

}  // namespace headroom::building
