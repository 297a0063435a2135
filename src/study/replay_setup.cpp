#include "study/replay_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "catalog/price.hpp"
#include "catalog/region.hpp"
#include "catalog/storage_system.hpp"
#include "fabric/path.hpp"
#include "infer/service.hpp"
#include "money/inputs.hpp"
#include "serving/devices.hpp"
#include "serving/engine_settings.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {
namespace {

constexpr double nic_share = 0.94;  // of the line rate that a transfer reaches, as fabric's default
constexpr double nic_latency_s = 20e-6;  // assumed: RDMA set-up and hop
constexpr int most_tensor_ranks = 8;
constexpr double pcie_share = 0.8;          // of a PCIe link that copies of KV reach (assumed)
constexpr double pcie_fallback = 32e9;      // bytes/s where the catalogue tells no link: gen4 x16
constexpr double pcie_latency_s = 20e-6;    // assumed: launch of a copy
constexpr double drive_latency_s = 100e-6;  // a read from NVMe, as the catalogue's (recalled)

std::string shown(std::string_view option, const std::string& value) {
  return value.empty() ? std::string(option) : fmt::format("{} {}", option, value);
}

class Setup {
 public:
  Setup(const requests::Stream& stream, const ReplayOptions& options,
        const catalog::Catalog& catalog, const Loaded& brought, Diagnostics& mistakes,
        const Takes& takes)
      : stream_(stream),
        o_(options),
        catalog_(catalog),
        brought_(brought),
        mistakes_(mistakes),
        takes_(takes) {}

  ReplaySetup build() {
    choose_model();
    choose_machine();
    choose_software();
    choose_formats();
    check_classes();
    tariff();
    if (!mistakes_.empty() || s_.model == nullptr) return std::move(s_);
    lay_out();
    if (!mistakes_.empty()) return std::move(s_);
    engine();
    if (!mistakes_.empty()) return std::move(s_);
    pools();
    return std::move(s_);
  }

 private:
  void fail(std::string option, std::string message, std::string hint = {}) {
    mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
  }

  template <class T>
  const T* look_up(const char* option, const std::string& id) {
    const auto* entry = catalog_.find<T>(id);
    if (entry == nullptr)
      fail(shown(option, id), fmt::format("the catalogue has no {} '{}'", T::kind, id),
           did_you_mean(id, catalog_.ids(T::kind)));
    return entry;
  }

  void choose_model() {
    for (const auto& own : brought_.models)
      if (own->id == o_.model) s_.model = own.get();
    if (s_.model != nullptr) return;
    if (o_.model.empty())
      return fail(
          "--model", "which model?",
          "for example --model llama-3.1-70b, or --hf config.json; `headroom catalog model` "
          "lists them");
    s_.model = look_up<catalog::Model>("--model", o_.model);
    if (s_.model != nullptr && (s_.model->is_diffusion() || !s_.model->head)) {
      fail(shown("--model", o_.model), "makes no text tokens one by one, so no engine serves it",
           "a decoder, for example llama-3.1-70b");
      s_.model = nullptr;
    }
  }

  void choose_machine() {
    if (o_.system.empty() == o_.accelerator.empty()) {
      const bool both = !o_.system.empty();
      fail(both ? shown("--accelerator", o_.accelerator) : "--system",
           both ? "contradicts " + shown("--system", o_.system) : "which machine?",
           both ? "give one of them"
                : "for example --system dgx-h100, or --accelerator h100-sxm; `headroom catalog "
                  "system` lists them");
    }
    std::string id = o_.accelerator;
    if (!o_.system.empty()) {
      for (const auto& own : brought_.systems)
        if (own->id == o_.system) s_.system = own.get();
      if (s_.system == nullptr) s_.system = look_up<catalog::System>("--system", o_.system);
      if (s_.system == nullptr) return;
      id = s_.system->accelerator;
    }
    if (id.empty()) return;
    const auto* a = look_up<catalog::Accelerator>("--accelerator", id);
    if (a == nullptr) return;
    have_accelerator_ = true;
    s_.accelerator = *a;
    if (!o_.slice.empty()) take_slice();
    uncapped_ = s_.accelerator;
    if (o_.power_cap > Power{} && may_cap("--power-cap", o_.power_cap))
      s_.accelerator = serving::capped(s_.accelerator, o_.power_cap);
    for (const auto& c : o_.power_caps) may_cap("--power-caps", c.cap);
  }

