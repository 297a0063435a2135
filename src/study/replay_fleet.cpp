#include "study/replay_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/random.hpp"
#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "catalog/region.hpp"
#include "spec/reader.hpp"

namespace headroom::study {
namespace {

constexpr std::string_view role_names[] = {"both", "prefill", "decode"};
constexpr std::string_view scale_names[] = {"utilisation", "queue", "slo"};

void keep(Origin& origin, const spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
}

}  // namespace

// --- Fields -----------------------------------------------------------------------------

void FleetRegion::fields(spec::Fields& f) {
  keep(origin, f);
  f.text("name", name, "Name that pools and classes refer to").required();
  f.reference("place", place, "region",
              "Catalogue region: carbon and price of electricity, legal areas; default none");
  f.number("pue", pue, "", "Overhead of the building; default that of --pue").between(1, 10);
  f.number("electricity", electricity, "USD/MWh", "Price of electricity; default the place's");
  f.number("carbon", carbon, "gCO2e/kWh", "Of the grid; default the place's");
}

void FleetLatency::fields(spec::Fields& f) {
  keep(origin, f);
  f.texts("between", between, "Two regions").required();
  f.number("rtt", rtt, "ms", "Round trip between them").required().at_most(1e5);
}

void FleetOrigin::fields(spec::Fields& f) {
  keep(origin, f);
  f.text("region", region, "Region that requests come from").required();
  f.number("share", share, "%", "Of the requests whose class says no region").required().above(0);
}

void FleetDraft::fields(spec::Fields& f) {
  f.integer("length", length, "Tokens drafted a step").required().between(1, 64);
  f.number("acceptance", acceptance, "%", "Chance that a drafted token is accepted; default 70 %")
      .at_most(100);
  f.number("draft_cost", draft_cost, "%", "Of a decode step, each drafted token; default 5 %")
      .at_most(100);
  f.integer("off_above", off_above, "Sequences above which nothing is drafted; 0: never off")
      .between(0, 1 << 20);
  f.flag("adaptive", adaptive,
         "Draft what makes most tokens a second of the batch at hand, up to `length`");
}

void FleetTier::fields(spec::Fields& f) {
  f.shorthand("size");
  f.number("size", size, "GB", "For KV blocks, of all GPUs of a replica together").required();
  f.number("rate", rate, "GB/s", "Towards one GPU; default PCIe's or the storage's");
}

void FleetCap::fields(spec::Fields& f) {
  keep(origin, f);
  f.number("from", from, "h", "After the first arrival").required();
  f.number("cap", cap, "W", "Limit of one accelerator from then on").required().above(0);
}

void FleetLoss::fields(spec::Fields& f) {
  f.number("at", at, "min", "After the first arrival").required();
  f.integer("replica", replica, "Which of the pool's, from 0").between(0, 60000);
  f.number("repair", repair, "min", "Until it loads again; default never");
}

void FleetScaling::fields(spec::Fields& f) {
  f.shorthand("by");
  f.choice("by", by, scale_names, "What is followed; utilisation when left out");
  f.integer("least", least, "Replicas; 0 lets the pool sleep").between(0, 60000);
  f.integer("most", most, "Replicas; 0: no limit").between(0, 60000);
  f.number("target", target, "%", "Of the sequences a replica is meant to hold; default 70 %")
      .between(1, 1000);
  f.number("interval", interval, "s", "Between decisions; default 15 s").above(0);
  f.number("window", window, "s", "How long a pool waits before it shrinks; default 300 s");
  f.number("idle", idle, "s", "Without a request before the last replica stops; default 600 s");
  if (most > 0 && least > most)
    f.mistake("least", fmt::format("{} is more than `most`, {}", least, most));
}

void FleetPool::fields(spec::Fields& f) {
  keep(origin, f);
  f.text("name", name, "Name of the pool").required();
  f.reference("model", model, "model", "What it serves").required();
  f.texts("serves", serves,
          "Models as the trace calls them; default `model` where the trace names it, else all");
  f.texts("classes", classes, "Classes of the trace that it takes; default all");
  f.text("region", region, "Region it stands in; default the first");
  f.reference("system", system, "system", "Machines, or `accelerator`");
  f.reference("accelerator", accelerator, "accelerator", "In place of `system`");
  f.integer("domain", domain, "With `accelerator`: GPUs that share NVLink or its like; 0: its own")
      .between(0, 100000);
  f.text("mig", mig, "Slice of the GPU: 1g, 1g+, 2g, 3g, 4g or 7g; default whole GPUs");
  f.integer("replicas", replicas, "At the start; 0: as many as the SLOs need").between(0, 60000);
  f.choice("role", role, role_names, "Of prompts and answers; both when left out");
  f.integer("tp", tp, "Tensor parallelism; 0 chooses").between(0, 1024);
  f.integer("pp", pp, "Pipeline stages; 0: 1").between(0, 1024);
  f.integer("ep", ep, "Expert parallelism").between(1, 100000);
  f.integer("attention_dp", attention_dp, "Attention-data parallelism").between(1, 100000);
  f.text("precision", precision, "Weights: bf16, fp8, int8, int4, nvfp4; default as published");
  f.text("kv_precision", kv_precision, "KV cache: bf16, fp8, int8, nvfp4; default bf16");
  f.text("engine", engine, "Serving software; default vllm-v1");
  f.integer("max_num_seqs", max_num_seqs, "Most running sequences; 0: the engine's default")
      .between(0, 1 << 20);
  f.integer("max_num_batched_tokens", max_num_batched_tokens,
            "Tokens of a step; 0: the engine's default")
      .between(0, 1 << 24);
  f.integer("max_model_len", max_model_len, "Longest prompt and answer; 0: the model's context")
      .between(0, 1 << 28);
  f.integer("block_size", block_size, "Tokens of a KV block").between(1, 4096);
  f.number("gpu_memory_utilization", gpu_memory_utilization, "%",
           "Share of memory that the engine takes; default 90 %")
      .between(5, 100);
  f.number("watermark", watermark, "%", "Of the KV blocks, left free by admissions; default 0 %")
      .at_most(50);
  f.number("speed", speed, "", "Weight in routing by load; default 1").above(0);
  f.flag("prefix_cache", prefix_cache, "Blocks of equal prompts are computed once");
  f.flag("chunked_prefill", chunked_prefill, "Prompts share steps with answers");
  f.flag("static_batching", static_batching, "Batches are filled, run to their end, replaced");
  f.flag("priorities", priorities, "vLLM's --scheduling-policy priority");
  f.flag("async_scheduling", async_scheduling, "A step is composed while the one before runs");
  f.flag("reserve_full", reserve_full, "Admit only what fits whole");
  f.integer("long_prefill_token_threshold", long_prefill_token_threshold,
            "Most of one prompt a step; 0: all that the budget leaves")
      .between(0, 1 << 24);
  f.object("speculate", speculate, "Speculative decoding");
  f.object("offload_cpu", offload_cpu, "Host memory for KV blocks");
  f.object("offload_disk", offload_disk, "Drives for KV blocks");
  f.integer("max_loras", max_loras, "LoRA adapters on a GPU at once; 0: all stay")
      .between(0, 65535);
  f.integer("max_lora_rank", max_lora_rank, "Of the adapters").between(1, 4096);
  f.integer("max_cpu_loras", max_cpu_loras, "Adapters in host memory; 0: all").between(0, 65535);
  f.number("price", price, "USD/GPU/h", "Of a GPU; default the catalogue's rent");
  f.number("power_cap", power_cap, "W", "Limit of one accelerator; default its rating").above(0);
  f.list("power_caps", power_caps, "Limits by time, in place of power_cap");
  f.number("power_caps_every", power_caps_every, "h", "They begin again; default never").above(0);
  f.object("autoscale", autoscale, "Replicas follow the load");
  f.reference("storage", storage, "storage-system",
              "Where weights and offload_disk are read; default local-nvme-h100");
  f.number("provisioning", provisioning, "min", "To get a machine; default 0 min");
  f.number("engine_start", engine_start, "s",
           "From weights in memory to ready; default 71 s (serving/loading.hpp)");
  f.number("mtbf", mtbf, "h", "Between losses of a replica; default none").above(0);
  f.number("mttr", mttr, "min", "Until a lost replica loads again; default 30 min");
  f.list("losses", losses, "Losses at known times: drills, spot reclaims");
}

void FleetClass::fields(spec::Fields& f) {
  keep(origin, f);
  f.text("name", name, "Class of the trace; NAME@REGION for those of one region").required();
  f.text("region", region, "Where its requests come from; default drawn over `origins`");
  f.texts("allowed", allowed, "Regions, or legal areas as EU, it may be served in; default all");
  f.number("ttft", ttft, "s", "Time to first token; default that of --slo-ttft").above(0);
  f.number("tpot", tpot, "ms", "Time per output token; default that of --slo-tpot").above(0);
  f.number("e2e", e2e, "s", "End to end; default that of --slo-e2e").above(0);
  f.number("max_wait", max_wait, "s", "Shed after waiting so long outside; default never").above(0);
  f.integer("priority", priority, "Lower goes first").between(-1000, 1000);
  f.flag("offline", offline, "No deadline: fills the valleys");
}

void FleetAdmission::fields(spec::Fields& f) {
  f.number("max_in_flight", max_in_flight, "",
           "Requests a replica is given at a time; the rest waits outside; default no limit")
      .at_least(1);
  f.number("max_queue", max_queue, "",
           "Requests that may wait outside; beyond, the last of the lowest priority is shed")
      .at_least(1);
  f.number("offline_below", offline_below, "",
           "Offline work enters while a replica holds fewer; default half of its seats")
      .at_least(1);
}

void FleetSpec::fields(spec::Fields& f) {
  f.text("name", name, "Name of the fleet");
  f.list("regions", regions, "Where pools stand and requests come from; one when left out");
  f.list("latency", latency, "Round trips between regions; default 0 ms");
  f.list("origins", origins, "Where requests come from whose class says no region");
  f.list("pools", pools, "Like replicas each");
  f.list("classes", classes, "Promises, priorities and residency by class of the trace");
  f.object("admission", admission, "What is let through to the engines");
  f.choice("routing", routing, serving::routing_names(), "Within a pool; least-load");
  f.number("spill", spill, "%",
           "Of its seats that the least loaded replica of a region holds before the next region "
           "is taken; default 100 %")
      .above(0);
  f.integer("retries", retries, "Of a request whose replica was lost").between(0, 255);
}

std::size_t FleetSpec::region(std::string_view wanted) const {
  const auto at = std::find_if(regions.begin(), regions.end(),
                               [&](const FleetRegion& r) { return r.name == wanted; });
  return static_cast<std::size_t>(at - regions.begin());
}

// --- Mistakes ---------------------------------------------------------------------------

Diagnostic Fleet::mistake(const Origin& at, std::string path, std::string message,
                          std::string hint) const {
  return {*document.file,
          at.line,
          at.column,
          std::move(path),
          std::move(message),
          std::move(hint),
          document.line_text(at.line)};
}

namespace {

/// "--max-num-seqs 4" as a key of a pool: "max_num_seqs".
std::string key_of(std::string_view option) {
  std::string key(option.substr(0, option.find(' ')));
  key.erase(0, std::min(key.find_first_not_of('-'), key.size()));
  std::replace(key.begin(), key.end(), '-', '_');
  if (key == "dp") return "attention_dp";
  if (key == "static") return "static_batching";
  if (key == "max_lora_rank" || key == "max_loras") return key;
  return key;
}

/// Options named in a hint, as keys.
std::string as_keys(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "--") != 0) {
      out += text[i++];
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" ,;:", i), text.size());
    out += key_of(text.substr(i, end - i));
    if (end < text.size() && text[end] == ' ' && end + 1 < text.size() &&
        std::isalnum(static_cast<unsigned char>(text[end + 1])) != 0)
      out += ":";
    i = end;
  }
  return out;
}

}  // namespace

