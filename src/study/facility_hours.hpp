// The plant's hours and the chain's, in step with each other: losses of the chain warm halls and
// power rooms, which cooling must cool, whose electricity passes the chain. Internal to study.
//
// A hall's IT follows its shape (facility_load.hpp), held below `cap` of its maximum; where chips
// would be hotter than they throttle (cooling/throttle.hpp), power is what their temperature
// allows, so heat and temperature agree. The clock that is missing is the time that work loses:
// racks' power over their maximum stands for their chips'.
#pragma once

#include "study/facility_load.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {

struct SolvedHours {
  cooling::Plant plant;                    ///< with the losses it was solved with
  cooling::LoadProfile load;               ///< [group][hour]; the last group: power rooms
  std::vector<std::vector<double>> asked;  ///< [hall][hour], IT power over maximum before caps
  std::vector<std::vector<double>> lost;   ///< [hall][hour], missing share of the clock
};

/// Fills `plant`, `hours` and `rounds` of the answer.
SolvedHours solve_hours(const Context& c, cooling::Plant plant, const HallShapes& shapes,
                        const FacilityOptions& options, FacilityAnswer& answer);

/// The year in the time domain of what `solve_hours` found.
FacilityTime time_domain(const Context& c, const SolvedHours& solved,
                         const FacilityOptions& options, const FacilityAnswer& answer);

/// Tokens of the year that a missing clock does not make, by workload; GPU seconds to `gpu_s`.
std::vector<WorkLoss> work_lost(const Context& c, const SolvedHours& solved, double& gpu_s);

}  // namespace headroom::study
