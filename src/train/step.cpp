#include "train/step.hpp"

#include <algorithm>
#include <cmath>

#include "train/cost_options.hpp"
#include "train/pipeline_plan.hpp"

namespace headroom::train {
namespace {

constexpr double wide = 2;

/// Layers and ends of one pipeline rank.
struct Rank {
  double layers = 0;
  double ends_f = 0, ends_b = 0;
  double seconds = 0;  ///< one micro-batch, forward and backward
};

Rank make_rank(double layers, double layer_s, double ends_f, double ends_b) {
  return {layers, ends_f, ends_b, layers * layer_s + ends_f + ends_b};
}

/// A rank's two stages mirror each other: both for every micro-batch (the V), or each for half
/// of them (DualPipe).
bool two_stages(const ParallelPlan& p) {
  return p.pp > 1 && (p.schedule == Schedule::zero_bubble_v || p.schedule == Schedule::dualpipe);
}

Rank slowest_pair(const Job& job, const PlanCosts& c, const ParallelPlan& p, double layer) {
  const auto split = pipeline_layers(job, c.sizes, p);
  const bool dual = p.schedule == Schedule::dualpipe;
  const double share = dual ? 0.5 : 1;
  const auto& e = c.ends;
  const auto ends =
      make_rank(share * (split.first + split.last), layer, share * (e.embedding_f + e.head_f),
                share * (e.embedding_b + e.head_b));
  const auto middle = make_rank(dual && p.pp == 2 ? 0 : share * 2 * split.middle, layer, 0, 0);
  return middle.seconds > ends.seconds ? middle : ends;
}

Rank slowest_rank(const Job& job, const PlanCosts& c, const ParallelPlan& p) {
  const auto split = stage_layers(p, job.model->layers, c.sizes.head_layers);
  const double layer = c.layer.forward() + c.layer.backward() + recompute_layer_s(job, c.layer, p);
  if (two_stages(p)) return slowest_pair(job, c, p, layer);
  const auto& e = c.ends;
  if (p.pp == 1)
    return make_rank(split.first, layer, e.embedding_f + e.head_f, e.embedding_b + e.head_b);
  auto slowest = make_rank(split.first, layer, e.embedding_f, e.embedding_b);
  for (const auto& r : {make_rank(p.pp > 2 ? split.middle : 0, layer, 0, 0),
                        make_rank(split.last, layer, e.head_f, e.head_b)})
    if (r.seconds > slowest.seconds) slowest = r;
  return slowest;
}

// --- Data parallelism ---------------------------------------------------------------

struct Exchange {
  double reduce = 0, gather = 0;  ///< seconds
  double across = 0;              ///< shards of gradients reduced over the replicas (HSDP)
};

/// Gradients of `parameters` reduced and their weights gathered over one group of `ranks`.
Exchange whole_exchange(const Job& job, const ParallelPlan& p, double parameters, double ranks,
                        double inside) {
  if (ranks <= 1 || parameters <= 0) return {};
  const auto state = workload::parameter_state(job.optimiser, job.state);
  const auto gradients = parameters * state.gradient;
  const auto weights = parameters * state.weight;
  // DualPipe's other copy is at the far end of the pipeline, never in the same domain.
  const double local = std::min(per_domain(job, inside, ranks), std::max(1.0, ranks / p.copies()));
  if (p.zero == Zero::replicated)
    return {fabric::all_reduce(job.path, gradients, ranks, local).si(), 0};
  if (job.software.whole_reduce)
    return {fabric::all_reduce(job.path, gradients, ranks, local).si(),
            fabric::all_gather(job.path, weights, ranks, local).si()};
  return {fabric::reduce_scatter(job.path, gradients, ranks, local).si(),
          fabric::all_gather(job.path, weights, ranks, local).si()};
}

/// The same where only `shard` of the ranks share one copy (HSDP): inside the shard group as
/// above, and each shard of the gradients is all-reduced over the replicas.
Exchange exchange(const Job& job, const ParallelPlan& p, double parameters, double ranks,
                  double inside, double shard) {
  if (shard >= ranks || p.zero == Zero::replicated)
    return whole_exchange(job, p, parameters, ranks, inside);
  if (ranks <= 1 || parameters <= 0) return {};
  auto out = whole_exchange(job, p, parameters, shard, inside);
  const auto state = workload::parameter_state(job.optimiser, job.state);
  const double replicas = ranks / std::max(1.0, shard);
  out.across = fabric::all_reduce(job.path, parameters / shard * state.gradient, replicas,
                                  per_domain(job, inside * shard, replicas))
                   .si();
  return out;
}

/// Trainable parameters on the slowest rank.
struct Trained {
  double dense = 0, experts = 0;
};

Trained trained(const Job& job, const Sizes& s, const ParallelPlan& p, double layers) {
  // DualPipe's rank holds both of its stages, and `layers` is what one of them has.
  if (p.schedule == Schedule::dualpipe && p.pp > 1) layers *= 2;
  if (job.adapters_only()) return {layers * s.adapters / p.tp, 0};
  // The end ranks carry the embedding table or the output head, or both.
  const double ends = p.pp == 1 || two_stages(p) ? s.embedding + (job.model->tied ? 0 : s.head)
                                                 : std::max(s.embedding, s.head);
  return {(layers * s.layer_dense + ends) / p.tp,
          layers * s.layer_experts / (double(p.ep) * p.expert_tensor())};
}

/// Ranks that lie between two that hold the same expert: those of one set of all experts.
double expert_inside(const ParallelPlan& p) { return double(p.ep) * p.expert_tensor(); }

struct Traffic {
  double exposed = 0, hidden = 0;  ///< seconds
};

/// Reductions of gradients before the last one, and micro-batches whose backward pass hides each.
struct Early {
  double times = 0, micro_batches = 1;
};

/// ZeRO 2 has no room for whole gradients, so they go to their shard at once. Interleaving runs
/// a chunk's backward pass for pp micro-batches in a row, so one chunk's can wait for those.
Early early_reductions(const ParallelPlan& p) {
  if (p.zero != Zero::gradients) return {};
  const double run = p.vpp > 1 ? p.pp : 1;
  return {std::max(0.0, p.micro_batches / run - 1), run};
}

Traffic data_s(const Job& job, const PlanCosts& c, const ParallelPlan& p, const Rank& rank) {
  const auto held = trained(job, c.sizes, p, rank.layers);
  const double ranks = p.data_ranks();
  auto total = exchange(job, p, held.dense, ranks, p.tp, p.shard_ranks());
  const auto experts =
      exchange(job, p, held.experts, p.expert_data(), expert_inside(p), p.expert_shard_ranks());
  total.reduce += experts.reduce, total.gather += experts.gather, total.across += experts.across;
  const auto [early, behind] = early_reductions(p);
  const double last = total.reduce + total.across, all = early * total.reduce + last + total.gather;
  if (!job.software.data_overlap) return {all, 0};
  const double layers = std::max(1.0, rank.layers);
  const double back = rank.layers * c.layer.backward() + rank.ends_b;
  const double ahead = rank.layers * c.layer.forward() + rank.ends_f;
  const double exposed = early * std::max(0.0, total.reduce - behind * back) +
                         std::max(last / layers, last - back) +
                         std::max(total.gather / layers, total.gather - ahead);
  return {exposed, all - exposed};
}

/// What FSDP exchanges for one layer and for the root.
struct Sharded {
  Exchange layer, root;
};

Sharded sharded_exchange(const Job& job, const Sizes& s, const ParallelPlan& p) {
  const double ranks = p.data_ranks(), shard = p.shard_ranks();
  const double ends = (s.embedding + (job.model->tied ? 0 : s.head)) / p.tp;
  auto layer = exchange(job, p, s.layer_dense / p.tp, ranks, p.tp, shard);
  const auto experts = exchange(job, p, s.layer_experts / expert_inside(p), p.expert_data(),
                                expert_inside(p), p.expert_shard_ranks());
  layer.gather += experts.gather, layer.reduce += experts.reduce, layer.across += experts.across;
  auto root = exchange(job, p, ends, ranks, p.tp, shard);
  if (!job.adapters_only()) return {layer, root};
  // Frozen weights are gathered like others, in four bits where they are kept so; only the
  // adapters have gradients.
  const auto adapters = exchange(job, p, s.adapters / p.tp, ranks, p.tp, shard);
  const double kept = job.method == Method::qlora ? workload::nf4_bytes / wide : 1;
  root.reduce = root.across = 0;
  return {{adapters.reduce, kept * layer.gather + adapters.gather, adapters.across}, root};
}

/// FSDP: every layer is gathered for both passes and reduced, each micro-batch.
Traffic sharded_s(const Job& job, const PlanCosts& c, const ParallelPlan& p, const Rank& rank) {
  const double layers = std::max(1.0, rank.layers);
  const auto [layer, outer] = sharded_exchange(job, c.sizes, p);
  const double gather = layer.gather, reduce = layer.reduce + layer.across;
  const double ends_reduce = outer.reduce + outer.across;
  const double f = c.layer.forward();
  const double b = c.layer.backward() + recompute_layer_s(job, c.layer, p);
  const double exposed = layers * (std::max(0.0, gather - f) + std::max(0.0, gather + reduce - b)) +
                         gather + outer.gather + ends_reduce;
  const double hidden =
      std::max(0.0, layers * (2 * gather + reduce) + gather + outer.gather + ends_reduce - exposed);
  return {p.micro_batches * exposed, p.micro_batches * hidden};
}

// --- Sends and optimiser --------------------------------------------------------------

/// Fill, drain and sends of the schedule (pipeline.hpp), so that the whole is its closed form. What
/// DualPipe hides of the expert exchange is taken from the exposed part.
void schedule(const PipelineTime& pipe, const ParallelPlan& plan, StepTime& t) {
  if (plan.pp == 1) return;
  double rank = t.gemm + t.attention + t.stream + t.recompute + t.ends + t.launch + t.tensor +
                t.expert + t.context;
  const double paired = std::clamp(rank - pipe.busy, 0.0, t.expert);
  if (plan.schedule == Schedule::dualpipe)
    t.expert -= paired, t.hidden.expert += paired, rank -= paired;
  t.sends = pipe.sends;
  t.bubble = std::max(0.0, pipe.total - pipe.sends - rank);
}

/// Parameters whose state a rank updates.
double updated(const Job& job, const PlanCosts& c, const ParallelPlan& p, const Rank& rank) {
  const auto held = trained(job, c.sizes, p, rank.layers);
  if (p.zero < Zero::optimizer) return held.dense + held.experts;
  return held.dense / p.shard_ranks() + held.experts / p.expert_shard_ranks();
}

double optimiser_s(const Job& job, const ParallelPlan& p, double parameters) {
  const auto state = workload::parameter_state(job.optimiser, job.state);
  // Gradient read for its norm and for the update, state read and written, weight written.
  const double traffic =
      2 * state.gradient.in(byte) + 2 * state.optimiser().in(byte) + state.weight.in(byte);
  const double here = parameters * (1 - p.offload_optimiser);
  return job.device->memory_s(here * traffic * job.software.optimiser_passes);
}

/// What activations and optimiser state on the host make the slowest rank wait.
double offload_s(const Job& job, const PlanCosts& c, const ParallelPlan& p, const Rank& rank,
                 double parameters) {
  const double f = rank.layers * c.layer.forward() + rank.ends_f;
  const double b = rank.layers * c.layer.backward() + rank.ends_b;
  return p.micro_batches * activation_offload_s(job, p, rank.layers, f, b) +
         optimiser_offload_s(job, p, parameters);
}

void finish(const Job& job, const ParallelPlan& p, StepTime& t) {
  const double raw = t.total();
  const double doublings = std::log2(std::max(1.0, p.gpus() / 8.0));
  t.jitter = raw * job.software.jitter_per_doubling * doublings;
  const double with = raw + t.jitter;
  t.software = with / std::max(1e-3, job.software.efficiency) - with;
}

}  // namespace

double StepTime::total() const {
  return gemm + attention + stream + recompute + ends + launch + tensor + expert + context +
         bubble + sends + data + contention + optimiser + offload + jitter + software;
}

std::array<StepPart, step_part_count> parts(const StepTime& t) {
  return {{{"matrix products", t.gemm},
           {"attention", t.attention},
           {"norms, activations, residuals", t.stream},
           {"recomputation", t.recompute},
           {"embedding, head and loss", t.ends},
           {"kernel launch", t.launch},
           {"tensor-parallel communication", t.tensor},
           {"expert all-to-all", t.expert},
           {"context-parallel exchange", t.context},
           {"pipeline bubble", t.bubble},
           {"pipeline sends", t.sends},
           {"data-parallel communication", t.data},
           {"slow-down beside communication", t.contention},
           {"optimiser", t.optimiser},
           {"waiting for the host", t.offload},
           {"stragglers", t.jitter},
           {"software factor", t.software}}};
}

PlanCosts plan_costs(const Job& job, const ParallelPlan& plan) {
  return {sizes(job), layer_cost(job, plan), end_cost(job, plan)};
}

PipelineTime plan_pipeline_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan) {
  return plan.pp == 1 ? PipelineTime{} : pipeline_time(plan_pipeline(job, costs, plan));
}

