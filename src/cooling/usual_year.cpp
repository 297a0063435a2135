#include "cooling/usual_year.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "cooling/plant_of_design.hpp"

namespace headroom::cooling {
namespace {

constexpr double cell_k = 0.5;
constexpr std::size_t most_kept = 64;

using Signature = std::pair<std::string, std::vector<double>>;

void add(std::vector<double>& out, const Value<TemperatureDifference>& v) {
  out.push_back(v ? v.get().si() : -1);
}

/// Everything that the synthetic year is made of.
Signature signature_of(const catalog::Climate& c) {
  Signature s;
  s.first = c.id;
  auto& v = s.second;
  for (const auto* range : {&c.dry_bulb, &c.wet_bulb})
    for (const auto* x : {&range->mean, &range->min, &range->design, &range->max}) add(v, *x);
  for (const auto* bins : {&c.by_wet_bulb, &c.by_dry_bulb})
    for (const auto& bin : *bins) {
      add(v, bin.wet_bulb), add(v, bin.dry_bulb);
      v.push_back(bin.hours.get().si());
    }
  v.push_back(c.latitude.or_else(0.0).si());
  v.push_back(c.pressure().si());
  v.push_back(c.elevation ? c.elevation.get().si() : -1e9);
  return s;
}

}  // namespace

UsualYear cells_of(const WeatherYear& weather) {
  std::map<std::pair<long, long>, WeatherCell> cells;
  for (std::size_t h = 0; h < weather.hours(); ++h) {
    const double dry = weather.dry_bulb_c[h], wet = weather.wet_bulb_c[h];
    auto& c = cells[{std::lround(dry / cell_k), std::lround(wet / cell_k)}];
    if (c.hours == 0) c.pressure_pa = 0;
    c.dry_bulb_c += dry, c.wet_bulb_c += wet, c.humidity += weather.humidity[h];
    c.pressure_pa += weather.pressure_pa[h], c.hours += 1;
  }
  UsualYear out;
  for (auto& [key, c] : cells) {
    c.dry_bulb_c /= c.hours, c.wet_bulb_c /= c.hours;
    c.humidity /= c.hours, c.pressure_pa /= c.hours;
    out.cells.push_back(c);
  }
  out.days = design_days(weather);
  out.hours = static_cast<double>(weather.hours());
  out.elevation_m = weather.elevation_m;
  out.hottest_c = *std::max_element(weather.dry_bulb_c.begin(), weather.dry_bulb_c.end());
  return out;
}

std::shared_ptr<const UsualYear> usual_year(const catalog::Climate& climate) {
  static std::mutex mutex;
  static std::map<Signature, std::shared_ptr<const UsualYear>> kept;
  auto signature = signature_of(climate);
  {
    const std::lock_guard lock(mutex);
    const auto at = kept.find(signature);
    if (at != kept.end()) return at->second;
  }
  auto year = std::make_shared<const UsualYear>(cells_of(synthetic_year(climate)));
  const std::lock_guard lock(mutex);
  if (kept.size() >= most_kept) kept.clear();
  return kept.emplace(std::move(signature), std::move(year)).first->second;
}

void add_reuse(Plant& plant, const ReuseSpec& spec, const UsualYear& year) {
  double left = spec.hours.given ? spec.hours.get().si() / 3600 : year.hours;
  // Cells stand by dry bulb, the coldest first.
  std::vector<double> profile;
  for (const auto& c : year.cells) {
    profile.push_back(std::clamp(left / c.hours, 0.0, 1.0));
    left -= c.hours;
  }
  profile.push_back(0);  // the design days
  add_reuse(plant, spec, std::move(profile));
}

}  // namespace headroom::cooling
