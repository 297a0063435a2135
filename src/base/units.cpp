#include "base/units.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

namespace headroom {
namespace {

enum class Prefixes { none, si, si_and_binary };

struct Symbol {
  std::string_view name;
  Dim dim;
  double factor;
  Prefixes prefixes = Prefixes::none;
  double offset = 0;
  bool absolute = false;
};

constexpr double pound = 0.45359237;  // exact, 1959 yard and pound agreement

// Units of this trade. Order matters only for reading the table.
constexpr Symbol symbols[] = {
    {"m", Length::dim, 1, Prefixes::si},
    {"ft", Length::dim, 0.3048},
    {"in", Length::dim, 0.0254},
    {"m2", Area::dim, 1},
    {"ft2", Area::dim, 0.3048 * 0.3048},
    {"mm2", Area::dim, 1e-6},
    {"cm2", Area::dim, 1e-4},
    {"m3", Volume::dim, 1},
    {"L", Volume::dim, 1e-3, Prefixes::si},
    {"gal", Volume::dim, 3.785411784e-3},
    {"ft3", Volume::dim, 0.3048 * 0.3048 * 0.3048},
    {"g", Mass::dim, 1e-3, Prefixes::si},
    {"t", Mass::dim, 1e3},
    {"lb", Mass::dim, pound},
    {"s", Time::dim, 1, Prefixes::si},
    {"min", Time::dim, 60},
    {"h", Time::dim, 3600},
    {"d", Time::dim, 86400},
    {"wk", Time::dim, 7 * 86400.0},
    {"week", Time::dim, 7 * 86400.0},
    {"weeks", Time::dim, 7 * 86400.0},
    {"mo", Time::dim, 730 * 3600.0},
    {"month", Time::dim, 730 * 3600.0},
    {"months", Time::dim, 730 * 3600.0},
    {"yr", Time::dim, 8760 * 3600.0},
    {"year", Time::dim, 8760 * 3600.0},
    {"years", Time::dim, 8760 * 3600.0},
    {"day", Time::dim, 86400},
    {"days", Time::dim, 86400},
    {"hour", Time::dim, 3600},
    {"hours", Time::dim, 3600},
    {"K", TemperatureDifference::dim, 1},
    {"degC", TemperatureDifference::dim, 1, Prefixes::none, 273.15, true},
    {"degF", TemperatureDifference::dim, 5.0 / 9, Prefixes::none, 459.67 * 5 / 9, true},
    {"A", Current::dim, 1, Prefixes::si},
    {"V", Voltage::dim, 1, Prefixes::si},
    {"W", Power::dim, 1, Prefixes::si},
    {"VA", Power::dim, 1, Prefixes::si},  // apparent power, taken at unity power factor; the
                                          // power layer's power_factor says otherwise
    {"Wh", Energy::dim, 3600, Prefixes::si},
    {"J", Energy::dim, 1, Prefixes::si},
    {"Pa", Pressure::dim, 1, Prefixes::si},
    {"bar", Pressure::dim, 1e5},
    {"psi", Pressure::dim, pound * 9.80665 / (0.0254 * 0.0254)},
    {"psf", Pressure::dim, pound * 9.80665 / (0.3048 * 0.3048)},
    {"lbf", Dim{.m = 1, .kg = 1, .s = -2}, pound * 9.80665},
    {"N", Dim{.m = 1, .kg = 1, .s = -2}, 1, Prefixes::si},
    {"Hz", Rate::dim, 1, Prefixes::si},
    {"b", Information::dim, 1, Prefixes::si_and_binary},
    {"B", Information::dim, 8, Prefixes::si_and_binary},
    {"USD", Money::dim, 1, Prefixes::si},
    {"FLOP", Flops::dim, 1, Prefixes::si},
    {"token", Tokens::dim, 1, Prefixes::si},
    {"tokens", Tokens::dim, 1, Prefixes::si},
    {"gCO2e", Carbon::dim, 1e-3, Prefixes::si},
    {"tCO2e", Carbon::dim, 1e3},
    {"ktCO2e", Carbon::dim, 1e6},
    {"%", Dim{}, 0.01},
    {"1", Dim{}, 1},
};

// Things that are counted. They are pure numbers; the word is for people.
constexpr std::string_view counts[] = {
    "GPU",      "GPUs",      "GPU-h",   "accelerator", "accelerators", "node",
    "nodes",    "rack",      "racks",   "port",        "ports",        "switch",
    "switches", "cable",     "cables",  "unit",        "units",        "U",
    "request",  "requests",  "req",     "seq",         "sequence",     "sequences",
    "replica",  "replicas",  "shop",    "shops",       "person",       "people",
    "position", "positions", "vector",  "vectors",     "query",        "queries",
    "document", "documents", "clip",    "clips",       "chunk",        "chunks",
    "param",    "params",    "hop",     "hops",        "site",         "sites",
    "image",    "images",    "TPP",     "sample",      "samples",      "x",
    "step",     "steps",     "licence", "rule",        "feed",         "feeds",
    "op",       "ops",       "job",     "jobs",        "user",         "users",
    "module",   "modules",   "system",  "systems",     "box",          "boxes"};

struct Prefix {
  std::string_view name;
  double factor;
};
constexpr Prefix si_prefixes[] = {{"n", 1e-9}, {"u", 1e-6}, {"m", 1e-3}, {"k", 1e3},
                                  {"M", 1e6},  {"G", 1e9},  {"T", 1e12}, {"P", 1e15},
                                  {"E", 1e18}, {"Z", 1e21}, {"c", 1e-2}};
constexpr double ki = 1024.0;
constexpr Prefix binary_prefixes[] = {{"Ki", ki},
                                      {"Mi", ki* ki},
                                      {"Gi", ki* ki* ki},
                                      {"Ti", ki* ki* ki* ki},
                                      {"Pi", ki* ki* ki* ki* ki}};

const Symbol* find_symbol(std::string_view name) {
  const auto* it = std::find_if(std::begin(symbols), std::end(symbols),
                                [&](const Symbol& s) { return s.name == name; });
  return it == std::end(symbols) ? nullptr : it;
}

std::optional<Unit> with_prefix(std::string_view text, std::span<const Prefix> prefixes,
                                Prefixes kind) {
  for (const auto& prefix : prefixes) {
    if (!text.starts_with(prefix.name)) continue;
    const Symbol* s = find_symbol(text.substr(prefix.name.size()));
    if (s != nullptr && s->prefixes >= kind) return Unit{s->dim, s->factor * prefix.factor};
  }
  return std::nullopt;
}

std::optional<Unit> parse_symbol(std::string_view text) {
  if (const Symbol* s = find_symbol(text)) {
    return Unit{s->dim, s->factor, s->offset, s->absolute};
  }
  if (std::find(std::begin(counts), std::end(counts), text) != std::end(counts)) return Unit{};
  if (auto unit = with_prefix(text, binary_prefixes, Prefixes::si_and_binary)) return unit;
  return with_prefix(text, si_prefixes, Prefixes::si);
}

void multiply(Unit& product, const Unit& factor, bool divide) {
  product.dim = divide ? product.dim / factor.dim : product.dim * factor.dim;
  product.factor = divide ? product.factor / factor.factor : product.factor * factor.factor;
}

}  // namespace

std::optional<Unit> parse_unit(std::string_view text) {
  if (text.empty()) return Unit{};
  if (text.size() > 64) return std::nullopt;
  // "degC" alone is absolute; in a compound ("W/degC") only K has a meaning.
  if (auto whole = parse_symbol(text)) return whole;
  Unit product;
  bool divide = false;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find_first_of("*/", at), text.size());
    const auto factor = parse_symbol(text.substr(at, end - at));
    if (!factor || factor->absolute) return std::nullopt;
    multiply(product, *factor, divide);
    if (end == text.size()) return product;
    // Every slash divides: USD/kW/mo is USD/(kW*mo); a star returns to multiplying.
    divide = text[end] == '/';
    at = end + 1;
  }
  return std::nullopt;
}

