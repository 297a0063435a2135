#include "train/memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "train/memory_state.hpp"
#include "train/pipeline_plan.hpp"

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
// Gradients on their way through FSDP's reduce-scatter: as computed, and widened to fp32.
constexpr double reduced_bytes = wide + 4;
// Layers of offloaded activations that are still, or again, on the GPU.
constexpr double offload_buffers = 2;

double fsdp_bytes(const Job& job, const Sizes& s, const ParallelPlan& p, const Stage& stage) {
  if (p.zero != Zero::full || double(p.dp) * p.cp <= 1) return 0;
  const double layer = s.layer_dense / p.tp + s.layer_experts / (double(p.ep) * p.expert_tensor());
  const double layer_gradients = job.adapters_only() ? s.adapters / p.tp : layer;
  const double head = stage.last ? s.head : 0;
  const double ends = ((stage.first ? s.embedding : 0) + (job.model->tied ? 0 : head)) / p.tp;
  // In a pipeline every micro-batch passes a stage between two of another: it stays gathered,
  // and its gradients are added up before they are reduced (torchtitan's default).
  if (p.pp > 1) return stage.layers * (wide * layer + 4 * layer_gradients) + (wide + 4) * ends;
  // The root holds embedding and head through the step, and the head's gradient from the loss on.
  const double head_gradient = job.adapters_only() ? 0 : head / p.tp;
  return gathered_layers * wide * layer + reduced_bytes * layer_gradients +
         wide * (ends + head_gradient);
}

double exchange_bytes(const Job& job, const ParallelPlan& p) {
  if (p.ep == 1) return 0;
  const double entering = rank_tokens(job, p) / p.tp;
  return 2 * entering * job.model->moe.active * hottest(job) * job.model->hidden * wide;
}

double communicator_count(const ParallelPlan& p) {
  double groups = 0;
  for (int n : {p.tp, p.pp, p.cp, p.dp, p.ep}) groups += n > 1;
  groups += p.hsdp > 0 && p.shard_ranks() < p.data_ranks();  // replicas of a shard group
  return groups;
}

/// Bytes a micro-batch's token leaves on a rank's layers.
double kept_on(const ActivationBytes& b, const ParallelPlan& p, double layers) {
  const double routed = b.routed_input * (p.expert_tensor() - 1);
  const double kept = b.kept + (p.recompute == Recompute::full ? 0 : routed);
  if (p.recompute_layers == 0) return layers * kept;
  const double again = std::min(layers, double(p.recompute_layers) * p.vpp);
  return again * b.kept + (layers - again) * (b.whole + routed);
}

void add_activations(const Job& job, const ActivationBytes& b, const ParallelPlan& p,
                     const Stage& stage, MemoryItems& out) {
  const double tokens = rank_tokens(job, p);
  const double kept = kept_on(b, p, stage.layers);
  const double output = p.pp > 1 && !stage.last && job.software.memory.stage_outputs
                            ? wide * job.model->hidden / (p.sequence_parallel ? p.tp : 1)
                            : 0;
  double held = (kept + output) * stage.flight;
  if (p.offload_activations > 0 && stage.layers > 0)
    held =
        std::min(held, held * (1 - p.offload_activations) + offload_buffers * kept / stage.layers);
  out.activations = tokens * held;
  if (stage.last && job.method == Method::pretrain)
    out.activations += tokens * b.whole * job.model->mtp_layers;
  const int heads = job.method == Method::pretrain ? 1 + job.model->mtp_layers : 1;
  if (stage.last) out.head = tokens * b.head * heads;
  out.working = std::max(0.0, tokens * b.working - out.head);
}

double held_buckets(const Job& job, const ParallelPlan& p) {
  return p.zero == Zero::full ? 0 : job.software.memory.bucket_bytes;
}

MemoryItems stage_memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                         const ParallelPlan& p, const Stage& stage) {
  MemoryItems out;
  out.rank = stage.rank;
  add_state(job, sizes, p, stage, out);
  add_activations(job, bytes, p, stage, out);
  out.buffers = fsdp_bytes(job, sizes, p, stage) + exchange_bytes(job, p) + held_buckets(job, p);
  out.communicators = communicator_count(p) * communicator_bytes;
  out.framework = framework_bytes;
  out.reserve = job.software.reserve_share * out.allocated();
  out.last_stage = stage.last && !stage.first;
  return out;
}

int layers_of(const StageLayers& s, int rank, int pp) {
  return rank == 0 ? s.first : rank == pp - 1 ? s.last : s.middle;
}

bool is_v(const ParallelPlan& p) { return p.schedule == Schedule::zero_bubble_v && p.pp > 1; }

/// Layers of the ranks. The V's first rank holds both ends of the model.
StageLayers rank_layers(const Job& job, const Sizes& sizes, const ParallelPlan& p) {
  if (!is_v(p)) return stage_layers(p, job.model->layers, sizes.head_layers);
  const auto s = pipeline_layers(job, sizes, p);
  return {s.first + s.last, 2 * s.middle, 2 * s.middle, s.legal};
}

Stage stage_at(const StageLayers& s, const ParallelPlan& p, int rank) {
  if (is_v(p))
    return {double(layers_of(s, rank, p.pp)), rank == 0, rank == 0, in_flight(p, rank), rank};
  return {double(layers_of(s, rank, p.pp)), rank == 0, rank == p.pp - 1, in_flight(p, rank), rank};
}

