// 20 degC + 10 degC has no meaning.
// expect: no match for .operator\+.|invalid operands to binary expression
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Temperature sum = Temperature::celsius(20) + 10 * kelvin;
#else
Temperature sum = Temperature::celsius(20) + Temperature::celsius(10);
#endif
