#include "cooling/weather.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "base/random.hpp"
#include "cooling/psychrometrics.hpp"

namespace headroom::cooling {
namespace {

using catalog::Climate;
using catalog::ClimateBin;

constexpr std::size_t year_hours = 8760;

// --- The climate's distribution -----------------------------------------------

double centre(const ClimateBin& bin, bool wet) {
  return catalog::absolute(wet ? bin.wet_bulb : bin.dry_bulb).in_celsius();
}

// The year's values in ascending order: hours of a bin spread evenly and
// symmetrically about its mean, as far as the bin's nearer edge.
std::vector<double> ascending(const std::vector<ClimateBin>& bins, bool wet) {
  std::vector<double> out;
  double total = 0;
  for (const auto& bin : bins) total += bin.hours.get().in(hour);
  double so_far = 0;
  for (const auto& bin : bins) {
    so_far += bin.hours.get().in(hour) / total * static_cast<double>(year_hours);
    const double mean = centre(bin, wet);
    const double low = std::floor(mean / Climate::bin_width_k) * Climate::bin_width_k;
    const double reach = std::min(mean - low, low + Climate::bin_width_k - mean);
    const auto end = std::min(year_hours, static_cast<std::size_t>(std::lround(so_far)));
    const double count = static_cast<double>(end - std::min(end, out.size()));
    for (double k = 0.5; out.size() < end; k += 1) {
      out.push_back(mean + reach * (2 * k / count - 1));
    }
  }
  return out;
}

// The climate's mean wet bulb at a dry bulb, between the bins in a straight line.
class WetGivenDry {
 public:
  explicit WetGivenDry(const Climate& climate) {
    for (const auto& bin : climate.by_dry_bulb) {
      dry_.push_back(centre(bin, false));
      wet_.push_back(centre(bin, true));
    }
  }
  double operator()(double dry) const {
    const auto above = std::upper_bound(dry_.begin(), dry_.end(), dry);
    if (above == dry_.begin()) return wet_.front() + (dry - dry_.front());
    if (above == dry_.end()) return wet_.back();
    const auto i = static_cast<std::size_t>(above - dry_.begin());
    const double x = (dry - dry_[i - 1]) / (dry_[i] - dry_[i - 1]);
    return wet_[i - 1] + x * (wet_[i] - wet_[i - 1]);
  }

