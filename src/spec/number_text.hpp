// The small languages inside a scalar: "value @source(reason)", "3 x 500 kW",
// dates, and the forms a range or distribution can take. Internal to spec.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.hpp"
#include "spec/node.hpp"

namespace headroom::spec {

struct SourcedText {
  std::string text;    ///< the value, without the source
  std::string source;  ///< key after '@'; empty when none
  std::string reason;  ///< text in parentheses behind the key
  bool closed = true;  ///< those parentheses are closed
};
SourcedText strip_source(const std::string& text);

struct BankText {
  int count = 0;  ///< 0 when the text's count is not a whole positive number
  std::string rating;
};
/// "3 x 500 kW" -> (3, "500 kW"); "500 kW" -> (1, "500 kW").
BankText split_bank(const std::string& text);

/// YYYY-MM-DD that exists in the calendar, years 1990 to 2150.
bool is_date(const std::string& text);

/// A text cut to a length fit for a message, control characters replaced.
std::string shown(const std::string& text);

struct SpreadForm {
  std::string_view name;  ///< empty for {low, likely, high}
  std::vector<std::string_view> parts;
  Shape shape;
  /// Fills likely, low, high from the parts; false when they are out of order.
  bool (*finish)(const double* parts, Number& slot);
};
/// The form a map has, or nullptr.
const SpreadForm* find_spread_form(const Node& map);

}  // namespace headroom::spec