Diagnostic Fleet::mistake(std::size_t pool, const Diagnostic& said) const {
  const spec::Node* list = document.root.get("pools");
  const spec::Node* node =
      list != nullptr && pool < list->items.size() ? &list->items[pool] : nullptr;
  const std::string key = key_of(said.file);
  const spec::Node* value = node != nullptr ? node->get(key) : nullptr;
  Origin at = spec.pools[pool].origin;
  if (value != nullptr) at.line = value->line, at.column = value->column;
  std::string path = "pools." + spec.pools[pool].name;
  std::string message = as_keys(said.message);
  if (value != nullptr)
    path += "." + key;
  else if (said.file.rfind("--", 0) == 0)
    message = as_keys(said.file) + " " + message;
  return mistake(at, std::move(path), std::move(message), as_keys(said.hint));
}

// --- Reading ----------------------------------------------------------------------------

namespace {

/// What spans fields.
class Linker {
 public:
  Linker(const Fleet& fleet, const catalog::Catalog& catalog, Diagnostics& out)
      : fleet_(fleet), s_(fleet.spec), catalog_(catalog), out_(out) {}

  void link() {
    if (s_.pools.empty()) fail({}, "pools", "the fleet has no pools", "one at least");
    for (const auto& r : s_.regions) regions_.push_back(r.name);
    unique(s_.regions, "regions", "region");
    unique(s_.pools, "pools", "pool");
    unique(s_.classes, "classes", "class");
    for (const auto& l : s_.latency) latency(l);
    for (const auto& o : s_.origins) known(o.origin, "origins." + o.region, o.region);
    for (const auto& p : s_.pools) pool(p);
    for (const auto& c : s_.classes) traffic(c);
    roles();
  }

