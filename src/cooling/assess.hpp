// Cooling: can the heat get from the chips to the sky, and what does that take in
// electricity and water?
//
// Limits (ids; <hall> is the caller's scope):
//   cooling.<hall>.rack        heat of the fullest rack against what flow x rise removes:
//                              air, rear door, liquid of a cold plate, tank
//   cooling.<hall>.rack-air    air remainder of a cold-plate rack against the air it gets
//   cooling.<hall>.boiling     chip heat flux against critical heat flux (two-phase)
//   cooling.<hall>.units       heat in the room's air against room units after a loss
//   cooling.<hall>.cdus        heat in liquid against distribution units after a loss
//   cooling.<hall>.inlet       supply air against the warmest the systems take, both above
//                              18 degC, the cold end of what ASHRAE recommends
//   cooling.<hall>.coolant     supply liquid against the warmest the systems take, both above
//                              17 degC, below which pipes sweat
//   cooling.plant              heat on the design day against the plant after a loss
//   cooling.supply             approach the plant needs to the design wet bulb (tower, adiabatic)
//                              or dry bulb (dry cooler) against the approach there is: water
//                              wanted less bulb, negative where the air is warmer than the
//                              water (plants without compressor)
//   cooling.water-day          make-up on the peak day against the permit
//   cooling.water-year         make-up of a year against the permit
// A limit appears only where the scenario (or the system) gives what it is held
// against; `rack` always does.
//
// WUE is make-up water over IT energy (ISO/IEC 30134-9, category 1: water at the
// site, not at the power station).
//
// Electricity, water and hours are those of the detailed plant (plant_model.hpp) on its design days
// and over the climate's year; what each part has to carry is in closed form (design.hpp).
//
// For the fixed point with power, call `resolve` and a PlantModel in the loop; `assess` then
// reports.
#pragma once

#include <string>
#include <vector>

#include "base/findings.hpp"
#include "cooling/design.hpp"
#include "cooling/usual_year.hpp"

namespace headroom::cooling {

/// Racks of a hall that are alike: a cluster's, or those of switches and storage.
struct RackDemand {
  std::string name;
  double racks = 1;
  Power max{}, typical{};  ///< of all of them; sum of a hall's: its own
  bool main = false;       ///< what the hall's own figures (below) are of
  bool systems = true;     ///< false: switches and storage, cooled by air beside cold plates
  Value<Scalar> liquid_fraction;
  Value<TemperatureDifference> air_rise, coolant_rise;
};

/// One hall's heat, from whoever knows what stands in it.
struct HallDemand {
  std::string scope;  ///< "hall-a"
  std::string title;  ///< "hall A"
  HallSpec cooling;
  Figure<Power> it_max, it_typical;  ///< heat equals electrical input
  Figure<Power> rack_max;            ///< the fullest rack
  int racks = 0;
  /// What the systems say; unset: the technology's.
  Value<Scalar> liquid_fraction;  ///< share of heat their cold plates take; 0: air-cooled
  Value<TemperatureDifference> air_rise, coolant_rise;
  Value<TemperatureDifference> max_inlet, max_coolant;  ///< absolute
  Value<PowerDensity> chip_flux;                        ///< hottest chip, for boiling
  std::string box;                                      ///< what a rack is filled with
  int boxes_per_rack = 0;
  Power box_max{};
  int boxes = 0;      ///< all of them; 0: boxes_per_rack in every rack
  int box_racks = 0;  ///< racks that hold them, of `racks`; 0: every rack
  /// The same system with cold plates, when it is sold and this one is cooled by air.
  std::string liquid_sibling;
  Power loss_max{}, loss_typical{};  ///< of the hall's distribution gear
  std::vector<RackDemand> groups;    ///< empty: all racks alike
};

struct Demand {
  std::vector<HallDemand> halls;
  Power power_rooms_max{}, power_rooms_typical{};  ///< UPS and switchgear losses
  const catalog::Climate* climate = nullptr;       ///< of the region; the spec's own wins
};

struct Result {
  Design design;
  Flow at_design;  ///< maximum heat on the design day that takes more electricity
  Year year;       ///< typical heat, over the climate's year
  Figure<Power> electrical_max, electrical_typical;
  Figure<Power> fans_typical, pumps_typical, compressors_typical;
  Figure<Power> rejected_max;
  Figure<VolumeFlow> water_peak_day;
  Figure<Volume> water_year;
  Figure<WaterIntensity> wue;
  Figure<Time> compressor_free;  ///< hours a year without compressor
  Figure<Time> liquid_free;      ///< the same of the liquid loop alone; no node: there is none
  double imbalance = 0;          ///< worst of the states solved, relative
  Findings findings;
};

Design resolve(const PlantSpec& plant, const Demand& demand, const catalog::Catalog& catalog);
Heat heat_max(const Demand& demand);
Heat heat_typical(const Demand& demand);

/// Weather of the design day, the worse for the plant of: design wet bulb with its
/// usual dry bulb, design dry bulb with its usual wet bulb.
Weather design_weather(const PlantDesign& plant, const catalog::Climate& climate);

/// The climate that applies: the spec's, else the demand's, else a plain
/// temperate one that is assumed and remarked on.
const catalog::Climate& climate_of(const PlantSpec& plant, const Demand& demand,
                                   const catalog::Catalog& catalog);

Result assess(const PlantSpec& plant, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace);

}  // namespace headroom::cooling
