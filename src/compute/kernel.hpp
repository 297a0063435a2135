// Kernel: how long a matrix product, an attention or a pass over memory takes
// on one accelerator.
//
//   Device h100(*catalog.find<catalog::Accelerator>("h100-sxm"));
//   Time t = h100.gemm(Precision::bf16, {8192, 8192, 8192});        // 1.6 ms
//   double s = h100.gemm_s(Precision::bf16, {8192, 8192, 8192});    // hot loops
//
// Speed of light times efficiency, plus what it costs to begin:
//
//   time = max(FLOPs / (peak * e * ...), bytes / (bandwidth * e_mem)) + launch
//
// GEMM, C[m,n] = A[m,k] B[k,n], F = 2 m n k (docs/models/compute.md):
//   e      = efficiency - droop * max(0, log2(F / 0.1 TFLOP))
//   waves  = max(m, 128) n / (128 * 256) / compute_units        as a real number
//   F'     = F * (1 + ragged * (padded m n / m n - 1))          m to 16, 32, 64 or 128; n to 128
//   t_mma  = F' / (peak * e) * (1 + tail / (waves + 0.005)) * (1 + half_depth / k)
//   t_mem  = (bytes of A, B, C) / (bandwidth * share)
//   t_cast = cast_launch + m k * (2 + width) / (bandwidth * cast share)    where unfused
//   t      = launch + max(t_mma, t_mem) + overlap * min(t_mma, t_mem) + t_cast
//
// Fused attention (FlashAttention 2 and 3), F = 4 d per (query, key) pair that the mask
// lets through, s = keys of the last query:
//   rate   = rate_max * min(1, d / 128) / (1 + half_length / s) / (1 + wave_tail / (waves + 0.3))
//   t      = launch + max(F / rate, (Q, K, V, O bytes) / bandwidth)
//   backward: 2.5 F at `backward` of the forward rate
//   decode (one query a sequence): decode_launch + KV bytes / (bandwidth * decode_efficiency)
//
// Nothing here knows of collectives or of other devices.
//
// Validity: m from 1 to 32,768, n and k from 256 to 65,536 where the catalogue holds a fit to
// measured tables (`fitted`): held-out median error 3-11 % (nvfp4 on GDDR 17 %), 90th percentile in
// `gemm_error`. Elsewhere coefficients are assumed with stated, wide ranges.
//
// Errors: a precision that the device cannot run, even by falling back, takes
// `never_s` (never infinity, never NaN); ask `runs` first. Sizes below zero
// count as zero.
//
// Complexity: O(1), about 20 ns, no allocation. Thread-safe (const).
#pragma once

#include <array>

#include "catalog/accelerator.hpp"
#include "catalog/precision.hpp"

namespace headroom::compute {

/// What stands for "cannot run" in a time: 1e18 s.
inline constexpr double never_s = 1e18;

/// The format in which a device really computes what was asked of it.
///
/// A device without hardware for a format computes in the next one that loses nothing:
///   mxfp4 <-> nvfp4 -> fp6 -> fp8 <-> mxfp8 -> bf16 <-> fp16 -> tf32 -> fp32 -> fp64
/// so fp8 on an A100 runs at the bf16 rate (and keeps its smaller bytes). Integers take the
/// fastest of int4, int8 and bf16, since weights can be widened on the way: Blackwell Ultra's
/// integer units are slower than its bf16.
struct Resolved {
  Precision runs_as = Precision::bf16;
  bool native = false;  ///< listed as asked
  bool possible = false;
  FlopRate peak;  ///< dense; 0 when impossible
};
Resolved resolve(const catalog::Accelerator& accelerator, Precision wanted);

/// Dense peak after the fallback of `resolve`; 0 when the device cannot run it.
FlopRate peak(const catalog::Accelerator& accelerator, Precision wanted);

/// Sizes of a matrix product. `groups` equal products run as one kernel (a MoE
/// layer's experts, batched heads).
struct Gemm {
  double m = 0, n = 0, k = 0;
  double groups = 1;
};

/// How operands lie in memory when that is not the compute precision
/// (weight-only quantisation), and who narrows the activations.
struct Operands {
  double weight_bytes = 0;      ///< per element of B; 0: of the compute precision
  double activation_bytes = 2;  ///< per element of A as its producer left it
  double output_bytes = 2;      ///< per element of C
  /// The quantise pass over A runs as a kernel of its own (true in standalone
  /// tables) or was fused into the producer (serving and training engines).
  bool cast = false;
};

/// Attention of `batch` sequences. Every sequence has `query` new tokens behind
/// `past` cached ones; causal when `causal`.
struct Attention {
  double batch = 1;
  double heads = 1;     ///< query heads on this device
  double kv_heads = 1;  ///< key-value heads on this device
  double head_dim = 128;
  double query = 1;
  double past = 0;
  double window = 0;  ///< sliding window in keys; 0: none
  bool causal = true;
  double kv_bytes = 2;  ///< per element of the KV cache

