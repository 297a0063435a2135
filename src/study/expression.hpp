// Expressions: arithmetic with units over the catalogue and the layers.
//
//   system(dgx-h100).power.max * 4                       -> 40.8 kW
//   5 PB / (10 Gb/s * 80 %)                              -> 57.9 d
//   accelerator(h100-sxm).rates.fp8.dense                -> 1,979 TFLOP/s
//   rtt(from='algeria', to='france', inflation=1.74)     -> a layer's function
//
// Grammar, loosest first:
//   comparison  sum [ (< | <= | > | >= | == | !=) sum ]     1 when true, else 0
//   sum         product { (+|-) product }                   one dimension only
//   product     power { (*|/) power }
//   power       unary [ ^ unary ]                           exponent: a pure number
//   unary       -unary | primary
//   primary     number [unit] | ( comparison ) | function(args) | kind(id).path | name
//
// A unit follows its number (`10 Gb/s`); `/` and `*` belong to it when a letter
// follows without a space, so divide by a name with spaces around: `1 kW / n`.
// Functions: min max sqrt ceil floor round abs log2 ln exp if(condition, a, b).
// `kind(id).path` is a number of a catalogue entry; a range gives its likely
// value, `.low` and `.high` behind the path give its ends; a bank ("3 x 500 kW")
// gives one of them, `.count` how many. A dash inside a path or kind belongs to
// it, so subtract with spaces. Arguments of layer functions are named; words are
// quoted: 'h100-sxm'.
//
// Errors (syntax, unknown names, dimensions that do not add, division by zero)
// come back as text with the place. Depth is limited to 64, length to 4 kB.
// Complexity: O(length) plus the functions. Thread-safe: no state.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/source.hpp"
#include "catalog/catalog.hpp"

namespace headroom::study {

/// A quantity whose dimension is known only when it runs.
struct Amount {
  double si = 0;
  Dim dim;

  Amount() = default;
  Amount(double value) : si(value) {}  // NOLINT: a pure number is a double
  Amount(double in_si, Dim d) : si(in_si), dim(d) {}
  template <Dim D>
  Amount(Quantity<D> q) : si(q.si()), dim(D) {}  // NOLINT: a quantity is an amount
};

/// Something an expression looked up: a catalogue number or a function's answer.
struct Looked {
  std::string text;  ///< as written: "system(dgx-h100).power.max"
  Amount value;
  std::string unit;  ///< display unit; may be empty
  Origin origin;     ///< catalogue: where it stands and its source
};

/// A call of a layer function: its arguments, by name.
class Call {
 public:
  struct Argument {
    std::string name;
    Amount value;
    std::string text;
    bool is_text = false;
  };

  Call(const catalog::Catalog& catalog, std::vector<Argument> arguments)
      : catalog_(catalog), arguments_(std::move(arguments)) {}

  const catalog::Catalog& catalog() const { return catalog_; }

  /// A quantity argument. Throws when absent or of another dimension.
  template <class Q>
  Q get(std::string_view name) const {
    return Q::from_si(number(name, Q::dim));
  }
  template <class Q>
  Q get_or(std::string_view name, Q fallback) const {
    return has(name) ? get<Q>(name) : fallback;
  }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// A quoted word. Throws when absent.
  const std::string& text(std::string_view name) const;
  std::string text_or(std::string_view name, std::string fallback) const {
    return has(name) ? text(name) : std::move(fallback);
  }
  /// The catalogue entry that a quoted id names. Throws when there is none.
  template <class T>
  const T& entry(std::string_view name) const {
    const T* e = catalog_.find<T>(text(name));
    if (e == nullptr) fail("there is no " + std::string(T::kind) + " '" + text(name) + "'");
    return *e;
  }
  /// Stops the evaluation with a message.
  [[noreturn]] static void fail(std::string message);

 private:
  const Argument* find(std::string_view name) const;
  double number(std::string_view name, Dim dim) const;

  const catalog::Catalog& catalog_;
  std::vector<Argument> arguments_;
};

using Function = std::function<Amount(const Call&)>;
/// A layer function, the arguments it takes, and the unit its answer is shown in.
struct NamedFunction {
  Function run;
  std::vector<std::string> arguments;
  std::string unit;
  std::string doc;
};
using Functions = std::map<std::string, NamedFunction, std::less<>>;

struct Scope {
  const catalog::Catalog& catalog;
  const Functions& functions;
  std::map<std::string, Amount, std::less<>> names;
};

struct Evaluation {
  Amount value;
  std::vector<Looked> looked;  ///< in the order of use
  std::string error;           ///< empty when all went well

  explicit operator bool() const { return error.empty(); }
};

Evaluation evaluate(std::string_view text, const Scope& scope);

}  // namespace headroom::study
