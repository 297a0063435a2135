#include "compute/kernel.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace headroom::compute {
namespace {

using catalog::Accelerator;
using P = Precision;

// Tile of the largest tensor-core kernels (CUTLASS and cuBLAS defaults since Ampere), the unit
// in which the fits count waves; and the finer grid that padding is reckoned on.
constexpr double tile_rows = 128.0;
constexpr double tile_elements = 128.0 * 256.0;
// Split-k kernels spread one tile over at most about 200 units, which bounds the tail.
constexpr double least_waves = 0.005;

struct TileShape {
  double rows, columns;
  double ways;  ///< that k is split, each way on a unit of its own
};
// Kernels that cuBLAS and CUTLASS hold since Ampere, one unit's share; tools/fit_kernels/gemm.py
// has the same list. Split ones last.
constexpr std::array<TileShape, catalog::KnotCount::tiles> tile_shapes{{{256, 128, 1},
                                                                        {128, 256, 1},
                                                                        {192, 128, 1},
                                                                        {128, 192, 1},
                                                                        {128, 128, 1},
                                                                        {128, 64, 1},
                                                                        {64, 128, 1},
                                                                        {64, 192, 1},
                                                                        {128, 128, 4},
                                                                        {64, 64, 8}}};
constexpr std::size_t first_split = 8;
// 132 tiles on 132 units are one wave, whatever rounding says.
constexpr double wave_rounding = 1e-9;

constexpr double droop_begins_flop = 1e11;
constexpr double least_efficiency = 0.05;

// FlashAttention: (head, 128 queries) is one tile; the tail saturates as in its tables' fits.
constexpr double attention_tile_queries = 128.0;
constexpr double attention_least_waves = 0.3;
constexpr double full_head_dim = 128.0;
// Two products forward, five backward with scores recomputed (Dao, FlashAttention-2, 2023, 3.1).
constexpr double backward_flops_ratio = 2.5;
// Scores, softmax, dropout mask and its product in 16-bit: about 11 bytes a score, forward
// (our fit to BLOOM's unfused Megatron-DeepSpeed runs; Korthikanti et al. 2022 count 5 kept).
constexpr double unfused_bytes_per_score = 11.0;

// What stands in for coefficients that nobody measured on a device. Middle of the fitted
// devices (A100 to GB300): see docs/models/compute.md.
constexpr double default_gemm_efficiency = 0.6;
constexpr double default_stream_efficiency = 0.8;
constexpr double default_decode_efficiency = 0.7;
constexpr double default_tail = 0.08;
constexpr double default_half_depth = 100.0;
constexpr double default_ragged = 0.4;
constexpr double default_overlap = 0.25;
constexpr double default_launch_s = 4e-6;
constexpr double default_cast_share = 0.35;
constexpr double default_cast_launch_s = 8e-6;
constexpr double default_error = 0.35;
// fp8-block without a fit of its own: the table times of Hopper, 1.10 (H100) and 1.12 (H200) of
// per-tensor fp8 in the median of 656 products of 4,096 and more a side. Blackwell has fits.
constexpr double default_block_share = 0.9;
// Attention without a table: share of the rate that large 16-bit products reach. The fitted devices
// have 0.66 to 0.78 (A100 to GB300, sequences of 16k).
constexpr double default_attention_share = 0.7;
constexpr double default_attention_half = 1000.0;
constexpr double default_attention_tail = 1.0;
constexpr double default_attention_launch_s = 10e-6;
constexpr double default_backward = 0.75;

// clock_at_power: see kernel.hpp.
constexpr double static_power_share = 0.25;  // assumed: idle 70 W and HBM near 100 W of 700 W
constexpr double voltage_floor = 0.5;        // assumed
constexpr double least_clock = 0.1;

template <std::size_t N>
void fill(std::array<double, N>& to, const std::vector<catalog::Knot>& from) {
  for (std::size_t i = 0; i < N && i < from.size(); ++i) to[i] = from[i].factor.get().si();
}

/// std::ceil is a library call without SSE4.1.
inline double ceiling(double x) {
  const auto whole = static_cast<double>(static_cast<std::int64_t>(x));
  return whole + (whole < x ? 1.0 : 0.0);
}

// Largest size that is reckoned with: beyond it ceiling() would overflow.
constexpr double most_tiles = 1e15;

std::span<const P> fallbacks(P wanted) {
  static constexpr P nvfp4[] = {P::nvfp4, P::mxfp4, P::fp6,  P::fp8,  P::mxfp8,
                                P::bf16,  P::fp16,  P::tf32, P::fp32, P::fp64};
  static constexpr P mxfp4[] = {P::mxfp4, P::nvfp4, P::fp6,  P::fp8,  P::mxfp8,
                                P::bf16,  P::fp16,  P::tf32, P::fp32, P::fp64};
  static constexpr P fp6[] = {P::fp6,  P::fp8,  P::mxfp8, P::bf16,
                              P::fp16, P::tf32, P::fp32,  P::fp64};
  static constexpr P fp8[] = {P::fp8, P::mxfp8, P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  static constexpr P mxfp8[] = {P::mxfp8, P::fp8, P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  static constexpr P fp8_block[] = {P::fp8, P::mxfp8, P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  static constexpr P bf16[] = {P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  static constexpr P fp16[] = {P::fp16, P::bf16, P::tf32, P::fp32, P::fp64};
  static constexpr P tf32[] = {P::tf32, P::fp32, P::fp64};
  static constexpr P fp32[] = {P::fp32, P::fp64};
  static constexpr P fp64[] = {P::fp64};
  static constexpr P int8[] = {P::int8, P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  static constexpr P int4[] = {P::int4, P::int8, P::bf16, P::fp16, P::tf32, P::fp32, P::fp64};
  switch (wanted) {
    case P::fp64:
      return fp64;
    case P::fp32:
      return fp32;
    case P::tf32:
      return tf32;
    case P::bf16:
      return bf16;
    case P::fp16:
      return fp16;
    case P::fp8:
      return fp8;
    case P::mxfp8:
      return mxfp8;
    case P::fp8_block:
      return fp8_block;
    case P::int8:
      return int8;
    case P::fp6:
      return fp6;
    case P::nvfp4:
      return nvfp4;
    case P::mxfp4:
      return mxfp4;
    case P::int4:
      return int4;
  }
  return fp64;
}

/// Formats that share a data path share a fit: mxfp8 runs fp8's kernels, fp16 bf16's. Block scales
/// have kernels of their own, and lean on fp8's where nobody measured those.
bool same_path(P a, P b) {
  auto path = [](P p) {
    switch (p) {
      case P::fp16:
        return P::bf16;
      case P::mxfp8:
      case P::fp8_block:
        return P::fp8;
      case P::mxfp4:
        return P::nvfp4;
      default:
        return p;
    }
  };
  return path(a) == path(b);
}

template <class Fit>
const Fit* find_fit(const std::vector<Fit>& fits, P runs_as) {
  auto it = std::find_if(fits.begin(), fits.end(),
                         [&](const Fit& fit) { return fit.precision == runs_as; });
  if (it == fits.end())
    it = std::find_if(fits.begin(), fits.end(), [&](const Fit& fit) {
      return fit.precision != P::fp8_block && same_path(fit.precision, runs_as);
    });
  return it == fits.end() ? nullptr : &*it;
}

template <class Q>
double or_default(const Value<Q>& v, double si) {
  return v ? v.get().si() : si;
}

/// Half the width of a range, relative to its likely value.
double relative_half_width(const Number& n, double when_point) {
  if (!n.given || !n.ranged() || n.likely <= 0) return when_point;
  return std::max(n.high - n.likely, n.likely - n.low) / n.likely;
}

double at_least_zero(double x) { return x > 0 ? x : 0; }

/// Libraries hold kernels of 16, 32, 64 and 128 rows.
double rows_of_tile(double m) {
  if (m <= 16) return 16;
  if (m <= 32) return 32;
  return m <= 64 ? 64 : tile_rows;
}

double padding(double m, double n) {
  const double rows = rows_of_tile(m);
  return std::ceil(m / rows) * rows * std::ceil(n / tile_rows) * tile_rows / (m * n) - 1;
}

}  // namespace

Resolved resolve(const Accelerator& accelerator, Precision wanted) {
  const bool integer = wanted == P::int8 || wanted == P::int4;
  Resolved best{wanted, false, false, FlopRate{}};
  for (P candidate : fallbacks(wanted)) {
    const auto* rate = accelerator.rate(candidate);
    if (rate == nullptr || rate->dense.get() <= best.peak) continue;
    best = {candidate, candidate == wanted, true, rate->dense.get()};
    if (wanted == P::fp8_block && element_bits(candidate) == 8)
      best.runs_as = wanted, best.native = true;
    if (!integer) break;
  }
  return best;
}

FlopRate peak(const Accelerator& accelerator, Precision wanted) {
  return resolve(accelerator, wanted).peak;
}

double Attention::keys_per_query() const {
  double keys = past + (causal ? (query + 1) / 2 : query);
  return window > 0 ? std::min(keys, window) : keys;
}

double Attention::flops() const {
  return 4 * at_least_zero(batch * heads * head_dim * query) * at_least_zero(keys_per_query());
}

double clock_at_power(double cap_over_rated) {
  if (!(cap_over_rated < 1)) return 1;
  double low = least_clock, high = 1;
  for (int i = 0; i < 20; ++i) {
    const double x = (low + high) / 2, volts = voltage_floor + (1 - voltage_floor) * x;
    const double power = static_power_share + (1 - static_power_share) * x * volts * volts;
    (power < cap_over_rated ? low : high) = x;
  }
  return low;
}

namespace {

double bandwidth_of(const Accelerator& a, const DeviceOptions& options) {
  const bool given = options.memory_bandwidth.si() > 0;
  const Bandwidth b = given ? options.memory_bandwidth : a.memory_bandwidth.get();
  return std::max(1.0, b.in(byte / second));
}

double clock_of(const Accelerator& a, const DeviceOptions& options) {
  double clock = options.rate > 0 ? options.rate : 1;
  if (options.power_limit.si() > 0 && a.power.max)
    clock *= clock_at_power(options.power_limit / a.power.max.get());
  return clock;
}

}  // namespace

Device::Device(const Accelerator& a, const DeviceOptions& options)
    : compute_units_(std::max(1, a.compute_units)),
      clock_(clock_of(a, options)),
      bytes_per_s_(bandwidth_of(a, options)),
      stream_bytes_per_s_(bytes_per_s_ *
                          or_default(a.stream_efficiency, default_stream_efficiency)),
      decode_bytes_per_s_(bytes_per_s_ *
                          or_default(a.decode_efficiency, default_decode_efficiency)),
      decode_launch_s_(or_default(a.decode_launch, default_attention_launch_s)),
      launch_s_(or_default(a.launch, default_launch_s)) {
  for (std::size_t i = 0; i < precision_count; ++i) {
    const auto wanted = static_cast<P>(i);
    const Resolved resolved = resolve(a, wanted);
    if (!resolved.possible) continue;
    Rates& r = rates_[i];
    r.peak_flops = resolved.peak.si();
    r.element_bytes = bytes_per_element(wanted);
    fill_gemm(r, a, resolved, wanted);
    fill_attention(r, a, resolved);
  }
}

void Device::fill_gemm(Rates& r, const Accelerator& a, const Resolved& resolved, P wanted) const {
  static const catalog::GemmFit nothing;
  const auto* found = find_fit(a.gemm, resolved.runs_as);
  const auto& fit = found != nullptr ? *found : nothing;
  r.efficiency =
      clock_ * or_default(fit.efficiency, or_default(a.gemm_efficiency, default_gemm_efficiency));
  if (resolved.runs_as == P::fp8_block && fit.precision != P::fp8_block)
    r.efficiency *= default_block_share;
  r.droop = or_default(fit.droop, 0);
  r.tail = or_default(fit.tail, default_tail);
  r.half_depth = or_default(fit.half_depth, default_half_depth);
  r.ragged = or_default(fit.ragged, default_ragged);
  r.operand_bytes_per_s =
      bytes_per_s_ * or_default(fit.bandwidth, stream_bytes_per_s_ / bytes_per_s_);
  r.overlap = or_default(fit.overlap, default_overlap);
  r.launch_s = or_default(fit.launch, launch_s_);
  if (element_bits(wanted) < 16 && resolved.native) {
    r.cast_bytes_per_s = bytes_per_s_ * or_default(fit.cast_bandwidth, default_cast_share);
    r.cast_launch_s = or_default(fit.cast_launch, default_cast_launch_s);
  }
  r.activation_bytes = bytes_per_activation(resolved.runs_as);
  r.tiled = fit.tiled();
  if (r.tiled) fill_tiles(r, fit);
  r.fitted = found != nullptr && fit.p90_error.given;
  r.error_p90 =
      r.fitted ? fit.p90_error.get().si() : relative_half_width(a.gemm_efficiency, default_error);
}

void Device::fill_tiles(Rates& r, const catalog::GemmFit& fit) const {
  Tiled& t = r.gemm;
  fill(t.tile_s, fit.tiles);
  for (std::size_t i = 0; i < tile_count; ++i) {
    const auto& shape = tile_shapes[i];
    t.tile_s[i] *= shape.rows * shape.columns / shape.ways * 2 * compute_units_ /
                   (r.peak_flops * r.efficiency);
  }
  t.whole_waves = or_default(fit.whole_waves, 0);
  t.half_depth = or_default(fit.half_depth, default_half_depth);
  t.split_depth = or_default(fit.split_depth, 0);
  fill(t.waves.knots, fit.waves);
  fill(t.depth.knots, fit.depth);
  fill(t.work.knots, fit.work);
  fill(t.columns.knots, fit.columns);
  fill(t.rows.knots, fit.rows);
  fill(t.traffic.knots, fit.traffic);
  fill(t.thin.knots, fit.thin);
}

void Device::fill_attention(Rates& r, const Accelerator& a, const Resolved& resolved) const {
  static const catalog::AttentionFit nothing;
  const auto* found = find_fit(a.attention, resolved.runs_as);
  // Without a kernel of its own a narrow format leaves attention in 16-bit.
  if (found == nullptr && element_bits(resolved.runs_as) <= 8)
    found = find_fit(a.attention, P::bf16);
  const auto& fit = found != nullptr ? *found : nothing;
  const double half_precision = peak(a, P::bf16).si();
  const double base = half_precision > 0 ? half_precision : r.peak_flops;
  r.attention_flops = fit.rate_max ? clock_ * fit.rate_max.get().si()
                                   : default_attention_share * r.efficiency * base;
  r.attention_half = or_default(fit.half_length, default_attention_half);
  r.attention_tail = or_default(fit.wave_tail, default_attention_tail);
  r.attention_launch_s = or_default(fit.launch, default_attention_launch_s);
  r.backward = or_default(fit.backward, default_backward);
  r.backward_half = or_default(fit.backward_half, 0);
  r.tiled_attention = fit.tiled();
  if (!r.tiled_attention) return;
  r.attention.operand_bytes_per_s =
      bytes_per_s_ * or_default(fit.bandwidth, stream_bytes_per_s_ / bytes_per_s_);
  r.attention.overlap = or_default(fit.overlap, default_overlap);
  fill(r.attention.queries.knots, fit.queries);
  fill(r.attention.waves.knots, fit.waves);
  fill(r.attention.work.knots, fit.work);
  fill(r.attention.head, fit.head);
}

double Device::smooth_mma_s(const Rates& r, const Gemm& g) const {
  const double flops = 2 * g.m * g.n * g.k * g.groups;
  const double droop =
      flops > droop_begins_flop ? r.droop * std::log2(flops / droop_begins_flop) : 0;
  const double efficiency = std::max(r.efficiency - droop * clock_, least_efficiency);
  const double waves = std::max(g.m, tile_rows) * g.n * g.groups / (tile_elements * compute_units_);
  return flops * (1 + r.ragged * padding(g.m, g.n)) / (r.peak_flops * efficiency) *
         (1 + r.tail / (waves + least_waves)) * (1 + r.half_depth / g.k);
}

double Device::tiled_mma_s(const Rates& r, const Gemm& g) const {
  const Tiled& t = r.gemm;
  const double each = g.groups / compute_units_;
  const double m = std::min(g.m, most_tiles), n = std::min(g.n, most_tiles);
  const double r64 = ceiling(m / 64), r128 = ceiling(m / 128), r192 = ceiling(m / 192),
               r256 = ceiling(m / 256);
  const double c64 = ceiling(n / 64) * each, c128 = ceiling(n / 128) * each,
               c192 = ceiling(n / 192) * each, c256 = ceiling(n / 256) * each;
  // In the order of tile_shapes.
  const std::array<double, tile_count> waves{
      r256 * c128, r128 * c256, r192 * c128, r128 * c192,     r128 * c128,
      r128 * c64,  r64 * c128,  r64 * c192,  4 * r128 * c128, 8 * r64 * c64};
  auto cost = [&](std::size_t i) {
    const double w = std::min(waves[i], most_tiles), whole = ceiling(w - wave_rounding);
    return (t.whole_waves * whole + (1 - t.whole_waves) * std::max(w, 1.0)) * t.tile_s[i];
  };
  double best = cost(0);
  for (std::size_t i = 1; i < first_split; ++i) best = std::min(best, cost(i));
  best *= g.k + t.half_depth;
  for (std::size_t i = first_split; i < tile_count; ++i) {
    const double depth = g.k + tile_shapes[i].ways * (t.half_depth + t.split_depth);
    best = std::min(best, cost(i) * depth);
  }
  // Curves are of one product: nothing measured says how they move with the number of groups.
  const double each_work = g.m * g.n * g.k;
  const double s = best * t.waves.at(waves[1]) * t.depth.at(lg(g.k)) * t.work.at(lg(each_work)) *
                   t.columns.at(lg(g.n)) * t.rows.at(lg(g.m));
  return std::max(s, 2 * each_work * g.groups / r.peak_flops);
}

double Device::gemm_s(P p, const Gemm& shape, const Operands& operands) const {
  const Rates& r = at(p);
  if (r.peak_flops <= 0) return never_s;
  const double m = shape.m, n = shape.n, k = shape.k, groups = shape.groups;
  if (!(m > 0 && n > 0 && k > 0 && groups > 0)) return 0;

  const double mma_s = r.tiled ? tiled_mma_s(r, shape) : smooth_mma_s(r, shape);
  const double weight_bytes = operands.weight_bytes > 0 ? operands.weight_bytes : r.element_bytes;
  const double bytes = groups * (m * k * std::min(r.activation_bytes, operands.activation_bytes) +
                                 n * k * weight_bytes + m * n * operands.output_bytes);
  double memory_s = bytes / r.operand_bytes_per_s;
  if (r.tiled) {
    memory_s *= r.gemm.traffic.at(lg(bytes)) * r.gemm.thin.at(lg(m));
    memory_s = std::max(memory_s, bytes / bytes_per_s_);
  }

  double cast_s = 0;
  if (operands.cast && r.cast_bytes_per_s > 0) {
    const double moved = operands.activation_bytes + operands.copies * r.activation_bytes;
    cast_s = r.cast_launch_s + groups * m * k * moved / r.cast_bytes_per_s;
  }
  return r.launch_s + std::max(mma_s, memory_s) + r.overlap * std::min(mma_s, memory_s) + cast_s;
}

namespace {

double last_keys(const Attention& a) {
  const double all = a.past + a.query;
  return std::max(1.0, a.window > 0 ? std::min(a.window, all) : all);
}

/// Between 64, 128, 192 and 256; a smaller head fills a tile of 64.
double head_factor(const std::array<double, 4>& knots, double head) {
  if (head <= 64) return knots[0] * 64 / std::max(head, 1.0);
  const double steps = std::min(head / 64 - 1, 3.0);
  const auto i = std::min<std::size_t>(static_cast<std::size_t>(steps), 2);
  return knots[i] + (steps - static_cast<double>(i)) * (knots[i + 1] - knots[i]);
}

}  // namespace

double Device::smooth_forward_s(const Rates& r, const Attention& a, double flops) const {
  const double keys = last_keys(a);
  const double waves = a.batch * a.heads * a.query / (attention_tile_queries * compute_units_);
  const double rate =
      r.attention_flops * std::min(1.1, std::pow(a.head_dim / full_head_dim, 0.38)) /
      ((1 + r.attention_half / keys) * (1 + r.attention_tail / (waves + attention_least_waves)));
  const double bytes =
      a.batch * a.head_dim * (2 * a.kv_heads * keys * a.kv_bytes + 2 * a.heads * a.query * 2.0);
  return std::max(flops / rate, bytes / stream_bytes_per_s_);
}

double Device::forward_s(const Rates& r, const Attention& a, double flops) const {
  if (!r.tiled_attention) return smooth_forward_s(r, a, flops);
  const TiledAttention& t = r.attention;
  const double keys = last_keys(a);
  const double tiles = ceiling(std::min(a.query / attention_tile_queries, most_tiles));
  const double waves = a.batch * a.heads * tiles / compute_units_;
  const double full = flops * std::max(waves, 1.0) / waves;  // as if its last wave were full
  const double mma_s = full / r.attention_flops * (1 + r.attention_half / keys) *
                       t.queries.at(lg(a.query)) * t.waves.at(waves) * t.work.at(lg(full)) *
                       head_factor(t.head, a.head_dim);
  const double bytes =
      a.batch * a.head_dim * (2 * a.kv_heads * keys * a.kv_bytes + 2 * a.heads * a.query * 2.0);
  const double memory_s = bytes / t.operand_bytes_per_s;
  return std::max(mma_s, memory_s) + t.overlap * std::min(mma_s, memory_s);
}

double Device::attention_s(P p, const Attention& a) const {
  const Rates& r = at(p);
  if (r.peak_flops <= 0) return never_s;
  const double flops = a.flops();
  if (flops <= 0) return 0;
  return r.attention_launch_s + forward_s(r, a, flops);
}

double Device::attention_backward_s(P p, const Attention& a) const {
  const Rates& r = at(p);
  if (r.peak_flops <= 0) return never_s;
  const double flops = a.flops();
  if (flops <= 0) return 0;
  const double ratio = r.backward / (1 + r.backward_half / last_keys(a));
  return r.attention_launch_s + backward_flops_ratio * forward_s(r, a, flops) / ratio;
}

double Device::unfused_attention_s(P p, const Attention& a) const {
  if (!runs(p)) return never_s;
  const double keys = a.past + a.query;  // a mask saves nothing here
  const double products = a.batch * a.heads;
  if (!(products > 0 && a.query > 0 && a.head_dim > 0)) return 0;
  const double scores_s =
      launch_s_ + products * a.query * keys * unfused_bytes_per_score / stream_bytes_per_s_;
  return gemm_s(p, {a.query, keys, a.head_dim, products}) +
         gemm_s(p, {a.query, a.head_dim, keys, products}) + scores_s;
}

double Device::decode_attention_s(const Attention& a) const {
  double keys = a.past + a.query;
  if (a.window > 0) keys = std::min(keys, a.window);
  const double bytes = 2 * a.batch * a.kv_heads * a.head_dim * keys * a.kv_bytes;
  if (!(bytes > 0)) return 0;
  return decode_launch_s_ + bytes / decode_bytes_per_s_;
}

}  // namespace headroom::compute
