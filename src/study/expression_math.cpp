#include "study/expression_math.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::study::expression {
namespace {

Dim power_of(Dim d, double exponent) {
  const double n = std::nearbyint(exponent * 2) / 2;
  auto scale = [n](signed char e) {
    const double v = e * n;
    if (v != std::nearbyint(v) || std::abs(v) > 100) {
      throw Failure{"this power gives no whole dimension"};
    }
    return static_cast<signed char>(v);
  };
  return {scale(d.m),   scale(d.kg),  scale(d.s),    scale(d.K),     scale(d.A),
          scale(d.bit), scale(d.usd), scale(d.flop), scale(d.token), scale(d.co2)};
}

}  // namespace

Amount combine(Amount a, Amount b, char op) {
  if (op == '*') return {a.si * b.si, a.dim * b.dim};
  if (op == '/') {
    if (b.si == 0) throw Failure{"division by zero"};
    return {a.si / b.si, a.dim / b.dim};
  }
  if (a.dim != b.dim) {
    throw Failure{fmt::format("{} and {} do not {}", dimension_name(a.dim), dimension_name(b.dim),
                              op == '+'   ? "add"
                              : op == '-' ? "subtract"
                                          : "compare")};
  }
  return {op == '+' ? a.si + b.si : a.si - b.si, a.dim};
}

Amount raise(Amount base, Amount exponent) {
  if (exponent.dim != Dim{}) throw Failure{"an exponent is a pure number"};
  return {std::pow(base.si, exponent.si),
          base.dim == Dim{} ? Dim{} : power_of(base.dim, exponent.si)};
}

namespace {

double pure(Amount a, std::string_view what) {
  if (a.dim != Dim{}) throw Failure{fmt::format("{} takes a pure number", what)};
  return a.si;
}

Amount extreme(const std::vector<Amount>& args, bool largest) {
  Amount best = args.front();
  for (const Amount& a : args) {
    const double gap = combine(a, best, '-').si;
    if (largest ? gap > 0 : gap < 0) best = a;
  }
  return best;
}

constexpr Builtin table[] = {
    {"min", 1, 99, [](const Args& a) { return extreme(a, false); }},
    {"max", 1, 99, [](const Args& a) { return extreme(a, true); }},
    {"sqrt", 1, 1, [](const Args& a) { return raise(a[0], 0.5); }},
    {"abs", 1, 1, [](const Args& a) { return Amount(std::abs(a[0].si), a[0].dim); }},
    {"ceil", 1, 1, [](const Args& a) { return Amount(std::ceil(pure(a[0], "ceil") - 1e-9)); }},
    {"floor", 1, 1, [](const Args& a) { return Amount(std::floor(pure(a[0], "floor") + 1e-9)); }},
    {"round", 1, 1, [](const Args& a) { return Amount(std::round(pure(a[0], "round"))); }},
    {"log2", 1, 1, [](const Args& a) { return Amount(std::log2(pure(a[0], "log2"))); }},
    {"ln", 1, 1, [](const Args& a) { return Amount(std::log(pure(a[0], "ln"))); }},
    {"exp", 1, 1, [](const Args& a) { return Amount(std::exp(pure(a[0], "exp"))); }},
    {"if", 3, 3, [](const Args& a) { return pure(a[0], "if") != 0 ? a[1] : a[2]; }},
};

}  // namespace

std::span<const Builtin> builtins() { return table; }

const Builtin* find_builtin(std::string_view name) {
  const auto* it = std::find_if(std::begin(table), std::end(table),
                                [&](const Builtin& b) { return b.name == name; });
  return it == std::end(table) ? nullptr : it;
}

}  // namespace headroom::study::expression
