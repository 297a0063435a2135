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
// GEMM, C[m,n] = A[m,k] B[k,n], where the catalogue holds a fit to a measured table (TILED):
//   waves_i = tiles of shape i * groups / compute_units          ten shapes, two split k
//   cost_i  = (s ceil(waves_i) + (1-s) max(waves_i, 1)) * area_i * tiles[i]
//             * (k + half_depth [+ split_depth])                 s = whole_waves
//   t_mma   = min_i cost_i * 2 compute_units / (peak * efficiency)
//             * waves(128 x 256 tiles) * depth(k) * work(m n k) * columns(n) * rows(m)
//   t_mem   = bytes of A, B, C / (bandwidth * share) * traffic(bytes) * thin(m)
//   t_cast  = cast_launch + m k (2 + copies width) / (bandwidth * cast share)    where unfused
//   t       = launch + max(t_mma, t_mem) + overlap * min(t_mma, t_mem) + t_cast
// The named factors are curves of 5 to 20 knots (compute/curve.hpp) that stay near 1: what the
// library's choice of kernels, L2 and the power limit make of the ideal. Neither t_mma nor t_mem
// falls below the data sheet's figure.
//
// Elsewhere (SMOOTH) waves are a real number and assumed coefficients stand in:
//   e      = efficiency - droop * max(0, log2(F / 0.1 TFLOP)),  F = 2 m n k
//   waves  = max(m, 128) n / (128 * 256) / compute_units
//   F'     = F * (1 + ragged * (padded m n / m n - 1))          m to 16, 32, 64 or 128; n to 128
//   t_mma  = F' / (peak * e) * (1 + tail / (waves + 0.005)) * (1 + half_depth / k)
//
// Fused attention (FlashAttention 2 and 3), F = 4 d per (query, key) pair that the mask
// lets through, s = keys of the last query, w = waves of (head, 128 queries) tiles:
//   F'     = F * max(w, 1) / w
//   t_mma  = F' / rate_max * (1 + half_length / s) * queries(q) * waves(w) * work(F') * head(d)
//   t      = launch + max(t_mma, t_mem) + overlap * min(t_mma, t_mem)
//   smooth: rate = rate_max * min(1, d / 128) / (1 + half_length / s) / (1 + wave_tail / (w + 0.3))
//   backward: 2.5 F at backward / (1 + backward_half / s) of the forward rate
//   decode (one query a sequence): decode_launch + KV bytes / (bandwidth * decode_efficiency)
//
// Nothing here knows of collectives or of other devices.
//
// Validity: m from 1 to 32,768, n and k from 256 to 65,536 where the catalogue holds a fit to
// measured tables (`fitted`); its errors on shapes it never saw are in docs/models/compute.md and
// in `gemm_error`. Elsewhere coefficients are assumed with stated, wide ranges.
//
// Errors: a precision that the device cannot run, even by falling back, takes
// `never_s` (never infinity, never NaN); ask `runs` first. Sizes below zero
// count as zero.
//
// Complexity: O(1), no allocation; about 50 ns tiled, 20 ns smooth. Thread-safe (const).
#pragma once

#include <array>

