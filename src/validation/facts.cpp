#include "validation/facts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace headroom::validation {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto from = s.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return s.substr(from, s.find_last_not_of(" \t\r\n") - from + 1);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return char(c < 128 ? std::tolower(c) : c); });
  return out;
}

bool is_absent(std::string_view text) {
  const auto t = lower(trimmed(text));
  for (const char* none : {"", "null", "~", "none", "nan", ".nan", "n/a", "inf", ".inf", "-inf",
                           "-.inf", "+.inf", "unknown"})
    if (t == none) return true;
  return false;
}

std::optional<double> parse_number(std::string_view text) {
  std::string plain;
  for (const char c : trimmed(text))
    if (c != '_' && !(c == '+' && plain.empty())) plain += c;
  double v = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), v);
  if (error != std::errc{} || end != plain.data() + plain.size() || !std::isfinite(v))
    return std::nullopt;
  return v;
}

Facts::Facts(const spec::Node& map) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2)
    if (map.items[i + 1].kind == spec::Node::Kind::scalar)
      values_.emplace(map.items[i].text, map.items[i + 1].text);
}

std::string Facts::text(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() || lower(it->second) == "null" || it->second == "~" ? std::string()
                                                                                 : it->second;
}

std::optional<double> Facts::number(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end() || is_absent(it->second)) return std::nullopt;
  const auto v = parse_number(it->second);
  if (!v) mistakes_.push_back(fmt::format("{} '{}' is no number", key, it->second));
  return v;
}

std::optional<bool> Facts::flag(std::string_view key) const {
  const auto t = lower(text(key));
  if (t == "true" || t == "yes" || t == "1" || t == "on") return true;
  if (t == "false" || t == "no" || t == "0" || t == "off") return false;
  return std::nullopt;
}

}  // namespace headroom::validation