StepTime step_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan) {
  return step_time(job, costs, plan, plan_pipeline_time(job, costs, plan));
}

StepTime step_time(const Job& job, const PlanCosts& costs, const ParallelPlan& plan,
                   const PipelineTime& pipe) {
  const auto slowest = slowest_rank(job, costs, plan);
  const auto& c = costs.layer;
  const double m = plan.micro_batches, n = m * slowest.layers;
  StepTime t;
  t.gemm = n * (c.gemm_f + c.gemm_b);
  t.attention = n * (c.attention_f + c.attention_b);
  t.stream = n * (c.stream_f + c.stream_b + c.adapter_f + c.adapter_b);
  t.recompute = n * recompute_layer_s(job, c, plan);
  t.ends = m * (slowest.ends_f + slowest.ends_b);
  t.launch = n * (c.floor_f + c.floor_b);
  t.tensor = n * (c.tensor_f + c.tensor_b);
  t.expert = n * (c.expert_f + c.expert_b);
  t.context = n * (c.context_f + c.context_b);
  const auto data = plan.zero == Zero::full && plan.dp * plan.cp > 1
                        ? sharded_s(job, costs, plan, slowest)
                        : data_s(job, costs, plan, slowest);
  t.data = data.exposed;
  t.contention = job.software.contention * data.hidden;
  t.hidden.data = data.hidden;
  t.hidden.tensor = n * c.tensor_hidden;
  t.hidden.expert = n * c.expert_hidden;
  t.hidden.context = n * c.context_hidden;
  schedule(pipe, plan, t);
  const double parameters = updated(job, costs, plan, slowest);
  t.optimiser = optimiser_s(job, plan, parameters);
  t.offload = offload_s(job, costs, plan, slowest, parameters);
  finish(job, plan, t);
  return t;
}

