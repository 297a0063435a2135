#include "spec/number_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <sstream>

#include "base/diagnostics.hpp"
#include "base/units.hpp"
#include "spec/reader.hpp"

namespace headroom::spec {

SourcedText strip_source(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos) return {text, "", ""};
  SourcedText out;
  out.text = text.substr(0, at);
  while (!out.text.empty() && out.text.back() == ' ') out.text.pop_back();
  const std::size_t open = text.find('(', at);
  out.source = text.substr(at + 1, open == std::string::npos ? open : open - at - 1);
  while (!out.source.empty() && out.source.back() == ' ') out.source.pop_back();
  if (open != std::string::npos) {
    const std::size_t close = text.rfind(')');
    out.closed = close != std::string::npos && close > open;
    out.reason = text.substr(open + 1, out.closed ? close - open - 1 : std::string::npos);
  }
  return out;
}

BankText split_bank(const std::string& text) {
  const std::size_t x = text.find(" x ");
  if (x == std::string::npos) return {1, text};
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + x, count);
  if (error != std::errc() || end != text.data() + x || count < 1 || count > 1'000'000) {
    return {0, text};
  }
  return {count, text.substr(x + 3)};
}

bool is_date(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  int y = 0, m = 0, d = 0;
  auto part = [&](std::size_t at, std::size_t n, int& out) {
    const char* end = text.data() + at + n;
    return std::from_chars(text.data() + at, end, out).ptr == end;
  };
  if (!part(0, 4, y) || !part(5, 2, m) || !part(8, 2, d) || y < 1990 || y > 2150) return false;
  return std::chrono::year_month_day{std::chrono::year(y), std::chrono::month(unsigned(m)),
                                     std::chrono::day(unsigned(d))}
      .ok();
}

std::string shown(const std::string& text) {
  std::string out = text.substr(0, 60);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  // Never cut a multi-byte character in half.
  while (text.size() > 60 && !out.empty() && (static_cast<unsigned char>(out.back()) & 0x80) != 0) {
    out.pop_back();
  }
  return text.size() > 60 ? out + "..." : out;
}

namespace {

bool finish_range(const double* p, Number& slot) {
  slot.low = p[0];
  slot.likely = p[1];
  slot.high = p[2];
  return p[0] <= p[1] && p[1] <= p[2];
}

bool finish_uniform(const double* p, Number& slot) {
  slot.low = p[0];
  slot.likely = (p[0] + p[1]) / 2;
  slot.high = p[1];
  return p[0] <= p[1];
}

// 90th percentile of the standard normal distribution.
constexpr double z90 = 1.2815515655446004;

bool finish_normal(const double* p, Number& slot) {
  slot.likely = p[0];
  slot.low = p[0] - z90 * p[1];
  slot.high = p[0] + z90 * p[1];
  return p[1] >= 0;
}

bool finish_lognormal(const double* p, Number& slot) {
  if (p[0] <= 0 || p[1] < p[0]) return false;
  slot.likely = p[0];
  slot.high = p[1];
  slot.low = p[0] * p[0] / p[1];
  return true;
}

const SpreadForm forms[] = {
    {"", {"low", "likely", "high"}, Shape::range, finish_range},
    {"uniform", {"low", "high"}, Shape::uniform, finish_uniform},
    {"triangular", {"low", "likely", "high"}, Shape::triangular, finish_range},
    {"normal", {"mean", "sd"}, Shape::normal, finish_normal},
    {"lognormal", {"median", "p90"}, Shape::lognormal, finish_lognormal},
};

}  // namespace

const SpreadForm* find_spread_form(const Node& map) {
  if (map.items.size() == 2 && map.items[1].kind == Node::Kind::map) {
    for (const auto& form : forms) {
      if (form.name == map.items[0].text) return &form;
    }
    return nullptr;
  }
  return map.get("likely") != nullptr || map.get("low") != nullptr ? &forms[0] : nullptr;
}

