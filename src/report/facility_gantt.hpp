// The answer of `facility --gantt`: chart for a terminal, JSON, SVG.
//
// Bars start and end at a task's dates; critical tasks are full, others hatched, slack dotted.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_gantt.hpp"

namespace headroom::report {

std::string gantt_text(const study::GanttAnswer& answer, const TextOptions& options);
/// Names are stable; times in days since the start, USD.
std::string gantt_json(const study::GanttAnswer& answer);
std::string gantt_svg(const study::GanttAnswer& answer);

}  // namespace headroom::report
