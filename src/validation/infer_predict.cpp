#include "validation/infer_predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace headroom::validation {
namespace {

using infer::Batch;
using infer::StepModel;
using infer::StepTime;

StepTime difference(const StepTime& a, const StepTime& b, double factor) {
  return {factor * (a.linear - b.linear),           factor * (a.experts - b.experts),
          factor * (a.attention - b.attention),     factor * (a.activations - b.activations),
          factor * (a.collectives - b.collectives), factor * (a.host - b.host)};
}

StepTime sum(const StepTime& a, double weight_a, const StepTime& b, double weight_b) {
  return difference(difference(a, StepTime{}, weight_a), difference(b, StepTime{}, -weight_b), 1);
}

double seconds(const TokenParts& p) { return p.decode.total().si() + p.prompt.total().si(); }

/// Steps that one prompt takes part in: chunks of the budget; attention replicas start a prompt
/// each at the same time.
double steps_a_prompt(const InferCase& c) {
  return std::max(1.0, c.input / std::max(c.limits.budget, 1.0)) / c.layout.attention_dp;
}

/// What a step takes more for the prompts in it, or a step of prompts alone where the engine does
/// not mix; one chunk on every attention replica.
StepTime prompt_parts(const InferCase& c, const StepModel& step, const Batch& beside) {
  const double copies = c.layout.attention_dp;
  const double chunks = std::max(1.0, c.input / std::max(c.limits.budget, 1.0));
  Batch with = beside;
  if (!step.mixed()) with.decodes = 0;
  with.prefill = c.input / chunks * copies, with.prefill_keys = c.input / 2;
  with.prompts = copies;
  const auto all = step.parts(with);
  return step.mixed() ? difference(all, step.parts(beside), 1) : all;
}

/// Tokens a step yields with the case's draft.
double yield_of(const InferCase& c) {
  // Acceptance of DeepSeek's MTP heads: 0.85 to 0.9 for the second token (DeepSeek-V3 report,
  // section 5.4.3); 0.8 a position over three (assumed).
  constexpr double acceptance = 0.8;
  return c.draft > 0 ? infer::tokens_per_verification(acceptance, c.draft) : 1;
}

/// A step of decodes with the case's drafts: the proposals are checked beside the tokens, and each
/// is made by one layer more of the same shape (multi-token prediction) and the head.
StepTime decode_parts(const InferCase& c, const StepModel& step, const Batch& beside) {
  if (c.draft <= 0) return step.parts(beside);
  Batch plain = beside;
  plain.verify = 0;
  const double layers = std::max(1, c.model->layers);
  return sum(step.parts(beside), 1, step.parts(plain), c.draft / layers);
}

/// `prompts` that begin for every step.
TokenParts token_parts(const StepModel& step, const InferCase& c, double batch, double prompts) {
  TokenParts p;
  p.decodes = batch, p.context = c.input + c.output / 2;
  p.prompts = prompts * steps_a_prompt(c);
  p.prompt_tokens = prompts * c.input, p.prompt_keys = c.input / 2;
  const Batch beside{
      .decodes = batch, .context = p.context, .verify = static_cast<double>(c.draft)};
  p.decode = decode_parts(c, step, beside);
  if (p.prompts <= 0) return p;
  p.prompt = difference(prompt_parts(c, step, beside), StepTime{}, p.prompts);
  if (!step.mixed()) p.steps += p.prompts;
  return p;
}

/// Sequences that the cache holds. TensorRT-LLM admits a request only when all of its answer will
/// fit (capacity_scheduler_policy GUARANTEED_NO_EVICT, its default), and its share is of the
/// memory that weights and workspace leave (kv_cache_free_gpu_memory_fraction); vLLM and SGLang
/// admit as long as what is there fits, and their share is of the whole memory.
double kv_cap(const InferCase& c, const StepModel& step) {
  if (c.engine.name != "tensorrt-llm") {
    const infer::Replica replica(*c.model, step, c.limits);
    return replica.kv_cap(c.input + c.output / 2);
  }
  auto whole = c.limits;
  whole.memory_share = 1;
  const auto memory = infer::replica_memory(step, whole, *c.model);
  const double each = step.kv_per_gpu(c.input + c.output).si();
  if (!memory.fits()) return 0;
  return each > 0 ? c.limits.memory_share * memory.kv_free().si() / each : 1e9;
}

struct Loop {
  double batch = 0, tpot_s = 0, ttft_s = 0, rate_s = 0;
  TokenParts parts;
};

Loop closed_loop(const InferCase& c, const StepModel& step) {
  // Of ten waves of prompts the first is cut in on by half as many.
  constexpr double waves = 0.95;
  const double users = std::max(1.0, c.concurrency), more = std::max(0.0, c.output - 1);
  const double cap = std::max(1.0, std::min(c.limits.max_batch, kv_cap(c, step)));
  Loop l;
  const double held = std::min(users, cap), yield = yield_of(c);
  const double chunks = std::max(1.0, c.input / std::max(1.0, c.limits.budget));
  double own = 0, wait = 0, active = 0, decoding = 1, t = 0;
  // Who reads its prompt does not decode: the share of those who do, by fixed point.
  constexpr int rounds = 4;
  for (int i = 0; i < rounds; ++i) {
    l.batch = std::max(1.0, held * decoding);
    const double begun = waves * (held - 1) * decoding * yield / std::max(2.0, c.output);
    l.parts = token_parts(step, c, l.batch, begun);
    l.tpot_s = seconds(l.parts) / yield;
    const Batch beside{
        .decodes = l.batch, .context = l.parts.context, .verify = static_cast<double>(c.draft)};
    t = l.parts.decode.total().si();
    own = chunks * (prompt_parts(c, step, beside).total().si() + t);
    // Prompts of the others before mine: M/D/1 at the share of time that prompts take.
    active = own + wait + more * l.tpot_s;
    const double busy = std::min(0.9, held / active * own / c.layout.attention_dp);
    wait = held > 1 ? 0.5 * own * busy / (1 - busy) : 0;
    active = own + wait + more * l.tpot_s;
    decoding = more > 0 ? more * l.tpot_s / active : 1;
  }
  const double queue = std::max(0.0, users / cap - 1) * active;
  l.ttft_s = 0.5 * t + own + wait + queue;
  l.rate_s = users / (l.ttft_s + more * l.tpot_s);
  return l;
}

Estimate parted(const Measure& m, double value, const TokenParts& parts) {
  Estimate e;
  e.metric = m.metric, e.value = value, e.parted = true, e.parts = parts;
  e.why = fmt::format("{:.4g} sequences of {:.0f} tokens", parts.decodes, parts.context);
  return e;
}

Estimate plain(const Measure& m, double value, std::string why = {}) {
  Estimate e;
  e.metric = m.metric, e.value = value, e.why = std::move(why);
  return e;
}

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

std::vector<Estimate> of_closed_loop(const InferCase& c, const StepModel& step) {
  auto l = closed_loop(c, step);
  std::vector<Estimate> out;
  for (const auto& m : c.measures) {
    if (begins(m.metric, "tpot") || begins(m.metric, "itl"))
      out.push_back(parted(m, l.tpot_s, l.parts));
    else if (begins(m.metric, "ttft"))
      out.push_back(plain(m, l.ttft_s));
    else if (m.metric == "out_tok_s")
      out.push_back(parted(m, c.replicas * l.rate_s * c.output, l.parts));
    else
      out.emplace_back();
  }
  return out;
}

/// The decode workers alone; prompts are read elsewhere.
std::vector<Estimate> of_disaggregated(const InferCase& c, const StepModel& step) {
  const double workers = std::max(1, c.decode_pool.workers);
  double batch = c.concurrency / workers;
  if (c.decode_pool.batch > 0) batch = std::min(batch, c.decode_pool.batch);
  const auto parts = token_parts(step, c, std::max(1.0, batch), 0);
  std::vector<Estimate> out;
  for (const auto& m : c.measures)
    out.push_back(begins(m.metric, "tpot") ? parted(m, seconds(parts), parts) : Estimate{});
  return out;
}

/// Steps of `batch` sequences and of fewer, as one step a token of `batch`.
struct Steps {
  TokenParts parts;
  double weight = 0;

