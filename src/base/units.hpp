// Units as text: "120 kW", "0.083 USD/kWh", "400 Gb/s", "15.6e12 token".
//
// One table holds symbol, kind and factor. Matching is exact by case, since
// Gb/s is not GB/s and GB is not GiB. A unit is a product of powers of symbols:
// `W/ft2`, `USD/kW/mo`, `L/kWh`, `USD/Mtoken`. SI prefixes n u m k M G T P E
// stand before W, Wh, J, B, b, FLOP, token, USD, Hz, s, m, g, A, V, Pa, L, m;
// binary prefixes Ki Mi Gi Ti Pi before B and b.
//
// Pure counts may be written with what they count (GPU, rack, port, node, U ...).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"

namespace headroom {

struct Unit {
  Dim dim;
  double factor = 1;      ///< SI = value * factor + offset
  double offset = 0;      ///< only for degC and degF
  bool absolute = false;  ///< an absolute temperature
};

/// The unit a text names, or nothing when it is not one.
std::optional<Unit> parse_unit(std::string_view text);

/// A number with an optional unit: "120 kW" -> (120, "kW"). Nothing when the
/// text does not begin with a finite decimal number. Digit groups "16_384" are
/// allowed; "16,384" is not, since half the world reads it as a fraction.
struct NumberText {
  double number = 0;
  std::string_view unit;
};
std::optional<NumberText> split_number(std::string_view text);

/// What a dimension measures in plain words ("a power"), for messages.
std::string dimension_name(Dim dim);
/// Units a person may write for a dimension ("W, kW, MW"), for messages.
std::string dimension_units(Dim dim);

/// SI value shown in a unit, about four significant digits: "40.8 kW".
/// `unit` may be empty or "1" for a pure number.
std::string format(double si, std::string_view unit);
/// The number alone, about `digits` significant digits, with thousands
/// separators from 10,000 on.
std::string format_number(double value, int digits = 4);
/// A figure in the largest unit of its family that keeps it at or above one:
/// 250,000 kW becomes "250 MW". Families: W, Wh, J, B, B/s, FLOP, FLOP/s, USD, s, kgCO2e, L, token.
std::string format_scaled(double si, std::string_view unit);

/// The unit of `unit`'s family in which `si` reads best: "MUSD" for 19e6 in "USD".
/// `unit` itself when it belongs to no family.
std::string readable_unit(double si, std::string_view unit);

template <class Q>
std::string format(Q q, std::string_view unit) {
  return format(q.si(), unit);
}

}  // namespace headroom
