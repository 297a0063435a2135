// The answer of `headroom infer` in the forms people and programs read.
//
// `infer_text` is for a terminal, `infer_json` has stable names (docs/infer.md), `infer_csv` is
// the table of configurations, one line each: chosen, others, front, models, boxes.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/inference_run.hpp"

namespace headroom::report {

std::string infer_text(const study::InferenceAnswer& answer, const TextOptions& options);
std::string infer_json(const study::InferenceAnswer& answer);
std::string infer_csv(const study::InferenceAnswer& answer);

}  // namespace headroom::report
