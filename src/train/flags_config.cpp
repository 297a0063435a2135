// Job files of torchtitan (TOML) and DeepSpeed (ds_config.json).
#include <fmt/format.h>

#include <cmath>

#include "train/flags.hpp"

namespace headroom::train {
namespace {

double steps_of(const Job& job, const ParallelPlan& p, double tokens) {
  const double step = p.global_batch() * job.sequence;
  return tokens > 0 && step > 0 ? std::ceil(tokens / step) : 0;
}

// --- torchtitan -------------------------------------------------------------------------

/// Name and flavour under which torchtitan registers a model, by our catalogue's id.
/// Flavours as in torchtitan/models/*/__init__.py (2025).
struct Registered {
  std::string_view id, name, flavor;
};
constexpr Registered registered[] = {
    {"llama-3-8b", "llama3", "8B"},       {"llama-3.1-8b", "llama3", "8B"},
    {"llama-3-70b", "llama3", "70B"},     {"llama-3.1-70b", "llama3", "70B"},
    {"llama-3.1-405b", "llama3", "405B"}, {"deepseek-v3", "deepseek_v3", "671B"},
};

std::string model_section(const Job& job, std::vector<std::string>& cannot) {
  for (const auto& r : registered)
    if (r.id == job.model->id)
      return fmt::format("[model]\nname = \"{}\"\nflavor = \"{}\"\n", r.name, r.flavor);
  cannot.push_back(fmt::format("torchtitan must have {} registered: set [model] name and flavor",
                               job.model->name));
  return "[model]\n# name and flavor under which torchtitan registers this model\n";
}

/// Layers that torchtitan takes from the first and last stage for embedding and head.
std::string pipeline_section(const Job& job, const ParallelPlan& p,
                             std::vector<std::string>& cannot) {
  std::string out = fmt::format("pipeline_parallel_degree = {}\n", p.pp);
  if (p.pp == 1) return out;
  const char* schedule = p.vpp > 1 ? "Interleaved1F1B" : "1F1B";
  switch (p.schedule) {
    case Schedule::gpipe:
      schedule = "GPipe";
      break;
    case Schedule::zero_bubble_v:
      schedule = "ZBVZeroBubble";
      break;
    case Schedule::dualpipe:
      schedule = "DualPipeV";
      cannot.emplace_back("torchtitan's DualPipeV folds DualPipe's two directions into a V");
      break;
    case Schedule::zero_bubble_h1:
      schedule = "InterleavedZeroBubble";
      cannot.emplace_back("torchtitan has no plain ZB-H1; InterleavedZeroBubble stands here");
      break;
    case Schedule::one_f_one_b:
      break;
  }
  out += fmt::format("pipeline_parallel_schedule = \"{}\"\n", schedule);
  out += fmt::format("pipeline_parallel_microbatch_size = {}\n", p.micro_batch);
  const auto s = stage_layers(p, job.model->layers, sizes(job).head_layers);
  if (!s.legal) return out;
  const int each = std::max(1, s.middle / p.vpp);
  if (s.middle - std::min(s.first, s.last) > each)
    cannot.push_back(
        fmt::format("a stage of torchtitan can give up its {} layers and no more", each));
  out += fmt::format("pipeline_parallel_layers_per_stage = {}\n", each);
  out += fmt::format("pipeline_parallel_first_stage_less_layers = {}\n", s.middle - s.first);
  out += fmt::format("pipeline_parallel_last_stage_less_layers = {}\n", s.middle - s.last);
  return out;
}

std::string sharding_section(const ParallelPlan& p, std::vector<std::string>& cannot) {
  const bool replicated = p.zero == Zero::replicated;
  // torchtitan shards over data_parallel_shard_degree x context_parallel_degree.
  const double sharing = std::min(p.shard_ranks(), double(p.dp) * p.cp);
  const double shard = replicated ? 1 : std::max(1.0, sharing / p.cp);
  std::string out =
      fmt::format("data_parallel_replicate_degree = {:.0f}\ndata_parallel_shard_degree = {:.0f}\n",
                  p.dp / shard, shard);
  if (p.shard_ranks() < p.cp)
    cannot.emplace_back("torchtitan always shards over its context-parallel ranks");
  if (!replicated && p.zero != Zero::full && p.dp > 1) {
    out += "fsdp_reshard_after_forward = \"never\"\n";
    cannot.push_back(fmt::format(
        "torchtitan shards parameters whenever it shards at all: ZeRO {} becomes FSDP that keeps "
        "the gathered weights (as much memory while stepping, less between steps)",
        int(p.zero)));
  }
  return out;
}

std::string parallelism_section(const Job& job, const ParallelPlan& p,
                                std::vector<std::string>& cannot) {
  std::string out = "\n[parallelism]\n" + sharding_section(p, cannot);
  out += fmt::format("tensor_parallel_degree = {}\n", p.tp);
  if (p.tp > 1 && job.software.tensor_overlap > 0) out += "enable_async_tensor_parallel = true\n";
  out += fmt::format("context_parallel_degree = {}\n", p.cp);
  if (p.cp > 1)
    out += fmt::format("context_parallel_rotate_method = \"{}\"\n",
                       p.context == ContextKind::all_gather ? "allgather" : "alltoall");
  if (p.cp > 1 && p.context == ContextKind::all_to_all)
    cannot.emplace_back("torchtitan passes keys and values round (alltoall) and has no Ulysses");
  out += pipeline_section(job, p, cannot);
  if (job.model->is_mixture()) {
    out += fmt::format("expert_parallel_degree = {}\n", p.ep);
    out += fmt::format("expert_tensor_parallel_degree = {}\n", p.expert_tensor());
  }
  return out;
}

/// Without a pipeline torchtitan accumulates over micro-batches by itself; with one, a
/// rank's batch is cut into micro-batches of the pipeline.
std::string training_section(const Job& job, const ParallelPlan& p, double tokens) {
  const double local = p.pp > 1 ? double(p.micro_batch) * p.micro_batches : double(p.micro_batch);
  std::string out = fmt::format(
      "\n[training]\nlocal_batch_size = {:.0f}\nglobal_batch_size = {:.0f}\nseq_len = {:.0f}\n",
      local, p.global_batch(), job.sequence);
  const double steps = steps_of(job, p, tokens);
  if (steps > 0) out += fmt::format("steps = {:.0f}\n", steps);
  if (p.offload_optimiser > 0) out += "enable_cpu_offload = true\n";
  return out + "# dataset and its path are yours\n";
}

std::string precision_section(const Job& job, std::string& converters,
                              std::vector<std::string>& cannot) {
  switch (job.precision) {
    case Precision::fp8:
      converters = "converters = [\"float8\"]\n";
      return "\n[float8]\nenable_fsdp_float8_all_gather = true\n"
             "precompute_float8_dynamic_scale_for_fsdp = true\nfilter_fqns = [\"output\"]\n";
    case Precision::mxfp8:
      converters = "converters = [\"mx\"]\n";
      return "\n[mx]\nrecipe_name = \"mxfp8\"\nfilter_fqns = [\"output\"]\n";
    case Precision::bf16:
      return {};
    default:
      cannot.push_back(
          fmt::format("torchtitan does not train in {}; bf16 stands here", name(job.precision)));
      return {};
  }
}

std::string checkpoint_section(const Job& job, const ParallelPlan& p,
                               std::vector<std::string>& cannot) {
  std::string out = fmt::format("\n[activation_checkpoint]\nmode = \"{}\"\n",
                                workload::recompute_name(p.recompute));
  if (p.offload_activations > 0) cannot.emplace_back("torchtitan does not offload activations");
  if (p.recompute_layers > 0)
    cannot.push_back(
        fmt::format("torchtitan recomputes all layers, not {} of a stage", p.recompute_layers));
  if (p.recompute != Recompute::selective) return out;
  out += "selective_ac_option = \"op\"\n";
  if (job.software.flash && !p.modules.has(Module::op))
    cannot.emplace_back(
        "torchtitan's op-level selective recomputation keeps every second matrix product, this "
        "plan recomputes norms and activations only: memory and time will differ");
  return out;
}

}  // namespace

LaunchFlags torchtitan_config(const Job& job, const ParallelPlan& plan, double tokens) {
  LaunchFlags out;
  out.launcher = Launcher::torchtitan;
  out.program = "torchtitan (job file, v0.1 and v0.2)";
  std::string converters;
  const std::string precision = precision_section(job, converters, out.cannot);
  out.text = model_section(job, out.cannot) + converters;
  out.text += training_section(job, plan, tokens);
  out.text += parallelism_section(job, plan, out.cannot);
  out.text += checkpoint_section(job, plan, out.cannot);
  out.text += "\n[compile]\nenable = true\n";
  out.text += precision;
  if (job.method == Method::lora) out.cannot.emplace_back("torchtitan has no LoRA; torchtune does");
  return out;
}

// --- DeepSpeed --------------------------------------------------------------------------

namespace {

std::string zero_object(const ParallelPlan& p) {
  std::string out = fmt::format("  \"zero_optimization\": {{\"stage\": {}", int(p.zero));
  if (p.zero != Zero::replicated) out += ", \"overlap_comm\": true, \"contiguous_gradients\": true";
  if (p.zero == Zero::gradients || p.zero == Zero::optimizer) out += ", \"reduce_scatter\": true";
  if (p.hsdp > 0 && p.zero == Zero::full) out += fmt::format(", \"mics_shard_size\": {}", p.hsdp);
  if (p.offload_optimiser > 0)
    out += fmt::format(
        ",\n    \"offload_optimizer\": {{\"device\": \"cpu\", \"pin_memory\": true, \"ratio\": "
        "{:g}}}",
        p.offload_optimiser);
  return out + "},\n";
}

void deepspeed_limits(const Job& job, const ParallelPlan& p, std::vector<std::string>& cannot) {
  if (p.pp > 1 && p.zero >= Zero::gradients)
    cannot.push_back(
        fmt::format("DeepSpeed's pipeline runs with ZeRO 1 only, not with stage {}", int(p.zero)));
  if (p.vpp > 1)
    cannot.push_back(fmt::format(
        "DeepSpeed's pipeline is plain 1F1B: vpp {} becomes 1, with a bubble {} times as long",
        p.vpp, p.vpp));
  if (p.schedule != Schedule::one_f_one_b)
    cannot.emplace_back("DeepSpeed's pipeline is plain 1F1B and has no other schedule");
  if (p.cp > 1 && p.context != ContextKind::all_to_all)
    cannot.emplace_back(
        "DeepSpeed splits the sequence by Ulysses' all-to-all (--context all-to-all), not as "
        "modelled");
  if (p.tp > 1 && p.sequence_parallel)
    cannot.emplace_back(
        "Megatron-DeepSpeed's tensor parallelism: --sequence-parallel is there "
        "without a pipeline of DeepSpeed only");
  if (element_bits(job.precision) < 16)
    cannot.push_back(
        fmt::format("ds_config.json has no {}; bf16 stands here", name(job.precision)));
}

std::string megatron_deepspeed_arguments(const Job& job, const ParallelPlan& p, double tokens) {
  std::string out =
      "# Megatron-DeepSpeed, beside its model arguments:\n"
      "--deepspeed --deepspeed_config ds_config.json";
  out += fmt::format(" --zero-stage {}", int(p.zero));
  out += fmt::format(" \\\n  --tensor-model-parallel-size {}", p.tp);
  out += p.pp > 1 ? fmt::format(" --pipeline-model-parallel-size {}", p.pp)
                  : std::string(" --no-pipeline-parallel");
  if (p.cp > 1) out += fmt::format(" --ds-sequence-parallel-size {}", p.cp);
  if (job.model->is_mixture())
    out += fmt::format(" --num-experts {} --moe-expert-parallel-size {} --topk {}",
                       job.model->moe.experts, p.ep, job.model->moe.active);
  out += fmt::format(" \\\n  --micro-batch-size {} --global-batch-size {:.0f} --seq-length {:.0f}",
                     p.micro_batch, p.global_batch(), job.sequence);
  const double steps = steps_of(job, p, tokens);
  if (steps > 0) out += fmt::format(" --train-iters {:.0f}", steps);
  if (p.recompute != Recompute::none)
    out += fmt::format(" \\\n  --deepspeed-activation-checkpointing --recompute-granularity {}",
                       workload::recompute_name(p.recompute));
  if (p.recompute == Recompute::full) out += " --recompute-method uniform";
  return out + "\n";
}

}  // namespace

LaunchFlags deepspeed_config(const Job& job, const ParallelPlan& plan, double tokens) {
  LaunchFlags out;
  out.launcher = Launcher::deepspeed;
  out.program = "DeepSpeed 0.16 or later (ds_config.json)";
  const char* half = job.precision == Precision::fp16 ? "fp16" : "bf16";
  out.text = fmt::format(
      "{{\n  \"train_batch_size\": {:.0f},\n  \"train_micro_batch_size_per_gpu\": {},\n"
      "  \"gradient_accumulation_steps\": {},\n  \"{}\": {{\"enabled\": true}},\n",
      plan.global_batch(), plan.micro_batch, plan.micro_batches, half);
  out.text += zero_object(plan);
  if (plan.tp > 1 && plan.pp == 1)
    out.text += fmt::format("  \"tensor_parallel\": {{\"autotp_size\": {}}},\n", plan.tp);
  out.text += "  \"gradient_clipping\": 1.0\n}\n";
  const bool more = plan.tp > 1 || plan.pp > 1 || plan.cp > 1 || job.model->is_mixture() ||
                    plan.recompute != Recompute::none;
  if (more) out.text += megatron_deepspeed_arguments(job, plan, tokens);
  deepspeed_limits(job, plan, out.cannot);
  return out;
}

}  // namespace headroom::train
