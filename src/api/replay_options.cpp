#include "api/replay_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/option_reader.hpp"
#include "api/replay_parser.hpp"
#include "base/units.hpp"
#include "requests/text_spec.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

constexpr OptionInfo own_table[] = {
    {"--model", "Model", "Catalogue model, e.g. llama-3.1-70b (headroom catalog model)"},
    {"--hf", "Model", "Hugging Face config.json in place of --model"},
    {"--precision", "Model", "Weights: bf16, fp8, int8, int4, nvfp4, mxfp4; as published"},
    {"--kv-precision", "Model",
     "KV cache: fp8, int8, nvfp4 or auto: bf16 whatever the weights, as vLLM's auto (infer: fp8 "
     "under narrow weights)"},
    {"--system", "Machine", "Catalogue system, e.g. dgx-h100 (headroom catalog system)"},
    {"--accelerator", "Machine", "Catalogue accelerator in place of --system, e.g. h100-sxm"},
    {"--domain", "Machine", "With --accelerator: GPUs that share NVLink or its like"},
    {"--mig", "Machine", "A slice of the GPU: 1g, 1g+, 2g, 3g, 4g or 7g"},
    {"--power-cap", "Machine", "Limit of one accelerator, e.g. 500 W"},
    {"--power-caps", "Machine", "Limits by time: FROM:LIMIT,..., e.g. 0h:700W,17h:400W,21h:700W"},
    {"--power-caps-every", "Machine", "They begin again, e.g. 24h; never when left out"},
    {"--tp", "Replica", "Tensor parallelism; with --system all of its accelerators"},
    {"--pp", "Replica", "Pipeline stages; 1"},
    {"--ep", "Replica", "Expert parallelism; 1"},
    {"--dp", "Replica", "Attention-data parallelism inside a replica; 1"},
    {"--engine", "Replica", "Serving software, e.g. vllm-v1 (headroom catalog serving-software)"},
    {"--max-num-seqs", "Replica", "Most running sequences; vLLM's default for the device"},
    {"--max-num-batched-tokens", "Replica", "Tokens of a step; vLLM's default for the device"},
    {"--max-model-len", "Replica", "Longest prompt and answer; the model's context"},
    {"--gpu-memory-utilization", "Replica", "Share of memory the engine takes; 0.9"},
    {"--no-prefix-cache", "Replica", "Prompts share nothing", true},
    {"--no-chunked-prefill", "Replica", "Prompts are read whole", true},
    {"--static", "Replica", "Static batches: filled, run to their end, replaced", true},
    {"--priorities", "Replica", "vLLM's --scheduling-policy priority", true},
    {"--speculate", "Replica",
     "Drafts: LENGTH:ACCEPTANCE[:COST[:OFF-ABOVE]], e.g. 4:0.7:0.05:64 sequences"},
    {"--speculate-adaptive", "Replica",
     "Draft as many, up to LENGTH, as the batch at hand makes worth it", true},
    {"--block-size", "Replica", "Tokens of a KV block; 16"},
    {"--watermark", "Replica", "Share of KV blocks that admissions leave free; 0"},
    {"--long-prefill-token-threshold", "Replica", "Most of one prompt a step; the whole budget"},
    {"--reserve-full", "Replica", "Admit only what fits whole (scheduler_reserve_full_isl)", true},
    {"--async-scheduling", "Replica", "Compose a step while the one before runs", true},
    {"--offload-cpu", "Replica", "KV offload to host memory: SIZE[:RATE to a GPU]; PCIe's rate"},
    {"--offload-disk", "Replica", "The same to drives, e.g. 2TB:5GB/s; the rate of --storage"},
    {"--max-loras", "Replica", "LoRA adapters on a GPU at once; all when left out"},
    {"--max-lora-rank", "Replica", "Of the adapters; 16"},
    {"--max-cpu-loras", "Replica", "LoRA adapters in host memory; all when left out"},
    {"--fleet", "Fleet file",
     "YAML file of pools, regions, classes; in place of a machine's options"},
    {"--replicas", "Fleet", "Replicas; as many as the SLOs need when left out"},
    {"--routing", "Fleet", "least-load, round-robin, prefix-aware, session, two-choices or random"},
    {"--disaggregate", "Fleet", "PREFILL:DECODE replicas, e.g. 2:3"},
    {"--max-in-flight", "Fleet", "Requests a replica is given at a time; the rest waits outside"},
    {"--max-queue", "Fleet", "Requests that may wait outside; beyond, they are shed"},
    {"--offline-below", "Fleet",
     "Offline work enters while a replica holds fewer requests; what the SLOs leave"},
    {"--lose", "Fleet", "Losses at known times: AT:REPLICA[:REPAIR],..., e.g. 10min:0:5min"},
    {"--mtbf", "Fleet", "Time between losses of a replica, e.g. 30d"},
    {"--mttr", "Fleet", "Time until a lost replica loads again; 30min"},
    {"--retries", "Fleet", "Of a request whose replica was lost; 3"},
    {"--autoscale", "Autoscaling", "utilisation, queue or slo"},
    {"--min-replicas", "Autoscaling", "0 lets the fleet sleep; 1"},
    {"--max-replicas", "Autoscaling", "No limit when left out"},
    {"--autoscale-target", "Autoscaling", "Of the sequences a replica is meant to hold; 0.7"},
    {"--autoscale-interval", "Autoscaling", "Between decisions; 15s"},
    {"--autoscale-window", "Autoscaling", "How long a fleet waits before it shrinks; 5min"},
    {"--autoscale-idle", "Autoscaling", "Before the last replica stops (--min-replicas 0); 10min"},
    {"--provisioning", "Autoscaling", "Time to get a machine; 0s"},
    {"--engine-start", "Autoscaling", "From weights in memory to ready; 71s"},
    {"--storage", "Autoscaling",
     "Where weights and --offload-disk are read (headroom catalog storage-system)"},
    {"--slo-ttft", "SLO", "Time to first token, e.g. 1s or 500ms"},
    {"--slo-tpot", "SLO", "Time per output token, e.g. 50ms"},
    {"--slo-e2e", "SLO", "End to end, e.g. 30s"},
    {"--percentile", "SLO", "At which SLOs hold; 99"},
    {"--classes", "SLO",
     "Of the trace's classes: NAME:ttft=1s,tpot=50ms,e2e=9s,priority=1,max-wait=5s,offline;..."},
    {"--ttft-from", "SLO", "arrival, or scheduled (the engine's share alone)"},
    {"--tpot-over", "SLO", "excluding-first (vLLM), or including-first (end to end / tokens)"},
    {"--rate-scale", "Trace", "Times the trace's rate: arrivals closer together; 1"},
    {"--limit", "Trace", "First so many requests"},
    {"--offline", "Trace", "A second trace, without deadlines, that fills the valleys"},
    {"--format", "Trace", "Of the trace, where it cannot be told from its first line"},
    {"--rate", "Trace",
     "Mean arrivals, e.g. 20/s, of a synthetic load and of files that tell lengths only"},
    {"--skip-bad", "Trace", "Leave malformed rows out and count them", true},
    {"--region", "Place", "Carbon and price of electricity; us-virginia"},
    {"--pue", "Place", "Overhead of the building; 1.35"},
    {"--price", "Place", "USD of a GPU-hour; the catalogue's rent when left out"},
    {"--electricity", "Place", "Price of electricity, e.g. 60 USD/MWh"},
    {"--seed", "Run", "Of failures, routing, drafts and a synthetic load; 1"},
    {"--threads", "Run", "Where replicas do not depend on each other; 1"},
};

