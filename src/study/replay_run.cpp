#include "study/replay_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "base/units.hpp"
#include "study/replay_setup.hpp"

namespace headroom::study {
namespace {

using serving::Summary;

double wall() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

/// The replay of one stream at counts of replicas.
class Runner {
 public:
  Runner(const requests::Stream& stream, const ReplayOptions& options, ReplaySetup& setup,
         ReplayAnswer& answer)
      : stream_(stream), o_(options), s_(setup), a_(answer) {}

  void run() {
    forecast();
    if (o_.replicas > 0 || o_.prefill_replicas > 0 || o_.scales) {
      a_.replicas = o_.prefill_replicas > 0 ? o_.prefill_replicas + o_.decode_replicas
                                            : s_.deployment.pools[0].replicas;
      replay_with(0);
    } else {
      search();
    }
    if (o_.intervals && !o_.scales && o_.mtbf_s <= 0 && o_.losses.empty() && o_.power_caps.empty())
      replay_intervals(stream_, s_.deployment, s_.oracle->model().error_range(), a_);
    const auto& f = a_.forecast;
    a_.forecast.overloaded = !o_.scales && o_.prefill_replicas == 0 && f.saturation_s > 0 &&
                             f.late_s > f.saturation_s * a_.replicas;
  }

 private:
  void forecast() {
    auto& f = a_.forecast;
    f.offered_s = s_.shape.rate_s;
    late_rate();
    const auto at = s_.replica->operate(s_.shape, o_.percentile);
    f.saturation_s = at.saturation_s;
    if (!o_.slo.any()) return;
    const auto capacity = s_.replica->capacity(s_.shape, s_.targets);
    f.binding = infer::binding_name(capacity.binding);
    f.inside_slo_s = capacity.feasible ? capacity.at.rate_s : 0;
    f.concurrent = capacity.at.batch;
    if (f.inside_slo_s > 0) f.replicas = f.offered_s / f.inside_slo_s;
  }

  /// Requests/s of the last third of the span.
  void late_rate() {
    double first = 0, last = 0;
    bool any = false;
    for (const auto& r : stream_.requests) {
      if (r.after != requests::no_request || !is_online(r, o_.offline)) continue;
      if (!any) first = r.arrival_s;
      any = true, last = r.arrival_s;
    }
    const double from = first + (last - first) * 2 / 3;
    double n = 0;
    for (const auto& r : stream_.requests)
      n +=
          r.after == requests::no_request && r.arrival_s > from && is_online(r, o_.offline) ? 1 : 0;
    a_.forecast.late_s = last > from ? n / (last - from) : 0;
  }

  /// Replays with so many replicas (0: as the deployment says) and keeps the answer.
  bool replay_with(int replicas) {
    if (replicas > 0) s_.deployment.pools[0].replicas = a_.replicas = replicas;
    const double before = wall();
    a_.run = serving::replay(stream_, s_.deployment, o_.slo);
    a_.wall_s += wall() - before;
    const Summary& s = a_.run.summary;
    a_.met = replay_meets(s, o_.slo, o_.percentile);
    a_.tried.push_back(
        {a_.replicas, s.ttft.at_slo, s.tpot.at_slo, s.e2e.at_slo, a_.met, s.overloaded});
    return a_.met && !s.overloaded;
  }

  /// Times of requests that have a replica to themselves, one after the other.
  bool alone_meets() {
    constexpr std::size_t most = 2000;
    requests::Stream sample;
    sample.hashes = {};
    const std::size_t stride = std::max<std::size_t>(1, stream_.requests.size() / most);
    for (std::size_t i = 0; i < stream_.requests.size(); i += stride) {
      requests::Request r = stream_.requests[i];
      if (!is_online(r, o_.offline)) continue;
      r.blocks = r.first_block = 0;
      r.shared = r.session = requests::no_request;
      r.traffic_class = r.model = 0;
      r.arrival_s = 0;
      if (!sample.requests.empty())
        r.after = static_cast<std::uint32_t>(sample.requests.size() - 1);
      sample.requests.push_back(r);
    }
    if (!sample.requests.empty()) sample.requests[0].after = requests::no_request;
    auto d = s_.deployment;
    d.pools[0].replicas = 1;
    d.pools[0].failures = {};
    d.admission = {};
    d.keep_outcomes = true;
    const Summary s = serving::replay(sample, d, o_.slo).summary;
    if (s.finished == 0 || replay_meets(s, o_.slo, o_.percentile)) return true;
    for (const auto& h : s.headroom) {
      if (h.reached_s <= h.slo_s) continue;
      if (!a_.unreachable.empty()) a_.unreachable += "; ";
      a_.unreachable += fmt::format(
          "{} of {} is out of reach of any count: the nearest is {} at the {:g}th percentile, by a "
          "replica for each request, bound by {}",
          h.name, format_scaled(h.slo_s, "s"), format_scaled(h.reached_s, "s"), 100 * o_.percentile,
          serving::resource_name(h.binding));
    }
    return false;
  }

