#include "train/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace headroom::train {

std::string_view zero_name(Zero z) {
  static constexpr std::string_view names[] = {"replicated", "optimizer", "gradients", "full"};
  return names[static_cast<int>(z)];
}

std::string summary(const ParallelPlan& plan) {
  std::string out = fmt::format("TP {} x PP {}", plan.tp, plan.pp);
  if (plan.vpp > 1) out += fmt::format(" (VPP {})", plan.vpp);
  if (plan.cp > 1) out += fmt::format(" x CP {}", plan.cp);
  out += fmt::format(" x DP {}", plan.dp);
  if (plan.ep > 1) out += fmt::format(", EP {}", plan.ep);
  out += fmt::format(", micro-batch {} x {}", plan.micro_batch, plan.micro_batches);
  if (plan.zero == Zero::full) out += ", FSDP";
  if (plan.recompute != Recompute::none)
    out += fmt::format(", {} recompute", workload::recompute_name(plan.recompute));
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

std::string megatron_flags(const ParallelPlan& plan, int layers, double sequences, int sequence,
                           std::string_view precision, double head_layers) {
  std::string out = fmt::format(
      "--tensor-model-parallel-size {} --pipeline-model-parallel-size {} "
      "--context-parallel-size {} --micro-batch-size {} --global-batch-size {:.0f} "
      "--num-layers {} --seq-length {} --max-position-embeddings {}",
      plan.tp, plan.pp, plan.cp, plan.micro_batch, sequences, layers, sequence, sequence);
  if (plan.vpp > 1) out += fmt::format(" --num-virtual-stages-per-pipeline-rank {}", plan.vpp);
  const auto stages = stage_layers(layers, plan.pp, plan.vpp, head_layers);
  if (stages.legal && !stages.even(layers, plan.pp))
    out +=
        fmt::format(" --decoder-first-pipeline-num-layers {} --decoder-last-pipeline-num-layers {}",
                    stages.first, stages.last);
  if (plan.ep > 1)
    out += fmt::format(" --expert-model-parallel-size {} --expert-tensor-parallel-size 1", plan.ep);
  if (plan.tp > 1 && plan.sequence_parallel) out += " --sequence-parallel";
  if (plan.zero == Zero::optimizer || plan.zero == Zero::gradients)
    out += " --use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather";
  if (plan.zero == Zero::full)
    out += " --use-megatron-fsdp --data-parallel-sharding-strategy optim_grads_params";
  if (plan.recompute == Recompute::full)
    out += " --recompute-granularity full --recompute-method uniform --recompute-num-layers 1";
  if (plan.recompute == Recompute::selective)
    out += " --recompute-granularity selective --recompute-modules layernorm moe_act";
  out += precision.substr(0, 3) == "fp8" || precision == "mxfp8" ? " --bf16 --fp8-format hybrid"
         : precision == "nvfp4"                                  ? " --bf16 --fp4-format e2m1"
         : precision == "fp16"                                   ? " --fp16"
                                                                 : " --bf16";
  return out;
}

}  // namespace headroom::train
