#include "serving/headroom.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {
namespace {

TimeSplit parts_of(const infer::StepModel& model, const infer::Batch& batch) {
  TimeSplit split;
  const infer::StepTime t = model.parts(batch);
  split.network_s = t.collectives.si();
  split.host_s = t.host.si();
  const double rest = std::max(0.0, t.total().si() - split.network_s - split.host_s);
  const double c = model.peak().si() > 0 ? (model.flops(batch) / model.peak()).si() : 0;
  const double m =
      model.bandwidth().si() > 0 ? (model.bytes_read(batch) / model.bandwidth()).si() : 0;
  const double c3 = c * c * c, m3 = m * m * m;
  const double share = c3 + m3 > 0 ? c3 / (c3 + m3) : 0;
  split.compute_s = rest * share;
  split.bandwidth_s = rest * (1 - share);
  return split;
}

TimeSplit scaled(TimeSplit s, double factor) {
  s.compute_s *= factor, s.bandwidth_s *= factor, s.network_s *= factor, s.host_s *= factor;
  return s;
}

}  // namespace

const char* resource_name(Resource r) {
  constexpr const char* names[] = {"compute", "memory bandwidth", "network", "host", "KV memory",
                                   "seats",   "token budget",     "nothing"};
  return names[static_cast<int>(r)];
}

Resource largest(const TimeSplit& s) {
  const double top = std::max({s.compute_s, s.bandwidth_s, s.network_s, s.host_s});
  if (top <= 0) return Resource::none;
  if (top == s.compute_s) return Resource::compute;
  if (top == s.bandwidth_s) return Resource::bandwidth;
  return top == s.network_s ? Resource::network : Resource::host;
}

StepShares step_shares(const infer::StepOracle& oracle, const EngineConfig& config,
                       const Tally& tally) {
  StepShares out;
  if (tally.steps <= 0 || tally.busy_s <= 0) return out;
  const double prompts = std::max(1.0, tally.submitted - tally.rejected + tally.preemptions);
  const double length = tally.prefilled_tokens / prompts;
  const double chunks = std::max(1.0, std::ceil(length / config.max_num_batched_tokens));
  const double with = tally.prefilled_tokens > 0 ? std::min(tally.steps, prompts * chunks) : 0;
  // Every token but a request's first was made by a decode.
  const double decodes = std::max(0.0, tally.decoded_tokens - prompts) / tally.steps;
  const double held = tally.kv_block_s / tally.busy_s * config.block_tokens;
  const double running = tally.running_s / tally.busy_s;
  const double context = running > 0 ? held / running : 0;
  const infer::StepModel& model = oracle.model();
  const infer::Batch plain{decodes, context, 0, 0};
  infer::Batch full = plain;
  full.prefill = with > 0 ? tally.prefilled_tokens / with : 0;
  full.prefill_keys = length / 2;
  const TimeSplit a = parts_of(model, plain), b = parts_of(model, full);
  const double without_s = (tally.steps - with) * a.total(), with_s = with * b.total();
  const double scale = without_s + with_s > 0 ? tally.busy_s / (without_s + with_s) : 0;
  out.prefill_s = scale * with * std::max(0.0, b.total() - a.total());
  out.decode_s = tally.busy_s - out.prefill_s;
  out.decode = scaled(a, scale * (tally.steps - with));
  out.prompt = scaled(b, scale * with);
  return out;
}

namespace {

Resource ttft_binding(const Summary& s, const StepShares& shares, const EngineConfig& config,
                      const Tally& tally) {
  const double step = tally.steps > 0 ? tally.busy_s / tally.steps : 0;
  const double admitted = std::max(1.0, tally.submitted - tally.rejected);
  const double wait = tally.waiting_s / admitted;
  const double running = tally.busy_s > 0 ? tally.running_s / tally.busy_s : 0;
  if (wait > step) {
    if (s.kv_peak > 0.95 || s.preemptions > 0) return Resource::kv_memory;
    if (running > 0.9 * config.max_num_seqs) return Resource::seats;
  }
  const Resource part = largest(shares.prompt.total() > 0 ? shares.prompt : shares.decode);
  return part == Resource::none && wait > step ? Resource::token_budget : part;
}

}  // namespace

std::vector<SloHeadroom> slo_headroom(const Summary& s, const Slo& slo, const StepShares& shares,
                                      const EngineConfig& config, const Tally& tally) {
  std::vector<SloHeadroom> out;
  const Resource first = ttft_binding(s, shares, config, tally);
  const Resource token = largest(shares.decode.total() > 0 ? shares.decode : shares.prompt);
  if (slo.ttft_s > 0) out.push_back({"TTFT", slo.ttft_s, s.ttft.at_slo, first});
  if (slo.tpot_s > 0) out.push_back({"TPOT", slo.tpot_s, s.tpot.at_slo, token});
  if (slo.e2e_s > 0)
    out.push_back({"E2E", slo.e2e_s, s.e2e.at_slo, s.ttft.mean > s.e2e.mean / 2 ? first : token});
  return out;
}

}  // namespace headroom::serving
