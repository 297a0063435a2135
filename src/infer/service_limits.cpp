#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/service_study.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

constexpr double near_shortfall = 0.10;  // margins below it name their remedies

bool needs_remedy(const Margin& m) { return m.headroom() < near_shortfall; }

/// The next narrower format of the weights that serving engines run well.
std::optional<Precision> narrower(Precision p, const catalog::Accelerator& a) {
  if (element_bits(p) >= 16) return Precision::fp8;
  if (element_bits(p) == 8 && a.rate(Precision::nvfp4)) return Precision::nvfp4;
  if (element_bits(p) == 8) return Precision::int4;
  return std::nullopt;
}

}  // namespace

double ServiceStudy::gpus_with(const Layout& formats) const {
  const Search s = search(formats);
  if (!s.best || !s.best->capacity.feasible) return 0;
  return s.best->gpus();
}

void ServiceStudy::offer_fewer_bits(Margin& margin) const {
  const auto next = narrower(r.layout.weights, *demand.hardware.accelerator);
  if (!next) return;
  Layout formats = r.layout;
  formats.weights = *next;
  formats.kv = Precision::fp8;
  const double gpus = gpus_with(formats);
  if (gpus <= 0) return;
  margin.remedies.push_back(
      {"serve in " + std::string(name(*next)) +
           " with an fp8 KV cache: " + amount(gpus, "GPUs", 6) +
           " meet the SLOs at the peak (check the model's quality in that format)",
       {},
       {},
       "this model"});
}

void ServiceStudy::offer_gpus(Margin& margin, double more) const {
  if (more <= 0) return;
  Remedy remedy;
  remedy.action = "add " + amount(more, "GPUs", 6);
  if (const auto* system = demand.hardware.system; system && system->accelerators > 0) {
    const double boxes = std::ceil(more / system->accelerators - 1e-9);
    remedy.action += " (" + amount(boxes, "", 6) + " x " + system->name + ")";
    if (system->price) {
      remedy.cost = system->price.get() * boxes;
      if (system->price.origin.source) remedy.source = describe(*system->price.origin.source);
    }
    if (system->lead_time) remedy.lead_time = system->lead_time.get();
  }
  margin.remedies.push_back(std::move(remedy));
}

void ServiceStudy::offer_more_time(Margin& margin, const char* key, Time allowed) const {
  Targets wider = reached;
  double& target = key == std::string("ttft")   ? wider.ttft_s
                   : key == std::string("tpot") ? wider.tpot_s
                                                : wider.e2e_s;
  for (const double factor : {1.25, 1.5, 2.0, 3.0, 5.0, 10.0}) {
    target = factor * allowed.si();
    const auto s = search_layouts(*demand.model, *demand.hardware.accelerator, demand.hardware.path,
                                  layouts(r.layout), demand.engine, r.limits, load, wider,
                                  peak.value.si(), ceiling.value, spare());
    if (!s.best || !s.best->capacity.feasible) continue;
    margin.remedies.push_back({"allow " + format(factor * allowed, margin.unit) + ": " +
                                   amount(s.best->gpus(), "GPUs", 6) + " then serve the peak",
                               {},
                               {},
                               "this model"});
    return;
  }
}

void ServiceStudy::validity() {
  const auto& a = *demand.hardware.accelerator;
  const bool measured = a.vendor.empty() || a.vendor == "NVIDIA";
  if (!measured || a.device_class != catalog::DeviceClass::datacenter) {
    r.findings.remarks.push_back(demand.scope + ": serving times on " + a.id +
                                 " are outside what the model was validated "
                                 "on (NVIDIA A100 to B300); expect errors beyond 30 %");
  }
  if (r.layout.gpus() > 8) {
    r.findings.remarks.push_back(demand.scope + ": a replica over " +
                                 amount(r.layout.gpus(), "GPUs", 6) +
                                 " is outside what the model was validated on (8 and fewer)");
  }
  // LMSYS and the SGLang team, "Deploying DeepSeek on GB200 NVL72", part II, 2025-09-25.
  if (demand.model->is_latent() && demand.model->is_mixture() && demand.hardware.path.domain > 8) {
    r.findings.remarks.push_back(
        demand.scope +
        ": sized as tensor-parallel replicas; wide expert parallelism with prefill " +
        "apart, not modelled, made 9,087 token/s a GPU of DeepSeek-R1 decode on GB200 NVL72 in "
        "fp8 " +
        "at 2,000-token prompts (SGLang, 2025-09), so fewer GPUs may do");
  }
}