 private:
  std::vector<double> dry_, wet_;
};

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

double deviation_of(const std::vector<double>& v) {
  const double m = mean_of(v);
  double sum = 0;
  for (double x : v) sum += (x - m) * (x - m);
  return std::sqrt(sum / static_cast<double>(v.size()));
}

// --- What orders the hours ----------------------------------------------------

constexpr double persistence_h = 30;  // e-folding of weather systems, assumed

std::vector<double> red_noise(const Stream& stream, std::uint64_t entity) {
  const double keep = std::exp(-1 / persistence_h), fresh = std::sqrt(1 - keep * keep);
  std::vector<double> out(year_hours);
  double x = stream.normal(entity, 0);
  for (std::size_t h = 0; h < year_hours; ++h) {
    out[h] = x;
    x = keep * x + fresh * stream.normal(entity, h + 1);
  }
  return out;
}

struct Cycle {
  double season_k = 0, day_k = 0, noise_k = 0;  // amplitudes, and a standard deviation
};

Cycle cycle_of(double deviation, double mean_depression) {
  Cycle c;
  c.day_k = std::min(2 + 0.45 * mean_depression, 1.1 * deviation);
  c.noise_k = deviation / 3;
  const double left = deviation * deviation - c.day_k * c.day_k / 2 - c.noise_k * c.noise_k;
  c.season_k = std::sqrt(2 * std::max(0.0, left));
  return c;
}

// Warmest on 22 July (22 January in the south) and at 15 h.
std::vector<double> driver(const Cycle& c, bool south, const std::vector<double>& noise) {
  std::vector<double> z(year_hours);
  const double warmest = south ? 21.0 : 202.0;
  for (std::size_t h = 0; h < year_hours; ++h) {
    const double day = static_cast<double>(h) / 24.0, of_day = static_cast<double>(h % 24) + 0.5;
    z[h] = c.season_k * std::cos(2 * std::numbers::pi * (day - warmest) / 365.0) +
           c.day_k * std::cos(2 * std::numbers::pi * (of_day - 15) / 24.0) + c.noise_k * noise[h];
  }
  return z;
}

std::vector<std::size_t> order_of(const std::vector<double>& z) {
  std::vector<std::size_t> order(z.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return z[a] < z[b]; });
  return order;
}

std::vector<double> by_rank(const std::vector<double>& z, const std::vector<double>& values) {
  const auto order = order_of(z);
  std::vector<double> out(z.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = values[i];
  return out;
}

// Gives every hour a wet bulb below its dry bulb without changing what wet bulbs
// there are: from the highest down, each goes to the hour that wants the most
// among those whose dry bulb allows it.
std::vector<double> allot_wet(const std::vector<double>& dry, const std::vector<double>& wanted,
                              const std::vector<double>& values) {
  const auto by_dry = order_of(dry);
  std::vector<std::pair<double, std::size_t>> heap;
  std::vector<double> wet(dry.size());
  std::size_t next = by_dry.size();
  for (std::size_t i = values.size(); i-- > 0;) {
    while (next > 0 && (dry[by_dry[next - 1]] >= values[i] || heap.empty())) {
      --next;
      heap.emplace_back(wanted[by_dry[next]], by_dry[next]);
      std::push_heap(heap.begin(), heap.end());
    }
    std::pop_heap(heap.begin(), heap.end());
    const std::size_t at = heap.back().second;
    heap.pop_back();
    wet[at] = std::min(values[i], dry[at]);
  }
  return wet;
}

void reserve(WeatherYear& w, std::size_t hours) {
  for (auto* v : {&w.dew_point_c, &w.humidity}) v->resize(hours);
  for (auto* v : {&w.wind_m_s, &w.wind_from_deg, &w.global_w_m2, &w.direct_w_m2, &w.diffuse_w_m2}) {
    v->assign(hours, 0.0);
  }
}

// Humidity and dew point from dry bulb, wet bulb and pressure.
void complete(WeatherYear& w) {
  reserve(w, w.hours());
  for (std::size_t h = 0; h < w.hours(); ++h) {
    w.humidity[h] =
        humidity(Temperature::celsius(w.dry_bulb_c[h]), Temperature::celsius(w.wet_bulb_c[h]),
                 Pressure::from_si(w.pressure_pa[h]));
    w.dew_point_c[h] = std::min(w.wet_bulb_c[h], dew_point_c(w.humidity[h], w.pressure_pa[h]));
  }
}

void name_after(WeatherYear& w, const Climate& climate) {
  w.name = climate.name;
  w.source = fmt::format("synthetic year of climate {}", climate.id);
  w.latitude = climate.latitude.or_else(0.0).si();
  w.longitude = climate.longitude.or_else(0.0).si();
  w.utc_offset_h = std::round(w.longitude / 15);
  w.elevation_m = climate.elevation ? climate.elevation.get().in(metre) : 0.0;
  w.without_sun = w.without_wind = year_hours;
  w.remarks.push_back(
      fmt::format("synthetic year from the statistics of climate {}; no wind, no sun", climate.id));
}

// --- Design days --------------------------------------------------------------

std::size_t hottest(const std::vector<double>& v) {
  return static_cast<std::size_t>(std::max_element(v.begin(), v.end()) - v.begin());
}

// Mean of `other` over hours whose `v` is within a kelvin of `at`.
double mean_beside(const std::vector<double>& v, const std::vector<double>& other, double at) {
  double sum = 0, count = 0;
  for (std::size_t h = 0; h < v.size(); ++h) {
    if (std::abs(v[h] - at) <= 1) sum += other[h], count += 1;
  }
  return count > 0 ? sum / count : at;
}

}  // namespace

WeatherYear synthetic_year(const Climate& climate, std::uint64_t seed) {
  WeatherYear w;
  name_after(w, climate);
  auto dry = ascending(climate.by_dry_bulb, false);
  auto wet = ascending(climate.by_wet_bulb, true);
  if (dry.size() < year_hours || wet.size() < year_hours) {  // no histogram: the mean throughout
    dry.assign(year_hours,
               climate.dry_bulb.mean ? catalog::absolute(climate.dry_bulb.mean).in_celsius() : 15);
    wet.assign(year_hours,
               std::min(dry[0], climate.wet_bulb.mean
                                    ? catalog::absolute(climate.wet_bulb.mean).in_celsius()
                                    : 10));
  }
  if (climate.dry_bulb.max) dry.back() = catalog::absolute(climate.dry_bulb.max).in_celsius();
  if (climate.wet_bulb.max) wet.back() = catalog::absolute(climate.wet_bulb.max).in_celsius();
  const Stream stream(seed, "weather." + climate.id);
  const Cycle cycle = cycle_of(deviation_of(dry), mean_of(dry) - mean_of(wet));
  w.dry_bulb_c = by_rank(driver(cycle, w.latitude < 0, red_noise(stream, 0)), dry);
  const WetGivenDry usual(climate);
  const auto noise = red_noise(stream, 1);
  // Wet bulbs at one dry bulb scatter by about half the depression (assumed; the sum over
  // dry bulbs is the climate's in any case).
  std::vector<double> wanted(year_hours);
  for (std::size_t h = 0; h < year_hours; ++h) {
    const double t = w.dry_bulb_c[h];
    const double at = climate.by_dry_bulb.empty() ? t : usual(t);
    wanted[h] = at + 0.5 * std::max(0.5, t - at) * noise[h];
  }
  w.wet_bulb_c = allot_wet(w.dry_bulb_c, wanted, wet);
  w.pressure_pa.assign(year_hours, climate.pressure().si());
  complete(w);
  return w;
}

WeatherYear shifted(const WeatherYear& weather, double warmer_k, HumidityHeld held) {
  WeatherYear w = weather;
  for (std::size_t h = 0; h < w.hours(); ++h) {
    const double p = w.pressure_pa[h];
    const double relative = std::min(1.0, relative_of_humidity(w.dry_bulb_c[h], w.humidity[h], p));
    w.dry_bulb_c[h] += warmer_k;
    const double saturated = humidity_of_relative(w.dry_bulb_c[h], 1, p);
    w.humidity[h] = held == HumidityHeld::relative
                        ? humidity_of_relative(w.dry_bulb_c[h], relative, p)
                        : std::min(w.humidity[h], saturated);
    w.wet_bulb_c[h] = wet_bulb_c(w.dry_bulb_c[h], w.humidity[h], p);
    w.dew_point_c[h] = std::min(w.wet_bulb_c[h], dew_point_c(w.humidity[h], p));
  }
  w.station = {};  // statistics of another climate
  w.remarks.push_back(
      fmt::format("{:+.1f} K, {} held", warmer_k,
                  held == HumidityHeld::relative ? "relative humidity" : "dew point"));
  return w;
}

double exceeded_in(const std::vector<double>& hourly, double share) {
  if (hourly.empty()) return 0;
  std::vector<double> v = hourly;
  const double above = std::clamp(share, 0.0, 1.0) * static_cast<double>(v.size());
  const auto rank = std::min(v.size() - 1, static_cast<std::size_t>(above));
  auto at = v.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(v.begin(), at, v.end(), std::greater<>());
  return *at;
}

DesignDays design_days(const WeatherYear& w) {
  DesignDays d;
  if (w.hours() == 0) return d;
  const double p = mean_of(w.pressure_pa);
  const double dry = exceeded_in(w.dry_bulb_c, 0.004), wet = exceeded_in(w.wet_bulb_c, 0.004);
  d.by_dry_bulb = {dry, std::min(dry, mean_beside(w.dry_bulb_c, w.wet_bulb_c, dry)), p};
  d.by_wet_bulb = {std::max(wet, mean_beside(w.wet_bulb_c, w.dry_bulb_c, wet)), wet, p};
  const std::size_t hot = hottest(w.dry_bulb_c), humid = hottest(w.wet_bulb_c);
  d.extreme = {w.dry_bulb_c[hot], w.wet_bulb_c[hot], p};
  d.extreme_wet = {w.dry_bulb_c[humid], w.wet_bulb_c[humid], p};
  if (w.station.extremes) {
    d.extreme.dry_bulb_c = std::max(d.extreme.dry_bulb_c, w.station.extreme_dry_bulb_c);
  }
  if (w.station.has_wet_extreme) {
    d.extreme_wet.wet_bulb_c = std::max(d.extreme_wet.wet_bulb_c, w.station.extreme_wet_bulb_c);
    d.extreme_wet.dry_bulb_c = std::max(d.extreme_wet.dry_bulb_c, d.extreme_wet.wet_bulb_c);
  }
  return d;
}

}  // namespace headroom::cooling
