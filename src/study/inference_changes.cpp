// What to change next, and what else the same promise could be kept with: formats, engine
// settings, other GPUs, other models, boxes of one user.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/search_pools.hpp"
#include "study/inference_parts.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {

namespace {

using infer::Candidate;
using infer::Layout;

constexpr std::size_t most_changes = 8;
constexpr double worthwhile = 0.01;
constexpr double tried_reuse = 0.5;  // share of a prompt that a prefix cache is tried with

double cost(const Candidate& c) { return c.usd_s > 0 ? c.usd_s : c.gpus; }

/// Searches one change around the chosen configuration and says what it saves.
class Changes {
 public:
  Changes(const ServingJob& job, const Candidate& chosen, InferenceRun& out)
      : job_(job), chosen_(chosen), out_(out) {}

  void formats();
  void engine();
  void traffic();
  void machines(const Park& park, const Scenario& scenario);
  void keep();

 private:
  infer::SearchSpace space() const {
    infer::SearchSpace s = job_.space;
    s.devices = {job_.space.devices[std::size_t(chosen_.device)]};
    s.formats = {chosen_.serve.layout};
    s.disaggregated = chosen_.disaggregated;
    return s;
  }
  void offer(const std::string& key, const std::string& action, const std::string& needs,
             const infer::Asked& asked, const infer::SearchSpace& space) {
    ++out_.tried;
    const auto r =
        infer::search(asked, space, {job_.search.objective, 1, 1, false, job_.search.progress});
    if (!r.found()) return;
    const auto& best = r.best.front();
    double gain = cost(chosen_) / std::max(cost(best), 1e-12) - 1;
    // Where nothing fitted, what fits is worth everything.
    if (!chosen_.feasible) gain = 1;
    all_.push_back(
        {key, action, needs, summary_of(best, space.devices[std::size_t(best.device)]), gain});
  }

  const ServingJob& job_;
  const Candidate& chosen_;
  InferenceRun& out_;
  std::vector<ChangeRow> all_;
};

void Changes::formats() {
  const auto& gpu = *job_.space.devices[std::size_t(chosen_.device)].accelerator;
  const auto now = chosen_.serve.layout;
  for (const auto w : {Precision::fp8, Precision::nvfp4, Precision::int4}) {
    if (element_bits(w) >= element_bits(now.weights) || !infer::runs_format(gpu, w)) continue;
    auto s = space();
    s.formats = {Layout{1, 1, w, element_bits(now.kv) > 8 ? Precision::fp8 : now.kv}};
    offer(fmt::format("weights.{}", name(w)),
          fmt::format("{} weights with an 8-bit KV cache", name(w)),
          "a check of the model's quality in that format", job_.asked, s);
  }
  if (element_bits(now.kv) > 8) {
    auto s = space();
    s.formats[0].kv = Precision::fp8;
    offer("kv.fp8", "fp8 KV cache", "a check of quality on long contexts", job_.asked, s);
  }
}

void Changes::engine() {
  const auto& l = chosen_.serve.limits;
  if (l.speculation <= 0) {
    auto s = space();
    s.drafts = {{4, 0.7, 0.05}};
    offer("speculation", "speculative decoding, 4 drafted tokens accepted with 70 % each",
          "a draft model or an EAGLE head, and that acceptance on your traffic", job_.asked, s);
  }
  auto wider = space();
  wider.max_batch = {64, 128, 256, 512, 1024, 2048};
  wider.budget = {1024, 2048, 4096, 8192, 16384, 32768};
  offer("engine.limits", "max_num_seqs and max_num_batched_tokens freed", "a restart", job_.asked,
        wider);
  auto degrees = space();
  degrees.tp.clear(), degrees.pp.clear();
  if (!job_.space.tp.empty() || !job_.space.pp.empty())
    offer("engine.parallel", "tensor and pipeline degrees freed", "a restart", job_.asked, degrees);
  if (!chosen_.disaggregated && !job_.space.disaggregated) {
    auto s = space();
    s.disaggregated = true, s.aggregated = false;
    offer("disaggregation", "prefill and decode on replicas of their own",
          "a router and a network that carries the KV cache", job_.asked, s);
  }
}

void Changes::traffic() {
  if (job_.asked.load.cached <= 0) {
    infer::Asked asked = job_.asked;
    asked.load.cached = tried_reuse * asked.load.input;
    offer("prefix_cache", "half of every prompt found in the prefix cache",
          "shared system prompts or sessions routed to where they were", asked, space());
  }
  const auto& t = job_.asked.targets;
  const auto relax = [&](const char* key, const char* label, double infer::Targets::*slo) {
    if (t.*slo <= 0) return;
    infer::Asked asked = job_.asked;
    asked.targets.*slo *= 2;
    offer(fmt::format("slo.{}", key), fmt::format("twice the time allowed for {}", label),
          "users who accept it", asked, space());
  };
  relax("ttft", "TTFT", &infer::Targets::ttft_s);
  relax("tpot", "TPOT", &infer::Targets::tpot_s);
  relax("e2e", "the whole answer", &infer::Targets::e2e_s);
}

void Changes::machines(const Park& park, const Scenario&) {
  const auto& now = *job_.space.devices[std::size_t(chosen_.device)].accelerator;
  for (const auto* system : park.all()) {
    auto d = park.device(*system, chosen_.gpus, {});
    if (!d || d->accelerator->id == now.id || d->accelerator->vendor != now.vendor) continue;
    const bool listed = std::any_of(job_.space.devices.begin(), job_.space.devices.end(),
                                    [&](const auto& o) { return o.accelerator == d->accelerator; });
    if (listed || !infer::runs_format(*d->accelerator, chosen_.serve.layout.weights)) continue;
    // Without a price on both sides GPUs would be compared with money.
    if ((d->usd_per_gpu_s > 0) != (chosen_.usd_s > 0)) continue;
    auto s = space();
    s.devices = {*d};
    s.tp.clear();
    offer("system." + system->id, fmt::format("{} ({})", d->accelerator->name, system->name),
          "other machines", job_.asked, s);
  }
}

void Changes::keep() {
  std::stable_sort(all_.begin(), all_.end(),
                   [](const ChangeRow& a, const ChangeRow& b) { return a.gain > b.gain; });
  int systems = 0;
  for (auto& c : all_) {
    if (c.gain < worthwhile || out_.changes.size() >= most_changes) continue;
    if (c.key.rfind("system.", 0) == 0 && ++systems > 2) continue;
    out_.changes.push_back(std::move(c));
  }
}

}  // namespace

