// Dates as the schedule needs them: days since 1970-01-01, proleptic Gregorian.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"

namespace headroom::site {

/// Days since 1970-01-01 of YYYY-MM-DD or YYYY-MM (its first day); nothing when
/// it is no date.
std::optional<long> day_number(std::string_view iso_date);
/// YYYY-MM-DD of a day number.
std::string iso_date(long day);
/// The date `span` after `start`, rounded up to whole days; empty when `start` is no date.
std::string date_after(std::string_view start, Time span);

}  // namespace headroom::site
