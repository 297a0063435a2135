// A fleet's file to a deployment, its replay, and the replicas that its SLOs need.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/units.hpp"
#include "catalog/region.hpp"
#include "study/replay_fleet.hpp"
#include "study/replay_setup.hpp"

namespace headroom::study {
namespace {

using serving::Summary;

double seconds(const Value<Time>& v, double otherwise = 0) { return v ? v.get().si() : otherwise; }

serving::Speculation speculation(const FleetDraft& d) {
  constexpr double acceptance = 0.7, cost = 0.05;  // assumed: EAGLE on chat (infer/spec.hpp)
  serving::Speculation s;
  s.length = d.length;
  s.acceptance = d.acceptance.or_else(Scalar(acceptance));
  s.draft_cost = d.draft_cost.or_else(Scalar(cost));
  s.off_above = d.off_above;
  s.adaptive = d.adaptive;
  return s;
}

ReplayTier tier(const std::optional<FleetTier>& t) {
  if (!t) return {};
  return {t->size.or_else(Information{}), t->rate.or_else(Bandwidth{})};
}

/// A pool as the options of a replay of its own.
ReplayOptions options_of(const FleetPool& p, const ReplayOptions& base) {
  ReplayOptions o = base;
  o.fleet = nullptr;
  o.classes.clear();
  o.model = p.model, o.system = p.system, o.accelerator = p.accelerator, o.slice = p.mig;
  o.software = p.engine;
  o.tp = p.tp, o.pp = p.pp, o.ep = p.ep, o.attention_dp = p.attention_dp;
  o.precision = p.precision, o.kv_precision = p.kv_precision;
  o.domain = p.domain;
  o.replicas = p.replicas;
  o.role = p.role;
  o.max_num_seqs = p.max_num_seqs, o.max_num_batched_tokens = p.max_num_batched_tokens;
  o.max_model_len = p.max_model_len, o.block_tokens = p.block_size;
  o.kv_blocks = p.num_gpu_blocks_override;
  o.kv_link = p.kv_link.or_else(Bandwidth{});
  o.memory_share = p.gpu_memory_utilization.or_else(Scalar(base.memory_share));
  o.watermark = p.watermark.or_else(Scalar(0.0));
  o.prefix_cache = p.prefix_cache, o.chunked_prefill = p.chunked_prefill;
  o.static_batching = p.static_batching, o.priorities = p.priorities;
  o.async_scheduling = p.async_scheduling, o.reserve_full = p.reserve_full;
  o.long_prefill_tokens = p.long_prefill_token_threshold;
  o.speculation = p.speculate ? speculation(*p.speculate) : serving::Speculation{};
  o.offload_cpu = tier(p.offload_cpu), o.offload_disk = tier(p.offload_disk);
  o.max_loras = p.max_loras, o.lora_rank = p.max_lora_rank, o.host_loras = p.max_cpu_loras;
  if (p.price) o.price = p.price;
  o.power_cap = p.power_cap.or_else(Power{});
  for (const auto& c : p.power_caps) o.power_caps.push_back({c.from.get().si(), c.cap.get()});
  o.power_caps_every_s = seconds(p.power_caps_every);
  if (!p.storage.empty()) o.storage = p.storage;
  o.provisioning_s = seconds(p.provisioning);
  o.engine_start_s = seconds(p.engine_start, -1);
  o.mtbf_s = seconds(p.mtbf), o.mttr_s = seconds(p.mttr, base.mttr_s);
  for (const auto& l : p.losses)
    o.losses.push_back({seconds(l.at), std::uint32_t(l.replica), seconds(l.repair, -1)});
  if (!p.autoscale) return o;
  const auto& a = *p.autoscale;
  o.scales = true;
  o.autoscale.by = a.by, o.autoscale.least = a.least, o.autoscale.most = a.most;
  o.autoscale.target = a.target.or_else(Scalar(o.autoscale.target));
  o.autoscale.interval_s = seconds(a.interval, o.autoscale.interval_s);
  o.autoscale.stabilisation_s = seconds(a.window, o.autoscale.stabilisation_s);
  o.autoscale.idle_s = seconds(a.idle, o.autoscale.idle_s);
  return o;
}

class FleetRun {
 public:
  FleetRun(const requests::Stream& stream, const ReplayOptions& options,
           const catalog::Catalog& catalog, const Loaded& brought)
      : stream_(stream),
        o_(options),
        fleet_(*options.fleet),
        s_(options.fleet->spec),
        catalog_(catalog),
        brought_(brought) {}

