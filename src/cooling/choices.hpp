// Which number applies where: the scenario's over the system's over the
// technology's. Internal to cooling; keeps the Values, so that the trace can say
// where each came from.
#pragma once

#include "cooling/assess.hpp"

namespace headroom::cooling {

struct HallValues {
  const catalog::CoolingTechnology* technology = nullptr;
  const catalog::CoolingTechnology* room = nullptr;
  bool contained = false;
  Value<Scalar> liquid_share, bypass;
  Value<VolumeFlow> rack_air, rack_liquid;
  Value<TemperatureDifference> air_rise, liquid_rise;
  Value<TemperatureDifference> air_supply, liquid_supply;  ///< absolute
  Value<TemperatureDifference> air_approach, liquid_approach;
};

HallValues choose(const HallDemand& demand, const catalog::Catalog& catalog);
HallDesign design_of(const HallValues& values, Power it_max, Power loss_max);

/// The hall's groups of racks, and what they bring into liquid and air together.
void add_racks(const HallDemand& demand, HallDesign& design);

/// The spec with every default filled in, each with its source.
PlantSpec with_defaults(const PlantSpec& plant);

}  // namespace headroom::cooling
