#include "train/search_legal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/options.hpp"
#include "train/pipeline_plan.hpp"

namespace headroom::train {
namespace {

using P = ParallelPlan;

double product(const P& p) { return double(p.tp) * p.pp * p.cp * p.dp; }
double inner(const P& p) { return double(p.tp) * p.pp * p.cp; }
double rows(const P& p) { return double(p.dp) * p.micro_batch; }

std::string gpus_words(const P& p) {
  return fmt::format("tp {} x pp {} x cp {} x dp {} is {:.0f} GPUs", p.tp, p.pp, p.cp, p.dp,
                     product(p));
}

/// What dp makes of the GPUs on offer.
std::string nearest_dp(const Rules& r, const P& p) {
  const double room = std::floor(r.job().gpus / inner(p));
  if (room < 1) return fmt::format("tp x pp x cp alone needs {:.0f}", inner(p));
  const double used = room * inner(p);
  if (used == r.job().gpus) return fmt::format("dp {:.0f} uses them all", room);
  return fmt::format("nearest is dp {:.0f}, {:.0f} GPUs; tp x pp x cp = {:.0f} does not divide {}",
                     room, used, inner(p), r.job().gpus);
}

struct Rule {
  bool (*broken)(const Rules&, const P&);
  std::string (*words)(const Rules&, const P&);
};

// --- GPUs --------------------------------------------------------------------------------

bool too_many(const Rules& r, const P& p) { return product(p) > r.job().gpus; }
std::string say_too_many(const Rules& r, const P& p) {
  return fmt::format("{}, and there are {}; {}", gpus_words(p), r.job().gpus, nearest_dp(r, p));
}
bool too_few(const Rules& r, const P& p) { return r.all_gpus() && product(p) < r.job().gpus; }
std::string say_too_few(const Rules& r, const P& p) {
  return fmt::format("{}, not {}; {}", gpus_words(p), r.job().gpus, nearest_dp(r, p));
}

// --- Tensor ------------------------------------------------------------------------------

bool bad_heads(const Rules& r, const P& p) { return r.job().model->heads % p.tp != 0; }
std::string say_heads(const Rules& r, const P& p) {
  const int heads = r.job().model->heads;
  return fmt::format("tp {} does not divide {} heads; nearest is {}", p.tp, heads,
                     nearest(p.tp, heads, [&](int tp) { return r.heads_split(tp); }));
}
bool bad_kv_heads(const Rules& r, const P& p) { return !bad_heads(r, p) && !r.heads_split(p.tp); }
std::string say_kv_heads(const Rules& r, const P& p) {
  return fmt::format(
      "tp {} neither divides {} key-value heads nor is a multiple of them; nearest is {}", p.tp,
      r.job().model->kv_head_count(),
      nearest(p.tp, r.job().model->heads, [&](int tp) { return r.heads_split(tp); }));
}
bool bad_ffn(const Rules& r, const P& p) { return !r.ffn_splits(p); }
std::string say_ffn(const Rules& r, const P& p) {
  const auto& m = *r.job().model;
  return fmt::format("tp {} does not divide the FFN width {}; nearest is {}", p.tp,
                     m.is_mixture() && (m.ffn % p.tp == 0 || m.ffn == 0) ? m.moe.ffn : m.ffn,
                     nearest(p.tp, m.heads, [&](int tp) {
                       P other = p;
                       other.tp = tp;
                       return r.heads_split(tp) && r.ffn_splits(other);
                     }));
}
bool bad_sequence_split(const Rules& r, const P& p) {
  return p.sequence_parallel && p.tp > 1 && !bad_heads(r, p) &&
         std::fmod(r.job().sequence / p.cp, p.tp) != 0;
}
std::string say_sequence_split(const Rules& r, const P& p) {
  const double tokens = r.job().sequence / p.cp;
  return fmt::format(
      "sequence parallelism over tp {} does not divide {:.6g} tokens of a sequence on a rank; "
      "nearest tp is {}, or switch it off",
      p.tp, tokens, nearest(p.tp, r.job().model->heads, [&](int tp) {
        return r.heads_split(tp) && std::fmod(tokens, tp) == 0;
      }));
}

// --- Pipeline ----------------------------------------------------------------------------

bool chunks_alone(const Rules&, const P& p) { return p.vpp > 1 && p.pp == 1; }
std::string say_chunks_alone(const Rules&, const P& p) {
  return fmt::format("vpp {} needs a pipeline: set pp to 2 or more, or vpp to 1", p.vpp);
}
bool bad_stages(const Rules& r, const P& p) {
  // Stages given by hand have words of their own (options.hpp).
  return !chunks_alone(r, p) && p.first_layers == 0 && p.last_layers == 0 && !r.stages_split(p);
}
std::string say_stages(const Rules& r, const P& p) {
  const int layers = r.job().model->layers;
  const auto with = [&](int P::*part) {
    return nearest(p.*part, layers, [&](int n) {
      P other = p;
      other.*part = n;
      return r.stages_split(other);
    });
  };
  if (p.pp > layers)
    return fmt::format("pp {} is more than {} layers; nearest is {}", p.pp, layers, with(&P::pp));
  return fmt::format("pp {} x vpp {} does not split {} layers; nearest pp is {}, nearest vpp is {}",
                     p.pp, p.vpp, layers, with(&P::pp), with(&P::vpp));
}
bool bad_interleave(const Rules&, const P& p) {
  return p.schedule == Schedule::one_f_one_b && p.pp > 1 && p.vpp > 1 &&
         p.micro_batches % p.pp != 0;
}
std::string say_interleave(const Rules&, const P& p) {
  const int below = p.micro_batches / p.pp * p.pp, above = below + p.pp;
  const auto batch = [&](int m) { return fmt::format("{} (batch {:.0f})", m, m * rows(p)); };
  return fmt::format(
      "interleaving needs micro-batches ({}) in multiples of pp ({}); nearest is {}{}",
      p.micro_batches, p.pp, below > 0 ? batch(below) + " or " : "", batch(above));
}

// Interleaving, which is 1F1B, has words of its own above.
bool bad_schedule(const Rules& r, const P& p) { return r.bars_schedule(p); }
std::string say_schedule(const Rules& r, const P& p) {
  if (p.pp == 1)
    return fmt::format("{} needs a pipeline: set pp to 2 or more, or take 1f1b",
                       schedule_name(p.schedule));
  return schedule_problem(r.job(), p);
}

// --- Experts and context -----------------------------------------------------------------

bool no_experts(const Rules& r, const P& p) { return p.ep > 1 && !r.job().model->is_mixture(); }
std::string say_no_experts(const Rules& r, const P& p) {
  return fmt::format("ep {} needs a mixture of experts, and {} is dense; use ep 1", p.ep,
                     r.job().model->name);
}
bool bad_experts(const Rules& r, const P& p) {
  return r.job().model->is_mixture() && r.job().model->moe.experts % p.ep != 0;
}
std::string say_experts(const Rules& r, const P& p) {
  const int experts = r.job().model->moe.experts;
  return fmt::format("ep {} does not divide {} experts; nearest is {}", p.ep, experts,
                     nearest(p.ep, experts, [&](int ep) { return experts % ep == 0; }));
}
bool bad_expert_ranks(const Rules& r, const P& p) {
  return p.ep > 1 && !no_experts(r, p) && !bad_experts(r, p) &&
         std::fmod(double(p.tp) * p.cp * p.dp, p.ep) != 0;
}
std::string say_expert_ranks(const Rules& r, const P& p) {
  const double ranks = double(p.tp) * p.cp * p.dp;
  const int experts = std::max(1, r.job().model->moe.experts);
  return fmt::format("ep {} does not divide tp x cp x dp = {:.0f}; nearest is {}", p.ep, ranks,
                     nearest(p.ep, to_count(std::min(ranks, double(experts))), [&](int ep) {
                       return experts % ep == 0 && std::fmod(ranks, ep) == 0;
                     }));
}
bool bare_experts(const Rules&, const P& p) { return p.ep > 1 && p.tp > 1 && !p.sequence_parallel; }
std::string say_bare_experts(const Rules&, const P& p) {
  return fmt::format("ep {} beside tp {} needs sequence parallelism: switch it on, or use tp 1",
                     p.ep, p.tp);
}
bool bad_context(const Rules& r, const P& p) {
  return p.cp > 1 && std::fmod(r.job().sequence, 2.0 * p.cp) != 0;
}
std::string say_context(const Rules& r, const P& p) {
  const double s = r.job().sequence;
  return fmt::format(
      "cp {} needs a sequence in multiples of 2 cp = {}, and it is {:.0f}; nearest cp is {}", p.cp,
      2.0 * p.cp, s, nearest(p.cp, to_count(s / 2), [&](int cp) {
        return cp == 1 || std::fmod(s, 2.0 * cp) == 0;
      }));
}

// --- Batch -------------------------------------------------------------------------------

bool bad_batch(const Rules& r, const P& p) {
  return r.job().batch_fixed && std::abs(p.global_batch() - r.job().sequences) > 0.5;
}
std::string say_batch(const Rules& r, const P& p) {
  const double n = r.job().sequences, below = std::floor(n / rows(p)) * rows(p);
  if (std::abs(std::fmod(n, rows(p))) < 1e-6 * n)
    return fmt::format(
        "dp {} x micro-batch {} x {} micro-batches is {:.0f} sequences, not {:.0f}; "
        "{:.0f} micro-batches make the batch",
        p.dp, p.micro_batch, p.micro_batches, p.global_batch(), n, n / rows(p));
  return fmt::format(
      "dp {} x micro-batch {} does not divide a batch of {:.0f} sequences; nearest batch is "
      "{}{:.0f}",
      p.dp, p.micro_batch, n, below > 0 ? fmt::format("{:.0f} or ", below) : "", below + rows(p));
}

constexpr Rule rules[] = {
    {too_many, say_too_many},
    {too_few, say_too_few},
    {bad_heads, say_heads},
    {bad_kv_heads, say_kv_heads},
    {bad_ffn, say_ffn},
    {bad_sequence_split, say_sequence_split},
    {chunks_alone, say_chunks_alone},
    {bad_stages, say_stages},
    {bad_interleave, say_interleave},
    {bad_schedule, say_schedule},
    {no_experts, say_no_experts},
    {bad_experts, say_experts},
    {bad_expert_ranks, say_expert_ranks},
    {bare_experts, say_bare_experts},
    {bad_context, say_context},
    {bad_batch, say_batch},
};

/// Names the part of a plan that is below one; empty when none is.
std::string below_one(const P& p) {
  std::string out;
  for (const auto& [name, n] : {std::pair{"tp", p.tp},
                                {"pp", p.pp},
                                {"vpp", p.vpp},
                                {"dp", p.dp},
                                {"cp", p.cp},
                                {"ep", p.ep},
                                {"micro-batch", p.micro_batch},
                                {"micro-batches", p.micro_batches}})
    if (n < 1) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, n);
  return out;
}

}  // namespace

