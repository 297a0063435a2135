// The chosen configuration in figures: times, SLOs, rates, power, money, step and memory.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/queue.hpp"
#include "infer/search_pools.hpp"
#include "study/inference_parts.hpp"
#include "study/lines.hpp"

namespace headroom::study {

namespace {

using infer::Candidate;
using infer::Load;
using infer::OperatingPoint;
using infer::Pool;

OperatingPoint point(const infer::Replica& r, Load load, double rate_s, double percentile) {
  load.rate_s = rate_s;
  return r.operate(load, percentile);
}

/// One pool at a rate of the whole fleet.
struct PoolUse {
  double prefill = 0, decode = 0;  ///< shares of time
};

PoolUse use_of(const OperatingPoint& o) {
  const double prefill = o.prefill_share * o.busy;
  return {prefill, std::max(0.0, o.busy - prefill)};
}

const infer::Device& device_of(const ServingJob& job, const Candidate& c) {
  return job.space.devices[std::size_t(c.device)];
}

std::string layout_text(const Pool& p) {
  std::string out = fmt::format("TP {}", p.layout.tp);
  if (p.layout.attention_dp > 1) out += fmt::format(" x attention DP {}", p.layout.attention_dp);
  if (p.layout.ep > 1) out += fmt::format(", EP {}", p.layout.ep);
  if (p.layout.pp > 1) out += fmt::format(" x PP {}", p.layout.pp);
  return out;
}

}  // namespace

std::string summary_of(const Candidate& c, const infer::Device& device) {
  const auto& l = c.serve;
  std::string out =
      c.disaggregated
          ? fmt::format("{:.0f} prefill ({}) + {:.0f} decode ({}) replicas", c.prefill.replicas,
                        layout_text(c.prefill), l.replicas, layout_text(l))
          : fmt::format("{:.0f} replica{} of {}", l.replicas, l.replicas == 1 ? "" : "s",
                        layout_text(l));
  out += fmt::format(", {} weights, {} KV", name(l.layout.weights), name(l.layout.kv));
  if (l.limits.speculation > 0) out += fmt::format(", {:.0f} drafted", l.limits.speculation);
  return out + fmt::format(", {:.0f} seqs, {:.0f} tokens a step: {:.0f} x {}", l.limits.max_batch,
                           l.limits.budget, c.gpus, device.accelerator->name);
}

serving::Bill bill_of(const ServingJob& job, const Candidate& c) {
  const auto& d = device_of(job, c);
  const double rate = job.asked.load.rate_s;
  serving::GpuTime time;
  const auto add = [&](const PoolUse& u, double gpus) {
    time.prefill_s += u.prefill * gpus;
    time.decode_s += u.decode * gpus;
    time.idle_s += std::max(0.0, 1 - u.prefill - u.decode) * gpus;
  };
  if (c.disaggregated) {
    const auto reads = infer::prefill_replica(job.asked, d, c.prefill);
    const auto writes = infer::serve_replica(job.asked, d, c.serve);
    const double a =
        point(reads, infer::prefill_load(job.asked.load), rate / c.prefill.replicas, 0.5).busy;
    const double b =
        point(writes, infer::decode_load(job.asked.load), rate / c.serve.replicas, 0.5).busy;
    add({a, 0}, c.prefill.gpus());
    add({0, b}, c.serve.gpus());
  } else {
    const auto r = infer::serve_replica(job.asked, d, c.serve);
    add(use_of(point(r, job.asked.load, rate / c.serve.replicas, 0.5)), c.gpus);
  }
  serving::Tariff tariff = job.place.tariff;
  tariff.usd_per_gpu_s = d.usd_per_gpu_s;
  tariff.pue = d.overhead;
  serving::GpuPower power{d.prefill_w, d.decode_w, d.idle_w, 0};
  return serving::bill(power, time, 1, rate * job.asked.load.input, rate * job.asked.load.output,
                       tariff);
}

std::vector<std::pair<std::string, std::string>> dims_of(const Candidate& c) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto put = [&](const char* key, auto value) {
    out.emplace_back(key, fmt::format("{}", value));
  };
  put("tp", c.serve.layout.tp), put("pp", c.serve.layout.pp);
  put("ep", c.serve.layout.ep), put("attention_dp", c.serve.layout.attention_dp);
  put("weights", name(c.serve.layout.weights)), put("kv", name(c.serve.layout.kv));
  put("max_num_seqs", std::lround(c.serve.limits.max_batch));
  put("max_num_batched_tokens", std::lround(c.serve.limits.budget));
  put("drafted_tokens", std::lround(c.serve.limits.speculation));
  if (c.disaggregated)
    put("prefill_tp", c.prefill.layout.tp), put("prefill_pp", c.prefill.layout.pp);
  return out;
}

