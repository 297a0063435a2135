#include "train/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace headroom::train {

std::string_view zero_name(Zero z) {
  static constexpr std::string_view names[] = {"replicated", "optimizer", "gradients", "full"};
  return names[static_cast<int>(z)];
}

namespace {
constexpr std::array<std::string_view, workload::module_count> modules_by_bit = {
    "core_attn", "layernorm", "mla_up_proj", "moe_act", "mlp", "moe", "shared_experts", "op"};
}  // namespace

std::string_view context_name(ContextKind kind) {
  static constexpr std::string_view names[] = {"ring", "all-to-all", "all-gather"};
  return names[static_cast<int>(kind)];
}

std::span<const std::string_view> module_names() { return modules_by_bit; }

std::string module_list(Modules modules) {
  std::string out;
  for (std::size_t i = 0; i < modules_by_bit.size(); ++i) {
    if (!modules.has(static_cast<Module>(i))) continue;
    if (!out.empty()) out += ' ';
    out += modules_by_bit[i];
  }
  return out;
}

double ParallelPlan::expert_data() const {
  return std::max(1.0, double(tp) * cp * dp / (double(ep) * expert_tensor()));
}
double ParallelPlan::shard_ranks() const {
  const double all = double(dp) * cp;
  return hsdp > 0 ? std::min(all, double(hsdp)) : all;
}
double ParallelPlan::expert_shard_ranks() const {
  return hsdp > 0 ? std::min(expert_data(), double(hsdp)) : expert_data();
}

std::string summary(const ParallelPlan& plan) {
  std::string out = fmt::format("TP {} x PP {}", plan.tp, plan.pp);
  if (plan.vpp > 1) out += fmt::format(" (VPP {})", plan.vpp);
  if (plan.cp > 1) out += fmt::format(" x CP {}", plan.cp);
  out += fmt::format(" x DP {}", plan.dp);
  if (plan.cp > 1 && plan.context != ContextKind::ring)
    out += fmt::format(" ({})", context_name(plan.context));
  if (plan.ep > 1) out += fmt::format(", EP {}", plan.ep);
  if (plan.etp > 0) out += fmt::format(" x ETP {}", plan.etp);
  out += fmt::format(", micro-batch {} x {}", plan.micro_batch, plan.micro_batches);
  if (plan.zero == Zero::full) out += ", FSDP";
  if (plan.hsdp > 0) out += fmt::format(" in groups of {}", plan.hsdp);
  if (plan.recompute != Recompute::none)
    out += fmt::format(", {} recompute", workload::recompute_name(plan.recompute));
  if (!plan.modules.empty()) out += fmt::format(" ({})", module_list(plan.modules));
  if (plan.recompute_layers > 0) out += fmt::format(" of {} layers", plan.recompute_layers);
  if (plan.first_layers > 0) out += fmt::format(", first stage {} layers", plan.first_layers);
  if (plan.last_layers > 0) out += fmt::format(", last stage {} layers", plan.last_layers);
  if (plan.offload_activations > 0)
    out += fmt::format(", {:.0f} % of activations on the host", 100 * plan.offload_activations);
  if (plan.offload_optimiser > 0)
    out += fmt::format(", {:.0f} % of the optimiser on the host", 100 * plan.offload_optimiser);
  return out;
}

namespace {

/// `middle` layers on every rank but the ends, which give up what is missing: both the same,
/// or the last one more, until the head no longer makes it the slowest.
StageLayers with_middle(int layers, int pp, int middle, double head) {
  const int missing = middle * pp - layers;
  const int room = head > 0 ? middle : middle - 1;
  if (missing < 0 || missing > room + middle - 1) return {};
  const int relief = std::min(missing, to_count(std::ceil(head)));
  int last = std::min(std::max((missing + 1) / 2, relief), room);
  if (missing - last > middle - 1) last = missing - (middle - 1);
  return {middle - (missing - last), middle, middle - last, true};
}

double pace(const StageLayers& s, int pp, double head) {
  return std::max({double(pp > 2 ? s.middle : 0), double(s.first), s.last + head});
}

}  // namespace