  int first_guess() const {
    const auto& f = a_.forecast;
    const double rate = f.inside_slo_s > 0 ? f.inside_slo_s : f.saturation_s;
    const double n = rate > 0 ? std::ceil(f.offered_s / rate) : 1;
    return static_cast<int>(std::clamp(n, 1.0, double(o_.most)));
  }

  void search() {
    a_.searched = true;
    int n = first_guess();
    bool good = replay_with(n);
    int low = 0, high = good ? n : 0;  // `low` does not do, `high` does
    if (good) {
      while (high > 1 && high - 1 > low) {
        if (!replay_with(high - 1)) {
          low = high - 1;
          break;
        }
        --high;
      }
    } else {
      if (o_.slo.any() && !alone_meets()) {
        a_.reachable = false;
        return;
      }
      low = n;
      while (!good && n < o_.most) {
        n = std::min(o_.most, std::max(n + 1, static_cast<int>(std::ceil(n * 1.2))));
        good = replay_with(n);
        if (!good) low = n;
      }
      if (!good) return;
      high = n;
      while (high - low > 1) {
        const int middle = (low + high) / 2;
        (replay_with(middle) ? high : low) = middle;
      }
    }
    if (a_.replicas != high) replay_with(high), a_.tried.pop_back();
  }

  const requests::Stream& stream_;
  const ReplayOptions& o_;
  ReplaySetup& s_;
  ReplayAnswer& a_;
};

void describe(const requests::Stream& stream, const ReplayOptions& o, const ReplaySetup& s,
              ReplayAnswer& a) {
  a.trace = stream.name;
  a.model = s.model->name;
  a.machine = s.system != nullptr ? s.system->name : s.accelerator.name;
  if (!s.slice.empty()) a.machine = s.accelerator.name;
  a.layout = layout_text(s.layout);
  a.engine = s.software->name;
  a.gpus_per_replica = s.gpus;
  a.config = s.deployment.engine;
  a.kv_blocks = a.config.kv_blocks;
  a.kv_tokens = a.kv_blocks * a.config.block_tokens;  // of all attention replicas
  a.slo = o.slo;
  a.percentile = o.percentile;
  a.definitions = o.definitions;
  a.tariff = s.deployment.tariff;
}

}  // namespace

void replay_remarks(const requests::Stream& stream, const ReplayOptions& o, ReplayAnswer& a) {
  const Summary& s = a.run.summary;
  std::map<std::string_view, std::size_t> refused;
  for (const auto& out : a.run.outcomes)
    if (out.refusal != serving::Refusal::none) ++refused[serving::refusal_text(out.refusal)];
  for (const auto& [why, count] : refused)
    a.remarks.push_back(fmt::format("{} requests were rejected: {}", count, why));
  const auto counted = [&](std::size_t count, std::string_view why) {
    if (refused.empty() && count > 0)
      a.remarks.push_back(fmt::format("{} requests were rejected: {}", count, why));
  };
  counted(s.too_long, "longer than the context or than the KV memory");
  counted(s.no_pool, serving::refusal_text(serving::Refusal::no_pool));
  counted(s.residency, serving::refusal_text(serving::Refusal::residency));
  const auto tier = [&](const char* what, const serving::Tier& t) {
    if (t.blocks > 0)
      a.remarks.push_back(
          fmt::format("KV offload: {} holds {:.0f} tokens of a replica, {:.1f} GB/s "
                      "to a GPU",
                      what, t.blocks * a.config.block_tokens, t.bits_s / 8e9));
  };
  std::string limits;
  for (const auto& c : o.power_caps)
    limits += fmt::format("{}{} from {}", limits.empty() ? "" : ", ", format(c.cap, "W"),
                          format_scaled(c.from_s, "s"));
  if (!limits.empty() && a.pools.empty())
    a.remarks.push_back(
        fmt::format("a GPU is limited to {}{}", limits,
                    o.power_caps_every_s > 0
                        ? fmt::format(", again every {}", format_scaled(o.power_caps_every_s, "s"))
                        : ""));
  tier("host memory", a.config.host);
  tier("disk", a.config.disk);
  if (a.config.adapters.slots > 0)
    a.remarks.push_back(
        fmt::format("{} LoRA adapters of rank {} on a GPU at once, {:.1f} ms to load "
                    "one",
                    a.config.adapters.slots, o.lora_rank, 1e3 * a.config.adapters.load_s));
  if (a.pools.empty() && a.forecast.overloaded != s.overloaded)
    a.remarks.push_back(
        a.forecast.overloaded
            ? "the closed form expects overload; the replay did not show a growing queue"
            : "the queue grows although the mean rate is below saturation: bursts or long prompts");
  if (a.pools.empty() && a.tariff.usd_per_gpu_s <= 0)
    a.remarks.push_back(
        "nobody has dated a rent of this accelerator in the catalogue; give --price");
  if (stream.requests.size() < 100 && o.percentile > 0.95)
    a.remarks.push_back(fmt::format("{} requests say little about a {:g}th percentile",
                                    stream.requests.size(), 100 * o.percentile));
}

bool replay_meets(const Summary& s, const serving::Slo& slo, double percentile) {
  const bool asked = slo.any() || !s.headroom.empty();
  const std::size_t missed = s.shed + s.lost + s.no_pool + s.residency;
  if (asked && double(missed) > (1 - percentile) * double(s.requests)) return false;
  // Classes of their own SLO, then the whole.
  for (const auto& c : s.classes)
    for (const auto& h : c.headroom)
      if (!c.offline && h.reached_s > h.slo_s) return false;
  const bool by_class = !s.classes.empty();
  return by_class || ((slo.ttft_s <= 0 || s.ttft.at_slo <= slo.ttft_s) &&
                      (slo.tpot_s <= 0 || s.tpot.at_slo <= slo.tpot_s) &&
                      (slo.e2e_s <= 0 || s.e2e.at_slo <= slo.e2e_s));
}

namespace {

/// The times of a fleet whose steps take `factor` times as long.
Summary slower(const requests::Stream& stream, serving::Deployment d, double factor) {
  requests::Stream faster = stream;
  for (auto& r : faster.requests) r.arrival_s /= factor;
  d.keep_outcomes = false;
  for (auto& rule : d.classes) rule.max_wait_s /= factor;
  for (auto& row : d.rtt_s)
    for (double& trip : row) trip /= factor;
  return serving::replay(faster, d, {}).summary;
}

}  // namespace

void replay_intervals(const requests::Stream& stream, const serving::Deployment& deployment,
                      const infer::ErrorRange& range, ReplayAnswer& a) {
  if (!(range.high > range.low) || range.low <= 0 || a.run.summary.finished == 0 ||
      stream.requests.size() > interval_requests)
    return;
  const double before = wall();
  const Summary& mid = a.run.summary;
  const Summary low = slower(stream, deployment, range.low);
  const Summary high = slower(stream, deployment, range.high);
  const auto add = [&](const char* key, const char* label, double at, double fast, double slow) {
    a.intervals.push_back(
        {key, label, std::min(at, fast * range.low), at, std::max(at, slow * range.high)});
  };
  add("ttft_mean", "TTFT mean", mid.ttft.mean, low.ttft.mean, high.ttft.mean);
  add("ttft_p99", "TTFT p99", mid.ttft.p99, low.ttft.p99, high.ttft.p99);
  add("tpot_mean", "TPOT mean", mid.tpot.mean, low.tpot.mean, high.tpot.mean);
  add("tpot_p99", "TPOT p99", mid.tpot.p99, low.tpot.p99, high.tpot.p99);
  add("e2e_mean", "E2E mean", mid.e2e.mean, low.e2e.mean, high.e2e.mean);
  add("e2e_p99", "E2E p99", mid.e2e.p99, low.e2e.p99, high.e2e.p99);
  a.interval_origin =
      fmt::format("{} measured runs of {}", range.rows,
                  range.calibrated ? "this model, accelerator, engine and format"
                                   : "this engine that were left out of the fit, by whole groups");
  a.wall_s += wall() - before;
}

Result<ReplayAnswer> replay_trace(const requests::Stream& stream, const ReplayOptions& options,
                                  const catalog::Catalog& catalog, const Loaded& brought) {
  if (options.fleet != nullptr) return replay_fleet(stream, options, catalog, brought);
  Diagnostics mistakes;
  ReplayOptions own = options;
  for (const auto& c : options.classes)
    for (std::size_t i = 0; i < stream.classes.size() && c.rule.offline; ++i)
      if (stream.classes[i] == c.name) own.offline.push_back(static_cast<int>(i));
  ReplaySetup setup = set_up_replay(stream, own, catalog, brought, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));
  ReplayAnswer answer;
  describe(stream, own, setup, answer);
  Runner(stream, own, setup, answer).run();
  replay_remarks(stream, own, answer);
  return answer;
}

}  // namespace headroom::study
