#include "train/flags.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace headroom::train {
namespace {

using Flags = std::vector<std::string>;

template <class T>
void put(Flags& out, const char* flag, const T& value) {
  out.push_back(fmt::format("{} {}", flag, value));
}

// --- Model ------------------------------------------------------------------------------

void attention_flags(const catalog::Model& m, Flags& out) {
  put(out, "--num-attention-heads", m.heads);
  if (m.is_latent()) {
    out.emplace_back("--multi-latent-attention");
    if (m.mla.q_rank > 0) put(out, "--q-lora-rank", m.mla.q_rank);
    put(out, "--kv-lora-rank", m.mla.kv_rank);
    put(out, "--qk-head-dim", m.mla.nope_dim);
    put(out, "--qk-pos-emb-head-dim", m.mla.rope_dim);
    put(out, "--v-head-dim", m.mla.value_dim);
  } else {
    if (m.head_width() * m.heads != m.hidden) put(out, "--kv-channels", m.head_width());
    if (m.kv_head_count() < m.heads) {
      out.emplace_back("--group-query-attention");
      put(out, "--num-query-groups", m.kv_head_count());
    }
  }
  if (m.qkv_bias) out.emplace_back("--add-qkv-bias");
  if (m.qk_norm || m.is_latent()) out.emplace_back("--qk-layernorm");
}

/// "([0]*3+[1]*58)": which layers are mixtures.
std::string mixture_pattern(const catalog::Model& m) {
  if (m.moe.period > 1) return fmt::format("{}", m.moe.period);
  return fmt::format("\"([0]*{}+[1]*{})\"", m.moe.first_dense, m.layers - m.moe.first_dense);
}

Flags mixture_flags(const catalog::Model& m) {
  Flags out;
  put(out, "--num-experts", m.moe.experts);
  put(out, "--moe-router-topk", m.moe.active);
  put(out, "--moe-ffn-hidden-size", m.moe.ffn);
  if (m.moe.shared > 0 || m.moe.shared_ffn > 0)
    put(out, "--moe-shared-expert-intermediate-size",
        m.moe.shared_ffn > 0 ? m.moe.shared_ffn : m.moe.shared * m.moe.ffn);
  if (m.moe.first_dense > 0 || m.moe.period > 1) put(out, "--moe-layer-freq", mixture_pattern(m));
  out.emplace_back("--moe-grouped-gemm");
  out.emplace_back("--moe-token-dispatcher-type alltoall");
  out.emplace_back("--moe-router-load-balancing-type aux_loss");
  out.emplace_back("--moe-aux-loss-coeff 1e-3");
  return out;
}

Flags model_flags(const Job& job, Flags& cannot) {
  const auto& m = *job.model;
  Flags out;
  put(out, "--num-layers", m.layers);
  put(out, "--hidden-size", m.hidden);
  put(out, "--ffn-hidden-size", m.ffn > 0 ? m.ffn : m.moe.ffn * std::max(1, m.moe.active));
  attention_flags(m, out);
  put(out, "--seq-length", int(job.sequence));
  put(out, "--max-position-embeddings", std::max(int(job.sequence), m.learned_positions));
  put(out, "--position-embedding-type", m.learned_positions > 0 ? "learned_absolute" : "rope");
  put(out, "--normalization", m.norm == catalog::Norm::rms ? "RMSNorm" : "LayerNorm");
  if (m.gated) out.emplace_back("--swiglu");
  if (!m.ffn_bias && !m.output_bias) out.emplace_back("--disable-bias-linear");
  if (!m.tied) out.emplace_back("--untie-embeddings-and-output-weights");
  put(out, "--vocab-size", m.vocab);
  if (m.mtp_layers > 0) put(out, "--mtp-num-layers", m.mtp_layers);
  if (m.window > 0) put(out, "--window-size", fmt::format("{},0", m.window));
  if (m.window > 0 && m.global_every > 0)
    cannot.push_back(fmt::format(
        "every {}th layer attends globally, and --window-size holds for all layers unless "
        "--window-attn-skip-freq is there (Megatron-Core 0.14)",
        m.global_every));
  return out;
}

// --- Parallel plan ----------------------------------------------------------------------

void pipeline_flags(const ParallelPlan& p, int layers, double head_layers, int mtp, Flags& out) {
  put(out, "--pipeline-model-parallel-size", p.pp);
  const auto stages = stage_layers(p, layers, head_layers);
  const bool even = !stages.legal || p.pp == 1 || stages.even(layers, p.pp);
  if (even && p.vpp > 1) put(out, "--num-virtual-stages-per-pipeline-rank", p.vpp);
  if (even) return;
  if (p.vpp == 1) {
    put(out, "--decoder-first-pipeline-num-layers", stages.first);
    put(out, "--decoder-last-pipeline-num-layers", stages.last);
    return;
  }
  // With chunks the ends' layers would have to be multiples of vpp; a layout may be any, and
  // says vpp itself.
  put(out, "--pipeline-model-parallel-layout",
      fmt::format("\"{}\"", pipeline_layout(stages, p.pp, p.vpp, mtp)));
}

void sharding_flags(const ParallelPlan& p, Flags& out) {
  if (p.dp * p.cp == 1) return;
  if (p.hsdp > 0 && p.zero != Zero::replicated)
    put(out, "--num-distributed-optimizer-instances",
        fmt::format("{:.0f}", double(p.dp) * p.cp / p.shard_ranks()));
  switch (p.zero) {
    case Zero::replicated:
      out.emplace_back("--overlap-grad-reduce");
      return;
    case Zero::optimizer:
      out.emplace_back("--use-distributed-optimizer");
      out.emplace_back("--overlap-grad-reduce");
      out.emplace_back("--overlap-param-gather");
      return;
    case Zero::gradients:
    case Zero::full:
      out.emplace_back("--use-megatron-fsdp");
      put(out, "--data-parallel-sharding-strategy",
          p.zero == Zero::full ? "optim_grads_params" : "optim_grads");
      out.emplace_back("--use-distributed-optimizer");
      out.emplace_back("--no-gradient-accumulation-fusion");
      out.emplace_back("--ckpt-format fsdp_dtensor");
      return;
  }
}

void recompute_flags(const ParallelPlan& p, bool flash, bool mixture, Flags& out, Flags& cannot) {
  if (p.recompute == Recompute::full) {
    out.emplace_back("--recompute-granularity full");
    put(out, "--recompute-method", p.recompute_layers > 0 ? "block" : "uniform");
    put(out, "--recompute-num-layers", std::max(1, p.recompute_layers));
  } else if (p.recompute == Recompute::selective) {
    out.emplace_back("--recompute-granularity selective");
    const char* usual = !flash ? "core_attn" : mixture ? "layernorm moe_act" : "layernorm";
    put(out, "--recompute-modules", p.modules.empty() ? usual : module_list(p.modules));
    if (p.modules.has(Module::op))
      cannot.emplace_back("`op` is torchtitan's selective recomputation, Megatron-Core has none");
  }
}

void offload_flags(const ParallelPlan& p, Flags& out, Flags& cannot) {
  if (p.offload_optimiser > 0) {
    out.emplace_back("--optimizer-cpu-offload");
    put(out, "--optimizer-offload-fraction", fmt::format("{:.2f}", p.offload_optimiser));
    out.emplace_back("--use-precision-aware-optimizer");
  }
  if (p.offload_activations > 0)
    cannot.emplace_back(
        "activations are offloaded by module "
        "(--fine-grained-activation-offloading), not by a share of the layers");
}

const char* context_flag(ContextKind kind) {
  if (kind == ContextKind::all_to_all) return "a2a";
  return kind == ContextKind::all_gather ? "all_gather" : "p2p";
}

Flags plan_flags(const Job& job, const ParallelPlan& p, Flags& cannot) {
  Flags out;
  put(out, "--tensor-model-parallel-size", p.tp);
  if (p.tp > 1 && p.sequence_parallel) out.emplace_back("--sequence-parallel");
  if (p.tp > 1 && job.software.tensor_overlap > 0) out.emplace_back("--tp-comm-overlap");
  pipeline_flags(p, job.model->layers, sizes(job).head_layers, job.model->mtp_layers, out);
  put(out, "--context-parallel-size", p.cp);
  if (p.cp > 1) put(out, "--cp-comm-type", context_flag(p.context));
  if (job.model->is_mixture()) {
    put(out, "--expert-model-parallel-size", p.ep);
    put(out, "--expert-tensor-parallel-size", p.expert_tensor());
  }
  sharding_flags(p, out);
  recompute_flags(p, job.software.flash, job.model->is_mixture(), out, cannot);
  offload_flags(p, out, cannot);
  if (p.schedule != Schedule::one_f_one_b)
    cannot.emplace_back("Megatron-Core has 1F1B, plain and interleaved, and no other schedule");
  return out;
}

// --- Precision, batch -------------------------------------------------------------------

Flags precision_flags(const Job& job, Flags& cannot) {
  Flags out;
  switch (job.precision) {
    case Precision::fp16:
      return {"--fp16"};
    case Precision::fp32:
    case Precision::tf32:
      return {};
    case Precision::fp8:
      out = {"--bf16", "--fp8-format hybrid", "--fp8-recipe tensorwise"};
      break;
    case Precision::fp8_block:
      // Megatron-Core 0.13 or later, arguments.py: choices tensorwise, delayed, mxfp8, blockwise.
      out = {"--bf16", "--fp8-format e4m3", "--fp8-recipe blockwise"};
      break;
    case Precision::mxfp8:
      out = {"--bf16", "--fp8-format e4m3", "--fp8-recipe mxfp8"};
      break;
    case Precision::nvfp4:
      out = {"--bf16", "--fp4-format e2m1", "--fp4-recipe nvfp4"};
      break;
    case Precision::bf16:
      out = {"--bf16"};
      break;
    default:
      cannot.push_back(
          fmt::format("no recipe trains in {}; bf16 stands here", name(job.precision)));
      out = {"--bf16"};
  }
  if (job.state == workload::TrainingPrecision::bf16_bf16_grads)
    out.emplace_back("--grad-reduce-in-bf16");
  return out;
}

Flags batch_flags(const Job& job, const ParallelPlan& p, double tokens) {
  Flags out;
  put(out, "--micro-batch-size", p.micro_batch);
  put(out, "--global-batch-size", fmt::format("{:.0f}", p.global_batch()));
  const double step = p.global_batch() * job.sequence;
  if (tokens > 0 && step > 0)
    put(out, "--train-iters", fmt::format("{:.0f}", std::ceil(tokens / step)));
  return out;
}

const char* megatron_optimiser(workload::Optimiser o) {
  using workload::Optimiser;
  if (o == Optimiser::sgd || o == Optimiser::sgd_momentum) return "sgd";
  return o == Optimiser::muon ? "muon" : "adam";
}

Flags runtime_flags(const Job& job, Flags& cannot) {
  Flags out{"--use-mcore-models", "--transformer-impl transformer_engine"};
  out.emplace_back(job.software.flash ? "--attention-backend auto" : "--attention-backend unfused");
  out.emplace_back(fmt::format("--optimizer {}", megatron_optimiser(job.optimiser)));
  if (job.software.host_per_layer_s <= 0) out.emplace_back("--cuda-graph-impl local");
  using workload::Optimiser;
  if (job.optimiser == Optimiser::adam_8bit || job.optimiser == Optimiser::adafactor ||
      job.optimiser == Optimiser::lion)
    cannot.emplace_back("this optimiser is not in Megatron-Core; adam stands here");
  if (job.method == Method::lora)
    cannot.emplace_back("pretrain_gpt.py has no LoRA: Megatron-Bridge does (peft: lora)");
  return out;
}

std::string lines_of(const std::vector<FlagGroup>& groups) {
  std::string out = "pretrain_gpt.py";
  for (const auto& group : groups) {
    if (group.flags.empty()) continue;
    std::string line;
    for (const auto& flag : group.flags) {
      if (!line.empty() && line.size() + flag.size() > 96) {
        out += " \\\n  " + line;
        line.clear();
      }
      line += (line.empty() ? "" : " ") + flag;
    }
    out += " \\\n  " + line;
  }
  return out + "\n";
}

}  // namespace