ConfigurationRow configuration_row(const ServingJob& job, const Candidate& c) {
  const auto& d = device_of(job, c);
  ConfigurationRow row;
  row.summary = summary_of(c, d);
  row.model = job.model->id;
  row.system = d.id;
  row.accelerator = d.accelerator->id;
  row.engine = std::string(infer::engine_name(d.engine));
  row.dims = dims_of(c);
  row.fits = c.feasible;
  row.gpus = c.gpus;
  row.replicas = c.serve.replicas;
  row.prefill_replicas = c.disaggregated ? c.prefill.replicas : 0;
  row.ttft_p = c.ttft_p_s, row.tpot_p = c.tpot_p_s, row.e2e_p = c.e2e_p_s;
  row.user_tokens_s = c.tpot_s > 0 ? 1 / c.tpot_s : 0;
  row.why = infer::binding_name(c.binding);
  if (c.rate_s <= 0 || c.gpus <= 0) return row;
  row.tokens_per_gpu_s = c.rate_s * job.asked.load.output / c.gpus;
  const auto bill = bill_of(job, c);
  row.usd_per_minput = bill.usd_per_minput, row.usd_per_moutput = bill.usd_per_moutput;
  row.usd_per_year = bill.usd * 365 * 86400;
  row.power_w = bill.mean_w;
  row.j_per_output = bill.j_per_output, row.g_per_output = bill.g_per_output;
  return row;
}

// --- The chosen one ---------------------------------------------------------------------

namespace {

/// What a step of this composition is mostly spent on.
std::string resource_of(const infer::Replica& r, const infer::Batch& batch) {
  const auto t = r.step().parts(batch);
  const double network = t.collectives.si(), host = t.host.si();
  const double rest = t.total().si() - network - host;
  const double compute = r.step().flops(batch).si() / std::max(r.step().peak().si(), 1.0);
  const double read = r.step().bytes_read(batch).si() / std::max(r.step().bandwidth().si(), 1.0);
  if (rest >= network && rest >= host) return compute > read ? "compute" : "bandwidth";
  return network >= host ? "network" : "host";
}

class Describer {
 public:
  Describer(Context& c, const ServingJob& job, const Candidate& chosen, InferenceRun& out)
      : c_(c),
        job_(job),
        chosen_(chosen),
        out_(out),
        device_(device_of(job, chosen)),
        serve_(infer::serve_replica(job.asked, device_, chosen.serve)),
        serve_load_(chosen.disaggregated ? infer::decode_load(job.asked.load) : job.asked.load) {
    if (chosen.disaggregated)
      prefill_.emplace(infer::prefill_replica(job.asked, device_, chosen.prefill));
    base_ = "serving." + out.workload + ".";
  }

  void describe() {
    times();
    slos();
    rates();
    use();
    power_and_money();
    step();
    memory();
    intervals();
    domain();
  }

 private:
  double peak_each() const { return job_.asked.peak_s / chosen_.serve.replicas; }
  OperatingPoint served(double percentile) const {
    return point(serve_, serve_load_, peak_each(), percentile);
  }
  OperatingPoint first(double percentile) const {
    if (!prefill_) return served(percentile);
    return point(*prefill_, infer::prefill_load(job_.asked.load),
                 job_.asked.peak_s / chosen_.prefill.replicas, percentile);
  }

  void times() {
    TimesRow ttft{"ttft", "time to first token"}, tpot{"tpot", "time per output token"},
        e2e{"e2e", "end to end"};
    const auto set = [&](double p, double TimesRow::*field) {
      const auto o = served(p), f = first(p);
      const double moved = chosen_.transfer_s;
      ttft.*field = f.ttft_p.si() + moved;
      tpot.*field = o.tpot_p.si();
      e2e.*field = o.e2e_p.si() - o.ttft.si() + f.ttft.si() + moved;
    };
    set(0.5, &TimesRow::p50), set(0.9, &TimesRow::p90), set(0.99, &TimesRow::p99);
    ttft.mean = chosen_.ttft_s, tpot.mean = chosen_.tpot_s, e2e.mean = chosen_.e2e_s;
    out_.times = {ttft, tpot, e2e};
    out_.definitions = {
        {"ttft", "arrival at the server to the first output token"},
        {"tpot", "(end to end - TTFT) / (output tokens - 1): the mean gap of one request"},
        {"itl", "every gap between two tokens of all requests (the engine's replay only)"},
        {"e2e", "arrival to the last token"},
        {"goodput", "requests a second that meet every SLO given"}};
  }