namespace {

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
}

/// "16_384": an underscore stands between two digits.
bool groups_digits(std::string_view text, std::size_t at) {
  return at > 0 && is_digit(text, at - 1) && is_digit(text, at + 1);
}

}  // namespace

std::optional<NumberText> split_number(std::string_view text) {
  std::string digits;
  std::size_t at = 0;
  if (at < text.size() && text[at] == '+') ++at;
  const std::size_t start = at;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const bool exponent = (c == 'e' || c == 'E') && at + 1 < text.size() &&
                          (std::isdigit(static_cast<unsigned char>(text[at + 1])) != 0 ||
                           ((text[at + 1] == '-' || text[at + 1] == '+') && at + 2 < text.size() &&
                            std::isdigit(static_cast<unsigned char>(text[at + 2])) != 0));
    if (c == '_' && groups_digits(text, at)) continue;
    if (exponent) {
      digits += c;
      if (text[at + 1] == '+' || text[at + 1] == '-') digits += text[++at];
      continue;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) == 0 && c != '.' &&
        !(c == '-' && at == start)) {
      break;
    }
    digits += c;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  while (at < text.size() && text[at] == ' ') ++at;
  return NumberText{number, text.substr(at)};
}

namespace {

struct DimensionWords {
  Dim dim;
  const char* name;
  const char* units;
};
constexpr DimensionWords dimension_words[] = {
    {Dim{}, "a pure number", "no unit, or %"},
    {Length::dim, "a length", "m, mm, km, ft"},
    {Area::dim, "an area", "m2, ft2"},
    {Volume::dim, "a volume", "L, m3, gal"},
    {Mass::dim, "a mass", "kg, t, lb"},
    {Time::dim, "a time", "s, min, h, d, wk, mo, yr"},
    {Rate::dim, "a rate", "1/s, request/s, 1/h"},
    {TemperatureDifference::dim, "a temperature difference", "K"},
    {Current::dim, "a current", "A"},
    {Power::dim, "a power", "W, kW, MW"},
    {Energy::dim, "an energy", "kWh, MWh, J"},
    {Dim{.m = 2, .kg = 1, .s = -4}, "a power ramp", "kW/s, MW/min"},
    {Voltage::dim, "a voltage", "V, kV"},
    {Pressure::dim, "a pressure or floor load", "Pa, kPa, bar, psi, psf for lb/ft2"},
    {PowerDensity::dim, "a power density", "W/m2, W/ft2"},
    {AreaMass::dim, "a mass per area", "kg/m2, lb/ft2"},
    {MassFlow::dim, "a mass flow", "kg/s"},
    {VolumeFlow::dim, "a volume flow", "L/min, m3/h, m3/d, gal/min, ft3/min"},
    {Information::dim, "an amount of data", "GB, TB, GiB, Gb"},
    {Bandwidth::dim, "a data rate", "GB/s, Gb/s, TB/s"},
    {Money::dim, "an amount of money", "USD, kUSD, MUSD"},
    {MoneyRate::dim, "money per time", "USD/h, USD/mo, USD/yr"},
    {Flops::dim, "an amount of floating-point work", "FLOP, TFLOP"},
    {FlopRate::dim, "a floating-point rate", "TFLOP/s, PFLOP/s"},
    {Tokens::dim, "an amount of tokens", "token, Mtoken, Ttoken"},
    {TokenRate::dim, "a token rate", "token/s"},
    {Carbon::dim, "an amount of carbon", "kgCO2e, tCO2e"},
    {CarbonIntensity::dim, "a carbon intensity", "gCO2e/kWh"},
    {EnergyPrice::dim, "an energy price", "USD/kWh, USD/MWh"},
    {PowerPrice::dim, "money per power", "USD/kW, USD/MW"},
    {PowerPriceRate::dim, "money per power and time", "USD/kW/mo, USD/kW/yr"},
    {InformationPrice::dim, "money per data", "USD/GB, USD/TB"},
    {AreaPrice::dim, "money per area", "USD/m2, USD/ft2"},
    {VolumePrice::dim, "money per volume", "USD/m3, USD/kL"},
    {WaterIntensity::dim, "water per energy", "L/kWh"},
    {TokenPrice::dim, "money per token", "USD/Mtoken"},
};

}  // namespace

