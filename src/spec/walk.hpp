// Walking a struct's field list without knowing its type: every leaf with its
// dotted path, as `headroom catalog` lists them and expressions look them up.
#pragma once

#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace headroom::spec {

struct Leaf {
  std::string path;       ///< "power.max", "rates.2.dense"
  std::string_view unit;  ///< display unit of a number; empty otherwise
  std::string_view doc;
  Dim dim;
  bool absolute_temperature = false;
  const Number* number = nullptr;  ///< null when the leaf is not a number
  int count = 0;                   ///< of a bank ("3 x 500 kW"), else 0
  std::string text;                ///< value as a person would write it
};

/// Every leaf that holds something (unset numbers, empty texts are left out).
/// List elements are named by their `name` or `id` when they have one, else by index.
std::vector<Leaf> leaves(ObjectRef object);

/// A number as it is written in a file: "120 kW", "{low: 1 kW, likely: 2 kW, high: 3 kW}".
std::string number_text(const Number& number, std::string_view unit);

}  // namespace headroom::spec