  std::string prompt_resource() const {
    const auto& r = prefill_ ? *prefill_ : serve_;
    const double fresh = std::max(1.0, job_.asked.load.input - job_.asked.load.cached);
    const double beside = prefill_ ? 0 : served(0.5).batch;
    return resource_of(
        r, {beside, job_.asked.load.context(), std::min(fresh, r.limits().budget), fresh / 2});
  }

  void slos() {
    const auto& t = job_.asked.targets;
    const auto o = served(t.percentile);
    const bool full = o.slots > 0.85 && o.kv_cap < serve_.limits().max_batch;
    const std::string decode =
        full ? "KV memory" : resource_of(serve_, {std::max(o.batch, 1.0), o.context, 0, 0});
    const auto put = [&](const char* key, const char* label, double asked, double reached,
                         const std::string& resource) {
      if (asked > 0) out_.slos.push_back({key, label, asked, reached, resource});
    };
    put("ttft", "TTFT", t.ttft_s, chosen_.ttft_p_s, full ? "KV memory" : prompt_resource());
    put("tpot", "TPOT", t.tpot_s, chosen_.tpot_p_s,
        o.prefill_share > 0.5 ? prompt_resource() : decode);
    put("e2e", "E2E", t.e2e_s, chosen_.e2e_p_s, decode);
    const SloRow* least = nullptr;
    for (const auto& s : out_.slos)
      if (least == nullptr || s.headroom() < least->headroom()) least = &s;
    if (least != nullptr)
      out_.binding = least->label, out_.resource = least->resource;
    else
      out_.binding = infer::binding_name(chosen_.binding), out_.resource = decode;
  }

  template <class Q>
  void put(Section& s, const char* key, const char* label, Q value, const char* unit,
           const char* formula) {
    const auto f = c_.trace.derive(base_ + s.key + "." + key, value, unit, formula, {});
    add_line(s.lines, key, label, f, unit);
  }

  void rates() {
    out_.rates = {"rates", "Requests and tokens", {}};
    auto& s = out_.rates;
    const auto& l = job_.asked.load;
    const double n = chosen_.gpus;
    put(s, "rate", "requests a second, mean", Rate::from_si(l.rate_s), "request/s", "asked");
    put(s, "peak", "requests a second, peak", Rate::from_si(job_.asked.peak_s), "request/s",
        "asked, or twice the mean");
    put(s, "capacity", "requests a second inside the SLOs", Rate::from_si(chosen_.rate_s),
        "request/s", "replicas x the highest rate of one inside the SLOs");
    put(s, "goodput", "goodput at the peak", Rate::from_si(goodput()), "request/s",
        "requests that meet every SLO, by the closed form's percentiles");
    put(s, "input_rate", "input tokens a second, mean", TokenRate::from_si(l.rate_s * l.input),
        "token/s", "rate x prompt tokens");
    put(s, "output_rate", "output tokens a second, mean", TokenRate::from_si(l.rate_s * l.output),
        "token/s", "rate x answer tokens");
    put(s, "output_capacity", "output tokens a second at capacity",
        TokenRate::from_si(chosen_.rate_s * l.output), "token/s", "capacity x answer tokens");
    put(s, "output_per_gpu", "output tokens a second and GPU, at capacity",
        TokenRate::from_si(chosen_.rate_s * l.output / n), "token/s", "capacity / GPUs");
    put(s, "output_per_user", "output tokens a second a user sees, at the peak",
        TokenRate::from_si(chosen_.tpot_s > 0 ? 1 / chosen_.tpot_s : 0), "token/s", "1 / TPOT");
  }

  /// Share of requests inside the SLOs, as the percentiles of the closed form spread.
  double goodput() const {
    const auto& t = job_.asked.targets;
    double share = 1;
    for (const double p : {0.5, 0.75, 0.9, 0.95, 0.99, 0.999}) {
      const auto o = served(p), f = first(p);
      const bool good = (t.ttft_s <= 0 || f.ttft_p.si() + chosen_.transfer_s <= t.ttft_s) &&
                        (t.tpot_s <= 0 || o.tpot_p.si() <= t.tpot_s) &&
                        (t.e2e_s <= 0 || o.e2e_p.si() <= t.e2e_s);
      if (good) share = p;
      if (!good) return job_.asked.peak_s * (p <= 0.5 ? 0 : share);
    }
    return job_.asked.peak_s;
  }

