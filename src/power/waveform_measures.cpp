#include "power/waveform_measures.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::power {

double ramp(const Series& series, double dt_s, double window_s) {
  const auto w = static_cast<std::size_t>(std::llround(window_s / dt_s));
  if (w == 0 || series.size() < 2 * w) return 0;
  double before = 0, after = 0, most = 0;
  for (std::size_t k = 0; k < w; ++k) before += series[k], after += series[k + w];
  most = std::abs(after - before);
  for (std::size_t k = 2 * w; k < series.size(); ++k) {
    before += series[k - w] - series[k - 2 * w];
    after += series[k] - series[k - w];
    most = std::max(most, std::abs(after - before));
  }
  const double span = static_cast<double>(w) * dt_s;
  return most / static_cast<double>(w) / span;
}

Measures measure(const Series& series, double dt_s) {
  Measures m;
  if (series.empty()) return m;
  const auto [low, high] = std::minmax_element(series.begin(), series.end());
  m.trough_w = *low, m.peak_w = *high;
  for (const double p : series) m.mean_w += p;
  m.mean_w /= static_cast<double>(series.size());
  m.ramp_second_w_s = ramp(series, dt_s, 1);
  m.ramp_minute_w_s = ramp(series, dt_s, 60);
  return m;
}

double voltage_change(double step_w, double short_circuit_w, double x_over_r) {
  if (short_circuit_w <= 0) return 0;
  return step_w / short_circuit_w / std::sqrt(1 + x_over_r * x_over_r);
}

double flicker(double change, double changes) {
  constexpr double power = 3.2, impression_s = 2.3, ten_minutes_s = 600;
  if (change <= 0 || changes <= 0) return 0;
  const double seconds = changes * impression_s * std::pow(100 * change, power);
  return std::pow(seconds / ten_minutes_s, 1 / power);
}

}  // namespace headroom::power