  Result<ReplayAnswer> run() {
    classes();
    for (std::size_t i = 0; i < s_.pools.size(); ++i) pool(i);
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    if (stream_.requests.empty()) return std::move(a_);  // only names and fits were to be checked
    around();
    count();
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    describe();
    size();
    bool moves = false;
    for (const auto& p : d_.pools)
      moves = moves || p.scales || p.failures.mtbf_s > 0 || !p.failures.losses.empty() ||
              !p.caps.empty();
    if (o_.intervals && !moves) replay_intervals(stream_, d_, range(), a_);
    finish();
    return std::move(a_);
  }

 private:
  void fail(const Origin& at, std::string path, std::string message, std::string hint = {}) {
    mistakes_.add(fleet_.mistake(at, std::move(path), std::move(message), std::move(hint)));
  }

  /// Names of the fleet that the trace does not have: a mistake near one that it has, else told.
  void expect(const Origin& at, const std::string& path, const std::string& what,
              const std::string& name, const std::vector<std::string>& have) {
    if (stream_.requests.empty()) return;  // the trace's own mistakes are being told
    for (const auto& h : have)
      if (h == name || class_base(h) == name) return;
    const std::string near = did_you_mean(name, have);
    if (!near.empty())
      return fail(at, path, fmt::format("the trace has no {} '{}'", what, name), near);
    a_.remarks.push_back(fmt::format("{}: the trace has no {} '{}'; it has {}", path, what, name,
                                     fmt::join(have, ", ")));
  }

  // --- Classes --------------------------------------------------------------------------

  void classes() {
    own_ = o_;
    for (const auto& c : s_.classes)
      expect(c.origin, "classes." + c.name, "class", c.name, stream_.classes);
    for (std::size_t i = 0; i < stream_.classes.size(); ++i) {
      const std::string& name = stream_.classes[i];
      serving::ClassRule rule;
      const std::size_t region = region_of_class(s_, name);
      if (!s_.regions.empty() && region >= s_.regions.size())
        fail({}, "regions", fmt::format("the trace's class '{}' comes from none of them", name),
             fmt::format("one of {}", fmt::join(names_of_regions(), ", ")));
      rule.region = static_cast<std::uint16_t>(region);
      const bool filler =
          std::find(o_.offline.begin(), o_.offline.end(), int(i)) != o_.offline.end();
      rule.offline = filler;
      if (const auto* said = rule_of(s_, name)) {
        rule.slo = {seconds(said->ttft), seconds(said->tpot), seconds(said->e2e)};
        rule.priority = said->priority;
        rule.offline = said->offline || filler;
        rule.max_wait_s = seconds(said->max_wait);
        rule.allowed = allowed(*said);
      }
      if (rule.offline && !filler) own_.offline.push_back(static_cast<int>(i));
      d_.classes.push_back(std::move(rule));
    }
  }

  std::vector<std::string> names_of_regions() const {
    std::vector<std::string> out;
    for (const auto& r : s_.regions) out.push_back(r.name);
    return out;
  }

  std::vector<std::uint16_t> allowed(const FleetClass& c) const {
    std::vector<std::uint16_t> out;
    for (std::size_t i = 0; i < s_.regions.size() && !c.allowed.empty(); ++i) {
      const auto& r = s_.regions[i];
      const auto* place = catalog_.find<catalog::Region>(r.place);
      const bool in = std::any_of(c.allowed.begin(), c.allowed.end(), [&](const auto& area) {
        return area == r.name || (place != nullptr && place->in_jurisdiction(area));
      });
      if (in) out.push_back(static_cast<std::uint16_t>(i));
    }
    return out;
  }

  // --- Pools ----------------------------------------------------------------------------