namespace {

struct Alias {
  std::string_view wrong;
  std::string_view right;
};
// What people write, and what they mean. Only hints: nothing is guessed.
constexpr Alias aliases[] = {{"Gbps", "Gb/s"},
                             {"Mbps", "Mb/s"},
                             {"Tbps", "Tb/s"},
                             {"GBps", "GB/s"},
                             {"gbps", "Gb/s"},
                             {"Gbit/s", "Gb/s"},
                             {"gb/s", "Gb/s or GB/s"},
                             {"gb", "GB or Gb"},
                             {"GBs", "GB/s"},
                             {"kw", "kW"},
                             {"KW", "kW"},
                             {"mw", "MW (mW is a milliwatt)"},
                             {"Mw", "MW"},
                             {"kwh", "kWh"},
                             {"KWh", "kWh"},
                             {"kWH", "kWh"},
                             {"C", "degC"},
                             {"°C", "degC"},
                             {"F", "degF"},
                             {"°F", "degF"},
                             {"c", "degC"},
                             {"$", "USD"},
                             {"usd", "USD"},
                             {"$/kWh", "USD/kWh"},
                             {"EUR", "USD (convert at the rate of a date, and say so in a note)"},
                             {"hrs", "h"},
                             {"hr", "h"},
                             {"H", "h"},
                             {"sec", "s"},
                             {"secs", "s"},
                             {"minutes", "min"},
                             {"TFLOPS", "TFLOP/s"},
                             {"TFLOPs", "TFLOP/s"},
                             {"PFLOPS", "PFLOP/s"},
                             {"tok/s", "token/s"},
                             {"tok", "token"},
                             {"kva", "kVA"},
                             {"KVA", "kVA"},
                             {"mva", "MVA"},
                             {"sqft", "ft2"},
                             {"sqm", "m2"},
                             {"m^2", "m2"},
                             {"lbs", "lb"},
                             {"gpm", "gal/min"},
                             {"cfm", "ft3/min"},
                             {"CFM", "ft3/min"},
                             {"lpm", "L/min"},
                             {"l", "L"},
                             {"T", "Ttoken (or t for a tonne, TB for data)"},
                             {"B", "GB (B alone is a byte)"},
                             {"M", "Mtoken, MW or MUSD, as meant"},
                             {"k", "kW or kUSD, as meant"},
                             {"K tokens", "ktoken"}};

/// The unit of a list "GB, TB, GiB" that differs from `unit` in case alone.
std::string other_case(const std::string& unit, const std::string& units) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  std::istringstream in(units);
  for (std::string one; std::getline(in >> std::ws, one, ',');) {
    if (std::equal(one.begin(), one.end(), unit.begin(), unit.end(), same)) return one;
  }
  return {};
}

std::string unit_hint(const std::string& unit, Dim dim) {
  for (const auto& alias : aliases) {
    if (alias.wrong == unit) return "did you mean " + std::string(alias.right) + "?";
  }
  const std::string units = dimension_units(dim);
  if (const std::string near = other_case(unit, units); !near.empty()) {
    return "did you mean " + near + "?";
  }
  return units.empty() ? "" : "units of " + dimension_name(dim) + ": " + units;
}

std::string example(double number, std::string_view unit) {
  std::string digits = std::to_string(number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (!digits.empty() && digits.back() == '.') digits.pop_back();
  return "'" + digits + " " + std::string(unit) + "'";
}

bool check_unit(const NumberText& parsed, const std::optional<Unit>& unit, Dim dim, bool absolute,
                std::string_view display, const std::string& original, std::string& message,
                std::string& hint) {
  const std::string written(parsed.unit);
  if (!unit) {
    message = "'" + shown(written) + "' is not a unit known here";
    hint = unit_hint(written, dim);
    return false;
  }
  if (written.empty() && !(dim == Dim{})) {
    message = "'" + shown(original) + "' has no unit, expected " +
              (absolute ? "a temperature" : dimension_name(dim));
    hint = "write " + example(parsed.number, display);
    return false;
  }
  const std::string wanted =
      absolute
          ? "a temperature (degC, degF)"
          : dimension_name(dim) + " (" +
                (dimension_units(dim).empty() ? std::string(display) : dimension_units(dim)) + ")";
  if (!(unit->dim == dim) || unit->absolute != absolute) {
    message = "'" + shown(original) + "' is " +
              (unit->absolute ? "a temperature" : dimension_name(unit->dim)) + ", expected " +
              wanted;
    return false;
  }
  return true;
}

}  // namespace

bool read_number(std::string_view text, Dim dim, bool absolute_temperature,
                 std::string_view display_unit, double& si, std::string& message,
                 std::string& hint) {
  const std::string original(text);
  auto parsed = split_number(text);
  // "16,384" and "1,5" mean different numbers in different countries.
  if (parsed && parsed->unit.starts_with(',')) parsed.reset();
  if (!parsed) {
    message = "'" + shown(original) + "' is not a number";
    if (original.find(',') != std::string::npos) hint = "write 16384 or 16_384, without commas";
    if (original == "inf" || original == ".inf" || original == "nan" || original == ".nan") {
      hint = "numbers must be finite; leave the key out for 'no limit'";
    }
    return false;
  }
  const auto unit = parse_unit(parsed->unit);
  if (!check_unit(*parsed, unit, dim, absolute_temperature, display_unit, original, message,
                  hint)) {
    return false;
  }
  si = parsed->number * unit->factor + unit->offset;
  if (!std::isfinite(si)) {
    message = "'" + shown(original) + "' is too large";
    return false;
  }
  return true;
}

}  // namespace headroom::spec
