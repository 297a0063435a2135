#include "train/plan.hpp"

#include <fmt/format.h>

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

StageLayers stage_layers(int layers, int pp, int vpp) {
  StageLayers s;
  if (layers < 1 || pp < 1 || vpp < 1 || (pp == 1 && vpp > 1)) return s;
  if (pp == 1) return {layers, layers, layers, true};
  int chunks = pp * vpp;
  int chunk = (layers + chunks - 1) / chunks;
  int missing = chunk * chunks - layers;
  // The last chunk carries the output head and gives up layers first. An end chunk may be left
  // with no layer at all: Llama 3 405B's 126 layers on 16 x 8 chunks of one.
  const int from_last = (missing + 1) / 2, from_first = missing / 2;
  s.middle = chunk * vpp;
  s.first = s.middle - from_first;
  s.last = s.middle - from_last;
  s.legal = from_last <= chunk && from_first <= chunk && s.first >= 1 && s.last >= 1;
  if (pp == 2) s.middle = s.first;  // there is no rank between
  return s;
}

std::string megatron_flags(const ParallelPlan& plan, int layers, double sequences, int sequence,
                           std::string_view precision) {
  std::string out = fmt::format(
      "--tensor-model-parallel-size {} --pipeline-model-parallel-size {} "
      "--context-parallel-size {} --micro-batch-size {} --global-batch-size {:.0f} "
      "--num-layers {} --seq-length {} --max-position-embeddings {}",
      plan.tp, plan.pp, plan.cp, plan.micro_batch, sequences, layers, sequence, sequence);
  if (plan.vpp > 1)
    out += fmt::format(" --num-virtual-stages-per-pipeline-rank {}", plan.vpp);
  if (plan.pp > 1 && layers % (plan.pp * plan.vpp) != 0)
    out += " --account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split";
  if (plan.ep > 1)
    out += fmt::format(" --expert-model-parallel-size {} --expert-tensor-parallel-size 1", plan.ep);
  if (plan.tp > 1 && plan.sequence_parallel) out += " --sequence-parallel";
  if (plan.zero == Zero::optimizer || plan.zero == Zero::gradients)
    out += " --use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather";
  if (plan.zero == Zero::full)
    out += " --use-megatron-fsdp --data-parallel-sharding-strategy optim_grads_params";
  if (plan.recompute == Recompute::full)
    out += " --recompute-granularity full --recompute-method uniform --recompute-num-layers 1";
  if (plan.recompute == Recompute::selective) out += " --recompute-granularity selective --recompute-modules layernorm moe_act";
  out += precision.substr(0, 3) == "fp8" || precision == "mxfp8" ? " --bf16 --fp8-format hybrid"
         : precision == "nvfp4"                                  ? " --bf16 --fp4-format e2m1"
         : precision == "fp16"                                   ? " --fp16"
                                                                 : " --bf16";
  return out;
}

}  // namespace headroom::train
