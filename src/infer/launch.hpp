// Launch: a configuration in the words of the program that is to run it, ready to paste.
//
//   LaunchText t = launch_text(Launcher::vllm, model, device, candidate, settings);
//   t.text     commands (vllm, sglang), a command and its YAML (trtllm), a manifest (k8s)
//   t.cannot   what of this configuration the program cannot express
//
// NAMES, and what each was checked against (2026-11); none was run:
//   vLLM          `vllm serve` arguments: docs.vllm.ai engine_args. NixlConnector and kv_role in
//                 --kv-transfer-config: seen in public code, not in the manual.
//   TensorRT-LLM  command line: tensorrt_llm/commands/serve.py. YAML: cache_transceiver_config
//                 {backend, max_tokens_in_buffer}, context_servers, generation_servers,
//                 disable_overlap_scheduler in its pull request 9172; kv_cache_config
//                 {enable_block_reuse, dtype}, cuda_graph_config {enable_padding, max_batch_size},
//                 enable_attention_dp, enable_chunked_prefill in recipes at
//                 nvidia.github.io/TensorRT-LLM; speculative_config {max_draft_len,
//                 speculative_model, decoding_type Eagle3} in its Eagle3DecodingConfig (1.4.0rc1;
//                 earlier releases call it Eagle: recalled, unverified).
//   SGLang        docs.sglang.io server_arguments; speculative flags: its page on them;
//                 --disaggregation-mode: seen in public code. sglang_router.launch_router and its
//                 --pd-disaggregation, --prefill, --decode: recalled, unverified (its successor smg
//                 documents the first two).
//   Kubernetes    apps/v1 Deployment, v1 Service and probes on /health: recalled, unverified.
//                 KEDA's ScaledObject: keda.sh scaledobject-spec and its prometheus scaler's page.
//                 vllm:num_requests_waiting: the vLLM Production Stack's KEDA page.
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
