// A scenario's halls through a year of weather, hour by hour, and through failures of cooling,
// second by second. What `headroom facility` prints.
//
//   auto answer = study::facility_year(loaded, catalog, {.lose = {"all-cooling"}});
//   answer->pue, answer->chiller_free_h, answer->walk->halls[0].throttle_at_s
//
// The scenario is walked as `check` walks it; the halls' heat, the power chain and the cooling
// design are its own. The design becomes the detailed plant (cooling/plant_of_design.hpp), sized
// for full load on the design days of the weather before `warmer`, and is solved at every hour at
// that hour's IT load (facility_load.hpp: a shape about the yearly mean). Electricity of cooling
// passes the chain, whose losses warm halls and power rooms, which cooling must cool: that loop is
// iterated, hour by hour, until no hour moves.
//
// BOUNDARY. The meter of the halls: IT, losses of every stage from the transformer to the racks,
// cooling, and the chain's other loads. Clusters outside the halls are left out.
//
//   PUE   energy at the meter / energy of IT at its input             ISO/IEC 30134-2, a year
//   WUE   make-up water / energy of IT                                ISO/IEC 30134-9, category 1
//   ERF   heat handed to users / energy at the meter                  ISO/IEC 30134-6
//   REF   renewable energy contracted / energy at the meter           ISO/IEC 30134-3
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

#include "base/progress.hpp"
#include "base/result.hpp"
#include "cooling/failure_walk.hpp"
#include "cooling/plant_year.hpp"
#include "cooling/time_year.hpp"
#include "study/facility_chain.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct FacilityOptions {
  bool year = true;                          ///< false: only what the failures need
  bool chain = false;                        ///< the power chain in full; in brief it always is
  bool pairs = false;                        ///< every two losses of the chain too
  std::vector<std::string> lose_together{};  ///< "NODE,NODE" of the chain, at once, steady
  std::string epw{};                         ///< file; empty: the climate's synthetic year
  int fill_gap_h = 0;
  double warmer_k = 0;
  std::vector<std::string> lose{};  ///< NODE[=SHARE][@hh:mm]
  double horizon_s = 600;           ///< after the last failure
  double back_s = 0;                ///< after which what was lost is back; 0: never
  double reclaimed_kg_s = 0;        ///< reclaimed water, used before the mains
  std::string carbon{};             ///< CSV of the grid's intensity; empty: a shape about the mean
  double cap = 1;                   ///< power cap of racks, over their maximum
  double resolution_s = 0;          ///< the year in the time domain as well; 0: not
  Progress* progress = nullptr;     ///< who watches, and may have it throw `Stopped`
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
  int units = 0;    ///< above 0: one of so many, "chiller-1" to "chiller-4"
  double left = 0;  ///< of a unit: what the others can carry over what is needed
};

/// Racks of a hall that are alike, in a failure: a cluster's, or switches and storage.
struct RackLoss {
  std::string name;
  std::size_t group = 0;  ///< of the walk
  double racks = 0, rack_w = 0, gpus = 0;
  double throttle_at_s = -1, shutdown_at_s = -1;
  double lowest_power = 1, lost_gpu_s = 0;
  double hottest_chip_c = -273.15, hottest_coolant_c = -273.15;
  bool has_chip = false, liquid = false;
};

/// The hall as a whole is as its racks that fare worst.
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
  std::vector<RackLoss> groups;
};

struct WorkLoss {
  std::string name;
  double tokens = 0;  ///< not made
};

/// An ASHRAE class that the scenario asks for, and the worst of the year (limits recalled).
struct FacilityClass {
  std::string name;
  double low_c = 0, high_c = 0, have_low_c = 0, have_high_c = 0;
  bool holds() const { return have_low_c >= low_c && have_high_c <= high_c; }
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

/// The year in the time domain (cooling/time_year.hpp) beside the steady one.
struct FacilityTime {
  /// Racks that are alike; of a hall: all of its.
  struct Racks {
    std::string name;
    double racks = 0, rack_w = 0;
    double chip_c = -273.15, coolant_c = -273.15;  ///< hottest of the year
    double lost_s = 0;                             ///< of full clock, a rack, by throttling
  };
  struct Hall {
    std::string title;
    double racks = 0, chip_c = -273.15, coolant_c = -273.15, lost_s = 0;
    std::vector<Racks> groups;  ///< clusters, then switches and storage
  };
  double resolution_s = 1;
  std::size_t racks = 0, blocks = 0, jobs = 0;
  std::size_t intervals = 0, steps = 0, skipped = 0, fine_steps = 0, trips = 0;
  double pue = 0, wue_l_kwh = 0, it_j = 0, meter_j = 0;
  double worst_imbalance = 0;  ///< of any interval
  double beyond = 0;           ///< heat of transients that stages did not take at once, over all
  double throttled_rack_s = 0;
  std::vector<Hall> halls;
  std::vector<WorkLoss> work;
};

struct FacilityAnswer {
  std::string scenario, weather, boundary;
  double warmer_k = 0;
  std::vector<std::string> halls;
  double it_max_w = 0, it_mean_w = 0;

  bool has_year = false;
  double pue = 0, wue_l_kwh = 0, erf = 0;
  double check_pue = 0;  ///< `check`'s own: the same plant at constant load
  double chiller_free_h = 0, short_h = 0, worst_short_k = 0;
  double carbon_kg = 0;       ///< of the hours; 0: intensity unknown
  double carbon_mean_kg = 0;  ///< the same energy at the intensity's plain mean
  std::string carbon_origin;
  std::vector<double> carbon_kg_h;
  double ref = 0;  ///< renewable energy over energy at the meter; contracts of the scenario
  double it_low_w = 0, it_high_w = 0;  ///< of the hours
  bool load_assumed = false, load_flattened = false;
  double throttled_h = 0, lost_gpu_s = 0;  ///< hours in which caps or temperature held power down
  std::vector<WorkLoss> lost_work;         ///< tokens of the year not made for it
  std::optional<FacilityTime> time;
  std::vector<FacilityClass> classes;
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

  /// Every set point and class was held and no rack throttled or tripped in the failure.
  bool holds() const;
};

Result<FacilityAnswer> facility_year(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const FacilityOptions& options = {});

/// 0 (January) to 11.
int month_of(std::size_t hour, std::size_t hours_of_year);
/// "2 Jul 15:00" of an hour of the year.
std::string hour_name(std::size_t hour, std::size_t hours_of_year);

}  // namespace headroom::study
