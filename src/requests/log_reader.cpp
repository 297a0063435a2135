// Result files of load generators that are one JSON document: GuideLLM's benchmarks.json and
// `vllm bench serve --save-result --save-detailed`. Lengths and arrivals are taken, results not.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "requests/rows.hpp"

namespace headroom::requests {
namespace {

using nlohmann::json;

/// The first of some members that is a number.
const json* number_of(const json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_number()) return &*found;
  }
  return nullptr;
}

/// A count that a file may write as 512 or 512.0; what no integer holds becomes 0, a mistake.
std::int64_t count_of(const json& number) {
  const double value = number.get<double>();
  return std::abs(value) < 9e15 ? static_cast<std::int64_t>(value) : 0;
}

void add(Rows& rows, const json* time, const json* prompt, const json* output,
         const std::string& where) {
  // There are no lines to point at in a document: the request's path stands for them.
  static constexpr char place[] = " ";
  const std::string excerpt = where;
  const Line line{excerpt.data(), excerpt.data() + excerpt.size(), 0};
  Row row;
  row.first_hash = rows.stream().hashes.size();
  if (time != nullptr) row.time_s = time->get<double>(), row.set(Role::arrival, place);
  if (prompt != nullptr) row.prompt = count_of(*prompt), row.set(Role::prompt, place);
  if (output != nullptr) row.output = count_of(*output), row.set(Role::output, place);
  rows.add(row, line);
}

const json* start_of(const json& request) {
  if (const auto* t = number_of(request, {"request_start_time", "start_time"})) return t;
  const auto info = request.find("info");
  const json& outer = info != request.end() ? *info : request;
  const auto timings = outer.find("timings");
  if (timings == outer.end() || !timings->is_object()) return nullptr;
  return number_of(*timings, {"request_start", "targeted_start", "resolve_start"});
}

void guidellm(const json& document, Rows& rows) {
  const auto& all = document.at("benchmarks");
  if (!all.is_array() || all.empty()) return rows.broken(0, "holds no benchmarks");
  if (all.size() > 1)
    rows.note(fmt::format("{} benchmarks: the requests of the first are taken", all.size()));
  const auto requests = all[0].find("requests");
  if (requests == all[0].end())
    return rows.broken(0, "benchmarks[0] has no 'requests'",
                       "GuideLLM writes them to .json, not to .csv");
  json list = *requests;
  if (requests->is_object()) list = requests->value("successful", json::array());
  if (!list.is_array()) return rows.broken(0, "benchmarks[0].requests holds no list of requests");
  std::size_t failed = 0;
  if (requests->is_object())
    for (const char* kind : {"errored", "incomplete"})
      if (requests->contains(kind)) failed += requests->at(kind).size();
  for (std::size_t i = 0; i < failed; ++i) rows.count_failed();
  for (std::size_t i = 0; i < list.size() && !rows.full(); ++i) {
    const auto& r = list[i];
    if (!r.is_object()) continue;
    add(rows, start_of(r), number_of(r, {"prompt_tokens"}), number_of(r, {"output_tokens"}),
        fmt::format("benchmarks[0].requests[{}]", i));
  }
}

void vllm(const json& document, Rows& rows) {
  const auto list = [&](const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_array() ? *found : json::array();
  };
  const auto in = list("input_lens"), out = list("output_lens"), start = list("start_times"),
             errors = list("errors");
  if (out.size() != in.size())
    return rows.broken(0, fmt::format("{} input_lens but {} output_lens", in.size(), out.size()));
  const bool timed = start.size() == in.size();
  const auto* rate = number_of(document, {"request_rate"});
  if (rate != nullptr && !(rate->get<double>() > 1e-9)) rate = nullptr;  // "inf": all at once
  const headroom::Stream random(1, "requests/vllm");
  json drawn = 0.0;
  if (!timed && rate != nullptr)
    rows.note(fmt::format("no start_times: Poisson arrivals at the file's request_rate {:.6g}/s",
                          rate->get<double>()));
  for (std::size_t i = 0; i < in.size() && !rows.full(); ++i) {
    if (i < errors.size() && errors[i].is_string() &&
        !errors[i].get_ref<const std::string&>().empty()) {
      rows.count_failed();
      continue;
    }
    if (!in[i].is_number() || !out[i].is_number()) continue;
    const json* time = timed && start[i].is_number() ? &start[i] : nullptr;
    if (time == nullptr && rate != nullptr) time = &drawn;
    add(rows, time, &in[i], &out[i], fmt::format("request {}", i));
    if (rate != nullptr)
      drawn = drawn.get<double>() + random.exponential(1 / rate->get<double>(), i, 0);
  }
}

}  // namespace

void read_log(std::string_view text, Rows& rows) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& e) {
    const auto at = std::min(e.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return rows.broken(static_cast<int>(line), fmt::format("is not JSON from byte {} on", e.byte));
  }
  rows.any_order();
  if (!document.is_object()) return rows.broken(0, "expected one JSON object");
  if (document.contains("benchmarks")) return guidellm(document, rows);
  if (document.contains("input_lens")) return vllm(document, rows);
  rows.broken(0, "has neither 'benchmarks' (GuideLLM) nor 'input_lens' (vLLM bench)",
              "vllm bench serve writes lengths with --save-detailed");
}

}  // namespace headroom::requests
