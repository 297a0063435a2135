#include "train/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace headroom::train {
namespace {

std::string experts(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  if (p.etp == 0) return {};
  if (!m.is_mixture()) return "etp needs a mixture of experts; leave it out";
  if (m.moe.ffn % p.etp != 0)
    return fmt::format("etp {} does not divide the experts' width {}; nearest is {}", p.etp,
                       m.moe.ffn, nearest_divisor(m.moe.ffn, p.etp));
  const int ranks = p.tp * p.cp * p.dp;
  if (ranks % (p.ep * p.etp) != 0)
    return fmt::format("ep {} x etp {} does not divide tp x cp x dp = {}; nearest etp is {}", p.ep,
                       p.etp, ranks, ranks % p.ep == 0 ? nearest_divisor(ranks / p.ep, p.etp) : 1);
  return {};
}

std::string groups(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  if (p.hsdp > 0 && p.zero == Zero::replicated)
    return "hsdp shares out sharded state, and ZeRO stage 0 shards nothing; take stage 3";
  if (p.hsdp > 0 && (p.dp * p.cp) % p.hsdp != 0)
    return fmt::format("hsdp {} does not divide dp x cp = {}; nearest is {}", p.hsdp, p.dp * p.cp,
                       nearest_divisor(p.dp * p.cp, p.hsdp));
  if (p.cp > 1 && p.context == ContextKind::all_to_all && m.heads % (p.tp * p.cp) != 0)
    return fmt::format(
        "all-to-all context parallelism spreads {} heads over tp x cp = {} ranks; nearest cp is "
        "{}, or take the ring",
        m.heads, p.tp * p.cp, m.heads % p.tp == 0 ? nearest_divisor(m.heads / p.tp, p.cp) : 1);
  return {};
}

std::string stages(const Job& job, const ParallelPlan& p) {
  if (p.first_layers == 0 && p.last_layers == 0) return {};
  if (p.pp == 1) return "layers of the first and last stage need a pipeline; take pp 2 or more";
  const int layers = job.model->layers;
  if (stage_layers(p, layers, 1).legal) return {};
  const int between = p.pp - (p.first_layers > 0) - (p.last_layers > 0);
  if (between == 0)
    return fmt::format("stages of {} and {} layers are not {} layers; the nearest split is {} + {}",
                       p.first_layers, p.last_layers, layers, layers - p.last_layers,
                       p.last_layers);
  const int unit = between * p.vpp, rest = layers - p.first_layers - p.last_layers;
  const int fit = std::max(1, (rest + unit / 2) / unit) * unit;
  return fmt::format(
      "first {} and last {} layers leave {} of {} for {} stages between (vpp {}), which needs a "
      "multiple of {}; nearest is {}",
      p.first_layers, p.last_layers, rest, layers, between, p.vpp, unit, fit);
}

std::string modules(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  if (!p.modules.empty() && p.recompute != Recompute::selective)
    return fmt::format("modules ({}) are recomputed by selective recomputation only",
                       module_list(p.modules));
  if (p.modules.has(Module::mla_up_proj) && !m.is_latent())
    return "mla_up_proj needs latent attention; layernorm is the nearest for this model";
  if (p.modules.has(Module::moe) && !m.is_mixture())
    return "moe needs a mixture of experts; mlp is the nearest for this model";
  if (p.modules.has(Module::shared_experts) && m.moe.shared < 1 && m.moe.shared_ffn < 1)
    return "the model has no shared experts to recompute; leave shared_experts out";
  if (p.recompute_layers == 0) return {};
  if (p.recompute != Recompute::full)
    return "a number of layers is recomputed by full recomputation only";
  const auto split = stage_layers(p, m.layers, 0);
  const int most = std::max({split.first, split.middle, split.last}) / std::max(1, p.vpp);
  if (split.legal && p.recompute_layers > most)
    return fmt::format("a stage's chunk has {} layers, and {} are to be recomputed; nearest is {}",
                       most, p.recompute_layers, most);
  return {};
}

bool share(double x) { return x >= 0 && x <= 1; }

}  // namespace

std::string illegal_options(const Job& job, const ParallelPlan& p) {
  for (auto* rule : {experts, groups, stages, modules})
    if (auto why = rule(job, p); !why.empty()) return why;
  if (!share(p.offload_activations) || !share(p.offload_optimiser))
    return "the share that is offloaded lies between 0 and 100 %";
  return {};
}

int nearest_divisor(int n, int wanted) {
  int best = 1;
  for (int d = 1; d <= n; ++d)
    if (n % d == 0 && std::abs(d - wanted) < std::abs(best - wanted)) best = d;
  return best;
}

}  // namespace headroom::train
