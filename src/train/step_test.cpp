#include "train/step.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;

/// Nothing but physics: no jitter, no factor, no launch floor.
Software bare() {
  Software s;
  s.jitter_per_doubling = 0;
  s.contention = 0;
  return s;
}

TEST(StepTime, PartsSumToTheStep) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  const auto t = step_time(b.job, plan(8, 16, 8, 128, 16));
  double sum = 0;
  for (const auto& part : parts(t)) sum += part.seconds;
  EXPECT_DOUBLE_EQ(sum, t.total());
}

TEST(StepTime, BubbleIsNarayanansClosedFormForEqualStages) {
  // GPT-3's 96 layers on 8 ranks of 3 chunks, embedding and head left out of the comparison.
  auto b = bench("gpt-3-175b", "a100-sxm-80gb", 64, 2048, 64);
  b.job.software = bare();
  auto p = plan(8, 8, 3, 1, 64);
  p.balanced = false;
  const auto costs = plan_costs(b.job, p);
  auto no_ends = costs;
  no_ends.ends = {};
  const auto t = step_time(b.job, no_ends, p);
  const double work = 64 * 12 * (costs.layer.forward() + costs.layer.backward());
  EXPECT_NEAR(t.bubble / work, (8 - 1) / (3.0 * 64), 1e-9);
}

TEST(StepTime, DataParallelAllReduceIsTheRingsClosedForm) {
  // Without overlap, latency or protocol loss: 2 (n-1)/n x gradient bytes / link rate.
  auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  b.job.software.data_overlap = false;
  b.job.domain = 1;
  b.job.path = fabric::ideal_path(400 * gigabyte_per_second, 1, 50 * gigabyte_per_second);
  auto p = plan(1, 1, 1, 64, 1);
  p.zero = Zero::replicated;
  const auto s = sizes(b.job);
  const double parameters = 32 * s.layer_dense + s.embedding + s.head;
  EXPECT_NEAR(parameters, 8.03e9, 0.01e9);  // Llama 3.1 8B as published
  const double expected = 2.0 * 63 / 64 * parameters * 4 / 50e9;
  EXPECT_NEAR(step_time(b.job, p).data, expected, 0.01 * expected);
}

// Switches that add halve a replicated optimiser's traffic; ZeRO 1 reduces and gathers, which gains
// nothing but latency.
TEST(StepTime, InNetworkReductionHalvesTheAllReduceOfGradients) {
  auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  b.job.software.data_overlap = false;
  b.job.domain = 1;
  b.job.path = fabric::ideal_path(400 * gigabyte_per_second, 1, 50 * gigabyte_per_second);
  auto p = plan(1, 1, 1, 64, 1);
  p.zero = Zero::replicated;
  const double ring = step_time(b.job, p).data;
  p.zero = Zero::optimizer;
  const double sharded = step_time(b.job, p).data;
  b.job.path.in_network = 50 * gigabyte_per_second;
  EXPECT_NEAR(step_time(b.job, p).data, sharded, 1e-9);
  p.zero = Zero::replicated;
  EXPECT_NEAR(ring / step_time(b.job, p).data, 2 * 63.0 / 64, 1e-6);
}

// Block scales: slower than per-tensor fp8 by quantise passes (and on Hopper by promotion), faster
// than bf16 for a large model; the narrow weights carry their scales.
TEST(StepTime, BlockScaledFp8StandsBetweenBf16AndFp8) {
  for (const char* gpu : {"h100-sxm", "b200-sxm"}) {
    auto b = bench("llama-3.1-405b", gpu, 1024, 8192, 512);
    const auto p = plan(8, 8, 1, 16, 32);
    const auto at = [&](Precision precision) {
      b.job.precision = precision;
      return step_time(b.job, p).gemm;
    };
    EXPECT_LT(at(Precision::fp8), at(Precision::fp8_block)) << gpu;
    EXPECT_LT(at(Precision::fp8_block), at(Precision::bf16)) << gpu;
  }
}

/// Llama 3.1 8B on 64 GPUs of one 50 GB/s network; gradients fp32.
test::Bench networked(bool overlap) {
  auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  b.job.software.data_overlap = overlap;
  b.job.domain = 1;
  b.job.path = fabric::ideal_path(400 * gigabyte_per_second, 1, 50 * gigabyte_per_second);
  return b;
}

