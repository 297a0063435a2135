#include "validation/train_logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>

#include "validation/facts.hpp"
#include "validation/report.hpp"

namespace headroom::validation {
namespace {

constexpr std::size_t largest_log = std::size_t(256) << 20;

/// A line without terminal colours (ESC [ ... letter).
std::string plain(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      out += line[i];
      continue;
    }
    while (i + 1 < line.size() && std::isalpha(static_cast<unsigned char>(line[i])) == 0) ++i;
  }
  return out;
}

/// The word behind `key`, its separators (spaces, ':', '=') passed over; nothing without the key.
std::optional<std::string> word_after(const std::string& line, std::string_view key) {
  auto at = line.find(key);
  if (at == std::string::npos) return std::nullopt;
  at += key.size();
  while (at < line.size() &&
         (line[at] == ' ' || line[at] == ':' || line[at] == '=' || line[at] == '\t'))
    ++at;
  const auto end = line.find_first_of(" |\t/([", at);
  return line.substr(at, end == std::string::npos ? end : end - at);
}

/// A positive number that begins a word: "5,762", "45.20GiB", "1234.5".
std::optional<double> number_in(std::string word) {
  std::erase(word, ',');
  const auto end = word.find_first_not_of("0123456789.eE+-");
  const auto v = parse_number(word.substr(0, end));
  return v && *v > 0 ? v : std::nullopt;
}

struct Pattern {
  LogFormat format;
  const char* mark;  ///< text that makes a line a step
  const char* step;  ///< text before the step's number
  double factor;     ///< to seconds, or to tokens a second
};
constexpr Pattern patterns[] = {
    {LogFormat::megatron, "elapsed time per iteration (ms)", "iteration", 1e-3},
    {LogFormat::nemo, "train_step_timing in s", "global_step", 1},
    {LogFormat::torchtitan, "tps:", "step:", 1},
    {LogFormat::torchtitan, "wps:", "step:", 1},
};

double memory_of(const std::string& line) {
  const auto word = word_after(line, "memory");
  const auto gib = word && word->find("GiB") != std::string::npos ? number_in(*word) : std::nullopt;
  return gib ? *gib * 1024 * 1024 * 1024 : 0;
}

/// Whether the line is a step; what cannot be read in it becomes a remark.
void read_line(const std::string& line, int number, TrainLog& log) {
  for (const auto& p : patterns) {
    const auto word = word_after(line, p.mark);
    if (!word) continue;
    const auto value = number_in(*word);
    if (!value) {
      log.remarks.push_back(
          fmt::format("{}:{}: '{} {}' is no time", log.file, number, p.mark, *word));
      return;
    }
    LogStep s;
    s.line = number;
    s.step = int(std::min(1e9, number_in(word_after(line, p.step).value_or("")).value_or(0)));
    (p.format == LogFormat::torchtitan ? s.tokens_per_gpu : s.seconds) = *value * p.factor;
    s.memory_bytes = p.format == LogFormat::torchtitan ? memory_of(line) : 0;
    if (log.steps.empty()) log.format = p.format;
    if (p.format != log.format) return;  // another program's line in the same file
    if (const auto batch = word_after(line, "global batch size"))
      log.global_batch = number_in(*batch).value_or(log.global_batch);
    else if (const auto nemo = word_after(line, "global_batch_size"))
      log.global_batch = number_in(*nemo).value_or(log.global_batch);
    log.steps.push_back(s);
    return;
  }
}

double deviation(std::vector<double> values, double median) {
  for (auto& v : values) v = std::abs(v - median);
  return 1.4826 * quantile(std::move(values), 0.5);
}

}  // namespace

std::string_view log_format_name(LogFormat format) {
  constexpr std::string_view names[] = {"Megatron-LM", "NeMo", "torchtitan"};
  return names[static_cast<int>(format)];
}

Result<TrainLog> parse_train_log(const std::string& name, std::string_view text) {
  TrainLog log;
  log.file = name;
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    read_line(plain(text.substr(at, end - at)), ++number, log);
    at = end + 1;
  }
  if (!log.steps.empty()) return log;
  const auto what = log.remarks.empty()
                        ? fmt::format("no step among {} lines", number)
                        : log.remarks.front().substr(log.remarks.front().find(": ") + 2);
  return failure({name, log.remarks.empty() ? 0 : number, 0, "", what,
                  "expected lines of Megatron-LM ('elapsed time per iteration (ms): 1234.5'), "
                  "NeMo ('train_step_timing in s: 5.4') or torchtitan ('step: 10 ... tps: 5,762')",
                  ""});
}

Result<TrainLog> read_train_log(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return failure({path, 0, 0, "", "cannot be read", "", ""});
  if (text.view().size() > largest_log)
    return failure({path, 0, 0, "", "is larger than 256 MiB", "give the part with some steps", ""});
  return parse_train_log(path, text.view());
}

Steady steady(const std::vector<double>& all) {
  constexpr double settled = 3, far = 5, share = 0.02;
  Steady out;
  if (all.empty()) return out;
  const std::vector<double> half(all.begin() + std::ptrdiff_t(all.size() / 2), all.end());
  const double middle = quantile(half, 0.5), width = deviation(half, middle);
  const double near = std::max(settled * width, share * middle);
  while (out.warm_up < int(all.size() / 2) &&
         std::abs(all[std::size_t(out.warm_up)] - middle) > near)
    ++out.warm_up;
  std::vector<double> rest(all.begin() + out.warm_up, all.end());
  const double median = quantile(rest, 0.5);
  const double limit = std::max(far * deviation(rest, median), share * median);
  for (const double s : rest)
    if (std::abs(s - median) <= limit)
      out.seconds.push_back(s);
    else
      ++out.outliers;
  std::sort(out.seconds.begin(), out.seconds.end());
  out.median = quantile(out.seconds, 0.5);
  // Ranks n/2 -+ 1.96 sqrt(n) / 2 enclose the median with 95 %.
  const double n = double(out.seconds.size());
  const auto rank = [&](double r) { return out.seconds[std::size_t(std::clamp(r, 0.0, n - 1))]; };
  out.low = rank(std::floor(0.5 * n - 0.98 * std::sqrt(n)));
  out.high = rank(std::ceil(0.5 * n + 0.98 * std::sqrt(n)) - 1);
  return out;
}

}  // namespace headroom::validation