 private:
  void fail(const Origin& at, std::string path, std::string message, std::string hint = {}) {
    out_.add(fleet_.mistake(at, std::move(path), std::move(message), std::move(hint)));
  }

  template <class T>
  void unique(const std::vector<T>& list, const char* path, const char* what) {
    std::set<std::string> seen;
    for (const auto& x : list)
      if (!seen.insert(x.name).second)
        fail(x.origin, fmt::format("{}.{}", path, x.name),
             fmt::format("a second {} of this name", what));
  }

  void known(const Origin& at, const std::string& path, const std::string& region) {
    if (s_.region(region) < s_.regions.size()) return;
    std::string hint = did_you_mean(region, regions_);
    if (hint.empty())
      hint = regions_.empty() ? "list it under regions"
                              : fmt::format("one of {}", fmt::join(regions_, ", "));
    fail(at, path, fmt::format("the fleet has no region '{}'", region), hint);
  }

  void latency(const FleetLatency& l) {
    if (l.between.size() != 2 || l.between[0] == l.between[1])
      return fail(l.origin, "latency", "expected two different regions", "between: [eu, us]");
    for (const auto& name : l.between) known(l.origin, "latency.between", name);
  }

  void pool(const FleetPool& p) {
    const std::string path = "pools." + p.name;
    if (!p.region.empty()) known(p.origin, path + ".region", p.region);
    if (p.system.empty() == p.accelerator.empty())
      fail(p.origin, path,
           p.system.empty() ? "which machine?" : "`system` and `accelerator` are both given",
           "one of system: dgx-h100 and accelerator: h100-sxm");
    if (p.role != serving::Role::both && p.autoscale && p.replicas == 0 && p.autoscale->least == 0)
      fail(p.origin, path, "a prefill or decode pool may not sleep", "autoscale: {least: 1}");
    if (p.power_caps.empty()) {
      if (p.power_caps_every)
        fail(p.origin, path + ".power_caps_every", "there are no power_caps to begin again");
      return;
    }
    if (p.power_cap) fail(p.origin, path + ".power_cap", "stands beside power_caps", "one of them");
    double last = -1;
    for (const auto& c : p.power_caps) {
      const double from = c.from.get().si();
      if (last < 0 && from > 0)
        fail(c.origin, path + ".power_caps", "the first limit begins after the first arrival",
             "from: 0 h");
      else if (from <= last)
        fail(c.origin, path + ".power_caps", "begins before the one above", "in order of time");
      last = from;
    }
    if (p.power_caps_every && p.power_caps_every.get().si() <= last)
      fail(p.power_caps.back().origin, path + ".power_caps_every",
           "they begin again before the last limit does", "longer than the last `from`");
  }

