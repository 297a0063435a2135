// ParallelPlan: how one training job is cut over GPUs.
//
// The words are Megatron-Core's. Ranks are laid out tensor, context, data,
// pipeline (innermost first), so a tensor-parallel group sits inside a scale-up
// domain and pipeline neighbours talk over the network:
//
//   gpus = tp x cp x dp x pp
//
// Expert parallelism reuses the same ranks: the routed experts of a mixture
// layer are spread over `ep` of the tp x cp x dp ranks of a stage, each expert
// cut over `etp` of them (expert-tensor parallelism), so
//
//   ep x etp divides tp x cp x dp, and experts % ep == 0.
//
// Unless etp is given, experts are whole on one GPU (1), and with ep == 1 they are
// sharded by tp as the dense layers are.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "workload/training_memory.hpp"
#include "workload/transformer.hpp"

namespace headroom::train {

/// What is sharded over the data-parallel ranks (ZeRO stages; `full` is FSDP).
enum class Zero : unsigned char { replicated, optimizer, gradients, full };

/// What the backward pass computes again. `selective`: with attention that stores its
/// scores, core attention (Korthikanti et al. 2022); with fused attention the outputs
/// of norms and of the FFN's activation (Megatron-Core's modules layernorm, moe_act).
using workload::Recompute;

std::string_view zero_name(Zero z);  ///< "optimizer"

/// Order of a rank's passes (pipeline.hpp says what each costs and holds). Interleaving is
/// one_f_one_b with vpp > 1. zero_bubble_v and dualpipe place two chunks on a rank
/// themselves (a V; both directions), so they take vpp == 1; so do gpipe and zero_bubble_h1.
enum class Schedule : unsigned char { gpipe, one_f_one_b, zero_bubble_h1, zero_bubble_v, dualpipe };

/// How the ranks of a context-parallel group meet each other's keys and values.
///   ring        K and V travel round the group, block by block, behind attention
///   all_to_all  four exchanges of q, k, v and the output trade sequence for heads
///               (DeepSpeed-Ulysses, Jacobs et al. 2023); needs heads % (tp x cp) == 0
///   all_gather  every rank gathers all K and V first (Llama 3, sec. 3.3.2)
enum class ContextKind : unsigned char { ring, all_to_all, all_gather };
std::string_view context_name(ContextKind kind);  ///< "all-to-all"

/// Parts of a layer that the backward pass computes again, by Megatron-Core's names.
using workload::Module;
using workload::Modules;
std::span<const std::string_view> module_names();  ///< by Module
std::string module_list(Modules modules);          ///< "layernorm moe_act"

struct ParallelPlan {
  int tp = 1;           ///< tensor parallelism, with sequence parallelism when `sequence_parallel`
  int pp = 1;           ///< pipeline stages
  int vpp = 1;          ///< virtual stages (model chunks) on a pipeline rank; 1 = plain 1F1B
  int dp = 1;           ///< data-parallel replicas
  int cp = 1;           ///< context parallelism
  int ep = 1;           ///< expert parallelism, over tp x cp x dp
  int micro_batch = 1;  ///< sequences a micro-batch
  int micro_batches = 1;  ///< micro-batches a step and replica: global batch / (dp x micro_batch)
  Zero zero = Zero::optimizer;
  Recompute recompute = Recompute::none;
  bool sequence_parallel = true;
  bool balanced = true;  ///< the last rank gives up layers for the output head (stage_layers)
  Schedule schedule = Schedule::one_f_one_b;  ///< order of forward and backward passes
  int etp = 0;   ///< expert-tensor parallelism; 0: tp with ep == 1, else 1
  int hsdp = 0;  ///< ranks that share one sharded copy (ZeRO, FSDP); replicas beyond; 0: dp x cp
  ContextKind context = ContextKind::ring;
  Modules modules;           ///< recomputed with `selective`; empty: what `selective` means
  int recompute_layers = 0;  ///< with `full`: layers of a rank's chunk recomputed; 0: every layer
  int first_layers = 0, last_layers = 0;  ///< of the first and last rank; 0: stage_layers decides
  double offload_activations = 0;         ///< share of a rank's layers whose activations go to host
  double offload_optimiser = 0;           ///< share of Adam moments kept and updated on the host

  /// Ranks of a pipeline that hold one parameter: DualPipe's directions each hold every stage.
  int copies() const { return schedule == Schedule::dualpipe && pp > 1 ? 2 : 1; }
  /// Ranks that add up the gradients of a dense parameter: copies x dp x cp.
  double data_ranks() const { return double(copies()) * dp * cp; }
  int expert_tensor() const { return etp > 0 ? etp : (ep == 1 ? tp : 1); }
  /// Ranks that hold the same experts: copies x tp x cp x dp / (ep x etp).
  double expert_data() const;
  /// Ranks over which a dense parameter's (an expert's) sharded state is divided: all of those
  /// without hsdp.
  double shard_ranks() const;
  double expert_shard_ranks() const;
  int gpus() const { return to_count(double(tp) * pp * dp * cp); }
  /// Sequences a step.
  double global_batch() const { return double(dp) * micro_batch * micro_batches; }

  friend bool operator==(const ParallelPlan&, const ParallelPlan&) = default;
};

/// "TP 8 x PP 16 (VPP 8) x DP 128, micro-batch 1 x 16".
std::string summary(const ParallelPlan& plan);

/// Layers of the ranks of a pipeline.
struct StageLayers {
  int first = 0;   ///< layers of pipeline rank 0
  int middle = 0;  ///< layers of every rank between
  int last = 0;    ///< layers of the last rank, which also carries head and loss
  bool legal = false;
  bool even(int layers, int pp) const { return first == last && first * pp == layers; }
};
/// How `layers` are laid on pp ranks of vpp chunks. Ranks between the ends hold the same
/// number of layers, a multiple of vpp; the ends hold fewer when that does not divide,
/// or when the output head, worth `head_layers` layers, would make the last rank the
/// slowest (Megatron-Core: --decoder-last-pipeline-num-layers). The choice with the
/// lowest slowest rank is taken, then the one with the most even ends. Legal when every
/// layer has a place and no rank is left with nothing to do; always for pp == 1.
StageLayers stage_layers(int layers, int pp, int vpp, double head_layers = 0);
/// The same for a plan: its own first_layers and last_layers where given (the ranks between
/// share the rest evenly, in multiples of vpp), and the head's work only when `balanced`.
StageLayers stage_layers(const ParallelPlan& plan, int layers, double head_layers);

}  // namespace headroom::train
