#include "infer/edge.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/queue.hpp"

namespace headroom::infer {

namespace {

constexpr double unified_memory_share = 0.75;  // macOS's default limit for the GPU (recalled)
constexpr double box_ceiling = 0.8;            // of a box's time in the busiest hour (assumed)
constexpr double prompt_budget = 512;          // llama.cpp's default physical batch (recalled)

struct EdgeStudy {
  EdgeStudy(const EdgeSpec& s, const EdgeDemand& d, Trace& t)
      : spec(s), demand(d), book(t, d.scope) {}

  Value<Scalar> count(const Value<Scalar>& v, double fallback, const char* why) const {
    return v.or_else(Value<Scalar>(fallback, assumed(why)));
  }
  bool complete();
  void record();
  void speed();
  void energy();
  void tokens();
  void limits();
  void memory_limit();
  void load_limit();
  void compare();
  void offer_narrower(Margin& m) const;

  const EdgeSpec& spec;
  const EdgeDemand& demand;
  Book book;
  EdgeResult r;
  Layout layout;
  std::optional<StepModel> step;
  Figure<Scalar> sites, devices, requests, peak_factor, concurrency;
  Figure<Tokens> input, output;
  NodeId model_node = no_node, device_node = no_node;
  double context = 0, service_s = 0, prompt_s = 0;
};

bool EdgeStudy::complete() {
  if (!demand.model) r.findings.remarks.push_back(demand.scope + ": no model, edge not computed");
  if (!demand.box.accelerator) {
    r.findings.remarks.push_back(demand.scope + ": no device, edge not computed");
  }
  return r.findings.remarks.empty();
}

void EdgeStudy::record() {
  sites = book.input("sites", count(spec.sites, 1, "one site"), "");
  devices = book.input("boxes-per-site", count(spec.devices, 1, "one box a site"), "");
  requests = book.input("requests-per-site-day", count(spec.requests, 0, "no requests given"), "");
  peak_factor = book.input(
      "peak-factor", count(spec.peak_factor, 4, "busiest hour four times the mean of 24"), "");
  concurrency = book.input("concurrency", count(spec.concurrency, 1, "one request at once"), "");
  input = book.input(
      "input-tokens",
      spec.input.or_else(Value<Tokens>(500 * token, assumed("a question with a page of context"))),
      "token");
  output = book.input("output-tokens",
                      spec.output.or_else(Value<Tokens>(150 * token, assumed("a short answer"))),
                      "token");
  model_node = book.choice("model", demand.model->id);
  device_node = book.choice("accelerator", demand.box.accelerator->id);
  context = std::max(spec.context.or_else(Tokens{}).si(), (input.value + output.value).si());
  layout.weights = spec.precision.or_else(Precision::int4);
  layout.kv = Precision::fp16;
  step.emplace(*demand.model, *demand.box.accelerator, demand.box.path, layout, Engine::llama_cpp);
}

void EdgeStudy::speed() {
  const double held = input.value.si() + output.value.si() / 2;
  const double alone = step->decode(1, held).si();
  const double users = std::max(concurrency.value.si(), 1.0);
  const double shared = step->decode(users, held).si();
  prompt_s = step->prefill(input.value.si(), 0, {}, prompt_budget).si();
  service_s = prompt_s + output.value.si() * alone;
  const double bits = step->bytes_read({1, held, 0, 0}).si();
  const auto rate = [](double s) { return TokenRate::from_si(s > 0 ? 1 / s : 0); };
  const auto bandwidth =
      book.input("memory-bandwidth",
                 demand.box.accelerator->memory_bandwidth.or_else(
                     Value<Bandwidth>(Bandwidth{}, assumed("the catalogue knows no bandwidth"))),
                 "GB/s");
  const auto read = book.derive("bytes-per-token", Information::from_si(bits), "GB",
                                "weights without the embedding table, and the KV cache",
                                {model_node, input, output});
  r.speed_bound =
      book.derive("speed-bound", rate(bits / std::max(bandwidth.value.si(), 1.0)), "token/s",
                  "memory bandwidth / bytes read a token", {bandwidth, read});
  r.speed = book.derive("speed", rate(alone), "token/s",
                        "1 / (bytes / (bandwidth x efficiency) + host time of a step)",
                        {bandwidth, read, device_node});
  r.speed_shared = book.derive("speed-shared", rate(shared), "token/s",
                               "1 / step of all concurrent requests", {r.speed, concurrency});
  r.ttft = book.derive("ttft", (prompt_s + alone) * second, "ms",
                       "prompt FLOPs / (peak x efficiency) + one step",
                       {input, model_node, device_node});
}

void EdgeStudy::energy() {
  const double rate = requests.value.si() / 86400 / std::max(devices.value.si(), 1.0);
  const double busy = std::min(rate * service_s, 1.0);
  r.busy = book.derive("busy", Scalar(busy), "%", "requests x (prompt + answer time) / boxes",
                       {requests, devices, r.speed, r.ttft});
  const auto& device = *demand.box.accelerator;
  const auto* system = demand.box.system;
  const bool whole = system && system->power.max;
  const Power most = whole ? system->power.max.get() : device.power.max.or_else(Power{});
  const Power idle = whole ? system->power.idle.or_else(idle_power_share * most)
                           : device.power.idle.or_else(idle_power_share * most);
  const Power working = whole ? system->power.typical.or_else(most) : most;
  r.box_power = book.derive("box-power", busy * working + (1 - busy) * idle, "W",
                            "busy x power at work + rest x idle power", {r.busy, device_node});
  r.boxes = book.derive("boxes", Scalar(sites.value.si() * devices.value.si()), "",
                        "sites x boxes a site", {sites, devices});
  r.power = book.derive("power", r.box_power.value * r.boxes.value.si(), "kW",
                        "power of a box x boxes", {r.box_power, r.boxes});
  r.energy = book.derive(
      "energy-per-token",
      TokenEnergy::from_si(r.speed.value.si() > 0 ? working.si() / r.speed.value.si() : 0),
      "J/token", "power at work / speed of one user", {r.speed, device_node});
}

void EdgeStudy::tokens() {
  const Rate asked = Rate::from_si(requests.value.si() * sites.value.si() / 86400);
  r.input_rate = book.derive("input-rate", asked * input.value, "token/s",
                             "requests a day x sites x prompt / day", {requests, sites, input});
  r.output_rate = book.derive("output-rate", asked * output.value, "token/s",
                              "requests a day x sites x answer / day", {requests, sites, output});
  r.input_per_year = book.derive("input-per-year", r.input_rate.value * (1 * year), "token",
                                 "input rate x 8,760 h", {r.input_rate});
  r.output_per_year = book.derive("output-per-year", r.output_rate.value * (1 * year), "token",
                                  "output rate x 8,760 h", {r.output_rate});
  if (r.output_rate.value.si() <= 0) return;
  r.energy_all_day = book.derive(
      "energy-per-token-all-day", r.power.value / r.output_rate.value, "J/token",
      "mean power of all boxes, at rest and at work / output rate", {r.power, r.output_rate});
}

void EdgeStudy::offer_narrower(Margin& m) const {
  if (element_bits(layout.weights) <= 4) {
    m.remedies.push_back({"choose a smaller or distilled model", {}, {}, {}});
    return;
  }
  Layout narrow = layout;
  narrow.weights = Precision::int4;
  const StepModel s(*demand.model, *demand.box.accelerator, demand.box.path, narrow,
                    Engine::llama_cpp);
  const double t = s.decode(std::max(concurrency.value.si(), 1.0), context).si();
  m.remedies.push_back({"serve in int4: " + format(s.weights_per_gpu(), "GB") + " of weights, " +
                            amount(t > 0 ? 1 / t : 0, "token/s") + " a user",
                        {},
                        {},
                        "this model"});
}

void EdgeStudy::memory_limit() {
  const double users = std::max(concurrency.value.si(), 1.0);
  const EngineLimits engine{users, prompt_budget, 1.0, 0, 0, 0};
  const Memory memory = replica_memory(*step, engine, *demand.model);
  const auto weights =
      book.derive("weights", memory.weights, "GB", "parameters x stored bytes", {model_node});
  const auto kv = book.derive("kv", users * step->kv_per_gpu(context), "GB",
                              "KV cache of all requests at once", {concurrency, input, output});
  // A box's runtime needs less than a server's 1 GB of graphs; a twentieth is left for it.
  const auto need = book.derive("memory-needed", 1.05 * (memory.weights + kv.value), "GB",
                                "weights + KV, and 5 % for the runtime", {weights, kv});
  const auto device = book.input("box-memory",
                                 demand.box.accelerator->memory.or_else(Value<Information>(
                                     Information{}, assumed("the catalogue knows no memory"))),
                                 "GB");
  const double share = demand.box.accelerator->memory_usable.or_else(Scalar(unified_memory_share));
  const auto have = book.derive("memory-usable", device.value * share, "GB",
                                "memory x share the accelerator may use", {device, device_node});
  auto m = make_margin(book.id("memory"), "memory of a box, " + demand.scope, need, have, "GB")
               .because(std::string(name(layout.weights)) + " weights take " +
                        format(weights.value, "GB") + ", the KV cache of " + amount(users, "") +
                        " x " + amount(context, "tokens", 6) + " " + format(kv.value, "GB") + ".");
  if (m.headroom() < 0.1) offer_narrower(m);
  r.feasible = m.holds();
  r.findings.margins.push_back(std::move(m));
}

void EdgeStudy::load_limit() {
  if (requests.value.si() <= 0) return;
  const double rate = requests.value.si() * peak_factor.value.si() / 24;  // in the busiest hour
  const auto need = book.derive("work-peak-hour", rate * service_s * second, "h",
                                "requests of the busiest hour x (prompt + answer time)",
                                {requests, peak_factor, r.speed, r.ttft});
  const auto have =
      book.derive("work-allowed", devices.value.si() * box_ceiling * (1 * hour), "h",
                  "boxes x 1 h x 80 % (assumed, so that requests rarely wait)", {devices});
  auto m = make_margin(book.id("load"), "busiest hour of a site, " + demand.scope, need, have, "h")
               .because(amount(rate, "requests") + " in the busiest hour take " +
                        amount(service_s, "s") + " each.");
  if (m.headroom() < 0.1) {
    const double boxes = std::ceil(need.value / ((1 * hour) * box_ceiling));
    Remedy remedy{"put " + amount(boxes, "boxes", 5) + " at each site", {}, {}, {}};
    const double more = (boxes - devices.value.si()) * sites.value.si();
    if (demand.box.system && demand.box.system->price && more > 0) {
      remedy.cost = demand.box.system->price.get() * more;
    }
    m.remedies.push_back(std::move(remedy));
    offer_narrower(m);
  }
  r.findings.margins.push_back(std::move(m));
}

void EdgeStudy::limits() {
  memory_limit();
  const auto speed = book.input(
      "speed-asked",
      spec.min_speed.or_else(Value<TokenRate>(
          TokenRate::from_si(10), assumed("twice the speed of reading, about 5 token/s"))),
      "token/s");
  auto m = make_margin(book.id("speed"), "speed for a user, " + demand.scope, speed, r.speed_shared,
                       "token/s")
               .because("Reading the weights bounds one user to " +
                        format(r.speed_bound.value, "token/s") + "; with losses it is " +
                        format(r.speed.value, "token/s") + " alone and " +
                        format(r.speed_shared.value, "token/s") + " with all requests at once.");
  if (m.headroom() < 0.1) offer_narrower(m);
  r.findings.margins.push_back(std::move(m));
  if (spec.ttft) {
    const auto have = book.input("ttft-slo", spec.ttft, "ms");
    auto t = make_margin(book.id("ttft"), "TTFT, " + demand.scope, r.ttft, have, "ms")
                 .because("A prompt of " + format(input.value, "token") + " takes " +
                          format(r.ttft.value, "ms") + " on the box.");
    if (t.headroom() < 0.1) {
      const double most = input.value.si() * have.value.si() / std::max(prompt_s, 1e-9);
      t.remedies.push_back({"keep prompts below " + amount(most, "tokens", 3), {}, {}, {}});
    }
    r.findings.margins.push_back(std::move(t));
  }
  if (spec.context && demand.model->context > 0) {
    const auto need = book.input("context-asked", spec.context, "token");
    const auto have = book.constant("context-of-model", demand.model->context * token, "token",
                                    demand.model->origin.source);
    Margin m =
        make_margin(book.id("context"), "context length, " + demand.scope, need, have, "token")
            .because("The model was trained for " + format(have.value, "token") + ", and " +
                     format(need.value, "token") + " are asked for.");
    if (!m.holds()) m.remedies.push_back({"choose a model with a longer context", {}, {}, {}});
    r.findings.margins.push_back(std::move(m));
  }
  load_limit();
}

void EdgeStudy::compare() {
  if (!demand.central || requests.value.si() <= 0) return;
  ServiceSpec service;
  service.precision.given = Precision::fp8;
  const double mean = requests.value.si() * sites.value.si() / 86400;
  const auto same = published("the same requests as at the sites");
  service.traffic.rate = {Rate::from_si(mean), same};
  service.traffic.peak = {Rate::from_si(mean * peak_factor.value.si()), same};
  service.traffic.input.mean = {input.value, same};
  service.traffic.output.mean = {output.value, same};
  service.slo.ttft = spec.ttft;
  if (spec.min_speed) service.slo.tpot = {1 * token / spec.min_speed.get(), same};
  ServiceDemand central;
  central.scope = demand.scope + ".central";
  central.model = demand.model;
  central.hardware = *demand.central;
  r.central = assess(service, central, book.trace());
  const auto uplink = book.input("uplink",
                                 spec.uplink.or_else(Value<Time>(
                                     40 * millisecond, assumed("a round trip within a continent"))),
                                 "ms");
  r.central_ttft = book.derive("central-ttft", r.central->ttft.value + uplink.value, "ms",
                               "TTFT in the region + round trip", {r.central->ttft, uplink});
  Plan p{book.id("central"),
         "infer",
         amount(r.boxes.value.si(), "boxes", 6) + " at the sites, or " +
             amount(r.central->gpus_needed.value.si(), "GPUs", 6) + " of " +
             demand.central->accelerator->id + " in one region (TTFT " +
             format(r.central_ttft.value, "ms") + " with the uplink, against " +
             format(r.ttft.value, "ms") + ")",
         {}};
  p.items = {{"boxes", amount(r.boxes.value.si(), "", 6)},
             {"central-gpus", amount(r.central->gpus_needed.value.si(), "", 6)}};
  r.findings.plans.push_back(std::move(p));
}

}  // namespace

EdgeResult assess(const EdgeSpec& spec, const EdgeDemand& demand, Trace& trace) {
  EdgeStudy study(spec, demand, trace);
  if (!study.complete()) return std::move(study.r);
  study.record();
  study.speed();
  study.energy();
  study.tokens();
  study.limits();
  study.compare();
  return std::move(study.r);
}

}  // namespace headroom::infer
