// CoolingTechnology: how heat leaves a rack: room air, in-row, rear door, cold
// plate, immersion.
//
// An entry carries what physics needs (what flows, how much of it one rack can
// be given, how much it may warm, how near two fluids come in an exchanger), so
// that the heat a rack can shed is computed:
//
//   Q = flow * density * specific heat * rise
//
// `typical_max` is what the trade press says of the technology; it is shown
// beside the computed figure and never enters one.
#pragma once

#include <span>
#include <string_view>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

enum class CoolingFamily : unsigned char {
  room_air,    ///< perimeter or in-row units, air to the room
  rear_door,   ///< air through a water coil at the rack's back
  cold_plate,  ///< liquid on the chips, air for the rest
  immersion,   ///< single-phase: pumped dielectric
  two_phase,   ///< boiling dielectric under a condenser
};
std::span<const std::string_view> cooling_family_names();

/// A liquid coolant at its working temperature. Boiling data only for two-phase.
struct Coolant {
  Value<Density> density;
  Value<SpecificHeat> heat;
  Value<Density> vapour_density;
  Value<decltype(Energy{} / Mass{})> latent_heat;
  Value<decltype(Energy{} / Area{})> surface_tension;  ///< J/m2 = N/m
  Value<TemperatureDifference> boiling_point;          ///< absolute

  void fields(spec::Fields& f);
};

struct CoolingTechnology : Entry {
  static constexpr std::string_view kind = "cooling-technology";

  CoolingFamily family = CoolingFamily::room_air;
  bool direct_expansion = false;         ///< rejects heat by its own compressor, needs no plant
  Value<VolumeFlow> rack_air;            ///< air one rack can be given, aisle open
  Value<VolumeFlow> rack_air_contained;  ///< the same behind aisle containment
  Value<Scalar> bypass;                  ///< supply air that no server draws, aisle open
  Value<Scalar> bypass_contained;
  Value<VolumeFlow> rack_liquid;             ///< liquid one rack or tank can be given
  Value<TemperatureDifference> air_rise;     ///< front to back
  Value<TemperatureDifference> liquid_rise;  ///< supply to return
  Value<TemperatureDifference> approach;     ///< air or secondary liquid above facility water
  Value<TemperatureDifference> supply;       ///< absolute: usual supply to the rack
  Value<Scalar> capture;         ///< share of rack heat into liquid, when the system says none
  Value<Scalar> boiling_area;    ///< two-phase: boiling surface over chip surface
  Value<Scalar> boiling_derate;  ///< two-phase: allowed share of critical heat flux
  Coolant coolant;
  Value<Pressure> fan_rise;       ///< pressure rise of room units' fans
  Value<Scalar> fan_efficiency;   ///< fan, drive and motor together
  Value<Pressure> pump_head;      ///< secondary loop
  Value<Scalar> pump_efficiency;  ///< pump, drive and motor together
  Value<Power> typical_max;       ///< trade figure of a rack, for comparison only
  Value<PowerPrice> price;        ///< a kW of heat, bought and installed
  Value<Time> lead_time;
  Value<Time> life;

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
