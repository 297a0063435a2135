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
  constexpr const char* names[] = {"TTFT",         "TPOT",       "end-to-end time", "KV cache",
                                   "max_num_seqs", "GPU memory", "token budget"};
  return names[static_cast<int>(binding)];
}

const char* beyond_text(Beyond beyond) {
  constexpr const char* texts[] = {
      "", "the closed form was held against the engine up to 70 % of saturation only",
      "the closed form was not held against the engine for prompts of so wide a spread or so many "
      "times the token budget",
      "the closed form leaves out waits for a place and preemptions, which begin to count here"};
  return texts[static_cast<int>(beyond)];
}

Replica::Replica(const catalog::Model& model, const StepModel& step, const EngineLimits& limits)
    : oracle_(step),
      limits_(limits),
      memory_(replica_memory(step, limits, model)),
      longest_(model.context) {}

double Replica::time_s(double batch, double context, double tokens, double keys,
                       double prompts) const {
  StepLoad load;
  load.decodes = batch;
  load.keys = batch * context;
  load.prefill = tokens;
  load.prefill_pairs = tokens * keys;
  load.prompts = prompts;
  const double g = limits_.speculation;
  if (g <= 0 || batch <= 0) return oracle_.step_s(load);
  const double draft =
      g * limits_.draft_cost * oracle_.step_s({.decodes = batch, .keys = batch * context});
  load.verify = g;
  return oracle_.step_s(load) + draft;
}

double Replica::token_s(double batch, double context) const {
  const double g = limits_.speculation;
  const double yield = g > 0 ? tokens_per_verification(limits_.acceptance, static_cast<int>(g)) : 1;
  return time_s(std::max(batch, 1.0), context, 0, 0, 0) / yield;
}

double Replica::kv_cap(double context) const {
  const double each = step().kv_per_gpu(context).si();
  if (!memory_.fits()) return 0;
  return each > 0 ? memory_.kv_free().si() / each : 1e9;
}

// --- Open loop --------------------------------------------------------------------------

OperatingPoint Replica::operate(const Load& load, double percentile) const {
  const Shape s = shape(load);
  OperatingPoint none;
  none.rate_s = load.rate_s;
  none.output = load.output;
  none.context = s.context;
  none.kv_cap = kv_cap(s.context);
  none.batch_cap = std::min(limits_.max_batch, none.kv_cap);
  if (none.batch_cap < 1) return none;
  const double cap = prompts_at(load, s, none.batch_cap);
  const Mix full = mix(load, s, cap);
  const bool stable = load.rate_s < full.rate_s() * (1 - 1e-9);
  const Mix m = stable ? open(load, s, load.rate_s, cap) : full;
  OperatingPoint o = point(load, s, m, percentile, stable);
  o.saturation_s = full.rate_s();
  o.beyond = beyond(s, m, full.rate_s());
  o.batch_cap = std::min(o.batch_cap, full.running);
  return o;
}

Beyond Replica::beyond(const Shape& s, const Mix& m, double saturation) const {
  constexpr double load = 0.7, square = 2.7, budgets = 4, deviations = 3;
  if (m.rate_s() > load * saturation * (1 + 1e-3)) return Beyond::load;
  if (s.square > square || s.fresh > budgets * limits_.budget) return Beyond::lengths;
  const double most = m.running + deviations * std::sqrt(m.batch * m.crowd);
  return most > s.slots ? Beyond::places : Beyond::none;
}

Replica::Use Replica::use(const Load& load) const {
  const Shape s = shape(load);
  const double slots = std::min(limits_.max_batch, kv_cap(s.context));
  if (slots < 1) return {};
  const double cap = prompts_at(load, s, slots);
  const Mix full = mix(load, s, cap);
  const Mix m = load.rate_s < full.rate_s() ? open(load, s, load.rate_s, cap) : full;
  const double busy = -std::expm1(-m.running);
  return {busy, std::clamp(1 - m.decode_s / m.step_s, 0.0, 1.0) * busy};
}

