#include "infer/step_kernels.hpp"

#include <algorithm>
#include <cmath>

#include "infer/step.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

using workload::LayerClass;

bool four_bit(Precision p) { return element_bits(p) <= 6; }

/// Grouped products of a mixture's layer: time of routing, sorting and launches; shares of
/// bandwidth and of the peak they run at; how the two add up; share of bandwidth at which rows are
/// gathered and scattered. Our fits to moe_perf (power-law routing), TensorRT-LLM's and vLLM's
/// kernels together.
struct Grouped {
  double start_s, stream, compute, norm, gather;
};

Grouped grouped(bool blackwell, bool hopper, Precision format, Precision runs_as, bool blocks) {
  const bool wide = element_bits(runs_as) >= 16;
  if (wide && four_bit(format)) {  // Marlin and its like
    if (blackwell) return {90e-6, 1.05, 0.13, 0.60, 0.16};
    return format == Precision::int4 ? Grouped{92e-6, 1.3, 0.25, 0.70, 0.25}
                                     : Grouped{85e-6, 1.2, 0.45, 0.70, 0.30};
  }
  if (wide) {
    if (blackwell) return {23e-6, 0.99, 0.38, 1.68, 0.33};
    return hopper ? Grouped{45e-6, 1.0, 0.70, 1.3, 0.27} : Grouped{40e-6, 0.99, 0.44, 1.23, 0.30};
  }
  if (format == Precision::mxfp4) return {36e-6, 1.05, 0.60, 0.74, 0.23};
  if (four_bit(runs_as)) return {24e-6, 0.97, 0.73, 1.04, 0.29};
  if (blocks) {
    return blackwell ? Grouped{40e-6, 1.05, 0.25, 1.0, 0.14}
                     : Grouped{30e-6, 0.95, 0.38, 1.5, 0.18};
  }
  return blackwell ? Grouped{24e-6, 1.0, 0.45, 1.29, 0.45} : Grouped{36e-6, 0.90, 0.85, 1.3, 0.25};
}

/// Latent attention's decode kernel: shares of bandwidth and of the 16-bit peak (our fit to
/// generation_mla_perf of TensorRT-LLM).
struct Latent {
  double stream, compute;
};
constexpr double latent_overlap = 0.3;
Latent latent(bool blackwell, bool hopper) {
  if (blackwell) return {0.70, 0.95};
  return hopper ? Latent{0.90, 0.65} : Latent{0.50, 0.30};
}

/// Busiest expert rank over the mean, many tokens: 1.09, 1.17, 1.30, 1.45, 1.6 at 2, 4, 8, 16, 32
/// ranks under power-law routing (exponent 1.01) against balanced routing in moe_perf.
double busiest(int ep) { return 1 + 0.1 * std::log2(std::max(ep, 1)); }

// Boards with GDDR have smaller tensor cores and other kernels.
bool blackwell(const catalog::Accelerator& a) {
  return a.architecture.find("Blackwell") != std::string::npos && has_hbm(a);
}
bool hopper(const catalog::Accelerator& a) {
  return a.architecture.find("Hopper") != std::string::npos || a.id.rfind("h100", 0) == 0;
}

// Engines on boards without a bridge between GPUs are slower than NCCL's tables of them: 1.36 times
// on L40S over PCIe 4 (our fit to TensorRT-LLM 0.17's throughput), 2.2 times on two RTX PRO 6000
// over PCIe 5 (vLLM 0.19, steps of 128 decodes and of 2,048 prompt tokens in LLMServingSim's logs):
// 14 GB/s of bus bandwidth where the table has 25; TensorRT-LLM's own kernel reaches 14 to 20.
double through_host(const catalog::Accelerator& a) {
  const bool bridged = !a.scale_up.link.empty() && a.scale_up.link.rfind("PCIe", 0) != 0;
  if (bridged) return 1;
  const bool fifth = a.pcie && a.pcie.get() > 50 * gigabyte_per_second;
  return fifth ? 2.2 : 1.36;
}

double stored_bytes(Precision p) { return workload::stored_bytes_per_weight(p); }

struct Builder {
  const catalog::Model& model;
  const catalog::Accelerator& accelerator;
  const fabric::Path& path;
  const Layout& layout;
  compute::Device device;
  Formats formats;
  double bandwidth;  // B/s

