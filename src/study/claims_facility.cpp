// What expressions may ask of power, cooling and building.
#include "study/claims_functions.hpp"

namespace headroom::study {

void add_facility_functions(Functions&) {}

}  // namespace headroom::study
