// How long one engine step takes: the oracle under everything in infer and serving.
//
// A continuous-batching engine runs steps. One step takes `decodes` sequences one token further
// and reads `prefill` fresh prompt tokens. Its time is
//
//   t = products + experts + head + attention + passes + collectives + host
//
//   products, experts, head   compute::Device's matrix products, the same as training uses, over
//       tokens = decodes (1 + drafts) + prefill; of E routed experts T tokens touch
//       E (1 - (1 - k/E)^T), the busiest expert rank has 1 + 0.1 log2(ep) of the mean load
//   attention   keys x KV bytes / (bandwidth x decode efficiency), or latent scores where those
//       take longer; prompts by (query, key) pairs at FlashAttention's measured rate. Local layers
//       see at most their window; a latent cache is whole on every rank, grouped KV heads are
//       split over min(tp, kv heads)
//   passes      norms, residuals, activations: kernels x launch + bytes / streaming bandwidth
//   collectives two all-reduces a layer by the engines' own kernels (fabric::for_serving), or
//       the exchange between attention replicas and experts; point-to-point between stages
//   host        per step + per layer + per sequence + per prompt, by engine and generation
//
// infer/step_kernels.hpp holds the GPU side, catalog::ServingSoftware the engine's terms. Raw, no
// number belongs to a model, a GPU or a row. Where the software's entry holds a calibration of
// this (model, accelerator, format), `Use::calibrated` applies its two to four factors.
//
// Prompt tokens ride on the weights that decodes read: a mixed step costs
//   K(decodes) + [K(decodes + prefill) - K(decodes)],  K the kernels of a pass.
//
// PIPELINE. With pp stages a token passes all of them in turn; a step of `decodes` is one pass of
// the whole batch split in pp micro-batches, so stages overlap: t = pp x stage(decodes / pp).
//
// VALIDITY. tp 1 to 8 (to the domain's size on NVL72), batches 1 to 4,096, contexts to the
// model's. `error_range` says how far measured runs were off. Not modelled: sparse attention,
// linear attention's state, experts replicated by load.
//
// COMPLEXITY. Constructor 30 to 60 us; `step_s` O(1), about 0.1 us, no allocation. Copies share
// the curves. Thread-safe (const). A step without work takes no time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "catalog/precision.hpp"
#include "catalog/serving_software.hpp"
#include "fabric/collective.hpp"
#include "infer/spec.hpp"

namespace headroom::infer {

struct StepKernels;

/// Engines that a scenario names; each stands for a generation in the catalogue.
enum class Engine : unsigned char {
  vllm,          ///< vllm-v1
  tensorrt_llm,  ///< tensorrt-llm-1
  tensorrt_017,  ///< tensorrt-llm-0.17: compiled engine, offline batches
  sglang,        ///< sglang-0.5
  llama_cpp,     ///< llama.cpp, one sequence
};
std::string_view engine_name(Engine engine);
/// The generation in the built-in catalogue that stands for `engine`.
const catalog::ServingSoftware& software_of(Engine engine);

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
  int lora_rank = 16;         ///< of LoRA adapters
  int gpus() const { return tp * pp * attention_dp; }
  int stage_ranks() const { return tp * attention_dp; }
};

/// What one step holds.
struct Batch {
  double decodes = 0;       ///< sequences that get one token
  double context = 0;       ///< tokens in the cache of each, mean
  double prefill = 0;       ///< fresh prompt tokens
  double prefill_keys = 0;  ///< keys each of them attends to, mean
  double prompts = 0;       ///< prompts or parts of prompts they belong to; at least 1 is taken
  double verify = 0;        ///< draft tokens checked beside each decode
  double adapters = 0;      ///< distinct LoRA adapters
};

/// Where a step's time goes.
struct StepTime {
  Time linear;  ///< projections, dense FFN, shared experts, head, adapters
  Time experts;
  Time attention;
  Time activations;  ///< small kernels between the products
  Time collectives;
  Time host;
  Time total() const { return linear + experts + attention + activations + collectives + host; }
};

/// Measured over predicted time: median and the range of 80 %.
struct ErrorRange {
  double low = 1, likely = 1, high = 1;
  int rows = 0;             ///< measured rows behind it
  bool calibrated = false;  ///< of this very model, accelerator, engine and format
};

class StepModel {
 public:
  enum class Use : unsigned char { calibrated, raw };

  StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
            const fabric::Path& path, const Layout& layout,
            const catalog::ServingSoftware& software, Use use = Use::calibrated);
  /// The newest generation of `engine` in the built-in catalogue.
  StepModel(const catalog::Model& model, const catalog::Accelerator& accelerator,
            const fabric::Path& path, const Layout& layout, Engine engine = Engine::vllm);

  /// The parts of one step.
  StepTime parts(const Batch& batch) const;
  Time step(const Batch& batch) const { return Time::from_si(step_s(batch)); }
  /// Engines that do not mix take a step each for the decodes and the prompts of a batch.
  double step_s(const Batch& batch) const;
  /// `steps` steps in a row in which every decoding sequence gains a token each: the sum of
  /// `step_s`, in closed form.
  double run_s(const Batch& batch, int steps) const;

  /// A step of decodes only.
  Time decode(double sequences, double context) const { return step({sequences, context}); }
  /// What reading a prompt of `tokens` fresh tokens behind `cached` ones adds to the steps that
  /// carry it, when they carry `beside` anyway and read at most `budget` prompt tokens each.
  /// Engines that do not mix (catalog: `mixed`) run prompts in steps of their own.
  Time prefill(double tokens, double cached, const Batch& beside, double budget) const;

  /// Weights one GPU holds, of the largest stage.
  Information weights_per_gpu() const { return Information::from_si(weight_bits_); }
  /// KV bytes one GPU holds for a sequence of `context` tokens, mean over attention replicas.
  Information kv_per_gpu(double context) const;
  /// Bytes one GPU reads from memory in a step.
  Information bytes_read(const Batch& batch) const;
  /// Model FLOPs of one step per GPU.
  Flops flops(const Batch& batch) const;
  /// How far measured runs of this group, or of groups left out of every fit, were off.
  const ErrorRange& error_range() const { return range_; }

  const Layout& layout() const { return layout_; }
  /// Prompts and decodes share a step.
  bool mixed() const { return mixed_; }
  /// Peak of one GPU in the weights' precision, as executed (int4 runs at 16 bit).
  FlopRate peak() const { return FlopRate::from_si(peak_); }
  Bandwidth bandwidth() const { return Bandwidth::from_si(bandwidth_bits_); }
  Information memory() const { return Information::from_si(memory_bits_); }

 private:
  struct Parts {
    double linear = 0, experts = 0, attention = 0, passes = 0, collectives = 0, host = 0;
    double total() const { return linear + experts + attention + passes + collectives + host; }
  };
  /// What an engine's terms and a calibration come to, SI.
  struct Terms {
    double products = 1, experts = 1, collectives = 1;  ///< factors on kernels of decodes
    double prompt_products = 1, prompt_experts = 1;     ///< on those of prompt tokens
    double kernels = 1, caches = 1, prompts = 1;        ///< the calibration's
    double links = 1, prompt_links = 1;                 ///< on collectives of both
    double passes = 0, small = 0, per_step = 0, per_sequence = 0, per_prompt = 0, eager = 0;
  };

  void set_device(const catalog::Accelerator& accelerator);
  void set_weights(const catalog::Model& model);
  void set_attention(const catalog::Model& model);
  void set_terms(const catalog::Model& model, const catalog::Accelerator& accelerator,
                 const catalog::ServingSoftware& software, Use use);
  double visited(double tokens) const;
  Parts split(const Batch& batch) const;
  double linear_run_s(const Batch& batch, int from, int to) const;

  Layout layout_;
  std::shared_ptr<const StepKernels> kernels_;
  Terms terms_;
  ErrorRange range_;
  bool mixed_ = true, joint_ = false;
  // Of one tensor rank over a whole pass (all stages). SI: bit, FLOP, s.
  double peak_ = 0, bandwidth_bits_ = 0, memory_bits_ = 0;
  double linear_params_ = 0, linear_bits_ = 0;
  double head_params_ = 0, head_bits_ = 0;
  double expert_bits_ = 0, expert_params_ = 0, experts_ = 0, active_ = 0;
  double kv_global_bits_ = 0, kv_local_bits_ = 0, window_ = 0;     // a token
  double attention_flops_global_ = 0, attention_flops_local_ = 0;  // a query and key
  double decode_flops_ = 0, global_layers_ = 0, local_layers_ = 0;
  double layers_ = 0;
  double weight_bits_ = 0;  // one GPU
};

/// Tokens a verification step yields when a draft proposes `length` tokens, each
/// accepted with chance `acceptance`: E = (1 - a^(g+1)) / (1 - a), g + 1 at a = 1
/// (Leviathan et al. 2023, eq. 1).
double tokens_per_verification(double acceptance, int length);
/// Speed-up over plain decoding while a step is bound by memory: E / (1 + g x draft_cost).
double speculative_speedup(double acceptance, int length, double draft_cost);

}  // namespace headroom::infer
