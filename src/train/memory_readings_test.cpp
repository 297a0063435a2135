// Memory against published readings, carried with their sources, so that the test needs no
// data folder. Bounds are this layer's bars: median 6 %, worst 15 %.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;

struct Errors {
  double median = 0, p90 = 0, worst = 0, bias = 0;
};

Errors summarise(std::vector<double> e) {
  Errors out;
  std::sort(e.begin(), e.end());
  out.bias = e[e.size() / 2];
  for (double& x : e) x = std::abs(x);
  std::sort(e.begin(), e.end());
  out.median = e[e.size() / 2], out.p90 = e[e.size() * 9 / 10], out.worst = e.back();
  return out;
}

void print(const char* name, std::size_t n, const Errors& e) {
  std::printf("%-24s n %3zu  median %4.1f %%  p90 %4.1f %%  worst %4.1f %%  bias %+4.1f %%\n", name,
              n, 100 * e.median, 100 * e.p90, 100 * e.worst, 100 * e.bias);
}

Software software(const char* id, const char* accelerator_id) {
  return make_software(*catalog::Catalog::builtin().find<catalog::TrainingSoftware>(id),
                       test::accelerator(accelerator_id));
}

// --- BLOOM's topology sweep --------------------------------------------------------------

// The rows of ../shared/data/train/measured.yaml that give memory, in its order (source:
// bigscience-workshop/bigscience, train/tr11-176B-ml/chronicles-prequel.md, 2022): nvidia-smi on
// A100-80GB, Megatron-DeepSpeed, ZeRO-1, full recomputation, 2,048 tokens, vocabulary 250,880.
struct BloomReading {
  int layers, hidden, heads, dp, tp, pp, micro_batch;
  bool bf16;
  double gb;  ///< 0: out of memory
};

constexpr BloomReading bloom[] = {
    {72, 14336, 64, 4, 8, 12, 2, false, 37},  {72, 14336, 64, 4, 8, 12, 4, false, 49},
    {72, 14336, 64, 4, 8, 12, 8, false, 69},  {72, 14336, 64, 8, 8, 6, 4, false, 56},
    {84, 13824, 64, 4, 8, 12, 2, false, 39},  {84, 13824, 64, 4, 8, 12, 4, false, 52},
    {84, 13824, 64, 8, 8, 6, 4, false, 56},   {72, 14336, 16, 8, 8, 6, 4, false, 54},
    {72, 14336, 32, 8, 8, 6, 4, false, 55},   {72, 14336, 64, 8, 8, 6, 4, false, 55},
    {72, 14336, 128, 8, 8, 6, 4, false, 55},  {72, 14336, 256, 8, 8, 6, 4, false, 54},
    {72, 14336, 64, 8, 8, 6, 4, false, 55},   {72, 14336, 64, 8, 8, 6, 6, false, 66},
    {72, 14336, 64, 4, 8, 12, 4, false, 49},  {72, 14336, 64, 6, 8, 8, 4, false, 52},
    {72, 14336, 64, 12, 8, 4, 2, false, 53},  {72, 14336, 64, 24, 8, 2, 2, false, 76},
    {72, 14336, 64, 16, 2, 12, 2, false, 63}, {72, 14336, 64, 32, 2, 6, 2, false, 0},
    {72, 14336, 64, 8, 2, 24, 1, false, 44},  {72, 14336, 64, 8, 2, 24, 2, false, 53},
    {78, 13824, 64, 8, 4, 12, 2, false, 48},  {78, 13824, 96, 8, 4, 12, 2, false, 48},
    {106, 12288, 64, 8, 4, 12, 2, true, 67},  {106, 12288, 96, 8, 4, 12, 2, true, 65},
    {106, 12288, 96, 8, 4, 12, 4, true, 79},  {100, 12288, 64, 8, 8, 6, 2, true, 61},
    {82, 13312, 104, 8, 4, 12, 2, true, 62},  {82, 13312, 128, 8, 4, 12, 2, true, 60},
    {70, 14336, 64, 8, 4, 12, 2, true, 59},   {70, 14336, 112, 8, 4, 12, 2, true, 59},
    {70, 14336, 128, 8, 4, 12, 2, true, 60},  {70, 14336, 64, 8, 4, 12, 4, true, 73},
    {82, 14336, 128, 8, 4, 12, 2, true, 0},   {100, 12288, 64, 16, 4, 6, 1, true, 0},
};

// The same source, as memory.yaml gives it: micro-batch 1 (2 where dp is 4), hidden 14,400.
constexpr BloomReading bloom_more[] = {
    {8, 14400, 32, 1, 8, 1, 1, false, 67},   {80, 14400, 96, 1, 8, 10, 1, false, 73},
    {80, 14400, 96, 2, 8, 10, 1, false, 51}, {8, 14400, 32, 1, 8, 1, 1, true, 68},
    {80, 14400, 96, 1, 8, 10, 1, true, 75},  {80, 14400, 96, 2, 8, 10, 1, true, 53},
    {72, 14336, 64, 4, 8, 12, 2, false, 37},
};