  /// Mean keys that a query sees.
  double keys_per_query() const;
  /// Useful forward operations: 4 * batch * heads * head_dim * query * keys_per_query.
  double flops() const;
};

/// One accelerator with every coefficient resolved to plain doubles in SI units.
class Device {
 public:
  explicit Device(const catalog::Accelerator& accelerator);

  bool runs(Precision p) const { return at(p).peak_flops > 0; }
  /// Dense peak, FLOP/s.
  double peak_flops(Precision p) const { return at(p).peak_flops; }
  /// The coefficients come from a measured table of this very device and format.
  bool fitted(Precision p) const { return at(p).fitted; }
  /// 90th percentile of |predicted / measured - 1|: the fit's, or half the
  /// width of the assumed efficiency range.
  double gemm_error(Precision p) const { return at(p).error_p90; }

  double gemm_s(Precision p, const Gemm& shape) const { return gemm_s(p, shape, Operands{}); }
  double gemm_s(Precision p, const Gemm& shape, const Operands& operands) const;
  /// Forward: prefill or training. Uses decode's bound when it is the larger.
  double attention_s(Precision p, const Attention& a) const;
  double attention_backward_s(Precision p, const Attention& a) const;
  /// Attention that writes its scores to memory (before FlashAttention).
  double unfused_attention_s(Precision p, const Attention& a) const;
  /// One new token for every sequence (query = 1).
  double decode_attention_s(const Attention& a) const;
  /// A streaming pass (norms, activations, optimiser) over `bytes`.
  double memory_s(double bytes) const { return launch_s_ + bytes / stream_bytes_per_s_; }

  double launch_s() const { return launch_s_; }
  /// Achievable streaming rate, bytes/s.
  double stream_bytes_per_s() const { return stream_bytes_per_s_; }

  Time gemm(Precision p, const Gemm& shape, const Operands& operands = {}) const {
    return Time::from_si(gemm_s(p, shape, operands));
  }
  Time attention(Precision p, const Attention& a) const { return Time::from_si(attention_s(p, a)); }
  Time attention_backward(Precision p, const Attention& a) const {
    return Time::from_si(attention_backward_s(p, a));
  }
  Time decode_attention(const Attention& a) const { return Time::from_si(decode_attention_s(a)); }
  Time memory(Information size) const { return Time::from_si(memory_s(size.in(byte))); }

 private:
  struct Rates {
    double peak_flops = 0;
    double efficiency = 0, droop = 0, tail = 0, half_depth = 0, ragged = 0;
    double operand_bytes_per_s = 1, overlap = 0, launch_s = 0;
    double cast_bytes_per_s = 0, cast_launch_s = 0;  ///< 0: activations need no cast
    double element_bytes = 2;     ///< as asked, not as run: narrow formats stay narrow in memory
    double activation_bytes = 2;  ///< of A once it is in the format that is computed
    double attention_flops = 0, attention_half = 0, attention_tail = 0;
    double attention_launch_s = 0, backward = 0.75;
    double error_p90 = 0;
    bool fitted = false;
  };
  const Rates& at(Precision p) const { return rates_[static_cast<std::size_t>(p)]; }
  void fill_gemm(Rates& r, const catalog::Accelerator& accelerator, const Resolved& resolved,
                 Precision wanted) const;
  void fill_attention(Rates& r, const catalog::Accelerator& accelerator,
                      const Resolved& resolved) const;
  double forward_s(const Rates& r, const Attention& a, double flops) const;

  std::array<Rates, precision_count> rates_{};
  double compute_units_ = 1;
  double bytes_per_s_ = 1;  ///< data-sheet memory bandwidth
  double stream_bytes_per_s_ = 1;
  double decode_bytes_per_s_ = 1;
  double decode_launch_s_ = 0;
  double launch_s_ = 0;
};

}  // namespace headroom::compute
