// Small helpers for the lines of a section. Internal to study.
#pragma once

#include <string>
#include <vector>

#include "study/verdict.hpp"

namespace headroom::study {

/// Adds a figure; nothing when it was never computed (no node).
template <class Q>
void add_line(std::vector<Line>& lines, std::string key, std::string label, const Figure<Q>& f,
              std::string unit) {
  if (f.node == no_node) return;
  lines.push_back({std::move(key), std::move(label), f.value.si(), std::move(unit), f.node});
}

}  // namespace headroom::study