  void traffic(const FleetClass& c) {
    const std::string path = "classes." + c.name;
    if (!c.region.empty()) known(c.origin, path + ".region", c.region);
    const auto at = c.name.find('@');
    if (at != std::string::npos && !s_.regions.empty())
      known(c.origin, path + ".name", c.name.substr(at + 1));
    for (const auto& area : c.allowed) {
      if (s_.region(area) < s_.regions.size()) continue;
      const bool legal = std::any_of(s_.regions.begin(), s_.regions.end(), [&](const auto& r) {
        const auto* place = catalog_.find<catalog::Region>(r.place);
        return place != nullptr && place->in_jurisdiction(area);
      });
      if (!legal)
        fail(c.origin, path + ".allowed",
             fmt::format("'{}' is no region of the fleet and no legal area of one", area),
             regions_.empty() ? "list the regions"
                              : fmt::format("one of {}", fmt::join(regions_, ", ")));
    }
  }

  /// Prefill and decode pools come together.
  void roles() {
    bool prefill = false, decode = false;
    const FleetPool* any = nullptr;
    for (const auto& p : s_.pools) {
      prefill = prefill || p.role == serving::Role::prefill;
      decode = decode || p.role == serving::Role::decode;
      if (p.role != serving::Role::both) any = &p;
    }
    if (prefill != decode)
      fail(any->origin, "pools." + any->name + ".role",
           prefill ? "no pool decodes what it reads" : "no pool reads prompts for it",
           prefill ? "a pool with role: decode" : "a pool with role: prefill");
  }

  const Fleet& fleet_;
  const FleetSpec& s_;
  const catalog::Catalog& catalog_;
  Diagnostics& out_;
  std::vector<std::string> regions_;
};

}  // namespace

