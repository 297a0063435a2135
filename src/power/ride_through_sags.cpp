// Sags as text: "30%@60ms x6/82s".
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "power/ride_through.hpp"

namespace headroom::power {
namespace {

constexpr const char* example = "write REMAINING%@DURATION, e.g. 30%@60ms or 30%@60ms x6/82s";
constexpr double longest_s = 86400;
constexpr double most_sags = 100;

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == ',')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == ',')) text.remove_suffix(1);
  return std::string(text);
}

/// Seconds, between 0 and a day; below 0 and a message otherwise.
double seconds(const std::string& text, const char* what, std::string& wrong) {
  const auto n = split_number(text);
  const auto unit = n ? parse_unit(n->unit) : std::nullopt;
  if (!n || !unit || !(unit->dim == Time::dim)) {
    wrong = fmt::format("'{}' is no {}; a time with its unit, e.g. 60 ms; {}", text, what, example);
    return -1;
  }
  const double s = n->number * unit->factor;
  if (s < 0 || s > longest_s) {
    wrong = fmt::format("'{}' is no {}; 0 to 24 h", text, what);
    return -1;
  }
  return s;
}

/// The text without its "MARK..." tail, which goes to `tail`.
std::string cut_at(const std::string& text, char mark, std::string& tail, bool& found) {
  const auto at = text.find(mark);
  found = at != std::string::npos;
  if (!found) return text;
  tail = trimmed(std::string_view(text).substr(at + 1));
  return trimmed(std::string_view(text).substr(0, at));
}

std::optional<std::string> read_train(const std::string& train, int& count, double& span) {
  std::string wrong, span_text;
  bool has_span = false;
  const auto number = cut_at(train, '/', span_text, has_span);
  const auto n = split_number(number);
  if (!n || !n->unit.empty() || n->number != std::floor(n->number) || n->number < 1 ||
      n->number > most_sags)
    return fmt::format("'x{}' is no number of sags; a whole number from 1 to 100", number);
  count = static_cast<int>(n->number);
  if (!has_span && count > 1)
    return fmt::format("'x{}' says how many and not within what time; e.g. x{}/60s", number, count);
  if (has_span) span = seconds(span_text, "time from the first sag to the last", wrong);
  if (!wrong.empty()) return wrong;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_sags(std::string_view text, std::vector<Sag>& out) {
  std::string rest = trimmed(text), train, begin, duration, wrong;
  bool has_train = false, has_begin = false, has_duration = false;
  rest = cut_at(rest, '+', begin, has_begin);
  rest = cut_at(rest, 'x', train, has_train);
  rest = cut_at(rest, '@', duration, has_duration);
  if (!has_duration) return fmt::format("there is no duration in '{}'; {}", text, example);
  Sag sag;
  const auto n = split_number(rest);
  if (!n || (n->unit != "%" && !n->unit.empty()))
    return fmt::format("'{}' is no remaining voltage; 0 to 90 %; {}", rest, example);
  sag.residual = n->number / (n->unit == "%" ? 100 : 1);
  if (sag.residual < 0 || sag.residual > 0.9)
    return fmt::format("a voltage of {} of nominal is no sag; 0 to 90 % must be left", rest);
  sag.duration_s = seconds(duration, "duration", wrong);
  if (!wrong.empty()) return wrong;
  if (sag.duration_s <= 0) return fmt::format("'{}' is no duration; above 0", duration);
  int count = 1;
  double span = 0;
  if (has_train)
    if (auto problem = read_train(train, count, span)) return problem;
  if (has_begin) sag.at_s = seconds(begin, "beginning", wrong);
  if (!wrong.empty()) return wrong;
  const double every = count > 1 ? span / (count - 1) : 0;
  if (count > 1 && every <= sag.duration_s)
    return fmt::format("{} sags of {} do not fit into {}", count, duration, format(span, "s"));
  for (int i = 0; i < count; ++i) {
    out.push_back(sag);
    sag.at_s += every;
  }
  return std::nullopt;
}

std::string sag_text(const Sag& sag) {
  return fmt::format("{:.3g} % left for {:.3g} ms at {:.3g} s", 100 * sag.residual,
                     1e3 * sag.duration_s, sag.at_s);
}

std::optional<std::string> order_sags(std::vector<Sag>& sags) {
  std::stable_sort(sags.begin(), sags.end(),
                   [](const Sag& a, const Sag& b) { return a.at_s < b.at_s; });
  for (std::size_t i = 1; i < sags.size(); ++i)
    if (sags[i - 1].at_s + sags[i - 1].duration_s >= sags[i].at_s)
      return fmt::format("two sags at once: {}, and {}; begin one later with +TIME",
                         sag_text(sags[i - 1]), sag_text(sags[i]));
  return std::nullopt;
}

std::vector<Sag> july_2024() {
  // NERC, Incident Review: Considering Simultaneous Voltage-Sensitive Load Reductions, 2025-01-08:
  // six faults in 82 s, 42 to 66 ms, 0.25 to 0.40 of nominal in the area; evenly spread here.
  std::vector<Sag> out;
  const double residual[] = {0.40, 0.35, 0.30, 0.25, 0.30, 0.35};
  const double duration[] = {0.066, 0.060, 0.054, 0.042, 0.054, 0.060};
  for (int i = 0; i < 6; ++i) out.push_back({82.0 / 5 * i, residual[i], duration[i]});
  return out;
}

}  // namespace headroom::power
