#include "study/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/diagnostics.hpp"
#include "base/units.hpp"
#include "spec/walk.hpp"
#include "study/expression_math.hpp"

namespace headroom::study {
namespace {

using namespace expression;

constexpr std::size_t max_length = 4096;
constexpr int max_nesting = 64;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// A leaf of a catalogue entry as an amount; `part` is "", "low", "high" or "count".
Amount leaf_amount(const spec::Leaf& leaf, std::string_view part) {
  if (leaf.number == nullptr) {
    const auto number = split_number(leaf.text);
    if (!number || !number->unit.empty()) throw Failure{leaf.path + " is not a number"};
    return number->number;
  }
  const Number& n = *leaf.number;
  if (part == "count") return static_cast<double>(leaf.count);
  return {part == "low" ? n.low : part == "high" ? n.high : n.likely, leaf.dim};
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const Scope& scope, std::vector<Looked>& looked)
      : text_(text), scope_(scope), looked_(looked) {}

  Amount whole() {
    if (text_.size() > max_length) throw Failure{"longer than 4 kB"};
    Amount value = comparison();
    space();
    if (at_ < text_.size()) throw Failure{fmt::format("unexpected '{}'", text_[at_])};
    return value;
  }
  std::size_t at() const { return at_; }

 private:
  // --- characters ---
  void space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool accept(std::string_view token) {
    space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) throw Failure{fmt::format("expected '{}'", token)};
  }
  /// A word; a dash inside belongs to it when `dashes` and a word character follows.
  std::string_view word(bool dashes) {
    const std::size_t start = at_;
    while (is_word(peek()) || (dashes && peek() == '-' && is_word(peek(1)))) ++at_;
    return text_.substr(start, at_ - start);
  }

