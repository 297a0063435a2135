// The answer of `headroom replay` in the forms people and programs read.
//
// `replay_text` is for a terminal, `replay_json` has stable names, `replay_rows` is one line a
// request (CSV with a header, or JSONL), in the trace's order.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/replay_run.hpp"

namespace headroom::report {

std::string replay_text(const study::ReplayAnswer& answer, const TextOptions& options);
std::string replay_json(const study::ReplayAnswer& answer);

enum class RowForm : unsigned char { csv, jsonl };
std::string replay_rows(const study::ReplayAnswer& answer, RowForm form);

}  // namespace headroom::report
