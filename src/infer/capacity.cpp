#include "infer/capacity.hpp"

#include <algorithm>
#include <cmath>

#include "infer/queue.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

// Library handles, CUDA graphs and communication buffers of an engine: vLLM logs 0.5 to 2 GB
// for graphs and NCCL on 8B to 70B models (recalled, unverified).
constexpr double fixed_workspace_bytes = 1.0e9;
// A device with little memory is run with smaller batches rather than without room (assumed).
constexpr double largest_workspace_share = 0.15;

// Steps between the end of a prompt's own step and its first token at the client: vLLM V1
// schedules the next step before it hands out the last, and streams in pairs. 20 stages of real
// servers (inference-sim's training runs, 2026-02, 7B to 70B on H100) have their median TTFT
// at 2.9 to 3.3 steps with nothing but a cached prompt's last block to read: half a step of
// waiting, one of work, 1.5 of this.
constexpr double delivery_steps = 1.5;

double widest_ffn(const catalog::Model& m) {
  return std::max(double(m.ffn), double(m.moe.active) * m.moe.ffn + m.moe.shared_ffn);
}

}  // namespace

Memory replica_memory(const StepModel& step, const EngineLimits& limits,
                      const catalog::Model& model) {
  const double tp = step.layout().tp;
  // Four live residual-width tensors and gate, up and their product, at 2 bytes; fp32 logits.
  const double activations =
      limits.budget * (4.0 * model.hidden + 3.0 * widest_ffn(model) / tp) * 2;
  const double logits = limits.max_batch * model.vocab * 4.0 / tp;
  Memory m;
  m.had = step.memory() * limits.memory_share;
  m.weights = step.weights_per_gpu();
  m.workspace = std::min((fixed_workspace_bytes + activations + logits) * byte,
                         largest_workspace_share * step.memory());
  return m;
}

const char* binding_name(Binding binding) {
  constexpr const char* names[] = {"TTFT",     "TPOT",         "end-to-end time",
                                   "KV cache", "max_num_seqs", "GPU memory"};
  return names[static_cast<int>(binding)];
}

Replica::Replica(const catalog::Model& model, const StepModel& step, const EngineLimits& limits)
    : step_(step), limits_(limits), memory_(replica_memory(step, limits, model)) {}

double Replica::token_s(double batch, double context) const {
  const double b = std::max(batch, 1.0);
  const double g = limits_.speculation;
  if (g <= 0) return step_.decode(b, context).si();
  const double verify = step_.step({b, context, b * g, context}).si();
  const double draft = g * limits_.draft_cost * step_.decode(b, context).si();
  return (verify + draft) / tokens_per_verification(limits_.acceptance, static_cast<int>(g));
}

double Replica::kv_cap(double context) const {
  const double each = step_.kv_per_gpu(context).si();
  if (!memory_.fits()) return 0;
  return each > 0 ? memory_.kv_free().si() / each : 1e9;
}

double Replica::prefill_s(const Load& load, double batch) const {
  const Batch beside{std::max(batch, 1.0), load.context(), 0, 0};
  return step_.prefill(load.input - load.cached, load.cached, beside, limits_.budget).si();
}

double Replica::rate_at(const Load& load, double batch) const {
  const double tokens = std::max(load.output - 1, 0.0);
  const double busy = tokens * token_s(batch, load.context()) + batch * prefill_s(load, batch);
  // A request with nothing to decode still passes one step.
  return busy > 0 ? batch / std::max(busy, 1e-12) : 0;
}

double Replica::solve_batch(const Load& load, double cap) const {
  double low = 0, high = cap;
  for (int i = 0; i < 40; ++i) {
    const double mid = (low + high) / 2;
    (rate_at(load, mid) < load.rate_s ? low : high) = mid;
  }
  return high;
}