void ServiceStudy::context_limit() {
  if (!spec.slo.context || demand.model->context <= 0) return;
  const auto need = book.input("context-asked", spec.slo.context, "token");
  const auto have = book.constant("context-of-model", demand.model->context * token, "token",
                                  demand.model->origin.source);
  auto m = make_margin(book.id("context"), "context length, " + demand.scope, need, have, "token")
               .because(demand.model->id + " was trained for " +
                        amount(demand.model->context, "tokens", 7) + "; requests of up to " +
                        amount(need.value.si(), "", 7) + " were asked.");
  if (!m.holds()) {
    m.remedies.push_back(
        {"cut prompts to the model's context, retrieve fewer chunks, or choose a "
         "model with a longer one",
         {},
         {},
         {}});
  }
  r.findings.margins.push_back(std::move(m));
}

void ServiceStudy::layout_limit() {
  // Memory usually says why no layout holds the model; where it does not, this must.
  if (!r.findings.margins.empty() && !r.findings.margins.back().holds()) return;
  const auto need =
      book.derive("layouts-needed", Scalar(1.0), "replica", "one layout that works", {model_node});
  const auto have = book.derive("layouts-found", Scalar(0.0), "replica",
                                "layouts that split the heads, hold the model and one request",
                                {model_node, device_node});
  r.findings.margins.push_back(
      make_margin(book.id("layout"), "replica layout, " + demand.scope, need, have, "replica")
          .because("No split of " + demand.model->id + " over TP " +
                   (spec.engine.tp > 0 ? std::to_string(spec.engine.tp)
                                       : std::string("1 to the domain")) +
                   " and PP " +
                   (spec.engine.pp > 0 ? std::to_string(spec.engine.pp) : std::string("any")) +
                   " holds its weights, the engine's workspace and one request.")
          .remedy({"leave tensor and pipeline degrees to the planner, or allow more GPUs a replica",
                   {},
                   {},
                   {}}));
}

void ServiceStudy::memory_limit() {
  const StepModel step(*demand.model, *demand.hardware.accelerator, demand.hardware.path, r.layout,
                       demand.engine);
  const Memory memory = replica_memory(step, r.limits, *demand.model);
  const double longest =
      std::max(spec.slo.context.or_else(Tokens{}).si(), load.input + load.output);
  const auto weights = book.derive("weights-per-gpu", memory.weights, "GB",
                                   "parameters x stored bytes / (TP x PP)", {model_node});
  const auto work =
      book.derive("workspace-per-gpu", memory.workspace, "GB",
                  "activations of a full step, logits, 1 GB for graphs and buffers", {model_node});
  const auto kv =
      book.derive("kv-of-longest", step.kv_per_gpu(longest), "GB",
                  "KV cache of the longest request on one GPU", {model_node, input, output});
  const auto need =
      book.derive("memory-needed", memory.weights + memory.workspace + kv.value, "GB",
                  "weights + workspace + KV of the longest request", {weights, work, kv});
  const auto device = book.input("gpu-memory",
                                 demand.hardware.accelerator->memory.or_else(Value<Information>(
                                     Information{}, assumed("the catalogue knows no memory"))),
                                 "GB");
  const auto have = book.derive("memory-usable", memory.had, "GB",
                                "GPU memory x gpu_memory_utilization (0.9 unless given)", {device});
  r.weights_per_gpu = weights;
  auto m =
      make_margin(book.id("memory"), "GPU memory, " + demand.scope, need, have, "GB")
          .because("On " + std::to_string(r.layout.gpus()) + " GPU(s) each holds " +
                   format(weights.value, "GB") + " of weights, " + format(work.value, "GB") +
                   " of workspace and " + format(kv.value, "GB") + " of KV for one request of " +
                   amount(longest, "tokens", 6) + ", of " + format(have.value, "GB") + " usable.");
  if (needs_remedy(m)) offer_fewer_bits(m);
  if (!m.holds() && memory.had > memory.workspace) {
    const double gpus =
        std::ceil(memory.weights * r.layout.gpus() / (memory.had - memory.workspace));
    m.remedies.push_back({"spread the model over at least " + amount(gpus, "GPUs", 6) +
                              " (tensor or pipeline parallel)",
                          {},
                          {},
                          {}});
  }
  r.findings.margins.push_back(std::move(m));
}