  Builder(const catalog::Model& m, const catalog::Accelerator& a, const fabric::Path& p,
          const Layout& l)
      : model(m),
        accelerator(a),
        path(p),
        layout(l),
        device(a),
        formats(formats_of(m, l)),
        bandwidth(std::max(1.0, a.memory_bandwidth.or_else(Bandwidth{}).in(byte / second))) {}

  double product_s(const workload::Gemm& g, Precision format) const {
    if (!(g.m > 0) || !(g.count > 0)) return 0;
    const Precision runs = executed(accelerator, format, formats.weight_only);
    compute::Operands operands;
    operands.weight_bytes = stored_bytes(format);
    if (!device.runs(runs)) return g.count * device.memory_s(g.n * g.k * operands.weight_bytes);
    return g.count * device.gemm_s(runs, {g.m, g.n, g.k}, operands);
  }

  Precision format_of(std::string_view name) const {
    if (name == "router") return Precision::bf16;
    if (name.find("ffn") == 0 || name.find("shared") == 0) return formats.ffn;
    return formats.attention;
  }

  double layer_products_s(const LayerClass& layer, double tokens) const {
    workload::Split split;
    split.tensor = layout.tp;
    double total = 0;
    for (const auto& g : workload::layer_gemms(model, layer, tokens, split)) {
      if (g.name.find("expert") == 0) continue;
      total += product_s(g, format_of(g.name));
    }
    return layer.count * total;
  }

  /// One mixture layer on the busiest rank; `tokens` are all that meet in the stage.
  double layer_experts_s(double tokens) const {
    const auto& moe = model.moe;
    const double ranks = layout.stage_ranks();
    const double slices = std::max(1.0, ranks / std::max(layout.ep, 1));
    const double visited = workload::experts_visited(model, tokens) / std::max(layout.ep, 1);
    const double pairs = tokens * moe.active / std::max(layout.ep, 1) * busiest(layout.ep);
    const double width = std::max(1.0, moe.ffn / slices);
    const double matrices = model.gated ? 3 : 2;
    const Precision runs = executed(accelerator, formats.experts, formats.weight_only);
    const auto fit =
        grouped(blackwell(accelerator), hopper(accelerator), formats.experts, runs, formats.blocks);
    const double weights = matrices * model.hidden * width;
    const double peak = device.peak_flops(runs);
    const double m_s =
        std::max(1.0, visited) * weights * stored_bytes(formats.experts) / (bandwidth * fit.stream);
    const double c_s = peak > 0 ? 2 * weights * pairs / (peak * fit.compute) : 0;
    const double rows = pairs * (model.hidden * 4.0 + width * matrices * 2) +
                        tokens / layout.attention_dp * model.hidden * 4.0;
    return fit.start_s + std::pow(std::pow(m_s, fit.norm) + std::pow(c_s, fit.norm), 1 / fit.norm) +
           rows / (bandwidth * fit.gather);
  }

  // Attention replicas gather every token's activations and scatter the sums, or send each
  // token to the ranks of its experts and back, whichever is less.
  double exchange_s(double tokens) const {
    const double ranks = layout.stage_ranks(), local = std::min(ranks, path.domain);
    const double width = 2.0 * model.hidden;
    const auto whole = tokens * width * byte;
    const double gather = (fabric::all_gather(path, whole, ranks, local) +
                           fabric::reduce_scatter(path, whole, ranks, local))
                              .si();
    const double sends = std::min<double>(ranks, model.moe.active);
    const auto sent = tokens / layout.attention_dp * sends * width * byte;
    const double direct =
        1.5 * fabric::all_to_all(path, sent, ranks, local).si();  // there in 8 bit, back in 16
    return std::min(gather, direct);
  }

  double all_reduce_s(double tokens, double ranks) const {
    if (ranks <= 1) return 0;
    const double t = fabric::all_reduce(path, tokens * 2.0 * model.hidden * byte, ranks,
                                        std::min(ranks, path.domain))
                         .si();
    return through_host(accelerator) * t;
  }

