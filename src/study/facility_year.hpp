// A scenario's halls through a year of weather, hour by hour, and through failures of cooling,
// second by second. What `headroom facility` prints.
//
//   auto answer = study::facility_year(loaded, catalog, {.lose = {"all-cooling"}});
//   answer->pue, answer->chiller_free_h, answer->walk->halls[0].throttle_at_s
//
// The scenario is walked as `check` walks it; the halls' heat, the power chain and the cooling
// design are its own. The design becomes the detailed plant (cooling/plant_of_design.hpp), sized
// for full load on the design days of the weather before `warmer`, and is solved at every hour at
// the yearly mean IT load. Electricity of cooling passes the chain, whose losses warm halls and
// power rooms, which cooling must cool: that loop is iterated, hour by hour, until no hour moves.
//
// BOUNDARY. The meter of the halls: IT, losses of every stage from the transformer to the racks,
// cooling, and the chain's other loads. Clusters outside the halls are left out.
//
//   PUE   energy at the meter / energy of IT at its input             ISO/IEC 30134-2, a year
//   WUE   make-up water / energy of IT                                ISO/IEC 30134-9, category 1
//   ERF   heat handed to users / energy at the meter                  ISO/IEC 30134-6
//   chiller-free hours: no compressor ran, trim chillers of the air units' loop included, and
//   every set point was held
//   imbalance: |energy in - energy out| over energy in; in at the meter, out where heat leaves
//
// FAILURES. NODE[=SHARE][@hh:mm]: the nodes of `facility_nodes`; the share of it that is lost
// (all; of a leak one rack); the time on the day of the year's most cooling electricity (its
// hour). Full load, the weather of that hour. Chips: 25 K above the coolant at full power,
// 40 K above the air where racks have doors (assumed); servers, those beside plates too, trip at
// 57 degC at their air inlet; that air-cooled ones throttle before is not modelled. GPU time lost
// follows the clock that the power left allows (cooling/throttle.hpp); a job that runs as a gang
// stops when any rack of its hall trips (taken to be one of its own). Restarts after the end and
// work since the last checkpoint are not counted.
//
// Fails on a scenario without halls, options that contradict, nodes that do not exist, mistakes of
// the EPW file. Complexity: a few years of the plant, about 30 ms each. Deterministic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cooling/failure_walk.hpp"
#include "cooling/plant_year.hpp"
#include "study/facility_chain.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct FacilityOptions {
  bool year = true;    ///< false: only what the failures need
  bool chain = false;  ///< the power chain in full; in brief it always is
  bool pairs = false;  ///< every two losses of the chain too
  std::string epw;     ///< file; empty: the climate's synthetic year
  int fill_gap_h = 0;
  double warmer_k = 0;
  std::vector<std::string> lose;  ///< NODE[=SHARE][@hh:mm]
  double horizon_s = 600;         ///< after the last failure
  double back_s = 0;              ///< after which what was lost is back; 0: never
  double reclaimed_kg_s = 0;      ///< reclaimed water, used before the mains
};

/// A sum of the year.
struct FacilityItem {
  std::string key, label;
  double amount = 0;  ///< J, or kg of water
};

struct FacilityMonth {
  double it_j = 0, meter_j = 0, cooling_j = 0, loss_j = 0, water_kg = 0, carbon_kg = 0;
  double chiller_h = 0, warmest_wet_bulb_c = -273.15, peak_meter_w = 0;
  double pue() const { return it_j > 0 ? meter_j / it_j : 0; }
};

/// One hour of the chain beside the plant's (cooling::HourState).
struct FacilityHour {
  double meter_w = 0, it_w = 0, hall_loss_w = 0, ups_w = 0, switchgear_w = 0, transformer_w = 0,
         other_w = 0;
  double loss_w() const { return hall_loss_w + ups_w + switchgear_w + transformer_w; }
};