  std::vector<std::uint16_t> models_of(const FleetPool& p) {
    std::vector<std::uint16_t> out;
    const std::string path = "pools." + p.name + ".serves";
    for (const auto& name : p.serves) expect(p.origin, path, "model", name, stream_.models);
    const auto& all = stream_.models;
    const bool own = std::find(all.begin(), all.end(), p.model) != all.end();
    for (std::size_t m = 0; m < all.size(); ++m) {
      const bool named = std::find(p.serves.begin(), p.serves.end(), all[m]) != p.serves.end();
      if (p.serves.empty() ? !own || all[m] == p.model : named)
        out.push_back(static_cast<std::uint16_t>(m));
    }
    return out;
  }

  std::vector<std::uint16_t> classes_of(const FleetPool& p) {
    std::vector<std::uint16_t> out;
    const std::string path = "pools." + p.name + ".classes";
    for (const auto& name : p.classes) expect(p.origin, path, "class", name, stream_.classes);
    for (std::size_t c = 0; c < stream_.classes.size() && !p.classes.empty(); ++c)
      for (const auto& name : p.classes)
        if (stream_.classes[c] == name || class_base(stream_.classes[c]) == name)
          out.push_back(static_cast<std::uint16_t>(c));
    // A pool of classes that this trace lacks takes nothing.
    if (!p.classes.empty() && out.empty()) out.push_back(0xffff);
    return out;
  }

  void pool(std::size_t i) {
    const FleetPool& said = s_.pools[i];
    ReplayOptions o = options_of(said, own_);
    serving::Pool place;
    place.name = said.name;
    place.models = models_of(said);
    if (place.models.empty()) place.models.push_back(0xffff);
    place.classes = classes_of(said);
    const std::size_t region = said.region.empty() ? 0 : s_.region(said.region);
    const Takes takes = [&](const requests::Request& r) {
      const auto& rule = d_.classes[r.traffic_class];
      const auto at = static_cast<std::uint16_t>(region);
      return serving::serves(place, r.traffic_class, r.model) &&
             (rule.allowed.empty() || std::count(rule.allowed.begin(), rule.allowed.end(), at) > 0);
    };
    priced(said, o);
    Diagnostics found;
    setups_.push_back(set_up_replay(stream_, o, catalog_, brought_, found, takes));
    for (const auto& m : found.all()) mistakes_.add(fleet_.mistake(i, m));
    ReplaySetup& s = setups_.back();
    if (s.deployment.pools.empty()) return;
    serving::Pool p = s.deployment.pools[0];
    p.name = place.name, p.models = place.models, p.classes = place.classes;
    p.region = static_cast<std::uint16_t>(region);
    p.speed = said.speed.or_else(Scalar(1.0));
    p.tariff = tariff(said, s.deployment.tariff);
    if (said.replicas == 0 && !p.scales) {
      sized_.push_back(i);
      p.replicas = guess(s);
    }
    d_.pools.push_back(std::move(p));
  }

  /// Electricity and carbon of the region that the pool stands in.
  void priced(const FleetPool& p, ReplayOptions& o) const {
    if (s_.regions.empty()) return;
    const auto& r = s_.regions[p.region.empty() ? 0 : s_.region(p.region)];
    if (!r.place.empty()) o.region = r.place;
    if (r.pue) o.pue = r.pue;
    if (r.electricity) o.electricity = r.electricity;
  }

  serving::Tariff tariff(const FleetPool& p, serving::Tariff t) const {
    if (p.price) t.rent_origin = "the fleet's file";
    if (s_.regions.empty()) return t;
    const auto& r = s_.regions[p.region.empty() ? 0 : s_.region(p.region)];
    if (r.carbon) t.kg_per_j = r.carbon.get().si();
    if (r.place.empty() && !r.carbon) t.kg_per_j = 0, t.place = "place not told";
    return t;
  }

  /// Replicas by the closed form for all that the pool may take.
  static int guess(const ReplaySetup& s) {
    if (s.shape.input <= 0) return 1;
    const auto capacity = s.replica->capacity(s.shape, s.targets);
    const double carries =
        capacity.feasible ? capacity.at.rate_s : s.replica->operate(s.shape, 0.5).saturation_s;
    const double n = carries > 0 ? std::ceil(s.shape.rate_s / carries) : 1;
    return static_cast<int>(std::clamp(n, 1.0, 4096.0));
  }

