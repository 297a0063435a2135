#include "train/memory.hpp"

#include <algorithm>
#include <array>

namespace headroom::train {
namespace {

constexpr double wide = 2;

// CUDA context and libraries on an A100: 1,271-1,573 MiB (bigscience, tr11-176B-ml
// chronicles-prequel.md, 2022), rounded up.
constexpr double framework_bytes = 1.6e9;
// One NCCL communicator of four or eight ranks holds 392 MB (ai-dynamo/aiconfigurator,
// systems/h100_sxm.yaml, 2025).
constexpr double communicator_bytes = 392e6;
// What FSDP holds of gathered parameters: the layer that runs and the one prefetched.
constexpr double gathered_layers = 2;

struct Split {
  double dense = 1;    ///< ranks that share a dense parameter's sharded state
  double experts = 1;  ///< the same for routed experts
};

Split split_of(const ParallelPlan& p, bool sharded) {
  if (!sharded) return {1, 1};
  const double data = double(p.dp) * p.cp;
  return {data, p.ep > 1 ? std::max(1.0, data * p.tp / p.ep) : data};
}

/// Parameters on one rank before any sharding over data-parallel ranks.
struct OnRank {
  double dense = 0, experts = 0;
};

OnRank parameters_on(const Job& job, const Sizes& s, const ParallelPlan& p, double layers,
                     bool first, bool last) {
  OnRank r;
  const double ends = (first ? s.embedding : 0) +
                      (last && !(first && job.model->tied) ? s.head : 0) + (last ? s.mtp : 0);
  r.dense = (layers * s.layer_dense + ends) / p.tp;
  r.experts = layers * s.layer_experts / (p.ep > 1 ? p.ep : p.tp);
  return r;
}

double sharded(const OnRank& r, const Split& s) {
  return r.dense / s.dense + r.experts / s.experts;
}

struct Stage {
  double layers;
  bool first, last;
  double flight;
};

void add_state(const Job& job, const Sizes& sizes, const ParallelPlan& p, const Stage& stage,
               MemoryItems& out) {
  const auto state = workload::parameter_state(job.optimiser, job.state);
  const auto held = parameters_on(job, sizes, p, stage.layers, stage.first, stage.last);
  const auto weights = split_of(p, p.zero == Zero::full);
  const auto gradients = split_of(p, p.zero >= Zero::gradients);
  const auto optimiser = split_of(p, p.zero >= Zero::optimizer);
  double weight_bytes = state.weight.in(byte);
  // Transformer Engine keeps a narrow copy and its transpose beside the bf16 weight.
  if (bytes_per_element(job.precision) < weight_bytes)
    weight_bytes += 2 * bytes_per_element(job.precision);
  out.weights = weight_bytes * sharded(held, weights);
  OnRank trained = held;
  if (job.adapters_only()) trained = {stage.layers * sizes.adapters / p.tp, 0};
  if (job.adapters_only()) out.weights += state.weight.in(byte)*sharded(trained, weights);
  out.gradients = state.gradient.in(byte)*sharded(trained, gradients);
  out.optimiser = state.optimiser().in(byte)*sharded(trained, optimiser);
}

double buffer_bytes(const Job& job, const Sizes& s, const ParallelPlan& p) {
  double groups = 0;
  for (int n : {p.tp, p.pp, p.cp, p.dp, p.ep}) groups += n > 1;
  double bytes = groups * communicator_bytes;
  if (p.zero == Zero::full) {
    const double layer = s.layer_dense / p.tp + s.layer_experts / (p.ep > 1 ? p.ep : p.tp);
    bytes += gathered_layers * layer * wide * 2;  // weights and gradients
  }
  if (p.ep > 1) {
    const double entering = rank_tokens(job, p) / p.tp;
    bytes += 2 * entering * job.model->moe.active * job.imbalance * job.model->hidden * wide;
  }
  return bytes;
}

MemoryItems stage_memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                         const ParallelPlan& p, const Stage& stage) {
  MemoryItems out;
  add_state(job, sizes, p, stage, out);
  const double tokens = rank_tokens(job, p);
  out.activations = tokens * bytes.kept * stage.layers * stage.flight;
  if (p.recompute == Recompute::full) out.activations += tokens * bytes.working;
  // The loss holds the fp32 logits and their gradient in the compute format.
  if (stage.last) out.head = tokens * bytes.head * 1.5;
  out.buffers = buffer_bytes(job, sizes, p);
  out.framework = framework_bytes;
  out.reserve = job.software.reserve_share * out.allocated();
  out.last_stage = stage.last && !stage.first;
  return out;
}

/// Bytes a token's norm outputs and FFN activations take in a mean layer on one rank.
double cheap_bytes(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  double width = 0;
  for (const auto& c : workload::layer_classes(m)) {
    const double shared =
        m.moe.shared_ffn > 0 ? m.moe.shared_ffn : double(m.moe.shared) * m.moe.ffn;
    width += c.count * (c.mixture ? shared + double(m.moe.active) * m.moe.ffn : m.ffn);
  }
  const double norms = 2.0 * m.hidden / (p.sequence_parallel ? p.tp : 1);
  return wide * (norms + width / std::max(1, m.layers) / p.tp);
}

}  // namespace

