// A power and an energy do not add up.
// expect: no match for .operator\+.|invalid operands to binary expression
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Power sum(Power a, Power b) { return a + b; }
#else
Power sum(Power a, Energy b) { return a + b; }
#endif
