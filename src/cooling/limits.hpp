// The limits of the cooling layer. Internal to cooling; assess.hpp names them.
#pragma once

#include "cooling/assess.hpp"
#include "cooling/choices.hpp"

namespace headroom::cooling {

inline constexpr double near_shortfall = 0.10;

/// Rack, boiling, room units, CDUs and supply temperatures of one hall.
void hall_limits(const HallDemand& hall, const Design& design, const HallDesign& at,
                 const catalog::Catalog& catalog, Trace& trace, Findings& findings);

/// One rack limit that is short or near.
struct RackCase {
  const HallDemand& demand;
  const HallDesign& at;
  Temperature water;  ///< facility water of the liquid loop
  Power need{}, have{};
  bool air = false;  ///< heat in the air; else heat in liquid
  const catalog::Catalog& catalog;
};

/// What lifts it, least intrusive first; never empty. Air-cooled boxes are offered
/// no tank and no cold plates, boxes with plates no air.
std::vector<Remedy> rack_remedies(const RackCase& rack);

/// Below it pipes sweat.
Temperature coldest_coolant();

struct PlantState {
  const PlantSpec& spec;  ///< with its defaults
  const Demand& demand;
  const catalog::Climate& climate;
  Figure<Power> heat;  ///< facility water to the plant on the design day
  const catalog::Catalog& catalog;
};

/// Plant, supply temperature and water, into `r.findings`.
void plant_limits(const PlantState& state, Result& r, Trace& trace);

/// "add 2 units of 120 kW (to 8)".
Remedy more_units(std::string_view what, const spec::Bank<Power>& bank, Redundancy redundancy,
                  Power need, const catalog::CoolingTechnology* technology);

}  // namespace headroom::cooling