bool has_options(const ParallelPlan& p) {
  return p.etp > 0 || p.hsdp > 0 || p.context != ContextKind::ring || !p.modules.empty() ||
         p.recompute_layers > 0 || p.first_layers > 0 || p.last_layers > 0 ||
         p.offload_activations != 0 || p.offload_optimiser != 0;
}

Rules::Rules(const Job& job, bool all_gpus) : job_(job), all_gpus_(all_gpus) {
  for (const auto& layer : workload::layer_classes(*job.model)) dense_layers_ |= !layer.mixture;
  head_layers_ = sizes(job).head_layers;
}

bool Rules::heads_split(int tp) const {
  const auto& m = *job_.model;
  if (m.heads % tp != 0) return false;
  // Latent attention has no key-value heads to split: every rank holds the latent whole.
  const int kv = m.is_latent() ? m.heads : m.kv_head_count();
  return kv < 1 || kv % tp == 0 || tp % kv == 0;
}

bool Rules::ffn_splits(const ParallelPlan& p) const {
  const auto& m = *job_.model;
  if (dense_layers_ && m.ffn % p.tp != 0) return false;
  return !m.is_mixture() || p.etp > 0 || m.moe.ffn % p.expert_tensor() == 0;
}

StageLayers Rules::stages(const ParallelPlan& p) const {
  return stage_layers(p, job_.model->layers, head_layers_);
}