std::string dimension_name(Dim dim) {
  for (const auto& words : dimension_words) {
    if (words.dim == dim) return words.name;
  }
  return "another kind of quantity";
}

std::string dimension_units(Dim dim) {
  for (const auto& words : dimension_words) {
    if (words.dim == dim) return words.units;
  }
  return "";
}

namespace {

std::string with_separators(std::string digits) {
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = point; at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace

std::string format_number(double value, int digits) {
  if (value == 0) return "0";
  if (!std::isfinite(value)) return value > 0 ? "unlimited" : (value < 0 ? "-unlimited" : "-");
  const double magnitude = std::abs(value);
  if (magnitude >= 1e15 || magnitude < 1e-4) {
    std::string out = fmt::format("{:.{}g}", value, digits);
    const auto plus = out.find("e+");
    return plus == std::string::npos ? out : out.erase(plus + 1, 1);  // 3.94e25, as people write it
  }
  const int before = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  const int after = std::max(0, digits - std::max(before, magnitude < 1 ? before : 1));
  std::string out = fmt::format("{:.{}f}", value, after);
  if (out.find('.') != std::string::npos) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  return magnitude >= 9999.5 ? with_separators(out) : out;
}

std::string format(double si, std::string_view unit) {
  const auto parsed = parse_unit(unit);
  const double value = parsed ? (si - parsed->offset) / parsed->factor : si;
  std::string out = format_number(value);
  if (unit.empty() || unit == "1") return out;
  return out + (unit == "%" ? " %" : " " + std::string(unit));
}

namespace {

struct Family {
  std::array<std::string_view, 7> units;  // ascending; empty entries end it
};
// A figure moves only inside its family: USD/h never becomes USD/yr.
constexpr Family families[] = {
    {{"W", "kW", "MW", "GW"}},
    {{"Wh", "kWh", "MWh", "GWh", "TWh"}},
    {{"B", "kB", "MB", "GB", "TB", "PB", "EB"}},
    {{"MB/s", "GB/s", "TB/s", "PB/s"}},
    {{"GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s"}},
    {{"gCO2e", "kgCO2e", "tCO2e", "ktCO2e"}},
    {{"us", "ms", "s", "min", "h", "d", "yr"}},
    {{"L", "m3"}},
    {{"USD", "kUSD", "MUSD"}},
    {{"USD/yr", "kUSD/yr", "MUSD/yr"}},
    {{"token", "ktoken", "Mtoken", "Gtoken", "Ttoken"}},
    {{"token/s", "ktoken/s", "Mtoken/s"}},
};

const Family* family_of(std::string_view unit) {
  for (const auto& family : families) {
    if (std::find(family.units.begin(), family.units.end(), unit) != family.units.end()) {
      return &family;
    }
  }
  return nullptr;
}

}  // namespace

std::string readable_unit(double si, std::string_view unit) {
  const Family* family = unit.empty() ? nullptr : family_of(unit);
  if (family == nullptr || si == 0 || !std::isfinite(si)) return std::string(unit);
  std::string_view best = family->units.front();
  for (const auto candidate : family->units) {
    if (!candidate.empty() && std::abs(si) >= 0.9995 * parse_unit(candidate)->factor) {
      best = candidate;
    }
  }
  return std::string(best);
}

std::string format_scaled(double si, std::string_view unit) {
  return format(si, readable_unit(si, unit));
}

}  // namespace headroom
