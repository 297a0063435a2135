// The options of a replay as texts, read one by one. Internal to api.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "api/replay.hpp"
#include "base/units.hpp"
#include "requests/text_spec.hpp"
#include "spec/reader.hpp"

namespace headroom::api {

/// "a=1,b" cut at a separator; empty pieces are left out.
inline std::vector<std::string> pieces(const std::string& text, char at) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    if (end > begin) out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

class Parser {
 public:
  Parser(const ReplayRequest& request, Diagnostics& mistakes) : mistakes_(mistakes) {
    for (const auto& o : request.options) given_[o.name] = o.value;
  }

  void fail(std::string option, std::string message, std::string hint = {}) {
    mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
  }
  bool has(const char* name) const { return given_.count(name) > 0; }
  std::string shown(const char* name) const { return fmt::format("{} {}", name, given_.at(name)); }
  void text(const char* name, std::string& out) {
    if (has(name)) out = given_.at(name);
  }
  void flag(const char* name, bool& out, bool value) {
    if (has(name)) out = value;
  }

  void whole(const char* name, int& out, int low, int high) {
    if (!has(name)) return;
    const auto n = split_number(given_.at(name));
    if (n && n->unit.empty() && n->number == std::floor(n->number) && n->number >= low &&
        n->number <= high)
      out = static_cast<int>(n->number);
    else
      fail(shown(name), fmt::format("expected a whole number, {} to {}", low, high));
  }

  void number(const char* name, double& out, double low, double high) {
    if (!has(name)) return;
    const auto n = split_number(given_.at(name));
    double x = n ? n->number : 0;
    const bool percent = n && n->unit == "%";
    if (percent) x /= 100;
    if (n && (n->unit.empty() || percent) && x >= low && x <= high)
      out = x;
    else
      fail(shown(name), fmt::format("expected a number, {:g} to {:g}", low, high));
  }

  /// A quantity, in `unit` where it has none; above zero, or from zero on with `zero`.
  template <class Q>
  void quantity(const char* name, const char* unit, const std::function<void(Q)>& take,
                bool zero = false) {
    if (!has(name)) return;
    const std::string& given = given_.at(name);
    const auto n = split_number(given);
    const std::string full = n && n->unit.empty() ? given + " " + unit : given;
    double si = 0;
    std::string message, hint;
    if (!spec::read_number(full, Q::dim, false, unit, si, message, hint))
      return fail(shown(name), message, hint);
    if (si < 0 || (si == 0 && !zero))
      return fail(shown(name), zero ? "is negative" : "must be above zero");
    take(Q::from_si(si));
  }
  void time(const char* name, double& out, bool zero = false) {
    quantity<Time>(
        name, "s", [&](Time t) { out = t.si(); }, zero);
  }

  /// One of some names; its place among them.
  std::optional<std::size_t> choice(const char* name, std::vector<std::string> names) {
    if (!has(name)) return std::nullopt;
    const auto at = std::find(names.begin(), names.end(), given_.at(name));
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    std::string hint = did_you_mean(given_.at(name), names);
    if (hint.empty()) hint = fmt::format("one of {}", fmt::join(names, ", "));
    fail(shown(name), "is none of the choices", std::move(hint));
    return std::nullopt;
  }

  /// Events a second: "20/s", or a bare number.
  void rate(const char* name, double& out) {
    if (!has(name)) return;
    const auto n = split_number(given_.at(name));
    double si = n && n->unit.empty() ? n->number : 0;
    const bool read =
        (n && n->unit.empty()) || requests::parse_quantity(given_.at(name), Rate::dim, si);
    if (read && si > 0 && si <= 1e9)
      out = si;
    else
      fail(shown(name), "expected a rate above zero", "for example 20/s");
  }

  /// "SIZE[:RATE]".
  void tier(const char* name, study::ReplayTier& out) {
    if (!has(name)) return;
    const std::string& given = given_.at(name);
    const auto colon = std::min(given.find(':'), given.size());
    const auto read = [&](std::string text, Dim dim, const char* unit, double& si) {
      const auto n = split_number(text);
      if (n && n->unit.empty()) text += std::string(" ") + unit;
      std::string message, hint;
      return spec::read_number(text, dim, false, unit, si, message, hint) && si > 0;
    };
    double size = 0, rate = 0;
    if (!read(given.substr(0, colon), Information::dim, "GB", size) ||
        (colon < given.size() && !read(given.substr(colon + 1), Bandwidth::dim, "GB/s", rate)))
      return fail(shown(name), "expected SIZE[:RATE], both above zero", "for example 200GB:25GB/s");
    out = {Information::from_si(size), Bandwidth::from_si(rate)};
  }

  /// "a:b[:c]" as numbers.
  std::vector<double> parts(const char* name) const {
    std::vector<double> out;
    const std::string& given = given_.at(name);
    for (std::size_t at = 0; at <= given.size();) {
      const auto colon = std::min(given.find(':', at), given.size());
      const auto n = split_number(given.substr(at, colon - at));
      if (!n || !n->unit.empty()) return {};
      out.push_back(n->number);
      at = colon + 1;
    }
    return out;
  }

  /// A quantity of a text, in `unit` where it has none, from zero on; false when it is none.
  template <class Q>
  static bool read(std::string text, const char* unit, double& si) {
    const auto n = split_number(text);
    if (n && n->unit.empty()) text += std::string(" ") + unit;
    std::string message, hint;
    return n && spec::read_number(text, Q::dim, false, unit, si, message, hint) && si >= 0;
  }

 private:
  std::map<std::string, std::string> given_;
  Diagnostics& mistakes_;
};

// replay_fleet_options.cpp
/// Settings of the engine beyond limits and batching.
void engine_options(Parser& p, study::ReplayOptions& options);
/// Limits of power by time, losses at known times.
void timed_options(Parser& p, study::ReplayOptions& options);
/// --fleet, and what it contradicts.
void fleet_file_options(Parser& p, std::string& file);

}  // namespace headroom::api