std::span<const std::string_view> launcher_names() {
  static constexpr std::array<std::string_view, 3> names = {"megatron", "torchtitan", "deepspeed"};
  return names;
}

std::string pipeline_layout(const StageLayers& stages, int pp, int vpp, int mtp) {
  if (!stages.legal || pp < 2 || vpp < 1) return {};
  const int chunk = stages.middle / vpp, count = pp * vpp;
  std::vector<int> layers(count, chunk);
  int first = stages.middle - stages.first, last = stages.middle - stages.last;
  for (int v = 0; v < vpp && first > 0; ++v) {
    const int taken = std::min(first, chunk);
    layers[v * pp] -= taken, first -= taken;
  }
  for (int v = vpp - 1; v >= 0 && last > 0; --v) {
    const int taken = std::min(last, chunk);
    layers[v * pp + pp - 1] -= taken, last -= taken;
  }
  const auto text = [](int n) { return n > 3 ? fmt::format("t*{}", n) : std::string(n, 't'); };
  std::string out = "E" + text(layers[0]) + "|";
  for (int i = 1; i < count - 1;) {
    int j = i;
    while (j < count - 1 && layers[j] == layers[i]) ++j;
    out += j - i > 1 ? fmt::format("({}|)*{}", text(layers[i]), j - i) : text(layers[i]) + "|";
    i = j;
  }
  return out + text(layers[count - 1]) + std::string(mtp, 'm') + "L";
}

