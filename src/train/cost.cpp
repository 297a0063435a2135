#include "train/cost.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "train/cost_options.hpp"

namespace headroom::train {
namespace {

using workload::LayerClass;

constexpr double wide = 2;  // bytes of a bf16 or fp16 activation
// The kernel tables are forward products. Products by activations and by weights read operands in
// the other order and add into buffers: 15 % slower. Our fit; the same figure comes out of three
// sources apart (llm-foundry on H100 1.15, on A100 1.19; Megatron-LM 2021 on A100 1.22, each
// with its forward products at 0.86 to 1.09; docs/models/train.md).
constexpr double backward_products = 1.15;

Information as_bytes(double b) { return b * byte; }

bool is_expert(std::string_view name) { return name.substr(0, 6) == "expert"; }

/// Attention and the output head stay in bf16 in fp8 and fp4 recipes (Megatron-Core's default).
Precision wide_precision(const Job& job) {
  return bytes_per_element(job.precision) < wide ? Precision::bf16 : job.precision;
}

/// Adds one product, forward and backward.
void add_product(const Job& job, const compute::Gemm& g, Precision run, LayerCost& c) {
  const auto& d = *job.device;
  const auto input = forward_input(run);
  c.gemm_f += d.gemm_s(run, g, input);
  // The gradient of the output is narrowed by a pass of its own, once for both products.
  compute::Operands narrowed = input;
  narrowed.cast = bytes_per_element(run) < wide;
  c.gemm_b += backward_products * d.gemm_s(run, {g.m, g.k, g.n, g.groups}, narrowed);
  if (job.adapters_only()) return;
  compute::Operands accumulated;  // the weight's gradient is added into its buffer
  accumulated.output_bytes =
      2 * workload::parameter_state(job.optimiser, job.state).gradient.in(byte);
  c.gemm_b += backward_products * d.gemm_s(run, {g.n, g.k, g.m, g.groups}, accumulated);
}

/// Routed experts of one rank. With ep they see every token of their group that
/// chose them, on hidden width; without they are sharded by tp.
void add_experts(const Job& job, const ParallelPlan& p, double tokens, LayerCost& c) {
  const auto& moe = job.model->moe;
  const double h = job.model->hidden, gate = job.model->gated ? 2 : 1;
  const double shard = p.expert_tensor();
  const double local = std::max(1.0, double(moe.experts) / p.ep);
  const double entering = tokens * shard / p.tp;
  const double rows = entering * moe.active * job.imbalance / local;
  add_product(job, {rows, gate * moe.ffn / shard, h, local}, job.precision, c);
  const double before = c.gemm_f;
  add_product(job, {rows, h, moe.ffn / shard, local}, job.precision, c);
  c.last_f = c.gemm_f - before;
  // Permute, un-permute and the activation between the two products.
  const double routed = entering * moe.active * job.imbalance * wide;
  const double traffic = routed * (4 * h + (gate + 1) * moe.ffn / shard);
  c.stream_f += job.device->memory_s(traffic);
  c.stream_b += job.device->memory_s(1.5 * traffic);
}

void add_products(const Job& job, const ParallelPlan& p, const LayerClass& layer, LayerCost& c) {
  const double tokens = rank_tokens(job, p);
  const workload::Split split{p.tp, 1};
  for (const auto& g : workload::layer_gemms(*job.model, layer, tokens, split)) {
    if (is_expert(g.name)) continue;
    const double before = c.gemm_f;
    add_product(job, {g.m, g.n, g.k, g.count}, job.precision, c);
    if (!layer.mixture && g.name == "ffn-down") c.last_f = c.gemm_f - before;
  }
  if (layer.mixture) add_experts(job, p, tokens, c);
}

void add_attention(const Job& job, const ParallelPlan& p, const LayerClass& layer, LayerCost& c) {
  const auto& m = *job.model;
  compute::Attention a;
  a.batch = p.micro_batch;
  a.heads = std::max(1.0, double(m.heads) / p.tp);
  a.kv_heads = std::max(1.0, double(m.is_latent() ? m.heads : m.kv_head_count()) / p.tp);
  // Latent attention multiplies scores over nope + rope and values over value_dim.
  a.head_dim =
      m.is_latent() ? (m.mla.nope_dim + m.mla.rope_dim + m.mla.value_dim) / 2.0 : m.head_width();
  // A ring of cp ranks works through blocks of s / cp: half of them are wholly masked.
  // All-to-all trades sequence for heads: a rank runs 1 / cp of them over the whole sequence.
  const bool whole = p.cp == 1 || p.context == ContextKind::all_to_all;
  if (whole) a.heads = std::max(1.0, a.heads / p.cp), a.kv_heads = std::max(1.0, a.kv_heads / p.cp);
  a.query = whole ? job.sequence : job.sequence / p.cp;
  a.window = layer.global ? 0 : m.window;
  a.causal = !m.bidirectional && whole;
  const double blocks = whole ? 1 : (m.bidirectional || !layer.global ? 1 : 0.5) * p.cp;
  const auto& d = *job.device;
  const Precision run = wide_precision(job);
  if (job.software.flash) {
    const double even =
        job.software.even_heads && a.head_dim < 128 ? std::pow(a.head_dim / 128, 0.38) : 1;
    const double slower = blocks * even / job.software.attention_rate;
    c.attention_f += slower * d.attention_s(run, a);
    c.attention_b += slower * d.attention_backward_s(run, a);
  } else {
    const double forward = blocks * d.unfused_attention_s(run, a);
    c.attention_f += forward;
    c.attention_b += 2 * forward;
  }
}

void add_stream(const Job& job, const ParallelPlan& p, const LayerClass& layer, LayerCost& c) {
  const auto& m = *job.model;
  const double tokens = rank_tokens(job, p), gate = m.gated ? 2 : 1;
  const double split = p.sequence_parallel ? p.tp : 1;
  double width = layer.mixture ? double(m.moe.shared) * m.moe.ffn : m.ffn;
  if (layer.mixture && m.moe.shared_ffn > 0) width = m.moe.shared_ffn;
  const double heads = double(m.heads + 2 * m.kv_head_count()) * m.head_width();
  const double traffic =
      tokens * wide *
      (job.software.stream_passes * m.hidden / split + ((gate + 1) * width + 2 * heads) / p.tp);
  const double gaps = job.software.kernels * job.device->launch_s();
  c.stream_f += job.device->memory_s(traffic) + gaps;
  c.stream_b += job.device->memory_s(1.5 * traffic) + 2 * gaps;
}

void add_tensor(const Job& job, const ParallelPlan& p, const LayerClass& layer, LayerCost& c) {
  if (p.tp == 1) return;
  const double inside = per_domain(job, 1, p.tp);
  const auto size = as_bytes(rank_tokens(job, p) * job.model->hidden * wide);
  const bool ffn =
      !layer.mixture || (p.ep == 1 && p.expert_tensor() == p.tp) || job.model->moe.shared > 0;
  const double blocks = ffn ? 2 : 1;
  double one = 0;
  if (p.sequence_parallel) {
    one = fabric::all_gather(job.path, size, p.tp, inside).si() +
          fabric::reduce_scatter(job.path, size, p.tp, inside).si();
  } else {
    one = fabric::all_reduce(job.path, size, p.tp, inside).si();
  }
  // Without overlap, and always with tensor parallelism across domains, nothing hides.
  const double hidden = p.tp <= job.domain ? job.software.tensor_overlap : 0;
  c.tensor_f += blocks * one * (1 - hidden);
  c.tensor_b += blocks * one * (1 - hidden);
  c.tensor_hidden += 2 * blocks * one * hidden;
}

/// Share of a token's routed copies that travel when each of D places is reached once:
/// D (1 - (1 - 1/D)^k) / k distinct places for k choices.
double distinct_share(double places, double active) {
  if (places <= 1 || active <= 0) return 1;
  return places * (1 - std::pow(1 - 1 / places, active)) / active;
}

/// One all-to-all. NCCL's sends every copy; DeepEP and hybrid-EP send a token once to a domain,
/// and once to a rank inside it.
double exchange_s(const Job& job, double tokens, double ranks, double inside) {
  const auto& m = *job.model;
  const double copies = m.moe.active * job.imbalance;
  const auto bytes = [&](double share) {
    return as_bytes(tokens * copies * share * m.hidden * wide);
  };
  if (!job.software.node_dedupe) return fabric::all_to_all(job.path, bytes(1), ranks, inside).si();
  const double domains = ranks / inside, active = m.moe.active;
  const double by_rank = distinct_share(ranks, active);
  if (domains <= 1) return fabric::all_to_all(job.path, bytes(by_rank), ranks, inside).si();
  const double out =
      fabric::all_to_all(job.path, bytes(distinct_share(domains, active)), domains, 1).si();
  const double in = fabric::all_to_all(job.path, bytes(by_rank), inside, inside).si();
  return std::max(out, in);
}

void add_expert_exchange(const Job& job, const ParallelPlan& p, LayerCost& c) {
  const double shared = expert_tensor_s(job, p);
  c.expert_f += shared, c.expert_b += shared;
  if (p.ep == 1) return;
  const double one =
      exchange_s(job, rank_tokens(job, p) / p.tp, p.ep, per_domain(job, p.expert_tensor(), p.ep));
  const double exposed = 2 * one * (1 - job.software.expert_overlap);
  c.expert_f += exposed;
  c.expert_b += exposed;
  c.expert_hidden += 2 * (2 * one - exposed);
}

void add_context(const Job& job, const ParallelPlan& p, LayerCost& c) {
  const auto e = context_exchange(job, p, c.attention_f, c.attention_b);
  c.context_f += e.forward;
  c.context_b += e.backward;
  c.context_hidden += e.hidden;
}

void add_adapters(const Job& job, const ParallelPlan& p, const LayerClass& layer, LayerCost& c) {
  if (!job.adapters_only()) return;
  // Rank-r products read the target's input and add to its output: passes over memory.
  const double tokens = rank_tokens(job, p);
  double width = 0;
  for (const auto& g : workload::layer_gemms(*job.model, layer, tokens, {p.tp, 1})) {
    if (job.lora.targets != workload::LoraTargets::linear && g.name.substr(0, 3) == "ffn") continue;
    width += g.m * g.count * (g.k + 2 * g.n);
  }
  c.adapter_f += job.device->memory_s(width * wide);
  c.adapter_b += job.device->memory_s(2 * width * wide);
}

void add_scaled(const LayerCost& one, double weight, LayerCost& sum) {
  sum.gemm_f += weight * one.gemm_f, sum.gemm_b += weight * one.gemm_b;
  sum.attention_f += weight * one.attention_f, sum.attention_b += weight * one.attention_b;
  sum.stream_f += weight * one.stream_f, sum.stream_b += weight * one.stream_b;
  sum.tensor_f += weight * one.tensor_f, sum.tensor_b += weight * one.tensor_b;
  sum.expert_f += weight * one.expert_f, sum.expert_b += weight * one.expert_b;
  sum.context_f += weight * one.context_f, sum.context_b += weight * one.context_b;
  sum.last_f += weight * one.last_f, sum.again_f += weight * one.again_f;
  sum.tensor_hidden += weight * one.tensor_hidden, sum.expert_hidden += weight * one.expert_hidden;
  sum.context_hidden += weight * one.context_hidden;
  sum.adapter_f += weight * one.adapter_f, sum.adapter_b += weight * one.adapter_b;
}

LayerCost class_cost(const Job& job, const ParallelPlan& p, const LayerClass& layer) {
  LayerCost c;
  add_products(job, p, layer, c);
  add_attention(job, p, layer, c);
  add_stream(job, p, layer, c);
  add_tensor(job, p, layer, c);
  if (layer.mixture) add_expert_exchange(job, p, c);
  add_context(job, p, c);
  add_adapters(job, p, layer, c);
  const double widened = dequantise_s(job, p, layer);
  c.stream_f += widened, c.stream_b += widened;
  if (!p.modules.empty()) c.again_f = modules_s(job, p, layer, c);
  return c;
}

/// Work of the end of the model over that of a mean layer, by FLOPs at the rates of their
/// precisions.
double head_layers(const Job& job) {
  const auto one = flop / token;
  const auto f = workload::forward_flops(*job.model, job.sequence);
  const double body = (f.linear + f.attention).in(one) / std::max(1, job.model->layers);
  if (body <= 0) return 0;
  const double wide_rate = job.device->peak_flops(wide_precision(job));
  const double rate = job.device->peak_flops(job.precision);
  const double head = f.head.in(one) / body * (wide_rate > 0 ? rate / wide_rate : 1);
  const int mtp = job.method == Method::pretrain ? job.model->mtp_layers : 0;
  const double h = job.model->hidden, join = 2 * 2 * h * h / body;
  return head * (1 + mtp) + mtp * (1 + join);
}

}  // namespace

Sizes sizes(const Job& job) {
  const auto& m = *job.model;
  const auto all = workload::parameters(m);
  const double layers = std::max(1, m.layers);
  Sizes s;
  s.layer_dense = (all.blocks() - all.experts) / layers;
  s.layer_experts = all.experts / layers;
  s.embedding = all.embedding;
  s.head = m.head ? double(m.vocab) * m.hidden : 0;
  if (job.adapters_only()) s.adapters = workload::lora_parameters(m, job.lora) / layers;
  s.head_layers = head_layers(job);
  s.mtp = job.method == Method::pretrain ? workload::mtp_parameters(m) : 0;
  int mixtures = 0;
  for (const auto& c : workload::layer_classes(m)) mixtures += c.mixture ? c.count : 0;
  if (s.mtp > 0 && mixtures > 0) s.mtp_experts = m.mtp_layers * all.experts / mixtures;
  return s;
}

double per_domain(const Job& job, double inside, double ranks) {
  return std::clamp(std::floor(job.domain / std::max(1.0, inside)), 1.0, std::max(1.0, ranks));
}

LayerCost layer_cost(const Job& job, const ParallelPlan& plan) {
  LayerCost sum;
  const double layers = std::max(1, job.model->layers);
  for (const auto& layer : workload::layer_classes(*job.model))
    add_scaled(class_cost(job, plan, layer), layer.count / layers, sum);
  // A mixture layer launches about twice as many kernels: router, permutes, grouped products.
  const double host = job.software.host_per_layer_s * (job.model->is_mixture() ? 2 : 1);
  sum.floor_f = std::max(0.0, host / 3 - sum.forward());
  sum.floor_b = std::max(0.0, host * 2 / 3 - sum.backward());
  return sum;
}

EndCost end_cost(const Job& job, const ParallelPlan& plan) {
  const auto& m = *job.model;
  const auto& d = *job.device;
  const double tokens = rank_tokens(job, plan);
  EndCost e;
  if (m.head) {
    const auto g = workload::head_gemm(m, tokens, {plan.tp, 1});
    LayerCost c;
    add_product(job, {g.m, g.n, g.k, g.count}, wide_precision(job), c);
    // Logits: written in bf16, read and written in fp32 by the loss, and back.
    const double logits = g.m * g.n;
    e.head_f = c.gemm_f + d.memory_s(logits * 10);
    e.head_b = c.gemm_b + d.memory_s(logits * 8);
  }
  const double stream = tokens * m.hidden * wide * 3;
  e.embedding_f = d.memory_s(stream);
  e.embedding_b = d.memory_s(stream);
  // A multi-token prediction module is one layer, the projection that joins the hidden state with
  // the next token's embedding, and one pass of the head.
  if (m.mtp_layers > 0 && job.method == Method::pretrain) {
    const auto c = layer_cost(job, plan);
    LayerCost join;
    add_product(job, {tokens, double(m.hidden) / plan.tp, 2.0 * m.hidden}, job.precision, join);
    e.head_f += m.mtp_layers * (c.forward() + join.gemm_f + e.head_f);
    e.head_b += m.mtp_layers * (c.backward() + join.gemm_b + e.head_b);
  }
  return e;
}

}  // namespace headroom::train
