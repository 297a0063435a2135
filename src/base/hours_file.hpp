// A column of a CSV file with a line an hour of the year: prices, shares, intensities.
//
//   HoursFormat f;
//   f.what = "carbon intensity", f.low = 0, f.heads = {"gco2", "carbon intensity"};
//   const auto read = read_hours("grid.csv", f);      // read->values[8759], read->head
//
// Comma or semicolon, quotes and blanks around cells dropped, empty lines skipped. A first line
// without any number is a head; of several columns the one whose head holds one of `heads` is
// taken. Without a head there must be one column. 8,760 or 8,784 values, from 1 January 0:00.
//
// Errors: every line that is no number or out of range, a missing column, a wrong count; all in one
// pass, with line and column. Complexity O(length). Only `read_hours` touches a file.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom {

struct HoursFormat {
  std::string what = "number of an hour";  ///< in messages
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> heads{};  ///< lower case; any of them within a column's head names it
  std::string example{};             ///< of a head, for the hint
};

struct HoursColumn {
  std::vector<double> values;
  std::string head;  ///< of the column, lower case; empty: there was none
};

Result<HoursColumn> read_hours(const std::string& path, const HoursFormat& format);
/// The same of a text; `name` stands for the file in messages.
Result<HoursColumn> parse_hours(const std::string& name, std::string_view text,
                                const HoursFormat& format);

}  // namespace headroom
