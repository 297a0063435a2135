// Results that load generators write, for `headroom calibrate infer`.
//
//   vLLM      benchmark_serving.py / vllm bench serve --save-result: one JSON object with model_id,
//             max_concurrency, request_rate, completed, total_input_tokens, total_output_tokens,
//             output_throughput, mean_ttft_ms, median_tpot_ms, p99_itl_ms, ...; one object a line
//             with --append-result
//   GuideLLM  benchmarks.json: benchmarks[] with metrics.time_to_first_token_ms.successful.mean,
//             .percentiles.p50, inter_token_latency_ms, time_per_output_token_ms,
//             prompt_token_count, output_token_count, request_concurrency, requests_per_second,
//             and the strategy (concurrent streams, constant or poisson rate)
//   AIPerf    profile_export_aiperf.json (and GenAI-Perf's): time_to_first_token,
//             inter_token_latency, output_sequence_length ... each with unit, avg, p50, p99;
//             input_config.loadgen.concurrency or request_rate
//
// The format is told by the keys, not by the file's name. A file may hold several benchmarks (a
// sweep): each is a point. Points without a time per token, lengths, or users are left out with
// the reason.
//
// Complexity: linear. Files above 256 MiB are refused.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::validation {

enum class ResultFormat : unsigned char { vllm, guidellm, aiperf };
std::string_view result_format_name(ResultFormat format);

/// One benchmark. Times in seconds; 0: not given.
struct ResultPoint {
  std::string name;              ///< file, with the benchmark's number where there are several
  std::string model;             ///< as the file calls it; may be empty
  double concurrency = 0;        ///< users, or requests in flight on average
  bool closed = false;           ///< a fixed number of users
  double rate_s = 0;             ///< asked for; 0: none or infinite
  double requests = 0;           ///< answered
  double input = 0, output = 0;  ///< tokens, mean
  double out_tok_s = 0;          ///< output tokens a second
  std::map<std::string, double> times;  ///< "tpot_mean", "ttft_p50", "itl_mean", "e2e_p99"
};

struct Results {
  std::string file;
  ResultFormat format = ResultFormat::vllm;
  std::vector<ResultPoint> points;
  std::vector<std::string> left_out;  ///< benchmarks that cannot serve, with the reason
};

Result<Results> read_results(const std::string& path);
Result<Results> parse_results(const std::string& name, std::string_view text);

}  // namespace headroom::validation
