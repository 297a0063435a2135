// What arrives and how the engine is run: scenario, else trace, else default.
#include <algorithm>
#include <cmath>

#include "infer/service.hpp"

namespace headroom::infer {

namespace {

SourcePtr azure() {
  static const SourcePtr source = published(
      "Azure LLM inference trace 2023, conversation, 19,366 requests (Patel et al., "
      "Splitwise, ISCA 2024); statistics computed here",
      "2023-11", "https://github.com/Azure/AzurePublicDataset");
  return source;
}

void fill(Lengths& own, const catalog::LengthStatistics* other, double mean, double p99) {
  if (own.mean) return;
  if (other) {
    own.mean = other->mean;
    own.p90 = other->p90;
    own.p99 = other->p99;
    own.variation = other->variation;
  }
  if (own.mean) return;
  own.mean = Value<Tokens>(mean * token, azure());
  own.p99 = Value<Tokens>(p99 * token, azure());
}

double value(const Value<Scalar>& v, double fallback) { return v.or_else(Scalar(fallback)); }

}  // namespace

Traffic complete(const Traffic& traffic, const catalog::RequestTrace* trace) {
  Traffic t = traffic;
  fill(t.input, trace ? &trace->input : nullptr, 1155, 4142);
  fill(t.output, trace ? &trace->output : nullptr, 211, 601);
  if (trace && !t.cv) t.cv = trace->burstiness;
  if (trace && !t.prefix_share) t.prefix_share = trace->prefix_reuse;
  if (!t.cv) t.cv = Value<Scalar>(1.0, assumed("Poisson arrivals, when the scenario says nothing"));
  if (!t.prefix_share) {
    t.prefix_share =
        Value<Scalar>(0.0, assumed("no shared prompts, when the scenario says nothing"));
  }
  if (t.rate && !t.peak) {
    t.peak = Value<Rate>(2 * t.rate.get(),
                         assumed("busiest quarter of an hour twice the mean of the day"));
  }
  if (t.peak && !t.rate) {
    t.rate = Value<Rate>(0.5 * t.peak.get(),
                         assumed("mean of the day half of the busiest quarter of an hour"));
  }
  return t;
}

Load service_load(const Traffic& t) {
  Load load;
  load.rate_s = t.rate.or_else(Rate{}).si();
  load.arrival_cv = value(t.cv, 1);
  load.input = std::max(t.input.mean.or_else(Tokens{}).si(), 1.0);
  load.output = std::max(t.output.mean.or_else(Tokens{}).si(), 1.0);
  load.input_cv = t.input.cv(1);
  load.output_cv = t.output.cv(1);
  // At least one token of a prompt is computed, whatever the cache holds.
  load.cached =
      std::min(load.input * std::clamp(value(t.prefix_share, 0), 0.0, 1.0), load.input - 1);
  return load;
}

EngineLimits engine_limits(const EngineSpec& spec, const catalog::Accelerator& accelerator) {
  const bool ample = accelerator.memory.or_else(Information{}) >= 70 * gibibyte &&
                     accelerator.id.rfind("a100", 0) != 0;
  EngineLimits limits;
  limits.max_batch = spec.max_batch > 0 ? spec.max_batch : (ample ? 1024 : 256);
  limits.budget = std::max(spec.token_budget.or_else((ample ? 8192 : 2048) * token).si(), 1.0);
  limits.memory_share = spec.memory_fraction.or_else(Scalar(0.9));
  if (spec.speculation) {
    limits.speculation = spec.speculation->length;
    limits.acceptance = value(spec.speculation->acceptance, 0.7);
    limits.draft_cost = value(spec.speculation->draft_cost, 0.05);
  }
  return limits;
}

Layout service_formats(const ServiceSpec& spec) {
  Layout layout;
  layout.weights = spec.precision.or_else(Precision::bf16);
  const bool narrow = element_bits(layout.weights) < 16;
  layout.kv = spec.kv_precision.or_else(narrow ? Precision::fp8 : Precision::bf16);
  return layout;
}

namespace {

std::string quantization_flag(Precision weights) {
  switch (weights) {
    case Precision::fp8:
    case Precision::mxfp8:
    case Precision::fp8_block:
      return " --quantization fp8";
    case Precision::int4:
      return " --quantization awq";
    case Precision::nvfp4:
      return " --quantization modelopt_fp4";
    default:
      return "";
  }
}

}  // namespace

std::string vllm_command(const ServiceSpec& spec, const catalog::Model& model, const Layout& layout,
                         const EngineLimits& limits) {
  std::string c = "vllm serve " + model.id;
  c += " --tensor-parallel-size " + std::to_string(layout.tp);
  if (layout.pp > 1) c += " --pipeline-parallel-size " + std::to_string(layout.pp);
  c += quantization_flag(layout.weights);
  if (element_bits(layout.kv) == 8) c += " --kv-cache-dtype fp8";
  c += " --max-num-seqs " + std::to_string(to_count(limits.max_batch));
  c += " --max-num-batched-tokens " + std::to_string(to_count(limits.budget));
  const auto percent_memory = std::lround(100 * limits.memory_share);
  c += " --gpu-memory-utilization 0." + std::string(percent_memory < 10 ? "0" : "") +
       std::to_string(percent_memory);
  if (spec.slo.context) {
    c += " --max-model-len " + std::to_string(std::lround(spec.slo.context.get().si()));
  }
  if (spec.traffic.prefix_share.or_else(Scalar(0.0)) > 0) c += " --enable-prefix-caching";
  if (limits.speculation > 0) {
    c += " --speculative-config '{\"num_speculative_tokens\": " +
         std::to_string(to_count(limits.speculation)) + "}'";
  }
  return c;
}

}  // namespace headroom::infer