  void take_slice() {
    const auto slice = serving::find_slice(o_.slice);
    if (!slice)
      return fail(shown("--mig", o_.slice), "is no slice",
                  fmt::format("one of {}", fmt::join(serving::slice_names(), ", ")));
    s_.accelerator = serving::sliced(s_.accelerator, *slice);
    s_.slice = slice->name;
    slice_gpus_ = slice->gpus();
    slice_compute_ = slice->compute_share();
  }

  bool may_cap(const char* option, Power cap) {
    const auto& power = uncapped_.power;
    if (!power.max) {
      fail(option, "the catalogue does not know this accelerator's power");
      return false;
    }
    const Power most = power.max.get();
    const Power idle = power.idle.or_else(infer::idle_power_share * most);
    if (cap >= idle) return true;
    fail(option,
         fmt::format("{} lies below its idle power of {}", format(cap, "W"), format(idle, "W")),
         fmt::format("{} to {}", format(idle, "W"), format(most, "W")));
    return false;
  }

  void choose_software() {
    const std::string wanted = o_.software.empty() ? "vllm-v1" : o_.software;
    s_.software = catalog_.find<catalog::ServingSoftware>(wanted);
    if (s_.software != nullptr) return;
    const auto& by_name = catalog::serving_software(catalog_, wanted);
    if (by_name.id != "any") {
      s_.software = &by_name;
      return;
    }
    fail(shown("--engine", wanted),
         fmt::format("the catalogue has no serving software '{}'", wanted),
         did_you_mean(wanted, catalog_.ids(catalog::ServingSoftware::kind)));
  }

  std::optional<Precision> format_of(const char* option, const std::string& text) {
    if (text.empty() || text == "auto") return std::nullopt;
    const auto p = parse_precision(text);
    if (!p)
      fail(shown(option, text), "is no number format",
           fmt::format("one of {}", fmt::join(precision_names(), ", ")));
    return p;
  }

  void choose_formats() {
    s_.layout.weights = format_of("--precision", o_.precision)
                            .value_or(s_.model != nullptr ? s_.model->weights : Precision::bf16);
    // vLLM's `auto`: the model's 16-bit type, whatever the weights.
    s_.layout.kv = format_of("--kv-precision", o_.kv_precision).value_or(Precision::bf16);
    if (o_.percentile <= 0 || o_.percentile >= 1)
      fail(fmt::format("--percentile {:g}", 100 * o_.percentile),
           "expected a percentile between 0 and 100", "for example --percentile 99");
  }

  // --- Layout -----------------------------------------------------------------------------

  fabric::Path path(int domain) const {
    fabric::ScaleOut out;
    out.per_gpu = nic();
    if (s_.system != nullptr && s_.slice.empty())
      return fabric::make_path(*s_.system, s_.accelerator, out);
    catalog::System made;
    made.scale_up.domain = domain;
    made.scale_up.bandwidth = s_.accelerator.scale_up.bandwidth;
    return fabric::make_path(made, s_.accelerator, out);
  }

  Bandwidth nic() const {
    constexpr double usual_gbit = 400;  // assumed: one NDR port a GPU, as a DGX H100
    if (s_.system == nullptr || !s_.system->compute_nics.speed || s_.system->accelerators < 1)
      return usual_gbit * gigabit_per_second;
    const auto& nics = s_.system->compute_nics;
    return nics.speed.get() * (double(nics.count) / s_.system->accelerators);
  }

  serving::Link link() const {
    const double port = nic().si() * nic_share;
    return {o_.kv_link > Bandwidth{} ? o_.kv_link.si() : port, nic_latency_s};
  }

  int domain() const {
    if (!s_.slice.empty()) return std::max(1, s_.accelerator.scale_up.domain);
    if (s_.system != nullptr) return std::max(1, s_.system->scale_up.domain);
    return std::max(1, o_.domain > 0 ? o_.domain : s_.accelerator.scale_up.domain);
  }

  bool divides_heads(int tp) const { return s_.model->heads <= 0 || s_.model->heads % tp == 0; }