OperatingPoint Replica::point(const Load& load, const Shape& s, const Mix& m, double percentile,
                              bool stable) const {
  OperatingPoint o;
  o.stable = stable;
  o.rate_s = load.rate_s;
  o.output = load.output;
  o.context = s.context;
  o.kv_cap = kv_cap(s.context);
  o.batch_cap = std::min(limits_.max_batch, o.kv_cap);
  o.batch = m.batch;
  o.running = m.running;
  answer_times(load, s, m, percentile, o);
  const Response first = first_token(load, s, m, o);
  o.ttft = std::min(first.mean(), overloaded) * second;
  o.ttft_p = first.quantile(percentile) * second;
  if (!stable) o.ttft = o.ttft_p = overloaded * second;
  const double answer = lognormal_quantile(load.output, load.output_cv, percentile);
  o.e2e = o.ttft + std::max(load.output - 1, 0.0) * o.tpot;
  o.e2e_p = o.ttft + std::max(answer - 1, 0.0) * o.tpot;
  usage(s, m, o);
  return o;
}

void Replica::answer_times(const Load& load, const Shape& s, const Mix& m, double percentile,
                           OperatingPoint& o) const {
  o.prefill_share = std::clamp(1 - m.decode_s / m.step_s, 0.0, 1.0);
  o.step = m.decode_s * second;
  o.tpot = m.step_s / s.yield * second;
  o.tpot_p = answer_spread(load, s, m).quantile(percentile) / s.yield * second;
}

TokenTimes Replica::answer_spread(const Load& load, const Shape& s, const Mix& m) const {
  TokenTimes t;
  t.mean_s = m.step_s;
  t.steps = std::max(s.steps, 1.0);
  t.steps_cv = load.output_cv;
  // What one more sequence adds to a step, its share of prompts included.
  constexpr double beyond = 1.1;
  const double seen = m.batch + s.beside;
  const double more =
      (time_s(beyond * seen, s.context, 0, 0, 0) - time_s(seen, s.context, 0, 0, 0)) /
          ((beyond - 1) * seen) +
      (m.step_s - m.decode_s) / std::max(m.batch, 1.0);
  const double own = std::clamp(m.batch * more / m.step_s, 0.0, 0.9);
  // Variance of the batch, averaged over a residence with the batch's own memory.
  const double memory = 1 - own;
  const double averaged = 2 / (memory * memory) * (memory - 1 + std::exp(-memory));
  t.crowd_s2 = more * more * m.batch / (1 - own) * averaged * s.beside;
  t.prompts = m.prompts;
  t.prompt_s = m.token_s * s.fresh;
  t.prompt_cv2 = s.square - 1;
  t.extra_s = m.extra_s * t.steps;
  return t;
}

Response Replica::first_token(const Load& load, const Shape& s, const Mix& m,
                              OperatingPoint& o) const {
  const double prompt = m.token_s * s.fresh;
  // The step that an arrival falls into is a long one; all that came in it share the next.
  const double stepping = -std::expm1(-m.running);
  const double others = stepping * m.rate_s() * m.interval_s;
  o.slots = std::min(m.running / o.batch_cap, 1.0);
  const double residence = m.running > 0 ? m.running / m.rate_s() : 0;
  const double for_slot =
      sakasegawa_wait(o.batch_cap, o.slots, residence, load.arrival_cv * load.arrival_cv,
                      load.output_cv * load.output_cv);
  const double carrying =
      std::clamp(m.carrying * (m.decode_s + m.token_s * m.tokens) / m.step_s, 0.0, 1.0);
  Response first;
  first.fixed = (0.5 * stepping + 1 + delivery_steps) * m.decode_s;
  first.service_mean = prompt + (m.chunks - 1) * m.decode_s;
  first.service_cv = prompt_cv(load, s, m);
  const double own = 1.5 * m.decode_s + first.service_mean;
  first.wait_mean = std::min(std::max(m.first_s - own, 0.0) + for_slot, overloaded);
  first.busy = std::max(1 - (1 - carrying) * std::exp(-others),
                        std::max(m.used, wait_chance(o.batch_cap, o.slots)));
  // Second moment of a wait of this mean before one server (Takacs), by the work of prompts.
  const double rho = std::min(m.rate_s() * prompt, 0.985), wait = first.wait_mean;
  const double third = m.rate_s() * std::pow(prompt * s.square, 3) / (3 * (1 - rho));
  if (wait > 0 && wait < overloaded / 2)
    first.wait_cv = std::sqrt(std::clamp(first.busy * (2 + third / (wait * wait)) - 1, 0.8, 16.0));
  return first;
}