TEST(StepTime, Zero2ReducesGradientsAtEveryMicroBatch) {
  const auto b = networked(false);
  const auto data = [&](Zero zero, int micro_batches) {
    auto p = plan(1, 1, 1, 64, micro_batches);
    p.zero = zero;
    return step_time(b.job, p).data;
  };
  const auto s = sizes(b.job);
  const double parameters = 32 * s.layer_dense + s.embedding + s.head;
  const double reduce = 63.0 / 64 * parameters * 4 / 50e9;
  EXPECT_NEAR(data(Zero::optimizer, 4), 1.5 * reduce, 0.01 * reduce);  // and bf16 weights gathered
  EXPECT_NEAR(data(Zero::gradients, 4), 4.5 * reduce, 0.04 * reduce);
  EXPECT_EQ(data(Zero::gradients, 1), data(Zero::optimizer, 1));
  EXPECT_EQ(data(Zero::optimizer, 1), data(Zero::optimizer, 4));
}

TEST(StepTime, Zero2BesideInterleavingReducesOnceARoundOfThePipeline) {
  const auto b = networked(false);
  const auto reductions = [&](int vpp, int micro_batches) {
    auto p = plan(1, 4, vpp, 16, micro_batches);
    const double one = step_time(b.job, p).data;
    p.zero = Zero::gradients;
    return 1 + (step_time(b.job, p).data / one - 1) * 1.5;  // a reduction is 2/3 of ZeRO 1's
  };
  EXPECT_NEAR(reductions(1, 8), 8, 0.1);
  EXPECT_NEAR(reductions(2, 8), 2, 0.1);
  EXPECT_NEAR(reductions(2, 4), 1, 1e-12);
}

TEST(StepTime, Zero2IsNeverFasterThanZero1) {
  const auto b = networked(true);
  for (const int m : {1, 2, 4, 32})
    for (const int micro_batch : {1, 4})
      for (const int hsdp : {0, 8}) {
        auto p = plan(1, 1, 1, 64, m);
        p.micro_batch = micro_batch, p.hsdp = hsdp;
        const auto one = step_time(b.job, p);
        p.zero = Zero::gradients;
        const auto two = step_time(b.job, p);
        EXPECT_GE(two.total(), one.total());
        EXPECT_GE(two.data, one.data);
        const double moved_one = one.data + one.hidden.data, moved_two = two.data + two.hidden.data;
        EXPECT_EQ(moved_two > moved_one, m > 1);
      }
}

/// Llama 3.1 70B on 8 pipeline ranks with 16 micro-batches.
ParallelPlan scheduled(Schedule s) {
  auto p = plan(2, 8, 1, 4, 16);
  p.schedule = s;
  return p;
}

TEST(Schedules, BubblesAreInThePublishedOrder) {
  // Qi et al. 2023 and 2024, DeepSeek-V3 table 2; with the ends that a real model has.
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  const auto step = [&](Schedule s) { return step_time(b.job, scheduled(s)); };
  const auto plain = step(Schedule::one_f_one_b), h1 = step(Schedule::zero_bubble_h1),
             dual = step(Schedule::dualpipe);
  EXPECT_LT(dual.bubble, h1.bubble);
  EXPECT_LT(h1.bubble, plain.bubble);
  EXPECT_LT(step(Schedule::zero_bubble_v).bubble, h1.bubble);
  EXPECT_LT(h1.total(), plain.total());
  EXPECT_LT(dual.total(), plain.total());
}

TEST(Schedules, StepIsThePipelinesClosedForm) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  for (auto s : {Schedule::gpipe, Schedule::one_f_one_b, Schedule::zero_bubble_h1,
                 Schedule::zero_bubble_v, Schedule::dualpipe}) {
    const auto p = scheduled(s);
    const auto t = step_time(b.job, p);
    const auto pipe = plan_pipeline_time(b.job, plan_costs(b.job, p), p);
    EXPECT_NEAR(t.total() - t.data - t.optimiser, pipe.total, 1e-6 * pipe.total)
        << schedule_name(s);
  }
}

// DualPipe's two directions each hold every stage, so a parameter has twice the replicas: weights
// and gradients stay whole twice, sharded state is divided over twice the ranks and is no larger.
TEST(Schedules, DualPipeDividesStateOverBothCopies) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  const auto first = [&](Schedule s, Zero zero) {
    auto p = scheduled(s);
    p.zero = zero;
    return memory_by_rank(b.job, p)[0];
  };
  const auto ratio = [&](Zero zero, double MemoryItems::*part) {
    return first(Schedule::dualpipe, zero).*part / (first(Schedule::one_f_one_b, zero).*part);
  };
  EXPECT_NEAR(ratio(Zero::replicated, &MemoryItems::optimiser), 2, 0.15);
  EXPECT_NEAR(ratio(Zero::optimizer, &MemoryItems::optimiser), 1, 0.08);
  EXPECT_NEAR(ratio(Zero::optimizer, &MemoryItems::gradients), 2, 0.15);
  // Nor does the update take longer.
  auto dual = scheduled(Schedule::dualpipe), plain = scheduled(Schedule::one_f_one_b);
  EXPECT_NEAR(step_time(b.job, dual).optimiser / step_time(b.job, plain).optimiser, 1, 0.15);
}

