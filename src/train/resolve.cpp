#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "train/assess.hpp"

namespace headroom::train {
namespace {

constexpr double longest_default_sequence = 8192;
// Llama 3 405B: 16 M tokens a batch (arXiv 2407.21783, Table 4, 2024-07).
constexpr double reference_batch = 16.0 * 1024 * 1024;
constexpr double reference_parameters = 405e9;
constexpr double least_batch = 0.5e6, most_batch = 64e6;
// PCIe 5.0 x16 carries 55 of its 64 GB/s (nvbandwidth on H100 hosts, recalled, unverified).
constexpr double host_link_share = 0.86;
const Bandwidth pcie_4 = 32e9 * byte / second;
// Sequences a step in published instruction tuning recipes (Tulu 3 uses 128), recalled.
constexpr double tuning_sequences = 128;

std::string id(const Demand& d, const char* what) {
  return fmt::format("train.{}.{}", d.scope, what);
}

Value<Tokens> tokens_value(double n, SourcePtr source) { return {n * token, std::move(source)}; }

double resolve_sequence(const JobSpec& spec, const Demand& d, Trace& trace) {
  const auto fallback =
      tokens_value(default_sequence(*d.model),
                   assumed("the model's context, at most 8,192 tokens, as pre-training is done"));
  return trace.input_or(id(d, "sequence"), spec.sequence, fallback, "token").in(token);
}

void resolve_batch(const JobSpec& spec, const Demand& d, Job& job, Trace& trace, Findings& out) {
  job.batch_fixed = spec.global_batch.given;
  const double rule = default_batch(*d.model, spec.method, job.sequence);
  const auto fallback = tokens_value(
      rule * job.sequence,
      spec.method == Method::pretrain
          ? assumed("16 Mi tokens x sqrt(active parameters / 405e9), from Llama 3.1 405B "
                    "(arXiv 2407.21783, Table 4)")
          : assumed("128 sequences, usual in instruction tuning"));
  const auto batch = trace.input_or(id(d, "batch"), spec.global_batch, fallback, "token");
  job.sequences = std::max(1.0, std::round(batch.in(token) / job.sequence));
  if (!job.batch_fixed)
    out.remarks.push_back(fmt::format(
        "{}: no global batch given; {} assumed from the model's size, and moved by up to a quarter "
        "to suit the GPUs",
        d.scope, format_scaled(batch.value.si(), "token")));
}

void resolve_software(const JobSpec& spec, const Demand& d, Job& job, Trace& trace) {
  job.software = d.software.value_or(
      d.framework != nullptr ? make_software(*d.framework, *d.accelerator) : current_software());
  trace.choice(id(d, "framework"), d.framework != nullptr ? d.framework->name : job.software.id);
  auto& s = job.software;
  const auto& e = spec.efficiency;
  const auto use = [&](const char* what, const Value<Scalar>& given, double fallback,
                       const char* why) {
    return trace.input_or(id(d, what), given, Value<Scalar>(fallback, assumed(why)), "").value;
  };
  s.tensor_overlap = use("tensor-overlap", e.tensor_overlap, s.tensor_overlap,
                         "half of the tensor-parallel collectives run inside their GEMM "
                         "(Transformer Engine user buffers)");
  if (d.model->is_mixture()) {
    s.expert_overlap = use("expert-overlap", e.expert_overlap, s.expert_overlap,
                           "shared experts and the next batch run beside part of the all-to-all");
    job.imbalance = use("imbalance", e.imbalance, 1.1,
                        "dropless routing under a balancing loss; Qwen3-235B lost 9 to 24 % to it "
                        "against forced balance (Megatron-MoE-ModelZoo, 2025)");
  }
  s.attention_rate = use("attention-rate", e.attention_rate, s.attention_rate,
                         "the accelerator's best fused attention (FlashAttention 3, cuDNN 9)");
  s.jitter_per_doubling =
      use("jitter", e.jitter, s.jitter_per_doubling,
          "waiting for the slowest GPU, from the spread of step times in MLPerf training logs");
  const Value<Scalar> efficiency(
      s.efficiency_low, s.efficiency, s.efficiency_high,
      assumed(
          fmt::format("median of measured over modelled rate on published runs of {}; the range "
                      "holds 80 % of them (docs/validation.md)",
                      s.calibrated ? s.id : "all frameworks")));
  s.efficiency = trace.input_or(id(d, "software"), e.software, efficiency, "").value;
  job.host_threads = e.host_threads;
  if (e.cuda_graphs) s.host_per_layer_s = 0;
  if (!e.flash_attention) s.flash = false;
}

}  // namespace

double default_sequence(const catalog::Model& model) {
  const double context = model.context > 0 ? model.context : longest_default_sequence;
  return std::min(context, longest_default_sequence);
}

double default_batch(const catalog::Model& model, Method method, double sequence) {
  if (method != Method::pretrain) return tuning_sequences;
  const double active = workload::active_parameters(model).total();
  const double tokens = std::clamp(reference_batch * std::sqrt(active / reference_parameters),
                                   least_batch, most_batch);
  return std::max(1.0, std::exp2(std::round(std::log2(tokens / sequence))));
}

Job resolve(const JobSpec& spec, const Demand& d, const compute::Device& device, Trace& trace,
            Findings& out) {
  Job job;
  job.model = d.model;
  job.device = &device;
  job.accelerator = d.accelerator != nullptr ? d.accelerator->id : std::string();
  job.path = d.path;
  job.gpus = spec.gpus > 0 ? std::min(spec.gpus, d.gpus) : d.gpus;
  job.domain = std::max(1, d.domain);
  job.memory_bytes = d.accelerator->memory.or_else(Information{}).in(byte);
  job.host_link = host_link_share * d.accelerator->pcie.or_else(pcie_4).si();
  job.capacity_factor = spec.capacity_factor.or_else(0.0).si();
  job.precision = spec.precision;
  job.state = training_state(spec.state, spec.precision);
  job.optimiser = spec.optimiser;
  job.method = spec.method;
  job.lora = {spec.lora.rank, spec.lora.targets};
  trace.choice(id(d, "model"), d.model->name, d.model->origin);
  trace.choice(id(d, "accelerator"), d.accelerator->name, d.accelerator->origin);
  job.sequence = std::max(1.0, resolve_sequence(spec, d, trace));
  resolve_software(spec, d, job, trace);
  if (job.capacity_factor > 0) job.imbalance = std::min(job.imbalance, job.capacity_factor);
  resolve_batch(spec, d, job, trace, out);
  const auto runs = compute::resolve(*d.accelerator, spec.precision);
  if (runs.possible && !runs.native)
    out.remarks.push_back(fmt::format("{}: {} has no {}; it computes in {}", d.scope,
                                      d.accelerator->name, name(spec.precision),
                                      name(runs.runs_as)));
  return job;
}

}  // namespace headroom::train
