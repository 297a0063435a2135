// A power is no bare number: it is read in a unit.
// expect: cannot convert|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
double load_kw(Power load) { return load.in(kilowatt); }
#else
double load_kw(Power load) { return load; }
#endif
