// Flags: a plan in the words of the program that is to run it, ready to paste.
//
//   LaunchFlags f = launch_flags(Launcher::megatron, job, plan, 15.6e12);
//   f.text      the flags (Megatron-LM), a TOML job file (torchtitan), ds_config.json with
//               the arguments of Megatron-DeepSpeed (DeepSpeed)
//   f.cannot    what of this plan the program cannot express, and what stands in its place
//
// What a plan does not know stays with the user: data, tokenizer, learning rate, where
// checkpoints go. `text` says so in a comment where the format has comments.
//
// NAMES were looked up in the programs' own sources:
//   Megatron-LM   megatron/training/arguments.py (NVIDIA/Megatron-LM, core 0.13 to 0.15, 2025);
//                 Megatron-FSDP's by docs of NVIDIA/Megatron-LM (--use-megatron-fsdp, which
//                 was --use-custom-fsdp until core 0.13)
//   torchtitan    torchtitan/config/job_config.py (pytorch/torchtitan, v0.1 and v0.2, 2025).
//                 Until spring 2025 local_batch_size was [training] batch_size; main of 2026
//                 reads the same fields from Python configurations in place of TOML
//   DeepSpeed     docs/_pages/config-json.md and AutoTP's tensor_parallel.autotp_size
//                 (deepspeedai/DeepSpeed, 0.16 and later); arguments of Megatron-DeepSpeed
//                 (deepspeedai/Megatron-DeepSpeed, megatron/arguments.py)
//
// Complexity: a few microseconds; allocates. Pure, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/cost.hpp"

namespace headroom::train {

enum class Launcher : unsigned char { megatron, torchtitan, deepspeed };
/// "megatron", "torchtitan", "deepspeed".
std::span<const std::string_view> launcher_names();

struct LaunchFlags {
  Launcher launcher = Launcher::megatron;
  std::string program;  ///< "Megatron-LM pretrain_gpt.py (Megatron-Core 0.13 or later)"
  std::string text;     ///< ends in a newline
  std::vector<std::string> cannot;
};

/// `tokens`: of the whole run; 0: the number of steps is left to the user.
LaunchFlags launch_flags(Launcher launcher, const Job& job, const ParallelPlan& plan,
                         double tokens = 0);

/// The parallel part alone in Megatron-Core's flags, on one line, as `check` shows it.
/// `layers` and `sequences` (global batch) complete what the plan does not hold.
std::string megatron_flags(const ParallelPlan& plan, int layers, double sequences, int sequence,
                           std::string_view precision, double head_layers = 0);

/// Megatron-Core's --pipeline-model-parallel-layout: decoder layers of the pp x vpp stages in
/// the order of the model, "E|(t|)*126L". The first rank's missing layers are taken from its
/// first chunks, the last rank's from its last. Empty when the split is not legal.
std::string pipeline_layout(const StageLayers& stages, int pp, int vpp, int mtp = 0);

/// Flags by group ("--a 1", "--b"), as launch_flags lays them out. Inner, for tests.
struct FlagGroup {
  const char* title;
  std::vector<std::string> flags;
};
std::vector<FlagGroup> megatron_groups(const Job& job, const ParallelPlan& plan, double tokens,
                                       std::vector<std::string>& cannot);

LaunchFlags torchtitan_config(const Job& job, const ParallelPlan& plan, double tokens);
LaunchFlags deepspeed_config(const Job& job, const ParallelPlan& plan, double tokens);

}  // namespace headroom::train