  void use() {
    out_.use = {"use", "Fleet", {}};
    auto& s = out_.use;
    const auto peak = served(0.5);
    const auto mean =
        point(serve_, serve_load_, job_.asked.load.rate_s / chosen_.serve.replicas, 0.5);
    put(s, "replicas", "replicas", Scalar(chosen_.serve.replicas), "replica",
        "ceil(peak / (rate of one x ceiling)) + spare");
    if (prefill_)
      put(s, "prefill_replicas", "replicas that read prompts", Scalar(chosen_.prefill.replicas),
          "replica", "the same for prompts");
    put(s, "gpus", "GPUs", Scalar(chosen_.gpus), "GPU", "replicas x GPUs of one");
    put(s, "utilisation", "load over capacity, mean",
        Scalar(job_.asked.load.rate_s / std::max(chosen_.rate_s, 1e-12)), "%", "rate / capacity");
    put(s, "utilisation_peak", "load over capacity, peak",
        Scalar(job_.asked.peak_s / std::max(chosen_.rate_s, 1e-12)), "%", "peak / capacity");
    put(s, "busy", "share of time the engines step, mean rate", Scalar(mean.busy), "%",
        "1 - chance that a replica is empty");
    put(s, "prefill_share", "share of a step for prompts, peak", Scalar(peak.prefill_share), "%",
        "1 - decode step / mean step");
    put(s, "sequences", "sequences running a replica, peak", Scalar(peak.running), "seq",
        "Little's law");
    put(s, "kv_used", "KV cache in use, peak",
        Scalar(peak.kv_cap > 0 ? std::min(1.0, peak.running / peak.kv_cap) : 0), "%",
        "sequences x their tokens / what the cache holds");
    put(s, "mfu", "model FLOPs over peak, peak traffic", Scalar(peak.mfu), "%", "by step model");
    put(s, "mbu", "bytes read over bandwidth, peak traffic", Scalar(peak.mbu), "%",
        "by step model");
    if (prefill_)
      put(s, "transfer", "time to hand a prompt's KV cache over", chosen_.transfer_s * second, "ms",
          "KV bytes a rank / NIC share");
  }

  void power_and_money() {
    const auto b = bill_of(job_, chosen_);
    out_.energy = {"energy", "Power, energy and carbon", {}};
    auto& e = out_.energy;
    put(e, "power", "mean power at the meter", Power::from_si(b.mean_w), "kW",
        "GPUs with their part of the server x PUE, at the mean rate (serving/energy.hpp)");
    put(e, "output_token", "energy of an output token", Energy::from_si(b.j_per_output) / token,
        "J/token", "meter energy / output tokens");
    put(e, "token", "energy of a token, input and output", Energy::from_si(b.j_per_token) / token,
        "J/token", "meter energy / all tokens");
    if (b.g_per_output > 0)
      put(e, "carbon", "carbon of a thousand output tokens",
          Carbon::from_si(b.g_per_output * 1e-3) / token, "gCO2e/ktoken",
          "energy x carbon intensity of the grid");
    put(e, "tokens_per_mw", "output tokens a second per MW", Scalar(b.output_s_per_mw), "",
        "output rate / mean power");
    out_.money = {"money", "Money", {}};
    if (b.usd <= 0) return;
    auto& m = out_.money;
    put(m, "price", "price of a GPU-hour", MoneyRate::from_si(device_.usd_per_gpu_s), "USD/h",
        "see price_origin");
    put(m, "input", "a million input tokens", b.usd_per_minput * 1e-6 * dollar / token,
        "USD/Mtoken", "cost x prefill's share of GPU-seconds / input tokens");
    put(m, "output", "a million output tokens", b.usd_per_moutput * 1e-6 * dollar / token,
        "USD/Mtoken", "cost x decoding's share of GPU-seconds / output tokens");
    put(m, "token", "a million tokens, input and output", b.usd_per_mtoken * 1e-6 * dollar / token,
        "USD/Mtoken", "cost / all tokens");
    put(m, "year", "a year", MoneyRate::from_si(b.usd), "MUSD/yr", "GPUs x price x 8,760 h");
  }

