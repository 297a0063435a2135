// Reinforcement learning against published iterations: NVIDIA's table of NeMo RL 0.4.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/system.hpp"
#include "fabric/path.hpp"
#include "study/rl.hpp"

namespace headroom::study {
namespace {

/// GRPO on OpenMathInstruct-2, DGX H100, bf16, Megatron-Core and vLLM, colocated ("on policy"),
/// from NVIDIA-NeMo/RL docs/about/performance-summary.md @06beed9 (release 0.4). Its tokens a
/// second and GPU times GPUs and seconds are the tokens of a step; less the generated mean they
/// leave the prompt.
struct Published {
  const char* model;
  int gpus;
  double samples, updates;  ///< answers of a step, optimiser steps
  double answer, prompt;    ///< mean tokens
  double longest;           ///< prompt and answer together
  int tp, cp, ep, pp;
  double seconds;
};

const std::vector<Published> rows = {
    {"llama-3.1-8b", 16, 2048, 4, 1060, 132, 4096, 1, 1, 1, 2, 97.7},
    {"qwen3-32b", 32, 2048, 4, 3206, 110, 4096, 4, 1, 1, 4, 393},
    {"qwen3-30b-a3b", 32, 2048, 4, 3154, 98, 4096, 2, 1, 8, 1, 225},
    {"qwen3-235b-a22b", 128, 512, 1, 5671, 110, 8192, 2, 2, 16, 8, 506},
};

RlDemand demand(const Published& row) {
  const auto& all = catalog::Catalog::builtin();
  const auto* system = all.find<catalog::System>("dgx-h100");
  RlDemand d;
  d.model = all.find<catalog::Model>(row.model);
  d.accelerator = all.find<catalog::Accelerator>(system->accelerator);
  fabric::ScaleOut out;
  out.per_gpu = 400 * gigabit_per_second;
  d.path = fabric::make_path(*system, *d.accelerator, out);
  d.gpus = row.gpus;
  d.job.model = row.model;
  d.job.method = train::Method::full_finetune;
  auto& plan = d.job.plan;
  plan.tp = row.tp, plan.cp = row.cp, plan.ep = row.ep, plan.pp = row.pp;
  d.training.scope = "rl";
  d.training.model = d.model;
  d.training.accelerator = d.accelerator;
  d.training.gpus = row.gpus;
  d.training.path = d.path;
  return d;
}

RlSpec spec(const Published& row) {
  RlSpec s;
  s.samples = 32;  // of a prompt; the recipes' default, recalled
  s.prompts = int(row.samples) / s.samples;
  s.prompt = {row.prompt * token, assumed("see Published")};
  s.response = {row.answer * token, assumed("see Published")};
  s.longest = {(row.longest - row.prompt) * token, assumed("see Published")};
  // Not published. Where the mean is near the longest most answers were cut, so they differ little.
  s.response_cv = {Scalar(row.answer > 0.6 * row.longest ? 0.2 : 0.6), assumed("see above")};
  s.updates = int(row.updates);
  s.placement = Placement::colocated;
  return s;
}

TEST(RlPublished, IterationsOfNemoRl) {
  std::vector<double> errors;
  for (const auto& row : rows) {
    const auto r = plan_rl(spec(row), demand(row));
    ASSERT_EQ(r.plans.size(), 1u);
    const auto& plan = r.plans[0];
    ASSERT_TRUE(plan.fits) << row.model << ": " << plan.why;
    const double error = plan.iteration_s / row.seconds - 1;
    errors.push_back(std::abs(std::log(plan.iteration_s / row.seconds)));
    std::printf("%-16s %3d GPUs  measured %5.1f s  modelled %5.1f s  %+5.0f %%  ", row.model,
                row.gpus, row.seconds, plan.iteration_s, 100 * error);
    for (const auto& phase : plan.phases)
      std::printf(" %s %.1f", phase.name.c_str(), phase.seconds);
    std::printf("  (replicas of %d, %s, %.2f Mtoken)\n", plan.replica_gpus,
                plan.training_plan.c_str(), r.tokens_trained / 1e6);
    // The tokens are the published ones.
    const double tokens = row.samples * (row.answer + row.prompt);
    EXPECT_NEAR(r.tokens_trained / tokens, 1, 0.1) << row.model;
    EXPECT_GT(plan.iteration_s, 0.2 * row.seconds) << row.model;
    EXPECT_LT(plan.iteration_s, 2 * row.seconds) << row.model;
  }
}

}  // namespace
}  // namespace headroom::study