bool Rules::stages_split(const ParallelPlan& p) const { return stages(p).legal; }

bool Rules::bars_schedule(const ParallelPlan& p) const {
  return p.schedule != Schedule::one_f_one_b && (p.pp == 1 || !schedule_problem(job_, p).empty());
}

bool Rules::positive(const ParallelPlan& p) {
  return std::min({p.tp, p.pp, p.vpp, p.dp, p.cp, p.ep, p.micro_batch, p.micro_batches}) > 0;
}

bool Rules::options_legal(const ParallelPlan& p) const {
  return !has_options(p) || illegal_options(job_, p).empty();
}

bool Rules::legal(const ParallelPlan& p) const { return layout_legal(p) && options_legal(p); }

bool Rules::layout_legal(const ParallelPlan& p) const {
  return positive(p) && std::none_of(std::begin(rules), std::end(rules),
                                     [&](const Rule& rule) { return rule.broken(*this, p); });
}

std::vector<std::string> Rules::why(const ParallelPlan& p) const {
  const auto small = below_one(p);
  if (!small.empty()) return {fmt::format("every part of a plan is 1 or more, not {}", small)};
  std::vector<std::string> out;
  for (const auto& rule : rules)
    if (rule.broken(*this, p)) out.push_back(rule.words(*this, p));
  if (auto words = illegal_options(job_, p); !words.empty()) out.push_back(std::move(words));
  return out;
}

std::vector<std::string> illegalities(const Job& job, const ParallelPlan& plan, bool all_gpus) {
  return Rules(job, all_gpus).why(plan);
}

std::string illegal(const Job& job, const ParallelPlan& plan) {
  auto all = illegalities(job, plan);
  return all.empty() ? std::string() : std::move(all.front());
}

}  // namespace headroom::train
