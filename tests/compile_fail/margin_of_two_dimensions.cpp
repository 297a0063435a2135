// Need and have of one limit share a dimension.
// expect: no matching function for call
#include "base/margin.hpp"

using namespace headroom;

#ifdef POSITIVE
Margin limit(Figure<Power> need, Figure<Power> have) {
  return make_margin("power.x", "x", need, have, "kW");
}
#else
Margin limit(Figure<Energy> need, Figure<Power> have) {
  return make_margin("power.x", "x", need, have, "kW");
}
#endif
