// Smoothing: storage between a swinging load and the grid.
//
// Shelf capacitors, UPS batteries and a site's BESS are one law with other numbers. The storage
// holds E joules of C and gives the grid a power that droops with its charge, a virtual capacitor:
//
//   grid   x = R + (E_n - E) / tau          E_n = C / 2, R the reference
//   store  p = x - L                        charging positive; E' = eta p, or p / eta when p < 0
//   ->     tau x' = L - x  (eta = 1)        a first-order low pass of the load L
//
// so a load step D moves the charge by tau D, and a square wave of peak-to-peak D and period T
// swings it by tau D tanh(T / 4 tau), which is D T / 4 when tau is long: the least that any
// storage needs to flatten that wave. eta is the root of the round trip's efficiency.
//
//   re-centring  R moves by (E_n - E) / (tau recentre) a second, sampled: no offset is left after
//                a lasting step
//   power        |p| <= P
//   full, empty  what cannot be taken passes to the grid
//   bandwidth    storage acts on the load's slow part, a first-order low pass of corner f_b; what
//                is faster passes to the grid
//
// STEPPING is exact within a sample of constant load: exponentials from event to event (power
// limit left, charge full or empty), no step size to choose. Series hold means, so
//
//   energy in = load + losses + stored, to rounding (1e-12 of the energy; tested to 1e-9)
//
// Complexity: one exponential a sample; 20 ns. No errors. Thread-safe.
#pragma once

#include <limits>
#include <string>

#include "power/waveform.hpp"

namespace headroom::power {

struct Storage {
  double capacity_j = std::numeric_limits<double>::infinity();
  double power_w = std::numeric_limits<double>::infinity();
  double round_trip = 1;    ///< efficiency, out over in
  double tau_s = 1;         ///< > 0
  double recentre_s = 0;    ///< 0: never
  double bandwidth_hz = 0;  ///< of its control; 0: without limit
};

struct Smoothed {
  Series grid;              ///< what is drawn above the storage
  double loss_j = 0;        ///< of conversion
  double stored_j = 0;      ///< at the end, less at the beginning
  double throughput_j = 0;  ///< discharged at the terminals
  double swing_j = 0;       ///< highest less lowest charge
  double settled_j = 0;     ///< the same in the second half of the series
  double most_w = 0;        ///< largest power of the storage
  double saturated_s = 0;   ///< time full or empty while more was asked
};

/// The storage rests at the first sample's load, or at `rest_w` when that is given.
Smoothed smooth(const Series& load, double dt_s, const Storage& storage,
                double rest_w = std::numeric_limits<double>::quiet_NaN());

/// Energy swing that flattens a square wave: D duty (1 - duty) T; D T / 4 at one half.
double square_swing(double peak_to_peak_w, double period_s, double duty);

}  // namespace headroom::power
