#include "train/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "train/pipeline.hpp"

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
  return std::max(1.0, double(copies()) * tp * cp * dp / (double(ep) * expert_tensor()));
}
double ParallelPlan::shard_ranks() const {
  const double all = data_ranks();
  return hsdp > 0 ? std::min(all, double(hsdp)) : all;
}
double ParallelPlan::expert_shard_ranks() const {
  return hsdp > 0 ? std::min(expert_data(), double(hsdp)) : expert_data();
}

std::string summary(const ParallelPlan& plan) {
  std::string out = fmt::format("TP {} x PP {}", plan.tp, plan.pp);
  if (plan.vpp > 1) out += fmt::format(" (VPP {})", plan.vpp);
  if (plan.schedule != Schedule::one_f_one_b)
    out += fmt::format(" ({})", schedule_name(plan.schedule));
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

}  // namespace headroom::train
