#include "power/smoothing_size.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::power {
namespace {

constexpr double year_s = 8760 * 3600.0;
constexpr double least_tau_s = 0.01, most_tau_s = 3600;
constexpr double slack = 1 + 1e-9;

struct Try {
  Smoothed run;
  Judged judged;
};

Try attempt(const Series& series, double dt_s, const StorageKind& kind, const Target& target,
            double tau, double rest) {
  Storage s;
  s.round_trip = kind.round_trip, s.bandwidth_hz = kind.bandwidth_hz;
  s.tau_s = tau, s.recentre_s = kind.recentre * tau;
  Try out;
  out.run = smooth(series, dt_s, s, rest);
  out.judged = judge(out.run.grid, dt_s, target);
  return out;
}

}  // namespace

Judged judge(const Series& series, double dt_s, const Target& target) {
  Judged j;
  j.measures = measure(series, dt_s);
  j.spectrum = spectrum(series, dt_s, target.low_hz, target.high_hz);
  j.ramp_second = j.measures.ramp_second_w_s <= target.ramp_second_w_s * slack;
  j.ramp_minute = j.measures.ramp_minute_w_s <= target.ramp_minute_w_s * slack;
  j.range = j.measures.range_w() <= target.range_w * slack;
  j.line = j.spectrum.strongest.amplitude_w <= target.line_w * slack;
  return j;
}

double recovery(double rate, double years) {
  if (years <= 0) return 0;
  return rate > 0 ? rate / (1 - std::pow(1 + rate, -years)) : 1 / years;
}

double capital(const StorageKind& kind, double capacity_j, double power_w) {
  return capacity_j * kind.usd_j + power_w * kind.usd_w;
}

StorageSize size_storage(const Series& series, double dt_s, const StorageKind& kind,
                         const Target& target, const Prices& prices) {
  StorageSize out;
  double mean = 0;
  for (const double p : series) mean += p;
  if (!series.empty()) mean /= static_cast<double>(series.size());
  const auto run = [&](double tau) { return attempt(series, dt_s, kind, target, tau, mean); };
  Try best = run(most_tau_s);
  double low = std::log(least_tau_s), high = std::log(most_tau_s);
  out.tau_s = most_tau_s;
  if (best.judged.all()) {
    for (int i = 0; i < 14; ++i) {
      const double middle = (low + high) / 2;
      Try now = run(std::exp(middle));
      if (now.judged.all()) {
        high = middle, out.tau_s = std::exp(middle), best = std::move(now);
      } else {
        low = middle;
      }
    }
    out.met = true;
  }
  const double seconds = static_cast<double>(series.size()) * dt_s;
  out.swing_j = best.run.settled_j, out.most_w = best.run.most_w;
  out.loss_w = best.run.loss_j / seconds;
  const double through = best.run.throughput_j / seconds * prices.hours_year * 3600;
  out.cycles_year = out.swing_j > 0 ? through / out.swing_j : 0;
  const double years = kind.life_s / year_s;
  out.capacity_j = out.swing_j;
  if (kind.cycles > 0) out.capacity_j = std::max(out.capacity_j, through * years / kind.cycles);
  out.usd = capital(kind, out.capacity_j, out.most_w);
  out.usd_year =
      out.usd * recovery(prices.rate, years) + out.loss_w * prices.hours_year * 3600 * prices.usd_j;
  out.residual = std::move(best.judged);
  return out;
}

}  // namespace headroom::power
