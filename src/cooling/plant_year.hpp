// A year of the plant, hour by hour.
//
//   PUE part     (cooling + other) / IT       what cooling adds to PUE; losses of the power chain
//                                             are the caller's to add (ISO/IEC 30134-2)
//   WUE          make-up water / IT energy    L/kWh, ISO/IEC 30134-9 category 1
//   ERF          reused heat / (IT + losses + cooling + other), ISO/IEC 30134-6
//   chiller-free hours in which no compressor ran and every set point was held
//   carbon       each hour's energy x its intensity
//
// Each hour is the plant's steady state (plant_hour.hpp) at that hour's air and load: racks are
// aggregated by kind, nothing is tabulated. A 1,000-rack hall takes below 50 ms on one core
// (bench/facility_bench.cpp prints it). Deterministic; no errors; thread-safe on a const plant.
#pragma once

#include "cooling/plant_hour.hpp"
#include "cooling/weather.hpp"

namespace headroom::cooling {

struct LoadProfile {
  double share = 1;              ///< of every group's full load
  std::vector<double> hourly{};  ///< one an hour, over `share` when not empty; repeats
  std::vector<std::vector<double>> by_group{};  ///< [group][hour], over both when not empty
};

/// Grid carbon intensity in kg CO2e/J: hourly, or one mean.
struct GridCarbon {
  double mean_kg_j = 0;
  std::vector<double> hourly_kg_j{};
};

/// Energies in J over the year.
struct EnergyByItem {
  double it = 0, loss = 0, room_fans = 0, coolant_pumps = 0, loop_pumps = 0, tower_pumps = 0,
         rejection_fans = 0, compressors = 0, heat_pumps = 0, other = 0;
  double by_tower = 0, by_dry = 0, by_outside_air = 0, by_condenser_air = 0, reused = 0, unmet = 0;
  double cooling() const {
    return room_fans + coolant_pumps + loop_pumps + tower_pumps + rejection_fans + compressors +
           heat_pumps;
  }
};

/// kg over the year.
struct WaterByUse {
  double tower_evaporation = 0, pads = 0, blow_down = 0, drift = 0;
  double total() const { return tower_evaporation + pads + blow_down + drift; }
};

struct PlantYear {
  std::vector<HourState> hours;
  std::vector<double> carbon_kg;  ///< of each hour; empty without an intensity
  EnergyByItem energy;
  WaterByUse water;
  double pue_part = 0;  ///< cooling and other over IT
  double wue_l_kwh = 0, erf = 0;
  double carbon_total_kg = 0;
  double chiller_free_h = 0, short_h = 0, outside_curves_h = 0;
  double worst_short_k = 0, highest_chip_c = -273.15, least_chip_margin_k = 1e9;
  double peak_cooling_w = 0, peak_water_kg_s = 0;
  double peak_day_water_kg = 0;  ///< most make-up on one calendar day
  double worst_imbalance = 0;    ///< of any hour, relative
};

PlantYear year(const Plant& plant, const WeatherYear& weather, const LoadProfile& load = {},
               const GridCarbon& carbon = {});

/// The same sums of hours somebody else solved.
PlantYear sum_of(std::vector<HourState> hours);

/// A source of water in the order of use: reclaimed before mains, say.
struct WaterSource {
  std::string name;
  double most_kg_s = 1e300;  ///< it gives no more at once
  double most_kg = 1e300;    ///< nor in the year
};
/// What each source gives, hour by hour in their order, in kg; what none gives is the last value.
std::vector<double> water_by_source(const PlantYear& year, const std::vector<WaterSource>& sources);

/// The plant at full load on the design days.
struct DesignPoints {
  HourState by_dry_bulb, by_wet_bulb;  ///< 0.4 %
  HourState extreme_dry_bulb, extreme_wet_bulb;
};
DesignPoints design_points(const Plant& plant, const WeatherYear& weather);

}  // namespace headroom::cooling
