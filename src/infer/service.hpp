// Assessment of an LLM serving fleet.
//
//   ServiceDemand demand{.scope = "chat", .model = &llama, .hardware = {...}};
//   ServiceResult r = assess(spec, demand, trace);
//
// What it does: takes the traffic's lengths and peak, tries every layout that holds
// the model (tp over the powers of two in the scale-up domain, pipeline stages where one domain
// is too small), finds for each the highest rate that meets the SLOs (capacity.hpp),
// and keeps the one that needs the fewest GPUs. Precision is never changed silently;
// a lower one that would lift a limit is a remedy.
//
// LIMITS (id "infer.<scope>.<...>"; need <= have)
//   memory    weights, workspace and the KV of the longest request  | usable memory of a GPU
//   context   longest request asked                                 | context of the model
//   ttft      TTFT at the percentile, peak traffic                  | SLO
//   tpot      TPOT at the percentile, peak traffic                  | SLO
//   e2e       end-to-end time at the percentile, peak traffic       | SLO
//   kv        sequences running at the peak (Little's law)          | sequences the KV cache holds
//   layout    one layout that works                              | layouts found (only when none
//   is) gpus      GPUs needed, spare replica included                   | GPUs had       (when
//   given) rate      peak requests/s                                       | fleet's rate inside
//   the SLOs spare     peak requests/s                                       | the same with one
//   replica lost
//
// A fleet below saturation answers with steady-state times; one above it queues for the
// quarter of an hour that the peak lasts, and TTFT is what the last arrival then waits.
//
// ERRORS. None thrown; a scenario without a model, an accelerator, or a rate is answered
// with a remark and no limits. Every figure is finite. ~20 ms.
#pragma once

#include <string>

#include "base/findings.hpp"
#include "catalog/request_trace.hpp"
#include "infer/capacity.hpp"
#include "infer/hardware.hpp"
#include "infer/spec.hpp"

namespace headroom::infer {

struct ServiceDemand {
  std::string scope;                      ///< workload's name in kebab form
  const catalog::Model* model = nullptr;  ///< resolved by study
  Hardware hardware;
  const catalog::RequestTrace* trace = nullptr;  ///< of `traffic.trace`, when named
  Engine engine = Engine::vllm;
};

struct ServiceResult {
  Findings findings;
  bool feasible = false;  ///< some layout meets the SLOs at one request at a time
  Layout layout;
  EngineLimits limits;
  OperatingPoint peak;  ///< of one replica of the deployed fleet
  OperatingPoint mean;

  Figure<Scalar> gpus_per_replica;
  Figure<Scalar> replicas_needed;  ///< spare included
  Figure<Scalar> replicas;         ///< deployed: needed, or what the GPUs had allow
  Figure<Scalar> gpus_needed;
  Figure<Scalar> gpus;  ///< deployed
  Figure<Rate> rate;    ///< mean
  Figure<Rate> rate_peak;
  Figure<Rate> capacity;       ///< fleet's rate inside the SLOs
  Figure<Scalar> utilisation;  ///< mean rate over capacity
  Figure<Scalar> utilisation_peak;
  Figure<Time> ttft, tpot, e2e;               ///< at the SLO's percentile, at the peak
  Figure<TokenRate> input_rate, output_rate;  ///< mean, fleet, served
  Figure<TokenRate> output_capacity;          ///< fleet's, at `capacity`
  Figure<Tokens> input_per_year, output_per_year;
  Figure<Scalar> busy;              ///< share of time the deployed GPUs step, at the mean rate
  Figure<Scalar> power_fraction;    ///< mean power of a GPU over its maximum, at the mean rate
  Figure<Power> accelerator_power;  ///< mean of all deployed GPUs
  Figure<Information> weights_per_gpu;
};

ServiceResult assess(const ServiceSpec& spec, const ServiceDemand& demand, Trace& trace);

/// `traffic` with what it leaves out taken from `trace`, else from the Azure conversation
/// trace of 2023: lengths, spread of arrivals. The rates are the scenario's alone.
Traffic complete(const Traffic& traffic, const catalog::RequestTrace* trace);
/// Plain numbers of a completed traffic, at its mean rate.
Load service_load(const Traffic& complete);
/// What the engine is run with: the scenario's, else vLLM's defaults for an API server on this
/// device: 1,024 sequences and 8,192 tokens a step from 70 GiB of memory on (not on A100), else 256
/// and 2,048 (vllm/engine/arg_utils.py, get_batch_defaults, read 2026-11).
EngineLimits engine_limits(const EngineSpec& spec, const catalog::Accelerator& accelerator);
/// Weight and cache formats after "auto".
Layout service_formats(const ServiceSpec& spec);
/// "vllm serve <model> --tensor-parallel-size 4 ...", ready to paste.
std::string vllm_command(const ServiceSpec& spec, const catalog::Model& model, const Layout& layout,
                         const EngineLimits& limits);

}  // namespace headroom::infer