workload::ActivationOptions options_of(const Job& job, const ParallelPlan& plan) {
  workload::ActivationOptions o;
  o.sequence = job.sequence / plan.cp;
  o.tensor = plan.tp;
  o.sequence_parallel = plan.sequence_parallel;
  o.flash = job.software.flash;
  o.dropout = job.software.dropout;
  o.routed = job.model->is_mixture() ? hottest(job) : 1;
  o.expert_tensor = 1;
  o.narrow_inputs = job.software.memory.narrow_inputs && bytes_per_element(job.precision) < wide;
  o.unused_outputs = job.software.memory.unused_outputs;
  return o;
}

/// Mean of a layer over the model's classes.
template <class F>
double mean_layer(const catalog::Model& m, F bytes) {
  double sum = 0;
  for (const auto& c : workload::layer_classes(m)) sum += c.count * bytes(c).in(byte / token);
  return sum / std::max(1, m.layers);
}

double head_bytes(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  const auto& habits = job.software.memory;
  const double logit = p.tp > 1 ? habits.split_logit_bytes : habits.logit_bytes;
  const double norm = 2 * wide * m.hidden / (p.sequence_parallel ? p.tp : 1);
  return (m.head ? logit * m.vocab / p.tp : 0) + norm;
}

}  // namespace

MemoryItem largest(const MemoryItems& m) {
  const std::array<MemoryItem, 9> items = {{{"weights", m.weights},
                                            {"gradients", m.gradients},
                                            {"optimiser state", m.optimiser},
                                            {"activations", m.activations},
                                            {"the layer at work", m.working},
                                            {"logits", m.head},
                                            {"buffers", m.buffers},
                                            {"communicators", m.communicators},
                                            {"allocator reserve", m.reserve}}};
  return *std::max_element(items.begin(), items.end(),
                           [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
}

double in_flight(const ParallelPlan& p, int rank) {
  if (p.pp == 1) return 1;
  const double m = p.micro_batches;
  switch (p.schedule) {
    case Schedule::gpipe:
      return m;
    case Schedule::zero_bubble_h1:
    case Schedule::zero_bubble_v:
      return std::min(m, double(p.pp));
    case Schedule::dualpipe:
      return std::min(m, p.pp + 1.0);
    case Schedule::one_f_one_b:
      break;
  }
  if (p.vpp == 1) return std::min(m, double(p.pp - rank));
  // Chunks warmed up: 2 (p - r - 1) + (v - 1) p, plus the one running.
  const double chunks = 2.0 * (p.pp - rank - 1) + (p.vpp - 1.0) * p.pp + 1;
  return std::min(chunks, m * p.vpp) / p.vpp;
}

double hottest(const Job& job) {
  if (job.capacity_factor > 0) return job.capacity_factor;
  return 1 + 2 * std::max(0.0, job.imbalance - 1);
}

double usable_bytes(const Job& job) { return job.software.memory.usable_share * job.memory_bytes; }

ActivationBytes activation_bytes(const Job& job, const ParallelPlan& plan) {
  const auto& m = *job.model;
  auto o = options_of(job, plan);
  const auto layer = [&](const workload::LayerClass& c) {
    return workload::activation_bytes(m, c, o);
  };
  ActivationBytes out;
  out.whole = mean_layer(m, layer);
  o.expert_tensor = 2;
  out.routed_input = mean_layer(m, layer) - out.whole;
  o.expert_tensor = 1;
  double working = mean_layer(m, [&](const auto& c) { return workload::backward_bytes(m, c, o); });
  if (plan.tp > 1 && plan.sequence_parallel) working += 2 * wide * m.hidden;
  o.recompute = plan.recompute;
  o.modules = plan.modules;
  if (o.flash && plan.recompute == Recompute::selective && plan.modules.empty())
    o.modules = job.software.memory.op_selective
                    ? Modules{}.with(Module::op)
                    : Modules{}.with(Module::layernorm).with(Module::moe_act);
  out.kept = mean_layer(m, layer);
  out.working = working + std::max(0.0, out.whole - out.kept);
  out.head = head_bytes(job, plan);
  return out;
}

MemoryItems memory(const Job& job, const Sizes& sizes, const ActivationBytes& bytes,
                   const ParallelPlan& plan) {
  const auto layers = rank_layers(job, sizes, plan);
  const auto at = [&](int rank) {
    return stage_memory(job, sizes, bytes, plan, stage_at(layers, plan, rank));
  };
  auto worst = at(0);
  if (plan.pp == 1) return worst;
  // The second rank holds less in flight, but may hold more layers than the first.
  if (plan.pp > 2 && layers.middle > layers.first)
    if (const auto second = at(1); second.total() > worst.total()) worst = second;
  if (const auto last = at(plan.pp - 1); last.total() > worst.total()) worst = last;
  return worst;
}

MemoryItems memory(const Job& job, const ParallelPlan& plan) {
  return memory(job, sizes(job), activation_bytes(job, plan), plan);
}

std::vector<MemoryItems> memory_by_rank(const Job& job, const ParallelPlan& plan) {
  const auto all = sizes(job);
  const auto bytes = activation_bytes(job, plan);
  const auto layers = rank_layers(job, all, plan);
  std::vector<MemoryItems> out;
  for (int rank = 0; rank < plan.pp; ++rank)
    out.push_back(stage_memory(job, all, bytes, plan, stage_at(layers, plan, rank)));
  return out;
}

}  // namespace headroom::train
