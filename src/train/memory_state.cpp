#include "train/memory_state.hpp"

#include <algorithm>

namespace headroom::train {
namespace {

constexpr double wide = 2, fp32 = 4;

/// Parameters on one rank before any sharding over data-parallel ranks.
struct OnRank {
  double blocks = 0;  ///< dense parameters of the layers
  double ends = 0;    ///< embedding, head, multi-token prediction
  double experts = 0;
};

OnRank parameters_on(const Job& job, const Sizes& s, const ParallelPlan& p, const Stage& stage) {
  OnRank r;
  const bool own_head = stage.last && !(stage.first && job.model->tied);
  r.ends = ((stage.first ? s.embedding : 0) + (own_head ? s.head : 0) +
            (stage.last ? s.mtp - s.mtp_experts : 0)) /
           p.tp;
  r.blocks = stage.layers * s.layer_dense / p.tp;
  r.experts = (stage.layers * s.layer_experts + (stage.last ? s.mtp_experts : 0)) /
              (double(p.ep) * p.expert_tensor());
  // Both directions of DualPipe keep a copy of their own.
  if (p.schedule == Schedule::dualpipe && p.pp > 1) r.blocks *= 2, r.ends *= 2, r.experts *= 2;
  return r;
}

/// Parameters of a rank after its shard group has divided them.
double divided(const OnRank& r, const ParallelPlan& p, bool sharded) {
  if (!sharded) return r.blocks + r.ends + r.experts;
  return (r.blocks + r.ends) / p.shard_ranks() + r.experts / p.expert_shard_ranks();
}

/// Bytes of each part of a trained parameter's state, in this framework's hands.
struct Bytes {
  double weight, gradient, optimiser;
  double moments = 0;        ///< of optimiser: what the host may keep
  double gradient_copy = 0;  ///< divided as gradients are
};

Bytes state_bytes(const Job& job, const ParallelPlan& p) {
  const auto state = workload::parameter_state(job.optimiser, job.state);
  const auto& habits = job.software.memory;
  Bytes b{state.weight.in(byte), state.gradient.in(byte), state.optimiser().in(byte)};
  const double master = state.master.in(byte);
  b.moments = state.moments.in(byte);
  if (p.zero == Zero::full && habits.fp32_shards && master > 0) {
    // The shard is the master: nothing else is kept, and its gradient has its width.
    b.weight = b.gradient = master;
    b.optimiser -= master;
    return b;
  }
  if (habits.gradient_copy && b.gradient > b.weight) b.gradient_copy = b.weight;
  if (habits.step_gradients && b.gradient < fp32) b.optimiser += fp32;
  return b;
}

/// Bytes that a narrow copy for the kernels adds to a weight: Transformer Engine keeps it and
/// its transpose. FSDP narrows what it has gathered.
double narrow_copies(const Job& job, const ParallelPlan& p, double weight) {
  const double narrow = bytes_per_element(job.precision);
  return p.zero == Zero::full || narrow >= weight ? 0 : 2 * narrow;
}

void add_frozen(const Job& job, const ParallelPlan& p, const OnRank& held, MemoryItems& out) {
  const bool quantised = job.method == Method::qlora;
  const double block = quantised ? workload::nf4_bytes : wide + narrow_copies(job, p, wide);
  const bool sharded = p.zero == Zero::full;
  out.weights = block * divided({held.blocks, 0, held.experts}, p, sharded) +
                wide * divided({0, held.ends, 0}, p, sharded);
  // One matrix at a time is widened for its product.
  if (quantised) {
    const auto& m = *job.model;
    out.weights += wide * m.hidden * std::max(m.ffn, m.moe.ffn) / p.tp;
  }
}

}  // namespace

void add_state(const Job& job, const Sizes& sizes, const ParallelPlan& p, const Stage& stage,
               MemoryItems& out) {
  const auto held = parameters_on(job, sizes, p, stage);
  const auto bytes = state_bytes(job, p);
  OnRank trained = held;
  if (job.adapters_only()) {
    add_frozen(job, p, held, out);
    trained = {stage.layers * sizes.adapters / p.tp, 0, 0};
  }
  const double kernels = job.adapters_only() ? 0 : narrow_copies(job, p, bytes.weight);
  out.weights += (bytes.weight + kernels) * divided(trained, p, p.zero == Zero::full);
  out.gradients =
      (bytes.gradient + bytes.gradient_copy) * divided(trained, p, p.zero >= Zero::gradients);
  // Interleaved, a chunk's gradients stay whole while pp micro-batches add to them (step.hpp).
  if (p.zero == Zero::gradients && p.vpp > 1)
    out.gradients +=
        bytes.gradient * (divided(trained, p, false) - divided(trained, p, true)) / p.vpp;
  // The host takes the moments, the master shards stay (Megatron-Bridge, cpu-offloading: "Adam
  // optimizer states (momentum + variance)").
  out.optimiser = (bytes.optimiser - p.offload_optimiser * bytes.moments) *
                  divided(trained, p, p.zero >= Zero::optimizer);
}

}  // namespace headroom::train
