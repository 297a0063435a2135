#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "cooling/psychrometrics.hpp"
#include "cooling/weather.hpp"

namespace headroom::cooling {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<int, 12> month_days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr std::size_t header_lines = 8;
constexpr std::size_t least_columns = 30, usual_columns = 35;

struct Cell {
  std::string_view text;
  int column = 0;  // 1-based, of the first character
};

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) {
    s.remove_suffix(1);
  }
  return s;
}

void split(std::string_view line, std::vector<Cell>& cells) {
  cells.clear();
  std::size_t at = 0;
  while (true) {
    const std::size_t comma = std::min(line.find(',', at), line.size());
    cells.push_back({trimmed(line.substr(at, comma - at)), static_cast<int>(at) + 1});
    if (comma == line.size()) return;
    at = comma + 1;
  }
}

bool read_number(std::string_view text, double& value) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

// One quantity of the data dictionary.
struct Column {
  int index;  // 0-based
  const char* name;
  const char* unit;
  double low, high;
  double absent;  // this and above mean "missing"
};

enum Quantity : std::size_t {
  dry_bulb,
  dew_point,
  relative,
  pressure,
  global,
  direct,
  diffuse,
  wind_from,
  wind_speed,
  quantities
};

// EnergyPlus Auxiliary Programs, "EPW data dictionary".
constexpr std::array<Column, quantities> columns{{
    {6, "dry bulb", "degC", -70, 70, 99.9},
    {7, "dew point", "degC", -70, 70, 99.9},
    {8, "relative humidity", "%", 0, 110, 999},
    {9, "pressure", "Pa", 31000, 120000, 999999},
    {13, "global horizontal radiation", "Wh/m2", 0, 2000, 9999},
    {14, "direct normal radiation", "Wh/m2", 0, 2000, 9999},
    {15, "diffuse radiation", "Wh/m2", 0, 2000, 9999},
    {20, "wind direction", "deg", 0, 360, 999},
    {21, "wind speed", "m/s", 0, 40, 999},
}};

struct Hour {
  std::array<double, quantities> value;
  int line = 0;  // 0: no line gave this hour
};

class Parser {
 public:
  Parser(const std::string& name, std::string_view text, const EpwOptions& options)
      : name_(name), text_(text), options_(options) {}

  Result<WeatherYear> run() {
    cut_lines();
    if (lines_.size() <= header_lines) {
      complain(static_cast<int>(lines_.size()), 1,
               fmt::format("{} lines, expected 8 header lines and 8,760 hours", lines_.size()),
               "is this an EPW file?");
      return failure(diagnostics_);
    }
    read_location();
    read_design();
    read_period();
    leap_ = has_leap_day();
    hours_.resize(leap_ ? 8784 : 8760);
    read_hours();
    fill_gaps();
    report_absent_hours();
    if (!diagnostics_.empty()) {
      diagnostics_.sort_by_place();
      return failure(diagnostics_);
    }
    derive();
    return std::move(out_);
  }

 private:
  void complain(int line, int column, std::string message, std::string hint = {}) {
    Diagnostic d;
    d.file = name_;
    d.line = line;
    d.column = column;
    d.message = std::move(message);
    d.hint = std::move(hint);
    if (line > 0 && static_cast<std::size_t>(line) <= lines_.size()) {
      d.excerpt = std::string(lines_[static_cast<std::size_t>(line) - 1].substr(0, 120));
    }
    diagnostics_.add(std::move(d));
  }

  void cut_lines() {
    std::size_t at = 0;
    while (at < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      std::string_view line = text_.substr(at, end - at);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      lines_.push_back(line);
      at = end + 1;
    }
    while (!lines_.empty() && trimmed(lines_.back()).empty()) lines_.pop_back();
  }

  void read_location() {
    split(lines_[0], cells_);
    if (cells_[0].text != "LOCATION" || cells_.size() < 10) {
      complain(1, 1, "the first line is not a LOCATION of 10 columns",
               "LOCATION,city,state,country,source,WMO,latitude,longitude,time zone,elevation");
      return;
    }
    out_.name = cells_[1].text;
    out_.source = name_;
    header_number(6, "latitude", -90, 90, out_.latitude);
    header_number(7, "longitude", -180, 180, out_.longitude);
    header_number(8, "time zone", -12, 14, out_.utc_offset_h);
    header_number(9, "elevation", -1000, 9999.8, out_.elevation_m);
  }