StepTime step_time(const Job& job, const ParallelPlan& plan) {
  return step_time(job, plan_costs(job, plan), plan);
}

namespace {

/// FLOPs a token of the multi-token prediction modules, forward and backward: each a layer more,
/// the projection of 2h onto h and a pass of the head (DeepSeek-V3, sec. 2.2). They stay out of the
/// recomputed layers.
double prediction_flops(const Job& job, workload::AttentionCount how) {
  const auto& m = *job.model;
  if (m.mtp_layers <= 0 || job.method != Method::pretrain) return 0;
  catalog::Model longer = m;
  longer.layers += m.mtp_layers;
  const auto total = [&](const catalog::Model& of) {
    return workload::training_flops(of, job.sequence, how, Recompute::none)
        .total()
        .in(flop / token);
  };
  const double h = m.hidden, head = m.head ? 2.0 * m.vocab * h : 0;
  return total(longer) - total(m) + m.mtp_layers * 3 * (2 * 2 * h * h + head);
}

}  // namespace

StepFlops step_flops(const Job& job, const ParallelPlan& plan) {
  using workload::AttentionCount;
  const auto one = flop / token;
  const double tokens = plan.global_batch() * job.sequence;
  const auto count = [&](AttentionCount how, Recompute r) {
    const auto f = job.adapters_only()
                       ? workload::lora_training_flops(*job.model, job.lora, job.sequence, how, r)
                       : workload::training_flops(*job.model, job.sequence, how, r);
    return tokens * (f.total().in(one) + prediction_flops(job, how));
  };
  return {count(AttentionCount::causal, Recompute::none),
          count(AttentionCount::full, Recompute::none),
          count(AttentionCount::causal, plan.recompute)};
}

double utilisation(const Job& job, const ParallelPlan& plan, double flops, double seconds) {
  const double can = seconds * plan.gpus() * job.device->peak_flops(job.precision);
  return can > 0 ? flops / can : 0;
}

}  // namespace headroom::train
