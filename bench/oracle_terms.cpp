// The raw terms of engine steps, for tools/fit-infer: no engine, no calibration.
//
//   oracle_terms < points.jsonl
//
// A line in: {"model", "gpu", "weights", "kv", "tp", "pp", "ep", "adp", "decodes", "context",
// "prefill", "keys", "prompts", "engine", "blocks", "max_batch"}, unset ones at Layout's and
// Batch's defaults. A line out: seconds of every term (those of prompts by themselves), and what a
// replica's memory holds.
#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "catalog/catalog.hpp"
#include "catalog/system.hpp"
#include "fabric/path.hpp"
#include "infer/capacity.hpp"
#include "infer/step.hpp"
#include "infer/step_kernels.hpp"
#include "workload/transformer.hpp"

using namespace headroom;
using nlohmann::json;

namespace {

fabric::Path path_of(const catalog::Accelerator& gpu) {
  catalog::System s;
  s.scale_up.domain = std::max(gpu.scale_up.domain, 8);
  s.scale_up.bandwidth = gpu.scale_up.bandwidth.or_else(gpu.pcie);
  return fabric::make_path(s, gpu, {50 * gigabyte_per_second});
}

infer::Layout layout_of(const json& j) {
  infer::Layout l;
  l.tp = j.value("tp", 1);
  l.pp = j.value("pp", 1);
  l.ep = j.value("ep", 1);
  l.attention_dp = j.value("adp", 1);
  l.weights = parse_precision(j.value("weights", "bf16")).value_or(Precision::bf16);
  l.kv = parse_precision(j.value("kv", "bf16")).value_or(Precision::bf16);
  l.block_scales = j.value("blocks", false);
  if (j.contains("dense")) l.dense = parse_precision(j["dense"].get<std::string>());
  return l;
}

json terms(const json& j) {
  const auto& catalogue = catalog::Catalog::builtin();
  const auto* model = catalogue.find<catalog::Model>(j.at("model").get<std::string>());
  const auto* gpu = catalogue.find<catalog::Accelerator>(j.at("gpu").get<std::string>());
  if (model == nullptr || gpu == nullptr) return {{"error", "unknown model or gpu"}};
  const auto layout = layout_of(j);
  const auto path = path_of(*gpu);
  const bool tensorrt = j.value("engine", "").rfind("tensorrt", 0) == 0;
  const infer::StepKernels k(*model, *gpu,
                             fabric::for_serving(path, gpu->scale_up.link,
                                                 tensorrt ? fabric::ReduceKernels::tensorrt_llm
                                                          : fabric::ReduceKernels::vllm),
                             layout);
  const infer::StepModel step(*model, *gpu, path, layout, infer::software_of(infer::Engine::vllm),
                              infer::StepModel::Use::raw);
  const double share = 1.0 / (layout.pp * layout.attention_dp);
  const double decodes = j.value("decodes", 0.0) * share, context = j.value("context", 0.0);
  const double prefill = j.value("prefill", 0.0), keys = j.value("keys", 0.0);
  const double prompts = prefill > 0 ? std::max(1.0, j.value("prompts", 1.0)) : 0;
  const double holders = std::min<double>(layout.attention_dp, std::max(prompts, 1.0));
  const double fresh = prefill / layout.pp / holders,
               base = fresh > 0 ? std::max(1.0, decodes) : decodes;
  const double meet = std::max(base, decodes + prefill * share);
  const double window = model->window, seen = window > 0 ? std::min(context, window) : context;
  const double near = window > 0 ? std::min(keys, window) : keys;
  const auto formats = infer::formats_of(*model, layout);
  json out;
  out["format"] = infer::factor_format(formats.ffn, formats);
  out["expert_format"] = infer::factor_format(formats.experts, formats);
  out["architecture"] = infer::generation_of(*gpu);
  out["products"] = k.products.at(base);
  out["products_p"] = k.products.at(base + fresh) - k.products.at(base);
  out["experts"] = k.experts.at(base);
  out["experts_p"] = k.experts.at(meet) - k.experts.at(base);
  out["head"] = k.head.at(decodes + prompts / layout.pp / holders);
  out["reduce"] = k.reduce.at(base);
  out["reduce_p"] = k.reduce.at(base + fresh) - k.reduce.at(base);
  out["pass"] = base * k.pass_s;
  out["pass_p"] = fresh * k.pass_s;
  out["activation"] = base * k.activation_s;
  out["activation_p"] = fresh * k.activation_s;
  out["launches"] = model->layers * k.launch_s;
  out["cache"] = decodes * (context * k.key_global_s + seen * k.key_local_s);
  out["prompt"] = fresh > 0 ? fresh * (keys + k.pair_local_ratio * (near - keys)) *
                                  k.prompt_s.at(prefill / prompts)
                            : 0.0;
  out["layers"] = model->layers;
  out["mixture"] = model->is_mixture();
  out["kv_gb"] = step.kv_per_gpu(std::max(context, 1.0)).in(gigabyte);
  out["weights_gb"] = step.weights_per_gpu().in(gigabyte);
  out["memory_gb"] = step.memory().in(gigabyte);
  infer::EngineLimits limits;
  limits.max_batch = j.value("max_batch", 1024.0);
  out["workspace_gb"] = infer::replica_memory(step, limits, *model).workspace.in(gigabyte);
  out["read_gb"] = step.bytes_read({decodes / share, context}).in(gigabyte);
  return out;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) fmt::print("{}\n", terms(json::parse(line)).dump());
  }
}