std::vector<FlagGroup> megatron_groups(const Job& job, const ParallelPlan& plan, double tokens,
                                       std::vector<std::string>& cannot) {
  std::vector<FlagGroup> out;
  out.push_back({"model", model_flags(job, cannot)});
  if (job.model->is_mixture()) out.push_back({"mixture", mixture_flags(*job.model)});
  out.push_back({"plan", plan_flags(job, plan, cannot)});
  out.push_back({"batch", batch_flags(job, plan, tokens)});
  out.push_back({"precision", precision_flags(job, cannot)});
  out.push_back({"runtime", runtime_flags(job, cannot)});
  return out;
}

LaunchFlags launch_flags(Launcher launcher, const Job& job, const ParallelPlan& plan,
                         double tokens) {
  if (launcher == Launcher::torchtitan) return torchtitan_config(job, plan, tokens);
  if (launcher == Launcher::deepspeed) return deepspeed_config(job, plan, tokens);
  LaunchFlags out;
  out.program = "Megatron-LM pretrain_gpt.py (Megatron-Core 0.13 or later)";
  // SHARP: the library's switch is in the environment, not among the arguments.
  if (job.path.in_network.si() > 0) out.text = "NCCL_COLLNET_ENABLE=1 ";
  out.text += lines_of(megatron_groups(job, plan, tokens, out.cannot));
  return out;
}

