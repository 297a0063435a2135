#include "site/calendar.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace headroom::site {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<long> day_number(std::string_view iso) {
  if ((iso.size() != 10 && iso.size() != 7) || iso[4] != '-') return std::nullopt;
  if (iso.size() == 10 && iso[7] != '-') return std::nullopt;
  const auto y = digits(iso.substr(0, 4)), m = digits(iso.substr(5, 2));
  const auto d = iso.size() == 10 ? digits(iso.substr(8, 2)) : std::optional<int>(1);
  if (!y || !m || !d || *m < 1 || *d < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*y),
                                         std::chrono::month(static_cast<unsigned>(*m)),
                                         std::chrono::day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string iso_date(long day) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day)))};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string date_after(std::string_view start, Time span) {
  const auto first = day_number(start);
  if (!first) return {};
  // A float's dust must not push a whole number of days to the next.
  return iso_date(*first + static_cast<long>(std::ceil(span.in(day)-1e-6)));
}

}  // namespace headroom::site