  int usual_tp() const {
    int most = std::min(domain(), most_tensor_ranks);
    if (s_.system != nullptr && s_.slice.empty())
      most = std::min(most, std::max(1, s_.system->accelerators));
    int tp = 1;
    while (2 * tp <= most && divides_heads(2 * tp)) tp *= 2;
    if (s_.system != nullptr) return tp;
    // The smallest that keeps half of the memory free of weights.
    for (int small = 1; small < tp; small *= 2) {
      infer::Layout layout = s_.layout;
      layout.tp = small;
      const infer::StepModel step(*s_.model, s_.accelerator, path(domain()), layout, *s_.software);
      if (step.weights_per_gpu() <= 0.5 * step.memory()) return small;
    }
    return tp;
  }

  void lay_out() {
    auto& l = s_.layout;
    l.pp = std::max(1, o_.pp);
    l.attention_dp = std::max(1, o_.attention_dp);
    l.tp = o_.tp > 0 ? o_.tp : usual_tp();
    l.ep = std::max(1, o_.ep);
    l.lora_rank = o_.lora_rank;
    check_layout();
    if (!mistakes_.empty()) return;
    const infer::StepModel step(*s_.model, s_.accelerator, path(domain()), l, *s_.software);
    infer::EngineSpec spec;
    spec.max_batch = o_.max_num_seqs;
    if (o_.max_num_batched_tokens > 0)
      spec.token_budget = {o_.max_num_batched_tokens * token, assumed("--max-num-batched-tokens")};
    spec.memory_fraction = {Scalar(o_.memory_share), assumed("--gpu-memory-utilization")};
    s_.limits = infer::engine_limits(spec, s_.accelerator);
    s_.limits.memory_share = o_.memory_share;
    s_.limits.speculation = o_.speculation.length;
    s_.limits.acceptance = o_.speculation.acceptance;
    s_.limits.draft_cost = o_.speculation.draft_cost;
    s_.replica.emplace(*s_.model, step, s_.limits);
    s_.oracle = std::make_unique<infer::StepOracle>(step);
    s_.gpus = l.gpus() * slice_gpus_;
    if (!s_.replica->memory().fits()) does_not_fit(step);
  }

  void check_layout() {
    const auto& l = s_.layout;
    if (l.tp > domain())
      fail(fmt::format("--tp {}", l.tp),
           fmt::format("is more than the {} accelerators that share a scale-up domain", domain()),
           s_.slice.empty() ? fmt::format("--tp {} and --pp for the rest", domain())
                            : "slices of a GPU do not reach each other: --tp 1");
    if (!divides_heads(l.tp))
      fail(fmt::format("--tp {}", l.tp),
           fmt::format("does not divide the model's {} attention heads", s_.model->heads));
    if (l.pp > s_.model->layers)
      fail(fmt::format("--pp {}", l.pp),
           fmt::format("is more than the model's {} layers", s_.model->layers));
    if (l.ep > 1 && !s_.model->is_mixture())
      fail(fmt::format("--ep {}", l.ep), "the model has no experts");
    else if (l.ep > 1 && l.stage_ranks() % l.ep != 0)
      fail(fmt::format("--ep {}", l.ep),
           fmt::format("does not divide the {} ranks of tensor and attention-data parallelism",
                       l.stage_ranks()));
  }

  void does_not_fit(const infer::StepModel& step) {
    const double need =
        s_.replica->memory().weights.in(gigabyte) + s_.replica->memory().workspace.in(gigabyte);
    std::string hint;
    for (int tp = s_.layout.tp * 2; tp <= std::min(domain(), most_tensor_ranks); tp *= 2) {
      infer::Layout more = s_.layout;
      more.tp = tp;
      const infer::StepModel wider(*s_.model, s_.accelerator, path(domain()), more, *s_.software);
      if (!divides_heads(tp) || !infer::replica_memory(wider, s_.limits, *s_.model).fits())
        continue;
      hint = fmt::format("--tp {} fits", tp);
      break;
    }
    if (hint.empty())
      hint =
          fmt::format("--pp {}, a narrower --precision, or a larger accelerator", 2 * s_.layout.pp);
    fail(fmt::format("--tp {} --pp {}", s_.layout.tp, s_.layout.pp),
         fmt::format("weights and workspace take {:.1f} GB a GPU, and {:.0f} % of one is {:.1f} GB",
                     need, 100 * s_.limits.memory_share,
                     s_.limits.memory_share * step.memory().in(gigabyte)),
         hint);
  }

  // --- Engine and pools -------------------------------------------------------------------

