// What a user writes about transients: limits of the utility and of generators, how the machines
// swing, what smooths them, and how the site rides through sags.
//
//   power:
//     transient:
//       ramp: 10 MW/min                   # between means of a minute
//       range: 10 %                       # peak to trough, of the rating
//       band: 1 %                         # strongest line between 0.1 and 20 Hz
//       generator: {step: 20 %}
//       gpu: {floor: 80 %, ramp: 10 MW/min}
//       shelf: {energy: 65 J}             # of one accelerator
//       ups: {energy: 2 kWh, power: 5 MW}
//       bess: {energy: 10 MWh, power: 20 MW}
//       ride: {count: 3, manual_return: 4 h}
//       sags: [30%@60ms x6/82s]
//
// The rating is the import agreed with the utility, else the most at the meter. What is left out
// takes the default its field names; `limits_of` fills them in, each with its source.
#pragma once

#include <string>
#include <vector>

#include "power/ride_through.hpp"
#include "spec/fields.hpp"

namespace headroom::power {

using PowerRamp = Quantity<Dim{.m = 2, .kg = 1, .s = -4}>;  ///< W/s, MW/min

struct GeneratorLimitSpec {
  Value<Scalar> step;  ///< sudden change over the bank's rating
  void fields(spec::Fields& f);
};

struct GpuControlSpec {
  Value<Scalar> floor;    ///< of the accelerator's maximum
  Value<PowerRamp> ramp;  ///< of a job, at the meter of its accelerators
  void fields(spec::Fields& f);
};

struct ShelfSpec {
  Value<Energy> energy;  ///< of one accelerator
  void fields(spec::Fields& f);
};

struct StorageSpec {
  Value<Energy> energy;
  Value<Power> power;
  Value<Scalar> efficiency;
  Value<Time> response;  ///< time constant within which its power follows
  void fields(spec::Fields& f);
};

struct RideSpec {
  Value<Scalar> transfer_below;
  Value<Time> requalify, walk_in;
  int count = 3;
  Value<Time> count_window, manual_return;
  Value<Time> generator_order, retransfer;
  Value<Time> restart, mechanical_restart;
  int it_curve = 0, mechanical_curve = 1;
  void fields(spec::Fields& f);
};

struct TransientSpec {
  Value<PowerRamp> ramp;
  Value<PowerRamp> ramp_second;
  Value<Scalar> range;
  Value<Scalar> band;
  Value<Rate> band_low, band_high;
  Value<Power> short_circuit;
  Value<Scalar> x_over_r;
  Value<Scalar> flicker;
  Value<Scalar> wait_power;
  Value<Time> spread;
  Value<Time> start, stop;
  GeneratorLimitSpec generator;
  GpuControlSpec gpu;
  ShelfSpec shelf;
  StorageSpec ups, bess;
  RideSpec ride;
  std::vector<std::string> sags;
  void fields(spec::Fields& f);
};

/// A number that is used, and where it comes from.
struct Used {
  double si = 0;
  std::string source;
  bool given = false;  ///< by the scenario
};

/// The limits in SI, defaults filled in for a rating.
struct TransientLimits {
  double rating_w = 0;
  Used ramp_minute_w_s, ramp_second_w_s, range_w, line_w, low_hz, high_hz;
  Used generator_step;  ///< share of the bank
  Used flicker;
};
TransientLimits limits_of(const TransientSpec& spec, double rating_w);

/// The rules of a sag; loads, battery and generators are the caller's.
RideSetup ride_of(const RideSpec& spec);

/// How the machines of the site swing.
struct SwingDefaults {
  Used wait_power, spread_s, start_s, stop_s;
};
SwingDefaults swing_of(const TransientSpec& spec);

}  // namespace headroom::power