/// The plant on a day it is built for, at full load.
struct FacilityDay {
  std::string label;
  double dry_bulb_c = 0, wet_bulb_c = 0, cooling_w = 0, heat_w = 0, water_kg_s = 0, short_k = 0;
  bool compressor = false;
};

/// A thing that can be lost.
struct FacilityNode {
  std::string name, what;
  std::vector<cooling::FailureEvent> events;  ///< with the default share
  std::vector<power::Outage> outages{};       ///< of the power chain
};

struct HallLoss {
  std::string scope, title;
  double gpus = 0;
  double throttle_at_s = -1, shutdown_at_s = -1;  ///< after the first failure; -1: never
  double dropped_at_s = -1;                       ///< first racks without power; -1: none
  double dropped_share = 0;                       ///< of the hall's load, at the end
  double lowest_power = 1;                        ///< over full
  double lost_gpu_s = 0;
  double hottest_chip_c = 0, hottest_coolant_c = 0, hottest_inlet_c = 0;
  bool has_chip = false, liquid = false;
};

struct WorkLoss {
  std::string name;
  double tokens = 0;  ///< not made
};

struct FacilityWalk {
  std::vector<std::string> lost;  ///< in words
  std::size_t hour = 0;           ///< of the year
  double dry_bulb_c = 0, wet_bulb_c = 0;
  double horizon_s = 0, back_s = 0;
  std::vector<HallLoss> halls;
  std::vector<WorkLoss> work;
  double lost_gpu_s = 0, usd = 0;
  std::string price_origin;  ///< of a GPU-hour; empty: nobody knows
  bool recovered = false;    ///< every rack at full power at the end
  cooling::Walk walk;
  std::optional<power::ChainWalk> power;  ///< when a node of the power chain is lost
};

struct FacilityAnswer {
  std::string scenario, weather, boundary;
  double warmer_k = 0;
  std::vector<std::string> halls;
  double it_max_w = 0, it_mean_w = 0;

  bool has_year = false;
  double pue = 0, wue_l_kwh = 0, erf = 0;
  double first_pue = 0;  ///< `check`'s own, of the same halls, by bins
  double chiller_free_h = 0, short_h = 0, worst_short_k = 0;
  double carbon_kg = 0;  ///< 0: intensity unknown
  std::string carbon_origin;
  std::vector<FacilityItem> energy;  ///< in; sums to `meter_j`
  std::vector<FacilityItem> heat;    ///< out; sums to `meter_j` but for `imbalance`
  double meter_j = 0, it_j = 0;
  double imbalance = 0;             ///< of the year
  double worst_imbalance = 0;       ///< of any hour
  std::vector<FacilityItem> water;  ///< by use
  std::vector<FacilityItem> water_sources;
  std::vector<FacilityMonth> months;
  double peak_meter_w = 0, peak_cooling_w = 0, peak_day_water_kg = 0;
  std::size_t peak_hour = 0;  ///< of the meter
  std::vector<FacilityDay> days;
  double warmest_coolant_c = -273.15, warmest_inlet_c = -273.15, warmest_supply_c = -273.15;
  int rounds = 0;  ///< of the loop through losses and cooling

  FacilityChain chain;
  bool show_chain = false;  ///< it was asked for in full
  std::vector<FacilityNode> nodes;
  std::optional<FacilityWalk> walk;
  std::vector<std::string> remarks;

  cooling::WeatherYear air;  ///< the year that was used
  cooling::PlantYear plant;  ///< its `it` includes the heat of the power rooms
  std::vector<FacilityHour> hours;

  /// Every set point was held and no rack throttled or tripped.
  bool holds() const;
};

Result<FacilityAnswer> facility_year(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const FacilityOptions& options = {});

/// 0 (January) to 11.
int month_of(std::size_t hour, std::size_t hours_of_year);
/// "2 Jul 15:00" of an hour of the year.
std::string hour_name(std::size_t hour, std::size_t hours_of_year);

}  // namespace headroom::study
