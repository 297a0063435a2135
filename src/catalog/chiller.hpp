// Chiller: a vapour-compression machine by its performance curves, in the form
// of EnergyPlus and Modelica Buildings (Chiller:Electric:EIR):
//
//   Q_available = capacity * capacity_curve(T_leaving, T_entering)
//   P = Q_available * eir_curve(T_leaving, T_entering) * load_curve(PLR) / COP
//   f(x, y) = c1 + c2 x + c3 x^2 + c4 y + c5 y^2 + c6 x y, degC
//
// x: water leaving the evaporator; y: water (or air) entering the condenser.
// Valid only inside the stated ranges; cooling/chiller.hpp continues beyond them
// with a fitted Carnot fraction and says so.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

struct Curve2 {
  Value<Scalar> c1, c2, c3, c4, c5, c6;
  void fields(spec::Fields& f);
  double at(double x, double y) const;
};

struct Curve1 {
  Value<Scalar> c1, c2, c3;
  void fields(spec::Fields& f);
  double at(double x) const;
};

struct Chiller : Entry {
  static constexpr std::string_view kind = "chiller";

  bool air_cooled = false;
  Value<Power> capacity;
  Value<Scalar> cop;
  /// Absolute temperatures: nominal point and range of the curves.
  Value<TemperatureDifference> leaving, entering;
  Value<TemperatureDifference> leaving_min, leaving_max, entering_min, entering_max;
  Value<Scalar> load_min, load_max;  ///< part-load ratio
  Curve2 capacity_curve, eir_curve;
  Curve1 load_curve;

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
