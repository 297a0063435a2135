#include "supply/profiles.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/random.hpp"

namespace headroom::supply {
namespace {

constexpr double pi = 3.14159265358979323846, degree = pi / 180;

struct Sun {
  double cos_zenith = 0, cos_panel = 0;
};

/// Middle of the hour.
Sun sun_at(const Sky& sky, std::size_t h) {
  const double day = double(h / 24) + 1, b = 2 * pi * (day - 1) / 365;
  const double declination = 23.45 * degree * std::sin(2 * pi * (284 + day) / 365);
  const double equation_min = 229.18 * (0.000075 + 0.001868 * std::cos(b) - 0.032077 * std::sin(b) -
                                        0.014615 * std::cos(2 * b) - 0.040849 * std::sin(2 * b));
  const double solar_h =
      double(h % 24) + 0.5 + (sky.longitude - 15 * sky.utc_offset_h) / 15 + equation_min / 60;
  const double angle = (solar_h - 12) * 15 * degree, lat = sky.latitude * degree;
  // Tilt equals the latitude: the panel sees the sun as one at the equator would.
  return {std::sin(lat) * std::sin(declination) +
              std::cos(lat) * std::cos(declination) * std::cos(angle),
          std::cos(declination) * std::cos(angle)};
}

/// Erbs: diffuse share of global by clearness.
double diffuse_share(double kt) {
  if (kt <= 0.22) return 1 - 0.09 * kt;
  if (kt > 0.8) return 0.165;
  return 0.9511 - 0.1604 * kt + 4.388 * kt * kt - 16.638 * kt * kt * kt +
         12.336 * kt * kt * kt * kt;
}

struct Radiation {
  double global = 0, direct = 0, diffuse = 0;
};

Radiation clear_sky(double cos_zenith, double clearness) {
  if (cos_zenith <= 0.01) return {};
  Radiation r;
  r.global = clearness * 1098 * cos_zenith * std::exp(-0.059 / cos_zenith);
  r.diffuse = r.global * diffuse_share(r.global / (1367 * cos_zenith));
  r.direct = (r.global - r.diffuse) / cos_zenith;
  return r;
}

double panel(const Sky& sky, std::size_t h, const Radiation& r) {
  constexpr double dc_ac = 1.2, losses = 0.14, per_k = -0.0035, rise_k = 25.0 / 800;
  const Sun sun = sun_at(sky, h);
  const double tilt = std::cos(std::abs(sky.latitude) * degree);
  const double beam = sun.cos_zenith > 0 ? r.direct * std::max(0.0, sun.cos_panel) : 0;
  const double poa = beam + r.diffuse * (1 + tilt) / 2 + 0.2 * r.global * (1 - tilt) / 2;
  const double air = sky.dry_bulb_c.empty() ? 20 : sky.dry_bulb_c[h];
  const double cell = 1 + per_k * (air + rise_k * poa - 25);
  return std::clamp(dc_ac * poa / 1000 * (1 - losses) * cell, 0.0, 1.0);
}

std::vector<double> by_factor(double target, std::size_t hours,
                              const std::function<double(std::size_t, double)>& share) {
  const auto year = [&](double f) {
    std::vector<double> out(hours);
    for (std::size_t h = 0; h < hours; ++h) out[h] = share(h, f);
    return out;
  };
  const auto mean = [&](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return v.empty() ? 0 : sum / double(v.size());
  };
  auto out = year(1);
  if (target <= 0 || mean(out) <= 0) return out;
  double low = 0, high = 1;
  while (high < 64 && mean(year(high)) < target) high *= 2;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (mean(year(middle)) < target ? low : high) = middle;
  }
  return year(high);
}

double turbine(double speed) {
  constexpr double losses = 0.1, in = 3, full = 12, out = 25;
  if (speed < in || speed > out) return 0;
  const double x =
      std::min(1.0, (speed * speed * speed - in * in * in) / (full * full * full - in * in * in));
  return (1 - losses) * x;
}

std::vector<double> synthetic_wind(std::size_t hours) {
  constexpr double mean = 7.5, fold_h = 30;
  const Stream stream(1, "supply/wind");
  const double keep = std::exp(-1 / fold_h), fresh = std::sqrt(1 - keep * keep);
  const double scale = mean / std::tgamma(1.5);
  std::vector<double> out(hours);
  double x = stream.normal(0, 0);
  for (std::size_t h = 0; h < hours; ++h) {
    x = keep * x + fresh * stream.normal(0, h + 1);
    const double above = 0.5 * std::erfc(x / std::sqrt(2.0));  // chance of a higher value
    out[h] = scale * std::sqrt(-std::log(std::max(above, 1e-300)));
  }
  return out;
}

}  // namespace

std::vector<double> solar_share(const Sky& sky, double capacity_factor) {
  std::vector<double> out(sky.hours);
  const bool measured = !sky.global_w_m2.empty();
  const Stream stream(1, "supply/cloud");
  double z = stream.normal(0, 0);
  for (std::size_t h = 0; h < sky.hours; ++h) {
    if (h % 24 == 0) z = 0.6 * z + 0.8 * stream.normal(0, h / 24 + 1);
    const double clearness = std::clamp(0.72 + 0.22 * z, 0.15, 1.0);
    const Radiation r = measured
                            ? Radiation{sky.global_w_m2[h], sky.direct_w_m2[h], sky.diffuse_w_m2[h]}
                            : clear_sky(sun_at(sky, h).cos_zenith, clearness);
    out[h] = panel(sky, h, r);
  }
  return by_factor(capacity_factor, sky.hours,
                   [&](std::size_t h, double f) { return std::min(1.0, f * out[h]); });
}

std::vector<double> wind_share(const Sky& sky, double capacity_factor) {
  const double raise = std::pow(10.0, 1.0 / 7);
  auto speed = sky.wind_m_s.empty() ? synthetic_wind(sky.hours) : sky.wind_m_s;
  if (!sky.wind_m_s.empty())
    for (double& v : speed) v *= raise;
  return by_factor(capacity_factor, sky.hours,
                   [&](std::size_t h, double f) { return turbine(f * speed[h]); });
}

}  // namespace headroom::supply
