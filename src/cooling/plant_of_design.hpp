// The detailed plant (plant.hpp) that the first model's design (design.hpp) describes: what a
// scenario says in `cooling:` of its halls and its site, for a year hour by hour.
//
// Each hall becomes one air path, and one group of racks or as many as its design has; the power
// rooms are the last of both. Groups stand hall after hall (`HallAir::groups`).
// Loads whose facility water may be equally warm share a loop: the coolants (and doors,
// tanks) one, the air units one; a set point in the scenario makes it one for both. Stages:
//
//   tower          towers by York, plate exchanger; trim chillers on the towers for the air loop
//   dry-cooler     dry coolers (adiabatic: with pads); trim chillers on air for the air loop
//   chiller-water  towers and chillers in series, or without economiser
//   chiller-air    free-cooling coil and air-cooled chillers
//
// Parts are sized by sizing.hpp for `full` heat at the design days with the design's approaches;
// chillers have no capacity limit (the capacity margins are assess.hpp's).
//
// What the first model leaves implicit is made explicit here: exchangers have a size, so water
// warmer than assumed shows as coolant warmer than assumed. Complexity O(halls).
#pragma once

#include "cooling/design.hpp"
#include "cooling/plant.hpp"
#include "cooling/weather.hpp"

namespace headroom::cooling {

/// A hall without `HallDesign::racks` is one group of its whole heat.
Plant plant_of(const Design& design, const Heat& full, const DesignDays& days);

/// Hands heat of the main loop (liquid where there is one, else the air units') to the user that
/// `spec` describes, in the coldest `hours` of this weather. `plant` as `plant_of` makes it.
void add_reuse(Plant& plant, const ReuseSpec& spec, const WeatherYear& weather);
/// The same in the hours that the profile says (shares of the demand); empty: all of them.
void add_reuse(Plant& plant, const ReuseSpec& spec, std::vector<double> profile);

/// Shares of full load for a year at other heat (LoadProfile::by_group), one value a group.
std::vector<double> shares_of(const Design& design, const Heat& full, const Heat& now);

}  // namespace headroom::cooling
