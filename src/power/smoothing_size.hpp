// Which smoothing meets a target, how much of it, and what it costs in a year.
//
// TARGET. Ramps over one second and one minute, range, and the strongest line of a band, all in
// watts (waveform_measures.hpp, spectrum.hpp). `judge` says which of them a series breaks.
//
// SIZE of a storage: the shortest time constant whose low pass meets the target, by bisection (each
// measure falls as tau grows); then charge swing (of the second half, when
// it has settled) and power of that run. A target that the fast part
// beyond the storage's bandwidth already breaks cannot be met by it.
//
// LIFE. Batteries wear by throughput: `cycles` full ones (derated by nothing for shallow cycles, on
// the safe side). Storage that must last `life` holds at least
//
//   C >= throughput a year x life / cycles
//
// which for a swing every few seconds is far more than the swing itself. Its power rating is P.
//
// COST a year = (C usd_j + P usd_w) x capital recovery(rate, life) + losses x energy price; of a
// power floor: burned energy x price.
//
//   capital recovery = i / (1 - (1 + i)^-n)
//
// Complexity: some twenty runs of smooth and spectrum. No errors; `met` says whether. Thread-safe.
#pragma once

#include <string>

#include "power/smoothing.hpp"
#include "power/spectrum.hpp"
#include "power/waveform_measures.hpp"

namespace headroom::power {

struct Target {
  // Infinite: not asked.
  double ramp_second_w_s = std::numeric_limits<double>::infinity();
  double ramp_minute_w_s = std::numeric_limits<double>::infinity();
  double range_w = std::numeric_limits<double>::infinity();
  double line_w = std::numeric_limits<double>::infinity();  ///< strongest line of the band
  double low_hz = 0.1, high_hz = 20;
};

struct Judged {
  Measures measures;
  Spectrum spectrum;
  bool ramp_second = true, ramp_minute = true, range = true, line = true;  ///< holds
  bool all() const { return ramp_second && ramp_minute && range && line; }
};
Judged judge(const Series& series, double dt_s, const Target& target);

/// A kind of storage on the market.
struct StorageKind {
  std::string key, name;
  double round_trip = 0.9;
  double bandwidth_hz = 0;
  double recentre = 8;  ///< time of re-centring over tau
  double usd_j = 0, usd_w = 0;
  double life_s = 0;
  double cycles = 0;  ///< full ones it bears; 0: wear is not counted
};

struct StorageSize {
  bool met = false;
  double tau_s = 0;
  double swing_j = 0, most_w = 0;
  double capacity_j = 0;   ///< for swing and life
  double loss_w = 0;       ///< mean
  double cycles_year = 0;  ///< full ones of `swing_j`
  double usd = 0, usd_year = 0;
  Judged residual;
};

struct Prices {
  double usd_j = 0;          ///< of energy
  double rate = 0.09;        ///< of capital, a year
  double hours_year = 8760;  ///< in which the waveform runs
};

/// Smallest storage of this kind after which `series` meets the target.
StorageSize size_storage(const Series& series, double dt_s, const StorageKind& kind,
                         const Target& target, const Prices& prices);

/// Capital and yearly cost of so much storage of a kind, at the prices given.
double capital(const StorageKind& kind, double capacity_j, double power_w);
double recovery(double rate, double years);

}  // namespace headroom::power