void ServiceStudy::time_limit(const char* key, const char* called, const Figure<Time>& need,
                              const Value<Time>& allowed, const char* unit) {
  if (!allowed) return;
  const auto have = book.input(std::string(key) + "-slo", allowed, unit);
  auto m = make_margin(book.id(key), std::string(called) + ", " + demand.scope, need, have, unit);
  m.why = "At " + format(peak.value, "request/s") + " on " +
          amount(r.replicas.value.si(), "replicas", 6) + " each runs " +
          amount(r.peak.batch, "sequences") + " and reads prompts for " +
          amount(100 * r.peak.prefill_share, "% of the time", 2) + "; " + called + " at p" +
          amount(100 * targets.percentile, "", 4) + " is " + format(need.value, unit) + ".";
  if (!r.peak.stable) {
    m.why += " The peak exceeds what the fleet can finish (" +
             format(Rate::from_si(r.peak.saturation_s * std::max(r.replicas.value.si(), 1.0)),
                    "request/s") +
             "), so a queue builds for the quarter of an hour it lasts.";
  } else if (r.peak.beyond != Beyond::none) {
    m.why += std::string(" Outside of what was held against the engine: ") +
             beyond_text(r.peak.beyond) + ".";
  }
  if (needs_remedy(m)) {
    offer_gpus(m, r.gpus_needed.value.si() - r.gpus.value.si());
    offer_fewer_bits(m);
    offer_more_time(m, key, have.value);
  }
  r.findings.margins.push_back(std::move(m));
}

void ServiceStudy::time_limits() {
  time_limit("ttft", "TTFT", r.ttft, spec.slo.ttft, "ms");
  time_limit("tpot", "TPOT", r.tpot, spec.slo.tpot, "ms");
  time_limit("e2e", "end-to-end time", r.e2e, spec.slo.e2e, "s");
}

void ServiceStudy::fleet_limits() {
  const std::string bound = binding_name(choice.capacity.binding);
  if (demand.hardware.gpus) {
    auto m = make_margin(book.id("gpus"), "GPUs for serving, " + demand.scope, r.gpus_needed,
                         *demand.hardware.gpus, "GPU")
                 .because("One replica of " + amount(r.layout.gpus(), "GPUs", 6) + " carries " +
                          format(replica_rate.value, "request/s") + " inside the SLOs (bound by " +
                          bound + "); the peak of " + format(peak.value, "request/s") + " takes " +
                          amount(r.replicas_needed.value.si(), "replicas", 6) +
                          (spec.spare_replica ? ", one of them spare." : "."));
    if (needs_remedy(m)) {
      offer_gpus(m, r.gpus_needed.value.si() - demand.hardware.gpus->value.si());
      offer_fewer_bits(m);
    }
    r.findings.margins.push_back(std::move(m));
  }
  auto m = make_margin(book.id("rate"), "request rate at the peak, " + demand.scope, peak,
                       r.capacity, "request/s")
               .because(amount(r.replicas.value.si(), "replicas", 6) + " carry " +
                        format(r.capacity.value, "request/s") + " inside the SLOs, bound by " +
                        bound + ".");
  if (!m.holds()) offer_gpus(m, r.gpus_needed.value.si() - r.gpus.value.si());
  if (!m.holds()) offer_fewer_bits(m);
  r.findings.margins.push_back(std::move(m));
  if (!spec.spare_replica) return;
  const auto left =
      book.derive("capacity-one-lost",
                  Rate::from_si(replica_rate.value.si() * std::max(r.replicas.value.si() - 1, 0.0)),
                  "request/s", "(replicas - 1) x replica rate", {r.replicas, replica_rate});
  auto lost = make_margin(book.id("spare"), "request rate with one replica lost, " + demand.scope,
                          peak, left, "request/s")
                  .because("With one of " + amount(r.replicas.value.si(), "replicas", 6) +
                           " lost, " + format(left.value, "request/s") + " remain.");
  if (!lost.holds()) offer_gpus(lost, r.layout.gpus());
  r.findings.margins.push_back(std::move(lost));
}

void ServiceStudy::kv_limit() {
  const double n = std::max(r.replicas.value.si(), 1.0);
  // What would have to run at once if nothing were refused: Little's law on the offered rate.
  const double running =
      r.peak.stable ? r.peak.batch : peak.value.si() / n * load.output * r.peak.tpot.si();
  const auto need = book.derive("sequences-running", Scalar(running), "seq",
                                "rate of a replica x answer tokens x TPOT (Little's law)",
                                {peak, r.replicas, output, r.tpot});
  const auto have = book.derive("sequences-held", Scalar(std::min(r.peak.kv_cap, 1e9)), "seq",
                                "KV memory left / KV of a running sequence, per replica",
                                {model_node, device_node, input, output});
  auto m =
      make_margin(book.id("kv"), "KV cache, " + demand.scope, need, have, "seq")
          .because("A running sequence holds " + amount(r.peak.context, "tokens", 5) + ", " +
                   format(replica->step().kv_per_gpu(r.peak.context), "GB") + " on each GPU; " +
                   format(replica->memory().kv_free(), "GB") + " are free.");
  if (needs_remedy(m)) {
    offer_gpus(m, r.gpus_needed.value.si() - r.gpus.value.si());
    offer_fewer_bits(m);
  }
  r.findings.margins.push_back(std::move(m));
}

}  // namespace headroom::infer
