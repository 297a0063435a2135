// Operations are not operations a second.
// expect: no match for .operator<=?.|invalid operands to binary expression
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
bool enough(FlopRate need, FlopRate have) { return need <= have; }
#else
bool enough(Flops need, FlopRate have) { return need <= have; }
#endif
