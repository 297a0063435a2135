#include "power/derating.hpp"

#include <algorithm>

namespace headroom::power {
namespace {

struct Rule {
  double per_m = 0, above_m = 0;  ///< share lost a metre
  double per_k = 0, above_c = 0;  ///< share lost a kelvin
};

double left(const Rule& rule, double altitude_m, double air_c) {
  constexpr double least = 0.2;
  const double thin = 1 - rule.per_m * std::max(0.0, altitude_m - rule.above_m);
  const double hot = 1 - rule.per_k * std::max(0.0, air_c - rule.above_c);
  return std::max(least, std::max(0.0, thin) * std::max(0.0, hot));
}

}  // namespace

double derating(NodeKind kind, const SiteAir& air) {
  constexpr Rule transformer{0.003 / 100, 1000, 0.01, 40};
  constexpr Rule generator{0.04 / 300, 1525, 0.02 / 11, 40};
  constexpr Rule electronics{0.01 / 100, 1000, 0.01, 40};
  switch (kind) {
    case NodeKind::transformer:
    case NodeKind::substation:
      return left(transformer, air.altitude_m, air.outdoor_c);
    case NodeKind::generator:
      return left(generator, air.altitude_m, air.outdoor_c);
    case NodeKind::ups:
    case NodeKind::ups_eco:
    case NodeKind::rectifier:
    case NodeKind::power_shelf:
      return left(electronics, air.altitude_m, air.indoor_c);
    default:
      return 1;
  }
}

}  // namespace headroom::power