  void around() {
    d_.routing = o_.routing_given ? o_.routing : s_.routing;
    d_.seed = o_.seed;
    d_.definitions = o_.definitions;
    d_.percentile = o_.percentile;
    d_.keep_outcomes = o_.keep_outcomes;
    d_.threads = o_.threads;
    d_.progress = o_.progress;
    d_.retries = s_.retries;
    d_.admission.in_flight = s_.admission.max_in_flight.or_else(Scalar(0.0));
    d_.admission.queue = s_.admission.max_queue.or_else(Scalar(0.0));
    d_.admission.offline_below = s_.admission.offline_below.or_else(Scalar(0.0));
    d_.spill = s_.spill.or_else(Scalar(1.0));
    for (const auto& r : s_.regions) d_.regions.push_back(r.name);
    if (s_.latency.empty()) return;
    d_.rtt_s.assign(s_.regions.size(), std::vector<double>(s_.regions.size(), 0));
    for (const auto& l : s_.latency) {
      const std::size_t a = s_.region(l.between[0]), b = s_.region(l.between[1]);
      d_.rtt_s[a][b] = d_.rtt_s[b][a] = l.rtt.get().si();
    }
  }

  void count() {
    double all = 0;
    for (const auto& p : d_.pools) all += p.replicas;
    if (all > 60000) fail({}, "pools", fmt::format("{:.0f} replicas in all", all), "at most 60000");
    for (std::size_t i = 0; i < s_.pools.size(); ++i)
      for (const auto& l : s_.pools[i].losses)
        if (l.replica >= d_.pools[i].replicas && !d_.pools[i].scales)
          fail(s_.pools[i].origin, "pools." + s_.pools[i].name + ".losses",
               fmt::format("there is no replica {}", l.replica),
               fmt::format("0 to {}", d_.pools[i].replicas - 1));
  }

  // --- The replay -----------------------------------------------------------------------

  bool replay() {
    a_.run = serving::replay(stream_, d_, o_.slo);
    const Summary& s = a_.run.summary;
    a_.met = replay_meets(s, o_.slo, o_.percentile);
    int all = 0;
    for (const auto& p : d_.pools) all += p.replicas;
    a_.replicas = all;
    a_.tried.push_back({all, s.ttft.at_slo, s.tpot.at_slo, s.e2e.at_slo, a_.met, s.overloaded});
    return a_.met && !s.overloaded;
  }

  static bool breaks(const serving::PoolSummary& p) {
    return std::any_of(p.headroom.begin(), p.headroom.end(),
                       [](const auto& h) { return h.reached_s > h.slo_s; });
  }

  /// Pools whose replicas are not told grow where they break an SLO (all of them, where none does
  /// and the queue grows), by a fifth, until everything holds; then each gives back what it can.
  void size() {
    bool good = replay();
    if (sized_.empty()) return;
    a_.searched = true;
    constexpr int most_runs = 60;
    for (int n = 0; !good && n < most_runs; ++n) {
      const auto& pools = a_.run.summary.pools;
      const bool some = std::any_of(sized_.begin(), sized_.end(),
                                    [&](std::size_t i) { return breaks(pools[i]); });
      if (!some && !a_.run.summary.overloaded && a_.run.summary.lost == 0 &&
          a_.run.summary.shed == 0)
        break;  // what is missing is no replica
      for (const std::size_t i : sized_) {
        int& r = d_.pools[i].replicas;
        if (!some || breaks(pools[i])) r = std::min(o_.most, r + std::max(1, r / 5));
      }
      good = replay();
    }
    if (!good) return;
    for (const std::size_t i : sized_) {
      int& r = d_.pools[i].replicas;
      while (r > 1 && int(a_.tried.size()) < 2 * most_runs) {
        --r;
        if (replay()) continue;
        ++r;
        break;
      }
    }
    replay();
  }

