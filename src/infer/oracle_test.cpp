// The step oracle: closed forms, limits and what each feature of a step must cost.
#include "infer/oracle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "infer/fixtures.hpp"
#include "infer/step_kernels.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {
namespace {

using namespace test;
using Use = StepModel::Use;

const catalog::ServingSoftware& vllm() { return software_of(Engine::vllm); }

StepModel raw(const catalog::Model& m, const Layout& layout,
              const catalog::ServingSoftware& software = vllm()) {
  return StepModel(m, h100(), hgx(), layout, software, Use::raw);
}

/// A model whose odd layers see 1,024 tokens.
catalog::Model windowed() {
  auto m = llama_8b();
  m.window = 1024;
  m.global_every = 2;
  return m;
}

// --- run_s -------------------------------------------------------------------------

void expect_sum(const StepModel& model, StepLoad load, int steps) {
  const StepOracle oracle(model);
  double sum = 0;
  const double run = oracle.run_s(load, steps);
  for (int i = 0; i < steps; ++i, load.keys += load.decodes) sum += oracle.step_s(load);
  EXPECT_NEAR(run / sum, 1, 1e-4) << steps << " steps of " << load.decodes;
}

TEST(Oracle, ARunIsTheSumOfItsSteps) {
  for (const int steps : {1, 2, 3, 17, 500, 3000}) {
    expect_sum(raw(llama_70b(), {.tp = 4}), {.decodes = 100, .keys = 5e4}, steps);
    expect_sum(raw(deepseek(), {.tp = 8, .weights = Precision::fp8}), {.decodes = 64, .keys = 6e4},
               steps);
    // Contexts reach the window on the way.
    expect_sum(raw(windowed(), {}), {.decodes = 30, .keys = 30 * 900.5}, steps);
    // The GPU outlasts the host's launches on the way.
    expect_sum(raw(llama_8b(), {.graphs = false}), {.decodes = 10, .keys = 1e4}, steps);
  }
}

RC_GTEST_PROP(OracleProperty, ARunIsTheSumOfItsSteps, ()) {
  const auto m = *rc::gen::elementOf(std::vector{llama_8b(), mixtral(), windowed(), deepseek()});
  const StepOracle oracle(raw(m, {.tp = 2, .graphs = *rc::gen::arbitrary<bool>()}));
  StepLoad load;
  load.decodes = *rc::gen::inRange(1, 300);
  load.keys = load.decodes * *rc::gen::inRange(1, 4000);
  const int steps = *rc::gen::inRange(1, 400);
  const double run = oracle.run_s(load, steps);
  double sum = 0;
  for (int i = 0; i < steps; ++i, load.keys += load.decodes) sum += oracle.step_s(load);
  RC_ASSERT(std::abs(run / sum - 1) < 1e-4);
}

TEST(Oracle, NothingTakesNoTime) {
  const StepOracle oracle(raw(llama_8b(), {}));
  EXPECT_EQ(oracle.step_s({}), 0);
  EXPECT_EQ(oracle.run_s({}, 100), 0);
  EXPECT_EQ(oracle.run_s({.decodes = 3, .keys = 100}, 0), 0);
}

TEST(Oracle, LoadsAndBatchesAreTheSame) {
  const auto model = raw(mixtral(), {.tp = 2});
  const StepOracle oracle(model);
  const StepLoad load{.decodes = 20,
                      .keys = 2e4,
                      .prefill = 500,
                      .prefill_pairs = 500 * 700.0,
                      .prompts = 2,
                      .verify = 0,
                      .adapters = 0};
  EXPECT_DOUBLE_EQ(oracle.step_s(load), model.step_s({20, 1000, 500, 700, 2}));
  EXPECT_DOUBLE_EQ(model.parts({20, 1000, 500, 700, 2}).total().si(), oracle.step_s(load));
}

// --- Curves ------------------------------------------------------------------------

TEST(TokenCurve, HoldsItsKnotsAndIsLinearBetween) {
  TokenCurve c;
  c.fill([](double t) { return 3 + 2 * t; });
  for (const double t : {1.0, 1.25, 1.6, 2.0, 3.3, 700.0, 131072.0, 200000.0}) {
    EXPECT_NEAR(c.at(t), 3 + 2 * t, 1e-9 * t) << t;
  }
  EXPECT_EQ(c.at(0), 0);
  EXPECT_EQ(c.at(0.25), c.at(1));
}

TEST(TokenCurve, NeverFalls) {
  TokenCurve c;
  c.fill([](double t) { return 2 + std::sin(t); });
  double last = 0;
  for (double t = 0.5; t < 3000; t *= 1.07) {
    EXPECT_GE(c.at(t), last);
    last = c.at(t);
  }
}

// Between knots the curve stays near the kernels that it stands for.
TEST(StepKernels, CurveFollowsTheKernels) {
  const auto m = llama_70b();
  const StepKernels k(m, h100(), hgx(), {.tp = 4});
  const compute::Device device(h100());
  const auto layer = workload::layer_classes(m).front();
  std::vector<double> errors;
  for (double tokens = 1; tokens < 10000; tokens = std::ceil(tokens * 1.23)) {
    double sum = 0;
    for (const auto& g : workload::layer_gemms(m, layer, tokens, {.tensor = 4})) {
      sum += g.count * device.gemm_s(Precision::bf16, {g.m, g.n, g.k});
    }
    errors.push_back(std::abs(k.products.at(tokens) / (layer.count * sum) - 1));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.01);
  EXPECT_LT(errors.back(), 0.13);  // where a further row of tiles begins
}

// --- What features cost ------------------------------------------------------------

// Checking g draft tokens multiplies g + 1 tokens by every weight and reads the cache once: at
// small batches nearly free, at large ones (bound by compute) g + 1 times the products.
TEST(Verification, IsFreeWhereMemoryBindsAndDearWhereComputeDoes) {
  const auto model = raw(llama_70b(), {.tp = 4});
  const auto step = [&](double batch, double drafts) {
    return model.step_s({.decodes = batch, .context = 500, .verify = drafts});
  };
  EXPECT_LT(step(2, 4) / step(2, 0), 1.15);
  EXPECT_GT(step(1500, 4) / step(1500, 0), 3);
  EXPECT_LT(step(1500, 4), 5 * step(1500, 0));
}

// An adapter of rank 16 on all linears of 8B: 16 x (n + k) of qkv, out, up, down in 32 layers,
// 2 B each: about 52 MB read, 15 to 20 us, and 256 small kernels for the step.
TEST(Adapters, EachIsReadAndAllShareTheirKernels) {
  const auto model = raw(llama_8b(), {});
  const auto step = [&](double adapters) {
    return model.step_s({.decodes = 64, .context = 500, .adapters = adapters});
  };
  const double values =
      32.0 * 16 * ((6144 + 4096) + (4096 + 4096) + (28672 + 4096) + (14336 + 4096));
  EXPECT_NEAR(step(9) - step(8), 2 * values / (0.842 * 3.35e12), 3e-6);
  EXPECT_NEAR(step(33) - step(32), step(9) - step(8), 1e-9);
  EXPECT_GT(step(1) - step(0), 256 * 2e-6);
  // No more adapters than sequences.
  EXPECT_EQ(step(64), step(1000));
}

TEST(Formats, NarrowerCachesReadFaster) {
  const auto at = [](Precision kv) {
    return raw(llama_8b(), {.kv = kv}).parts({64, 8000}).attention.si();
  };
  EXPECT_NEAR(at(Precision::bf16) / at(Precision::fp8), 2, 1e-9);
  EXPECT_NEAR(at(Precision::bf16) / at(Precision::nvfp4), 2 / 0.5625, 1e-9);
}

TEST(Formats, WeightOnlyReadsNarrowAndMultipliesWide) {
  const auto bf16 = raw(llama_70b(), {.tp = 2});
  const auto int4 = raw(llama_70b(), {.tp = 2, .weights = Precision::int4});
  EXPECT_LT(int4.decode(1, 100).si(), 0.55 * bf16.decode(1, 100).si());
  const Batch prompt{0, 0, 8192, 4096};
  EXPECT_GT(int4.step_s(prompt), 0.9 * bf16.step_s(prompt));
  // fp8 weights widened (an A100's Marlin) are no faster than 16 bit where compute binds.
  const auto wide = raw(llama_70b(), {.tp = 2, .weights = Precision::fp8, .weight_only = true});
  EXPECT_GT(wide.step_s(prompt),
            1.3 * raw(llama_70b(), {.tp = 2, .weights = Precision::fp8}).step_s(prompt));
}

TEST(Formats, MixturesKeepTheirAttentionWide) {
  auto kimi = deepseek();
  const auto f = formats_of(kimi, {.weights = Precision::int4});
  EXPECT_EQ(f.attention, Precision::bf16);
  EXPECT_EQ(f.experts, Precision::int4);
  EXPECT_EQ(formats_of(llama_70b(), {.weights = Precision::int4}).attention, Precision::int4);
  EXPECT_EQ(formats_of(kimi, {.weights = Precision::nvfp4}).attention, Precision::bf16);
  EXPECT_EQ(formats_of(kimi, {.weights = Precision::nvfp4}).ffn, Precision::nvfp4);
  EXPECT_EQ(formats_of(kimi, {.weights = Precision::int4, .dense = Precision::fp8}).ffn,
            Precision::fp8);
}

// Without graphs a step cannot end before its kernels were launched.
TEST(Graphs, WithoutThemTheHostBoundsSmallSteps) {
  const auto graphs = raw(llama_8b(), {}), eager = raw(llama_8b(), {.graphs = false});
  const double launches = 32 * vllm().eager_layer.get().si();
  const auto tp8 = raw(llama_8b(), {.tp = 8, .graphs = false});
  EXPECT_GE(tp8.step_s({1, 100}), launches);
  // A long prompt hides them.
  const Batch prompt{0, 0, 8192, 4096};
  EXPECT_DOUBLE_EQ(eager.step_s(prompt), graphs.step_s(prompt));
}

// --- Layouts -----------------------------------------------------------------------

TEST(AttentionReplicas, DivideTheCacheAndReplicateTheProjections) {
  const Layout tp{.tp = 8, .weights = Precision::fp8, .ep = 8};
  const Layout dp{.tp = 1, .weights = Precision::fp8, .ep = 8, .attention_dp = 8};
  ASSERT_EQ(tp.gpus(), dp.gpus());
  const auto t = raw(deepseek(), tp), d = raw(deepseek(), dp);
  // A latent cache is whole on every tensor rank; replicas hold an eighth of the sequences.
  EXPECT_NEAR(t.kv_per_gpu(1000) / d.kv_per_gpu(1000), 8, 1e-9);
  EXPECT_GT(d.weights_per_gpu(), t.weights_per_gpu());
  // Long contexts: reading an eighth of the caches wins.
  const Batch far{512, 20000};
  EXPECT_LT(d.parts(far).attention, 0.5 * t.parts(far).attention);
  // A prompt on one replica keeps all of them waiting; eight at once do not take eight times.
  const double one = d.step_s({0, 0, 1000, 500, 1}), eight = d.step_s({0, 0, 8000, 500, 8});
  EXPECT_LT(eight, 3 * one);
}

TEST(Experts, SpreadExpertsReadFewerWeightsAndWaitForTheBusiest) {
  const auto k = [](int ep) {
    return raw(deepseek(), {.tp = 8, .weights = Precision::fp8, .ep = ep});
  };
  EXPECT_NEAR(k(1).weights_per_gpu() / k(8).weights_per_gpu(), 1, 1e-9);
  // Compute-bound: the busiest rank has 1 + 0.1 log2(8) = 1.3 of the mean, 58 layers of 6 x 7168 x
  // 2048 FLOPs for 16,384 x 8 / 8 pairs.
  const Batch many{0, 0, 16384, 8192};
  const double mean = 58 * 6.0 * 7168 * 2048 * 16384 / 1979e12;
  EXPECT_GT(k(8).parts(many).experts.si(), 1.3 * mean);
  EXPECT_LT(k(8).parts(many).experts.si(), 8 * mean);
}

TEST(Pipeline, ABatchPassesEveryStage) {
  const auto one = raw(llama_70b(), {.tp = 4}), two = raw(llama_70b(), {.tp = 4, .pp = 2});
  EXPECT_GE(two.step_s({1, 500}), 0.99 * one.step_s({1, 500}));
  // Two stages on half of the batch each: faster than one on all of it, by less than two.
  const Batch large{1024, 500};
  EXPECT_LT(two.step_s(large), one.step_s(large));
  EXPECT_GT(two.step_s(large), 0.4 * one.step_s(large));
}

TEST(Engines, ThoseThatDoNotMixRunPromptsApart) {
  const auto& sglang = software_of(Engine::sglang);
  ASSERT_FALSE(sglang.mixed);
  const auto apart = raw(llama_8b(), {}, sglang);
  const Batch beside{64, 1000};
  EXPECT_NEAR(apart.prefill(2000, 0, beside, 8192).si(), apart.step_s({0, 0, 2000, 1000, 1}),
              1e-12);
  EXPECT_NEAR(apart.step_s({64, 1000, 2000, 1000, 1}),
              apart.step_s(beside) + apart.step_s({0, 0, 2000, 1000, 1}), 1e-12);
  // Mixed ones ride on the weights that decodes read anyway.
  const auto mixed = raw(llama_8b(), {});
  EXPECT_LT(mixed.prefill(200, 0, beside, 8192).si(), mixed.step_s({0, 0, 200, 100, 1}));
}

// Measured (LLMServingSim's profile of vLLM 0.19 on this board, one layer of Llama 3.1 8B): 128
// decodes at 1,024 keys take 405 us alone and 672 us beside 16 prompt tokens.
TEST(Engines, JointAttentionWastesTilesOnBoardsWithoutPacking) {
  const auto& catalogue = catalog::Catalog::builtin();
  const auto* gpu = catalogue.find<catalog::Accelerator>("rtx-pro-6000-server");
  ASSERT_TRUE(gpu != nullptr);
  const StepModel step(llama_8b(), *gpu, {}, {}, vllm(), Use::raw);
  const Batch alone{128, 1024}, beside{128, 1024, 16, 8, 1};
  EXPECT_NEAR(step.parts(alone).attention.si() / 32 / 405e-6, 1, 0.15);
  EXPECT_NEAR(step.parts(beside).attention.si() / 32 / 672e-6, 1, 0.15);
  const auto h = raw(llama_8b(), {});
  EXPECT_LT(h.parts(beside).attention / h.parts(alone).attention, 1.05);
}

// --- Calibrations ------------------------------------------------------------------

catalog::ServingSoftware calibrated(double products, double per_step_ms) {
  auto s = vllm();
  s.calibrations.clear();
  catalog::ServingCalibration c;
  c.model = "llama-3.1-8b";
  c.accelerator = "h100-sxm";
  c.precision = "bf16";
  c.products = {Scalar(products), sheet()};
  c.per_step = {per_step_ms * millisecond, sheet()};
  c.residual = {Scalar(0.97), Scalar(1.0), Scalar(1.04), sheet()};
  c.rows = 12;
  s.calibrations.push_back(c);
  return s;
}

TEST(Calibration, ScalesKernelsAndReplacesTheHost) {
  const auto s = calibrated(1.1, 3);
  const StepModel with(llama_8b(), h100(), hgx(), {}, s), without = raw(llama_8b(), {}, s);
  const Batch b{32, 1000};
  const auto p = with.parts(b), q = without.parts(b);
  EXPECT_NEAR(p.linear / q.linear, 1.1, 1e-9);
  EXPECT_NEAR(p.attention / q.attention, 1, 1e-9);
  EXPECT_NEAR(p.host.si(), 3e-3 + 32 * s.per_sequence.get().si(), 1e-12);
  EXPECT_TRUE(with.error_range().calibrated);
  EXPECT_EQ(with.error_range().rows, 12);
  EXPECT_NEAR(with.error_range().high, 1.04, 1e-12);
}

TEST(Calibration, LinksAndPromptsHaveNumbersOfTheirOwn) {
  auto s = calibrated(1.1, 3);
  auto& c = s.calibrations.back();
  const auto parts_of = [&] {
    const auto model = catalog::Catalog::builtin().find<catalog::Model>(c.model);
    const auto gpu = catalog::Catalog::builtin().find<catalog::Accelerator>(c.accelerator);
    catalog::System system;
    system.scale_up.domain = 8;
    system.scale_up.bandwidth = gpu->scale_up.bandwidth;
    const auto path = fabric::make_path(system, *gpu, {50 * gigabyte_per_second});
    Layout layout;
    layout.tp = 8, layout.weights = *parse_precision(c.precision);
    return StepModel(*model, *gpu, path, layout, s)
        .parts({.decodes = 32, .context = 1000, .prefill = 512, .prefill_keys = 256, .prompts = 2});
  };
  const auto before = parts_of();
  c.links = {Scalar(2.2), assumed("test")};
  c.per_prompt = {300 * microsecond, assumed("test")};
  const auto after = parts_of();
  EXPECT_DOUBLE_EQ(after.linear.si(), before.linear.si());
  EXPECT_DOUBLE_EQ(after.attention.si(), before.attention.si());
  EXPECT_GT(after.collectives.si(), 1.9 * before.collectives.si());
  EXPECT_NEAR((after.host - before.host).in(microsecond), 600, 1e-6);
}

TEST(Calibration, BelongsToItsGroupAlone) {
  const auto s = calibrated(2, 50);
  const Layout fp8{.weights = Precision::fp8};
  const StepModel other(llama_8b(), h100(), hgx(), fp8, s);
  EXPECT_DOUBLE_EQ(other.step_s({8, 100}), raw(llama_8b(), fp8, s).step_s({8, 100}));
  EXPECT_FALSE(other.error_range().calibrated);
}

TEST(Software, IsFoundByNameAndVersion) {
  const auto& c = catalog::Catalog::builtin();
  EXPECT_EQ(catalog::serving_software(c, "vllm", "0.12.0").id, "vllm-v1");
  EXPECT_EQ(catalog::serving_software(c, "vllm", "0.6.3").id, "vllm-v0");
  EXPECT_EQ(catalog::serving_software(c, "vLLM").id, "vllm-v1");
  EXPECT_EQ(catalog::serving_software(c, "TensorRT-LLM", "0.17").id, "tensorrt-llm-0.17");
  EXPECT_EQ(catalog::serving_software(c, "trtllm", "1.2.0rc6").id, "tensorrt-llm-1");
  EXPECT_EQ(catalog::serving_software(c, "sglang", "0.5.9").id, "sglang-0.5");
  EXPECT_EQ(catalog::serving_software(c, "somebody's").id, "any");
}

// Every engine's own entry states the range its unseen groups fell in, and calibrations are
// plausible: factors of a kernel stay within a factor of three.
TEST(Software, CatalogueIsPlausible) {
  for (const auto* s : catalog::Catalog::builtin().all<catalog::ServingSoftware>()) {
    for (const auto& c : s->calibrations) {
      EXPECT_GT(c.products.get().si(), 1.0 / 3) << s->id << " " << c.model;
      EXPECT_LT(c.products.get().si(), 3) << s->id << " " << c.model;
      EXPECT_GE(c.rows, 4) << s->id << " " << c.model;
      EXPECT_LT(c.residual.low, c.residual.high) << s->id << " " << c.model;
    }
    if (s->unseen) {
      EXPECT_LT(s->unseen.low, 1) << s->id;
      EXPECT_GT(s->unseen.high, 1) << s->id;
    }
  }
}

}  // namespace
}  // namespace headroom::infer
