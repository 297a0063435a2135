// The answer of `facility --layout` as text and JSON; the drawing is layout_svg.hpp.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_layout.hpp"

namespace headroom::report {

std::string layout_text(const study::LayoutAnswer& answer, const TextOptions& options);
/// Names are stable; metres, m2, kg, W.
std::string layout_json(const study::LayoutAnswer& answer);

}  // namespace headroom::report
