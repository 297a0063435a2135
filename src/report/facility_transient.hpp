// The answer of `headroom facility --transient` in the forms people and programs read.
//
// `transient_text` is for a terminal, `transient_json` has stable names and both windows made
// coarser (mean, lowest and highest of each group, at most `points`), `transient_csv` is a line a
// sample of both windows: window, time, load and grid in watts.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_transient.hpp"

namespace headroom::report {

std::string transient_text(const study::TransientAnswer& answer, const TextOptions& options);
std::string transient_json(const study::TransientAnswer& answer, std::size_t points = 500);
std::string transient_csv(const study::TransientAnswer& answer);

}  // namespace headroom::report
