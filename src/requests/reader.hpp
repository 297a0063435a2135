// Reader: request traces and request logs of the usual tools, as a Stream.
//
//   const auto stream = requests::read("AzureLLMInferenceTrace_conv.csv.gz");
//   if (!stream) std::cerr << render(stream.error());
//
// The format is detected by the names of columns or keys, not by the file's name; `.gz` by its
// first bytes.
//
//   azure     CSV    TIMESTAMP, ContextTokens, GeneratedTokens [, NumImages]: the Azure traces of
//                    2023, 2024 and 2025 (images are counted, their tokens are in the context)
//   burstgpt  CSV    Timestamp (s), Session ID, Elapsed time, Model, Request tokens, Response
//                    tokens, Total tokens, Log Type; rows with 0 response tokens are failed
//                    requests by that trace's definition: left out and counted as `failed`
//   vidur     CSV    arrived_at (s), num_prefill_tokens, num_decode_tokens; also lengths only
//   mooncake  JSONL  timestamp (ms), input_length, output_length, hash_ids (512-token blocks);
//                    AIPerf's session_id and delay (ms) make turns of a session
//   lengths   JSONL  input_toks, output_toks, arrival_time_ns or arrival_time (s): data sets and
//                    request logs of LLMServingSim's bench and ShareGPT-like lists of lengths;
//                    also prompt_len / output_len and other common names
//   aiperf    JSONL  profile_export.jsonl: metadata.request_start_ns, metrics.*_sequence_length
//   guidellm  JSON   benchmarks[].requests: prompt_tokens, output_tokens and start times
//   vllm      JSON   vllm bench serve --save-detailed: input_lens, output_lens, start_times
//   servegen  a folder or .tar.gz of chunk-N-trace.csv and chunk-N-dataset.json: arrivals and
//                    lengths are drawn (servegen.hpp)
//   headroom  CSV or JSONL, ours, written by `write`: arrival_s, prompt, output and what else a
//                    Request has, in columns that are left out where nothing uses them; a column
//                    region makes classes of their own, CLASS@REGION
//
// Times become seconds from the first arrival. Zero and negative lengths, rows that do not parse
// and rows whose time lies before the row above are mistakes, each with file:line:column, all in
// one pass; Diagnostics keeps the first 200 and counts the rest. Logs of results (aiperf,
// guidellm, vllm) stand in the order of completion and are sorted.
//
// Complexity: O(bytes); about 10 M rows/s of CSV and 1 M rows/s of JSONL with block hashes on
// one core (bench/requests_bench.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "requests/request.hpp"

namespace headroom::requests {

struct ReadOptions {
  std::string format = {};  ///< one of `format_names()`; empty: detect
  bool skip_bad = false;    ///< leave bad rows out and count them; false: any bad row is a failure
  bool sort = false;        ///< accept rows that are not in order of arrival
  double rate_per_s = 0;    ///< Poisson arrivals for files that tell lengths only; 0: all at once
  std::uint64_t seed = 1;
  std::size_t most = 0;  ///< requests kept, from the front; 0: all

  // ServeGen only (servegen.hpp).
  std::string workload = {};      ///< folder within the archive, e.g. m-large; empty: the only one
  std::string lengths_from = {};  ///< second archive with the data sets, where they stand apart
  double from_s = 0;              ///< start of the window drawn
  double span_s = 0;              ///< its length; 0: to the end
  double rate_scale = 1;          ///< factor on every client's rate
};

/// What the reader found, beside the requests.
struct ReadReport {
  std::string format = {};         ///< one of `format_names()`
  std::size_t rows = 0;            ///< data rows seen
  std::size_t skipped = 0;         ///< bad rows left out by `skip_bad`
  std::size_t failed = 0;          ///< requests the log itself calls failed, left out
  Diagnostics bad;                 ///< why rows were skipped; the first 200
  std::vector<std::string> notes;  ///< what a reader of the results should know
};

/// The requests of a file, or every mistake in it. An empty file is a mistake.
Result<Stream> read(const std::string& path, const ReadOptions& options = {},
                    ReadReport* report = nullptr);

/// The same from text in memory; `name` stands for the file in messages.
Result<Stream> read_text(std::string_view text, const std::string& name,
                         const ReadOptions& options = {}, ReadReport* report = nullptr);

/// Writes our own form, so that `read` gives the same Stream back: `.csv` or `.jsonl`, each also
/// with `.gz`. Returns the bytes written before compression.
Result<std::size_t> write(const Stream& stream, const std::string& path);

/// Names that `ReadOptions::format` may have.
const std::vector<std::string>& format_names();

}  // namespace headroom::requests
