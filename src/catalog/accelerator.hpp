// Accelerator: one device that computes, as its maker sells it (a GPU, a TPU
// chip, a wafer, the graphics part of a laptop's processor).
//
// All rates are DENSE. Makers who quote 2:4 structured-sparse peaks are halved
// and marked `quoted: sparse`, so that nobody doubles them again. A multi-die
// package counts as one accelerator (B200: two dies, one entry); a superchip's
// entry is its GPU alone (GB200: one of the two GPUs beside a Grace CPU).
//
// Bandwidths of links are per direction; NVIDIA's "900 GB/s NVLink" is the sum
// of both, hence 450 GB/s here.
//
// Beside data-sheet figures an entry carries what kernels reach of them:
// `gemm` and `attention` hold the coefficients of the models in
// compute/kernel.hpp, fitted to measured tables where public ones exist and
// assumed, as wide ranges, where not.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.hpp"
#include "catalog/catalog.hpp"
#include "catalog/precision.hpp"

namespace headroom::catalog {

enum class DeviceClass : unsigned char { datacenter, workstation, edge, laptop };
std::span<const std::string_view> device_class_names();

/// How the maker's document prints a rate.
enum class QuotedRate : unsigned char { dense, sparse };

/// Peak rate in one precision.
struct PrecisionRate {
  Precision precision = Precision::bf16;
  Value<FlopRate> dense;
  QuotedRate quoted = QuotedRate::dense;

  void fields(spec::Fields& f);
};

/// How many knots each fitted curve has; src/compute/curve.hpp says where they stand.
struct KnotCount {
  static constexpr std::size_t tiles = 10, waves = 20, depth = 5, work = 9, columns = 5, rows = 5,
                               traffic = 8, thin = 6, queries = 11, attention_work = 12, head = 4;
};

/// One knot of a fitted curve; written bare, `waves: [1.02 @aic, 0.98 @aic]`. Where the knots
/// stand is part of the model (compute/kernel.hpp), not of the data.
struct Knot {
  Value<Scalar> factor;

  void fields(spec::Fields& f);
};

/// Coefficients of the GEMM models (compute/kernel.hpp) in one precision.
///
/// With `tiles` an entry is TILED: fitted to a measured table of the device by tools/fit-kernels,
/// which wrote it. Without, it is SMOOTH: droop, tail and ragged stand in for what nobody measured.
struct GemmFit {
  Precision precision = Precision::bf16;
  Value<Scalar> efficiency;      ///< share of peak that the largest shapes reach
  Value<Scalar> droop;           ///< smooth: loss of efficiency per doubling of work (power limit)
  Value<Scalar> tail;            ///< smooth: weight of the last, part-filled wave
  Value<Scalar> half_depth;      ///< k at which the prologue costs as much as the work
  Value<Scalar> ragged;          ///< smooth: share of padding to whole tiles that is paid
  Value<Scalar> bandwidth;       ///< share of memory bandwidth that operands reach
  Value<Scalar> overlap;         ///< share of the shorter of compute and traffic that shows
  Value<Time> launch;            ///< floor of one call
  Value<Scalar> cast_bandwidth;  ///< share of memory bandwidth of the activation's quantise pass
  Value<Time> cast_launch;       ///< floor that the quantise pass adds
  Value<Scalar> whole_waves;     ///< tiled: 1 pays whole waves of tiles, 0 balances the last one
  Value<Scalar> split_depth;     ///< tiled: depth that adding up a split k costs
  std::vector<Knot> tiles;       ///< tiled: cost of an element in each tile shape
  std::vector<Knot> waves;       ///< factor on compute by waves of 128 x 256 tiles
  std::vector<Knot> depth;       ///< by k
  std::vector<Knot> work;        ///< by m n k
  std::vector<Knot> columns;     ///< by n
  std::vector<Knot> rows;        ///< by m
  std::vector<Knot> traffic;     ///< factor on operand traffic by bytes
  std::vector<Knot> thin;        ///< by m
  Value<Scalar> median_error;    ///< |predicted / measured - 1|, held-out (n, k), m >= 1024
  Value<Scalar> p90_error;

