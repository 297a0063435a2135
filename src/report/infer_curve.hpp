// Latency against load of a fleet, in the forms people and programs read: what
// `headroom infer --concurrency 1,4,16,64` and `--rate 5/s,10/s,20/s` print.
//
// `curve_text` is for a terminal, `curve_json` has stable names (docs/infer.md), `curve_csv` is one
// line a load and configuration.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/inference_curve.hpp"

namespace headroom::report {

std::string curve_text(const study::CurveAnswer& answer, const TextOptions& options);
std::string curve_json(const study::CurveAnswer& answer);
std::string curve_csv(const study::CurveAnswer& answer);

}  // namespace headroom::report