/// Spread of the time that prompts take: long ones pay for what short ones hide behind weights.
double Replica::prompt_cv(const Load& load, const Shape& s, const Mix& m) const {
  constexpr double far = 0.99;
  const double mean = m.token_s * s.fresh + (m.chunks - 1) * m.decode_s;
  if (load.input_cv <= 0 || mean <= 0) return load.input_cv;
  const double ratio = lognormal_quantile(1, load.input_cv, far);
  const double tokens = ratio * s.fresh, each = std::min(tokens, m.room);
  const double cached = load.input > 0 ? load.cached / load.input : 0;
  const double keys = ratio * load.input * (1 + cached) / 2;
  const double seen = m.batch + s.beside;
  const double step = time_s(seen, s.context, each, keys, 1) - m.decode_s;
  const double whole = tokens / each * step + (std::ceil(tokens / m.room) - 1) * m.decode_s;
  return std::max(load.input_cv, lognormal_cv(whole / mean, far));
}

void Replica::usage(const Shape& s, const Mix& m, OperatingPoint& o) const {
  o.busy = -std::expm1(-m.running);
  o.steps_s = 1 / std::max(m.step_s, 1e-12);
  const double g = limits_.speculation;
  const Batch mean{std::max(m.batch, 1.0), o.context, m.prompts * s.fresh + g * m.batch, s.keys};
  const double at_work = std::min(m.running, 1.0);
  const StepModel& model = step();
  if (model.peak().si() > 0)
    o.mfu = model.flops(mean).si() / m.step_s / model.peak().si() * at_work;
  if (model.bandwidth().si() > 0)
    o.mbu = model.bytes_read(mean).si() / m.step_s / model.bandwidth().si() * at_work;
}

// --- Closed loop ------------------------------------------------------------------------

ClosedLoop Replica::closed_loop(double concurrency, const Load& lengths) const {
  ClosedLoop c;
  c.concurrency = concurrency;
  Shape s = shape(lengths);
  const double cap = std::min(limits_.max_batch, kv_cap(s.context));
  c.fits = cap >= 1 && concurrency > 0;
  if (!c.fits) return c;
  s.beside = 0;  // their number does not vary
  const double running = std::min(concurrency, cap);
  // Answers of one length keep those in step that once began together.
  const double room = std::max(limits_.budget - running, 1.0);
  const double begun = std::clamp(room / std::max(s.fresh, 1.0), 1.0, running);
  const double whole = std::floor(running / begun), rest = running / begun - whole;
  s.kept = s.steps > 0 ? std::exp(-lengths.output_cv * s.steps) : 0;
  s.together = 1 + (running / std::ceil(running / begun) - 1) * s.kept;
  const Mix m = mix(lengths, s, prompts_at(lengths, s, running));
  c.running = std::min(running, m.running);
  c.batch = m.batch;
  c.rate_s = m.rate_s();
  c.output_s = c.rate_s * lengths.output;
  c.input_s = c.rate_s * lengths.input;
  c.prefill_share = std::clamp(1 - m.decode_s / m.step_s, 0.0, 1.0);
  c.step = m.decode_s * second;
  // A request's own prompt is read before its first token, and so are those beside it.
  // Where the budget or a cap holds some back, another prompt takes its place at once.
  const double held = std::clamp(concurrency / m.running - 1, 0.0, 1.0);
  // A wave reads no other's prompts beside its own: it meets them all in its decoding steps.
  const double sized = (whole + rest * rest) * begun * begun / (running * running);
  const double met = s.steps > 0 ? (s.steps + m.chunks) / s.steps : 1;
  const double others =
      s.kept * (1 - sized) * met + (1 - s.kept) * (1 - std::min(s.together / c.running, 1.0));
  const double foreign = held + (1 - held) * std::clamp(others, 0.0, 1.0);
  c.tpot = (m.decode_s + foreign * (m.step_s - m.decode_s)) / s.yield * second;
  const double cycle = concurrency / c.rate_s;
  c.ttft = std::max(cycle - s.steps * s.yield * c.tpot.si(), 0.0) * second;
  c.e2e = cycle * second;
  c.parts = parts(s, m);
  return c;
}

