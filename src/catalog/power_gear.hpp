// PowerGear: what stands between the grid and the rack: transformers,
// switchgear, generators, UPS, batteries, PDUs, busways, rack power shelves.
//
// Loss of a unit at load x = output / rating:
//
//   P_loss = rating * (no_load + proportional * x + square * x^2)
//
// no-load (magnetising, control, fans), proportional (voltage drops of
// semiconductors) and square-law (I2R) parts, as UPS makers and transformer
// standards split them. Valid for 0 <= x <= 1; beyond 1 the curve is continued
// and the overload is a limit of its own.
#pragma once

#include <span>
#include <string_view>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

enum class GearRole : unsigned char {
  transformer,
  switchgear,
  generator,
  ups,
  battery,
  pdu,
  busway,
  power_shelf,
};
std::span<const std::string_view> gear_role_names();

struct LossCurve {
  Value<Scalar> no_load, proportional, square;  ///< shares of the rating

  void fields(spec::Fields& f);
  /// Loss over rating at load x; 0 for a curve that is not given.
  double at(double x) const;
  /// Output over input at load x; 0 at no load.
  double efficiency(double x) const;
};

struct PowerGear : Entry {
  static constexpr std::string_view kind = "power-gear";

  GearRole role = GearRole::ups;
  Value<Power> rating;  ///< of one unit as usually bought, for counts and prices
  LossCurve loss;
  Value<Time> start;       ///< generator: from loss of mains to accepting load
  Value<Time> autonomy;    ///< battery: at the rating it was bought for
  Value<Scalar> fuel;      ///< generator: electrical output over heat in the fuel
  Value<Scalar> overload;  ///< load over rating that it bears for `overload_time`
  Value<Time> overload_time;
  Value<Time> mtbf, mttr;
  Value<Scalar> failure_to_start;  ///< generator: probability on demand
  Value<PowerPrice> price;         ///< a unit of rating, bought and installed
  Value<Time> lead_time;
  Value<Time> life;

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
