#include "api/option_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "requests/text_spec.hpp"
#include "spec/reader.hpp"

namespace headroom::api {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

OptionReader::OptionReader(std::span<const Option> options, Diagnostics& mistakes)
    : mistakes_(mistakes) {
  for (const auto& o : options) given_[o.name] = o.value;
}

void OptionReader::fail(std::string option, std::string message, std::string hint) {
  mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
}

void OptionReader::contradiction(const std::string& name, const std::string& other,
                                 const std::string& hint) {
  if (has(name) && has(other)) fail(shown(name), "contradicts " + shown(other), hint);
}

void OptionReader::text(const char* name, std::string& out) const {
  if (has(name)) out = value(name);
}

void OptionReader::flag(const char* name, bool& out, bool value) const {
  if (has(name)) out = value;
}

void OptionReader::whole(const char* name, int& out, int low, int high) {
  out = static_cast<int>(count(name, out, low, high));
}

double OptionReader::count(const char* name, double usual, double low, double high,
                           const char* what) {
  if (!has(name)) return usual;
  const auto n = split_number(value(name));
  const std::string counted = what;
  const bool bare = n && (n->unit.empty() || (!counted.empty() && std::string(n->unit) + "s" == counted));
  if (bare && n->number >= low && n->number <= high && n->number == std::floor(n->number))
    return n->number;
  fail(shown(name), fmt::format("expected a whole number{}, {} to {}",
                                counted.empty() ? "" : " of " + counted, low, high));
  return usual;
}

void OptionReader::number(const char* name, double& out, double low, double high) {
  if (!has(name)) return;
  const auto n = split_number(value(name));
  double x = n ? n->number : 0;
  const bool percent = n && n->unit == "%";
  if (percent) x /= 100;
  if (n && (n->unit.empty() || percent) && x >= low && x <= high)
    out = x;
  else
    fail(shown(name), fmt::format("expected a number, {:g} to {:g}", low, high));
}

std::vector<double> OptionReader::parts(const char* name) const {
  std::vector<double> out;
  const std::string& given = value(name);
  for (std::size_t at = 0; at <= given.size();) {
    const auto colon = std::min(given.find(':', at), given.size());
    const auto n = split_number(given.substr(at, colon - at));
    if (!n || !n->unit.empty()) return {};
    out.push_back(n->number);
    at = colon + 1;
  }
  return out;
}

std::optional<std::size_t> OptionReader::choice(const char* name,
                                                const std::vector<std::string>& names) {
  if (!has(name)) return std::nullopt;
  return choice(name, value(name), names, "one of the choices");
}

std::optional<std::size_t> OptionReader::choice(const char* name, const std::string& word,
                                                const std::vector<std::string>& names,
                                                const char* what) {
  const auto at = std::find(names.begin(), names.end(), word);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  std::string hint = did_you_mean(word, names);
  if (hint.empty()) hint = fmt::format("one of {}", fmt::join(names, ", "));
  fail(shown(name), fmt::format("'{}' is not {}", word, what), std::move(hint));
  return std::nullopt;
}

std::vector<Precision> OptionReader::formats(const char* name) {
  std::vector<Precision> out;
  if (!has(name)) return out;
  const auto known = precision_names();
  for (const auto& word : split(value(name)))
    if (choice(name, word, {known.begin(), known.end()}, "a number format"))
      out.push_back(*parse_precision(word));
  return out;
}

std::vector<std::string> OptionReader::entries(const char* name, const catalog::Catalog& catalog,
                                               std::string_view kind) {
  std::vector<std::string> out;
  if (!has(name)) return out;
  const auto known = catalog.ids(kind);
  for (const auto& id : split(value(name))) {
    if (std::find(known.begin(), known.end(), id) != known.end())
      out.push_back(id);
    else
      fail(shown(name), fmt::format("the catalogue has no {} '{}'", kind, id),
           did_you_mean(id, known));
  }
  return out;
}

std::optional<double> OptionReader::quantity_si(const char* name, const std::string& text, Dim dim,
                                                const char* unit, bool zero) {
  const auto n = split_number(text);
  const std::string full = n && n->unit.empty() ? text + " " + unit : text;
  double si = 0;
  std::string message, hint;
  if (!spec::read_number(full, dim, false, unit, si, message, hint)) {
    fail(shown(name), message, hint);
    return std::nullopt;
  }
  if (si > 0 || (si == 0 && zero)) return si;
  fail(shown(name), zero ? "is negative" : "must be above zero");
  return std::nullopt;
}

void OptionReader::time(const char* name, double& out, bool zero) {
  quantity<Time>(
      name, "s", [&](Time t) { out = t.si(); }, zero);
}

std::optional<double> OptionReader::rate_of(const char* name, const std::string& text) {
  constexpr double most = 1e9;
  const auto n = split_number(text);
  double si = n && n->unit.empty() ? n->number : 0;
  const bool read = (n && n->unit.empty()) || requests::parse_quantity(text, Rate::dim, si);
  if (read && si > 0 && si <= most) return si;
  fail(shown(name), "expected a rate above zero", "for example 20/s");
  return std::nullopt;
}

void OptionReader::rate(const char* name, double& out) {
  if (has(name)) out = rate_of(name, value(name)).value_or(out);
}

std::vector<double> OptionReader::rates(const char* name) {
  std::vector<double> out;
  if (!has(name)) return out;
  for (const auto& text : split(value(name)))
    if (const auto r = rate_of(name, text)) out.push_back(*r);
  return out;
}

void OptionReader::price(const char* name, Value<MoneyRate>& out) {
  quantity<MoneyRate>(
      name, "USD/GPU/h",
      [&](MoneyRate r) {
        out = {r, std::make_shared<Source>(Source{"user", name, "", "", Trust::user})};
      },
      true);
}

}  // namespace headroom::api