  infer::ErrorRange range() const {
    infer::ErrorRange out;
    for (const auto& s : setups_) {
      const auto& r = s.oracle->model().error_range();
      if (r.rows == 0) return {};
      out.low = std::min(out.low, r.low), out.high = std::max(out.high, r.high);
      out.rows = out.rows == 0 ? r.rows : std::min(out.rows, r.rows);
    }
    return out;
  }

  // --- In words -------------------------------------------------------------------------

  void describe() {
    a_.trace = stream_.name;
    a_.fleet = s_.name.empty() ? *fleet_.document.file : s_.name;
    a_.slo = o_.slo, a_.percentile = o_.percentile, a_.definitions = o_.definitions;
    for (std::size_t i = 0; i < s_.pools.size(); ++i) {
      const auto& s = setups_[i];
      const auto& p = d_.pools[i];
      ReplayPool out;
      out.name = p.name;
      out.model = s.model->name;
      out.machine = s.system != nullptr && s.slice.empty() ? s.system->name : s.accelerator.name;
      out.layout = layout_text(s.layout);
      out.engine = s.software->name;
      if (!s_.regions.empty()) out.region = s_.regions[p.region].name;
      out.role = p.engine.role == serving::Role::both      ? ""
                 : p.engine.role == serving::Role::prefill ? "prefill"
                                                           : "decode";
      out.gpus_per_replica = s.gpus;
      out.kv_tokens = p.engine.kv_blocks * p.engine.block_tokens;
      out.price = p.tariff->rent_origin, out.usd_per_gpu_s = p.tariff->usd_per_gpu_s;
      out.saturation_s = s.shape.input > 0 ? s.replica->operate(s.shape, 0.5).saturation_s : 0;
      for (const auto& c : s_.pools[i].power_caps)
        out.caps.push_back({c.from.get().si(), c.cap.get()});
      out.sized = std::find(sized_.begin(), sized_.end(), i) != sized_.end();
      a_.pools.push_back(std::move(out));
    }
    a_.model = joined([](const auto& p) { return p.model; });
    a_.machine = joined([](const auto& p) { return p.machine; });
    a_.layout = joined([](const auto& p) { return p.layout; });
    a_.engine = joined([](const auto& p) { return p.engine; });
    a_.tariff.pue = d_.pools[0].tariff->pue;
    a_.tariff.place = s_.regions.empty() ? d_.pools[0].tariff->place : "";
    a_.forecast.offered_s = stream_shape(stream_, own_.offline).rate_s;
  }

  template <class Of>
  std::string joined(Of of) const {
    std::vector<std::string> all;
    for (const auto& p : a_.pools)
      if (std::find(all.begin(), all.end(), of(p)) == all.end()) all.push_back(of(p));
    return fmt::format("{}", fmt::join(all, ", "));
  }

  void finish() {
    for (std::size_t i = 0; i < d_.pools.size(); ++i) a_.pools[i].replicas = d_.pools[i].replicas;
    for (const auto& p : a_.pools)
      if (p.usd_per_gpu_s <= 0)
        a_.remarks.push_back(fmt::format(
            "pools.{}: nobody has dated a rent of this accelerator; give its price", p.name));
    for (const auto& p : a_.run.summary.pools)
      if (p.finished == 0 && p.gpu_time.prefill_s + p.gpu_time.decode_s <= 0)
        a_.remarks.push_back(fmt::format("pools.{} served nobody", p.name));
    replay_remarks(stream_, o_, a_);
  }

  const requests::Stream& stream_;
  const ReplayOptions& o_;
  const Fleet& fleet_;
  const FleetSpec& s_;
  const catalog::Catalog& catalog_;
  const Loaded& brought_;
  ReplayOptions own_;  ///< with the offline classes
  Diagnostics mistakes_;
  std::vector<ReplaySetup> setups_;
  std::vector<std::size_t> sized_;
  serving::Deployment d_;
  ReplayAnswer a_;
};

}  // namespace

Result<ReplayAnswer> replay_fleet(const requests::Stream& stream, const ReplayOptions& options,
                                  const catalog::Catalog& catalog, const Loaded& brought) {
  return FleetRun(stream, options, catalog, brought).run();
}

}  // namespace headroom::study
