// OptionReader: the options of one request as typed values. Internal to api.
//
//   OptionReader in(request.options, mistakes);
//   in.whole("--tp", tp, 1, 1024);
//   in.quantity<Power>("--power-cap", "W", [&](Power w) { cap = w; });
//   const auto ids = in.entries("--system", catalog, catalog::System::kind);
//
// A value that cannot be read leaves its target as it was and adds a mistake told with the option
// and the nearest legal choice, so all mistakes of a request come in one pass. An option that is
// not given leaves its target as it was. Of an option given twice the last counts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/options.hpp"
#include "base/diagnostics.hpp"
#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/catalog.hpp"
#include "catalog/precision.hpp"

namespace headroom::api {

/// The pieces between `separator`; empty ones are left out.
std::vector<std::string> split(const std::string& text, char separator = ',');

class OptionReader {
 public:
  OptionReader(std::span<const Option> options, Diagnostics& mistakes);

  bool has(const std::string& name) const { return given_.count(name) > 0; }
  const std::string& value(const std::string& name) const { return given_.at(name); }
  /// "--tp 8", for messages.
  std::string shown(const std::string& name) const { return name + " " + value(name); }

  void fail(std::string option, std::string message, std::string hint = {});
  /// Tells when both are given.
  void contradiction(const std::string& name, const std::string& other,
                     const std::string& hint = "give one of them");

  void text(const char* name, std::string& out) const;
  void flag(const char* name, bool& out, bool value) const;
  /// `what` is counted: "GPUs", which may also follow the number.
  void whole(const char* name, int& out, int low, int high);
  double count(const char* name, double usual, double low, double high, const char* what = "");
  /// Also in % of one.
  void number(const char* name, double& out, double low, double high);
  /// "a:b[:c]" as numbers; empty when one of them is none.
  std::vector<double> parts(const char* name) const;
  /// One of some names; its place among them.
  std::optional<std::size_t> choice(const char* name, const std::vector<std::string>& names);
  /// One word of an option's value; `what` is "a number format".
  std::optional<std::size_t> choice(const char* name, const std::string& word,
                                    const std::vector<std::string>& names, const char* what);
  /// Number formats, "bf16,fp8".
  std::vector<Precision> formats(const char* name);
  /// Catalogue ids, "dgx-h100,dgx-b200": those that there are.
  std::vector<std::string> entries(const char* name, const catalog::Catalog& catalog,
                                   std::string_view kind);

  /// A quantity, in `unit` where it has none; above zero, or from zero on with `zero`.
  template <class Q>
  void quantity(const char* name, const char* unit, const std::function<void(Q)>& take,
                bool zero = false) {
    if (has(name))
      if (const auto si = quantity_si(name, value(name), Q::dim, unit, zero)) take(Q::from_si(*si));
  }
  void time(const char* name, double& out, bool zero = false);
  /// Events a second: "20/s", "20 request/s" or a bare number.
  void rate(const char* name, double& out);
  /// The same for each of a list.
  std::vector<double> rates(const char* name);
  /// Price of a GPU-hour, in USD where it has no unit.
  void price(const char* name, Value<MoneyRate>& out);

 private:
  std::optional<double> quantity_si(const char* name, const std::string& text, Dim dim,
                                    const char* unit, bool zero);
  std::optional<double> rate_of(const char* name, const std::string& text);

  std::map<std::string, std::string> given_;
  Diagnostics& mistakes_;
};

}  // namespace headroom::api
