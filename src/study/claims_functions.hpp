// The layers' functions as expressions call them, by layer. Internal to claims.
#pragma once

#include "study/expression.hpp"

namespace headroom::study {

void add_model_functions(Functions& f);     ///< workload, compute, infer
void add_fabric_functions(Functions& f);    ///< fabric
void add_work_functions(Functions& f);      ///< cluster, money, site
void add_facility_functions(Functions& f);  ///< power, cooling, building

}  // namespace headroom::study
