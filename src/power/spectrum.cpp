#include "power/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace headroom::power {
namespace {

using Complex = std::complex<double>;
constexpr double pi = std::numbers::pi;
constexpr std::size_t most_lines = 16;

double sinc(double x) { return x == 0 ? 1 : std::sin(pi * x) / (pi * x); }

std::size_t power_of_two(std::size_t n) {
  std::size_t p = 1;
  while (2 * p <= n) p *= 2;
  return n == 0 ? 0 : p;
}

}  // namespace

void fft(std::vector<Complex>& x) {
  const std::size_t n = x.size();
  if (n < 2) return;
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  std::vector<Complex> turn(n / 2);
  for (std::size_t k = 0; k < n / 2; ++k) {
    const double angle = -2 * pi * static_cast<double>(k) / static_cast<double>(n);
    turn[k] = {std::cos(angle), std::sin(angle)};
  }
  for (std::size_t length = 2; length <= n; length *= 2) {
    const std::size_t half = length / 2, stride = n / length;
    for (std::size_t first = 0; first < n; first += length)
      for (std::size_t k = 0; k < half; ++k) {
        const Complex a = x[first + k], t = turn[k * stride], b0 = x[first + k + half];
        // Written out: the library's product checks for infinities.
        const Complex b{b0.real() * t.real() - b0.imag() * t.imag(),
                        b0.real() * t.imag() + b0.imag() * t.real()};
        x[first + k] = a + b;
        x[first + k + half] = a - b;
      }
  }
}

Complex dft(const Series& x, std::size_t m) {
  Complex sum;
  for (std::size_t k = 0; k < x.size(); ++k) {
    // The product modulo N keeps the angle exact.
    const double angle =
        -2 * pi * static_cast<double>(k * m % x.size()) / static_cast<double>(x.size());
    sum += x[k] * Complex{std::cos(angle), std::sin(angle)};
  }
  return sum;
}

Complex fourier(const PeriodWave& wave, int n) {
  const auto& knots = wave.knots();
  const double period = wave.period_s();
  if (knots.empty() || period <= 0) return {};
  if (n == 0) return wave.mean_w();
  const Complex a{0, -2 * pi * n / period};  // exp(a t)
  Complex sum;
  for (std::size_t i = 0; i < knots.size(); ++i) {
    const auto& k = knots[i];
    const double end = i + 1 < knots.size() ? knots[i + 1].t_s : period;
    const double x = end - k.t_s;
    const Complex e0 = std::exp(a * k.t_s), e1 = std::exp(a * end);
    // integral of (w + s x) e^{a x} = [(w + s x) / a - s / a^2] e^{a x}
    sum += ((k.w + k.slope * x) / a - k.slope / (a * a)) * e1 - (k.w / a - k.slope / (a * a)) * e0;
  }
  return sum / period;
}

Spectrum spectrum(const Series& series, double dt_s, double low_hz, double high_hz) {
  Spectrum out;
  out.low_hz = low_hz, out.high_hz = high_hz;
  const std::size_t n = power_of_two(series.size());
  if (n < 8) return out;
  double mean = 0, square = 0;
  for (std::size_t k = 0; k < n; ++k) mean += series[k];
  mean /= static_cast<double>(n);
  std::vector<Complex> x(n);
  double window_square = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const double w = 0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(k) / static_cast<double>(n));
    const double d = series[k] - mean;
    x[k] = w * d;
    window_square += w * w, square += d * d;
  }
  fft(x);
  out.total_rms_w = std::sqrt(square / static_cast<double>(n));
  out.step_hz = 1 / (static_cast<double>(n) * dt_s);
  // Power of each bin, both signs of frequency together.
  const double scale = 2 / (static_cast<double>(n) * window_square);
  std::vector<double> power(n / 2 + 1);
  double band = 0;
  for (std::size_t k = 0; k <= n / 2; ++k) {
    const double hz = static_cast<double>(k) * out.step_hz, s = sinc(hz * dt_s);
    power[k] = std::norm(x[k]) * scale / (s * s);
    if (hz >= low_hz && hz <= high_hz) band += power[k];
  }
  out.band_rms_w = std::sqrt(band);
  out.amplitude_w.resize(power.size());
  for (std::size_t k = 0; k < power.size(); ++k) {
    double near = 0;
    for (std::size_t j = k >= 2 ? k - 2 : 0; j <= std::min(k + 2, power.size() - 1); ++j)
      near += power[j];
    out.amplitude_w[k] = static_cast<float>(std::sqrt(2 * near));
  }
  for (std::size_t k = 1; k + 1 < power.size(); ++k) {
    const double hz = static_cast<double>(k) * out.step_hz;
    if (hz < low_hz || hz > high_hz) continue;
    if (power[k] <= power[k - 1] || power[k] < power[k + 1]) continue;
    out.lines.push_back({hz, out.amplitude_w[k]});
  }
  std::stable_sort(out.lines.begin(), out.lines.end(),
                   [](const Line& a, const Line& b) { return a.amplitude_w > b.amplitude_w; });
  if (out.lines.size() > most_lines) out.lines.resize(most_lines);
  if (!out.lines.empty()) out.strongest = out.lines.front();
  return out;
}

}  // namespace headroom::power
