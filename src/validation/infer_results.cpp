#include "validation/infer_results.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>

namespace headroom::validation {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_bytes = 256u << 20;

/// The value at "a.b.c", or null.
const Json* at(const Json& j, std::string_view path) {
  const Json* here = &j;
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    if (!here->is_object()) return nullptr;
    const auto it = here->find(std::string(path.substr(0, dot)));
    if (it == here->end()) return nullptr;
    here = &*it;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return here;
}

/// A finite number above zero at a path; 0 when there is none. Numbers in quotes count.
double number(const Json& j, std::string_view path) {
  const auto* v = at(j, path);
  if (v == nullptr) return 0;
  double x = 0;
  if (v->is_number()) x = v->get<double>();
  if (v->is_string()) x = std::strtod(v->get_ref<const std::string&>().c_str(), nullptr);
  return std::isfinite(x) && x > 0 && x < 1e15 ? x : 0;
}

double first(const Json& j, std::initializer_list<const char*> paths) {
  for (const char* p : paths)
    if (const double v = number(j, p); v > 0) return v;
  return 0;
}

std::string text(const Json& j, std::string_view path) {
  const auto* v = at(j, path);
  if (v != nullptr && v->is_array() && !v->empty()) v = &v->front();
  return v != nullptr && v->is_string() ? v->get<std::string>() : std::string();
}

void put(ResultPoint& p, const std::string& metric, double seconds) {
  if (seconds > 0) p.times[metric] = seconds;
}

/// Why a point cannot serve; empty when it can.
std::string lacking(const ResultPoint& p) {
  const auto has = [&](const char* metric) { return p.times.count(metric) > 0; };
  if (!has("tpot_mean") && !has("tpot_p50") && !has("itl_mean"))
    return "no time per output token (was it streamed?)";
  if (p.input <= 0 || p.output <= 1) return "no mean lengths of prompts and answers";
  if (p.concurrency <= 0) return "no concurrency, and no rate and latency to tell it from";
  return {};
}

/// Users of an open loop: Little's law.
void complete(ResultPoint& p) {
  if (p.concurrency > 0) return;
  const double rate = p.output > 0 && p.out_tok_s > 0 ? p.out_tok_s / p.output : p.rate_s;
  const auto e2e = p.times.find("e2e_mean");
  const auto ttft = p.times.find("ttft_mean");
  const auto tpot = p.times.find("tpot_mean");
  if (e2e != p.times.end())
    p.concurrency = rate * e2e->second;
  else if (ttft != p.times.end() && tpot != p.times.end())
    p.concurrency = rate * (ttft->second + (p.output - 1) * tpot->second);
}

// --- vLLM --------------------------------------------------------------------------------

ResultPoint vllm_point(const Json& j) {
  ResultPoint p;
  p.model = text(j, "model_id");
  p.concurrency = number(j, "max_concurrency"), p.closed = p.concurrency > 0;
  p.rate_s = number(j, "request_rate");
  p.requests = first(j, {"completed", "num_prompts"});
  if (p.requests > 0) {
    p.input = number(j, "total_input_tokens") / p.requests;
    p.output = number(j, "total_output_tokens") / p.requests;
  }
  p.out_tok_s = number(j, "output_throughput");
  constexpr std::pair<const char*, const char*> names[] = {
      {"ttft", "ttft"}, {"tpot", "tpot"}, {"itl", "itl"}, {"e2el", "e2e"}};
  constexpr std::pair<const char*, const char*> statistics[] = {{"mean", "mean"}, {"median", "p50"},
                                                                {"p50", "p50"},   {"p90", "p90"},
                                                                {"p95", "p95"},   {"p99", "p99"}};
  for (const auto& [theirs, ours] : names)
    for (const auto& [how, mine] : statistics)
      put(p, fmt::format("{}_{}", ours, mine),
          number(j, fmt::format("{}_{}_ms", how, theirs)) / 1e3);
  // All at once is a closed loop of everyone.
  if (!p.closed && p.rate_s <= 0 && p.requests > 0) p.concurrency = p.requests;
  return p;
}

// --- GuideLLM ----------------------------------------------------------------------------

/// "metrics.NAME.successful.mean" and its percentiles, in seconds by `scale`.
void guidellm_times(const Json& metrics, const char* theirs, const char* ours, double scale,
                    ResultPoint& p) {
  for (const char* status : {"successful", "total"}) {
    const auto* m = at(metrics, fmt::format("{}.{}", theirs, status));
    if (m == nullptr || number(*m, "mean") <= 0) continue;
    put(p, fmt::format("{}_mean", ours), number(*m, "mean") * scale);
    put(p, fmt::format("{}_p50", ours), number(*m, "median") * scale);
    for (const char* q : {"p50", "p90", "p95", "p99"})
      put(p, fmt::format("{}_{}", ours, q), number(*m, fmt::format("percentiles.{}", q)) * scale);
    return;
  }
}

ResultPoint guidellm_point(const Json& b, const Json& root) {
  ResultPoint p;
  const auto* metrics = at(b, "metrics");
  const Json none = Json::object();
  const Json& m = metrics != nullptr ? *metrics : none;
  p.model = text(b, "worker.backend_model");
  if (p.model.empty()) p.model = text(b, "config.backend.model");
  if (p.model.empty()) p.model = text(root, "args.model");
  for (const char* strategy : {"args.strategy", "config.strategy", "scheduler.strategy"}) {
    const auto* s = at(b, strategy);
    if (s == nullptr) continue;
    p.concurrency = first(*s, {"streams", "max_concurrency"});
    p.rate_s = number(*s, "rate");
    const auto type = text(*s, "type_");
    if (type == "synchronous") p.concurrency = 1;
    p.closed = p.concurrency > 0 && p.rate_s <= 0;
  }
  const auto mean = [&](const char* name) {
    return first(m, {fmt::format("{}.successful.mean", name).c_str(),
                     fmt::format("{}.total.mean", name).c_str()});
  };
  if (p.concurrency <= 0) p.concurrency = mean("request_concurrency");
  p.requests = first(m, {"request_totals.successful"});
  if (p.requests <= 0) p.requests = number(b, "run_stats.requests_made.successful");
  p.input = mean("prompt_token_count"), p.output = mean("output_token_count");
  p.out_tok_s = mean("output_tokens_per_second");
  constexpr double milli = 1e-3;
  guidellm_times(m, "time_to_first_token_ms", "ttft", milli, p);
  // GuideLLM's time_per_output_token counts the first token in; its inter_token_latency is what
  // others call TPOT.
  guidellm_times(m, "inter_token_latency_ms", "tpot", milli, p);
  guidellm_times(m, "request_latency", "e2e", 1, p);
  return p;
}

// --- AIPerf, GenAI-Perf ------------------------------------------------------------------

double in_seconds(const Json& metric, double v) {
  const auto unit = text(metric, "unit");
  if (unit == "s" || unit == "sec" || unit == "seconds") return v;
  if (unit == "us") return v * 1e-6;
  if (unit == "ns") return v * 1e-9;
  return v * 1e-3;
}

ResultPoint aiperf_point(const Json& root) {
  // Metrics stand at the top; older exports have them under `records`.
  const auto* records = at(root, "records");
  const Json& j = records != nullptr && records->is_object() ? *records : root;
  ResultPoint p;
  for (const char* path : {"input_config.endpoint.model_names", "input_config.endpoint.model",
                           "input_config.model_names"})
    if (p.model.empty()) p.model = text(root, path);
  p.concurrency = first(root, {"input_config.loadgen.concurrency",
                               "input_config.perf_analyzer.stimulus.concurrency"});
  p.closed = p.concurrency > 0;
  p.rate_s = number(root, "input_config.loadgen.request_rate");
  p.requests = number(j, "request_count.avg");
  p.input = number(j, "input_sequence_length.avg");
  p.output = first(j, {"output_sequence_length.avg", "output_token_count.avg"});
  p.out_tok_s = number(j, "output_token_throughput.avg");
  constexpr std::pair<const char*, const char*> names[] = {
      {"time_to_first_token", "ttft"}, {"inter_token_latency", "tpot"}, {"request_latency", "e2e"}};
  for (const auto& [theirs, ours] : names) {
    const auto* m = at(j, theirs);
    if (m == nullptr) continue;
    put(p, fmt::format("{}_mean", ours), in_seconds(*m, number(*m, "avg")));
    for (const char* q : {"p50", "p90", "p95", "p99"})
      put(p, fmt::format("{}_{}", ours, q), in_seconds(*m, number(*m, q)));
  }
  return p;
}

std::optional<ResultFormat> format_of(const Json& j) {
  if (at(j, "benchmarks") != nullptr && at(j, "benchmarks")->is_array())
    return ResultFormat::guidellm;
  for (const char* key : {"time_to_first_token.avg", "records.time_to_first_token.avg",
                          "request_latency.avg", "inter_token_latency.avg"})
    if (at(j, key) != nullptr) return ResultFormat::aiperf;
  for (const char* key : {"mean_tpot_ms", "median_tpot_ms", "mean_itl_ms", "output_throughput"})
    if (at(j, key) != nullptr) return ResultFormat::vllm;
  return std::nullopt;
}

/// One object, or one a line.
std::vector<Json> objects(std::string_view text) {
  auto whole = Json::parse(text, nullptr, false);
  if (whole.is_array()) return {whole.begin(), whole.end()};
  if (!whole.is_discarded()) return {std::move(whole)};
  std::vector<Json> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto j = Json::parse(line, nullptr, false);
    if (j.is_discarded()) return {};
    out.push_back(std::move(j));
  }
  return out;
}

