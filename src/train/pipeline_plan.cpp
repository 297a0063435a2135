#include "train/pipeline_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::train {
namespace {

constexpr double wide = 2;  // bytes of a bf16 or fp16 activation

StageTimes layer_times(const Job& job, const LayerCost& c, const ParallelPlan& p) {
  StageTimes t;
  t.f = c.forward();
  t.w = (job.adapters_only() ? c.adapter_b : c.gemm_b) / 2;
  t.b = c.backward() + recompute_layer_s(job, c, p) - t.w;
  return t;
}

StageTimes times(const StageTimes& layer, double layers) {
  return {layer.f * layers, layer.b * layers, layer.w * layers};
}

void add_embedding(StageTimes& t, const EndCost& e) { t.f += e.embedding_f, t.w += e.embedding_b; }
void add_head(StageTimes& t, const EndCost& e) {
  t.f += e.head_f, t.b += e.head_b / 2, t.w += e.head_b / 2;
}

/// A rank of `layers` in `chunks`: its outermost chunk, and each of the others.
struct Chunks {
  double outer = 0, inner = 0;
};
Chunks chunks_of(double layers, double middle, int chunks) {
  if (chunks == 1) return {layers, layers};
  const double even = middle / chunks, outer = std::max(0.0, layers - (chunks - 1) * even);
  return {outer, (layers - outer) / (chunks - 1)};
}

}  // namespace

StageLayers pipeline_layers(const Job& job, const Sizes& sizes, const ParallelPlan& p) {
  if (p.schedule == Schedule::zero_bubble_v && p.pp > 1)
    return stage_layers(job.model->layers, 2 * p.pp, 1, p.balanced ? sizes.head_layers : 0);
  return stage_layers(p, job.model->layers, sizes.head_layers);
}

double recompute_layer_s(const Job& job, const LayerCost& c, const ParallelPlan& p) {
  const double share =
      p.recompute_layers > 0
          ? std::min(1.0, double(p.recompute_layers) * p.pp * p.vpp / job.model->layers)
          : 1;
  switch (p.recompute) {
    case Recompute::none:
      return 0;
    case Recompute::selective:
      if (!p.modules.empty()) return c.again_f;
      return (job.software.flash ? c.stream_f : c.attention_f) +
             job.software.selective_products * c.gemm_f;
    case Recompute::full:
      return share * (c.compute_f() - (job.software.early_stop ? c.last_f : 0) + c.tensor_f +
                      c.expert_f + c.context_f + c.floor_f);
  }
  return 0;
}

double send_s(const Job& job, const ParallelPlan& plan) {
  if (plan.pp == 1) return 0;
  const auto size = rank_tokens(job, plan) * job.model->hidden * wide / plan.tp * byte;
  const bool near = 2 * plan.tp * plan.cp * plan.dp <= job.domain;
  return fabric::point_to_point(job.path, size, near).si();
}

Pipeline plan_pipeline(const Job& job, const PlanCosts& costs, const ParallelPlan& plan) {
  Pipeline out;
  out.schedule = plan.schedule, out.ranks = plan.pp;
  out.chunks = plan.schedule == Schedule::one_f_one_b ? plan.vpp : 1;
  const auto split = pipeline_layers(job, costs.sizes, plan);
  if (!split.legal) {
    out.micro_batches = 0;
    return out;
  }
  out.micro_batches = plan.micro_batches;
  const auto layer = layer_times(job, costs.layer, plan);
  const auto first = chunks_of(split.first, split.middle, out.chunks);
  const auto last = chunks_of(split.last, split.middle, out.chunks);
  out.first = times(layer, first.outer), out.first_inner = times(layer, first.inner);
  out.last = times(layer, last.outer), out.last_inner = times(layer, last.inner);
  out.middle = times(layer, double(split.middle) / out.chunks);
  add_embedding(out.first, costs.ends);
  // One rank is both ends; the V has its second stage there, which may hold no layer.
  const bool single = plan.pp == 1 && plan.schedule != Schedule::zero_bubble_v;
  if (plan.pp == 1 && !single) out.last = {};
  add_head(single ? out.first : out.last, costs.ends);
  out.send_s = send_s(job, plan);
  out.exposed = 1 - job.software.pipeline_overlap;
  if (layer.total() > 0)
    out.paired = 1 - (costs.layer.expert_f + costs.layer.expert_b) / layer.total();
  return out;
}

std::string schedule_problem(const Job& job, const ParallelPlan& plan) {
  const int layers = job.model->layers;
  if (plan.schedule == Schedule::zero_bubble_v && plan.pp > 1) {
    const auto all = sizes(job);
    const auto fits = [&](int ranks) {
      ParallelPlan p = plan;
      p.pp = ranks;
      return ranks == 1 || pipeline_layers(job, all, p).legal;
    };
    int ranks = plan.pp;
    while (!fits(ranks)) --ranks;
    if (ranks < plan.pp)
      return fmt::format("zb-v lays two chunks on each of {} ranks, and {} layers do not; take {}",
                         plan.pp, layers, ranks > 1 ? fmt::format("{} ranks", ranks) : "1f1b");
  }
  return schedule_problem(plan.schedule, plan.pp, plan.vpp, plan.micro_batches);
}

}  // namespace headroom::train
