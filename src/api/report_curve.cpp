#include "api/report_curve.hpp"

#include <fmt/format.h>

#include <array>

#include "report/document.hpp"

namespace headroom::api {
namespace {

/// Of saturation; close together where the queue begins to grow.
constexpr std::array loads{0.05, 0.15, 0.3, 0.45, 0.6, 0.7, 0.78, 0.85, 0.9, 0.94, 0.97, 1.02};

/// The chosen layout as options, so that the curve is of this one.
std::vector<Option> fixed(const study::ConfigurationRow& row) {
  constexpr std::pair<const char*, const char*> names[] = {
      {"tp", "--tp"},
      {"pp", "--pp"},
      {"ep", "--ep"},
      {"attention_dp", "--attention-dp"},
      {"weights", "--precision"},
      {"kv", "--kv-precision"},
      {"max_num_seqs", "--max-num-seqs"},
      {"max_num_batched_tokens", "--max-num-batched-tokens"}};
  std::vector<Option> out;
  for (const auto& [key, value] : row.dims)
    for (const auto& [name, option] : names)
      if (key == name) out.push_back({option, value});
  return out;
}

std::string rates(double saturation_s) {
  std::string out;
  for (const double share : loads)
    out += fmt::format("{}{:.6g}/s", out.empty() ? "" : ",", share * saturation_s);
  return out;
}

Result<study::CurveAnswer> curve_of(InferRequest request, const study::InferenceRun& run) {
  request.options = fixed(run.chosen);
  request.answer.workload = run.workload;
  request.answer.finalists = 0;
  auto look = request;  // two small loads, for saturation
  look.options.push_back({"--rate", "0.001/s,0.002/s"});
  const auto first = infer_curve(look);
  if (!first) return first;
  const double saturation = first->runs.front().curves.front().saturation;
  if (saturation <= 0) return first;
  request.options.push_back({"--rate", rates(saturation)});
  return infer_curve(request);
}

}  // namespace

std::optional<Result<std::string>> load_curve(const InferRequest& request,
                                              const study::InferenceAnswer& answer) {
  std::optional<study::CurveAnswer> all;
  for (const auto& run : answer.runs) {
    if (run.kind != "serve" || run.chosen.dims.empty()) continue;
    auto one = curve_of(request, run);
    if (!one) return failure(one.error());
    if (!all)
      all = std::move(*one);
    else
      for (auto& r : one->runs) all->runs.push_back(std::move(r));
  }
  if (!all) return std::nullopt;
  return report::compact(report::curve_json(*all));
}

}  // namespace headroom::api
