#include "site/carbon_hours.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/hours_file.hpp"

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

HoursFormat carbon_format() {
  HoursFormat f;
  f.what = "carbon intensity", f.low = 0, f.example = "carbon intensity gCO2e/kWh";
  f.heads = {"carbon intensity", "carbon_intensity", "gco2", "gco₂"};
  return f;
}

/// Grams a kWh unless the head says kilograms a kWh or tonnes a MWh.
std::vector<double> kg_per_j(HoursColumn column) {
  const auto says = [&](const char* text) { return column.head.find(text) != std::string::npos; };
  const double kg_kwh = says("kg") || says("t/mwh") ? 1 : 1e-3;
  for (double& x : column.values) x *= kg_kwh / j_per_kwh;
  return std::move(column.values);
}

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
  return parse_hours(name, text, carbon_format()).map(kg_per_j);
}

headroom::Result<std::vector<double>> read_carbon(const std::string& path) {
  return read_hours(path, carbon_format()).map(kg_per_j);
}

}  // namespace headroom::site