Job bloom_job(const BloomReading& r, const catalog::Model& m) {
  auto job = bench("bloom-176b", "a100-sxm-80gb", r.dp * r.tp * r.pp, 2048, 2048).job;
  job.model = &m;
  job.software = software("megatron-deepspeed-2022", "a100-sxm-80gb");
  job.state = r.bf16 ? workload::TrainingPrecision::bf16 : workload::TrainingPrecision::fp16;
  return job;
}

/// The worst rank, with the catalogue's reserve or the one that is tried.
MemoryItems bloom_need(const BloomReading& r, double reserve = -1, Zero zero = Zero::optimizer) {
  catalog::Model m = test::model("bloom-176b");
  m.layers = r.layers, m.hidden = r.hidden, m.heads = m.kv_heads = r.heads;
  m.ffn = 4 * r.hidden, m.head_dim = 0;
  Job job = bloom_job(r, m);
  const compute::Device device(test::accelerator("a100-sxm-80gb"));
  job.device = &device;
  if (reserve >= 0) job.software.reserve_share = reserve;
  auto p = test::plan(r.tp, r.pp, 1, r.dp, 2048 / (r.dp * r.micro_batch));
  p.micro_batch = r.micro_batch, p.recompute = Recompute::full;
  p.sequence_parallel = p.balanced = false, p.zero = zero;
  return memory(job, p);
}

double bloom_error(const BloomReading& r, double reserve = -1) {
  return bloom_need(r, reserve).total() / (1e9 * r.gb) - 1;
}

/// The reserve share of least mean error over some readings, to a tenth of a per cent.
template <class Error>
double fitted_reserve(Error mean_error) {
  double best = 0, least = 1e9;
  for (int k = 0; k <= 300; ++k)
    if (const double e = mean_error(k / 1000.0); e < least) least = e, best = k / 1000.0;
  return best;
}

double mean_of(const std::vector<double>& errors) {
  double sum = 0;
  for (const double e : errors) sum += std::abs(e);
  return sum / double(errors.size());
}

TEST(MemoryReadings, BloomSweep) {
  std::vector<BloomReading> read, fitted, held_out;
  for (const auto& r : bloom)
    if (r.gb > 0) read.push_back(r);
  for (std::size_t i = 0; i < read.size(); ++i) (i % 2 == 0 ? fitted : held_out).push_back(read[i]);
  const auto errors = [](const auto& rows, double reserve) {
    std::vector<double> e;
    for (const auto& r : rows) e.push_back(bloom_error(r, reserve));
    return e;
  };
  const double best = fitted_reserve([&](double x) { return mean_of(errors(fitted, x)); });
  const double used = software("megatron-deepspeed-2022", "a100-sxm-80gb").reserve_share;
  std::printf("BLOOM reserve fitted on one half: %.1f %%, catalogue %.1f %%\n", 100 * best,
              100 * used);
  EXPECT_NEAR(used, best, 0.005);
  print("BLOOM, fitted half", fitted.size(), summarise(errors(fitted, -1)));
  print("BLOOM, held-out half", held_out.size(), summarise(errors(held_out, -1)));
  print("BLOOM, memory.yaml", std::size(bloom_more), summarise(errors(bloom_more, -1)));
  const BloomReading unsharded{72, 14336, 64, 4, 8, 12, 2, false, 72};  // the same, ZeRO 0
  EXPECT_NEAR(bloom_need(unsharded, -1, Zero::replicated).total() / 72e9, 1, 0.15);
  for (const auto& e : {summarise(errors(fitted, -1)), summarise(errors(held_out, -1)),
                        summarise(errors(bloom_more, -1))}) {
    EXPECT_LT(e.median, 0.06);
    EXPECT_LT(e.worst, 0.15);
  }
}

TEST(MemoryReadings, WhatRanOutOfMemoryIsNotCalledSafe) {
  int runs = 0;
  for (const auto& r : bloom) {
    if (r.gb > 0) continue;
    ++runs;
    const Job job = bloom_job(r, test::model("bloom-176b"));
    EXPECT_GT(bloom_need(r).total(), usable_bytes(job))
        << r.layers << " layers, tp " << r.tp << " pp " << r.pp;
  }
  EXPECT_EQ(runs, 3);
}

// --- Megatron-Bridge ----------------------------------------------------------------------

