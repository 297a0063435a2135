// The plant that a scenario's words describe, ready for answers at constant heat.
//
//   PlantModel plant(design, heat_at_maximum, *usual_year(climate), reuse);
//   Flow worst = plant.at_design(heat);      // on the design day that takes more electricity
//   Year typical = plant.year(mean_heat);    // over the climate's year, cell by cell
//
// It is plant_of_design.hpp's plant (exchangers, pumps, towers, chillers sized for the heat at
// maximum on the climate's design days) solved hour by hour by plant_hour.hpp, as the facility's
// year is; only the hours are grouped (usual_year.hpp) and the heat is constant. `Flow` and `Year`
// are design.hpp's.
//
// Complexity: building about 20 us a hall; a state 3 us a hall; a year as many states as the
// climate has cells (900 to 1,600). Not to be shared between threads.
#pragma once

#include <optional>

#include "cooling/design.hpp"
#include "cooling/plant_hour.hpp"
#include "cooling/usual_year.hpp"

namespace headroom::cooling {

class PlantModel {
 public:
  PlantModel(const Design& design, const Heat& full, const UsualYear& weather,
             const std::optional<ReuseSpec>& reuse);
  PlantModel(const PlantModel&) = delete;
  PlantModel& operator=(const PlantModel&) = delete;

  Flow at_design(const Heat& heat);
  /// The most make-up of both design days.
  VolumeFlow water_at_design(const Heat& heat);
  Year year(const Heat& heat);
  const Plant& plant() const { return plant_; }

 private:
  Flow on(const DesignAir& air, const Heat& heat);
  Flow state(HourInput in, const Heat& heat);

  const Design& design_;
  const Heat full_;
  const UsualYear& weather_;
  const Plant plant_;
  PlantSolver solver_;
};

}  // namespace headroom::cooling