std::string megatron_flags(const ParallelPlan& plan, int layers, double sequences, int sequence,
                           std::string_view precision, double head_layers) {
  Flags out, ignored;
  put(out, "--tensor-model-parallel-size", plan.tp);
  pipeline_flags(plan, layers, head_layers, 0, out);
  put(out, "--context-parallel-size", plan.cp);
  if (plan.cp > 1 && plan.context != ContextKind::ring)
    put(out, "--cp-comm-type", context_flag(plan.context));
  put(out, "--micro-batch-size", plan.micro_batch);
  put(out, "--global-batch-size", fmt::format("{:.0f}", sequences));
  put(out, "--num-layers", layers);
  put(out, "--seq-length", sequence);
  put(out, "--max-position-embeddings", sequence);
  if (plan.ep > 1 || plan.etp > 0) {
    put(out, "--expert-model-parallel-size", plan.ep);
    put(out, "--expert-tensor-parallel-size", plan.expert_tensor());
  }
  if (plan.tp > 1 && plan.sequence_parallel) out.emplace_back("--sequence-parallel");
  sharding_flags(plan, out);
  recompute_flags(plan, true, true, out, ignored);
  offload_flags(plan, out, ignored);
  const bool fp8 = precision.substr(0, 3) == "fp8" || precision == "mxfp8";
  out.emplace_back(precision == "fp16" ? "--fp16" : "--bf16");
  const bool block = precision == name(Precision::fp8_block);
  if (fp8) out.emplace_back(block ? "--fp8-format e4m3" : "--fp8-format hybrid");
  if (block) out.emplace_back("--fp8-recipe blockwise");
  if (precision == "nvfp4") out.emplace_back("--fp4-format e2m1");
  return fmt::format("{}", fmt::join(out, " "));
}

}  // namespace headroom::train
