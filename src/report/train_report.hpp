// The answer of `headroom train` in the forms people and programs read.
//
// `train_text` is for a terminal, `train_json` has stable names (docs/train.md), `train_csv`
// is the table of plans, one line a plan.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/training_run.hpp"

namespace headroom::report {

std::string train_text(const study::TrainingAnswer& answer, const TextOptions& options);
std::string train_json(const study::TrainingAnswer& answer);
std::string train_csv(const study::TrainingAnswer& answer);

}  // namespace headroom::report