StepTime Replica::parts(const Shape& s, const Mix& m) const {
  Batch decode{m.batch + s.beside, s.context};
  decode.verify = limits_.speculation;
  StepTime t = step().parts(decode);
  if (s.fresh <= 0 || m.tokens <= 0) return t;
  Batch with = decode;
  with.prefill = m.tokens;
  with.prefill_keys = s.keys;
  with.prompts = std::max(1.0, m.prompts * m.chunks / m.carrying);
  const StepTime full = step().parts(with);
  const auto blend = [&](Time StepTime::*part) { t.*part += m.carrying * (full.*part - t.*part); };
  for (const auto part : {&StepTime::linear, &StepTime::experts, &StepTime::attention,
                          &StepTime::activations, &StepTime::collectives, &StepTime::host})
    blend(part);
  return t;
}

// --- Capacity ---------------------------------------------------------------------------

std::optional<Binding> Replica::broken(const Load& load, const Shape& s, const Mix& m,
                                       const Targets& targets, double cap, Binding place) const {
  // A batch that is all but full makes requests wait for a place, whatever SLO notices first.
  constexpr double full = 0.9;
  OperatingPoint o;
  o.batch_cap = cap;
  const double tpot = m.step_s / s.yield;
  if (targets.tpot_s > 0 &&
      (tpot > targets.tpot_s ||
       !answer_spread(load, s, m).within(targets.tpot_s * s.yield, targets.percentile)))
    return Binding::tpot;
  if (targets.ttft_s <= 0 && targets.e2e_s <= 0) return std::nullopt;
  const Response first = first_token(load, s, m, o);
  const double answer = lognormal_quantile(load.output, load.output_cv, targets.percentile);
  const double e2e = first.mean() + std::max(answer - 1, 0.0) * tpot;
  if (targets.e2e_s > 0 && e2e > targets.e2e_s) return Binding::e2e;
  if (targets.ttft_s > 0 && !first.within(targets.ttft_s, targets.percentile))
    return o.slots > full ? place : Binding::ttft;
  return std::nullopt;
}

Replica::Capacity Replica::capacity(const Load& shape_of, const Targets& targets) const {
  Capacity c;
  if (!memory_.fits()) return c;
  const Load& load = shape_of;
  const Shape s = shape(load);
  const double kv = kv_cap(s.context);
  const double slots = std::min(limits_.max_batch, kv);
  if (slots < 1) {
    c.at = operate(load, targets.percentile);
    return c;
  }
  const double most = prompts_at(load, s, slots);
  const bool by_budget = most >= s.prompts_cap * (1 - 1e-9);
  const Binding place = by_budget                ? Binding::token_budget
                        : kv < limits_.max_batch ? Binding::kv_cache
                                                 : Binding::max_batch;
  const Mix full = mix(load, s, most);
  const double cap = std::min(slots, full.running), saturation = full.rate_s();
  const auto step = [&](double rate) { return open(load, s, rate, most); };
  const auto at = [&](double rate) {
    const Mix m = step(rate);
    Load l = load;
    l.rate_s = rate;
    OperatingPoint o = point(l, s, m, targets.percentile, true);
    o.saturation_s = saturation;
    o.batch_cap = cap;
    o.beyond = beyond(s, m, saturation);
    return o;
  };
  const double nearly_none = 1e-9 * saturation;
  if (const auto b = broken(load, s, step(nearly_none), targets, cap, place)) {
    c.at = at(nearly_none);
    c.binding = *b;
    return c;
  }
  c.feasible = true;
  c.binding = place;
  double low = nearly_none, high = saturation * (1 - 1e-6);
  const auto last = broken(load, s, step(high), targets, cap, place);
  if (last) c.binding = *last;
  for (int i = 0; last && i < 20; ++i) {
    const double mid = (low + high) / 2;
    if (const auto b = broken(load, s, step(mid), targets, cap, place)) {
      high = mid;
      c.binding = *b;
    } else {
      low = mid;
    }
  }
  c.at = at(last ? low : high);
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
    layout.ep = std::max(spec.ep, 1);
    layout.attention_dp = std::max(spec.attention_dp, 1);
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