  bool tiled() const { return !tiles.empty(); }
  void fields(spec::Fields& f);
};

/// Fused (Flash) attention in one precision; with `waves` fitted to a measured table of the device.
struct AttentionFit {
  Precision precision = Precision::bf16;
  Value<FlopRate> rate_max;   ///< useful (causal-halved) FLOP/s of long sequences
  Value<Scalar> half_length;  ///< keys per query at half of rate_max
  Value<Scalar> wave_tail;    ///< smooth: weight of a part-filled wave of (head, 128 queries) tiles
  Value<Time> launch;         ///< floor of one call
  Value<Scalar> bandwidth;    ///< share of memory bandwidth that Q, K, V and O reach
  Value<Scalar> overlap;      ///< share of the shorter of compute and traffic that shows
  std::vector<Knot> queries;  ///< factor on compute by queries of a sequence
  std::vector<Knot> waves;    ///< by waves of (head, 128 queries) tiles
  std::vector<Knot> work;     ///< by FLOPs
  std::vector<Knot> head;     ///< by head size
  Value<Scalar> backward;     ///< backward rate over forward rate, long sequences
  Value<Scalar> backward_half;  ///< keys at which that ratio is half of `backward`
  Value<Scalar> median_error;   ///< |predicted / measured - 1|, held-out shapes of 1,024 and more
  Value<Scalar> p90_error;

  bool tiled() const { return !waves.empty(); }
  void fields(spec::Fields& f);
};

/// Link to peers that share a scale-up domain (NVLink, xGMI, ICI, NeuronLink).
struct ScaleUp {
  std::string link;            ///< "NVLink 4"; empty when there is none
  Value<Bandwidth> bandwidth;  ///< of one accelerator, per direction
  int domain = 1;              ///< largest domain that the link forms, in accelerators

  void fields(spec::Fields& f);
};

struct DevicePower {
  Value<Power> max;      ///< TDP or configured board limit
  Value<Power> typical;  ///< while training or serving at load
  Value<Power> idle;

  void fields(spec::Fields& f);
};

struct DeviceCooling {
  bool air = true;
  bool liquid = false;
  Value<TemperatureDifference> max_coolant;  ///< absolute: warmest supply that is allowed

  void fields(spec::Fields& f);
};

struct Accelerator : Entry {
  static constexpr std::string_view kind = "accelerator";

  std::string vendor;
  std::string architecture;
  DeviceClass device_class = DeviceClass::datacenter;
  int year = 0;               ///< general availability
  Value<Information> memory;  ///< HBM, GDDR, LPDDR, or SRAM where there is nothing else
  std::string memory_kind;
  Value<Bandwidth> memory_bandwidth;
  Value<Scalar> memory_usable;  ///< share left after context, ECC and framework
  int compute_units = 0;        ///< SMs, CUs, cores: the width of one wave of tiles
  std::vector<PrecisionRate> rates;
  std::vector<GemmFit> gemm;
  std::vector<AttentionFit> attention;
  Value<Scalar> gemm_efficiency;    ///< of dense peak, where `gemm` has no fit
  Value<Scalar> stream_efficiency;  ///< of memory bandwidth in long streaming kernels
  Value<Scalar> decode_efficiency;  ///< of memory bandwidth in generation attention
  Value<Time> decode_launch;        ///< floor of one generation-attention call
  Value<Time> launch;               ///< floor of one kernel, launched from a graph
  ScaleUp scale_up;
  Value<Bandwidth> pcie;  ///< host link, per direction
  DevicePower power;
  DeviceCooling cooling;
  Value<Area> die_area;  ///< logic dies of the package, for performance density
  Value<Money> price;
  Value<Carbon> embodied_carbon;  ///< cradle to gate

  void fields(spec::Fields& f);

  /// The listed dense rate, or nullptr. No fallback: see compute::resolve.
  const PrecisionRate* rate(Precision precision) const;

  /// Total Processing Performance of US export rules (15 CFR 774, ECCN 3A090
  /// note 2): the largest of dense TOPS x bit length over all listed formats. Formats
  /// of 19 bits (tf32) count as listed. 0 when no rate is given. H100: 15,832.
  double tpp() const;
  /// TPP per mm2 of logic die, or 0 when the die area is not known. H100: 19.4.
  double performance_density() const;
};

}  // namespace headroom::catalog
