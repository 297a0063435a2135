// Reinforcement learning (GRPO, PPO, RLOO): generation and training as one job.
//
// One iteration: `prompts` x `samples` answers are generated, scored, and trained on.
//
//   generate   the infer layer's step oracle. A replica of a layout runs n = samples / replicas
//              answers, B at once (KV cache, max_num_seqs), lengths lognormal, cut at the longest:
//                T = prefill + (n - B)+ mean / B x t(B) + integral_0^max t(B S(s)) W(s) ds
//              S(s) is the share of answers longer than s, W(s) = 1 - (1 - S(s))^answers the
//              chance that one anywhere is. The integral is the tail: batches thin out while
//              the longest answers end, which no number of GPUs shortens.
//              The fastest of the layouts that hold the model is taken. Answers to a prompt
//              share its prefill.
//   score      forward passes of the reference model (KL) and of the policy under training
//              (old log-probabilities), and of a reward model when one is named: the forward
//              share of the training step, by parameters for another model.
//   train      the train layer's fastest plan for `updates` steps on all tokens, prompts
//              included, packed to the mean length of a sample.
//   sync       weights to the replicas: all-gather among the GPUs when colocated, broadcast over
//              the network to one replica after another's peers when apart.
//   switch     colocated only: optimiser state, gradients and weights of training leave the GPU
//              for host memory and come back, over the host link.
//
//   colocated       iteration = generate(N) + score(N) + train(N) + sync + switch
//   disaggregated   iteration = max(generate(G), score(N - G) + train(N - G)) + sync
//                   G in whole scale-up domains, the one with the shortest iteration; answers
//                   are one iteration old when they are trained on (asynchronous)
//
// VALIDITY. Too fast: four iterations that NVIDIA prints for NeMo RL 0.4 on DGX H100 (GRPO,
// colocated, 8B to 235B) took 1.7 to 2.8 times as long as modelled (training_rl_published_test.cpp
// prints them). Nothing is fitted to them. The parts are those of the infer and train layers with
// their errors; what joins them (host link at its rate, no stragglers among replicas, perfect
// packing, no time of the controller's own) is assumed. Environments that take time (code, tools)
// are `environment`, added to generation. Failures are not counted.
//
// Complexity: some thirty plan searches. Deterministic.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/model.hpp"
#include "fabric/collective.hpp"
#include "spec/fields.hpp"
#include "train/assess.hpp"

namespace headroom::study {

enum class Placement : unsigned char { best, colocated, disaggregated };
std::span<const std::string_view> placement_names();

/// What a scenario says of it: `rl: {prompts: 512, samples: 16, ...}` of a training workload.
struct RlSpec {
  int prompts = 512;  ///< DAPO and DeepSeek-R1 style runs: 512 prompts of 16 answers
  int samples = 16;
  Value<Tokens> prompt;       ///< mean; 1,024 when left out (assumed)
  Value<Tokens> response;     ///< mean; 4,096 when left out (assumed)
  Value<Scalar> response_cv;  ///< standard deviation over mean; 0.8 when left out (assumed)
  Value<Tokens> longest;      ///< 4 x the mean when left out (assumed)
  int updates = 1;            ///< optimiser steps an iteration
  bool reference = true;      ///< a frozen copy of the policy scores too
  std::string reward_model;   ///< catalogue model; empty: rules
  Value<Time> environment;    ///< of an iteration, beside generation
  Placement placement = Placement::best;
  Precision generation = Precision::bf16;  ///< weights while generating
  int generation_gpus = 0;                 ///< disaggregated: fixes the split
  int iterations = 1000;

  void fields(spec::Fields& f);
};

/// What it runs on.
struct RlDemand {
  const catalog::Model* model = nullptr;
  const catalog::Model* reward = nullptr;
  const catalog::Accelerator* accelerator = nullptr;
  fabric::Path path;
  int gpus = 0;
  int domain = 8;
  train::JobSpec job;  ///< precision, optimiser, fixed plan; batch and sequence are RL's
  train::Demand training;
};

struct RlPhase {
  std::string name;
  double seconds = 0;
  double gpus = 0;
};

/// One placement, planned.
struct RlPlan {
  Placement placement = Placement::colocated;
  bool fits = false;
  std::string why;  ///< it does not fit
  double iteration_s = 0;
  std::vector<RlPhase> phases;  ///< generate, environment, score, train, sync, switch
  int generation_gpus = 0, training_gpus = 0;
  int replica_gpus = 0;
  double replicas = 0, batch = 0;  ///< answers at once on a replica
  double tail_share = 0;           ///< of generation with less than half the batch left
  double idle_share = 0;           ///< GPU time in which nothing runs
  std::string training_plan;
  double tokens = 0;  ///< generated in an iteration
  double gpu_hours() const { return iteration_s * (generation_gpus + training_gpus) / 3600; }
};

struct RlResult {
  std::vector<RlPlan> plans;  ///< best first; those asked for
  double samples = 0, tokens_trained = 0;
  const RlPlan* best() const { return !plans.empty() && plans[0].fits ? &plans[0] : nullptr; }
};

RlResult plan_rl(const RlSpec& spec, const RlDemand& demand);

/// Seconds to generate `answers` on `gpus` GPUs, alone; infinite when nothing holds the model.
struct Generation {
  double seconds = 0, tail_s = 0, batch = 0, replicas = 0, tokens = 0;
  int replica_gpus = 0;
  double shard_bytes = 0;  ///< weights of one GPU of a replica
  bool fits = false;
};
Generation generate(const RlSpec& spec, const RlDemand& demand, int gpus);

}  // namespace headroom::study
