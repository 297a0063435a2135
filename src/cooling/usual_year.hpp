// A climate's year in cells: its hours grouped by dry and wet bulb, for answers at constant heat.
//
// At constant heat a plant's hour depends on the air alone, so hours with the same air need one
// answer. The 8,760 hours of the climate's synthetic year (weather.hpp) are put into cells of 0.5 K
// by 0.5 K; a cell stands for its hours with their mean air. Against the hours one by one:
// electricity of a year within 0.1 %, water within 0.3 %, hours counted by a threshold within 1 %
// of a year (tested).
//
// `usual_year` keeps the years it has made (the last 64, by the climate's figures, so that a
// catalogue laid over the built-in one gets its own): 5 ms the first time, then a look-up.
// Thread-safe; the answer does not depend on what is kept.
#pragma once

#include <memory>
#include <vector>

#include "catalog/climate.hpp"
#include "cooling/plant.hpp"
#include "cooling/spec.hpp"
#include "cooling/weather.hpp"

namespace headroom::cooling {

struct WeatherCell {
  double dry_bulb_c = 0, wet_bulb_c = 0, humidity = 0, pressure_pa = 101325;
  double hours = 0;
};

struct UsualYear {
  std::vector<WeatherCell> cells;  ///< by dry bulb, then wet bulb
  DesignDays days;
  double hours = 0;
  double elevation_m = 0, hottest_c = 0;
};

UsualYear cells_of(const WeatherYear& weather);
std::shared_ptr<const UsualYear> usual_year(const catalog::Climate& climate);

/// `add_reuse` (plant_of_design.hpp) for a year in cells: the coldest hours, cell by cell. The
/// plant's `HourInput::hour` is then the number of the cell, or their count for a design day, on
/// which nobody takes heat.
void add_reuse(Plant& plant, const ReuseSpec& spec, const UsualYear& year);

}  // namespace headroom::cooling