  void step() {
    const auto t = served(0.5);
    const infer::Batch decode{std::max(t.batch, 1e-9), t.context, 0, 0};
    const double share = t.prefill_share;
    const auto parts = serve_.step().parts(decode);
    // What prompts take of a mean step, split as a step of their own.
    const double fresh = std::max(1.0, serve_load_.input - serve_load_.cached);
    infer::Batch with = decode;
    with.prefill = std::min(fresh, serve_.limits().budget), with.prefill_keys = fresh / 2;
    const auto full = serve_.step().parts(with);
    const double mean = t.step.si() / std::max(1 - share, 1e-9);
    const double more = std::max(full.total().si() - parts.total().si(), 1e-12);
    const double weight = share * mean / more;
    const double scale = t.step.si() / std::max(parts.total().si(), 1e-12);
    const auto put_part = [&](const char* label, Time infer::StepTime::*part) {
      const double s = scale * (parts.*part).si() + weight * ((full.*part) - (parts.*part)).si();
      if (s > 0) out_.step.push_back({label, s});
    };
    using S = infer::StepTime;
    put_part("linear layers", &S::linear), put_part("experts", &S::experts);
    put_part("attention", &S::attention), put_part("activations", &S::activations);
    put_part("collectives", &S::collectives), put_part("host", &S::host);
    for (const auto& row : out_.step) out_.step_s += row.value;
  }

  void memory() {
    const auto& m = serve_.memory();
    const auto o = served(0.5);
    const double kv = m.kv_free().in(byte)*std::min(1.0, o.running / std::max(o.kv_cap, 1e-9));
    out_.memory_have = serve_.step().memory().in(byte);
    out_.memory = {{"weights", m.weights.in(byte)},
                   {"workspace", m.workspace.in(byte)},
                   {"KV cache in use", kv},
                   {"KV cache free", std::max(0.0, m.kv_free().in(byte)-kv)},
                   {"left to others", std::max(0.0, out_.memory_have - m.had.in(byte))}};
  }

  /// Measured over predicted time of runs like this one, and their inverse for rates.
  void intervals() {
    const auto& range = serve_.step().error_range();
    if (range.rows <= 0 || range.high <= range.low) {
      out_.interval_origin = "no residuals of measured runs are in the catalogue";
      return;
    }
    out_.interval_origin = fmt::format(
        "{} measured runs {}", range.rows,
        range.calibrated ? "of this model, accelerator, engine and format"
                         : "of other models and accelerators, each left out of the fit");
    const double tpot = chosen_.tpot_s, rate = chosen_.rate_s * job_.asked.load.output;
    out_.intervals.push_back(
        {"tpot", "TPOT, mean at the peak", "ms", tpot * range.low, tpot, tpot * range.high});
    out_.intervals.push_back({"output_capacity", "output tokens a second at capacity", "token/s",
                              rate / range.high, rate, rate / range.low});
    const auto b = bill_of(job_, chosen_);
    if (b.usd_per_moutput > 0)
      out_.intervals.push_back({"output_cost", "a million output tokens", "USD/Mtoken",
                                b.usd_per_moutput * 1e-6 * range.low, b.usd_per_moutput * 1e-6,
                                b.usd_per_moutput * 1e-6 * range.high});
  }

  void domain() {
    const auto& a = *device_.accelerator;
    const auto outside = [&](std::string why) {
      out_.in_domain = false;
      out_.outside.push_back(std::move(why));
    };
    if ((!a.vendor.empty() && a.vendor != "NVIDIA") ||
        a.device_class != catalog::DeviceClass::datacenter)
      outside(a.name + " was not among the measured GPUs (NVIDIA A100 to B300)");
    if (chosen_.serve.layout.gpus() > 8)
      outside("replicas of more than 8 GPUs were not among the measured ones");
    if (chosen_.disaggregated) outside("no measured run had prefill and decode apart");
    if (chosen_.serve.limits.speculation > 0)
      outside("acceptance of drafts is assumed, not measured");
  }

  Context& c_;
  const ServingJob& job_;
  const Candidate& chosen_;
  InferenceRun& out_;
  const infer::Device& device_;
  infer::Replica serve_;
  Load serve_load_;
  std::optional<infer::Replica> prefill_;
  std::string base_;
};

}  // namespace

void describe_chosen(Context& c, const ServingJob& job, const Candidate& chosen,
                     InferenceRun& out) {
  Describer(c, job, chosen, out).describe();
}

}  // namespace headroom::study
