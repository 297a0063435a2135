// How long one engine step takes: the oracle under everything in infer.
//
// A continuous-batching engine runs steps. One step takes `decodes` sequences
// one token further and reads `prefill` fresh prompt tokens. Its time is
//
//   t = linear + experts + head + attention + activations + collectives + host
//
//   linear, experts, head   (c^3 + m^3)^(1/3), a smooth roofline of
//       c = 2 x parameters x tokens / (peak x e_gemm)
//       m = weight bytes / (bandwidth x e_stream)
//     all divided over the tensor-parallel ranks. Of E routed experts a step of T
//     tokens touches E (1 - (1 - k/E)^T) when routing is uniform; only those are read.
//     The head is applied to the decoding sequences.
//   attention   KV bytes read / (bandwidth x e_decode)
//               + 4 x heads x head_dim x layers x queries x mean keys / (peak_bf16 x e_flash).
//     Local layers see at most their window. Latent attention (MLA) reads the
//     latent cache, which every rank holds whole; grouped KV heads are split over
//     min(tp, kv heads) ranks.
//   activations tokens x layers x hidden x 37 bytes at e_stream: norms, residuals, casts.
//   collectives two all-reduces a layer of tokens x hidden x 2 bytes, by the serving engines'
//     own kernels where they win (fabric::for_serving); with pipeline stages, a
//     point-to-point a boundary.
//   host        per step + per layer x layers + per sequence x decodes, by engine
//
// SOURCES. Efficiencies and host terms are fitted once, over all models and GPUs together, to
// 544 published serving results (docs/models/infer.md): one efficiency per width of number,
// three host terms per engine. No number belongs to a model, a GPU or a row. Median error 8 %,
// p90 30 %; dense models on H100, H200 and B200 under vLLM 3-7 % and 10-18 %. Other devices are
// scaled by their own kernel efficiencies.
//
// PIPELINE. With pp stages a token passes all of them in turn; a step of `decodes` is
// one pass of the whole batch split in pp micro-batches, so stages overlap:
// t = max over the pipeline of pp x stage(decodes / pp).
//
// VALIDITY. tp 1 to 8 (to the domain's size on NVL72), batches 1 to 4,096, contexts
// to the model's. Not modelled: routing skew, attention data parallelism,
// multi-token prediction beyond `Speculation`, sparse attention.
//
// COMPLEXITY. Constructor O(layers); `step` O(1), < 1 us, no allocation. Pure,
// thread-safe. A step without work takes no time.
#pragma once

#include <optional>

#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "catalog/precision.hpp"
#include "catalog/serving_software.hpp"
#include "fabric/collective.hpp"
#include "infer/spec.hpp"