/// Options of `headroom load` that shape a synthetic load and are none of our own.
bool shapes_load(const requests::TrafficOption& o) {
  const std::string_view flag = o.flag;
  const bool own = std::any_of(std::begin(own_table), std::end(own_table),
                               [&](const auto& mine) { return mine.name == flag; });
  return !own && (std::string_view(o.group) == "Synthetic load" || flag == "--requests");
}

std::vector<OptionInfo> whole_table() {
  std::vector<OptionInfo> all(std::begin(own_table), std::end(own_table));
  for (const auto& o : requests::traffic_options())
    if (shapes_load(o)) all.push_back({o.flag, "Synthetic load", o.doc, !o.takes_value, o.repeats});
  return all;
}

}  // namespace

void tier(Parser& p, const char* name, study::ReplayTier& out) {
  if (!p.has(name)) return;
  const std::string& given = p.value(name);
  const auto colon = std::min(given.find(':'), given.size());
  double size = 0, rate = 0;
  if (!read_quantity<Information>(given.substr(0, colon), "GB", size) || size <= 0 ||
      (colon < given.size() &&
       (!read_quantity<Bandwidth>(given.substr(colon + 1), "GB/s", rate) || rate <= 0)))
    return p.fail(p.shown(name), "expected SIZE[:RATE], both above zero",
                  "for example 200GB:25GB/s");
  out = {Information::from_si(size), Bandwidth::from_si(rate)};
}