Result<Fleet> read_fleet(spec::Document document, const catalog::Catalog& catalog,
                         const Loaded& brought) {
  Diagnostics diagnostics;
  Fleet fleet;
  fleet.document = std::move(document);
  spec::ReadContext context;
  context.file = fleet.document.file;
  context.document = &fleet.document;
  context.default_source =
      std::make_shared<Source>(Source{*context.file, "the fleet", "", "", Trust::user});
  const auto own = [&](std::string_view kind) {
    std::vector<std::string> ids;
    for (const auto& m : brought.models)
      if (kind == catalog::Model::kind) ids.push_back(m->id);
    return ids;
  };
  context.entry_ids = [&](std::string_view kind) {
    auto ids = catalog.ids(kind);
    for (auto& id : own(kind)) ids.push_back(std::move(id));
    return ids;
  };
  context.has_entry = [&](std::string_view kind, const std::string& id) {
    const auto ids = context.entry_ids(kind);
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  if (spec::read(fleet.document.root, fleet.spec, context, diagnostics) && diagnostics.empty())
    Linker(fleet, catalog, diagnostics).link();
  if (diagnostics.empty()) return fleet;
  diagnostics.sort_by_place();
  return failure(std::move(diagnostics));
}

Result<Fleet> load_fleet(const std::string& file, const catalog::Catalog& catalog,
                         const Loaded& brought) {
  Diagnostics diagnostics;
  auto document = spec::load_yaml(file, diagnostics);
  if (!document) return failure(std::move(diagnostics));
  return read_fleet(std::move(*document), catalog, brought);
}

// --- Requests ---------------------------------------------------------------------------

std::string_view class_base(std::string_view name) { return name.substr(0, name.find('@')); }

const FleetClass* rule_of(const FleetSpec& fleet, std::string_view name) {
  const FleetClass* of_base = nullptr;
  for (const auto& c : fleet.classes) {
    if (c.name == name) return &c;
    if (c.name == class_base(name)) of_base = &c;
  }
  return of_base;
}

std::size_t region_of_class(const FleetSpec& fleet, std::string_view name) {
  if (fleet.regions.empty()) return 0;
  const auto at = name.find('@');
  if (at != std::string_view::npos) return fleet.region(name.substr(at + 1));
  const FleetClass* rule = rule_of(fleet, name);
  return rule != nullptr && !rule->region.empty() ? fleet.region(rule->region) : 0;
}

void place_requests(requests::Stream& stream, const FleetSpec& fleet, std::uint64_t seed) {
  if (fleet.regions.empty() || fleet.origins.empty()) return;
  double sum = 0;
  for (const auto& o : fleet.origins) sum += o.share.get();
  const std::size_t classes = stream.classes.size();
  std::vector<std::vector<std::uint16_t>> named(classes);
  std::vector<std::string> names;
  for (std::size_t c = 0; c < classes; ++c) {
    const std::string name = stream.classes[c];
    const FleetClass* rule = rule_of(fleet, name);
    if (name.find('@') != std::string::npos || (rule != nullptr && !rule->region.empty())) {
      named[c].assign(1, static_cast<std::uint16_t>(names.size()));
      names.push_back(name);
      continue;
    }
    for (const auto& o : fleet.origins) {
      named[c].push_back(static_cast<std::uint16_t>(names.size()));
      names.push_back(name + "@" + o.region);
    }
  }
  const headroom::Stream random(seed, "study.fleet.origins");
  std::vector<std::uint16_t> drawn(stream.requests.size());
  for (std::size_t i = 0; i < stream.requests.size(); ++i) {
    auto& r = stream.requests[i];
    // A user stays where he is: by session, else with the request before.
    if (r.after != requests::no_request && r.session == requests::no_request) {
      drawn[i] = drawn[r.after];
    } else {
      const std::uint64_t key = r.session != requests::no_request ? r.session : i;
      const double u = random.uniform(key, r.session != requests::no_request ? 1 : 0) * sum;
      double below = 0;
      std::uint16_t at = 0;
      for (std::size_t k = 0; k + 1 < fleet.origins.size(); ++k) {
        below += fleet.origins[k].share.get();
        if (u >= below) at = static_cast<std::uint16_t>(k + 1);
      }
      drawn[i] = at;
    }
    const auto& choices = named[r.traffic_class];
    r.traffic_class = choices.size() == 1 ? choices[0] : choices[drawn[i]];
  }
  stream.classes = std::move(names);
}

}  // namespace headroom::study