MemoryItem largest(const MemoryItems& m) {
  const std::array<MemoryItem, 7> items = {{{"weights", m.weights},
                                            {"gradients", m.gradients},
                                            {"optimiser state", m.optimiser},
                                            {"activations", m.activations},
                                            {"logits", m.head},
                                            {"communication buffers", m.buffers},
                                            {"allocator reserve", m.reserve}}};
  return *std::max_element(items.begin(), items.end(),
                           [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
}

double in_flight(const ParallelPlan& p) {
  if (p.pp == 1) return 1;
  if (p.vpp == 1) return std::min(p.micro_batches, p.pp);
  // Chunks warmed up on rank 0: 2 (p - 1) + (v - 1) p, plus the one running.
  const double chunks = 2.0 * (p.pp - 1) + (p.vpp - 1.0) * p.pp + 1;
  return std::min(chunks, double(p.micro_batches) * p.vpp) / p.vpp;
}

ActivationBytes activation_bytes(const Job& job, const ParallelPlan& plan) {
  workload::ActivationOptions o;
  o.sequence = job.sequence / plan.cp;
  o.tensor = plan.tp;
  o.sequence_parallel = plan.sequence_parallel;
  o.flash = job.software.flash;
  o.dropout = job.software.dropout;
  const auto one = byte / token;
  ActivationBytes out;
  const double layers = std::max(1, job.model->layers);
  out.working = workload::activation_bytes(*job.model, o).in(one) / layers;
  out.head = workload::head_activation_bytes(*job.model, o).in(one);
  o.recompute = plan.recompute;
  if (o.flash && plan.recompute == Recompute::selective) {
    out.kept = out.working - cheap_bytes(job, plan);
    return out;
  }
  out.kept = workload::activation_bytes(*job.model, o).in(one) / layers;
  return out;
}

MemoryItems memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                   const ParallelPlan& plan) {
  const auto layers = stage_layers(plan, job.model->layers, sizes.head_layers);
  if (plan.pp == 1)
    return stage_memory(job, sizes, bytes, plan, {double(layers.first), true, true, 1});
  // The last rank keeps one micro-batch under 1F1B and v chunks of it when interleaved.
  const double tail = plan.vpp == 1 ? 1
                                    : std::min(double(plan.micro_batches),
                                               ((plan.vpp - 1.0) * plan.pp + 1) / plan.vpp);
  const double flight = in_flight(plan);
  const auto at = [&](int n, bool first, bool last, double held) {
    return stage_memory(job, sizes, bytes, plan, {double(n), first, last, held});
  };
  auto worst = at(layers.first, true, false, flight);
  const auto last = at(layers.last, false, true, tail);
  if (last.total() > worst.total()) worst = last;
  // The second rank holds one micro-batch less, but may hold more layers than the first.
  if (plan.pp > 2 && layers.middle > layers.first) {
    const double less = plan.vpp == 1 ? std::min(plan.micro_batches, plan.pp - 1)
                                      : std::max(1.0, flight - 2.0 / plan.vpp);
    const auto second = at(layers.middle, false, false, less);
    if (second.total() > worst.total()) worst = second;
  }
  return worst;
}

MemoryItems memory(const Job& job, const ParallelPlan& plan) {
  return memory(job, sizes(job), activation_bytes(job, plan), plan);
}

}  // namespace headroom::train