  void engine() {
    auto& e = s_.deployment.engine;
    s_.shape = stream_shape(stream_, o_.offline, takes_);
    if (s_.shape.input <= 0) s_.shape = stream_shape(stream_, {}, takes_);
    const auto& step = s_.oracle->model();
    serving::Adapters rule;
    const double taken = adapters(rule);
    if (s_.replica->memory().kv_free().si() <= taken)
      return fail(fmt::format("--max-loras {}", o_.max_loras),
                  fmt::format("adapters of rank {} leave no memory for the KV cache", o_.lora_rank),
                  "fewer, or a smaller --max-lora-rank");
    const int longest = o_.max_model_len > 0 ? o_.max_model_len : s_.model->context;
    e = serving::engine_config(step, s_.limits, s_.replica->memory(),
                               {.context = s_.shape.context(),
                                .max_model_len = double(longest),
                                .block_tokens = o_.block_tokens,
                                .prefix_cache = o_.prefix_cache,
                                .taken_bits = taken});
    e.adapters = rule;
    if (o_.kv_blocks > e.kv_blocks)
      fail(fmt::format("--num-gpu-blocks-override {}", o_.kv_blocks),
           fmt::format("is more than the {:.0f} blocks that fit", e.kv_blocks), "fewer");
    if (o_.kv_blocks > 0) e.kv_blocks = o_.kv_blocks;
    e.chunked_prefill = o_.chunked_prefill;
    e.static_batching = o_.static_batching;
    e.priorities = o_.priorities;
    e.whole_prompt_fits = o_.reserve_full;
    e.long_prefill_tokens = o_.long_prefill_tokens;
    e.watermark = o_.watermark;
    // Composing ahead is one of the steps of delivery (validation/infer_replay.hpp).
    if (o_.async_scheduling) e.schedule_ahead = 1, e.delivery_steps -= 1;
    e.role = o_.role;
    if (o_.role != serving::Role::both) e.link = link();
    e.speculation = o_.speculation;
    e.hash_tokens = stream_.block_tokens;
    e.seed = o_.seed;
    const double token_bits = serving::kv_token_bits(step, s_.shape.context());
    const double block_bits = token_bits * e.block_tokens * s_.layout.gpus();
    offload(o_.offload_cpu, block_bits, host_rate(), pcie_latency_s, e.host);
    if (o_.offload_disk.size > Information{})
      offload(o_.offload_disk, block_bits, drive_rate(), drive_latency_s, e.disk);
    check_host_memory();
    s_.targets = {o_.slo.ttft_s, o_.slo.tpot_s, o_.slo.e2e_s, o_.percentile};
  }

  /// Bits a second from host memory to one GPU.
  double host_rate() const {
    const double raw =
        s_.accelerator.pcie ? s_.accelerator.pcie.get().in(byte / second) : pcie_fallback;
    return 8 * raw * pcie_share;
  }

  /// The same from the drives of a machine, whose GPUs share them.
  double drive_rate() {
    const auto* store = look_up<catalog::StorageSystem>("--storage", o_.storage);
    if (store == nullptr) return 0;
    const auto& read = store->client ? store->client : store->read;
    if (!read && !(o_.offload_disk.rate > Bandwidth{}))
      fail("--offload-disk", "the catalogue does not know what --storage " + o_.storage + " reads",
           "add a rate: --offload-disk SIZE:RATE");
    const double sharing = s_.system != nullptr ? std::max(1, s_.system->accelerators) : 1;
    return read ? read.get().si() / std::max(sharing, double(s_.layout.gpus())) : 0;
  }

  static void offload(const ReplayTier& tier, double block_bits, double usual_rate,
                      double latency_s, serving::Tier& out) {
    if (!(tier.size > Information{}) || block_bits <= 0) return;
    out.blocks = std::floor(tier.size.si() / block_bits);
    out.bits_s = tier.rate > Bandwidth{} ? tier.rate.si() : usual_rate;
    out.latency_s = latency_s;
  }

  void check_host_memory() {
    if (s_.system == nullptr || !s_.system->host_memory) return;
    const auto had = s_.system->host_memory.get();
    if (o_.offload_cpu.size > had)
      fail(
          "--offload-cpu " + format(o_.offload_cpu.size, "GB"),
          fmt::format("is more than the {} of host memory of {}", format(had, "GB"), s_.system->id),
          "");
  }