void inference_changes(const ServingJob& job, const Candidate& chosen, const Park& park,
                       const Scenario& scenario, InferenceRun& out) {
  Changes changes(job, chosen, out);
  changes.formats();
  changes.engine();
  changes.traffic();
  changes.machines(park, scenario);
  changes.keep();
}

void compare_models(const Context& c, const ServingJob& job, const InferenceOptions& options,
                    InferenceRun& out) {
  for (const auto& id : options.compare) {
    const auto* model = c.model(id);
    if (model == nullptr) continue;  // check_options has said so
    ServingJob other = job;
    other.model = other.asked.model = model;
    infer::ServiceSpec spec = *job.spec;
    spec.precision.given.reset();
    other.space.formats = formats_of(*model, options.weights.empty() ? spec : *job.spec, options);
    other.space.tp.clear(), other.space.pp.clear();
    other.asked.longest = std::min(job.asked.longest, double(model->context));
    auto search = job.search;
    search.front = false;
    const auto r = infer::search(other.asked, other.space, search);
    const auto& best = r.found() ? r.best.front() : r.nearest;
    ConfigurationRow row;
    if (best.device >= 0) row = configuration_row(other, best);
    row.model = id;
    row.fits = r.found();
    if (!r.found()) row.why = r.obstacle;
    out.compared.push_back(std::move(row));
  }
}

namespace {

/// One user on one box: decode is bound by reading the weights once a token.
ConfigurationRow box_row(const ServingJob& job, const infer::Device& d, const Precision weights) {
  ConfigurationRow row;
  row.model = job.model->id;
  row.system = d.id;
  row.accelerator = d.accelerator->id;
  row.engine = std::string(infer::engine_name(d.engine));
  row.summary = fmt::format("{}, {} weights, one user", d.name, name(weights));
  row.gpus = row.replicas = 1;
  const Layout layout{1, 1, weights, Precision::fp16};
  const infer::StepModel step(*job.model, *d.accelerator, d.path, layout, d.engine);
  const auto& l = job.asked.load;
  constexpr double unified = 0.75;  // as infer/edge.hpp, where the entry has no usable share
  const double usable = d.accelerator->memory_usable.or_else(Scalar(unified));
  const auto gib = [](double bits) { return bits / (8.0 * 1024 * 1024 * 1024); };
  const double need = (step.weights_per_gpu() + step.kv_per_gpu(l.input + l.output)).si();
  if (need > usable * step.memory().si()) {
    row.why = fmt::format("{:.0f} GiB of weights and KV cache, {:.0f} GiB usable", gib(need),
                          gib(usable * step.memory().si()));
    return row;
  }
  const double token_s = step.decode(1, l.context()).si();
  constexpr double batch = 512;  // llama.cpp's default physical batch (recalled)
  const double prompt_s =
      step.prefill(std::max(1.0, l.input - l.cached), l.cached, {0, 0, 0, 0}, batch).si();
  row.ttft_p = prompt_s + token_s;
  row.tpot_p = token_s;
  row.e2e_p = row.ttft_p + std::max(l.output - 1, 0.0) * token_s;
  row.user_tokens_s = row.tokens_per_gpu_s = 1 / token_s;
  const auto& t = job.asked.targets;
  row.fits = (t.ttft_s <= 0 || row.ttft_p <= t.ttft_s) &&
             (t.tpot_s <= 0 || row.tpot_p <= t.tpot_s) && (t.e2e_s <= 0 || row.e2e_p <= t.e2e_s);
  row.why = row.fits ? "bandwidth" : "one user alone is slower than the SLOs";
  // At full use by one user after the other, which no laptop sees: the least a token can cost.
  const double whole = prompt_s + l.output * token_s;
  row.power_w = infer::device_power_w(d, prompt_s / whole, 1 - prompt_s / whole);
  row.j_per_output = row.power_w * whole / l.output;
  row.usd_per_moutput =
      d.usd_per_gpu_s > 0
          ? (d.usd_per_gpu_s + row.power_w * job.place.tariff.usd_per_j) * whole / l.output * 1e6
          : 0;
  row.g_per_output = row.j_per_output * job.place.tariff.kg_per_j * 1e3;
  return row;
}

}  // namespace

void compare_boxes(const ServingJob& job, const Park& park, const InferenceOptions& options,
                   InferenceRun& out) {
  for (const auto& id : options.edge) {
    const auto* system = park.system(id);
    if (system == nullptr) continue;
    auto d = park.device(*system, 1, {});
    if (!d) continue;
    if (d->engine != infer::Engine::llama_cpp) d->engine = infer::Engine::llama_cpp;
    for (const auto w : {Precision::fp16, Precision::int4}) out.edge.push_back(box_row(job, *d, w));
  }
}

}  // namespace headroom::study