  double reduce_s(double tokens) const {
    double total = 0;
    for (const auto& layer : workload::layer_classes(model)) {
      const double attention = all_reduce_s(tokens, layout.tp);
      const bool exchanged = layer.mixture && layout.attention_dp > 1;
      const double ffn =
          exchanged ? exchange_s(tokens * layout.attention_dp) : all_reduce_s(tokens, layout.tp);
      total += layer.count * (attention + ffn);
    }
    if (layout.pp > 1) {
      const bool inside = layout.gpus() <= path.domain;
      total +=
          (layout.pp - 1) *
          fabric::point_to_point(path, tokens * 2.0 * model.hidden / layout.tp * byte, inside).si();
    }
    return total;
  }
};

double heads_per_rank(const catalog::Model& m, const Layout& l) {
  return std::ceil(static_cast<double>(m.heads) / std::max(l.tp, 1));
}

/// Seconds of one (query, key) pair of prompt attention in one layer.
double pair_s(const Builder& b, double queries) {
  const auto& m = b.model;
  compute::Attention a;
  a.heads = heads_per_rank(m, b.layout);
  a.kv_heads = m.is_latent()
                   ? a.heads
                   : std::ceil(static_cast<double>(m.kv_head_count()) / std::max(b.layout.tp, 1));
  a.head_dim =
      m.is_latent() ? (m.mla.nope_dim + m.mla.rope_dim + m.mla.value_dim) / 2.0 : m.head_width();
  a.query = std::max(queries, 16.0);
  a.past = std::max(0.0, 2048 - queries);  // typical: short parts stand behind earlier ones
  const double pairs = a.query * a.keys_per_query();
  if (!b.device.runs(Precision::bf16) || pairs <= 0) return 0;
  return std::max(0.0, b.device.attention_s(Precision::bf16, a) / pairs);
}

void fill_decode_attention(StepKernels& k, const Builder& b) {
  const auto& m = b.model;
  double global = 0, local = 0;
  for (const auto& layer : workload::layer_classes(m)) {
    (layer.global ? global : local) += layer.count;
  }
  const double stream = b.bandwidth * b.accelerator.decode_efficiency.or_else(Scalar(0.7));
  const double ranks = m.is_latent() ? 1 : std::min(b.layout.tp, m.kv_head_count());
  const double bytes = workload::kv_values_per_layer(m) * bytes_per_element(b.layout.kv) / ranks;
  const double heads = heads_per_rank(m, b.layout);
  const double peak = b.device.peak_flops(Precision::bf16);
  double key = bytes / stream, verify = 0;
  if (m.is_latent()) {
    const auto fit = latent(blackwell(b.accelerator), hopper(b.accelerator));
    const double flops = 2 * heads * (2.0 * m.mla.kv_rank + m.mla.rope_dim);
    const double c = peak > 0 ? flops / (peak * fit.compute) : 0;
    const double r = bytes / (b.bandwidth * fit.stream);
    key = std::max(c, r) + latent_overlap * std::min(c, r);
    verify = c;
  } else if (peak > 0) {
    // Draft tokens read the cache once more through the same tile: their scores are extra.
    verify = 4 * heads * m.head_width() / (0.35 * peak);
  }
  k.key_global_s = global * key;
  k.key_local_s = local * key;
  // Rows: 64 in the tile; 46 of a long prompt's pairs fit 672 us for 128 x 1,024 keys of 32 heads
  // (LLMServingSim, RTX PRO 6000). Hopper's and Blackwell's data-centre kernels pack them.
  constexpr double joint_rows = 46, long_prompt = 2048;
  const bool packed = m.is_latent() || blackwell(b.accelerator) || hopper(b.accelerator);
  const double joint = packed ? key : std::max(key, joint_rows * pair_s(b, long_prompt));
  k.joint_global_s = global * joint;
  k.joint_local_s = local * joint;
  k.verify_global_s = global * verify;
  k.verify_local_s = local * verify;
  k.pair_local_ratio = global + local > 0 ? local / (global + local) : 0;
}

