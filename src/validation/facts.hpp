// Facts: what a row of a measured file says, read so that nothing in it can end the run.
//
// A row is a map of scalars. Keys that nobody asks for are ignored. `null`, `~`, an empty
// text, NaN and infinities are "not given"; a text where a number belongs is a mistake that
// `mistakes` collects, so that the row can be skipped with that reason.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/node.hpp"

namespace headroom::validation {

/// A finite number written as YAML or CSV writes one: "20", "1e9", "5_762"; nothing otherwise.
std::optional<double> parse_number(std::string_view text);
/// null, ~, empty, NaN and infinities (".nan", "inf").
bool is_absent(std::string_view text);
std::string lower(std::string_view text);

class Facts {
 public:
  Facts() = default;
  /// The scalars of a map; nested values are left out.
  explicit Facts(const spec::Node& map);

  void set(std::string key, std::string value) { values_[std::move(key)] = std::move(value); }
  /// Sets what is not given.
  void set_default(const std::string& key, const std::string& value) {
    if (!has(key)) values_[key] = value;
  }
  bool has(std::string_view key) const { return !text(key).empty(); }
  /// The text, or empty when not given.
  std::string text(std::string_view key) const;
  /// The number, or nothing; a text that is no number is noted in `mistakes`.
  std::optional<double> number(std::string_view key) const;
  /// yes, true, 1 / no, false, 0; nothing when not given.
  std::optional<bool> flag(std::string_view key) const;
  const std::vector<std::string>& mistakes() const { return mistakes_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  mutable std::vector<std::string> mistakes_;
};

}  // namespace headroom::validation
