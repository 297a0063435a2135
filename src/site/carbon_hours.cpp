#include "site/carbon_hours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

namespace headroom::site {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double j_per_kwh = 3.6e6;

double half_sine(double hour, double from, double to) {
  return hour > from && hour < to ? std::sin(pi * (hour - from) / (to - from)) : 0;
}

double factor(CarbonProfile profile, double hour, double day, double days) {
  const double season = std::cos(2 * pi * (day - 172) / days);  // 1 on 21 June
  switch (profile) {
    case CarbonProfile::solar:
      return 1 - (0.30 + 0.15 * season) * half_sine(hour, 8, 18) + 0.12 * half_sine(hour, 18, 22);
    case CarbonProfile::thermal:
      return 1 + 0.12 * std::cos(2 * pi * (hour - 17) / 24) + 0.05 * season;
    case CarbonProfile::wind:
      return 1 + 0.08 * std::cos(2 * pi * (hour - 14) / 24) + 0.15 * season;
    case CarbonProfile::flat:
      break;
  }
  return 1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '"' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '"' || s.back() == '\r' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

/// A cell and the column where it starts.
struct Cell {
  std::string_view text;
  int column = 1;
};

std::vector<Cell> cells_of(std::string_view line) {
  std::vector<Cell> cells;
  std::size_t at = 0;
  while (true) {
    const auto end = std::min(line.find_first_of(",;", at), line.size());
    cells.push_back({trimmed(line.substr(at, end - at)), static_cast<int>(at) + 1});
    if (end >= line.size()) return cells;
    at = end + 1;
  }
}

bool number(std::string_view text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  headroom::Result<std::vector<double>> read(std::string_view text) {
    int line = 0;
    while (!text.empty()) {
      ++line;
      const auto end = std::min(text.find('\n'), text.size());
      const auto content = trimmed(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (content.empty()) continue;
      const auto cells = cells_of(content);
      double value = 0;
      if (first_) {
        first_ = false;
        if (std::none_of(cells.begin(), cells.end(),
                         [&](const Cell& c) { return number(c.text, value); })) {
          head(cells, line);
          continue;
        }
        if (cells.size() > 1)
          fail(line, 1, "several columns without a head line", "name the one of the intensity");
      }
      add(cells, line);
    }
    const std::size_t n = hours_.size() + faults_;
    if (n != 8760 && n != 8784)
      fail(line, 1, fmt::format("{} hours", n), "8,760 or 8,784 lines, from 1 January 0:00");
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    return std::move(hours_);
  }

 private:
  void head(const std::vector<Cell>& cells, int line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto name = lower(cells[i].text);
      const bool says = name.find("carbon intensity") != std::string::npos ||
                        name.find("carbon_intensity") != std::string::npos ||
                        name.find("gco2") != std::string::npos ||
                        name.find("kgco2") != std::string::npos ||
                        name.find("gco₂") != std::string::npos;
      if (!says && cells.size() > 1) continue;
      column_ = i;
      const bool kilo =
          name.find("kg") != std::string::npos || name.find("t/mwh") != std::string::npos;
      kg_kwh_ = kilo ? 1 : 1e-3;
      return;
    }
    fail(line, 1, "no column of carbon intensity", "name one 'carbon intensity gCO2e/kWh'");
  }

  void add(const std::vector<Cell>& cells, int line) {
    if (column_ >= cells.size()) {
      ++faults_;
      return fail(line, 1, fmt::format("{} columns", cells.size()),
                  fmt::format("intensity is column {}", column_ + 1));
    }
    const Cell& c = cells[column_];
    double value = 0;
    if (!number(c.text, value) || !(value >= 0) || !std::isfinite(value)) {
      ++faults_;
      return fail(line, c.column, fmt::format("'{}' is no carbon intensity", c.text),
                  "a number of at least 0");
    }
    hours_.push_back(value * kg_kwh_ / j_per_kwh);
  }

  void fail(int line, int column, std::string message, std::string hint) {
    mistakes_.add({name_, line, column, "", std::move(message), std::move(hint), ""});
  }

  const std::string& name_;
  Diagnostics mistakes_;
  std::vector<double> hours_;
  std::size_t column_ = 0, faults_ = 0;
  double kg_kwh_ = 1e-3;
  bool first_ = true;
};

}  // namespace

std::span<const std::string_view> carbon_profile_names() {
  static constexpr std::array<std::string_view, 4> names{"solar", "flat", "thermal", "wind"};
  return names;
}

std::vector<double> carbon_shape(CarbonProfile profile, std::size_t hours) {
  std::vector<double> shape(hours, 1.0);
  double sum = 0;
  for (std::size_t h = 0; h < hours; ++h) {
    shape[h] = factor(profile, static_cast<double>(h % 24) + 0.5, static_cast<double>(h / 24),
                      static_cast<double>(hours) / 24);
    sum += shape[h];
  }
  for (double& x : shape) x *= static_cast<double>(hours) / sum;
  return shape;
}

headroom::Result<std::vector<double>> parse_carbon(const std::string& name, std::string_view text) {
  return Reader(name).read(text);
}

headroom::Result<std::vector<double>> read_carbon(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    Diagnostics mistakes;
    mistakes.add({path, 0, 0, "", "cannot be read", "a CSV file with a line an hour", ""});
    return failure(std::move(mistakes));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_carbon(path, text);
}

}  // namespace headroom::site