void fill_adapters(StepKernels& k, const Builder& b) {
  double values = 0;
  for (const auto& layer : workload::layer_classes(b.model)) {
    for (const auto& g : workload::layer_gemms(b.model, layer, 1, {.tensor = b.layout.tp})) {
      if (g.name.find("expert") == 0 || g.name == "router") continue;
      values += layer.count * (g.n + g.k) * b.layout.lora_rank;
      k.adapter_kernels += 2 * layer.count;  // shrink and expand
    }
  }
  k.adapter_s = 2 * values / b.device.stream_bytes_per_s();
  const double peak = b.device.peak_flops(Precision::bf16);
  // Thin products reach about a tenth of the peak (assumed).
  k.adapter_token_s = peak > 0 ? 2 * values / (0.1 * peak) : 0;
}

}  // namespace

bool has_hbm(const catalog::Accelerator& a) { return a.memory_kind.rfind("HBM", 0) == 0; }

std::string_view generation_of(const catalog::Accelerator& a) {
  return has_hbm(a) || a.memory_kind.empty() ? std::string_view(a.architecture) : "";
}

Precision executed(const catalog::Accelerator& a, Precision weights, bool weight_only) {
  if (weight_only) return Precision::bf16;
  const auto resolved = compute::resolve(a, weights);
  if (four_bit(weights) && !resolved.native) return Precision::bf16;
  if (weights == Precision::int4) return Precision::bf16;  // AWQ and GPTQ are weight-only
  if (weights == Precision::int8 && resolved.native &&
      compute::peak(a, Precision::fp8) == resolved.peak) {
    return Precision::fp8;
  }
  return weights;
}

Formats formats_of(const catalog::Model& model, const Layout& layout) {
  Formats f;
  f.attention = f.ffn = f.experts = layout.weights;
  f.weight_only = layout.weight_only;
  f.blocks =
      layout.block_scales || (layout.weights == Precision::fp8 && model.weights == Precision::fp8);
  if (model.is_mixture()) {
    const bool latent = model.is_latent();
    const bool experts_only = layout.weights == Precision::mxfp4 ||
                              (layout.weights == Precision::int4 && latent) ||
                              (model.weights_experts_only && layout.weights == model.weights);
    if (experts_only) f.attention = f.ffn = Precision::bf16;
    if (layout.weights == Precision::nvfp4 && latent) f.attention = Precision::bf16;
  }
  if (layout.dense) f.attention = f.ffn = *layout.dense;
  return f;
}

std::string_view factor_format(Precision part, const Formats& formats) {
  if (part == Precision::fp8 && formats.blocks) return "fp8-block";
  return name(part == Precision::fp16 ? Precision::bf16 : part);
}

StepKernels::StepKernels(const catalog::Model& model, const catalog::Accelerator& accelerator,
                         const fabric::Path& path, const Layout& layout) {
  const Builder b(model, accelerator, path, layout);
  const auto layers = workload::layer_classes(model);
  products.fill([&](double tokens) {
    double total = 0;
    for (const auto& layer : layers) total += b.layer_products_s(layer, tokens);
    return total;
  });
  double mixtures = 0, width = 0;
  for (const auto& layer : layers) {
    mixtures += layer.mixture ? layer.count : 0;
    width += layer.count * (layer.mixture
                                ? std::max(model.moe.shared_ffn, model.moe.shared * model.moe.ffn)
                                : model.ffn);
  }
  if (mixtures > 0) {
    experts.fill(
        [&](double tokens) { return mixtures * b.layer_experts_s(tokens * layout.attention_dp); });
  }
  head.fill([&](double tokens) {
    return b.product_s(workload::head_gemm(model, tokens, {.tensor = layout.tp}), Precision::bf16);
  });
  reduce.fill([&](double tokens) { return b.reduce_s(tokens); });
  double total_layers = 0;
  for (const auto& layer : layers) total_layers += layer.count;
  // Seconds a pair fall with the queries, so this curve is kept as it is, not made to rise.
  prompt_s.add([&](double queries) { return total_layers * pair_s(b, queries); });
  launch_s = b.device.launch_s();
  pass_s = total_layers * 2.0 * model.hidden / b.device.stream_bytes_per_s();
  activation_s = 2.0 * 3 * width / std::max(layout.tp, 1) / b.device.stream_bytes_per_s();
  fill_decode_attention(*this, b);
  fill_adapters(*this, b);
}

}  // namespace headroom::infer