void keep(ResultPoint p, Results& out) {
  complete(p);
  if (const auto why = lacking(p); why.empty())
    out.points.push_back(std::move(p));
  else
    out.left_out.push_back(fmt::format("{}: {}", p.name, why));
}

}  // namespace

std::string_view result_format_name(ResultFormat format) {
  constexpr std::string_view names[] = {"vLLM", "GuideLLM", "AIPerf"};
  return names[static_cast<int>(format)];
}

Result<Results> parse_results(const std::string& name, std::string_view text) {
  const auto all = objects(text);
  const std::string expected =
      "expected the result JSON of vllm bench serve (--save-result), GuideLLM or AIPerf";
  if (all.empty()) return failure({name, 1, 1, "", "is no JSON", expected, ""});
  Results out;
  out.file = name;
  int number = 0;
  for (const auto& j : all) {
    const auto format = format_of(j);
    if (!format) return failure({name, 1, 1, "", "none of the known results", expected, ""});
    out.format = *format;
    std::vector<ResultPoint> points;
    if (*format == ResultFormat::guidellm)
      for (const auto& b : *at(j, "benchmarks")) points.push_back(guidellm_point(b, j));
    else
      points.push_back(*format == ResultFormat::vllm ? vllm_point(j) : aiperf_point(j));
    const bool several = all.size() > 1 || points.size() > 1;
    for (auto& p : points) {
      ++number;
      p.name = several ? fmt::format("{}#{}", name, number) : name;
      keep(std::move(p), out);
    }
  }
  return out;
}

Result<Results> read_results(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure({path, 0, 0, "", "cannot be read", "", ""});
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || (!text && file.peek() != std::ifstream::traits_type::eof()))
    return failure({path, 0, 0, "", "cannot be read", "", ""});
  const auto content = text.str();
  if (content.size() > most_bytes)
    return failure({path, 0, 0, "", "is larger than 256 MiB", "", ""});
  return parse_results(path, content);
}

}  // namespace headroom::validation