  void add(const TokenParts& p, double w) {
    parts.decode = sum(parts.decode, 1, p.decode, w);
    parts.decodes += w * p.decodes, parts.steps += w, weight += w;
  }
};

/// `requests` of one length at once run in waves of `batch`: whoever starts together ends
/// together, and the last wave is short.
void add_waves(Steps& s, const StepModel& step, const InferCase& c, double batch, double requests) {
  const double whole = std::floor(requests / batch + 1e-9), last = requests - whole * batch;
  s.add(token_parts(step, c, batch, 0), whole * batch / requests);
  if (last >= 1) s.add(token_parts(step, c, last, 0), batch / requests);
}

/// Answers of many lengths, exponential by number: those that go on are fewer and fewer, down to
/// the longest of all, which the run waits for.
void add_tail(Steps& s, const StepModel& step, const InferCase& c, double batch, double requests) {
  const double waves = std::max(1.0, requests / batch);
  const double most = std::min(std::log(requests), 8.0);  // lengths in means
  constexpr int parts = 32;
  for (int i = 0; i < parts; ++i) {
    const double at = (i + 0.5) / parts * most;
    const double alive = std::clamp(requests * std::exp(-at / waves), 1.0, batch);
    s.add(token_parts(step, c, alive, 0), waves * most / parts * batch / requests);
  }
}

/// Tokens/s of one instance that gets all of its requests at once: as many as are known, else
/// without end.
Estimate saturated(const InferCase& c, const StepModel& step, const Measure& m) {
  double cap = std::max(1.0, std::min(c.limits.max_batch, kv_cap(c, step) / c.beams));
  const double requests = c.requests / c.replicas;
  if (requests >= 1) cap = std::min(cap, requests);
  const double batch = cap * c.beams;
  auto parts = token_parts(step, c, batch, batch / c.beams / std::max(1.0, c.output));
  // Prompts that take as long as the answers mix the waves.
  const double begun = cap * c.input / std::max(1.0, c.limits.budget);
  const bool lockstep = c.beams == 1 && requests >= 1 && begun < c.output;
  if (lockstep) {
    Steps s;
    s.parts = parts, s.parts.decode = {}, s.parts.steps = s.parts.decodes = 0;
    if (c.output_cv > 0)
      add_tail(s, step, c, batch, requests);
    else
      add_waves(s, step, c, batch, requests);
    parts = s.parts;
  }
  return parted(m, c.replicas * batch / c.beams / seconds(parts), parts);
}

std::vector<Estimate> of_offline(const InferCase& c, const StepModel& step) {
  std::vector<Estimate> out;
  for (const auto& m : c.measures)
    out.push_back(m.metric == "out_tok_s" ? saturated(c, step, m) : Estimate{});
  return out;
}

std::vector<Estimate> of_online(const InferCase& c, const StepModel& step) {
  const infer::Replica replica(*c.model, step, c.limits);
  infer::Load load;
  load.rate_s = c.rate_s / c.replicas;
  load.input = c.input, load.input_cv = c.input_cv;
  load.output = c.output, load.output_cv = c.output_cv;
  const auto o = replica.operate(load, 0.5);
  const auto p90 = replica.operate(load, 0.9), p99 = replica.operate(load, 0.99);
  std::vector<Estimate> out;
  for (const auto& m : c.measures) {
    const auto& at = m.metric.ends_with("_p90") ? p90 : m.metric.ends_with("_p99") ? p99 : o;
    if (m.metric == "out_tok_s") {
      const double most = saturated(c, step, m).value;
      out.push_back(plain(m, std::min(c.rate_s * c.output, most), o.stable ? "" : "saturated"));
    } else if (!o.stable) {
      out.emplace_back();
    } else if (begins(m.metric, "ttft")) {
      out.push_back(plain(
          m, m.metric.ends_with("_mean") || m.metric == "ttft" ? at.ttft.si() : at.ttft_p.si()));
    } else {
      out.push_back(plain(m, m.metric.ends_with("_p90") || m.metric.ends_with("_p99")
                                 ? at.tpot_p.si()
                                 : at.tpot.si()));
    }
  }
  return out;
}

/// The prompts of a whole batch, in one step as long as they fit into 16,384 tokens.
double static_prompt_s(const InferCase& c, const StepModel& step, double tokens) {
  constexpr double widest = 16384;  // of a compiled engine's context phase (assumed)
  const double all = tokens * std::max(1.0, c.concurrency);
  const double steps = std::max(1.0, all / widest);
  return steps * step.step({.prefill = all / steps,
                            .prefill_keys = tokens / 2,
                            .prompts = std::max(1.0, c.concurrency / steps)})
                     .si();
}

std::vector<Estimate> of_static(const InferCase& c, const StepModel& step) {
  std::vector<Estimate> out;
  for (const auto& m : c.measures) {
    const double input = c.input > 0 ? c.input : m.at;
    const double prompt = static_prompt_s(c, step, std::max(1.0, input));
    auto parts = token_parts(step, c, c.concurrency, 0);
    if (begins(m.metric, "ttft") || m.metric == "prefill") {
      out.push_back(plain(m, prompt));
    } else if (begins(m.metric, "tpot")) {
      out.push_back(parted(m, seconds(parts), parts));
    } else if (m.metric == "out_tok_s") {
      // A rate beside the prompts' own time counts decoding alone.
      const bool alone = c.row->facts.has("prefill_ms");
      parts.context = input + c.output / 2;
      const double t = step.decode(c.concurrency, parts.context).si();
      const double all = alone ? t : t + prompt / std::max(1.0, c.output);
      out.push_back(plain(m, c.concurrency / all));
    } else {
      out.emplace_back();
    }
  }
  return out;
}

std::vector<Estimate> of_prompt(const InferCase& c, const StepModel& step) {
  std::vector<Estimate> out;
  const double t = step.prefill(c.input, 0, {}, 1e9).si();
  for (const auto& m : c.measures)
    out.push_back(begins(m.metric, "ttft") ? plain(m, t) : Estimate{});
  return out;
}

std::vector<Estimate> of_single(const InferCase& c, const StepModel& step) {
  constexpr double short_context = 256;  // of a chat that the row does not describe
  std::vector<Estimate> out;
  for (const auto& m : c.measures) {
    if (begins(m.metric, "decode_tok_s")) {
      TokenParts p;
      p.decodes = 1, p.context = m.at > 0 ? m.at / 2 : short_context;
      p.decode = step.parts({.decodes = 1, .context = p.context});
      out.push_back(parted(m, 1 / seconds(p), p));
    } else if (begins(m.metric, "prefill_tok_s") && m.at > 0) {
      out.push_back(plain(m, m.at / step.prefill(m.at, 0, {}, 512).si()));
    } else {
      out.emplace_back();
    }
  }
  return out;
}

}  // namespace

std::vector<Estimate> predict(const InferCase& c, const StepModel& step) {
  switch (c.scene) {
    case Scene::closed_loop:
      return of_closed_loop(c, step);
    case Scene::disaggregated:
      return of_disaggregated(c, step);
    case Scene::offline:
      return of_offline(c, step);
    case Scene::online:
      return of_online(c, step);
    case Scene::static_batch:
      return of_static(c, step);
    case Scene::prompt_only:
      return of_prompt(c, step);
    case Scene::single_user:
      return of_single(c, step);
    case Scene::open_loop:
    case Scene::log:
      break;
  }
  return std::vector<Estimate>(c.measures.size());
}

}  // namespace headroom::validation
