#include "train/cost_options.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string_view>

#include "train/memory.hpp"

namespace headroom::train {
namespace {

using workload::LayerClass;

constexpr double wide = 2;
// A gradient out and a weight back in fp32.
constexpr double host_traffic = 8;
// fp32 gradient, master and two moments read, the last three written.
constexpr double host_adam_bytes = 28;
// What one thread moves: NVIDIA-NeMo/RL pull request 3628 (2026), Qwen3-0.6B on an H100 under Ray,
// which like torchrun sets OMP_NUM_THREADS=1: (1.678 - 0.752) s for 596 M parameters, of which 87
// ms are copies; the rest is 28 B at 20 GB/s.
constexpr double host_thread_bytes_s = 20e9;

bool starts(std::string_view name, std::string_view with) {
  return name.substr(0, with.size()) == with;
}

/// Width of all heads' operands of attention and of its output, on one tensor rank.
double exchanged_width(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  // Heads that are fewer than the ranks travel once to each.
  const double kv = std::max<double>(m.is_latent() ? m.heads : m.kv_head_count(), p.tp * p.cp);
  const double scores = m.is_latent() ? m.mla.nope_dim + m.mla.rope_dim : m.head_width();
  const double value = m.is_latent() ? m.mla.value_dim : m.head_width();
  return (m.heads * (scores + value) + kv * (scores + value)) / p.tp;
}

ContextExchange all_to_all_exchange(const Job& job, const ParallelPlan& p) {
  const auto size = rank_tokens(job, p) * exchanged_width(job, p) * wide * byte;
  const double one = fabric::all_to_all(job.path, size, p.cp, per_domain(job, p.tp, p.cp)).si();
  return {one, one, 0};
}

double product_s(const Job& job, const workload::Gemm& g) {
  return job.device->gemm_s(job.precision, {g.m, g.n, g.k, g.count}, forward_input(job.precision));
}

/// Products of the layer that a rank runs, without routed experts.
template <class Share>
double products_s(const Job& job, const ParallelPlan& p, const LayerClass& layer, Share share) {
  double sum = 0;
  for (const auto& g : workload::layer_gemms(*job.model, layer, rank_tokens(job, p), {p.tp, 1})) {
    if (starts(g.name, "expert")) continue;
    if (const double part = share(g.name); part > 0) sum += part * product_s(job, g);
  }
  return sum;
}

/// A pass over `width` values a token, read and written.
double pass_s(const Job& job, const ParallelPlan& p, double width) {
  return job.device->memory_s(2 * wide * rank_tokens(job, p) * width);
}

double shared_width(const Job& job) {
  const auto& moe = job.model->moe;
  return moe.shared_ffn > 0 ? moe.shared_ffn : double(moe.shared) * moe.ffn;
}

double experts_s(const Job& job, const ParallelPlan& p) {
  const auto& moe = job.model->moe;
  const double gate = job.model->gated ? 2 : 1, h = job.model->hidden, cut = p.expert_tensor();
  const double local = std::max(1.0, double(moe.experts) / p.ep);
  const double entering = rank_tokens(job, p) * cut / p.tp;
  const double rows = entering * moe.active * job.imbalance / local;
  const auto& d = *job.device;
  const auto input = forward_input(job.precision);
  return d.gemm_s(job.precision, {rows, gate * moe.ffn / cut, h, local}, input) +
         d.gemm_s(job.precision, {rows, h, moe.ffn / cut, local}, input) +
         d.memory_s(entering * moe.active * job.imbalance * wide *
                    (4 * h + (gate + 1) * moe.ffn / cut));
}

double activation_s(const Job& job, const ParallelPlan& p, const LayerClass& layer) {
  const auto& m = *job.model;
  const double gate = m.gated ? 2 : 1;
  const double width =
      layer.mixture ? shared_width(job) + m.moe.active * job.imbalance * m.moe.ffn : m.ffn;
  return job.device->memory_s(wide * rank_tokens(job, p) * (gate + 1) * width / p.tp);
}

/// Walks the layer's products as a framework without fused projections issues them, and says
/// which share of each of ours every second of theirs is.
class EverySecond {
 public:
  explicit EverySecond(const catalog::Model& m) : m_(m) {}

  double operator()(std::string_view name) {
    const double q = m_.heads, kv = m_.kv_head_count();
    if (name == "qkv") return take({q, kv, kv});
    if (name == "qkv-down" && m_.mla.q_rank > 0)
      return take({double(m_.mla.q_rank), double(m_.mla.kv_rank + m_.mla.rope_dim)});
    if (m_.gated && (name == "ffn-up" || name == "shared-up")) return take({1, 1});
    return take({1});
  }

 private:
  double take(std::initializer_list<double> widths) {
    double all = 0, again = 0;
    for (const double w : widths) {
      all += w;
      if (++index_ % 2 == 0) again += w;
    }
    return again / all;
  }

