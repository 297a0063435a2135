// Launch: a configuration in the words of the program that is to run it, ready to paste.
//
//   LaunchText t = launch_text(Launcher::vllm, model, device, candidate, settings);
//   t.text     commands (vllm, sglang), a command and its YAML (trtllm), a manifest (k8s)
//   t.cannot   what of this configuration the program cannot express
//
// NAMES were looked up (2026-11):
//   vLLM          `vllm serve` arguments, docs.vllm.ai engine_args; NixlConnector's kv_role in
//                 --kv-transfer-config for disaggregation (nixl_connector_usage)
//   TensorRT-LLM  tensorrt_llm/commands/serve.py (--tensor_parallel_size, --max_num_tokens,
//                 --kv_cache_free_gpu_memory_fraction, --config alias --extra_llm_api_options);
//                 LLM API fields kv_cache_config, enable_chunked_prefill, speculative_config,
//                 cache_transceiver_config {backend, max_tokens_in_buffer}
//   SGLang        docs.sglang.io server_arguments (--tp-size, --mem-fraction-static,
//                 --chunked-prefill-size, --max-running-requests, --disaggregation-mode)
//   Kubernetes    apps/v1 Deployment, v1 Service, keda.sh/v1alpha1 ScaledObject; probes on vLLM's
//                 /health; the metric vllm:num_requests_waiting
//
// The name or path of the weights, the image's tag and addresses stay with the user: they stand
// as variables at the top. Complexity: microseconds; allocates. Pure, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/search.hpp"

namespace headroom::infer {

enum class Launcher : unsigned char { vllm, trtllm, sglang, k8s };
/// "vllm", "trtllm", "sglang", "k8s".
std::span<const std::string_view> launcher_names();

struct LaunchSettings {
  double longest = 0;  ///< tokens of the longest request; 0: the model's context
  bool prefix_cache = true;
  double waiting = 4;  ///< requests waiting a replica at which the fleet grows
};

struct LaunchText {
  Launcher launcher = Launcher::vllm;
  std::string program;
  std::string text;  ///< ends in a newline
  std::vector<std::string> cannot;
};

LaunchText launch_text(Launcher launcher, const catalog::Model& model, const Device& device,
                       const Candidate& candidate, const LaunchSettings& settings);

}  // namespace headroom::infer