namespace headroom::infer {

/// What host and launch cost around the kernels of a step.
struct HostCost {
  Time per_step;
  Time per_layer;
  Time per_sequence;
};

/// Engines with fitted host terms.
enum class Engine : unsigned char {
  vllm,          ///< vLLM 0.10-0.12, V1 engine, CUDA graphs
  tensorrt_llm,  ///< TensorRT-LLM 1.0-1.2, PyTorch back end
  tensorrt_017,  ///< TensorRT-LLM 0.17, compiled engine, offline batches
  sglang,        ///< SGLang 0.5
  llama_cpp,     ///< llama.cpp, one sequence
};
std::string_view engine_name(Engine engine);
/// The generation in the built-in catalogue that stands for `engine`.
const catalog::ServingSoftware& software_of(Engine engine);
HostCost host_cost(Engine engine);

/// Shares of peak that kernels in a serving engine reach, for one format of weights.
struct Efficiency {
  double gemm = 0;           ///< of dense peak in the weights' precision, as executed
  double gemm_16 = 0;        ///< of dense bf16 peak: the head
  double expert = 0;         ///< grouped expert products, relative to `gemm`
  double stream = 0;         ///< of memory bandwidth, weights
  double stream_16 = 0;      ///< of memory bandwidth, 16-bit weights and activations
  double expert_stream = 0;  ///< experts' weights, relative to `stream`
  double decode = 0;         ///< of memory bandwidth, KV cache in generation attention
  double flash = 0;          ///< of dense bf16 peak, prompt attention
};
/// Fitted values; scaled down by the device's own kernel efficiencies where it is not
/// among those that were fitted.
Efficiency efficiency(const catalog::Accelerator& accelerator, Precision weights, Engine engine);

/// How a replica is laid out and in which formats. Attention runs `attention_dp` times beside
/// itself, each time over `tp` ranks and on its own sequences (DeepSeek style). Routed experts
/// are spread over all tp x attention_dp ranks of a stage: `ep` ways by expert, and each expert
/// cut in tp x attention_dp / ep slices (MoE-TP).
struct Layout {
  int tp = 1;
  int pp = 1;
  Precision weights = Precision::bf16;
  Precision kv = Precision::bf16;
  int ep = 1;  ///< divides tp x attention_dp
  int attention_dp = 1;
  /// Format of everything but routed experts where it differs (Kimi's int4, GPT-OSS's mxfp4 and
  /// DeepSeek's nvfp4 checkpoints keep attention wider); unset: by format and model.
  std::optional<Precision> dense = std::nullopt;
  bool graphs = true;         ///< CUDA graphs; false: the host launches every kernel
  bool weight_only = false;   ///< weights are widened to 16 bit before they multiply
  bool block_scales = false;  ///< fp8 with a scale a 128 x 128 block (DeepSeek, Qwen3)
  int gpus() const { return tp * pp * attention_dp; }
  int stage_ranks() const { return tp * attention_dp; }
};

/// What one step holds.
struct Batch {
  double decodes = 0;       ///< sequences that get one token
  double context = 0;       ///< tokens in the cache of each, mean
  double prefill = 0;       ///< fresh prompt tokens
  double prefill_keys = 0;  ///< keys each of them attends to, mean
};

/// Where a step's time goes.
struct StepTime {
  Time linear;  ///< projections, dense FFN, shared experts, head
  Time experts;
  Time attention;
  Time activations;
  Time collectives;
  Time host;
  Time total() const { return linear + experts + attention + activations + collectives + host; }
};

class StepModel {
 public:
  StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
            const fabric::Path& path, const Layout& layout,
            const catalog::ServingSoftware& software);
  /// The newest generation of `engine` in the built-in catalogue.
  StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
            const fabric::Path& path, const Layout& layout, Engine engine = Engine::vllm);

  /// The parts of one step.
  StepTime parts(const Batch& batch) const;
  Time step(const Batch& batch) const { return parts(batch).total(); }

  /// A step of decodes only.
  Time decode(double sequences, double context) const { return step({sequences, context, 0, 0}); }
  /// What reading a prompt of `tokens` fresh tokens behind `cached` ones adds to the
  /// steps that carry it, when they carry `beside` anyway and read at most `budget`
  /// prompt tokens each.
  Time prefill(double tokens, double cached, const Batch& beside, double budget) const;

  /// Weights one GPU holds, of the largest stage.
  Information weights_per_gpu() const { return Information::from_si(weight_bits_); }
  /// KV bytes one GPU holds for a sequence of `context` tokens.
  Information kv_per_gpu(double context) const;
  /// Bytes one GPU reads from memory in a step.
  Information bytes_read(const Batch& batch) const;
  /// Model FLOPs of one step per GPU.
  Flops flops(const Batch& batch) const;

  const Layout& layout() const { return layout_; }
  /// Peak of one GPU in the weights' precision, as executed (int4 runs at 16 bit).
  FlopRate peak() const { return FlopRate::from_si(peak_); }
  Bandwidth bandwidth() const { return Bandwidth::from_si(bandwidth_bits_); }
  Information memory() const { return Information::from_si(memory_bits_); }

 private:
  void set_device(const catalog::Accelerator& accelerator);
  void set_weights(const catalog::Model& model);
  void set_attention(const catalog::Model& model);
  double smooth(double flops, double bits, double peak, double gemm, double stream) const;
  double visited(double tokens) const;
  double all_reduce_s(double tokens) const;
  double boundary_s(double tokens) const;
  Time attention(const Batch& batch) const;

  Layout layout_;
  fabric::Path path_;
  HostCost host_;
  Efficiency eff_;
  // Of one tensor rank over a whole pass (all stages). SI: bit, FLOP, s.
  double peak_ = 0, peak16_ = 0, bandwidth_bits_ = 0, memory_bits_ = 0;
  double linear_params_ = 0, linear_bits_ = 0;
  double head_params_ = 0, head_bits_ = 0;
  double expert_bits_ = 0, expert_params_ = 0, experts_ = 0, active_ = 0;
  double kv_global_bits_ = 0, kv_local_bits_ = 0, window_ = 0;     // a token
  double attention_flops_global_ = 0, attention_flops_local_ = 0;  // a query and key
  double decode_flops_ = 0, global_layers_ = 0, local_layers_ = 0;
  double activation_bits_ = 0, message_bits_ = 0, layers_ = 0;  // a token
  double weight_bits_ = 0;                                      // one GPU
};

/// Tokens a verification step yields when a draft proposes `length` tokens, each
/// accepted with chance `acceptance`: E = (1 - a^(g+1)) / (1 - a), g + 1 at a = 1
/// (Leviathan et al. 2023, eq. 1).
double tokens_per_verification(double acceptance, int length);
/// Speed-up over plain decoding while a step is bound by memory: E / (1 + g x draft_cost).
double speculative_speedup(double acceptance, int length, double draft_cost);

}  // namespace headroom::infer