// NVIDIA-NeMo/Megatron-Bridge, skills/nemo-mbridge-perf-activation-recompute: Moonlight 16B-A3B on
// 8 H100, tp 2, ep 8, micro-batch 1 of 4,096 tokens, bf16; peak of allocated memory in GiB, by
// recomputed module. Its recipe keeps bf16 moments (recalled).
TEST(MemoryReadings, MoonlightByModule) {
  auto b = bench("deepseek-v3", "h100-sxm", 8, 4096, 4);
  catalog::Model m = *b.job.model;
  m.layers = 27, m.hidden = 2048, m.heads = m.kv_heads = 16, m.ffn = 11264, m.vocab = 163840;
  m.mla.q_rank = 0, m.mtp_layers = 0, m.moe.experts = 64, m.moe.active = 6, m.moe.ffn = 1408;
  m.moe.shared = 2, m.moe.shared_ffn = 0, m.moe.first_dense = 1;
  b.job.model = &m;
  b.job.state = workload::TrainingPrecision::bf16_moments;
  auto p = test::plan(2, 1, 1, 4, 1);
  p.ep = 8;
  const auto gib = [&](Modules modules) {
    p.modules = modules;
    p.recompute = modules.empty() ? Recompute::none : Recompute::selective;
    return memory(b.job, p).allocated() / 1073741824;
  };
  const double none = gib({});
  EXPECT_NEAR(none, 36.618, 0.15 * 36.618);
  // What each module gives back.
  EXPECT_NEAR(none - gib(Modules{}.with(Module::core_attn)), 0.004, 0.02);
  EXPECT_NEAR(none - gib(Modules{}.with(Module::mla_up_proj)), 0.716, 0.25);
  EXPECT_GT(none - gib(Modules{}.with(Module::moe_act)), 0.6);
}

// --- torchtitan --------------------------------------------------------------------------

// The rows of ../shared/data/train/measured.yaml that give memory: Llama 3 8B under FSDP, peak of
// reserved memory over all ranks in GiB (pytorch/torchtitan benchmarks/
// llama3_h100_202412_torchtitan.md on H100-96GB, llama3-8b_h200_202506_trainy-whitefiber.md).
struct TitanReading {
  const char* software;
  int cp, dp, micro_batch;
  double sequence;
  bool full, fp8;
  double gib;
};

constexpr TitanReading titan_h100[] = {
    {"torchtitan-eager", 1, 8, 2, 8192, false, false, 82.4},
    {"torchtitan", 1, 8, 2, 8192, false, false, 77.0},
    {"torchtitan", 1, 8, 2, 8192, false, true, 76.8},
    {"torchtitan", 1, 8, 1, 32768, true, true, 83.9},
    {"torchtitan", 2, 4, 1, 65536, true, true, 84.2},
    {"torchtitan", 4, 2, 1, 131072, true, true, 84.0},
    {"torchtitan", 8, 1, 1, 262144, true, true, 84.5},
    {"torchtitan-eager", 1, 128, 2, 8192, false, false, 67.0},
    {"torchtitan", 1, 128, 2, 8192, false, false, 62.0},
    {"torchtitan", 1, 128, 2, 8192, false, true, 61.8},
};
constexpr TitanReading titan_h200[] = {
    {"torchtitan-2025", 1, 32, 2, 8192, false, true, 47.96},
    {"torchtitan-2025", 1, 64, 2, 8192, false, true, 46.97},
};

double titan_error(const TitanReading& r, double reserve) {
  auto b = bench("llama-3.1-8b", "h100-sxm", r.cp * r.dp, r.sequence, double(r.dp) * r.micro_batch);
  b.job.software = software(r.software, "h100-sxm");
  if (reserve >= 0) b.job.software.reserve_share = reserve;
  if (r.fp8) b.job.precision = Precision::fp8;
  auto p = test::plan(1, 1, 1, r.dp, 1);
  p.cp = r.cp, p.micro_batch = r.micro_batch, p.zero = Zero::full;
  p.recompute = r.full ? Recompute::full : Recompute::selective;
  return memory(b.job, p).reserved() / (r.gib * 1073741824) - 1;
}

TEST(MemoryReadings, Torchtitan) {
  const auto errors = [](const auto& rows, double reserve) {
    std::vector<double> e;
    for (const auto& r : rows) e.push_back(titan_error(r, reserve));
    return e;
  };
  const double best = fitted_reserve([&](double x) { return mean_of(errors(titan_h100, x)); });
  const double used = software("torchtitan", "h100-sxm").reserve_share;
  std::printf("torchtitan reserve fitted on H100: %.1f %%, catalogue %.1f %%\n", 100 * best,
              100 * used);
  EXPECT_NEAR(used, best, 0.005);
  const auto h100 = summarise(errors(titan_h100, -1)), h200 = summarise(errors(titan_h200, -1));
  print("torchtitan, H100, fitted", std::size(titan_h100), h100);
  print("torchtitan, H200, held out", std::size(titan_h200), h200);
  EXPECT_LT(h100.median, 0.06);
  EXPECT_LT(h100.worst, 0.15);
  EXPECT_LT(h200.worst, 0.15);
}

}  // namespace
}  // namespace headroom::train
