// Spectrum: which frequencies a power waveform holds, and how much of each.
//
// Three ways to the same figures, so that each can be held against the others:
//   fft       radix-2, any power of two, O(n log n)
//   dft       one coefficient by its definition, O(n)
//   fourier   closed form of one coefficient of a period, over its linear pieces:
//             c_n = 1/T sum_i integral (w_i + s_i x) exp(-i 2 pi n (t_i + x) / T) dx
//
// PARSEVAL. sum |x_k|^2 = 1/N sum |X_m|^2, tested to 1e-12.
//
// `spectrum` takes a series of means (waveform.hpp), removes its mean, applies a Hann window, and
// gives for every frequency the amplitude of a sinusoid that would hold what its five nearest bins
// hold (Hann's main lobe is four bins wide):
//
//   A(f) = sqrt(2 sum_{|j| <= 2} |W_j|^2 / (N sum w^2)) / sinc(f dt)
//
// where sinc undoes the averaging within a sample. Exact for a line on a bin, within 0.2 % between
// bins; lines closer than 5 / (N dt) are counted together. `band_rms` is the root of the power of
// all bins from low to high (Parseval, window compensated).
//
// No errors; empty input gives zeros. Thread-safe.
#pragma once

#include <complex>
#include <vector>

#include "power/waveform.hpp"

namespace headroom::power {

/// In place; the size is a power of two.
void fft(std::vector<std::complex<double>>& x);
/// sum_k x_k exp(-2 pi i k m / N)
std::complex<double> dft(const Series& x, std::size_t m);
/// Fourier coefficient of the period, W; |2 c_n| is the amplitude of the nth harmonic.
std::complex<double> fourier(const PeriodWave& wave, int n);

struct Line {
  double hz = 0, amplitude_w = 0;
};

struct Spectrum {
  double low_hz = 0, high_hz = 0;
  double band_rms_w = 0;           ///< of all from low to high
  double total_rms_w = 0;          ///< of the whole series about its mean
  Line strongest;                  ///< within the band
  std::vector<Line> lines;         ///< local maxima of the band, strongest first, at most sixteen
  std::vector<float> amplitude_w;  ///< by bin from 0; bin k is k x step_hz
  double step_hz = 0;
};

/// Uses the first 2^k samples of the series.
Spectrum spectrum(const Series& series, double dt_s, double low_hz, double high_hz);

}  // namespace headroom::power