  /// Fills the rule; returns the bits that adapters take on a GPU. Both matrices of every
  /// projection outside the experts, in 16 bits, sharded as the projection; loaded over PCIe while
  /// the step waits.
  double adapters(serving::Adapters& rule) const {
    if (o_.max_loras <= 0) return 0;
    double values = 0;
    for (const auto& layer : workload::layer_classes(*s_.model))
      for (const auto& g : workload::layer_gemms(*s_.model, layer, 1, {.tensor = s_.layout.tp}))
        if (g.name.find("expert") != 0 && g.name != "router")
          values += layer.count * (g.n + g.k) * o_.lora_rank;
    const double bits = 16 * values / s_.layout.pp;
    rule.slots = o_.max_loras;
    rule.load_s = pcie_latency_s + bits / host_rate();
    rule.host_slots = o_.host_loras;
    if (o_.host_loras > 0) rule.fetch_s = fetch_s(bits);
    return o_.max_loras * bits;
  }

  /// An adapter from the drives to host memory: all ranks' shares.
  double fetch_s(double bits) const {
    const auto* store = catalog_.find<catalog::StorageSystem>(o_.storage);
    if (store == nullptr) return 0;
    const auto& read = store->client ? store->client : store->read;
    return read ? drive_latency_s + bits * s_.layout.gpus() / read.get().si() : 0;
  }

  serving::Loading loading() {
    serving::Loading l;
    l.provisioning_s = o_.provisioning_s;
    if (o_.engine_start_s >= 0) l.process_s = o_.engine_start_s, l.compile_s = l.capture_s = 0;
    l.weight_bytes = s_.oracle->model().weights_per_gpu().in(byte)*s_.layout.gpus();
    const auto* store = catalog_.find<catalog::StorageSystem>(o_.storage);
    if (store == nullptr) return l;
    const double read = store->read ? store->read.get().in(byte / second) : 0;
    l.client_rate = store->client ? store->client.get().in(byte / second) : std::max(read, 1.0);
    // A shared store feeds every load at once; a local drive is each machine's own.
    l.aggregate_rate = store->storage_class == catalog::StorageClass::local ? 0 : read;
    return l;
  }

  void pools() {
    auto& d = s_.deployment;
    d.oracle = s_.oracle.get();
    d.routing = o_.routing;
    d.seed = o_.seed;
    d.admission = o_.admission;
    d.definitions = o_.definitions;
    d.percentile = o_.percentile;
    d.keep_outcomes = o_.keep_outcomes;
    d.threads = o_.threads;
    d.progress = o_.progress;
    d.retries = o_.retries;
    for (const auto& c : o_.classes) promise(c);
    for (const int c : o_.offline) {
      d.classes.resize(std::max<std::size_t>(d.classes.size(), std::size_t(c) + 1));
      d.classes[std::size_t(c)].offline = true;
    }
    if (!o_.offline.empty() && d.admission.offline_below <= 0) leave_room();
    serving::Pool pool;
    pool.oracle = s_.oracle.get();
    pool.engine = d.engine;
    pool.replicas = std::max(1, o_.replicas);
    pool.gpus = s_.gpus;
    pool.loading = loading();
    pool.failures.mtbf_s = o_.mtbf_s;
    pool.failures.mttr_s = o_.mttr_s;
    pool.failures.losses = o_.losses;
    for (auto& l : pool.failures.losses)
      l.at_s += stream_.requests.empty() ? 0 : stream_.requests.front().arrival_s;
    pool.power = power_of(s_.accelerator);
    caps(pool);
    // One pool serves whatever models the trace names; a fleet's file says which.
    for (std::size_t m = 0; m < stream_.models.size(); ++m)
      pool.models.push_back(static_cast<std::uint16_t>(m));
    if (o_.prefill_replicas > 0) return disaggregate(pool);
    if (o_.scales) autoscale(pool);
    d.pools = {pool};
  }

  void promise(const ReplayClass& c) {
    auto& rules = s_.deployment.classes;
    for (std::size_t i = 0; i < stream_.classes.size(); ++i) {
      if (stream_.classes[i] != c.name) continue;
      rules.resize(std::max(rules.size(), i + 1));
      rules[i] = c.rule;
    }
  }

  void check_classes() {
    if (stream_.classes.empty()) return;  // the trace's own mistakes are being told
    for (const auto& c : o_.classes)
      if (std::find(stream_.classes.begin(), stream_.classes.end(), c.name) ==
          stream_.classes.end())
        fail(shown("--classes", c.name), "the trace has no class of this name",
             fmt::format("it has {}", fmt::join(stream_.classes, ", ")));
  }

