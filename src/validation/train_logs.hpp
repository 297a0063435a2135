// Step times from the logs that training frameworks write.
//
//   Megatron-LM, Megatron-Bridge
//     iteration       10/     100 | consumed samples: 1280 | elapsed time per iteration (ms):
//     1234.5 | throughput per GPU (TFLOP/s/GPU): 412.3 | ... global batch size:   128 | ...
//   NeMo
//     Training epoch 0, iteration 9/99 | ... | global_step: 9 | train_step_timing in s: 5.432
//   torchtitan
//     step: 10  loss:  7.03  memory: 45.20GiB(47.58%)  tps: 5,762  tflops: 333.1  mfu: 33.68%
//
// Colour codes, time stamps and rank prefixes are passed over; other lines are ignored.
// torchtitan prints tokens a second and GPU, which becomes seconds once the batch is known.
//
// STEADY STATE (`steady`). Steps before the log settles (compilation, first collectives,
// data loader) are warm-up: those before the first step that lies within 3 deviations, or 2 %,
// of the median of the second half. Of the rest, steps off by more than 5 deviations and 2 %
// are outliers (checkpoints, evaluation). A deviation is 1.4826 x the median absolute one.
//
// Complexity: linear in the text. Files above 256 MiB are refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::validation {

enum class LogFormat : unsigned char { megatron, nemo, torchtitan };
std::string_view log_format_name(LogFormat format);

struct LogStep {
  int line = 0;
  int step = 0;
  double seconds = 0;         ///< 0: the log prints tokens
  double tokens_per_gpu = 0;  ///< a second; 0: the log prints time
  double memory_bytes = 0;    ///< peak reserve, where printed
};

struct TrainLog {
  std::string file;
  LogFormat format = LogFormat::megatron;
  std::vector<LogStep> steps;
  double global_batch = 0;           ///< sequences, where printed
  std::vector<std::string> remarks;  ///< lines that could not be read
};

Result<TrainLog> read_train_log(const std::string& path);
Result<TrainLog> parse_train_log(const std::string& name, std::string_view text);

struct Steady {
  std::vector<double> seconds;  ///< used, ascending
  int warm_up = 0, outliers = 0;
  double median = 0;
  double low = 0, high = 0;  ///< 95 % interval of the median, by order statistics
};
Steady steady(const std::vector<double>& seconds);

}  // namespace headroom::validation
