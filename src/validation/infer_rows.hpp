// Measured serving results, as files give them.
//
// Three layouts, told apart by what is there:
//   YAML with `rows`, without stages       measured.yaml: one operating point a row
//   YAML with `rows` that hold `stages`    open_loop.yaml: each stage becomes a row
//   a folder (or its meta.json) with meta.json, config.json and requests.jsonl[.gz]
//                                          the log of one run, request by request
// A folder of such folders gives all of them.
//
// A row's scalars are kept as text; those of nested maps under "outer.inner" ("ttft_ms.p90",
// "decode.tp_size"). Unknown keys are kept and ignored. What cannot be read is skipped with
// the reason. In a log, a broken line is counted and left out.
//
// Complexity: linear; a thousand rows take about 0.1 s, most of it YAML.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "validation/facts.hpp"
#include "validation/report.hpp"

namespace headroom::validation {

/// One request of a log. Seconds from the first arrival.
struct LoggedRequest {
  double arrival_s = 0;
  double queued_s = 0;  ///< the server has it
  double first_token_s = 0, last_token_s = 0;
  double input = 0, output = 0;  ///< tokens
};

struct RequestLog {
  std::vector<LoggedRequest> requests;  ///< by arrival
  std::size_t broken = 0;               ///< lines left out
};

enum class InferLayout : unsigned char { measured, open_loop, log };

struct InferRow {
  std::string id;
  std::string source;  ///< `src`, or the file's layout
  std::string file;
  int line = 0;
  InferLayout layout = InferLayout::measured;
  int stage = -1;  ///< of an open-loop run
  Facts facts;
  std::shared_ptr<const RequestLog> log;
};

struct InferRows {
  std::vector<InferRow> rows;
  std::vector<Skipped> skipped;
  void append(InferRows other);
};

/// Reads a file or a folder. Fails when it cannot be read at all or has none of the layouts.
Result<InferRows> read_infer_rows(const std::string& path);
/// YAML layouts from a text.
Result<InferRows> parse_infer_rows(const std::string& name, std::string text);
/// The rows of all files; every file's mistakes when one cannot be read.
Result<InferRows> read_infer_files(const std::vector<std::string>& files);

/// Reads a log's lines: JSON objects with input_toks, output_toks, arrival_time, queued_ts,
/// first_token_ts, last_token_ts (LLMServingSim's bench).
RequestLog parse_request_log(const std::string& text);

}  // namespace headroom::validation