  /// Offline work stays below four fifths of what still meets the SLOs (assumed: the rest is for
  /// the next burst).
  void leave_room() {
    const auto capacity = s_.replica->capacity(s_.shape, s_.targets);
    if (o_.slo.any() && capacity.feasible)
      s_.deployment.admission.offline_below = std::max(1.0, std::floor(0.8 * capacity.at.batch));
  }

  /// A slice's power is told per slice; pools count GPUs.
  serving::GpuPower power_of(const catalog::Accelerator& a) const {
    auto p = serving::gpu_power(a, s_.system, slice_compute_);
    for (double* w : {&p.prefill_w, &p.decode_w, &p.idle_w, &p.maximum_w}) *w /= slice_gpus_;
    return p;
  }

  void caps(serving::Pool& pool) {
    for (const auto& c : o_.power_caps) {
      const auto a = serving::capped(uncapped_, c.cap);
      s_.capped.push_back(std::make_unique<infer::StepOracle>(
          infer::StepModel(*s_.model, a, path(domain()), s_.layout, *s_.software)));
      pool.caps.push_back({c.from_s, s_.capped.back().get(), power_of(a)});
    }
    pool.caps_every_s = o_.power_caps_every_s;
  }

  void autoscale(serving::Pool& pool) {
    pool.scales = true;
    pool.autoscale = o_.autoscale;
    pool.replicas = std::max(o_.replicas > 0 ? o_.replicas : 1, o_.autoscale.least);
    if (o_.autoscale.most > 0) pool.replicas = std::min(pool.replicas, o_.autoscale.most);
    if (pool.autoscale.seats > 0) return;
    const auto capacity = s_.replica->capacity(s_.shape, s_.targets);
    pool.autoscale.seats = capacity.feasible
                               ? std::max(1.0, capacity.at.batch)
                               : std::max(1.0, s_.replica->kv_cap(s_.shape.context()));
    pool.autoscale.seats = std::min(pool.autoscale.seats, double(pool.engine.max_num_seqs));
  }

  void disaggregate(const serving::Pool& both) {
    serving::Pool prefill = both, decode = both;
    prefill.name = "prefill", decode.name = "decode";
    prefill.engine.role = serving::Role::prefill;
    decode.engine.role = serving::Role::decode;
    prefill.replicas = o_.prefill_replicas;
    decode.replicas = o_.decode_replicas;
    prefill.engine.link = decode.engine.link = link();
    s_.deployment.pools = {prefill, decode};
  }

  // --- Prices -----------------------------------------------------------------------------

  void tariff() {
    auto& t = s_.deployment.tariff;
    if (o_.pue) t.pue = o_.pue.get();
    if (const auto* region = look_up<catalog::Region>("--region", o_.region)) {
      t.place = region->name;
      if (region->carbon) t.kg_per_j = region->carbon.get().si();
      if (region->electricity) t.usd_per_j = region->electricity.get().si();
    }
    if (o_.electricity) t.usd_per_j = o_.electricity.get().si();
    if (o_.price) {
      t.usd_per_gpu_s = o_.price.get().si();
      t.rent_origin = "--price";
    } else if (have_accelerator_) {
      Trace trace;
      std::vector<std::string> remarks;
      money::Demand demand;
      demand.accelerator = s_.accelerator.id;
      if (const auto rent =
              money::find_rent(money::Way::neocloud, {}, demand, catalog_, trace, remarks)) {
        t.usd_per_gpu_s = rent->rate.value.si();
        t.rent_origin = fmt::format("{}, {}", rent->what, rent->as_of);
      }
    }
    if (!o_.storage.empty()) look_up<catalog::StorageSystem>("--storage", o_.storage);
  }

  const requests::Stream& stream_;
  const ReplayOptions& o_;
  const catalog::Catalog& catalog_;
  const Loaded& brought_;
  Diagnostics& mistakes_;
  const Takes& takes_;
  ReplaySetup s_;
  catalog::Accelerator uncapped_;
  double slice_gpus_ = 1, slice_compute_ = 1;
  bool have_accelerator_ = false;
};

}  // namespace

ReplaySetup set_up_replay(const requests::Stream& stream, const ReplayOptions& options,
                          const catalog::Catalog& catalog, const Loaded& brought,
                          Diagnostics& mistakes, const Takes& takes) {
  return Setup(stream, options, catalog, brought, mistakes, takes).build();
}

}  // namespace headroom::study
