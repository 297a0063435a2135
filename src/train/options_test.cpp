#include "train/options.hpp"

#include <gtest/gtest.h>

#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;

bool says(const std::string& message, const char* part) {
  return message.find(part) != std::string::npos;
}

TEST(Options, APlainPlanHasNothingToRefuse) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  EXPECT_EQ(illegal_options(b.job, plan(2, 2, 1, 16, 4)), "");
}

TEST(Options, ExpertTensorParallelismMustDivide) {
  const auto dense = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  auto p = plan(2, 1, 1, 32, 2);
  p.etp = 2;
  EXPECT_TRUE(says(illegal_options(dense.job, p), "mixture"));
  const auto moe = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  EXPECT_EQ(illegal_options(moe.job, p), "");
  p.etp = 3;
  EXPECT_TRUE(says(illegal_options(moe.job, p), "nearest is 2"));
  p.etp = 4, p.ep = 32;
  EXPECT_TRUE(says(illegal_options(moe.job, p), "nearest etp is 2"));
}

TEST(Options, ShardGroupsDivideTheDataRanks) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 64, 8192, 64);
  auto p = plan(1, 1, 1, 64, 1);
  p.zero = Zero::full, p.hsdp = 8;
  EXPECT_EQ(illegal_options(b.job, p), "");
  p.hsdp = 12;
  EXPECT_TRUE(says(illegal_options(b.job, p), "nearest is 8"));
  p.hsdp = 8, p.zero = Zero::replicated;
  EXPECT_TRUE(says(illegal_options(b.job, p), "stage 3"));
}

TEST(Options, UlyssesNeedsHeadsForEveryRank) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 256, 131072, 4);  // 32 heads
  auto p = plan(4, 1, 1, 4, 1);
  p.cp = 8, p.context = ContextKind::all_to_all;
  EXPECT_EQ(illegal_options(b.job, p), "");
  p.cp = 16;
  EXPECT_TRUE(says(illegal_options(b.job, p), "nearest cp is 8"));
  p.context = ContextKind::ring;
  EXPECT_EQ(illegal_options(b.job, p), "");
}

TEST(Options, ModulesMustExistInTheModel) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  auto p = plan(1, 1, 1, 8, 1);
  p.modules = Modules{}.with(Module::mla_up_proj);
  EXPECT_TRUE(says(illegal_options(b.job, p), "selective"));
  p.recompute = Recompute::selective;
  EXPECT_TRUE(says(illegal_options(b.job, p), "latent"));
  p.modules = Modules{}.with(Module::moe);
  EXPECT_TRUE(says(illegal_options(b.job, p), "mlp"));
  p.modules = Modules{}.with(Module::mlp).with(Module::core_attn);
  EXPECT_EQ(illegal_options(b.job, p), "");
  p.modules = {}, p.recompute = Recompute::full, p.recompute_layers = 33;
  EXPECT_TRUE(says(illegal_options(b.job, p), "nearest is 32"));
  p.recompute_layers = 12;
  EXPECT_EQ(illegal_options(b.job, p), "");
}

TEST(Options, StagesByHandMustAddUp) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);  // 32 layers
  auto p = plan(1, 4, 1, 2, 4);
  p.first_layers = 7, p.last_layers = 5;
  EXPECT_EQ(illegal_options(b.job, p), "");
  p.last_layers = 6;
  EXPECT_TRUE(says(illegal_options(b.job, p), "multiple of 2")) << illegal_options(b.job, p);
}

TEST(Options, ThePlanSpecReachesThePlan) {
  PlanSpec spec;
  spec.etp = 2, spec.hsdp = 8, spec.context = int(ContextKind::all_gather);
  spec.recompute_modules = Modules{}.with(Module::op);
  spec.offload_optimiser = Value<Scalar>(0.25, assumed("test"));
  ParallelPlan p;
  spec.apply(p);
  EXPECT_EQ(p.etp, 2);
  EXPECT_EQ(p.hsdp, 8);
  EXPECT_EQ(p.context, ContextKind::all_gather);
  EXPECT_EQ(p.recompute, Recompute::selective);
  EXPECT_DOUBLE_EQ(p.offload_optimiser, 0.25);
  const auto b = bench("llama-3.1-8b", "h100-sxm", 8, 8192, 8);
  SearchOptions options;
  options.fixed.recompute_modules = Modules{}.with(Module::op);
  const auto found = search(b.job, options);
  ASSERT_TRUE(found.fits());
  for (const auto& c : found.best) EXPECT_EQ(c.plan.recompute, Recompute::selective);
}

}  // namespace
}  // namespace headroom::train