// The copies add their gradients up even where there is one replica.
TEST(Schedules, DualPipesCopiesExchangeGradients) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  auto p = plan(8, 8, 1, 1, 64);
  p.zero = Zero::replicated;
  EXPECT_EQ(step_time(b.job, p).data + step_time(b.job, p).hidden.data, 0);
  p.schedule = Schedule::dualpipe;
  const auto t = step_time(b.job, p);
  EXPECT_GT(t.data + t.hidden.data, 0);
}

// DeepSeek-V3 with its multi-token prediction module: one of 61 layers more, the head again and a
// projection of 14,336 x 7,168.
TEST(StepFlops, CountMultiTokenPrediction) {
  auto b = bench("deepseek-v3", "h100-sxm", 2048, 4096, 15360);
  auto with = *b.job.model, without = with;
  with.mtp_layers = 1, without.mtp_layers = 0;
  const auto p = plan(1, 16, 1, 128, 120);
  b.job.model = &without;
  const auto plain = step_flops(b.job, p);
  b.job.model = &with;
  const auto more = step_flops(b.job, p);
  const double tokens = p.global_batch() * 4096, h = 7168;
  // A mixture layer: latent attention's projections and nine experts of 2,048 in three matrices.
  const double attention =
      h * 1536 + 1536 * 128 * 192 + h * (512 + 64) + 512 * 128 * 256 + 128 * 128 * h;
  const double router = h * 256, experts = 9 * 3 * h * 2048;
  const double linear = 6 * (attention + router + experts + 2 * h * h + h * 129280);
  const double scores = 6 * 128 * (192 + 128) * 4097 / 2.0;
  EXPECT_NEAR((more.model_causal - plain.model_causal) / tokens / (linear + scores), 1, 0.005);
  EXPECT_NEAR(more.model_causal / plain.model_causal, 1.04, 0.02);
  EXPECT_GT(more.hardware, plain.hardware);
  b.job.method = Method::full_finetune;  // the module is for pre-training
  EXPECT_EQ(step_flops(b.job, p).model_causal, plain.model_causal);
}

TEST(Schedules, MemoryIsInThePublishedOrder) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  const auto need = [&](Schedule s) { return memory(b.job, scheduled(s)); };
  const auto first = [&](Schedule s) { return memory_by_rank(b.job, scheduled(s))[0]; };
  // DeepSeek-V3 table 2: activations of p, p and p + 1 micro-batches, weights once or twice.
  EXPECT_NEAR(first(Schedule::zero_bubble_h1).activations, first(Schedule::one_f_one_b).activations,
              1);
  EXPECT_NEAR(first(Schedule::dualpipe).activations / first(Schedule::one_f_one_b).activations,
              9.0 / 8, 1e-9);
  EXPECT_NEAR(first(Schedule::gpipe).activations / first(Schedule::one_f_one_b).activations,
              16.0 / 8, 1e-9);
  EXPECT_NEAR(first(Schedule::dualpipe).weights / first(Schedule::one_f_one_b).weights, 2, 1e-9);
  EXPECT_GE(need(Schedule::zero_bubble_h1).total(), need(Schedule::one_f_one_b).total());
  EXPECT_GT(need(Schedule::dualpipe).total(), need(Schedule::zero_bubble_h1).total());
  EXPECT_GT(need(Schedule::gpipe).activations, need(Schedule::dualpipe).activations);
}

TEST(Schedules, TheVsFirstRankHoldsBothEnds) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  const auto v = memory_by_rank(b.job, scheduled(Schedule::zero_bubble_v));
  const auto plain = memory_by_rank(b.job, scheduled(Schedule::one_f_one_b));
  double weights_v = 0, weights_plain = 0;
  for (const auto& r : v) weights_v += r.weights;
  for (const auto& r : plain) weights_plain += r.weights;
  EXPECT_NEAR(weights_v / weights_plain, 1, 1e-12);  // the model's, however it is laid out
  EXPECT_GT(v[0].head, 0);
  EXPECT_EQ(v[7].head, 0);
}