OperatingPoint Replica::operate(const Load& load, double percentile) const {
  OperatingPoint o;
  o.rate_s = load.rate_s;
  o.output = load.output;
  o.context = load.context();
  o.kv_cap = kv_cap(o.context);
  o.batch_cap = std::min(limits_.max_batch, o.kv_cap);
  if (o.batch_cap < 1) return o;
  o.saturation_s = rate_at(load, o.batch_cap);
  o.stable = load.rate_s < o.saturation_s * (1 - 1e-9);
  o.batch = o.stable ? solve_batch(load, o.batch_cap) : o.batch_cap;
  Flow flow;
  flow.z = normal_quantile(percentile);
  flow.percentile = percentile;
  flow.rate_s = o.stable ? load.rate_s : o.saturation_s;
  flow.prefill_s = prefill_s(load, o.batch);
  answer_times(load, flow, o);
  first_token_times(load, flow, o);
  const double answer = lognormal_quantile(load.output, load.output_cv, percentile);
  o.e2e = o.ttft + std::max(load.output - 1, 0.0) * o.tpot;
  o.e2e_p = o.ttft + std::max(std::max(answer, load.output) - 1, 0.0) * o.tpot;
  usage(load, flow, o);
  return o;
}

void Replica::answer_times(const Load& load, const Flow& flow, OperatingPoint& o) const {
  const double t = token_s(o.batch, o.context);
  o.prefill_share = std::min(flow.rate_s * flow.prefill_s, 1 - 1e-6);
  o.step = t * second;
  const double tpot = t / (1 - o.prefill_share);
  o.tpot = tpot * second;
  const double crowded = std::min(o.batch + flow.z * std::sqrt(o.batch), o.batch_cap);
  const double cuts = flow.rate_s * load.output * tpot;
  const double spread = std::sqrt(cuts * (1 + load.input_cv * load.input_cv));
  const double jitter = load.output > 1 ? flow.z * spread * flow.prefill_s / load.output : 0;
  const double slow =
      token_s(std::max(crowded, o.batch), o.context) / (1 - o.prefill_share) + jitter;
  o.tpot_p = std::max(slow, tpot) * second;
}

void Replica::first_token_times(const Load& load, const Flow& flow, OperatingPoint& o) const {
  const double fresh = std::max(load.input - load.cached, 0.0);
  const double step = step_.decode(std::max(o.batch, 1.0), o.context).si();
  // With nobody decoding beside it a prompt waits for no step of theirs.
  const double beside = std::min(o.batch, 1.0) * step;
  const double chunks = fresh / limits_.budget;
  const double work = flow.prefill_s + chunks * beside;
  const double busy = std::min(flow.rate_s * work, 1.0);
  const double arrival2 = load.arrival_cv * load.arrival_cv;
  const double residence = std::max(load.output - 1, 1.0) * o.tpot.si();
  const double slots = o.batch / o.batch_cap;
  const double wait =
      kingman_wait(busy, work, arrival2, load.input_cv * load.input_cv) +
      sakasegawa_wait(o.batch_cap, slots, residence, arrival2, load.output_cv * load.output_cv);
  Response first;
  first.fixed = (0.5 + std::max(0.0, 1 - chunks)) * beside + delivery_steps * step;
  first.service_mean = work;
  first.service_cv = load.input_cv;
  first.wait_mean = std::min(wait, overloaded);
  first.busy = std::max(busy, slots);
  o.slots = slots;
  o.ttft = std::min(first.mean(), overloaded) * second;
  o.ttft_p = std::max(first.quantile(flow.percentile), first.mean()) * second;
  if (!o.stable) o.ttft = o.ttft_p = overloaded * second;
}

void Replica::usage(const Load& load, const Flow& flow, OperatingPoint& o) const {
  const double fresh = std::max(load.input - load.cached, 0.0);
  const double span = std::max(o.tpot.si(), 1e-12);
  const double yield =
      limits_.speculation > 0
          ? tokens_per_verification(limits_.acceptance, static_cast<int>(limits_.speculation))
          : 1;
  o.busy = -std::expm1(-o.batch) * (1 - o.prefill_share) + o.prefill_share;
  o.steps_s = 1 / (span * yield);
  const Batch mean{std::max(o.batch, 1.0), o.context, flow.rate_s * fresh * span,
                   load.cached + fresh / 2};
  const double at_work = std::min(o.batch, 1.0);
  if (step_.peak().si() > 0) {
    o.mfu = step_.flops(mean).si() / span / step_.peak().si() * at_work;
  }
  if (step_.bandwidth().si() > 0) {
    o.mbu = step_.bytes_read(mean).si() / (span * yield) / step_.bandwidth().si() * at_work;
  }
}

