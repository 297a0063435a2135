// "name:key=value,key=value": the small language of traffic.hpp, read with places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.hpp"
#include "base/quantity.hpp"

namespace headroom::requests {

/// A text under way: gathers mistakes, each with its column.
class TextSpec {
 public:
  /// `separator` stands between pairs; a first part without '=' is the name, up to ':'.
  TextSpec(std::string option, std::string text, Diagnostics& bad, char separator = ',');

  const std::string& name() const { return name_; }
  bool has(std::string_view key) const;
  /// A value as text; `otherwise` when it is not given. All getters mark their key as known.
  std::string text(std::string_view key, std::string otherwise = {});
  bool flag(std::string_view key);
  /// A plain number; shares also as "10 %".
  double number(std::string_view key, double otherwise, double least, double most);
  /// A time, with its unit: 30s, 1h.
  double seconds(std::string_view key, double otherwise);
  /// Tokens, users: a count, with or without unit.
  double count(std::string_view key, double otherwise, double least = 1, double most = 1e9);

  /// The name's own mistake, e.g. an unknown process.
  void unknown_name(const std::vector<std::string>& names);
  void wrong(std::string_view key, std::string message, std::string hint = {});
  /// Keys that nothing asked for are mistakes.
  void finish();

 private:
  struct Pair {
    std::string key, value;
    std::size_t at = 0;  ///< of the value in the text
    bool used = false;
  };
  Pair* find(std::string_view key);
  void add(std::size_t at, std::string path, std::string message, std::string hint);

  std::string option_, text_, name_;
  std::vector<Pair> pairs_;
  std::vector<std::string> asked_;
  Diagnostics& bad_;
};

/// "20/s", "1h", "2.5 s": the number in SI base units of `dim`; false when it is none.
bool parse_quantity(std::string_view text, Dim dim, double& si);

}  // namespace headroom::requests