  // --- grammar ---
  Amount comparison() {
    const Amount left = sum();
    for (std::string_view op : {"<=", ">=", "==", "!=", "<", ">"}) {
      if (!accept(op)) continue;
      const double gap = combine(left, sum(), '?').si;
      const bool answer = op == "<="   ? gap <= 0
                          : op == ">=" ? gap >= 0
                          : op == "==" ? gap == 0
                          : op == "!=" ? gap != 0
                          : op == "<"  ? gap < 0
                                       : gap > 0;
      return answer ? 1.0 : 0.0;
    }
    return left;
  }
  Amount sum() {
    Amount value = product();
    for (;;) {
      if (accept("+"))
        value = combine(value, product(), '+');
      else if (accept("-"))
        value = combine(value, product(), '-');
      else
        return value;
    }
  }
  Amount product() {
    Amount value = power();
    for (;;) {
      if (accept("*"))
        value = combine(value, power(), '*');
      else if (accept("/"))
        value = combine(value, power(), '/');
      else
        return value;
    }
  }
  Amount power() {
    const Amount base = unary();
    return accept("^") ? raise(base, unary()) : base;
  }
  Amount unary() {
    if (depth_ >= max_nesting) throw Failure{"nested too deeply"};
    ++depth_;
    const bool minus = accept("-");
    Amount value = minus ? unary() : primary();
    --depth_;
    if (minus) value.si = -value.si;
    return value;
  }
  Amount primary() {
    space();
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) return literal();
    if (accept("(")) {
      const Amount value = comparison();
      expect(")");
      return value;
    }
    if (!is_letter(peek())) {
      throw Failure{at_ < text_.size() ? fmt::format("unexpected '{}'", peek())
                                       : "the expression ends too early"};
    }
    return name();
  }

  Amount literal() {
    const std::size_t start = at_;
    while (is_digit(peek()) || peek() == '.' || peek() == '_') ++at_;
    const std::size_t sign = peek(1) == '-' || peek(1) == '+' ? 2 : 1;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign))) {
      at_ += sign;
      while (is_digit(peek())) ++at_;
    }
    const auto number = split_number(text_.substr(start, at_ - start));
    if (!number) throw Failure{"not a number"};
    const std::string_view unit_text = unit();
    const auto parsed = parse_unit(unit_text);
    if (!parsed) throw Failure{fmt::format("'{}' is no unit", unit_text)};
    if (parsed->absolute) throw Failure{"temperatures are written as differences, in K"};
    return {number->number * parsed->factor, parsed->dim};
  }
  std::string_view unit() {
    const std::size_t before = at_;
    space();
    const std::size_t start = at_;
    if (peek() == '%') {
      ++at_;
      return text_.substr(start, 1);
    }
    while (is_letter(peek()) || (at_ > start && is_digit(peek())) ||
           (at_ > start && (peek() == '/' || peek() == '*') && is_letter(peek(1)))) {
      ++at_;
    }
    if (at_ > start) return text_.substr(start, at_ - start);
    at_ = before;
    return {};
  }

  Amount name() {
    const std::size_t start = at_;
    const std::string_view dashed = word(true);
    if (peek() == '(' && catalogue_kind(dashed)) return catalogue(start, dashed);
    at_ = start;
    const std::string_view plain = word(false);
    if (accept("(")) return function(start, plain);
    const auto it = scope_.names.find(plain);
    if (it != scope_.names.end()) return it->second;
    throw Failure{fmt::format("unknown name '{}'. {}", plain,
                              did_you_mean(std::string(plain), known_names()))};
  }

  static bool catalogue_kind(std::string_view name) {
    const auto kinds = catalog::Catalog::kinds();
    return std::find(kinds.begin(), kinds.end(), name) != kinds.end();
  }

  Amount catalogue(std::size_t start, std::string_view kind) {
    expect("(");
    const std::size_t close = text_.find(')', at_);
    if (close == std::string_view::npos) throw Failure{"expected ')'"};
    const std::string id(text_.substr(at_, close - at_));
    at_ = close + 1;
    std::string path;
    while (peek() == '.' && is_word(peek(1))) {
      ++at_;
      path += (path.empty() ? "" : ".") + std::string(word(true));
    }
    const spec::ObjectRef object = scope_.catalog.find_object(kind, id);
    if (object.object == nullptr) {
      throw Failure{fmt::format("there is no {} '{}'. {}", kind, id,
                                did_you_mean(id, scope_.catalog.ids(kind)))};
    }
    return look(start, object, path);
  }
  Amount look(std::size_t start, spec::ObjectRef object, const std::string& path) {
    std::vector<std::string> known;
    for (const spec::Leaf& leaf : spec::leaves(object)) {
      for (std::string_view part : {"", "low", "high", "count"}) {
        const std::string full = part.empty() ? leaf.path : leaf.path + "." + std::string(part);
        if (full != path) continue;
        const Amount value = leaf_amount(leaf, part);
        looked_.push_back({std::string(text_.substr(start, at_ - start)), value,
                           std::string(leaf.unit),
                           leaf.number != nullptr ? leaf.number->origin : Origin{}});
        return value;
      }
      known.push_back(leaf.path);
    }
    throw Failure{fmt::format("it has no number '{}'. {}", path, did_you_mean(path, known))};
  }

  Amount function(std::size_t start, std::string_view name) {
    if (const Builtin* b = find_builtin(name)) {
      const Args args = plain_arguments();
      if (args.size() < b->least || args.size() > b->most) {
        throw Failure{fmt::format("{} does not take {} arguments", name, args.size())};
      }
      return b->run(args);
    }
    const auto it = scope_.functions.find(name);
    if (it == scope_.functions.end()) {
      throw Failure{fmt::format("unknown function '{}'. {}", name,
                                did_you_mean(std::string(name), known_functions()))};
    }
    const Call call(scope_.catalog, named_arguments(it->second));
    const Amount value = it->second.run(call);
    looked_.push_back({std::string(text_.substr(start, at_ - start)), value, it->second.unit, {}});
    return value;
  }
  Args plain_arguments() {
    Args out;
    if (accept(")")) return out;
    do out.push_back(comparison());
    while (accept(","));
    expect(")");
    return out;
  }
  std::vector<Call::Argument> named_arguments(const NamedFunction& f) {
    std::vector<Call::Argument> out;
    if (accept(")")) return out;
    do out.push_back(named_argument(f));
    while (accept(","));
    expect(")");
    return out;
  }
  Call::Argument named_argument(const NamedFunction& f) {
    space();
    Call::Argument a;
    a.name = word(false);
    if (std::find(f.arguments.begin(), f.arguments.end(), a.name) == f.arguments.end()) {
      throw Failure{
          fmt::format("unknown argument '{}'; it takes {}", a.name, fmt::join(f.arguments, ", "))};
    }
    expect("=");
    space();
    if (peek() != '\'') {
      a.value = comparison();
      return a;
    }
    const std::size_t close = text_.find('\'', at_ + 1);
    if (close == std::string_view::npos) throw Failure{"a quoted word does not end"};
    a.is_text = true;
    a.text = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return a;
  }

  std::vector<std::string> known_names() const {
    std::vector<std::string> out;
    for (const auto& [key, value] : scope_.names) out.push_back(key);
    return out;
  }
  std::vector<std::string> known_functions() const {
    std::vector<std::string> out;
    for (const auto& [key, value] : scope_.functions) out.push_back(key);
    for (const Builtin& b : builtins()) out.emplace_back(b.name);
    return out;
  }

  std::string_view text_;
  const Scope& scope_;
  std::vector<Looked>& looked_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

const Call::Argument* Call::find(std::string_view name) const {
  const auto it = std::find_if(arguments_.begin(), arguments_.end(),
                               [&](const Argument& a) { return a.name == name; });
  return it == arguments_.end() ? nullptr : &*it;
}

double Call::number(std::string_view name, Dim dim) const {
  const Argument* a = find(name);
  if (a == nullptr || a->is_text) fail(fmt::format("argument '{}' is missing", name));
  if (a->value.dim != dim) {
    fail(fmt::format("argument '{}' is {}, expected {}", name, dimension_name(a->value.dim),
                     dimension_name(dim)));
  }
  return a->value.si;
}

const std::string& Call::text(std::string_view name) const {
  const Argument* a = find(name);
  if (a == nullptr || !a->is_text) fail(fmt::format("argument '{}' is missing", name));
  return a->text;
}

void Call::fail(std::string message) { throw Failure{std::move(message)}; }

Evaluation evaluate(std::string_view text, const Scope& scope) {
  Evaluation out;
  Evaluator evaluator(text, scope, out.looked);
  try {
    out.value = evaluator.whole();
    if (!std::isfinite(out.value.si)) throw Failure{"the result is not a finite number"};
  } catch (const Failure& failure) {
    out.error = fmt::format("at {}: {}", evaluator.at() + 1, failure.message);
  }
  return out;
}

}  // namespace headroom::study
