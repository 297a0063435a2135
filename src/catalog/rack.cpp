#include "catalog/rack.hpp"

namespace headroom::catalog {

void Rack::fields(spec::Fields& f) {
  entry_fields(f);
  f.integer("units", units, "Usable height in rack units").between(1, 70).required();
  f.number("weight", weight, "kg", "Empty weight").above(0).required();
  f.number("static_rating", static_rating, "kg", "Equipment it may hold standing still").above(0);
  f.number("dynamic_rating", dynamic_rating, "kg", "Equipment it may hold while rolled").above(0);
  f.number("width", width, "mm", "Outer width").above(0).required();
  f.number("depth", depth, "mm", "Outer depth").above(0).required();
  f.number("height", height, "mm", "Outer height").above(0);
  f.number("price", price, "USD", "Purchase price of one, empty").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
}

Area Rack::footprint() const { return width.or_else(Length{}) * depth.or_else(Length{}); }

}  // namespace headroom::catalog