  const catalog::Model& m_;
  int index_ = 0;
};

double op_policy_s(const Job& job, const ParallelPlan& p, const LayerClass& layer,
                   const LayerCost& c) {
  // Every second product is kept, attention is; experts run as grouped products, which are not.
  const double products = products_s(job, p, layer, EverySecond(*job.model));
  return products + c.stream_f + (layer.mixture ? experts_s(job, p) + c.expert_f : 0);
}

}  // namespace

compute::Operands forward_input(Precision run) {
  compute::Operands o;
  if (run == Precision::fp8_block) o.cast = true, o.copies = 2;
  return o;
}

ContextExchange context_exchange(const Job& job, const ParallelPlan& p, double attention_f,
                                 double attention_b) {
  if (p.cp == 1) return {};
  if (p.context == ContextKind::all_to_all) return all_to_all_exchange(job, p);
  const auto& m = *job.model;
  const double kv = m.is_latent() ? m.mla.kv_rank + m.mla.rope_dim
                                  : 2.0 * m.kv_head_count() * m.head_width() / p.tp;
  const auto whole = p.micro_batch * job.sequence * kv * wide * byte;
  const double inside = per_domain(job, p.tp, p.cp);
  const double gather = fabric::all_gather(job.path, whole, p.cp, inside).si();
  if (p.context == ContextKind::all_gather)
    return {gather, gather + fabric::reduce_scatter(job.path, whole, p.cp, inside).si(), 0};
  const double forward = std::max(gather / p.cp, gather - attention_f);
  const double backward = std::max(2 * gather / p.cp, 2 * gather - attention_b);
  return {forward, backward, 3 * gather - forward - backward};
}

double modules_s(const Job& job, const ParallelPlan& p, const LayerClass& layer,
                 const LayerCost& c) {
  const auto has = [&](Module m) { return p.modules.has(m); };
  if (has(Module::op)) return op_policy_s(job, p, layer, c);
  const double h = job.model->hidden / (p.sequence_parallel ? double(p.tp) : 1.0);
  double s = 0;
  if (has(Module::core_attn)) s += c.attention_f;
  if (has(Module::layernorm)) s += 2 * pass_s(job, p, h);
  if (has(Module::mla_up_proj))
    s += products_s(job, p, layer,
                    [](std::string_view n) { return n == "q-up" || n == "kv-up" ? 1.0 : 0.0; });
  const bool inner = layer.mixture ? has(Module::moe) : has(Module::mlp);
  const auto ffn = [](std::string_view n) { return starts(n, "ffn") ? 1.0 : 0.0; };
  const auto shared = [](std::string_view n) { return starts(n, "shared") ? 1.0 : 0.0; };
  if (inner && layer.mixture)
    s += experts_s(job, p) + c.expert_f + products_s(job, p, layer, shared);
  if (inner && !layer.mixture) s += products_s(job, p, layer, ffn) + c.tensor_f / 2;
  if (inner) return s + activation_s(job, p, layer);
  if (has(Module::moe_act)) s += activation_s(job, p, layer);
  if (layer.mixture && has(Module::shared_experts)) s += products_s(job, p, layer, shared);
  return s;
}

double expert_tensor_s(const Job& job, const ParallelPlan& p) {
  const int cut = p.expert_tensor();
  if (!job.model->is_mixture() || cut == 1 || (p.ep == 1 && cut == p.tp)) return 0;
  const double tokens = rank_tokens(job, p) / p.tp * job.model->moe.active * job.imbalance;
  const auto size = cut * tokens * job.model->hidden * wide * byte;
  const double inside = per_domain(job, 1, cut);
  return fabric::all_gather(job.path, size, cut, inside).si() +
         fabric::reduce_scatter(job.path, size, cut, inside).si();
}

double activation_offload_s(const Job& job, const ParallelPlan& p, double layers, double f,
                            double b) {
  if (p.offload_activations <= 0 || job.host_link <= 0) return 0;
  const auto bytes = activation_bytes(job, p);
  const double moved =
      p.offload_activations * layers * rank_tokens(job, p) * bytes.kept / job.host_link;
  return std::max(0.0, moved - f) + std::max(0.0, moved - b);
}

double optimiser_offload_s(const Job& job, const ParallelPlan& p, double parameters) {
  if (p.offload_optimiser <= 0) return 0;
  const double copies = job.host_link > 0 ? host_traffic / job.host_link : 0;
  const double threads = job.host_threads > 0 ? job.host_threads * host_thread_bytes_s : INFINITY;
  const double update = host_adam_bytes / std::min(threads, job.host_memory);
  return p.offload_optimiser * parameters * (copies + update);
}

double dequantise_s(const Job& job, const ParallelPlan& p, const LayerClass& layer) {
  if (job.method != Method::qlora) return 0;
  double weights = 0;
  for (const auto& g : workload::layer_gemms(*job.model, layer, rank_tokens(job, p), {p.tp, 1}))
    if (!starts(g.name, "expert")) weights += g.weights();
  if (layer.mixture) {
    const auto& moe = job.model->moe;
    weights += (job.model->gated ? 3.0 : 2.0) * job.model->hidden * moe.ffn * moe.experts /
               (double(p.ep) * p.expert_tensor());
  }
  return job.device->memory_s(weights * (workload::nf4_bytes + wide));
}

}  // namespace headroom::train