std::optional<Binding> Replica::broken(const OperatingPoint& o, const Targets& targets) const {
  // A batch that is all but full makes requests wait for a place, whatever SLO notices first.
  constexpr double full = 0.9;
  const Binding place = o.kv_cap < limits_.max_batch ? Binding::kv_cache : Binding::max_batch;
  if (targets.tpot_s > 0 && o.tpot_p.si() > targets.tpot_s) return Binding::tpot;
  if (!o.stable) return place;
  if (targets.e2e_s > 0 && o.e2e_p.si() > targets.e2e_s) return Binding::e2e;
  if (targets.ttft_s > 0 && o.ttft_p.si() > targets.ttft_s) {
    return o.slots > full ? place : Binding::ttft;
  }
  return std::nullopt;
}

Replica::Capacity Replica::capacity(const Load& shape, const Targets& targets) const {
  Capacity c;
  if (!memory_.fits()) return c;
  Load load = shape;
  auto at = [&](double rate) {
    load.rate_s = rate;
    return operate(load, targets.percentile);
  };
  constexpr double nearly_none = 1e-9;
  const OperatingPoint idle = at(nearly_none);
  c.at = idle;
  if (idle.batch_cap < 1) return c;
  if (const auto b = broken(idle, targets)) {
    c.binding = *b;
    return c;
  }
  c.feasible = true;
  c.binding = idle.kv_cap < limits_.max_batch ? Binding::kv_cache : Binding::max_batch;
  double low = nearly_none, high = idle.saturation_s;
  for (int i = 0; i < 40; ++i) {
    const double mid = (low + high) / 2;
    if (const auto b = broken(at(mid), targets)) {
      high = mid;
      c.binding = *b;
    } else {
      low = mid;
    }
  }
  c.at = at(low);
  return c;
}

namespace {

std::vector<int> tensor_degrees(const catalog::Model& model, int domain, int fixed) {
  if (fixed > 0) return {fixed};
  std::vector<int> out;
  for (int tp = 1; tp <= domain; tp *= 2) {
    if (model.heads <= 0 || model.heads % tp == 0) out.push_back(tp);
  }
  return out;
}

}  // namespace

std::vector<Layout> feasible_layouts(const catalog::Model& model,
                                     const catalog::Accelerator& accelerator,
                                     const fabric::Path& path, const Layout& formats,
                                     const EngineSpec& spec, const EngineLimits& limits,
                                     int most_gpus) {
  std::vector<Layout> out;
  const int domain = std::max(1, static_cast<int>(path.domain));
  const auto degrees = tensor_degrees(model, domain, spec.tp);
  auto fits = [&](const Layout& layout) {
    const StepModel step(model, accelerator, path, layout);
    return replica_memory(step, limits, model).fits();
  };
  for (const int tp : degrees) {
    Layout layout = formats;
    layout.tp = tp;
    layout.pp = std::max(spec.pp, 1);
    if (layout.gpus() <= most_gpus && fits(layout)) out.push_back(layout);
  }
  if (!out.empty() || spec.pp > 0 || degrees.empty()) return out;
  Layout layout = formats;
  layout.tp = degrees.back();
  for (layout.pp = 2; layout.pp <= std::max(model.layers, 1); ++layout.pp) {
    if (layout.gpus() > most_gpus) break;
    if (fits(layout)) {
      out.push_back(layout);
      break;
    }
  }
  return out;
}

Search search_layouts(const catalog::Model& model, const catalog::Accelerator& accelerator,
                      const fabric::Path& path, const std::vector<Layout>& layouts, Engine engine,
                      const EngineLimits& limits, const Load& shape, const Targets& targets,
                      double peak_s, double ceiling, double spare) {
  Search s;
  for (const Layout& layout : layouts) {
    const StepModel step(model, accelerator, path, layout, engine);
    const Replica replica(model, step, limits);
    Choice c{layout, replica.capacity(shape, targets), 0};
    if (c.capacity.feasible) {
      const double each = c.capacity.at.rate_s * std::clamp(ceiling, 0.01, 1.0);
      c.replicas = std::max(1.0, std::ceil(peak_s / each * (1 - 1e-12))) + spare;
    }
    s.tried.push_back(c);
  }
  auto better = [](const Choice& a, const Choice& b) {
    if (a.capacity.feasible != b.capacity.feasible) return a.capacity.feasible;
    if (a.capacity.feasible && a.gpus() != b.gpus()) return a.gpus() < b.gpus();
    return a.capacity.at.tpot_p < b.capacity.at.tpot_p;
  };
  if (!s.tried.empty()) s.best = *std::min_element(s.tried.begin(), s.tried.end(), better);
  return s;
}

}  // namespace headroom::infer