TEST(StepTime, FullRecomputationRepeatsTheForwardPass) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  b.job.software = bare();
  auto p = plan(8, 8, 1, 1, 64);
  const auto c = layer_cost(b.job, p);
  const auto none = step_time(b.job, p);
  p.recompute = Recompute::full;
  const auto full = step_time(b.job, p);
  EXPECT_DOUBLE_EQ(none.recompute, 0);
  EXPECT_NEAR(full.recompute, full.gemm / (c.gemm_f + c.gemm_b) * c.forward(), 1e-9);
  const auto f = step_flops(b.job, p);
  EXPECT_GT(f.hardware, 1.25 * f.model_causal);
  EXPECT_LT(f.hardware, 1.34 * f.model_causal);
}

TEST(StepTime, OneGpuCommunicatesNothing) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 1, 8192, 16);
  const auto t = step_time(b.job, plan(1, 1, 1, 1, 16));
  EXPECT_EQ(t.tensor + t.expert + t.context + t.bubble + t.sends + t.data + t.jitter, 0);
  EXPECT_GT(t.gemm, t.attention);
}

TEST(StepTime, LoraSkipsTheWeightsGradient) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 8, 4096, 8);
  const auto p = plan(8, 1, 1, 1, 8);
  const auto full = layer_cost(b.job, p);
  b.job.method = Method::lora;
  b.job.lora = {16, workload::LoraTargets::linear};
  const auto lora = layer_cost(b.job, p);
  EXPECT_NEAR(lora.gemm_b / full.gemm_b, 0.5, 0.1);
  EXPECT_GT(lora.adapter_b, 0);
  EXPECT_DOUBLE_EQ(full.adapter_b, 0);
}

TEST(StepTime, HostLaunchBoundsSmallModels) {
  // vTrain: a floor of 3.5 ms a layer and micro-batch on A100 nodes, with recomputation.
  auto b = bench("llama-3.2-1b", "a100-sxm-80gb", 1, 128, 1);
  b.job.software = classic_software();
  const auto p = plan(1, 1, 1, 1, 1);
  const auto c = layer_cost(b.job, p);
  const double floor = (2 * c.forward() + c.backward()) / b.job.software.efficiency;
  EXPECT_NEAR(floor, 3.5e-3, 0.1e-3);
  EXPECT_GT(c.floor_f, 0);
}

TEST(StepTime, FixedEfficiencyScalesTheWholeStep) {
  auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 64);
  b.job.software.efficiency = 1;
  const auto p = plan(1, 1, 1, 8, 8);
  const double one = step_time(b.job, p).total();
  b.job.software.efficiency = 0.8;
  EXPECT_NEAR(step_time(b.job, p).total(), one / 0.8, 1e-12);
}

TEST(StepFlops, MatchTheTradesRule) {
  // 6 N a token for 405B, attention (causal) on top: 6 x 405.9e9 = 2.435e12, and 3 to 6 % more.
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  const auto p = plan(8, 16, 8, 128, 16);
  const auto f = step_flops(b.job, p);
  const double rule = 6 * 405.85e9 * 2048 * 8192;
  EXPECT_GT(f.model_causal / rule, 1.01);
  EXPECT_LT(f.model_causal / rule, 1.07);
  EXPECT_GT(f.model_full, f.model_causal);
}

RC_GTEST_PROP(StepTimeProperties, MoreMicroBatchesNeverLowerTheRate, ()) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 256, 4096, 1);
  const int m = 8 * *rc::gen::inRange(1, 20);
  const auto few = plan(4, 8, 2, 8, m), many = plan(4, 8, 2, 8, 2 * m);
  const double a = m / step_time(b.job, few).total(), c = 2.0 * m / step_time(b.job, many).total();
  RC_ASSERT(c >= a * (1 - 1e-9));
}

RC_GTEST_PROP(StepTimeProperties, EveryPartIsFiniteAndNotNegative, ()) {
  const auto b = bench("deepseek-v3", "h800-sxm", 2048, 4096, 15360);
  auto p = plan(1 << *rc::gen::inRange(0, 4), 1 << *rc::gen::inRange(0, 5), 1, 32, 16);
  p.ep = 1 << *rc::gen::inRange(0, 6);
  for (const auto& part : parts(step_time(b.job, p)))
    // The scalar of a framework whose runs are faster than modelled takes time away.
    RC_ASSERT(std::isfinite(part.seconds) &&
              (part.seconds >= 0 || std::string_view(part.name) == "software factor"));
}

}  // namespace
}  // namespace headroom::train
