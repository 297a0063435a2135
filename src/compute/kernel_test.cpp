#include "compute/kernel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "catalog/catalog.hpp"

namespace headroom::compute {
namespace {

using catalog::Accelerator;
using catalog::Catalog;
using P = Precision;

const Accelerator& entry(const char* id) {
  const auto* found = Catalog::builtin().find<Accelerator>(id);
  if (found == nullptr) throw std::runtime_error(std::string("no accelerator ") + id);
  return *found;
}
Device device(const char* id) { return Device(entry(id)); }

double achieved_tflops(const Device& d, P p, const Gemm& g, const Operands& o = {}) {
  return 2 * g.m * g.n * g.k * g.groups / d.gemm_s(p, g, o) / 1e12;
}

double best_shape_tflops(const Device& d, P p) {
  double best = 0;
  for (double m : {2048, 4096, 8192, 16384}) {
    for (double n : {4096, 8192, 16384}) {
      for (double k : {2048, 4096, 8192, 16384})
        best = std::max(best, achieved_tflops(d, p, {m, n, k}));
    }
  }
  return best;
}

// --- Formats -------------------------------------------------------------------

TEST(Resolve, AFormatWithoutHardwareRunsInTheNextThatLosesNothing) {
  const auto fp8_on_a100 = resolve(entry("a100-sxm-80gb"), P::fp8);
  EXPECT_EQ(fp8_on_a100.runs_as, P::bf16);
  EXPECT_FALSE(fp8_on_a100.native);
  EXPECT_DOUBLE_EQ(fp8_on_a100.peak.in(teraflop_per_second), 312);
  EXPECT_EQ(resolve(entry("h100-sxm"), P::nvfp4).runs_as, P::fp8);
  EXPECT_EQ(resolve(entry("v100-sxm2"), P::bf16).runs_as, P::fp16);
  EXPECT_EQ(resolve(entry("h100-sxm"), P::int4).runs_as, P::int8);
  EXPECT_TRUE(resolve(entry("b200-sxm"), P::nvfp4).native);
  // Blackwell Ultra cut its integer units: weights are widened to bf16 instead.
  EXPECT_EQ(resolve(entry("b300-sxm"), P::int8).runs_as, P::bf16);
}

// fp8-block is on no data sheet: it has fp8's peak on Hopper, mxfp8's on Blackwell, a fit of its
// own where tables are, and the bf16 rate on Ampere.
TEST(Resolve, BlockScalesRunOnTheEightBitUnits) {
  for (const char* id : {"h100-sxm", "b200-sxm", "mi300x"}) {
    const auto block = resolve(entry(id), P::fp8_block);
    EXPECT_EQ(block.runs_as, P::fp8_block) << id;
    EXPECT_TRUE(block.native) << id;
    EXPECT_EQ(block.peak, resolve(entry(id), P::fp8).peak) << id;
  }
  EXPECT_EQ(resolve(entry("a100-sxm-80gb"), P::fp8_block).runs_as, P::bf16);
  EXPECT_FALSE(resolve(entry("a100-sxm-80gb"), P::fp8_block).native);
  EXPECT_TRUE(device("h100-sxm").fitted(P::fp8_block));
  EXPECT_FALSE(device("mi300x").fitted(P::fp8_block));
  EXPECT_NEAR(bytes_per_element(P::fp8_block), 1 + 4.0 / (128 * 128), 1e-12);
  EXPECT_NEAR(bytes_per_activation(P::fp8_block), 1 + 4.0 / 128, 1e-12);
}

TEST(Resolve, WhatADeviceCannotRunTakesForeverButNotInfinity) {
  const Device coral = device("edge-tpu");  // INT8 only
  EXPECT_FALSE(coral.runs(P::bf16));
  EXPECT_EQ(peak(entry("edge-tpu"), P::bf16).si(), 0);
  EXPECT_EQ(coral.gemm_s(P::bf16, {1, 1, 1}), never_s);
  EXPECT_EQ(coral.attention_s(P::bf16, {}), never_s);
  EXPECT_TRUE(coral.runs(P::int8));
}

// --- GEMM against published measurements --------------------------------------

struct BestShape {
  const char* id;
  P precision;
  double tflops;
  double tolerance;
};

class PublishedBestShape : public testing::TestWithParam<BestShape> {};

// System: a square-ish GEMM of the best shape. Expectation: the maximum that the MAMF tool of
// stas00/ml-engineering found on real devices, which our fits never saw. Blackwell's tables stay
// about a tenth below what MAMF found on other boards.
TEST_P(PublishedBestShape, IsMetWithinTolerance) {
  const auto& want = GetParam();
  EXPECT_NEAR(best_shape_tflops(device(want.id), want.precision), want.tflops,
              want.tflops * want.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Mamf, PublishedBestShape,
                         testing::Values(BestShape{"a100-sxm-80gb", P::bf16, 271, 0.08},
                                         BestShape{"h100-sxm", P::bf16, 794.5, 0.08},
                                         BestShape{"h100-sxm", P::fp8, 1403, 0.10},
                                         BestShape{"h200-sxm", P::fp8, 1453, 0.10},
                                         BestShape{"b200-sxm", P::bf16, 1745, 0.13},
                                         BestShape{"b200-sxm", P::fp8, 3432, 0.15},
                                         BestShape{"gb200", P::bf16, 1822, 0.13},
                                         BestShape{"gb200", P::fp8, 3616, 0.15},
                                         BestShape{"mi300x", P::bf16, 668, 0.20},
                                         BestShape{"mi355x", P::bf16, 1565, 0.20}));

struct BlockShape {
  Gemm shape;
  double tflops;
};

class DeepGemmOnH800 : public testing::TestWithParam<BlockShape> {};

// System: block-scaled products on H800 (H100's die), quantised beforehand. Expectation: what
// DeepGEMM's authors print for its kernels of 2025-03 (deepseek-ai/DeepGEMM pull request 81, column
// "base": tiles of 128 x 160), which our fit (TensorRT-LLM's copy, through a table that throttles
// as runs do) never saw. It stays 4 to 17 % below.
TEST_P(DeepGemmOnH800, IsMetWithinTolerance) {
  const auto& want = GetParam();
  const double got = achieved_tflops(device("h800-sxm"), P::fp8_block, want.shape);
  EXPECT_NEAR(got, want.tflops, 0.20 * want.tflops);
}

INSTANTIATE_TEST_SUITE_P(PullRequest81, DeepGemmOnH800,
                         testing::Values(BlockShape{{4096, 24576, 1536}, 1162},
                                         BlockShape{{4096, 7168, 16384}, 1451},
                                         BlockShape{{4096, 4096, 7168}, 1304},
                                         BlockShape{{4096, 7168, 2048}, 1185}));

// Promotion to CUDA cores costs Hopper part of fp8's rate; quantising costs two narrow copies.
TEST(Gemm, BlockScalesCostSomethingButStayAheadOfBf16) {
  for (const char* id : {"h100-sxm", "mi300x", "b200-sxm"}) {
    const Device d = device(id);
    Operands cast;
    cast.cast = true;
    const double once = d.gemm_s(P::fp8_block, {8192, 8192, 8192}, cast);
    cast.copies = 2;
    const double twice = d.gemm_s(P::fp8_block, {8192, 8192, 8192}, cast);
    EXPECT_GT(once, d.gemm_s(P::fp8_block, {8192, 8192, 8192})) << id;
    EXPECT_GT(twice, once) << id;
    EXPECT_LT(twice, d.gemm_s(P::bf16, {8192, 8192, 8192})) << id;
  }
}

TEST(Gemm, LlamaShapesOnH100ReachSeventyToEightyPercent) {
  // Llama-3 70B's MLP at 8k tokens (m 8192, n 28672, k 8192): 0.70-0.80 of 989 TFLOP/s is what
  // Megatron and MAMF runs report for such products.
  const double share = achieved_tflops(device("h100-sxm"), P::bf16, {8192, 28672, 8192}) / 989.4;
  EXPECT_GT(share, 0.68);
  EXPECT_LT(share, 0.82);
}

struct TableRow {
  const char* id;
  P precision;
  Gemm shape;
  double measured_us;
};

class MeasuredTable : public testing::TestWithParam<TableRow> {};

// Rows of NVIDIA's aiconfigurator tables (TensorRT-LLM 1.3.0rc20), picked by shape before looking.
TEST_P(MeasuredTable, IsPredictedWithinAQuarter) {
  const auto& row = GetParam();
  Operands standalone;
  standalone.cast = row.precision != P::bf16;
  const double us = device(row.id).gemm_s(row.precision, row.shape, standalone) * 1e6;
  EXPECT_NEAR(us, row.measured_us, 0.25 * row.measured_us);
}

INSTANTIATE_TEST_SUITE_P(Aiconfigurator, MeasuredTable,
                         testing::Values(TableRow{"h100-sxm", P::bf16, {1, 8192, 8192}, 49.18},
                                         TableRow{"h100-sxm", P::bf16, {64, 8192, 8192}, 50.42},
                                         TableRow{"h100-sxm", P::bf16, {4096, 8192, 8192}, 672.8},
                                         TableRow{"h100-sxm", P::fp8, {4096, 8192, 8192}, 446.6},
                                         TableRow{"h100-sxm", P::fp8, {16, 8192, 8192}, 37.71},
                                         TableRow{
                                             "a100-sxm-80gb", P::bf16, {2048, 8192, 8192}, 1008},
                                         TableRow{"a100-sxm-80gb", P::bf16, {8, 8192, 8192}, 91.31},
                                         TableRow{"b200-sxm", P::bf16, {4096, 8192, 8192}, 388.5},
                                         TableRow{"b200-sxm", P::fp8, {4096, 8192, 8192}, 225.9},
                                         TableRow{"b200-sxm", P::nvfp4, {8192, 8192, 8192}, 284.6},
                                         TableRow{"b200-sxm", P::bf16, {32, 16384, 8192}, 46.04},
                                         TableRow{"gb300", P::bf16, {8192, 8192, 8192}, 588.6},
                                         TableRow{"h200-sxm", P::bf16, {128, 8192, 8192}, 38.62}));

// --- Memory-bound products ------------------------------------------------------

/// One decoded token of a dense Llama at batch 1: every weight matrix once, no attention.
double decode_weights_s(const Device& d, P p, double hidden, double kv, double inner, int layers,
                        double vocabulary, double weight_bytes) {
  Operands o;
  o.weight_bytes = weight_bytes;
  double s = 0;
  s += d.gemm_s(p, {1, hidden + 2 * kv, hidden}, o) + d.gemm_s(p, {1, hidden, hidden}, o);
  s += d.gemm_s(p, {1, 2 * inner, hidden}, o) + d.gemm_s(p, {1, hidden, inner}, o);
  return layers * s + d.gemm_s(p, {1, vocabulary, hidden}, o);
}

TEST(Decode, Llama3On4090InHalfPrecisionFollowsLlamaCpp) {
  // llama.cpp, Llama-3 8B F16, RTX 4090: 54.34 tok/s (XiongjieDai/GPU-Benchmarks, 2024-05).
  const double s = decode_weights_s(device("rtx-4090"), P::fp16, 4096, 1024, 14336, 32, 128256, 2);
  EXPECT_NEAR(1 / s, 54.3, 0.12 * 54.3);
}

TEST(Decode, Llama2OnM3MaxInHalfPrecisionFollowsLlamaCpp) {
  // llama.cpp, Llama-2 7B F16, M3 Max 40-core: 24.76 tok/s (same source, 2023-12).
  const double s =
      decode_weights_s(device("apple-m3-max"), P::fp16, 4096, 4096, 11008, 32, 32000, 2);
  EXPECT_NEAR(1 / s, 24.8, 0.12 * 24.8);
}

TEST(Decode, WeightOnlyQuantisationSavesBytesNotOperations) {
  const Device h100 = device("h100-sxm");
  Operands int4;
  int4.weight_bytes = bytes_per_element(P::int4);
  const Gemm one{1, 8192, 8192}, many{8192, 8192, 8192};
  EXPECT_LT(h100.gemm_s(P::bf16, one, int4), 0.5 * h100.gemm_s(P::bf16, one));
  EXPECT_NEAR(h100.gemm_s(P::bf16, many, int4) / h100.gemm_s(P::bf16, many), 1, 0.02);
}

TEST(Decode, KvReadRunsNearMemoryBandwidth) {
  // Closed form: 64 sequences x 4096 keys x 8 heads x 128 x 2 x 2 B = 1.07 GB; H100 measured at
  // 82-91 % of 3.35 TB/s on such reads.
  Attention a{.batch = 64, .heads = 64, .kv_heads = 8, .head_dim = 128, .query = 1, .past = 4095};
  const double s = device("h100-sxm").decode_attention_s(a);
  EXPECT_GT(s, 1.0737e9 / 3.35e12 / 0.92);
  EXPECT_LT(s, 1.0737e9 / 3.35e12 / 0.80);
}

TEST(Memory, StreamingIsBytesOverBandwidthPlusLaunch) {
  const Device h100 = device("h100-sxm");
  EXPECT_NEAR(h100.memory_s(3.35e9), 1e-3 / 0.842 + h100.launch_s(), 1e-9);
  EXPECT_DOUBLE_EQ(h100.memory_s(0), h100.launch_s());
  EXPECT_DOUBLE_EQ(h100.memory(3.35 * gigabyte).si(), h100.memory_s(3.35e9));
}

// --- Attention --------------------------------------------------------------------

double attention_tflops(const char* id, double s) {
  Attention a{.batch = 4, .heads = 32, .kv_heads = 32, .head_dim = 128, .query = s};
  return a.flops() / device(id).attention_s(P::bf16, a) / 1e12;
}

TEST(AttentionTime, CausalWorkIsHalfOfTheSquare) {
  Attention a{.batch = 2, .heads = 8, .kv_heads = 8, .head_dim = 64, .query = 1000};
  const double square = 4.0 * 2 * 8 * 64 * 1000 * 1000;
  EXPECT_NEAR(a.flops() / square, 0.5, 1e-3);
  a.causal = false;
  EXPECT_DOUBLE_EQ(a.flops(), square);
  a.window = 100;
  EXPECT_DOUBLE_EQ(a.flops(), square / 10);
}

TEST(AttentionTime, FlashAttentionRatesAsMeasured) {
  // Causal forward, head size 128: FA2 on A100 143 TFLOP/s at 2k and 172 at 8k; H100 524 at 8k
  // (trtllm) and 567 (FA3); B200 1021 at 8k.
  EXPECT_NEAR(attention_tflops("a100-sxm-80gb", 2048), 130, 25);
  EXPECT_NEAR(attention_tflops("a100-sxm-80gb", 8192), 160, 24);
  EXPECT_NEAR(attention_tflops("h100-sxm", 8192), 524, 70);
  EXPECT_NEAR(attention_tflops("b200-sxm", 8192), 1021, 130);
}

struct BackwardRatio {
  double keys;
  double flash2, flash3, cudnn;  ///< backward over forward rate
};

class PublishedBackward : public testing::TestWithParam<BackwardRatio> {};

// FlashAttention-3 (arXiv 2407.08608), H100, head 128, no mask, 16k tokens: forward and backward
// TFLOP/s of three libraries. Expectation: our ratio within 7 % of each (the three differ by up to
// 11 % at 512 keys, 2 % from 4k on) and within 4 % of their mean.
TEST_P(PublishedBackward, RatioToForwardIsMet) {
  const auto& want = GetParam();
  const Device h100 = device("h100-sxm");
  Attention a{.batch = 64 * 16384 / want.keys,
              .heads = 16,
              .kv_heads = 16,
              .head_dim = 128,
              .query = want.keys,
              .causal = false};
  const double ratio = 2.5 * h100.attention_s(P::bf16, a) / h100.attention_backward_s(P::bf16, a);
  for (double published : {want.flash2, want.flash3, want.cudnn})
    EXPECT_NEAR(ratio, published, 0.07 * published);
  const double mean = (want.flash2 + want.flash3 + want.cudnn) / 3;
  EXPECT_NEAR(ratio, mean, 0.04 * mean);
}

INSTANTIATE_TEST_SUITE_P(FlashAttention3, PublishedBackward,
                         testing::Values(BackwardRatio{512, 214.0 / 309, 316.0 / 467, 305.0 / 497},
                                         BackwardRatio{1024, 260.0 / 350, 424.0 / 565, 408.0 / 574},
                                         BackwardRatio{2048, 291.0 / 362, 501.0 / 625, 465.0 / 617},
                                         BackwardRatio{4096, 310.0 / 368, 542.0 / 638, 499.0 / 609},
                                         BackwardRatio{8192, 318.0 / 370, 559.0 / 646, 518.0 / 600},
                                         BackwardRatio{16384, 322.0 / 370, 561.0 / 648,
                                                       516.0 / 595}));

// --- A board that is not the catalogue's ---------------------------------------------

TEST(PowerLimit, ClockSolvesThePowerEquation) {
  EXPECT_EQ(clock_at_power(1), 1);
  EXPECT_EQ(clock_at_power(3), 1);
  for (double cap : {0.4, 0.5, 0.7, 0.9}) {
    const double x = clock_at_power(cap), volts = 0.5 + 0.5 * x;
    EXPECT_NEAR(0.25 + 0.75 * x * volts * volts, cap, 1e-4);
  }
  EXPECT_EQ(clock_at_power(0.1), 0.1);  // static power alone exceeds it: the floor
  // A training step at 600 of 700 W loses 10-15 % (factryze.ai, secondary).
  EXPECT_NEAR(clock_at_power(600.0 / 700), 0.88, 0.03);
}

TEST(PowerLimit, SlowsProductsAndAttentionButNotTraffic) {
  const auto& h100 = entry("h100-sxm");
  const Device free(h100), capped(h100, {.power_limit = 500 * watt});
  const double slower = 1 / clock_at_power(500.0 / 700);
  EXPECT_GT(slower, 1.2);
  EXPECT_LT(slower, 1.4);
  const Gemm big{8192, 8192, 8192};
  EXPECT_NEAR(capped.gemm_s(P::bf16, big) / free.gemm_s(P::bf16, big), slower, 0.06);
  const Attention a{.batch = 8, .heads = 32, .kv_heads = 8, .head_dim = 128, .query = 8192};
  EXPECT_NEAR(capped.attention_s(P::bf16, a) / free.attention_s(P::bf16, a), slower, 0.06);
  EXPECT_EQ(capped.memory_s(1e9), free.memory_s(1e9));
  EXPECT_EQ(capped.peak_flops(P::bf16), free.peak_flops(P::bf16));
  EXPECT_NEAR(capped.gemm_s(P::bf16, {1, 8192, 8192}) / free.gemm_s(P::bf16, {1, 8192, 8192}), 1,
              0.1);
}

TEST(DeviceOptions, AnotherMemoryMovesStreamsInProportion) {
  const auto& h100 = entry("h100-sxm");
  const Device hbm3(h100), hbm2e(h100, {.memory_bandwidth = 2400 * (gigabyte / second)});
  EXPECT_NEAR(hbm2e.stream_bytes_per_s() / hbm3.stream_bytes_per_s(), 2400.0 / 3350, 1e-9);
  EXPECT_GT(hbm2e.gemm_s(P::bf16, {1, 8192, 8192}), 1.3 * hbm3.gemm_s(P::bf16, {1, 8192, 8192}));
  EXPECT_NEAR(hbm2e.gemm_s(P::bf16, {8192, 8192, 8192}) / hbm3.gemm_s(P::bf16, {8192, 8192, 8192}),
              1, 0.05);
}

TEST(DeviceOptions, RateScalesProducts) {
  const auto& h100 = entry("h100-sxm");
  const Gemm big{8192, 8192, 8192};
  EXPECT_NEAR(Device(h100, {.rate = 0.5}).gemm_s(P::bf16, big) / Device(h100).gemm_s(P::bf16, big),
              2, 0.1);
}

TEST(Siblings, ReachTheirOwnGemmEfficiency) {
  // tools/fit-kernels scales a sibling's fit to its gemm_efficiency.
  for (const char* id : {"a100-pcie-80gb", "h100-pcie", "h100-nvl", "b100-sxm"}) {
    const auto& a = entry(id);
    const Device d(a);
    EXPECT_FALSE(d.fitted(P::bf16)) << id;
    const double share =
        achieved_tflops(d, P::bf16, {8192, 8192, 8192}) * 1e12 / d.peak_flops(P::bf16);
    EXPECT_NEAR(share, a.gemm_efficiency.get().si(), 0.05) << id;
  }
}

TEST(AttentionTime, UnfusedIsMemoryBoundAndSlower) {
  const Device a100 = device("a100-sxm-80gb");
  Attention a{.batch = 4, .heads = 32, .kv_heads = 32, .head_dim = 128, .query = 2048};
  const double bytes = 4.0 * 32 * 2048 * 2048 * 11;
  EXPECT_GT(a100.unfused_attention_s(P::bf16, a), bytes / 2.039e12);
  EXPECT_GT(a100.unfused_attention_s(P::bf16, a), 2 * a100.attention_s(P::bf16, a));
}

// --- What holds for every device ----------------------------------------------------

TEST(Kernel, NothingBeatsTheSpeedOfLight) {
  for (const auto* a : Catalog::builtin().all<Accelerator>()) {
    const Device d(*a);
    const double bytes_per_s = a->memory_bandwidth.get().in(byte / second);
    for (std::size_t i = 0; i < precision_count; ++i) {
      const auto p = static_cast<P>(i);
      if (!d.runs(p)) continue;
      for (double m : {1.0, 17.0, 128.0, 4096.0, 16384.0}) {
        const Gemm g{m, 4096, 4096};
        const double s = d.gemm_s(p, g);
        EXPECT_GE(s, 2 * m * 4096 * 4096 / d.peak_flops(p)) << a->id << " " << name(p);
        EXPECT_GE(s, 4096.0 * 4096 * bytes_per_element(p) / bytes_per_s) << a->id << " " << name(p);
        EXPECT_LT(s, never_s);
      }
    }
  }
}

TEST(Kernel, NothingToDoTakesNoTime) {
  const Device d = device("h100-sxm");
  EXPECT_EQ(d.gemm_s(P::bf16, {0, 10, 10}), 0);
  EXPECT_EQ(d.gemm_s(P::bf16, {-5, 10, 10}), 0);
  EXPECT_EQ(d.attention_s(P::bf16, {.batch = 0}), 0);
  EXPECT_EQ(d.decode_attention_s({.batch = 0}), 0);
}

TEST(Kernel, ErrorSaysWhetherAnythingWasMeasured) {
  EXPECT_TRUE(device("h100-sxm").fitted(P::bf16));
  EXPECT_LT(device("h100-sxm").gemm_error(P::fp8), 0.15);
  EXPECT_FALSE(device("trainium2").fitted(P::bf16));
  EXPECT_GT(device("trainium2").gemm_error(P::bf16), 0.2);
}

/// Measured times do fall now and then when a size doubles, since the library then picks a better
/// kernel: B200's nvfp4 table for 6 % of doubled n, its fp8 table by up to 24 %. The 16-bit fits
/// and the smooth model never fall; fits of narrow formats may by less than that.
double allowed_fall(const Accelerator& a, P p) {
  const bool tiled = !a.gemm.empty() && a.gemm.front().tiled();
  return tiled && element_bits(resolve(a, p).runs_as) < 16 ? 0.24 : 0;
}

RC_GTEST_PROP(KernelProperty, TimeNeverFallsWhenWorkGrowsByWholeTiles, ()) {
  const auto ids = Catalog::builtin().ids(Accelerator::kind);
  const auto& chosen = entry(ids[*rc::gen::inRange<std::size_t>(0, ids.size())].c_str());
  const Device d(chosen);
  const auto p = static_cast<P>(*rc::gen::inRange(0, static_cast<int>(precision_count)));
  RC_PRE(d.runs(p));
  const auto tiles = [] { return 128.0 * *rc::gen::inRange(1, 128); };
  const double m = tiles(), n = tiles(), k = tiles();
  const double s = d.gemm_s(p, {m, n, k});
  RC_ASSERT(std::isfinite(s) && s > 0);
  const double least = s * (1 - allowed_fall(chosen, p));
  RC_ASSERT(d.gemm_s(p, {2 * m, n, k}) >= least);
  RC_ASSERT(d.gemm_s(p, {m, 2 * n, k}) >= least);
  RC_ASSERT(d.gemm_s(p, {m, n, 2 * k}) >= least);
}

RC_GTEST_PROP(KernelProperty, AttentionGrowsWithContextAndBatch, ()) {
  const Device d = device(*rc::gen::element("h100-sxm", "a100-sxm-80gb", "b200-sxm", "mi300x"));
  Attention a;
  a.batch = *rc::gen::inRange(1, 64);
  a.heads = 8 * *rc::gen::inRange(1, 16);
  a.kv_heads = 8;
  a.query = *rc::gen::inRange(1, 16384);
  a.past = *rc::gen::inRange(0, 65536);
  const double s = d.attention_s(P::bf16, a);
  RC_ASSERT(std::isfinite(s) && s > 0);
  Attention longer = a;
  longer.past += 1000;
  RC_ASSERT(d.attention_s(P::bf16, longer) > s);
  RC_ASSERT(d.decode_attention_s(longer) > d.decode_attention_s(a));
  Attention wider = a;
  wider.batch *= 2;
  RC_ASSERT(d.attention_s(P::bf16, wider) > s);
}

RC_GTEST_PROP(KernelProperty, GroupsCostBetweenOneKernelAndOneEach, ()) {
  const Device d = device("h100-sxm");
  const double m = *rc::gen::inRange(1, 2048), e = *rc::gen::inRange(2, 64);
  const double one = d.gemm_s(P::bf16, {m, 2048, 4096});
  const double grouped = d.gemm_s(P::bf16, {m, 2048, 4096, e});
  RC_ASSERT(grouped > one);
  RC_ASSERT(grouped <= e * one * 1.1);
}

}  // namespace
}  // namespace headroom::compute
