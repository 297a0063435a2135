// A default of one dimension does not fill a Value of another.
// expect: no matching (function|constructor)
#include "base/value.hpp"

using namespace headroom;

#ifdef POSITIVE
Value<Power> feed{10 * kilowatt, nullptr};
#else
Value<Power> feed{10 * kilowatt_hour, nullptr};
#endif
