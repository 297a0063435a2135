// A fleet in a file, for `headroom replay TRACE --fleet FLEET.yaml`: pools of unlike replicas,
// regions, classes of traffic, admission, limits of power.
//
//   regions: [{name: eu, place: germany-frankfurt}, {name: us, place: us-virginia}]
//   latency: [{between: [eu, us], rtt: 90 ms}]
//   origins: [{region: eu, share: 60 %}, {region: us, share: 40 %}]
//   pools:   [{name: chat-eu, model: llama-3.1-8b, accelerator: h100-sxm, region: eu, replicas: 2}]
//   classes: [{name: chat, ttft: 500 ms, allowed: [EU]}, {name: batch, offline: true}]
//
// WHO SERVES WHAT. A pool takes the trace's models named in `serves` (empty: all, or, where the
// trace names the pool's own `model`, that one) and the classes named in `classes` (empty: all).
// Among the pools that may take a request the nearest region goes first, until its least loaded
// replica holds `spill` of its seats.
//
// WHERE REQUESTS COME FROM. A class called NAME@REGION (a trace's `region` column makes such
// names) comes from that region and follows the rules of NAME. Other classes come from the region
// that their rule names, are drawn over `origins` (by session, seeded), or come from the first.
//
// RESIDENCY. `allowed` names regions of the fleet or legal areas ("EU") of their places; a request
// that no pool there may serve is refused and counted, one whose pools are full or down waits.
//
// Mistakes are told at file:line:column, those of the machine's and model's fit at the pool's key.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "requests/request.hpp"
#include "serving/autoscale.hpp"
#include "serving/engine.hpp"
#include "serving/routing.hpp"
#include "spec/fields.hpp"
#include "spec/node.hpp"
#include "study/scenario.hpp"

namespace headroom::study {

struct FleetRegion {
  std::string name, place;
  Origin origin;
  Value<Scalar> pue;
  Value<EnergyPrice> electricity;
  Value<CarbonIntensity> carbon;
  void fields(spec::Fields& f);
};

struct FleetLatency {
  std::vector<std::string> between;
  Value<Time> rtt;
  Origin origin;
  void fields(spec::Fields& f);
};

struct FleetOrigin {
  std::string region;
  Value<Scalar> share;
  Origin origin;
  void fields(spec::Fields& f);
};

struct FleetDraft {
  int length = 0, off_above = 0;
  bool adaptive = false;
  Value<Scalar> acceptance, draft_cost;
  void fields(spec::Fields& f);
};

struct FleetTier {
  Value<Information> size;
  Value<Bandwidth> rate;
  void fields(spec::Fields& f);
};

struct FleetCap {
  Value<Time> from;
  Value<Power> cap;
  Origin origin;
  void fields(spec::Fields& f);
};

struct FleetLoss {
  Value<Time> at, repair;
  int replica = 0;
  void fields(spec::Fields& f);
};

struct FleetScaling {
  serving::ScaleBy by = serving::ScaleBy::utilisation;
  int least = 1, most = 0;
  Value<Scalar> target;
  Value<Time> interval, window, idle;
  void fields(spec::Fields& f);
};

/// Fields left out have the default of the option of the same name (study/replay_run.hpp).
struct FleetPool {
  std::string name, model, region;
  Origin origin;
  std::vector<std::string> serves, classes;
  std::string system, accelerator, mig;
  int domain = 0, replicas = 0;
  serving::Role role = serving::Role::both;
  int tp = 0, pp = 0, ep = 1, attention_dp = 1;
  std::string precision, kv_precision, engine;
  int max_num_seqs = 0, max_num_batched_tokens = 0, max_model_len = 0, block_size = 16;
  Value<Scalar> gpu_memory_utilization, watermark, speed;
  bool prefix_cache = true, chunked_prefill = true, static_batching = false, priorities = false;
  bool async_scheduling = false, reserve_full = false;
  int long_prefill_token_threshold = 0;
  std::optional<FleetDraft> speculate;
  std::optional<FleetTier> offload_cpu, offload_disk;
  int max_loras = 0, max_lora_rank = 16, max_cpu_loras = 0;
  Value<MoneyRate> price;
  Value<Power> power_cap;
  std::vector<FleetCap> power_caps;
  Value<Time> power_caps_every;
  std::optional<FleetScaling> autoscale;
  std::string storage;
  Value<Time> provisioning, engine_start, mtbf, mttr;
  std::vector<FleetLoss> losses;
  void fields(spec::Fields& f);
};

struct FleetClass {
  std::string name, region;
  Origin origin;
  std::vector<std::string> allowed;
  Value<Time> ttft, tpot, e2e, max_wait;
  int priority = 0;
  bool offline = false;
  void fields(spec::Fields& f);
};

struct FleetAdmission {
  Value<Scalar> max_in_flight, max_queue, offline_below;
  void fields(spec::Fields& f);
};

struct FleetSpec {
  std::string name;
  std::vector<FleetRegion> regions;
  std::vector<FleetLatency> latency;
  std::vector<FleetOrigin> origins;
  std::vector<FleetPool> pools;
  std::vector<FleetClass> classes;
  FleetAdmission admission;
  serving::Routing routing = serving::Routing::least_load;
  Value<Scalar> spill;
  int retries = 3;
  void fields(spec::Fields& f);

  /// Index of a region by name; the number of regions when there is none.
  std::size_t region(std::string_view wanted) const;
};

/// A fleet that was read without a mistake, and the document for later messages.
struct Fleet {
  FleetSpec spec;
  spec::Document document;

  /// A mistake of a pool, said of an option of the command line ("--tp 3"): at the line of the
  /// pool's key of that name, else of the pool.
  Diagnostic mistake(std::size_t pool, const Diagnostic& said) const;
  /// The same of a class or any other place.
  Diagnostic mistake(const Origin& at, std::string path, std::string message,
                     std::string hint = {}) const;
};

/// Reads a fleet. Pools may name models of `brought` beside the catalogue's.
Result<Fleet> load_fleet(const std::string& file, const catalog::Catalog& catalog,
                         const Loaded& brought = {});
/// The same of a document that is already parsed.
Result<Fleet> read_fleet(spec::Document document, const catalog::Catalog& catalog,
                         const Loaded& brought = {});

/// Gives every class of the stream a region of origin: classes without one become NAME@REGION,
/// drawn by `origins`. Nothing where the fleet has no regions.
void place_requests(requests::Stream& stream, const FleetSpec& fleet, std::uint64_t seed);

/// "chat" of "chat@eu".
std::string_view class_base(std::string_view name);
/// The region a class comes from: of its name, else of its rule, else the first (0).
std::size_t region_of_class(const FleetSpec& fleet, std::string_view name);
/// The rule of a class: by its whole name, else by what stands before '@'; nullptr: none.
const FleetClass* rule_of(const FleetSpec& fleet, std::string_view name);

}  // namespace headroom::study
