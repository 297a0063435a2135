#include "power/spectrum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace headroom::power {
namespace {

constexpr double pi = std::numbers::pi;

Series noise(std::size_t n) { return sample(ServingLoad{100, 20, 0.02, 3}, {0.01, n}); }

TEST(Fft, is_the_definition_of_the_transform) {
  for (const std::size_t n : {2U, 8U, 256U}) {
    const auto x = noise(n);
    std::vector<std::complex<double>> y(x.begin(), x.end());
    fft(y);
    for (std::size_t m = 0; m < n; ++m) EXPECT_NEAR(std::abs(y[m] - dft(x, m)), 0, 1e-9) << n;
  }
}

TEST(Fft, keeps_the_energy) {  // Parseval
  const auto x = noise(1 << 15);
  std::vector<std::complex<double>> y(x.begin(), x.end());
  fft(y);
  double in = 0, out = 0;
  for (const double v : x) in += v * v;
  for (const auto& v : y) out += std::norm(v);
  EXPECT_NEAR(out / double(x.size()) / in, 1, 1e-12);
}

// A square wave has c_n = D sin(pi n d) / (pi n); a trapezoid that times sin(pi n w) / (pi n w).
TEST(Fourier, of_a_trapezoid_is_the_textbook_series) {
  const double duty = 0.3, spread = 0.1;
  const PeriodWave sharp({{0.6, 1}, {1.4, 0}}, 1, {1000, 200}, 0);
  const PeriodWave soft({{0.6, 1}, {1.4, 0}}, 1, {1000, 200}, spread);
  EXPECT_NEAR(fourier(sharp, 0).real(), 440, 1e-9);
  for (int n = 1; n <= 40; ++n) {
    const double square = 800 * std::abs(std::sin(pi * n * duty)) / (pi * n);
    const double w = pi * n * spread / 2;
    EXPECT_NEAR(std::abs(fourier(sharp, n)), square, 1e-9) << n;
    EXPECT_NEAR(std::abs(fourier(soft, n)), square * std::abs(std::sin(w) / w), 1e-9) << n;
  }
}

TEST(Fourier, sums_to_the_wave_s_power) {  // Parseval of a period
  const PeriodWave w({{0.2, 0.4}, {0.9, 1}, {0.4, 0}}, 3, {900, 300}, 0.05);
  double mean_square = 0;
  const auto& k = w.knots();
  for (std::size_t i = 0; i < k.size(); ++i) {
    const double x = (i + 1 < k.size() ? k[i + 1].t_s : w.period_s()) - k[i].t_s;
    const double a = k[i].w, b = a + k[i].slope * x;
    mean_square += x * (a * a + a * b + b * b) / 3;
  }
  mean_square /= w.period_s();
  double sum = std::norm(fourier(w, 0));
  for (int n = 1; n < 4000; ++n) sum += 2 * std::norm(fourier(w, n));
  EXPECT_NEAR(sum / mean_square, 1, 1e-9);
}

// The three ways agree: samples of a job against the closed form of its period.
TEST(Spectrum, finds_the_lines_of_a_job_with_their_amplitudes) {
  TrainingJob job;
  job.phases = {{1.1, 1}, {0.5, 0.3}, {0.37, 0}};
  job.count = 1000, job.levels = {900, 300}, job.spread_s = 0.02;
  const PeriodWave w(job.phases, job.count, job.levels, job.spread_s);
  const auto s = spectrum(sample(job, {}, 0.2, {0.01, 1 << 14}), 0.01, 0.1, 20);
  ASSERT_GE(s.lines.size(), 8u);
  for (int n = 1; n <= 8; ++n) {
    const double hz = n / w.period_s(), amplitude = 2 * std::abs(fourier(w, n));
    double nearest = 1e9, found = 0;
    for (const auto& line : s.lines)
      if (std::abs(line.hz - hz) < nearest)
        nearest = std::abs(line.hz - hz), found = line.amplitude_w;
    EXPECT_LT(nearest, s.step_hz) << n;
    EXPECT_NEAR(found / amplitude, 1, 0.01) << n;
  }
  double band = 0;
  for (int n = 1; n / w.period_s() <= 20; ++n) band += 2 * std::norm(fourier(w, n));
  EXPECT_NEAR(s.band_rms_w / std::sqrt(band), 1, 2e-3);
}

TEST(Spectrum, of_a_sinusoid_is_one_line_wherever_it_falls) {
  const double dt = 0.005;
  for (const double hz : {1.0, 3.17, 7.7777, 19.3}) {
    Series x(1 << 14);
    for (std::size_t k = 0; k < x.size(); ++k) {  // means of the samples
      const double a = 2 * pi * hz * dt * double(k), b = a + 2 * pi * hz * dt;
      x[k] = 5000 + 70 * (std::cos(a) - std::cos(b)) / (b - a);
    }
    const auto s = spectrum(x, dt, 0.1, 20);
    EXPECT_NEAR(s.strongest.hz, hz, s.step_hz);
    EXPECT_NEAR(s.strongest.amplitude_w, 70, 0.2);
    EXPECT_NEAR(s.band_rms_w, 70 / std::sqrt(2.0), 0.05);
  }
}

TEST(Spectrum, of_nothing_is_nothing) {
  EXPECT_EQ(spectrum({}, 0.01, 0.1, 20).lines.size(), 0u);
  EXPECT_EQ(spectrum(Series(1024, 7), 0.01, 0.1, 20).band_rms_w, 0);
}

}  // namespace
}  // namespace headroom::power
