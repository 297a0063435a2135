#include "money/finance_math.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <functional>

namespace headroom::money {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr double lowest_rate = -0.9999, highest_rate = 1e4;

/// A root of `f` between the two ends, by bisection, when the signs differ.
std::optional<double> bisect(double low, double high, const std::function<double(double)>& f) {
  double at_low = f(low);
  const double at_high = f(high);
  if (at_low == 0) return low;
  if (!(at_low * at_high < 0)) return std::nullopt;
  for (int i = 0; i < 200 && high - low > 1e-13 * std::max(1.0, std::abs(low)); ++i) {
    const double middle = (low + high) / 2;
    const double value = f(middle);
    if ((value < 0) == (at_low < 0)) {
      low = middle;
      at_low = value;
    } else {
      high = middle;
    }
  }
  return (low + high) / 2;
}

/// The root nearest to zero: the one people mean.
std::optional<double> root_near_zero(const std::function<double(double)>& f) {
  static constexpr double grid[] = {lowest_rate, -0.9, -0.5, -0.2, 0.0,
                                    0.2,         1.0,  5.0,  50.0, highest_rate};
  std::optional<double> best;
  for (std::size_t k = 0; k + 1 < std::size(grid); ++k) {
    const auto root = bisect(grid[k], grid[k + 1], f);
    if (root && (!best || std::abs(*root) < std::abs(*best))) best = root;
  }
  return best;
}

bool parse_int(std::string_view text, int& out) {
  const auto* end = text.data() + text.size();
  const auto [p, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && p == end;
}

}  // namespace

double monthly_rate(double yearly) { return std::pow(1 + yearly, 1.0 / 12) - 1; }

double capital_recovery(double principal, double residual, double rate, int periods) {
  if (periods <= 0) return 0;
  if (std::abs(rate) < 1e-12) return (principal - residual) / periods;
  const double v = std::pow(1 + rate, -periods);
  return (principal - residual * v) * rate / (1 - v);
}

double npv(std::span<const double> flows, double rate) {
  double sum = 0;
  for (auto it = flows.rbegin(); it != flows.rend(); ++it) sum = sum / (1 + rate) + *it;
  return sum;
}

std::optional<double> irr(std::span<const double> flows) {
  return root_near_zero([&](double r) { return npv(flows, r); });
}

std::optional<double> mirr(std::span<const double> flows, double finance_rate,
                           double reinvestment_rate) {
  const int n = static_cast<int>(flows.size()) - 1;
  double received = 0, paid = 0;
  for (int t = 0; t <= n; ++t) {
    if (flows[t] > 0) received += flows[t] * std::pow(1 + reinvestment_rate, n - t);
    if (flows[t] < 0) paid -= flows[t] * std::pow(1 + finance_rate, -t);
  }
  if (n < 1 || received <= 0 || paid <= 0) return std::nullopt;
  return std::pow(received / paid, 1.0 / n) - 1;
}

int sign_changes(std::span<const double> flows) {
  int changes = 0;
  double last = 0;
  for (double x : flows) {
    if (x == 0) continue;
    if (last != 0 && (x < 0) != (last < 0)) ++changes;
    last = x;
  }
  return changes;
}

double xnpv(std::span<const DatedFlow> flows, double yearly_rate) {
  if (flows.empty()) return 0;
  double sum = 0;
  for (const auto& f : flows) {
    sum += f.amount * std::pow(1 + yearly_rate, -(f.day - flows.front().day) / 365.0);
  }
  return sum;
}

std::optional<double> xirr(std::span<const DatedFlow> flows) {
  return root_near_zero([&](double r) { return xnpv(flows, r); });
}

std::optional<long> day_number(const std::string& date) {
  int y = 0, m = 0, d = 1;
  const bool with_day = date.size() == 10;
  if (!(with_day || date.size() == 7) || date[4] != '-') return std::nullopt;
  const std::string_view text = date;
  if (!parse_int(text.substr(0, 4), y) || !parse_int(text.substr(5, 2), m)) return std::nullopt;
  if (with_day && (date[7] != '-' || !parse_int(text.substr(8), d))) return std::nullopt;
  const year_month_day ymd{std::chrono::year{y}, std::chrono::month{static_cast<unsigned>(m)},
                           std::chrono::day{static_cast<unsigned>(d)}};
  if (!ymd.ok()) return std::nullopt;
  return sys_days{ymd}.time_since_epoch().count();
}

std::string date_text(long day) {
  const year_month_day ymd{sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
}

long add_months(long day, int months) {
  const year_month_day start{sys_days{std::chrono::days{day}}};
  year_month_day moved = start + std::chrono::months{months};
  if (!moved.ok()) moved = moved.year() / moved.month() / std::chrono::last;
  return sys_days{moved}.time_since_epoch().count();
}

}  // namespace headroom::money
