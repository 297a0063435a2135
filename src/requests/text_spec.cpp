#include "requests/text_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::requests {
namespace {

std::string trimmed(std::string_view s) {
  const auto from = s.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(s.substr(from, s.find_last_not_of(" \t") - from + 1));
}

}  // namespace

bool parse_quantity(std::string_view text, Dim dim, double& si) {
  const auto parts = split_number(text);
  if (!parts || parts->unit.empty()) return false;
  std::string unit(parts->unit);
  if (unit.starts_with('/')) unit = "1" + unit;
  if (unit.starts_with("req/")) unit = "1" + unit.substr(3);
  const auto known = parse_unit(unit);
  if (!known || known->dim != dim) return false;
  si = parts->number * known->factor;
  return true;
}

TextSpec::TextSpec(std::string option, std::string text, Diagnostics& bad, char separator)
    : option_(std::move(option)), text_(std::move(text)), bad_(bad) {
  std::size_t from = 0;
  const auto colon = text_.find(':'), equals = text_.find('=');
  if (colon != std::string::npos && (equals == std::string::npos || colon < equals)) {
    name_ = trimmed(std::string_view(text_).substr(0, colon));
    from = colon + 1;
  } else if (equals == std::string::npos) {
    name_ = trimmed(text_);
    from = text_.size();
  }
  while (from < text_.size()) {
    const auto stop = std::min(text_.find(separator, from), text_.size());
    const std::string_view part(text_.data() + from, stop - from);
    const auto eq = part.find('=');
    Pair p;
    if (eq == std::string_view::npos) {
      p.key = trimmed(part);
      p.at = from;
    } else {
      p.key = trimmed(part.substr(0, eq));
      p.value = trimmed(part.substr(eq + 1));
      p.at = from + eq + 1;
    }
    if (!p.key.empty()) pairs_.push_back(std::move(p));
    from = stop + 1;
  }
}

void TextSpec::add(std::size_t at, std::string path, std::string message, std::string hint) {
  Diagnostic d;
  d.file = option_;
  d.line = 1;
  d.column = static_cast<int>(at) + 1;
  d.path = std::move(path);
  d.message = std::move(message);
  d.hint = std::move(hint);
  d.excerpt = text_;
  bad_.add(std::move(d));
}

TextSpec::Pair* TextSpec::find(std::string_view key) {
  asked_.emplace_back(key);
  for (auto& p : pairs_)
    if (p.key == key) return p.used = true, &p;
  return nullptr;
}

bool TextSpec::has(std::string_view key) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.key == key; });
}

std::string TextSpec::text(std::string_view key, std::string otherwise) {
  const Pair* p = find(key);
  return p == nullptr ? otherwise : p->value;
}

bool TextSpec::flag(std::string_view key) { return find(key) != nullptr; }

double TextSpec::number(std::string_view key, double otherwise, double least, double most) {
  const Pair* p = find(key);
  if (p == nullptr) return otherwise;
  const auto parts = split_number(p->value);
  const bool percent = parts && parts->unit == "%";
  if (!parts || (!parts->unit.empty() && !percent)) {
    add(p->at, p->key, fmt::format("'{}', expected a number", p->value), "");
    return otherwise;
  }
  const double value = percent ? parts->number / 100 : parts->number;
  if (value >= least && value <= most) return value;
  add(p->at, p->key, fmt::format("{}, expected {:g} to {:g}", p->value, least, most), "");
  return otherwise;
}

double TextSpec::seconds(std::string_view key, double otherwise) {
  const Pair* p = find(key);
  if (p == nullptr) return otherwise;
  double si = 0;
  if (parse_quantity(p->value, Time::dim, si) && si >= 0) return si;
  const auto parts = split_number(p->value);
  add(p->at, p->key, fmt::format("'{}', expected a time with its unit", p->value),
      parts && parts->unit.empty() ? fmt::format("{}s or {}min?", p->value, p->value) : "e.g. 30s");
  return otherwise;
}

double TextSpec::count(std::string_view key, double otherwise, double least, double most) {
  const Pair* p = find(key);
  if (p == nullptr) return otherwise;
  const auto parts = split_number(p->value);
  double value = parts ? parts->number : 0;
  bool good = parts.has_value();
  if (good && !parts->unit.empty()) {
    const auto unit = parse_unit(parts->unit);
    good = unit && (unit->dim == Tokens::dim || unit->dim == Scalar::dim);
    if (good) value *= unit->factor;
  }
  if (good && value >= least && value <= most) return value;
  add(p->at, p->key,
      good ? fmt::format("{}, expected {:g} to {:g}", p->value, least, most)
           : fmt::format("'{}', expected a count", p->value),
      "");
  return otherwise;
}

void TextSpec::unknown_name(const std::vector<std::string>& names) {
  auto hint = did_you_mean(name_, names);
  if (hint.empty()) hint = fmt::format("one of {}", fmt::join(names, ", "));
  add(0, "", name_.empty() ? "expected a name" : fmt::format("'{}' is not known", name_),
      std::move(hint));
}

void TextSpec::wrong(std::string_view key, std::string message, std::string hint) {
  std::size_t at = 0;
  for (const auto& p : pairs_)
    if (p.key == key) at = p.at;
  add(at, std::string(key), std::move(message), std::move(hint));
}

void TextSpec::finish() {
  for (const auto& p : pairs_) {
    if (p.used) continue;
    auto hint = did_you_mean(p.key, asked_);
    if (hint.empty() && !asked_.empty()) hint = fmt::format("known: {}", fmt::join(asked_, ", "));
    if (hint.empty()) hint = "it takes none";
    add(p.at - (p.value.empty() ? 0 : p.key.size() + 1), p.key, "unknown key", std::move(hint));
  }
}

}  // namespace headroom::requests
