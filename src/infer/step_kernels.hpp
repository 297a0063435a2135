// StepKernels: the GPU time of one engine step by part, worked out once for a model, a device, a
// path and a layout.
//
//   products   sum of compute::Device::gemm_s over the weight products of a pass, by tokens
//   experts    grouped products:  t0 + (m^p + c^p)^(1/p) + rows gathered and scattered
//                m = experts visited x bytes / (bandwidth x e_m)
//                c = 6 hidden width pairs / (peak x e_c) x busiest rank over mean
//   head       by sampled tokens
//   decode     keys x KV bytes / (bandwidth x decode efficiency); latent attention also its scores
//   prompt     pairs x 4 heads width / rate(queries), rate of compute::Device::attention_s
//   passes     bytes of norms, residuals, activations / streaming bandwidth
//   reduce     two all-reduces a layer, or the exchange of attention replicas and experts
//
// Everything that depends on tokens alone is a curve of four knots an octave, linear between
// (error of the interpolation below 3 % at a tile's edge, 0.3 % in the median), so a look-up costs
// 2 ns. Constants e_m, e_c, p, t0: fits to NVIDIA's aiconfigurator moe_perf and generation_mla_perf
// tables (@095f58a; median error 8 to 20 %, p90 25 to 60 %), see docs/models/infer.md.
//
// Complexity: constructor 30 to 60 us; look-ups O(1), no allocation. Thread-safe (const).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "compute/kernel.hpp"
#include "fabric/collective.hpp"

namespace headroom::infer {

struct Layout;

/// Seconds by tokens: knots at 2^i (1 + j/4), linear between, linear beyond the last, the
/// value of one token below it, 0 at none. Never falls.
class TokenCurve {
 public:
  static constexpr int octaves = 17;  ///< to 131,072 tokens
  static constexpr std::size_t knots = 4 * octaves + 1;
  static double tokens_at(std::size_t knot) {
    return static_cast<double>(1LL << (knot / 4)) * (1 + static_cast<double>(knot % 4) / 4);
  }

  template <class F>
  void fill(F&& seconds) {
    double most = 0;
    for (std::size_t i = 0; i < knots; ++i) {
      most = std::max(most, seconds(tokens_at(i)));
      y_[i] = most;
    }
  }
  template <class F>
  void add(F&& seconds) {
    for (std::size_t i = 0; i < knots; ++i) y_[i] += seconds(tokens_at(i));
  }

  double at(double tokens) const {
    if (!(tokens > 0)) return 0;
    if (tokens <= 1) return y_[0];
    const auto bits = std::bit_cast<std::uint64_t>(tokens);
    const auto i = static_cast<std::size_t>((bits >> 50) - (1023ULL << 2));
    constexpr std::uint64_t low = (1ULL << 50) - 1;
    if (i + 1 >= knots) {
      const double slope = (y_[knots - 1] - y_[knots - 5]) / (tokens_at(knots - 1) / 2);
      return y_[knots - 1] + slope * (tokens - tokens_at(knots - 1));
    }
    const double part = static_cast<double>(bits & low) * 0x1p-50;
    return y_[i] + part * (y_[i + 1] - y_[i]);
  }

 private:
  std::array<double, knots> y_{};
};

/// HBM, as data-centre boards have.
bool has_hbm(const catalog::Accelerator& accelerator);
/// The generation whose kernel factors apply (catalog::KernelFactor): the architecture of boards
/// with HBM, none of others.
std::string_view generation_of(const catalog::Accelerator& accelerator);

/// Formats a layout's parts are stored and multiplied in.
struct Formats {
  Precision attention = Precision::bf16;  ///< attention's projections
  Precision ffn = Precision::bf16;        ///< dense FFN and shared experts
  Precision experts = Precision::bf16;
  bool blocks = false;       ///< fp8 with a scale a block
  bool weight_only = false;  ///< multiplied at 16 bit
};
/// What `layout.weights` and `layout.dense` mean for this model: GPT-OSS's mxfp4 and Kimi's
/// int4 narrow the experts only, nvfp4 leaves latent attention at 16 bit.
Formats formats_of(const catalog::Model& model, const Layout& layout);
/// What the catalogue calls a part's format in KernelFactor: "fp8-block" where fp8 has a scale a
/// block, "bf16" for fp16 too, else the format's name.
std::string_view factor_format(Precision part, const Formats& formats);

/// The format products of `weights` really run in on this device: 4-bit weights without a 4-bit
/// unit at 16 bit (AWQ, Marlin), int8 by fp8's kernels where both have the same peak.
Precision executed(const catalog::Accelerator& accelerator, Precision weights, bool weight_only);

struct StepKernels {
  StepKernels(const catalog::Model& model, const catalog::Accelerator& accelerator,
              const fabric::Path& path, const Layout& layout);

  TokenCurve products;  ///< attention's projections, dense FFN, shared experts, router
  TokenCurve experts;
  TokenCurve head;
  TokenCurve reduce;        ///< collectives of a pass
  TokenCurve prompt_s;      ///< of one (query, key) pair by queries of a prompt, all layers
  double key_global_s = 0;  ///< of one key of one decoding sequence, layers without a window
  double key_local_s = 0;   ///< the same, windowed layers
  double verify_global_s = 0, verify_local_s = 0;  ///< more for each draft token, a key
  /// Of one key where decodes share a call with prompts: kernels that do not pack the queries of a
  /// KV head (FlashAttention 2) spend a tile of 64 rows on each of them.
  double joint_global_s = 0, joint_local_s = 0;
  double launch_s = 0;      ///< floor of one kernel
  double pass_s = 0;        ///< one pass over the residual stream for a token, all layers
  double activation_s = 0;  ///< activation function of a token, all layers
  double adapter_s = 0;     ///< reading one LoRA adapter's weights
  double adapter_token_s = 0;
  double adapter_kernels = 0;
  double pair_local_ratio = 0;  ///< share of layers with a window
};

}  // namespace headroom::infer