#include "catalog/accelerator.hpp"
#include "catalog/precision.hpp"
#include "compute/curve.hpp"

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
///
/// No data sheet lists fp8-block: it runs on fp8's units (Hopper: partial sums go to CUDA cores
/// for their scales every 128 of k) or through mxfp8's (Blackwell), so its peak is theirs, and it
/// is native where they are. What the scales cost is in its own fit.
struct Resolved {
  Precision runs_as = Precision::bf16;
  bool native = false;  ///< listed as asked, or block scales over a listed 8-bit format
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
  /// Narrow copies that the pass writes. Block scales run along a row, so training keeps a second
  /// copy of an activation, scaled along its columns, for the product by weights: 2.
  double copies = 1;
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

/// Clock under a power limit over the clock under the rated one, for work that the limit binds
/// (matrix products and attention; not traffic). Solves for x
///   cap / rated = static + (1 - static) x (v + (1 - v) x)^2
/// where static power (leakage, memory, links) is 25 % of the rating and voltage falls linearly
/// with frequency to v = 50 % of its value. Both shares are assumed. Check: factryze.ai/scale-atlas
/// (2026, secondary) loses 10-15 % of a training step at 600 of 700 W on H100; this gives 10 %,
/// and 22 % at 500 W. 1 for a cap of the rating or more; never below 0.1. O(1), 20 bisections.
double clock_at_power(double cap_over_rated);

/// How this board differs from the catalogue's. Zero means: as the catalogue says.
struct DeviceOptions {
  Power power_limit{};           ///< set below the rating: nvidia-smi -pl, a MaxQ mode
  Bandwidth memory_bandwidth{};  ///< another memory of the same device: H100 with HBM2e, 2.4 TB/s
  double rate = 1;               ///< on the rate of products and attention beside that, > 0
};

/// One accelerator with every coefficient resolved to plain doubles in SI units.
class Device {
 public:
  explicit Device(const catalog::Accelerator& accelerator, const DeviceOptions& options = {});

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
  static constexpr std::size_t tile_count = catalog::KnotCount::tiles;

  /// Coefficients of a tiled fit.
  struct Tiled {
    std::array<double, tile_count> tile_s{};  ///< one wave of one element of depth, s
    double whole_waves = 0, half_depth = 0, split_depth = 0;
    WaveCurve waves;
    Curve<5> depth{8, 0.5}, columns{8, 0.5}, rows{7, 0.5};
    Curve<9> work{30, 0.5};
    Curve<8> traffic{18, 0.5};
    Curve<6> thin{0, 0.5};
  };
  struct TiledAttention {
    double operand_bytes_per_s = 1, overlap = 0;
    Curve<11> queries{4, 1};
    WaveCurve waves;
    Curve<12> work{24, 0.5};
    std::array<double, 4> head{};  ///< at 64, 128, 192, 256
  };
  struct Rates {
    double peak_flops = 0;
    double efficiency = 0, droop = 0, tail = 0, half_depth = 0, ragged = 0;
    double operand_bytes_per_s = 1, overlap = 0, launch_s = 0;
    double cast_bytes_per_s = 0, cast_launch_s = 0;  ///< 0: activations need no cast
    double element_bytes = 2;     ///< as asked, not as run: narrow formats stay narrow in memory
    double activation_bytes = 2;  ///< of A once it is in the format that is computed
    double attention_flops = 0, attention_half = 0, attention_tail = 0;
    double attention_launch_s = 0, backward = 0.75, backward_half = 0;
    double error_p90 = 0;
    bool fitted = false, tiled = false, tiled_attention = false;
    Tiled gemm;
    TiledAttention attention;
  };
  const Rates& at(Precision p) const { return rates_[static_cast<std::size_t>(p)]; }
  void fill_gemm(Rates& r, const catalog::Accelerator& accelerator, const Resolved& resolved,
                 Precision wanted) const;
  void fill_attention(Rates& r, const catalog::Accelerator& accelerator,
                      const Resolved& resolved) const;
  void fill_tiles(Rates& r, const catalog::GemmFit& fit) const;
  double smooth_mma_s(const Rates& r, const Gemm& shape) const;
  double tiled_mma_s(const Rates& r, const Gemm& shape) const;
  double forward_s(const Rates& r, const Attention& a, double flops) const;
  double smooth_forward_s(const Rates& r, const Attention& a, double flops) const;

  std::array<Rates, precision_count> rates_{};
  double compute_units_ = 1;
  double clock_ = 1;        ///< of products and attention, over the catalogue's
  double bytes_per_s_ = 1;  ///< data-sheet memory bandwidth
  double stream_bytes_per_s_ = 1;
  double decode_bytes_per_s_ = 1;
  double decode_launch_s_ = 0;
  double launch_s_ = 0;
};

}  // namespace headroom::compute
