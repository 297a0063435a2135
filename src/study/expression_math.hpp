// Arithmetic of amounts, and the functions every expression knows. Internal to
// expression.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "study/expression.hpp"

namespace headroom::study::expression {

/// Carries a message from where it is found to `evaluate`; never leaves this file.
struct Failure {
  std::string message;
};

using Args = std::vector<Amount>;
struct Builtin {
  std::string_view name;
  std::size_t least, most;  ///< arguments
  Amount (*run)(const Args&);
};
std::span<const Builtin> builtins();
/// The builtin of this name, or nullptr.
const Builtin* find_builtin(std::string_view name);

/// a op b for + - * / and '?', which subtracts to compare. Throws Failure.
Amount combine(Amount a, Amount b, char op);
Amount raise(Amount base, Amount exponent);

}  // namespace headroom::study::expression