StageLayers stage_layers(int layers, int pp, int vpp, double head_layers) {
  if (layers < 1 || pp < 1 || vpp < 1 || (pp == 1 && vpp > 1) || layers < pp - 1) return {};
  if (pp == 1) return {layers, layers, layers, true};
  const int chunks = pp * vpp, least = (layers + chunks - 1) / chunks * vpp;
  auto best = with_middle(layers, pp, least, head_layers);
  // More layers in the middle help only while they take work from the slowest last rank.
  for (int middle = least + vpp; middle <= least + 4 * vpp; middle += vpp) {
    if (best.legal && pace(best, pp, head_layers) <= middle) break;
    const auto other = with_middle(layers, pp, middle, head_layers);
    if (other.legal && (!best.legal || pace(other, pp, head_layers) < pace(best, pp, head_layers)))
      best = other;
  }
  return best;
}

StageLayers stage_layers(const ParallelPlan& plan, int layers, double head_layers) {
  const int pp = plan.pp, first = plan.first_layers, last = plan.last_layers;
  if (pp == 1 || (first == 0 && last == 0))
    return stage_layers(layers, pp, plan.vpp, plan.balanced ? head_layers : 0);
  const int free_ranks = pp - (first > 0) - (last > 0), rest = layers - first - last;
  if (free_ranks == 0) return {first, 0, last, rest == 0};
  if (rest < free_ranks || rest % (free_ranks * plan.vpp) != 0) return {};
  const int each = rest / free_ranks;
  return {first > 0 ? first : each, each, last > 0 ? last : each, true};
}

std::string megatron_flags(const ParallelPlan& plan, int layers, double sequences, int sequence,
                           std::string_view precision, double head_layers) {
  std::string out = fmt::format(
      "--tensor-model-parallel-size {} --pipeline-model-parallel-size {} "
      "--context-parallel-size {} --micro-batch-size {} --global-batch-size {:.0f} "
      "--num-layers {} --seq-length {} --max-position-embeddings {}",
      plan.tp, plan.pp, plan.cp, plan.micro_batch, sequences, layers, sequence, sequence);
  if (plan.vpp > 1) out += fmt::format(" --num-virtual-stages-per-pipeline-rank {}", plan.vpp);
  const auto stages = stage_layers(plan, layers, head_layers);
  if (stages.legal && !stages.even(layers, plan.pp))
    out +=
        fmt::format(" --decoder-first-pipeline-num-layers {} --decoder-last-pipeline-num-layers {}",
                    stages.first, stages.last);
  if (plan.ep > 1 || plan.etp > 0)
    out += fmt::format(" --expert-model-parallel-size {} --expert-tensor-parallel-size {}", plan.ep,
                       plan.expert_tensor());
  if (plan.cp > 1 && plan.context != ContextKind::ring)
    out += plan.context == ContextKind::all_to_all ? " --cp-comm-type a2a"
                                                   : " --cp-comm-type all_gather";
  if (plan.tp > 1 && plan.sequence_parallel) out += " --sequence-parallel";
  if (plan.zero == Zero::optimizer || plan.zero == Zero::gradients)
    out += " --use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather";
  if (plan.zero == Zero::full)
    out += " --use-megatron-fsdp --data-parallel-sharding-strategy optim_grads_params";
  if (plan.hsdp > 0 && plan.zero != Zero::replicated)
    out += fmt::format(" --num-distributed-optimizer-instances {:.0f}",
                       double(plan.dp) * plan.cp / plan.shard_ranks());
  if (plan.recompute == Recompute::full)
    out += plan.recompute_layers > 0 ? fmt::format(
                                           " --recompute-granularity full --recompute-method block "
                                           "--recompute-num-layers {}",
                                           plan.recompute_layers)
                                     : " --recompute-granularity full --recompute-method uniform "
                                       "--recompute-num-layers 1";
  if (plan.recompute == Recompute::selective)
    out += " --recompute-granularity selective --recompute-modules " +
           (plan.modules.empty() ? "layernorm moe_act" : module_list(plan.modules));
  if (plan.offload_optimiser > 0)
    out += fmt::format(" --optimizer-cpu-offload --optimizer-offload-fraction {:.2f}",
                       plan.offload_optimiser);
  out += precision.substr(0, 3) == "fp8" || precision == "mxfp8" ? " --bf16 --fp8-format hybrid"
         : precision == "nvfp4"                                  ? " --bf16 --fp4-format e2m1"
         : precision == "fp16"                                   ? " --fp16"
                                                                 : " --bf16";
  return out;
}

}  // namespace headroom::train
