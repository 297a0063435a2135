#include "cooling/compressor.hpp"

#include <algorithm>

#include "catalog/climate.hpp"

namespace headroom::cooling {
namespace {

// Usual temperature differences inside a machine (assumed); eta is fitted with
// them to six EIR machines (compressor_test.cpp repeats the comparison).
constexpr TemperatureDifference evaporator = 3 * kelvin;
constexpr TemperatureDifference water_condenser = 8 * kelvin;
constexpr TemperatureDifference air_condenser = 15 * kelvin;
constexpr double least_cop = 1, best_cop = 15;

}  // namespace

double carnot_cop(Temperature leaving, Temperature entering, bool air_cooled, double eta) {
  const Temperature cold = leaving - evaporator;
  const Temperature hot = entering + (air_cooled ? air_condenser : water_condenser);
  const double lift = (hot - cold).si();
  if (lift <= 0) return best_cop;
  return std::clamp(eta * cold.si() / lift, least_cop, best_cop);
}

bool in_range(const catalog::Chiller& machine, Temperature leaving, Temperature entering) {
  return leaving >= catalog::absolute(machine.leaving_min) &&
         leaving <= catalog::absolute(machine.leaving_max) &&
         entering >= catalog::absolute(machine.entering_min) &&
         entering <= catalog::absolute(machine.entering_max);
}

double curve_cop(const catalog::Chiller& machine, Temperature leaving, Temperature entering,
                 double load) {
  const double x = leaving.in_celsius(), y = entering.in_celsius();
  const double part =
      std::clamp(load, machine.load_min.or_else(0.1).si(), machine.load_max.or_else(1.0).si());
  const double eir = machine.eir_curve.at(x, y) * machine.load_curve.at(part) / part;
  return eir > 0 ? machine.cop.get() / eir : best_cop;
}

}  // namespace headroom::cooling
