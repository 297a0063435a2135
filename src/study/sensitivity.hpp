// What ranged inputs do to the answer, one at a time. Internal to study.
//
// Ranges that the user wrote are always tried. Ranges of the catalogue are tried
// on demand, and only those that the binding limit was computed from: a private
// copy of the catalogue is read, the number set to its low and its high end, and
// the scenario checked again.
#pragma once

#include "study/check.hpp"

namespace headroom::study {

/// One check without sensitivities.
Verdict run(const Scenario& scenario, const Loaded& loaded, const catalog::Catalog& catalog,
            const CheckOptions& options);

void add_sensitivities(Verdict& verdict, const Loaded& loaded, const catalog::Catalog& catalog,
                       const CheckOptions& options);

}  // namespace headroom::study