  void header_number(std::size_t i, const char* what, double low, double high, double& value) {
    double v = 0;
    if (read_number(cells_[i].text, v) && v >= low && v <= high) {
      value = v;
      return;
    }
    complain(1, cells_[i].column,
             fmt::format("{} '{}', expected {} to {}", what, cells_[i].text, low, high));
  }

  // ASHRAE's layout since 2001: after "Cooling" the hottest month, the daily range, then dry bulb
  // and its wet bulb at 0.4, 1 and 2 %, then wet bulb and its dry bulb at the same three.
  void read_design() {
    split(lines_[1], cells_);
    const auto after = [&](std::string_view word) -> std::size_t {
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        if (cells_[i].text == word) return i;
      }
      return cells_.size();
    };
    const auto number = [&](std::size_t i, double& v) {
      return i < cells_.size() && read_number(cells_[i].text, v);
    };
    const std::size_t cooling = after("Cooling");
    auto& s = out_.station;
    s.given = number(cooling + 3, s.dry_bulb_c) && number(cooling + 4, s.its_wet_bulb_c) &&
              number(cooling + 9, s.wet_bulb_c) && number(cooling + 10, s.its_dry_bulb_c);
    read_extremes(after("Extremes"));
  }

  // "Extremes": three wind speeds, until 2017 the highest wet bulb, mean minimum and maximum, two
  // standard deviations, then minimum and maximum of 5, 10, 20 and 50 years.
  void read_extremes(std::size_t at) {
    const std::size_t count = cells_.size() - std::min(at + 1, cells_.size());
    if (count != 15 && count != 16) return;
    auto& s = out_.station;
    const std::size_t twenty_years = at + (count == 16 ? 14 : 13);
    s.extremes = read_number(cells_[twenty_years].text, s.extreme_dry_bulb_c);
    s.has_wet_extreme = count == 16 && read_number(cells_[at + 4].text, s.extreme_wet_bulb_c);
  }

  void read_period() {
    for (std::size_t i = 2; i < header_lines; ++i) {
      split(lines_[i], cells_);
      if (cells_[0].text != "DATA PERIODS" || cells_.size() < 3) continue;
      double per_hour = 1;
      if (read_number(cells_[2].text, per_hour) && per_hour != 1) {
        complain(static_cast<int>(i) + 1, cells_[2].column,
                 fmt::format("{} records an hour, expected 1", cells_[2].text),
                 "average the file to hours");
      }
      return;
    }
    complain(8, 1, "no DATA PERIODS in the header");
  }

  bool has_leap_day() {
    for (std::size_t i = header_lines; i < lines_.size(); ++i) {
      const std::string_view line = lines_[i].substr(0, 16);
      const std::size_t comma = line.find(',');
      if (comma == std::string_view::npos) continue;
      std::vector<Cell> cells;
      split(line, cells);
      double month = 0, day = 0;
      if (cells.size() > 3 && read_number(cells[1].text, month) && month == 2 &&
          read_number(cells[2].text, day) && day == 29) {
        return true;
      }
    }
    return false;
  }

  void read_hours() {
    int expected = 0;
    for (std::size_t i = header_lines; i < lines_.size(); ++i) {
      const int line = static_cast<int>(i) + 1;
      if (trimmed(lines_[i]).empty()) {
        complain(line, 1, "empty line among the hours");
        continue;
      }
      split(lines_[i], cells_);
      if (cells_.size() < least_columns) {
        complain(line, 1,
                 fmt::format("{} columns, expected {} (at least {})", cells_.size(), usual_columns,
                             least_columns));
        // The hour itself is usually there: do not call it missing as well.
        const int at = cells_.size() > 3 ? hour_of_year(line, false) : -1;
        if (at >= 0) spoil(at, line), expected = at + 1;
        continue;
      }
      const int at = hour_of_year(line, true);
      if (at >= 0) read_hour(line, at, expected);
    }
  }

  void spoil(int at, int line) {
    auto& hour = hours_[static_cast<std::size_t>(at)];
    if (hour.line == 0) hour.line = line, hour.value.fill(missing), hour.value[relative] = 0;
  }

  // Index of the hour that this line says it is; -1 when its date is none.
  int hour_of_year(int line, bool loudly) {
    static constexpr std::array<const char*, 3> names{"month", "day", "hour"};
    std::array<double, 3> v{};
    for (std::size_t k = 0; k < 3; ++k) {
      const Cell& cell = cells_[k + 1];
      double most = k == 0 ? 12 : 24;
      if (k == 1) {
        const auto month = static_cast<std::size_t>(v[0]) - 1;
        most = month_days[month] + (leap_ && month == 1 ? 1 : 0);
      }
      if (!read_number(cell.text, v[k]) || v[k] != std::floor(v[k]) || v[k] < 1 || v[k] > most) {
        if (loudly) {
          complain(line, cell.column,
                   fmt::format("{} '{}', expected 1 to {:g}", names[k], cell.text, most));
        }
        return -1;
      }
    }
    int days = static_cast<int>(v[1]) - 1;
    for (std::size_t m = 0; m + 1 < static_cast<std::size_t>(v[0]); ++m) {
      days += month_days[m] + (leap_ && m == 1 ? 1 : 0);
    }
    return days * 24 + static_cast<int>(v[2]) - 1;
  }

  std::string date(int at) const {
    int day = at / 24;
    std::size_t month = 0;
    while (true) {
      const int length = month_days[month] + (leap_ && month == 1 ? 1 : 0);
      if (day < length) break;
      day -= length;
      ++month;
    }
    return fmt::format("{:02}-{:02} hour {}", month + 1, day + 1, at % 24 + 1);
  }

  void read_hour(int line, int at, int& expected) {
    auto& hour = hours_[static_cast<std::size_t>(at)];
    if (hour.line != 0) {
      complain(line, cells_[1].column,
               fmt::format("{} again, first in line {}", date(at), hour.line),
               "keep one line an hour");
      return;
    }
    if (at < expected) {
      complain(line, cells_[1].column,
               fmt::format("{} stands after {}", date(at), date(expected - 1)),
               "sort the lines by month, day and hour");
    }
    expected = std::max(expected, at + 1);
    hour.line = line;
    for (std::size_t q = 0; q < quantities; ++q) hour.value[q] = read_cell(line, columns[q]);
    need_humidity(line, hour);
  }

  double read_cell(int line, const Column& column) {
    const Cell& cell = cells_[static_cast<std::size_t>(column.index)];
    double v = 0;
    if (cell.text.empty()) return absent(line, cell, column);
    if (!read_number(cell.text, v)) {
      complain(line, cell.column, fmt::format("{}: '{}' is no number", column.name, cell.text));
      return column.low;
    }
    if (v >= column.absent) return absent(line, cell, column);
    if (v < column.low || v > column.high) {
      complain(line, cell.column,
               fmt::format("{} {} {}, expected {:g} to {:g}", column.name, cell.text, column.unit,
                           column.low, column.high),
               fmt::format("nearest possible: {:g}", v < column.low ? column.low : column.high));
      return column.low;
    }
    return v;
  }

  double absent(int line, const Cell& cell, const Column& column) {
    const bool needed = column.index == 6 || column.index == 9;
    if (needed && options_.fill_gap_h <= 0) {
      complain(line, cell.column, fmt::format("{} is missing ('{}')", column.name, cell.text),
               "interpolate short gaps on request, or use another file");
    }
    return missing;
  }

  void need_humidity(int line, Hour& hour) {
    if (!std::isnan(hour.value[relative]) || !std::isnan(hour.value[dew_point])) return;
    if (options_.fill_gap_h > 0) return;
    complain(line, cells_[8].column,
             "relative humidity and dew point are both missing; wet bulb needs one");
  }

  bool whole(const Hour& h) const {
    if (h.line == 0) return false;
    return !std::isnan(h.value[dry_bulb]) && !std::isnan(h.value[pressure]) &&
           !(std::isnan(h.value[relative]) && std::isnan(h.value[dew_point]));
  }

  void fill_gaps() {
    if (options_.fill_gap_h <= 0) return;
    std::size_t at = 0;
    while (at < hours_.size()) {
      if (whole(hours_[at])) {
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < hours_.size() && !whole(hours_[end])) ++end;
      const bool enclosed = at > 0 && end < hours_.size();
      if (enclosed && end - at <= static_cast<std::size_t>(options_.fill_gap_h)) {
        interpolate(at, end);
      } else {
        complain(
            line_near(at), 1,
            fmt::format(
                "{} hours from {} have no usable values; {}", end - at, date(static_cast<int>(at)),
                enclosed ? fmt::format("gaps of up to {} h are interpolated", options_.fill_gap_h)
                         : std::string("no neighbour on both sides")));
      }
      at = end;
    }
  }

  void interpolate(std::size_t from, std::size_t to) {
    auto humid = [](const Hour& h) {
      return std::isnan(h.value[relative])
                 ? 100 * saturation_pa(h.value[dew_point]) / saturation_pa(h.value[dry_bulb])
                 : h.value[relative];
    };
    const Hour before = hours_[from - 1], after = hours_[to];
    for (std::size_t i = from; i < to; ++i) {
      const double x = static_cast<double>(i - from + 1) / static_cast<double>(to - from + 1);
      Hour& h = hours_[i];
      if (h.line == 0) h.value.fill(missing);
      for (std::size_t q = 0; q < quantities; ++q) {
        if (q == relative || q == dew_point || !std::isnan(h.value[q])) continue;
        h.value[q] = before.value[q] + x * (after.value[q] - before.value[q]);
      }
      if (std::isnan(h.value[relative]) && std::isnan(h.value[dew_point])) {
        h.value[relative] = humid(before) + x * (humid(after) - humid(before));
      }
      h.line = before.line;
      ++out_.interpolated;
    }
  }

  int line_near(std::size_t at) const {
    for (std::size_t i = at; i < hours_.size(); ++i) {
      if (hours_[i].line != 0) return hours_[i].line;
    }
    return static_cast<int>(lines_.size());
  }

  void report_absent_hours() {
    if (options_.fill_gap_h > 0) return;
    std::size_t at = 0;
    while (at < hours_.size()) {
      std::size_t end = at;
      while (end < hours_.size() && hours_[end].line == 0) ++end;
      if (end > at) {
        complain(line_near(at), 1,
                 fmt::format("{} hour{} missing before this line: {} to {}", end - at,
                             end - at == 1 ? "" : "s", date(static_cast<int>(at)),
                             date(static_cast<int>(end) - 1)),
                 "interpolate short gaps on request, or use another file");
      }
      at = end + 1;
    }
  }

  void derive() {
    for (const Hour& h : hours_) {
      const double db = h.value[dry_bulb], p = h.value[pressure];
      const double w = std::isnan(h.value[relative])
                           ? humidity_of_dew_point(std::min(h.value[dew_point], db), p)
                           : humidity_of_relative(db, std::min(h.value[relative], 100.0) / 100, p);
      out_.dry_bulb_c.push_back(db);
      out_.pressure_pa.push_back(p);
      out_.humidity.push_back(w);
      out_.wet_bulb_c.push_back(wet_bulb_c(db, w, p));
      out_.dew_point_c.push_back(std::min(db, dew_point_c(w, p)));
      derive_rest(h);
    }
    if (out_.interpolated > 0) {
      out_.remarks.push_back(fmt::format("{} hours interpolated", out_.interpolated));
    }
  }

  void derive_rest(const Hour& h) {
    const auto or_zero = [](double v) { return std::isnan(v) ? 0.0 : v; };
    if (std::isnan(h.value[global]) || std::isnan(h.value[direct]) || std::isnan(h.value[diffuse]))
      ++out_.without_sun;
    if (std::isnan(h.value[wind_speed])) ++out_.without_wind;
    out_.global_w_m2.push_back(or_zero(h.value[global]));
    out_.direct_w_m2.push_back(or_zero(h.value[direct]));
    out_.diffuse_w_m2.push_back(or_zero(h.value[diffuse]));
    out_.wind_from_deg.push_back(or_zero(h.value[wind_from]));
    out_.wind_m_s.push_back(or_zero(h.value[wind_speed]));
  }

  const std::string& name_;
  std::string_view text_;
  EpwOptions options_;
  Diagnostics diagnostics_;
  std::vector<std::string_view> lines_;
  std::vector<Cell> cells_;
  std::vector<Hour> hours_;
  WeatherYear out_;
  bool leap_ = false;
};

}  // namespace

Result<WeatherYear> parse_epw(const std::string& name, std::string_view text,
                              const EpwOptions& options) {
  return Parser(name, text, options).run();
}

Result<WeatherYear> read_epw(const std::string& path, const EpwOptions& options) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    Diagnostic d;
    d.file = path;
    d.message = "cannot be read";
    return failure(std::move(d));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return parse_epw(path, text.str(), options);
}

}  // namespace headroom::cooling
