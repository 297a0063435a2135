// What utilities and makers of generators ask of a power waveform.
//
//   range      peak - trough of the samples; over the mean, or over a rating
//   ramp       largest change between the means of two adjoining windows of T, over T:
//                max_t |mean[t, t + T) - mean[t - T, t)| / T
//              a straight ramp of r W/s has exactly r; a step D has D / T
//   flicker    Pst of like rectangular voltage changes by the analytical method of IEC 61000-3-3
//              (recalled, unverified): each change of d % leaves t_f = 2.3 d^3.2 seconds of
//              impression, Pst = (sum t_f / 600 s)^(1/3.2) over ten minutes; for changes that are
//              at least 1 s apart
//   voltage    change of voltage of a power step at unity power factor:
//                dU / U = dP / S_sc / sqrt(1 + (X/R)^2)
//
// Complexity O(n). No errors; a series shorter than two windows has no ramp (0). Thread-safe.
#pragma once

#include "power/waveform.hpp"

namespace headroom::power {

struct Measures {
  double mean_w = 0, peak_w = 0, trough_w = 0;
  double ramp_second_w_s = 0;  ///< T = 1 s
  double ramp_minute_w_s = 0;  ///< T = 60 s; 0: the series is too short to say
  double range_w() const { return peak_w - trough_w; }
  double range() const { return mean_w > 0 ? range_w() / mean_w : 0; }
};
Measures measure(const Series& series, double dt_s);

double ramp(const Series& series, double dt_s, double window_s);

/// Relative change of voltage where the short circuit has `short_circuit_w` (VA).
double voltage_change(double step_w, double short_circuit_w, double x_over_r);
/// Pst of `changes` rectangular changes of relative size `change` in ten minutes.
double flicker(double change, double changes);

}  // namespace headroom::power