namespace {

void replica(Parser& p, study::ReplayOptions& o) {
  constexpr int most = 1 << 24;
  p.text("--model", o.model);
  p.text("--precision", o.precision);
  p.text("--kv-precision", o.kv_precision);
  p.text("--system", o.system);
  p.text("--accelerator", o.accelerator);
  p.whole("--domain", o.domain, 1, 100000);
  p.text("--mig", o.slice);
  p.quantity<Power>("--power-cap", "W", [&](Power w) { o.power_cap = w; });
  p.whole("--tp", o.tp, 1, 1024);
  p.whole("--pp", o.pp, 1, 1024);
  p.whole("--ep", o.ep, 1, 4096);
  p.whole("--dp", o.attention_dp, 1, 1024);
  p.text("--engine", o.software);
  p.whole("--max-num-seqs", o.max_num_seqs, 1, most);
  p.whole("--max-num-batched-tokens", o.max_num_batched_tokens, 1, most);
  p.whole("--max-model-len", o.max_model_len, 1, most);
  p.number("--gpu-memory-utilization", o.memory_share, 0.01, 1);
  p.flag("--no-prefix-cache", o.prefix_cache, false);
  p.flag("--no-chunked-prefill", o.chunked_prefill, false);
  p.flag("--static", o.static_batching, true);
  p.flag("--priorities", o.priorities, true);
  tier(p, "--offload-cpu", o.offload_cpu);
  tier(p, "--offload-disk", o.offload_disk);
  p.whole("--max-loras", o.max_loras, 1, 65535);
  p.whole("--max-lora-rank", o.lora_rank, 1, 4096);
  for (const char* name : {"--offload-cpu", "--offload-disk"})
    if (p.has(name) && p.has("--no-prefix-cache"))
      p.fail(p.shown(name), "keeps what the prefix cache evicts, and there is none",
             "leave --no-prefix-cache out");
  if (p.has("--domain") && !p.has("--accelerator"))
    p.fail(p.shown("--domain"), "describes the machine around --accelerator",
           "a --system brings its own");
}

void fleet(Parser& p, study::ReplayOptions& o) {
  p.whole("--replicas", o.replicas, 1, 60000);
  std::vector<std::string> names;
  for (const auto name : serving::routing_names()) names.emplace_back(name);
  if (const auto k = p.choice("--routing", names)) o.routing = serving::Routing(*k);
  o.routing_given = p.has("--routing");
  p.number("--max-in-flight", o.admission.in_flight, 1, 1e9);
  p.number("--max-queue", o.admission.queue, 1, 1e9);
  p.number("--offline-below", o.admission.offline_below, 1, 1e9);
  p.time("--mtbf", o.mtbf_s);
  p.time("--mttr", o.mttr_s, true);
  p.whole("--retries", o.retries, 0, 255);
  if (p.has("--offline-below") && !p.has("--offline") && !p.has("--classes"))
    p.fail(p.shown("--offline-below"), "limits offline work, and there is none",
           "add --offline TRACE, or a class: --classes batch:offline");
  if (p.has("--mttr") && !p.has("--mtbf"))
    p.fail(p.shown("--mttr"), "says how long repairs take, and nothing fails", "add --mtbf");
  if (p.has("--max-queue") && !p.has("--max-in-flight"))
    p.fail(p.shown("--max-queue"), "limits those who wait outside, and nobody has to",
           "add --max-in-flight");
  if (!p.has("--disaggregate")) return;
  const auto parts = p.parts("--disaggregate");
  const auto count = [](double x) { return x >= 1 && x <= 30000 && x == std::floor(x); };
  if (parts.size() != 2 || !count(parts[0]) || !count(parts[1]))
    return p.fail(p.shown("--disaggregate"), "expected PREFILL:DECODE replicas",
                  "for example --disaggregate 2:3");
  o.prefill_replicas = static_cast<int>(parts[0]);
  o.decode_replicas = static_cast<int>(parts[1]);
  for (const char* other : {"--replicas", "--autoscale"}) p.contradiction(other, "--disaggregate");
}

void scaling(Parser& p, study::ReplayOptions& o) {
  if (const auto k = p.choice("--autoscale", {"utilisation", "queue", "slo"})) {
    o.scales = true;
    o.autoscale.by = serving::ScaleBy(*k);
  }
  p.whole("--min-replicas", o.autoscale.least, 0, 60000);
  p.whole("--max-replicas", o.autoscale.most, 1, 60000);
  p.number("--autoscale-target", o.autoscale.target, 0.01, 10);
  p.time("--autoscale-interval", o.autoscale.interval_s);
  p.time("--autoscale-window", o.autoscale.stabilisation_s, true);
  p.time("--autoscale-idle", o.autoscale.idle_s);
  p.time("--provisioning", o.provisioning_s, true);
  p.time("--engine-start", o.engine_start_s, true);
  p.text("--storage", o.storage);
  for (const char* name : {"--min-replicas", "--max-replicas", "--autoscale-target",
                           "--autoscale-interval", "--autoscale-window", "--autoscale-idle"})
    if (p.has(name) && !p.has("--autoscale"))
      p.fail(p.shown(name), "describes an autoscaler, and there is none",
             "add --autoscale utilisation, queue or slo");
  if (o.scales && o.autoscale.most > 0 && o.autoscale.least > o.autoscale.most)
    p.fail(p.shown("--min-replicas"), "exceeds " + p.shown("--max-replicas"));
  if (o.scales && o.autoscale.by == serving::ScaleBy::slo && !p.has("--slo-ttft"))
    p.fail(p.shown("--autoscale"), "follows the time to first token, and no limit is given",
           "add --slo-ttft");
}

void promises(Parser& p, study::ReplayOptions& o) {
  p.time("--slo-ttft", o.slo.ttft_s);
  p.time("--slo-tpot", o.slo.tpot_s);
  p.time("--slo-e2e", o.slo.e2e_s);
  double percentile = 100 * o.percentile;
  p.number("--percentile", percentile, 0.001, 99.9999);
  // 0.99 and 99 % mean what 99 means.
  o.percentile = percentile < 1 ? percentile : percentile / 100;
  if (const auto k = p.choice("--ttft-from", {"arrival", "scheduled"}))
    o.definitions.ttft = serving::TtftFrom(*k);
  if (const auto k = p.choice("--tpot-over", {"excluding-first", "including-first"}))
    o.definitions.tpot = serving::TpotOver(*k);
}

/// One "key=value" of a class; false when it is none.
bool set_rule(serving::ClassRule& rule, const std::string& key, const std::string& value) {
  if (key == "offline") return rule.offline = true;
  const auto n = split_number(value);
  if (!n) return false;
  if (key == "priority") {
    rule.priority = static_cast<int>(n->number);
    return n->unit.empty() && std::abs(n->number) <= 1000 && n->number == std::floor(n->number);
  }
  double si = 0;
  std::string message, hint;
  const std::string full = n->unit.empty() ? value + " s" : value;
  if (!spec::read_number(full, Time::dim, false, "s", si, message, hint) || !(si > 0)) return false;
  double* const where = key == "ttft"       ? &rule.slo.ttft_s
                        : key == "tpot"     ? &rule.slo.tpot_s
                        : key == "e2e"      ? &rule.slo.e2e_s
                        : key == "max-wait" ? &rule.max_wait_s
                                            : nullptr;
  if (where != nullptr) *where = si;
  return where != nullptr;
}

void classes(Parser& p, study::ReplayOptions& o) {
  std::string all;
  p.text("--classes", all);
  for (const auto& one : split(all, ';')) {
    const auto colon = one.find(':');
    study::ReplayClass c;
    c.name = one.substr(0, colon);
    const std::string rules = colon == std::string::npos ? "" : one.substr(colon + 1);
    for (const auto& item : split(rules, ',')) {
      const auto equals = std::min(item.find('='), item.size());
      const std::string value = equals < item.size() ? item.substr(equals + 1) : "";
      if (!set_rule(c.rule, item.substr(0, equals), value))
        p.fail("--classes " + one, fmt::format("'{}' says nothing of a class", item),
               "ttft=1s, tpot=50ms, e2e=9s, priority=1, max-wait=5s or offline");
    }
    o.classes.push_back(std::move(c));
  }
}

void place(Parser& p, study::ReplayOptions& o) {
  const auto said = [](const char* option) {
    return std::make_shared<Source>(Source{"user", option, "", "", Trust::user});
  };
  p.text("--region", o.region);
  if (p.has("--pue")) {
    double pue = 1;
    p.number("--pue", pue, 1, 10);
    o.pue = {Scalar(pue), said("--pue")};
  }
  p.price("--price", o.price);
  p.quantity<EnergyPrice>(
      "--electricity", "USD/MWh",
      [&](EnergyPrice e) {
        o.electricity = {e, said("--electricity")};
      },
      true);
  int seed = 1;
  p.whole("--seed", seed, 0, 1 << 30);
  o.seed = static_cast<std::uint64_t>(seed);
  p.whole("--threads", o.threads, 1, 1024);
}

/// The options that shape a synthetic load, or that have no meaning beside a trace.
void traffic(Parser& p, const ReplayRequest& request, study::ReplayOptions& options,
             TraceOptions& trace) {
  std::vector<std::string> shaping;
  for (const auto& o : requests::traffic_options()) {
    if (!shapes_load(o)) continue;
    for (const auto& given : request.options) {
      if (given.name != o.flag) continue;
      shaping.push_back(given.name);
      trace.synthetic.emplace_back(given.name, given.value);
    }
  }
  if (!request.trace.empty()) {
    for (const auto& name : shaping)
      p.fail(p.shown(name.c_str()), "shapes a synthetic load, but a trace is given",
             name == "--requests" ? "--limit takes the trace's first requests"
                                  : "leave the trace out, or --rate-scale it");
    return;
  }
  if (shaping.empty()) return;  // `load` reads a deployment alone
  if (p.has("--format"))
    p.fail(p.shown("--format"), "describes a trace, and none is given", "leave it out");
  if (p.has("--limit") && !p.has("--requests"))
    trace.synthetic.emplace_back("--requests", std::to_string(trace.read.most));
  if (p.has("--rate"))
    trace.synthetic.emplace_back("--rate", fmt::format("{:.17g}/s", trace.read.rate_per_s));
  trace.synthetic.emplace_back("--seed", std::to_string(options.seed));
}

}  // namespace

std::span<const OptionInfo> replay_options() {
  static const auto all = whole_table();
  return all;
}

void parse_replay_options(const ReplayRequest& request, study::ReplayOptions& options,
                          TraceOptions& trace, Diagnostics& mistakes) {
  Parser p(request.options, mistakes);
  replica(p, options);
  engine_options(p, options);
  timed_options(p, options);
  fleet_file_options(p, trace.fleet);
  fleet(p, options);
  scaling(p, options);
  promises(p, options);
  classes(p, options);
  place(p, options);
  p.text("--hf", trace.hugging_face);
  p.text("--offline", trace.offline);
  p.number("--rate-scale", trace.rate_scale, 1e-6, 1e6);
  int limit = 0;
  p.whole("--limit", limit, 1, 2000000000);
  trace.read.most = static_cast<std::size_t>(limit);
  p.text("--format", trace.read.format);
  if (p.has("--format"))
    p.choice("--format", trace.read.format, requests::format_names(), "a format of traces");
  p.rate("--rate", trace.read.rate_per_s);
  p.flag("--skip-bad", trace.read.skip_bad, true);
  trace.read.seed = options.seed;
  traffic(p, request, options, trace);
  p.contradiction("--hf", "--model");
}

}  // namespace headroom::api
